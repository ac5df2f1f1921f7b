/* Which versions a configuration accepts. */
#include "test.h"
#include "version_range.h"
#include <stdlib.h>

TEST(versions_are_compared_part_by_part)
{
    CHECK_INT(version_compare("1.2", "1.2"), 0);
    CHECK_INT(version_compare("1", "1.0.0"), 0);
    CHECK(version_compare("1.10", "1.9") > 0);
    CHECK(version_compare("1.0-rc1", "1.0") < 0);
    CHECK(version_compare("1.0-rc1", "1.0-RC2") < 0);
    CHECK(version_compare("2", "1.99.99") > 0);
}

TEST(a_version_by_itself_means_no_other)
{
    CHECK(version_range_has("4.1.0", "4.1.0"));
    CHECK(version_range_has(" 4.1 ", "4.1.0"));
    CHECK(!version_range_has("4.1.1", "4.1.0"));
    CHECK(version_range_has("latest", "0.1"));
}

TEST(ranges_have_open_and_closed_ends)
{
    CHECK(version_range_has("[1.0,2.0)", "1.0"));
    CHECK(!version_range_has("[1.0,2.0)", "2.0"));
    CHECK(!version_range_has("(1.0,2.0]", "1.0"));
    CHECK(version_range_has("(1.0,2.0]", "2.0"));
    CHECK(version_range_has("[1.0,)", "77"));
    CHECK(version_range_has("(,1.0],[1.2,)", "1.2"));
    CHECK(!version_range_has("(,1.0],[1.2,)", "1.1"));
    CHECK(version_range_has("[1.1]", "1.1"));
}

TEST(any_version_with_the_major_number_of_what_it_stands_for_is_meant)
{
    static const char *const meant[] = {
        "4.1.0",  "4.0.0", "4.2.1",          "4",      "[3.9,5)", "[4.0,4.1]",
        "[4.2,)", "(,4]",  "(,3],[4.5,4.6]", "latest", "[,]",     "4.1.0-cp1"};
    static const char *const others[] = {
        "3.9.0", "5.0.0",   "5",    "[5,)",   "[3.0,4)",   "(,4)",
        "0.1.0", "[0.1,4)", "40.1", "[5,4]",  "[4.5,4.2]", "",
        "x",     "[4.1",    "4.1]", "[4,5)x", "0.2.0"};
    for (size_t i = 0; i < sizeof meant / sizeof *meant; i++) {
        CHECK_TEXT(version_range_means(meant[i], "0.1.0", "4.1.0") ? meant[i] : "none",
                   meant[i]);
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        CHECK_TEXT(version_range_means(others[i], "0.1.0", "4.1.0") ? "any" : others[i],
                   others[i]);
    }
    CHECK(version_range_means("[2.1,3.1)", "0.1.0", "3.3.1.Final"));
    CHECK(version_range_means("3.2.0.Final", "0.1.0", "3.3.1.Final"));
    CHECK(!version_range_means("2.7.4.Final", "0.1.0", "3.3.1.Final"));
    CHECK(!version_range_means("0.2.0", "0.1.0", NULL));
    CHECK(version_range_means("two", "0.1.0", "two"));
}

TEST(what_is_no_range_has_nothing)
{
    CHECK(!version_range_has("", ""));
    CHECK(!version_range_has("rubbish[", "1.0"));
    CHECK(!version_range_has("[1.0", "1.0"));
    CHECK(!version_range_has("[1.0,2.0)x", "1.5"));
    CHECK(!version_range_has("[", "1.0"));
}

TEST(a_range_is_printed_as_kafka_connect_prints_it)
{
    char *plain = version_range_print(" 3 "), *range = version_range_print("[1,2)");
    CHECK_TEXT(plain, "[3,3]");
    CHECK_TEXT(range, "[1,2)");
    free(plain);
    free(range);
}

TEST_MAIN
