/* Shares of the processor: the arithmetic with played clocks, the counting with real
 * processes. */
#include "worker/throttle.h"
#include <signal.h>
#include <sys/wait.h>
#include <test.h>
#include <time.h>
#include <unistd.h>

static const int64_t ms = 1000 * 1000;

/* Plays a process that uses `rate` processors whenever it may, for so long. Returns
 * what it has used. */
static int64_t play(throttle *share, double rate, int64_t begin, int64_t end,
                    int64_t *ret_longest_stop)
{
    double used = (double)share->used_ns;
    int64_t now = begin, next, stopped_at = 0;
    *ret_longest_stop = 0;
    while (now < end) {
        throttle_deed deed = throttle_look(share, (uint64_t)used, now, &next);
        CHECK(next > now);
        if (deed == THROTTLE_STOP) {
            stopped_at = now;
        } else if (deed == THROTTLE_CONTINUE && now - stopped_at > *ret_longest_stop) {
            *ret_longest_stop = now - stopped_at;
        }
        used += share->stopped ? 0 : rate * (double)(next - now);
        now = next;
    }
    return (int64_t)used;
}

TEST(whoever_wants_more_than_its_share_gets_its_share)
{
    static const struct {
        int64_t percent;
        double rate;
    } cases[] = {{50, 1}, {50, 0.6}, {10, 1}, {200, 4}, {100, 8}, {5, 2}, {3, 0.5}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        throttle share;
        int64_t longest, span = 60000 * ms;
        throttle_init(&share, cases[i].percent, 0);
        int64_t used = play(&share, cases[i].rate, 0, span, &longest);
        int64_t allowed = span * cases[i].percent / 100;
        CHECK(used > allowed * 9 / 10);
        CHECK(used < allowed * 11 / 10);
        CHECK(longest <= 2100 * ms);
        int64_t idle = span - (int64_t)((double)used / cases[i].rate);
        CHECK(share.held_ns > idle * 9 / 10);
        CHECK(share.held_ns < idle * 11 / 10);
    }
}

TEST(whoever_wants_less_than_its_share_is_never_stopped)
{
    throttle share;
    int64_t longest;
    throttle_init(&share, 50, 0);
    int64_t used = play(&share, 0.45, 0, 10000 * ms, &longest);
    CHECK(used >= 4400 * ms);
    CHECK_INT(share.held_ns, 0);
}

TEST(nobody_saves_up_and_nobody_owes_for_long)
{
    throttle share;
    int64_t next, longest;
    throttle_init(&share, 10, 0);
    play(&share, 0, 0, 3600 * 1000 * ms, &longest);
    CHECK(share.balance_ns <= 10 * ms); /* Of a tenth of a second, not of an hour. */
    int64_t now = 3600 * 1000 * ms + 250 * ms;
    CHECK_INT(throttle_look(&share, 8000 * (uint64_t)ms, now, &next), THROTTLE_STOP);
    CHECK(next - now <= 2100 * ms); /* And not the 80 s that these would take. */
}

TEST(who_is_continued_by_somebody_else_is_stopped_again)
{
    throttle share;
    int64_t next;
    throttle_init(&share, 50, 0);
    CHECK_INT(throttle_look(&share, 200 * (uint64_t)ms, 100 * ms, &next),
              THROTTLE_STOP);
    CHECK_INT(throttle_look(&share, 200 * (uint64_t)ms, 150 * ms, &next),
              THROTTLE_NOTHING);
    CHECK_INT(throttle_look(&share, 250 * (uint64_t)ms, 200 * ms, &next),
              THROTTLE_STOP);
    CHECK(share.stopped);
}

TEST(a_clock_that_stands_still_or_a_count_that_falls_does_no_harm)
{
    throttle share;
    int64_t next;
    throttle_init(&share, 1, 1000 * ms);
    CHECK_INT(throttle_look(&share, 0, 1000 * ms, &next), THROTTLE_NOTHING);
    CHECK(next > 1000 * ms);
    throttle_look(&share, 5 * (uint64_t)ms, 1000 * ms, &next);
    throttle_look(&share, 3 * (uint64_t)ms, 900 * ms, &next);
    CHECK(share.balance_ns <= 0);
    CHECK(share.balance_ns >= -20 * ms);
}

static void burn(int64_t burn_ms)
{
    struct timespec used;
    do {
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    } while ((int64_t)used.tv_sec * 1000 + used.tv_nsec / ms < burn_ms);
}

/* A child, its child in another session, and one that it has waited for, each of which
 * uses 40 ms. */
static void family(int ready)
{
    burn(40);
    pid_t waited = fork();
    if (waited == 0) {
        burn(40);
        _exit(0);
    }
    waitpid(waited, NULL, 0);
    if (fork() == 0) {
        setsid();
        burn(40);
        (void)!write(ready, "r", 1);
        for (;;) {
            pause();
        }
    }
    for (;;) {
        pause();
    }
}

TEST(a_tree_is_counted_with_all_descendants)
{
    int ends[2];
    char byte;
    pid_t tree[THROTTLE_TREE_MAX];
    size_t count;
    CHECK(pipe(ends) == 0);
    pid_t root = fork();
    if (root == 0) {
        family(ends[1]);
    }
    CHECK(read(ends[0], &byte, 1) == 1);
    uint64_t used = throttle_tree_used(root, tree, &count);
    CHECK_INT(count, 2);
    CHECK_INT(tree[0], root);
    CHECK(used >= 100 * (uint64_t)ms); /* One part is counted in ticks of 10 ms. */
    kill(tree[1], SIGKILL);
    kill(root, SIGKILL);
    waitpid(root, NULL, 0);
    CHECK_INT(throttle_tree_used(root, tree, &count), 0);
    CHECK_INT(count, 1);
    close(ends[0]);
    close(ends[1]);
}

TEST_MAIN
