/* The connector of a host: started, divided into tasks, run. */
#include "worker/host/connector.h"
#include "base/memory.h"
#include "base/text.h"
#include "worker/config/secrets.h"
#include "worker/host/client_settings.h"
#include "worker/host/json_value.h"
#include "worker/host/sink_task.h"
#include "worker/host/source_task.h"
#include "worker/host/split.h"
#include "worker/host/topic_creation.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char logger[] = "worker.host";

enum {
    flush_interval_ms_default = 60000,
    flush_timeout_ms_default = 5000,
    /* Offsets are stored this soon when nothing else is going on, so that a slot or a
     * file moves on; a busy task waits for offset.flush.interval.ms. The very first one
     * does not wait: without any nobody knows after a crash where it was. */
    idle_flush_ms = 1000,
    /* Of arenas: the two and a half requests that are with the client, and as much to
     * follow. 16 MiB were no faster, 4 MiB by a tenth slower. */
    bytes_in_flight_default = 10 * 1024 * 1024,
    bytes_in_flight_min = 1024 * 1024,
    request_bytes_default = 1000 * 1000, /* librdkafka's batch.size. */
};

static void tell_connector(host *self, const char *state, const char *trace)
{
    json_t *report = json_pack("{s:s}", "state", state);
    if (self->plugin != NULL) {
        json_object_set_new(report, "type",
                            json_string(self->is_source ? "source" : "sink"));
        json_object_set_new(report, "class", json_string(self->plugin->class_name));
        json_object_set_new(report, "version",
                            json_string(self->plugin->shown_version));
    }
    if (trace != NULL) {
        char *shown = runner_shown(trace);
        json_object_set_new(report, "trace", json_string(shown));
        free(shown);
    }
    channel_send(&self->control, json_pack("{s:o}", "connector", report));
}

static void fail_connector(host *self, const sluice_error *err)
{
    const char *text = sluice_error_text(err);
    text = text[0] == '\0' ? "it failed and gave no reason" : text;
    sluice_log(SLUICE_ERROR, logger, "connector '%s' has failed: %s", self->name, text);
    tell_connector(self, "FAILED", text);
}

/* --- Starting. --- */

static int64_t worker_number(const host *self, const char *name, int64_t fallback)
{
    return client_settings_number(self->worker, name, fallback);
}

static void take_start(host *self, const json_t *start)
{
    const char *name = json_string_value(json_object_get(start, "name"));
    const char *state = json_string_value(json_object_get(start, "state"));
    self->name = memory_text(name == NULL ? "" : name);
    self->config = props_of_json(json_object_get(start, "config"));
    self->written = props_below(self->config, "");
    self->worker = props_of_json(json_object_get(start, "worker"));
    self->offsets = offsets_of_json(json_object_get(start, "offsets"));
    self->tasks_paused = state != NULL && strcmp(state, "PAUSED") == 0;
    self->flush_interval_ms =
        worker_number(self, "offset.flush.interval.ms", flush_interval_ms_default);
    self->flush_timeout_ms =
        worker_number(self, "offset.flush.timeout.ms", flush_timeout_ms_default);
    self->flushed_ms = clock_ms();
    sluice_log_set_context(self->name);
}

static void add_faults(sluice_error *to, const sluice_error *from)
{
    for (size_t i = 0; i < sluice_error_count(from); i++) {
        const char *key = sluice_error_key(from, i);
        sluice_fail_key(to, key == NULL ? "" : key, "%s",
                        sluice_error_message(from, i));
    }
}

/* Both tables are read whatever the first says, so that all faults are told at once. */
static sluice_status parse(host *self, sluice_error *err)
{
    void *common = NULL;
    sluice_error *more = sluice_error_new();
    sluice_status status =
        sluice_config_parse(self->is_source ? &source_common_table : &sink_common_table,
                            self->config, &common, err);
    self->common = common;
    sluice_status own = sluice_config_parse(self->plugin->is.config, self->config,
                                            &self->plugin_config, more);
    if (own != SLUICE_OK) {
        add_faults(err, more);
    }
    sluice_error_free(more);
    return status != SLUICE_OK ? status : own;
}

static sluice_status find_plugin(host *self, sluice_error *err)
{
    const char *class_name = sluice_props_get(self->config, "connector.class");
    runner_slot_enter(self->page, CONTROL_CALL_LOAD);
    self->plugins = plugins_new(sluice_props_get(self->worker, "plugin.path"));
    runner_slot_enter(self->page, CONTROL_CALL_NONE);
    sluice_status status = plugins_find_connector(
        self->plugins, class_name == NULL ? "" : class_name, &self->plugin, err);
    if (status == SLUICE_OK) {
        self->is_source = self->plugin->is.kind == SLUICE_SOURCE;
        secrets_watch_keys(self->plugin->is.config, self->config);
    }
    return status;
}

static sluice_status make_producer(host *self, sluice_error *err)
{
    sluice_props *derived = sluice_props_new();
    char *client = memory_print("connector-producer-%s", self->name);
    sluice_props_set(derived, "client.id", client);
    free(client);
    sluice_props *settings =
        client_settings_layers(CLIENT_PRODUCER, self->worker, self->config, derived);
    int64_t max =
        client_settings_number(settings, "buffer.memory", bytes_in_flight_default);
    self->bytes_in_flight_max = max > bytes_in_flight_min ? max : bytes_in_flight_min;
    self->request_bytes =
        (size_t)client_settings_number(settings, "batch.size", request_bytes_default);
    /* The bound is ours; the client's own queue must not fill up before. */
    sluice_props_remove(settings, "buffer.memory");
    sluice_status status = kafka_producer_new(settings, &self->producer, err);
    sluice_props_free(settings);
    sluice_props_free(derived);
    return status;
}

static sluice_status begin(host *self, sluice_error *err)
{
    sluice_status status = host_resolve(self->worker, self->config, err);
    if (status == SLUICE_OK) {
        status = find_plugin(self, err);
    }
    if (status == SLUICE_OK) {
        status = parse(self, err);
    }
    if (status == SLUICE_OK && self->is_source) {
        status = topic_creation_new(self->config, self->worker, &self->creation, err);
    }
    if (status == SLUICE_OK && self->is_source) {
        status = make_producer(self, err);
    }
    return status;
}

/* --- Tasks. --- */

static runner *make_task(host *self, int number, const sluice_props *props)
{
    sluice_props *copy = props_below(props, "");
    return self->is_source ? source_task_new(self, number, copy)
                           : sink_task_new(self, number, copy);
}

static void start_task(host *self, int number, const sluice_props *props)
{
    runner *task = make_task(self, number, props);
    self->tasks[number] = task;
    sluice_error *err = sluice_error_new();
    if (runner_start(task, err) != SLUICE_OK) {
        runner_tell(task, "FAILED", sluice_error_text(err));
    }
    sluice_error_free(err);
}

/* What a configuration refers to is shown as it refers to it, as in Kafka Connect. */
static void show_references(const sluice_props *written, json_t *config)
{
    for (size_t i = 0; i < sluice_props_count(written); i++) {
        const char *name = sluice_props_name(written, i);
        const char *value = sluice_props_value(written, i);
        if (value != NULL && strstr(value, "${") != NULL &&
            json_object_get(config, name) != NULL) {
            json_object_set_new(config, name, json_string(value));
        }
    }
}

static json_t *json_of_task(const host *self, const sluice_props *props)
{
    json_t *config = json_of_props(props);
    const char *class_name = self->plugin->class_name;
    size_t len = strlen(class_name);
    show_references(self->written, config);
    if (text_ends(class_name, "Connector")) {
        char *task_class =
            memory_print("%.*sTask", (int)(len - strlen("Connector")), class_name);
        json_object_set_new(config, "task.class", json_string(task_class));
        free(task_class);
    }
    return config;
}

/* Starts one task for each of `props`, which are taken. */
static void start_tasks(host *self, sluice_props **props, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(list, json_of_task(self, props[i]));
    }
    channel_send(&self->control, json_pack("{s:o}", "tasks", list));
    self->tasks = memory_zero((count + 1) * sizeof *self->tasks);
    self->task_count = count;
    for (size_t i = 0; i < count; i++) {
        start_task(self, (int)i, props[i]);
    }
    split_free(props, count);
}

void connector_start(host *self, const json_t *start)
{
    take_start(self, start);
    self->phase = HOST_RUNNING;
    sluice_error *err = sluice_error_new();
    sluice_props **props = NULL;
    size_t count = 0;
    sluice_status status = begin(self, err);
    if (status == SLUICE_OK) {
        status = split_connector(self, &props, &count, err);
    }
    if (status == SLUICE_OK) {
        tell_connector(self, self->tasks_paused ? "PAUSED" : "RUNNING", NULL);
        start_tasks(self, props, count);
    } else {
        fail_connector(self, err);
    }
    sluice_error_free(err);
}

void connector_pause(host *self, bool paused)
{
    self->tasks_paused = paused;
    if (self->common == NULL || self->plugin_config == NULL) {
        return; /* It has failed. */
    }
    tell_connector(self, paused ? "PAUSED" : "RUNNING", NULL);
    for (size_t i = 0; i < self->task_count; i++) {
        runner_pause(self->tasks[i], paused);
    }
}

/* --- Ending and beginning again. --- */

static void stop_all(host *self, bool restart)
{
    for (size_t i = 0; i < self->task_count; i++) {
        self->tasks[i]->restart = restart;
        runner_stop(self->tasks[i]);
    }
}

void connector_restart_task(host *self, int number)
{
    if (number < 0 || (size_t)number >= self->task_count ||
        self->phase != HOST_RUNNING) {
        return;
    }
    if (self->producer != NULL && kafka_producer_is_dead(self->producer, NULL)) {
        stop_all(self, true); /* They share it: all begin again with a new one. */
        self->rebuilding = true;
        return;
    }
    self->tasks[number]->restart = true;
    runner_stop(self->tasks[number]);
}

void connector_stop(host *self)
{
    self->phase = HOST_STOPPING;
    stop_all(self, false);
}

/* A task that ended is freed when the log owes it nothing any more. */
static void let_go(host *self, runner *task)
{
    runner_join(task);
    if (self->is_source && flights_count(source_task_flights(task)) > 0) {
        self->leaving = memory_resize(self->leaving, (self->leaving_count + 1) *
                                                         sizeof *self->leaving);
        self->leaving[self->leaving_count++] = task;
    } else {
        task->ops->free(task);
    }
}

static void free_those_left(host *self)
{
    for (size_t i = self->leaving_count; i-- > 0;) {
        if (flights_count(source_task_flights(self->leaving[i])) == 0) {
            self->leaving[i]->ops->free(self->leaving[i]);
            self->leaving[i] = self->leaving[--self->leaving_count];
        }
    }
}

static bool all_ended(const host *self)
{
    for (size_t i = 0; i < self->task_count; i++) {
        if (!self->tasks[i]->ended) {
            return false;
        }
    }
    return true;
}

static void let_all_go(host *self)
{
    for (size_t i = 0; i < self->task_count; i++) {
        let_go(self, self->tasks[i]);
    }
    free(self->tasks);
    self->tasks = NULL;
    self->task_count = 0;
}

/* Every message gets its answer before its memory goes. */
static void drop_producer(host *self)
{
    kafka_producer_cancel(self->producer);
    connector_serve_deliveries(self);
    free_those_left(self);
    kafka_producer_free(self->producer);
    self->producer = NULL;
    while (self->leaving_count > 0) {
        runner *task = self->leaving[--self->leaving_count];
        task->ops->free(task);
    }
}

/* All tasks have ended, to begin again: with a new producer or a new split. */
static void begin_again(host *self)
{
    sluice_props **props = self->next_props;
    size_t count = self->next_count;
    if (props == NULL) {
        split_copy(self, &props, &count);
    }
    self->next_props = NULL;
    let_all_go(self);
    sluice_error *err = sluice_error_new();
    sluice_status status = SLUICE_OK;
    if (self->rebuilding) {
        drop_producer(self);
        status = make_producer(self, err);
    }
    self->rebuilding = false;
    self->splitting = false;
    if (status == SLUICE_OK) {
        start_tasks(self, props, count);
    } else {
        split_free(props, count);
        fail_connector(self, err);
    }
    sluice_error_free(err);
}

static void restart_ended(host *self)
{
    for (size_t i = 0; i < self->task_count; i++) {
        runner *task = self->tasks[i];
        if (task->ended && task->restart) {
            sluice_props *props = props_below(task->props, "");
            let_go(self, task);
            start_task(self, (int)i, props);
            sluice_props_free(props);
        }
    }
}

/* The outside has changed: tasks begin anew if that divides the work another way. */
static void split_again(host *self)
{
    sluice_props **props;
    size_t count;
    sluice_error *err = sluice_error_new();
    if (split_connector(self, &props, &count, err) != SLUICE_OK) {
        sluice_log(SLUICE_ERROR, logger,
                   "connector '%s' cannot divide its work anew: %s; its tasks go on "
                   "as they are",
                   self->name, sluice_error_text(err));
    } else if (split_is_same(self, props, count)) {
        split_free(props, count);
    } else {
        self->next_props = props;
        self->next_count = count;
        self->splitting = true;
        stop_all(self, false);
    }
    sluice_error_free(err);
}

/* --- Offsets. --- */

static void flush(host *self)
{
    sluice_offsets *all = sluice_offsets_new();
    for (size_t i = 0; i < self->task_count; i++) {
        flights_collect(source_task_flights(self->tasks[i]), all);
    }
    sluice_error *err = sluice_error_new();
    json_t *list;
    if (json_of_offsets(all, &list, err) != SLUICE_OK) {
        sluice_log(SLUICE_ERROR, logger,
                   "an offset of connector '%s' is not stored: %s; its records will "
                   "come again after a restart",
                   self->name, sluice_error_text(err));
    }
    self->flush_under_way = true;
    channel_send(&self->control, json_pack("{s:o,s:I}", "offsets", list, "seq",
                                           (json_int_t)++self->flush_sequence));
    sluice_error_free(err);
    sluice_offsets_free(self->flushing);
    self->flushing = all;
}

static int64_t flush_due(const host *self)
{
    bool any = false, winding = false;
    size_t in_flight = 0;
    for (size_t i = 0; i < self->task_count; i++) {
        any = any || flights_have_offsets(source_task_flights(self->tasks[i]));
        winding = winding || self->tasks[i]->winding;
        in_flight += flights_count(source_task_flights(self->tasks[i]));
    }
    if (!any || self->flush_under_way || self->orphaned) {
        return -1;
    }
    bool is_first =
        self->flush_sequence == 0 && sluice_offsets_count(self->offsets) == 0;
    int64_t wait = winding || is_first                       ? 0
                   : self->flush_interval_ms < idle_flush_ms ? self->flush_interval_ms
                   : in_flight == 0                          ? idle_flush_ms
                                                             : self->flush_interval_ms;
    return self->flushed_ms + wait;
}

void connector_stored(host *self, int64_t sequence)
{
    if (!self->flush_under_way || sequence != self->flush_sequence) {
        return;
    }
    self->flush_under_way = false;
    self->flushed_ms = clock_ms();
    offsets_merge(self->offsets, self->flushing);
    for (size_t i = 0; i < self->task_count; i++) {
        flights_stored(source_task_flights(self->tasks[i]));
    }
}

void connector_serve_deliveries(host *self)
{
    kafka_producer_serve(self->producer, &flight_deliveries, NULL);
    for (size_t i = 0; i < self->task_count; i++) {
        flights_go_on(source_task_flights(self->tasks[i]));
    }
}

/* --- Tending. --- */

void connector_tend(host *self)
{
    if (self->is_source && self->producer != NULL) {
        int64_t due = flush_due(self);
        if (due >= 0 && clock_ms() >= due) {
            flush(self);
        }
        free_those_left(self);
    }
    bool ended = all_ended(self);
    if (self->phase == HOST_STOPPING) {
        self->phase = ended ? HOST_OVER : HOST_STOPPING;
    } else if (self->splitting || self->rebuilding) {
        if (ended) {
            begin_again(self);
        }
    } else {
        restart_ended(self);
        if (atomic_exchange(&self->split_asked, false)) {
            split_again(self);
        }
    }
}

int64_t connector_deadline(const host *self)
{
    return self->is_source && self->producer != NULL ? flush_due(self) : -1;
}

json_t *connector_figures(host *self)
{
    json_t *list = json_array();
    for (size_t i = 0; i < self->task_count; i++) {
        json_array_append_new(
            list,
            runner_figures(self->tasks[i],
                           self->is_source
                               ? flights_count(source_task_flights(self->tasks[i]))
                               : 0));
    }
    return list;
}

void connector_done(host *self)
{
    let_all_go(self);
    if (self->producer != NULL) {
        drop_producer(self);
    }
    split_free(self->next_props, self->next_count);
    free(self->leaving);
    if (self->plugin_config != NULL) {
        sluice_config_free(self->plugin->is.config, self->plugin_config);
    }
    if (self->common != NULL) {
        sluice_config_free(self->is_source ? &source_common_table : &sink_common_table,
                           self->common);
    }
    plugins_free(self->plugins);
    sluice_offsets_free(self->offsets);
    sluice_offsets_free(self->flushing);
    sluice_props_free(self->config);
    sluice_props_free(self->worker);
    topic_creation_free(self->creation);
    free(self->name);
}
