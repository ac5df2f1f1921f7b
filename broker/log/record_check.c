/* broker/log/record_check.c - what is demanded of a batch that a producer sent.
 *
 * Records are walked through a window: for a plain batch the window is the batch
 * itself, for a compressed one it is refilled from the decompressor. Keys and values
 * are skipped, never gathered, so that memory does not depend on what was sent. */
#include "broker/log/record_batch.h"
#include "broker/log/record_codec.h"
#include "broker/log/record_varint.h"
#include "protocol/error_code.h"

#include <assert.h>

typedef struct walk {
    const uint8_t *at, *end; /* What is left of the window. */
    record_codec *codec;     /* NULL: the window is all there is. */
    uint8_t *window;
    bool broken; /* The decompressor said so. */
    const record_batch_header *header;
    const log_config *config;
    int64_t now_ms, max_timestamp;
    record_batch_fault *fault;
} walk;

enum { WINDOW_SIZE = 16384 };

static bool refuse(record_batch_fault *fault, int16_t error_code, int32_t record,
                   const char *message)
{
    fault->error_code = error_code;
    fault->message = message;
    fault->record = record;
    fault->record_count = 0;
    return false;
}

/* The record cannot be accepted, but the walk goes on: there may be more of its kind.
 * A timestamp outweighs a missing key, as with Kafka. */
static void blame(record_batch_fault *fault, int16_t error_code, int32_t record,
                  const char *message)
{
    if (fault->record_count == 0 || error_code == ERROR_INVALID_TIMESTAMP) {
        fault->error_code = error_code;
        fault->message = message;
    }
    if (fault->record_count == 0) {
        fault->record = record;
    }
    if (fault->record_count < RECORD_FAULTS_MAX) {
        fault->records[fault->record_count++] = record;
    }
}

/* Makes the window non-empty; false at the end. */
static bool refill(walk *self)
{
    if (self->at < self->end) {
        return true;
    }
    if (self->codec == NULL) {
        return false;
    }
    ptrdiff_t got = record_codec_read(self->codec, self->window, WINDOW_SIZE);
    self->broken = got < 0;
    self->at = self->window;
    self->end = self->window + (got > 0 ? got : 0);
    return got > 0;
}

/* Varints are counted in `*left`, the bytes that the record still has. */
static bool take_varint_slowly(walk *self, int64_t *left, int64_t *ret_value)
{
    uint8_t bytes[RECORD_VARINT_SIZE_MAX];
    for (size_t len = 0; len < sizeof(bytes) && *left > 0 && refill(self);) {
        bytes[len++] = *self->at++;
        (*left)--;
        if (bytes[len - 1] < 0x80) {
            const uint8_t *at = bytes;
            return record_varint_read(&at, bytes + len, ret_value);
        }
    }
    return false;
}

static inline bool take_varint(walk *self, int64_t *left, int64_t *ret_value)
{
    if (self->end - self->at < RECORD_VARINT_SIZE_MAX) {
        return take_varint_slowly(self, left, ret_value);
    }
    const uint8_t *before = self->at;
    if (!record_varint_read(&self->at, self->end, ret_value)) {
        return false;
    }
    *left -= self->at - before;
    return *left >= 0;
}

static inline bool skip(walk *self, int64_t *left, int64_t len)
{
    if (len < 0 || len > *left) {
        return false;
    }
    *left -= len;
    while (len > 0) {
        if (!refill(self)) {
            return false;
        }
        int64_t piece = self->end - self->at < len ? self->end - self->at : len;
        self->at += piece;
        len -= piece;
    }
    return true;
}

/* A length and as many bytes; -1 is null where `null_allowed`. */
static inline bool skip_bytes(walk *self, int64_t *left, bool null_allowed,
                              bool *ret_null)
{
    int64_t len;
    if (!take_varint(self, left, &len) || len < (null_allowed ? -1 : 0)) {
        return false;
    }
    *ret_null = len < 0;
    return len < 0 || skip(self, left, len);
}

static bool skip_headers(walk *self, int64_t *left)
{
    int64_t count;
    bool null;
    if (!take_varint(self, left, &count) || count < 0 || count > *left) {
        return false;
    }
    for (; count > 0; count--) {
        if (!skip_bytes(self, left, false, &null) ||
            !skip_bytes(self, left, true, &null)) {
            return false;
        }
    }
    return true;
}

static bool refuse_structure(walk *self, int32_t record)
{
    if (self->broken) { /* The CRC is right: to send it again would not help. */
        return refuse(self->fault, ERROR_INVALID_RECORD, record,
                      "the compressed records cannot be decompressed");
    }
    return refuse(self->fault, ERROR_INVALID_RECORD, record,
                  "a record's lengths do not fit the batch");
}

static bool check_timestamp(walk *self, int32_t record, int64_t delta)
{
    int64_t timestamp;
    if (__builtin_add_overflow(self->header->base_timestamp, delta, &timestamp)) {
        return refuse(self->fault, ERROR_INVALID_TIMESTAMP, record,
                      "the timestamp does not fit 64 bits");
    }
    if (timestamp > self->max_timestamp) {
        self->max_timestamp = timestamp;
    }
    if (timestamp < 0 || self->config->log_append_time) {
        return true;
    }
    int64_t age;
    if (__builtin_sub_overflow(self->now_ms, timestamp, &age)) {
        age = timestamp > 0 ? INT64_MIN + 1 : INT64_MAX;
    }
    if (age > self->config->message_timestamp_before_max_ms ||
        -age > self->config->message_timestamp_after_max_ms) {
        blame(self->fault, ERROR_INVALID_TIMESTAMP, record,
              "the timestamp is further from the broker's clock than "
              "message.timestamp.before.max.ms or message.timestamp.after.max.ms "
              "allow");
    }
    return true;
}

static bool check_record(walk *self, int32_t index)
{
    int64_t left = RECORD_VARINT_SIZE_MAX, len, timestamp_delta, offset_delta;
    bool null_key, null_value;
    if (!take_varint(self, &left, &len) || len < 0) {
        return refuse_structure(self, index);
    }
    left = len;
    if (!skip(self, &left, 1) || !take_varint(self, &left, &timestamp_delta) ||
        !take_varint(self, &left, &offset_delta) ||
        !skip_bytes(self, &left, true, &null_key) ||
        !skip_bytes(self, &left, true, &null_value) || !skip_headers(self, &left) ||
        left != 0) {
        return refuse_structure(self, index);
    }
    if (offset_delta != index) {
        return refuse(
            self->fault, ERROR_INVALID_RECORD, index,
            "the records of a batch must have offset deltas 0, 1, 2 and so on");
    }
    if (null_key && self->config->cleanup_compact) {
        blame(self->fault, ERROR_INVALID_RECORD, index,
              "a compacted topic cannot accept a record without a key");
        return true;
    }
    return check_timestamp(self, index, timestamp_delta);
}

static bool walk_records(walk *self)
{
    for (int32_t i = 0; i < self->header->record_count; i++) {
        if (!check_record(self, i)) {
            return false;
        }
    }
    if (refill(self)) {
        return refuse(self->fault, ERROR_INVALID_RECORD, -1,
                      "bytes are left after the last record");
    }
    return self->broken ? refuse_structure(self, -1) : self->fault->record_count == 0;
}

static bool walk_compressed(walk *self, const uint8_t *base, size_t size)
{
    uint8_t window[WINDOW_SIZE];
    compression_type codec =
        (compression_type)(self->header->attributes & RECORD_BATCH_CODEC_MASK);
    int64_t limit = self->config->decompressed_bytes_max;
    self->codec = record_codec_new(codec, base, size, limit < 0 ? 0 : (size_t)limit);
    if (self->codec == NULL) {
        return refuse(self->fault, ERROR_UNKNOWN_SERVER_ERROR, -1,
                      "memory for decompression is out");
    }
    self->window = window;
    self->at = self->end = window;
    bool good = walk_records(self);
    record_codec_free(self->codec);
    return good;
}

static bool check_producer(const record_batch_header *header, record_batch_fault *fault)
{
    bool transactional = (header->attributes & RECORD_BATCH_TRANSACTIONAL) != 0;
    if (header->producer_id < 0 && transactional) {
        return refuse(fault, ERROR_INVALID_RECORD, -1,
                      "a transactional batch must have a producer id");
    }
    if (header->producer_id >= 0 &&
        (header->producer_epoch < 0 || header->base_sequence < 0)) {
        return refuse(fault, ERROR_INVALID_RECORD, -1,
                      "a batch with a producer id must have an epoch and a sequence");
    }
    return true;
}

static bool check_attributes(const record_batch_header *header,
                             record_batch_fault *fault)
{
    if (header->attributes & RECORD_BATCH_CONTROL) {
        return refuse(fault, ERROR_INVALID_RECORD, -1,
                      "clients cannot write control batches");
    }
    if (header->attributes & RECORD_BATCH_LOG_APPEND_TIME) {
        return refuse(fault, ERROR_INVALID_TIMESTAMP, -1,
                      "the timestamp type of a produced batch must be CreateTime");
    }
    if ((header->attributes & RECORD_BATCH_CODEC_MASK) > COMPRESSION_ZSTD) {
        return refuse(fault, ERROR_UNSUPPORTED_COMPRESSION_TYPE, -1,
                      "the compression codec must be none, gzip, snappy, lz4 or zstd");
    }
    return check_producer(header, fault);
}

static bool check_counts(const record_batch_header *header, record_batch_fault *fault)
{
    if (header->base_offset != 0) {
        return refuse(fault, ERROR_INVALID_RECORD, -1,
                      "the base offset of a produced batch must be 0");
    }
    if (header->record_count <= 0 ||
        header->last_offset_delta != header->record_count - 1) {
        return refuse(fault, ERROR_INVALID_RECORD, -1,
                      "a produced batch must have records, and their number must be "
                      "the last offset delta plus 1");
    }
    return true;
}

static bool check_size(const record_batch_header *header, size_t size,
                       const log_config *config, record_batch_fault *fault)
{
    if (header->magic != 2) {
        return refuse(fault, ERROR_INVALID_RECORD, -1,
                      "the record format must be version 2 (magic 2)");
    }
    int64_t batch_size = record_batch_size(header);
    if (batch_size < RECORD_BATCH_HEADER_SIZE) {
        return refuse(fault, ERROR_CORRUPT_MESSAGE, -1,
                      "the length of the batch is less than that of its header");
    }
    if (batch_size > (int64_t)size) {
        return refuse(fault, ERROR_INVALID_RECORD, -1,
                      "the length of the batch is more than the bytes sent");
    }
    if (batch_size != (int64_t)size) {
        return refuse(fault, ERROR_INVALID_RECORD, -1,
                      "a partition must be sent exactly one batch in a request");
    }
    if (batch_size > config->max_message_bytes) {
        return refuse(fault, ERROR_MESSAGE_TOO_LARGE, -1,
                      "the batch is larger than max.message.bytes allows");
    }
    if (batch_size > config->segment_bytes) {
        return refuse(fault, ERROR_RECORD_LIST_TOO_LARGE, -1,
                      "the batch is larger than a segment (segment.bytes)");
    }
    return true;
}

bool record_batch_check(const void *base, size_t size, const log_config *config,
                        int64_t now_ms, int64_t *ret_max_timestamp,
                        record_batch_fault *ret_fault)
{
    record_batch_header header;
    ret_fault->record_count = 0;
    if (size < RECORD_BATCH_HEADER_SIZE) {
        return refuse(ret_fault, ERROR_INVALID_RECORD, -1,
                      "the batch is shorter than a batch header");
    }
    record_batch_read_header(base, &header);
    if (!check_size(&header, size, config, ret_fault)) {
        return false;
    }
    if (!record_batch_crc_right(base, size)) {
        return refuse(ret_fault, ERROR_CORRUPT_MESSAGE, -1,
                      "the CRC of the batch is wrong");
    }
    if (!check_counts(&header, ret_fault) || !check_attributes(&header, ret_fault)) {
        return false;
    }
    *ret_max_timestamp = header.max_timestamp;
    if (!config->validate_records) {
        return true;
    }
    const uint8_t *records = (const uint8_t *)base + RECORD_BATCH_HEADER_SIZE;
    walk self = {.at = records,
                 .end = (const uint8_t *)base + size,
                 .header = &header,
                 .config = config,
                 .now_ms = now_ms,
                 .max_timestamp = -1,
                 .fault = ret_fault};
    bool plain = (header.attributes & RECORD_BATCH_CODEC_MASK) == COMPRESSION_NONE;
    if (plain ? !walk_records(&self)
              : !walk_compressed(&self, records, size - RECORD_BATCH_HEADER_SIZE)) {
        return false;
    }
    *ret_max_timestamp = self.max_timestamp;
    return true;
}
