/* worker/host/header_scalar.h - a word of a header's text as a number or a time.
 *
 * Threads: any. Memory: results live in `arena`. */
#ifndef SLUICE_WORKER_HOST_HEADER_SCALAR_H
#define SLUICE_WORKER_HOST_HEADER_SCALAR_H

#include <sluice/value.h>

/* As the header's text and its parts are: `value` NULL is null, which has no schema. */
typedef struct header_part {
    const sluice_schema *schema;
    const sluice_value *value;
} header_part;

/* Whether the word is a number as Java's BigDecimal reads it. INT8 to INT64 where it is
 * whole, else FLOAT32, FLOAT64 or Decimal, the first that is not infinite. */
bool header_number(const char *text, size_t len, sluice_arena *arena,
                   header_part *ret_part);

/* Whether the word is a date, a time or both; `\:` counts as `:`. */
bool header_time(const char *text, size_t len, sluice_arena *arena,
                 header_part *ret_part);

#endif
