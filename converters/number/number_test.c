/* converters/number/number_test.c - vectors both ways, and what is refused. */
#include "test.h"
#include <sluice/plugin.h>
#include <sluice/test.h>

/* The symbol of the plugin, found as the worker finds it. */
extern const sluice_manifest sluice_plugin_manifest;

static sluice_fake *fake;
static sluice_arena *arena;
static sluice_error *err;

static void begin(void)
{
    fake = sluice_fake_new();
    arena = sluice_arena_new();
    err = sluice_error_new();
}

static void end(void)
{
    sluice_error_free(err);
    sluice_arena_free(arena);
    sluice_fake_free(fake);
}

static const sluice_converter_ops *ops_of(const char *name, void **ret_self)
{
    for (const sluice_feature *const *at = sluice_plugin_manifest.features; *at != NULL;
         at++) {
        if (strcmp((*at)->name, name) == 0) {
            const sluice_converter_ops *ops = (*at)->ops.converter;
            CHECK(ops->create(NULL, false, ret_self, err) == SLUICE_OK);
            return ops;
        }
    }
    CHECK(!"there is such a converter");
    return NULL;
}

/* The bytes in hex, or the message. */
static const char *encoded(const char *name, const sluice_schema *schema,
                           const sluice_value *value)
{
    static char text[300];
    void *self;
    const sluice_converter_ops *ops = ops_of(name, &self);
    sluice_bytes bytes;
    if (ops->encode(self, "t", NULL, schema, value, arena, &bytes, err) != SLUICE_OK) {
        return sluice_error_text(err);
    }
    if (bytes.base == NULL) {
        return "(none)";
    }
    for (size_t i = 0; i < bytes.len; i++) {
        snprintf(text + 2 * i, 3, "%02x", ((const unsigned char *)bytes.base)[i]);
    }
    return text;
}

/* "INT32? 256", or the message. */
static const char *decoded(const char *name, const char *base, size_t len)
{
    static char text[300];
    void *self;
    const sluice_converter_ops *ops = ops_of(name, &self);
    const sluice_schema *schema;
    const sluice_value *value;
    if (ops->decode(self, "t", NULL, (sluice_bytes){base, len}, arena, &schema, &value,
                    err) != SLUICE_OK) {
        return sluice_error_text(err);
    }
    snprintf(text, sizeof text, "%s %s", sluice_fake_show_schema(fake, schema),
             sluice_fake_show(fake, value));
    return text;
}

TEST(numbers_are_big_endian_in_their_width)
{
    begin();
    CHECK_TEXT(encoded("short", NULL, sluice_int16(arena, 258)), "0102");
    CHECK_TEXT(encoded("short", NULL, sluice_int16(arena, -1)), "ffff");
    CHECK_TEXT(encoded("integer", NULL, sluice_int32(arena, 1)), "00000001");
    CHECK_TEXT(encoded("integer", NULL, sluice_int32(arena, INT32_MIN)), "80000000");
    CHECK_TEXT(encoded("long", NULL, sluice_int64(arena, 1)), "0000000000000001");
    CHECK_TEXT(encoded("float", NULL, sluice_float32(arena, 1.5f)), "3fc00000");
    CHECK_TEXT(encoded("double", NULL, sluice_float64(arena, 1.5)), "3ff8000000000000");
    CHECK_TEXT(encoded("boolean", NULL, sluice_boolean(true)), "01");
    CHECK_TEXT(encoded("boolean", sluice_schema_of(SLUICE_TYPE_BOOLEAN, false),
                       sluice_boolean(false)),
               "00");
    end();
}

TEST(numbers_come_back)
{
    begin();
    CHECK_TEXT(decoded("short", "\xff\xfe", 2), "INT16? -2");
    CHECK_TEXT(decoded("integer", "\0\0\1\0", 4), "INT32? 256");
    CHECK_TEXT(decoded("long", "\x80\0\0\0\0\0\0\0", 8), "INT64? -9223372036854775808");
    CHECK_TEXT(decoded("float", "\x3f\xc0\0\0", 4), "FLOAT32? 1.5");
    CHECK_TEXT(decoded("double", "\xbf\xf8\0\0\0\0\0\0", 8), "FLOAT64? -1.5");
    CHECK_TEXT(decoded("boolean", "\1", 1), "BOOLEAN? true");
    end();
}

TEST(null_is_no_bytes_both_ways)
{
    static const char *const names[] = {"short", "integer", "long",
                                        "float", "double",  "boolean"};
    begin();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        CHECK_TEXT(encoded(names[i], NULL, NULL), "(none)");
        CHECK(strstr(decoded(names[i], NULL, 0), "? null") != NULL);
    }
    end();
}

TEST(another_type_is_refused_with_its_class)
{
    begin();
    CHECK_TEXT(encoded("integer", NULL, sluice_text(arena, "1")),
               "Failed to serialize to integer (was class java.lang.String): class "
               "java.lang.String is not java.lang.Integer");
    CHECK_TEXT(encoded("integer", NULL, sluice_int64(arena, 1)),
               "Failed to serialize to integer (was class java.lang.Long): class "
               "java.lang.Long is not java.lang.Integer");
    CHECK_TEXT(
        encoded("integer",
                sluice_schema_named(arena, SLUICE_TYPE_INT32, SLUICE_DATE, false),
                sluice_int32(arena, 1)),
        "Failed to serialize to integer (was class java.util.Date): class "
        "java.util.Date is not java.lang.Integer");
    CHECK_TEXT(encoded("boolean", sluice_schema_of(SLUICE_TYPE_INT32, false),
                       sluice_int32(arena, 1)),
               "Invalid schema type for BooleanConverter: INT32");
    CHECK_TEXT(encoded("boolean", NULL, sluice_int32(arena, 1)),
               "BooleanConverter is not compatible with objects of type class "
               "java.lang.Integer");
    end();
}

TEST(another_width_is_refused)
{
    begin();
    CHECK_TEXT(decoded("short", "", 0),
               "Failed to deserialize short: Size of data received by "
               "ShortDeserializer is not 2");
    CHECK_TEXT(decoded("integer", "\0\0\0", 3),
               "Failed to deserialize integer: Size of data received by "
               "IntegerDeserializer is not 4");
    CHECK_TEXT(decoded("double", "\0\0\0\0", 4),
               "Failed to deserialize double: Size of data received by Deserializer "
               "is not 8");
    CHECK_TEXT(decoded("boolean", "\2", 1),
               "Failed to deserialize boolean: Unexpected byte received by "
               "BooleanDeserializer: 2");
    CHECK_TEXT(decoded("boolean", "\xff", 1),
               "Failed to deserialize boolean: Unexpected byte received by "
               "BooleanDeserializer: -1");
    end();
}

TEST_MAIN
