/* metrics.h - the text of /metrics, of a snapshot of what the herder knows.
 *
 * Threads: a snapshot is made and freed on the herder's, and may be read on another. */
#ifndef SLUICE_HERDER_METRICS_H
#define SLUICE_HERDER_METRICS_H

#include "exposition.h"
#include "herder.h"

/* As much of the herder as metrics are made of. Freed with herder_free(). */
herder *metrics_snapshot(const herder *self);

/* Appends all metrics but those of METRIC_HOST, which only the loop knows. */
void metrics_put(const herder *snapshot, buffer *out);

/* The head of the family `name`, one of those of METRIC_HOST. */
void metrics_host_family(buffer *out, const char *name);

/* The page docs/worker-metrics.md, to standard output. */
void metric_table_print(void);

#endif
