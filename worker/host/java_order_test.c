/* The order of a Java HashMap. */
#include "test.h"
#include "worker/host/java_order.h"

TEST(a_text_has_the_hash_of_java)
{
    CHECK_INT(java_hash(""), 0);
    CHECK_INT(java_hash("acks"), 2988298);
    CHECK_INT(java_hash("converter.type"), 3505144520U);
}

/* As Kafka Connect 4.1 has listed the keys of its JSON converter. */
TEST(names_come_bucket_by_bucket)
{
    const char *names[] = {"converter.type", "schemas.enable", "schemas.cache.size",
                           "decimal.format", "replace.null.with.default"};
    java_order(names, 5, false);
    CHECK_TEXT(names[0], "decimal.format");
    CHECK_TEXT(names[1], "converter.type");
    CHECK_TEXT(names[2], "schemas.cache.size");
    CHECK_TEXT(names[3], "replace.null.with.default");
    CHECK_TEXT(names[4], "schemas.enable");
}

TEST(the_table_grows_beyond_three_quarters_and_a_bucket_keeps_its_order)
{
    const char *twelve[] = {"q", "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"};
    java_order(twelve, 12, false);
    CHECK_TEXT(twelve[0], "q"); /* 113 and 97 differ by 16. */
    CHECK_TEXT(twelve[1], "a");
    const char *more[] = {"q", "a", "b", "c", "d", "e", "f",
                          "g", "h", "i", "j", "k", "l"};
    java_order(more, 13, false);
    CHECK_TEXT(more[0], "a");
    CHECK_TEXT(more[12], "q");
    java_order(twelve, 12, true);
    CHECK_TEXT(twelve[0], "a");
    CHECK_TEXT(twelve[11], "q");
}

TEST_MAIN
