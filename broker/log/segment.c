/* broker/log/segment.c - one file of a log: make it, load it, recover it. */
#include "broker/log/segment.h"
#include "base/crc32c.h"
#include "base/memory.h"
#include "broker/log/file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static sluice_status fail_errno(const segment *self, const char *verb,
                                sluice_error *err)
{
    return sluice_fail(err, SLUICE_FATAL, "cannot %s '%s.log': %s", verb, self->path,
                       strerror(errno));
}

segment *segment_new(const char *folder, int64_t base_offset, int64_t size)
{
    segment *self = memory_zero(sizeof(*self));
    atomic_init(&self->references, 1);
    self->path = memory_print("%s/%020" PRId64, folder, base_offset);
    self->base_offset = base_offset;
    self->next_offset = base_offset;
    self->fd = -1;
    self->size = size;
    self->first_timestamp = -1;
    self->max_timestamp = -1;
    self->max_timestamp_offset = -1;
    return self;
}

static sluice_status open_file(segment *self, int flags, sluice_error *err)
{
    char *name = memory_print("%s.log", self->path);
    self->fd = open(name, O_RDWR | O_CLOEXEC | flags, 0644);
    free(name);
    return self->fd < 0 ? fail_errno(self, "open", err) : SLUICE_OK;
}

sluice_status segment_create(const char *folder, int64_t base_offset,
                             segment **ret_segment, sluice_error *err)
{
    segment *self = segment_new(folder, base_offset, 0);
    self->loaded = true;
    sluice_status status = SLUICE_OK;
    if (base_offset > 0) {
        status = open_file(self, O_CREAT | O_TRUNC, err);
    }
    if (status != SLUICE_OK) {
        segment_unref(self);
        return status;
    }
    *ret_segment = self;
    return SLUICE_OK;
}

segment *segment_ref(segment *self)
{
    atomic_fetch_add_explicit(&self->references, 1, memory_order_relaxed);
    return self;
}

void segment_unref(segment *self)
{
    if (atomic_fetch_sub_explicit(&self->references, 1, memory_order_acq_rel) > 1) {
        return;
    }
    if (self->fd >= 0) {
        close(self->fd);
    }
    segment_index_done(&self->index);
    free(self->path);
    free(self);
}

sluice_status segment_open(segment *self, sluice_error *err)
{
    bool is_new = self->size == 0 && self->base_offset == 0;
    return self->fd >= 0 ? SLUICE_OK : open_file(self, is_new ? O_CREAT : 0, err);
}

void segment_note(segment *self, const record_batch_header *header,
                  int32_t index_interval_bytes)
{
    int64_t last = record_batch_last_offset(header), size = record_batch_size(header);
    assert(last - self->base_offset <= INT32_MAX);
    if (self->size == 0) {
        self->first_timestamp = header->max_timestamp;
    }
    if (header->max_timestamp > self->max_timestamp) {
        self->max_timestamp = header->max_timestamp;
        self->max_timestamp_offset = last;
    }
    if (self->bytes_since_entry > index_interval_bytes) {
        segment_index_add_offset(&self->index, (int32_t)(last - self->base_offset),
                                 (int32_t)self->size);
        segment_index_add_time(
            &self->index, self->max_timestamp,
            (int32_t)(self->max_timestamp_offset - self->base_offset));
        self->bytes_since_entry = 0;
    }
    self->bytes_since_entry += size;
    self->size += size;
    self->next_offset = last + 1;
}

sluice_status segment_seal(segment *self, sluice_error *err)
{
    if (self->max_timestamp >= 0) {
        segment_index_add_time(
            &self->index, self->max_timestamp,
            (int32_t)(self->max_timestamp_offset - self->base_offset));
    }
    self->index_unsynced = true;
    return segment_index_save(&self->index, self->path, err);
}

void segment_unload(segment *self)
{
    if (!self->loaded || !self->index.files_match || self->synced < self->size ||
        self->index_unsynced ||
        atomic_load_explicit(&self->references, memory_order_acquire) > 1) {
        return;
    }
    if (self->fd >= 0) {
        close(self->fd);
        self->fd = -1;
    }
    segment_index_done(&self->index);
    self->loaded = false;
    self->next_offset = self->base_offset;
    self->first_timestamp = self->max_timestamp = self->max_timestamp_offset = -1;
}

sluice_status segment_cut(segment *self, int64_t size, sluice_error *err)
{
    return ftruncate(self->fd, size) == 0 ? SLUICE_OK : fail_errno(self, "cut", err);
}

void segment_forget_cache(const segment *self)
{
    posix_fadvise(self->fd, 0, 0, POSIX_FADV_DONTNEED);
}

void segment_delete_files(segment *self)
{
    static const char *const suffixes[] = {".log", ".index", ".timeindex", ".txnindex",
                                           ".snapshot"};
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        char *name = memory_print("%s%s", self->path, suffixes[i]);
        unlink(name);
        free(name);
    }
}

/* ---- Headers, one after the other --------------------------------------------------
 */

void segment_cursor_init(segment_cursor *self, const segment *of, int64_t position,
                         int64_t end, void *window, size_t window_size)
{
    assert(window_size >= SEGMENT_WINDOW_SIZE);
    *self = (segment_cursor){.fd = of->fd,
                             .position = position,
                             .next = position,
                             .end = end,
                             .window = window,
                             .window_size = (int64_t)window_size};
}

/* Reads `len` bytes (or as many as the window takes) of the file at `position` into the
 * window, unless they are there; false with errno. */
static bool fill_window(segment_cursor *self, int64_t position, int64_t len)
{
    len = len < self->window_size ? len : self->window_size;
    if (position >= self->window_position &&
        position + len <= self->window_position + self->window_len) {
        return true;
    }
    int64_t left = self->end - position;
    self->window_position = position;
    self->window_len = 0;
    int64_t got = file_read_at(
        self->fd, self->window,
        (size_t)(left < self->window_size ? left : self->window_size), position);
    if (got < 0) {
        return false;
    }
    self->window_len = got;
    return true;
}

segment_step segment_cursor_next(segment_cursor *self)
{
    self->position = self->next;
    if (self->position == self->end) {
        return SEGMENT_END;
    }
    if (self->end - self->position < RECORD_BATCH_HEADER_SIZE) {
        return SEGMENT_BROKEN;
    }
    if (!fill_window(self, self->position, RECORD_BATCH_HEADER_SIZE)) {
        return SEGMENT_UNREADABLE;
    }
    if (self->window_position + self->window_len - self->position <
        RECORD_BATCH_HEADER_SIZE) {
        return SEGMENT_BROKEN; /* The file is shorter than it was. */
    }
    record_batch_read_header(self->window + (self->position - self->window_position),
                             &self->header);
    if (!record_batch_header_possible(&self->header, self->end - self->position)) {
        return SEGMENT_BROKEN;
    }
    self->next = self->position + record_batch_size(&self->header);
    return SEGMENT_BATCH;
}

/* ---- Load --------------------------------------------------------------------------
 */

static sluice_status read_first_timestamp(segment *self, sluice_error *err)
{
    uint8_t window[SEGMENT_WINDOW_SIZE];
    segment_cursor cursor;
    segment_cursor_init(&cursor, self, 0, self->size, window, sizeof(window));
    switch (segment_cursor_next(&cursor)) {
    case SEGMENT_BATCH:
        self->first_timestamp = cursor.header.max_timestamp;
        break;
    case SEGMENT_UNREADABLE:
        return fail_errno(self, "read", err);
    case SEGMENT_END:
    case SEGMENT_BROKEN:
        break;
    }
    return SLUICE_OK;
}

/* Walks from the last index entry to the end of the file. */
static sluice_status walk_tail(segment *self, bool *ret_good, sluice_error *err)
{
    const segment_index *index = &self->index;
    int64_t position = segment_index_floor(index, INT32_MAX), size = self->size;
    if (index->time_count > 0) {
        const time_entry *last = &index->times[index->time_count - 1];
        self->max_timestamp = last->timestamp;
        self->max_timestamp_offset = self->base_offset + last->relative_offset;
    }
    uint8_t window[SEGMENT_WINDOW_SIZE];
    segment_cursor cursor;
    segment_cursor_init(&cursor, self, position, size, window, sizeof(window));
    segment_step step;
    while ((step = segment_cursor_next(&cursor)) == SEGMENT_BATCH) {
        if (cursor.header.base_offset < self->next_offset ||
            (cursor.position == position && position > 0 &&
             record_batch_last_offset(&cursor.header) - self->base_offset !=
                 index->offsets[index->offset_count - 1].relative_offset)) {
            step = SEGMENT_BROKEN;
            break;
        }
        self->next_offset = record_batch_last_offset(&cursor.header) + 1;
        if (cursor.header.max_timestamp > self->max_timestamp) {
            self->max_timestamp = cursor.header.max_timestamp;
            self->max_timestamp_offset = self->next_offset - 1;
        }
    }
    self->bytes_since_entry = size - position;
    *ret_good = step == SEGMENT_END;
    return step == SEGMENT_UNREADABLE ? fail_errno(self, "read", err) : SLUICE_OK;
}

sluice_status segment_load(segment *self, bool *ret_good, sluice_error *err)
{
    *ret_good = true;
    if (self->loaded) {
        return SLUICE_OK;
    }
    sluice_status status = segment_open(self, err);
    if (status == SLUICE_OK) {
        status =
            segment_index_load(&self->index, self->path, self->size, ret_good, err);
    }
    if (status == SLUICE_OK && *ret_good) {
        status = read_first_timestamp(self, err);
    }
    if (status == SLUICE_OK && *ret_good) {
        status = walk_tail(self, ret_good, err);
    }
    self->loaded = status == SLUICE_OK && *ret_good;
    return status;
}

/* ---- Recover -----------------------------------------------------------------------
 */

enum { RECOVERY_WINDOW_SIZE = 1 << 18 };

/* Whether the batch that `cursor` is at has the CRC that it says. The bytes go through
 * the window piece by piece. */
static segment_step check_batch(segment_cursor *cursor)
{
    const int64_t covered = 21; /* Where the CRC begins to count. */
    int64_t position = cursor->position + covered, end = cursor->next;
    uint32_t crc = 0;
    while (position < end) {
        if (!fill_window(cursor, position, end - position)) {
            return SEGMENT_UNREADABLE;
        }
        int64_t there = cursor->window_position + cursor->window_len - position;
        int64_t piece = there < end - position ? there : end - position;
        if (piece <= 0) {
            return SEGMENT_BROKEN; /* The file is shorter than it was. */
        }
        crc = crc32c(crc, cursor->window + (position - cursor->window_position),
                     (size_t)piece);
        position += piece;
    }
    return crc == cursor->header.crc ? SEGMENT_BATCH : SEGMENT_BROKEN;
}

static void forget(segment *self)
{
    segment_index_clear(&self->index);
    self->next_offset = self->base_offset;
    self->size = 0;
    self->first_timestamp = self->max_timestamp = self->max_timestamp_offset = -1;
    self->bytes_since_entry = 0;
}

static bool fits_behind(const segment *self, const record_batch_header *header)
{
    return header->base_offset >= self->next_offset &&
           record_batch_last_offset(header) - self->base_offset <= INT32_MAX;
}

/* The next batch that can stand behind those before. */
static segment_step next_good(const segment *self, segment_cursor *cursor,
                              bool check_crc)
{
    segment_step step = segment_cursor_next(cursor);
    if (step != SEGMENT_BATCH) {
        return step;
    }
    if (!fits_behind(self, &cursor->header)) {
        return SEGMENT_BROKEN;
    }
    return check_crc ? check_batch(cursor) : SEGMENT_BATCH;
}

sluice_status segment_recover(segment *self, const log_config *config, bool check_crc,
                              segment_visit *visit, void *context, sluice_error *err)
{
    sluice_status status = segment_open(self, err);
    if (status != SLUICE_OK) {
        return status;
    }
    int64_t file_size = self->size;
    uint8_t *window = memory_take(RECOVERY_WINDOW_SIZE);
    segment_cursor cursor;
    segment_cursor_init(&cursor, self, 0, file_size, window, RECOVERY_WINDOW_SIZE);
    forget(self);
    segment_step step;
    while ((step = next_good(self, &cursor, check_crc)) == SEGMENT_BATCH) {
        segment_note(self, &cursor.header, config->index_interval_bytes);
        if (visit != NULL) {
            visit(context, &cursor.header);
        }
    }
    free(window);
    if (step == SEGMENT_UNREADABLE) {
        return fail_errno(self, "read", err);
    }
    self->loaded = true;
    return self->size < file_size ? segment_cut(self, self->size, err) : SLUICE_OK;
}
