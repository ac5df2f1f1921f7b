/* converters/json/converter_test.c - the plugin by its keys: values that come in with
 * an envelope go out again in each setting, to the byte. */
#include "test.h"
#include <math.h>
#include <sluice/plugin.h>
#include <sluice/test.h>

/* The symbol of the plugin, found as the worker finds it. */
extern const sluice_manifest sluice_plugin_manifest;

static sluice_fake *fake;
static sluice_arena *arena;
static sluice_error *err;
static const sluice_converter_ops *ops;
/* Named by schemas.enable, and what else is not the default. */
static void *enveloped, *plain, *enveloped_numeric, *plain_numeric, *plain_nulls,
    *enveloped_nulls;

static void *converter(const char *schemas, const char *decimals, const char *defaults)
{
    const sluice_feature *feature = sluice_plugin_manifest.features[0];
    void *self = NULL;
    void *config = sluice_fake_config(fake, feature->config, "schemas.enable", schemas,
                                      "decimal.format", decimals,
                                      "replace.null.with.default", defaults, NULL);
    CHECK(config != NULL);
    CHECK(feature->ops.converter->create(config, false, &self, err) == SLUICE_OK);
    return self;
}

static void begin(void)
{
    fake = sluice_fake_new();
    arena = sluice_arena_new();
    err = sluice_error_new();
    ops = sluice_plugin_manifest.features[0]->ops.converter;
    enveloped = converter("true", "BASE64", "true");
    plain = converter("false", "BASE64", "true");
    enveloped_numeric = converter("true", "NUMERIC", "true");
    plain_numeric = converter("false", "NUMERIC", "true");
    plain_nulls = converter("false", "BASE64", "false");
    enveloped_nulls = converter("true", "BASE64", "false");
}

static void end(void)
{
    ops->destroy(enveloped);
    ops->destroy(plain);
    ops->destroy(enveloped_numeric);
    ops->destroy(plain_numeric);
    ops->destroy(plain_nulls);
    ops->destroy(enveloped_nulls);
    sluice_error_free(err);
    sluice_arena_free(arena);
    sluice_fake_free(fake);
}

static const char *encoded(void *self, const sluice_schema *schema,
                           const sluice_value *value)
{
    static char text[4096];
    sluice_bytes bytes;
    if (ops->encode(self, "t", NULL, schema, value, arena, &bytes, err) != SLUICE_OK) {
        snprintf(text, sizeof text, "error: %s", sluice_error_text(err));
    } else {
        snprintf(text, sizeof text, "%.*s", bytes.base == NULL ? 6 : (int)bytes.len,
                 bytes.base == NULL ? "(none)" : (const char *)bytes.base);
    }
    return text;
}

/* What `json`, read by `reader`, is when `writer` writes it. */
static const char *again(void *reader, void *writer, const char *json)
{
    static char text[4096];
    const sluice_schema *schema;
    const sluice_value *value;
    sluice_bytes bytes = {json, json == NULL ? 0 : strlen(json)};
    if (ops->decode(reader, "t", NULL, bytes, arena, &schema, &value, err) !=
        SLUICE_OK) {
        snprintf(text, sizeof text, "error: %s", sluice_error_text(err));
        return text;
    }
    return encoded(writer, schema, value);
}

/* A payload under a schema, what becomes of both with schemas.enable, and of the
 * payload without; NULL where nothing changes. */
typedef struct vector {
    const char *schema, *payload, *enveloped, *plain;
} vector;

static void check_again(void *reader, void *with, void *without, const vector *vectors,
                        size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const vector *v = &vectors[i];
        const char *payload = v->plain == NULL ? v->payload : v->plain;
        char given[2048], wanted[2048];
        snprintf(given, sizeof given, "{\"schema\":%s,\"payload\":%s}", v->schema,
                 v->payload);
        snprintf(wanted, sizeof wanted, "{\"schema\":%s,\"payload\":%s}", v->schema,
                 payload);
        CHECK_TEXT(again(reader, with, given),
                   v->enveloped == NULL ? wanted : v->enveloped);
        CHECK_TEXT(again(reader, without, given), payload);
    }
}

#define COUNT(vectors) (sizeof(vectors) / sizeof *(vectors))
#define REQUIRED(type) "{\"type\":\"" type "\",\"optional\":false}"
#define OPTIONAL(type) "{\"type\":\"" type "\",\"optional\":true}"
#define ARRAY(items)   "{\"type\":\"array\",\"items\":" items ",\"optional\":false}"
#define MAP(keys, values)                                                              \
    "{\"type\":\"map\",\"keys\":" keys ",\"values\":" values ",\"optional\":false}"

TEST(each_type_goes_through_unchanged)
{
    static const vector VECTORS[] = {
        {REQUIRED("int8"), "-128", NULL, NULL},
        {REQUIRED("int16"), "32767", NULL, NULL},
        {REQUIRED("int32"), "-2147483648", NULL, NULL},
        {REQUIRED("int64"), "9223372036854775807", NULL, NULL},
        {REQUIRED("float"), "1.1", NULL, NULL},
        {REQUIRED("double"), "1.1", NULL, NULL},
        {REQUIRED("double"), "1.0E21", NULL, NULL},
        {REQUIRED("double"), "100", NULL, "100.0"},
        {REQUIRED("boolean"), "true", NULL, NULL},
        {REQUIRED("string"), "\"a\\\"\xc3\xa9\\n/\\u0001 \"", NULL, NULL},
        {REQUIRED("string"), "\"\\u00e9\\/\\ud83d\\ude00\"", NULL,
         "\"\xc3\xa9/\\uD83D\\uDE00\""},
        {REQUIRED("bytes"), "\"AQL/\"", NULL, NULL},
        {REQUIRED("bytes"), "\"\"", NULL, NULL},
        {ARRAY(OPTIONAL("int32")), "[1,null]", NULL, NULL},
        {ARRAY(ARRAY(REQUIRED("string"))), "[[],[\"x\"]]", NULL, NULL},
        {MAP(REQUIRED("string"), REQUIRED("int32")), "{\"k\":1}", NULL, NULL},
        {MAP(OPTIONAL("string"), REQUIRED("int32")), "{\"k\":1}", NULL, NULL},
        {MAP(REQUIRED("string"), REQUIRED("int32")), "{}", NULL, NULL},
        {MAP(REQUIRED("int32"), REQUIRED("string")), "[[1,\"a\"],[2,\"b\"]]", NULL,
         NULL},
        {MAP(REQUIRED("int32"), REQUIRED("string")), "[]", NULL, NULL},
    };
    begin();
    check_again(enveloped, enveloped, plain, VECTORS, COUNT(VECTORS));
    end();
}

#define LOGICAL(type, name)                                                            \
    "{\"type\":\"" type "\",\"optional\":false,\"name\":\"" name "\",\"version\":1}"
#define DECIMAL(scale)                                                                 \
    "{\"type\":\"bytes\",\"optional\":false,\"name\":\"" SLUICE_DECIMAL                \
    "\",\"version\":1,\"parameters\":{\"scale\":\"" scale "\"}}"

TEST(dates_and_times_are_whole_numbers)
{
    static const vector VECTORS[] = {
        {LOGICAL("int32", SLUICE_DATE), "10000", NULL, NULL},
        {LOGICAL("int32", SLUICE_DATE), "-1", NULL, NULL},
        {LOGICAL("int32", SLUICE_TIME), "14400000", NULL, NULL},
        {LOGICAL("int32", SLUICE_TIME), "86400000", NULL, NULL},
        {LOGICAL("int64", SLUICE_TIMESTAMP), "4000000000", NULL, NULL},
        {LOGICAL("int64", SLUICE_TIMESTAMP), "-62135596800000", NULL, NULL},
        {"{\"type\":\"int64\",\"optional\":true,\"name\":\"" SLUICE_TIMESTAMP
         "\",\"version\":1}",
         "null", NULL, NULL},
    };
    begin();
    check_again(enveloped, enveloped, plain, VECTORS, COUNT(VECTORS));
    end();
}

TEST(decimals_are_read_in_both_formats_whichever_is_written)
{
    static const vector BASE64[] = {
        {DECIMAL("2"), "\"AJw=\"", NULL, NULL},
        {DECIMAL("2"), "1.56", NULL, "\"AJw=\""},
        {DECIMAL("2"), "\"nA==\"", NULL, NULL},
        {DECIMAL("2"), "-1.00", NULL, "\"nA==\""},
        {DECIMAL("0"), "0", NULL, "\"AA==\""},
        {DECIMAL("0"), "128", NULL, "\"AIA=\""},
        {DECIMAL("0"), "-128", NULL, "\"gA==\""},
        {DECIMAL("0"), "65536", NULL, "\"AQAA\""},
    };
    static const vector NUMERIC[] = {
        {DECIMAL("2"), "1.56", NULL, NULL},
        {DECIMAL("2"), "\"AJw=\"", NULL, "1.56"},
        {DECIMAL("2"), "\"nA==\"", NULL, "-1.00"},
        {DECIMAL("-3"), "\"AQ==\"", NULL, "1E+3"},
        {DECIMAL("-3"), "1E+3", NULL, NULL},
        {DECIMAL("10"), "\"AQ==\"", NULL, "1E-10"},
        {DECIMAL("10"), "1E-10", NULL, NULL},
        {DECIMAL("0"), "12345678901234567890123", NULL, NULL},
    };
    begin();
    check_again(enveloped, enveloped, plain, BASE64, COUNT(BASE64));
    check_again(enveloped, enveloped_numeric, plain_numeric, NUMERIC, COUNT(NUMERIC));
    end();
}

#define REC                                                                            \
    "{\"type\":\"struct\",\"fields\":[{\"type\":\"int32\",\"optional\":false,"         \
    "\"field\":\"id\"},{\"type\":\"string\",\"optional\":true,\"doc\":\"nd\","         \
    "\"default\":\"x\",\"field\":\"nm\"},{\"type\":\"struct\",\"fields\":["            \
    "{\"type\":\"boolean\",\"optional\":false,\"field\":\"z\"}],\"optional\":true,"    \
    "\"field\":\"in\"}],\"optional\":false,\"name\":\"com.x.Rec\",\"version\":3,"      \
    "\"doc\":\"d\"}"

TEST(nulls_become_defaults_unless_that_is_switched_off)
{
    static const vector DEFAULTS[] = {
        {REC, "{\"id\":7}", NULL, "{\"id\":7,\"nm\":\"x\",\"in\":null}"},
        {REC, "{\"in\":{\"z\":true},\"nm\":\"y\",\"id\":7}", NULL,
         "{\"id\":7,\"nm\":\"y\",\"in\":{\"z\":true}}"},
        {"{\"type\":\"int32\",\"optional\":true,\"name\":\"foo\",\"version\":2,\"doc\":"
         "\"D\",\"parameters\":{\"p\":\"q\"},\"default\":9}",
         "null", NULL, "9"},
        {OPTIONAL("string"), "null", NULL, NULL},
        {"{\"type\":\"array\",\"items\":" REQUIRED("int32") ",\"optional\":true}",
         "null", NULL, NULL},
    };
    static const vector NULLS[] = {
        {REC, "{\"id\":7,\"nm\":null}", NULL, "{\"id\":7,\"nm\":null,\"in\":null}"},
        {"{\"type\":\"int32\",\"optional\":true,\"default\":9}", "null", NULL, NULL},
        {"{\"type\":\"int32\",\"optional\":true,\"default\":9}", "8", NULL, NULL},
    };
    begin();
    check_again(enveloped, enveloped, plain, DEFAULTS, COUNT(DEFAULTS));
    check_again(enveloped_nulls, enveloped_nulls, plain_nulls, NULLS, COUNT(NULLS));
    end();
}

#define DECIMAL_FIELD(fallback)                                                        \
    "{\"type\":\"struct\",\"fields\":[{\"type\":\"bytes\",\"optional\":false,"         \
    "\"name\":\"" SLUICE_DECIMAL "\",\"version\":1,\"parameters\":{\"scale\":\"1\"},"  \
    "\"default\":" fallback ",\"field\":\"d\"}],\"optional\":false}"

TEST(a_default_in_a_schema_is_written_as_a_value_of_it)
{
    static const vector BASE64[] = {
        {DECIMAL_FIELD("\"GQ==\""), "{}", NULL, "{\"d\":\"GQ==\"}"},
        {DECIMAL_FIELD("2.5"), "{}",
         "{\"schema\":" DECIMAL_FIELD("\"GQ==\"") ",\"payload\":{\"d\":\"GQ==\"}}",
         "{\"d\":\"GQ==\"}"},
    };
    static const vector NUMERIC[] = {
        {DECIMAL_FIELD("2.5"), "{}", NULL, "{\"d\":2.5}"},
        {DECIMAL_FIELD("\"GQ==\""), "{}",
         "{\"schema\":" DECIMAL_FIELD("2.5") ",\"payload\":{\"d\":2.5}}",
         "{\"d\":2.5}"},
        {DECIMAL_FIELD("12345678901234567890123456789.1"), "{}", NULL,
         "{\"d\":12345678901234567890123456789.1}"},
        {DECIMAL_FIELD("1E+2"), "{}",
         "{\"schema\":" DECIMAL_FIELD("100.0") ",\"payload\":{\"d\":100.0}}",
         "{\"d\":100.0}"},
    };
    begin();
    check_again(enveloped, enveloped, plain, BASE64, COUNT(BASE64));
    check_again(enveloped, enveloped_numeric, plain_numeric, NUMERIC, COUNT(NUMERIC));
    end();
}

TEST(floats_that_json_has_no_number_for_are_texts)
{
    const sluice_schema *narrow = sluice_schema_of(SLUICE_TYPE_FLOAT32, false);
    const sluice_schema *wide = sluice_schema_of(SLUICE_TYPE_FLOAT64, false);
    begin();
    CHECK_TEXT(encoded(enveloped, wide, sluice_float64(arena, NAN)),
               "{\"schema\":" REQUIRED("double") ",\"payload\":\"NaN\"}");
    CHECK_TEXT(encoded(enveloped, narrow, sluice_float32(arena, INFINITY)),
               "{\"schema\":" REQUIRED("float") ",\"payload\":\"Infinity\"}");
    CHECK_TEXT(encoded(plain, narrow, sluice_float32(arena, -INFINITY)),
               "\"-Infinity\"");
    end();
}

TEST(without_a_schema_there_is_a_null_in_its_place)
{
    begin();
    sluice_value *map = sluice_map_new(arena, 2);
    sluice_map_add(arena, map, sluice_int32(arena, 1), sluice_text(arena, "x"));
    sluice_map_add_text(arena, map, "b", sluice_boolean(true));
    CHECK_TEXT(encoded(enveloped, NULL, NULL), "(none)");
    CHECK_TEXT(encoded(plain, NULL, NULL), "(none)");
    CHECK_TEXT(encoded(enveloped, NULL, sluice_int64(arena, 5)),
               "{\"schema\":null,\"payload\":5}");
    CHECK_TEXT(encoded(enveloped, NULL, map),
               "{\"schema\":null,\"payload\":[[1,\"x\"],[\"b\",true]]}");
    CHECK_TEXT(encoded(enveloped, NULL, sluice_map_new(arena, 0)),
               "{\"schema\":null,\"payload\":{}}");
    CHECK_TEXT(encoded(enveloped, NULL, sluice_binary(arena, "bytes", 5)),
               "{\"schema\":null,\"payload\":\"Ynl0ZXM=\"}");
    CHECK_TEXT(again(plain, enveloped, "[1, \"a\"]"),
               "{\"schema\":null,\"payload\":[1,\"a\"]}");
    CHECK_TEXT(again(plain, plain, " {\"k\" : 1.50 } "), "{\"k\":1.5}");
    end();
}

TEST(a_null_that_is_required_is_refused_in_both_modes)
{
    static const char NO_NULL[] = "error: Conversion error: null value for field that "
                                  "is required and has no default value";
    const sluice_schema *schema = NULL;
    begin();
    sluice_schema_builder *builder =
        sluice_schema_builder_new(arena, SLUICE_TYPE_STRUCT);
    sluice_schema_builder_field(builder, "d",
                                sluice_schema_of(SLUICE_TYPE_INT64, true));
    CHECK(sluice_schema_builder_finish(builder, &schema, err) == SLUICE_OK);
    CHECK_TEXT(encoded(enveloped, schema, NULL), NO_NULL);
    schema = sluice_schema_of(SLUICE_TYPE_STRING, false);
    CHECK_TEXT(encoded(enveloped, schema, NULL), NO_NULL);
    CHECK_TEXT(encoded(plain, schema, NULL), NO_NULL);
    end();
}

#define BAD                                                                            \
    "error: Converting byte[] to Kafka Connect data failed due to serialization "      \
    "error: "

TEST(an_envelope_is_asked_for_only_with_schemas_enable)
{
    static const char *const PLAIN[] = {
        "{\"schema\":{\"type\":\"int32\"},\"payload\":1}",
        "{\"schema\":null,\"payload\":1}", "{\"schema\":1}", "{\"payload\":1}",
        "{\"a\":0.1}"};
    static const char NO_ENVELOPE[] =
        "error: JsonConverter with schemas.enable requires \"schema\" and \"payload\" "
        "fields and may not contain additional fields. If you are trying to "
        "deserialize plain JSON data, set schemas.enable=false in your converter "
        "configuration.";
    begin();
    for (size_t i = 0; i < COUNT(PLAIN); i++) {
        CHECK_TEXT(again(plain, plain, PLAIN[i]), PLAIN[i]);
    }
    for (size_t i = 2; i < COUNT(PLAIN); i++) {
        CHECK_TEXT(again(enveloped, enveloped, PLAIN[i]), NO_ENVELOPE);
    }
    CHECK_TEXT(again(enveloped, enveloped, ""), NO_ENVELOPE);
    CHECK_TEXT(again(enveloped, enveloped, NULL), "(none)");
    CHECK_TEXT(again(plain, plain, ""), "(none)");
    CHECK_TEXT(again(plain, plain, "null"), "(none)");
    CHECK(strncmp(again(enveloped, plain, "{bad"), BAD, strlen(BAD)) == 0);
    CHECK(strncmp(again(plain, plain, "{bad"), BAD, strlen(BAD)) == 0);
    end();
}

TEST(a_decimal_format_is_known_by_its_name_in_any_case)
{
    begin();
    void *self = converter("false", "numeric", "true");
    CHECK_TEXT(
        again(enveloped, self, "{\"schema\":" DECIMAL("1") ",\"payload\":\"GQ==\"}"),
        "2.5");
    ops->destroy(self);
    end();
}

/* A text with its schema, and what a plain converter writes of it, or a part of the
 * message. */
typedef struct reading {
    const char *schema, *payload, *result;
} reading;

static void check_readings(const reading *readings, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char given[2048];
        snprintf(given, sizeof given, "{\"schema\":%s,\"payload\":%s}",
                 readings[i].schema, readings[i].payload);
        CHECK_TEXT(again(enveloped, plain, given), readings[i].result);
    }
}

#define FIELD(name, schema) "{\"field\":\"" name "\"," schema "}"
#define STRUCT(fields)      "{\"type\":\"struct\",\"fields\":[" fields "]}"
#define LOST(where)                                                                    \
    "error: Invalid value: null used for required " where ", schema type: STRING"

TEST(what_does_not_fit_is_told_as_kafka_connect_tells_it)
{
    static const char AB[] =
        STRUCT(FIELD("a", "\"type\":\"struct\",\"fields\":[]") "," FIELD(
            "b", "\"type\":\"string\""));
    static const reading READINGS[] = {
        /* In the order of the schema; of a name that comes twice the last counts. */
        {AB, "{\"b\":1,\"a\":2}",
         "error: Structs should be encoded as JSON objects, but found NUMBER"},
        {AB, "{\"b\":1}", "error: Invalid null value for required STRUCT field"},
        {AB, "{\"b\":1,\"a\":{}}", LOST("field: \"b\"")},
        {AB, "{\"b\":1,\"a\":2,\"b\":\"x\",\"a\":{}}", "{\"a\":{},\"b\":\"x\"}"},
        {STRUCT(FIELD("f", "\"type\":\"array\",\"items\":{\"type\":\"string\"}")),
         "{\"f\":[\"x\",1]}", LOST("element of array field: \"f\"")},
        {STRUCT(FIELD("f", "\"type\":\"map\",\"keys\":{\"type\":\"int32\"},"
                           "\"values\":{\"type\":\"string\"}")),
         "{\"f\":[[1,2]]}", LOST("value of map field: \"f\"")},
        {"{\"type\":\"int32\",\"default\":null}", "1",
         "error: Invalid null value for required INT32 field"},
        {"{\"type\":\"string\",\"default\":1}", "\"x\"",
         "error: Invalid default value"},
        {"{\"type\":\"struct\",\"fields\":[],\"default\":{}}", "{}",
         "error: Invalid default value"},
        {"{\"type\":\"map\",\"keys\":null,\"values\":{\"type\":\"int8\"}}", "{}",
         "error: keySchema cannot be null."},
        {DECIMAL_FIELD("\"GQ==\""), "{\"d\":\"\"}",
         "error: Invalid bytes for Decimal field"},
    };
    begin();
    check_readings(READINGS, COUNT(READINGS));
    end();
}

TEST(what_kafka_connect_is_lenient_with_is_read)
{
    static const reading READINGS[] = {
        {ARRAY(REQUIRED("int32")), "{\"a\":1,\"b\":2}", "[1,2]"},
        {ARRAY(REQUIRED("int32")), "5", "[]"},
        {MAP(REQUIRED("string"), REQUIRED("int32")), "{\"a\":1,\"b\":2,\"a\":3}",
         "{\"a\":3,\"b\":2}"},
        {REQUIRED("bytes"), "\" AQ== AQI=AQID\"", "\"AQECAQID\""},
        {REQUIRED("bytes"), "\"AQ\"", "error: Invalid bytes field"},
        {REQUIRED("bytes"), "\"AQ=A\"", "error: Invalid bytes field"},
        {REQUIRED("bytes"), "\"A===\"", "error: Invalid bytes field"},
    };
    begin();
    check_readings(READINGS, COUNT(READINGS));
    CHECK_TEXT(again(plain, plain, "\xef\xbb\xbf[1]"), "[1]");
    CHECK_TEXT(again(plain, plain, " \n\t"), "(none)");
    CHECK_TEXT(again(plain, plain, "1 x"), "1");
    CHECK_TEXT(again(plain, plain, "\"a\"x"), "\"a\"");
    CHECK(strstr(again(plain, plain, "1x"), "Expected space separating") != NULL);
    end();
}

/* The most that Jackson reads: a thousand levels, a thousand digits, names of 50,000
 * bytes. */
TEST(the_limits_are_jacksons)
{
    enum { levels = 1000, digits = 1000, name = 50000 };
    static char text[name + 10], deep[2 * (levels + 1) + 1];
    begin();
    for (int more = 0; more < 2; more++) {
        memset(deep, '[', levels + (size_t)more);
        memset(deep + levels + more, ']', levels + (size_t)more);
        CHECK((strstr(again(plain, plain, deep), "error") != NULL) == (more == 1));
        snprintf(text, sizeof text, "-1.%0*dE-0", digits - 2 + more, 0);
        CHECK((strstr(again(plain, plain, text), "error") != NULL) == (more == 1));
        snprintf(text, sizeof text, "{\"%0*d\":1}", name + more, 0);
        CHECK((strstr(again(plain, plain, text), "error") != NULL) == (more == 1));
    }
    end();
}

TEST_MAIN
