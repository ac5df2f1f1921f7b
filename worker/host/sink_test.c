/* Sinks in a host, between a worker that the test plays and a mock cluster.
 *
 * The mock lets a group wait three seconds for more members, so that these take longer
 * than unit tests may. */
#include "worker/host/played_worker.h"

/* Whether the plugin has told these in this order; of flushes there may be more, since
 * records may come one by one. */
static bool told_in_order(const char *const *lines)
{
    const char *at = told();
    for (; at != NULL && *lines != NULL; lines++) {
        at = strstr(at, *lines);
        at = at != NULL ? at + strlen(*lines) - 1 : NULL; /* A line's end begins one. */
    }
    return at != NULL;
}

TEST(a_sink_gets_records_in_order_and_its_offsets_are_committed_after_a_flush)
{
    cluster_begin(1);
    produce((const char *const[]){"a", "b", "c", NULL});
    host_begin();
    start_sink(",\"topics\":\"t\"");
    await_state("RUNNING");
    await_told("flush t-0@3");
    CHECK(told_in_order((const char *const[]){"create\nopen t-0@0\nput t-0@0 a\n",
                                              "\nput t-0@1 b\n", "\nput t-0@2 c\n",
                                              "\nflush t-0@3\n", NULL}));
    CHECK_INT(stop(), 0);
    CHECK_INT(committed_offset(), 3);
    cluster_end();
}

TEST(a_sink_that_is_stopped_flushes_and_commits)
{
    cluster_begin(1);
    produce((const char *const[]){"a", NULL});
    host_begin();
    start_sink(",\"topics.regex\":\"t|other\"");
    await_told("put t-0@0 a");
    say("{\"stop\":true}");
    await_state("UNASSIGNED");
    CHECK(strstr(told(), "flush t-0@1\nclose t-0@") != NULL);
    CHECK(strstr(told(), "destroy") != NULL);
    CHECK_INT(host_join(), 0);
    cluster_end();
}

TEST(a_sink_gets_the_same_batch_again_after_retry)
{
    cluster_begin(1);
    produce((const char *const[]){"a", "b", NULL});
    host_begin();
    start_sink(",\"topics\":\"t\",\"test.trouble\":\"put-retry\",\"test.times\":\"3\"");
    await_told("put t-0@1 b");
    /* The client may hand the records over one by one. */
    CHECK(
        strstr(told(), "refused 2\nrefused 2\nrefused 2\nput t-0@0 a\nput t-0@1 b\n") !=
            NULL ||
        strstr(told(), "refused 1\nrefused 1\nrefused 1\nput t-0@0 a\n") != NULL);
    produce((const char *const[]){"c", NULL}); /* And it goes on. */
    await_told("put t-0@2 c");
    CHECK_INT(stop(), 0);
    cluster_end();
}

TEST(a_sink_whose_flush_fails_gets_the_records_again)
{
    cluster_begin(1);
    produce((const char *const[]){"a", NULL});
    host_begin();
    start_sink(
        ",\"topics\":\"t\",\"test.trouble\":\"flush-retry\",\"test.times\":\"1\"");
    await_told("flush t-0@1");
    CHECK(strstr(told(), "put t-0@0 a\nflush refused\nput t-0@0 a\nflush t-0@1\n") !=
          NULL);
    CHECK_INT(stop(), 0);
    cluster_end();
}

TEST(a_sink_may_lower_what_is_committed)
{
    cluster_begin(1);
    produce((const char *const[]){"a", "b", NULL});
    host_begin();
    start_sink(",\"topics\":\"t\",\"test.trouble\":\"lower\"");
    await_told("flush t-0@1");
    CHECK_INT(stop(), 0);
    CHECK_INT(committed_offset(), 1);
    cluster_end();
}

TEST(a_sink_may_go_back)
{
    cluster_begin(1);
    produce((const char *const[]){"a", NULL});
    host_begin();
    start_sink(",\"topics\":\"t\",\"test.trouble\":\"rewind\",\"test.times\":\"1\"");
    await_told("put t-0@0 a\nput t-0@0 a\n");
    CHECK_INT(stop(), 0);
    cluster_end();
}

TEST(a_sink_may_give_records_up_where_that_is_tolerated)
{
    cluster_begin(1);
    produce((const char *const[]){"a", "bad", "c", NULL});
    host_begin();
    start_sink(",\"topics\":\"t\",\"test.trouble\":\"dead-letter\","
               "\"errors.tolerance\":\"all\"");
    await_told("put t-0@2 c");
    CHECK(
        told_in_order((const char *const[]){"put t-0@0 a\n", "\nput t-0@2 c\n", NULL}));
    CHECK(strstr(told(), "put t-0@1") == NULL);
    CHECK_INT(stop(), 0);
    CHECK_INT(committed_offset(), 3);
    cluster_end();
}

TEST(a_sink_that_gives_records_up_fails_where_that_is_not_tolerated)
{
    cluster_begin(1);
    produce((const char *const[]){"bad", NULL});
    host_begin();
    start_sink(",\"topics\":\"t\",\"test.trouble\":\"dead-letter\"");
    const char *trace = await_state("FAILED");
    CHECK(strstr(trace, "record of topic 't' partition 0 offset 0: it is bad") != NULL);
    CHECK_INT(stop(), 0);
    CHECK(committed_offset() < 0);
    cluster_end();
}

TEST(a_sink_may_ask_for_a_commit)
{
    cluster_begin(1);
    produce((const char *const[]){"a", NULL});
    host_begin();
    start_sink(",\"topics\":\"t\",\"test.trouble\":\"ask-commit\"");
    await_told("flush t-0@1");
    CHECK_INT(stop(), 0);
    cluster_end();
}

TEST(a_paused_sink_commits_and_puts_nothing)
{
    cluster_begin(1);
    produce((const char *const[]){"a", NULL});
    host_begin();
    start_sink(",\"topics\":\"t\"");
    await_told("put t-0@0 a");
    say("{\"pause\":true}");
    await_state("PAUSED");
    CHECK(strstr(told(), "flush t-0@1") != NULL);
    produce((const char *const[]){"b", NULL});
    say("{\"resume\":true}");
    await_state("RUNNING");
    await_told("put t-0@1 b");
    CHECK_INT(stop(), 0);
    cluster_end();
}

TEST_MAIN
