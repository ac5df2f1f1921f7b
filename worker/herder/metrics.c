/* /metrics in Prometheus' text format: Kafka Connect's numbers under the names that
 * dashboards ask for (kafka_connect_…), and our own (sluice_…). */
#include "worker/herder/metrics.h"
#include "state.h"
#include <ctype.h>
#include <string.h>

void metrics_family(buffer *out, const char *name, const char *type, const char *help)
{
    buffer_print(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void append_label(buffer *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\\' || *text == '"') {
            buffer_append_byte(out, '\\');
            buffer_append_byte(out, *text);
        } else if (*text == '\n') {
            buffer_append_text(out, "\\n");
        } else {
            buffer_append_byte(out, *text);
        }
    }
}

static void append_name(buffer *out, const char *name, const char *label)
{
    buffer_print(out, "%s{connector=\"", name);
    append_label(out, label);
    buffer_append_byte(out, '"');
}

static void append_connector(buffer *out, const char *name, const connector *c)
{
    append_name(out, name, c->name);
}

void metrics_row(buffer *out, const char *name, const char *label, uint64_t value)
{
    append_name(out, name, label);
    buffer_print(out, "} %llu\n", (unsigned long long)value);
}

static void append_lower(buffer *out, const char *name)
{
    for (; *name != '\0'; name++) {
        buffer_append_byte(out, (char)tolower((unsigned char)*name));
    }
}

/* The next connector that is shown, or NULL. */
static const connector *next_of(const herder *self, size_t *at)
{
    const map_entry *entry;
    while ((entry = map_next(&self->connectors, at)) != NULL) {
        const connector *c = entry->value;
        if (!c->leaving) {
            return c;
        }
    }
    return NULL;
}

static void one(buffer *out, const char *name, const char *type, const char *help,
                uint64_t value)
{
    metrics_family(out, name, type, help);
    buffer_print(out, "%s %llu\n", name, (unsigned long long)value);
}

static void put_worker(const herder *self, buffer *out)
{
    uint64_t connectors = 0, tasks = 0;
    const connector *c;
    for (size_t at = 0; (c = next_of(self, &at)) != NULL;) {
        connectors++;
        tasks += c->task_count;
    }
    one(out, "kafka_connect_worker_connector_count", "gauge",
        "Connectors that this worker has.", connectors);
    one(out, "kafka_connect_worker_task_count", "gauge", "Tasks that this worker has.",
        tasks);
    one(out, "kafka_connect_worker_connector_startup_attempts_total", "counter",
        "Connector hosts that were started.", self->startups);
    one(out, "kafka_connect_worker_connector_startup_failure_total", "counter",
        "Connectors that failed in their start.", self->startup_failures);
    one(out, "kafka_connect_worker_task_startup_success_total", "counter",
        "Tasks that came to run.", self->task_startups);
    one(out, "kafka_connect_worker_task_startup_failure_total", "counter",
        "Tasks that became FAILED.", self->task_failures);
    one(out, "sluice_host_deaths_total", "counter",
        "Connector hosts that ended without having been asked to.", self->host_deaths);
}

static void put_task_counts(const herder *self, buffer *out)
{
    static const run_state states[] = {state_running, state_paused, state_failed,
                                       state_unassigned, state_restarting};
    const connector *c;
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        buffer name = BUFFER_INIT;
        buffer_append_text(&name, "kafka_connect_worker_connector_");
        append_lower(&name, state_name(states[i]));
        buffer_append_text(&name, "_task_count");
        metrics_family(out, buffer_text(&name), "gauge",
                       "Tasks of the connector in that state.");
        for (size_t at = 0; (c = next_of(self, &at)) != NULL;) {
            uint64_t count = 0;
            for (size_t t = 0; t < c->task_count; t++) {
                count += c->tasks[t].state == states[i];
            }
            append_connector(out, buffer_text(&name), c);
            buffer_print(out, "} %llu\n", (unsigned long long)count);
        }
        buffer_done(&name);
    }
    metrics_family(out, "kafka_connect_worker_connector_total_task_count", "gauge",
                   "Tasks of the connector.");
    for (size_t at = 0; (c = next_of(self, &at)) != NULL;) {
        append_connector(out, "kafka_connect_worker_connector_total_task_count", c);
        buffer_print(out, "} %zu\n", c->task_count);
    }
}

static void put_states(const herder *self, buffer *out)
{
    const connector *c;
    metrics_family(out, "kafka_connect_connector_status", "gauge",
                   "1 for the state that the connector is in.");
    for (size_t at = 0; (c = next_of(self, &at)) != NULL;) {
        append_connector(out, "kafka_connect_connector_status", c);
        buffer_append_text(out, ",status=\"");
        append_lower(out, state_name(c->state));
        buffer_append_text(out, "\"} 1\n");
    }
    metrics_family(out, "kafka_connect_connector_task_status", "gauge",
                   "1 for the state that the task is in.");
    for (size_t at = 0; (c = next_of(self, &at)) != NULL;) {
        for (size_t t = 0; t < c->task_count; t++) {
            append_connector(out, "kafka_connect_connector_task_status", c);
            buffer_print(out, ",task=\"%zu\",status=\"", t);
            append_lower(out, state_name(c->tasks[t].state));
            buffer_append_text(out, "\"} 1\n");
        }
    }
    metrics_family(out, "sluice_connector_restarts_total", "counter",
                   "Restarts by policy or by request.");
    for (size_t at = 0; (c = next_of(self, &at)) != NULL;) {
        append_connector(out, "sluice_connector_restarts_total", c);
        buffer_print(out, "} %llu\n", (unsigned long long)c->restarts);
    }
}

/* A number that hosts report of each task, in their last pong. */
static void put_reported(const herder *self, buffer *out, const char *name,
                         const char *type, const char *field, const char *help)
{
    const connector *c;
    metrics_family(out, name, type, help);
    for (size_t at = 0; (c = next_of(self, &at)) != NULL;) {
        for (size_t t = 0; t < c->task_count; t++) {
            const json_t *value = json_object_get(c->tasks[t].gauges, field);
            if (!json_is_integer(value)) {
                continue;
            }
            append_connector(out, name, c);
            buffer_print(out, ",task=\"%zu\"} %lld\n", t,
                         (long long)json_integer_value(value));
        }
    }
}

/* "family{label="x"}": the length of the family's name; 0 where it is none. */
static size_t family_length(const char *name)
{
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
                              "0123456789");
    size_t all = strlen(name);
    bool good = len > 0 && name[len] == '{' && name[all - 1] == '}' && all > len + 2 &&
                strchr(name, '\n') == NULL;
    return good ? len : 0;
}

/* Gauges under names of their own, a family after the other. */
static void collect_families(const herder *self, json_t *families)
{
    const connector *c;
    for (size_t at = 0; (c = next_of(self, &at)) != NULL;) {
        for (size_t t = 0; t < c->task_count; t++) {
            const char *name;
            json_t *value;
            json_object_foreach(json_object_get(c->tasks[t].gauges, "gauges"), name,
                                value)
            {
                size_t len = family_length(name);
                if (len == 0) {
                    continue;
                }
                buffer row = BUFFER_INIT;
                append_connector(&row, "", c);
                buffer_print(&row, ",task=\"%zu\",%s %lld\n", t, name + len + 1,
                             (long long)json_integer_value(value));
                json_t *family = json_object_getn(families, name, len);
                if (family == NULL) {
                    family = json_array();
                    json_object_setn_new(families, name, len, family);
                }
                json_array_append_new(family, json_string(buffer_text(&row)));
                buffer_done(&row);
            }
        }
    }
}

static void put_families(const herder *self, buffer *out)
{
    json_t *families = json_object(), *rows, *row;
    const char *name;
    size_t index;
    collect_families(self, families);
    json_object_foreach(families, name, rows)
    {
        metrics_family(out, name, "gauge", "A number of a plugin's.");
        json_array_foreach(rows, index, row)
        {
            buffer_print(out, "%s%s", name, json_string_value(row));
        }
    }
    json_decref(families);
}

/* What the plugins themselves count: sluice_task_gauge(). */
static void put_gauges(const herder *self, buffer *out)
{
    const connector *c;
    metrics_family(out, "sluice_task_gauge", "gauge", "A number of the plugin's own.");
    for (size_t at = 0; (c = next_of(self, &at)) != NULL;) {
        for (size_t t = 0; t < c->task_count; t++) {
            const char *name;
            json_t *value;
            json_object_foreach(json_object_get(c->tasks[t].gauges, "gauges"), name,
                                value)
            {
                if (family_length(name) > 0) {
                    continue;
                }
                append_connector(out, "sluice_task_gauge", c);
                buffer_print(out, ",task=\"%zu\",name=\"", t);
                append_label(out, name);
                buffer_print(out, "\"} %lld\n", (long long)json_integer_value(value));
            }
        }
    }
}

char *metrics_text(const herder *self)
{
    buffer out = BUFFER_INIT;
    size_t len;
    put_worker(self, &out);
    put_task_counts(self, &out);
    put_states(self, &out);
    put_reported(self, &out, "sluice_task_records_total", "counter", "records",
                 "Records that the task has moved.");
    put_reported(self, &out, "sluice_task_bytes_total", "counter", "bytes",
                 "Bytes that the task has moved.");
    put_reported(self, &out, "kafka_connect_task_error_total_record_failures",
                 "counter", "failed", "Records that failed.");
    put_reported(self, &out, "kafka_connect_task_error_total_records_skipped",
                 "counter", "skipped",
                 "Records that were skipped by errors.tolerance.");
    put_reported(self, &out, "kafka_connect_task_error_total_retries", "counter",
                 "retries", "Operations that were tried again.");
    put_reported(self, &out, "sluice_task_lag", "gauge", "lag",
                 "Records that wait for the task.");
    put_reported(self, &out, "sluice_task_in_flight", "gauge", "in_flight",
                 "Records that are sent and not yet acknowledged.");
    put_gauges(self, &out);
    put_families(self, &out);
    return buffer_take(&out, &len);
}
