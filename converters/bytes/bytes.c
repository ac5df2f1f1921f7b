/* converters/bytes/bytes.c - bytes through, as they are. */
#include <sluice/plugin.h>
#include <sluice/text.h>

#include <string.h>

static sluice_status bytes_create(const void *config, bool is_key, void **ret_self,
                                  sluice_error *err)
{
    static int nothing; /* An instance has no state. */
    *ret_self = &nothing;
    return SLUICE_OK;
}

static void bytes_destroy(void *self)
{
}

static sluice_status bytes_encode(void *self, const char *topic,
                                  sluice_headers *headers, const sluice_schema *schema,
                                  const sluice_value *value, sluice_arena *arena,
                                  sluice_bytes *ret_bytes, sluice_error *err)
{
    if (schema != NULL && sluice_schema_type(schema) != SLUICE_TYPE_BYTES) {
        return sluice_fail(err, SLUICE_BAD_RECORD,
                           "Invalid schema type for ByteArrayConverter: %s",
                           sluice_data_type_name(sluice_schema_type(schema)));
    }
    const char *name = schema == NULL ? NULL : sluice_schema_name(schema);
    bool is_decimal = name != NULL && strcmp(name, SLUICE_DECIMAL) == 0;
    if (value != NULL &&
        (sluice_value_type(value) != SLUICE_TYPE_BYTES || is_decimal)) {
        return sluice_fail(err, SLUICE_BAD_RECORD,
                           "ByteArrayConverter is not compatible with objects of type "
                           "class %s",
                           sluice_text_class(schema, value));
    }
    *ret_bytes = value == NULL ? (sluice_bytes){NULL, 0} : sluice_value_bytes(value);
    return SLUICE_OK;
}

static sluice_status bytes_decode(void *self, const char *topic,
                                  const sluice_headers *headers, sluice_bytes bytes,
                                  sluice_arena *arena, const sluice_schema **ret_schema,
                                  const sluice_value **ret_value, sluice_error *err)
{
    *ret_schema = sluice_schema_of(SLUICE_TYPE_BYTES, true);
    *ret_value = bytes.base == NULL
                     ? NULL
                     : sluice_binary_borrowed(arena, bytes.base, bytes.len);
    return SLUICE_OK;
}

/* --- The feature. --- */

static const sluice_key KEYS[] = {{.name = NULL}};

static const sluice_config CONFIG = {.size = sizeof(sluice_config),
                                     .key_size = sizeof(sluice_key),
                                     .struct_size = 1,
                                     .keys = KEYS};

static const sluice_converter_ops OPS = {.size = sizeof(sluice_converter_ops),
                                         .create = bytes_create,
                                         .destroy = bytes_destroy,
                                         .encode = bytes_encode,
                                         .decode = bytes_decode};

static const char *const ALIASES[] = {
    "org.apache.kafka.connect.converters.ByteArrayConverter", "ByteArrayConverter",
    "ByteArray", NULL};

static const sluice_feature FEATURE = {
    .size = sizeof(sluice_feature),
    .kind = SLUICE_CONVERTER,
    .name = "bytes",
    .summary = "Bytes, unchanged.",
    .doc = "A value of type BYTES is written as it is, and bytes become an optional "
           "BYTES. Any other type is refused.",
    .aliases = ALIASES,
    .stands_for = "4.1.0",
    .config = &CONFIG,
    .ops.converter = &OPS};

static const sluice_feature *const FEATURES[] = {&FEATURE, NULL};

SLUICE_PLUGIN(.name = "bytes", .version = "0.1.0", .license = "Apache-2.0",
              .features = FEATURES);
