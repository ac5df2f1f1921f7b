/* metric_table.h - every metric of a worker: its names, and where its value is.
 *
 * Kafka Connect's metrics have a group and an attribute in JMX. Two sets of rules turn
 * these into names for Prometheus, and dashboards ask for the ones or the others:
 *
 *     source-task-metrics, source-record-poll-total
 *       short  kafka_connect_source_task_source_record_poll_total
 *       long   kafka_connect_source_task_metrics_source_record_poll_total
 *
 * short: the example rules of the JMX exporter, and Strimzi's. long: the rules of
 * Confluent's monitoring stacks, and Strimzi's metrics reporter. What only Sluice has
 * is of the group "sluice" and has one name.
 *
 * Threads: the herder's. */
#ifndef SLUICE_HERDER_METRIC_TABLE_H
#define SLUICE_HERDER_METRIC_TABLE_H

#include "state.h"

typedef enum metric_scope {
    METRIC_WORKER,
    METRIC_CONNECTOR,
    METRIC_TASK,
    METRIC_STAGE,  /* Of a task, by the stage at which records failed. */
    METRIC_PLACE,  /* Of a sink's task, by topic and partition. */
    METRIC_HOST,   /* Of the processes: the loop knows them. */
    METRIC_ABSENT, /* Kafka Connect has it, and there is nothing to be told. */
} metric_scope;

enum { METRIC_SOURCE = 1, METRIC_SINK = 2, METRIC_BOTH = 3 };

typedef struct metric {
    const char *group, *name;
    metric_scope scope;
    int kinds; /* METRIC_TASK: of which tasks; 0: of both. */
    const char *doc;
    /* One of the four. A task's number that has none of them is the host's: it stands
     * under its name in the figures of the last report. */
    double (*of_worker)(const herder *self);
    double (*of_connector)(const connector *c);
    double (*of_task)(const connector *c, const task *t);
    /* A text is a label of a row whose value is 1; `t` is NULL where it is the
     * connector's. */
    const char *(*text)(const connector *c, const task *t);
    int place; /* METRIC_PLACE: which number of [topic, partition, …]. */
} metric;

extern const metric metric_table[]; /* Ended by a group of NULL. */

typedef enum metric_family { METRIC_SHORT, METRIC_LONG } metric_family;

/* Its name in a family, the caller's: a text's too, which is the label's. NULL: it has
 * none there. */
char *metric_name(const metric *self, metric_family family);

/* "connector_class": the attribute as a label. The caller's. */
char *metric_label(const metric *self);

/* The next connector that is shown, beginning with `*at` 0; or NULL. */
const connector *metric_next_connector(const herder *self, size_t *at);

/* The page docs/worker-metrics.md. */
void metric_table_print(void);

#endif
