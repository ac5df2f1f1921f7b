/* connectors/postgres/position_test.c - offsets survive being stored, ours and
 * Debezium's. */
#include "position.h"
#include "test.h"

TEST(an_offset_is_read_as_it_was_written)
{
    sluice_arena *arena = sluice_arena_new();
    position_writer writer;
    position_writer_init(&writer, arena, "sluice", "7000", 3);
    pg_position before = {.end = 0x100,
                          .commit = 0x180,
                          .index = 7,
                          .event = 0x150,
                          .xid = 4000000000,
                          .time_us = -1};
    pg_position after;
    const sluice_value *offset = position_write(&writer, arena, &before);
    CHECK(position_read(offset, &after));
    CHECK(after.end == 0x100 && after.commit == 0x180 && after.index == 7);
    CHECK(after.event == 0x150 && after.xid == 4000000000 && after.time_us == -1);
    CHECK(!after.in_snapshot);
    CHECK(after.version == 2 && after.timeline == 3 && after.shared == 0);
    CHECK(sluice_value_is_text(position_system(offset), "7000"));
    sluice_arena_free(arena);
}

TEST(an_unfinished_snapshot_is_seen_in_its_offset)
{
    sluice_arena *arena = sluice_arena_new();
    position_writer writer;
    position_writer_init(&writer, arena, "sluice", NULL, 0);
    pg_position during = {.end = 0x100, .in_snapshot = true}, read;
    CHECK(position_read(position_write(&writer, arena, &during), &read));
    CHECK(read.in_snapshot);
    pg_position behind = {.end = 0x100, .commit = 0x100, .after_snapshot = true};
    CHECK(position_read(position_write(&writer, arena, &behind), &read));
    CHECK(!read.in_snapshot);
    CHECK(read.end == 0x100);
    sluice_arena_free(arena);
}

static int64_t number_of(const sluice_value *offset, const char *name)
{
    const sluice_value *value = sluice_map_find(offset, name, NULL);
    return value == NULL ? -1 : sluice_value_integer(value);
}

/* Debezium resumes behind lsn_proc, and takes what shares its position for delivered:
 * so only a whole transaction may be named there. */
TEST(an_offset_within_a_transaction_sends_debezium_to_the_end_of_the_one_before)
{
    sluice_arena *arena = sluice_arena_new();
    position_writer writer;
    position_writer_init(&writer, arena, "sluice", "7000", 1);
    pg_position within = {.end = 0x100, .commit = 0x180, .index = 2, .event = 0x150};
    const sluice_value *offset = position_write(&writer, arena, &within);
    CHECK_INT(number_of(offset, "lsn_proc"), 0x100);
    CHECK_INT(number_of(offset, "lsn_commit"), 0x100);
    CHECK_INT(number_of(offset, "lsn"), 0x150);
    CHECK(sluice_value_is_text(sluice_map_find(offset, "messageType", NULL), "COMMIT"));
    sluice_arena_free(arena);
}

static sluice_value *their_offset(sluice_arena *arena, const char *type)
{
    sluice_value *map = sluice_map_new(arena, 8);
    sluice_map_add_text(arena, map, "lsn_proc", sluice_int64(arena, 500));
    sluice_map_add_text(arena, map, "messageType", sluice_text(arena, type));
    sluice_map_add_text(arena, map, "lsn_commit", sluice_int64(arena, 400));
    sluice_map_add_text(arena, map, "lsn", sluice_int64(arena, 500));
    sluice_map_add_text(arena, map, "txId", sluice_int64(arena, 729));
    sluice_map_add_text(arena, map, "ts_usec", sluice_int64(arena, 1795278261799816));
    return map;
}

TEST(an_offset_of_debezium_tells_the_last_commit_and_the_changes_behind_it)
{
    sluice_arena *arena = sluice_arena_new();
    sluice_value *map = their_offset(arena, "INSERT");
    pg_position read;
    CHECK(position_read(map, &read));
    CHECK(read.end == 400 && read.commit == 0 && read.index == 0);
    CHECK(read.version == 0 && read.timeline == 0 && !read.in_snapshot);
    CHECK(read.event == 500 && read.xid == 729 && read.time_us == 1795278261799816);
    CHECK_INT(read.shared, 1);
    CHECK(position_read(their_offset(arena, "UPDATE"), &read));
    CHECK_INT(read.shared, 0); /* One of its three records may be missing. */
    sluice_map_add_text(arena, map, "lsn_events_processed", sluice_int64(arena, 7));
    CHECK(position_read(map, &read));
    CHECK_INT(read.shared, 7);
    CHECK(!position_read(NULL, &read));
    CHECK(!position_read(sluice_int64(arena, 1), &read));
    sluice_arena_free(arena);
}

TEST(an_offset_of_debezium_within_its_snapshot_is_one_of_an_unfinished_snapshot)
{
    sluice_arena *arena = sluice_arena_new();
    sluice_value *map = sluice_map_new(arena, 8);
    sluice_map_add_text(arena, map, "snapshot", sluice_text(arena, "INITIAL"));
    sluice_map_add_text(arena, map, "snapshot_completed", sluice_boolean(false));
    sluice_map_add_text(arena, map, "lsn", sluice_int64(arena, 500));
    pg_position read;
    CHECK(position_read(map, &read));
    CHECK(read.in_snapshot);
    sluice_arena_free(arena);
}

TEST(an_offset_of_nonsense_is_read_without_harm)
{
    sluice_arena *arena = sluice_arena_new();
    sluice_value *map = sluice_map_new(arena, 8);
    sluice_map_add_text(arena, map, "lsn", sluice_text(arena, "0/1"));
    sluice_map_add_text(arena, map, "v", sluice_int64(arena, INT64_MAX));
    sluice_map_add_text(arena, map, "lsn_commit", sluice_map_new(arena, 1));
    sluice_map_add_text(arena, map, "system", sluice_int64(arena, 7));
    sluice_map_add_text(arena, map, "snapshot", sluice_int64(arena, 7));
    pg_position read;
    CHECK(position_read(map, &read));
    CHECK(read.end == 0 && read.event == 0 && read.version > 2 && read.in_snapshot);
    CHECK(position_system(map) == NULL);
    sluice_arena_free(arena);
}

TEST(positions_are_in_the_order_of_commits_and_of_changes_in_them)
{
    pg_position one = {.commit = 0x20, .index = 3}, two = {.commit = 0x20, .index = 4};
    pg_position other = {.commit = 0x40, .index = 1};
    CHECK(position_reached(&one, &two) && !position_reached(&two, &one));
    CHECK(position_reached(&two, &other) && position_reached(&one, &one));
}

TEST_MAIN
