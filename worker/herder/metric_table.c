/* Every metric of a worker, and the page of the manual that is made from them. */
#include "metric_table.h"
#include "base/buffer.h"
#include "base/memory.h"
#include "base/text.h"
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- Where the values are. --- */

const connector *metric_next_connector(const herder *self, size_t *at)
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

static double connector_count(const herder *self)
{
    double count = 0;
    for (size_t at = 0; metric_next_connector(self, &at) != NULL;) {
        count++;
    }
    return count;
}

static double task_count(const herder *self)
{
    double count = 0;
    const connector *c;
    for (size_t at = 0; (c = metric_next_connector(self, &at)) != NULL;) {
        count += (double)c->task_count;
    }
    return count;
}

static double share(uint64_t part, uint64_t all)
{
    return all == 0 ? 0 : (double)part / (double)all;
}

static double startups(const herder *self)
{
    return (double)self->startups;
}

static double startup_successes(const herder *self)
{
    return (double)self->startup_successes;
}

static double startup_failures(const herder *self)
{
    return (double)self->startup_failures;
}

static double startup_success_share(const herder *self)
{
    return share(self->startup_successes,
                 self->startup_successes + self->startup_failures);
}

static double startup_failure_share(const herder *self)
{
    return share(self->startup_failures,
                 self->startup_successes + self->startup_failures);
}

static double task_attempts(const herder *self)
{
    return (double)self->task_attempts;
}

static double task_startups(const herder *self)
{
    return (double)self->task_startups;
}

static double task_failures(const herder *self)
{
    return (double)self->task_failures;
}

static double task_success_share(const herder *self)
{
    return share(self->task_startups, self->task_startups + self->task_failures);
}

static double task_failure_share(const herder *self)
{
    return share(self->task_failures, self->task_startups + self->task_failures);
}

static double host_deaths(const herder *self)
{
    return (double)self->host_deaths;
}

static double never(const herder *self)
{
    (void)self;
    return 0;
}

static double unknown(const herder *self)
{
    (void)self;
    return NAN;
}

static double for_ever(const herder *self)
{
    (void)self;
    return INFINITY;
}

static double started_at(const herder *self)
{
    return floor((double)self->began_wall_ms / 1000);
}

static double tasks_of(const connector *c)
{
    return (double)c->task_count;
}

static double tasks_in(const connector *c, run_state state)
{
    double count = 0;
    for (size_t i = 0; i < c->task_count; i++) {
        count += c->tasks[i].state == state;
    }
    return count;
}

static double running(const connector *c)
{
    return tasks_in(c, state_running);
}

static double paused(const connector *c)
{
    return tasks_in(c, state_paused);
}

static double failed(const connector *c)
{
    return tasks_in(c, state_failed);
}

static double unassigned(const connector *c)
{
    return tasks_in(c, state_unassigned);
}

static double destroyed(const connector *c)
{
    (void)c;
    return 0;
}

static double restarting(const connector *c)
{
    return tasks_in(c, state_restarting);
}

static double restarts(const connector *c)
{
    return (double)c->restarts;
}

static double attempts(const connector *c)
{
    return (double)c->attempts;
}

static double task_restarts(const connector *c, const task *t)
{
    (void)c;
    return (double)t->restarts;
}

static double reported(const task *t, const char *name)
{
    const json_t *value = json_object_get(t->gauges, name);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static double records(const connector *c, const task *t)
{
    (void)c;
    return reported(t, "records");
}

static double bytes(const connector *c, const task *t)
{
    (void)c;
    return reported(t, "bytes");
}

static double in_flight(const connector *c, const task *t)
{
    (void)c;
    return reported(t, "in_flight");
}

static double lag(const connector *c, const task *t)
{
    (void)c;
    return reported(t, "lag");
}

static double no_letter(const connector *c, const task *t)
{
    (void)c;
    (void)t;
    return 0;
}

static const char *class_text(const connector *c, const task *t)
{
    (void)t;
    return c->class == NULL ? "unknown" : c->class;
}

static const char *type_text(const connector *c, const task *t)
{
    (void)t;
    return c->type;
}

static const char *version_text(const connector *c, const task *t)
{
    (void)t;
    return c->version == NULL ? "unknown" : c->version;
}

/* As the metrics have it: lower case. */
static const char *status_text(const connector *c, const task *t)
{
    static const char *const names[] = {"unassigned", "running",    "paused",
                                        "failed",     "restarting", "stopped"};
    return names[t == NULL ? c->state : t->state];
}

/* --- The table. --- */

#define WORKER      "connect-worker-metrics"
#define REBALANCE   "connect-worker-rebalance-metrics"
#define COORDINATOR "connect-coordinator-metrics"
#define CONNECTOR   "connector-metrics"
#define TASK        "connector-task-metrics"
#define SOURCE      "source-task-metrics"
#define SINK        "sink-task-metrics"
#define ERRORS      "task-error-metrics"
#define OWN         "sluice"

#define ALONE " A worker by itself never rebalances."

#define OF_WORKER(GROUP, NAME, VALUE, DOC)                                             \
    {                                                                                  \
        .group = GROUP, .name = NAME, .scope = METRIC_WORKER, .of_worker = VALUE,      \
        .doc = DOC                                                                     \
    }
#define OF_CONNECTOR(GROUP, NAME, VALUE, DOC)                                          \
    {                                                                                  \
        .group = GROUP, .name = NAME, .scope = METRIC_CONNECTOR,                       \
        .of_connector = VALUE, .doc = DOC                                              \
    }
#define TEXT_OF(GROUP, NAME, SCOPE, VALUE, DOC)                                        \
    {                                                                                  \
        .group = GROUP, .name = NAME, .scope = SCOPE, .text = VALUE, .doc = DOC        \
    }
#define OF_TASK(GROUP, NAME, KINDS, DOC)                                               \
    {                                                                                  \
        .group = GROUP, .name = NAME, .scope = METRIC_TASK, .kinds = KINDS, .doc = DOC \
    }
#define OWN_OF_TASK(NAME, VALUE, DOC)                                                  \
    {                                                                                  \
        .group = OWN, .name = NAME, .scope = METRIC_TASK, .of_task = VALUE, .doc = DOC \
    }
#define OF_PLACE(NAME, PLACE, DOC)                                                     \
    {                                                                                  \
        .group = OWN, .name = NAME, .scope = METRIC_PLACE, .place = PLACE, .doc = DOC  \
    }
#define ABSENT(GROUP, NAME, DOC)                                                       \
    {                                                                                  \
        .group = GROUP, .name = NAME, .scope = METRIC_ABSENT, .doc = DOC               \
    }

const metric metric_table[] = {
    OF_WORKER(WORKER, "connector-count", connector_count,
              "Connectors that this worker has."),
    OF_WORKER(WORKER, "task-count", task_count, "Tasks that this worker has."),
    OF_WORKER(WORKER, "connector-startup-attempts-total", startups,
              "Starts of connectors, each in a process of its own."),
    OF_WORKER(WORKER, "connector-startup-success-total", startup_successes,
              "Starts of connectors that went."),
    OF_WORKER(WORKER, "connector-startup-success-percentage", startup_success_share,
              "Of the starts of connectors, the part that went: 0 to 1."),
    OF_WORKER(WORKER, "connector-startup-failure-total", startup_failures,
              "Starts of connectors that ended in FAILED."),
    OF_WORKER(WORKER, "connector-startup-failure-percentage", startup_failure_share,
              "Of the starts of connectors, the part that ended in FAILED: 0 to 1."),
    OF_WORKER(WORKER, "task-startup-attempts-total", task_attempts, "Starts of tasks."),
    OF_WORKER(WORKER, "task-startup-success-total", task_startups,
              "Starts of tasks that went."),
    OF_WORKER(WORKER, "task-startup-success-percentage", task_success_share,
              "Of the tasks that came to run or failed, the part that came to run: "
              "0 to 1."),
    OF_WORKER(WORKER, "task-startup-failure-total", task_failures,
              "How often a task became FAILED, in its start or later."),
    OF_WORKER(WORKER, "task-startup-failure-percentage", task_failure_share,
              "Of the tasks that came to run or failed, the part that failed: 0 to 1."),
    OF_CONNECTOR(WORKER, "connector-total-task-count", tasks_of,
                 "Tasks of the connector."),
    OF_CONNECTOR(WORKER, "connector-running-task-count", running,
                 "Tasks of the connector that run."),
    OF_CONNECTOR(WORKER, "connector-paused-task-count", paused,
                 "Tasks of the connector that are paused."),
    OF_CONNECTOR(WORKER, "connector-failed-task-count", failed,
                 "Tasks of the connector that have failed."),
    OF_CONNECTOR(WORKER, "connector-unassigned-task-count", unassigned,
                 "Tasks of the connector that wait for their start."),
    OF_CONNECTOR(WORKER, "connector-destroyed-task-count", destroyed,
                 "Tasks of the connector that are being deleted: 0, as they go with "
                 "it."),
    OF_CONNECTOR(WORKER, "connector-restarting-task-count", restarting,
                 "Tasks of the connector that are being restarted."),
    OF_WORKER(REBALANCE, "completed-rebalances-total", never,
              "Rebalances of the group." ALONE),
    OF_WORKER(REBALANCE, "epoch", never, "The group's generation." ALONE),
    OF_WORKER(REBALANCE, "rebalancing", never,
              "1 while the group rebalances, else 0." ALONE),
    OF_WORKER(REBALANCE, "rebalance-avg-time-ms", unknown,
              "How long a rebalance takes." ALONE),
    OF_WORKER(REBALANCE, "rebalance-max-time-ms", unknown,
              "How long the longest took." ALONE),
    OF_WORKER(REBALANCE, "time-since-last-rebalance-ms", for_ever,
              "How long ago the last one was." ALONE),
    ABSENT(REBALANCE, "leader-name", "a worker by itself has no leader"),
    ABSENT(REBALANCE, "connect-protocol", "a worker by itself is in no group"),
    OF_WORKER(COORDINATOR, "assigned-connectors", connector_count,
              "Connectors that are this worker's."),
    OF_WORKER(COORDINATOR, "assigned-tasks", task_count,
              "Tasks that are this worker's."),
    TEXT_OF(CONNECTOR, "connector-class", METRIC_CONNECTOR, class_text,
            "The connector's class."),
    TEXT_OF(CONNECTOR, "connector-type", METRIC_CONNECTOR, type_text,
            "source or sink; unknown before its first start."),
    TEXT_OF(CONNECTOR, "connector-version", METRIC_CONNECTOR, version_text,
            "The version of its plugin."),
    TEXT_OF(CONNECTOR, "status", METRIC_CONNECTOR, status_text,
            "The state that the connector is in, in lower case."),
    TEXT_OF(TASK, "status", METRIC_TASK, status_text,
            "The state that the task is in, in lower case."),
    OF_TASK(TASK, "running-ratio", METRIC_BOTH,
            "The part of its time that the task has been RUNNING: 0 to 1."),
    OF_TASK(TASK, "pause-ratio", METRIC_BOTH,
            "The part of its time that the task has been PAUSED: 0 to 1."),
    OF_TASK(TASK, "batch-size-avg", METRIC_BOTH,
            "Records that were handed on together, on average."),
    OF_TASK(TASK, "batch-size-max", METRIC_BOTH,
            "Records that were handed on together, at most."),
    OF_TASK(TASK, "offset-commit-avg-time-ms", METRIC_BOTH,
            "How long storing its positions takes."),
    OF_TASK(TASK, "offset-commit-max-time-ms", METRIC_BOTH,
            "How long it took at most."),
    OF_TASK(TASK, "offset-commit-success-percentage", METRIC_BOTH,
            "Of the attempts at that, the part that went: 0 to 1."),
    OF_TASK(TASK, "offset-commit-failure-percentage", METRIC_BOTH,
            "Of the attempts at that, the part that did not: 0 to 1."),
    OF_TASK(SOURCE, "source-record-poll-total", METRIC_SOURCE,
            "Records that the source has brought, before the transformations."),
    OF_TASK(SOURCE, "source-record-poll-rate", METRIC_SOURCE, "The same, a second."),
    OF_TASK(SOURCE, "source-record-write-total", METRIC_SOURCE,
            "Records that are in the log, after the transformations."),
    OF_TASK(SOURCE, "source-record-write-rate", METRIC_SOURCE, "The same, a second."),
    OF_TASK(SOURCE, "source-record-active-count", METRIC_SOURCE,
            "Records that the source has brought and the log has not yet taken."),
    OF_TASK(SOURCE, "source-record-active-count-avg", METRIC_SOURCE,
            "The same, on average."),
    OF_TASK(SOURCE, "source-record-active-count-max", METRIC_SOURCE,
            "The same, at most."),
    OF_TASK(SOURCE, "poll-batch-avg-time-ms", METRIC_SOURCE,
            "How long a poll takes that brings records."),
    OF_TASK(SOURCE, "poll-batch-max-time-ms", METRIC_SOURCE,
            "How long it took at most."),
    ABSENT(SOURCE, "transaction-size-avg", "no source writes in transactions yet"),
    ABSENT(SOURCE, "transaction-size-max", "no source writes in transactions yet"),
    ABSENT(SOURCE, "transaction-size-min", "no source writes in transactions yet"),
    OF_TASK(SINK, "sink-record-read-total", METRIC_SINK,
            "Records that were consumed, before the transformations."),
    OF_TASK(SINK, "sink-record-read-rate", METRIC_SINK, "The same, a second."),
    OF_TASK(SINK, "sink-record-send-total", METRIC_SINK,
            "Records that the sink got, after the transformations."),
    OF_TASK(SINK, "sink-record-send-rate", METRIC_SINK, "The same, a second."),
    OF_TASK(SINK, "sink-record-active-count", METRIC_SINK,
            "Records that were consumed and are not yet committed."),
    OF_TASK(SINK, "sink-record-active-count-avg", METRIC_SINK, "The same, on average."),
    OF_TASK(SINK, "sink-record-active-count-max", METRIC_SINK, "The same, at most."),
    OF_TASK(SINK, "sink-record-lag-max", METRIC_SINK,
            "Records that wait in the partition that is furthest behind."),
    OF_TASK(SINK, "partition-count", METRIC_SINK, "Partitions that the task has."),
    OF_TASK(SINK, "offset-commit-seq-no", METRIC_SINK, "The number of its commits."),
    OF_TASK(SINK, "offset-commit-completion-total", METRIC_SINK,
            "Commits of its positions that went."),
    OF_TASK(SINK, "offset-commit-completion-rate", METRIC_SINK, "The same, a second."),
    OF_TASK(SINK, "offset-commit-skip-total", METRIC_SINK,
            "Commits that came too late to count: none, as one waits for the other."),
    OF_TASK(SINK, "offset-commit-skip-rate", METRIC_SINK, "The same, a second."),
    OF_TASK(SINK, "put-batch-avg-time-ms", METRIC_SINK,
            "How long the sink takes for a batch."),
    OF_TASK(SINK, "put-batch-max-time-ms", METRIC_SINK, "How long it took at most."),
    OF_TASK(ERRORS, "total-record-failures", METRIC_BOTH,
            "Attempts to handle a record that failed."),
    OF_TASK(ERRORS, "total-record-errors", METRIC_BOTH, "Records that were given up."),
    OF_TASK(ERRORS, "total-records-skipped", METRIC_BOTH,
            "Records that were given up and skipped: errors.tolerance."),
    OF_TASK(ERRORS, "total-retries", METRIC_BOTH, "Attempts that were made again."),
    OF_TASK(ERRORS, "total-errors-logged", METRIC_BOTH,
            "Errors that were written into the log: errors.log.enable."),
    {.group = ERRORS,
     .name = "deadletterqueue-produce-requests",
     .scope = METRIC_TASK,
     .of_task = no_letter,
     .doc = "Records that were to go to the dead letters: none, there are no dead "
            "letters yet."},
    {.group = ERRORS,
     .name = "deadletterqueue-produce-failures",
     .scope = METRIC_TASK,
     .of_task = no_letter,
     .doc = "Those that the dead letters did not take."},
    OF_TASK(ERRORS, "last-error-timestamp", METRIC_BOTH,
            "When a record failed last, in milliseconds since 1970; 0: none has."),
    OF_WORKER(OWN, "sluice_worker_start_time_seconds", started_at,
              "When the worker was started, in seconds since 1970."),
    OF_WORKER(OWN, "sluice_host_deaths_total", host_deaths,
              "Processes of connectors that ended without having been asked to."),
    OF_CONNECTOR(OWN, "sluice_connector_restarts_total", restarts,
                 "Restarts of the connector, by policy or by request."),
    OF_CONNECTOR(OWN, "sluice_connector_restart_attempts", attempts,
                 "Restarts by policy in a row: at restart.max.attempts it stays "
                 "FAILED."),
    OWN_OF_TASK("sluice_task_restarts_total", task_restarts,
                "Restarts of the task alone, by policy or by request."),
    OWN_OF_TASK("sluice_task_records_total", records,
                "Records that the task has moved."),
    OWN_OF_TASK("sluice_task_bytes_total", bytes, "Bytes of keys and values in them."),
    OWN_OF_TASK("sluice_task_in_flight", in_flight,
                "Batches of a source that are on their way into the log."),
    OWN_OF_TASK("sluice_task_lag", lag,
                "Records that wait for a sink, of all its partitions."),
    {.group = OWN,
     .name = "sluice_task_record_errors_total",
     .scope = METRIC_STAGE,
     .doc = "Records that were given up, by the stage at which that was: the "
            "transformations, a converter, the log, the sink."},
    OF_PLACE("sluice_sink_partition_lag", 4,
             "Records that wait in the partition. Of the first 1000 of a task's."),
    OF_PLACE("sluice_sink_partition_position", 2,
             "The offset behind the last record that the sink has taken."),
    OF_PLACE("kafka_consumergroup_group_offset", 3,
             "The offset that the sink's group has committed."),
    OF_PLACE("kafka_consumergroup_group_lag", -1,
             "Records behind the offset that the sink's group has committed."),
    OF_PLACE("kafka_partition_latest_offset", -2,
             "The offset that the partition's next record will have."),
    {.group = OWN,
     .name = "sluice_host_memory_bytes",
     .scope = METRIC_HOST,
     .doc = "Memory of the connector's process, with its part of what it shares."},
    {.group = OWN,
     .name = "sluice_host_cpu_seconds_total",
     .scope = METRIC_HOST,
     .doc = "Processor time of the connector's process, since that began."},
    {.group = OWN,
     .name = "sluice_host_held_seconds_total",
     .scope = METRIC_HOST,
     .doc = "For how long it has been stopped since it began, because it had used more "
            "of the processor than host.cpu.max.percent allows."},
    {.group = OWN,
     .name = "sluice_inspector_memory_bytes",
     .scope = METRIC_HOST,
     .doc = "The same of the process that lists plugins and checks configurations."},
    {.group = NULL},
};

/* --- Names. --- */

static void append_word(buffer *out, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        buffer_append_byte(out, text[i] == '-' ? '_' : text[i]);
    }
}

char *metric_label(const metric *self)
{
    buffer out = BUFFER_INIT;
    append_word(&out, self->name, strlen(self->name));
    return buffer_take(&out, NULL);
}

char *metric_name(const metric *self, metric_family family)
{
    const char *group = self->group;
    if (strcmp(group, OWN) == 0) {
        return family == METRIC_SHORT ? memory_text(self->name) : NULL;
    }
    size_t len = strlen(group);
    if (family == METRIC_SHORT) {
        size_t skip = text_starts(group, "connect-") ? strlen("connect-") : 0;
        group += skip;
        len -= skip + strlen("-metrics");
    }
    buffer out = BUFFER_INIT;
    buffer_append_text(&out, "kafka_connect_");
    append_word(&out, group, len);
    if (self->text == NULL || family == METRIC_SHORT) {
        buffer_append_byte(&out, '_');
        append_word(&out, self->name, strlen(self->name));
    }
    return buffer_take(&out, NULL);
}

/* --- The page. --- */

static const char *labels_of(const metric *self)
{
    static const char *const labels[] = {
        [METRIC_WORKER] = "",
        [METRIC_CONNECTOR] = "`connector`",
        [METRIC_TASK] = "`connector`, `task`",
        [METRIC_STAGE] = "`connector`, `task`, `stage`",
        [METRIC_PLACE] = "`connector`, `task`, `group`, `topic`, `partition`",
        [METRIC_HOST] = "`connector`",
        [METRIC_ABSENT] = "",
    };
    return labels[self->scope];
}

static void print_kafkas(void)
{
    const char *group = "";
    for (const metric *one = metric_table; one->group != NULL; one++) {
        if (strcmp(one->group, OWN) == 0) {
            continue;
        }
        if (strcmp(group, one->group) != 0) {
            group = one->group;
            printf("\n### `%s`\n\n| attribute | short | long | labels | what it is |\n"
                   "|---|---|---|---|---|\n",
                   group);
        }
        if (one->scope == METRIC_ABSENT) {
            printf("| `%s` | | | | not there: %s |\n", one->name, one->doc);
            continue;
        }
        char *brief = metric_name(one, METRIC_SHORT),
             *full = metric_name(one, METRIC_LONG);
        char *label = metric_label(one);
        printf("| `%s` | `%s` | `%s` | %s%s%s%s | %s |\n", one->name, brief, full,
               labels_of(one), one->text == NULL ? "" : ", `",
               one->text == NULL ? "" : label, one->text == NULL ? "" : "`", one->doc);
        free(brief);
        free(full);
        free(label);
    }
}

static void print_own(void)
{
    printf("\n## Sluice's own\n\n| metric | labels | what it is |\n|---|---|---|\n");
    for (const metric *one = metric_table; one->group != NULL; one++) {
        if (strcmp(one->group, OWN) == 0) {
            bool inspector = strstr(one->name, "inspector") != NULL;
            printf("| `%s` | %s | %s |\n", one->name, inspector ? "" : labels_of(one),
                   one->doc);
        }
    }
}

void metric_table_print(void)
{
    printf(
        "# The worker's metrics\n\n"
        "`GET /metrics` of the REST interface answers in Prometheus' text format. "
        "Hosts report to the worker\neach second for a minute after somebody has "
        "looked, each ten seconds otherwise. `sluice standalone\n--metrics` prints "
        "this "
        "page.\n\n"
        "## Kafka Connect's\n\n"
        "Each has two names, as two sets of rules for the JMX exporter are in use: "
        "the short ones are\nthose of its example and of Strimzi's dashboards, the "
        "long ones those of Confluent's and of\nStrimzi's metrics reporter. A text "
        "is a label of a row whose value is 1. Rates, averages and\nmaxima are over "
        "`metrics.num.samples` pieces of `metrics.sample.window.ms`; without a "
        "value in that\ntime an average is NaN. They begin anew when a task does.\n");
    print_kafkas();
    print_own();
    printf("\nWhat a plugin counts itself is `sluice_task_gauge{connector,task,name}`, "
           "or has a name of its own:\n"
           "[postgres-source](../connectors/postgres/README.md) tells Debezium's, "
           "`debezium_metrics_MilliSecondsBehindSource`\nand others. `process_…` are "
           "memory, processor time and descriptors of the worker's process.\n");
}
