/* journal.h - the last lines of the log that are about one connector.
 *
 * What its hosts have written, and what the worker has written about it, in order and
 * numbered, so that who has seen some can ask for what came since. They are bounded in
 * number and in bytes, outlive the hosts, and go with the connector.
 *
 * Threads: the herder's. */
#ifndef SLUICE_HERDER_JOURNAL_H
#define SLUICE_HERDER_JOURNAL_H

#include "base/map.h"
#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

enum { JOURNAL_LINES = 500, JOURNAL_BYTES_MAX = 256 * 1024 };

typedef struct journal journal;

journal *journal_new(void);
void journal_free(journal *self); /* NULL is accepted. */

/* Adds a line, without its end. */
void journal_add(journal *self, const char *line, size_t len);

/* At most `count` of the last lines (-1: all), and none of those up to number `after`
 * (-1: all), as {"next": 17, "lines": ["…"]}; "next" is the `after` of who asks again.
 * The caller's. */
json_t *journal_json(const journal *self, int64_t count, int64_t after);

/* --- The journals of all connectors, by name. --- */

/* Makes one where there is none. */
void journals_begin(map *all, const char *connector);
void journals_forget(map *all, const char *connector);
void journals_done(map *all);

/* Adds a line where there is a journal. */
void journals_add(map *all, const char *connector, const char *line, size_t len);

/* journal_json() with "name" before; as of an empty journal where there is none. */
json_t *journals_json(const map *all, const char *connector, int64_t count,
                      int64_t after);

#endif
