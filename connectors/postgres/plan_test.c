/* connectors/postgres/plan_test.c - the start, case by case. */
#include "plan.h"
#include "test.h"

enum { NOTHING = 0, OFFSET = 1, UNFINISHED = 2, SLOT = 4, LOST = 8 };

static plan made(snapshot_mode mode, int facts, bool *ret_drop)
{
    postgres_config config = {.snapshot_mode = mode};
    plan_facts known = {.has_offset = (facts & (OFFSET | UNFINISHED)) != 0,
                        .in_snapshot = (facts & UNFINISHED) != 0,
                        .slot_exists = (facts & SLOT) != 0,
                        .slot_lost = (facts & LOST) != 0};
    return plan_make(&config, &known, ret_drop);
}

TEST(initial_reads_the_tables_once)
{
    bool drop;
    CHECK_INT(made(SNAPSHOT_INITIAL, NOTHING, &drop), PLAN_SNAPSHOT_NEW);
    CHECK_INT(made(SNAPSHOT_INITIAL, OFFSET | SLOT, &drop), PLAN_STREAM);
}

TEST(a_snapshot_that_was_broken_off_is_taken_behind_what_came_since)
{
    bool drop;
    CHECK_INT(made(SNAPSHOT_INITIAL, UNFINISHED | SLOT, &drop), PLAN_SNAPSHOT_AGAIN);
    CHECK_INT(made(SNAPSHOT_INITIAL, SLOT, &drop), PLAN_SNAPSHOT_AGAIN);
    CHECK_INT(made(SNAPSHOT_INITIAL, UNFINISHED, &drop), PLAN_SNAPSHOT_NEW);
}

TEST(a_slot_that_is_gone_needs_a_decision)
{
    bool drop;
    CHECK_INT(made(SNAPSHOT_INITIAL, OFFSET, &drop), PLAN_MISSING);
    CHECK_INT(made(SNAPSHOT_NO_DATA, OFFSET, &drop), PLAN_MISSING);
    CHECK_INT(made(SNAPSHOT_INITIAL, OFFSET | SLOT | LOST, &drop), PLAN_LOST);
    CHECK(!drop);
}

TEST(when_needed_repairs_by_itself)
{
    bool drop;
    CHECK_INT(made(SNAPSHOT_WHEN_NEEDED, OFFSET, &drop), PLAN_SNAPSHOT_NEW);
    CHECK(!drop);
    CHECK_INT(made(SNAPSHOT_WHEN_NEEDED, OFFSET | SLOT | LOST, &drop),
              PLAN_SNAPSHOT_NEW);
    CHECK(drop);
    CHECK_INT(made(SNAPSHOT_WHEN_NEEDED, OFFSET | SLOT, &drop), PLAN_STREAM);
}

TEST(no_data_never_reads_the_tables)
{
    bool drop;
    CHECK_INT(made(SNAPSHOT_NO_DATA, NOTHING, &drop), PLAN_STREAM_NEW);
    CHECK_INT(made(SNAPSHOT_NEVER, SLOT, &drop), PLAN_STREAM);
}

TEST(initial_only_ends_with_the_snapshot)
{
    bool drop;
    CHECK_INT(made(SNAPSHOT_INITIAL_ONLY, NOTHING, &drop), PLAN_SNAPSHOT_ONLY);
    CHECK_INT(made(SNAPSHOT_INITIAL_ONLY, OFFSET, &drop), PLAN_NOTHING);
}

TEST(always_reads_the_tables_at_every_start)
{
    bool drop;
    CHECK_INT(made(SNAPSHOT_ALWAYS, OFFSET | SLOT, &drop), PLAN_SNAPSHOT_AGAIN);
    CHECK_INT(made(SNAPSHOT_ALWAYS, OFFSET, &drop), PLAN_SNAPSHOT_NEW);
}

TEST_MAIN
