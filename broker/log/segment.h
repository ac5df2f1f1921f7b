/* broker/log/segment.h - one file of a log, with its indexes.
 *
 * `%020d.log` holds record batches back to back, as on the wire; its name is the first
 * offset it may hold. A segment knows files, positions and headers; what may be
 * appended, who may read and what is on disk is the partition's business.
 *
 * Threads: fields and functions under the partition's lock, except where a function
 * says otherwise. The file descriptor stays open as long as somebody holds a reference,
 * so a reader outlives the deletion of the file. */
#ifndef SLUICE_BROKER_LOG_SEGMENT_H
#define SLUICE_BROKER_LOG_SEGMENT_H

#include "broker/log/log_config.h"
#include "broker/log/record_batch.h"
#include "broker/log/segment_index.h"
#include <stdatomic.h>

typedef struct segment {
    atomic_int references;
    char *path; /* "<folder>/<base offset>", without suffix. */
    int64_t base_offset;
    int fd;              /* -1 until it is needed. */
    int64_t size;        /* Bytes of whole batches; the file may have more. */
    int64_t synced;      /* Of these, bytes that are on disk. */
    bool index_unsynced; /* Sealed, and the index files are not on disk yet. */
    bool loaded;         /* What follows is known. */
    segment_index index;
    int64_t next_offset;
    int64_t first_timestamp; /* Of the first batch; -1 while there is none. */
    int64_t max_timestamp;   /* -1: none. */
    int64_t max_timestamp_offset;
    int64_t bytes_since_entry;
} segment;

#define SEGMENT_NAME_SIZE 21 /* 20 digits and the NUL. */

/* A segment whose file is there with `size` bytes; nothing is read yet. Never NULL. */
segment *segment_new(const char *folder, int64_t base_offset, int64_t size);

/* Makes an empty one, with its file, whose name keeps the offset; that of offset 0 is
 * made when it is first opened, since many partitions stay empty. */
sluice_status segment_create(const char *folder, int64_t base_offset,
                             segment **ret_segment, sluice_error *err);

segment *segment_ref(segment *self); /* Any thread that holds one. */
void segment_unref(segment *self);   /* Any thread. */

/* Opens the file if it is not open. */
sluice_status segment_open(segment *self, sluice_error *err);

/* Reads the indexes and the end of the log. `ret_good` is false when the indexes are
 * not to be trusted or the file does not end with a whole batch: recover it. */
sluice_status segment_load(segment *self, bool *ret_good, sluice_error *err);

/* Told about each good batch of a scan. */
typedef void segment_visit(void *context, const record_batch_header *header);

/* Reads all of the file, makes the indexes anew, and cuts the file behind the last good
 * batch. `check_crc` false trusts the bytes of batches whose headers are possible.
 * `visit` may be NULL. */
sluice_status segment_recover(segment *self, const log_config *config, bool check_crc,
                              segment_visit *visit, void *context, sluice_error *err);

/* Notes that a batch of `size` bytes was written at `self->size`. */
void segment_note(segment *self, const record_batch_header *header,
                  int32_t index_interval_bytes);

/* No more is appended: the last time entry is made and the indexes are saved, though
 * not yet synced. */
sluice_status segment_seal(segment *self, sluice_error *err);

/* Gives file descriptor and indexes back; they are had again when they are needed. Does
 * nothing while somebody else holds the segment, or while it is not all on disk. For
 * sealed ones. */
void segment_unload(segment *self);

/* Cuts the file to `size` bytes, a batch's begin, after a write that did not succeed.
 */
sluice_status segment_cut(segment *self, int64_t size, sluice_error *err);

/* Drops what the page cache has of the file and the disk should have: it is read from
 * the disk again. Any thread; the file is open. */
void segment_forget_cache(const segment *self);

/* Removes its files; readers that hold it go on. Any thread, when no longer listed. */
void segment_delete_files(segment *self);

/* ---- Headers, one after the other --------------------------------------------------
 */

enum { SEGMENT_WINDOW_SIZE = 4096 }; /* Enough to look for one batch. */

typedef struct segment_cursor {
    int fd;
    int64_t position; /* Of the batch in `header`. */
    int64_t end;
    int64_t next;
    record_batch_header header;
    uint8_t *window; /* Bytes of the file from `window_position` on. */
    int64_t window_size, window_position, window_len;
} segment_cursor;

/* Starts at the batch at `position`; the log ends at `end`. `window` is borrowed as
 * long as the cursor is used; at least SEGMENT_WINDOW_SIZE. Any thread that holds a
 * reference; the file is open. */
void segment_cursor_init(segment_cursor *self, const segment *of, int64_t position,
                         int64_t end, void *window, size_t window_size);

typedef enum segment_step {
    SEGMENT_BATCH, /* `position` and `header` are set. */
    SEGMENT_END,
    SEGMENT_BROKEN,     /* No possible header here, or it passes the end. */
    SEGMENT_UNREADABLE, /* errno says why. */
} segment_step;

segment_step segment_cursor_next(segment_cursor *self);

#endif
