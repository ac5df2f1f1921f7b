/* connectors/postgres/names.c - names of schemas and fields as Avro allows them. */
#include "names.h"

#include <stdio.h>
#include <string.h>

static bool is_letter(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

/* Reads a character; what is no UTF-8 counts byte by byte. */
static uint32_t take_character(const char **io_at)
{
    const unsigned char *at = (const unsigned char *)*io_at;
    int more = *at >= 0xf0 ? 3 : *at >= 0xe0 ? 2 : *at >= 0xc0 ? 1 : 0;
    uint32_t code = more == 0 ? *at : *at & (0x3fu >> more);
    for (int i = 1; i <= more; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            *io_at += 1;
            return *at;
        }
        code = code << 6 | (at[i] & 0x3f);
    }
    *io_at += 1 + more;
    return code;
}

static char *put_unit(adjustment_mode mode, uint32_t unit, char *out)
{
    if (mode == ADJUST_AVRO) {
        *out = '_';
        return out + 1;
    }
    return out + snprintf(out, 7, "_u%04x", unit & 0xffff);
}

static char *put_replaced(adjustment_mode mode, uint32_t code, char *out)
{
    if (code < 0x10000) {
        return put_unit(mode, code, out);
    }
    code -= 0x10000;
    out = put_unit(mode, 0xd800 | code >> 10, out);
    return put_unit(mode, 0xdc00 | (code & 0x3ff), out);
}

const char *name_adjust(adjustment_mode mode, bool full, const char *name,
                        sluice_arena *arena)
{
    if (mode == ADJUST_NONE) {
        return name;
    }
    char *made = sluice_arena_take(arena, strlen(name) * 6 + 2), *out = made;
    for (const char *at = name; *at != '\0';) {
        bool first = at == name;
        uint32_t code = take_character(&at);
        bool kept = code < 128 && (is_letter((unsigned char)code) ||
                                   (is_digit((unsigned char)code) && !first) ||
                                   (code == '_' && mode == ADJUST_AVRO) ||
                                   (code == '.' && full && !first));
        if (!kept) {
            out = put_replaced(mode, code, out);
        }
        if (kept ||
            (mode == ADJUST_AVRO && code < 128 && is_digit((unsigned char)code))) {
            *out++ = (char)code;
        }
    }
    *out = '\0';
    return made;
}
