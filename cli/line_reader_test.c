/* Lines of the console producer, taken apart. */
#include "line_reader.h"
#include "test.h"
#include <string.h>

static line_reader reader;
static line_record record;
static sluice_error *err;

static void begin(void)
{
    reader = (line_reader)LINE_READER_INIT;
    err = sluice_error_new();
}

static void end(void)
{
    line_record_done(&record);
    sluice_error_free(err);
}

static bool is(line_part part, const char *text)
{
    return text == NULL ? part.base == NULL
                        : part.base != NULL && part.len == strlen(text) &&
                              memcmp(part.base, text, part.len) == 0;
}

static sluice_status parse(const char *line)
{
    sluice_error_clear(err);
    return line_reader_parse(&reader, 7, line, strlen(line), &record, err);
}

TEST(a_line_is_a_value)
{
    begin();
    CHECK(parse("a:1\tk\tv") == SLUICE_OK);
    CHECK(is(record.key, NULL) && is(record.value, "a:1\tk\tv"));
    CHECK_INT(record.header_count, 0);
    CHECK(parse("") == SLUICE_OK);
    CHECK(is(record.value, ""));
    end();
}

TEST(headers_key_and_value_stand_one_behind_the_other)
{
    begin();
    CHECK(line_reader_set(&reader, "parse.key", "TRUE"));
    CHECK(line_reader_set(&reader, "parse.headers", "true"));
    CHECK(parse("a:1,b:,c:x:y\tk\tv\tw") == SLUICE_OK);
    CHECK(is(record.key, "k") && is(record.value, "v\tw"));
    CHECK_INT(record.header_count, 3);
    CHECK(is(record.headers[0].name, "a") && is(record.headers[0].value, "1"));
    CHECK(is(record.headers[1].name, "b") && is(record.headers[1].value, ""));
    CHECK(is(record.headers[2].name, "c") && is(record.headers[2].value, "x:y"));
    CHECK(parse("a:1,,\tk\tv") == SLUICE_OK);
    CHECK_INT(record.header_count, 1);
    end();
}

TEST(what_is_missing_is_told_in_kafkas_words)
{
    begin();
    line_reader_set(&reader, "parse.headers", "true");
    CHECK(parse("nothing") == SLUICE_BAD_RECORD);
    CHECK_TEXT(sluice_error_text(err),
               "No headers delimiter found on line number 7: 'nothing'");
    CHECK(parse("a\tv") == SLUICE_BAD_RECORD);
    CHECK_TEXT(sluice_error_text(err),
               "No header key separator found in pair 'a' on line number 7");
    CHECK(parse("\tv") == SLUICE_BAD_RECORD);
    line_reader_set(&reader, "parse.headers", "false");
    line_reader_set(&reader, "parse.key", "true");
    CHECK(parse("v") == SLUICE_BAD_RECORD);
    CHECK_TEXT(sluice_error_text(err), "No key separator found on line number 7: 'v'");
    end();
}

TEST(errors_that_are_ignored_leave_parts_out)
{
    begin();
    line_reader_set(&reader, "ignore.error", "true");
    line_reader_set(&reader, "parse.headers", "true");
    line_reader_set(&reader, "parse.key", "true");
    CHECK(parse("nothing") == SLUICE_OK);
    CHECK(is(record.key, NULL) && is(record.value, "nothing"));
    CHECK(parse("a:1,b\tv") == SLUICE_OK);
    CHECK(is(record.key, NULL) && is(record.value, "v"));
    CHECK_INT(record.header_count, 2);
    CHECK(is(record.headers[1].name, "b") && is(record.headers[1].value, NULL));
    end();
}

TEST(a_marker_means_none)
{
    begin();
    line_reader_set(&reader, "null.marker", "NULL");
    line_reader_set(&reader, "parse.headers", "true");
    line_reader_set(&reader, "parse.key", "true");
    CHECK(parse("NULL\tNULL\tNULL") == SLUICE_OK);
    CHECK(is(record.key, NULL) && is(record.value, NULL));
    CHECK_INT(record.header_count, 0);
    CHECK(parse("a:NULL\tk\tv") == SLUICE_OK);
    CHECK(is(record.headers[0].value, NULL));
    CHECK(parse("NULL:1\tk\tv") == SLUICE_BAD_RECORD);
    CHECK_TEXT(sluice_error_text(err), "Header keys should not be equal to the null "
                                       "marker 'NULL' as they can't be null");
    end();
}

static void check_refused(const char *name, const char *value, const char *why)
{
    line_reader other = LINE_READER_INIT;
    sluice_error_clear(err);
    CHECK(line_reader_set(&other, name, value));
    CHECK(line_reader_check(&other, err) == SLUICE_BAD_CONFIG);
    CHECK_TEXT(sluice_error_text(err), why);
}

TEST(separators_that_cannot_be_told_apart_are_refused)
{
    begin();
    CHECK(line_reader_check(&reader, err) == SLUICE_OK);
    check_refused("headers.delimiter", ",",
                  "headers.delimiter and headers.separator may not be equal");
    check_refused("headers.separator", ":",
                  "headers.separator and headers.key.separator may not be equal");
    check_refused("null.marker", ":",
                  "null.marker and headers.key.separator may not be equal");
    CHECK(!line_reader_set(&reader, "parse.keys", "true"));
    end();
}

TEST_MAIN
