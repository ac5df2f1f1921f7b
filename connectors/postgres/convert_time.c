/* connectors/postgres/convert_time.c - dates, times and intervals as values, in the
 * unit that time.precision.mode asks for. */
#include "column.h"
#include "temporal.h"

#include <string.h>

/* What stands for timestamps without an end: pgjdbc's marks, which its users know. */
static const int64_t timestamp_infinity = INT64_C(9223372036825200000);
static const int64_t timestamp_minus_infinity = -INT64_C(9223372036832400000);

static sluice_status out_of_range(sluice_error *err, const char *text, size_t len,
                                  const char *unit)
{
    return sluice_fail(
        err, SLUICE_BAD_RECORD,
        "'%.*s' cannot be counted in %s in 64 bits: set "
        "event.converting.failure.handling.mode to warn, which gives null",
        len > 64 ? 64 : (int)len, text, unit);
}

static time_mode mode_of(const pg_column *self)
{
    return (time_mode)self->config->time_mode;
}

static const sluice_value *iso_text(sluice_arena *arena, char *text, size_t len)
{
    text[len++] = 'Z';
    return sluice_string(arena, text, len);
}

sluice_status convert_date(const pg_column *self, sluice_arena *arena, const char *text,
                           size_t len, const sluice_value **ret_value,
                           sluice_error *err)
{
    int32_t days = 0;
    temporal kind = date_parse(text, len, &days);
    if (kind == TEMPORAL_BAD || kind == TEMPORAL_RANGE) {
        return convert_fail(err, text, len, "date");
    }
    if (mode_of(self) == TIME_ISOSTRING) {
        char iso[TEMPORAL_TEXT_SIZE];
        *ret_value = kind == TEMPORAL_FINITE
                         ? iso_text(arena, iso, date_iso(text, len, iso))
                         : sluice_string_borrowed(arena, text, len);
        return SLUICE_OK;
    }
    if (kind != TEMPORAL_FINITE) {
        days = kind == TEMPORAL_INFINITY ? INT32_MAX : INT32_MIN;
    }
    *ret_value = sluice_int32(arena, days);
    return SLUICE_OK;
}

sluice_status convert_time(const pg_column *self, sluice_arena *arena, const char *text,
                           size_t len, const sluice_value **ret_value,
                           sluice_error *err)
{
    int64_t us;
    if (time_parse(text, len, &us) != TEMPORAL_FINITE) {
        return convert_fail(err, text, len, "time of day");
    }
    char iso[TEMPORAL_TEXT_SIZE];
    switch (mode_of(self)) {
    case TIME_CONNECT:
        *ret_value = sluice_int32(arena, (int32_t)(us / 1000));
        break;
    case TIME_ADAPTIVE:
        *ret_value = self->digits <= 3 ? sluice_int32(arena, (int32_t)(us / 1000))
                                       : sluice_int64(arena, us);
        break;
    case TIME_NANOSECONDS:
        *ret_value = sluice_int64(arena, us * 1000);
        break;
    case TIME_ISOSTRING:
        *ret_value = iso_text(arena, iso, time_iso(us, iso));
        break;
    case TIME_ADAPTIVE_MICROSECONDS:
    case TIME_MICROSECONDS:
        *ret_value = sluice_int64(arena, us);
        break;
    }
    return SLUICE_OK;
}

sluice_status convert_timetz(const pg_column *self, sluice_arena *arena,
                             const char *text, size_t len,
                             const sluice_value **ret_value, sluice_error *err)
{
    int64_t us;
    int offset;
    if (timetz_parse(text, len, &us, &offset) != TEMPORAL_FINITE) {
        return convert_fail(err, text, len, "time of day with a time zone");
    }
    us = (us - offset * INT64_C(1000000) + 2 * DAY_US) % DAY_US;
    char iso[TEMPORAL_TEXT_SIZE];
    *ret_value = iso_text(arena, iso, time_iso(us, iso));
    return SLUICE_OK;
}

/* Milliseconds, rounded down also before 1970. */
static int64_t floor_ms(int64_t us)
{
    return us / 1000 - (us % 1000 < 0);
}

/* Whether a timestamp is counted in milliseconds. */
static bool is_in_ms(const pg_column *self)
{
    bool adaptive =
        mode_of(self) == TIME_ADAPTIVE || mode_of(self) == TIME_ADAPTIVE_MICROSECONDS;
    return mode_of(self) == TIME_CONNECT || (adaptive && self->digits <= 3);
}

static sluice_status infinite_timestamp(const pg_column *self, sluice_arena *arena,
                                        bool positive, const sluice_value **ret_value)
{
    int64_t mark = positive ? timestamp_infinity : timestamp_minus_infinity;
    if (mode_of(self) == TIME_NANOSECONDS) {
        mark = positive ? INT64_MAX : INT64_MIN;
    } else if (is_in_ms(self)) {
        mark /= 1000;
    }
    *ret_value = mode_of(self) == TIME_ISOSTRING
                     ? sluice_text(arena, positive ? "infinity" : "-infinity")
                     : sluice_int64(arena, mark);
    return SLUICE_OK;
}

static sluice_status finite_timestamp(const pg_column *self, sluice_arena *arena,
                                      const char *text, size_t len, int64_t us,
                                      const sluice_value **ret_value, sluice_error *err)
{
    if (mode_of(self) == TIME_ISOSTRING) {
        char iso[TEMPORAL_TEXT_SIZE];
        *ret_value = sluice_string(arena, iso, timestamp_iso(text, len, -1, iso));
        return SLUICE_OK;
    }
    if (mode_of(self) == TIME_NANOSECONDS &&
        __builtin_mul_overflow(us, INT64_C(1000), &us)) {
        return out_of_range(err, text, len, "nanoseconds");
    }
    us = is_in_ms(self) ? floor_ms(us) : us;
    *ret_value = sluice_int64(arena, us);
    return SLUICE_OK;
}

sluice_status convert_timestamp(const pg_column *self, sluice_arena *arena,
                                const char *text, size_t len,
                                const sluice_value **ret_value, sluice_error *err)
{
    int64_t us;
    switch (timestamp_parse(text, len, &us)) {
    case TEMPORAL_FINITE:
        return finite_timestamp(self, arena, text, len, us, ret_value, err);
    case TEMPORAL_INFINITY:
        return infinite_timestamp(self, arena, true, ret_value);
    case TEMPORAL_MINUS_INFINITY:
        return infinite_timestamp(self, arena, false, ret_value);
    case TEMPORAL_RANGE:
        return out_of_range(err, text, len, "microseconds");
    case TEMPORAL_BAD:
        break;
    }
    return convert_fail(err, text, len, "timestamp");
}

sluice_status convert_timestamptz(const pg_column *self, sluice_arena *arena,
                                  const char *text, size_t len,
                                  const sluice_value **ret_value, sluice_error *err)
{
    if (len > 0 && (text[0] == 'i' || text[0] == '-')) {
        *ret_value = sluice_string_borrowed(arena, text, len);
        return SLUICE_OK;
    }
    char iso[TEMPORAL_TEXT_SIZE];
    size_t size = timestamp_iso(text, len, self->digits, iso);
    if (size == 0) {
        return convert_fail(err, text, len, "timestamp in UTC");
    }
    *ret_value = sluice_string(arena, iso, size);
    return SLUICE_OK;
}

sluice_status convert_interval(const pg_column *self, sluice_arena *arena,
                               const char *text, size_t len,
                               const sluice_value **ret_value, sluice_error *err)
{
    interval parts;
    if (interval_parse(text, len, &parts) != TEMPORAL_FINITE) {
        return convert_fail(err, text, len, "finite interval");
    }
    if (self->config->interval_mode == INTERVAL_STRING) {
        char iso[TEMPORAL_TEXT_SIZE];
        *ret_value = sluice_string(arena, iso, interval_iso(&parts, iso));
        return SLUICE_OK;
    }
    /* A month is 365.25 / 12 days. */
    int64_t months, days, sum;
    if (__builtin_mul_overflow(parts.months, INT64_C(2629800000000), &months) ||
        __builtin_mul_overflow(parts.days, DAY_US, &days) ||
        __builtin_add_overflow(months, days, &sum) ||
        __builtin_add_overflow(sum, parts.us, &sum)) {
        return out_of_range(err, text, len, "microseconds");
    }
    *ret_value = sluice_int64(arena, sum);
    return SLUICE_OK;
}
