/* broker/log/record_batch_test.c - record batches: the golden ones, what is refused,
 * what is made, and what compressed ones hold. */
#include "base/text.h"
#include "broker/log/record_batch.h"
#include "protocol/error_code.h"
#include "protocol/wire.h"
#include "test.h"

#include <lz4frame.h>
#include <snappy-c.h>
#include <zlib.h>
#include <zstd.h>

/* Two records (k=v1 with header h=x at T; null key, v2 at T+5), T=1700000000000. */
#define GOLDEN                                                                         \
    "000000000000000000000048ffffffff02601d12660000000000010000018bcfe568000000018b"   \
    "cfe56805ffffffffffffffffffffffffffff000000021a000000026b0476310202680278"         \
    "10000a020104763200"
/* A commit marker at offset 2, leader epoch 0, producer 1000 epoch 0. */
#define MARKER                                                                         \
    "000000000000000200000042000000000291a367630030000000000000018bcfe5680a0000018b"   \
    "cfe5680a00000000000003e80000ffffffff000000012000000008000000010c00000000000000"
#define T 1700000000000

static size_t unhex(uint8_t *to, const char *digits)
{
    size_t len = strlen(digits) / 2;
    CHECK(text_unhex(to, len, digits, 2 * len));
    return len;
}

static uint8_t bytes[4096];
static record_batch_fault fault;
static log_config config = LOG_CONFIG_INIT;

static bool check(const void *base, size_t size)
{
    int64_t max_timestamp;
    return record_batch_check(base, size, &config, T, &max_timestamp, &fault);
}

static void take_golden(size_t *ret_size)
{
    *ret_size = unhex(bytes, GOLDEN);
    config = (log_config)LOG_CONFIG_INIT;
}

/* Refused with `code` after `bytes` got a new CRC. */
static bool refused(size_t size, int16_t code)
{
    record_batch_set_crc(bytes, size);
    return !check(bytes, size) && fault.error_code == code;
}

TEST(the_golden_batch_is_read_as_what_it_is)
{
    size_t size;
    take_golden(&size);
    CHECK_INT(size, 84);
    CHECK(check(bytes, size));

    record_reader reader;
    log_record got;
    bool done;
    CHECK_INT(record_reader_init(&reader, bytes, size, NULL, 0, NULL), SLUICE_OK);
    CHECK_INT(record_reader_next(&reader, &got, &done, NULL), SLUICE_OK);
    CHECK(!done);
    CHECK_BYTES(got.key.base, got.key.len, "k", 1);
    CHECK_BYTES(got.value.base, got.value.len, "v1", 2);
    CHECK_INT(got.timestamp, T);
    CHECK_INT(got.header_count, 1);
    sluice_bytes key, value;
    CHECK(record_next_header(&got.headers, &key, &value));
    CHECK_BYTES(key.base, key.len, "h", 1);
    CHECK_BYTES(value.base, value.len, "x", 1);
    CHECK(!record_next_header(&got.headers, &key, &value));
    CHECK_INT(record_reader_next(&reader, &got, &done, NULL), SLUICE_OK);
    CHECK(got.key.base == NULL);
    CHECK_INT(got.timestamp, T + 5);
    CHECK_INT(got.offset, 1);
    CHECK_INT(record_reader_next(&reader, &got, &done, NULL), SLUICE_OK);
    CHECK(done);
}

TEST(a_marker_is_made_as_the_golden_one)
{
    uint8_t wanted[RECORD_BATCH_MARKER_SIZE], got[RECORD_BATCH_MARKER_SIZE];
    CHECK_INT(unhex(wanted, MARKER), RECORD_BATCH_MARKER_SIZE);
    record_batch_write_marker(got, true, T + 10, 1000, 0, 0);
    record_batch_set_offset(got, 2, 0);
    CHECK_BYTES(got, sizeof(got), wanted, sizeof(wanted));
    CHECK(record_batch_crc_right(got, sizeof(got)));
}

TEST(what_the_writer_makes_passes_the_check_and_reads_back)
{
    record_batch_writer writer;
    record_batch_writer_init(&writer, NULL);
    for (int i = 0; i < 100; i++) {
        char key[20], value[3000];
        memset(value, 'a' + i % 26, sizeof(value));
        snprintf(key, sizeof(key), "key %d", i);
        sluice_bytes null = {NULL, 0};
        record_batch_writer_add(
            &writer, T - i, i % 7 == 0 ? null : (sluice_bytes){key, strlen(key)},
            i % 5 == 0 ? null : (sluice_bytes){value, (size_t)i * 30});
    }
    record_batch_writer_finish(&writer);
    config = (log_config)LOG_CONFIG_INIT;
    CHECK(check(writer.base, writer.size));

    record_reader reader;
    log_record got;
    bool done;
    record_reader_init(&reader, writer.base, writer.size, NULL, 0, NULL);
    for (int i = 0; i < 100; i++) {
        CHECK_INT(record_reader_next(&reader, &got, &done, NULL), SLUICE_OK);
        CHECK(!done);
        CHECK_INT(got.timestamp, T - i);
        CHECK_INT(got.offset, i);
        CHECK((got.key.base == NULL) == (i % 7 == 0));
        CHECK((got.value.base == NULL) == (i % 5 == 0));
        CHECK_INT(got.value.len, i % 5 == 0 ? 0 : i * 30);
    }
    CHECK_INT(record_reader_next(&reader, &got, &done, NULL), SLUICE_OK);
    CHECK(done);
    record_batch_writer_done(&writer);
}

TEST(a_wrong_bit_anywhere_behind_the_crc_is_found)
{
    size_t size;
    take_golden(&size);
    for (size_t i = 17; i < size; i++) {
        for (int bit = 0; bit < 8; bit++) {
            bytes[i] ^= (uint8_t)(1 << bit);
            CHECK(!check(bytes, size));
            CHECK_INT(fault.error_code, ERROR_CORRUPT_MESSAGE);
            bytes[i] ^= (uint8_t)(1 << bit);
        }
    }
}

TEST(leader_epoch_is_not_judged)
{
    size_t size;
    take_golden(&size);
    wire_put_32(bytes + 12, 77);
    CHECK(check(bytes, size));
}

TEST(a_batch_of_another_length_is_refused)
{
    size_t size;
    take_golden(&size);
    for (size_t shorter = 0; shorter < size; shorter++) {
        CHECK(!check(bytes, shorter));
        CHECK_INT(fault.error_code, ERROR_INVALID_RECORD);
    }
    CHECK(!check(bytes, size + 1));
    CHECK_INT(fault.error_code, ERROR_INVALID_RECORD);
    config.max_message_bytes = (int32_t)size - 1;
    CHECK(!check(bytes, size));
    CHECK_INT(fault.error_code, ERROR_MESSAGE_TOO_LARGE);
    config.max_message_bytes = (int32_t)size;
    config.segment_bytes = (int32_t)size - 1;
    CHECK(!check(bytes, size));
    CHECK_INT(fault.error_code, ERROR_RECORD_LIST_TOO_LARGE);
}

TEST(header_fields_that_lie_are_refused)
{
    size_t size;
    take_golden(&size);
    wire_put_64(bytes, 1);
    CHECK(refused(size, ERROR_INVALID_RECORD)); /* Base offset. */
    take_golden(&size);
    bytes[16] = 1;
    CHECK(refused(size, ERROR_INVALID_RECORD)); /* Magic. */
    take_golden(&size);
    wire_put_32(bytes + 57, 3);
    CHECK(refused(size, ERROR_INVALID_RECORD)); /* Count. */
    take_golden(&size);
    wire_put_32(bytes + 57, 0);
    wire_put_32(bytes + 23, UINT32_MAX);
    CHECK(refused(size, ERROR_INVALID_RECORD)); /* No records. */
    take_golden(&size);
    wire_put_32(bytes + 57, 3);
    wire_put_32(bytes + 23, 2);
    CHECK(refused(size, ERROR_INVALID_RECORD)); /* A third is not there. */
    take_golden(&size);
    wire_put_32(bytes + 57, 1);
    wire_put_32(bytes + 23, 0);
    CHECK(refused(size, ERROR_INVALID_RECORD)); /* One more is there. */
}

TEST(attributes_that_clients_may_not_set_are_refused)
{
    size_t size;
    take_golden(&size);
    bytes[22] = RECORD_BATCH_CONTROL;
    CHECK(refused(size, ERROR_INVALID_RECORD));
    bytes[22] = RECORD_BATCH_LOG_APPEND_TIME;
    CHECK(refused(size, ERROR_INVALID_TIMESTAMP));
    bytes[22] = RECORD_BATCH_TRANSACTIONAL;
    CHECK(refused(size, ERROR_INVALID_RECORD));
    bytes[22] = 5;
    CHECK(refused(size, ERROR_UNSUPPORTED_COMPRESSION_TYPE));
    bytes[22] = 0;
    wire_put_64(bytes + 43, 9);
    CHECK(refused(size, ERROR_INVALID_RECORD)); /* A producer without epoch. */
}

TEST(records_whose_lengths_lie_are_refused)
{
    for (size_t at = RECORD_BATCH_HEADER_SIZE; at < 84; at++) {
        size_t size;
        take_golden(&size);
        bytes[at] = 0xff; /* A varint that goes on, or a byte of a key: no crash. */
        record_batch_set_crc(bytes, size);
        check(bytes, size);
        bytes[at] = 0x7f;
        record_batch_set_crc(bytes, size);
        check(bytes, size);
    }
    size_t size;
    take_golden(&size);
    bytes[61] = 0x1c; /* One longer than it is. */
    CHECK(refused(size, ERROR_INVALID_RECORD));
    CHECK_INT(fault.record, 0);
    take_golden(&size);
    bytes[78] = 4; /* Offset delta 2 instead of 1. */
    CHECK(refused(size, ERROR_INVALID_RECORD));
    CHECK_INT(fault.record, 1);
}

TEST(a_compacted_topic_wants_keys)
{
    size_t size;
    take_golden(&size);
    config.cleanup_compact = true;
    CHECK(!check(bytes, size));
    CHECK_INT(fault.error_code, ERROR_INVALID_RECORD);
    CHECK_INT(fault.record, 1);
    CHECK_INT(fault.record_count, 1);
    CHECK_INT(fault.records[0], 1);
}

TEST(all_records_to_blame_are_named_up_to_a_number)
{
    record_batch_writer writer;
    record_batch_writer_init(&writer, NULL);
    for (int i = 0; i < 3 * RECORD_FAULTS_MAX; i++) {
        sluice_bytes key = {i % 2 == 0 ? "k" : NULL, i % 2 == 0 ? 1 : 0};
        record_batch_writer_add(&writer, T + (i == 4 ? 5000 : 0), key, key);
    }
    record_batch_writer_finish(&writer);
    config = (log_config)LOG_CONFIG_INIT;
    config.cleanup_compact = true;
    CHECK(!check(writer.base, writer.size));
    CHECK_INT(fault.error_code, ERROR_INVALID_RECORD);
    CHECK_INT(fault.record_count, RECORD_FAULTS_MAX);
    CHECK_INT(fault.records[RECORD_FAULTS_MAX - 1], 2 * RECORD_FAULTS_MAX - 1);
    config.message_timestamp_after_max_ms = 4000;
    CHECK(!check(writer.base, writer.size));
    CHECK_INT(fault.error_code, ERROR_INVALID_TIMESTAMP);
    CHECK_INT(fault.records[0], 1);
    CHECK_INT(fault.records[2], 4);
    record_batch_writer_done(&writer);
}

TEST(timestamps_far_from_now_are_refused_where_the_topic_says_so)
{
    size_t size;
    take_golden(&size);
    int64_t max_timestamp;
    config.message_timestamp_before_max_ms = 1000;
    config.message_timestamp_after_max_ms = 1000;
    CHECK(record_batch_check(bytes, size, &config, T + 999, &max_timestamp, &fault));
    CHECK_INT(max_timestamp, T + 5);
    CHECK(!record_batch_check(bytes, size, &config, T + 1003, &max_timestamp, &fault));
    CHECK_INT(fault.error_code, ERROR_INVALID_TIMESTAMP);
    CHECK_INT(fault.record, 0);
    CHECK(!record_batch_check(bytes, size, &config, T - 997, &max_timestamp, &fault));
    CHECK_INT(fault.record, 1);
    config.log_append_time = true;
    CHECK(record_batch_check(bytes, size, &config, 0, &max_timestamp, &fault));
}

TEST(append_time_and_offset_are_set_in_place)
{
    size_t size;
    take_golden(&size);
    record_batch_set_offset(bytes, 4711, 3);
    CHECK(record_batch_crc_right(bytes, size));
    record_batch_set_append_time(bytes, size, T + 99);
    CHECK(record_batch_crc_right(bytes, size));
    record_batch_header header;
    record_batch_read_header(bytes, &header);
    CHECK_INT(header.base_offset, 4711);
    CHECK_INT(header.leader_epoch, 3);
    CHECK_INT(header.max_timestamp, T + 99);
    CHECK_INT(header.attributes, RECORD_BATCH_LOG_APPEND_TIME);
    record_reader reader;
    log_record got;
    bool done;
    record_reader_init(&reader, bytes, size, NULL, 0, NULL);
    record_reader_next(&reader, &got, &done, NULL);
    CHECK_INT(got.timestamp, T + 99);
    CHECK_INT(got.offset, 4711);
}

/* ---- Compressed ones ---------------------------------------------------------------
 */

enum { RECORDS = 500 };

/* Compresses `size` bytes with a codec; Kafka's numbers, and 12 for snappy in its
 * frame. */
static size_t compress_with(int codec, const uint8_t *from, size_t size, uint8_t *to,
                            size_t room)
{
    if (codec == COMPRESSION_GZIP) {
        z_stream gzip = {.next_in = (Bytef *)from,
                         .avail_in = (uInt)size,
                         .next_out = to,
                         .avail_out = (uInt)room};
        deflateInit2(&gzip, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
        deflate(&gzip, Z_FINISH);
        deflateEnd(&gzip);
        return gzip.total_out;
    }
    if (codec == COMPRESSION_LZ4) {
        return LZ4F_compressFrame(to, room, from, size, NULL);
    }
    if (codec == COMPRESSION_ZSTD) {
        return ZSTD_compress(to, room, from, size, 3);
    }
    size_t at = 0;
    if (codec == 12) {
        memcpy(to, "\x82SNAPPY\0\0\0\0\1\0\0\0\1", 16);
        at = 16;
    }
    size_t piece = codec == 12 ? 1000 : size;
    for (size_t done = 0; done < size; done += piece) {
        size_t take = size - done < piece ? size - done : piece;
        size_t got = room - at - 4, frame = codec == 12 ? 4 : 0;
        snappy_compress((const char *)from + done, take, (char *)to + at + frame, &got);
        if (codec == 12) {
            wire_put_32(to + at, (uint32_t)got);
        }
        at += frame + got;
    }
    return at;
}

/* A compressed batch of RECORDS records, the caller's. */
static uint8_t *compressed_batch(int codec, size_t *ret_size)
{
    record_batch_writer writer;
    record_batch_writer_init(&writer, NULL);
    for (int i = 0; i < RECORDS; i++) {
        char value[100];
        snprintf(value, sizeof(value), "the value with number %d, and more", i);
        record_batch_writer_add(&writer, T + i, (sluice_bytes){"key", 3},
                                (sluice_bytes){value, strlen(value)});
    }
    record_batch_writer_finish(&writer);
    size_t room = 100000;
    uint8_t *batch = malloc(room);
    record_batch_header header = writer.header;
    header.attributes = (int16_t)(codec & RECORD_BATCH_CODEC_MASK);
    if (codec == 12) {
        header.attributes = COMPRESSION_SNAPPY;
    }
    size_t len =
        compress_with(codec, writer.base + 61, writer.size - 61, batch + 61, room - 61);
    *ret_size = len + 61;
    header.batch_length = (int32_t)*ret_size - 12;
    record_batch_write_header(batch, &header);
    record_batch_set_crc(batch, *ret_size);
    record_batch_writer_done(&writer);
    return batch;
}

static const int codecs[] = {COMPRESSION_GZIP, COMPRESSION_SNAPPY, 12, COMPRESSION_LZ4,
                             COMPRESSION_ZSTD};

TEST(compressed_records_are_looked_into)
{
    config = (log_config)LOG_CONFIG_INIT;
    for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++) {
        size_t size;
        uint8_t *batch = compressed_batch(codecs[i], &size);
        int64_t max_timestamp = 0;
        CHECK(record_batch_check(batch, size, &config, T, &max_timestamp, &fault));
        CHECK_INT(max_timestamp, T + RECORDS - 1);

        sluice_arena *arena = sluice_arena_new();
        record_reader reader;
        log_record got;
        bool done;
        CHECK_INT(record_reader_init(&reader, batch, size, arena, 100000, NULL),
                  SLUICE_OK);
        for (int n = 0; n < RECORDS; n++) {
            CHECK_INT(record_reader_next(&reader, &got, &done, NULL), SLUICE_OK);
            CHECK(!done);
            CHECK_INT(got.timestamp, T + n);
        }
        CHECK_INT(record_reader_next(&reader, &got, &done, NULL), SLUICE_OK);
        CHECK(done);
        sluice_arena_free(arena);
        free(batch);
    }
}

TEST(a_broken_compressed_stream_is_refused_and_never_a_crash)
{
    config = (log_config)LOG_CONFIG_INIT;
    for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++) {
        size_t size;
        uint8_t *batch = compressed_batch(codecs[i], &size);
        for (size_t cut = 1; cut < 300 && cut < size - 61; cut++) {
            size_t shorter = size - cut;
            wire_put_32(batch + 8, (uint32_t)(shorter - 12));
            record_batch_set_crc(batch, shorter);
            if (codecs[i] != COMPRESSION_GZIP || cut > 8) { /* Its trailer. */
                CHECK(!check(batch, shorter));
            }
        }
        wire_put_32(batch + 8, (uint32_t)(size - 12));
        for (size_t at = 61; at < size; at += 3) {
            batch[at] ^= 0x5a;
            record_batch_set_crc(batch, size);
            check(batch, size);
            batch[at] ^= 0x5a;
        }
        free(batch);
    }
}

TEST(a_batch_that_inflates_beyond_the_limit_is_refused)
{
    config = (log_config)LOG_CONFIG_INIT;
    config.decompressed_bytes_max = 20000;
    for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++) {
        size_t size;
        uint8_t *batch = compressed_batch(codecs[i], &size);
        CHECK(!check(batch, size));
        CHECK_INT(fault.error_code, ERROR_INVALID_RECORD);
        sluice_arena *arena = sluice_arena_new();
        record_reader reader;
        CHECK_INT(record_reader_init(&reader, batch, size, arena, 20000, NULL),
                  SLUICE_BAD_RECORD);
        sluice_arena_free(arena);
        free(batch);
    }
}

TEST(a_snappy_block_that_lies_about_its_size_asks_for_no_memory)
{
    config = (log_config)LOG_CONFIG_INIT;
    uint8_t batch[61 + 8] = {0};
    record_batch_header header = {.batch_length = 57,
                                  .magic = 2,
                                  .attributes = COMPRESSION_SNAPPY,
                                  .producer_id = -1,
                                  .producer_epoch = -1,
                                  .base_sequence = -1,
                                  .record_count = 1};
    record_batch_write_header(batch, &header);
    memcpy(batch + 61, "\x80\x80\x80\xff\x03\x00\x00\x00", 8); /* 1 GB. */
    record_batch_set_crc(batch, sizeof batch);
    CHECK(!check(batch, sizeof batch));
    CHECK_INT(fault.error_code, ERROR_INVALID_RECORD);
}

TEST_MAIN
