/* connectors/postgres/capture.h - messages of the stream become records.
 *
 * Follows transactions and positions, keeps the tables up to date, skips what was
 * delivered before a restart, and makes the records of each change.
 *
 * Threads: a task's own. */
#ifndef SLUICE_POSTGRES_CAPTURE_H
#define SLUICE_POSTGRES_CAPTURE_H

#include "metadata.h"
#include "stream.h"

typedef struct capture {
    const postgres_config *config;
    connection *query; /* For the catalog. */
    relations *relations;
    envelope *envelope;
    metadata *metadata;
    pgoutput *decoder;
    position_writer writer;
    pg_position done; /* Behind the last change that was taken. */
    lsn offered;      /* `end` of the offset that was handed over last. */
    lsn ended;        /* Of the last transaction that gave records. */
    lsn last_end;     /* Of the transaction before, for source.sequence. */

    struct {
        bool open;
        lsn final;
        uint64_t index; /* Of the change at hand, from 1. */
        uint64_t skip;  /* Changes that were delivered before. */
        bool theirs;    /* By Debezium, which told in its own way how many. */
        uint32_t xid;
        int64_t time_us;
        pg_position last; /* Of its last record. */
    } transaction;

    uint64_t events, filtered, transactions; /* That came so far. */

    sluice_batch *out;
    sluice_arena *arena;
    sluice_record *last_record; /* Of the open transaction, in this batch; or NULL. */
    uint64_t shared;            /* Of Debezium's done.shared: not yet met. */
    pg_position debezium;       /* What it has stored; version 0 and an `event`. */
    bool skips_create, skips_update, skips_delete, skips_truncate;

    bool before_snapshot; /* What is stored now must not look like a position. */
    lsn until;    /* Not 0: the stream ends before the first transaction behind it. */
    bool reached; /* It has. */
    bool asked;   /* The server waits for a position: it stops, or knows of none. */
} capture;

void capture_init(capture *self, const postgres_config *config, const filter *captured,
                  connection *query, relations *relations, envelope *envelope);
void capture_done(capture *self);

/* From now on records go to `out`. */
void capture_begin(capture *self, sluice_batch *out);
/* Whether the batch has no room for `more` records, or is as large as is good: what is
 * still in the processor's cache is converted faster. */
bool capture_is_full(const capture *self, size_t more);
/* A new stream has begun, at `done`. */
void capture_restart(capture *self);

/* Goes on behind what is stored. */
void capture_resume(capture *self, const pg_position *stored);

/* Adds a record that only tells the position, where the server has told of one that no
 * record has: so that an idle slot does not hold the log. */
void capture_offer(capture *self);
/* Whether there is such a position. */
bool capture_has_news(const capture *self);

/* Takes one message of the stream. */
sluice_status capture_take(capture *self, stream *from, const char *message, size_t len,
                           sluice_error *err);

#endif
