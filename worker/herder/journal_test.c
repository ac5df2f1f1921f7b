/* The last lines about a connector: which are kept, and who gets which. */
#include "base/memory.h"
#include "journal.h"
#include "test.h"
#include <stdlib.h>
#include <string.h>

static void add(journal *self, const char *line)
{
    journal_add(self, line, strlen(line));
}

/* "next: line, line" */
static char *told(const journal *self, int64_t count, int64_t after)
{
    json_t *all = journal_json(self, count, after), *line;
    size_t index;
    char *text =
        memory_print("%d:", (int)json_integer_value(json_object_get(all, "next")));
    json_array_foreach(json_object_get(all, "lines"), index, line)
    {
        char *longer = memory_print("%s %s", text, json_string_value(line));
        free(text);
        text = longer;
    }
    json_decref(all);
    return text;
}

#define CHECK_TOLD(COUNT, AFTER, WANTED)                                               \
    do {                                                                               \
        char *text_ = told(self, COUNT, AFTER);                                        \
        CHECK_TEXT(text_, WANTED);                                                     \
        free(text_);                                                                   \
    } while (0)

TEST(lines_are_told_in_order_and_from_where_one_has_them)
{
    journal *self = journal_new();
    CHECK_TOLD(-1, -1, "-1:");
    add(self, "a");
    add(self, "b");
    add(self, "c");
    CHECK_TOLD(-1, -1, "2: a b c");
    CHECK_TOLD(2, -1, "2: b c");
    CHECK_TOLD(-1, 0, "2: b c");
    CHECK_TOLD(1, 0, "2: c");
    CHECK_TOLD(0, -1, "2:");
    CHECK_TOLD(-1, 2, "2:");
    CHECK_TOLD(-1, 1000, "2:");
    journal_free(self);
}

TEST(the_oldest_lines_go_when_there_are_too_many)
{
    journal *self = journal_new();
    for (int i = 0; i < 3 * JOURNAL_LINES; i++) {
        char line[16];
        snprintf(line, sizeof line, "%d", i);
        add(self, line);
    }
    CHECK_TOLD(1, -1, "1499: 1499");
    json_t *all = journal_json(self, -1, 5);
    const json_t *lines = json_object_get(all, "lines");
    CHECK_INT(json_array_size(lines), JOURNAL_LINES);
    CHECK_TEXT(json_string_value(json_array_get(lines, 0)), "1000");
    json_decref(all);
    journal_free(self);
}

TEST(the_oldest_lines_go_when_they_are_too_long)
{
    journal *self = journal_new();
    char *line = memory_zero(JOURNAL_BYTES_MAX / 4);
    memset(line, 'x', JOURNAL_BYTES_MAX / 4 - 1);
    for (int i = 0; i < 10; i++) {
        add(self, line);
    }
    json_t *all = journal_json(self, -1, -1);
    CHECK_INT(json_array_size(json_object_get(all, "lines")), 4);
    json_decref(all);
    free(line);
    journal_free(self);
}

TEST(a_line_that_is_not_utf8_is_told_without_what_is_not)
{
    journal *self = journal_new();
    add(self, "a\xff"
              "b");
    CHECK_TOLD(-1, -1, "0: a?b");
    journal_free(self);
}

TEST_MAIN
