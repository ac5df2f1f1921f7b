/* broker/log/record_batch.h - Kafka's record batch, format v2: read, check, change in
 * place, and make.
 *
 *     0 baseOffset i64          21 attributes i16        43 producerId i64
 *     8 batchLength i32         23 lastOffsetDelta i32   51 producerEpoch i16
 *    12 partitionLeaderEpoch    27 baseTimestamp i64     53 baseSequence i32
 *    16 magic i8, 17 crc u32    35 maxTimestamp i64      57 recordCount i32, 61 records
 *
 * The CRC covers byte 21 to the end, so offset and leader epoch are set without
 * touching it. Everything is big-endian; lengths inside records are zig-zag varints.
 *
 * Bytes come from clients and from disks: nothing here trusts them.
 * Threads: any; no state. */
#ifndef SLUICE_BROKER_LOG_RECORD_BATCH_H
#define SLUICE_BROKER_LOG_RECORD_BATCH_H

#include "broker/log/log_config.h"
#include <sluice/arena.h>
#include <sluice/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECORD_BATCH_HEADER_SIZE 61
#define RECORD_BATCH_PREFIX_SIZE 12 /* Before what batchLength counts. */

#define RECORD_BATCH_CODEC_MASK      0x07
#define RECORD_BATCH_LOG_APPEND_TIME 0x08
#define RECORD_BATCH_TRANSACTIONAL   0x10
#define RECORD_BATCH_CONTROL         0x20
#define RECORD_BATCH_DELETE_HORIZON  0x40

typedef struct record_batch_header {
    int64_t base_offset;
    int32_t batch_length;
    int32_t leader_epoch;
    int8_t magic;
    uint32_t crc;
    int16_t attributes;
    int32_t last_offset_delta;
    int64_t base_timestamp;
    int64_t max_timestamp;
    int64_t producer_id;
    int16_t producer_epoch;
    int32_t base_sequence;
    int32_t record_count;
} record_batch_header;

/* Reads the 61 bytes at `base`, whatever they say. */
void record_batch_read_header(const void *base, record_batch_header *ret_header);

/* Bytes of the whole batch. */
static inline int64_t record_batch_size(const record_batch_header *header)
{
    return (int64_t)header->batch_length + RECORD_BATCH_PREFIX_SIZE;
}

static inline int64_t record_batch_last_offset(const record_batch_header *header)
{
    return header->base_offset + header->last_offset_delta;
}

/* Whether `header` can be one of a batch of at most `size_max` bytes in a log: magic 2,
 * a possible length, counts and codec. */
bool record_batch_header_possible(const record_batch_header *header, int64_t size_max);

/* Whether the CRC of the whole batch at `base`, of `size` bytes, is right. */
bool record_batch_crc_right(const void *base, size_t size);

/* Writes the 61 bytes, the CRC as `header` says. */
void record_batch_write_header(void *base, const record_batch_header *header);

/* ---- Change in place ---------------------------------------------------------------
 */

void record_batch_set_offset(void *base, int64_t base_offset, int32_t leader_epoch);

/* LogAppendTime: sets the attribute and the maximal timestamp, and a new CRC. */
void record_batch_set_append_time(void *base, size_t size, int64_t now_ms);

/* Computes and sets the CRC. */
void record_batch_set_crc(void *base, size_t size);

/* Sets the maximal timestamp, and a new CRC. */
void record_batch_set_max_timestamp(void *base, size_t size, int64_t max_timestamp);

/* ---- Check a produced batch --------------------------------------------------------
 */

/* Of the records to blame so many are named; Produce answers a list of them. */
enum { RECORD_FAULTS_MAX = 64 };

typedef struct record_batch_fault {
    int16_t error_code;   /* Kafka's. */
    const char *message;  /* A constant text. */
    int32_t record;       /* The first record to blame, from 0, or -1. */
    int32_t record_count; /* Of `records`: 0 when it is no fault of single records. */
    int32_t records[RECORD_FAULTS_MAX];
} record_batch_fault;

/* Checks all that Kafka checks of a batch that a producer sent: one batch and nothing
 * after it, lengths, CRC, counts, producer fields, timestamps, codec, and each record
 * inside. The records of a compressed batch are decompressed as a stream, up to
 * config->decompressed_bytes_max. Returns whether it is good; otherwise `ret_fault`
 * says why: a batch whose records are sound, but some have no key or a timestamp that
 * the topic does not accept, is refused with a list of these. `ret_max_timestamp` gets
 * the largest timestamp of the records, or what the header says when records are not
 * looked into. */
bool record_batch_check(const void *base, size_t size, const log_config *config,
                        int64_t now_ms, int64_t *ret_max_timestamp,
                        record_batch_fault *ret_fault);

/* ---- Read records ------------------------------------------------------------------
 */

typedef struct log_record {
    int64_t offset;
    int64_t timestamp;
    sluice_bytes key;   /* base NULL: null. */
    sluice_bytes value; /* base NULL: null. */
    int32_t header_count;
    sluice_bytes headers; /* As they stand in the batch, for record_next_header(). */
} log_record;

typedef struct record_reader {
    record_batch_header header;
    const uint8_t *at, *end;
    int32_t read;
} record_reader;

/* Starts at the first record of the whole batch at `base`, whose header was checked.
 * Compressed records are decompressed into `arena`, up to `decompressed_bytes_max`.
 * SLUICE_BAD_RECORD when they cannot be. Bytes of records are borrowed from `base` or
 * `arena`. */
sluice_status record_reader_init(record_reader *self, const void *base, size_t size,
                                 sluice_arena *arena, size_t decompressed_bytes_max,
                                 sluice_error *err);

/* The next record. `ret_done` when there is none. SLUICE_BAD_RECORD when the bytes are
 * broken. */
sluice_status record_reader_next(record_reader *self, log_record *ret_record,
                                 bool *ret_done, sluice_error *err);

/* Takes the first header from `headers`; false when there is none left. */
bool record_next_header(sluice_bytes *headers, sluice_bytes *ret_key,
                        sluice_bytes *ret_value);

/* ---- Make --------------------------------------------------------------------------
 */

/* A batch in the making, uncompressed, with base offset 0. */
typedef struct record_batch_writer {
    uint8_t *base; /* Grows; freed by record_batch_writer_done(). */
    size_t size, room;
    record_batch_header header;
} record_batch_writer;

/* An empty batch that records are put into at once or later. `header` sets attributes,
 * producer id, epoch and sequence; NULL: none of those. */
void record_batch_writer_init(record_batch_writer *self,
                              const record_batch_header *header);
void record_batch_writer_done(record_batch_writer *self);

/* Puts a record in, behind the others; key or value with base NULL are null. */
void record_batch_writer_add(record_batch_writer *self, int64_t timestamp,
                             sluice_bytes key, sluice_bytes value);

/* Writes header and CRC; `self->base` and `self->size` are then the batch, ready for
 * partition_append_batches(). At least one record was added. */
void record_batch_writer_finish(record_batch_writer *self);

/* The marker that ends a transaction: 78 bytes. `commit` or abort. */
#define RECORD_BATCH_MARKER_SIZE 78
void record_batch_write_marker(void *ret_base, bool commit, int64_t timestamp,
                               int64_t producer_id, int16_t producer_epoch,
                               int32_t coordinator_epoch);

#endif
