/* Numbers, lists, near misses, hex and UTF-8: what is one and what is not. */
#include "test.h"
#include "text.h"
#include <math.h>

TEST(whole_numbers_are_read_strictly)
{
    int64_t n = 0;
    CHECK(text_to_int64(" 42\t", &n) && n == 42);
    CHECK(text_to_int64("+5", &n) && n == 5);
    CHECK(text_to_int64("-9223372036854775808", &n) && n == INT64_MIN);
    CHECK(text_to_int64("9223372036854775807", &n) && n == INT64_MAX);
    n = 1;
    const char *wrong[] = {"",
                           " ",
                           "+",
                           "-",
                           "1 2",
                           "0x10",
                           "1_000",
                           "1.0",
                           "1e3",
                           "abc",
                           "9223372036854775808",
                           "-9223372036854775809",
                           "--1",
                           "12k"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        CHECK(!text_to_int64(wrong[i], &n));
    }
    CHECK_INT(n, 1);
}

TEST(limits_of_the_narrower_types_hold)
{
    int32_t narrow;
    CHECK(text_to_int32("2147483647", &narrow) && narrow == INT32_MAX);
    CHECK(!text_to_int32("2147483648", &narrow));
    CHECK(text_to_int32("-2147483648", &narrow) && narrow == INT32_MIN);
    uint64_t wide;
    CHECK(text_to_uint64("18446744073709551615", &wide) && wide == UINT64_MAX);
    CHECK(!text_to_uint64("18446744073709551616", &wide));
    CHECK(!text_to_uint64("-1", &wide));
}

TEST(fractions_are_read_as_java_reads_them)
{
    double d;
    CHECK(text_to_double("0.8", &d) && d == 0.8);
    CHECK(text_to_double(" -.5e-1f ", &d) && d == -0.05);
    CHECK(text_to_double("1.", &d) && d == 1);
    CHECK(text_to_double("-Infinity", &d) && isinf(d) && d < 0);
    CHECK(text_to_double("NaN", &d) && isnan(d));
    const char *wrong[] = {"", ".", "1e", "1e+", "inf", "nan", "1.5x", "0x1p3", "1,5"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        CHECK(!text_to_double(wrong[i], &d));
    }
}

TEST(booleans_are_true_or_false_in_any_case)
{
    bool b = false;
    CHECK(text_to_bool(" True ", &b) && b);
    CHECK(text_to_bool("FALSE", &b) && !b);
    CHECK(!text_to_bool("yes", &b));
    CHECK(!text_to_bool("1", &b));
    CHECK(!text_to_bool("", &b));
}

static void check_split(const char *text, const char *joined)
{
    size_t count;
    char **items = text_split(text, &count);
    char got[100] = "";
    for (size_t i = 0; i < count; i++) {
        snprintf(got + strlen(got), sizeof got - strlen(got), "[%s]", items[i]);
    }
    CHECK(items[count] == NULL);
    free(items);
    CHECK_TEXT(got, joined);
}

TEST(lists_are_split_as_configdef_splits_them)
{
    check_split("", "");
    check_split("  ", "");
    check_split(" a ", "[a]");
    check_split("a,b", "[a][b]");
    check_split(" a b , c\t,d ", "[a b][c][d]");
    check_split("a,,b,", "[a][][b][]");
    check_split(",", "[][]");
}

TEST(distances_count_edits_and_swaps)
{
    CHECK_INT(text_distance("", ""), 0);
    CHECK_INT(text_distance("abc", ""), 3);
    CHECK_INT(text_distance("kitten", "sitting"), 3);
    CHECK_INT(text_distance("tpoic", "topic"), 1);
    CHECK_INT(text_distance("table.include.lst", "table.include.list"), 1);
}

TEST(a_near_miss_is_found_and_a_stranger_is_not)
{
    const char *known[] = {"topic", "batch.size", "table.include.list", "file"};
    CHECK_TEXT(text_nearest("table.include.lst", known, 4), "table.include.list");
    CHECK_TEXT(text_nearest("Topic", known, 4), "topic");
    CHECK_TEXT(text_nearest("bacth.size", known, 4), "batch.size");
    CHECK_TEXT(text_nearest("batch_sizes", known, 4), "batch.size");
    CHECK(text_nearest("topic", known, 1) == NULL);
    CHECK(text_nearest("consumer.override.group.id", known, 4) == NULL);
    CHECK(text_nearest("fe", known, 4) == NULL);
}

TEST(hex_goes_both_ways)
{
    char digits[7];
    unsigned char bytes[3];
    text_hex(digits, "\x00\xAB\x7F", 3);
    CHECK_TEXT(digits, "00ab7f");
    CHECK(text_unhex(bytes, 3, "00AB7f", 6));
    CHECK_BYTES(bytes, 3, "\x00\xAB\x7F", 3);
    CHECK(!text_unhex(bytes, 3, "00AB7g", 6));
    CHECK(!text_unhex(bytes, 3, "00AB7", 5));
}

TEST(what_is_no_utf8_becomes_question_marks)
{
    char text[] = "a\xC3\xBC \xFC \xE2\x82. \xF0\x9F\x98\x80\xC3";
    text_make_utf8(text);
    CHECK_TEXT(text, "a\xC3\xBC ? ??. \xF0\x9F\x98\x80?");
    text_make_utf8(text + strlen(text));
}

TEST(utf8_is_checked_to_the_letter)
{
    CHECK(text_is_utf8("plain ascii of more than eight", 30));
    CHECK(text_is_utf8("\xC3\xBC\xE2\x82\xAC\xF0\x9F\x98\x80", 9));
    CHECK(text_is_utf8("", 0));
    const char *wrong[] = {
        "\xC0\x80", "\xE0\x80\x80",  "\xED\xA0\x80", "\xF4\x90\x80\x80",
        "\x80",     "abcdefghi\xC3", "\xE2\x82",     "\xF8\x88\x80\x80",
        "\xC3("};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        CHECK(!text_is_utf8(wrong[i], strlen(wrong[i])));
    }
}

TEST_MAIN
