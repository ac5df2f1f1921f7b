/* The .properties syntax, with java.util.Properties as the standard. */
#include "properties.h"
#include "test.h"
#include <unistd.h>

static char got[4096];

/* All pairs as "key=value;", or the error text. */
static const char *parsed(const char *text)
{
    properties *p = properties_new();
    sluice_error *err = sluice_error_new();
    got[0] = '\0';
    if (properties_parse(p, text, strlen(text), "a.properties", err) != SLUICE_OK) {
        snprintf(got, sizeof got, "%s", sluice_error_text(err));
    }
    for (size_t i = 0; sluice_error_count(err) == 0 && i < properties_count(p); i++) {
        snprintf(got + strlen(got), sizeof got - strlen(got), "%s=%s;",
                 properties_key(p, i), properties_value(p, i));
    }
    sluice_error_free(err);
    properties_free(p);
    return got;
}

TEST(separators_are_equals_colon_and_white_space)
{
    CHECK_TEXT(parsed("a=1\nb:2\nc 3\n d \t= \f4\ne\nf==5\ng = : 6\nh : = 7"),
               "a=1;b=2;c=3;d=4;e=;f==5;g=: 6;h== 7;");
}

TEST(white_space_after_a_value_belongs_to_it)
{
    CHECK_TEXT(parsed("a =  1 \t\nb=2"), "a=1 \t;b=2;");
}

TEST(comments_and_blank_lines_say_nothing)
{
    CHECK_TEXT(parsed("# one\n\n \t ! two \\\na=1#2\n   \r\n#"), "a=1#2;");
}

TEST(all_line_ends_are_known)
{
    CHECK_TEXT(parsed("a=1\rb=2\r\nc=3\nd=4"), "a=1;b=2;c=3;d=4;");
}

TEST(a_backslash_at_the_end_continues_a_line)
{
    CHECK_TEXT(parsed("fruits = apple,\\\n    pear,\\\r\n\tplum\nb=1"),
               "fruits=apple,pear,plum;b=1;");
    CHECK_TEXT(parsed("a=1\\\\\nb=2"), "a=1\\;b=2;");
    CHECK_TEXT(parsed("a=1\\\n\nb=2"), "a=1;b=2;");
    CHECK_TEXT(parsed("a=1\\\n# no comment"), "a=1# no comment;");
    CHECK_TEXT(parsed("a=1\\"), "a=1;");
    CHECK_TEXT(parsed("\\\n  a=1"), "a=1;");
}

TEST(escapes_stand_for_characters)
{
    CHECK_TEXT(parsed("a=\\t\\n\\r\\f|\\q\\\\\\\"|"), "a=\t\n\r\f|q\\\"|;");
    CHECK_TEXT(parsed("a\\ b\\=c\\:d = 1"), "a b=c:d=1;");
    CHECK_TEXT(parsed("a=\\u00fc\\u20AC\\ud83d\\ude00"),
               "a=\xC3\xBC\xE2\x82\xAC\xF0\x9F\x98\x80;");
}

TEST(utf8_is_read_as_such_and_all_else_as_latin1)
{
    CHECK_TEXT(parsed("a=\xC3\xBC"), "a=\xC3\xBC;");
    CHECK_TEXT(parsed("a=\xFC"), "a=\xC3\xBC;");
}

TEST(a_fault_is_named_with_file_and_line)
{
    CHECK_TEXT(parsed("a=1\nb=\\\n 2\nc=\\u12"),
               "a.properties:4: \\u is not followed by four hex digits");
    CHECK_TEXT(parsed("a=\\ud83d"),
               "a.properties:1: \\u is half of a surrogate pair, and "
               "the other is missing");
    CHECK_TEXT(parsed("a=\\u0000"),
               "a.properties:1: \\u0000 cannot be part of a configuration");
    properties *p = properties_new();
    sluice_error *err = sluice_error_new();
    CHECK(properties_parse(p, "a=1\nb\0=2", 8, "x", err) == SLUICE_BAD_CONFIG);
    CHECK_TEXT(sluice_error_text(err), "x:2: a NUL byte: this is not a text file");
    sluice_error_free(err);
    properties_free(p);
}

TEST(the_last_of_two_values_wins_in_the_first_place)
{
    CHECK_TEXT(parsed("a=1\nb=2\na=3"), "a=3;b=2;");
}

TEST(a_file_is_read_and_its_lines_are_remembered)
{
    char path[] = "/tmp/sluice-properties-XXXXXX";
    int fd = mkstemp(path);
    CHECK(fd >= 0 && write(fd, "\na=1\n", 5) == 5 && close(fd) == 0);
    properties *p = properties_new();
    CHECK(properties_read(p, path, NULL) == SLUICE_OK);
    CHECK(properties_set_pair(p, "b=x=y", NULL) == SLUICE_OK);
    CHECK_TEXT(properties_get(p, "a"), "1");
    CHECK_TEXT(properties_get(p, "b"), "x=y");
    CHECK(properties_get(p, "c") == NULL);
    CHECK_TEXT(properties_origin(p, 0) + strlen(path), ":2");
    CHECK_TEXT(properties_origin(p, 1), "");
    properties_free(p);
    unlink(path);
}

TEST(a_file_that_is_not_there_is_said_so)
{
    properties *p = properties_new();
    sluice_error *err = sluice_error_new();
    CHECK(properties_read(p, "/nonexistent/x", err) == SLUICE_BAD_CONFIG);
    CHECK_TEXT(sluice_error_text(err),
               "cannot read '/nonexistent/x': No such file or directory");
    CHECK(properties_set_pair(p, "novalue", err) == SLUICE_BAD_CONFIG);
    CHECK_TEXT(sluice_error_text(err), "'novalue' is not of the form key=value");
    sluice_error_free(err);
    properties_free(p);
}

TEST_MAIN
