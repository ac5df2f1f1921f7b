/* broker/log/record_compress_test.c - topics whose compression.type is a codec: what a
 * producer sent comes back in it, unchanged otherwise. */
#include "broker/log/log_fixture.h"
#include "broker/log/record_compress.h"
#include "protocol/wire.h"

#include <lz4frame.h>
#include <zlib.h>

enum { RECORDS = 3000 };

/* Some 300 kB that shrink: several windows, and several blocks of each codec. */
static void make_batch(record_batch_writer *writer)
{
    record_batch_header header = {
        .producer_id = 77, .producer_epoch = 3, .base_sequence = 0};
    record_batch_writer_init(writer, &header);
    for (int i = 0; i < RECORDS; i++) {
        char key[32], value[128];
        snprintf(key, sizeof key, "key %d", i);
        int len = snprintf(value, sizeof value, "the value of record %d, %0*d", i,
                           60 + i % 7, i * 7919);
        record_batch_writer_add(writer, NOW + i, (sluice_bytes){key, strlen(key)},
                                (sluice_bytes){value, (size_t)len});
    }
    record_batch_writer_finish(writer);
}

static log_config config_of(compression_type type, int32_t level)
{
    log_config config = LOG_CONFIG_INIT;
    config.compression = type;
    config.compression_level = level;
    return config;
}

/* `batch` in another codec; buffer_done() by the caller. */
static buffer recompressed(const void *base, size_t size, compression_type type,
                           int32_t level)
{
    log_config config = config_of(type, level);
    record_batch_fault fault;
    buffer batch;
    buffer_init(&batch, 4 << 20);
    CHECK(record_batch_recompress(base, size, &config, &batch, &fault));
    int64_t max_timestamp;
    CHECK(record_batch_check(batch.base, batch.len, &config, NOW, &max_timestamp,
                             &fault));
    return batch;
}

static void check_records(const void *base, size_t size, compression_type type)
{
    sluice_arena *arena = sluice_arena_new();
    record_reader reader;
    log_record got;
    bool done;
    CHECK_INT(record_reader_init(&reader, base, size, arena, 4 << 20, NULL), SLUICE_OK);
    CHECK_INT(reader.header.attributes, type);
    CHECK_INT(reader.header.producer_id, 77);
    CHECK_INT(reader.header.producer_epoch, 3);
    CHECK_INT(reader.header.base_sequence, 0);
    CHECK_INT(reader.header.base_timestamp, NOW);
    CHECK_INT(reader.header.max_timestamp, NOW + RECORDS - 1);
    for (int i = 0; i < RECORDS; i++) {
        char key[32];
        snprintf(key, sizeof key, "key %d", i);
        CHECK_INT(record_reader_next(&reader, &got, &done, NULL), SLUICE_OK);
        CHECK(!done);
        CHECK_BYTES(got.key.base, got.key.len, key, strlen(key));
        CHECK_INT(got.timestamp, NOW + i);
        CHECK(got.value.len > 80);
    }
    CHECK_INT(record_reader_next(&reader, &got, &done, NULL), SLUICE_OK);
    CHECK(done);
    sluice_arena_free(arena);
}

TEST(every_codec_becomes_every_other)
{
    record_batch_writer writer;
    make_batch(&writer);
    for (int from = COMPRESSION_NONE; from <= COMPRESSION_ZSTD; from++) {
        buffer sent = recompressed(writer.base, writer.size, (compression_type)from, 3);
        check_records(sent.base, sent.len, (compression_type)from);
        CHECK((sent.len < writer.size / 2) == (from != COMPRESSION_NONE));
        for (int to = COMPRESSION_NONE; to <= COMPRESSION_ZSTD; to++) {
            buffer stored = recompressed(sent.base, sent.len, (compression_type)to, 3);
            check_records(stored.base, stored.len, (compression_type)to);
            if (to == COMPRESSION_NONE) {
                CHECK_BYTES(stored.base, stored.len, writer.base, writer.size);
            }
            buffer_done(&stored);
        }
        buffer_done(&sent);
    }
    record_batch_writer_done(&writer);
}

TEST(levels_are_obeyed)
{
    static const struct {
        compression_type type;
        int32_t weak, strong;
    } cases[] = {{COMPRESSION_GZIP, 1, 9},
                 {COMPRESSION_LZ4, 9, 12}, /* Kafka's 9 is the fast one. */
                 {COMPRESSION_LZ4, 3, 17},
                 {COMPRESSION_ZSTD, -50, 15}};
    record_batch_writer writer;
    make_batch(&writer);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        buffer weak =
            recompressed(writer.base, writer.size, cases[i].type, cases[i].weak);
        buffer strong =
            recompressed(writer.base, writer.size, cases[i].type, cases[i].strong);
        CHECK(strong.len < weak.len);
        buffer_done(&weak);
        buffer_done(&strong);
    }
    record_batch_writer_done(&writer);
}

TEST(frames_are_those_that_old_readers_in_java_know)
{
    record_batch_writer writer;
    make_batch(&writer);
    buffer snappy = recompressed(writer.base, writer.size, COMPRESSION_SNAPPY, -1);
    CHECK(memcmp(snappy.base + 61, "\x82SNAPPY\0\0\0\0\1\0\0\0\1", 16) == 0);
    buffer lz4 = recompressed(writer.base, writer.size, COMPRESSION_LZ4, 9);
    CHECK(memcmp(lz4.base + 61, "\x04\x22\x4d\x18", 4) == 0);
    CHECK_INT((uint8_t)lz4.base[65] & 0xf0, 0x60); /* Version 1, independent blocks. */
    CHECK_INT((uint8_t)lz4.base[66], 0x40);        /* Of 64 KiB. */
    buffer gzip = recompressed(writer.base, writer.size, COMPRESSION_GZIP, -1);
    CHECK(memcmp(gzip.base + 61, "\x1f\x8b\x08", 3) == 0);
    buffer_done(&snappy);
    buffer_done(&lz4);
    buffer_done(&gzip);
    record_batch_writer_done(&writer);
}

/* gzip may be several members behind one another, lz4 blocks may refer to those before;
 * both are read. */
static size_t deflate_member(const uint8_t *from, size_t len, uint8_t *to, size_t room)
{
    z_stream gzip = {.next_in = (Bytef *)from,
                     .avail_in = (uInt)len,
                     .next_out = to,
                     .avail_out = (uInt)room};
    deflateInit2(&gzip, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
    CHECK_INT(deflate(&gzip, Z_FINISH), Z_STREAM_END);
    deflateEnd(&gzip);
    return gzip.total_out;
}

static void check_foreign(const record_batch_writer *writer, uint8_t *batch, size_t len,
                          compression_type type)
{
    record_batch_header header;
    record_batch_read_header(writer->base, &header);
    header.attributes = (int16_t)type;
    header.batch_length = (int32_t)len + 49;
    record_batch_write_header(batch, &header);
    record_batch_set_crc(batch, len + 61);
    check_records(batch, len + 61, type);
    buffer plain = recompressed(batch, len + 61, COMPRESSION_NONE, -1);
    CHECK_BYTES(plain.base, plain.len, writer->base, writer->size);
    buffer_done(&plain);
}

TEST(gzip_of_several_members_and_linked_lz4_are_read)
{
    record_batch_writer writer;
    make_batch(&writer);
    size_t room = 2 * writer.size, size = writer.size - 61, third = size / 3, len = 0;
    uint8_t *batch = malloc(room);
    for (size_t at = 0; at < size; at += third) {
        size_t piece = size - at < third ? size - at : third;
        len += deflate_member(writer.base + 61 + at, piece, batch + 61 + len,
                              room - 61 - len);
    }
    check_foreign(&writer, batch, len, COMPRESSION_GZIP);
    for (int mode = LZ4F_blockLinked; mode <= LZ4F_blockIndependent; mode++) {
        LZ4F_preferences_t how = {
            .frameInfo = {
                .blockSizeID = LZ4F_max64KB,
                .blockMode = (LZ4F_blockMode_t)mode,
                .contentChecksumFlag = LZ4F_contentChecksumEnabled,
            }};
        len = LZ4F_compressFrame(batch + 61, room - 61, writer.base + 61, size, &how);
        check_foreign(&writer, batch, len, COMPRESSION_LZ4);
    }
    free(batch);
    record_batch_writer_done(&writer);
}

/* ---- In a partition -------------------------------------------------------------- */

TEST(a_topic_stores_its_own_codec_whatever_was_sent)
{
    log_fixture self;
    fixture_begin(&self);
    record_batch_writer writer;
    make_batch(&writer);
    for (int type = COMPRESSION_NONE; type <= COMPRESSION_PRODUCER; type++) {
        self.config = config_of((compression_type)type, 3);
        self.config.log_append_time = type == COMPRESSION_ZSTD;
        partition_set_config(self.log, &self.config);
        wire_put_32(writer.base + 53, (uint32_t)(type * RECORDS)); /* The sequence. */
        record_batch_set_crc(writer.base, writer.size);
        partition_append append = {.base = writer.base, .len = writer.size, .acks = 1};
        partition_append_batches(self.log, &append, 1, NOW);
        CHECK_INT(append.error_code, ERROR_NONE);
        CHECK_INT(append.base_offset, type * RECORDS);

        partition_data data;
        partition_read(self.log, append.base_offset, 1, true, PARTITION_LOG_END, &data);
        uint8_t *stored = malloc(data.bytes);
        CHECK_INT(partition_data_copy(&data, stored, NULL), SLUICE_OK);
        record_batch_header header;
        record_batch_read_header(stored, &header);
        CHECK(record_batch_crc_right(stored, data.bytes));
        CHECK_INT(header.base_offset, append.base_offset);
        CHECK_INT(header.attributes & RECORD_BATCH_CODEC_MASK,
                  type == COMPRESSION_PRODUCER ? COMPRESSION_NONE : type);
        CHECK_INT((header.attributes & RECORD_BATCH_LOG_APPEND_TIME) != 0,
                  type == COMPRESSION_ZSTD);
        free(stored);
        partition_data_done(&data);
    }
    record_batch_writer_done(&writer);
    fixture_end(&self);
}

TEST(what_is_too_large_in_the_topics_codec_is_refused)
{
    log_fixture self;
    fixture_begin(&self);
    record_batch_writer writer;
    make_batch(&writer);
    buffer small = recompressed(writer.base, writer.size, COMPRESSION_ZSTD, 3);
    self.config = config_of(COMPRESSION_NONE, -1);
    self.config.max_message_bytes = (int32_t)writer.size - 1;
    partition_set_config(self.log, &self.config);
    partition_append append = {.base = small.base, .len = small.len, .acks = 1};
    partition_append_batches(self.log, &append, 1, NOW);
    CHECK_INT(append.error_code, ERROR_MESSAGE_TOO_LARGE);
    CHECK_INT(partition_log_end_offset(self.log), 0);
    self.config.max_message_bytes++;
    partition_set_config(self.log, &self.config);
    partition_append_batches(self.log, &append, 1, NOW);
    CHECK_INT(append.error_code, ERROR_NONE);
    CHECK_INT(partition_log_end_offset(self.log), RECORDS);
    buffer_done(&small);
    record_batch_writer_done(&writer);
    fixture_end(&self);
}

TEST_MAIN
