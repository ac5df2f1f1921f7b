/* broker/log/record_writer.c - batches that the broker makes itself: for its own
 * topics, and the markers of transactions. */
#include "base/memory.h"
#include "broker/log/record_batch.h"
#include "broker/log/record_varint.h"
#include "protocol/wire.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void record_batch_writer_init(record_batch_writer *self,
                              const record_batch_header *header)
{
    *self = (record_batch_writer){.size = RECORD_BATCH_HEADER_SIZE, .room = 1024};
    self->base = memory_take(self->room);
    if (header != NULL) {
        self->header = *header;
    } else {
        self->header.producer_id = -1;
        self->header.producer_epoch = -1;
        self->header.base_sequence = -1;
    }
    self->header.base_offset = 0;
    self->header.leader_epoch = -1;
    self->header.magic = 2;
    self->header.record_count = 0;
}

void record_batch_writer_done(record_batch_writer *self)
{
    free(self->base);
    *self = (record_batch_writer){0};
}

static uint8_t *reserve(record_batch_writer *self, size_t len)
{
    while (self->room - self->size < len) {
        self->room *= 2;
        self->base = memory_resize(self->base, self->room);
    }
    return self->base + self->size;
}

static size_t put_bytes(uint8_t *to, sluice_bytes bytes)
{
    if (bytes.base == NULL) {
        return record_varint_write(to, -1);
    }
    size_t len = record_varint_write(to, (int64_t)bytes.len);
    memcpy(to + len, bytes.base, bytes.len);
    return len + bytes.len;
}

void record_batch_writer_add(record_batch_writer *self, int64_t timestamp,
                             sluice_bytes key, sluice_bytes value)
{
    record_batch_header *header = &self->header;
    if (header->record_count == 0) {
        header->base_timestamp = timestamp;
        header->max_timestamp = timestamp;
    } else if (timestamp > header->max_timestamp) {
        header->max_timestamp = timestamp;
    }
    uint8_t start[1 + 2 * RECORD_VARINT_SIZE_MAX], size[RECORD_VARINT_SIZE_MAX];
    start[0] = 0;
    size_t start_len =
        1 + record_varint_write(start + 1, timestamp - header->base_timestamp);
    start_len += record_varint_write(start + start_len, header->record_count);
    size_t len =
        start_len +
        record_varint_write(size, key.base == NULL ? -1 : (int64_t)key.len) +
        record_varint_write(size, value.base == NULL ? -1 : (int64_t)value.len) +
        key.len + value.len + 1;
    uint8_t *to = reserve(self, len + RECORD_VARINT_SIZE_MAX), *at = to;
    at += record_varint_write(at, (int64_t)len);
    memcpy(at, start, start_len);
    at += start_len;
    at += put_bytes(at, key);
    at += put_bytes(at, value);
    *at++ = 0; /* No headers. */
    self->size += (size_t)(at - to);
    header->record_count++;
}

void record_batch_writer_finish(record_batch_writer *self)
{
    assert(self->header.record_count > 0);
    self->header.batch_length = (int32_t)(self->size - RECORD_BATCH_PREFIX_SIZE);
    self->header.last_offset_delta = self->header.record_count - 1;
    record_batch_write_header(self->base, &self->header);
    record_batch_set_crc(self->base, self->size);
}

void record_batch_write_marker(void *ret_base, bool commit, int64_t timestamp,
                               int64_t producer_id, int16_t producer_epoch,
                               int32_t coordinator_epoch)
{
    record_batch_header header = {
        .batch_length = RECORD_BATCH_MARKER_SIZE - RECORD_BATCH_PREFIX_SIZE,
        .leader_epoch = -1,
        .magic = 2,
        .attributes = RECORD_BATCH_TRANSACTIONAL | RECORD_BATCH_CONTROL,
        .base_timestamp = timestamp,
        .max_timestamp = timestamp,
        .producer_id = producer_id,
        .producer_epoch = producer_epoch,
        .base_sequence = -1,
        .record_count = 1,
    };
    record_batch_write_header(ret_base, &header);
    /* Length 16, no attributes, deltas 0; key of 4 bytes: version 0, type; value of 6:
     * version 0, coordinator epoch; no headers. Lengths are zig-zag. */
    uint8_t *at = (uint8_t *)ret_base + RECORD_BATCH_HEADER_SIZE;
    const uint8_t record[] = {32, 0, 0, 0, 8, 0, 0, 0, commit, 12, 0, 0, 0, 0, 0, 0, 0};
    memcpy(at, record, sizeof(record));
    wire_put_32(at + 12, (uint32_t)coordinator_epoch);
    record_batch_set_crc(ret_base, RECORD_BATCH_MARKER_SIZE);
}
