/* What may be handed to the Kafka client, when, and in which lane. */
#include "tests/lib/test.h"
#include "worker/host/pace.h"

enum { window = 1000 * 1000 };

/* Hands over all that there is room for, as one go does. */
static size_t hand_all(pace *self, int64_t now_ms)
{
    size_t bytes = 0, room;
    while (self->waiting > 0 && (room = pace_room(self, now_ms)) > 0) {
        size_t piece = self->waiting < room ? self->waiting : room;
        pace_hand(self, piece, 1);
        bytes += piece;
    }
    pace_close(self);
    return bytes;
}

static void answer_all(pace *self)
{
    pace_answer(self, (size_t)self->out, self->out_count);
}

TEST(a_lone_record_goes_at_once_in_the_quick_lane)
{
    pace one;
    pace_init(&one, window, true);
    pace_launch(&one, 500, 1000);
    CHECK(hand_all(&one, 1000) == 500);
    CHECK(one.lane == KAFKA_QUICK);
}

TEST(what_comes_while_something_is_out_waits_for_the_answer)
{
    pace one;
    pace_init(&one, window, true);
    pace_launch(&one, 500, 1000);
    hand_all(&one, 1000);
    pace_launch(&one, 300, 1001);
    pace_launch(&one, 200, 1001);
    CHECK(hand_all(&one, 1001) == 0 && !pace_wants(&one));
    answer_all(&one);
    CHECK(pace_wants(&one) && hand_all(&one, 1002) == 500);
}

TEST(a_quick_lot_is_at_most_a_request)
{
    pace one;
    pace_init(&one, window, false);
    pace_launch(&one, 3 * window, 1000);
    CHECK(hand_all(&one, 1000) == window && one.lane == KAFKA_QUICK);
    pace_answer(&one, 10, 0);
    CHECK(hand_all(&one, 1000) == 0);
}

TEST(much_at_once_goes_by_the_bulk_lane_three_and_a_half_requests_deep)
{
    pace one;
    pace_init(&one, window, true);
    pace_launch(&one, 10 * window, 1000);
    CHECK(hand_all(&one, 1000) == window / 2 * 7 && one.lane == KAFKA_BULK);
    pace_answer(&one, window, 0);
    CHECK(pace_wants(&one) && hand_all(&one, 1001) == window);
}

TEST(the_bulk_lane_ends_when_little_comes_and_all_of_it_is_answered)
{
    pace one;
    pace_init(&one, window, true);
    pace_launch(&one, window, 1000);
    hand_all(&one, 1000);
    CHECK(one.lane == KAFKA_BULK);
    pace_launch(&one, 1000, 1100); /* 10 kB/ms. */
    CHECK(hand_all(&one, 1100) == 0);
    answer_all(&one);
    CHECK(hand_all(&one, 1101) == 1000 && one.lane == KAFKA_QUICK);
}

TEST(the_bulk_lane_goes_on_while_much_comes)
{
    pace one;
    pace_init(&one, window, true);
    pace_launch(&one, 4 * 50000, 1000);
    for (int i = 0; i < 1000; i++) {
        pace_launch(&one, 50000, 1000 + i); /* 50 kB/ms. */
        hand_all(&one, 1000 + i);
        CHECK(one.waiting == 0 && one.lane == KAFKA_BULK);
        if (one.out > window) {
            pace_answer(&one, (size_t)one.out - 1, one.out_count - 1);
        }
    }
}

TEST(something_may_always_go_when_nothing_is_out)
{
    pace one;
    pace_init(&one, window, true);
    pace_launch(&one, 10 * window, 1000);
    for (int now = 1000; one.waiting > 0; now += 1000) { /* The log is slow. */
        CHECK(hand_all(&one, now) > 0);
        answer_all(&one);
        pace_launch(&one, 0, now);
    }
}

TEST(what_the_client_did_not_take_waits_again)
{
    pace one;
    pace_init(&one, window, true);
    pace_launch(&one, 900, 1000);
    CHECK(pace_room(&one, 1000) == window);
    pace_hand(&one, 900, 3);
    pace_take_back(&one, 600, 2);
    CHECK(one.waiting == 600 && one.out == 300 && one.out_count == 1);
}

TEST_MAIN
