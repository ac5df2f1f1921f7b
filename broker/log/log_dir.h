/* broker/log/log_dir.h - one directory of `log.dirs`: its lock, its checkpoints, and
 * the threads that bring its partitions to disk.
 *
 *     DIR/.lock                               one broker at a time
 *     DIR/meta.properties                     which cluster, which node, which
 * directory DIR/.kafka_cleanshutdown                there only after a clean stop
 *     DIR/recovery-point-offset-checkpoint    below it a partition is on disk
 *     DIR/log-start-offset-checkpoint         what DeleteRecords and retention left
 *     DIR/<topic>-<partition>/                a partition
 *
 * Formats are Kafka's: its tools read them, and a directory can be moved in or out.
 *
 * Threads: log_dir_open() and log_dir_close() one; the others any. */
#ifndef SLUICE_BROKER_LOG_LOG_DIR_H
#define SLUICE_BROKER_LOG_LOG_DIR_H

#include <sluice/error.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

typedef struct log_dir log_dir;

/* What writes and syncs segments; a test puts its own here to fail or to wait. They
 * return 0 or an errno. */
typedef struct log_disk {
    int (*write)(int fd, const struct iovec *pieces, int count, int64_t position);
    int (*sync)(int fd); /* fdatasync() */
} log_disk;

extern const log_disk log_disk_real;

typedef struct log_dir_options {
    const log_disk *disk; /* NULL: the real one. */
    int32_t node_id;
    const char *cluster_id; /* NULL: that of meta.properties, or a new one. */
    unsigned sync_threads;  /* 0: 2. */
    bool sync_none;         /* acks.all.sync=none: acks=all does not wait for the disk,
                                       except in a partition with log_config.sync_always. */
} log_dir_options;

/* Opens `path`, making it when it is not there. Statuses: SLUICE_BAD_CONFIG when it is
 * in use, belongs to another cluster or node, or is no directory; SLUICE_FATAL when the
 * disk refuses. */
sluice_status log_dir_open(const char *path, const log_dir_options *options,
                           log_dir **ret_dir, sluice_error *err);

/* Writes checkpoints and the mark of a clean stop. All partitions are released before:
 * a partition that is not makes it an unclean one. NULL is accepted. */
void log_dir_close(log_dir *self);

/* From now on closing writes nothing: partitions and directory that are released leave
 * the disk as kill -9 would. For tests. */
void log_dir_abandon(log_dir *self);

const char *log_dir_path(const log_dir *self);       /* Absolute; borrowed. */
const char *log_dir_cluster_id(const log_dir *self); /* Borrowed. */

/* Whether the last stop was clean, so that partitions were not scanned. */
bool log_dir_was_clean(const log_dir *self);

/* Removes the directories of partitions that were deleted ("…-delete"): the space comes
 * back when the last reader lets go of the files. By the background thread. */
void log_dir_remove_deleted(log_dir *self);

/* Writes the checkpoints of all partitions: each minute, by the background thread. */
sluice_status log_dir_checkpoint(log_dir *self, sluice_error *err);

/* Of them only log-start-offset-checkpoint: what DeleteRecords has taken away stays
 * away. */
sluice_status log_dir_checkpoint_log_starts(log_dir *self, sluice_error *err);

#endif
