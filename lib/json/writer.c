/* JSON text that grows in an arena: numbers, texts, base64. */
#include "json/writer.h"
#include "base/text.h"
#include <math.h>
#include <sluice/text.h>

enum { slack_min = 2048 };

void json_writer_init(json_writer *out, sluice_arena *arena, size_t size)
{
    out->arena = arena;
    out->base = sluice_arena_take(arena, size);
    out->at = out->base;
    out->end = out->base + size;
    out->memos = NULL;
}

sluice_bytes json_writer_finish(json_writer *out)
{
    size_t len = (size_t)(out->at - out->base);
    sluice_arena_grow(out->arena, out->base, (size_t)(out->end - out->base), len);
    return (sluice_bytes){out->base, len};
}

void json_writer_grow(json_writer *out, size_t more)
{
    size_t len = (size_t)(out->at - out->base), room = (size_t)(out->end - out->base);
    /* Half as much again, and enough for what follows one large text. */
    size_t wanted = len + more + (len < slack_min ? slack_min : len / 2);
    out->base = sluice_arena_grow(out->arena, out->base, room, wanted);
    out->at = out->base + len;
    out->end = out->base + wanted;
}

void json_integer(json_writer *out, int64_t value)
{
    json_reserve(out, SLUICE_NUMBER_TEXT);
    out->at += sluice_text_int64(out->at, value);
}

/* What JSON has no number for is written as a text, as Jackson does. */
static bool unusual(json_writer *out, double value)
{
    if (isnan(value)) {
        json_literal(out, "\"NaN\"");
    } else if (isinf(value) && value > 0) {
        json_literal(out, "\"Infinity\"");
    } else if (isinf(value)) {
        json_literal(out, "\"-Infinity\"");
    } else {
        return false;
    }
    return true;
}

void json_double(json_writer *out, double value)
{
    if (!unusual(out, value)) {
        json_reserve(out, SLUICE_NUMBER_TEXT);
        out->at += sluice_text_double(out->at, value);
    }
}

void json_float(json_writer *out, float value)
{
    if (!unusual(out, (double)value)) {
        json_reserve(out, SLUICE_NUMBER_TEXT);
        out->at += sluice_text_float(out->at, value);
    }
}

/* How the first 128 bytes are written: 0 as they are, else the letter behind the
 * backslash, 'u' for \u00XX. */
static const char escapes[128] = {
    ['\b'] = 'b',  ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r', ['"'] = '"',
    ['\\'] = '\\', [0] = 'u',    [1] = 'u',    [2] = 'u',    [3] = 'u',    [4] = 'u',
    [5] = 'u',     [6] = 'u',    [7] = 'u',    [11] = 'u',   [14] = 'u',   [15] = 'u',
    [16] = 'u',    [17] = 'u',   [18] = 'u',   [19] = 'u',   [20] = 'u',   [21] = 'u',
    [22] = 'u',    [23] = 'u',   [24] = 'u',   [25] = 'u',   [26] = 'u',   [27] = 'u',
    [28] = 'u',    [29] = 'u',   [30] = 'u',   [31] = 'u',
};

static const char hex[] = "0123456789ABCDEF";

static void escaped(json_writer *out, unsigned char byte)
{
    json_reserve(out, 6);
    *out->at++ = '\\';
    *out->at++ = escapes[byte];
    if (escapes[byte] == 'u') {
        *out->at++ = '0';
        *out->at++ = '0';
        *out->at++ = hex[byte >> 4];
        *out->at++ = hex[byte & 15];
    }
}

/* One of the two UTF-16 halves of a character beyond 16 bits. */
static void escaped_half(json_writer *out, uint32_t half)
{
    *out->at++ = '\\';
    *out->at++ = 'u';
    for (int shift = 12; shift >= 0; shift -= 4) {
        *out->at++ = hex[half >> shift & 15];
    }
}

/* The four bytes at `text` as Jackson writes them: \uD83D\uDE00. What is no UTF-8 is
 * refused at the end of its text. */
static void escaped_pair(json_writer *out, const char *text)
{
    const unsigned char *byte = (const unsigned char *)text;
    uint32_t code = (byte[0] & 7u) << 18 | (byte[1] & 63u) << 12 |
                    (byte[2] & 63u) << 6 | (byte[3] & 63u);
    json_reserve(out, 12);
    escaped_half(out, 0xd800 | (((code - 0x10000) >> 10) & 0x3ff));
    escaped_half(out, 0xdc00 | (code & 0x3ff));
}

/* A word of eight bytes: non-zero if one of them is no plain ASCII character. The
 * classic tests for a byte below 32, equal to '"', equal to '\\', or with the high bit.
 */
static inline uint64_t special(uint64_t word)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), highs = ones * 0x80;
    uint64_t quote = word ^ (ones * '"'), slash = word ^ (ones * '\\');
    return (((word - ones * 0x20) & ~word) | ((quote - ones) & ~quote) |
            ((slash - ones) & ~slash) | word) &
           highs;
}

/* The length of the part of `text` that goes out as it is; `wide` notes other than
 * ASCII. */
static inline size_t clean_len(const char *text, size_t len, bool *wide)
{
    size_t i = 0;
    uint64_t word;
    for (; i + 8 <= len; i += 8) {
        memcpy(&word, text + i, 8);
        if (special(word)) {
            break;
        }
    }
    for (; i < len; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (byte >= 0x80) {
            *wide = true;
            if (byte >= 0xf0 && len - i >= 4) {
                break;
            }
        } else if (escapes[byte]) {
            break;
        }
    }
    return i;
}

bool json_text(json_writer *out, const char *text, size_t len)
{
    bool wide = false;
    const char *from = text;
    size_t left = len;
    json_reserve(out, len + 10); /* As much as is asked for below. */
    *out->at++ = '"';
    for (;;) {
        size_t clean = clean_len(from, left, &wide);
        json_reserve(out, clean + 8);
        memcpy(out->at, from, clean);
        out->at += clean;
        from += clean;
        left -= clean;
        if (left == 0) {
            break;
        }
        size_t taken = (unsigned char)*from < 0x80 ? 1 : 4;
        if (taken == 1) {
            escaped(out, (unsigned char)*from);
        } else {
            escaped_pair(out, from);
        }
        from += taken;
        left -= taken;
    }
    json_char(out, '"');
    return !wide || text_is_utf8(text, len);
}

void json_base64(json_writer *out, const void *base, size_t len)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *from = base;
    json_reserve(out, (len + 2) / 3 * 4 + 2);
    char *at = out->at;
    *at++ = '"';
    for (; len >= 3; len -= 3, from += 3) {
        uint32_t bits = (uint32_t)from[0] << 16 | (uint32_t)from[1] << 8 | from[2];
        *at++ = alphabet[bits >> 18];
        *at++ = alphabet[bits >> 12 & 63];
        *at++ = alphabet[bits >> 6 & 63];
        *at++ = alphabet[bits & 63];
    }
    if (len > 0) {
        uint32_t bits =
            (uint32_t)from[0] << 16 | (len > 1 ? (uint32_t)from[1] << 8 : 0);
        *at++ = alphabet[bits >> 18];
        *at++ = alphabet[bits >> 12 & 63];
        *at++ = len > 1 ? alphabet[bits >> 6 & 63] : '=';
        *at++ = '=';
    }
    *at++ = '"';
    out->at = at;
}

void json_decimal(json_writer *out, sluice_bytes unscaled, int scale)
{
    size_t len;
    sluice_arena *scratch = sluice_arena_new();
    const char *text = sluice_text_decimal(scratch, unscaled, scale, &len);
    json_raw(out, text, len);
    sluice_arena_free(scratch);
}
