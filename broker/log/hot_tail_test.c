/* What of a log's end is in memory, and when it goes. */
#include "broker/log/hot_tail.h"
#include "test.h"

static hot_tail tail;
static atomic_size_t budget;
static int64_t end;

static void begin(void)
{
    tail = (hot_tail){0};
    atomic_store(&budget, 0);
    end = 1000;
}

static void add(size_t len)
{
    static uint8_t bytes[hot_block_bytes_max];
    memset(bytes, (int)(end % 251), len);
    hot_tail_append(&tail, &budget, 7, end, bytes, len);
    end += (int64_t)len;
}

/* Where the bytes from `position` on are whole; -1: not in memory. */
static int64_t in_memory(int64_t position)
{
    hot_block *blocks[HOT_BLOCKS];
    size_t count = hot_tail_take(&tail, 7, position, blocks);
    int64_t at = position;
    for (size_t i = 0; i < count; i++) {
        CHECK(at >= blocks[i]->position);
        at = blocks[i]->position + (int64_t)blocks[i]->len;
        hot_block_unref(blocks[i]);
    }
    return count == 0 ? -1 : at;
}

TEST(nothing_is_kept_for_nobody)
{
    begin();
    add(100);
    CHECK_INT(in_memory(1000), -1);
    CHECK_INT(atomic_load(&budget), 0);
}

TEST(what_was_written_after_a_reader_came_is_in_memory)
{
    begin();
    hot_tail_want(&tail);
    add(100);
    add(200);
    CHECK_INT(in_memory(1000), end);
    CHECK_INT(in_memory(1100), end);
    CHECK_INT(in_memory(999), -1);
    hot_block *blocks[HOT_BLOCKS];
    CHECK_INT(hot_tail_take(&tail, 8, 1000, blocks), 0); /* Another segment. */
    CHECK_INT(hot_tail_take(&tail, 7, 1100, blocks), 1);
    hot_tail_done(&tail, &budget);
    CHECK_INT(blocks[0]->bytes[100], 1100 % 251); /* Its reader goes on. */
    hot_block_unref(blocks[0]);
    CHECK_INT(atomic_load(&budget), 0);
}

TEST(it_goes_when_nobody_reads_any_more)
{
    begin();
    hot_tail_want(&tail);
    for (int i = 0; i < hot_credit; i++) {
        add(10);
        CHECK_INT(in_memory(end - 10), end);
    }
    add(10);
    CHECK_INT(in_memory(end - 10), -1);
    CHECK_INT(atomic_load(&budget), 0);
    hot_tail_want(&tail);
    add(10);
    CHECK_INT(in_memory(end - 10), end);
    CHECK_INT(in_memory(end - 20), -1);
    hot_tail_rest(&tail, &budget);
    CHECK_INT(in_memory(end - 10), end);
    hot_tail_rest(&tail, &budget);
    CHECK_INT(atomic_load(&budget), 0);
}

TEST(a_reader_that_is_a_little_late_finds_two_blocks)
{
    begin();
    for (int i = 0; i < 2000; i++) {
        hot_tail_want(&tail);
        add((size_t)(i % 50 + 1) * 20);
        CHECK(atomic_load(&budget) <= (size_t)HOT_BLOCKS * hot_block_bytes_max);
    }
    CHECK_INT(in_memory(end - hot_block_bytes_max / 2), end);
    CHECK_INT(in_memory(end - hot_block_bytes_max * 2), -1);
    hot_tail_done(&tail, &budget);
    CHECK_INT(atomic_load(&budget), 0);
}

TEST(large_batches_gaps_and_new_segments_begin_anew)
{
    begin();
    hot_tail_want(&tail);
    add(100);
    add(hot_batch_bytes_max + 1);
    CHECK_INT(in_memory(end - 10), -1);
    add(100);
    CHECK_INT(in_memory(end - 100), end);
    end += 5;
    add(100);
    CHECK_INT(in_memory(end - 100), end);
    CHECK_INT(in_memory(end - 101), -1);
    uint8_t byte = 1;
    hot_tail_append(&tail, &budget, 8, end, &byte, 1);
    CHECK_INT(in_memory(end - 100), -1);
    hot_tail_done(&tail, &budget);
}

TEST(all_tails_together_stay_within_the_budget)
{
    begin();
    atomic_store(&budget, hot_bytes_max - 1000);
    hot_tail_want(&tail);
    add(100);
    CHECK_INT(in_memory(1000), -1);
    CHECK_INT(atomic_load(&budget), hot_bytes_max - 1000);
    atomic_store(&budget, 0);
    add(100);
    CHECK_INT(in_memory(1100), end);
    hot_tail_done(&tail, &budget);
}

TEST_MAIN
