/* string_map.h - JSON as Kafka Connect reads configurations: every scalar is a text.
 *
 * {"tasks.max": 3, "ratio": 1.50, "on": true} is {"tasks.max": "3", "ratio": "1.50",
 * "on": "true"}. Numbers keep their digits, so they are quoted before they are parsed.
 *
 * Threads: any. */
#ifndef SLUICE_REST_STRING_MAP_H
#define SLUICE_REST_STRING_MAP_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* The JSON value in `base` with all numbers and booleans as texts, the caller's; what
 * follows the value is ignored, unless the value is to be `alone`. NULL: it is not
 * JSON; `ret_fault` (may be NULL) says why and where, in the text as it was given up to
 * added quotes. */
json_t *string_map_load(const char *base, size_t len, bool alone,
                        json_error_t *ret_fault);

/* Whether it is an object whose values are all texts or null. */
bool string_map_is(const json_t *value);

#endif
