/* broker/log/segment_index.c - the sparse indexes of a segment. */
#include "broker/log/segment_index.h"
#include "base/memory.h"
#include "broker/log/file.h"
#include "protocol/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* More than any segment.index.bytes makes sense for; a file from elsewhere may have
 * preallocated this much. */
enum { INDEX_FILE_SIZE_MAX = 1 << 28 };

void segment_index_done(segment_index *self)
{
    free(self->offsets);
    free(self->times);
    *self = (segment_index){0};
}

void segment_index_clear(segment_index *self)
{
    self->offset_count = self->offset_saved = 0;
    self->time_count = self->time_saved = 0;
    self->files_match = false;
}

/* A list that is full becomes half as large again: most stay small. */
static size_t more_room(size_t room)
{
    return room < 8 ? 8 : room + room / 2;
}

void segment_index_add_offset(segment_index *self, int32_t relative_offset,
                              int32_t position)
{
    if (self->offset_count > 0) {
        const offset_entry *last = &self->offsets[self->offset_count - 1];
        if (relative_offset <= last->relative_offset || position <= last->position) {
            return;
        }
    }
    if (self->offset_count == self->offset_room) {
        self->offset_room = more_room(self->offset_room);
        self->offsets =
            memory_resize(self->offsets, self->offset_room * sizeof(offset_entry));
    }
    self->offsets[self->offset_count++] = (offset_entry){relative_offset, position};
    self->files_match = false;
}

void segment_index_add_time(segment_index *self, int64_t timestamp,
                            int32_t relative_offset)
{
    if (timestamp < 0) {
        return;
    }
    if (self->time_count > 0) {
        const time_entry *last = &self->times[self->time_count - 1];
        if (timestamp <= last->timestamp || relative_offset <= last->relative_offset) {
            return;
        }
    }
    if (self->time_count == self->time_room) {
        self->time_room = more_room(self->time_room);
        self->times = memory_resize(self->times, self->time_room * sizeof(time_entry));
    }
    self->times[self->time_count++] = (time_entry){timestamp, relative_offset};
    self->files_match = false;
}

int64_t segment_index_position(const segment_index *self, int64_t relative_offset)
{
    size_t low = 0, high = self->offset_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (self->offsets[middle].relative_offset <= relative_offset) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low == 0 ? 0 : self->offsets[low - 1].position;
}

int64_t segment_index_floor(const segment_index *self, int64_t position)
{
    size_t low = 0, high = self->offset_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (self->offsets[middle].position <= position) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low == 0 ? 0 : self->offsets[low - 1].position;
}

int64_t segment_index_offset_before(const segment_index *self, int64_t timestamp)
{
    size_t low = 0, high = self->time_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (self->times[middle].timestamp < timestamp) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low == 0 ? 0 : self->times[low - 1].relative_offset;
}

/* ---- Files -------------------------------------------------------------------------
 */

static bool only_zeros(const char *at, const char *end)
{
    while (at < end && *at == 0) {
        at++;
    }
    return at == end;
}

static bool parse_offsets(segment_index *self, const buffer *content, int64_t log_size)
{
    const char *at = content->base, *end = at + content->len;
    for (; end - at >= OFFSET_ENTRY_SIZE; at += OFFSET_ENTRY_SIZE) {
        int32_t relative = (int32_t)wire_get_32((const uint8_t *)at);
        int32_t position = (int32_t)wire_get_32((const uint8_t *)at + 4);
        size_t before = self->offset_count;
        if (relative >= 0 && position > 0 && position < log_size) {
            segment_index_add_offset(self, relative, position);
        }
        if (self->offset_count == before) {
            break;
        }
    }
    return only_zeros(at, end);
}

static bool parse_times(segment_index *self, const buffer *content)
{
    const char *at = content->base, *end = at + content->len;
    for (; end - at >= TIME_ENTRY_SIZE; at += TIME_ENTRY_SIZE) {
        int64_t timestamp = (int64_t)wire_get_64((const uint8_t *)at);
        int32_t relative = (int32_t)wire_get_32((const uint8_t *)at + 8);
        size_t before = self->time_count;
        if (relative >= 0 && (timestamp > 0 || relative > 0)) {
            segment_index_add_time(self, timestamp, relative);
        }
        if (self->time_count == before) {
            break;
        }
    }
    return only_zeros(at, end);
}

static sluice_status load_file(const char *path, const char *suffix,
                               buffer *ret_content, bool *ret_there, sluice_error *err)
{
    char *name = memory_print("%s%s", path, suffix);
    sluice_status status =
        file_load(name, INDEX_FILE_SIZE_MAX, ret_content, ret_there, err);
    free(name);
    return status;
}

sluice_status segment_index_load(segment_index *self, const char *path,
                                 int64_t log_size, bool *ret_good, sluice_error *err)
{
    buffer offsets = BUFFER_INIT, times = BUFFER_INIT;
    bool offsets_there = false, times_there = false;
    segment_index_clear(self);
    sluice_status status = load_file(path, ".index", &offsets, &offsets_there, err);
    if (status == SLUICE_OK) {
        status = load_file(path, ".timeindex", &times, &times_there, err);
    }
    *ret_good = status == SLUICE_OK && offsets_there && times_there &&
                parse_offsets(self, &offsets, log_size) && parse_times(self, &times);
    if (*ret_good) {
        self->offset_saved = self->offset_count;
        self->time_saved = self->time_count;
        self->files_match = true;
    } else {
        segment_index_clear(self);
    }
    buffer_done(&offsets);
    buffer_done(&times);
    return status;
}

/* Writes `bytes` behind the first `kept` of the file and cuts it there. */
static sluice_status write_file(const char *path, const char *suffix, int64_t kept,
                                const buffer *bytes, sluice_error *err)
{
    char *name = memory_print("%s%s", path, suffix);
    int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    sluice_status status = SLUICE_OK;
    if (fd < 0 || ftruncate(fd, kept) != 0 ||
        pwrite(fd, bytes->base, bytes->len, kept) != (ssize_t)bytes->len) {
        status = sluice_fail(err, SLUICE_FATAL, "cannot write '%s': %s", name,
                             strerror(errno));
    }
    if (fd >= 0) {
        close(fd);
    }
    free(name);
    return status;
}

static sluice_status save_offsets(segment_index *self, const char *path,
                                  sluice_error *err)
{
    buffer bytes = BUFFER_INIT;
    for (size_t i = self->offset_saved; i < self->offset_count; i++) {
        uint8_t *to = (uint8_t *)buffer_reserve(&bytes, OFFSET_ENTRY_SIZE);
        wire_put_32(to, (uint32_t)self->offsets[i].relative_offset);
        wire_put_32(to + 4, (uint32_t)self->offsets[i].position);
        buffer_advance(&bytes, OFFSET_ENTRY_SIZE);
    }
    sluice_status status = write_file(
        path, ".index", (int64_t)self->offset_saved * OFFSET_ENTRY_SIZE, &bytes, err);
    if (status == SLUICE_OK) {
        self->offset_saved = self->offset_count;
    }
    buffer_done(&bytes);
    return status;
}

static sluice_status save_times(segment_index *self, const char *path,
                                sluice_error *err)
{
    buffer bytes = BUFFER_INIT;
    for (size_t i = self->time_saved; i < self->time_count; i++) {
        uint8_t *to = (uint8_t *)buffer_reserve(&bytes, TIME_ENTRY_SIZE);
        wire_put_64(to, (uint64_t)self->times[i].timestamp);
        wire_put_32(to + 8, (uint32_t)self->times[i].relative_offset);
        buffer_advance(&bytes, TIME_ENTRY_SIZE);
    }
    sluice_status status = write_file(
        path, ".timeindex", (int64_t)self->time_saved * TIME_ENTRY_SIZE, &bytes, err);
    if (status == SLUICE_OK) {
        self->time_saved = self->time_count;
    }
    buffer_done(&bytes);
    return status;
}

void segment_index_sync(const char *path)
{
    char *offsets = memory_print("%s.index", path);
    char *times = memory_print("%s.timeindex", path);
    file_sync(offsets, NULL);
    file_sync(times, NULL);
    free(offsets);
    free(times);
}

sluice_status segment_index_save(segment_index *self, const char *path,
                                 sluice_error *err)
{
    if (self->files_match) {
        return SLUICE_OK;
    }
    sluice_status status = save_offsets(self, path, err);
    if (status == SLUICE_OK) {
        status = save_times(self, path, err);
    }
    self->files_match = status == SLUICE_OK;
    return status;
}
