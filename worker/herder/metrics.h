/* metrics.h - what only the processes know, for /metrics: the loop adds it.
 *
 * Threads: any. */
#ifndef SLUICE_HERDER_METRICS_H
#define SLUICE_HERDER_METRICS_H

#include "exposition.h"

/* The head of the family `name`, one of those of METRIC_HOST. */
void metrics_host_family(buffer *out, const char *name);

/* The page docs/worker-metrics.md, to standard output. */
void metric_table_print(void);

#endif
