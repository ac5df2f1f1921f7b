/* transforms/basic/regex_router_test.c - Java's matching and replacing. */
#include "basic.h"
#include "vector.h"

/* The topic that `topic` becomes, or "error: " and the text. */
static const char *routed(const char *topic, const char *regex, const char *replacement)
{
    static char text[400];
    sluice_fake *fake = sluice_fake_new();
    sluice_batch *batch = sluice_batch_new();
    sluice_error *err = sluice_error_new();
    sluice_record *record = sluice_batch_add(batch);
    sluice_record_set_topic(record, topic);
    bool is_kept = true;
    void *self = NULL;
    const sluice_transform_ops *ops = regex_router.ops.transform;
    void *config = sluice_fake_config(fake, regex_router.config, "regex", regex,
                                      "replacement", replacement, NULL);
    if (config == NULL) {
        snprintf(text, sizeof text, "error: %s", sluice_fake_fault(fake));
    } else if (ops->create(config, &self, err) != SLUICE_OK ||
               ops->apply(self, record, &is_kept, err) != SLUICE_OK) {
        snprintf(text, sizeof text, "error: %s", sluice_error_text(err));
    } else {
        /* Once more: the same topic is answered from memory. */
        sluice_record_set_topic(record, topic);
        CHECK(ops->apply(self, record, &is_kept, err) == SLUICE_OK && is_kept);
        snprintf(text, sizeof text, "%s", sluice_record_topic(record));
    }
    ops->destroy(self);
    sluice_batch_free(batch);
    sluice_error_free(err);
    sluice_fake_free(fake);
    return text;
}

TEST(a_topic_that_matches_as_a_whole_is_replaced)
{
    CHECK_TEXT(routed("test", "te(.*)", "$1-x"), "st-x");
    CHECK_TEXT(routed("test", "es", "x"), "test");
    CHECK_TEXT(routed("test", "(?<n>t).*", "${n}z"), "tz");
    CHECK_TEXT(routed("test", "test", ""), "");
    CHECK_TEXT(routed("a.b.c", "([^.]+)\\.([^.]+)\\.([^.]+)", "$3"), "c");
}

TEST(the_place_that_is_replaced_is_the_first_that_is_found)
{
    /* As a whole it matches "ab"; found first is "a". */
    CHECK_TEXT(routed("ab", "a|ab", "x"), "xb");
}

TEST(dollars_and_backslashes_are_java_s)
{
    CHECK_TEXT(routed("test", "test", "a\\$b"), "a$b");
    CHECK_TEXT(routed("test", "t(e)st", "$12"), "e2");
    CHECK_TEXT(routed("test", "test(x)?", "[$1]"), "[]");
    CHECK_TEXT(routed("test", "(.*)", "$2"), "error: No group 2");
    CHECK_TEXT(routed("test", "(.*)", "a$"),
               "error: Illegal group reference: group index is missing");
    CHECK_TEXT(routed("test", "(.*)", "$x"), "error: Illegal group reference");
    CHECK_TEXT(routed("test", "(.*)", "${x}"), "error: No group with name {x}");
    CHECK_TEXT(routed("test", "(.*)", "a\\"),
               "error: character to be escaped is missing");
}

TEST(a_bad_expression_is_refused_with_its_place)
{
    CHECK_TEXT(
        routed("test", "[", "x"),
        "error: Invalid value [ for configuration regex: Invalid regex: Unclosed "
        "character class near index 0\n[\n^");
    CHECK_TEXT(
        routed("test", "(a", "x"),
        "error: Invalid value (a for configuration regex: Invalid regex: Unclosed "
        "group near index 2\n(a\n  ^");
}

TEST(an_expression_that_tries_everything_is_given_up)
{
    CHECK(strstr(
              routed("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", "((a+)+)+[^a!]", "x"),
              "cannot match topic") != NULL);
}

TEST(a_replacement_is_required)
{
    sluice_fake *fake = sluice_fake_new();
    CHECK(sluice_fake_config(fake, regex_router.config, "regex", "a", NULL) == NULL);
    CHECK_TEXT(sluice_fake_fault(fake),
               "Missing required configuration \"replacement\" which has no default "
               "value.");
    sluice_fake_free(fake);
}

TEST_MAIN
