/* broker/log/partition_internal.h - the inside of a partition, for the files that make
 * it up and for the log directory.
 *
 * Order of locks: log_dir.lock, partition.lock, then partition.watch_lock or
 * log_dir.sync_lock. */
#ifndef SLUICE_BROKER_LOG_PARTITION_INTERNAL_H
#define SLUICE_BROKER_LOG_PARTITION_INTERNAL_H

#include "broker/log/epoch_cache.h"
#include "broker/log/hot_tail.h"
#include "broker/log/partition.h"
#include "broker/log/producer_state.h"
#include "broker/log/segment.h"
#include <pthread.h>
#include <stdatomic.h>

/* Where the batches begin that consumers must not see yet: the first acks=all append
 * that is not on disk. */
typedef struct partition_gate {
    bool closed;
    int64_t offset;
    int64_t bytes;        /* As visible_bytes. */
    int64_t segment_base; /* Where in the files it is. */
    int64_t position;
} partition_gate;

/* The newest batches, so that a reader at the tail needs no search. */
enum { PARTITION_RECENT = 32 };
typedef struct partition_recent {
    int64_t last_offset;
    int64_t position;
    int64_t size;
} partition_recent;

typedef enum partition_sync_state {
    PARTITION_SYNC_IDLE = 0,
    PARTITION_SYNC_QUEUED,
    PARTITION_SYNC_RUNNING,
    PARTITION_SYNC_AGAIN, /* Running, and wanted once more. */
} partition_sync_state;

/* More producers than these are forgotten, the oldest first. */
enum { PARTITION_PRODUCERS_MAX = 100000 };

struct partition {
    atomic_int references;
    log_dir *dir;
    char *topic;
    int32_t number;
    uuid topic_id;
    char *path;
    partition *dir_previous, *dir_next; /* log_dir.lock */
    partition *sync_next;               /* log_dir.sync_lock */

    pthread_mutex_t lock; /* Everything up to watch_lock. */
    log_config config;
    segment **segments; /* At least one; the last is appended to. */
    size_t segment_count, segment_room;
    int64_t log_start;
    int64_t
        log_start_wanted; /* Saved first, by DeleteRecords and retention; then shown. */
    int64_t log_end;
    int64_t end_bytes; /* Bytes appended since it was opened. */
    int64_t durable;   /* Below it all is on disk. */
    int32_t leader_epoch;
    epoch_cache epochs;
    producer_state producers;
    partition_recent recent[PARTITION_RECENT]; /* Of the last segment; a ring. */
    size_t recent_count;                       /* Ever; cleared by a roll. */
    hot_tail hot;
    int64_t snapshot_offset; /* The newest snapshot's; -1: there is none. */
    bool failed;             /* A sync did: no more appends until a restart. */
    bool offline;            /* Its files could not be read at the start: nothing. */
    bool refusing;           /* The disk refuses writes, as was said in the log. */
    bool uncut; /* Behind the last batch lies what was not written whole. */
    bool deleted;
    int64_t folder_changes, folder_synced; /* Of its entries; how many are on disk. */
    partition_sync_state sync_state;
    int64_t sync_end; /* Below it all is durable when the running sync is over. */
    partition_gate pending, syncing; /* `syncing` is what a running sync will open. */
    partition_wait *waits, **waits_last;
    int64_t unflushed_records;
    partition_traffic traffic; /* Without read_bytes. */

    _Atomic int64_t read_bytes; /* By consumers. */

    pthread_mutex_t watch_lock; /* What follows. */
    partition_watch watches;    /* The head of a ring. */
};

static inline segment *partition_active(const partition *self)
{
    return self->segments[self->segment_count - 1];
}

/* ---- partition_load.c
 * ---------------------------------------------------------------- */

/* Finds the files of the partition, recovers what was not closed cleanly, reads
 * producer state and epochs. On failure partition_unref() frees what there is. */
sluice_status partition_load(partition *self, sluice_error *err);

/* Writes the producer state as of log end. */
sluice_status partition_write_snapshot(partition *self, sluice_error *err);
sluice_status partition_write_epochs(partition *self, sluice_error *err);

/* ---- partition.c: under the lock
 * ------------------------------------------------------- */

/* Adds a new last segment; taken. */
void partition_add_segment(partition *self, segment *segment);

/* Cuts off what a write that did not succeed has left; SLUICE_FATAL while the disk does
 * not let it. */
sluice_status partition_cut_remains(partition *self, sluice_error *err);

/* Closes the last segment and begins one at log end. */
sluice_status partition_roll(partition *self, sluice_error *err);

/* Gives the directory a name that no partition has, as Kafka does:
 * "<topic>-<number>.<32 digits>-<suffix>". */
void partition_rename_away(const partition *self, const char *suffix);

/* The last stable offset. */
int64_t partition_stable_offset(partition *self);

/* ---- partition_read.c: under the lock ----------------------------------------------
 */

/* The number of the segment that holds `offset`, or would. */
size_t partition_segment_with(const partition *self, int64_t offset);

/* Has the indexes of a segment in memory, and its file open. */
sluice_status partition_ready_segment(partition *self, segment *segment,
                                      sluice_error *err);

/* ---- partition_sync.c
 * ------------------------------------------------------------------ */

/* Under the lock. */
int64_t partition_watermark(const partition *self, partition_gate *ret_gate);
void partition_want_sync(partition *self);

/* Whether acks=all waits for the disk here. */
bool partition_syncs(const partition *self);

/* Without the lock: tells the watches that more can be read. `always`: regardless of
 * what they want. */
void partition_wake(partition *self, int64_t visible_bytes, bool always);

/* Ends all waits with an error. Without the lock. */
void partition_cancel_waits(partition *self, int16_t error_code);

/* A sync thread's turn: brings everything to disk that was appended before. */
void partition_sync(partition *self);

/* ---- log_dir.c
 * ------------------------------------------------------------------------- */

struct log_dir {
    char *path;
    int lock_fd;
    log_disk disk;
    bool sync_none;
    bool clean;            /* The last stop was. */
    bool abandoned;        /* Nothing is to be written any more. */
    bool cache_distrusted; /* The page cache may have what the disk has not got. */
    char *cluster_id;
    int32_t node_id;
    uuid directory_id;

    atomic_size_t hot_bytes; /* Of all hot tails. */

    pthread_mutex_t lock; /* Up to sync_lock. */
    struct map *offsets;  /* "topic partition" to saved_offsets. */
    partition *partitions;
    bool clean_stop;        /* No partition failed to close. */
    bool checkpoints_stale; /* The files say something of one that was forgotten. */
    char *recovery_points_written, *log_starts_written; /* As the files are. */

    pthread_mutex_t sync_lock; /* What follows. */
    pthread_cond_t sync_wanted;
    partition *sync_first, **sync_last;
    bool stopping;
    pthread_t *threads;
    unsigned thread_count;
};

typedef struct saved_offsets {
    int64_t recovery_point; /* -1: not known. */
    int64_t log_start;      /* -1: not known. */
} saved_offsets;

/* What the checkpoints said of a partition; both -1 when nothing. */
saved_offsets log_dir_saved(log_dir *self, const char *topic, int32_t number);

void log_dir_attach(log_dir *self, partition *partition);

/* Before a partition is freed: remembers its offsets. `closed` is whether it could be
 * closed cleanly. */
void log_dir_detach(log_dir *self, partition *partition, saved_offsets offsets,
                    bool closed);

/* Forgets what the checkpoints say of it. */
void log_dir_forget(log_dir *self, const partition *partition);

/* The same, on disk too: for a partition that is made in the place of a deleted one. */
sluice_status log_dir_renew(log_dir *self, const partition *partition,
                            sluice_error *err);

/* Puts the partition, with a reference, into the queue of the sync threads. */
void log_dir_enqueue(log_dir *self, partition *partition);

#endif
