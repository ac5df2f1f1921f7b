/* cli/topic_filter.h - which topics a tool is about: a pattern as Kafka's tools take
 * it, or names with wildcards.
 *
 * Threads: the main one. */
#ifndef CLI_TOPIC_FILTER_H
#define CLI_TOPIC_FILTER_H

#include "options.h"

typedef struct topic_filter {
    struct pcre2_real_code_8 *pattern; /* NULL: none. */
    const cli_texts *names;            /* Borrowed; empty: all. */
} topic_filter;

/* `pattern` is a regular expression of Java's for whole names, where a comma stands
 * between alternatives; or NULL. `names` may have the wildcards of a shell. Give it
 * back with topic_filter_done(), also after SLUICE_BAD_CONFIG: it is no regular
 * expression. */
sluice_status topic_filter_init(topic_filter *self, const char *pattern,
                                const cli_texts *names, sluice_error *err);
void topic_filter_done(topic_filter *self);

bool topic_filter_has(const topic_filter *self, const char *topic);

#endif
