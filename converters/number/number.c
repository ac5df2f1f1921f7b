/* converters/number/number.c - numbers and booleans in Java's binary form: big-endian,
 * of a fixed width. */
#include <sluice/plugin.h>
#include <sluice/text.h>

#include <stdint.h>
#include <string.h>

typedef struct kind {
    const char *name;         /* In messages: "integer". */
    const char *java_class;   /* The only one that can be written. */
    const char *deserializer; /* As its message calls it. */
    sluice_data_type type;
    size_t width;
} kind;

static const kind SHORT = {"short", "java.lang.Short", "ShortDeserializer",
                           SLUICE_TYPE_INT16, 2};
static const kind INTEGER = {"integer", "java.lang.Integer", "IntegerDeserializer",
                             SLUICE_TYPE_INT32, 4};
static const kind LONG = {"long", "java.lang.Long", "LongDeserializer",
                          SLUICE_TYPE_INT64, 8};
static const kind FLOAT = {"float", "java.lang.Float", "Deserializer",
                           SLUICE_TYPE_FLOAT32, 4};
static const kind DOUBLE = {"double", "java.lang.Double", "Deserializer",
                            SLUICE_TYPE_FLOAT64, 8};
static const kind BOOLEAN = {"boolean", "java.lang.Boolean", "BooleanDeserializer",
                             SLUICE_TYPE_BOOLEAN, 1};

/* An instance is its kind, which is constant. */
#define NUMBER_CREATE(title, what)                                                     \
    static sluice_status title(const void *config, bool is_key, void **ret_self,       \
                               sluice_error *err)                                      \
    {                                                                                  \
        *ret_self = (void *)&what;                                                     \
        return SLUICE_OK;                                                              \
    }

NUMBER_CREATE(short_create, SHORT)
NUMBER_CREATE(integer_create, INTEGER)
NUMBER_CREATE(long_create, LONG)
NUMBER_CREATE(float_create, FLOAT)
NUMBER_CREATE(double_create, DOUBLE)
NUMBER_CREATE(boolean_create, BOOLEAN)

static void number_destroy(void *self)
{
}

/* --- Out. --- */

/* The value's bits, in the low bytes. */
static uint64_t bits_of(const kind *self, const sluice_value *value)
{
    uint64_t bits = 0;
    if (self->type == SLUICE_TYPE_FLOAT64) {
        double number = sluice_value_float(value);
        memcpy(&bits, &number, sizeof number);
    } else if (self->type == SLUICE_TYPE_FLOAT32) {
        float number = (float)sluice_value_float(value);
        uint32_t narrow;
        memcpy(&narrow, &number, sizeof number);
        bits = narrow;
    } else if (self->type == SLUICE_TYPE_BOOLEAN) {
        bits = sluice_value_boolean(value);
    } else {
        bits = (uint64_t)sluice_value_integer(value);
    }
    return bits;
}

static sluice_status number_refuse(const kind *self, const sluice_schema *schema,
                                   const sluice_value *value, sluice_error *err)
{
    const char *class = sluice_text_class(schema, value);
    if (self->type == SLUICE_TYPE_BOOLEAN) {
        return sluice_fail(err, SLUICE_BAD_RECORD,
                           "BooleanConverter is not compatible with objects of type "
                           "class %s",
                           class);
    }
    return sluice_fail(err, SLUICE_BAD_RECORD,
                       "Failed to serialize to %s (was class %s): class %s is not %s",
                       self->name, class, class, self->java_class);
}

static sluice_status number_encode(void *instance, const char *topic,
                                   sluice_headers *headers, const sluice_schema *schema,
                                   const sluice_value *value, sluice_arena *arena,
                                   sluice_bytes *ret_bytes, sluice_error *err)
{
    const kind *self = instance;
    if (self->type == SLUICE_TYPE_BOOLEAN && schema != NULL &&
        sluice_schema_type(schema) != SLUICE_TYPE_BOOLEAN) {
        return sluice_fail(err, SLUICE_BAD_RECORD,
                           "Invalid schema type for BooleanConverter: %s",
                           sluice_data_type_name(sluice_schema_type(schema)));
    }
    if (value == NULL) {
        *ret_bytes = (sluice_bytes){NULL, 0};
        return SLUICE_OK;
    }
    if (strcmp(sluice_text_class(schema, value), self->java_class) != 0) {
        return number_refuse(self, schema, value, err);
    }
    unsigned char *out = sluice_arena_take(arena, self->width);
    uint64_t bits = bits_of(self, value);
    for (size_t i = self->width; i > 0; i--) {
        out[i - 1] = (unsigned char)bits;
        bits >>= 8;
    }
    *ret_bytes = (sluice_bytes){out, self->width};
    return SLUICE_OK;
}

/* --- In. --- */

static const sluice_value *value_of(const kind *self, uint64_t bits,
                                    sluice_arena *arena)
{
    uint32_t narrow = (uint32_t)bits;
    float single;
    double number;
    switch (self->width) {
    case 1:
        return sluice_boolean(bits == 1);
    case 2:
        return sluice_int16(arena, (int16_t)(uint16_t)bits);
    case 4:
        memcpy(&single, &narrow, sizeof single);
        return self->type == SLUICE_TYPE_FLOAT32 ? sluice_float32(arena, single)
                                                 : sluice_int32(arena, (int32_t)narrow);
    default:
        memcpy(&number, &bits, sizeof number);
        return self->type == SLUICE_TYPE_FLOAT64 ? sluice_float64(arena, number)
                                                 : sluice_int64(arena, (int64_t)bits);
    }
}

static sluice_status number_decode(void *instance, const char *topic,
                                   const sluice_headers *headers, sluice_bytes bytes,
                                   sluice_arena *arena,
                                   const sluice_schema **ret_schema,
                                   const sluice_value **ret_value, sluice_error *err)
{
    const kind *self = instance;
    *ret_schema = sluice_schema_of(self->type, true);
    *ret_value = NULL;
    if (bytes.base == NULL) {
        return SLUICE_OK;
    }
    if (bytes.len != self->width) {
        return sluice_fail(err, SLUICE_BAD_RECORD,
                           "Failed to deserialize %s: Size of data received by %s is "
                           "not %zu",
                           self->name, self->deserializer, self->width);
    }
    const unsigned char *in = bytes.base;
    uint64_t bits = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        bits = bits << 8 | in[i];
    }
    if (self->type == SLUICE_TYPE_BOOLEAN && bits > 1) {
        return sluice_fail(err, SLUICE_BAD_RECORD,
                           "Failed to deserialize boolean: Unexpected byte received by "
                           "BooleanDeserializer: %d",
                           (int)(int8_t)bits);
    }
    *ret_value = value_of(self, bits, arena);
    return SLUICE_OK;
}

/* --- The features. --- */

static const sluice_key KEYS[] = {{.name = NULL}};

static const sluice_config CONFIG = {.size = sizeof(sluice_config),
                                     .key_size = sizeof(sluice_key),
                                     .struct_size = 1,
                                     .keys = KEYS};

/* What a converter is, from its plugin name, its Java class without the word Converter,
 * and the Connect type that it takes and gives. */
#define NUMBER_FEATURE(id, plugin_name, java_name, type_name)                          \
    static const sluice_converter_ops id##_ops = {.size =                              \
                                                      sizeof(sluice_converter_ops),    \
                                                  .create = id##_create,               \
                                                  .destroy = number_destroy,           \
                                                  .encode = number_encode,             \
                                                  .decode = number_decode};            \
    static const char *const id##_aliases[] = {                                        \
        "org.apache.kafka.connect.converters." java_name "Converter",                  \
        java_name "Converter", java_name, NULL};                                       \
    static const sluice_feature id##_feature = {                                       \
        .size = sizeof(sluice_feature),                                                \
        .kind = SLUICE_CONVERTER,                                                      \
        .name = plugin_name,                                                           \
        .summary = type_name " in Java's binary form.",                                \
        .doc = "A value of type " type_name " is written big-endian in its fixed "     \
               "width, and bytes of that width become an optional " type_name          \
               ". Any other type or width is refused.",                                \
        .aliases = id##_aliases,                                                       \
        .stands_for = "4.1.0",                                                         \
        .config = &CONFIG,                                                             \
        .ops.converter = &id##_ops};

NUMBER_FEATURE(short, "short", "Short", "INT16")
NUMBER_FEATURE(integer, "integer", "Integer", "INT32")
NUMBER_FEATURE(long, "long", "Long", "INT64")
NUMBER_FEATURE(float, "float", "Float", "FLOAT32")
NUMBER_FEATURE(double, "double", "Double", "FLOAT64")
NUMBER_FEATURE(boolean, "boolean", "Boolean", "BOOLEAN")

static const sluice_feature *const FEATURES[] = {
    &short_feature,  &integer_feature, &long_feature, &float_feature,
    &double_feature, &boolean_feature, NULL};

SLUICE_PLUGIN(.name = "number", .version = "0.1.0", .license = "Apache-2.0",
              .features = FEATURES);
