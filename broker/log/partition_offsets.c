/* broker/log/partition_offsets.c - offsets by time. */
#include "base/memory.h"
#include "broker/log/file.h"
#include "broker/log/partition_internal.h"
#include "protocol/error_code.h"

#include <stdlib.h>

/* Where the search begins: a segment, referenced, and a position in it. */
typedef struct time_plan {
    segment *segment;
    int64_t position, limit;
} time_plan;

static int16_t plan_from(partition *self, size_t number, int64_t timestamp,
                         time_plan *plan)
{
    segment *which = self->segments[number];
    int64_t relative = segment_index_offset_before(&which->index, timestamp);
    plan->segment = segment_ref(which);
    plan->position = segment_index_position(&which->index, relative);
    plan->limit = which->size;
    return ERROR_NONE;
}

/* The first segment that has a record at or after `timestamp`. Under the lock. */
static int16_t plan_time(partition *self, int64_t timestamp, time_plan *plan)
{
    for (size_t i = partition_segment_with(self, self->log_start);
         i < self->segment_count; i++) {
        if (partition_ready_segment(self, self->segments[i], NULL) != SLUICE_OK) {
            return ERROR_KAFKA_STORAGE_ERROR;
        }
        if (self->segments[i]->max_timestamp >= timestamp) {
            return plan_from(self, i, timestamp, plan);
        }
    }
    return ERROR_NONE;
}

static int16_t plan_max(partition *self, time_plan *plan, int64_t *ret_timestamp)
{
    size_t best = self->segment_count;
    for (size_t i = partition_segment_with(self, self->log_start);
         i < self->segment_count; i++) {
        const segment *each = self->segments[i];
        if (partition_ready_segment(self, self->segments[i], NULL) != SLUICE_OK) {
            return ERROR_KAFKA_STORAGE_ERROR;
        }
        if (each->max_timestamp >= 0 &&
            (best == self->segment_count ||
             each->max_timestamp > self->segments[best]->max_timestamp)) {
            best = i;
        }
    }
    if (best == self->segment_count) {
        return ERROR_NONE;
    }
    *ret_timestamp = self->segments[best]->max_timestamp;
    return plan_from(self, best, *ret_timestamp, plan);
}

/* The first record of the batch at or after `timestamp` and `offset_min`. */
static bool find_in_batch(const uint8_t *batch, size_t size, int64_t timestamp,
                          int64_t offset_min, size_t decompressed_bytes_max,
                          partition_offset *ret_offset)
{
    sluice_arena *arena = sluice_arena_new();
    record_reader reader;
    log_record each;
    bool done = false, found = false;
    sluice_status status =
        record_reader_init(&reader, batch, size, arena, decompressed_bytes_max, NULL);
    while (status == SLUICE_OK && !found) {
        status = record_reader_next(&reader, &each, &done, NULL);
        if (status != SLUICE_OK || done) {
            break;
        }
        found = each.timestamp >= timestamp && each.offset >= offset_min;
    }
    if (found) {
        ret_offset->offset = each.offset;
        ret_offset->timestamp = each.timestamp;
        ret_offset->leader_epoch = reader.header.leader_epoch;
    }
    sluice_arena_free(arena);
    return found;
}

/* Returns whether the record was found in the batch that `cursor` is at. */
static bool look_into(const segment_cursor *cursor, int64_t timestamp,
                      int64_t offset_min, size_t decompressed_bytes_max,
                      partition_offset *ret_offset)
{
    size_t size = (size_t)record_batch_size(&cursor->header);
    uint8_t *batch = malloc(size);
    bool found = false;
    if (batch == NULL ||
        file_read_at(cursor->fd, batch, size, cursor->position) != (int64_t)size) {
        ret_offset->error_code = ERROR_KAFKA_STORAGE_ERROR;
    } else {
        found = find_in_batch(batch, size, timestamp, offset_min,
                              decompressed_bytes_max, ret_offset);
    }
    free(batch);
    return found;
}

static void search(const time_plan *plan, int64_t timestamp, int64_t offset_min,
                   size_t decompressed_bytes_max, partition_offset *ret_offset)
{
    uint8_t window[SEGMENT_WINDOW_SIZE];
    segment_cursor cursor;
    segment_step step;
    segment_cursor_init(&cursor, plan->segment, plan->position, plan->limit, window,
                        sizeof(window));
    while ((step = segment_cursor_next(&cursor)) == SEGMENT_BATCH) {
        if (cursor.header.max_timestamp >= timestamp &&
            record_batch_last_offset(&cursor.header) >= offset_min &&
            (look_into(&cursor, timestamp, offset_min, decompressed_bytes_max,
                       ret_offset) ||
             ret_offset->error_code != ERROR_NONE)) {
            return;
        }
    }
    if (step != SEGMENT_END) {
        ret_offset->error_code = ERROR_KAFKA_STORAGE_ERROR;
    }
}

static void find_by_time(partition *self, int64_t timestamp, int64_t bound,
                         partition_offset *ret_offset)
{
    time_plan plan = {0};
    pthread_mutex_lock(&self->lock);
    ret_offset->error_code = timestamp == PARTITION_MAX_TIMESTAMP
                                 ? plan_max(self, &plan, &timestamp)
                                 : plan_time(self, timestamp, &plan);
    int64_t start = self->log_start;
    size_t decompressed_bytes_max = (size_t)self->config.decompressed_bytes_max;
    pthread_mutex_unlock(&self->lock);
    if (plan.segment == NULL) {
        return;
    }
    search(&plan, timestamp, start, decompressed_bytes_max, ret_offset);
    segment_unref(plan.segment);
    if (ret_offset->offset >= bound) {
        ret_offset->offset = ret_offset->timestamp = -1;
        ret_offset->leader_epoch = -1;
    }
}

void partition_find_offset(partition *self, int64_t timestamp, partition_bound bound,
                           partition_offset *ret_offset)
{
    *ret_offset = (partition_offset){ERROR_NONE, -1, -1, -1};
    pthread_mutex_lock(&self->lock);
    int64_t limit = bound == PARTITION_LOG_END       ? self->log_end
                    : bound == PARTITION_LAST_STABLE ? partition_stable_offset(self)
                                                     : partition_watermark(self, NULL);
    int64_t start = self->log_start;
    bool deleted = self->deleted, offline = self->offline;
    if (timestamp == PARTITION_EARLIEST || timestamp == PARTITION_LATEST) {
        ret_offset->offset = timestamp == PARTITION_EARLIEST ? start : limit;
        ret_offset->leader_epoch =
            timestamp == PARTITION_LATEST || self->epochs.count == 0
                ? self->leader_epoch
                : epoch_cache_of_offset(&self->epochs, start);
    }
    pthread_mutex_unlock(&self->lock);
    if (deleted) {
        *ret_offset = (partition_offset){ERROR_NOT_LEADER_OR_FOLLOWER, -1, -1, -1};
    } else if (offline) {
        *ret_offset = (partition_offset){ERROR_KAFKA_STORAGE_ERROR, -1, -1, -1};
    } else if (ret_offset->offset < 0) {
        find_by_time(self, timestamp, limit, ret_offset);
    }
}

log_dir *partition_dir(const partition *self)
{
    return self->dir;
}

partition_producer *partition_producers(partition *self, size_t *ret_count)
{
    pthread_mutex_lock(&self->lock);
    const producer_state *from = &self->producers;
    partition_producer *list = memory_take(from->count * sizeof *list);
    *ret_count = 0;
    for (size_t i = 0; i < from->room; i++) {
        const producer_entry *one = &from->entries[i];
        if (one->producer_id == -1) {
            continue;
        }
        bool wrote = one->batch_count > 0;
        list[(*ret_count)++] = (partition_producer){
            .producer_id = one->producer_id,
            .epoch = one->epoch,
            .last_sequence =
                wrote ? one->batches[one->batch_count - 1].last_sequence : -1,
            .last_timestamp = one->last_timestamp,
            .coordinator_epoch = one->coordinator_epoch,
            .transaction_start = one->transaction_start};
    }
    pthread_mutex_unlock(&self->lock);
    return list;
}

void partition_measure(partition *self, partition_measures *ret_measures)
{
    pthread_mutex_lock(&self->lock);
    *ret_measures = (partition_measures){.traffic = self->traffic,
                                         .log_start = self->log_start,
                                         .log_end = self->log_end,
                                         .segments = self->segment_count,
                                         .offline = self->failed || self->offline};
    for (size_t i = 0; i < self->segment_count; i++) {
        ret_measures->bytes += self->segments[i]->size;
    }
    pthread_mutex_unlock(&self->lock);
    ret_measures->traffic.read_bytes =
        atomic_load_explicit(&self->read_bytes, memory_order_relaxed);
}
