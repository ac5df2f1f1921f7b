/* converters/bytes/bytes_test.c - bytes through, and nothing else. */
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

static void rig_init(rig *self)
{
    const sluice_feature *feature = sluice_plugin_manifest.features[0];
    self->fake = sluice_fake_new();
    self->arena = sluice_arena_new();
    self->err = sluice_error_new();
    self->ops = feature->ops.converter;
    void *config = sluice_fake_config(self->fake, feature->config, NULL);
    CHECK(config != NULL);
    CHECK(self->ops->create(config, true, &self->self, self->err) == SLUICE_OK);
}

static void rig_done(rig *self)
{
    self->ops->destroy(self->self);
    sluice_error_free(self->err);
    sluice_arena_free(self->arena);
    sluice_fake_free(self->fake);
}

static const char *encoded(rig *self, const sluice_schema *schema,
                           const sluice_value *value)
{
    static char text[200];
    sluice_bytes bytes;
    if (self->ops->encode(self->self, "t", NULL, schema, value, self->arena, &bytes,
                          self->err) != SLUICE_OK) {
        return sluice_error_text(self->err);
    }
    snprintf(text, sizeof text, "%.*s", bytes.base == NULL ? 6 : (int)bytes.len,
             bytes.base == NULL ? "(none)" : (const char *)bytes.base);
    return text;
}

TEST(bytes_go_out_with_their_schema_or_without)
{
    rig self;
    rig_init(&self);
    const sluice_value *value = sluice_binary(self.arena, "ab", 2);
    CHECK_TEXT(encoded(&self, NULL, value), "ab");
    CHECK_TEXT(encoded(&self, sluice_schema_of(SLUICE_TYPE_BYTES, false), value), "ab");
    CHECK_TEXT(encoded(&self, sluice_schema_of(SLUICE_TYPE_BYTES, true), NULL),
               "(none)");
    rig_done(&self);
}

TEST(anything_else_is_refused)
{
    rig self;
    rig_init(&self);
    CHECK_TEXT(encoded(&self, sluice_schema_of(SLUICE_TYPE_STRING, true),
                       sluice_text(self.arena, "x")),
               "Invalid schema type for ByteArrayConverter: STRING");
    CHECK_TEXT(encoded(&self, NULL, sluice_text(self.arena, "x")),
               "ByteArrayConverter is not compatible with objects of type class "
               "java.lang.String");
    CHECK_TEXT(encoded(&self, sluice_schema_decimal(self.arena, 2, false),
                       sluice_binary(self.arena, "\1", 1)),
               "ByteArrayConverter is not compatible with objects of type class "
               "java.math.BigDecimal");
    rig_done(&self);
}

TEST(bytes_come_in_as_an_optional_value)
{
    rig self;
    const sluice_schema *schema;
    const sluice_value *value;
    rig_init(&self);
    sluice_bytes bytes = {"\1", 1}, none = {NULL, 0};
    CHECK(self.ops->decode(self.self, "t", NULL, bytes, self.arena, &schema, &value,
                           self.err) == SLUICE_OK);
    CHECK_TEXT(sluice_fake_show_schema(self.fake, schema), "BYTES?");
    CHECK_TEXT(sluice_fake_show(self.fake, value), "0x01");
    CHECK(self.ops->decode(self.self, "t", NULL, none, self.arena, &schema, &value,
                           self.err) == SLUICE_OK);
    CHECK(value == NULL && schema != NULL);
    rig_done(&self);
}

TEST_MAIN
