/* Errors: one message, many messages, keys and prefixes. */
#include "test.h"
#include <sluice/error.h>

TEST(a_failure_is_one_line_and_keeps_its_status)
{
    sluice_error *err = sluice_error_new();
    CHECK_TEXT(sluice_error_text(err), "");
    CHECK(sluice_fail(err, SLUICE_RETRY, "cannot reach '%s'", "db") == SLUICE_RETRY);
    CHECK_TEXT(sluice_error_text(err), "cannot reach 'db'");
    CHECK_INT(sluice_error_count(err), 1);
    CHECK(sluice_error_key(err, 0) == NULL);
    sluice_error_free(err);
}

TEST(arguments_may_come_from_the_error_itself)
{
    sluice_error *err = sluice_error_new();
    sluice_fail(err, SLUICE_FATAL, "inner");
    sluice_fail(err, SLUICE_FATAL, "outer: %s", sluice_error_text(err));
    CHECK_TEXT(sluice_error_text(err), "outer: inner");
    sluice_prefix(err, "task %d", 3);
    CHECK_TEXT(sluice_error_text(err), "task 3: outer: inner");
    sluice_error_free(err);
}

TEST(faults_of_a_configuration_are_all_kept_with_their_keys)
{
    sluice_error *err = sluice_error_new();
    CHECK(sluice_fail_key(err, "a", "a is 0") == SLUICE_BAD_CONFIG);
    CHECK(sluice_fail_key(err, "b", "b is 1") == SLUICE_BAD_CONFIG);
    CHECK_TEXT(sluice_error_text(err), "a is 0; b is 1");
    CHECK_TEXT(sluice_error_key(err, 1), "b");
    CHECK_TEXT(sluice_error_message(err, 1), "b is 1");
    sluice_error_clear(err);
    CHECK_INT(sluice_error_count(err), 0);
    sluice_error_free(err);
}

TEST(a_text_that_was_cut_within_a_character_is_still_utf8)
{
    sluice_error *err = sluice_error_new();
    sluice_fail(err, SLUICE_FATAL, "'%.3s' is \xff", "\xC3\xBC\xC3\xBC");
    CHECK_TEXT(sluice_error_text(err), "'\xC3\xBC?' is ?");
    sluice_prefix(err, "%.1s", "\xC3\xBC");
    CHECK_TEXT(sluice_error_text(err), "?: '\xC3\xBC?' is ?");
    sluice_error_free(err);
}

TEST(nobody_needs_to_read_the_text)
{
    CHECK(sluice_fail(NULL, SLUICE_FATAL, "x") == SLUICE_FATAL);
    sluice_prefix(NULL, "x");
    CHECK_TEXT(sluice_error_text(NULL), "");
    CHECK_TEXT(sluice_status_name(SLUICE_BAD_RECORD), "BAD_RECORD");
    sluice_error_free(NULL);
}

TEST_MAIN
