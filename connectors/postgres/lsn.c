/* connectors/postgres/lsn.c - positions in PostgreSQL's write-ahead log as text. */
#include "lsn.h"

#include <inttypes.h>
#include <stdio.h>

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
