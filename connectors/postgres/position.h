/* connectors/postgres/position.h - how far the stream was read, as offsets tell it.
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
 * The server may forget what is before the `end` of the last stored offset, and nothing
 * else: so a slot that stands behind that was moved by somebody, or made anew.
 *
 * Offsets carry Debezium's names too, for its connector to go on behind `end`:
 * `lsn_proc` and `lsn_commit` are both `end`, and `messageType` says that all before it
 * is whole. Its own offsets name the last change by its position in the log, the first
 * of the session without `lsn_commit`, and know no number; where changes share that
 * position, those behind the first are delivered again.
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

    /* Of an offset that was read. */
    int version;       /* Which Sluice wrote it: 1, 2; 0: Debezium did. */
    uint32_t timeline; /* Of the server then; 0: not told. */
    /* Debezium's: of transaction `xid`, which commits at `time_us`, all changes before
     * `event` are done, and the first `shared` of those at it. */
    uint64_t shared;
} pg_position;

/* Whether `one` is at or before `other`. */
bool position_reached(const pg_position *one, const pg_position *other);

/* --- As offsets, with Debezium's keys where they mean the same. --- */

/* The keys as values, and what is the same in every offset: made once. */
typedef struct position_writer {
    const sluice_value *names[16];
    const sluice_value *slot, *version, *whole, *initial;
    const sluice_value *system; /* The server's identity, or NULL. */
    const sluice_value *timeline;
} position_writer;

void position_writer_init(position_writer *self, sluice_arena *arena, const char *slot,
                          const char *system, uint32_t timeline);

const sluice_value *position_write(const position_writer *self, sluice_arena *arena,
                                   const pg_position *position);

/* Reads an offset, Debezium's own too. False: it is no offset of this kind. */
bool position_read(const sluice_value *offset, pg_position *ret_position);

/* The identity of the server that an offset was written for, or NULL. */
const sluice_value *position_system(const sluice_value *offset);

#endif
