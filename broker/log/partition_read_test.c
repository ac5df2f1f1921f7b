/* Reads at the end of a partition: from memory for those who wait there, and always
 * whole batches. */
#include "broker/log/log_fixture.h"
#include <time.h>

static log_fixture fixture;

static void on_wake(partition_watch *self)
{
}

/* What a consumer does that has nothing to read. */
static void wait_at_end(void)
{
    partition_watch watch = {.wake = on_wake, .wanted_bytes = INT64_MAX};
    CHECK(!partition_watch_add(fixture.log, &watch));
    partition_watch_remove(fixture.log, &watch);
}

static partition_append append(size_t value_len, int16_t acks)
{
    batch_spec spec = {.records = 1, .value_len = value_len, .timestamp = NOW};
    partition_append done = fixture_append_spec(&fixture, spec, acks);
    CHECK_INT(done.error_code, ERROR_NONE);
    return done;
}

static partition_data read_from(int64_t offset, size_t max_bytes)
{
    partition_data data;
    partition_read(fixture.log, offset, max_bytes, true, PARTITION_HIGH_WATERMARK,
                   &data);
    CHECK_INT(data.error_code, ERROR_NONE);
    return data;
}

static bool is_from_memory(int64_t offset)
{
    partition_data data = read_from(offset, 1 << 20);
    CHECK_INT(data.slice_count, 1);
    bool memory = data.slices[0].base != NULL;
    partition_data_done(&data);
    return memory;
}

TEST(a_reader_that_waited_gets_small_batches_from_memory)
{
    fixture_begin(&fixture);
    append(100, 1);
    CHECK(!is_from_memory(0)); /* This read said that somebody is there. */
    append(100, 1);
    CHECK(is_from_memory(1));
    CHECK(!is_from_memory(0)); /* All of an answer, or nothing. */
    append(100000, 1);
    CHECK(!is_from_memory(2));
    wait_at_end();
    append(100, 1);
    CHECK(is_from_memory(3));
    fixture_end(&fixture);
}

TEST(what_is_in_memory_is_not_seen_before_it_may_be)
{
    fixture_begin(&fixture);
    wait_at_end();
    append(10, 1);
    partition_append last = append(10, -1);
    partition_data data = read_from(0, 1 << 20);
    CHECK(data.high_watermark == 1 || data.high_watermark == 2);
    CHECK_INT(data.bytes == data.available_bytes, true);
    partition_data_done(&data);
    fixture_wait wait;
    fixture_wait_begin(&fixture, &wait, last.next_offset);
    CHECK_INT(fixture_wait_end(&wait), ERROR_NONE);
    data = read_from(1, 1 << 20);
    CHECK_INT(data.high_watermark, 2);
    CHECK(data.slices[0].base != NULL);
    partition_data_done(&data);
    fixture_end(&fixture);
}

TEST(memory_goes_back_when_the_log_is_quiet)
{
    fixture_begin(&fixture);
    wait_at_end();
    append(100, 1);
    partition_checkpoint(fixture.log, NOW);
    CHECK(is_from_memory(0));
    partition_checkpoint(fixture.log, NOW);
    CHECK(!is_from_memory(0));
    fixture_end(&fixture);
}

/* Whole batches from `offset` on, and no more than were asked for. */
static void check_read(int64_t offset, size_t max_bytes)
{
    partition_data data = read_from(offset, max_bytes);
    uint8_t *got = memory_take(data.bytes + 1);
    CHECK_INT(partition_data_copy(&data, got, NULL), SLUICE_OK);
    record_batch_header header;
    for (size_t at = 0; at < data.bytes; at += (size_t)record_batch_size(&header)) {
        record_batch_read_header(got + at, &header);
        CHECK(record_batch_header_possible(&header, (int64_t)(data.bytes - at)));
        CHECK_INT(header.base_offset, offset);
        CHECK(record_batch_crc_right(got + at, (size_t)record_batch_size(&header)));
        offset = record_batch_last_offset(&header) + 1;
    }
    CHECK(data.bytes == data.available_bytes || data.bytes <= max_bytes ||
          offset == header.base_offset + 1);
    free(got);
    partition_data_done(&data);
}

TEST(random_reads_at_the_end_get_whole_batches_in_order)
{
    fixture_begin(&fixture);
    fixture.config.segment_bytes = 300000;
    partition_set_config(fixture.log, &fixture.config);
    unsigned seed = (unsigned)time(NULL);
    printf("# seed %u\n", seed);
    size_t from_memory = 0;
    for (int64_t end = 1; end <= 3000; end++) {
        if (rand_r(&seed) % 20 == 0) {
            wait_at_end();
        }
        size_t most = rand_r(&seed) % 50 == 0 ? 40000 : 1000;
        append((size_t)rand_r(&seed) % most, 1);
        if (rand_r(&seed) % 200 == 0) {
            partition_checkpoint(fixture.log, NOW);
        }
        if (rand_r(&seed) % 3 == 0) {
            int64_t behind = rand_r(&seed) % (rand_r(&seed) % 10 == 0 ? 200 : 20);
            int64_t offset = end - 1 - behind;
            check_read(offset < 0 ? 0 : offset, (size_t)rand_r(&seed) % 20000);
            partition_data data = read_from(end - 1, 1 << 20);
            from_memory += data.slice_count > 0 && data.slices[0].base != NULL;
            partition_data_done(&data);
        }
    }
    CHECK(from_memory > 100);
    fixture_end(&fixture);
}

TEST(an_answer_ends_with_its_segment_and_says_so)
{
    fixture_begin(&fixture);
    fixture.config.segment_bytes = 2000;
    partition_set_config(fixture.log, &fixture.config);
    for (int i = 0; i < 3; i++) {
        append(900, 1);
    }
    partition_data data = read_from(0, 1 << 20);
    CHECK(data.segment_ends);
    CHECK_INT(data.bytes, data.available_bytes);
    size_t two = data.bytes;
    partition_data_done(&data);
    data = read_from(0, two - 1);
    CHECK(!data.segment_ends);
    CHECK_INT(data.bytes, two / 2);
    CHECK_INT(data.available_bytes, two);
    partition_data_done(&data);
    data = read_from(2, 1 << 20);
    CHECK(!data.segment_ends);
    partition_data_done(&data);
    fixture_end(&fixture);
}

TEST_MAIN
