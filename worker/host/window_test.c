/* Statistics over a moving window, by a clock that the test has. */
#include "test.h"
#include "worker/host/window.h"
#include <math.h>

enum { second = 1000 };

TEST(what_was_never_noted_is_no_number_and_a_rate_of_nothing)
{
    moving_window w;
    window_init(&w, 2, 30 * second);
    CHECK(isnan(window_average(&w, 5 * second)));
    CHECK(isnan(window_highest(&w, 5 * second)));
    CHECK(window_rate(&w, 5 * second) == 0);
    window_done(&w);
}

TEST(an_average_and_a_maximum_are_of_all_that_was_noted)
{
    moving_window w;
    window_init(&w, 2, 30 * second);
    window_note(&w, -1, 1 * second);
    window_note(&w, 5, 2 * second);
    window_note(&w, 2, 40 * second);
    CHECK(window_average(&w, 41 * second) == 2);
    CHECK(window_highest(&w, 41 * second) == 5);
    window_done(&w);
}

TEST(what_is_older_than_the_window_is_forgotten)
{
    moving_window w;
    window_init(&w, 2, 30 * second);
    window_note(&w, 100, 1 * second);
    window_note(&w, 4, 32 * second);
    CHECK(window_highest(&w, 33 * second) == 100);
    CHECK(window_highest(&w, 61 * second) == 4);
    CHECK(isnan(window_highest(&w, 92 * second)));
    window_note(&w, 7, 200 * second);
    CHECK(window_average(&w, 200 * second) == 7);
    window_done(&w);
}

TEST(a_rate_is_over_a_whole_piece_at_least)
{
    moving_window w;
    window_init(&w, 2, 30 * second);
    window_note(&w, 300, 1 * second);
    CHECK(window_rate(&w, 1 * second) == 10);
    CHECK(window_rate(&w, 11 * second) == 300.0 / 40);
    window_note(&w, 300, 31 * second);
    CHECK(window_rate(&w, 41 * second) == 600.0 / 40);
    window_done(&w);
}

TEST(a_single_piece_is_a_window_too)
{
    moving_window w;
    window_init(&w, 1, 10 * second);
    window_note(&w, 50, 1 * second);
    CHECK(window_rate(&w, 6 * second) == 10);
    window_note(&w, 1, 11 * second);
    CHECK(window_highest(&w, 12 * second) == 1);
    window_done(&w);
}

TEST_MAIN
