/* lib/config/review.h - the names in a configuration that nobody will read.
 *
 * A name that is nearly a known one is a fault that names the known one. Everything
 * else is accepted, as Kafka Connect does, but with a sentence for the log and for
 * validation: a name that is known and of no use here, a deprecated one, an unknown
 * one. Where a key is a list, a name that goes on with a dot and one of its items is
 * known too; where it is a family, all names of its form are.
 *
 * Threads: any. */
#ifndef SLUICE_CONFIG_REVIEW_H
#define SLUICE_CONFIG_REVIEW_H

#include <sluice/config.h>

/* All that is known. Every part may be NULL. */
typedef struct config_names {
    const sluice_config *table;
    const char *const *names; /* Other known names, NULL-ended. */
    const char *const
        *prefixes; /* "transforms.", NULL-ended: what follows is not ours. */
} config_names;

/* Looks at every name in `props`. SLUICE_BAD_CONFIG with a message per near miss; a
 * sentence for each other remarkable name is set in `notes` (name -> sentence; NULL:
 * nobody wants them). */
sluice_status config_review(const config_names *known, const sluice_props *props,
                            sluice_props *notes, sluice_error *err);

#endif
