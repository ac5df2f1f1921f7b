/* broker/log/partition_test.c - a partition takes batches and gives them back, after
 * any kind of stop. */
#include "broker/log/log_fixture.h"
#include "protocol/wire.h"

static log_fixture fixture;

TEST(what_was_appended_is_read_back)
{
    fixture_begin(&fixture);
    for (int i = 0; i < 200; i++) {
        CHECK_INT(fixture_append(&fixture, 3), 3 * i);
    }
    CHECK_INT(partition_log_end_offset(fixture.log), 600);
    CHECK_INT(partition_high_watermark(fixture.log), 600);
    int batches;
    CHECK_INT(fixture_read_all(&fixture, 0, 1 << 20, &batches), 600);
    CHECK_INT(batches, 200);
    CHECK_INT(fixture_read_all(&fixture, 0, 1, &batches), 600);
    CHECK_INT(batches, 200);
    CHECK_INT(fixture_read_all(&fixture, 0, 10000, &batches), 600);
    CHECK_INT(batches, 200);
    for (int offset = 0; offset <= 600; offset++) {
        CHECK_INT(fixture_read_all(&fixture, offset, 1 << 20, &batches), 600);
        CHECK_INT(batches, 200 - offset / 3);
    }
    fixture_end(&fixture);
}

TEST(a_read_gives_whole_batches_up_to_the_limit)
{
    fixture_begin(&fixture);
    for (int i = 0; i < 300; i++) {
        fixture_append(&fixture, 1);
    }
    partition_data data;
    partition_read(fixture.log, 0, 1 << 20, false, PARTITION_HIGH_WATERMARK, &data);
    size_t each = data.bytes / 300;
    CHECK_INT(data.bytes % 300, 0);
    partition_data_done(&data);
    for (int start = 0; start < 300; start += 37) {
        for (size_t max = 0; max < 20 * each; max += 31) {
            partition_read(fixture.log, start, max, false, PARTITION_HIGH_WATERMARK,
                           &data);
            CHECK_INT(data.error_code, ERROR_NONE);
            CHECK_INT(data.bytes % each, 0);
            CHECK(data.bytes <= max);
            size_t left = (300 - (size_t)start) * each;
            CHECK_INT(data.bytes, (max < left ? max : left) / each * each);
            partition_data_done(&data);
            partition_read(fixture.log, start, max, true, PARTITION_HIGH_WATERMARK,
                           &data);
            CHECK(data.bytes >= each);
            partition_data_done(&data);
        }
    }
    fixture_end(&fixture);
}

TEST(offsets_out_of_range_are_told)
{
    fixture_begin(&fixture);
    fixture_append(&fixture, 5);
    partition_data data;
    partition_read(fixture.log, 6, 1000, true, PARTITION_HIGH_WATERMARK, &data);
    CHECK_INT(data.error_code, ERROR_OFFSET_OUT_OF_RANGE);
    CHECK_INT(data.high_watermark, 5);
    partition_data_done(&data);
    partition_read(fixture.log, -1, 1000, true, PARTITION_HIGH_WATERMARK, &data);
    CHECK_INT(data.error_code, ERROR_OFFSET_OUT_OF_RANGE);
    partition_data_done(&data);
    partition_read(fixture.log, 5, 1000, true, PARTITION_HIGH_WATERMARK, &data);
    CHECK_INT(data.error_code, ERROR_NONE);
    CHECK_INT(data.bytes, 0);
    partition_data_done(&data);
    fixture_end(&fixture);
}

TEST(a_bad_batch_is_refused_and_its_neighbours_are_written)
{
    fixture_begin(&fixture);
    record_batch_writer good, bad, more;
    fixture_batch(&good, (batch_spec){.records = 2, .value_len = 10, .timestamp = NOW});
    fixture_batch(&bad, (batch_spec){.records = 2, .value_len = 10, .timestamp = NOW});
    fixture_batch(&more, (batch_spec){.records = 4, .value_len = 10, .timestamp = NOW});
    bad.base[70] ^= 1;
    partition_append appends[3] = {{.base = good.base, .len = good.size, .acks = 1},
                                   {.base = bad.base, .len = bad.size, .acks = 1},
                                   {.base = more.base, .len = more.size, .acks = 1}};
    partition_append_batches(fixture.log, appends, 3, NOW);
    CHECK_INT(appends[0].base_offset, 0);
    CHECK_INT(appends[1].error_code, ERROR_CORRUPT_MESSAGE);
    CHECK_INT(appends[1].base_offset, -1);
    CHECK_INT(appends[2].base_offset, 2);
    CHECK_INT(appends[2].next_offset, 6);
    int batches;
    CHECK_INT(fixture_read_all(&fixture, 0, 1 << 20, &batches), 6);
    CHECK_INT(batches, 2);
    record_batch_writer_done(&good);
    record_batch_writer_done(&bad);
    record_batch_writer_done(&more);
    fixture_end(&fixture);
}

TEST(segments_roll_by_size_and_are_read_across)
{
    fixture_begin(&fixture);
    fixture.config.segment_bytes = 10000;
    partition_set_config(fixture.log, &fixture.config);
    for (int i = 0; i < 500; i++) {
        fixture_append(&fixture, 1 + i % 3);
    }
    int64_t end = partition_log_end_offset(fixture.log);
    int batches;
    CHECK_INT(fixture_read_all(&fixture, 0, 1 << 20, &batches), end);
    CHECK_INT(batches, 500);
    CHECK_INT(fixture_read_all(&fixture, 0, 3000, &batches), end);
    CHECK_INT(batches, 500);
    fixture_close(&fixture);
    fixture_open(&fixture);
    CHECK(log_dir_was_clean(fixture.dir));
    CHECK_INT(partition_log_end_offset(fixture.log), end);
    CHECK_INT(fixture_read_all(&fixture, 0, 3000, &batches), end);
    CHECK_INT(batches, 500);
    CHECK_INT(fixture_append(&fixture, 1), end);
    fixture_end(&fixture);
}

TEST(segments_roll_by_time)
{
    fixture_begin(&fixture);
    fixture.config.segment_ms = 1000;
    partition_set_config(fixture.log, &fixture.config);
    batch_spec spec = {.records = 1, .value_len = 10, .timestamp = NOW};
    fixture_append_spec(&fixture, spec, 1);
    spec.timestamp = NOW + 1000;
    fixture_append_spec(&fixture, spec, 1);
    CHECK_INT(fixture_file_size(&fixture, "00000000000000000002.log"), -1);
    spec.timestamp = NOW + 1001;
    fixture_append_spec(&fixture, spec, 1);
    CHECK(fixture_file_size(&fixture, "00000000000000000002.log") > 0);
    fixture_end(&fixture);
}

/* ---- Stops ----------------------------------------------------------------------- */

TEST(a_crash_loses_nothing_that_was_written)
{
    fixture_begin(&fixture);
    fixture.config.segment_bytes = 10000;
    partition_set_config(fixture.log, &fixture.config);
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 100; i++) {
            fixture_append(&fixture, 2);
        }
        fixture_crash(&fixture);
        fixture_open(&fixture);
        CHECK(!log_dir_was_clean(fixture.dir));
        int batches;
        CHECK_INT(partition_log_end_offset(fixture.log), 200 * (round + 1));
        CHECK_INT(fixture_read_all(&fixture, 0, 1 << 20, &batches), 200 * (round + 1));
        CHECK_INT(batches, 100 * (round + 1));
    }
    fixture_end(&fixture);
}

/* Keeps `size` bytes of the only segment, and puts `tail` bytes of `fill` behind. */
static void damage(int64_t size, size_t tail, int fill)
{
    char *path = fixture_file(&fixture, "00000000000000000000.log");
    int fd = open(path, O_WRONLY);
    CHECK(ftruncate(fd, size) == 0);
    char bytes[300];
    memset(bytes, fill, sizeof(bytes));
    CHECK_INT(pwrite(fd, bytes, tail, size), tail);
    close(fd);
    free(path);
}

TEST(a_tail_torn_at_any_byte_is_cut_off)
{
    fixture_begin(&fixture);
    for (int i = 0; i < 5; i++) {
        fixture_append(&fixture, 1);
    }
    int64_t size = partition_size(fixture.log), each = size / 5;
    for (int64_t cut = 0; cut < each - 1; cut++) { /* The last byte is a zero anyway. */
        for (int kind = 0; kind < 3; kind++) {
            fixture_crash(&fixture);
            damage(size - each + cut, kind == 0 ? 0 : 300, kind == 1 ? 0 : 0xa5);
            fixture_open(&fixture);
            CHECK_INT(partition_log_end_offset(fixture.log), 4);
            CHECK_INT(fixture_file_size(&fixture, "00000000000000000000.log"),
                      size - each);
            CHECK_INT(fixture_append(&fixture, 1), 4);
        }
    }
    fixture_end(&fixture);
}

TEST(a_flipped_bit_ends_the_log_after_a_crash)
{
    fixture_begin(&fixture);
    for (int i = 0; i < 5; i++) {
        fixture_append(&fixture, 1);
    }
    int64_t each = partition_size(fixture.log) / 5;
    fixture_crash(&fixture);
    char *path = fixture_file(&fixture, "00000000000000000000.log");
    int fd = open(path, O_RDWR);
    char byte;
    CHECK_INT(pread(fd, &byte, 1, 3 * each + 80), 1);
    byte ^= 4;
    CHECK_INT(pwrite(fd, &byte, 1, 3 * each + 80), 1);
    close(fd);
    free(path);
    fixture_open(&fixture);
    CHECK_INT(partition_log_end_offset(fixture.log), 3);
    fixture_end(&fixture);
}

TEST(lost_indexes_are_made_again)
{
    fixture_begin(&fixture);
    fixture.config.segment_bytes = 20000;
    partition_set_config(fixture.log, &fixture.config);
    for (int i = 0; i < 300; i++) {
        fixture_append(&fixture, 1);
    }
    for (int clean = 0; clean < 2; clean++) {
        if (clean) {
            fixture_close(&fixture);
        } else {
            fixture_crash(&fixture);
        }
        char *command = memory_print("%s/t-0", fixture.path);
        DIR *folder = opendir(command);
        for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
            if (strstr(entry->d_name, "index") != NULL) {
                unlinkat(dirfd(folder), entry->d_name, 0);
            }
        }
        closedir(folder);
        free(command);
        fixture_open(&fixture);
        int batches;
        CHECK_INT(fixture_read_all(&fixture, 0, 1000, &batches), 300);
        CHECK_INT(batches, 300);
        for (int offset = 0; offset < 300; offset += 7) {
            partition_data data;
            partition_read(fixture.log, offset, 1, true, PARTITION_HIGH_WATERMARK,
                           &data);
            uint8_t bytes[300];
            CHECK(data.bytes < sizeof(bytes));
            partition_data_copy(&data, bytes, NULL);
            CHECK_INT(wire_get_64(bytes), offset);
            partition_data_done(&data);
        }
    }
    fixture_end(&fixture);
}

TEST(a_topic_made_again_under_the_same_name_does_not_get_old_records)
{
    fixture_begin(&fixture);
    fixture_append(&fixture, 1);
    partition_unref(fixture.log);
    uuid other = {{9}};
    CHECK_INT(partition_open(fixture.dir, "t", 0, &other, &fixture.config, &fixture.log,
                             NULL),
              SLUICE_OK);
    CHECK_INT(partition_log_end_offset(fixture.log), 0);
    CHECK_INT(fixture_append(&fixture, 1), 0);
    int strays = 0;
    DIR *folder = opendir(fixture.path);
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        strays += strncmp(entry->d_name, "t-0.", 4) == 0 &&
                  strcmp(entry->d_name + 36, "-stray") == 0;
    }
    closedir(folder);
    CHECK_INT(strays, 1);
    fixture_end(&fixture);
}

TEST(a_directory_serves_one_broker_at_a_time)
{
    fixture_begin(&fixture);
    log_dir *other;
    sluice_error *err = sluice_error_new();
    CHECK_INT(log_dir_open(fixture.path, &fixture.options, &other, err),
              SLUICE_BAD_CONFIG);
    char *wanted = memory_print("log directory '%s' is in use by another broker: stop "
                                "that one, or choose another directory with log.dirs",
                                fixture.path);
    CHECK_TEXT(sluice_error_text(err), wanted);
    free(wanted);
    sluice_error_free(err);
    fixture_end(&fixture);
}

/* ---- Producers ------------------------------------------------------------------- */

static partition_append send(int32_t sequence, int records, int16_t epoch)
{
    batch_spec spec = {.records = records,
                       .value_len = 10,
                       .timestamp = NOW,
                       .producer_id = 7,
                       .epoch = epoch,
                       .sequence = sequence};
    return fixture_append_spec(&fixture, spec, 1);
}

TEST(a_batch_sent_twice_is_stored_once)
{
    fixture_begin(&fixture);
    fixture_append(&fixture, 3);
    for (int i = 0; i < 8; i++) {
        partition_append first = send(2 * i, 2, 0);
        CHECK_INT(first.error_code, ERROR_NONE);
        CHECK_INT(first.base_offset, 3 + 2 * i);
        CHECK(!first.duplicate);
        for (int back = 0; back < 5 && back <= i; back++) {
            partition_append again = send(2 * (i - back), 2, 0);
            CHECK_INT(again.error_code, ERROR_NONE);
            CHECK(again.duplicate);
            CHECK_INT(again.base_offset, 3 + 2 * (i - back));
        }
    }
    CHECK_INT(partition_log_end_offset(fixture.log), 19);
    CHECK_INT(send(2, 2, 0).error_code, ERROR_OUT_OF_ORDER_SEQUENCE_NUMBER);
    CHECK_INT(send(18, 2, 0).error_code, ERROR_OUT_OF_ORDER_SEQUENCE_NUMBER);
    fixture_end(&fixture);
}

TEST(epochs_fence_older_ones_and_begin_with_sequence_0)
{
    fixture_begin(&fixture);
    CHECK_INT(send(0, 1, 1).error_code, ERROR_NONE);
    CHECK_INT(send(1, 1, 0).error_code, ERROR_INVALID_PRODUCER_EPOCH);
    CHECK_INT(send(1, 1, 2).error_code, ERROR_OUT_OF_ORDER_SEQUENCE_NUMBER);
    CHECK_INT(send(0, 1, 2).error_code, ERROR_NONE);
    CHECK_INT(send(1, 1, 1).error_code, ERROR_INVALID_PRODUCER_EPOCH);
    fixture_end(&fixture);
}

TEST(sequences_wrap_to_0)
{
    fixture_begin(&fixture);
    CHECK_INT(send(INT32_MAX - 1, 2, 0).error_code, ERROR_NONE);
    CHECK_INT(send(0, 1, 0).error_code, ERROR_NONE);
    CHECK_INT(send(1, 1, 0).error_code, ERROR_NONE);
    fixture_end(&fixture);
}

TEST(producers_are_known_after_every_kind_of_stop)
{
    for (int clean = 0; clean < 2; clean++) {
        fixture_begin(&fixture);
        fixture_close(&fixture);
        fixture.options.sync_none = true; /* So that the recovery point follows. */
        fixture.config.segment_bytes = 500;
        fixture_open(&fixture);
        for (int i = 0; i < 20; i++) {
            CHECK_INT(send(i, 1, 3).error_code, ERROR_NONE);
            if (clean) {
                fixture_close(&fixture);
            } else {
                CHECK_INT(log_dir_checkpoint(fixture.dir, NULL), SLUICE_OK);
                fixture_crash(&fixture);
            }
            fixture_open(&fixture);
            CHECK(send(i, 1, 3).duplicate);
            for (int back = 1; !clean && back < 5 && back <= i; back++) {
                CHECK(send(i - back, 1, 3).duplicate);
            }
            CHECK_INT(send(i + 2, 1, 3).error_code, ERROR_OUT_OF_ORDER_SEQUENCE_NUMBER);
            CHECK_INT(send(i + 1, 1, 2).error_code, ERROR_INVALID_PRODUCER_EPOCH);
        }
        fixture_end(&fixture);
    }
}

TEST(an_open_transaction_holds_the_last_stable_offset)
{
    fixture_begin(&fixture);
    fixture_append(&fixture, 3);
    batch_spec spec = {.records = 2,
                       .value_len = 10,
                       .timestamp = NOW,
                       .producer_id = 7,
                       .transactional = true};
    CHECK_INT(fixture_append_spec(&fixture, spec, 1).base_offset, 3);
    fixture_append(&fixture, 4);
    CHECK_INT(partition_last_stable_offset(fixture.log), 3);
    CHECK_INT(partition_high_watermark(fixture.log), 9);
    partition_data data;
    partition_read(fixture.log, 0, 1 << 20, true, PARTITION_LAST_STABLE, &data);
    record_batch_header header;
    uint8_t bytes[1000];
    CHECK(data.bytes < sizeof(bytes));
    partition_data_copy(&data, bytes, NULL);
    record_batch_read_header(bytes, &header);
    CHECK_INT(record_batch_size(&header), data.bytes);
    partition_data_done(&data);
    CHECK_INT(send(2, 1, 0).error_code, ERROR_INVALID_TXN_STATE);

    uint8_t marker[RECORD_BATCH_MARKER_SIZE];
    record_batch_write_marker(marker, true, NOW, 7, 0, 0);
    partition_append append = {.base = marker,
                               .len = sizeof(marker),
                               .acks = 1,
                               .origin = PARTITION_COORDINATOR};
    partition_append_batches(fixture.log, &append, 1, NOW);
    CHECK_INT(append.error_code, ERROR_NONE);
    CHECK_INT(partition_last_stable_offset(fixture.log), 10);
    fixture_end(&fixture);
}

/* ---- Epochs, times, retention ---------------------------------------------------- */

TEST(each_open_leads_in_a_new_epoch_once_it_wrote)
{
    fixture_begin(&fixture);
    int32_t epoch;
    int64_t end;
    CHECK_INT(partition_leader_epoch(fixture.log), 0);
    fixture_append(&fixture, 5);
    fixture_close(&fixture);
    fixture_open(&fixture);
    CHECK_INT(partition_leader_epoch(fixture.log), 1);
    fixture_crash(&fixture);
    fixture_open(&fixture);
    CHECK_INT(partition_leader_epoch(fixture.log), 1);
    fixture_append(&fixture, 5);
    partition_epoch_end(fixture.log, 0, &epoch, &end);
    CHECK_INT(epoch, 0);
    CHECK_INT(end, 5);
    partition_epoch_end(fixture.log, 1, &epoch, &end);
    CHECK_INT(epoch, 1);
    CHECK_INT(end, 10);
    fixture_crash(&fixture);
    fixture_open(&fixture);
    CHECK_INT(partition_leader_epoch(fixture.log), 2);
    partition_epoch_end(fixture.log, 1, &epoch, &end);
    CHECK_INT(epoch, 1);
    CHECK_INT(end, 10);
    fixture_end(&fixture);
}

TEST(offsets_are_found_by_time)
{
    fixture_begin(&fixture);
    fixture.config.segment_bytes = 5000;
    partition_set_config(fixture.log, &fixture.config);
    for (int i = 0; i < 200; i++) {
        batch_spec spec = {.records = 1, .value_len = 50, .timestamp = NOW + 10 * i};
        fixture_append_spec(&fixture, spec, 1);
    }
    for (int clean = 0; clean < 2; clean++) {
        partition_offset found;
        for (int i = 0; i < 200; i++) {
            partition_find_offset(fixture.log, NOW + 10 * i - 3,
                                  PARTITION_HIGH_WATERMARK, &found);
            CHECK_INT(found.error_code, ERROR_NONE);
            CHECK_INT(found.offset, i);
            CHECK_INT(found.timestamp, NOW + 10 * i);
        }
        partition_find_offset(fixture.log, NOW + 2000, PARTITION_HIGH_WATERMARK,
                              &found);
        CHECK_INT(found.offset, -1);
        CHECK_INT(found.timestamp, -1);
        partition_find_offset(fixture.log, PARTITION_LATEST, PARTITION_HIGH_WATERMARK,
                              &found);
        CHECK_INT(found.offset, 200);
        partition_find_offset(fixture.log, PARTITION_EARLIEST, PARTITION_HIGH_WATERMARK,
                              &found);
        CHECK_INT(found.offset, 0);
        partition_find_offset(fixture.log, PARTITION_MAX_TIMESTAMP,
                              PARTITION_HIGH_WATERMARK, &found);
        CHECK_INT(found.offset, 199);
        CHECK_INT(found.timestamp, NOW + 1990);
        fixture_close(&fixture);
        fixture_open(&fixture);
    }
    fixture_end(&fixture);
}

TEST(retention_has_nothing_to_do_before_it_is_due_and_something_then)
{
    fixture_begin(&fixture);
    CHECK_INT(partition_retention_due(fixture.log), INT64_MAX);
    fixture.config.segment_bytes = 1000;
    fixture.config.segment_ms = 100000;
    fixture.config.retention_ms = 5000;
    partition_set_config(fixture.log, &fixture.config);
    for (int i = 0; i < 100; i++) {
        batch_spec spec = {.records = 1, .value_len = 50, .timestamp = NOW + 10 * i};
        fixture_append_spec(&fixture, spec, 1);
    }
    int64_t due;
    int times = 0;
    for (; (due = partition_retention_due(fixture.log)) != INT64_MAX; times++) {
        CHECK_INT(partition_apply_retention(fixture.log, due - 1), 0);
        CHECK(partition_apply_retention(fixture.log, due) > 0);
    }
    CHECK(times > 5);
    CHECK_INT(partition_log_start_offset(fixture.log), 100);
    fixture.config.retention_ms = -1;
    partition_set_config(fixture.log, &fixture.config);
    batch_spec last = {.records = 1, .value_len = 50, .timestamp = NOW};
    fixture_append_spec(&fixture, last, 1);
    due = partition_retention_due(fixture.log);
    CHECK_INT(due, NOW + 100001);
    CHECK_INT(partition_apply_retention(fixture.log, due - 1), 0);
    CHECK_INT(partition_retention_due(fixture.log), due);
    CHECK_INT(partition_apply_retention(fixture.log, due), 0); /* It rolls. */
    CHECK_INT(partition_retention_due(fixture.log), INT64_MAX);
    fixture_end(&fixture);
}

TEST(retention_deletes_what_is_too_old_or_too_much)
{
    fixture_begin(&fixture);
    fixture.config.segment_bytes = 1000;
    fixture.config.retention_ms = 1000;
    partition_set_config(fixture.log, &fixture.config);
    for (int i = 0; i < 100; i++) {
        batch_spec spec = {.records = 1, .value_len = 50, .timestamp = NOW + 10 * i};
        fixture_append_spec(&fixture, spec, 1);
    }
    CHECK_INT(partition_apply_retention(fixture.log, NOW + 1000), 0);
    CHECK(partition_apply_retention(fixture.log, NOW + 1500) > 0);
    int64_t start = partition_log_start_offset(fixture.log);
    CHECK(start > 30 && start <= 50);
    CHECK_INT(fixture_file_size(&fixture, "00000000000000000000.log"), -1);
    partition_data data;
    partition_read(fixture.log, start - 1, 1, true, PARTITION_HIGH_WATERMARK, &data);
    CHECK_INT(data.error_code, ERROR_OFFSET_OUT_OF_RANGE);
    partition_data_done(&data);

    fixture.config.retention_bytes = 2000;
    partition_set_config(fixture.log, &fixture.config);
    partition_apply_retention(fixture.log, NOW + 1500);
    CHECK(partition_size(fixture.log) >= 2000 && partition_size(fixture.log) < 3100);

    partition_apply_retention(fixture.log, NOW + 100000);
    CHECK_INT(partition_log_start_offset(fixture.log), 100);
    CHECK_INT(partition_size(fixture.log), 0);
    fixture_crash(&fixture);
    fixture_open(&fixture);
    CHECK_INT(partition_log_start_offset(fixture.log), 100);
    CHECK_INT(fixture_append(&fixture, 1), 100);
    fixture_end(&fixture);
}

TEST(a_reader_outlives_the_deletion_of_its_segment)
{
    fixture_begin(&fixture);
    fixture_append(&fixture, 3);
    partition_data data;
    partition_read(fixture.log, 0, 1 << 20, true, PARTITION_HIGH_WATERMARK, &data);
    CHECK_INT(partition_apply_retention(fixture.log, NOW + 604800001), 1);
    uint8_t bytes[1000];
    CHECK_INT(partition_data_copy(&data, bytes, NULL), SLUICE_OK);
    CHECK(record_batch_crc_right(bytes, data.bytes));
    partition_data_done(&data);
    fixture_end(&fixture);
}

TEST(deleted_records_stay_deleted)
{
    fixture_begin(&fixture);
    for (int i = 0; i < 10; i++) {
        fixture_append(&fixture, 1);
    }
    int64_t low;
    CHECK_INT(partition_delete_records(fixture.log, 11, &low),
              ERROR_OFFSET_OUT_OF_RANGE);
    CHECK_INT(partition_delete_records(fixture.log, 4, &low), ERROR_NONE);
    CHECK_INT(low, 4);
    CHECK_INT(partition_delete_records(fixture.log, 2, &low), ERROR_NONE);
    CHECK_INT(low, 4);
    fixture_crash(&fixture);
    fixture_open(&fixture);
    CHECK_INT(partition_log_start_offset(fixture.log), 4);
    fixture_close(&fixture);
    fixture_open(&fixture);
    CHECK_INT(partition_log_start_offset(fixture.log), 4);
    CHECK_INT(partition_log_end_offset(fixture.log), 10);
    CHECK_INT(partition_delete_records(fixture.log, -1, &low), ERROR_NONE);
    CHECK_INT(low, 10);
    fixture_end(&fixture);
}

TEST(a_partition_made_again_after_a_crash_knows_nothing_of_the_deleted_one)
{
    fixture_begin(&fixture);
    fixture_append(&fixture, 5);
    int64_t low;
    CHECK_INT(partition_delete_records(fixture.log, 4, &low), ERROR_NONE);
    partition_delete(fixture.log);
    fixture_crash(&fixture);
    fixture_open(&fixture);
    CHECK_INT(partition_log_start_offset(fixture.log), 0);
    CHECK_INT(partition_log_end_offset(fixture.log), 0);
    fixture_end(&fixture);
}

TEST(old_segments_are_read_again_after_their_files_were_given_back)
{
    fixture_begin(&fixture);
    fixture.config.segment_bytes = 5000;
    partition_set_config(fixture.log, &fixture.config);
    for (int i = 0; i < 300; i++) {
        fixture_append(&fixture, 1);
    }
    for (int round = 0; round < 3; round++) {
        int batches;
        CHECK_INT(fixture_read_all(&fixture, 0, 1000, &batches), 300);
        CHECK_INT(batches, 300);
        partition_offset found;
        partition_find_offset(fixture.log, NOW, PARTITION_HIGH_WATERMARK, &found);
        CHECK_INT(found.offset, 0);
        partition_checkpoint(fixture.log, NOW);
    }
    fixture_end(&fixture);
}

TEST(a_deleted_partition_refuses_and_its_directory_goes)
{
    fixture_begin(&fixture);
    fixture_append(&fixture, 1);
    partition_delete(fixture.log);
    batch_spec spec = {.records = 1, .timestamp = NOW};
    CHECK_INT(fixture_append_spec(&fixture, spec, 1).error_code,
              ERROR_NOT_LEADER_OR_FOLLOWER);
    partition_data data;
    partition_read(fixture.log, 0, 1, true, PARTITION_HIGH_WATERMARK, &data);
    CHECK_INT(data.error_code, ERROR_NOT_LEADER_OR_FOLLOWER);
    partition_data_done(&data);
    CHECK_INT(fixture_file_size(&fixture, "00000000000000000000.log"), -1);
    struct stat about;
    CHECK(stat(fixture.path, &about) == 0);
    CHECK_INT(about.st_nlink, 3); /* ".", its name, and "t-0.<digits>-delete". */
    log_dir_remove_deleted(fixture.dir);
    CHECK(stat(fixture.path, &about) == 0);
    CHECK_INT(about.st_nlink, 2);
    fixture_end(&fixture);
}

TEST(log_append_time_is_stamped)
{
    fixture_begin(&fixture);
    fixture.config.log_append_time = true;
    partition_set_config(fixture.log, &fixture.config);
    batch_spec spec = {.records = 1, .value_len = 10, .timestamp = 5};
    partition_append append = fixture_append_spec(&fixture, spec, 1);
    CHECK_INT(append.log_append_time, NOW);
    partition_offset found;
    partition_find_offset(fixture.log, NOW, PARTITION_HIGH_WATERMARK, &found);
    CHECK_INT(found.offset, 0);
    CHECK_INT(found.timestamp, NOW);
    int batches;
    CHECK_INT(fixture_read_all(&fixture, 0, 1000, &batches), 1);
    fixture_end(&fixture);
}

TEST_MAIN
