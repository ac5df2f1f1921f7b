/* connectors/postgres/plan.h - what to do at the start, from what is stored and what
 * the server has.
 *
 * A pure function, so that every case can be read and tested in one place. */
#ifndef SLUICE_POSTGRES_PLAN_H
#define SLUICE_POSTGRES_PLAN_H

#include "config.h"

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
    PLAN_MISSING, /* The slot is gone, and changes with it: a person must decide. */
    PLAN_LOST,    /* The same: the server has removed what the slot needs. */
} plan;

typedef struct plan_facts {
    bool has_offset;  /* Something is stored. */
    bool in_snapshot; /* It is of a snapshot that has not ended. */
    bool slot_exists;
    bool slot_lost; /* It exists, and is of no use. */
} plan_facts;

/* `*ret_drop`: the slot is to be dropped first. */
plan plan_make(const postgres_config *config, const plan_facts *facts, bool *ret_drop);

#endif
