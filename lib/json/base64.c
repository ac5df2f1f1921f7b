/* Base64 to bytes, group by group. */
#include "json/base64.h"

enum { padding = 64, no_digit = -1 };

static int digit_of(unsigned char digit)
{
    if (digit >= 'A' && digit <= 'Z') {
        return digit - 'A';
    }
    if (digit >= 'a' && digit <= 'z') {
        return digit - 'a' + 26;
    }
    if (digit >= '0' && digit <= '9') {
        return digit - '0' + 52;
    }
    return digit == '+' ? 62 : digit == '/' ? 63 : digit == '=' ? padding : no_digit;
}

/* The bytes of a group, how many of them; 0: it is none. */
static size_t read_group(const unsigned char *group, unsigned char *out)
{
    int one = digit_of(group[0]), two = digit_of(group[1]);
    int three = digit_of(group[2]), four = digit_of(group[3]);
    if (one < 0 || two < 0 || three < 0 || four < 0 || one == padding ||
        two == padding || (three == padding && four != padding)) {
        return 0;
    }
    out[0] = (unsigned char)(one << 2 | two >> 4);
    if (three == padding) {
        return 1;
    }
    out[1] = (unsigned char)(two << 4 | three >> 2);
    if (four == padding) {
        return 2;
    }
    out[2] = (unsigned char)(three << 6 | four);
    return 3;
}

sluice_value *json_from_base64(sluice_arena *arena, sluice_bytes text)
{
    const unsigned char *at = text.base, *end = at + text.len;
    unsigned char *base = sluice_arena_take(arena, text.len / 4 * 3 + 1), *out = base;
    for (;;) {
        while (at < end && *at <= ' ') {
            at++;
        }
        if (at == end) {
            return sluice_binary_borrowed(arena, base, (size_t)(out - base));
        }
        size_t count = end - at < 4 ? 0 : read_group(at, out);
        if (count == 0) {
            return NULL;
        }
        out += count;
        at += 4;
    }
}
