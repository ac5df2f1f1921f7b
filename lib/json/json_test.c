/* JSON and values, both ways, against what Kafka Connect's JsonConverter writes and
 * reads. */
#include "test.h"
#include <math.h>
#include <sluice/json.h>

static sluice_arena *arena;

static const char *encoded(bool schemas, bool numeric, const sluice_schema *schema,
                           const sluice_value *value)
{
    static char text[4096];
    sluice_json_options options = {sizeof options, schemas, numeric, true, 100};
    sluice_json_encoder *encoder = sluice_json_encoder_new(&options);
    sluice_error *err = sluice_error_new();
    sluice_bytes bytes;
    sluice_status status =
        sluice_json_encode(encoder, schema, value, arena, &bytes, err);
    if (status != SLUICE_OK) {
        snprintf(text, sizeof text, "%s: %s", sluice_status_name(status),
                 sluice_error_text(err));
    } else if (bytes.base == NULL) {
        snprintf(text, sizeof text, "(tombstone)");
    } else {
        snprintf(text, sizeof text, "%.*s", (int)bytes.len, (const char *)bytes.base);
    }
    sluice_error_free(err);
    sluice_json_encoder_free(encoder);
    return text;
}

/* Reads a text and writes it again by the schema it came with. */
static const char *decoded(bool schemas, const char *json)
{
    static char text[4096];
    sluice_json_options options = {sizeof options, schemas, true, true, 100};
    sluice_json_decoder *decoder = sluice_json_decoder_new(&options);
    sluice_error *err = sluice_error_new();
    const sluice_schema *schema;
    const sluice_value *value;
    sluice_bytes bytes = {json, json == NULL ? 0 : strlen(json)};
    sluice_status status =
        sluice_json_decode(decoder, bytes, arena, &schema, &value, err);
    if (status != SLUICE_OK) {
        snprintf(text, sizeof text, "%s", sluice_error_text(err));
    } else {
        const char *type =
            schema == NULL ? "none" : sluice_data_type_name(sluice_schema_type(schema));
        const char *again = encoded(false, true, NULL, value);
        char copy[2048];
        snprintf(copy, sizeof copy, "%s", again);
        snprintf(text, sizeof text, "%s %s", type, copy);
    }
    sluice_error_free(err);
    sluice_json_decoder_free(decoder);
    return text;
}

__attribute__((constructor)) static void begin(void)
{
    arena = sluice_arena_new();
}

__attribute__((destructor)) static void end(void)
{
    sluice_arena_free(arena);
}

#define OF(type) sluice_schema_of(SLUICE_TYPE_##type, false)

TEST(scalars_are_written_with_their_schema)
{
    CHECK_TEXT(encoded(true, false, OF(INT32), sluice_int32(arena, 1)),
               "{\"schema\":{\"type\":\"int32\",\"optional\":false},\"payload\":1}");
    CHECK_TEXT(
        encoded(true, false, OF(BYTES), sluice_binary(arena, "\1\2\377", 3)),
        "{\"schema\":{\"type\":\"bytes\",\"optional\":false},\"payload\":\"AQL/\"}");
    CHECK_TEXT(encoded(false, false, OF(BYTES), sluice_binary(arena, "\1\2", 2)),
               "\"AQI=\"");
    CHECK_TEXT(encoded(false, false, OF(INT64), sluice_int64(arena, INT64_MIN)),
               "-9223372036854775808");
    CHECK_TEXT(encoded(true, false, NULL, sluice_int64(arena, 5)),
               "{\"schema\":null,\"payload\":5}");
    CHECK_TEXT(encoded(true, false, NULL, NULL), "(tombstone)");
}

TEST(floating_numbers_are_written_as_java_does)
{
    const struct {
        double value;
        const char *text;
    } cases[] = {{1.1, "1.1"},
                 {1e21, "1.0E21"},
                 {100, "100.0"},
                 {NAN, "\"NaN\""},
                 {-INFINITY, "\"-Infinity\""},
                 {0, "0.0"},
                 {-0.0, "-0.0"},
                 {0.001, "0.001"},
                 {0.0001, "1.0E-4"},
                 {12345678, "1.2345678E7"},
                 {1234567.5, "1234567.5"},
                 {0.1 + 0.2, "0.30000000000000004"},
                 {9999999, "9999999.0"},
                 {1e7, "1.0E7"},
                 {1.5e300, "1.5E300"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK_TEXT(
            encoded(false, false, OF(FLOAT64), sluice_float64(arena, cases[i].value)),
            cases[i].text);
    }
    CHECK_TEXT(encoded(false, false, OF(FLOAT32), sluice_float32(arena, 1.1F)), "1.1");
    CHECK_TEXT(encoded(false, false, OF(FLOAT32), sluice_float32(arena, 3.4028235e38F)),
               "3.4028235E38");
}

TEST(texts_are_escaped_where_json_asks_for_it_only)
{
    CHECK_TEXT(
        encoded(false, false, OF(STRING),
                sluice_text(arena, "a\"\xc3\xa9\n/\1\x1f\\ long enough for a word")),
        "\"a\\\"\xc3\xa9\\n/\\u0001\\u001F\\\\ long enough for a word\"");
    CHECK_TEXT(encoded(false, false, OF(STRING), sluice_string(arena, "a\0b", 3)),
               "\"a\\u0000b\"");
    CHECK_TEXT(encoded(false, false, OF(STRING), sluice_text(arena, "bad \xff")),
               "BAD_RECORD: a text is not valid UTF-8");
}

static const sluice_schema *person(void)
{
    const sluice_schema *name, *inner, *whole;
    sluice_schema_builder *builder =
        sluice_schema_builder_new(arena, SLUICE_TYPE_STRING);
    sluice_schema_builder_optional(builder);
    sluice_schema_builder_doc(builder, "nd");
    sluice_schema_builder_default(builder, sluice_text(arena, "x"));
    sluice_schema_builder_finish(builder, &name, NULL);
    builder = sluice_schema_builder_new(arena, SLUICE_TYPE_STRUCT);
    sluice_schema_builder_optional(builder);
    sluice_schema_builder_field(builder, "z", OF(BOOLEAN));
    sluice_schema_builder_finish(builder, &inner, NULL);
    builder = sluice_schema_builder_new(arena, SLUICE_TYPE_STRUCT);
    sluice_schema_builder_name(builder, "com.x.Rec");
    sluice_schema_builder_version(builder, 3);
    sluice_schema_builder_doc(builder, "d");
    sluice_schema_builder_field(builder, "id", OF(INT32));
    sluice_schema_builder_field(builder, "nm", name);
    sluice_schema_builder_field(builder, "in", inner);
    sluice_schema_builder_finish(builder, &whole, NULL);
    return whole;
}

static const char person_json[] =
    "{\"schema\":{\"type\":\"struct\",\"fields\":[{\"type\":\"int32\",\"optional\":"
    "false,"
    "\"field\":\"id\"},{\"type\":\"string\",\"optional\":true,\"doc\":\"nd\","
    "\"default\":"
    "\"x\",\"field\":\"nm\"},{\"type\":\"struct\",\"fields\":[{\"type\":\"boolean\","
    "\"optional\":false,\"field\":\"z\"}],\"optional\":true,\"field\":\"in\"}],"
    "\"optional\":"
    "false,\"name\":\"com.x.Rec\",\"version\":3,\"doc\":\"d\"},\"payload\":{\"id\":7,"
    "\"nm\":"
    "\"x\",\"in\":null}}";

TEST(a_struct_is_written_in_the_order_of_its_schema_with_defaults)
{
    const sluice_schema *schema = person();
    sluice_value *value = sluice_struct_new(arena, schema);
    sluice_struct_set(value, 0, sluice_int32(arena, 7));
    CHECK_TEXT(encoded(true, false, schema, value), person_json);
}

/* A person whose inner part is `inner`. */
static const char *person_text(sluice_json_encoder *encoder, sluice_arena *batch,
                               const sluice_schema *schema, int32_t id,
                               const char *name, const sluice_value *inner)
{
    static char text[2048];
    sluice_value *value = sluice_struct_new(batch, schema);
    sluice_struct_set(value, 0, sluice_int32(batch, id));
    sluice_struct_set(value, 1, sluice_text(batch, name));
    sluice_struct_set(value, 2, inner);
    sluice_bytes bytes;
    CHECK(sluice_json_encode(encoder, schema, value, batch, &bytes, NULL) == SLUICE_OK);
    snprintf(text, sizeof text, "%.*s", (int)bytes.len, (const char *)bytes.base);
    return text;
}

static sluice_value *repeating_inner(sluice_arena *batch, const sluice_schema *schema,
                                     bool z)
{
    sluice_value *made =
        sluice_struct_new(batch, sluice_schema_field_schema(schema, 2));
    sluice_struct_set(made, 0, sluice_boolean(z));
    sluice_value_repeats(made);
    return made;
}

TEST(a_value_that_repeats_is_the_same_text_in_each_record)
{
    sluice_json_options options = {sizeof options, false, false, true, 100};
    sluice_json_encoder *encoder = sluice_json_encoder_new(&options);
    const sluice_schema *schema = person();
    sluice_arena *batch = sluice_arena_new();
    char long_name[1001];
    memset(long_name, 'n', 1000);
    long_name[1000] = '\0';
    const sluice_value *inner = repeating_inner(batch, schema, true);
    const char *names[] = {"a", long_name, "b"};
    for (int i = 0; i < 3; i++) { /* The long one moves what is written. */
        char wanted[1100];
        snprintf(wanted, sizeof wanted, "{\"id\":%d,\"nm\":\"%s\",\"in\":{\"z\":true}}",
                 i, names[i]);
        CHECK_TEXT(person_text(encoder, batch, schema, i, names[i], inner), wanted);
    }
    const sluice_value *other = repeating_inner(batch, schema, false);
    CHECK_TEXT(person_text(encoder, batch, schema, 4, "d", other),
               "{\"id\":4,\"nm\":\"d\",\"in\":{\"z\":false}}");
    sluice_arena_free(batch);
    sluice_json_encoder_free(encoder);
}

TEST(what_repeated_in_one_batch_is_forgotten_in_the_next)
{
    sluice_json_options options = {sizeof options, false, false, true, 100};
    sluice_json_encoder *encoder = sluice_json_encoder_new(&options);
    const sluice_schema *schema = person();
    sluice_arena *batch = sluice_arena_new();
    const sluice_value *before = repeating_inner(batch, schema, true);
    person_text(encoder, batch, schema, 1, "a", before);
    sluice_arena_reset(batch);
    const sluice_value *inner = repeating_inner(batch, schema, false);
    CHECK(inner == before); /* Another value at the same place. */
    CHECK_TEXT(person_text(encoder, batch, schema, 2, "b", inner),
               "{\"id\":2,\"nm\":\"b\",\"in\":{\"z\":false}}");
    sluice_arena_free(batch);
    sluice_json_encoder_free(encoder);
}

TEST(a_schema_comes_back_from_its_text)
{
    sluice_json_options options = {sizeof options, true, false, true, 1};
    sluice_json_decoder *decoder = sluice_json_decoder_new(&options);
    const sluice_schema *schema, *again;
    const sluice_value *value;
    sluice_bytes bytes = {person_json, strlen(person_json)};
    CHECK(sluice_json_decode(decoder, bytes, arena, &schema, &value, NULL) ==
          SLUICE_OK);
    CHECK(sluice_schema_equal(schema, person()));
    CHECK_INT(sluice_value_integer(sluice_struct_find(value, "id")), 7);
    CHECK(sluice_value_is_text(sluice_struct_find(value, "nm"), "x"));
    CHECK(sluice_json_decode(decoder, bytes, arena, &again, &value, NULL) == SLUICE_OK);
    CHECK(again == schema);
    sluice_json_decoder_free(decoder);
}

TEST(maps_are_objects_only_where_all_keys_are_texts)
{
    sluice_value *map = sluice_map_new(arena, 2);
    sluice_map_add(arena, map, sluice_int64(arena, 1), sluice_text(arena, "x"));
    sluice_map_add_text(arena, map, "b", sluice_boolean(true));
    CHECK_TEXT(encoded(false, false, NULL, map), "[[1,\"x\"],[\"b\",true]]");
    sluice_value *texts = sluice_map_new(arena, 1);
    sluice_map_add_text(arena, texts, "k", NULL);
    CHECK_TEXT(encoded(false, false, NULL, texts), "{\"k\":null}");
    CHECK_TEXT(encoded(false, false, NULL, sluice_map_new(arena, 0)), "{}");
}

TEST(decimals_are_base64_or_numbers)
{
    const struct {
        const char *text;
        int scale;
        const char *base64, *number;
    } cases[] = {{"1.56", 2, "\"AJw=\"", "1.56"},
                 {"-1.00", 2, "\"nA==\"", "-1.00"},
                 {"1e3", -3, "\"AQ==\"", "1E+3"},
                 {"0.0000000001", 10, "\"AQ==\"", "1E-10"},
                 {"0.05", 2, "\"BQ==\"", "0.05"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sluice_value *value;
        const sluice_schema *schema =
            sluice_schema_decimal(arena, cases[i].scale, false);
        CHECK(sluice_decimal_parse(arena, cases[i].text, strlen(cases[i].text),
                                   cases[i].scale, &value, NULL) == SLUICE_OK);
        CHECK_TEXT(encoded(false, false, schema, value), cases[i].base64);
        CHECK_TEXT(encoded(false, true, schema, value), cases[i].number);
    }
}

TEST(what_does_not_fit_its_schema_is_refused)
{
    CHECK_TEXT(
        encoded(true, false, OF(STRING), NULL),
        "BAD_RECORD: Conversion error: null value for field that is required and "
        "has no default value");
    CHECK_TEXT(encoded(true, false, OF(INT32), sluice_text(arena, "str")),
               "BAD_RECORD: Invalid type for INT32: class java.lang.String");
    CHECK_TEXT(encoded(false, false, sluice_schema_of(SLUICE_TYPE_STRING, true), NULL),
               "null");
}

TEST(text_without_a_schema_becomes_maps_and_numbers)
{
    CHECK_TEXT(decoded(false, "[1,null,{\"b\":2.0}]"), "none [1,null,{\"b\":2.0}]");
    CHECK_TEXT(decoded(false, " 012 "), "none 12");
    CHECK_TEXT(decoded(false, "1 2"), "none 1");
    CHECK_TEXT(decoded(false, "9223372036854775808"), "none -9223372036854775808");
    CHECK_TEXT(decoded(false, "{\"a\":1,\"b\":0,\"a\":2}"), "none {\"a\":2,\"b\":0}");
    CHECK_TEXT(decoded(false, "\"\\u00e9\\ud83d\\ude00\\n\""),
               "none \"\xc3\xa9\\uD83D\\uDE00\\n\"");
    CHECK_TEXT(decoded(false, "\"\\ud83d\""), "none \"\xef\xbf\xbd\"");
    CHECK_TEXT(decoded(false, ""), "none (tombstone)");
    CHECK_TEXT(decoded(false, NULL), "none (tombstone)");
}

TEST(an_object_with_many_names_keeps_the_last_of_each)
{
    char json[8192], *at = json;
    at += snprintf(at, 8, "{");
    for (int i = 0; i < 300; i++) {
        at += snprintf(at, 32, "%s\"k%d\":%d", i > 0 ? "," : "", i % 100, i);
    }
    snprintf(at, 4, "}");
    sluice_json_options options = {sizeof options, false, false, true, 1};
    sluice_json_decoder *decoder = sluice_json_decoder_new(&options);
    const sluice_schema *schema;
    const sluice_value *value;
    sluice_bytes bytes = {json, strlen(json)};
    CHECK(sluice_json_decode(decoder, bytes, arena, &schema, &value, NULL) ==
          SLUICE_OK);
    CHECK_INT(sluice_value_count(value), 100);
    CHECK_INT(sluice_value_integer(sluice_map_find(value, "k7", NULL)), 207);
    sluice_json_decoder_free(decoder);
}

TEST(payloads_are_coerced_as_jackson_does)
{
    CHECK_TEXT(decoded(true, "{\"schema\":{\"type\":\"int32\"},\"payload\":\"1\"}"),
               "INT32 0");
    CHECK_TEXT(decoded(true, "{\"schema\":{\"type\":\"int32\"},\"payload\":1.9}"),
               "INT32 1");
    CHECK_TEXT(
        decoded(true, "{\"schema\":{\"type\":\"int32\"},\"payload\":4294967297}"),
        "INT32 1");
    CHECK_TEXT(decoded(true, "{\"schema\":{\"type\":\"int8\"},\"payload\":300}"),
               "INT8 44");
    CHECK_TEXT(decoded(true, "{\"schema\":{\"type\":\"boolean\"},\"payload\":1}"),
               "BOOLEAN false");
    CHECK_TEXT(decoded(true, "{\"schema\":{\"type\":\"double\"},\"payload\":\"x\"}"),
               "FLOAT64 0.0");
    CHECK_TEXT(decoded(true, "{\"payload\":1,\"schema\":null}"), "none 1");
    CHECK_TEXT(decoded(true, "{\"schema\":{\"type\":\"int32\",\"version\":\"1\","
                             "\"optional\":true},\"payload\":null} trailing"),
               "INT32 (tombstone)");
}

TEST(bad_schemas_and_payloads_are_named)
{
    const char *cases[][2] = {
        {"{\"schema\":{\"type\":\"bogus\"},\"payload\":1}",
         "Unknown schema type: bogus"},
        {"{\"schema\":{\"type\":\"array\"},\"payload\":[]}",
         "Array schema did not specify the element type"},
        {"{\"schema\":{\"type\":\"struct\"},\"payload\":{}}",
         "Struct schema's \"fields\" argument is not an array."},
        {"{\"schema\":{\"type\":\"struct\",\"fields\":[{\"type\":\"int32\"}]},"
         "\"payload\":{}}",
         "Struct schema's field name not specified properly"},
        {"{\"schema\":{\"type\":\"struct\",\"fields\":[{\"field\":\"a\",\"type\":"
         "\"int32\"}]},"
         "\"payload\":{}}",
         "Invalid null value for required INT32 field"},
        {"{\"schema\":{\"type\":\"struct\",\"fields\":[{\"field\":\"a\",\"type\":"
         "\"int32\"}]},"
         "\"payload\":[1]}",
         "Structs should be encoded as JSON objects, but found ARRAY"},
        {"{\"schema\":{\"type\":\"int32\",\"parameters\":{\"a\":1}},\"payload\":1}",
         "Schema parameters must have string values."},
        {"{\"schema\":\"int32\",\"payload\":1}", "Schema must contain 'type' field"},
        {"{\"schema\":{\"type\":\"bytes\"},\"payload\":\"!!\"}", "Invalid bytes field"},
        {"{\"schema\":{\"type\":\"map\",\"keys\":{\"type\":\"int32\"},\"values\":{"
         "\"type\":"
         "\"int32\"}},\"payload\":[[1]]}",
         "Found invalid map entry, expected length 2 but found :1"},
        {"{\"schema\":{\"type\":\"bytes\",\"name\":\"" SLUICE_DECIMAL
         "\",\"parameters\":{\"scale\":\"2\"}},\"payload\":true}",
         "Invalid type for Decimal, underlying representation should be numeric or "
         "bytes "
         "but was BOOLEAN"},
        {"{\"schema\":{\"type\":\"int32\",\"name\":\"" SLUICE_DATE
         "\"},\"payload\":\"x\"}",
         "Invalid type for Date, underlying representation should be integer but was "
         "STRING"},
        {"{\"schema\":{\"type\":\"int64\",\"name\":\"" SLUICE_TIMESTAMP
         "\"},\"payload\":5.5}",
         "Invalid type for Timestamp, underlying representation should be integral but "
         "was "
         "NUMBER"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK_TEXT(decoded(true, cases[i][0]), cases[i][1]);
    }
    CHECK(strncmp(decoded(true, "{\"payload\":1}"),
                  "JsonConverter with schemas.enable requires", 42) == 0);
    CHECK_TEXT(
        decoded(true, "{bad"),
        "Converting byte[] to Kafka Connect data failed due to serialization error: "
        "Unexpected character ('b' (code 98)): was expecting double-quote to start "
        "field name at line 1, column 2");
}

TEST(every_beginning_of_a_text_is_refused_without_harm)
{
    sluice_json_options options = {sizeof options, true, false, true, 1};
    sluice_json_decoder *decoder = sluice_json_decoder_new(&options);
    const sluice_schema *schema;
    const sluice_value *value;
    for (size_t len = 0; len < strlen(person_json); len++) {
        char *exact = malloc(len + 1); /* So that a read behind the end is seen. */
        memcpy(exact, person_json, len);
        sluice_bytes bytes = {exact, len};
        sluice_status status =
            sluice_json_decode(decoder, bytes, arena, &schema, &value, NULL);
        free(exact);
        CHECK(status == SLUICE_BAD_RECORD);
    }
    sluice_json_decoder_free(decoder);
}

TEST(nesting_is_limited)
{
    char deep[4001];
    memset(deep, '[', 4000);
    deep[4000] = '\0';
    CHECK(strstr(decoded(false, deep), "nested deeper than 1000 levels") != NULL);
}

TEST_MAIN
