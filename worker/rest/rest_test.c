/* Paths, bodies and listeners, right and wrong. */
#include "test.h"
#include "worker/rest/entity.h"
#include "worker/rest/listener.h"
#include "worker/rest/media.h"
#include "worker/rest/route.h"
#include "worker/rest/string_map.h"
#include "worker/rest/url.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static url target;

static const route_match *find(const char *method, const char *path)
{
    static route_match match;
    url_done(&target);
    CHECK(url_parse(path, &target) == NULL);
    route_find(method, &target, &match);
    return &match;
}

TEST(a_name_may_have_any_characters)
{
    const route_match *match = find("GET", "/connectors/a%2Fb%20%25%C3%A4+/status");
    CHECK_INT(match->request.operation, herder_status);
    CHECK_TEXT(match->request.name, "a/b %\xc3\xa4+");
    char *encoded = url_encode(match->request.name);
    CHECK_TEXT(encoded, "a%2Fb%20%25%C3%A4+");
    free(encoded);
}

TEST(a_name_is_found_by_what_it_is_encoded_as)
{
    char *encoded = url_encode("a;b/c%?#d");
    char path[64];
    snprintf(path, sizeof path, "/connectors/%s", encoded);
    CHECK_TEXT(find("GET", path)->request.name, "a;b/c%?#d");
    free(encoded);
}

TEST(a_slash_at_the_end_and_unknown_parameters_do_not_matter)
{
    CHECK_INT(
        find("GET", "/connectors/?x=1&expand=status&expand=info")->request.operation,
        herder_list);
    CHECK(find("GET", "/connectors?expand=status&expand=info")->request.expand_info);
    CHECK(!find("GET", "/connectors?expand=bogus")->request.expand_info);
    CHECK(find("GET", "/connectors?expand=bogus")->request.expand);
    CHECK(find("GET", "/connectors?%&expand=%zz")->request.expand);
    CHECK_INT(find("GET", "/")->request.operation, herder_root);
    CHECK_INT(find("GET", "/connectors/;x=y")->request.operation, herder_list);
    CHECK_TEXT(find("GET", "/connectors/a;x=y/config")->request.name, "a");
    CHECK_INT(find("GET", "/admin/loggers/")->request.operation, herder_loggers);
}

TEST(a_task_is_a_number)
{
    const route_match *match = find("POST", "/connectors/c/tasks/12/restart");
    CHECK_INT(match->request.operation, herder_restart_task);
    CHECK_INT(match->request.task, 12);
    CHECK(!match->numberless);
    CHECK(find("POST", "/connectors/c/tasks/x/restart")->numberless);
    CHECK_INT(find("PUT", "/connectors/c/tasks/x/restart")->status, 405);
}

TEST(wrong_methods_and_paths_are_told_apart)
{
    const route_match *match = find("POST", "/connectors/c/config");
    CHECK_INT(match->status, 405);
    CHECK_TEXT(match->allow, "HEAD,GET,OPTIONS,PUT,PATCH");
    CHECK_INT(find("GET", "/connector")->status, 404);
    CHECK_INT(find("GET", "/connectors/c/config/x")->status, 404);
    CHECK_INT(find("GET", "/1/2/3/4/5/6/7/8/9/10")->status, 404);
    CHECK(find("PUT", "/connectors/c/fence")->refusal != NULL);
    CHECK_INT(find("HEAD", "/connectors/c")->status, 200);
    CHECK_INT(find("OPTIONS", "/connectors")->status, 200);
}

TEST(a_media_type_is_covered_by_ranges)
{
    static const char *const covers[] = {NULL,
                                         "",
                                         " , ",
                                         "*/*",
                                         "application/*",
                                         "text/html, application/json;q=0.5",
                                         "Application/JSON ; charset=utf-8",
                                         "text/html,*/*;q=0.1",
                                         NULL};
    static const char *const not [] = {"text/plain",
                                       "nonsense",
                                       "application/jsonx",
                                       "application",
                                       "text/*,application/xml",
                                       NULL};
    for (int i = 0; i == 0 || covers[i] != NULL; i++) {
        CHECK(media_covers(covers[i], "application/json"));
    }
    for (int i = 0; not [i] != NULL; i++) {
        CHECK(!media_covers(not [i], "application/json"));
    }
    CHECK(media_is("application/JSON;charset=utf-8", "application/json"));
    CHECK(!media_is("application/*", "application/json"));
    CHECK(media_is_formed("a/b") && !media_is_formed("nonsense"));
    CHECK(!media_is_formed("/b") && !media_is_formed("a/;x"));
}

TEST(a_target_that_cannot_be_decoded_is_refused)
{
    static const char *const wrong[] = {"",    "x",     "/a%2", "/%zz", "/a%00b",
                                        "//a", "/a//b", "/a//", NULL};
    for (int i = 0; wrong[i] != NULL; i++) {
        url_done(&target);
        CHECK(url_parse(wrong[i], &target) != NULL);
    }
    url_done(&target);
}

/* The parsed body as JSON, or the message; until the next call. */
static const char *parse(route_body kind, const char *text)
{
    static char shown[1024];
    json_t *body = NULL;
    sluice_error *err = sluice_error_new();
    if (entity_parse(kind, text, strlen(text), &body, err) == SLUICE_OK) {
        char *dumped = json_dumps(body, JSON_COMPACT | JSON_ENCODE_ANY);
        snprintf(shown, sizeof shown, "%s", dumped);
        free(dumped);
    } else {
        snprintf(shown, sizeof shown, "%s", sluice_error_text(err));
    }
    json_decref(body);
    sluice_error_free(err);
    return shown;
}

static bool has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL) {
        printf("# '%s' lacks '%s'\n", text, part);
        return false;
    }
    return true;
}

TEST(scalars_of_a_map_become_texts_digit_by_digit)
{
    CHECK_TEXT(parse(route_map, "{\"a\":3,\"b\":true,\"c\":1.50,\"d\":null,"
                                "\"e\":123456789012345678901234567890,\"f\":\"-1\"}"),
               "{\"a\":\"3\",\"b\":\"true\",\"c\":\"1.50\",\"d\":null,"
               "\"e\":\"123456789012345678901234567890\",\"f\":\"-1\"}");
    CHECK_TEXT(parse(route_map, "{\"x\\\"1\":\"true 5\\\\\"} \n"),
               "{\"x\\\"1\":\"true 5\\\\\"}");
    CHECK(has(parse(route_map, "{} trailing"), "trailing"));
    CHECK(has(parse(route_map, "{} {}"), "Trailing token (of type START_OBJECT)"));
}

TEST(what_is_no_map_is_refused_in_known_words)
{
    CHECK(has(parse(route_map, "{\"a\":[1]}"),
              "Cannot deserialize value of type `java.lang.String` from Array value"));
    CHECK(has(parse(route_map, "[]"), "Cannot deserialize value of type"));
    CHECK(has(parse(route_map, "\"x\""), "Cannot construct instance of"));
    CHECK(has(parse(route_map, "{"), "Unexpected end-of-input"));
    CHECK(has(parse(route_map, "{\"a\":\"b\",}"), "Unexpected character"));
    CHECK(has(parse(route_map, ""), "No content to map due to end-of-input"));
    CHECK(has(parse(route_map, "{\"a\":01}"), "Leading zeroes not allowed"));
}

#define SOURCE(line, column)                                                           \
    "[Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); "    \
    "line: " #line ", column: " #column "]"
#define AT(line, column) "\n at " SOURCE(line, column)

TEST(what_is_no_json_is_refused_as_by_jackson_with_its_place)
{
    static const struct {
        const char *body, *message;
    } wrong[] = {
        {"{", "Unexpected end-of-input: expected close marker for Object (start marker "
              "at " SOURCE(1, 1) ")" AT(1, 2)},
        {"{\"a\"}", "Unexpected character ('}' (code 125)): was expecting a colon to "
                    "separate field name and value" AT(1, 5)},
        {"\n\n  {\"a\":}",
         "Unexpected character ('}' (code 125)): expected a value" AT(3, 8)},
        {"{'a':1}", "Unexpected character (''' (code 39)): was expecting double-quote "
                    "to start field name" AT(1, 2)},
        {"nope",
         "Unrecognized token 'nope': was expecting (JSON String, Number, Array, "
         "Object or token 'null', 'true' or 'false')" AT(1, 5)},
        {"{\"a\":tru}", "Unrecognized token 'tru': was expecting (JSON String, Number, "
                        "Array, Object or token 'null', 'true' or 'false')" AT(1, 10)},
        {"{\"a\":1,}", "Unexpected character ('}' (code 125)): was expecting "
                       "double-quote to start field name" AT(1, 8)},
        {"{\"a\":\"b", "Unexpected end-of-input in VALUE_STRING" AT(1, 8)},
        {"{\"a\":NaN}",
         "Non-standard token 'NaN': enable "
         "`JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS` to allow" AT(1, 9)},
        {"{\"a\":\"\\x\"}", "Unrecognized character escape 'x' (code 120)" AT(1, 8)},
        {"{\"a\":1]", "Unexpected close marker ']': expected '}' (for Object starting "
                      "at " SOURCE(1, 1) ")" AT(1, 7)},
        {"{\"a\":1}}", "Unexpected close marker '}': no open Object to close" AT(1, 8)},
        {"{\"a\":-}",
         "Unexpected character ('}' (code 125)) in numeric value: expected "
         "digit (0-9) to follow minus sign, for valid numeric "
         "value" AT(1, 7)},
        {"{\"a\":\"\t\"}",
         "Illegal unquoted character ((CTRL-CHAR, code 9)): has to be "
         "escaped using backslash to be included in string "
         "value" AT(1, 7)},
        {"{\"a\":[1]}",
         "Cannot deserialize value of type `java.lang.String` from Array "
         "value (token `JsonToken.START_ARRAY`)" AT(
             1, 6) " (through reference chain: "
                   "java.util.LinkedHashMap[\"a\"])"},
        {"5", "Cannot deserialize value of type `java.util.LinkedHashMap<java.lang."
              "String,java.lang.String>` from Integer value (token "
              "`JsonToken.VALUE_NUMBER_INT`)" AT(1, 1)},
        {"\"\"", "Cannot coerce empty String (\"\") to element of "
                 "`java.util.LinkedHashMap` (but could if coercion was enabled using "
                 "`CoercionConfig`)" AT(1, 1)},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        CHECK_TEXT(parse(route_map, wrong[i].body), wrong[i].message);
    }
}

TEST(a_body_that_is_too_deep_is_refused)
{
    char deep[4096] = "{\"offsets\":[{\"partition\":{\"a\":";
    size_t at = strlen(deep);
    memset(deep + at, '[', sizeof deep - at - 1);
    deep[sizeof deep - 1] = '\0';
    CHECK(has(parse(route_offsets, deep), "Document nesting depth (1001) exceeds"));
}

TEST(texts_are_read_without_their_escapes_and_the_last_of_two_counts)
{
    CHECK_TEXT(parse(route_map, "\xef\xbb\xbf{\"\\u00fc\":\"\\ud83d\\ude00\\n\","
                                "\"b\":1,\"b\":2e3}"),
               "{\"\xc3\xbc\":\"\xf0\x9f\x98\x80\\n\",\"b\":\"2e3\"}");
    CHECK_TEXT(parse(route_map, "{\"a\":\"\\ud800x\"}"), "{\"a\":\"\xef\xbf\xbdx\"}");
    CHECK(has(parse(route_map, "{\"a\":\"\xff\"}"), "Invalid UTF-8 start byte 0xff"));
    CHECK(
        has(parse(route_map, "{\"a\":\"\xed\xa0\x80\"}"), "Invalid UTF-8 middle byte"));
    CHECK(has(parse(route_map, "{\"a\":\"\xc3"), "Unexpected end-of-input"));
    CHECK(has(parse(route_map, "{\"a\":\"\\u0000\"}"), "\\u0000 cannot be"));
}

TEST(a_connector_to_create_has_a_name_a_config_and_a_state)
{
    CHECK_TEXT(parse(route_create, "{\"name\":5,\"config\":{\"tasks.max\":1}}"),
               "{\"name\":\"5\",\"config\":{\"tasks.max\":\"1\"}}");
    CHECK(has(parse(route_create, "{\"zzz\":1}"),
              "Unrecognized field \"zzz\" (class org.apache.kafka.connect.runtime.rest."
              "entities.CreateConnectorRequest), not marked as ignorable (3 known "
              "properties: \"config\", \"name\", \"initial_state\"])"));
    CHECK(has(
        parse(route_create, "{\"name\":\"x\",\"config\":{},\"initial_state\":\"UP\"}"),
        "No enum constant"));
    CHECK(has(parse(route_create, "{\"name\":\"x\",\"config\":[]}"),
              "Cannot deserialize value of type"));
    CHECK(has(parse(route_create, "{\"name\":\"x\"}"), "no 'config'"));
    CHECK(has(parse(route_create, "[]"), "Cannot deserialize value of type"));
}

TEST(offsets_keep_their_numbers_and_their_rules)
{
    CHECK_TEXT(parse(route_offsets,
                     "{\"offsets\":[{\"partition\":{\"a\":1},\"offset\":null}]}"),
               "{\"offsets\":[{\"partition\":{\"a\":1},\"offset\":null}]}");
    CHECK_TEXT(parse(route_offsets, ""), "{}");
    CHECK_TEXT(parse(route_patch, ""), "null");
    CHECK_TEXT(parse(route_patch, "null"), "null");
    CHECK_TEXT(parse(route_patch, "{\"a\":null}"), "{\"a\":null}");
    CHECK(has(parse(route_patch, "null null"), "Trailing token (of type VALUE_NULL)"));
    CHECK(has(parse(route_offsets, "[]"), "Cannot deserialize value"));
    CHECK(has(parse(route_offsets, "{\"offsets\":{}}"), "Cannot deserialize value"));
    CHECK(has(parse(route_offsets, "{\"offsets\":[{\"partition\":[]}]}"),
              "Cannot deserialize value"));
    CHECK(has(parse(route_offsets, "{\"key\":[]}"), "Unrecognized field"));
    CHECK(has(parse(route_offsets, "{\"offsets\":[{\"key\":\"val\"}]}"),
              "Unrecognized field"));
    CHECK(
        has(parse(route_offsets, "{\"offsets\":[123]}"), "Cannot construct instance"));
}

TEST(a_listener_gets_a_free_port_when_it_asks_for_one)
{
    listener here;
    CHECK_INT(listener_open("http://127.0.0.1:0", &here, NULL), SLUICE_OK);
    CHECK(here.port > 0);
    CHECK_TEXT(here.host, "127.0.0.1");
    listener_done(&here);
    CHECK_INT(listener_open("http://[::1]:0", &here, NULL), SLUICE_OK);
    CHECK_TEXT(here.host, "::1");
    listener_done(&here);
}

TEST(a_listener_of_another_form_is_refused)
{
    static const char *const wrong[] = {
        "127.0.0.1:80", "http://x", "http://x:99999", "ftp://x:1", "HTTP:/x:1",
        "http://x:",    NULL};
    listener here;
    for (int i = 0; wrong[i] != NULL; i++) {
        CHECK_INT(listener_open(wrong[i], &here, NULL), SLUICE_BAD_CONFIG);
    }
}

TEST_MAIN
