/* connectors/postgres/lsn.c - positions in PostgreSQL's write-ahead log as text. */
#include "lsn.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static const char *half_parse(const char *text, uint64_t *ret_half)
{
    uint64_t half = 0;
    int digits = 0;
    for (; hex_digit(*text) >= 0 && digits < 8; text++, digits++) {
        half = half << 4 | (uint64_t)hex_digit(*text);
    }
    *ret_half = half;
    return digits > 0 ? text : NULL;
}

bool lsn_parse(const char *text, lsn *ret_lsn)
{
    uint64_t high, low;
    text = half_parse(text, &high);
    if (text == NULL || *text != '/') {
        return false;
    }
    text = half_parse(text + 1, &low);
    if (text == NULL || *text != '\0') {
        return false;
    }
    *ret_lsn = high << 32 | low;
    return true;
}

const char *lsn_print(lsn position, char text[LSN_TEXT_SIZE])
{
    snprintf(text, LSN_TEXT_SIZE, "%" PRIX32 "/%" PRIX32, (uint32_t)(position >> 32),
             (uint32_t)position);
    return text;
}

bool timeline_find(const char *history, uint32_t timeline, lsn *ret_left)
{
    const char *line = history;
    while (*line != '\0') {
        size_t len = strcspn(line, "\n"), digits = strspn(line, "0123456789");
        uint64_t number = 0;
        for (size_t i = 0; i < digits && number <= UINT32_MAX; i++) {
            number = number * 10 + (uint64_t)(line[i] - '0');
        }
        size_t blank = digits + strspn(line + digits, " \t");
        if (digits > 0 && blank > digits && number == timeline) {
            char text[LSN_TEXT_SIZE];
            size_t size = strcspn(line + blank, " \t\n");
            snprintf(text, sizeof text, "%.*s", (int)(size < 18 ? size : 18),
                     line + blank);
            return lsn_parse(text, ret_left);
        }
        line += len + (line[len] == '\n');
    }
    return false;
}
