/* connectors/postgres/temporal_test.c - PostgreSQL's dates and times become exact
 * numbers. */
#include "temporal.h"
#include "test.h"

static int32_t days(const char *text)
{
    int32_t result;
    CHECK_INT(date_parse(text, strlen(text), &result), TEMPORAL_FINITE);
    return result;
}

static int64_t micros(const char *text)
{
    int64_t result;
    CHECK_INT(timestamp_parse(text, strlen(text), &result), TEMPORAL_FINITE);
    return result;
}

static const char *iso(const char *text, int digits)
{
    static char out[TEMPORAL_TEXT_SIZE];
    size_t len = timestamp_iso(text, strlen(text), digits, out);
    out[len] = '\0';
    return out;
}

TEST(dates_are_counted_from_1970)
{
    CHECK_INT(days("1970-01-01"), 0);
    CHECK_INT(days("2016-11-04"), 17109);
    CHECK_INT(days("2000-02-29"), 11016);
    CHECK_INT(days("1969-12-31"), -1);
    CHECK_INT(days("1582-10-15"), -141427);
    CHECK_INT(days("1582-10-14"), -141428); /* Gregorian before its time, too. */
    CHECK_INT(days("0001-01-01"), -719162);
    CHECK_INT(days("0001-12-31 BC"), -719163);
    CHECK_INT(days("0044-03-15 BC"), -735160);
    CHECK_INT(days("5874897-12-31"), 2145042905);
}

TEST(infinite_and_wrong_dates_are_told_apart)
{
    int32_t result;
    CHECK_INT(date_parse("infinity", 8, &result), TEMPORAL_INFINITY);
    CHECK_INT(date_parse("-infinity", 9, &result), TEMPORAL_MINUS_INFINITY);
    static const char *const wrong[] = {"",           "2016",        "2016-13-01",
                                        "2016-1-1",   "2016-11-04 ", "2016-11-32",
                                        "04/11/2016", "2016-11-00",  "x016-11-04"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        CHECK_INT(date_parse(wrong[i], strlen(wrong[i]), &result), TEMPORAL_BAD);
    }
}

TEST(times_have_up_to_six_digits_and_end_at_24)
{
    int64_t us;
    CHECK_INT(time_parse("04:05:06.789", 12, &us), TEMPORAL_FINITE);
    CHECK_INT(us, 14706789000);
    CHECK_INT(time_parse("00:00:00.000001", 15, &us), TEMPORAL_FINITE);
    CHECK_INT(us, 1);
    CHECK_INT(time_parse("24:00:00", 8, &us), TEMPORAL_FINITE);
    CHECK_INT(us, DAY_US);
    CHECK_INT(time_parse("24:00:01", 8, &us), TEMPORAL_BAD);
    CHECK_INT(time_parse("04:05", 5, &us), TEMPORAL_BAD);
    CHECK_INT(time_parse("04:65:00", 8, &us), TEMPORAL_BAD);
    CHECK_INT(time_parse("04:05:06.", 9, &us), TEMPORAL_BAD);
}

TEST(times_with_a_zone_keep_their_offset)
{
    int64_t us;
    int offset;
    CHECK_INT(timetz_parse("24:00:00+02", 11, &us, &offset), TEMPORAL_FINITE);
    CHECK_INT(us, DAY_US);
    CHECK_INT(offset, 7200);
    CHECK_INT(timetz_parse("04:05:06-00:19:32", 17, &us, &offset), TEMPORAL_FINITE);
    CHECK_INT(offset, -1172);
    CHECK_INT(timetz_parse("04:05:06", 8, &us, &offset), TEMPORAL_BAD);
}

TEST(timestamps_are_exact_to_the_ends_of_the_range)
{
    CHECK_INT(micros("1970-01-01 00:00:00"), 0);
    CHECK_INT(micros("2016-11-04 13:51:30.123456"), 1478267490123456);
    CHECK_INT(micros("1969-12-31 23:59:59.999999"), -1);
    CHECK_INT(micros("2016-11-04 13:51:30+00"), 1478267490000000);
    CHECK_INT(micros("0044-03-15 12:00:00 BC"), -63517780800000000);
    CHECK_INT(micros("0044-03-15 12:00:00+00 BC"), -63517780800000000);
    CHECK_INT(micros("4714-11-24 00:00:00 BC"), -210866803200000000);
    int64_t us;
    const char *last = "294276-12-31 23:59:59.999999";
    CHECK_INT(timestamp_parse(last, strlen(last), &us), TEMPORAL_RANGE);
}

TEST(a_timestamp_of_another_zone_is_refused)
{
    int64_t us;
    CHECK_INT(timestamp_parse("2016-11-04 13:51:30+02", 22, &us), TEMPORAL_BAD);
    CHECK_INT(timestamp_parse("2016-11-04T13:51:30", 19, &us), TEMPORAL_BAD);
    CHECK_INT(timestamp_parse("infinity", 8, &us), TEMPORAL_INFINITY);
    CHECK_INT(timestamp_parse("-infinity", 9, &us), TEMPORAL_MINUS_INFINITY);
}

TEST(timestamps_become_iso_8601_with_fixed_digits)
{
    CHECK_TEXT(iso("2016-11-04 13:51:30.123456+00", 6), "2016-11-04T13:51:30.123456Z");
    CHECK_TEXT(iso("2016-11-04 13:51:30+00", 6), "2016-11-04T13:51:30.000000Z");
    CHECK_TEXT(iso("2016-11-04 13:51:30.12+00", 3), "2016-11-04T13:51:30.120Z");
    CHECK_TEXT(iso("2016-11-04 13:51:30+00", 0), "2016-11-04T13:51:30Z");
    CHECK_TEXT(iso("12016-11-04 13:51:30+00", 0), "+12016-11-04T13:51:30Z");
    CHECK_TEXT(iso("0044-03-15 12:00:00+00 BC", 0), "-0043-03-15T12:00:00Z");
    CHECK_TEXT(iso("0001-03-15 12:00:00+00 BC", 0), "0000-03-15T12:00:00Z");
    CHECK_TEXT(iso("nonsense", 0), "");
}

TEST(intervals_keep_their_three_parts)
{
    interval parts;
    const char *text = "1 year 2 mons 3 days 04:05:06.78";
    CHECK_INT(interval_parse(text, strlen(text), &parts), TEMPORAL_FINITE);
    CHECK_INT(parts.months, 14);
    CHECK_INT(parts.days, 3);
    CHECK_INT(parts.us, 14706780000);
    text = "-1 mons +1 day -00:00:01";
    CHECK_INT(interval_parse(text, strlen(text), &parts), TEMPORAL_FINITE);
    CHECK_INT(parts.months, -1);
    CHECK_INT(parts.days, 1);
    CHECK_INT(parts.us, -1000000);
    CHECK_INT(interval_parse("00:00:00", 8, &parts), TEMPORAL_FINITE);
    CHECK_INT(interval_parse("3 weeks", 7, &parts), TEMPORAL_BAD);
    CHECK_INT(interval_parse("1 day x", 7, &parts), TEMPORAL_BAD);
    CHECK_INT(interval_parse("", 0, &parts), TEMPORAL_BAD);
}

TEST(intervals_become_iso_8601)
{
    char out[TEMPORAL_TEXT_SIZE];
    interval parts = {14, 3, 14706780000};
    out[interval_iso(&parts, out)] = '\0';
    CHECK_TEXT(out, "P1Y2M3DT4H5M6.78S");
    parts = (interval){0, 0, 0};
    out[interval_iso(&parts, out)] = '\0';
    CHECK_TEXT(out, "P0Y0M0DT0H0M0S");
    parts = (interval){-1, 1, -1500000};
    out[interval_iso(&parts, out)] = '\0';
    CHECK_TEXT(out, "P0Y-1M1DT0H0M-1.5S");
}

TEST(times_of_day_are_written_without_trailing_zeros)
{
    char out[TEMPORAL_TEXT_SIZE];
    out[time_iso(14706789000, out)] = '\0';
    CHECK_TEXT(out, "04:05:06.789");
    out[time_iso(0, out)] = '\0';
    CHECK_TEXT(out, "00:00:00");
}

TEST_MAIN
