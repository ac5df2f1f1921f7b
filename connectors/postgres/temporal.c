/* connectors/postgres/temporal.c - dates, times and intervals as PostgreSQL writes
 * them.
 *
 * A timestamp is a date, a space, a time, perhaps an offset, perhaps " BC"; so the
 * parts are read by a scanner that each parser combines. */
#include "temporal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

typedef struct scanner {
    const char *at, *end;
} scanner;

static bool take_char(scanner *self, char c)
{
    if (self->at < self->end && *self->at == c) {
        self->at++;
        return true;
    }
    return false;
}

static bool take_word(scanner *self, const char *word)
{
    size_t len = strlen(word);
    if ((size_t)(self->end - self->at) >= len && memcmp(self->at, word, len) == 0) {
        self->at += len;
        return true;
    }
    return false;
}

/* Reads `min` to `max` (at most 18) digits. */
static bool take_digits(scanner *self, int min, int max, int64_t *ret_number)
{
    int64_t number = 0;
    int count = 0;
    while (count < max && self->at < self->end && *self->at >= '0' &&
           *self->at <= '9') {
        number = number * 10 + (*self->at++ - '0');
        count++;
    }
    *ret_number = number;
    return count >= min;
}

static bool at_end(const scanner *self)
{
    return self->at == self->end;
}

static temporal infinity_parse(const char *text, size_t len)
{
    if (len == 8 && memcmp(text, "infinity", 8) == 0) {
        return TEMPORAL_INFINITY;
    }
    if (len == 9 && memcmp(text, "-infinity", 9) == 0) {
        return TEMPORAL_MINUS_INFINITY;
    }
    return TEMPORAL_BAD;
}

/* Days from 1970-01-01 to a day of the proleptic Gregorian calendar; year 0 is 1 BC.
 * Counts in eras of 400 years that begin on the 1st of March, so that the leap day is
 * the last of its year. */
static int64_t days_of(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era =
        year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

typedef struct calendar_day {
    int64_t year; /* As written: 44 for 44 BC too, until `bc` is known. */
    int64_t month, day;
} calendar_day;

static bool take_date(scanner *self, calendar_day *ret_day)
{
    return take_digits(self, 4, 7, &ret_day->year) && take_char(self, '-') &&
           take_digits(self, 2, 2, &ret_day->month) && take_char(self, '-') &&
           take_digits(self, 2, 2, &ret_day->day) && ret_day->month >= 1 &&
           ret_day->month <= 12 && ret_day->day >= 1 && ret_day->day <= 31;
}

/* "04:05:06.789": hours may be more than 24, as in intervals. */
static bool take_time(scanner *self, int64_t *ret_us)
{
    int64_t hours, minutes, seconds, fraction = 0;
    if (!take_digits(self, 2, 12, &hours) || !take_char(self, ':') ||
        !take_digits(self, 2, 2, &minutes) || !take_char(self, ':') ||
        !take_digits(self, 2, 2, &seconds) || minutes > 59 || seconds > 60) {
        return false;
    }
    if (take_char(self, '.')) {
        const char *start = self->at;
        if (!take_digits(self, 1, 6, &fraction)) {
            return false;
        }
        for (ptrdiff_t digits = self->at - start; digits < 6; digits++) {
            fraction *= 10;
        }
    }
    return !__builtin_mul_overflow(hours, INT64_C(3600000000), ret_us) &&
           !__builtin_add_overflow(
               *ret_us, minutes * 60000000 + seconds * 1000000 + fraction, ret_us);
}

/* "+05:30", "-08", "+00:19:32" to seconds. */
static bool take_offset(scanner *self, int *ret_seconds)
{
    int sign = take_char(self, '-') ? -1 : 1;
    if (sign > 0 && !take_char(self, '+')) {
        return false;
    }
    int64_t hours, minutes = 0, seconds = 0;
    if (!take_digits(self, 2, 2, &hours) ||
        (take_char(self, ':') && !take_digits(self, 2, 2, &minutes)) ||
        (take_char(self, ':') && !take_digits(self, 2, 2, &seconds))) {
        return false;
    }
    *ret_seconds = sign * (int)(hours * 3600 + minutes * 60 + seconds);
    return true;
}

temporal date_parse(const char *text, size_t len, int32_t *ret_days)
{
    scanner scan = {text, text + len};
    calendar_day day;
    if (!take_date(&scan, &day)) {
        return infinity_parse(text, len);
    }
    if (take_word(&scan, " BC")) {
        day.year = 1 - day.year;
    }
    if (!at_end(&scan)) {
        return TEMPORAL_BAD;
    }
    int64_t days = days_of(day.year, (int)day.month, (int)day.day);
    *ret_days = (int32_t)days;
    return days == (int32_t)days ? TEMPORAL_FINITE : TEMPORAL_RANGE;
}

temporal time_parse(const char *text, size_t len, int64_t *ret_us)
{
    scanner scan = {text, text + len};
    if (!take_time(&scan, ret_us) || !at_end(&scan) || *ret_us > DAY_US) {
        return TEMPORAL_BAD;
    }
    return TEMPORAL_FINITE;
}

temporal timetz_parse(const char *text, size_t len, int64_t *ret_us, int *ret_offset)
{
    scanner scan = {text, text + len};
    if (!take_time(&scan, ret_us) || !take_offset(&scan, ret_offset) ||
        !at_end(&scan) || *ret_us > DAY_US) {
        return TEMPORAL_BAD;
    }
    return TEMPORAL_FINITE;
}

static bool take_timestamp(scanner *self, calendar_day *ret_day, int64_t *ret_us)
{
    int offset = 0;
    if (!take_date(self, ret_day) || !take_char(self, ' ') ||
        !take_time(self, ret_us)) {
        return false;
    }
    take_offset(self, &offset);
    if (take_word(self, " BC")) {
        ret_day->year = 1 - ret_day->year;
    }
    return offset == 0 && at_end(self);
}

temporal timestamp_parse(const char *text, size_t len, int64_t *ret_us)
{
    scanner scan = {text, text + len};
    calendar_day day;
    int64_t us;
    if (!take_timestamp(&scan, &day, &us)) {
        return infinity_parse(text, len);
    }
    int64_t days = days_of(day.year, (int)day.month, (int)day.day);
    if (__builtin_mul_overflow(days, DAY_US, ret_us) ||
        __builtin_add_overflow(*ret_us, us, ret_us)) {
        return TEMPORAL_RANGE;
    }
    return TEMPORAL_FINITE;
}

/* --- Intervals. --- */

/* One " 3 days"; the number is read, the unit is not. */
static bool take_unit(scanner *self, int64_t number, interval *sum)
{
    static const struct {
        const char *word;
        bool is_days;
        int factor;
    } units[] = {{" years", false, 12}, {" year", false, 12}, {" mons", false, 1},
                 {" mon", false, 1},    {" days", true, 1},   {" day", true, 1}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (take_word(self, units[i].word)) {
            *(units[i].is_days ? &sum->days : &sum->months) += number * units[i].factor;
            return true;
        }
    }
    return false;
}

temporal interval_parse(const char *text, size_t len, interval *ret_interval)
{
    scanner scan = {text, text + len};
    interval sum = {0, 0, 0};
    if (len == 0) {
        return TEMPORAL_BAD;
    }
    while (!at_end(&scan)) {
        bool negative = take_char(&scan, '-');
        if (!negative) {
            take_char(&scan, '+');
        }
        const char *start = scan.at;
        int64_t number;
        if (!take_digits(&scan, 1, 12, &number)) {
            return infinity_parse(text, len);
        }
        if (!take_unit(&scan, negative ? -number : number, &sum)) {
            scan.at = start;
            if (!take_time(&scan, &sum.us) || !at_end(&scan)) {
                return TEMPORAL_BAD;
            }
            sum.us = negative ? -sum.us : sum.us;
        }
        if (!take_char(&scan, ' ') && !at_end(&scan)) {
            return TEMPORAL_BAD;
        }
    }
    *ret_interval = sum;
    return TEMPORAL_FINITE;
}

/* --- Writing. --- */

static size_t print_day(const calendar_day *day, char *out)
{
    const char *format = "%04" PRId64 "-%02" PRId64 "-%02" PRId64;
    if (day->year > 9999) {
        format = "+%" PRId64 "-%02" PRId64 "-%02" PRId64;
    } else if (day->year < 0) {
        format = "-%04" PRId64 "-%02" PRId64 "-%02" PRId64;
    }
    int64_t year = day->year < 0 ? -day->year : day->year;
    return (size_t)snprintf(out, 32, format, year, day->month, day->day);
}

/* ".78", or nothing. */
static size_t print_fraction(int64_t fraction, char *out)
{
    if (fraction == 0) {
        return 0;
    }
    size_t len = (size_t)snprintf(out, 16, ".%06" PRId64, fraction);
    while (out[len - 1] == '0') {
        len--;
    }
    return len;
}

/* What nearly every timestamp looks like, "2016-11-04 04:05:06": copied, not computed.
 */
static bool is_plain(const char *text, size_t len)
{
    return len >= 19 && text[4] == '-' && text[10] == ' ' && text[13] == ':' &&
           text[len - 1] != 'C';
}

size_t timestamp_iso(const char *text, size_t len, int digits, char *out)
{
    scanner scan = {text, text + len};
    calendar_day day;
    int64_t us;
    if (!take_timestamp(&scan, &day, &us)) {
        return 0;
    }
    size_t at = 10;
    if (is_plain(text, len)) {
        memcpy(out, text, at);
    } else {
        at = print_day(&day, out);
    }
    const char *clock = memchr(text, ' ', len);
    out[at++] = 'T';
    memcpy(out + at, clock + 1, 8);
    at += 8;
    int64_t fraction = us % 1000000;
    if (digits < 0) {
        at += print_fraction(fraction, out + at);
    }
    for (int i = digits; i < 6; i++) {
        fraction /= 10;
    }
    if (digits > 0) {
        out[at] = '.';
        for (int i = digits; i > 0; i--, fraction /= 10) {
            out[at + (size_t)i] = (char)('0' + fraction % 10);
        }
        at += (size_t)digits + 1;
    }
    out[at++] = 'Z';
    return at;
}

size_t date_iso(const char *text, size_t len, char *out)
{
    scanner scan = {text, text + len};
    calendar_day day;
    if (!take_date(&scan, &day)) {
        return 0;
    }
    if (take_word(&scan, " BC")) {
        day.year = 1 - day.year;
    }
    return at_end(&scan) ? print_day(&day, out) : 0;
}

size_t time_iso(int64_t us, char *out)
{
    int64_t seconds = us / 1000000;
    size_t len = (size_t)snprintf(out, 32, "%02" PRId64 ":%02" PRId64 ":%02" PRId64,
                                  seconds / 3600, seconds / 60 % 60, seconds % 60);
    return len + print_fraction(us % 1000000, out + len);
}

size_t interval_iso(const interval *self, char *out)
{
    int64_t us = self->us < 0 ? -self->us : self->us, seconds = us / 1000000;
    const char *sign = self->us < 0 ? "-" : "";
    int64_t hours = seconds / 3600, minutes = seconds / 60 % 60;
    size_t len = (size_t)snprintf(
        out, TEMPORAL_TEXT_SIZE - 16,
        "P%" PRId64 "Y%" PRId64 "M%" PRId64 "DT%s%" PRId64 "H%s%" PRId64 "M%s%" PRId64,
        self->months / 12, self->months % 12, self->days, hours > 0 ? sign : "", hours,
        minutes > 0 ? sign : "", minutes, us % 60000000 > 0 ? sign : "", seconds % 60);
    len += print_fraction(us % 1000000, out + len);
    out[len++] = 'S';
    return len;
}
