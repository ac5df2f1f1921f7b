/* broker/log/partition_read.c - where the batches are that a fetch asks for.
 *
 * Under the lock only memory is looked at: which segment, which index entry, how far a
 * consumer may see. The batch headers between the index entry and the offset are walked
 * without it, so that a cold file delays nobody else. A reader at the tail skips the
 * walk: the newest batches are known by heart. */
#include "broker/log/file.h"
#include "broker/log/partition_internal.h"
#include "protocol/error_code.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

/* What was found under the lock. */
typedef struct read_plan {
    segment *segment; /* Referenced, or NULL: nothing to read. */
    size_t number;
    int64_t start;       /* At or before the batch. */
    int64_t first_size;  /* Of the batch at `start`, if that is it; 0: walk there. */
    int64_t limit;       /* Where the walk and the answer end. */
    int64_t bound;       /* Batches from this offset on are not for this reader... */
    bool bound_exact;    /* ... and `limit` says so already. */
    int64_t bound_floor; /* A batch at or before the bound. */
    int64_t next_base;   /* Of the next segment; -1: this is the last. */
    hot_block *blocks[HOT_BLOCKS]; /* Referenced: all from `start` on is in them. */
    size_t block_count;            /* 0: it is in the file. */
} read_plan;

size_t partition_segment_with(const partition *self, int64_t offset)
{
    size_t low = 0, high = self->segment_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (self->segments[middle]->base_offset <= offset) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low == 0 ? 0 : low - 1;
}

sluice_status partition_ready_segment(partition *self, segment *which,
                                      sluice_error *err)
{
    bool good = true;
    sluice_status status = segment_load(which, &good, err);
    if (status == SLUICE_OK && !good) {
        status = segment_recover(which, &self->config, false, NULL, NULL, err);
    }
    return status == SLUICE_OK ? segment_open(which, err) : status;
}

static int64_t bound_offset(partition *self, partition_bound bound)
{
    switch (bound) {
    case PARTITION_HIGH_WATERMARK:
        return partition_watermark(self, NULL);
    case PARTITION_LAST_STABLE:
        return partition_stable_offset(self);
    case PARTITION_LOG_END:
        break;
    }
    return self->log_end;
}

/* How far into `which` a reader may see: its end, or the gate. */
static int64_t visible_size(const partition *self, const segment *which,
                            partition_bound bound)
{
    partition_gate gate;
    partition_watermark(self, &gate);
    if (bound == PARTITION_LOG_END || !gate.closed ||
        which->base_offset < gate.segment_base) {
        return which->size;
    }
    return which->base_offset == gate.segment_base ? gate.position : 0;
}

/* The batch with `offset` among the newest; NULL when it is older. */
static const partition_recent *find_recent(const partition *self, int64_t offset)
{
    const partition_recent *found = NULL;
    size_t oldest = self->recent_count > PARTITION_RECENT
                        ? self->recent_count - PARTITION_RECENT
                        : 0;
    size_t i = self->recent_count;
    while (i > oldest &&
           self->recent[(i - 1) % PARTITION_RECENT].last_offset >= offset) {
        found = &self->recent[--i % PARTITION_RECENT];
    }
    /* What is before the oldest one is not known, so it may begin in there: unless that
     * is the first of the segment. */
    return i == oldest && found != NULL && found->position > 0 ? NULL : found;
}

static void plan_start(partition *self, read_plan *plan, int64_t offset)
{
    const partition_recent *recent =
        plan->segment == partition_active(self) ? find_recent(self, offset) : NULL;
    if (recent != NULL) {
        plan->start = recent->position;
        plan->first_size = recent->size;
        plan->block_count = hot_tail_take(&self->hot, plan->segment->base_offset,
                                          plan->start, plan->blocks);
        hot_tail_want(&self->hot);
    } else {
        plan->start = segment_index_position(&plan->segment->index,
                                             offset - plan->segment->base_offset);
        plan->first_size = 0;
    }
}

static void note_watermarks(partition *self, partition_data *data)
{
    partition_gate gate;
    data->high_watermark = partition_watermark(self, &gate);
    data->last_stable_offset = partition_stable_offset(self);
    data->log_start_offset = self->log_start;
    data->visible_bytes = gate.bytes;
}

static int16_t make_plan(partition *self, int64_t offset, partition_bound bound,
                         read_plan *plan)
{
    plan->bound = bound_offset(self, bound);
    if (self->deleted) {
        return ERROR_NOT_LEADER_OR_FOLLOWER;
    }
    if (self->offline) {
        return ERROR_KAFKA_STORAGE_ERROR;
    }
    if (offset < self->log_start || offset > self->log_end) {
        return ERROR_OFFSET_OUT_OF_RANGE;
    }
    if (offset >= plan->bound) {
        return ERROR_NONE;
    }
    plan->number = partition_segment_with(self, offset);
    segment *which = self->segments[plan->number];
    if (partition_ready_segment(self, which, NULL) != SLUICE_OK) {
        return ERROR_KAFKA_STORAGE_ERROR;
    }
    plan->segment = segment_ref(which);
    plan->next_base = plan->number + 1 < self->segment_count
                          ? self->segments[plan->number + 1]->base_offset
                          : -1;
    plan->limit = visible_size(self, which, bound);
    plan->bound_exact = plan->bound == bound_offset(self, PARTITION_HIGH_WATERMARK) ||
                        bound == PARTITION_LOG_END ||
                        (plan->next_base >= 0 && plan->bound >= plan->next_base);
    plan->bound_floor =
        segment_index_position(&which->index, plan->bound - which->base_offset);
    plan_start(self, plan, offset);
    return ERROR_NONE;
}

/* ---- Without the lock ------------------------------------------------------------ */

/* Moves from `plan->start` to the first batch that ends at or behind `offset`. */
static segment_step walk_to(read_plan *plan, int64_t offset, segment_cursor *cursor)
{
    segment_step step;
    while ((step = segment_cursor_next(cursor)) == SEGMENT_BATCH) {
        if (record_batch_last_offset(&cursor->header) >= offset) {
            plan->start = cursor->position;
            plan->first_size = record_batch_size(&cursor->header);
            break;
        }
    }
    return step;
}

/* Ends the answer before the first batch at or behind the bound. */
static void limit_to_bound(read_plan *plan, segment_cursor *cursor)
{
    if (plan->bound_exact) {
        return;
    }
    int64_t from = plan->start > plan->bound_floor ? plan->start : plan->bound_floor;
    segment_cursor_init(cursor, plan->segment, from, plan->limit, cursor->window,
                        (size_t)cursor->window_size);
    while (segment_cursor_next(cursor) == SEGMENT_BATCH) {
        if (cursor->header.base_offset >= plan->bound) {
            plan->limit = cursor->position;
            return;
        }
    }
}

/* The end of the last batch that fits into `max_bytes`; walks from batch to batch. */
static int64_t walk_end(const read_plan *plan, int64_t from, int64_t max_bytes,
                        segment_cursor *cursor)
{
    int64_t end = from;
    segment_cursor_init(cursor, plan->segment, from, plan->limit, cursor->window,
                        (size_t)cursor->window_size);
    while (segment_cursor_next(cursor) == SEGMENT_BATCH &&
           cursor->next - plan->start <= max_bytes) {
        end = cursor->next;
    }
    return end;
}

static int64_t find_end(partition *self, const read_plan *plan, size_t max_bytes,
                        bool first_whole, segment_cursor *cursor)
{
    int64_t available = plan->limit - plan->start;
    if (available <= 0 || (uint64_t)available <= max_bytes) {
        return plan->limit;
    }
    if ((uint64_t)plan->first_size >= max_bytes) {
        bool take = first_whole || (uint64_t)plan->first_size == max_bytes;
        return plan->start + (take ? plan->first_size : 0);
    }
    /* An index entry is the begin of a batch: from the last one that fits on. */
    pthread_mutex_lock(&self->lock);
    int64_t from =
        segment_index_floor(&plan->segment->index, plan->start + (int64_t)max_bytes);
    pthread_mutex_unlock(&self->lock);
    int64_t first_end = plan->start + plan->first_size;
    return walk_end(plan, from > first_end ? from : first_end, (int64_t)max_bytes,
                    cursor);
}

static void plan_done(read_plan *plan)
{
    segment_unref(plan->segment);
    for (size_t i = 0; i < plan->block_count; i++) {
        hot_block_unref(plan->blocks[i]);
    }
}

static void give_blocks(partition_data *data, read_plan *plan, int64_t end)
{
    for (size_t i = 0; i < plan->block_count; i++) {
        hot_block *block = plan->blocks[i];
        int64_t from = plan->start > block->position ? plan->start : block->position;
        int64_t to = i + 1 < plan->block_count && plan->blocks[i + 1]->position < end
                         ? plan->blocks[i + 1]->position
                         : end;
        if (from >= to) {
            hot_block_unref(block);
            continue;
        }
        data->slices[data->slice_count] =
            (partition_slice){.base = block->bytes + (from - block->position),
                              .fd = -1,
                              .len = (size_t)(to - from)};
        data->blocks[data->slice_count++] = block;
    }
    segment_unref(plan->segment);
}

/* Hands on what the plan holds. */
static void give(partition_data *data, read_plan *plan, int64_t end)
{
    data->available_bytes =
        plan->limit > plan->start ? (size_t)(plan->limit - plan->start) : 0;
    data->segment_ends = plan->next_base >= 0 && end == plan->limit;
    if (end <= plan->start) {
        plan_done(plan);
        return;
    }
    data->bytes = (size_t)(end - plan->start);
    if (plan->block_count > 0) {
        give_blocks(data, plan, end);
        return;
    }
    data->slices[0] = (partition_slice){
        .fd = plan->segment->fd, .position = plan->start, .len = data->bytes};
    data->slice_count = 1;
    data->file = plan->segment;
}

/* Returns false when the offset is behind the last batch of the segment, so that the
 * next one is to be looked at. */
static bool read_segment(partition *self, int64_t offset, size_t max_bytes,
                         bool first_whole, read_plan *plan, partition_data *data)
{
    uint8_t window[SEGMENT_WINDOW_SIZE];
    segment_cursor cursor;
    segment_cursor_init(&cursor, plan->segment, plan->start, plan->limit, window,
                        sizeof(window));
    segment_step step =
        plan->first_size > 0 ? SEGMENT_BATCH : walk_to(plan, offset, &cursor);
    if (step == SEGMENT_BATCH) {
        limit_to_bound(plan, &cursor);
        give(data, plan, find_end(self, plan, max_bytes, first_whole, &cursor));
        return true;
    }
    plan_done(plan);
    if (step == SEGMENT_END) {
        return plan->next_base < 0;
    }
    data->error_code = ERROR_KAFKA_STORAGE_ERROR;
    return true;
}

void partition_read(partition *self, int64_t offset, size_t max_bytes, bool first_whole,
                    partition_bound bound, partition_data *ret_data)
{
    *ret_data = (partition_data){0};
    for (;;) {
        read_plan plan = {0};
        pthread_mutex_lock(&self->lock);
        note_watermarks(self, ret_data);
        ret_data->error_code = make_plan(self, offset, bound, &plan);
        pthread_mutex_unlock(&self->lock);
        if (plan.segment == NULL ||
            read_segment(self, offset, max_bytes, first_whole, &plan, ret_data)) {
            if (bound != PARTITION_LOG_END && ret_data->bytes > 0) {
                atomic_fetch_add_explicit(&self->read_bytes, (int64_t)ret_data->bytes,
                                          memory_order_relaxed);
            }
            return;
        }
        offset = plan.next_base;
    }
}

void partition_data_done(partition_data *data)
{
    if (data->file != NULL) {
        segment_unref(data->file);
    }
    for (size_t i = 0; i < data->slice_count; i++) {
        hot_block_unref(data->blocks[i]);
    }
    data->file = NULL;
    data->slice_count = 0;
    data->bytes = 0;
}

sluice_status partition_data_copy(const partition_data *data, void *ret_bytes,
                                  sluice_error *err)
{
    uint8_t *to = ret_bytes;
    for (size_t i = 0; i < data->slice_count; i++) {
        const partition_slice *slice = &data->slices[i];
        if (slice->base != NULL) {
            memcpy(to, slice->base, slice->len);
        } else {
            int64_t got = file_read_at(slice->fd, to, slice->len, slice->position);
            if (got != (int64_t)slice->len) {
                return sluice_fail(err, SLUICE_FATAL, "cannot read a segment: %s",
                                   got < 0 ? strerror(errno) : "it is shorter");
            }
        }
        to += slice->len;
    }
    return SLUICE_OK;
}
