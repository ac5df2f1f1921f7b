/* Buffers: growth, limits, and what an addition that is refused leaves behind. */
#include "buffer.h"
#include "test.h"

TEST(an_empty_buffer_is_an_empty_text)
{
    buffer b = BUFFER_INIT;
    CHECK_TEXT(buffer_text(&b), "");
    size_t len = 7;
    char *taken = buffer_take(&b, &len);
    CHECK_TEXT(taken, "");
    CHECK_INT(len, 0);
    free(taken);
    buffer_done(&b);
}

TEST(pieces_are_joined_and_always_nul_ended)
{
    buffer b = BUFFER_INIT;
    for (int i = 0; i < 1000; i++) {
        CHECK(buffer_print(&b, "%d,", i % 10));
    }
    CHECK_INT(b.len, 2000);
    CHECK_INT(strlen(b.base), 2000);
    buffer_append(&b, "a\0b", 3);
    CHECK_BYTES(b.base + 2000, b.len - 2000, "a\0b", 3);
    buffer_done(&b);
}

TEST(what_would_pass_the_maximum_is_refused_whole)
{
    buffer b;
    buffer_init(&b, 5);
    CHECK(buffer_append_text(&b, "abc"));
    CHECK(!buffer_append_text(&b, "def"));
    CHECK(b.overflowed);
    CHECK_TEXT(buffer_text(&b), "abc");
    CHECK(buffer_append_text(&b, "de"));
    CHECK(!buffer_print(&b, "%d", 1));
    CHECK_TEXT(buffer_text(&b), "abcde");
    CHECK(!buffer_append(&b, "", SIZE_MAX));
    buffer_clear(&b);
    CHECK(!b.overflowed);
    buffer_done(&b);
}

TEST(consumed_bytes_are_gone_from_the_front)
{
    buffer b = BUFFER_INIT;
    buffer_append_text(&b, "GET /rest");
    buffer_consume(&b, 4);
    CHECK_TEXT(buffer_text(&b), "/rest");
    buffer_consume(&b, 100);
    CHECK_INT(b.len, 0);
    buffer_done(&b);
}

TEST(code_points_become_utf8_of_one_to_four_bytes)
{
    buffer b = BUFFER_INIT;
    buffer_append_utf8(&b, 'a');
    buffer_append_utf8(&b, 0xFC);
    buffer_append_utf8(&b, 0x20AC);
    buffer_append_utf8(&b, 0x1F600);
    CHECK_TEXT(buffer_text(&b), "a\xC3\xBC\xE2\x82\xAC\xF0\x9F\x98\x80");
    buffer_done(&b);
}

TEST_MAIN
