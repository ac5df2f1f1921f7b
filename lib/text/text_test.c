/* lib/text/text_test.c - texts are Java's, digit by digit. */
#include <sluice/text.h>

#include "test.h"
#include <math.h>

static const char *text_of(double value)
{
    static char out[SLUICE_NUMBER_TEXT + 1];
    out[sluice_text_double(out, value)] = '\0';
    return out;
}

static const char *float_of(float value)
{
    static char out[SLUICE_NUMBER_TEXT + 1];
    out[sluice_text_float(out, value)] = '\0';
    return out;
}

TEST(doubles_have_the_form_of_java)
{
    CHECK_TEXT(text_of(0.0), "0.0");
    CHECK_TEXT(text_of(-0.0), "-0.0");
    CHECK_TEXT(text_of(1.0), "1.0");
    CHECK_TEXT(text_of(1.1), "1.1");
    CHECK_TEXT(text_of(100.0), "100.0");
    CHECK_TEXT(text_of(-12.5), "-12.5");
    CHECK_TEXT(text_of(0.001), "0.001");
    CHECK_TEXT(text_of(0.00123), "0.00123");
    CHECK_TEXT(text_of(0.0001), "1.0E-4");
    CHECK_TEXT(text_of(1234567.0), "1234567.0");
    CHECK_TEXT(text_of(9999999.5), "9999999.5");
    CHECK_TEXT(text_of(1e7), "1.0E7");
    CHECK_TEXT(text_of(12345678.0), "1.2345678E7");
    CHECK_TEXT(text_of(1e21), "1.0E21");
    CHECK_TEXT(text_of(2e23), "2.0E23");
    CHECK_TEXT(text_of(4.9e-324), "4.9E-324");
    CHECK_TEXT(text_of(1e-323), "9.9E-324");
    CHECK_TEXT(text_of(2.2250738585072014e-308), "2.2250738585072014E-308");
    CHECK_TEXT(text_of(1.7976931348623157e308), "1.7976931348623157E308");
    CHECK_TEXT(text_of(NAN), "NaN");
    CHECK_TEXT(text_of(INFINITY), "Infinity");
    CHECK_TEXT(text_of(-INFINITY), "-Infinity");
}

TEST(floats_have_the_form_of_java)
{
    CHECK_TEXT(float_of(1.1f), "1.1");
    CHECK_TEXT(float_of(-0.0f), "-0.0");
    CHECK_TEXT(float_of(0.123456789f), "0.12345679");
    CHECK_TEXT(float_of(3.4028235e38f), "3.4028235E38");
    CHECK_TEXT(float_of(1.4e-45f), "1.4E-45");
    CHECK_TEXT(float_of(9.8e-45f), "9.8E-45");
    CHECK_TEXT(float_of(16777216.0f), "1.6777216E7");
    CHECK_TEXT(float_of(1e10f), "1.0E10");
}

/* The significant digits of a text: no sign, point, exponent or zeros around. */
static void digits_of(const char *text, char *out)
{
    size_t used = 0;
    for (; *text != '\0' && *text != 'e' && *text != 'E'; text++) {
        if (*text >= '0' && *text <= '9' && (used > 0 || *text != '0')) {
            out[used++] = *text;
        }
    }
    while (used > 0 && out[used - 1] == '0') {
        used--;
    }
    out[used] = '\0';
}

static uint64_t seed = 88172645463325252u;

static uint64_t random_bits(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

/* The fewest digits (from two on) that read back as `value`, found by trying. */
static void shortest_by_trying(double value, char *out)
{
    char text[64];
    for (int digits = 2; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*e", digits - 1, value);
        if (strtod(text, NULL) == value) {
            break;
        }
    }
    digits_of(text, out);
}

TEST(random_doubles_have_the_shortest_digits_and_read_back)
{
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = random_bits() & ~(UINT64_C(1) << 63);
        double value;
        char wanted[64], got[64];
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value) || value == 0) {
            continue;
        }
        const char *text = text_of(value);
        CHECK(strtod(text, NULL) == value);
        shortest_by_trying(value, wanted);
        digits_of(text, got);
        CHECK_TEXT(got, wanted);
    }
}

TEST(random_floats_read_back_with_nine_digits_at_most)
{
    for (int i = 0; i < 20000; i++) {
        uint32_t bits = (uint32_t)random_bits() & 0x7fffffffu;
        float value;
        char got[64];
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value) || value == 0) {
            continue;
        }
        CHECK(strtof(float_of(value), NULL) == value);
        digits_of(float_of(value), got);
        CHECK(strlen(got) <= 9);
    }
}

TEST(decimals_have_the_form_of_javas_big_decimal)
{
    static const struct {
        const char *in;
        int scale;
        const char *out;
    } CASES[] = {{"1.56", 2, "1.56"},      {"1000", -3, "1E+3"},
                 {"1e-10", 10, "1E-10"},   {"-1.00", 2, "-1.00"},
                 {"12300", -2, "1.23E+4"}, {"0", 0, "0"},
                 {"0", 10, "0E-10"},       {"0.000001", 6, "0.000001"},
                 {"0.0000001", 7, "1E-7"}, {"-0.00000012", 8, "-1.2E-7"}};
    sluice_arena *arena = sluice_arena_new();
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        sluice_value *value;
        size_t len;
        CHECK(sluice_decimal_parse(arena, CASES[i].in, strlen(CASES[i].in),
                                   CASES[i].scale, &value, NULL) == SLUICE_OK);
        CHECK_TEXT(
            sluice_text_decimal(arena, sluice_value_bytes(value), CASES[i].scale, &len),
            CASES[i].out);
        CHECK_INT(len, strlen(CASES[i].out));
    }
    sluice_arena_free(arena);
}

TEST(malformed_utf8_becomes_replacement_characters_as_javas_decoder_does)
{
    static const struct {
        const char *in, *out;
    } CASES[] = {
        {"plain", "plain"},
        {"\xc3\xa9\xf0\x9f\x98\x80", "\xc3\xa9\xf0\x9f\x98\x80"},
        {"a\xff"
         "b",
         "a\xef\xbf\xbd"
         "b"},
        {"\xe2\x82", "\xef\xbf\xbd"}, /* Cut off. */
        {"\xe2\x28\xa1", "\xef\xbf\xbd\x28\xef\xbf\xbd"},
        {"\xed\xa0\x80Z", "\xef\xbf\xbdZ"},       /* A surrogate. */
        {"\xed\xa7Z", "\xef\xbf\xbdZ"},           /* Cut off. */
        {"\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"}, /* Overlong. */
        {"\xf0\x9f\x98", "\xef\xbf\xbd"},
    };
    sluice_arena *arena = sluice_arena_new();
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        size_t len;
        CHECK_TEXT(sluice_text_repair(arena, CASES[i].in, strlen(CASES[i].in), &len),
                   CASES[i].out);
        CHECK_INT(len, strlen(CASES[i].out));
    }
    char ascii[200];
    memset(ascii, 'x', sizeof ascii);
    CHECK(sluice_text_is_utf8(ascii, sizeof ascii));
    ascii[130] = '\x80';
    CHECK(!sluice_text_is_utf8(ascii, sizeof ascii));
    sluice_arena_free(arena);
}

static const char *printed(sluice_arena *arena, const sluice_schema *schema,
                           const sluice_value *value)
{
    size_t len;
    return sluice_text_of(arena, schema, value, &len);
}

TEST(values_print_as_javas_to_string)
{
    sluice_arena *arena = sluice_arena_new();
    sluice_schema_builder *builder =
        sluice_schema_builder_new(arena, SLUICE_TYPE_STRUCT);
    sluice_schema_builder_field(builder, "a",
                                sluice_schema_of(SLUICE_TYPE_INT32, true));
    sluice_schema_builder_field(builder, "b",
                                sluice_schema_of(SLUICE_TYPE_STRING, true));
    sluice_schema_builder_field(builder, "c", sluice_schema_decimal(arena, 2, true));
    const sluice_schema *schema;
    CHECK(sluice_schema_builder_finish(builder, &schema, NULL) == SLUICE_OK);
    sluice_value *row = sluice_struct_new(arena, schema), *price;
    sluice_struct_set(row, 0, sluice_int32(arena, 1));
    CHECK(sluice_decimal_parse(arena, "1.50", 4, 2, &price, NULL) == SLUICE_OK);
    sluice_struct_set(row, 2, price);
    CHECK_TEXT(printed(arena, schema, row), "Struct{a=1,c=1.50}");

    sluice_value *list = sluice_array_new(arena, 2), *map = sluice_map_new(arena, 2);
    sluice_array_add(arena, list, sluice_int64(arena, 1));
    sluice_array_add(arena, list, sluice_text(arena, "x"));
    sluice_map_add_text(arena, map, "a", list);
    sluice_map_add_text(arena, map, "b", NULL);
    CHECK_TEXT(printed(arena, NULL, map), "{a=[1, x], b=null}");
    CHECK_TEXT(printed(arena, NULL, NULL), "null");
    CHECK_TEXT(printed(arena, NULL, sluice_float64(arena, 1e10)), "1.0E10");
    CHECK_TEXT(printed(arena, NULL, sluice_binary(arena, "\1\2\xff\0", 4)), "AQL/AA==");
    CHECK_TEXT(
        printed(arena,
                sluice_schema_named(arena, SLUICE_TYPE_INT64, SLUICE_TIMESTAMP, false),
                sluice_int64(arena, -1)),
        "Wed Dec 31 23:59:59 UTC 1969");
    CHECK_TEXT(
        printed(arena,
                sluice_schema_named(arena, SLUICE_TYPE_INT32, SLUICE_DATE, false),
                sluice_int32(arena, 0)),
        "Thu Jan 01 00:00:00 UTC 1970");
    sluice_arena_free(arena);
}

TEST(classes_are_those_of_kafka_connect)
{
    sluice_arena *arena = sluice_arena_new();
    CHECK_TEXT(sluice_text_class(NULL, NULL), "null");
    CHECK_TEXT(sluice_text_class(NULL, sluice_int64(arena, 1)), "java.lang.Long");
    CHECK_TEXT(sluice_text_class(NULL, sluice_text(arena, "")), "java.lang.String");
    CHECK_TEXT(sluice_text_class(sluice_schema_decimal(arena, 0, false),
                                 sluice_binary(arena, "\1", 1)),
               "java.math.BigDecimal");
    sluice_arena_free(arena);
}

TEST_MAIN
