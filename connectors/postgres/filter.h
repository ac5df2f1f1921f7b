/* connectors/postgres/filter.h - which tables and columns are captured, and by which
 * keys.
 *
 * The include and exclude lists, and message.key.columns, with their regular
 * expressions compiled. An expression matches a whole name, upper and lower case alike,
 * as in Debezium; Java's syntax is translated to POSIX's where it differs, and refused
 * where that is impossible.
 *
 * Threads: a task's own. */
#ifndef SLUICE_POSTGRES_FILTER_H
#define SLUICE_POSTGRES_FILTER_H

#include "config.h"
#include "mask.h"

typedef struct filter filter;

/* SLUICE_BAD_CONFIG, with a message per expression that is none. */
sluice_status filter_new(const postgres_config *config, filter **ret_filter,
                         sluice_error *err);
void filter_free(filter *self); /* NULL is accepted. */

/* System schemas, and PostGIS's list of reference systems, are never captured. */
bool filter_table(const filter *self, const char *schema, const char *table);
bool filter_column(const filter *self, const char *schema, const char *table,
                   const char *column);
/* Whether the snapshot reads a captured table. */
bool filter_snapshot(const filter *self, const char *schema, const char *table);
/* The columns of message.key.columns for this table, "a,b", or NULL. */
const char *filter_key(const filter *self, const char *schema, const char *table);
/* What hides the column's values, or NULL. Lives as long as `self`. */
const mask *filter_mask(const filter *self, const char *schema, const char *table,
                        const char *column);
/* Whether its schema tells the type it has in the database, which is `type`. */
bool filter_tells_type(const filter *self, const char *schema, const char *table,
                       const char *column, const char *type);
/* Whether a logical message with this prefix gives a record. */
bool filter_prefix(const filter *self, const char *prefix);

#endif
