/* connectors/postgres/pattern.h - Java's regular expressions, as lists of them match
 * whole names of tables and columns.
 *
 * Upper and lower case are alike, as in Debezium; Java's syntax is translated to
 * POSIX's where it differs, and refused where that is impossible.
 *
 * Threads: a task's own. */
#ifndef SLUICE_POSTGRES_PATTERN_H
#define SLUICE_POSTGRES_PATTERN_H

#include <regex.h>
#include <sluice/config.h>

enum { NAME_MAX_SIZE = 3 * 64 * 4 + 3 }; /* Three names of 63 characters, in UTF-8. */

typedef struct pattern_list {
    size_t count;
    regex_t *items;
} pattern_list;

/* False, with a message about `key`: `java` is none. */
bool pattern_compile(const char *key, const char *java, regex_t *ret_regex,
                     sluice_error *err);
bool pattern_matches(const regex_t *pattern, const char *name);

/* Adds a message about `key` for each that is none. Always to be given back. */
void pattern_list_init(pattern_list *self, const char *key, const sluice_list *list,
                       sluice_error *err);
void pattern_list_done(pattern_list *self);
/* Whether one of them matches. */
bool pattern_list_has(const pattern_list *self, const char *name);

/* Memory of so many bytes, all 0; it cannot fail. */
void *pattern_take(size_t size);

#endif
