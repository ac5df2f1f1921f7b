/* connectors/postgres/types_test.c - what each PostgreSQL type becomes, mode by mode.
 */
#include "column.h"
#include "test.h"

#define OTHER_DIMENSIONS                                                               \
    "the array has another number of dimensions than the column is declared with or "  \
    "had before: make them alike, or set "                                             \
    "event.converting.failure.handling.mode=warn, which gives null"

#include <sluice/test.h>

static const postgres_config plain = {.money_digits = 2,
                                      .placeholder = "__debezium_unavailable_value"};

typedef struct example {
    uint32_t type;
    int32_t typmod;
    const char *text, *schema, *value;
} example;

static const type_facts facts[] = {
    {.oid = 90001, .name = "mood", .kind = 'e', .labels = "sad,ok"},
    {.oid = 90002, .name = "price", .kind = 'd', .base = 1700, .base_typmod = 655366},
    {.oid = 90003, .name = "citext", .kind = 'b'},
    {.oid = 90004, .name = "_mood", .kind = 'b', .element = 90001},
    {.oid = 90005, .name = "pair", .kind = 'c'},
    {.oid = 90006, .name = "hstore", .kind = 'b'},
    {.oid = 90007, .name = "geometry", .kind = 'b', .delimiter = ':'},
    {.oid = 90008, .name = "geography", .kind = 'b'},
    {.oid = 90009, .name = "vector", .kind = 'b'},
    {.oid = 90010, .name = "halfvec", .kind = 'b'},
    {.oid = 90011, .name = "sparsevec", .kind = 'b'},
    {.oid = 90012, .name = "_hstore", .kind = 'b', .element = 90006},
    {.oid = 90013, .name = "_pair", .kind = 'b', .element = 90005},
    {.oid = 90014, .name = "_geometry", .kind = 'b', .element = 90007},
};

static const type_facts *find(void *context, uint32_t oid)
{
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
        if (facts[i].oid == oid) {
            return &facts[i];
        }
    }
    return NULL;
}

static const type_source types = {find, NULL};

static bool describe(pg_column *column, const postgres_config *config, uint32_t type,
                     int32_t typmod, const char *initial, sluice_arena *arena)
{
    *column = (pg_column){.config = config,
                          .name = "c",
                          .type = type,
                          .typmod = typmod,
                          .optional = true};
    return column_describe(column, &types, initial, arena);
}

static void check_examples(const postgres_config *config, const example *examples,
                           size_t count)
{
    sluice_fake *fake = sluice_fake_new();
    sluice_arena *arena = sluice_arena_new();
    sluice_error *err = sluice_error_new();
    for (size_t i = 0; i < count; i++) {
        const example *it = &examples[i];
        pg_column column;
        const sluice_value *value;
        CHECK(describe(&column, config, it->type, it->typmod, NULL, arena));
        CHECK_TEXT(sluice_fake_show_schema(fake, column.schema), it->schema);
        sluice_status status =
            column.convert(&column, arena, it->text, strlen(it->text), &value, err);
        CHECK_TEXT(status == SLUICE_OK ? sluice_fake_show(fake, value)
                                       : sluice_error_text(err),
                   it->value);
        CHECK(status != SLUICE_OK ||
              sluice_value_check(value, column.schema, NULL) == SLUICE_OK);
        CHECK(sluice_value_check(column.fallback, column.schema, NULL) == SLUICE_OK);
        CHECK(column.fallback != NULL);
        CHECK(sluice_value_check(column.unavailable, column.schema, NULL) == SLUICE_OK);
    }
    sluice_error_free(err);
    sluice_arena_free(arena);
    sluice_fake_free(fake);
}

#define CHECK_EXAMPLES(config, examples)                                               \
    check_examples(config, examples, sizeof examples / sizeof *examples)

TEST(numbers_and_booleans_keep_their_width)
{
    static const example examples[] = {
        {16, -1, "t", "BOOLEAN?", "true"},
        {16, -1, "f", "BOOLEAN?", "false"},
        {21, -1, "-32768", "INT16?", "-32768"},
        {23, -1, "-2147483648", "INT32?", "-2147483648"},
        {20, -1, "-9223372036854775808", "INT64?", "-9223372036854775808"},
        {20, -1, "9223372036854775807", "INT64?", "9223372036854775807"},
        {26, -1, "4294967295", "INT64?", "4294967295"},
        {700, -1, "1.5", "FLOAT32?", "1.5"},
        {701, -1, "-2.5e-300", "FLOAT64?", "-2.5e-300"},
        {21, -1, "32768", "INT16?", "'32768' is no number of 16 bits"},
        {23, -1, "1x", "INT32?", "'1x' is no number of 32 bits"},
    };
    CHECK_EXAMPLES(&plain, examples);
}

#define DECIMAL "BYTES[org.apache.kafka.connect.data.Decimal]?"
#define VARIABLE                                                                       \
    "STRUCT{scale INT32,value BYTES}[io.debezium.data.VariableScaleDecimal]?"

TEST(numeric_is_exact)
{
    static const example examples[] = {
        {1700, 655366, "12.34", DECIMAL, "0x04d2"},
        {1700, 655366, "-0.01", DECIMAL, "0xff"},
        {1700, 655366, "0.00", DECIMAL, "0x00"},
        {1700, 655366, "1.28", DECIMAL, "0x0080"},
        {1700, 655366, "-1.28", DECIMAL, "0x80"},
        {1700, 2490372, "99999999999999999999999999999999999999", DECIMAL,
         "0x4b3b4ca85a86c47a098a223fffffffff"},
        {1700, -1, "12.340", VARIABLE, "{\"scale\":2,\"value\":0x04d2}"},
        {1700, -1, "100", VARIABLE, "{\"scale\":0,\"value\":0x64}"},
        {1700, -1, "100.00", VARIABLE, "{\"scale\":0,\"value\":0x64}"},
        {1700, -1, "-0.5", VARIABLE, "{\"scale\":1,\"value\":0xfb}"},
        {790, -1, "-$1,234.11", DECIMAL, "0xfe1ded"},
    };
    CHECK_EXAMPLES(&plain, examples);
}

TEST(numeric_that_is_no_number_is_told)
{
    sluice_arena *arena = sluice_arena_new();
    sluice_error *err = sluice_error_new();
    static const char *const texts[] = {"NaN", "Infinity", "-Infinity"};
    for (int i = 0; i < 3; i++) {
        pg_column column;
        const sluice_value *value;
        CHECK(describe(&column, &plain, 1700, i == 0 ? 655366 : -1, NULL, arena));
        CHECK_INT(
            column.convert(&column, arena, texts[i], strlen(texts[i]), &value, err),
            SLUICE_BAD_RECORD);
        CHECK(strstr(sluice_error_text(err), "decimal.handling.mode") != NULL);
    }
    sluice_error_free(err);
    sluice_arena_free(arena);
}

TEST(decimals_as_double_or_string)
{
    static const example doubles[] = {
        {1700, 655366, "12.34", "FLOAT64?", "12.34"},
        {790, -1, "$1,234.50", "FLOAT64?", "1234.5"},
    };
    static const example strings[] = {
        {1700, 655366, "12.30", "STRING?", "\"12.30\""},
        {1700, -1, "NaN", "STRING?", "\"NAN\""},
        {1700, -1, "Infinity", "STRING?", "\"POSITIVE_INFINITY\""},
        {1700, -1, "-Infinity", "STRING?", "\"NEGATIVE_INFINITY\""},
        {790, -1, "-$1,234.50", "STRING?", "\"-1234.50\""},
    };
    postgres_config config = plain;
    config.decimal_mode = DECIMAL_DOUBLE;
    CHECK_EXAMPLES(&config, doubles);
    config.decimal_mode = DECIMAL_STRING;
    CHECK_EXAMPLES(&config, strings);
}

TEST(money_is_rounded_to_its_digits)
{
    static const example whole[] = {{790, -1, "$2.50", DECIMAL, "0x03"},
                                    {790, -1, "-$2.50", DECIMAL, "0xfd"},
                                    {790, -1, "$2.49", DECIMAL, "0x02"}};
    postgres_config config = plain;
    config.money_digits = 0;
    CHECK_EXAMPLES(&config, whole);
}

TEST(texts_keep_their_bytes_and_names)
{
    static const example examples[] = {
        {25, -1, "a\tb", "STRING?", "\"a\\u0009b\""},
        {1042, 9, "ab   ", "STRING?", "\"ab   \""},
        {1043, 14, "", "STRING?", "\"\""},
        {19, -1, "n", "STRING?", "\"n\""},
        {114, -1, "{\"a\": 1.0}", "STRING[io.debezium.data.Json]?",
         "\"{\\\"a\\\": 1.0}\""},
        {2950, -1, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
         "STRING[io.debezium.data.Uuid]?", "\"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11\""},
        {142, -1, "<a/>", "STRING[io.debezium.data.Xml]?", "\"<a/>\""},
        {869, -1, "10.0.0.1/8", "STRING?", "\"10.0.0.1/8\""},
        {3904, -1, "[1,6)", "STRING?", "\"[1,6)\""},
        {90001, -1, "ok", "STRING[io.debezium.data.Enum]?", "\"ok\""},
        {90002, -1, "12.34", DECIMAL, "0x04d2"},
        {90003, -1, "Ab", "STRING?", "\"Ab\""},
    };
    CHECK_EXAMPLES(&plain, examples);
}

TEST(bytes_in_every_mode)
{
    static const struct {
        binary_mode mode;
        example example;
    } cases[] = {
        {BINARY_BYTES, {17, -1, "\\x00ff10", "BYTES?", "0x00ff10"}},
        {BINARY_BYTES, {17, -1, "\\x", "BYTES?", "0x"}},
        {BINARY_HEX, {17, -1, "\\x00ff10", "STRING?", "\"00ff10\""}},
        {BINARY_BASE64, {17, -1, "\\x00ff10fb", "STRING?", "\"AP8Q+w==\""}},
        {BINARY_BASE64_URL_SAFE, {17, -1, "\\x00ff10fb", "STRING?", "\"AP8Q-w==\""}},
        {BINARY_BYTES,
         {17, -1, "\\x0", "BYTES?", "'\\x0' is no bytea in hexadecimal digits"}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        postgres_config config = plain;
        config.binary_mode = cases[i].mode;
        check_examples(&config, &cases[i].example, 1);
    }
}

TEST(bits_are_a_number_with_its_low_byte_first)
{
    static const example examples[] = {
        {1560, 1, "1", "BOOLEAN?", "true"},
        {1560, 2, "11", "BYTES[io.debezium.data.Bits]?", "0x03"},
        {1560, 7, "1000000", "BYTES[io.debezium.data.Bits]?", "0x40"},
        {1560, 2, "00", "BYTES[io.debezium.data.Bits]?", "0x"},
        {1562, -1, "100000010", "BYTES[io.debezium.data.Bits]?", "0x0201"},
    };
    CHECK_EXAMPLES(&plain, examples);
}

#define MICRO_TIMESTAMP "INT64[io.debezium.time.MicroTimestamp]?"
#define ZONED           "STRING[io.debezium.time.ZonedTimestamp]?"

TEST(times_follow_the_precision_of_their_column)
{
    static const example examples[] = {
        {1082, -1, "2016-11-04", "INT32[io.debezium.time.Date]?", "17109"},
        {1082, -1, "infinity", "INT32[io.debezium.time.Date]?", "2147483647"},
        {1083, -1, "13:51:30.123456", "INT64[io.debezium.time.MicroTime]?",
         "49890123456"},
        {1083, 3, "13:51:30.123", "INT32[io.debezium.time.Time]?", "49890123"},
        {1083, -1, "24:00:00", "INT64[io.debezium.time.MicroTime]?", "86400000000"},
        {1266, -1, "13:51:30.12+02", "STRING[io.debezium.time.ZonedTime]?",
         "\"11:51:30.12Z\""},
        {1266, -1, "24:00:00+00", "STRING[io.debezium.time.ZonedTime]?",
         "\"00:00:00Z\""},
        {1114, -1, "2016-11-04 13:51:30.123456", MICRO_TIMESTAMP, "1478267490123456"},
        {1114, 3, "1969-12-31 23:59:59.999", "INT64[io.debezium.time.Timestamp]?",
         "-1"},
        {1114, -1, "infinity", MICRO_TIMESTAMP, "9223372036825200000"},
        {1114, -1, "-infinity", MICRO_TIMESTAMP, "-9223372036832400000"},
        {1114, 3, "infinity", "INT64[io.debezium.time.Timestamp]?", "9223372036825200"},
        {1184, -1, "2016-11-04 13:51:30+00", ZONED, "\"2016-11-04T13:51:30.000000Z\""},
        {1184, 3, "2016-11-04 13:51:30.1+00", ZONED, "\"2016-11-04T13:51:30.100Z\""},
        {1184, -1, "-infinity", ZONED, "\"-infinity\""},
        {1186, -1, "1 year 2 mons 3 days 04:05:06.78",
         "INT64[io.debezium.time.MicroDuration]?", "37091106780000"},
    };
    CHECK_EXAMPLES(&plain, examples);
}

TEST(times_in_the_other_modes)
{
    static const struct {
        time_mode mode;
        example example;
    } cases[] = {
        {TIME_CONNECT,
         {1082, -1, "2016-11-04", "INT32[org.apache.kafka.connect.data.Date]?",
          "17109"}},
        {TIME_CONNECT,
         {1083, -1, "00:00:01.5", "INT32[org.apache.kafka.connect.data.Time]?",
          "1500"}},
        {TIME_CONNECT,
         {1114, -1, "1970-01-01 00:00:01.5",
          "INT64[org.apache.kafka.connect.data.Timestamp]?", "1500"}},
        {TIME_ADAPTIVE_MICROSECONDS,
         {1083, 0, "00:00:01", "INT64[io.debezium.time.MicroTime]?", "1000000"}},
        {TIME_MICROSECONDS,
         {1114, 0, "1970-01-01 00:00:01", MICRO_TIMESTAMP, "1000000"}},
        {TIME_NANOSECONDS,
         {1114, -1, "1970-01-01 00:00:00.000001",
          "INT64[io.debezium.time.NanoTimestamp]?", "1000"}},
        {TIME_ISOSTRING,
         {1082, -1, "2016-11-04", "STRING[io.debezium.time.IsoDate]?",
          "\"2016-11-04Z\""}},
        {TIME_ISOSTRING,
         {1114, -1, "2016-11-04 13:51:30.5", "STRING[io.debezium.time.IsoTimestamp]?",
          "\"2016-11-04T13:51:30.5Z\""}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        postgres_config config = plain;
        config.time_mode = cases[i].mode;
        check_examples(&config, &cases[i].example, 1);
    }
}

TEST(an_interval_as_text_is_exact)
{
    static const example examples[] = {{1186, -1, "1 year 2 mons 3 days 04:05:06.78",
                                        "STRING[io.debezium.time.Interval]?",
                                        "\"P1Y2M3DT4H5M6.78S\""}};
    postgres_config config = plain;
    config.interval_mode = INTERVAL_STRING;
    CHECK_EXAMPLES(&config, examples);
}

TEST(arrays_are_unquoted)
{
    static const example examples[] = {
        {1007, -1, "{1,NULL,-3}", "ARRAY(INT32?)?", "[1,null,-3]"},
        {1009, -1, "{a,\"b c\",NULL,\"\",\"NULL\",\"q\\\"x\"}", "ARRAY(STRING?)?",
         "[\"a\",\"b c\",null,\"\",\"NULL\",\"q\\\"x\"]"},
        {1009, -1, "{}", "ARRAY(STRING?)?", "[]"},
        {1231, 655366, "{1.10,2.00}", "ARRAY(" DECIMAL ")?", "[0x6e,0x00c8]"},
        {90004, -1, "{sad,ok}", "ARRAY(STRING[io.debezium.data.Enum]?)?",
         "[\"sad\",\"ok\"]"},
        {1007, -1, "{{1},{2}}", "ARRAY(INT32?)?", OTHER_DIMENSIONS},
        {1007, -1, "[0:1]={1,2}", "ARRAY(INT32?)?", "[1,2]"},
        {1007, -1, "{1,2", "ARRAY(INT32?)?", "'{1,2' is no array"},
        {1561, 3, "{101,000}", "ARRAY(BYTES[io.debezium.data.Bits]?)?", "[0x05,0x]"},
    };
    CHECK_EXAMPLES(&plain, examples);
}

/* What a text of a column that is declared with so many dimensions becomes. */
static void check_deep(int dimensions, uint32_t type, const char *text,
                       const char *schema, const char *shown)
{
    sluice_fake *fake = sluice_fake_new();
    sluice_arena *arena = sluice_arena_new();
    sluice_error *err = sluice_error_new();
    const sluice_value *value;
    pg_column column = {.config = &plain,
                        .name = "c",
                        .type = type,
                        .typmod = -1,
                        .dimensions = dimensions,
                        .optional = true};
    CHECK(column_describe(&column, &types, NULL, arena));
    CHECK_TEXT(sluice_fake_show_schema(fake, column.schema), schema);
    sluice_status status =
        column.convert(&column, arena, text, strlen(text), &value, err);
    CHECK_TEXT(status == SLUICE_OK ? sluice_fake_show(fake, value)
                                   : sluice_error_text(err),
               shown);
    CHECK(sluice_value_check(column.unavailable, column.schema, NULL) == SLUICE_OK);
    sluice_error_free(err);
    sluice_arena_free(arena);
    sluice_fake_free(fake);
}

TEST(arrays_that_are_declared_with_more_dimensions_are_arrays_of_arrays)
{
    const char *const two = "ARRAY(ARRAY(INT32?)?)?";
    check_deep(2, 1007, "{{1,2},{3,NULL}}", two, "[[1,2],[3,null]]");
    check_deep(2, 1007, "[0:1][1:1]={{1},{3}}", two, "[[1],[3]]");
    check_deep(2, 1007, "{}", two, "[]");
    check_deep(3, 1007, "{{{1},{2}},{{3},{4}}}", "ARRAY(ARRAY(ARRAY(INT32?)?)?)?",
               "[[[1],[2]],[[3],[4]]]");
    check_deep(2, 1009, "{{a,\"}{\\\",\"},{NULL,\"\\\\\"}}", "ARRAY(ARRAY(STRING?)?)?",
               "[[\"a\",\"}{\\\",\"],[null,\"\\\\\"]]");
    check_deep(2, 1007, "{1,2}", two, OTHER_DIMENSIONS);
    check_deep(2, 1007, "{{1}", two, OTHER_DIMENSIONS);
    check_deep(30, 1007, "{{{{{{1}}}}}}",
               "ARRAY(ARRAY(ARRAY(ARRAY(ARRAY(ARRAY(INT32?)?)?)?)?)?)?",
               "[[[[[[1]]]]]]");
}

#define GEOMETRY(name)                                                                 \
    "STRUCT{wkb BYTES,srid INT32?}[io.debezium.data.geometry." name "]?"
#define POINT                                                                          \
    "STRUCT{x FLOAT64,y FLOAT64,wkb BYTES?,srid INT32?}[io.debezium.data.geometry."    \
    "Point]?"

TEST(points_and_geometries_are_structs)
{
    static const example examples[] = {
        {600, -1, "(1.5,-2)", POINT,
         "{\"x\":1.5,\"y\":-2,\"wkb\":0x0101000000000000000000f83f00000000000000c0,"
         "\"srid\":null}"},
        {600, -1, "(1.5 -2)", POINT, "'(1.5 -2)' is no point"},
        {90007, -1, "0101000000000000000000F03F0000000000000040", GEOMETRY("Geometry"),
         "{\"wkb\":0x0101000000000000000000f03f0000000000000040,\"srid\":null}"},
        {90014, -1, "{01,NULL}", "ARRAY(" GEOMETRY("Geometry") ")?",
         "'01,NULL' is no geometry in hexadecimal digits"},
        {90014, -1, "{010700000000000000:NULL}", "ARRAY(" GEOMETRY("Geometry") ")?",
         "[{\"wkb\":0x010700000000000000,\"srid\":null},null]"},
        {90008, -1, "0101000020E6100000000000000000F03F0000000000000040",
         GEOMETRY("Geography"),
         "{\"wkb\":0x0101000020e6100000000000000000f03f0000000000000040,"
         "\"srid\":4326}"},
        {90008, -1, "0020000001000010E6000000000000F03F0000000000000040",
         GEOMETRY("Geography"),
         "{\"wkb\":0x0020000001000010e6000000000000f03f0000000000000040,"
         "\"srid\":4326}"},
        {90007, -1, "01", GEOMETRY("Geometry"),
         "'01' is no geometry in hexadecimal digits"},
        {90007, -1, "01zz000000", GEOMETRY("Geometry"),
         "'01zz000000' is no geometry in hexadecimal digits"},
    };
    CHECK_EXAMPLES(&plain, examples);
}

#define SPARSE                                                                         \
    "STRUCT{dimensions INT16,vector MAP(INT16,FLOAT64)}"                               \
    "[io.debezium.data.SparseDoubleVector]?"
#define VECTOR "ARRAY(FLOAT64)[io.debezium.data.DoubleVector]?"

TEST(vectors_are_arrays_of_numbers)
{
    static const example examples[] = {
        {90009, -1, "[1,2.5,-3e-05]", VECTOR, "[1,2.5,-3.0000000000000001e-05]"},
        {90009, -1, "[]", VECTOR, "[]"},
        {90009, -1, "[1,]", VECTOR, "'[1,]' is no vector"},
        {90010, -1, "[1,2.5]", "ARRAY(FLOAT32)[io.debezium.data.FloatVector]?",
         "[1,2.5]"},
        {90011, -1, "{1:1,3:2.5}/5", SPARSE,
         "{\"dimensions\":5,\"vector\":{1:1,3:2.5}}"},
        {90011, -1, "{}/5", SPARSE, "{\"dimensions\":5,\"vector\":{}}"},
        {90011, -1, "{1:1/5", SPARSE,
         "'{1:1/5' is no sparse vector of at most 32767 dimensions"},
        {90011, -1, "{}/40000", SPARSE,
         "'{}/40000' is no sparse vector of at most 32767 dimensions"},
        {22, -1, "1 -2 3", "ARRAY(INT16)?", "[1,-2,3]"},
        {30, -1, "", "ARRAY(INT64)?", "[]"},
    };
    CHECK_EXAMPLES(&plain, examples);
}

TEST(hstore_is_json_or_a_map)
{
#define JSON_TEXT "STRING[io.debezium.data.Json]?"
    static const example texts[] = {
        {90006, -1, "\"a\"=>\"1\", \"b\"=>NULL", JSON_TEXT,
         "\"{\\\"a\\\":\\\"1\\\",\\\"b\\\":null}\""},
        {90006, -1, "", JSON_TEXT, "\"{}\""},
        {90006, -1, "\"a\"=>\"x\\\"y\\\\\"", JSON_TEXT,
         "\"{\\\"a\\\":\\\"x\\\\\\\"y\\\\\\\\\\\"}\""},
        {90006, -1, "\"a\"=>1", JSON_TEXT, "'\"a\"=>1' is no hstore"},
        {90012, -1, "{\"\\\"a\\\"=>NULL\"}", "ARRAY(" JSON_TEXT ")?",
         "[\"{\\\"a\\\":null}\"]"},
    };
    CHECK_EXAMPLES(&plain, texts);
    static const example maps[] = {{90006, -1, "\"a\"=>\"1\", \"b\"=>NULL",
                                    "MAP(STRING,STRING?)?",
                                    "{\"a\":\"1\",\"b\":null}"}};
    postgres_config config = plain;
    config.hstore_mode = HSTORE_MAP;
    CHECK_EXAMPLES(&config, maps);
}

TEST(types_without_a_mapping_are_left_out_or_bytes)
{
    sluice_arena *arena = sluice_arena_new();
    pg_column column;
    CHECK(!describe(&column, &plain, 90005, -1, NULL, arena));
    CHECK(!describe(&column, &plain, 77777, -1, NULL, arena));
    static const example examples[] = {{90005, -1, "(1,a)", "BYTES?", "0x28312c6129"}};
    postgres_config config = plain;
    config.unknown_types = true;
    CHECK_EXAMPLES(&config, examples);
    sluice_arena_free(arena);
}

static const char *default_of(uint32_t type, int32_t typmod, const char *initial)
{
    static sluice_fake *fake;
    static sluice_arena *arena;
    sluice_fake_free(fake);
    sluice_arena_free(arena);
    fake = sluice_fake_new();
    arena = sluice_arena_new();
    pg_column column;
    const sluice_value *value = NULL;
    CHECK(describe(&column, &plain, type, typmod, initial, arena));
    return sluice_schema_default(column.schema, &value) ? sluice_fake_show(fake, value)
                                                        : "none";
}

TEST(literal_defaults_go_into_the_schema)
{
    CHECK_TEXT(default_of(23, -1, "7"), "7");
    CHECK_TEXT(default_of(23, -1, "'-7'::integer"), "-7");
    CHECK_TEXT(default_of(25, -1, "'it''s'::text"), "\"it's\"");
    CHECK_TEXT(default_of(16, -1, "true"), "true");
    CHECK_TEXT(default_of(1700, 655366, "1.50"), "0x0096");
    CHECK_TEXT(default_of(1700, 655366, "0"), "0x00");
    CHECK_TEXT(default_of(20, -1, "nextval('t_id_seq'::regclass)"), "0");
    CHECK_TEXT(default_of(1184, -1, "now()"), "\"1970-01-01T00:00:00.000000Z\"");
    CHECK_TEXT(default_of(2950, -1, "gen_random_uuid()"),
               "\"00000000-0000-0000-0000-000000000000\"");
    CHECK_TEXT(default_of(23, -1, "(1 + 1)"), "none");
    CHECK_TEXT(default_of(1007, -1, "'{1}'::integer[]"), "none");
    CHECK_TEXT(default_of(17, -1, "'\\x00'::bytea"), "none");
    CHECK_TEXT(default_of(1700, -1, "1.50"), "none");
    CHECK_TEXT(default_of(1114, -1, "LOCALTIMESTAMP"), "0");
    CHECK_TEXT(default_of(1082, -1, "(now() + '1 day'::interval)"), "0");
    CHECK_TEXT(default_of(1700, 655366, "1.5::numeric(5,1)"), "none");
    CHECK_TEXT(default_of(869, -1, "'::1'::inet"), "none");
    CHECK_TEXT(default_of(26, -1, "7"), "none");
    CHECK_TEXT(default_of(25, -1, NULL), "none");
    default_of(25, -1, NULL);
}

static const char *unavailable(const postgres_config *config, uint32_t type)
{
    static sluice_fake *fake;
    static sluice_arena *arena;
    sluice_fake_free(fake);
    sluice_arena_free(arena);
    fake = NULL;
    arena = NULL;
    pg_column column;
    if (type == 0) {
        return NULL;
    }
    fake = sluice_fake_new();
    arena = sluice_arena_new();
    CHECK(describe(&column, config, type, -1, NULL, arena));
    return column.unavailable == NULL ? "null"
                                      : sluice_fake_show(fake, column.unavailable);
}

TEST(what_was_not_sent_is_told_type_by_type)
{
    postgres_config config = plain;
    config.placeholder = "none";
    CHECK_TEXT(unavailable(&config, 25), "\"none\"");
    CHECK_TEXT(unavailable(&config, 17), "0x6e6f6e65");
    CHECK_TEXT(unavailable(&config, 1009), "[\"none\"]");
    CHECK_TEXT(unavailable(&config, 1007), "[110,111,110,101]");
    CHECK_TEXT(unavailable(&config, 1182), "[110,111,110,101]");
    CHECK_TEXT(unavailable(&config, 2951),
               "[\"334c4a4c-42fd-379d-bebc-3e73b517e6f8\"]");
    CHECK_TEXT(unavailable(&config, 1115), "null");
    CHECK_TEXT(unavailable(&config, 90006), "\"{\\\"none\\\":\\\"none\\\"}\"");
    config.hstore_mode = HSTORE_MAP;
    CHECK_TEXT(unavailable(&config, 90006), "{\"none\":\"none\"}");
    unavailable(&config, 0);
}

TEST(the_placeholder_may_be_any_bytes)
{
    sluice_arena *arena = sluice_arena_new();
    postgres_config config = plain;
    sluice_bytes bytes = column_placeholder(&config, arena);
    CHECK_BYTES(bytes.base, bytes.len, "__debezium_unavailable_value", 28);
    config.placeholder = "hex:00fF";
    bytes = column_placeholder(&config, arena);
    CHECK_BYTES(bytes.base, bytes.len, "\0\xff", 2);
    config.placeholder = "hex:zz";
    bytes = column_placeholder(&config, arena);
    CHECK_BYTES(bytes.base, bytes.len, "hex:zz", 6);
    sluice_arena_free(arena);
}

/* The parameters of a column's schema, without what its type gives it. */
static void check_source(uint32_t type, int32_t typmod, const char *length,
                         const char *scale)
{
    sluice_arena *arena = sluice_arena_new();
    pg_column column = {.config = &plain,
                        .name = "c",
                        .type = type,
                        .typmod = typmod,
                        .optional = true,
                        .source_type = "name_É"};
    CHECK(column_describe(&column, &types, NULL, arena));
    CHECK_TEXT(sluice_schema_parameter(column.schema, "__debezium.source.column.type"),
               "NAME_É");
    CHECK_TEXT(
        sluice_schema_parameter(column.schema, "__debezium.source.column.length"),
        length);
    CHECK_TEXT(sluice_schema_parameter(column.schema, "__debezium.source.column.scale"),
               scale);
    CHECK_TEXT(sluice_schema_parameter(column.schema, "__debezium.source.column.name"),
               "c");
    CHECK(sluice_schema_parameter(column.key_schema, "__debezium.source.column.name") ==
          NULL);
    sluice_arena_free(arena);
}

TEST(schemas_tell_the_source_as_the_jdbc_driver_measures_it)
{
    check_source(16, -1, "1", "0");
    check_source(21, -1, "5", "0");
    check_source(23, -1, "10", "0");
    check_source(20, -1, "19", "0");
    check_source(700, -1, "8", "8");
    check_source(701, -1, "17", "17");
    check_source(1700, 655366, "10", "2");
    check_source(1700, -1, "131089", "0");
    check_source(25, -1, "2147483647", "0");
    check_source(1043, 14, "10", "0");
    check_source(1043, -1, "2147483647", "0");
    check_source(1042, 9, "5", "0");
    check_source(1560, 3, "3", "0");
    check_source(1082, -1, "13", "0");
    check_source(1083, -1, "15", "6");
    check_source(1083, 0, "8", "0");
    check_source(1083, 1, "11", "1");
    check_source(1266, 3, "18", "3");
    check_source(1114, -1, "29", "6");
    check_source(1184, 0, "28", "0");
    check_source(1186, -1, "49", "6");
    check_source(1007, -1, "10", "0");
    check_source(1015, 9, "5", "0");
    check_source(90001, -1, "2147483647", "0");
    check_source(90002, -1, "10", "2"); /* A domain has what it is made of. */
}

TEST_MAIN
