/* broker/log/segment_index.h - the two sparse indexes of a segment: offset to position,
 * and time to offset.
 *
 * On disk they are Kafka's `.index` (relative offset i32, position i32) and
 * `.timeindex` (timestamp i64, relative offset i32). Here they are arrays in memory;
 * entries that the files lack are appended to them now and then, and a scan of the log
 * makes them anew, so they are never synced.
 *
 * An offset entry holds the last offset of a batch and where this batch begins, so the
 * search for an offset starts at a batch that is not behind it.
 *
 * Threads: one at a time (the partition's lock). */
#ifndef SLUICE_BROKER_LOG_SEGMENT_INDEX_H
#define SLUICE_BROKER_LOG_SEGMENT_INDEX_H

#include <sluice/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct offset_entry {
    int32_t relative_offset, position;
} offset_entry;

typedef struct time_entry {
    int64_t timestamp; /* The largest up to here. */
    int32_t relative_offset;
} time_entry;

typedef struct segment_index {
    offset_entry *offsets;
    size_t offset_count, offset_room, offset_saved; /* Saved: in the file. */
    time_entry *times;
    size_t time_count, time_room, time_saved;
    bool files_match; /* The files hold these entries and no others. */
} segment_index;

#define OFFSET_ENTRY_SIZE 8
#define TIME_ENTRY_SIZE   12

void segment_index_done(segment_index *self);

/* Forgets all entries; the files are written anew at the next save. */
void segment_index_clear(segment_index *self);

/* Both drop an entry that does not ascend, as Kafka does. */
void segment_index_add_offset(segment_index *self, int32_t relative_offset,
                              int32_t position);
void segment_index_add_time(segment_index *self, int64_t timestamp,
                            int32_t relative_offset);

/* The position of the last entry whose offset is not above `relative_offset`; 0. */
int64_t segment_index_position(const segment_index *self, int64_t relative_offset);

/* The last entry position that is not above `position`; 0 when there is none. */
int64_t segment_index_floor(const segment_index *self, int64_t position);

/* The relative offset of the last entry whose timestamp is below `timestamp`; 0. */
int64_t segment_index_offset_before(const segment_index *self, int64_t timestamp);

/* Reads both files of the segment `path` (without suffix) of `log_size` bytes.
 * Preallocated zeros at the end are cut off. `ret_good` is false when a file is
 * missing, does not ascend or points beyond the log: then scan the log. */
sluice_status segment_index_load(segment_index *self, const char *path,
                                 int64_t log_size, bool *ret_good, sluice_error *err);

/* Appends what the files lack. */
sluice_status segment_index_save(segment_index *self, const char *path,
                                 sluice_error *err);

/* Brings the files of the segment `path` to disk, as far as that can be had: what a
 * start without a scan reads must not be older than the log. Any thread. */
void segment_index_sync(const char *path);

#endif
