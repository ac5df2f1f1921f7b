/* connectors/postgres/plan.h - what to do at the start, from what is stored and what
 * the server has.
 *
 * A pure function, so that every case can be read and tested in one place. */
#ifndef SLUICE_POSTGRES_PLAN_H
#define SLUICE_POSTGRES_PLAN_H

#include "config.h"
#include "lsn.h"

typedef enum plan {
    PLAN_STREAM,       /* From the stored position, or from where the slot stands. */
    PLAN_STREAM_NEW,   /* Create the slot, and stream from there. */
    PLAN_SNAPSHOT_NEW, /* Create the slot, read its snapshot, stream behind it. */
    /* There is a slot, so an earlier run may have delivered rows: stream up to a new
     * snapshot, deliver that, go on behind it. So a row that was delivered then and is
     * gone now gets its delete, and nothing goes back in time. */
    PLAN_SNAPSHOT_AGAIN,
    PLAN_SNAPSHOT_ONLY, /* A snapshot, without a slot that stays; then nothing. */
    PLAN_NOTHING,       /* All was done before. */
    /* A person must decide, for changes are lost: */
    PLAN_MISSING,  /* The slot is gone. */
    PLAN_LOST,     /* The server has removed what the slot needs. */
    PLAN_GAP,      /* The slot stands behind the stored position. */
    PLAN_DIVERGED, /* The stored position is of a log that the server has not. */
} plan;

typedef struct plan_facts {
    bool has_offset;  /* Something is stored. */
    bool in_snapshot; /* It is of a snapshot that has not ended. */
    bool slot_exists;
    bool slot_lost; /* It exists, and is of no use. */
    bool gap;       /* It stands behind the stored position, which must not be. */
    bool diverged;
    bool resumes; /* It has streamed before, and goes on after a lost connection. */
} plan_facts;

/* `*ret_drop`: the slot is to be dropped first. */
plan plan_make(const postgres_config *config, const plan_facts *facts, bool *ret_drop);

/* Where to go on by offset.mismatch.strategy, from the stored position and the slot's:
 * `*ret_refused` where the slot's is behind it and the strategy does not allow it.
 * `known` is the last position that the slot can have been told, 0: that cannot be
 * said, because Debezium stored the position. */
lsn plan_begin(const postgres_config *config, lsn stored, lsn known, lsn slot,
               bool *ret_refused);

#endif
