/* connectors/file/lines_test.c - lines come out whole, however their bytes come in. */
#include "lines.h"

#include "test.h"

/* Puts `text` in, `step` bytes at a time, and joins the lines with '|'. */
static const char *split(const char *text, size_t step, bool with_rest)
{
    static char out[4096];
    size_t used = 0, len = strlen(text);
    lines self;
    lines_init(&self, 1 << 20);
    for (size_t at = 0; at < len; at += step) {
        size_t room, size = len - at < step ? len - at : step;
        char *to = lines_room(&self, &room);
        CHECK(to != NULL && room >= size);
        memcpy(to, text + at, size);
        lines_add(&self, size);
        line_span found;
        while (lines_take(&self, &found, 1) == 1) {
            memcpy(out + used, self.base + found.start, found.len);
            used += found.len;
            out[used++] = '|';
        }
    }
    line_span rest;
    if (with_rest && lines_take_rest(&self, &rest)) {
        memcpy(out + used, self.base + rest.start, rest.len);
        used += rest.len;
        out[used++] = '!';
    }
    out[used] = '\0';
    lines_done(&self);
    return out;
}

TEST(every_end_of_line_ends_a_line_wherever_reads_are_cut)
{
    for (size_t step = 1; step < 12; step++) {
        CHECK_TEXT(split("a\nbb\r\nccc\rd\n\n\r\re\n", step, false),
                   "a|bb|ccc|d||||e|");
        CHECK_TEXT(split("one\r\n\r\ntwo\r\n", step, false), "one||two|");
    }
}

TEST(a_line_without_its_end_is_kept_back)
{
    CHECK_TEXT(split("a\nbc", 64, false), "a|");
    CHECK_TEXT(split("a\nbc", 64, true), "a|bc!");
}

TEST(a_carriage_return_at_the_end_waits_for_what_follows)
{
    CHECK_TEXT(split("a\r", 64, false), "");
    CHECK_TEXT(split("a\r", 64, true), "a!");
    CHECK_TEXT(split("a\r\n", 1, false), "a|");
    CHECK_TEXT(split("a\rb\n", 1, false), "a|b|");
}

TEST(no_more_lines_are_taken_than_asked_for)
{
    lines self;
    line_span found[3];
    size_t room;
    lines_init(&self, 100);
    memcpy(lines_room(&self, &room), "1\n2\n3\n4\n", 8);
    lines_add(&self, 8);
    CHECK_INT(lines_take(&self, found, 3), 3);
    CHECK_INT(found[2].start, 4);
    CHECK_INT(found[2].next, 6);
    CHECK_INT(lines_left(&self), 2);
    CHECK_INT(lines_take(&self, found, 3), 1);
    CHECK_INT(lines_take(&self, found, 3), 0);
    lines_done(&self);
}

/* Feeds a line of `len` bytes and its end; whether there was always room. */
static bool accepts(size_t limit, size_t len)
{
    lines self;
    line_span found;
    size_t room, left = len;
    lines_init(&self, limit);
    for (;;) {
        char *to = lines_room(&self, &room);
        if (to == NULL) {
            lines_done(&self);
            return false;
        }
        size_t size = left < room ? left : room - 1;
        memset(to, 'x', size);
        left -= size;
        lines_add(&self, size);
        if (left == 0) {
            self.base[self.end++] = '\n';
            bool is_whole = lines_take(&self, &found, 1) == 1 && found.len == len;
            lines_done(&self);
            return is_whole;
        }
    }
}

TEST(a_long_line_grows_the_buffer_up_to_its_limit)
{
    CHECK(accepts(3000000, 3000000));
    CHECK(!accepts(3000000, 9000000));
}

TEST_MAIN
