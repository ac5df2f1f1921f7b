/* What may be handed to the Kafka client, when, and in which lane. */
#include "tests/lib/test.h"
#include "worker/host/pace.h"

enum { window = 1000 * 1000 };

static const pace_size row = {.wire = 1000, .payload = 800, .count = 1};

/* So many bytes of rows come. */
static void launch(pace *self, size_t wire, int64_t now_ms)
{
    pace_launch(self, wire, wire / row.wire, now_ms);
}

/* Hands over all that there is room for of `waiting` rows, as one go does: how many. */
static size_t hand_all(pace *self, int64_t now_ms)
{
    size_t rows = 0;
    pace_size sum;
    while (self->waiting > 0 && pace_allot(self, &row, 1, now_ms, &sum) > 0) {
        rows++;
    }
    pace_close(self);
    return rows;
}

static void answer(pace *self, size_t rows)
{
    pace_answer(self, rows * row.payload, rows);
}

TEST(a_lone_record_goes_at_once_in_the_quick_lane)
{
    pace one;
    pace_init(&one, window, true);
    launch(&one, 1000, 5000);
    CHECK(hand_all(&one, 5000) == 1 && one.lane == KAFKA_QUICK);
}

TEST(a_few_are_out_at_a_time)
{
    pace one;
    pace_init(&one, window, true);
    for (int i = 0; i < 5; i++) {
        launch(&one, 1000, 5000);
        CHECK(pace_wants(&one) && hand_all(&one, 5000) == 1 && one.lane == KAFKA_QUICK);
    }
    launch(&one, 1000, 5000);
    CHECK(!pace_wants(&one) && hand_all(&one, 5000) == 0);
    answer(&one, 1);
    CHECK(pace_wants(&one) && hand_all(&one, 5000) == 1);
}

TEST(what_is_more_than_a_few_waits_until_all_that_is_out_is_answered)
{
    pace one;
    pace_init(&one, window, true);
    launch(&one, 2000, 5000);
    hand_all(&one, 5000);
    launch(&one, 5000, 5001);
    CHECK(hand_all(&one, 5001) == 0 && !pace_wants(&one));
    answer(&one, 1);
    CHECK(!pace_wants(&one));
    answer(&one, 1);
    CHECK(pace_wants(&one) && hand_all(&one, 5002) == 5);
}

TEST(of_large_messages_no_more_are_out_than_a_request_holds)
{
    pace one;
    pace_size large = {window / 2, window / 2, 1}, sum;
    pace_init(&one, window, false);
    for (size_t i = 0; i < 2; i++) {
        pace_launch(&one, large.wire, 1, 5000);
        CHECK(pace_allot(&one, &large, 1, 5000, &sum) == 1);
        pace_close(&one);
    }
    pace_launch(&one, large.wire, 1, 5000);
    CHECK(!pace_wants(&one) && pace_allot(&one, &large, 1, 5000, &sum) == 0);
}

TEST(what_comes_fast_is_not_handed_over_one_by_one)
{
    pace one;
    pace_size large = {window / 10, window / 10, 1}, sum;
    pace_init(&one, window, true);
    int64_t now = 5000;
    for (; !one.brisk; now++) {
        pace_launch(&one, large.wire, 1, now);
        pace_allot(&one, &large, 1, now, &sum);
        pace_close(&one);
        pace_answer(&one, one.out_count > 1 ? large.payload : 0, one.out_count > 1);
    }
    CHECK(one.lane == KAFKA_QUICK && one.out_count > 0 && one.waiting_count > 0);
    CHECK(!pace_wants(&one) && pace_allot(&one, &large, 1, now, &sum) == 0);
    pace_answer(&one, one.out, one.out_count);
    CHECK(pace_allot(&one, &large, 1, now, &sum) == 1 && one.lane == KAFKA_BULK);
}

TEST(a_quick_lot_is_at_most_a_request_on_the_wire)
{
    pace one;
    pace_init(&one, window, false);
    launch(&one, 3 * window, 5000);
    CHECK(hand_all(&one, 5000) == 1000 && one.lane == KAFKA_QUICK);
    answer(&one, 10);
    CHECK(hand_all(&one, 5000) == 0);
}

TEST(a_burst_that_fits_in_a_request_does_not_linger)
{
    pace one;
    pace_init(&one, window, true);
    launch(&one, window - 1000, 5000);
    CHECK(hand_all(&one, 5000) == 999 && one.lane == KAFKA_QUICK);
}

TEST(much_at_once_goes_by_the_bulk_lane_two_and_a_half_requests_deep)
{
    pace one;
    pace_init(&one, window, true);
    launch(&one, 10 * window, 5000);
    CHECK(hand_all(&one, 5000) == 5 * window / 2 / 800 && one.lane == KAFKA_BULK);
    answer(&one, 1000);
    CHECK(pace_wants(&one) && hand_all(&one, 5001) == 1000);
}

TEST(a_steady_stream_becomes_bulk_after_a_while)
{
    pace one;
    pace_init(&one, window, true);
    int64_t now = 5000;
    for (; one.lane == KAFKA_QUICK && now < 6000; now++) {
        launch(&one, 40000, now); /* 40 kB/ms. */
        hand_all(&one, now);
        answer(&one, one.out_count);
    }
    CHECK(now >= 5050 && now <= 5200);
    for (; now < 7000; now++) {
        launch(&one, 40000, now);
        hand_all(&one, now);
        CHECK(one.waiting == 0 && one.lane == KAFKA_BULK);
        answer(&one, one.out > window ? one.out_count - 1 : 0);
    }
}

TEST(the_bulk_lane_ends_when_little_comes_and_all_of_it_is_answered)
{
    pace one;
    pace_init(&one, window, true);
    launch(&one, window, 5000);
    hand_all(&one, 5000);
    CHECK(one.lane == KAFKA_BULK);
    launch(&one, 1000, 5100); /* 10 kB/ms. */
    CHECK(hand_all(&one, 5100) == 0);
    answer(&one, one.out_count);
    CHECK(hand_all(&one, 5101) == 1 && one.lane == KAFKA_QUICK);
}

TEST(something_may_always_go_when_nothing_is_out)
{
    pace one;
    pace_init(&one, window, true);
    launch(&one, 10 * window, 5000);
    for (int64_t now = 5000; one.waiting > 0; now += 1000) { /* The log is slow. */
        CHECK(hand_all(&one, now) > 0);
        answer(&one, one.out_count);
        launch(&one, 0, now);
    }
}

TEST(a_message_larger_than_a_request_goes_alone)
{
    pace one;
    pace_size huge = {3 * window, 3 * window, 1}, two[] = {huge, huge}, sum;
    pace_init(&one, window, true);
    pace_launch(&one, 6 * window, 2, 5000);
    CHECK(pace_allot(&one, two, 2, 5000, &sum) == 1 && sum.wire == huge.wire);
    CHECK(pace_allot(&one, two, 1, 5000, &sum) == 0);
}

TEST(what_the_client_did_not_take_waits_again)
{
    pace one;
    pace_size rows[] = {row, row, row}, sum;
    pace_init(&one, window, true);
    launch(&one, 3000, 5000);
    CHECK(pace_allot(&one, rows, 3, 5000, &sum) == 3 && sum.payload == 2400);
    pace_take_back(&one, &(pace_size){2000, 1600, 2});
    CHECK(one.waiting == 2000 && one.out == 800 && one.out_count == 1);
}

TEST_MAIN
