/* connectors/postgres/copy_row.c - a line of COPY's text format. */
#include "copy_row.h"

#include <string.h>

int copy_split(char *line, size_t len, pg_cell *cells, int room)
{
    char *at = line, *end = line + len;
    int count = 0;
    for (;;) {
        if (count == room) {
            return -1;
        }
        char *start = at, *out = at;
        bool null = end - at >= 2 && at[0] == '\\' && at[1] == 'N';
        for (; at < end && *at != '\t'; at++) {
            char c = *at;
            if (c == '\\' && at + 1 < end) {
                static const char from[] = "bfnrtv", to[] = "\b\f\n\r\t\v";
                c = *++at;
                const char *known = c == '\0' ? NULL : strchr(from, c);
                c = known != NULL ? to[known - from] : c;
            }
            *out++ = c;
        }
        cells[count++] = null ? (pg_cell){NULL, 0, CELL_NULL}
                              : (pg_cell){start, (int32_t)(out - start), CELL_TEXT};
        if (at == end) {
            return count;
        }
        at++;
    }
}
