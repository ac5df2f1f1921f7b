/* converters/string/string_test.c - texts out and in, by their charset. */
#include "test.h"
#include <sluice/plugin.h>
#include <sluice/test.h>

/* The symbol of the plugin, found as the worker finds it. */
extern const sluice_manifest sluice_plugin_manifest;

typedef struct rig {
    sluice_fake *fake;
    sluice_arena *arena;
    sluice_error *err;
    const sluice_converter_ops *ops;
    void *self;
} rig;

/* With the charset `encoding`. Whether there is a converter. */
static bool rig_init(rig *self, const char *encoding)
{
    const sluice_feature *feature = sluice_plugin_manifest.features[0];
    self->fake = sluice_fake_new();
    self->arena = sluice_arena_new();
    self->err = sluice_error_new();
    self->ops = feature->ops.converter;
    self->self = NULL;
    void *config = sluice_fake_config(self->fake, feature->config, "converter.encoding",
                                      encoding, NULL);
    CHECK(config != NULL);
    return self->ops->create(config, false, &self->self, self->err) == SLUICE_OK;
}

static void rig_done(rig *self)
{
    self->ops->destroy(self->self);
    sluice_error_free(self->err);
    sluice_arena_free(self->arena);
    sluice_fake_free(self->fake);
}

static const char *encoded(rig *self, const sluice_value *value)
{
    static char text[400];
    sluice_bytes bytes;
    CHECK(self->ops->encode(self->self, "t", NULL, NULL, value, self->arena, &bytes,
                            self->err) == SLUICE_OK);
    snprintf(text, sizeof text, "%.*s", bytes.base == NULL ? 6 : (int)bytes.len,
             bytes.base == NULL ? "(none)" : (const char *)bytes.base);
    return text;
}

static const char *decoded_bytes(rig *self, const char *base, size_t len)
{
    const sluice_schema *schema;
    const sluice_value *value;
    sluice_bytes bytes = {base, len};
    CHECK(self->ops->decode(self->self, "t", NULL, bytes, self->arena, &schema, &value,
                            self->err) == SLUICE_OK);
    CHECK_TEXT(sluice_fake_show_schema(self->fake, schema), "STRING?");
    return sluice_fake_show(self->fake, value);
}

static const char *decoded(rig *self, const char *text)
{
    return decoded_bytes(self, text, text == NULL ? 0 : strlen(text));
}

TEST(values_become_their_texts)
{
    rig self;
    CHECK(rig_init(&self, "UTF-8"));
    sluice_value *map = sluice_map_new(self.arena, 1);
    sluice_map_add_text(self.arena, map, "a", sluice_int64(self.arena, 1));
    sluice_value *list = sluice_array_new(self.arena, 2);
    sluice_array_add(self.arena, list, sluice_int64(self.arena, 1));
    sluice_array_add(self.arena, list, sluice_text(self.arena, "x"));
    CHECK_TEXT(encoded(&self, NULL), "(none)");
    CHECK_TEXT(encoded(&self, sluice_text(self.arena, "gr\xc3\xbcn")), "gr\xc3\xbcn");
    CHECK_TEXT(encoded(&self, sluice_text(self.arena, "a\xff")), "a\xef\xbf\xbd");
    CHECK_TEXT(encoded(&self, map), "{a=1}");
    CHECK_TEXT(encoded(&self, list), "[1, x]");
    CHECK_TEXT(encoded(&self, sluice_float64(self.arena, 1e10)), "1.0E10");
    rig_done(&self);
}

static const char *encoded_as(rig *self, const sluice_schema *schema,
                              const sluice_value *value)
{
    static char text[400];
    sluice_bytes bytes;
    CHECK(self->ops->encode(self->self, "t", NULL, schema, value, self->arena, &bytes,
                            self->err) == SLUICE_OK);
    snprintf(text, sizeof text, "%.*s", (int)bytes.len, (const char *)bytes.base);
    return text;
}

TEST(a_schema_says_which_class_prints_the_text)
{
    rig self;
    const sluice_schema *schema = NULL;
    CHECK(rig_init(&self, "UTF-8"));
    sluice_schema_builder *builder =
        sluice_schema_builder_new(self.arena, SLUICE_TYPE_STRUCT);
    sluice_schema_builder_field(builder, "a",
                                sluice_schema_of(SLUICE_TYPE_INT32, false));
    sluice_schema_builder_field(builder, "b",
                                sluice_schema_of(SLUICE_TYPE_STRING, true));
    CHECK(sluice_schema_builder_finish(builder, &schema, self.err) == SLUICE_OK);
    sluice_value *value = sluice_struct_new(self.arena, schema);
    sluice_struct_set(value, 0, sluice_int32(self.arena, 1));
    CHECK_TEXT(encoded_as(&self, schema, value), "Struct{a=1}");
    schema =
        sluice_schema_named(self.arena, SLUICE_TYPE_INT64, SLUICE_TIMESTAMP, false);
    CHECK_TEXT(encoded_as(&self, schema, sluice_int64(self.arena, 0)),
               "Thu Jan 01 00:00:00 UTC 1970");
    schema = sluice_schema_decimal(self.arena, 2, false);
    CHECK_TEXT(encoded_as(&self, schema, sluice_binary(self.arena, "\x9c", 1)),
               "-1.00");
    rig_done(&self);
}

TEST(bytes_become_strings_malformed_ones_too)
{
    rig self;
    CHECK(rig_init(&self, "utf8"));
    CHECK_TEXT(decoded(&self, NULL), "null");
    CHECK_TEXT(decoded(&self, ""), "\"\"");
    CHECK_TEXT(decoded(&self, "gr\xc3\xbcn"), "\"gr\xc3\xbcn\"");
    CHECK_TEXT(decoded(&self, "\xff"), "\"\xef\xbf\xbd\"");
    rig_done(&self);
}

TEST(single_byte_charsets_have_what_they_have)
{
    rig self;
    CHECK(rig_init(&self, "ISO-8859-1"));
    CHECK_TEXT(encoded(&self, sluice_text(self.arena, "gr\xc3\xbcn \xe2\x82\xac")),
               "gr\xfcn ?");
    CHECK_TEXT(decoded(&self, "gr\xfcn"), "\"gr\xc3\xbcn\"");
    rig_done(&self);
    CHECK(rig_init(&self, "us-ascii"));
    CHECK_TEXT(encoded(&self, sluice_text(self.arena, "gr\xc3\xbcn \xf0\x9f\x98\x80")),
               "gr?n ?");
    CHECK_TEXT(decoded(&self, "gr\xfcn"), "\"gr\xef\xbf\xbdn\"");
    rig_done(&self);
}

static void check_bytes(rig *self, const char *in, const char *bytes, size_t len)
{
    sluice_bytes out;
    CHECK(self->ops->encode(self->self, "t", NULL, NULL, sluice_text(self->arena, in),
                            self->arena, &out, self->err) == SLUICE_OK);
    CHECK_INT(out.len, len);
    CHECK(memcmp(out.base, bytes, len) == 0);
}

TEST(other_charsets_are_had_by_javas_names)
{
    static const struct {
        const char *name, *in, *bytes;
        size_t len;
    } CASES[] = {{"UTF-16", "a\xf0\x9f\x98\x80", "\xfe\xff\0a\xd8\x3d\xde\0", 8},
                 {"UTF-16LE", "a\xe2\x82\xac", "a\0\xac\x20", 4},
                 {"utf_32", "a", "\0\0\0a", 4},
                 {"Cp1252", "\xe2\x82\xac\xd0\xaf", "\x80?", 2},
                 {"windows-1252", "\xe2\x82\xac", "\x80", 1},
                 {"ISO8859_15", "\xe2\x82\xac", "\xa4", 1},
                 {"KOI8-R", "\xd0\xaf", "\xf1", 1}};
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        rig self;
        CHECK(rig_init(&self, CASES[i].name));
        check_bytes(&self, CASES[i].in, CASES[i].bytes, CASES[i].len);
        rig_done(&self);
    }
}

TEST(marks_say_the_order_of_bytes_and_halves_are_replaced)
{
    rig self;
    CHECK(rig_init(&self, "UTF-16"));
    CHECK_TEXT(decoded_bytes(&self, "\0a", 2), "\"a\"");
    CHECK_TEXT(decoded_bytes(&self,
                             "\xff\xfe"
                             "a\0",
                             4),
               "\"a\"");
    CHECK_TEXT(decoded_bytes(&self, "\xfe\xff\0a\0", 5), "\"a\xef\xbf\xbd\"");
    CHECK_TEXT(decoded_bytes(&self, "\xde\0\0a\xd8\0\0b\0c", 10), "\"\xef\xbf\xbd"
                                                                  "a\xef\xbf\xbd"
                                                                  "c\"");
    rig_done(&self);
}

TEST(an_unknown_charset_is_refused)
{
    rig self;
    CHECK(!rig_init(&self, "nope"));
    CHECK_TEXT(sluice_error_text(self.err),
               "Unsupported encoding nope: converter.encoding must be one that 'iconv "
               "--list' names, such as UTF-8, ISO-8859-1 or UTF-16");
    rig_done(&self);
}

TEST_MAIN
