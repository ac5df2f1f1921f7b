/* Timers fall due in order, and only those that are set. */
#include "broker/group/timer.h"
#include "test.h"

TEST(timers_fall_due_by_deadline_and_then_in_the_order_they_were_set)
{
    group_timers timers;
    group_timer all[5] = {0};
    static const int64_t deadlines[] = {30, 10, 20, 10, 40};
    static const int wanted[] = {1, 3, 2, 0, 4};
    group_timers_init(&timers);
    for (int i = 0; i < 5; i++) {
        group_timers_set(&timers, &all[i], deadlines[i]);
    }
    CHECK_INT(group_timers_deadline(&timers), 10);
    CHECK(group_timers_take_due(&timers, 9) == NULL);
    for (int i = 0; i < 5; i++) {
        CHECK(group_timers_take_due(&timers, 40) == &all[wanted[i]]);
    }
    CHECK(group_timers_take_due(&timers, INT64_MAX) == NULL);
    CHECK(group_timers_deadline(&timers) == INT64_MAX);
    group_timers_done(&timers);
}

TEST(a_timer_that_moves_or_is_cancelled_leaves_nothing_behind)
{
    group_timers timers;
    group_timer all[64] = {0};
    group_timers_init(&timers);
    for (int i = 0; i < 64; i++) {
        group_timers_set(&timers, &all[i], 100 - i);
    }
    for (int i = 0; i < 64; i++) {
        group_timers_set(&timers, &all[i], 1000 + i * 37 % 64);
    }
    for (int i = 0; i < 64; i += 2) {
        group_timers_cancel(&timers, &all[i]);
        group_timers_cancel(&timers, &all[i]);
    }
    int64_t last = 0;
    for (int i = 0; i < 32; i++) {
        group_timer *timer = group_timers_take_due(&timers, 2000);
        CHECK(timer != NULL && (timer - all) % 2 == 1);
        CHECK(timer->deadline_ms >= last);
        last = timer->deadline_ms;
    }
    CHECK_INT(timers.count, 0);
    group_timers_done(&timers);
}

TEST_MAIN
