/* The two sparse indexes of a segment, each entry compared with the log. */
#include "base/memory.h"
#include "broker/log/file.h"
#include "broker/log/segment_index.h"
#include "dump.h"
#include "log_file.h"
#include "protocol/wire.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Of an index: 1 GiB of them would be 2^27 entries. */
static const size_t index_bytes_max = (size_t)1 << 30;

typedef struct index_dump {
    dump *how;
    const char *path;
    int64_t base_offset;
    buffer bytes; /* Of the index file. */
    log_file log;
    sluice_error *err;
} index_dump;

/* The path of the same segment's file with another suffix. The caller's: free(). */
static char *sibling(const char *path, const char *suffix)
{
    size_t name_len = strcspn(dump_name(path), ".");
    return memory_print("%.*s%s", (int)((size_t)(dump_name(path) - path) + name_len),
                        path, suffix);
}

static sluice_status index_begin(index_dump *self, char **ret_log_path)
{
    bool there;
    *ret_log_path = sibling(self->path, ".log");
    if (!dump_base_offset(self->path, &self->base_offset)) {
        return sluice_fail(self->err, SLUICE_FATAL,
                           "the name of '%s' does not begin with an offset",
                           self->path);
    }
    sluice_status status =
        log_file_init(&self->log, *ret_log_path, INT64_MAX, self->err);
    if (status == SLUICE_OK) {
        status =
            file_load(self->path, index_bytes_max, &self->bytes, &there, self->err);
        if (status == SLUICE_OK && !there) {
            status =
                sluice_fail(self->err, SLUICE_FATAL, "there is no '%s'", self->path);
        }
    }
    return status;
}

static void index_end(index_dump *self, char *log_path)
{
    log_file_done(&self->log);
    buffer_done(&self->bytes);
    free(log_path);
}

static sluice_status check_size(const index_dump *self, const char *kind,
                                size_t entry_size)
{
    if (self->bytes.len % entry_size == 0) {
        return SLUICE_OK;
    }
    return sluice_fail(
        self->err, SLUICE_BAD_RECORD,
        "%s file %s is corrupt, found %zu bytes which is neither positive "
        "nor a multiple of %zu",
        kind, self->path, self->bytes.len, entry_size);
}

static sluice_status passed(const index_dump *self)
{
    fprintf(self->how->out, "%s passed sanity check.\n", self->path);
    return SLUICE_OK;
}

/* The first line of the file's paragraph, where this is its first entry. */
static void note(const index_dump *self, buffer *paragraph, size_t *start,
                 const char *head, char *line)
{
    if (paragraph->len == *start) {
        char *path = dump_absolute(self->path);
        buffer_print(paragraph, "%s%s\n", head, path);
        free(path);
        *start = paragraph->len;
    }
    dump_put_first(paragraph, *start, line);
    free(line);
}

/* ---- Offsets -----------------------------------------------------------------------
 */

static int64_t entry_offset(const index_dump *self, const buffer *bytes, size_t i)
{
    const uint8_t *at = (const uint8_t *)bytes->base + i * OFFSET_ENTRY_SIZE;
    return self->base_offset + (int64_t)(int32_t)wire_get_32(at);
}

static int64_t offset_at(const index_dump *self, size_t i)
{
    return entry_offset(self, &self->bytes, i);
}

static int32_t position_at(const buffer *bytes, size_t i)
{
    return (int32_t)wire_get_32((const uint8_t *)bytes->base + i * OFFSET_ENTRY_SIZE +
                                4);
}

/* The last offset of the batch at `position`. */
static sluice_status batch_end(index_dump *self, int32_t position, int64_t *ret_offset)
{
    bool done;
    log_file_batch batch;
    sluice_status status =
        log_file_slice(&self->log, position, self->how->message_size_max, self->err);
    if (status == SLUICE_OK) {
        status = log_file_next(&self->log, &batch, &done, self->err);
    }
    if (status == SLUICE_OK && done) {
        status = sluice_fail(self->err, SLUICE_BAD_RECORD,
                             "at position %d of '%s' is no whole batch, at least none "
                             "within --max-message-size %lld",
                             position, self->log.path,
                             (long long)self->how->message_size_max);
    }
    if (status == SLUICE_OK) {
        *ret_offset = (int64_t)((uint64_t)batch.header.base_offset +
                                (uint64_t)batch.header.last_offset_delta);
    }
    return status;
}

static sluice_status dump_offsets(index_dump *self)
{
    size_t start = self->how->index_mismatches.len;
    sluice_status status = SLUICE_OK;
    for (size_t i = 0; i < self->bytes.len / OFFSET_ENTRY_SIZE; i++) {
        int64_t offset = offset_at(self, i), found = 0;
        int32_t position = position_at(&self->bytes, i);
        if (offset == self->base_offset && i > 0) {
            break; /* Preallocated. */
        }
        status = batch_end(self, position, &found);
        if (status != SLUICE_OK) {
            break;
        }
        if (found != offset) {
            note(self, &self->how->index_mismatches, &start, "Mismatches in :",
                 memory_print("  Index offset: %" PRId64 ", log offset: %" PRId64 "\n",
                              offset, found));
        }
        if (!self->how->verify_only) {
            fprintf(self->how->out, "offset: %" PRId64 " position: %d\n", offset,
                    position);
        }
    }
    return status;
}

static sluice_status check_offsets(const index_dump *self)
{
    size_t count = self->bytes.len / OFFSET_ENTRY_SIZE;
    if (count > 0 && offset_at(self, count - 1) < self->base_offset) {
        return sluice_fail(self->err, SLUICE_BAD_RECORD,
                           "Corrupt index found, index file (%s) has non-zero size but "
                           "the last offset is %" PRId64
                           " which is less than the base offset %" PRId64 ".",
                           self->path, offset_at(self, count - 1), self->base_offset);
    }
    sluice_status status = check_size(self, "Index", OFFSET_ENTRY_SIZE);
    return status == SLUICE_OK ? passed(self) : status;
}

sluice_status dump_offset_index(dump *self, const char *path, sluice_error *err)
{
    index_dump one = {
        .how = self, .path = path, .bytes = BUFFER_INIT, .log = {.fd = -1}, .err = err};
    char *log_path;
    sluice_status status = index_begin(&one, &log_path);
    if (status == SLUICE_OK && one.bytes.len < OFFSET_ENTRY_SIZE) {
        fprintf(self->out, "%s is empty.\n", path);
    } else if (status == SLUICE_OK) {
        status = self->sanity_check ? check_offsets(&one) : dump_offsets(&one);
    }
    index_end(&one, log_path);
    return status;
}

/* ---- Times -------------------------------------------------------------------------
 */

static int64_t time_at(const index_dump *self, size_t i)
{
    return (int64_t)wire_get_64((const uint8_t *)self->bytes.base +
                                i * TIME_ENTRY_SIZE);
}

static int64_t time_offset_at(const index_dump *self, size_t i)
{
    const uint8_t *at = (const uint8_t *)self->bytes.base + i * TIME_ENTRY_SIZE + 8;
    return self->base_offset + (int64_t)(int32_t)wire_get_32(at);
}

/* Where the offset index says that a search for `offset` begins: by halves, which in an
 * index that does not ascend gives what Kafka's search gives. */
static int32_t search_start(const index_dump *self, const buffer *offsets,
                            int64_t offset)
{
    size_t low = 0, high = offsets->len / OFFSET_ENTRY_SIZE;
    if (high == 0 || entry_offset(self, offsets, 0) > offset) {
        return 0;
    }
    high--;
    while (low < high) {
        size_t middle = low + (high - low + 1) / 2;
        int64_t found = entry_offset(self, offsets, middle);
        if (found == offset) {
            return position_at(offsets, middle);
        }
        if (found < offset) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    return position_at(offsets, low);
}

/* The largest timestamp of the batch's records. */
static sluice_status newest_record(const index_dump *self, const log_file_batch *batch,
                                   int64_t *ret_timestamp)
{
    sluice_arena *arena = sluice_arena_new();
    record_reader reader;
    bool done = false;
    *ret_timestamp = -1;
    sluice_status status = record_reader_init(&reader, batch->base, batch->size, arena,
                                              index_bytes_max, self->err);
    while (status == SLUICE_OK && !done) {
        log_record record;
        status = record_reader_next(&reader, &record, &done, self->err);
        if (status == SLUICE_OK && !done && record.timestamp > *ret_timestamp) {
            *ret_timestamp = record.timestamp;
        }
    }
    sluice_arena_free(arena);
    return status;
}

/* The first batch that does not end before `offset`; `ret_found` is where it ends, or
 * -1. */
static sluice_status find_batch(index_dump *self, const buffer *offsets, int64_t offset,
                                log_file_batch *ret_batch, int64_t *ret_found)
{
    bool done = false;
    sluice_status status = log_file_slice(
        &self->log, search_start(self, offsets, offset), INT32_MAX, self->err);
    *ret_found = -1;
    while (status == SLUICE_OK) {
        status = log_file_next(&self->log, ret_batch, &done, self->err);
        if (status != SLUICE_OK || done) {
            break;
        }
        int64_t last = (int64_t)((uint64_t)ret_batch->header.base_offset +
                                 (uint64_t)ret_batch->header.last_offset_delta);
        if (last >= offset) {
            *ret_found = last;
            break;
        }
    }
    return status;
}

typedef struct time_summary {
    size_t mismatches, disorder; /* Where the file's lines begin. */
    int64_t previous;
} time_summary;

static void note_not_found(const index_dump *self, int64_t offset, int64_t found)
{
    buffer *out = &self->how->not_found;
    if (out->len == 0) {
        buffer_append_text(out, "The following indexed offsets are not found in the "
                                "log.\n");
    }
    buffer_print(out, "Indexed offset: %" PRId64 ", found log offset: %" PRId64 "\n",
                 offset, found);
}

static sluice_status compare_time(index_dump *self, const buffer *offsets, size_t i,
                                  time_summary *summary)
{
    int64_t timestamp = time_at(self, i), offset = time_offset_at(self, i), found,
            newest;
    log_file_batch batch;
    sluice_status status = find_batch(self, offsets, offset, &batch, &found);
    if (status == SLUICE_OK && found != offset) {
        note_not_found(self, offset, found);
    } else if (status == SLUICE_OK) {
        status = newest_record(self, &batch, &newest);
        if (status == SLUICE_OK && newest != timestamp) {
            note(self, &self->how->time_mismatches, &summary->mismatches,
                 "Found timestamp mismatch in :",
                 memory_print("  Index timestamp: %" PRId64 ", log timestamp: %" PRId64
                              "\n",
                              timestamp, newest));
        }
        if (summary->previous >= timestamp) {
            note(self, &self->how->time_disorder, &summary->disorder,
                 "Found out of order timestamp in :",
                 memory_print("  Index timestamp: %" PRId64
                              ", Previously indexed timestamp: %" PRId64 "\n",
                              timestamp, summary->previous));
        }
    }
    summary->previous = timestamp;
    return status;
}

static sluice_status dump_times(index_dump *self)
{
    bool there;
    buffer offsets = BUFFER_INIT;
    time_summary summary = {self->how->time_mismatches.len,
                            self->how->time_disorder.len, -1};
    char *path = sibling(self->path, ".index");
    sluice_status status =
        file_load(path, index_bytes_max, &offsets, &there, self->err);
    for (size_t i = 0; i < self->bytes.len / TIME_ENTRY_SIZE && status == SLUICE_OK;
         i++) {
        if (time_offset_at(self, i) == self->base_offset && i > 0) {
            break; /* Preallocated. */
        }
        status = compare_time(self, &offsets, i, &summary);
        if (status == SLUICE_OK && !self->how->verify_only) {
            fprintf(self->how->out, "timestamp: %" PRId64 " offset: %" PRId64 "\n",
                    time_at(self, i), time_offset_at(self, i));
        }
    }
    free(path);
    buffer_done(&offsets);
    return status;
}

static sluice_status check_times(const index_dump *self)
{
    size_t count = self->bytes.len / TIME_ENTRY_SIZE;
    if (count > 0 && time_at(self, count - 1) < time_at(self, 0)) {
        return sluice_fail(
            self->err, SLUICE_BAD_RECORD,
            "Corrupt time index found, time index file (%s) has non-zero "
            "size but the last timestamp is %" PRId64
            " which is less than the first timestamp %" PRId64,
            self->path, time_at(self, count - 1), time_at(self, 0));
    }
    if (count > 0 && time_offset_at(self, count - 1) < self->base_offset) {
        return sluice_fail(
            self->err, SLUICE_BAD_RECORD,
            "Corrupt time index found, time index file (%s) has non-zero "
            "size but the last offset is %" PRId64
            " which is less than the first offset %" PRId64,
            self->path, time_offset_at(self, count - 1), self->base_offset);
    }
    sluice_status status = check_size(self, "Time index", TIME_ENTRY_SIZE);
    return status == SLUICE_OK ? passed(self) : status;
}

sluice_status dump_time_index(dump *self, const char *path, sluice_error *err)
{
    index_dump one = {
        .how = self, .path = path, .bytes = BUFFER_INIT, .log = {.fd = -1}, .err = err};
    char *log_path;
    sluice_status status = index_begin(&one, &log_path);
    if (status == SLUICE_OK) {
        status = self->sanity_check ? check_times(&one) : dump_times(&one);
    }
    index_end(&one, log_path);
    return status;
}
