/* converters/json/vectors_test.c - what Kafka Connect's JsonConverter was seen to do.
 */
#include "test.h"
#include <sluice/json.h>
#include <sluice/test.h>

/* A converter with one setting, and what it reads shown as text. */
typedef struct rig {
    sluice_fake *fake;
    sluice_arena *arena;
    sluice_error *err;
    sluice_json_encoder *encoder;
    sluice_json_decoder *decoder;
} rig;

static void rig_init(rig *self, bool schemas, bool numeric, bool defaults)
{
    sluice_json_options options = {sizeof options, schemas, numeric, defaults, 10};
    self->fake = sluice_fake_new();
    self->arena = sluice_arena_new();
    self->err = sluice_error_new();
    self->encoder = sluice_json_encoder_new(&options);
    self->decoder = sluice_json_decoder_new(&options);
}

static void rig_done(rig *self)
{
    sluice_json_encoder_free(self->encoder);
    sluice_json_decoder_free(self->decoder);
    sluice_error_free(self->err);
    sluice_arena_free(self->arena);
    sluice_fake_free(self->fake);
}

static const char *rig_encode(rig *self, const sluice_schema *schema,
                              const sluice_value *value)
{
    static char text[4096];
    sluice_bytes bytes;
    if (sluice_json_encode(self->encoder, schema, value, self->arena, &bytes,
                           self->err) != SLUICE_OK) {
        snprintf(text, sizeof text, "error: %s", sluice_error_text(self->err));
    } else if (bytes.base == NULL) {
        snprintf(text, sizeof text, "(none)");
    } else {
        snprintf(text, sizeof text, "%.*s", (int)bytes.len, (const char *)bytes.base);
    }
    return text;
}

/* "SCHEMA value" of a text, or "error: " and why. */
static const char *decoded(bool schemas, const char *json)
{
    static char text[4096];
    rig self;
    const sluice_schema *schema;
    const sluice_value *value;
    rig_init(&self, schemas, false, true);
    sluice_bytes bytes = {json, json == NULL ? 0 : strlen(json)};
    if (sluice_json_decode(self.decoder, bytes, self.arena, &schema, &value,
                           self.err) != SLUICE_OK) {
        snprintf(text, sizeof text, "error: %s", sluice_error_text(self.err));
    } else {
        snprintf(text, sizeof text, "%s %s",
                 schema == NULL ? "-" : sluice_fake_show_schema(self.fake, schema),
                 sluice_fake_show(self.fake, value));
    }
    rig_done(&self);
    return text;
}

typedef struct decode_case {
    const char *json, *wanted;
} decode_case;

static void check_decoded(bool schemas, const decode_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        CHECK_TEXT(decoded(schemas, cases[i].json), cases[i].wanted);
    }
}

#define COUNT(cases) (sizeof(cases) / sizeof *(cases))

#define NO_ENVELOPE                                                                    \
    "error: JsonConverter with schemas.enable requires \"schema\" and \"payload\" "    \
    "fields and may not contain additional fields. If you are trying to deserialize "  \
    "plain JSON data, set schemas.enable=false in your converter configuration."

#define OF(schema, payload) "{\"schema\":" schema ",\"payload\":" payload "}"
#define TYPE(type, payload) OF("{\"type\":\"" type "\"}", payload)

TEST(an_envelope_has_a_schema_and_a_payload_and_nothing_else)
{
    static const decode_case CASES[] = {
        {NULL, "- null"},
        {"", NO_ENVELOPE},
        {"null", NO_ENVELOPE},
        {"true", NO_ENVELOPE},
        {"[1]", NO_ENVELOPE},
        {"{\"payload\":1}", NO_ENVELOPE},
        {"{\"schema\":{\"type\":\"int32\"}}", NO_ENVELOPE},
        {"{\"schema\":{\"type\":\"int32\"},\"payload\":1,\"x\":2}", NO_ENVELOPE},
        {OF("null", "1"), "- 1"},
        {TYPE("int32", "1") " trailing", "INT32 1"},
        {"{\"payload\":1,\"schema\":{\"type\":\"int32\"}}", "INT32 1"},
    };
    check_decoded(true, CASES, COUNT(CASES));
}

TEST(payloads_are_coerced_as_jackson_s_accessors_do)
{
    static const decode_case CASES[] = {
        {TYPE("int32", "\"1\""), "INT32 0"},
        {TYPE("int32", "1.9"), "INT32 1"},
        {TYPE("int32", "-1.9"), "INT32 -1"},
        {TYPE("int32", "4294967297"), "INT32 1"},
        {TYPE("int32", "1e3"), "INT32 1000"},
        {TYPE("int8", "300"), "INT8 44"},
        {TYPE("int64", "9223372036854775808"), "INT64 -9223372036854775808"},
        {TYPE("boolean", "1"), "BOOLEAN false"},
        {TYPE("string", "1"), "STRING null"},
        {TYPE("bytes", "[5]"), "BYTES null"},
        {TYPE("float", "1"), "FLOAT32 1"},
        {TYPE("double", "\"x\""), "FLOAT64 0"},
        {TYPE("bytes", "\"AQL/\""), "BYTES 0x0102ff"},
        {TYPE("int32", "null"), "error: Invalid null value for required INT32 field"},
        {TYPE("bytes", "\"!!\""), "error: Invalid bytes field"},
    };
    check_decoded(true, CASES, COUNT(CASES));
}

#define STRUCT_A                                                                       \
    "{\"type\":\"struct\",\"fields\":[{\"field\":\"a\",\"type\":\"int32\"}]}"
#define MAP_OF(key)                                                                    \
    "{\"type\":\"map\",\"keys\":{\"type\":\"" key "\"},\"values\":{\"type\":"          \
    "\"int32\"}}"

TEST(structs_and_maps_have_one_form_each)
{
    static const decode_case CASES[] = {
        {OF(STRUCT_A, "{}"), "error: Invalid null value for required INT32 field"},
        {OF(STRUCT_A, "{\"a\":1,\"b\":2}"), "STRUCT{a INT32} {\"a\":1}"},
        {OF(STRUCT_A, "[1]"),
         "error: Structs should be encoded as JSON objects, but found ARRAY"},
        {OF(MAP_OF("string"), "{\"a\":2}"), "MAP(STRING,INT32) {\"a\":2}"},
        {OF(MAP_OF("int32"), "[[1,2]]"), "MAP(INT32,INT32) {1:2}"},
        {OF(MAP_OF("int32"), "{\"1\":2}"), "error: Maps with non-string fields should "
                                           "be encoded as JSON array of tuples, "
                                           "but found OBJECT"},
        {OF(MAP_OF("string"), "[[\"a\",2]]"),
         "error: Maps with string fields should be encoded as JSON objects, but found "
         "ARRAY"},
        {OF(MAP_OF("int32"), "[[1]]"),
         "error: Found invalid map entry, expected length 2 but found :1"},
        {OF(MAP_OF("int32"), "[1]"),
         "error: Found invalid map entry instead of array tuple: NUMBER"},
    };
    check_decoded(true, CASES, COUNT(CASES));
}

TEST(bad_schemas_are_named)
{
    static const decode_case CASES[] = {
        {TYPE("bogus", "1"), "error: Unknown schema type: bogus"},
        {TYPE("array", "[]"), "error: Array schema did not specify the element type"},
        {OF("{\"type\":\"map\",\"values\":{\"type\":\"string\"}}", "{}"),
         "error: Map schema did not specify the key type"},
        {OF("{\"type\":\"map\",\"keys\":{\"type\":\"string\"}}", "{}"),
         "error: Map schema did not specify the value type"},
        {TYPE("struct", "{}"),
         "error: Struct schema's \"fields\" argument is not an array."},
        {OF("{\"type\":\"struct\",\"fields\":[{\"type\":\"int32\"}]}", "{}"),
         "error: Struct schema's field name not specified properly"},
        {OF("{\"type\":\"int32\",\"parameters\":{\"a\":1}}", "1"),
         "error: Schema parameters must have string values."},
        {OF("{}", "1"), "error: Schema must contain 'type' field"},
        {OF("\"int32\"", "1"), "error: Schema must contain 'type' field"},
    };
    check_decoded(true, CASES, COUNT(CASES));
}

TEST(attributes_of_another_type_are_passed_over)
{
    static const decode_case CASES[] = {
        {OF("{\"type\":\"int32\",\"version\":\"1\"}", "1"), "INT32 1"},
        {OF("{\"type\":\"int32\",\"version\":1.5}", "1"), "INT32 1"},
        {OF("{\"type\":\"int32\",\"optional\":\"true\"}", "1"), "INT32 1"},
        {OF("{\"type\":\"int32\",\"optional\":1}", "null"),
         "error: Invalid null value for required INT32 field"},
        {OF("{\"type\":\"int32\",\"optional\":true}", "null"), "INT32? null"},
        {OF("{\"type\":\"int32\",\"parameters\":5}", "1"), "INT32 1"},
        {OF("{\"type\":\"int32\",\"name\":5,\"doc\":{}}", "1"), "INT32 1"},
    };
    check_decoded(true, CASES, COUNT(CASES));
}

#define NAMED(type, name) "{\"type\":\"" type "\",\"name\":\"" name "\"}"
#define DECIMAL_2                                                                      \
    "{\"type\":\"bytes\",\"name\":\"" SLUICE_DECIMAL                                   \
    "\",\"parameters\":{\"scale\":\"2\"}}"

TEST(logical_types_say_what_they_need)
{
    static const decode_case CASES[] = {
        {OF(DECIMAL_2, "true"), "error: Invalid type for Decimal, underlying "
                                "representation should be numeric or "
                                "bytes but was BOOLEAN"},
        {OF(DECIMAL_2, "1.5"), "BYTES[" SLUICE_DECIMAL "] 0x0096"},
        {OF(DECIMAL_2, "\"AJw=\""), "BYTES[" SLUICE_DECIMAL "] 0x009c"},
        {OF(NAMED("int32", SLUICE_DATE), "\"x\""),
         "error: Invalid type for Date, underlying representation should be integer "
         "but "
         "was STRING"},
        {OF(NAMED("int32", SLUICE_TIME), "1.5"),
         "error: Invalid type for Time, underlying representation should be integer "
         "but "
         "was NUMBER"},
        {OF(NAMED("int64", SLUICE_TIMESTAMP), "5.5"),
         "error: Invalid type for Timestamp, underlying representation should be "
         "integral "
         "but was NUMBER"},
        {OF(NAMED("int32", SLUICE_DATE), "4294967297"),
         "error: Invalid type for Date, underlying representation should be integer "
         "but was NUMBER"},
        {OF(NAMED("int32", SLUICE_TIME), "86400000"),
         "INT32[" SLUICE_TIME "] 86400000"},
        {OF(NAMED("int32", SLUICE_TIME), "86400001"),
         "error: Time values must use number of milliseconds greater than 0 and less "
         "than 86400000"},
        {OF(NAMED("int32", SLUICE_TIME), "-1"),
         "error: Time values must use number of milliseconds greater than 0 and less "
         "than 86400000"},
        {OF(DECIMAL_2, "\"!!\""), "error: Invalid bytes for Decimal field"},
        {OF(NAMED("int32", SLUICE_DATE), "10000"), "INT32[" SLUICE_DATE "] 10000"},
    };
    check_decoded(true, CASES, COUNT(CASES));
}

TEST(plain_text_is_read_without_a_schema)
{
    static const decode_case CASES[] = {
        {NULL, "- null"},
        {"", "- null"},
        {"null", "- null"},
        {"1", "- 1"},
        {"1.5", "- 1.5"},
        {"9223372036854775808", "- -9223372036854775808"},
        {"-0.0", "- 0"},
        {"\"a\"", "- \"a\""},
        {"[1,null,{\"b\":2.5}]", "- [1,null,{\"b\":2.5}]"},
        {TYPE("int32", "1"), "- {\"schema\":{\"type\":\"int32\"},\"payload\":1}"},
        {"{\"a\":1,\"a\":2}", "- {\"a\":2}"},
        {"012", "- 12"},
        {"1 2", "- 1"},
    };
    check_decoded(false, CASES, COUNT(CASES));
}

#define BAD                                                                            \
    "error: Converting byte[] to Kafka Connect data failed due to serialization "      \
    "error: "

TEST(what_is_no_json_is_told_as_jackson_tells_it)
{
    static const char *const CASES[][2] = {
        {"{bad",
         BAD "Unexpected character ('b' (code 98)): was expecting double-quote to "
             "start field name"},
        {"// c\n1", BAD "Unexpected character ('/' (code 47))"},
        {"NaN", BAD},
        {"[1,]", BAD},
        {"{\"a\":1,}", BAD},
        {"'a'", BAD},
        {"+1", BAD},
        {".5", BAD},
        {"1.", BAD},
        {"1e", BAD},
        {"-", BAD},
        {"truex", BAD},
        {"\"a\nb\"", BAD},
        {"\"\\x\"", BAD},
        {"\"\\u12\"", BAD},
        {"\"a", BAD},
        {"{\"a\"", BAD},
        {"[1", BAD},
        {"\"\xff\"", BAD},
    };
    for (size_t i = 0; i < COUNT(CASES); i++) {
        const char *got = decoded(false, CASES[i][0]);
        if (strncmp(got, CASES[i][1], strlen(CASES[i][1])) != 0) {
            CHECK_TEXT(got, CASES[i][1]);
        }
    }
}

TEST(numbers_are_worth_what_java_s_big_decimal_says)
{
    static const decode_case CASES[] = {
        {TYPE("int64", "1e30"), "INT64 5076944270305263616"}, /* 10^30 modulo 2^64 */
        {TYPE("int64", "1e100"), "INT64 0"},
        {TYPE("int64", "12.5e1"), "INT64 125"},
        {TYPE("int64", "1234e-2"), "INT64 12"},
        {TYPE("int64", "-18446744073709551617"), "INT64 -1"},
        {TYPE("double", "0.1e1"), "FLOAT64 1"},
        {TYPE("double", "123456789012345678901234567890"),
         "FLOAT64 1.2345678901234568e+29"},
        {TYPE("float", "0.1"), "FLOAT32 0.100000001"},
        {TYPE("double", "-0"), "FLOAT64 0"},
    };
    check_decoded(true, CASES, COUNT(CASES));
}

TEST(numbers_that_would_fill_the_memory_are_refused)
{
    char json[2000];
    memset(json, '9', sizeof json);
    json[1500] = '\0';
    CHECK(strstr(decoded(false, json), "Number value length exceeds") != NULL);
    CHECK(strncmp(decoded(true, OF(DECIMAL_2, "1e999999999")), "error: ", 7) == 0);
    CHECK(strncmp(decoded(true, OF(DECIMAL_2, "1e-999999999")), "error: ", 7) == 0);
}

/* An array in an array …, each with a default: if parts were parsed once for the schema
 * and once for its default, sixty of them would never end. */
TEST(defaults_within_defaults_take_no_longer)
{
    enum { LEVELS = 60 };
    static char json[LEVELS * 80];
    size_t used = (size_t)snprintf(json, sizeof json, "{\"schema\":");
    for (int i = 0; i < LEVELS; i++) {
        used += (size_t)snprintf(json + used, sizeof json - used,
                                 "{\"type\":\"array\",\"default\":[],\"items\":");
    }
    used += (size_t)snprintf(json + used, sizeof json - used, "{\"type\":\"int8\"}");
    for (int i = 0; i < LEVELS; i++) {
        used += (size_t)snprintf(json + used, sizeof json - used, "}");
    }
    snprintf(json + used, sizeof json - used, ",\"payload\":null}");
    const char *got = decoded(true, json);
    CHECK_TEXT(got + strlen(got) - 3, " []");
}

/* Each text is read twice by one decoder: the second time its schema is known. */
TEST(a_schema_that_is_known_changes_nothing)
{
    static const char *const CASES[] = {
        OF(STRUCT_A, "{\"a\":1}"),
        OF(STRUCT_A, "{\"a\":1}") " trailing",
        OF(STRUCT_A, "{\"a\":\"\"}"),
        OF(STRUCT_A, "{}"),
        OF(STRUCT_A, "[1]"),
        OF(STRUCT_A, "{\"a\":1"),
        "{\"schema\":" STRUCT_A ",\"payload\":{\"a\":1},\"payload\":{\"a\":2}}",
        "{\"schema\":" STRUCT_A
        ",\"payload\":{\"a\":1},\"schema\":{\"type\":\"bogus\"}}",
        "{\"schema\":" STRUCT_A ",\"payload\":{\"a\":1},\"x\":2}",
        "{\"schema\":" STRUCT_A ",\"payload\":{\"a\":1}",
        "{\"schema\":" STRUCT_A ",\"payload\":{\"a\":1}]",
        "{\"schema\":" STRUCT_A "x,\"payload\":{\"a\":1}}",
    };
    for (size_t i = 0; i < COUNT(CASES); i++) {
        char first[2000], again[2000];
        rig self;
        const sluice_schema *schema;
        const sluice_value *value;
        sluice_bytes known = {CASES[0], strlen(CASES[0])};
        sluice_bytes bytes = {CASES[i], strlen(CASES[i])};
        snprintf(first, sizeof first, "%s", decoded(true, CASES[i]));
        rig_init(&self, true, false, true);
        CHECK(sluice_json_decode(self.decoder, known, self.arena, &schema, &value,
                                 self.err) == SLUICE_OK);
        sluice_status status = sluice_json_decode(self.decoder, bytes, self.arena,
                                                  &schema, &value, self.err);
        if (status != SLUICE_OK) {
            snprintf(again, sizeof again, "error: %s", sluice_error_text(self.err));
        } else {
            snprintf(again, sizeof again, "%s %s",
                     sluice_fake_show_schema(self.fake, schema),
                     sluice_fake_show(self.fake, value));
        }
        rig_done(&self);
        CHECK_TEXT(again, first);
    }
}

/* --- Writing. --- */

static const sluice_schema *plain(sluice_data_type type)
{
    return sluice_schema_of(type, false);
}

TEST(types_have_their_names)
{
    static const char *const NAMES[] = {"int8", "int16", "int32", "int64"};
    rig self;
    char wanted[100];
    rig_init(&self, true, false, true);
    const sluice_value *ones[] = {
        sluice_int8(self.arena, 1), sluice_int16(self.arena, 1),
        sluice_int32(self.arena, 1), sluice_int64(self.arena, 1)};
    for (int i = 0; i < 4; i++) {
        snprintf(wanted, sizeof wanted,
                 "{\"schema\":{\"type\":\"%s\",\"optional\":false},\"payload\":1}",
                 NAMES[i]);
        CHECK_TEXT(rig_encode(&self, plain((sluice_data_type)i), ones[i]), wanted);
    }
    CHECK_TEXT(
        rig_encode(&self, plain(SLUICE_TYPE_FLOAT32), sluice_float32(self.arena, 1.1f)),
        "{\"schema\":{\"type\":\"float\",\"optional\":false},\"payload\":1.1}");
    CHECK_TEXT(
        rig_encode(&self, plain(SLUICE_TYPE_FLOAT64), sluice_float64(self.arena, 1e21)),
        "{\"schema\":{\"type\":\"double\",\"optional\":false},\"payload\":1.0E21}");
    CHECK_TEXT(
        rig_encode(&self, plain(SLUICE_TYPE_BOOLEAN), sluice_boolean(true)),
        "{\"schema\":{\"type\":\"boolean\",\"optional\":false},\"payload\":true}");
    rig_done(&self);
}

TEST(what_does_not_fit_is_refused_with_the_class_it_has)
{
    rig self;
    rig_init(&self, true, false, true);
    CHECK_TEXT(
        rig_encode(&self, plain(SLUICE_TYPE_INT32), sluice_text(self.arena, "s")),
        "error: Invalid type for INT32: class java.lang.String");
    CHECK_TEXT(rig_encode(&self, plain(SLUICE_TYPE_INT32), sluice_int64(self.arena, 1)),
               "error: Invalid type for INT32: class java.lang.Long");
    CHECK_TEXT(
        rig_encode(&self, plain(SLUICE_TYPE_STRING), sluice_int32(self.arena, 1)),
        "error: Invalid type for STRING: class java.lang.Integer");
    CHECK_TEXT(
        rig_encode(&self, plain(SLUICE_TYPE_STRING), NULL),
        "error: Conversion error: null value for field that is required and has no "
        "default value");
    CHECK_TEXT(
        rig_encode(&self, plain(SLUICE_TYPE_BYTES), sluice_text(self.arena, "s")),
        "error: Invalid type for bytes type: class java.lang.String");
    rig_done(&self);
}

static const sluice_schema *finish(sluice_schema_builder *builder)
{
    const sluice_schema *schema = NULL;
    CHECK(sluice_schema_builder_finish(builder, &schema, NULL) == SLUICE_OK);
    return schema;
}

static const sluice_schema *struct_of(sluice_arena *arena, const char *name,
                                      const sluice_schema *field)
{
    sluice_schema_builder *builder =
        sluice_schema_builder_new(arena, SLUICE_TYPE_STRUCT);
    sluice_schema_builder_field(builder, name, field);
    return finish(builder);
}

TEST(attributes_come_in_their_order_and_defaults_are_written_for_nulls)
{
    rig self;
    rig_init(&self, true, false, true);
    sluice_schema_builder *builder =
        sluice_schema_builder_new(self.arena, SLUICE_TYPE_INT32);
    sluice_schema_builder_default(builder, sluice_int32(self.arena, 9));
    sluice_schema_builder_parameter(builder, "p", "q");
    sluice_schema_builder_doc(builder, "D");
    sluice_schema_builder_version(builder, 2);
    sluice_schema_builder_name(builder, "foo");
    sluice_schema_builder_optional(builder);
    const sluice_schema *schema = finish(builder);
    CHECK_TEXT(
        rig_encode(&self, schema, NULL),
        "{\"schema\":{\"type\":\"int32\",\"optional\":true,\"name\":\"foo\","
        "\"version\":2,\"doc\":\"D\",\"parameters\":{\"p\":\"q\"},\"default\":9},"
        "\"payload\":9}");
    rig_done(&self);
    rig_init(&self, false, false, false);
    CHECK_TEXT(rig_encode(&self, sluice_schema_of(SLUICE_TYPE_INT32, true), NULL),
               "null");
    rig_done(&self);
}

TEST(a_default_of_a_field_is_written_unless_it_is_not_wanted)
{
    rig self;
    for (int wanted = 0; wanted < 2; wanted++) {
        rig_init(&self, false, false, wanted == 1);
        sluice_schema_builder *builder =
            sluice_schema_builder_new(self.arena, SLUICE_TYPE_STRING);
        sluice_schema_builder_optional(builder);
        sluice_schema_builder_default(builder, sluice_text(self.arena, "x"));
        const sluice_schema *schema = struct_of(self.arena, "n", finish(builder));
        CHECK_TEXT(rig_encode(&self, schema, sluice_struct_new(self.arena, schema)),
                   wanted == 1 ? "{\"n\":\"x\"}" : "{\"n\":null}");
        rig_done(&self);
    }
}

TEST(a_decimal_default_has_the_format_of_decimals)
{
    for (int numeric = 0; numeric < 2; numeric++) {
        rig self;
        sluice_value *value;
        rig_init(&self, true, numeric == 1, true);
        CHECK(sluice_decimal_parse(self.arena, "2.5", 3, 1, &value, NULL) == SLUICE_OK);
        sluice_schema_builder *builder =
            sluice_schema_builder_new(self.arena, SLUICE_TYPE_BYTES);
        sluice_schema_builder_name(builder, SLUICE_DECIMAL);
        sluice_schema_builder_version(builder, 1);
        sluice_schema_builder_parameter(builder, "scale", "1");
        sluice_schema_builder_default(builder, value);
        const sluice_schema *schema = struct_of(self.arena, "d", finish(builder));
        char wanted[400];
        const char *text = numeric == 1 ? "2.5" : "\"GQ==\"";
        snprintf(wanted, sizeof wanted,
                 "{\"schema\":{\"type\":\"struct\",\"fields\":[{\"type\":\"bytes\","
                 "\"optional\":false,\"name\":\"" SLUICE_DECIMAL "\",\"version\":1,"
                 "\"parameters\":{\"scale\":\"1\"},\"default\":%s,\"field\":\"d\"}],"
                 "\"optional\":false},\"payload\":{\"d\":%s}}",
                 text, text);
        CHECK_TEXT(rig_encode(&self, schema, sluice_struct_new(self.arena, schema)),
                   wanted);
        rig_done(&self);
    }
}

TEST(a_struct_of_another_schema_is_refused)
{
    rig self;
    rig_init(&self, true, false, true);
    const sluice_schema *one = struct_of(self.arena, "a", plain(SLUICE_TYPE_INT32));
    const sluice_schema *other = struct_of(self.arena, "b", plain(SLUICE_TYPE_INT32));
    const sluice_schema *equal = struct_of(self.arena, "a", plain(SLUICE_TYPE_INT32));
    sluice_value *value = sluice_struct_new(self.arena, other);
    sluice_struct_set(value, 0, sluice_int32(self.arena, 1));
    CHECK_TEXT(rig_encode(&self, one, value), "error: Mismatching schema.");
    value = sluice_struct_new(self.arena, equal);
    sluice_struct_set(value, 0, sluice_int32(self.arena, 1));
    CHECK_TEXT(rig_encode(&self, one, value),
               "{\"schema\":{\"type\":\"struct\",\"fields\":[{\"type\":\"int32\","
               "\"optional\":false,\"field\":\"a\"}],\"optional\":false},\"payload\":{"
               "\"a\":1}}");
    rig_done(&self);
}

TEST(arrays_and_maps_have_the_schemas_of_their_parts)
{
    rig self;
    rig_init(&self, true, false, true);
    sluice_schema_builder *builder =
        sluice_schema_builder_new(self.arena, SLUICE_TYPE_ARRAY);
    sluice_schema_builder_element(builder, sluice_schema_of(SLUICE_TYPE_INT32, true));
    sluice_value *array = sluice_array_new(self.arena, 2);
    sluice_array_add(self.arena, array, sluice_int32(self.arena, 1));
    sluice_array_add(self.arena, array, NULL);
    CHECK_TEXT(
        rig_encode(&self, finish(builder), array),
        "{\"schema\":{\"type\":\"array\",\"items\":{\"type\":\"int32\",\"optional\":"
        "true},\"optional\":false},\"payload\":[1,null]}");
    builder = sluice_schema_builder_new(self.arena, SLUICE_TYPE_MAP);
    sluice_schema_builder_key(builder, plain(SLUICE_TYPE_INT32));
    sluice_schema_builder_element(builder, plain(SLUICE_TYPE_STRING));
    sluice_value *map = sluice_map_new(self.arena, 2);
    sluice_map_add(self.arena, map, sluice_int32(self.arena, 1),
                   sluice_text(self.arena, "a"));
    sluice_map_add(self.arena, map, sluice_int32(self.arena, 2),
                   sluice_text(self.arena, "b"));
    CHECK_TEXT(
        rig_encode(&self, finish(builder), map),
        "{\"schema\":{\"type\":\"map\",\"keys\":{\"type\":\"int32\",\"optional\":"
        "false},\"values\":{\"type\":\"string\",\"optional\":false},\"optional\":"
        "false},\"payload\":[[1,\"a\"],[2,\"b\"]]}");
    rig_done(&self);
}

TEST_MAIN
