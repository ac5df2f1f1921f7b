/* The JSON converter: Kafka Connect's JsonConverter, over libsluice's encoder and
 * decoder. */
#include <sluice/json.h>
#include <sluice/plugin.h>
#include <stdlib.h>

typedef struct json_config {
    bool schemas_enable;
    int32_t schemas_cache_size;
    int32_t decimal_format; /* An index in `formats`. */
    bool replace_null;
} json_config;

/* In the order in which Kafka Connect names them. */
enum { format_numeric, format_base64 };
static const char *const formats[] = {"NUMERIC", "BASE64", NULL};

static const sluice_key keys[] = {
    {.name = "schemas.enable",
     .title = "Enable Schemas",
     .group = "Schemas",
     .width = SLUICE_WIDTH_MEDIUM,
     .order = -1,
     .type = SLUICE_BOOL,
     .importance = SLUICE_HIGH,
     .fallback = "true",
     .doc = "Whether every value travels with its schema, as "
            "{\"schema\":…,\"payload\":…}.",
     .offset = SLUICE_AT(bool, json_config, schemas_enable)},
    {.name = "schemas.cache.size",
     .title = "Schema Cache Size",
     .group = "Schemas",
     .width = SLUICE_WIDTH_MEDIUM,
     .order = 1,
     .type = SLUICE_INT,
     .importance = SLUICE_HIGH,
     .fallback = "1000",
     .doc = "How many schemas are kept compiled or parsed. Less than none is none.",
     .offset = SLUICE_AT(int32_t, json_config, schemas_cache_size)},
    {.name = "decimal.format",
     .title = "Decimal Format",
     .group = "Serialization",
     .width = SLUICE_WIDTH_MEDIUM,
     .order = -1,
     .type = SLUICE_ENUM,
     .choices = formats,
     .shown_type = "STRING",
     .importance = SLUICE_LOW,
     .fallback = "BASE64",
     .doc =
         "How decimals are written: BASE64 of their bytes, or NUMERIC. Both are read.",
     .offset = SLUICE_AT(int32_t, json_config, decimal_format)},
    {.name = "replace.null.with.default",
     .title = "Replace null with default",
     .group = "Serialization",
     .width = SLUICE_WIDTH_MEDIUM,
     .order = 1,
     .type = SLUICE_BOOL,
     .importance = SLUICE_LOW,
     .fallback = "true",
     .doc = "Whether a null field is replaced by its schema's default.",
     .offset = SLUICE_AT(bool, json_config, replace_null)},
    {.name = NULL},
};

static const sluice_config config = {
    .size = sizeof(sluice_config),
    .key_size = sizeof(sluice_key),
    .struct_size = sizeof(json_config),
    .keys = keys,
};

typedef struct json_converter {
    sluice_json_encoder *encoder;
    sluice_json_decoder *decoder;
} json_converter;

static sluice_status json_create(const void *argument, bool is_key, void **ret_self,
                                 sluice_error *err)
{
    const json_config *given = argument;
    json_converter *self = malloc(sizeof *self);
    if (self == NULL) {
        return sluice_fail(err, SLUICE_FATAL, "no memory for a JSON converter");
    }
    sluice_json_options options = {
        .size = sizeof options,
        .schemas = given->schemas_enable,
        .numeric_decimals = given->decimal_format == format_numeric,
        .default_for_null = given->replace_null,
        .schemas_max = given->schemas_cache_size < 0 ? 0 : given->schemas_cache_size,
    };
    self->encoder = sluice_json_encoder_new(&options);
    self->decoder = sluice_json_decoder_new(&options);
    *ret_self = self;
    return SLUICE_OK;
}

static void json_destroy(void *argument)
{
    json_converter *self = argument;
    if (self != NULL) {
        sluice_json_encoder_free(self->encoder);
        sluice_json_decoder_free(self->decoder);
        free(self);
    }
}

static sluice_status json_encode(void *argument, const char *topic,
                                 sluice_headers *headers, const sluice_schema *schema,
                                 const sluice_value *value, sluice_arena *arena,
                                 sluice_bytes *ret_bytes, sluice_error *err)
{
    json_converter *self = argument;
    return sluice_json_encode(self->encoder, schema, value, arena, ret_bytes, err);
}

static sluice_status json_decode(void *argument, const char *topic,
                                 const sluice_headers *headers, sluice_bytes bytes,
                                 sluice_arena *arena, const sluice_schema **ret_schema,
                                 const sluice_value **ret_value, sluice_error *err)
{
    json_converter *self = argument;
    return sluice_json_decode(self->decoder, bytes, arena, ret_schema, ret_value, err);
}

static const sluice_converter_ops ops = {
    .size = sizeof ops,
    .create = json_create,
    .destroy = json_destroy,
    .encode = json_encode,
    .decode = json_decode,
};

static const char *const aliases[] = {"org.apache.kafka.connect.json.JsonConverter",
                                      "JsonConverter", "Json", NULL};

static const sluice_feature json = {
    .size = sizeof json,
    .kind = SLUICE_CONVERTER,
    .name = "json",
    .summary = "Values as JSON, with or without their schemas.",
    .doc = "Writes and reads what Kafka Connect's JsonConverter writes and reads, byte "
           "for byte. With `schemas.enable=false` values are plain JSON.",
    .aliases = aliases,
    .stands_for = "4.1.0",
    .config = &config,
    .ops.converter = &ops,
};

static const sluice_feature *const features[] = {&json, NULL};

SLUICE_PLUGIN(.name = "json", .version = "0.1.0", .license = "Apache-2.0",
              .features = features);
