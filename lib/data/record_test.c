/* Batches, records and headers. */
#include "test.h"
#include <sluice/record.h>

TEST(a_new_record_has_nothing_set)
{
    sluice_batch *batch = sluice_batch_new();
    sluice_record *record = sluice_batch_add(batch);
    CHECK(sluice_record_topic(record) == NULL);
    CHECK(sluice_record_key(record) == NULL && sluice_record_value(record) == NULL);
    CHECK_INT(sluice_record_partition(record), SLUICE_NO_PARTITION);
    CHECK_INT(sluice_record_timestamp(record), SLUICE_NO_TIMESTAMP);
    CHECK_INT(sluice_record_offset(record), SLUICE_NO_OFFSET);
    CHECK(sluice_record_headers_or_null(record) == NULL);
    CHECK(sluice_record_arena(record) == sluice_batch_arena(batch));
    sluice_batch_free(batch);
    sluice_batch_free(NULL);
}

TEST(records_stay_where_they_are_while_the_batch_grows)
{
    sluice_batch *batch = sluice_batch_new();
    for (int round = 0; round < 3; round++) {
        sluice_record *first = sluice_batch_add(batch);
        for (int i = 1; i < 10000; i++) {
            sluice_record *record = sluice_batch_add(batch);
            sluice_record_set_partition(record, i);
            sluice_record_set_value(record, NULL,
                                    sluice_int32(sluice_batch_arena(batch), i));
        }
        CHECK(sluice_batch_record(batch, 0) == first);
        CHECK_INT(sluice_batch_count(batch), 10000);
        for (size_t i = 1; i < 10000; i++) {
            sluice_record *record = sluice_batch_record(batch, i);
            CHECK_INT(sluice_record_partition(record), i);
            CHECK_INT(sluice_value_integer(sluice_record_value(record)), i);
        }
        sluice_batch_reset(batch);
        CHECK_INT(sluice_batch_count(batch), 0);
    }
    sluice_batch_free(batch);
}

TEST(a_transform_may_move_a_consumed_record_but_not_its_origin)
{
    sluice_batch *batch = sluice_batch_new();
    sluice_record *record = sluice_batch_add(batch);
    sluice_record_set_consumed(record, "orders", 3, 4711, 99, SLUICE_TIMESTAMP_CREATE);
    char topic[] = "elsewhere";
    sluice_record_set_topic(record, topic);
    topic[0] = 'X';
    sluice_record_set_partition(record, 0);
    CHECK_TEXT(sluice_record_topic(record), "elsewhere");
    CHECK_TEXT(sluice_record_original_topic(record), "orders");
    CHECK_INT(sluice_record_original_partition(record), 3);
    CHECK_INT(sluice_record_offset(record), 4711);
    CHECK_INT(sluice_record_timestamp(record), 99);
    CHECK_INT(sluice_record_timestamp_type(record), SLUICE_TIMESTAMP_CREATE);
    sluice_batch_free(batch);
}

TEST(headers_are_an_ordered_list_with_repetitions)
{
    sluice_batch *batch = sluice_batch_new();
    sluice_headers *headers = sluice_record_headers(sluice_batch_add(batch));
    const char *names[] = {"a", "b", "a", "c", "a", "d"};
    for (size_t i = 0; i < 6; i++) {
        sluice_headers_add(headers, names[i], NULL, sluice_boolean(i % 2 == 0));
    }
    CHECK_INT(sluice_headers_count(headers), 6);
    CHECK_INT(sluice_headers_find(headers, "a"), 4);
    CHECK_INT(sluice_headers_find(headers, "x"), -1);
    CHECK_INT(sluice_headers_remove(headers, "a"), 3);
    CHECK_TEXT(sluice_headers_name(headers, 1), "c");
    CHECK(!sluice_value_boolean(sluice_headers_value(headers, 1)));
    CHECK_INT(sluice_headers_count(NULL), 0);
    sluice_batch_free(batch);
}

/* The names of a record's headers, one letter each. */
static const char *letters(const sluice_record *record)
{
    static char text[16];
    const sluice_headers *headers = sluice_record_headers_or_null(record);
    size_t count = sluice_headers_count(headers);
    for (size_t i = 0; i < count; i++) {
        text[i] = *sluice_headers_name(headers, i);
    }
    text[count] = '\0';
    return text;
}

TEST(records_that_repeat_headers_change_their_own_only)
{
    sluice_batch *batch = sluice_batch_new();
    sluice_record *records[4];
    for (size_t i = 0; i < 4; i++) {
        records[i] = sluice_batch_add(batch);
    }
    sluice_headers *first = sluice_record_headers(records[0]);
    sluice_headers_add(first, "a", NULL, NULL);
    sluice_headers_add(first, "b", NULL, sluice_boolean(true));
    for (size_t i = 1; i < 4; i++) {
        sluice_record_repeat_headers(records[i], first);
    }
    sluice_headers_add(sluice_record_headers(records[1]), "c", NULL, NULL);
    sluice_headers_add(first, "d", NULL, NULL);
    CHECK_INT(sluice_headers_remove(sluice_record_headers(records[2]), "a"), 1);
    CHECK_INT(sluice_headers_remove(sluice_record_headers(records[3]), "x"), 0);
    CHECK_TEXT(letters(records[0]), "abd");
    CHECK_TEXT(letters(records[1]), "abc");
    CHECK_TEXT(letters(records[2]), "b");
    CHECK_TEXT(letters(records[3]), "ab");
    CHECK_INT(sluice_headers_remove(first, "b"), 1);
    CHECK_TEXT(letters(records[3]), "ab");
    sluice_batch_free(batch);
}

TEST_MAIN
