/* connectors/postgres/copy_row.c - a line of COPY's text format. */
#include "copy_row.h"

#include <stdint.h>
#include <string.h>

/* How many bytes there are before the next tab or backslash, or the end: eight at a
 * time by the classic test for a byte that is zero, whose lowest mark is exact. */
static inline size_t plain_len(const char *at, const char *end)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), highs = ones * 0x80;
    const char *from = at;
    for (; end - at >= 8; at += 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        uint64_t tab = word ^ (ones * '\t'), slash = word ^ (ones * '\\');
        if ((((tab - ones) & ~tab) | ((slash - ones) & ~slash)) & highs) {
            break;
        }
    }
    while (at < end && *at != '\t' && *at != '\\') {
        at++;
    }
    return (size_t)(at - from);
}

static char unescaped(char c)
{
    static const char from[] = "bfnrtv", to[] = "\b\f\n\r\t\v";
    const char *known = c == '\0' ? NULL : strchr(from, c);
    return known != NULL ? to[known - from] : c;
}

/* Unescapes up to the next tab or the end, in place; the end of the text goes to
 * `ret_out`. Returns where it stopped. */
static char *take_cell(char *at, const char *end, char **ret_out)
{
    char *out = at;
    for (;;) {
        size_t plain = plain_len(at, end);
        if (out != at) {
            memmove(out, at, plain);
        }
        at += plain;
        out += plain;
        if (at == end || *at == '\t') {
            *ret_out = out;
            return at;
        }
        at++; /* The backslash; the last byte of all stands for itself. */
        *out++ = at < end ? unescaped(*at++) : '\\';
    }
}

int copy_split(char *line, size_t len, pg_cell *cells, int room)
{
    char *at = line, *end = line + len;
    for (int count = 0; count < room;) {
        char *start = at, *out;
        bool null = end - at >= 2 && at[0] == '\\' && at[1] == 'N';
        at = take_cell(at, end, &out);
        cells[count++] = null ? (pg_cell){NULL, 0, CELL_NULL}
                              : (pg_cell){start, (int32_t)(out - start), CELL_TEXT};
        if (at == end) {
            return count;
        }
        at++;
    }
    return -1;
}
