/* connectors/postgres/server.h - what has to stand in the server before anything flows:
 * its settings and the publication.
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
 * for word of a client, 0: for ever. A standby that cannot is RETRY for who `goes_on`:
 * it may be about to be promoted. */
sluice_status server_check(connection *query, bool goes_on, int64_t *ret_timeout_ms,
                           sluice_error *err);

/* Which server it is. */
typedef struct server_facts {
    char system[24];   /* The identity of the database cluster. */
    uint32_t timeline; /* Grows with every promotion and restored backup. */
    lsn end;           /* Of its log. */
} server_facts;

sluice_status server_identify(connection *replication, server_facts *ret_server,
                              sluice_error *err);

/* Whether the log behind `at` on `timeline`, an earlier one, is another than that of
 * the server, which is on `now`. `*ret_left`: where the server left it, 0: it was never
 * on it. */
sluice_status server_diverged(connection *replication, uint32_t timeline, uint32_t now,
                              lsn at, bool *ret_diverged, lsn *ret_left,
                              sluice_error *err);

/* Creates or completes the publication as publication.autocreate.mode says. */
sluice_status publication_prepare(connection *query, const filter *filter,
                                  sluice_error *err);

#endif
