/* broker/log/epoch_cache.h - which leader epoch began at which offset.
 *
 * The file `leader-epoch-checkpoint` is Kafka's: "0", the number of entries, then a
 * line "epoch startOffset" each.
 *
 * Threads: one at a time (the partition's lock). */
#ifndef SLUICE_BROKER_LOG_EPOCH_CACHE_H
#define SLUICE_BROKER_LOG_EPOCH_CACHE_H

#include "base/buffer.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct epoch_entry {
    int32_t epoch;
    int64_t start_offset;
} epoch_entry;

typedef struct epoch_cache {
    epoch_entry *entries; /* Both fields ascend. */
    size_t count, room;
} epoch_cache;

void epoch_cache_done(epoch_cache *self);

/* Reads the file's text; false, and empty, when it is not one. */
bool epoch_cache_parse(epoch_cache *self, const char *text, size_t len);
void epoch_cache_print(const epoch_cache *self, buffer *ret_text);

/* The newest epoch, -1 when there is none. */
int32_t epoch_cache_latest(const epoch_cache *self);

/* Notes that `epoch` begins at `start_offset`; entries that contradict it go. An epoch
 * that is known already is left. Returns whether anything changed. */
bool epoch_cache_assign(epoch_cache *self, int32_t epoch, int64_t start_offset);

/* Forgets what is at or above `end_offset`. */
void epoch_cache_truncate_end(epoch_cache *self, int64_t end_offset);

/* Forgets what ends at or below `start_offset`; the first one left begins there. */
void epoch_cache_truncate_start(epoch_cache *self, int64_t start_offset);

/* The largest epoch not above `epoch`, and where it ends: at the next one's start, or
 * at `log_end`. When there is none: `epoch`, and where the first one begins. */
void epoch_cache_end_of(const epoch_cache *self, int32_t epoch, int64_t log_end,
                        int32_t *ret_epoch, int64_t *ret_end_offset);

/* The epoch of the record at `offset`; -1 when it is not known. */
int32_t epoch_cache_of_offset(const epoch_cache *self, int64_t offset);

#endif
