/* connectors/postgres/envelope.h - changes as records, in Debezium's envelope.
 *
 * What is the same for all records (names, operations, the version) is made once; what
 * is the same for a transaction once per transaction and batch; what is left is made
 * per record, all in the batch's arena.
 *
 * Threads: a task's own. */
#ifndef SLUICE_POSTGRES_ENVELOPE_H
#define SLUICE_POSTGRES_ENVELOPE_H

#include "position.h"
#include "relation.h"
#include <sluice/record.h>

/* source.snapshot, in Debezium's words. */
typedef enum snapshot_mark {
    MARK_FALSE,
    MARK_TRUE,
    MARK_FIRST,
    MARK_FIRST_IN_TABLE,
    MARK_LAST_IN_TABLE,
    MARK_LAST,
    SNAPSHOT_MARKS,
} snapshot_mark;

typedef struct envelope envelope;

/* `task_number` is for the headers __debezium.context.*. */
envelope *envelope_new(const postgres_config *config, int task_number);
void envelope_free(envelope *self); /* NULL is accepted. */

/* For relations_new(): they live as long as the envelope. */
const sluice_schema *envelope_source_schema(const envelope *self);
const sluice_schema *envelope_block_schema(const envelope *self);

/* From now on records go to `batch`, which is empty. */
void envelope_begin(envelope *self, sluice_batch *batch);
/* The time that the next records are processed at, microseconds since 1970. */
void envelope_clock(envelope *self, int64_t now_us);
/* The transaction of the next records. `last_end` is the end of the one before. */
void envelope_transaction(envelope *self, uint32_t xid, int64_t time_us, lsn last_end);

/* A change, ready to become a record. */
typedef struct pg_change {
    const pg_relation *relation;
    char op; /* c, u, d, r or t */
    snapshot_mark mark;
    lsn event;
    const sluice_value *before, *after; /* Rows, or NULL. */
    const sluice_value *key;            /* Or NULL. */
    const sluice_value *block;          /* Of the transaction, or NULL. */
    const sluice_value *offset;         /* The position behind it. */
} pg_change;

/* Adds the record of a change. */
sluice_record *envelope_add(envelope *self, const pg_change *change);
/* Adds the record that makes a compacted topic forget `key`. */
sluice_record *envelope_add_tombstone(envelope *self, const pg_relation *relation,
                                      const sluice_value *key,
                                      const sluice_value *offset);
/* Adds a header with a key: "__debezium.newkey" or "__debezium.oldkey". */
void envelope_link(sluice_record *record, const char *name, const pg_relation *relation,
                   const sluice_value *key);
/* Adds the headers __debezium.context.*, which come last, where they are wanted. */
void envelope_finish(envelope *self, sluice_record *record);
/* A record that is not of a row. */
typedef struct pg_other {
    const char *topic; /* Lives longer than the batch. */
    const sluice_schema *key_schema, *value_schema;
    const sluice_value *key, *value;
    const sluice_value *offset;
} pg_other;
sluice_record *envelope_add_other(envelope *self, const pg_other *other);

/* The source block of a change, which may be altered. */
sluice_value *envelope_source(envelope *self, const pg_change *change);
/* When the transaction was committed, and when records are processed, milliseconds. */
const sluice_value *envelope_commit_ms(envelope *self);
const sluice_value *envelope_now_ms(envelope *self);
/* Where new values of the batch live. */
sluice_arena *envelope_arena(const envelope *self);

/* Adds a heartbeat. */
void envelope_add_heartbeat(envelope *self, const sluice_value *offset);

/* {"server": topic.prefix}: what offsets are stored under. */
const sluice_value *envelope_partition(const envelope *self);

#endif
