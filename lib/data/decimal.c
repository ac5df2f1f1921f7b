/* Decimals of any length: text to two's complement bytes and back, exactly. */
#include "../base/memory.h"
#include <sluice/value.h>
#include <stdlib.h>
#include <string.h>

enum {
    /* PostgreSQL's numeric, the longest there is, has 131072 + 16383 digits. */
    digits_max = 200000,
    unscaled_bytes_max = 96 * 1024, /* Holds that many digits. */
    billion = 1000000000,
};

/* A number as it is written: sign, digits with at most one point, power of ten. */
typedef struct number {
    bool negative;
    const char *mantissa;
    size_t mantissa_len;
    size_t digits;    /* Without the point. */
    int64_t exponent; /* Of the last digit. */
} number;

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Digits of an exponent, at most a billion: far beyond every limit. */
static bool scan_exponent(const char *text, const char *end, int64_t *ret)
{
    bool negative = text < end && *text == '-';
    text += text < end && (*text == '-' || *text == '+');
    int64_t value = 0;
    bool any = false;
    for (; text < end && is_digit(*text); text++) {
        value = value > billion ? value : value * 10 + (*text - '0');
        any = true;
    }
    *ret = negative ? -value : value;
    return any && text == end;
}

static bool scan(const char *text, size_t len, number *ret)
{
    const char *end = text + len;
    *ret = (number){.negative = text < end && *text == '-'};
    text += text < end && (*text == '-' || *text == '+');
    ret->mantissa = text;
    const char *point = NULL;
    for (; text < end && (is_digit(*text) || (*text == '.' && point == NULL)); text++) {
        point = *text == '.' ? text : point;
    }
    ret->mantissa_len = (size_t)(text - ret->mantissa);
    ret->digits = ret->mantissa_len - (point != NULL);
    int64_t exponent = 0;
    if (text < end && (*text == 'e' || *text == 'E')) {
        if (!scan_exponent(text + 1, end, &exponent)) {
            return false;
        }
        text = end;
    }
    ret->exponent =
        exponent - (point == NULL ? 0 : ret->mantissa + ret->mantissa_len - point - 1);
    return text == end && ret->digits > 0;
}

static bool is_zero(const number *n)
{
    for (size_t i = 0; i < n->mantissa_len; i++) {
        if (n->mantissa[i] >= '1') {
            return false;
        }
    }
    return true;
}

bool sluice_decimal_scale(const char *text, size_t len, int *ret_scale)
{
    number n;
    if (!scan(text, len, &n)) {
        return false;
    }
    bool fits = n.exponent <= INT32_MAX && n.exponent >= -INT32_MAX;
    *ret_scale = fits ? (int)-n.exponent : 0;
    return fits || is_zero(&n);
}

/* The digits without point and leading zeros; how many there are. */
static size_t gather(const number *n, char *out)
{
    size_t count = 0;
    for (size_t i = 0; i < n->mantissa_len; i++) {
        char c = n->mantissa[i];
        if (c != '.' && (count > 0 || c != '0')) {
            out[count++] = c;
        }
    }
    return count;
}

/* Two's complement, big-endian, shortest, of a magnitude in little-endian limbs. */
static sluice_value *make_bytes(sluice_arena *arena, const uint32_t *limbs,
                                size_t limb_count, bool negative)
{
    size_t size = limb_count * 4 + 1;
    sluice_value *made;
    unsigned char small[64];
    unsigned char *bytes = size <= sizeof small ? small : memory_take(size);
    unsigned carry = negative;
    bytes[0] = negative ? 0xFF : 0;
    for (size_t i = 0; i < limb_count * 4; i++) {
        unsigned byte = (limbs[i / 4] >> (8 * (i % 4))) & 0xFF;
        byte = negative ? (~byte & 0xFF) + carry : byte;
        carry = carry && byte > 0xFF;
        bytes[size - 1 - i] = (unsigned char)byte;
    }
    size_t start = 0;
    while (start + 1 < size && bytes[start] == (negative ? 0xFF : 0) &&
           (bytes[start + 1] >> 7) == negative) {
        start++;
    }
    made = sluice_binary(arena, bytes + start, size - start);
    if (bytes != small) {
        free(bytes);
    }
    return made;
}

static uint32_t chunk_of(const char *digits, size_t count)
{
    uint32_t value = 0;
    for (size_t i = 0; i < count; i++) {
        value = value * 10 + (uint32_t)(digits[i] - '0');
    }
    return value;
}

/* limbs = limbs * factor + added; returns the number of limbs. */
static size_t multiply_add(uint32_t *limbs, size_t count, uint32_t factor,
                           uint32_t added)
{
    uint64_t carry = added;
    for (size_t i = 0; i < count; i++) {
        carry += (uint64_t)limbs[i] * factor;
        limbs[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry > 0) {
        limbs[count++] = (uint32_t)carry;
    }
    return count;
}

/* A value of `count` digits, which fit a buffer of `digits_max`. */
static sluice_value *convert(sluice_arena *arena, const char *digits, size_t count,
                             bool negative)
{
    uint32_t small[16];
    size_t room = count / 9 + 2; /* Nine digits need less than a limb. */
    uint32_t *limbs = room <= 16 ? small : memory_take(room * sizeof *limbs);
    size_t limb_count = 0;
    size_t first = count % 9;
    if (first > 0) {
        limb_count = multiply_add(limbs, limb_count, 0, chunk_of(digits, first));
    }
    for (size_t i = first; i < count; i += 9) {
        limb_count = multiply_add(limbs, limb_count, billion, chunk_of(digits + i, 9));
    }
    sluice_value *made = make_bytes(arena, limbs, limb_count, negative);
    if (limbs != small) {
        free(limbs);
    }
    return made;
}

static bool all_zero(const char *digits, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (digits[i] != '0') {
            return false;
        }
    }
    return true;
}

/* How much of a text is quoted in a message. */
static int shown(size_t len)
{
    return len > 60 ? 60 : (int)len;
}

static sluice_status fail_cut(const char *text, size_t len, int scale,
                              sluice_error *err)
{
    return sluice_fail(err, SLUICE_BAD_RECORD,
                       "'%.*s' has more digits behind the point than the %d of its "
                       "decimal schema",
                       shown(len), text, scale);
}

static sluice_status fail_long(const char *text, size_t len, sluice_error *err)
{
    return sluice_fail(
        err, SLUICE_BAD_RECORD,
        "'%.*s' has more than %d digits, the most that a decimal may have", shown(len),
        text, digits_max);
}

/* Shifts the gathered digits to `scale` and converts them. */
static sluice_status scaled(sluice_arena *arena, const number *n, char *digits,
                            int64_t shift, sluice_value **ret_value)
{
    size_t count = gather(n, digits);
    if (count > 0 && shift < 0) {
        size_t cut = (size_t)-shift;
        if (cut >= count || !all_zero(digits + count - cut, cut)) {
            return SLUICE_BAD_RECORD;
        }
        count -= cut;
    } else if (count > 0) {
        memset(digits + count, '0', (size_t)shift);
        count += (size_t)shift;
    }
    *ret_value = convert(arena, digits, count, n->negative && count > 0);
    return SLUICE_OK;
}

sluice_status sluice_decimal_parse(sluice_arena *arena, const char *text, size_t len,
                                   int scale, sluice_value **ret_value,
                                   sluice_error *err)
{
    number n;
    if (!scan(text, len, &n)) {
        return sluice_fail(err, SLUICE_BAD_RECORD, "'%.*s' is not a decimal number",
                           shown(len), text);
    }
    char small[128];
    int64_t shift = scale + n.exponent;
    size_t added = shift > 0 && !is_zero(&n) ? (size_t)shift : 0;
    if (n.digits > digits_max || added > digits_max - n.digits) {
        return fail_long(text, len, err);
    }
    size_t room = n.digits + added;
    char *digits = room <= sizeof small ? small : memory_take(room);
    sluice_status status = scaled(arena, &n, digits, shift, ret_value);
    if (digits != small) {
        free(digits);
    }
    return status == SLUICE_OK ? SLUICE_OK : fail_cut(text, len, scale, err);
}

/* The magnitude in little-endian limbs. */
static size_t to_limbs(sluice_bytes unscaled, bool negative, uint32_t *limbs)
{
    const unsigned char *bytes = unscaled.base;
    size_t limb_count = (unscaled.len + 3) / 4;
    memset(limbs, 0, limb_count * sizeof *limbs);
    unsigned carry = negative;
    for (size_t i = 0; i < unscaled.len; i++) {
        unsigned byte = bytes[unscaled.len - 1 - i];
        byte = negative ? (~byte & 0xFF) + carry : byte;
        carry = carry && byte > 0xFF;
        limbs[i / 4] |= (uint32_t)(byte & 0xFF) << (8 * (i % 4));
    }
    return limb_count;
}

/* Divides by a billion in place and returns the rest. */
static uint32_t divide(uint32_t *limbs, size_t *count)
{
    uint64_t rest = 0;
    for (size_t i = *count; i > 0; i--) {
        uint64_t part = rest << 32 | limbs[i - 1];
        limbs[i - 1] = (uint32_t)(part / billion);
        rest = part % billion;
    }
    while (*count > 0 && limbs[*count - 1] == 0) {
        (*count)--;
    }
    return (uint32_t)rest;
}

/* Digits of the magnitude, written backwards from `end`; where they begin. */
static char *write_digits(sluice_bytes unscaled, bool negative, char *end)
{
    uint32_t small[16];
    size_t room = unscaled.len / 4 + 2;
    uint32_t *limbs = room <= 16 ? small : memory_take(room * sizeof *limbs);
    size_t count = to_limbs(unscaled, negative, limbs);
    char *at = end;
    while (count > 0) {
        uint32_t chunk = divide(limbs, &count);
        for (int i = 0; i < 9; i++) {
            *--at = (char)('0' + chunk % 10);
            chunk /= 10;
        }
    }
    if (limbs != small) {
        free(limbs);
    }
    while (at < end && *at == '0') {
        at++;
    }
    return at;
}

/* Sign, digits, point and zeros, to `out`; the length. */
static size_t lay_out(char *out, bool negative, const char *digits, size_t count,
                      int scale)
{
    char *at = out;
    if (negative) {
        *at++ = '-';
    }
    size_t behind = scale > 0 ? (size_t)scale : 0;
    size_t before = count > behind ? count - behind : 0;
    if (before == 0) {
        *at++ = '0';
    }
    memcpy(at, digits, before);
    at += before;
    if (scale < 0 && count > 0) {
        memset(at, '0', (size_t)-scale);
        at += -scale;
    }
    if (behind > 0) {
        *at++ = '.';
        size_t zeros = behind - (count - before);
        memset(at, '0', zeros);
        memcpy(at + zeros, digits + before, count - before);
        at += behind;
    }
    *at = '\0';
    return (size_t)(at - out);
}

char *sluice_decimal_print(sluice_arena *arena, sluice_bytes unscaled, int scale,
                           size_t *ret_len)
{
    if (unscaled.len > unscaled_bytes_max || scale > digits_max ||
        scale < -digits_max) {
        return NULL;
    }
    bool negative =
        unscaled.len > 0 && (*(const unsigned char *)unscaled.base & 0x80) != 0;
    char small[128];
    size_t room = unscaled.len * 5 / 2 + 32; /* 2.41 digits a byte, in nines. */
    char *digits = room <= sizeof small ? small : memory_take(room);
    char *first = write_digits(unscaled, negative, digits + room);
    size_t count = (size_t)(digits + room - first);
    size_t zeros = scale > 0 ? (size_t)scale : (size_t)-scale;
    char *out = sluice_arena_take(arena, count + zeros + 4);
    size_t len = lay_out(out, negative, first, count, scale);
    if (digits != small) {
        free(digits);
    }
    if (ret_len != NULL) {
        *ret_len = len;
    }
    return out;
}
