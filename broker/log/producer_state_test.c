/* broker/log/producer_state_test.c - the table of producers and its snapshot. */
#include "base/text.h"
#include "broker/log/producer_state.h"
#include "test.h"

static producer_state state;

static record_batch_header header(int64_t producer_id, int16_t epoch, int32_t sequence,
                                  int64_t offset)
{
    return (record_batch_header){.base_offset = offset,
                                 .last_offset_delta = 1,
                                 .max_timestamp = 1000 + offset,
                                 .producer_id = producer_id,
                                 .producer_epoch = epoch,
                                 .base_sequence = sequence,
                                 .record_count = 2};
}

static void note(int64_t producer_id, int64_t offset)
{
    record_batch_header one = header(producer_id, 0, 0, offset);
    producer_state_note(&state, &one);
}

TEST(many_producers_come_and_go)
{
    for (int64_t id = 0; id < 5000; id++) {
        note(id * 7, id);
    }
    CHECK_INT(state.count, 5000);
    for (int64_t id = 0; id < 5000; id += 2) {
        producer_state_undo(&state, id * 7, NULL);
    }
    CHECK_INT(state.count, 2500);
    for (int64_t id = 0; id < 5000; id++) {
        const producer_entry *entry = producer_state_get(&state, id * 7);
        CHECK((entry != NULL) == (id % 2 == 1));
        CHECK(entry == NULL || entry->batches[0].last_offset == id + 1);
        CHECK(producer_state_get(&state, id * 7 + 1) == NULL);
    }
    producer_state_done(&state);
}

TEST(the_snapshot_has_kafkas_bytes)
{
    record_batch_header one = header(4000, 3, 5, 70);
    producer_state_note(&state, &one);
    one = header(4000, 3, 7, 72);
    producer_state_note(&state, &one);
    buffer bytes = BUFFER_INIT;
    producer_state_print(&state, &bytes);
    char digits[200];
    text_hex(digits, bytes.base, bytes.len);
    /* Version, CRC, count; id, epoch, last sequence, last offset, delta, timestamp,
     * coordinator epoch, start of the open transaction. */
    CHECK(strncmp(digits, "0001", 4) == 0);
    CHECK_TEXT(digits + 12, "00000001"
                            "0000000000000fa0"
                            "0003"
                            "00000008"
                            "0000000000000049"
                            "00000001"
                            "0000000000000430"
                            "ffffffff"
                            "ffffffffffffffff");
    producer_state again = {0};
    CHECK(producer_state_parse(&again, bytes.base, bytes.len));
    const producer_entry *entry = producer_state_get(&again, 4000);
    CHECK_INT(entry->epoch, 3);
    CHECK_INT(entry->batch_count, 1);
    CHECK_INT(entry->batches[0].last_sequence, 8);
    for (size_t i = 0; i < bytes.len; i++) {
        bytes.base[i] ^= 1;
        CHECK(!producer_state_parse(&again, bytes.base, bytes.len));
        bytes.base[i] ^= 1;
        CHECK(!producer_state_parse(&again, bytes.base, i));
    }
    CHECK_INT(again.count, 0);
    producer_state_done(&again);
    buffer_done(&bytes);
    producer_state_done(&state);
}

TEST(the_idle_and_the_oldest_beyond_the_limit_are_forgotten)
{
    for (int64_t id = 0; id < 100; id++) {
        note(id, id); /* Timestamps 1000 to 1099. */
    }
    record_batch_header open = header(500, 0, 0, 0);
    open.attributes = RECORD_BATCH_TRANSACTIONAL;
    producer_state_note(&state, &open);
    producer_state_expire(&state, 1050, 1000);
    CHECK_INT(state.count, 51);
    CHECK(producer_state_get(&state, 49) == NULL);
    CHECK(producer_state_get(&state, 50) != NULL);
    CHECK(producer_state_get(&state, 500) != NULL); /* Its transaction is open. */
    CHECK_INT(producer_state_first_unstable(&state, 0), 0);
    producer_state_expire(&state, 0, 11);
    CHECK(state.count <= 12);
    CHECK(producer_state_get(&state, 99) != NULL);
    CHECK(producer_state_get(&state, 500) != NULL);
    producer_state_done(&state);
}

TEST(a_transaction_is_stable_when_its_marker_is_below_the_watermark)
{
    record_batch_header one = header(1, 0, 0, 10), other = header(2, 0, 0, 12);
    one.attributes = other.attributes = RECORD_BATCH_TRANSACTIONAL;
    producer_state_note(&state, &one);
    producer_state_note(&state, &other);
    record_batch_header marker = header(1, 0, -1, 14);
    marker.attributes = RECORD_BATCH_TRANSACTIONAL | RECORD_BATCH_CONTROL;
    producer_entry before = *producer_state_get(&state, 1);
    producer_state_note(&state, &marker);
    CHECK_INT(producer_state_first_unstable(&state, 14), 10);
    producer_state_undo(&state, 1, &before);
    CHECK_INT(producer_state_first_unstable(&state, 14), 10);
    producer_state_note(&state, &marker);
    CHECK_INT(producer_state_first_unstable(&state, 15), 12);
    marker = header(2, 0, -1, 15);
    marker.attributes = RECORD_BATCH_TRANSACTIONAL | RECORD_BATCH_CONTROL;
    producer_state_note(&state, &marker);
    CHECK_INT(producer_state_first_unstable(&state, 15), 12);
    CHECK_INT(producer_state_first_unstable(&state, 16), INT64_MAX);
    producer_state_done(&state);
}

TEST(a_note_can_be_taken_back)
{
    note(1, 0);
    producer_entry before = *producer_state_get(&state, 1);
    record_batch_header more = header(1, 0, 2, 2);
    more.attributes = RECORD_BATCH_TRANSACTIONAL;
    producer_state_note(&state, &more);
    CHECK_INT(producer_state_first_unstable(&state, 0), 2);
    producer_state_undo(&state, 1, &before);
    CHECK_INT(producer_state_first_unstable(&state, 0), INT64_MAX);
    producer_batch original;
    record_batch_fault fault;
    CHECK_INT(producer_state_check(&state, &more, &original, &fault), PRODUCER_APPEND);
    producer_state_done(&state);
}

TEST_MAIN
