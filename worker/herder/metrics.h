/* metrics.h - lines of Prometheus' text format.
 *
 * Threads: any. */
#ifndef SLUICE_HERDER_METRICS_H
#define SLUICE_HERDER_METRICS_H

#include "base/buffer.h"

/* The two lines that come before a metric's values. */
void metrics_family(buffer *out, const char *name, const char *type, const char *help);

/* A value with the label connector="LABEL". */
void metrics_row(buffer *out, const char *name, const char *label, uint64_t value);

#endif
