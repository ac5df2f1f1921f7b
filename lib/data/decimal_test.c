/* Decimals: exact both ways, at any length, with the limits that keep them safe. */
#include "test.h"
#include <sluice/value.h>

static sluice_arena *arena;

/* The bytes of `text` at `scale` in hex, or the error. */
static const char *parsed(const char *text, int scale)
{
    static char got[300];
    sluice_error *err = sluice_error_new();
    sluice_value *value = NULL;
    got[0] = '\0';
    if (sluice_decimal_parse(arena, text, strlen(text), scale, &value, err) !=
        SLUICE_OK) {
        snprintf(got, sizeof got, "%s", sluice_error_text(err));
    } else {
        sluice_bytes bytes = sluice_value_bytes(value);
        for (size_t i = 0; i < bytes.len; i++) {
            snprintf(got + 2 * i, 3, "%02x", ((const unsigned char *)bytes.base)[i]);
        }
    }
    sluice_error_free(err);
    return got;
}

TEST(unscaled_values_are_the_shortest_twos_complement)
{
    arena = sluice_arena_new();
    CHECK_TEXT(parsed("0", 0), "00");
    CHECK_TEXT(parsed("-0.00", 2), "00");
    CHECK_TEXT(parsed("128", 0), "0080");
    CHECK_TEXT(parsed("-128", 0), "80");
    CHECK_TEXT(parsed("127", 0), "7f");
    CHECK_TEXT(parsed("-129", 0), "ff7f");
    CHECK_TEXT(parsed("65536", 0), "010000");
    CHECK_TEXT(parsed("-1.00", 2), "9c");
    CHECK_TEXT(parsed("+156.0", 2), "3cf0");
    CHECK_TEXT(parsed("-9223372036854775808", 0), "8000000000000000");
    CHECK_TEXT(parsed("18446744073709551616", 0), "010000000000000000");
    CHECK_TEXT(parsed("4294967296", 0), "0100000000");
    CHECK_TEXT(parsed("-4294967296", 0), "ff00000000");
    sluice_arena_free(arena);
}

TEST(exponents_and_scales_shift_the_point)
{
    arena = sluice_arena_new();
    CHECK_TEXT(parsed("1e3", 0), "03e8");
    CHECK_TEXT(parsed("1e3", -3), "01");
    CHECK_TEXT(parsed("1.5E-2", 3), "0f");
    CHECK_TEXT(parsed(".5", 1), "05");
    CHECK_TEXT(parsed("5.", 0), "05");
    CHECK_TEXT(parsed("0e99999999999999", 0), "00");
    int scale = 0;
    CHECK(sluice_decimal_scale("-12.50", 6, &scale) && scale == 2);
    CHECK(sluice_decimal_scale("7", 1, &scale) && scale == 0);
    CHECK(sluice_decimal_scale("1e3", 3, &scale) && scale == -3);
    CHECK(!sluice_decimal_scale("NaN", 3, &scale));
    sluice_arena_free(arena);
}

TEST(what_is_no_decimal_is_refused)
{
    arena = sluice_arena_new();
    CHECK_TEXT(parsed("NaN", 0), "'NaN' is not a decimal number");
    CHECK_TEXT(parsed("", 0), "'' is not a decimal number");
    CHECK_TEXT(parsed(".", 0), "'.' is not a decimal number");
    CHECK_TEXT(parsed("1e", 0), "'1e' is not a decimal number");
    CHECK_TEXT(parsed("1 ", 0), "'1 ' is not a decimal number");
    CHECK_TEXT(parsed("1.2.3", 0), "'1.2.3' is not a decimal number");
    CHECK_TEXT(parsed("1.25", 1), "'1.25' has more digits behind the point than the 1 "
                                  "of its decimal schema");
    CHECK_TEXT(parsed("1e999999999", 0),
               "'1e999999999' has more than 200000 digits, the most that a decimal may "
               "have");
    CHECK_TEXT(parsed("1e-999999999", 0),
               "'1e-999999999' has more digits behind the point than the 0 of its "
               "decimal schema");
    sluice_arena_free(arena);
}

static const char *printed(const char *bytes, size_t len, int scale)
{
    size_t text_len = 0;
    const char *text =
        sluice_decimal_print(arena, (sluice_bytes){bytes, len}, scale, &text_len);
    CHECK(text != NULL && strlen(text) == text_len);
    return text;
}

TEST(plain_notation_has_all_digits)
{
    arena = sluice_arena_new();
    CHECK_TEXT(printed("\x00", 1, 0), "0");
    CHECK_TEXT(printed("", 0, 2), "0.00");
    CHECK_TEXT(printed("\x9c", 1, 2), "-1.00");
    CHECK_TEXT(printed("\x01", 1, 5), "0.00001");
    CHECK_TEXT(printed("\xff", 1, 1), "-0.1");
    CHECK_TEXT(printed("\x0c", 1, -3), "12000");
    CHECK_TEXT(printed("\x00", 1, -3), "0");
    CHECK_TEXT(printed("\x80", 1, 0), "-128");
    CHECK_TEXT(printed("\xff\xff\xff\x80", 4, 0), "-128");
    CHECK_TEXT(printed("\x80\x00\x00\x00\x00\x00\x00\x00\x00", 9, 0),
               "-2361183241434822606848");
    CHECK(sluice_decimal_print(arena, (sluice_bytes){"\x01", 1}, INT32_MAX, NULL) ==
          NULL);
    sluice_arena_free(arena);
}

TEST(long_numbers_survive_the_way_there_and_back)
{
    arena = sluice_arena_new();
    static char text[150001];
    uint32_t random = 7;
    for (size_t len = 1; len < sizeof text; len = len * 3 / 2 + 1) {
        text[0] = len % 2 ? '-' : '9';
        text[1] = '3';
        for (size_t i = 2; i <= len; i++) {
            random = random * 1664525 + 1013904223;
            text[i] = (char)('0' + (random >> 16) % 10);
        }
        text[len + 1] = '\0';
        sluice_value *value = NULL;
        CHECK(sluice_decimal_parse(arena, text, len + 1, 0, &value, NULL) == SLUICE_OK);
        sluice_bytes bytes = sluice_value_bytes(value);
        CHECK_TEXT(printed(bytes.base, bytes.len, 0), text);
    }
    sluice_arena_free(arena);
}

TEST_MAIN
