/* broker/log/record_batch.c - the header of a record batch: read it, judge it, change
 * it in place, write it. */
#include "broker/log/record_batch.h"
#include "base/crc32c.h"
#include "protocol/wire.h"

enum {
    AT_BATCH_LENGTH = 8,
    AT_LEADER_EPOCH = 12,
    AT_MAGIC = 16,
    AT_CRC = 17,
    AT_ATTRIBUTES = 21, /* From here on the CRC counts. */
    AT_LAST_OFFSET_DELTA = 23,
    AT_BASE_TIMESTAMP = 27,
    AT_MAX_TIMESTAMP = 35,
    AT_PRODUCER_ID = 43,
    AT_PRODUCER_EPOCH = 51,
    AT_BASE_SEQUENCE = 53,
    AT_RECORD_COUNT = 57,
};

void record_batch_read_header(const void *base, record_batch_header *ret_header)
{
    const uint8_t *at = base;
    *ret_header = (record_batch_header){
        .base_offset = (int64_t)wire_get_64(at),
        .batch_length = (int32_t)wire_get_32(at + AT_BATCH_LENGTH),
        .leader_epoch = (int32_t)wire_get_32(at + AT_LEADER_EPOCH),
        .magic = (int8_t)at[AT_MAGIC],
        .crc = wire_get_32(at + AT_CRC),
        .attributes = (int16_t)wire_get_16(at + AT_ATTRIBUTES),
        .last_offset_delta = (int32_t)wire_get_32(at + AT_LAST_OFFSET_DELTA),
        .base_timestamp = (int64_t)wire_get_64(at + AT_BASE_TIMESTAMP),
        .max_timestamp = (int64_t)wire_get_64(at + AT_MAX_TIMESTAMP),
        .producer_id = (int64_t)wire_get_64(at + AT_PRODUCER_ID),
        .producer_epoch = (int16_t)wire_get_16(at + AT_PRODUCER_EPOCH),
        .base_sequence = (int32_t)wire_get_32(at + AT_BASE_SEQUENCE),
        .record_count = (int32_t)wire_get_32(at + AT_RECORD_COUNT),
    };
}

void record_batch_write_header(void *base, const record_batch_header *header)
{
    uint8_t *at = base;
    wire_put_64(at, (uint64_t)header->base_offset);
    wire_put_32(at + AT_BATCH_LENGTH, (uint32_t)header->batch_length);
    wire_put_32(at + AT_LEADER_EPOCH, (uint32_t)header->leader_epoch);
    at[AT_MAGIC] = (uint8_t)header->magic;
    wire_put_32(at + AT_CRC, header->crc);
    wire_put_16(at + AT_ATTRIBUTES, (uint16_t)header->attributes);
    wire_put_32(at + AT_LAST_OFFSET_DELTA, (uint32_t)header->last_offset_delta);
    wire_put_64(at + AT_BASE_TIMESTAMP, (uint64_t)header->base_timestamp);
    wire_put_64(at + AT_MAX_TIMESTAMP, (uint64_t)header->max_timestamp);
    wire_put_64(at + AT_PRODUCER_ID, (uint64_t)header->producer_id);
    wire_put_16(at + AT_PRODUCER_EPOCH, (uint16_t)header->producer_epoch);
    wire_put_32(at + AT_BASE_SEQUENCE, (uint32_t)header->base_sequence);
    wire_put_32(at + AT_RECORD_COUNT, (uint32_t)header->record_count);
}

bool record_batch_header_possible(const record_batch_header *header, int64_t size_max)
{
    int64_t size = record_batch_size(header);
    return header->magic == 2 && size >= RECORD_BATCH_HEADER_SIZE && size <= size_max &&
           header->base_offset >= 0 && header->last_offset_delta >= 0 &&
           header->base_offset <= INT64_MAX - header->last_offset_delta - 1 &&
           header->record_count >= 0 &&
           header->record_count <= (int64_t)header->last_offset_delta + 1 &&
           (header->attributes & RECORD_BATCH_CODEC_MASK) <= COMPRESSION_ZSTD;
}

static uint32_t crc_of(const void *base, size_t size)
{
    return crc32c(0, (const uint8_t *)base + AT_ATTRIBUTES, size - AT_ATTRIBUTES);
}

bool record_batch_crc_right(const void *base, size_t size)
{
    return wire_get_32((const uint8_t *)base + AT_CRC) == crc_of(base, size);
}

void record_batch_set_crc(void *base, size_t size)
{
    wire_put_32((uint8_t *)base + AT_CRC, crc_of(base, size));
}

void record_batch_set_offset(void *base, int64_t base_offset, int32_t leader_epoch)
{
    wire_put_64(base, (uint64_t)base_offset);
    wire_put_32((uint8_t *)base + AT_LEADER_EPOCH, (uint32_t)leader_epoch);
}

void record_batch_set_append_time(void *base, size_t size, int64_t now_ms)
{
    uint8_t *attributes = (uint8_t *)base + AT_ATTRIBUTES;
    wire_put_16(attributes,
                (uint16_t)(wire_get_16(attributes) | RECORD_BATCH_LOG_APPEND_TIME));
    record_batch_set_max_timestamp(base, size, now_ms);
}

void record_batch_set_max_timestamp(void *base, size_t size, int64_t max_timestamp)
{
    wire_put_64((uint8_t *)base + AT_MAX_TIMESTAMP, (uint64_t)max_timestamp);
    record_batch_set_crc(base, size);
}
