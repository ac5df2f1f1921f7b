/* broker/log/epoch_cache_test.c - leader epochs, and the checkpoint files they live in.
 */
#include "broker/log/checkpoint.h"
#include "broker/log/epoch_cache.h"
#include "test.h"

static epoch_cache cache;

static bool parse(const char *text)
{
    return epoch_cache_parse(&cache, text, strlen(text));
}

static void check_printed(const char *wanted)
{
    buffer text = BUFFER_INIT;
    epoch_cache_print(&cache, &text);
    CHECK_TEXT(buffer_text(&text), wanted);
    buffer_done(&text);
}

TEST(a_file_is_read_and_written_alike)
{
    CHECK(parse("0\n3\n0 0\n2 17\n5 4000000000\n"));
    check_printed("0\n3\n0 0\n2 17\n5 4000000000\n");
    CHECK_INT(epoch_cache_latest(&cache), 5);
    CHECK(parse("0\n0\n"));
    check_printed("0\n0\n");
    CHECK_INT(epoch_cache_latest(&cache), -1);
    epoch_cache_done(&cache);
}

TEST(what_is_no_such_file_is_refused_and_leaves_it_empty)
{
    static const char *const texts[] = {
        "",
        "0",
        "0\n",
        "1\n1\n0 0\n",
        "0\n2\n0 0\n",
        "0\n1\n0 0\n1 1\n",
        "0\n1\n0\n",
        "0\n1\n0 0 0\n",
        "0\n1\n-1 0\n",
        "0\n1\n0 x\n",
        "0\n2\n3 0\n2 5\n",
        "0\n2\n2 5\n3 5\n",
        "0\n2\n2 5\n3 4\n",
        "0\n-1\n",
        "0\n1\n99999999999 0\n",
        "0\n9999999999\n0 0\n",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        CHECK(!parse(texts[i]));
        CHECK_INT(cache.count, 0);
    }
    epoch_cache_done(&cache);
}

TEST(an_epoch_ends_where_the_next_begins)
{
    CHECK(parse("0\n3\n1 10\n3 20\n4 30\n"));
    int32_t epoch;
    int64_t end;
    epoch_cache_end_of(&cache, 0, 99, &epoch, &end);
    CHECK_INT(epoch, 0);
    CHECK_INT(end, 10);
    epoch_cache_end_of(&cache, 1, 99, &epoch, &end);
    CHECK_INT(epoch, 1);
    CHECK_INT(end, 20);
    epoch_cache_end_of(&cache, 2, 99, &epoch, &end);
    CHECK_INT(epoch, 1);
    CHECK_INT(end, 20);
    epoch_cache_end_of(&cache, 7, 99, &epoch, &end);
    CHECK_INT(epoch, 4);
    CHECK_INT(end, 99);
    CHECK_INT(epoch_cache_of_offset(&cache, 9), -1);
    CHECK_INT(epoch_cache_of_offset(&cache, 10), 1);
    CHECK_INT(epoch_cache_of_offset(&cache, 29), 3);
    epoch_cache_done(&cache);
}

TEST(both_ends_are_cut)
{
    CHECK(parse("0\n3\n1 10\n3 20\n4 30\n"));
    epoch_cache_truncate_end(&cache, 30);
    check_printed("0\n2\n1 10\n3 20\n");
    epoch_cache_truncate_start(&cache, 15);
    check_printed("0\n2\n1 15\n3 20\n");
    epoch_cache_truncate_start(&cache, 20);
    check_printed("0\n1\n3 20\n");
    CHECK(!epoch_cache_assign(&cache, 3, 40));
    CHECK(!epoch_cache_assign(&cache, -1, 40));
    CHECK(epoch_cache_assign(&cache, 4, 40));
    CHECK(epoch_cache_assign(&cache, 6, 40));
    check_printed("0\n2\n3 20\n6 40\n");
    epoch_cache_done(&cache);
}

TEST(lines_of_topics_are_split)
{
    size_t topic_len;
    int32_t number;
    int64_t offset;
    CHECK(checkpoint_topic_line("a.b-c 3 77", 10, &topic_len, &number, &offset));
    CHECK_INT(topic_len, 5);
    CHECK_INT(number, 3);
    CHECK_INT(offset, 77);
    CHECK(!checkpoint_topic_line("a 3", 3, &topic_len, &number, &offset));
    CHECK(!checkpoint_topic_line(" 3 4", 4, &topic_len, &number, &offset));
    CHECK(!checkpoint_topic_line("a -3 4", 6, &topic_len, &number, &offset));
    CHECK(!checkpoint_topic_line("a 3 4 5", 7, &topic_len, &number, &offset));
    CHECK(!checkpoint_topic_line("a", 1, &topic_len, &number, &offset));
}

TEST_MAIN
