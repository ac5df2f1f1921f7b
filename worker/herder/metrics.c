/* /metrics: the table of metrics, filled in for each connector and task. */
#include "metrics.h"
#include "base/memory.h"
#include "base/text.h"
#include "exposition.h"
#include "gauges.h"
#include "metric_table.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void begin(buffer *out, const char *name, const connector *c, size_t number)
{
    char text[24];
    expose_row(out, name);
    expose_label(out, "connector", c->name);
    snprintf(text, sizeof text, "%zu", number);
    expose_label(out, "task", text);
}

static bool is_of(const metric *m, const connector *c)
{
    bool source = strcmp(c->type, "source") == 0;
    return m->kinds == 0 || (m->kinds & (source ? METRIC_SOURCE : METRIC_SINK)) != 0;
}

static double figure(const metric *m, const task *t)
{
    const json_t *value =
        json_object_get(json_object_get(t->gauges, "figures"), m->name);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

/* --- A task's rows. --- */

static void put_task(const metric *m, const char *name, const connector *c,
                     size_t number, buffer *out)
{
    const task *t = &c->tasks[number];
    if (m->text == NULL && t->gauges == NULL && m->of_task == NULL) {
        return; /* It has not reported yet. */
    }
    double value = m->text != NULL      ? 1
                   : m->of_task != NULL ? m->of_task(c, t)
                                        : figure(m, t);
    if (isnan(value) && text_ends(name, "_total")) {
        return; /* A counter is a number, or not there. */
    }
    begin(out, name, c, number);
    if (m->text != NULL) {
        char *label = metric_label(m);
        expose_label(out, label, m->text(c, t));
        free(label);
    }
    expose_value(out, value);
}

static void put_stages(const char *name, const connector *c, size_t number, buffer *out)
{
    const char *stage;
    json_t *count;
    json_object_foreach(json_object_get(c->tasks[number].gauges, "stages"), stage,
                        count)
    {
        begin(out, name, c, number);
        expose_label(out, "stage", stage);
        expose_value(out, json_number_value(count));
    }
}

/* --- Places: [topic, partition, next, committed, lag]. --- */

static double number_at(const json_t *place, size_t index)
{
    json_t *number = json_array_get(place, index);
    double value = json_is_integer(number) ? (double)json_integer_value(number) : -1;
    return value < 0 ? NAN : value;
}

static double place_value(const json_t *place, int what)
{
    double next = number_at(place, 2), committed = number_at(place, 3);
    double latest = (isnan(next) ? committed : next) + number_at(place, 4);
    return what == -2   ? latest
           : what == -1 ? latest - committed
                        : number_at(place, (size_t)what);
}

/* The group of a sink's consumers. The caller's. */
static char *group_of(const connector *c)
{
    const char *own = herder_connector_property(c, "consumer.override.group.id");
    return own != NULL ? memory_text(own) : memory_print("connect-%s", c->name);
}

static void put_places(const metric *m, const char *name, const connector *c,
                       size_t number, buffer *out)
{
    size_t index;
    json_t *place;
    char *group = group_of(c), text[24];
    json_array_foreach(c->tasks[number].places, index, place)
    {
        const char *topic = json_string_value(json_array_get(place, 0));
        begin(out, name, c, number);
        expose_label(out, "group", group);
        expose_label(out, "topic", topic == NULL ? "" : topic);
        snprintf(text, sizeof text, "%.0f", number_at(place, 1));
        expose_label(out, "partition", text);
        expose_value(out, place_value(place, m->place));
    }
    free(group);
}

/* --- Families. --- */

static void put_connector(const metric *m, const char *name, const connector *c,
                          buffer *out)
{
    expose_row(out, name);
    expose_label(out, "connector", c->name);
    if (m->text != NULL) {
        char *label = metric_label(m);
        expose_label(out, label, m->text(c, NULL));
        free(label);
    }
    expose_value(out, m->text != NULL ? 1 : m->of_connector(c));
}

static void put_rows(const herder *self, const metric *m, const char *name, buffer *out)
{
    const connector *c;
    if (m->scope == METRIC_WORKER) {
        expose_row(out, name);
        expose_value(out, m->of_worker(self));
        return;
    }
    for (size_t at = 0; (c = metric_next_connector(self, &at)) != NULL;) {
        if (m->scope == METRIC_CONNECTOR) {
            put_connector(m, name, c, out);
            continue;
        }
        for (size_t t = 0; t < c->task_count && is_of(m, c); t++) {
            if (m->scope == METRIC_STAGE) {
                put_stages(name, c, t, out);
            } else if (m->scope == METRIC_PLACE) {
                put_places(m, name, c, t, out);
            } else {
                put_task(m, name, c, t, out);
            }
        }
    }
}

/* The texts of a group share a family where names are long: those follow the first. */
static void put_family(const herder *self, const metric *m, metric_family family,
                       buffer *out)
{
    bool shared = family == METRIC_LONG && m->text != NULL;
    if (shared && m > metric_table && m[-1].text != NULL &&
        strcmp(m[-1].group, m->group) == 0) {
        return;
    }
    char *name = metric_name(m, family);
    if (name != NULL) {
        expose_family(out, name, m->doc);
        put_rows(self, m, name, out);
        for (const metric *next = m + 1;
             shared && next->text != NULL && strcmp(next->group, m->group) == 0;
             next++) {
            put_rows(self, next, name, out);
        }
    }
    free(name);
}

/* What the dashboards ask of the program itself. */
static void put_about(const herder *self, buffer *out)
{
    char started[24];
    snprintf(started, sizeof started, "%lld", (long long)self->began_wall_ms);
    expose_family(out, "kafka_connect_app", "The worker, and whose interface it has.");
    expose_row(out, "kafka_connect_app");
    expose_label(out, "client_id", self->settings.worker_id);
    expose_label(out, "version", KAFKA_VERSION);
    expose_label(out, "start_time_ms", started);
    expose_value(out, 1);
    expose_family(out, "sluice_build_info", "The version of Sluice.");
    expose_row(out, "sluice_build_info");
    expose_label(out, "version", SLUICE_VERSION);
    expose_value(out, 1);
}

static connector *copy_of(const connector *c)
{
    connector *copy = memory_zero(sizeof *copy);
    copy->name = memory_text(c->name);
    copy->type = memory_text(c->type);
    copy->class = memory_text(c->class);
    copy->version = memory_text(c->version);
    copy->config = json_incref(c->config);
    copy->state = c->state;
    copy->restarts = c->restarts;
    copy->attempts = c->attempts;
    copy->task_count = c->task_count;
    copy->tasks = memory_zero((c->task_count + 1) * sizeof *copy->tasks);
    for (size_t i = 0; i < c->task_count; i++) {
        copy->tasks[i] = (task){.state = c->tasks[i].state,
                                .gauges = json_incref(c->tasks[i].gauges),
                                .places = json_incref(c->tasks[i].places),
                                .restarts = c->tasks[i].restarts};
    }
    return copy;
}

/* Configurations and reports are never changed, only replaced. */
herder *metrics_snapshot(const herder *self)
{
    herder_settings settings = self->settings;
    settings.worker = NULL;
    herder *copy = herder_new(&settings);
    copy->began_wall_ms = self->began_wall_ms;
    copy->host_deaths = self->host_deaths;
    copy->startups = self->startups;
    copy->startup_successes = self->startup_successes;
    copy->startup_failures = self->startup_failures;
    copy->task_attempts = self->task_attempts;
    copy->task_startups = self->task_startups;
    copy->task_failures = self->task_failures;
    const connector *c;
    for (size_t at = 0; (c = metric_next_connector(self, &at)) != NULL;) {
        map_put_text(&copy->connectors, c->name, copy_of(c));
    }
    return copy;
}

void metrics_put(const herder *self, buffer *out)
{
    put_about(self, out);
    for (const metric *m = metric_table; m->group != NULL; m++) {
        if (m->scope != METRIC_ABSENT && m->scope != METRIC_HOST) {
            put_family(self, m, METRIC_SHORT, out);
            put_family(self, m, METRIC_LONG, out);
        }
    }
    gauges_put(self, out);
}

void metrics_host_family(buffer *out, const char *name)
{
    const metric *m = metric_table;
    while (strcmp(m->name, name) != 0) {
        m++;
    }
    expose_family(out, name, m->doc);
}
