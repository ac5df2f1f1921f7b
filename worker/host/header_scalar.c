/* A word of a header's text as a number or a time. */
#include "worker/host/header_scalar.h"
#include "base/text.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- Numbers. --- */

typedef struct number {
    bool negative;
    size_t first, end; /* The digits and the point. */
    int64_t scale;     /* Digits behind the point, the exponent taken off. */
} number;

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool scan_exponent(const char *text, size_t len, int64_t *ret_exponent)
{
    enum { digits_max = 10 };
    size_t sign = len > 0 && (text[0] == '+' || text[0] == '-');
    return len > sign && len - sign <= digits_max && is_digit(text[sign]) &&
           text_to_int64_of(text, len, ret_exponent) && *ret_exponent <= INT32_MAX &&
           *ret_exponent >= -INT32_MAX;
}

static bool scan(const char *text, size_t len, number *ret)
{
    size_t at = len > 0 && (text[0] == '+' || text[0] == '-');
    size_t digits = 0, behind = 0;
    bool point = false;
    *ret = (number){.negative = len > 0 && text[0] == '-', .first = at};
    for (; at < len && (is_digit(text[at]) || (text[at] == '.' && !point)); at++) {
        digits += text[at] != '.';
        behind += point;
        point = point || text[at] == '.';
    }
    ret->end = at;
    int64_t exponent = 0;
    if (at < len) {
        if ((text[at] != 'e' && text[at] != 'E') ||
            !scan_exponent(text + at + 1, len - at - 1, &exponent)) {
            return false;
        }
    }
    ret->scale = (int64_t)behind - exponent;
    return digits > 0 && ret->scale <= INT32_MAX && ret->scale >= -INT32_MAX;
}

/* Whether it is whole and an int64. */
static bool is_integer(const char *text, const number *n, int64_t *ret)
{
    enum { digits_max = 19 };
    size_t first = n->first, end = n->end;
    int64_t scale = n->scale;
    while (first < end && (text[first] == '0' || text[first] == '.')) {
        first++;
    }
    while (end > first &&
           (text[end - 1] == '.' || (text[end - 1] == '0' && scale > 0))) {
        scale -= text[end - 1] == '0';
        end--;
    }
    uint64_t value = 0;
    int64_t count = scale < 0 && end > first ? -scale : 0;
    for (size_t i = first; i < end && count <= digits_max; i++) {
        count += text[i] != '.';
        value = text[i] == '.' ? value : value * 10 + (uint64_t)(text[i] - '0');
    }
    if (end > first && (scale > 0 || count > digits_max)) {
        return false;
    }
    for (; scale < 0 && value > 0; scale++) {
        value *= 10;
    }
    if (value > (uint64_t)INT64_MAX + n->negative) {
        return false;
    }
    *ret = n->negative ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}

static void take_integer(int64_t value, sluice_arena *arena, header_part *ret)
{
    sluice_data_type type = SLUICE_TYPE_INT64;
    if (value >= INT8_MIN && value <= INT8_MAX) {
        type = SLUICE_TYPE_INT8;
        ret->value = sluice_int8(arena, (int8_t)value);
    } else if (value >= INT16_MIN && value <= INT16_MAX) {
        type = SLUICE_TYPE_INT16;
        ret->value = sluice_int16(arena, (int16_t)value);
    } else if (value >= INT32_MIN && value <= INT32_MAX) {
        type = SLUICE_TYPE_INT32;
        ret->value = sluice_int32(arena, (int32_t)value);
    } else {
        ret->value = sluice_int64(arena, value);
    }
    ret->schema = sluice_schema_of(type, false);
}

bool header_number(const char *text, size_t len, sluice_arena *arena,
                   header_part *ret_part)
{
    number n;
    int64_t whole;
    if (!scan(text, len, &n)) {
        return false;
    }
    if (is_integer(text, &n, &whole)) {
        take_integer(whole, arena, ret_part);
        return true;
    }
    const char *copy = sluice_arena_copy(arena, text, len); /* With a NUL behind. */
    float narrow = strtof(copy, NULL);
    double wide = strtod(copy, NULL);
    if (n.scale != 0 && isfinite(narrow)) {
        *ret_part = (header_part){sluice_schema_of(SLUICE_TYPE_FLOAT32, false),
                                  sluice_float32(arena, narrow)};
        return true;
    }
    if (n.scale != 0 && isfinite(wide)) {
        *ret_part = (header_part){sluice_schema_of(SLUICE_TYPE_FLOAT64, false),
                                  sluice_float64(arena, wide)};
        return true;
    }
    sluice_value *decimal;
    if (sluice_decimal_parse(arena, text, len, (int)n.scale, &decimal, NULL) !=
        SLUICE_OK) {
        return false;
    }
    *ret_part =
        (header_part){sluice_schema_decimal(arena, (int)n.scale, false), decimal};
    return true;
}

/* --- Dates and times. --- */

/* Days since 1970 of a day of a month, both of which may overflow. */
static int64_t days_of(int64_t year, int64_t month, int64_t day, bool is_julian)
{
    year += (month - 1) / 12;
    month = (month - 1) % 12 + 1;
    if (month < 1) {
        month += 12;
        year--;
    }
    /* A year that begins in March, so that the leap day is its last. */
    int64_t of = year - (month <= 2), in = (month + 9) % 12;
    int64_t leap = of >= 0 ? of / 4 : -((-of + 3) / 4);
    int64_t day_of_year = (153 * in + 2) / 5 + day - 1;
    if (is_julian) {
        return of * 365 + leap + day_of_year - 719470;
    }
    int64_t century = of >= 0 ? of / 100 : -((-of + 99) / 100);
    int64_t era = of >= 0 ? of / 400 : -((-of + 399) / 400);
    return of * 365 + leap - century + era + day_of_year - 719468;
}

/* Java's calendar is Julian before 15 October 1582. */
static int64_t java_days(int64_t year, int64_t month, int64_t day)
{
    enum { cutover = -141427 };
    int64_t days = days_of(year, month, day, false);
    return days >= cutover ? days : days_of(year, month, day, true);
}

static const char letters[] = "yMdHmsS"; /* Of the fields of a pattern. */

/* Reads `pattern`, in which a letter is a number of any width that goes to `fields`
 * and anything else is itself. */
static bool match(const char *text, size_t len, const char *pattern, int64_t *fields)
{
    size_t at = 0;
    for (; *pattern != '\0'; pattern++) {
        const char *field = strchr(letters, *pattern);
        if (field == NULL) {
            if (at == len || text[at++] != *pattern) {
                return false;
            }
            continue;
        }
        while (at < len && (text[at] == ' ' || text[at] == '\t')) {
            at++;
        }
        size_t first = at;
        int64_t read = 0;
        for (; at < len && is_digit(text[at]); at++) {
            read = read * 10 + (text[at] - '0');
        }
        if (at == first) {
            return false;
        }
        fields[field - letters] = read;
    }
    return true;
}

/* By the length, which Kafka Connect goes by; all are short. */
bool header_time(const char *text, size_t len, sluice_arena *arena,
                 header_part *ret_part)
{
    enum { year, month, day, hour, minute, second, milli, fields, longest = 24 };
    char plain[longest];
    size_t used = 0;
    for (size_t i = 0; i < len; i++) {
        bool skip = text[i] == '\\' && i + 1 < len && text[i + 1] == ':';
        if (!skip && used == longest) {
            return false;
        }
        if (!skip) {
            plain[used++] = text[i];
        }
    }
    int64_t f[fields] = {1970, 1, 1, 0, 0, 0, 0};
    const char *name = NULL;
    if (used == 10 && match(plain, used, "y-M-d", f)) {
        name = SLUICE_DATE;
    } else if (used == 13 && match(plain, used, "H:m:s.SZ", f)) {
        name = SLUICE_TIME;
    } else if (used == 24 && match(plain, used, "y-M-dTH:m:s.SZ", f)) {
        name = SLUICE_TIMESTAMP;
    }
    if (name == NULL) {
        return false;
    }
    int64_t days = java_days(f[year], f[month], f[day]);
    int64_t ms = ((f[hour] * 60 + f[minute]) * 60 + f[second]) * 1000 + f[milli];
    bool is_stamp = used == longest;
    if (!is_stamp && ms > INT32_MAX) { /* 99999:00:00.00Z, which Java bears. */
        return false;
    }
    sluice_data_type type = is_stamp ? SLUICE_TYPE_INT64 : SLUICE_TYPE_INT32;
    ret_part->schema = sluice_schema_named(arena, type, name, false);
    ret_part->value = is_stamp ? sluice_int64(arena, days * 86400000 + ms)
                               : sluice_int32(arena, (int32_t)(used == 10 ? days : ms));
    return true;
}
