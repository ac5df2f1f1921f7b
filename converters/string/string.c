/* converters/string/string.c - any value as its text, and bytes as a string. */
#include <sluice/plugin.h>
#include <sluice/text.h>

#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef struct string_config {
    const char *encoding;
} string_config;

/* Java's charsets whose bytes are at hand without tables. */
typedef enum charset { CHARSET_UTF8, CHARSET_LATIN1, CHARSET_ASCII } charset;

typedef struct string_converter {
    charset charset;
} string_converter;

static const struct {
    const char *name;
    charset charset;
} CHARSETS[] = {
    {"UTF-8", CHARSET_UTF8},        {"UTF8", CHARSET_UTF8},
    {"ISO-8859-1", CHARSET_LATIN1}, {"ISO8859_1", CHARSET_LATIN1},
    {"LATIN1", CHARSET_LATIN1},     {"US-ASCII", CHARSET_ASCII},
    {"ASCII", CHARSET_ASCII},
};

static bool charset_find(const char *name, charset *ret_charset)
{
    for (size_t i = 0; i < sizeof CHARSETS / sizeof *CHARSETS; i++) {
        if (strcasecmp(name, CHARSETS[i].name) == 0) {
            *ret_charset = CHARSETS[i].charset;
            return true;
        }
    }
    return false;
}

static sluice_status string_create(const void *config, bool is_key, void **ret_self,
                                   sluice_error *err)
{
    const string_config *own = config;
    string_converter *self = calloc(1, sizeof *self);
    if (self == NULL) {
        return sluice_fail(err, SLUICE_FATAL, "memory is out");
    }
    if (!charset_find(own->encoding, &self->charset)) {
        free(self);
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "Unsupported encoding %s: converter.encoding must be one of "
                           "UTF-8, ISO-8859-1, US-ASCII",
                           own->encoding);
    }
    *ret_self = self;
    return SLUICE_OK;
}

static void string_destroy(void *self)
{
    free(self);
}

/* The code point at `*at` of valid UTF-8, and moves on. */
static uint32_t next_code_point(const unsigned char **at)
{
    const unsigned char *c = *at;
    int more = c[0] < 0x80 ? 0 : c[0] < 0xe0 ? 1 : c[0] < 0xf0 ? 2 : 3;
    uint32_t code = more == 0 ? c[0] : c[0] & (0x3fu >> more);
    for (int i = 1; i <= more; i++) {
        code = code << 6 | (c[i] & 0x3f);
    }
    *at += more + 1;
    return code;
}

/* One byte a character, '?' for what the charset lacks (two for what is two chars in
 * Java). */
static sluice_bytes to_single_bytes(sluice_arena *arena, sluice_bytes text,
                                    uint32_t max)
{
    const unsigned char *at = text.base, *end = at + text.len;
    unsigned char *out = sluice_arena_take(arena, text.len + 1);
    size_t used = 0;
    while (at < end) {
        uint32_t code = next_code_point(&at);
        out[used++] = code <= max ? (unsigned char)code : '?';
    }
    return (sluice_bytes){out, used};
}

static sluice_status string_encode(void *instance, const char *topic,
                                   sluice_headers *headers, const sluice_schema *schema,
                                   const sluice_value *value, sluice_arena *arena,
                                   sluice_bytes *ret_bytes, sluice_error *err)
{
    const string_converter *self = instance;
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
    *ret_bytes = self->charset == CHARSET_UTF8
                     ? text
                     : to_single_bytes(arena, text,
                                       self->charset == CHARSET_ASCII ? 0x7f : 0xff);
    return SLUICE_OK;
}

static sluice_value *from_single_bytes(sluice_arena *arena, sluice_bytes bytes,
                                       unsigned max)
{
    const unsigned char *at = bytes.base;
    char *out = sluice_arena_take(arena, 3 * bytes.len + 1);
    size_t used = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        if (at[i] < 0x80) {
            out[used++] = (char)at[i];
        } else if (at[i] <= max) {
            out[used++] = (char)(0xc0 | at[i] >> 6);
            out[used++] = (char)(0x80 | (at[i] & 0x3f));
        } else {
            memcpy(out + used, "\xef\xbf\xbd", 3);
            used += 3;
        }
    }
    return sluice_string_borrowed(arena, out, used);
}

static sluice_value *from_utf8(sluice_arena *arena, sluice_bytes bytes)
{
    if (sluice_text_is_utf8(bytes.base, bytes.len)) {
        return sluice_string_borrowed(arena, bytes.base, bytes.len);
    }
    size_t len;
    const char *text = sluice_text_repair(arena, bytes.base, bytes.len, &len);
    return sluice_string_borrowed(arena, text, len);
}

static sluice_status string_decode(void *instance, const char *topic,
                                   const sluice_headers *headers, sluice_bytes bytes,
                                   sluice_arena *arena,
                                   const sluice_schema **ret_schema,
                                   const sluice_value **ret_value, sluice_error *err)
{
    const string_converter *self = instance;
    *ret_schema = sluice_schema_of(SLUICE_TYPE_STRING, true);
    if (bytes.base == NULL) {
        *ret_value = NULL;
    } else if (self->charset == CHARSET_UTF8) {
        *ret_value = from_utf8(arena, bytes);
    } else {
        *ret_value = from_single_bytes(arena, bytes,
                                       self->charset == CHARSET_ASCII ? 0x7f : 0xff);
    }
    return SLUICE_OK;
}

/* --- The feature. --- */

static const sluice_key KEYS[] = {
    {.name = "converter.encoding",
     .title = "Encoding",
     .width = SLUICE_WIDTH_MEDIUM,
     .fallback = "UTF-8",
     .doc =
         "The name of the character set to use for encoding strings as bytes: UTF-8, "
         "ISO-8859-1 or US-ASCII.",
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
