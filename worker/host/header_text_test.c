/* Texts of headers and what they mean: vectors of a file, and what has no counterpart.
 *
 * A line of the file is a text, a tab, and what becomes of it: its schema and the text
 * that is written again; `-` is no schema. \t, \n, \s (a space) and \\ are escaped. */
#include "base/text.h"
#include "test.h"
#include "worker/host/header_text.h"
#include "worker/host/simple_header.h"
#include <sluice/test.h>

/* "ARRAY<INT8> [1,2]" */
static const char *meaning(sluice_bytes text)
{
    static char shown[16 * 1024];
    sluice_arena *arena = sluice_arena_new();
    sluice_fake *fake = sluice_fake_new();
    const sluice_schema *schema;
    const sluice_value *value;
    sluice_bytes again = {"null", 4};
    header_text_parse(text, arena, &schema, &value);
    CHECK(sluice_value_check(value, schema, NULL) == SLUICE_OK);
    if (value != NULL) {
        CHECK(simple_header_encode(schema, value, arena, &again, NULL) == SLUICE_OK);
    }
    snprintf(shown, sizeof shown, "%s %.*s",
             schema == NULL ? "-" : sluice_fake_show_schema(fake, schema),
             (int)again.len, (const char *)again.base);
    sluice_fake_free(fake);
    sluice_arena_free(arena);
    return shown;
}

static const char *meaning_of(const char *text)
{
    return meaning((sluice_bytes){text, strlen(text)});
}

static size_t unescape(char *line)
{
    static const char codes[] = "tns\\", plain[] = "\t\n \\";
    char *out = line;
    for (const char *at = line; *at != '\0'; at++) {
        const char *code = at[0] == '\\' && at[1] != '\0' ? strchr(codes, at[1]) : NULL;
        *out++ = code == NULL ? *at : plain[code - codes];
        at += code != NULL;
    }
    *out = '\0';
    return (size_t)(out - line);
}

TEST(texts_mean_what_kafka_connect_takes_them_for)
{
    char line[4096];
    int lines = 0;
    FILE *file = fopen(VECTORS_PATH, "r");
    CHECK(file != NULL);
    while (fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        char *tab = strchr(line, '\t');
        if (line[0] == '#') {
            continue;
        }
        CHECK(tab != NULL);
        *tab = '\0';
        unescape(tab + 1);
        sluice_bytes text = {line, unescape(line)};
        CHECK_TEXT(meaning(text), tab + 1);
        lines++;
    }
    fclose(file);
    CHECK(lines > 100);
}

TEST(what_is_nested_too_deeply_is_a_string)
{
    char text[2 * 200 + 1];
    for (int depth = 99; depth <= 200; depth++) {
        memset(text, '[', (size_t)depth);
        memset(text + depth, ']', (size_t)depth);
        text[2 * depth] = '\0';
        CHECK(strncmp(meaning_of(text), depth <= 100 ? "- [" : "STRING [", 3) == 0);
    }
}

TEST(dates_without_a_common_schema_leave_the_text_as_it_is)
{
    CHECK_TEXT(meaning_of("[2019-08-23,\"a\"]"), "STRING [2019-08-23,\"a\"]");
    CHECK_TEXT(meaning_of("{\"a\":2019-08-23,\"b\":true}"),
               "STRING {\"a\":2019-08-23,\"b\":true}");
}

TEST(every_beginning_of_a_text_means_something)
{
    static const char whole[] = "{\"a\\\"b\":[1,2.5,{\"t\":14:34:54.346Z}],\"c\":"
                                "\"2019-08-23T14:34:54.346Z\",true:null} x";
    for (size_t len = 0; len < sizeof whole; len++) {
        CHECK(meaning((sluice_bytes){whole, len}) != NULL);
    }
}

TEST(a_nul_is_a_character)
{
    sluice_bytes text = {"1\0002", 3};
    CHECK(strncmp(meaning(text), "STRING 1", 8) == 0);
}

TEST_MAIN
