/* lib/base/process_metrics.h - what this process itself uses, in Prometheus' format.
 *
 * Threads: any. */
#ifndef SLUICE_BASE_PROCESS_METRICS_H
#define SLUICE_BASE_PROCESS_METRICS_H

/* `text` with the usual process_… metrics behind it, the caller's. */
char *process_metrics_append(const char *text);

#endif
