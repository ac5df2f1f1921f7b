/* Lines of COPY's text format, as the server writes them. */
#include "copy_row.h"
#include "test.h"
#include <string.h>

/* The cells of a line, in angle brackets; null is shown as a dash. */
static const char *split(const char *line, size_t len)
{
    static char shown[512];
    char *copy = malloc(len + 1); /* So that a read behind the end is seen. */
    memcpy(copy, line, len);
    pg_cell cells[4];
    int count = copy_split(copy, len, cells, 4);
    size_t at = 0;
    shown[0] = '\0';
    for (int i = 0; i < count; i++) {
        at += (size_t)(cells[i].kind == CELL_NULL
                           ? snprintf(shown + at, sizeof shown - at, "-")
                           : snprintf(shown + at, sizeof shown - at, "<%.*s>",
                                      (int)cells[i].len, cells[i].text));
    }
    free(copy);
    return count < 0 ? "too many" : shown;
}

#define SPLIT(line) split(line, sizeof(line) - 1)

TEST(cells_are_separated_by_tabs)
{
    CHECK_TEXT(SPLIT("1\tname of row 1\t\tx"), "<1><name of row 1><><x>");
    CHECK_TEXT(SPLIT(""), "<>");
    CHECK_TEXT(SPLIT("\t"), "<><>");
    CHECK_TEXT(SPLIT("a\tb\tc\td\te"), "too many");
    CHECK_TEXT(SPLIT("a\tb\tc\t"), "<a><b><c><>");
}

TEST(null_is_not_its_letters)
{
    CHECK_TEXT(SPLIT("\\N\tN\t\\\\N"), "-<N><\\N>");
    CHECK_TEXT(SPLIT("\\N"), "-");
}

TEST(escapes_are_undone_wherever_they_stand)
{
    CHECK_TEXT(SPLIT("a\\tb\t\\n\t\\\\\t\\b\\f\\r\\v"), "<a\tb><\n><\\><\b\f\r\v>");
    CHECK_TEXT(SPLIT("1234567\\n89012345678\\t9\tx"), "<1234567\n89012345678\t9><x>");
    CHECK_TEXT(SPLIT("12345678\\n"), "<12345678\n>");
    CHECK_TEXT(SPLIT("\\q\\"), "<q\\>");
}

TEST(a_tab_or_backslash_is_seen_at_every_place)
{
    for (size_t at = 0; at < 20; at++) {
        char line[24], wanted[40];
        memset(line, 'x', sizeof line);
        line[at] = '\t';
        snprintf(wanted, sizeof wanted, "<%.*s><%.*s>", (int)at, line,
                 (int)(20 - at - 1), line + at + 1);
        CHECK_TEXT(split(line, 20), wanted);
        line[at] = '\\';
        line[at + 1] = '\\';
        snprintf(wanted, sizeof wanted, "<%.*s\\%.*s>", (int)at, line,
                 (int)(21 - at - 2), line + at + 2);
        CHECK_TEXT(split(line, 21), wanted);
    }
}

TEST(bytes_that_look_like_a_tab_but_for_their_high_bit_are_text)
{
    CHECK_TEXT(SPLIT("\x89\xdc\x89\xdc\x89\xdc\x89\xdc\x89\x08\x0a\x5b\x5d\t\xff"),
               "<\x89\xdc\x89\xdc\x89\xdc\x89\xdc\x89\x08\x0a\x5b\x5d><\xff>");
}

TEST_MAIN
