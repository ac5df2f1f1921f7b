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
/* Which expression of table.include.list is the first to name a table; how many there
 * are, where none does. Snapshots read tables in this order. */
size_t filter_table_rank(const filter *self, const char *schema, const char *table);
bool filter_column(const filter *self, const char *schema, const char *table,
                   const char *column);
/* Whether the snapshot reads a captured table. */
bool filter_snapshot(const filter *self, const char *schema, const char *table);
/* Which of the columns in message.key.columns, tables after tables, names this one; -1:
 * none does. The key's order is that of these numbers, then that of the table. */
int filter_key(const filter *self, const char *schema, const char *table,
               const char *column);
/* What hides the column's values, or NULL. Lives as long as `self`. */
const mask *filter_mask(const filter *self, const char *schema, const char *table,
                        const char *column);
/* Whether its schema tells the type it has in the database, which is `type`. */
bool filter_tells_type(const filter *self, const char *schema, const char *table,
                       const char *column, const char *type);
/* Whether a logical message with this prefix gives a record. */
bool filter_prefix(const filter *self, const char *prefix);

#endif
