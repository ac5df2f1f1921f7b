/* lib/text/number.c - UTF-8 and numbers in Java's forms: the scalars of sluice/text.h.
 */
#include <sluice/text.h>

#include "base/text.h"
#include "shortest.h"
#include <math.h>
#include <string.h>

/* --- UTF-8. --- */

bool sluice_text_is_utf8(const void *base, size_t len)
{
    const unsigned char *bytes = base;
    size_t at = 0;
    for (; len - at >= 64; at += 64) {
        uint64_t all = 0;
        for (size_t i = 0; i < 64; i += 8) {
            uint64_t eight;
            memcpy(&eight, bytes + at + i, 8);
            all |= eight;
        }
        if ((all & 0x8080808080808080u) != 0) {
            break;
        }
    }
    return text_is_utf8(bytes + at, len - at);
}

/* The bounds of the byte that follows lead byte `lead` (Unicode, table 3-7). */
static bool second_fits(unsigned char lead, unsigned char second)
{
    unsigned char low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    unsigned char high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    return second >= low && second <= high;
}

/* The length of the character at `at`, or, with `*ret_valid` false, of the malformed
 * part that Java's decoder replaces by one U+FFFD. */
static size_t character_at(const unsigned char *at, size_t len, bool *ret_valid)
{
    unsigned char lead = at[0];
    size_t wanted = lead < 0x80                   ? 1
                    : lead >= 0xc2 && lead < 0xe0 ? 2
                    : lead >= 0xe0 && lead < 0xf0 ? 3
                    : lead >= 0xf0 && lead < 0xf5 ? 4
                                                  : 0;
    /* Half of a pair, written as a character: one part with all its bytes. */
    bool is_half = lead == 0xed && len > 1 && (at[1] & 0xe0) == 0xa0;
    *ret_valid = wanted == 1;
    if (wanted < 2 || len < 2 || (!is_half && !second_fits(lead, at[1]))) {
        return 1;
    }
    for (size_t i = 2; i < wanted; i++) {
        if (i == len || (at[i] & 0xc0) != 0x80) {
            return i;
        }
    }
    *ret_valid = !is_half;
    return wanted;
}

char *sluice_text_repair(sluice_arena *arena, const void *base, size_t len,
                         size_t *ret_len)
{
    if (sluice_text_is_utf8(base, len)) {
        *ret_len = len;
        return sluice_arena_copy(arena, base, len);
    }
    const unsigned char *bytes = base;
    char *out = sluice_arena_take(arena, 3 * len + 1); /* U+FFFD has three bytes. */
    size_t used = 0;
    for (size_t at = 0; at < len;) {
        bool is_valid;
        size_t size = character_at(bytes + at, len - at, &is_valid);
        memcpy(out + used, is_valid ? (const char *)bytes + at : "\xef\xbf\xbd",
               is_valid ? size : 3);
        used += is_valid ? size : 3;
        at += size;
    }
    out[used] = '\0';
    *ret_len = used;
    return out;
}

/* --- Numbers. --- */

static const char PAIRS[] = "00010203040506070809101112131415161718192021222324"
                            "25262728293031323334353637383940414243444546474849"
                            "50515253545556575859606162636465666768697071727374"
                            "75767778798081828384858687888990919293949596979899";

/* Writes the digits of `value` so that they end before `end`; returns their start. */
static char *digits_before(char *end, uint64_t value)
{
    while (value >= 100) {
        end -= 2;
        memcpy(end, PAIRS + value % 100 * 2, 2);
        value /= 100;
    }
    if (value >= 10) {
        end -= 2;
        memcpy(end, PAIRS + value * 2, 2);
        return end;
    }
    *--end = (char)('0' + value);
    return end;
}

size_t sluice_text_int64(char *out, int64_t value)
{
    char digits[20], *end = digits + sizeof digits;
    uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    char *start = digits_before(end, size);
    if (value < 0) {
        *--start = '-';
    }
    memcpy(out, start, (size_t)(end - start));
    return (size_t)(end - start);
}

/* `count` digits, the point `point` digits behind the first one's left side: "12.5",
 * "0.05", "100.0", always with a digit on both sides. */
static size_t put_plain(char *out, const char *digits, int count, int point)
{
    char *to = out;
    if (point <= 0) {
        memcpy(to, "0.000", 5); /* Java goes down to 0.001. */
        to += 2 - point;
        memcpy(to, digits, (size_t)count);
        return (size_t)(to + count - out);
    }
    int whole = count < point ? count : point;
    memcpy(to, digits, (size_t)whole);
    to += whole;
    memset(to, '0', (size_t)(point - whole));
    to += point - whole;
    *to++ = '.';
    if (count <= point) {
        *to++ = '0';
        return (size_t)(to - out);
    }
    memcpy(to, digits + whole, (size_t)(count - whole));
    return (size_t)(to + count - whole - out);
}

/* "1.25E10", "1.0E-5". */
static size_t put_scientific(char *out, const char *digits, int count, int exponent)
{
    char *to = out;
    *to++ = digits[0];
    *to++ = '.';
    if (count == 1) {
        *to++ = '0';
    } else {
        memcpy(to, digits + 1, (size_t)count - 1);
        to += count - 1;
    }
    *to++ = 'E';
    return (size_t)(to - out) + sluice_text_int64(to, exponent);
}

static size_t put_shortest(char *out, shortest number)
{
    char room[20], *end = room + sizeof room;
    const char *digits = digits_before(end, number.digits);
    int count = (int)(end - digits);
    int point = count + number.exponent; /* 0.digits * 10^point */
    if (point > -3 && point <= 7) {
        return put_plain(out, digits, count, point);
    }
    return put_scientific(out, digits, count, point - 1);
}

static size_t put_constant(char *out, const char *text)
{
    size_t len = strlen(text);
    memcpy(out, text, len);
    return len;
}

size_t sluice_text_double(char *out, double value)
{
    if (isnan(value)) {
        return put_constant(out, "NaN");
    }
    bool is_negative = signbit(value);
    if (is_negative) {
        *out++ = '-';
        value = -value;
    }
    size_t len = isinf(value)   ? put_constant(out, "Infinity")
                 : value == 0.0 ? put_constant(out, "0.0")
                                : put_shortest(out, shortest_of_double(value));
    return len + is_negative;
}

size_t sluice_text_float(char *out, float value)
{
    if (isnan(value) || isinf(value) || value == 0.0f) {
        return sluice_text_double(out, value);
    }
    bool is_negative = signbit(value);
    if (is_negative) {
        *out++ = '-';
        value = -value;
    }
    return put_shortest(out, shortest_of_float(value)) + is_negative;
}

char *sluice_text_decimal(sluice_arena *arena, sluice_bytes unscaled, int scale,
                          size_t *ret_len)
{
    size_t len;
    char *digits = sluice_decimal_print(arena, unscaled, 0, &len);
    size_t sign = digits[0] == '-';
    size_t count = len - sign;
    int64_t adjusted = (int64_t)count - 1 - scale; /* Of the first digit. */
    if (scale >= 0 && adjusted >= -6) {
        return sluice_decimal_print(arena, unscaled, scale, ret_len);
    }
    return sluice_arena_print(arena, ret_len, "%.*s%s%sE%+lld", (int)(sign + 1), digits,
                              count > 1 ? "." : "", digits + sign + 1,
                              (long long)adjusted);
}
