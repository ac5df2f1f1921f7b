/* JSON text that grows in an arena: numbers, texts, base64. */
#include "json/writer.h"
#include "base/text.h"
#include <math.h>
#include <sluice/value.h>
#include <stdio.h>
#include <stdlib.h>

void json_writer_init(json_writer *out, sluice_arena *arena, size_t size)
{
    out->arena = arena;
    out->base = sluice_arena_take(arena, size);
    out->at = out->base;
    out->end = out->base + size;
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
    size_t wanted = room * 2 > len + more ? room * 2 : len + more;
    out->base = sluice_arena_grow(out->arena, out->base, room, wanted);
    out->at = out->base + len;
    out->end = out->base + wanted;
}

static const char pairs[] = "00010203040506070809101112131415161718192021222324"
                            "25262728293031323334353637383940414243444546474849"
                            "50515253545556575859606162636465666768697071727374"
                            "75767778798081828384858687888990919293949596979899";

void json_integer(json_writer *out, int64_t value)
{
    char digits[20];
    char *first = digits + sizeof digits;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    while (rest >= 100) {
        first -= 2;
        memcpy(first, pairs + rest % 100 * 2, 2);
        rest /= 100;
    }
    if (rest >= 10) {
        first -= 2;
        memcpy(first, pairs + rest * 2, 2);
    } else {
        *--first = (char)('0' + rest);
    }
    json_reserve(out, 21);
    if (value < 0) {
        *out->at++ = '-';
    }
    size_t len = (size_t)(digits + sizeof digits - first);
    memcpy(out->at, first, len);
    out->at += len;
}

/* The shortest digits that read back as `value`, without the point, and the exponent of
 * the first: 1.5 is "15" and 0. */
static int shortest(double value, bool single, char *digits, int *ret_exponent)
{
    char text[40];
    int most = single ? 9 : 17;
    for (int precision = 1; precision <= most; precision++) {
        snprintf(text, sizeof text, "%.*e", precision - 1, value);
        if (single ? strtof(text, NULL) == (float)value : strtod(text, NULL) == value) {
            break;
        }
        if (precision == 1) {
            precision = single ? 5 : 13; /* Few need less than 15, or exactly one. */
        }
    }
    int count = 0;
    const char *at = text;
    for (; *at != 'e'; at++) {
        if (*at >= '0' && *at <= '9') {
            digits[count++] = *at;
        }
    }
    *ret_exponent = 0;
    for (const char *digit = at + 2; *digit != '\0'; digit++) {
        *ret_exponent = *ret_exponent * 10 + (*digit - '0');
    }
    *ret_exponent = at[1] == '-' ? -*ret_exponent : *ret_exponent;
    while (count > 1 && digits[count - 1] == '0') {
        count--;
    }
    return count;
}

/* Digits with the point behind the first `whole` of them; zeros where there are none. */
static void plain(json_writer *out, const char *digits, int count, int whole)
{
    if (whole <= 0) {
        json_literal(out, "0.");
        for (int i = whole; i < 0; i++) {
            json_char(out, '0');
        }
        json_raw(out, digits, (size_t)count);
        return;
    }
    for (int i = 0; i < whole; i++) {
        json_char(out, i < count ? digits[i] : '0');
    }
    json_char(out, '.');
    if (count > whole) {
        json_raw(out, digits + whole, (size_t)(count - whole));
    } else {
        json_char(out, '0');
    }
}

static void finite(json_writer *out, double value, bool single)
{
    char digits[24];
    int exponent;
    if (signbit(value)) {
        json_char(out, '-');
        value = -value;
    }
    if (value == 0) {
        json_literal(out, "0.0");
        return;
    }
    int count = shortest(value, single, digits, &exponent);
    if (value >= 1e-3 && value < 1e7) {
        plain(out, digits, count, exponent + 1);
        return;
    }
    plain(out, digits, count, 1);
    json_char(out, 'E');
    json_integer(out, exponent);
}

static void number(json_writer *out, double value, bool single)
{
    if (isnan(value)) {
        json_literal(out, "\"NaN\"");
    } else if (isinf(value)) {
        json_raw(out, value < 0 ? "\"-Infinity\"" : "\"Infinity\"", value < 0 ? 11 : 10);
    } else if (value == (double)(int32_t)value && fabs(value) < 1e7 && value != 0) {
        json_integer(out, (int32_t)value);
        json_literal(out, ".0");
    } else {
        finite(out, value, single);
    }
}

void json_double(json_writer *out, double value)
{
    number(out, value, false);
}

void json_float(json_writer *out, float value)
{
    number(out, value, true);
}

/* How the first 128 bytes are written: 0 as they are, else the letter behind the
 * backslash, 'u' for \u00XX. */
static const char escapes[128] = {
    ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r',
    ['"'] = '"',  ['\\'] = '\\', [0] = 'u',   [1] = 'u',    [2] = 'u',
    [3] = 'u',    [4] = 'u',    [5] = 'u',    [6] = 'u',    [7] = 'u',
    [11] = 'u',   [14] = 'u',   [15] = 'u',   [16] = 'u',   [17] = 'u',
    [18] = 'u',   [19] = 'u',   [20] = 'u',   [21] = 'u',   [22] = 'u',
    [23] = 'u',   [24] = 'u',   [25] = 'u',   [26] = 'u',   [27] = 'u',
    [28] = 'u',   [29] = 'u',   [30] = 'u',   [31] = 'u',
};

static void escaped(json_writer *out, unsigned char byte)
{
    static const char hex[] = "0123456789ABCDEF";
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

/* A word of eight bytes: non-zero if one of them is no plain ASCII character. The classic
 * tests for a byte below 32, equal to '"', equal to '\\', or with the high bit. */
static inline uint64_t special(uint64_t word)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), highs = ones * 0x80;
    uint64_t quote = word ^ (ones * '"'), slash = word ^ (ones * '\\');
    return (((word - ones * 0x20) & ~word) | ((quote - ones) & ~quote) |
            ((slash - ones) & ~slash) | word) &
           highs;
}

/* The length of the part of `text` that goes out as it is; `wide` notes other than ASCII. */
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
    json_reserve(out, len + 2);
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
        escaped(out, (unsigned char)*from);
        from++;
        left--;
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
        uint32_t bits = (uint32_t)from[0] << 16 | (len > 1 ? (uint32_t)from[1] << 8 : 0);
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
    const char *digits = sluice_decimal_print(scratch, unscaled, 0, &len);
    if (*digits == '-') {
        json_char(out, '-');
        digits++;
        len--;
    }
    int count = (int)len;
    int64_t exponent = (int64_t)count - 1 - scale;
    if (scale == 0) {
        json_raw(out, digits, len);
    } else if (scale > 0 && exponent >= -6) {
        plain(out, digits, count, count - scale);
    } else {
        json_char(out, digits[0]);
        if (count > 1) {
            json_char(out, '.');
            json_raw(out, digits + 1, len - 1);
        }
        if (exponent != 0) {
            json_raw(out, exponent > 0 ? "E+" : "E", exponent > 0 ? 2 : 1);
            json_integer(out, exponent);
        }
    }
    sluice_arena_free(scratch);
}
