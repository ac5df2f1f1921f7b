/* connectors/postgres/snapshot_tables.h - which tables a snapshot reads, in which
 * order, and by what query.
 *
 * Asking the server for its estimates of rows also shows at once which tables it will
 * not let us read, instead of hours later.
 *
 * Threads: a task's own. */
#ifndef SLUICE_POSTGRES_SNAPSHOT_TABLES_H
#define SLUICE_POSTGRES_SNAPSHOT_TABLES_H

#include "catalog.h"
#include "filter.h"

typedef struct snapshot_table {
    const published_table *published;
    const char *label;  /* "schema.table" */
    const char *source; /* What stands behind FROM, WHERE included. */
    bool is_chosen;     /* It is a statement of the user's. */
    size_t rank;        /* Among those that table.include.list names. */
    int64_t rows;       /* That the server expects; -1: it did not say. */
} snapshot_table;

typedef struct snapshot_tables {
    size_t count;
    snapshot_table *tables;
    int64_t rows; /* All that are expected; -1: not known. */
} snapshot_tables;

/* The captured tables of the publication that `link`, whose transaction has the
 * snapshot, is to read. All in `arena`. Errors are those of connection.h; BAD_CONFIG
 * for a statement that is not given, or that the server refuses. */
sluice_status snapshot_tables_find(connection *link, const filter *captured,
                                   sluice_arena *arena, snapshot_tables *ret_tables,
                                   sluice_error *err);

/* What a statement that reads `table` got from the server. A table that was dropped,
 * renamed or altered since the snapshot was exported cannot be read as it was then:
 * SLUICE_RETRY, for a new snapshot can. */
sluice_status snapshot_table_fault(const connection *link, const snapshot_table *table,
                                   sluice_status status, sluice_error *err);

/* Whether every table of snapshot.select.statement.overrides has its statement. */
sluice_status snapshot_overrides_check(const postgres_config *config,
                                       const sluice_props *props, sluice_error *err);

#endif
