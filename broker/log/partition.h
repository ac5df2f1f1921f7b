/* broker/log/partition.h - one partition: a log of record batches with its watermarks.
 *
 *     log start          high watermark         log end
 *         │ readable by consumers │ appended, not yet │
 *         ▼                       ▼ shown to them     ▼
 *     ────┬───────────────────────┬───────────────────┬──── offsets
 *
 * A batch is appended by one pwritev() under the partition's lock. An append with
 * acks=all is answered when its bytes are on disk: register a partition_wait. The sync
 * threads of the log directory bring partitions to disk one after the other, and each
 * fdatasync() completes everything that was appended before it began (group commit).
 *
 * What consumers may see: an append with acks=all becomes visible when it is on disk,
 * because a record that a consumer has seen, whose offset it has committed, and whose
 * producer was promised durability must not be taken back by a crash. An append with
 * acks 0 or 1 asked for less and is visible at once, unless an acks=all append before
 * it is still on its way to the disk. A power loss (never the end of the process alone)
 * can take those back and give their offsets away again; consumers find that out as
 * they do with Apache Kafka, by the leader epoch, which is a new one after each start.
 * With log_dir_options.sync_none all are visible at once and every partition_wait is
 * over at once.
 *
 * Errors that a client is told are Kafka's codes (int16_t, 0 is NONE).
 *
 * Threads: every function may be called from any thread, unless it says otherwise. The
 * lock is held for microseconds; only partition_open(), partition_apply_retention(),
 * partition_checkpoint(), partition_delete(), partition_delete_records() and a cold
 * partition_read() touch the disk beyond the page cache. Owner: the topic set; whoever
 * keeps a partition over a return holds a partition_ref(). */
#ifndef SLUICE_BROKER_LOG_PARTITION_H
#define SLUICE_BROKER_LOG_PARTITION_H

#include "base/buffer.h"
#include "base/uuid.h"
#include "broker/log/log_config.h"
#include "broker/log/log_dir.h"
#include "broker/log/record_batch.h"
#include <sluice/error.h>
#include <stdint.h>

typedef struct partition partition;

/* Opens `<topic>-<number>` in `dir`, making it when it is not there; recovers it unless
 * `dir` was closed cleanly. `topic_id` is written into a new partition.metadata; the
 * one of an existing partition must be the same. `config` is copied. The result is the
 * caller's: one partition_unref(). SLUICE_FATAL when the disk refuses. */
sluice_status partition_open(log_dir *dir, const char *topic, int32_t number,
                             const uuid *topic_id, const log_config *config,
                             partition **ret_partition, sluice_error *err);

/* The topic id that the partition.metadata in the folder `path` gives; false when there
 * is none. */
bool partition_read_identity(const char *path, uuid *ret_topic_id);

/* The highest producer id that its records are known by; -1: none is. */
int64_t partition_producer_id_max(partition *self);

/* In the place of one that could not be opened: its files stay as they are, and whoever
 * wants to read or write gets KAFKA_STORAGE_ERROR. */
partition *partition_open_offline(log_dir *dir, const char *topic, int32_t number,
                                  const uuid *topic_id, const log_config *config);

partition *partition_ref(partition *self);
void partition_unref(partition *self); /* The last one closes the files. */

const char *partition_topic(const partition *self); /* Borrowed from the partition. */
int32_t partition_number(const partition *self);
uuid partition_topic_id(const partition *self);

/* Used from the next append on. */
void partition_set_config(partition *self, const log_config *config);

/* ---- Append ---------------------------------------------------------------------- */

typedef enum partition_origin {
    PARTITION_CLIENT = 0,  /* A Produce request: everything is checked. */
    PARTITION_COORDINATOR, /* Our own batch: control batches are allowed, no checks. */
} partition_origin;

/* One batch to append, and what came of it. */
typedef struct partition_append {
    /* In: exactly one record batch v2. The bytes are borrowed until the return and
     * changed in place: base offset, leader epoch, with LogAppendTime also the maximal
     * timestamp, attributes and CRC. When the topic's compression.type is another codec
     * the batch is compressed anew elsewhere. */
    void *base;
    size_t len;
    int16_t acks;            /* -1, 0 or 1. */
    partition_origin origin; /* Who made it. */

    /* Out. */
    int16_t error_code;         /* 0 also for a duplicate. */
    const char *error_message;  /* A constant text, or NULL. */
    int32_t error_record_count; /* Records to blame, of those the first. */
    int32_t error_records[RECORD_FAULTS_MAX]; /* From 0 on. */
    bool duplicate;                           /* Was there already: nothing written. */
    int64_t base_offset;      /* -1 with an error; a duplicate's original one. */
    int64_t next_offset;      /* Durable when all below is: for partition_wait. */
    int64_t log_append_time;  /* -1 unless the topic says LogAppendTime. */
    int64_t log_start_offset; /* -1 with an error. */

    /* The partition's: what is written, the caller's bytes or others that were made of
     * them because the topic wants another compression. */
    uint8_t *written;
    size_t written_len;
    buffer remade;
} partition_append;

/* Appends `count` batches in this order, each for itself: one that is refused has its
 * error and the others go on. One pwritev() writes all that are good. `now_ms` is
 * milliseconds since 1970. */
void partition_append_batches(partition *self, partition_append *appends, size_t count,
                              int64_t now_ms);

/* ---- Durability ------------------------------------------------------------------ */

typedef struct partition_wait partition_wait;
struct partition_wait {
    /* Called once, without locks held, from a sync thread or from partition_delete():
     * error_code 0 when everything below `offset` is on disk, KAFKA_STORAGE_ERROR (56)
     * when the disk failed (the partition takes no more appends),
     * NOT_LEADER_OR_FOLLOWER (6) when the partition was deleted. It must be quick: note
     * it and wake a loop. */
    void (*done)(partition_wait *self, int16_t error_code);
    int64_t offset;       /* Set by partition_wait_durable(). */
    partition_wait *next; /* The partition's. */
};

/* Registers `wait`, which must live until its done() was called. Returns false when
 * everything below `offset` is on disk already (or sync is off): done() will not be
 * called. A partition whose disk failed calls done() before the return. There is no
 * cancelling: whoever waits for a connection that closed keeps `wait` until done(). */
bool partition_wait_durable(partition *self, partition_wait *wait, int64_t offset);

/* ---- Read ------------------------------------------------------------------------ */

typedef enum partition_bound {
    PARTITION_HIGH_WATERMARK = 0, /* read_uncommitted */
    PARTITION_LAST_STABLE,        /* read_committed */
    PARTITION_LOG_END,            /* The broker's own replay. */
} partition_bound;

/* A run of bytes: in memory when `base` is set, otherwise in a file. */
typedef struct partition_slice {
    const void *base;
    int fd;
    int64_t position;
    size_t len;
} partition_slice;

#define PARTITION_SLICES_MAX 2

/* Whole batches, ready to be sent unchanged. */
typedef struct partition_data {
    int16_t error_code; /* 1 OFFSET_OUT_OF_RANGE, 56 KAFKA_STORAGE_ERROR, 6 deleted. */
    int64_t high_watermark;
    int64_t last_stable_offset;
    int64_t log_start_offset;
    int64_t visible_bytes;  /* As in partition_watch; taken together with the data. */
    size_t available_bytes; /* From the first batch on to the bound, in this segment. */
    bool segment_ends;      /* There are no more in this segment, but in the next. */
    size_t bytes;           /* The sum of the slices. */
    size_t slice_count;
    partition_slice slices[PARTITION_SLICES_MAX];
    void *file; /* The partition's: what keeps slices valid; one of the two. */
    void *blocks[PARTITION_SLICES_MAX];
} partition_data;

/* Finds the batches from the one that contains `offset` on, up to `bound` and about
 * `max_bytes`: never a broken batch, and always the first batch if `first_whole`,
 * however large; otherwise nothing when the first is larger than `max_bytes`. An answer
 * does not cross into another segment: read on from there. An `offset` equal to the
 * bound gives no bytes and no error. The slices are valid until partition_data_done(),
 * which is called for every partition_data that was filled. */
void partition_read(partition *self, int64_t offset, size_t max_bytes, bool first_whole,
                    partition_bound bound, partition_data *ret_data);
void partition_data_done(partition_data *data);

/* Copies `data->bytes` bytes to `ret_bytes`. SLUICE_FATAL when the file cannot be
 * read. */
sluice_status partition_data_copy(const partition_data *data, void *ret_bytes,
                                  sluice_error *err);

/* A parked fetch: tells a network loop that more can be read.
 *
 * wake() is called, from any thread, whenever visible bytes grow to `wanted_bytes` or
 * more, and when the partition is deleted, fails, or its log start moves; again at each
 * such event until partition_unwatch(). It runs inside the partition: it must not call
 * any partition function and not block; it puts its fetch on its loop's list and wakes
 * the loop. */
typedef struct partition_watch partition_watch;
struct partition_watch {
    void (*wake)(partition_watch *self);
    int64_t wanted_bytes; /* Set before partition_watch_add(); compare visible_bytes. */
    partition_watch *previous, *next; /* The partition's. */
};

/* `visible_bytes` of a read + missing bytes = `wanted_bytes`. Returns whether they are
 * there already, or the partition is deleted, since the read: the watch stands all the
 * same, but an event that came before it may not wake it. It is borrowed until
 * partition_watch_remove(), after whose return wake() neither runs nor will. Removing
 * one that was not added (both links NULL) does nothing. */
bool partition_watch_add(partition *self, partition_watch *watch);
void partition_watch_remove(partition *self, partition_watch *watch);

/* ---- Offsets and epochs ---------------------------------------------------------- */

int64_t partition_log_start_offset(partition *self);
int64_t partition_high_watermark(partition *self);
int64_t partition_last_stable_offset(partition *self);
int64_t partition_log_end_offset(partition *self);

/* The epoch of this leadership: one more with each open. */
int32_t partition_leader_epoch(partition *self);

/* OffsetForLeaderEpoch: the largest epoch not above `epoch` and where it ends. When all
 * known ones are above: `epoch` itself and where the first of them begins. -1 and -1
 * for -1 and for an epoch that has not come yet. */
void partition_epoch_end(partition *self, int32_t epoch, int32_t *ret_epoch,
                         int64_t *ret_end_offset);

typedef struct partition_offset {
    int16_t error_code;
    int64_t offset;    /* -1: there is none. */
    int64_t timestamp; /* -1 unless it was found by timestamp or is the maximal one. */
    int32_t leader_epoch;
} partition_offset;

#define PARTITION_LATEST        (-1)
#define PARTITION_EARLIEST      (-2)
#define PARTITION_MAX_TIMESTAMP (-3)

/* ListOffsets: the first offset whose timestamp is at least `timestamp`, or one of the
 * three above. */
void partition_find_offset(partition *self, int64_t timestamp, partition_bound bound,
                           partition_offset *ret_offset);

/* DeleteRecords: raises the log start to `offset` (-1: the high watermark), on disk
 * before the return: readers are never shown again what they were told is gone. Of one
 * partition by one thread at a time: the one for slow requests. Returns
 * Kafka's error code; `ret_low_watermark` is the log start afterwards. */
int16_t partition_delete_records(partition *self, int64_t offset,
                                 int64_t *ret_low_watermark);

/* The directory that it lies in; borrowed. */
log_dir *partition_dir(const partition *self);

typedef struct partition_producer {
    int64_t producer_id;
    int16_t epoch;
    int32_t last_sequence; /* -1: none yet. */
    int64_t last_timestamp;
    int32_t coordinator_epoch;
    int64_t transaction_start; /* -1: no transaction is open. */
} partition_producer;

/* Who wrote with a producer id and is not forgotten yet, for DescribeProducers. The
 * array is the caller's: free(). */
partition_producer *partition_producers(partition *self, size_t *ret_count);

/* What went in and out since it was opened. */
typedef struct partition_traffic {
    int64_t appended_bytes, appended_records;
    int64_t appends, refused_appends; /* Batches. */
    int64_t read_bytes;               /* By consumers. */
} partition_traffic;

/* What monitoring shows of a partition, taken at once. */
typedef struct partition_measures {
    partition_traffic traffic;
    int64_t log_start, log_end, bytes;
    size_t segments;
    bool offline; /* Its disk failed. */
} partition_measures;

void partition_measure(partition *self, partition_measures *ret_measures);

/* Bytes of all segments, for DescribeLogDirs. */
int64_t partition_size(partition *self);

/* ---- Background ------------------------------------------------------------------ */

/* Rolls a segment whose time is over and deletes what retention.ms, retention.bytes and
 * the log start no longer keep. Returns the number of segments deleted. The background
 * thread calls it each log.retention.check.interval.ms. */
size_t partition_apply_retention(partition *self, int64_t now_ms);

/* When, in milliseconds since 1970, that has something to do again if nothing is
 * appended meanwhile; 0: soon, INT64_MAX: never. */
int64_t partition_retention_due(partition *self);

/* Unlinks files that were deleted `file.delete.delay.ms` ago, forgets idle producers,
 * writes pending index entries, gives files and indexes of old segments back. Called
 * each log.flush.offset.checkpoint.interval.ms while the broker is used. */
void partition_checkpoint(partition *self, int64_t now_ms);

/* Takes the partition away from its users (reads, appends and waits get
 * NOT_LEADER_OR_FOLLOWER) and its directory from the disk. References stay valid. */
void partition_delete(partition *self);

#endif
