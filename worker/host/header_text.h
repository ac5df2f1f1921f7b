/* worker/host/header_text.h - what the text of a header means, as Kafka Connect
 * guesses.
 *
 * `12` is the smallest integer that holds it, `1.5` a FLOAT32 (or as wide as it must
 * be), `true` a BOOLEAN, `null` null, 2019-08-23, 14:34:54.346Z and
 * 2019-08-23T14:34:54.346Z are Date, Time and Timestamp (UTC, with fields that may
 * overflow), `[1,2]` and `{"a":1}` lists and maps of all of these; anything else is the
 * STRING itself. What stands behind a complete number, list or map is passed over.
 *
 * A list or map whose parts have no schema in common has none, where Kafka Connect
 * gives it an ARRAY or MAP with a null inside; and where a date would lose its meaning
 * by that, the whole is a STRING. So is what is nested more than 100 deep.
 *
 * Threads: any. Memory: results live in `arena`, strings also where `text` does. */
#ifndef SLUICE_WORKER_HOST_HEADER_TEXT_H
#define SLUICE_WORKER_HOST_HEADER_TEXT_H

#include <sluice/value.h>

/* `text` is UTF-8. The null value has no schema. */
void header_text_parse(sluice_bytes text, sluice_arena *arena,
                       const sluice_schema **ret_schema,
                       const sluice_value **ret_value);

#endif
