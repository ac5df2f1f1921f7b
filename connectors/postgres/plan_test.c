/* connectors/postgres/plan_test.c - the start, case by case. */
#include "plan.h"
#include "test.h"

enum {
    NOTHING = 0,
    OFFSET = 1,
    UNFINISHED = 2,
    SLOT = 4,
    LOST = 8,
    GAP = 16,
    DIVERGED = 32,
    RESUMES = 64,
};

static plan made(snapshot_mode mode, int facts, bool *ret_drop)
{
    postgres_config config = {.snapshot_mode = mode};
    plan_facts known = {.has_offset = (facts & (OFFSET | UNFINISHED)) != 0,
                        .in_snapshot = (facts & UNFINISHED) != 0,
                        .slot_exists = (facts & SLOT) != 0,
                        .slot_lost = (facts & LOST) != 0,
                        .gap = (facts & GAP) != 0,
                        .diverged = (facts & DIVERGED) != 0,
                        .resumes = (facts & RESUMES) != 0};
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
    CHECK_INT(made(SNAPSHOT_ALWAYS, OFFSET | SLOT | RESUMES, &drop), PLAN_STREAM);
}

TEST(a_slot_that_was_created_anew_or_a_log_that_is_another_needs_a_decision)
{
    bool drop;
    CHECK_INT(made(SNAPSHOT_INITIAL, OFFSET | SLOT | GAP, &drop), PLAN_GAP);
    CHECK_INT(made(SNAPSHOT_NO_DATA, OFFSET | SLOT | GAP, &drop), PLAN_GAP);
    CHECK_INT(made(SNAPSHOT_INITIAL, OFFSET | SLOT | DIVERGED, &drop), PLAN_DIVERGED);
    CHECK_INT(made(SNAPSHOT_INITIAL, OFFSET | DIVERGED, &drop), PLAN_DIVERGED);
    CHECK_INT(made(SNAPSHOT_WHEN_NEEDED, OFFSET | SLOT | GAP, &drop),
              PLAN_SNAPSHOT_AGAIN);
    CHECK_INT(made(SNAPSHOT_WHEN_NEEDED, OFFSET | SLOT | GAP | RESUMES, &drop),
              PLAN_SNAPSHOT_AGAIN);
    CHECK_INT(made(SNAPSHOT_WHEN_NEEDED, OFFSET | SLOT | DIVERGED, &drop),
              PLAN_SNAPSHOT_AGAIN);
    CHECK_INT(made(SNAPSHOT_WHEN_NEEDED, OFFSET | DIVERGED, &drop), PLAN_SNAPSHOT_NEW);
}

/* As Debezium's: `snapshot.data` is whether every start reads the tables. */
TEST(a_mode_can_be_put_together_from_its_parts)
{
    bool drop;
    postgres_config config = {.snapshot_mode = SNAPSHOT_CONFIGURATION_BASED};
    plan_facts fresh = {.has_offset = false},
               gone = {.has_offset = true, .slot_lost = true, .slot_exists = true};
    CHECK_INT(plan_make(&config, &fresh, &drop), PLAN_NOTHING);
    config.based_stream = true;
    CHECK_INT(plan_make(&config, &fresh, &drop), PLAN_STREAM_NEW);
    CHECK_INT(plan_make(&config, &gone, &drop), PLAN_LOST);
    config.based_data_error = true;
    CHECK_INT(plan_make(&config, &gone, &drop), PLAN_SNAPSHOT_NEW);
    CHECK(drop);
    config.based_data = true;
    CHECK_INT(plan_make(&config, &fresh, &drop), PLAN_SNAPSHOT_NEW);
    config.based_stream = false;
    CHECK_INT(plan_make(&config, &fresh, &drop), PLAN_SNAPSHOT_ONLY);
}

static lsn begun(mismatch_strategy strategy, lsn known, lsn slot, bool *ret_refused)
{
    postgres_config config = {.mismatch = strategy};
    return plan_begin(&config, 100, known, slot, ret_refused);
}

TEST(each_mismatch_strategy_begins_where_it_says)
{
    bool refused;
    CHECK_INT(begun(MISMATCH_FAIL, 100, 100, &refused), 100);
    CHECK(!refused);
    CHECK_INT(begun(MISMATCH_FAIL, 100, 90, &refused), 100);
    CHECK(!refused);
    begun(MISMATCH_FAIL, 100, 110, &refused);
    CHECK(refused);
    begun(MISMATCH_FAIL, 0, 110, &refused); /* Debezium flushes further. */
    CHECK(!refused);
    begun(MISMATCH_TRUST_OFFSET, 0, 110, &refused);
    CHECK(refused);
    CHECK_INT(begun(MISMATCH_TRUST_SLOT, 100, 90, &refused), 90);
    CHECK_INT(begun(MISMATCH_TRUST_SLOT, 100, 110, &refused), 110);
    CHECK_INT(begun(MISMATCH_TRUST_GREATER_LSN, 100, 90, &refused), 100);
    CHECK_INT(begun(MISMATCH_TRUST_GREATER_LSN, 100, 110, &refused), 110);
    CHECK_INT(begun(MISMATCH_NO_VALIDATION, 100, 110, &refused), 100);
    CHECK(!refused);
}

TEST_MAIN
