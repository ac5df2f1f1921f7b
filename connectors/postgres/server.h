/* connectors/postgres/server.h - what has to stand in the server before anything flows:
 * its settings, the publication and the slot.
 *
 * Errors are those of connection.h, and SLUICE_BAD_CONFIG with what to do.
 *
 * Threads: those of the connections. */
#ifndef SLUICE_POSTGRES_SERVER_H
#define SLUICE_POSTGRES_SERVER_H

#include "connection.h"
#include "filter.h"
#include "lsn.h"

/* Whether the server can decode its log at all. `ret_timeout_ms` is how long it waits
 * for word of a client, 0: for ever. */
sluice_status server_check(connection *query, int64_t *ret_timeout_ms,
                           sluice_error *err);

/* The identity of the database cluster; malloc'd. */
sluice_status server_identify(connection *replication, char **ret_system,
                              sluice_error *err);

/* Creates or completes the publication as publication.autocreate.mode says. */
sluice_status publication_prepare(connection *query, const filter *filter,
                                  sluice_error *err);

typedef struct slot_facts {
    bool exists;
    bool lost;     /* The server has removed log that it needs. */
    lsn confirmed; /* Where it stands. */
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

#endif
