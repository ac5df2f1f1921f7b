/* exposition.h - Prometheus' text format, version 0.0.4, line by line.
 *
 * Who writes keeps the format's two rules: all rows of a family stand together behind
 * its head, and no two rows have the same labels.
 *
 * Threads: any. */
#ifndef SLUICE_HERDER_EXPOSITION_H
#define SLUICE_HERDER_EXPOSITION_H

#include "base/buffer.h"
#include <stdbool.h>

/* The two lines that come before a family's rows: a counter where the name ends in
 * _total, a gauge otherwise. */
void expose_family(buffer *out, const char *name, const char *help);

/* A row: its name, any number of labels, its value (NaN and infinities too). */
void expose_row(buffer *out, const char *name);
void expose_label(buffer *out, const char *key, const char *value);
void expose_value(buffer *out, double value);

/* Whether `name` can be a family's. */
bool expose_is_name(const char *name, size_t len);

/* Appends what labels may hold of `text`, escaped. */
void expose_escaped(buffer *out, const char *text);

#endif
