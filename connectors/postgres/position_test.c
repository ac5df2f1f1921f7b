/* connectors/postgres/position_test.c - offsets survive being stored, and the server is
 * never told to forget what is not. */
#include "position.h"
#include "test.h"

static pg_position at(lsn commit, uint64_t index)
{
    return (pg_position){.commit = commit, .index = index};
}

TEST(an_offset_is_read_as_it_was_written)
{
    sluice_arena *arena = sluice_arena_new();
    position_writer writer;
    position_writer_init(&writer, arena, "sluice", "7000");
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
    CHECK(sluice_value_is_text(position_system(offset), "7000"));
    sluice_arena_free(arena);
}

TEST(an_unfinished_snapshot_is_seen_in_its_offset)
{
    sluice_arena *arena = sluice_arena_new();
    position_writer writer;
    position_writer_init(&writer, arena, "sluice", NULL);
    pg_position during = {.end = 0x100, .in_snapshot = true}, read;
    CHECK(position_read(position_write(&writer, arena, &during), &read));
    CHECK(read.in_snapshot);
    pg_position behind = {.end = 0x100, .commit = 0x100, .after_snapshot = true};
    CHECK(position_read(position_write(&writer, arena, &behind), &read));
    CHECK(!read.in_snapshot);
    CHECK(read.end == 0x100);
    sluice_arena_free(arena);
}

TEST(an_offset_of_debezium_gives_the_last_whole_transaction)
{
    sluice_arena *arena = sluice_arena_new();
    sluice_value *map = sluice_map_new(arena, 4);
    sluice_map_add_text(arena, map, "lsn_proc", sluice_int64(arena, 500));
    sluice_map_add_text(arena, map, "lsn_commit", sluice_int64(arena, 400));
    sluice_map_add_text(arena, map, "lsn", sluice_int64(arena, 500));
    sluice_map_add_text(arena, map, "messageType", sluice_text(arena, "INSERT"));
    pg_position read;
    CHECK(position_read(map, &read));
    CHECK(read.end == 400);
    CHECK(read.commit == 0 && read.index == 0);
    CHECK(!position_read(NULL, &read));
    CHECK(!position_read(sluice_int64(arena, 1), &read));
    sluice_arena_free(arena);
}

TEST(the_server_forgets_only_what_is_stored)
{
    static ledger book;
    ledger_ended(&book, NULL, 0x10); /* Nothing in flight: at once. */
    CHECK(book.flush == 0x10);
    pg_position one = at(0x20, 3), two = at(0x40, 2);
    ledger_ended(&book, &one, 0x30);
    ledger_ended(&book, &two, 0x50);
    ledger_ended(&book, NULL, 0x60); /* Without records, behind one that has some. */
    CHECK(book.flush == 0x10);
    pg_position done = at(0x20, 2);
    ledger_stored(&book, &done);
    CHECK(book.flush == 0x10);
    done = at(0x20, 3);
    ledger_stored(&book, &done);
    CHECK(book.flush == 0x30);
    ledger_idle(&book, 0x70);
    CHECK(book.flush == 0x30);
    done = at(0x40, 2);
    ledger_stored(&book, &done);
    CHECK(book.flush == 0x70);
    ledger_idle(&book, 0x80);
    CHECK(book.flush == 0x80);
}

TEST(a_full_ledger_makes_the_server_keep_more)
{
    static ledger book;
    for (lsn i = 1; i <= LEDGER_SIZE + 10; i++) {
        pg_position last = at(i * 16, 1);
        ledger_ended(&book, &last, i * 16 + 8);
    }
    CHECK_INT(book.count, LEDGER_SIZE);
    pg_position done = at(LEDGER_SIZE * 16, 1); /* One of those that became one. */
    ledger_stored(&book, &done);
    CHECK(book.flush == (LEDGER_SIZE - 1) * 16 + 8);
    done = at((LEDGER_SIZE + 10) * 16, 1);
    ledger_stored(&book, &done);
    CHECK(book.flush == (LEDGER_SIZE + 10) * 16 + 8);
}

TEST(an_unfinished_snapshot_lets_nothing_be_forgotten)
{
    static ledger book;
    pg_position behind = at(0x100, 0), during = {.in_snapshot = true, .end = 0x100};
    ledger_ended(&book, &behind, 0x100);
    ledger_stored(&book, &during);
    CHECK(book.flush == 0);
    ledger_stored(&book, &behind);
    CHECK(book.flush == 0x100);
}

TEST(a_transaction_that_comes_again_and_is_stored_already_holds_nothing)
{
    static ledger book;
    pg_position done = at(0x100, 5), behind = at(0x200, 1);
    ledger_stored(&book, &done);
    ledger_ended(&book, &done, 0x130);
    CHECK(book.flush == 0x130);
    ledger_ended(&book, &behind, 0x230);
    CHECK(book.flush == 0x130);
}

TEST_MAIN
