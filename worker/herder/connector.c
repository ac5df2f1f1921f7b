/* One connector: its host is started, reports, stops, dies, and is started again. */
#include "base/memory.h"
#include "restart_keys.h"
#include "state.h"
#include <stdlib.h>
#include <string.h>

static void clear_tasks(connector *c)
{
    for (size_t i = 0; i < c->task_count; i++) {
        free(c->tasks[i].trace);
        free(c->tasks[i].retry);
        free(c->tasks[i].doing);
        json_decref(c->tasks[i].config);
        json_decref(c->tasks[i].gauges);
        json_decref(c->tasks[i].places);
    }
    free(c->tasks);
    c->tasks = NULL;
    c->task_count = 0;
}

enum {
    said_bytes_max = 64 * 1024, /* Of a text that a host has said. */
    tasks_max = 10000,
    topics_max = 10000, /* Further ones are not shown. */
};

static void set_text(char **field, const char *text)
{
    char *copy = text == NULL ? NULL : memory_text(text);
    free(*field);
    *field = copy;
}

/* The same of what a host has said, which may be of any length; cut at the start of a
 * UTF-8 character. */
static void set_said(char **field, const json_t *said)
{
    const char *text = json_string_value(said);
    size_t len = text == NULL ? 0 : strnlen(text, said_bytes_max + 1);
    if (len <= said_bytes_max) {
        set_text(field, text);
        return;
    }
    for (len = said_bytes_max; len > 0 && (text[len] & 0xc0) == 0x80;) {
        len--;
    }
    free(*field);
    *field = memory_print("%.*s ... (%zu bytes)", (int)len, text, strlen(text));
}

connector *herder_connector_find(const herder *self, const char *name)
{
    connector *c = name == NULL ? NULL : map_get_text(&self->connectors, name);
    return c == NULL || c->leaving ? NULL : c;
}

connector *herder_connector_add(herder *self, const char *name)
{
    connector *c = map_get_text(&self->connectors, name);
    if (c == NULL) {
        c = memory_zero(sizeof *c);
        c->name = memory_text(name);
        map_put_text(&self->connectors, name, c);
    }
    c->leaving = false;
    c->state = state_unassigned;
    c->restart_at = INT64_MAX;
    set_text(&c->type, "unknown");
    if (c->topics == NULL) {
        c->topics = json_object();
    }
    return c;
}

void herder_connector_free(connector *c)
{
    clear_tasks(c);
    free(c->name);
    free(c->trace);
    free(c->type);
    free(c->class);
    free(c->version);
    json_decref(c->config);
    json_decref(c->topics);
    host_slot_forget(&c->host);
    free(c);
}

const char *herder_connector_property(const connector *c, const char *key)
{
    return json_string_value(json_object_get(c->config, key));
}

void herder_connector_set_config(connector *c, json_t *config)
{
    json_incref(config);
    json_decref(c->config);
    c->config = config;
}

/* --- Starting and stopping. --- */

static const char *target_word(const connector *c)
{
    return c->target == target_paused ? "PAUSED" : "RUNNING";
}

static void show_all(connector *c, run_state state)
{
    c->state = state;
    set_text(&c->trace, NULL);
    for (size_t i = 0; i < c->task_count; i++) {
        c->tasks[i].state = state;
        set_text(&c->tasks[i].trace, NULL);
        set_text(&c->tasks[i].retry, NULL);
        set_text(&c->tasks[i].doing, NULL);
    }
}

void herder_connector_start(herder *self, connector *c)
{
    c->rerun = true;
    c->restart_at = INT64_MAX;
    if (c->host.id != 0 || offsets_in_flight(self, c->name) || self->stopping ||
        c->leaving || c->target == target_stopped) {
        return; /* Exit, store or resume will call again. */
    }
    c->rerun = false;
    c->outdated = false;
    c->configured = false;
    self->startups++;
    if (c->state != state_restarting) {
        show_all(c, state_unassigned);
    }
    herder_own own = herder_connector_own(self, c);
    host_slot_begin(self, &c->host, c->name, &own.limits);
    act_send(self, c->host.id,
             json_pack("{s:{s:s, s:O, s:O, s:o, s:s}}", "start", "name", c->name,
                       "config", c->config, "worker", self->settings.worker, "offsets",
                       offsets_pairs(self, c->name), "state", target_word(c)));
    host_slot_tell_levels(self, c->host.id);
}

static void settle_stopped(herder *self, connector *c)
{
    (void)self;
    if (c->target == target_stopped) {
        clear_tasks(c);
    }
    show_all(c, c->target == target_stopped  ? state_stopped
                : c->target == target_paused ? state_paused
                                             : state_unassigned);
}

/* The host is gone, or there was none, and it was meant to be so. */
static void at_rest(herder *self, connector *c)
{
    pending_exited(self, c->name);
    if (c->leaving) {
        map_remove_text(&self->connectors, c->name);
        herder_connector_free(c);
        return;
    }
    if (c->state != state_restarting || !c->rerun) {
        settle_stopped(self, c);
    }
    if (c->rerun) {
        herder_connector_start(self, c);
    }
    pending_wake(self, c->name);
}

void herder_connector_stop(herder *self, connector *c)
{
    c->restart_at = INT64_MAX;
    if (c->host.id == 0) {
        at_rest(self, c);
    } else {
        host_slot_stop(self, &c->host);
    }
}

void herder_connector_bounce(herder *self, connector *c, run_state shown)
{
    c->attempts = 0;
    c->rerun = true;
    if (shown == state_restarting) {
        show_all(c, shown);
    }
    herder_connector_stop(self, c);
}

void herder_connector_restart_task(herder *self, connector *c, size_t number)
{
    c->tasks[number].restarts++;
    if (c->host.id == 0) {
        c->attempts = 0;
        herder_connector_start(self, c);
    } else if (!c->host.stopping) {
        self->task_attempts++;
        act_send(self, c->host.id,
                 json_pack("{s:I}", "restart_task", (json_int_t)number));
    }
}

/* --- What a host reports. --- */

static bool state_parse(const char *name, run_state *ret_state)
{
    static const run_state states[] = {state_unassigned, state_running,
                                       state_paused,     state_failed,
                                       state_restarting, state_stopped};
    for (size_t i = 0; name != NULL && i < sizeof states / sizeof states[0]; i++) {
        if (strcmp(name, state_name(states[i])) == 0) {
            *ret_state = states[i];
            return true;
        }
    }
    return false;
}

/* What comes next stands below the reason, where the whole connector has failed. */
__attribute__((format(printf, 2, 3))) static void add_to_trace(connector *c,
                                                               const char *format, ...)
{
    if (c->state != state_failed || c->trace == NULL) {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    char *text = memory_vprint(format, arguments);
    va_end(arguments);
    char *longer = memory_print("%s\n%s", c->trace, text);
    free(c->trace);
    free(text);
    c->trace = longer;
}

/* When it is to be started again without being asked; says so in the log and in the
 * trace. */
static void plan_restart(herder *self, connector *c, bool crashed)
{
    herder_restart policy = herder_connector_own(self, c).restart;
    if (policy.policy == herder_never ||
        (!crashed && policy.policy != herder_on_failure) || c->leaving ||
        self->stopping) {
        return;
    }
    if (c->restart_at != INT64_MAX) {
        return; /* Planned already, for another of its tasks. */
    }
    if (c->attempts >= policy.attempts_max) {
        act_log_of(self, c, SLUICE_ERROR,
                   "connector '%s' stays FAILED: it was restarted %lld times in a row "
                   "(restart.max.attempts); restart it when the reason is mended",
                   c->name, (long long)c->attempts);
        add_to_trace(c, "It was restarted %lld times in a row and stays so",
                     (long long)c->attempts);
        return;
    }
    int64_t delay = policy.backoff_initial_ms;
    for (int64_t i = 0; i < c->attempts && delay < policy.backoff_max_ms; i++) {
        delay *= 2;
    }
    delay = delay > policy.backoff_max_ms ? policy.backoff_max_ms : delay;
    c->attempts++;
    c->restart_at = self->now + delay;
    act_log_of(self, c, SLUICE_WARN,
               "connector '%s' will be restarted in %lld ms (attempt %lld of %lld)",
               c->name, (long long)delay, (long long)c->attempts,
               (long long)policy.attempts_max);
    add_to_trace(c, "It will be restarted %lld ms after that (attempt %lld of %lld)",
                 (long long)delay, (long long)c->attempts,
                 (long long)policy.attempts_max);
}

static void connector_reported(herder *self, connector *c, const json_t *report)
{
    const char *name = json_string_value(json_object_get(report, "state"));
    json_t *class = json_object_get(report, "class");
    json_t *type = json_object_get(report, "type");
    run_state before = c->state;
    if (!state_parse(name, &c->state)) {
        return;
    }
    self->startup_successes +=
        (c->state == state_running || c->state == state_paused) &&
        before != state_running && before != state_paused;
    set_said(&c->trace, json_object_get(report, "trace"));
    set_said(&c->version, json_object_get(report, "version"));
    if (json_is_string(class)) {
        set_said(&c->class, class);
    }
    if (json_is_string(type)) {
        set_said(&c->type, type);
    }
    if (c->state == state_failed) {
        self->startup_failures++;
        act_log_of(self, c, SLUICE_ERROR, "connector '%s' is FAILED: %s", c->name,
                   c->trace == NULL ? "no reason given" : c->trace);
        plan_restart(self, c, false);
    }
}

/* What a host found behind a reference to a provider is not shown: the task's
 * configuration has the reference, as the connector's has. */
static json_t *without_secrets(const connector *c, json_t *config)
{
    json_t *shown = json_copy(config);
    const char *key;
    json_t *raw;
    json_object_foreach(c->config, key, raw)
    {
        const char *text = json_string_value(raw);
        if (text != NULL && strstr(text, "${") != NULL &&
            json_object_get(shown, key) != NULL) {
            json_object_set(shown, key, raw);
        }
    }
    return shown;
}

static void tasks_reported(herder *self, connector *c, const json_t *configs)
{
    size_t count = json_array_size(configs), kept = 0;
    if (count > tasks_max) {
        char *fault =
            memory_print("it has %zu tasks: %d are possible", count, tasks_max);
        host_slot_closed(self, &c->host, fault);
        free(fault);
        return;
    }
    task *tasks = memory_zero((count + 1) * sizeof *tasks);
    for (; kept < count && kept < c->task_count; kept++) {
        tasks[kept] = c->tasks[kept];
        json_decref(tasks[kept].config);
        c->tasks[kept] = (task){0};
    }
    clear_tasks(c);
    for (size_t i = 0; i < count; i++) {
        tasks[i].config = without_secrets(c, json_array_get(configs, i));
    }
    c->tasks = tasks;
    c->task_count = count;
    c->configured = true;
    self->task_attempts += count;
}

static void task_reported(herder *self, connector *c, const json_t *message)
{
    json_int_t id = json_integer_value(json_object_get(message, "task"));
    run_state state;
    const char *name = json_string_value(json_object_get(message, "state"));
    if (id < 0 || (size_t)id >= c->task_count || !state_parse(name, &state)) {
        return;
    }
    task *t = &c->tasks[id];
    self->task_startups +=
        state == state_running && t->state != state_paused && t->state != state_running;
    t->state = state;
    set_said(&t->trace, json_object_get(message, "trace"));
    if (state == state_failed) {
        self->task_failures++;
        act_log_of(self, c, SLUICE_ERROR, "task '%s-%lld' is FAILED: %s", c->name,
                   (long long)id, t->trace == NULL ? "no reason given" : t->trace);
        plan_restart(self, c, false);
    }
}

static void pong_received(herder *self, connector *c, const json_t *message)
{
    size_t index;
    json_t *report;
    c->host.unanswered_since = 0;
    json_array_foreach(json_object_get(message, "tasks"), index, report)
    {
        json_int_t id = json_integer_value(json_object_get(report, "id"));
        if (id < 0 || (size_t)id >= c->task_count) {
            continue;
        }
        task *t = &c->tasks[id];
        json_decref(t->gauges);
        t->gauges = json_incref(report);
        json_t *places = json_object_get(report, "places");
        if (json_is_array(places)) {
            json_decref(t->places);
            t->places = json_incref(places);
        }
        set_said(&t->retry, json_object_get(report, "retry"));
        set_said(&t->doing, json_object_get(report, "doing"));
        host_slot_stuck(self, &c->host, id,
                        json_string_value(json_object_get(report, "call")),
                        json_integer_value(json_object_get(report, "stuck")));
    }
}

void herder_connector_message(herder *self, connector *c, const json_t *message)
{
    json_t *part;
    if ((part = json_object_get(message, "pong")) != NULL) {
        pong_received(self, c, message);
        return;
    }
    if (c->host.stopping && c->leaving) {
        return;
    }
    if ((part = json_object_get(message, "connector")) != NULL) {
        connector_reported(self, c, part);
    } else if ((part = json_object_get(message, "tasks")) != NULL) {
        tasks_reported(self, c, part);
    } else if (json_object_get(message, "task") != NULL) {
        task_reported(self, c, message);
    } else if ((part = json_object_get(message, "topic")) != NULL) {
        if (self->settings.topic_tracking && json_is_string(part) &&
            json_object_size(c->topics) < topics_max) {
            json_object_set_new(c->topics, json_string_value(part), json_null());
        }
    }
    pending_wake(self, c->name);
}

/* --- Death, expected or not. --- */

static void mark_failed(connector *c, const char *trace)
{
    c->state = state_failed;
    if (c->trace != trace) {
        set_text(&c->trace, trace);
    }
    for (size_t i = 0; i < c->task_count; i++) {
        if (c->tasks[i].state != state_failed) {
            c->tasks[i].state = state_failed;
            set_text(&c->tasks[i].trace, trace);
        }
        set_text(&c->tasks[i].retry, NULL);
        set_text(&c->tasks[i].doing, NULL);
    }
}

static void died(herder *self, connector *c, const herder_event *event,
                 const char *obituary, int64_t lived)
{
    /* A host that had reported FAILED and then went is not a crash: its own words are
     * better than that it exited. */
    bool reported = c->state == state_failed && event->exit_signal == 0;
    self->host_deaths++;
    mark_failed(c, reported && c->trace != NULL ? c->trace : obituary);
    if (lived >= herder_connector_own(self, c).restart.attempts_reset) {
        c->attempts = 0;
    }
    plan_restart(self, c, !reported);
    pending_wake(self, c->name);
}

/* The tasks have ended by then, and what they stored has arrived: for whoever deletes
 * it that is the end. The process takes 10 ms more where the kernel cleans up after it;
 * the name is not used again before, nor is what may need a free hand outside, as
 * altering offsets after a stop. */
void herder_connector_closed(herder *self, connector *c)
{
    if (c->leaving) {
        pending_exited(self, c->name);
    }
}

void herder_connector_exited(herder *self, connector *c, const herder_event *event)
{
    char *what = memory_print("connector host of '%s'", c->name);
    char *obituary = host_slot_obituary(&c->host, what, event);
    bool asked = c->host.stopping;
    bool clean = event->exit_code == 0 && event->exit_signal == 0;
    int64_t lived = self->now - c->host.started_at;
    host_slot_forget(&c->host);
    c->configured = false;
    if (!clean || !asked) {
        act_log_of(self, c, asked ? SLUICE_WARN : SLUICE_ERROR, "%s", obituary);
    }
    if (asked || c->leaving) {
        at_rest(self, c);
    } else {
        died(self, c, event, obituary, lived);
    }
    free(what);
    free(obituary);
}

static void restart_now(herder *self, connector *c)
{
    c->restart_at = INT64_MAX;
    c->restarts++;
    if (c->host.id == 0) {
        herder_connector_start(self, c);
        return;
    }
    if (c->state == state_failed) {
        c->rerun = true;
        herder_connector_stop(self, c);
        return;
    }
    for (size_t i = 0; i < c->task_count; i++) {
        if (c->tasks[i].state == state_failed) {
            herder_connector_restart_task(self, c, i);
        }
    }
}

void herder_connector_tick(herder *self, connector *c)
{
    host_slot_tick(self, &c->host, true);
    if (self->now >= c->restart_at) {
        restart_now(self, c);
    }
}

int64_t herder_connector_deadline(const herder *self, const connector *c)
{
    int64_t host = host_slot_deadline(self, &c->host, true);
    return host < c->restart_at ? host : c->restart_at;
}

/* --- The policy of one connector: its own keys over the worker's. --- */

herder_own herder_connector_own(const herder *self, const connector *c)
{
    herder_own own = self->settings.own;
    restart_keys_apply(c->config, &own);
    return own;
}
