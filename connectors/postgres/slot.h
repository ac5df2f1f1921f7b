/* connectors/postgres/slot.h - the replication slot: what keeps the log until all of it
 * is stored.
 *
 * Errors are those of connection.h, and SLUICE_BAD_CONFIG with what to do.
 *
 * Threads: those of the connections. */
#ifndef SLUICE_POSTGRES_SLOT_H
#define SLUICE_POSTGRES_SLOT_H

#include "connection.h"
#include "lsn.h"

enum { SLOT_REASON_SIZE = 128 };

typedef struct slot_facts {
    bool exists;
    bool lost;                     /* It is of no use any more, */
    char reason[SLOT_REASON_SIZE]; /* because: "wal_removed", "its log was removed". */
    lsn confirmed;                 /* Where it stands. */
    int active_pid; /* Of the server process that streams from it, or 0. */
} slot_facts;

/* Looks at the configured slot. SLUICE_BAD_CONFIG: it is of another kind or database.
 */
sluice_status slot_find(connection *query, slot_facts *ret_slot, sluice_error *err);

typedef struct slot_start {
    lsn at;            /* All that was committed before is in the snapshot. */
    char snapshot[64]; /* For SET TRANSACTION SNAPSHOT; "" where none was exported. */
} slot_start;

/* Creates a slot; the snapshot it exports lives until the next command of
 * `replication`. Waits for transactions that run now; after create.slot.command.timeout
 * SLUICE_RETRY, with the one that `query` sees as the oldest. A temporary one ends with
 * `replication`. */
sluice_status slot_create(connection *replication, connection *query, const char *name,
                          bool temporary, bool exports, slot_start *ret_start,
                          sluice_error *err);

sluice_status slot_drop(connection *query, const char *name, sluice_error *err);

/* Says in `out` who streams from the configured slot: "process 123 ('Sluice Streaming',
 * role 'r', from 10.0.0.1)"; "" where nobody does any more, or it cannot be told. */
enum { SLOT_HOLDER_SIZE = 256 };
void slot_holder(connection *query, char out[SLOT_HOLDER_SIZE]);

#endif
