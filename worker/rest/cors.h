/* cors.h - which pages of other origins may ask, as browsers are told.
 *
 * Threads: made by one, then used by any. */
#ifndef SLUICE_REST_CORS_H
#define SLUICE_REST_CORS_H

#include <sluice/error.h>
#include <stdbool.h>

typedef struct cors cors;

/* `origins`: between commas, each a regular expression for a whole origin (extended, as
 * in regex(7), without braces and ten pluses at most; in any case) or "*", as Jetty
 * takes them. "" gives NULL: no other origin may. BAD_CONFIG: one is no regular
 * expression. */
sluice_status cors_new(const char *origins, cors **ret_cors, sluice_error *err);
void cors_free(cors *self); /* NULL is accepted. */

/* `origin` is the header Origin's value: one or more between spaces. */
bool cors_allows(const cors *self, const char *origin);

#endif
