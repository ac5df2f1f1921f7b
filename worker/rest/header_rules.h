/* header_rules.h - response.http.headers.config: headers that every answer gets.
 *
 * "[action] [name]:[value]" between commas; a rule with a comma stands in quotes. The
 * actions are set and add, and setDate and addDate, whose value is the number of
 * milliseconds from now.
 *
 * Threads: made by one, then used by any. */
#ifndef SLUICE_REST_HEADER_RULES_H
#define SLUICE_REST_HEADER_RULES_H

#include <sluice/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct header_rule {
    bool replaces; /* set, not add. */
    bool is_date;
    char *name;
    char *value;      /* Unless it is a date. */
    int64_t after_ms; /* The date is so long after now. */
} header_rule;

typedef struct header_rules {
    header_rule *items;
    size_t count;
} header_rules;

/* BAD_CONFIG in Kafka Connect's words; also for what no header may have. */
sluice_status header_rules_parse(const char *text, header_rules *ret_rules,
                                 sluice_error *err);
void header_rules_done(header_rules *self);

/* The value of a rule at `now_ms` since 1970; the caller's. */
char *header_rule_value(const header_rule *rule, int64_t now_ms);

#endif
