/* Offsets: found by content, in the order they came, copied. */
#include "test.h"
#include <sluice/offsets.h>

static sluice_arena *arena;

static sluice_value *pair(const char *a, const char *b)
{
    sluice_value *map = sluice_map_new(arena, 2);
    sluice_map_add_text(arena, map, a, sluice_text(arena, "1"));
    sluice_map_add_text(arena, map, b, sluice_text(arena, "2"));
    return map;
}

static sluice_value *swapped(void)
{
    sluice_value *map = sluice_map_new(arena, 2);
    sluice_map_add_text(arena, map, "y", sluice_text(arena, "2"));
    sluice_map_add_text(arena, map, "x", sluice_text(arena, "1"));
    return map;
}

TEST(a_partition_is_found_whatever_the_order_of_its_entries)
{
    arena = sluice_arena_new();
    sluice_offsets *offsets = sluice_offsets_new();
    sluice_offsets_set(offsets, pair("x", "y"), sluice_int64(arena, 1));
    sluice_offsets_set(offsets, pair("y", "x"), sluice_int64(arena, 2));
    sluice_offsets_set(offsets, swapped(), sluice_int64(arena, 3));
    CHECK_INT(sluice_offsets_count(offsets), 2);
    CHECK_INT(sluice_value_integer(sluice_offsets_find(offsets, pair("x", "y"))), 3);
    CHECK_INT(sluice_value_integer(sluice_offsets_find(offsets, pair("y", "x"))), 2);
    CHECK(sluice_offsets_find(offsets, pair("x", "z")) == NULL);
    sluice_offsets_free(offsets);
    sluice_arena_free(arena);
}

TEST(numbers_of_a_partition_are_equal_whatever_their_width)
{
    arena = sluice_arena_new();
    sluice_offsets *offsets = sluice_offsets_new();
    sluice_value *narrow = sluice_map_new(arena, 1), *wide = sluice_map_new(arena, 1);
    sluice_map_add_text(arena, narrow, "n", sluice_int32(arena, 5));
    sluice_map_add_text(arena, wide, "n", sluice_int64(arena, 5));
    sluice_offsets_set(offsets, narrow, sluice_boolean(true));
    CHECK(sluice_offsets_find(offsets, wide) != NULL);
    sluice_offsets_free(offsets);
    sluice_arena_free(arena);
}

TEST(everything_is_copied)
{
    arena = sluice_arena_new();
    sluice_offsets *offsets = sluice_offsets_new();
    sluice_offsets_set(offsets, pair("x", "y"), pair("a", "b"));
    const sluice_value *same = sluice_offsets_offset(offsets, 0);
    sluice_offsets_set(offsets, pair("x", "y"), same);
    sluice_arena_free(arena);
    const sluice_value *got = sluice_offsets_offset(offsets, 0);
    CHECK(sluice_value_is_text(sluice_map_find(got, "b", NULL), "2"));
    got = sluice_offsets_partition(offsets, 0);
    CHECK(sluice_value_is_text(sluice_map_find(got, "x", NULL), "1"));
    sluice_offsets_free(offsets);
}

TEST(a_null_offset_and_the_null_partition_are_kept)
{
    arena = sluice_arena_new();
    sluice_offsets *offsets = sluice_offsets_new();
    sluice_offsets_set(offsets, NULL, NULL);
    sluice_offsets_set(offsets, pair("x", "y"), NULL);
    CHECK_INT(sluice_offsets_count(offsets), 2);
    CHECK(sluice_offsets_offset(offsets, 1) == NULL);
    sluice_offsets_clear(offsets);
    CHECK_INT(sluice_offsets_count(offsets), 0);
    sluice_offsets_free(offsets);
    sluice_arena_free(arena);
}

TEST(topic_partitions_are_set_raised_lowered_and_taken_out)
{
    sluice_offsets *offsets = sluice_offsets_new();
    for (int partition = 0; partition < 50; partition++) {
        sluice_offsets_set_topic(offsets, "orders", partition, 100 + partition);
    }
    sluice_offsets_set_topic(offsets, "orders", 7, 5);
    sluice_offsets_set_topic(offsets, "orders", 0, -1);
    sluice_offsets_set_topic(offsets, "unknown", 0, -1);
    CHECK_INT(sluice_offsets_count(offsets), 49);
    CHECK_INT(sluice_offsets_find_topic(offsets, "orders", 7), 5);
    CHECK_INT(sluice_offsets_find_topic(offsets, "orders", 0), -1);
    const char *topic;
    int32_t partition;
    int64_t offset;
    sluice_offsets_topic(offsets, 0, &topic, &partition, &offset);
    CHECK_TEXT(topic, "orders");
    CHECK_INT(partition, 1);
    CHECK_INT(offset, 101);
    sluice_offsets_free(offsets);
    sluice_offsets_free(NULL);
}

TEST_MAIN
