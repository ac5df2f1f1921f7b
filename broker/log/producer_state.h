/* broker/log/producer_state.h - what a partition knows of the producers that write to
 * it, so that a batch sent twice is stored once.
 *
 * Of each producer id: its epoch, its last five batches, and where its open transaction
 * began. A batch must follow its producer's last one without a gap in sequence numbers.
 *
 * On disk it is Kafka's `.snapshot`: as of the offset in the file's name.
 *
 * Threads: one at a time (the partition's lock). */
#ifndef SLUICE_BROKER_LOG_PRODUCER_STATE_H
#define SLUICE_BROKER_LOG_PRODUCER_STATE_H

#include "base/buffer.h"
#include "broker/log/record_batch.h"

enum { PRODUCER_BATCHES = 5 };

typedef struct producer_batch {
    int64_t last_offset;
    int32_t last_sequence;
    int32_t offset_delta; /* From the first record to the last. */
    int64_t timestamp;
} producer_batch;

typedef struct producer_entry {
    int64_t producer_id;
    int16_t epoch;
    uint8_t batch_count;
    int32_t coordinator_epoch;
    int64_t transaction_start; /* The first offset of the open one, -1: none. */
    int64_t last_timestamp;    /* Of the last batch or marker, for expiration. */
    producer_batch batches[PRODUCER_BATCHES]; /* The oldest first. */
} producer_entry;

/* A transaction whose marker is in the log but not yet below the high watermark. */
typedef struct ended_transaction {
    int64_t first_offset, marker_offset;
} ended_transaction;

typedef struct producer_state {
    producer_entry *entries; /* Open addressing; producer_id -1 is a free slot. */
    size_t count, room;      /* Room is 0 or a power of two. */
    size_t open_transactions;
    ended_transaction *ended; /* By marker. */
    size_t ended_count, ended_room;
} producer_state;

void producer_state_done(producer_state *self);
void producer_state_clear(producer_state *self);

/* The entry of a producer, or NULL. Borrowed until the next change. */
const producer_entry *producer_state_get(const producer_state *self,
                                         int64_t producer_id);

typedef enum producer_verdict {
    PRODUCER_APPEND,
    PRODUCER_DUPLICATE, /* `ret_original` is set. */
    PRODUCER_REFUSED,   /* `ret_fault` is set. */
} producer_verdict;

/* Whether a client's batch with a producer id may be appended. */
producer_verdict producer_state_check(const producer_state *self,
                                      const record_batch_header *header,
                                      producer_batch *ret_original,
                                      record_batch_fault *ret_fault);

/* Notes a batch that is in the log (`header` with its final offset): of a client, or a
 * marker. Batches without a producer id change nothing. */
void producer_state_note(producer_state *self, const record_batch_header *header);

/* Puts back what producer_state_get() gave before a note; NULL: there was none. */
void producer_state_undo(producer_state *self, int64_t producer_id,
                         const producer_entry *before);

/* The first offset of the oldest transaction that is open, or whose marker is not below
 * `watermark`; INT64_MAX when there is none. Markers below it are forgotten. */
int64_t producer_state_first_unstable(producer_state *self, int64_t watermark);

/* Forgets producers without open transaction whose last batch is older than
 * `oldest_ms`; above `count_max` also younger ones, the oldest first. */
void producer_state_expire(producer_state *self, int64_t oldest_ms, size_t count_max);

/* The bytes of a snapshot. */
void producer_state_print(const producer_state *self, buffer *ret_bytes);

/* Reads them; false, and empty, when they are not one or the CRC is wrong. */
bool producer_state_parse(producer_state *self, const void *base, size_t len);

#endif
