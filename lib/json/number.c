/* lib/json/number.c - short numbers by one exact operation, others by strtod. */
#include "json/number.h"

#include <stdlib.h>
#include <string.h>

enum { EXPONENT_MAX = 1000000 };

/* A number as text taken apart: its digits, of which `point` are before the point once
 * the exponent has moved it. */
typedef struct parts {
    const char *digits, *end; /* A '.' may be among them. */
    int64_t count, point;
    bool is_negative, is_zero;
} parts;

/* Whether an int64_t holds it for sure. */
static bool is_short(const json_number *number)
{
    return number->whole && number->len <= 18;
}

static int64_t exponent_at(const char *at, const char *end)
{
    bool is_minus = *at == '-';
    int64_t exponent = 0;
    for (at += *at == '-' || *at == '+'; at < end; at++) {
        exponent = exponent < EXPONENT_MAX ? exponent * 10 + (*at - '0') : exponent;
    }
    return is_minus ? -exponent : exponent;
}

static parts take_apart(const json_number *number)
{
    const char *at = number->text, *end = at + number->len;
    parts self = {.is_negative = *at == '-', .is_zero = true};
    bool has_point = false;
    at += self.is_negative;
    self.digits = at;
    for (; at < end && *at != 'e' && *at != 'E'; at++) {
        if (*at == '.') {
            has_point = true;
            continue;
        }
        self.is_zero = self.is_zero && *at == '0';
        self.count++;
        self.point += !has_point;
    }
    self.end = at;
    self.point += at < end ? exponent_at(at + 1, end) : 0;
    return self;
}

/* Whether the digits are a whole number below 2^53, and that number. */
static bool small_digits(const parts *self, uint64_t *ret_digits)
{
    uint64_t digits = 0;
    for (const char *at = self->digits; at < self->end; at++) {
        if (*at == '.') {
            continue;
        }
        digits = digits * 10 + (uint64_t)(*at - '0');
        if (digits >= UINT64_C(1) << 53) {
            return false;
        }
    }
    *ret_digits = digits;
    return true;
}

/* Whether `*ret` is the number, rounded right: both operands of the one operation are
 * exact, since 10^22 is the largest power of ten that a double holds exactly. */
static bool by_one_operation(const parts *self, double *ret)
{
    static const double POWERS[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    int64_t exponent = self->point - self->count;
    uint64_t digits;
    if (exponent < -22 || exponent > 22 || !small_digits(self, &digits)) {
        return false;
    }
    double value = exponent < 0 ? (double)digits / POWERS[-exponent]
                                : (double)digits * POWERS[exponent];
    *ret = self->is_negative ? -value : value;
    return true;
}

double json_number_double(const json_number *number)
{
    if (is_short(number)) {
        return (double)number->integer;
    }
    parts self = take_apart(number);
    double value = 0.0;
    if (self.is_zero || by_one_operation(&self, &value)) {
        return value;
    }
    char text[JSON_NUMBER_MAX + 1];
    memcpy(text, number->text, number->len);
    text[number->len] = '\0';
    return strtod(text, NULL);
}

float json_number_float(const json_number *number)
{
    if (is_short(number)) {
        return (float)number->integer;
    }
    if (take_apart(number).is_zero) {
        return 0.0f;
    }
    char text[JSON_NUMBER_MAX + 1];
    memcpy(text, number->text, number->len);
    text[number->len] = '\0';
    return strtof(text, NULL);
}

int64_t json_number_long(const json_number *number)
{
    if (number->whole) {
        return number->integer;
    }
    parts self = take_apart(number);
    uint64_t low = 0;
    int64_t seen = 0;
    for (const char *at = self.digits; at < self.end && seen < self.point; at++) {
        if (*at != '.') {
            low = low * 10 + (uint64_t)(*at - '0');
            seen++;
        }
    }
    /* 10^64 is 0 modulo 2^64. */
    for (int zeros = 0; seen < self.point && zeros < 64; zeros++, seen++) {
        low *= 10;
    }
    return (int64_t)(self.is_negative ? 0 - low : low);
}
