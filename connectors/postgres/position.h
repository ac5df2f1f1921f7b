/* connectors/postgres/position.h - how far the stream was read, and how far the server
 * may forget it.
 *
 * A change's own position in the log orders nothing: many changes share one, and those
 * of a transaction that began early come late. Only the start of its commit record and
 * its number within the transaction do. So a record's offset says: all transactions
 * that end before `end` are done, and of the one whose commit starts at `commit`, the
 * first `index` changes.
 *
 *     stream   [B c c C]  [B c c c c C]  [B c ...
 *                      ^end     ^ index = 2 of the transaction at `commit`
 *
 * After a restart the stream begins at `end`, unchanged; then the first `index` changes
 * of the transaction at `commit` are skipped, and all of those before it.
 *
 * What the server may forget is another matter: the end of the last transaction of
 * which every record is stored in Kafka. The ledger knows the ends that stored offsets
 * do not yet tell.
 *
 * Threads: a task's own. */
#ifndef SLUICE_POSTGRES_POSITION_H
#define SLUICE_POSTGRES_POSITION_H

#include "lsn.h"
#include <sluice/value.h>

typedef struct pg_position {
    lsn end;        /* Where to start the stream; 0: where the slot stands. */
    lsn commit;     /* Of the transaction that the last change belongs to. */
    uint64_t index; /* Its changes that are done, counted as decoded. */
    lsn event;      /* Of the last change: for Debezium's key `lsn`. */
    uint32_t xid;
    int64_t time_us;     /* Of the commit. */
    bool in_snapshot;    /* The snapshot has not ended: none of the above counts. */
    bool after_snapshot; /* The last record of a snapshot. */
} pg_position;

/* Whether `one` is at or before `other`. */
bool position_reached(const pg_position *one, const pg_position *other);

/* --- As offsets, with Debezium's keys where they mean the same. --- */

/* The keys as values, and what is the same in every offset: made once. */
typedef struct position_writer {
    const sluice_value *names[16];
    const sluice_value *slot;
    const sluice_value *version;
    const sluice_value *system; /* The server's identity, or NULL. */
} position_writer;

void position_writer_init(position_writer *self, sluice_arena *arena, const char *slot,
                          const char *system);

const sluice_value *position_write(const position_writer *self, sluice_arena *arena,
                                   const pg_position *position);

/* Reads an offset, Debezium's own too: of one without our keys only `end` is known, and
 * the transaction it was in comes again. False: it is no offset of this kind. */
bool position_read(const sluice_value *offset, pg_position *ret_position);

/* The identity of the server that an offset was written for, or NULL. */
const sluice_value *position_system(const sluice_value *offset);

/* --- What the server may forget. --- */

enum { LEDGER_SIZE = 1024 };

/* Transactions whose records may not be stored yet, oldest first. When it is full, the
 * two newest become one, which only makes the server keep more. */
typedef struct ledger {
    struct {
        pg_position last; /* Of its last record. */
        lsn end;
    } items[LEDGER_SIZE];
    size_t first, count;
    lsn flush;          /* All before it is stored. */
    pg_position stored; /* Of the last record that is. */
} ledger;

/* A transaction has ended at `end`; `last` is the position of its last record, NULL
 * where it gave none. */
void ledger_ended(ledger *self, const pg_position *last, lsn end);
/* The server says that everything before `end` was sent; outside of transactions. */
void ledger_idle(ledger *self, lsn end);
/* All records up to `done` are stored. */
void ledger_stored(ledger *self, const pg_position *done);

#endif
