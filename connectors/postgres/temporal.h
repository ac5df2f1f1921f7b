/* connectors/postgres/temporal.h - dates, times and intervals as PostgreSQL writes
 * them.
 *
 * Reads the texts of DateStyle ISO, IntervalStyle postgres and TimeZone UTC, the way
 * both the stream and COPY give them, into exact numbers: the proleptic Gregorian
 * calendar, checked arithmetic, no time zone of this machine.
 *
 * Threads: any; nothing here keeps state. */
#ifndef SLUICE_POSTGRES_TEMPORAL_H
#define SLUICE_POSTGRES_TEMPORAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DAY_US INT64_C(86400000000)

typedef enum temporal {
    TEMPORAL_BAD = 0, /* Not such a text. */
    TEMPORAL_FINITE,
    TEMPORAL_INFINITY,
    TEMPORAL_MINUS_INFINITY,
    TEMPORAL_RANGE, /* A good text whose number does not fit the result. */
} temporal;

/* "2016-11-04", "0044-03-15 BC" to days since 1970-01-01. */
temporal date_parse(const char *text, size_t len, int32_t *ret_days);

/* "04:05:06.789" to microseconds of the day; "24:00:00" is 86400000000. */
temporal time_parse(const char *text, size_t len, int64_t *ret_us);

/* "04:05:06.789+05:30": the time as written, and its offset east of UTC in seconds. */
temporal timetz_parse(const char *text, size_t len, int64_t *ret_us, int *ret_offset);

/* "2016-11-04 04:05:06.789" to microseconds since 1970-01-01; a "+00" behind it, which
 * TimeZone UTC makes of every timestamptz, is allowed and another offset is not. */
temporal timestamp_parse(const char *text, size_t len, int64_t *ret_us);

/* "1 year 2 mons -3 days 04:05:06.78": its three parts, as PostgreSQL keeps them. */
typedef struct interval {
    int64_t months, days, us;
} interval;
temporal interval_parse(const char *text, size_t len, interval *ret_interval);

/* --- Writing, into `out` of TEMPORAL_TEXT_SIZE bytes; the length is returned. --- */

enum { TEMPORAL_TEXT_SIZE = 96 };

/* A timestamp's text (not infinity) as ISO 8601 in UTC, "2016-11-04T04:05:06.789000Z",
 * with `digits` (0 to 6) digits of a second's fraction, -1: those that are needed;
 * years before 1 are signed as in ISO 8601, years after 9999 begin with '+'. 0 where
 * `text` is no timestamp. */
size_t timestamp_iso(const char *text, size_t len, int digits, char *out);

/* "2016-11-04" of a date's text, years as above, without a time zone. */
size_t date_iso(const char *text, size_t len, char *out);

/* A time of the day, as "04:05:06.789" with the digits that are not zero. */
size_t time_iso(int64_t us, char *out);

/* "P1Y2M3DT4H5M6.78S", all parts written. */
size_t interval_iso(const interval *self, char *out);

#endif
