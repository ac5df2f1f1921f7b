/* A task and its thread, whatever it does. */
#include "worker/host/runner.h"
#include "base/memory.h"
#include "base/text.h"
#include "lib/log_line.h"
#include "worker/config/secrets.h"
#include "worker/host/crash.h"
#include "worker/host/host_state.h"
#include "worker/host/json_value.h"
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

static const char logger[] = "worker.task";

enum {
    shown_bytes_max = 64 * 1024,
    shown_bytes_margin = 4 * 1024,
    gauge_name_bytes_max = 1024, /* A longer one is no name. */
};

void runner_init(runner *self, host *of, int number, sluice_props *props,
                 const runner_ops *ops, const task_ops *task)
{
    self->ops = ops;
    self->host = of;
    self->props = props;
    self->common = of->common;
    self->offsets = sluice_offsets_new();
    offsets_merge(self->offsets, of->offsets);
    self->task = (sluice_task){
        .connector = of->name,
        .number = number,
        .props = props,
        .offsets = self->offsets,
        .stop_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC),
        .wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC),
        .ops = task,
    };
    figures_init(&self->figures, of->worker);
    self->errors.task = &self->task;
    self->errors.settings = (error_settings){
        .retry_timeout_ms = of->common->errors_retry_timeout,
        .retry_delay_ms_max = of->common->errors_retry_delay_max_ms,
        .tolerate = strcmp(of->common->errors_tolerance, "all") == 0,
        .log = of->common->errors_log_enable,
        .log_messages = of->common->errors_log_include_messages,
    };
    self->paused = of->tasks_paused;
    self->doing = number < CONTROL_DOING_TASKS ? &of->page->slots[number + 1]
                                               : memory_zero(sizeof(control_doing));
    self->doing->note[0] = '\0';
    self->task.call = &self->doing->call;
    pthread_mutex_init(&self->lock, NULL);
}

void runner_done(runner *self)
{
    chain_free(self->chain);
    converters_free(self->converters);
    if (self->config != NULL) {
        sluice_config_free(self->host->plugin->is.config, self->config);
    }
    sluice_props_free(self->props);
    sluice_offsets_free(self->offsets);
    close(self->task.stop_fd);
    close(self->task.wake_fd);
    if (self->task.number >= CONTROL_DOING_TASKS) {
        free(self->doing);
    }
    pthread_mutex_destroy(&self->lock);
    figures_done(&self->figures);
    free(self->retry);
    free(self->note);
    for (size_t i = 0; i < self->gauge_count; i++) {
        free(self->gauges[i].name);
    }
}

char *runner_shown(const char *text)
{
    size_t len = strnlen(text, shown_bytes_max);
    char *begin = memory_copy(text, len), *shown = secrets_hidden(begin);
    free(begin);
    if (len == shown_bytes_max) { /* A secret may have been cut in two. */
        size_t left = strlen(shown);
        shown[left > shown_bytes_margin ? left - shown_bytes_margin : 0] = '\0';
    }
    text_make_utf8(shown);
    return shown;
}

static void tell_failure(runner *self, sluice_status status, sluice_error *err)
{
    if (sluice_error_text(err)[0] == '\0') {
        sluice_fail(err, status, "it failed with status %d (%s) and gave no reason",
                    (int)status, sluice_status_name(status));
    }
    char *shown = runner_shown(sluice_error_text(err));
    sluice_log(SLUICE_ERROR, logger, "task %s-%d has failed: %s", self->task.connector,
               self->task.number, shown);
    runner_tell(self, "FAILED", shown);
    free(shown);
}

static void *run(void *argument)
{
    runner *self = argument;
    void *stack = crash_thread_begins(self->task.number + 1);
    log_line_set_task(self->task.number);
    char name[16];
    snprintf(name, sizeof name, "task-%d", self->task.number);
    prctl(PR_SET_NAME, name);
    sluice_error *err = sluice_error_new();
    sluice_status status = self->ops->run(self, err);
    runner_enter(self, CONTROL_CALL_NONE);
    if (status == SLUICE_OK) {
        runner_tell(self, "UNASSIGNED", NULL);
    } else {
        tell_failure(self, status, err);
    }
    sluice_error_free(err);
    crash_thread_ends(stack);
    host *of = self->host;
    self->ended = true; /* It may be joined and freed from here on. */
    host_nudge(of);
    return NULL;
}

sluice_status runner_start(runner *self, sluice_error *err)
{
    int reason = pthread_create(&self->thread, NULL, run, self);
    if (reason != 0) {
        self->ended = true;
        self->joined = true;
        return sluice_fail(err, SLUICE_FATAL, "cannot start a thread: %s",
                           strerror(reason));
    }
    self->started = true;
    return SLUICE_OK;
}

static void ring(int fd)
{
    static const uint64_t one = 1;
    (void)!write(fd, &one, sizeof one);
}

void runner_wake(runner *self)
{
    if (!atomic_exchange(&self->woken, true)) {
        ring(self->task.wake_fd);
    }
}

void runner_stop(runner *self)
{
    if (!atomic_exchange(&self->stopping, true)) {
        ring(self->task.stop_fd);
    }
    runner_wake(self);
}

void runner_pause(runner *self, bool paused)
{
    self->paused = paused;
    runner_wake(self);
}

void runner_join(runner *self)
{
    if (self->started && !self->joined) {
        pthread_join(self->thread, NULL);
        self->joined = true;
    }
}

/* The flag saves the read where nothing happened, which is nearly always. Between a
 * waker's flag and its ring the flag may be seen first; the ring that is left over then
 * ends one wait for nothing, and is cleared after it. */
bool runner_was_woken(runner *self)
{
    return atomic_load_explicit(&self->woken, memory_order_relaxed) &&
           runner_clear_wake(self);
}

bool runner_clear_wake(runner *self)
{
    uint64_t count;
    (void)!read(self->task.wake_fd, &count, sizeof count);
    return atomic_exchange(&self->woken, false);
}

static sluice_status prepare_parts(runner *self, sluice_error *err)
{
    sluice_status status = sluice_config_parse(self->host->plugin->is.config,
                                               self->props, &self->config, err);
    if (status == SLUICE_OK) {
        status = chain_new(self->props, self->common, self->host->plugins, &self->chain,
                           err);
    }
    if (status == SLUICE_OK) {
        status = converters_new(self->props, self->host->worker, self->host->plugins,
                                &self->converters, err);
    }
    return status;
}

sluice_status runner_prepare(runner *self, sluice_error *err)
{
    uint32_t before = runner_enter(self, CONTROL_CALL_CREATE);
    sluice_status status = prepare_parts(self, err);
    runner_enter(self, before);
    return status;
}

static void show_retry(runner *self, const char *text)
{
    pthread_mutex_lock(&self->lock);
    free(self->retry);
    self->retry = memory_text(text);
    pthread_mutex_unlock(&self->lock);
}

int runner_note_retry(runner *self, backoff *state, const char *call,
                      const char *reason)
{
    pthread_mutex_lock(&self->lock);
    bool known = self->retry != NULL && strcmp(self->retry, reason) == 0;
    pthread_mutex_unlock(&self->lock);
    if (!known) {
        sluice_log(SLUICE_WARN, logger, "%s of task %s-%d: %s; trying again", call,
                   self->task.connector, self->task.number, reason);
        show_retry(self, reason);
    }
    return backoff_next(state);
}

void runner_back_off(runner *self, backoff *state, const char *call, const char *reason)
{
    int delay = runner_note_retry(self, state, call, reason);
    sluice_task_wait(&self->task, -1, 0, delay);
}

void runner_recovered(runner *self, backoff *state, const char *call)
{
    if (state->delay_ms != 0) {
        state->delay_ms = 0;
        sluice_log(SLUICE_INFO, logger, "%s of task %s-%d works again", call,
                   self->task.connector, self->task.number);
        show_retry(self, NULL);
    }
}

static void await_resume(runner *self)
{
    runner_tell(self, "PAUSED", NULL);
    while (self->paused && !runner_is_stopping(self)) {
        sluice_task_wait(&self->task, -1, 0, -1);
        runner_clear_wake(self);
    }
}

sluice_status runner_make(runner *self, runner_create create, void **ret_self,
                          sluice_error *err)
{
    *ret_self = NULL;
    if (self->paused) {
        await_resume(self);
    }
    bool told = false;
    backoff state = {0};
    while (!runner_is_stopping(self)) {
        runner_clear_wake(self);
        uint32_t before = runner_enter(self, CONTROL_CALL_CREATE);
        sluice_status status = create(self->config, &self->task, ret_self, err);
        runner_enter(self, before);
        if (status != SLUICE_RETRY) {
            runner_recovered(self, &state, "create");
            if (status == SLUICE_OK && *ret_self == NULL) {
                return sluice_fail(err, SLUICE_FATAL,
                                   "create said OK and made no task");
            }
            if (status == SLUICE_OK && !told) {
                runner_tell(self, "RUNNING", NULL);
            }
            return status;
        }
        if (!told) {
            runner_tell(self, "RUNNING", NULL);
            told = true;
        }
        runner_back_off(self, &state, "create", sluice_error_text(err));
    }
    return SLUICE_OK;
}

void runner_tell(runner *self, const char *state, const char *trace)
{
    json_t *message = json_pack("{s:i,s:s}", "task", self->task.number, "state", state);
    figures_state(&self->figures, state);
    if (trace != NULL) {
        char *shown = runner_shown(trace);
        json_object_set_new(message, "trace", json_string(shown));
        free(shown);
    }
    channel_send(&self->host->control, message);
}

void runner_topic(runner *self, const char *topic)
{
    host *of = self->host;
    pthread_mutex_lock(&of->topics_lock);
    bool is_new = map_get_text(&of->topics, topic) == NULL;
    if (is_new) {
        map_put_text(&of->topics, topic, of);
    }
    pthread_mutex_unlock(&of->topics_lock);
    if (is_new) {
        channel_send(&of->control, json_pack("{s:s}", "topic", topic));
    }
}

void runner_gauge(sluice_task *task, const char *name, int64_t value)
{
    runner *self = (runner *)task;
    runner_turn(self);
    if (strnlen(name, gauge_name_bytes_max + 1) > gauge_name_bytes_max) {
        return;
    }
    pthread_mutex_lock(&self->lock);
    size_t at = 0;
    while (at < self->gauge_count && strcmp(self->gauges[at].name, name) != 0) {
        at++;
    }
    if (at == self->gauge_count && at < gauges_max) {
        self->gauges[self->gauge_count++].name = memory_text(name);
    }
    if (at < gauges_max) {
        self->gauges[at].value = value;
    }
    pthread_mutex_unlock(&self->lock);
}

void runner_doing(sluice_task *task, const char *what)
{
    runner *self = (runner *)task;
    runner_turn(self);
    snprintf(self->doing->note, sizeof self->doing->note, "%s",
             what == NULL ? "" : what);
    pthread_mutex_lock(&self->lock);
    free(self->note);
    self->note = memory_text(what);
    pthread_mutex_unlock(&self->lock);
}

void runner_ask_split(sluice_task *task)
{
    host *of = ((runner *)task)->host;
    of->split_asked = true;
    host_nudge(of);
}

static json_t *text_or_null(const char *text)
{
    if (text == NULL) {
        return json_null();
    }
    char *shown = runner_shown(text);
    json_t *json = json_string(shown);
    free(shown);
    return json;
}

/* For how long a plugin's function has neither returned nor shown a sign of life. */
static int64_t stuck_ms(runner *self, uint32_t call)
{
    uint32_t turns = atomic_load_explicit(&self->doing->turns, memory_order_relaxed);
    if (self->ended || !control_call_is_plugin(call) || turns != self->seen_turns) {
        self->seen_turns = turns;
        self->seen_ms = clock_ms();
    }
    return clock_ms() - self->seen_ms;
}

static json_t *with_stuck(runner *self, json_t *report)
{
    uint32_t call = atomic_load_explicit(&self->doing->call, memory_order_relaxed);
    int64_t stuck = stuck_ms(self, call);
    if (stuck > 0) {
        json_object_set_new(report, "stuck", json_integer(stuck));
        json_object_set_new(report, "call", json_string(control_call_name(call)));
    }
    return report;
}

json_t *runner_figures(runner *self, size_t in_flight)
{
    json_t *gauges = json_object();
    pthread_mutex_lock(&self->lock);
    for (size_t i = 0; i < self->gauge_count; i++) {
        json_object_set_new(gauges, self->gauges[i].name,
                            json_integer(self->gauges[i].value));
    }
    json_t *note = text_or_null(self->note), *retry = text_or_null(self->retry);
    pthread_mutex_unlock(&self->lock);
    json_t *told = figures_json(&self->figures, self->host->is_source), *stages;
    errors_figures(&self->errors, told, &stages);
    return with_stuck(
        self, json_pack("{s:i,s:I,s:I,s:I,s:I,s:o,s:o,s:o,s:o,s:o,s:o*}", "id",
                        self->task.number, "records", (json_int_t)self->records,
                        "bytes", (json_int_t)self->bytes, "lag", (json_int_t)self->lag,
                        "in_flight", (json_int_t)in_flight, "doing", note, "retry",
                        retry, "gauges", gauges, "figures", told, "stages", stages,
                        "places", figures_places_json(&self->figures)));
}
