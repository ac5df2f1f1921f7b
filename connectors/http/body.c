/* What a request says: values as they are, or as JSON. */
#include "body.h"
#include <sluice/json.h>
#include <stdlib.h>
#include <string.h>

struct http_body {
    sluice_json_encoder *encoder;
    sluice_arena *scratch; /* For the JSON of one record. */
    char *base;
    size_t len, room;
};

http_body *http_body_new(const http_config *config)
{
    http_body *body = calloc(1, sizeof *body);
    if (body == NULL) {
        return NULL;
    }
    sluice_json_options options = {
        .size = sizeof options,
        .numeric_decimals = config->decimal_format == 1,
        .default_for_null = true,
        .schemas_max = 1000,
    };
    body->encoder = sluice_json_encoder_new(&options);
    body->scratch = sluice_arena_new();
    return body;
}

void http_body_free(http_body *body)
{
    if (body != NULL) {
        sluice_json_encoder_free(body->encoder);
        sluice_arena_free(body->scratch);
        free(body->base);
        free(body);
    }
}

void http_body_cut(http_body *body, size_t len)
{
    body->len = len;
}

sluice_bytes http_body_bytes(const http_body *body)
{
    return (sluice_bytes){body->base, body->len};
}

sluice_status http_body_add(http_body *body, const void *base, size_t len,
                            sluice_error *err)
{
    if (len > HTTP_BODY_MAX - body->len) {
        return sluice_fail(
            err, SLUICE_BAD_RECORD,
            "a request of more than %d MiB: a smaller batch.max.size helps",
            HTTP_BODY_MAX >> 20);
    }
    if (len > body->room - body->len) {
        size_t room = (body->len + len) * 2;
        char *grown = realloc(body->base, room);
        if (grown == NULL) {
            return sluice_fail(err, SLUICE_FATAL,
                               "no memory for a request of %zu bytes", body->len + len);
        }
        body->base = grown;
        body->room = room;
    }
    if (len > 0) {
        memcpy(body->base + body->len, base, len);
        body->len += len;
    }
    return SLUICE_OK;
}

sluice_status http_body_record(http_body *body, const sluice_record *record,
                               sluice_error *err)
{
    const sluice_value *value = sluice_record_value(record);
    if (value == NULL) {
        return sluice_fail(
            err, SLUICE_BAD_RECORD,
            "Record value must not be null; behavior.on.null.values=ignore "
            "skips such records");
    }
    sluice_data_type type = sluice_value_type(value);
    if (type == SLUICE_TYPE_STRING || type == SLUICE_TYPE_BYTES) {
        sluice_bytes bytes = sluice_value_bytes(value);
        return http_body_add(body, bytes.base, bytes.len, err);
    }
    if (type < SLUICE_TYPE_ARRAY) {
        return sluice_fail(err, SLUICE_BAD_RECORD,
                           "Record value must be a text, bytes or structured, not %s",
                           sluice_data_type_name(type));
    }
    sluice_bytes json;
    sluice_arena_reset(body->scratch);
    sluice_status status =
        sluice_json_encode(body->encoder, sluice_record_value_schema(record), value,
                           body->scratch, &json, err);
    return status == SLUICE_OK ? http_body_add(body, json.base, json.len, err) : status;
}
