/* converters/string/string.c - any value as its text, and bytes as a string. */
#include "charset.h"
#include <sluice/plugin.h>
#include <sluice/text.h>

typedef struct string_config {
    const char *encoding;
} string_config;

/* An instance is its charset. */
static sluice_status string_create(const void *config, bool is_key, void **ret_self,
                                   sluice_error *err)
{
    const string_config *own = config;
    charset *self = charset_new(own->encoding);
    if (self == NULL) {
        return sluice_fail(
            err, SLUICE_BAD_CONFIG,
            "Unsupported encoding %s: converter.encoding must be one that "
            "'iconv --list' names, such as UTF-8, ISO-8859-1 or UTF-16",
            own->encoding);
    }
    *ret_self = self;
    return SLUICE_OK;
}

static void string_destroy(void *self)
{
    charset_free(self);
}

static sluice_status string_encode(void *instance, const char *topic,
                                   sluice_headers *headers, const sluice_schema *schema,
                                   const sluice_value *value, sluice_arena *arena,
                                   sluice_bytes *ret_bytes, sluice_error *err)
{
    if (value == NULL) {
        *ret_bytes = (sluice_bytes){NULL, 0};
        return SLUICE_OK;
    }
    sluice_bytes text;
    if (sluice_value_type(value) == SLUICE_TYPE_STRING) {
        text = sluice_value_bytes(value);
    } else {
        text.base = sluice_text_of(arena, schema, value, &text.len);
    }
    if (!sluice_text_is_utf8(text.base, text.len)) {
        text.base = sluice_text_repair(arena, text.base, text.len, &text.len);
    }
    *ret_bytes = charset_encode(instance, text, arena);
    return SLUICE_OK;
}

static sluice_status string_decode(void *instance, const char *topic,
                                   const sluice_headers *headers, sluice_bytes bytes,
                                   sluice_arena *arena,
                                   const sluice_schema **ret_schema,
                                   const sluice_value **ret_value, sluice_error *err)
{
    *ret_schema = sluice_schema_of(SLUICE_TYPE_STRING, true);
    *ret_value = NULL;
    if (bytes.base != NULL) {
        sluice_bytes text = charset_decode(instance, bytes, arena);
        *ret_value = sluice_string_borrowed(arena, text.base, text.len);
    }
    return SLUICE_OK;
}

/* --- The feature. --- */

static const sluice_key KEYS[] = {
    {.name = "converter.encoding",
     .title = "Encoding",
     .width = SLUICE_WIDTH_MEDIUM,
     .fallback = "UTF-8",
     .doc = "The name of the character set to use for encoding strings as bytes, as "
            "Java or "
            "iconv call it: UTF-8, ISO-8859-1, windows-1252, UTF-16.",
     .type = SLUICE_STRING,
     .importance = SLUICE_HIGH,
     .offset = SLUICE_AT(const char *, string_config, encoding)},
    {.name = NULL},
};

static const sluice_config CONFIG = {.size = sizeof(sluice_config),
                                     .key_size = sizeof(sluice_key),
                                     .struct_size = sizeof(string_config),
                                     .keys = KEYS};

static const sluice_converter_ops OPS = {.size = sizeof(sluice_converter_ops),
                                         .create = string_create,
                                         .destroy = string_destroy,
                                         .encode = string_encode,
                                         .decode = string_decode};

static const char *const ALIASES[] = {
    "org.apache.kafka.connect.storage.StringConverter", "StringConverter", "String",
    NULL};

static const sluice_feature FEATURE = {
    .size = sizeof(sluice_feature),
    .kind = SLUICE_CONVERTER,
    .name = "string",
    .summary = "Values as their text.",
    .doc = "A value becomes its text, as Java's `toString` prints it; bytes become an "
           "optional STRING, malformed parts of it U+FFFD. No bytes are a null value.",
    .aliases = ALIASES,
    .stands_for = "4.1.0",
    .config = &CONFIG,
    .ops.converter = &OPS};

static const sluice_feature *const FEATURES[] = {&FEATURE, NULL};

SLUICE_PLUGIN(.name = "string", .version = "0.1.0", .license = "Apache-2.0",
              .features = FEATURES);
