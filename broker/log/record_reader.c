/* broker/log/record_reader.c - the records of a stored batch, one after the other. */
#include "broker/log/record_batch.h"
#include "broker/log/record_codec.h"
#include "broker/log/record_varint.h"

#include <string.h>

/* Inflates into one piece of `arena`, which doubles. NULL when it is broken. */
static uint8_t *inflate_all(record_codec *codec, sluice_arena *arena, size_t *ret_size)
{
    size_t room = 4096, size = 0;
    uint8_t *bytes = sluice_arena_take(arena, room);
    for (;;) {
        if (size == room) {
            bytes = sluice_arena_grow(arena, bytes, room, 2 * room);
            room *= 2;
        }
        ptrdiff_t got = record_codec_read(codec, bytes + size, room - size);
        if (got <= 0) {
            *ret_size = size;
            return got < 0 ? NULL : bytes;
        }
        size += (size_t)got;
    }
}

static sluice_status open_compressed(record_reader *self, size_t decompressed_bytes_max,
                                     sluice_arena *arena, sluice_error *err)
{
    record_codec *codec = record_codec_new(
        (compression_type)(self->header.attributes & RECORD_BATCH_CODEC_MASK), self->at,
        (size_t)(self->end - self->at), decompressed_bytes_max);
    size_t size = 0;
    uint8_t *bytes = codec == NULL ? NULL : inflate_all(codec, arena, &size);
    record_codec_free(codec);
    if (bytes == NULL) {
        return sluice_fail(err, SLUICE_BAD_RECORD,
                           "the batch at offset %lld cannot be decompressed",
                           (long long)self->header.base_offset);
    }
    self->at = bytes;
    self->end = bytes + size;
    return SLUICE_OK;
}

sluice_status record_reader_init(record_reader *self, const void *base, size_t size,
                                 sluice_arena *arena, size_t decompressed_bytes_max,
                                 sluice_error *err)
{
    if (size < RECORD_BATCH_HEADER_SIZE) {
        return sluice_fail(err, SLUICE_BAD_RECORD,
                           "%zu bytes are no batch: a header has 61", size);
    }
    record_batch_read_header(base, &self->header);
    if (!record_batch_header_possible(&self->header, (int64_t)size)) {
        return sluice_fail(err, SLUICE_BAD_RECORD,
                           "the bytes for offset %lld are no batch of format 2",
                           (long long)self->header.base_offset);
    }
    self->read = 0;
    self->at = (const uint8_t *)base + RECORD_BATCH_HEADER_SIZE;
    self->end = (const uint8_t *)base + record_batch_size(&self->header);
    if ((self->header.attributes & RECORD_BATCH_CODEC_MASK) != COMPRESSION_NONE) {
        return open_compressed(self, decompressed_bytes_max, arena, err);
    }
    return SLUICE_OK;
}

/* A length and as many bytes; -1 is null. */
static bool take_bytes(const uint8_t **at, const uint8_t *end, sluice_bytes *ret_bytes)
{
    int64_t len;
    if (!record_varint_read(at, end, &len) || len < -1 || len > end - *at) {
        return false;
    }
    *ret_bytes = (sluice_bytes){len < 0 ? NULL : *at, len < 0 ? 0 : (size_t)len};
    *at += ret_bytes->len;
    return true;
}

static bool take_record(record_reader *self, log_record *ret_record)
{
    int64_t len, timestamp_delta, offset_delta, header_count;
    if (!record_varint_read(&self->at, self->end, &len) || len < 1 ||
        len > self->end - self->at) {
        return false;
    }
    const uint8_t *at = self->at + 1, *end = self->at + len;
    if (!record_varint_read(&at, end, &timestamp_delta) ||
        !record_varint_read(&at, end, &offset_delta) ||
        !take_bytes(&at, end, &ret_record->key) ||
        !take_bytes(&at, end, &ret_record->value) ||
        !record_varint_read(&at, end, &header_count) || header_count < 0 ||
        header_count > end - at) {
        return false;
    }
    bool append_time = (self->header.attributes & RECORD_BATCH_LOG_APPEND_TIME) != 0;
    ret_record->timestamp = append_time
                                ? self->header.max_timestamp
                                : (int64_t)((uint64_t)self->header.base_timestamp +
                                            (uint64_t)timestamp_delta);
    ret_record->offset =
        (int64_t)((uint64_t)self->header.base_offset + (uint64_t)offset_delta);
    ret_record->header_count = (int32_t)header_count;
    ret_record->headers = (sluice_bytes){at, (size_t)(end - at)};
    self->at = end;
    return true;
}

sluice_status record_reader_next(record_reader *self, log_record *ret_record,
                                 bool *ret_done, sluice_error *err)
{
    *ret_done = self->read == self->header.record_count;
    if (*ret_done) {
        return SLUICE_OK;
    }
    if (!take_record(self, ret_record)) {
        return sluice_fail(err, SLUICE_BAD_RECORD,
                           "record %d of the batch at offset %lld is broken",
                           self->read, (long long)self->header.base_offset);
    }
    self->read++;
    return SLUICE_OK;
}

bool record_next_header(sluice_bytes *headers, sluice_bytes *ret_key,
                        sluice_bytes *ret_value)
{
    const uint8_t *at = headers->base, *end = at + headers->len;
    if (at == end || !take_bytes(&at, end, ret_key) || ret_key->base == NULL ||
        !take_bytes(&at, end, ret_value)) {
        return false;
    }
    *headers = (sluice_bytes){at, (size_t)(end - at)};
    return true;
}
