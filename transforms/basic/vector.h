/* transforms/basic/vector.h - for tests: a transform on one record, as text.
 *
 *     CHECK_TEXT(vector_value(&feature, "{\"a\":1}", "field", "a", NULL),
 *                "{\"schema\":null,\"payload\":1}");
 *
 * The record is at offset 7 of partition 0 of the topic "test", its timestamp is
 * 1483425001864. Texts that begin with {"schema" are envelopes. */
#ifndef SLUICE_TRANSFORMS_BASIC_VECTOR_H
#define SLUICE_TRANSFORMS_BASIC_VECTOR_H

#include "test.h"
#include <sluice/json.h>
#include <sluice/test.h>
#include <stdarg.h>

#define VECTOR_TIMESTAMP INT64_C(1483425001864)

typedef struct vector {
    const sluice_feature *feature;
    sluice_fake *fake;
    sluice_batch *batch;
    sluice_record *record;
    sluice_error *err;
    void *self; /* NULL: the configuration was refused. */
    sluice_json_decoder *plain, *enveloped;
    sluice_json_encoder *encoder;
} vector;

__attribute__((unused)) static void vector_props(vector *self, va_list pairs)
{
    const char *name;
    while ((name = va_arg(pairs, const char *)) != NULL) {
        sluice_props_set(sluice_fake_props(self->fake), name,
                         va_arg(pairs, const char *));
    }
}

/* A transform with the pairs "key", "value", … NULL as its configuration. */
__attribute__((unused)) static void
vector_init(vector *self, const sluice_feature *feature, va_list pairs)
{
    sluice_json_options options = {
        .size = sizeof options, .default_for_null = true, .schemas_max = 100};
    memset(self, 0, sizeof *self);
    self->feature = feature;
    self->fake = sluice_fake_new();
    self->batch = sluice_batch_new();
    self->err = sluice_error_new();
    self->plain = sluice_json_decoder_new(&options);
    options.schemas = true;
    self->enveloped = sluice_json_decoder_new(&options);
    self->encoder = sluice_json_encoder_new(&options);
    sluice_log_set_level("", SLUICE_OFF);
    vector_props(self, pairs);
    void *config = sluice_fake_config(self->fake, feature->config, NULL);
    if (config != NULL) {
        feature->ops.transform->create(config, &self->self, self->err);
    } else {
        sluice_fail(self->err, SLUICE_BAD_CONFIG, "%s", sluice_fake_fault(self->fake));
    }
}

__attribute__((unused)) static void vector_done(vector *self)
{
    if (self->self != NULL) {
        self->feature->ops.transform->destroy(self->self);
    }
    sluice_json_decoder_free(self->plain);
    sluice_json_decoder_free(self->enveloped);
    sluice_json_encoder_free(self->encoder);
    sluice_batch_free(self->batch);
    sluice_error_free(self->err);
    sluice_fake_free(self->fake);
}

__attribute__((unused)) static void vector_read(vector *self, const char *json,
                                                const sluice_schema **ret_schema,
                                                const sluice_value **ret_value)
{
    *ret_schema = NULL;
    *ret_value = NULL;
    if (json == NULL) {
        return;
    }
    bool has_envelope = strncmp(json, "{\"schema\"", 9) == 0;
    sluice_bytes bytes = {json, strlen(json)};
    sluice_status status = sluice_json_decode(
        has_envelope ? self->enveloped : self->plain, bytes,
        sluice_batch_arena(self->batch), ret_schema, ret_value, NULL);
    CHECK(status == SLUICE_OK);
}

/* Makes the record, in the place of the one before. */
__attribute__((unused)) static void vector_record(vector *self, const char *key,
                                                  const char *value)
{
    const sluice_schema *schema;
    const sluice_value *data;
    sluice_batch_reset(self->batch);
    self->record = sluice_batch_add(self->batch);
    sluice_record_set_consumed(self->record, "test", 0, 7, VECTOR_TIMESTAMP,
                               SLUICE_TIMESTAMP_CREATE);
    vector_read(self, key, &schema, &data);
    sluice_record_set_key(self->record, schema, data);
    vector_read(self, value, &schema, &data);
    sluice_record_set_value(self->record, schema, data);
}

/* Applies it; whether the record is kept. `*ret_status` is SLUICE_OK or says why not.
 */
__attribute__((unused)) static bool vector_apply(vector *self,
                                                 sluice_status *ret_status)
{
    bool is_kept = true;
    *ret_status = self->self == NULL
                      ? SLUICE_BAD_CONFIG
                      : self->feature->ops.transform->apply(self->self, self->record,
                                                            &is_kept, self->err);
    return is_kept;
}

__attribute__((unused)) static const char *
vector_show(vector *self, const sluice_schema *schema, const sluice_value *value)
{
    static char out[8][8192];
    static unsigned next;
    char *text = out[next++ % 8];
    sluice_bytes bytes;
    sluice_status status =
        sluice_json_encode(self->encoder, schema, value,
                           sluice_batch_arena(self->batch), &bytes, self->err);
    CHECK(status == SLUICE_OK);
    snprintf(text, sizeof out[0], "%.*s", bytes.base == NULL ? 4 : (int)bytes.len,
             bytes.base == NULL ? "null" : (const char *)bytes.base);
    return text;
}

/* The value (or the key) of a record with this value (or key) after the transform: its
 * envelope, "null", "dropped", or "error: " and the text. */
__attribute__((unused)) static const char *vector_run(const sluice_feature *feature,
                                                      const char *key,
                                                      const char *value, bool wants_key,
                                                      va_list pairs)
{
    static char fault[1024];
    vector self;
    sluice_status status;
    vector_init(&self, feature, pairs);
    vector_record(&self, key, value);
    bool is_kept = vector_apply(&self, &status);
    const char *text;
    if (status != SLUICE_OK) {
        snprintf(fault, sizeof fault, "error: %s", sluice_error_text(self.err));
        text = fault;
    } else if (!is_kept) {
        text = "dropped";
    } else if (wants_key) {
        text = vector_show(&self, sluice_record_key_schema(self.record),
                           sluice_record_key(self.record));
    } else {
        text = vector_show(&self, sluice_record_value_schema(self.record),
                           sluice_record_value(self.record));
    }
    vector_done(&self);
    return text;
}

__attribute__((unused, sentinel)) static const char *
vector_value(const sluice_feature *feature, const char *value, ...)
{
    va_list pairs;
    va_start(pairs, value);
    const char *text = vector_run(feature, NULL, value, false, pairs);
    va_end(pairs);
    return text;
}

__attribute__((unused, sentinel)) static const char *
vector_key(const sluice_feature *feature, const char *key, ...)
{
    va_list pairs;
    va_start(pairs, key);
    const char *text = vector_run(feature, key, NULL, true, pairs);
    va_end(pairs);
    return text;
}

#define VECTOR_ROW                                                                     \
    "{\"schema\":{\"type\":\"struct\",\"fields\":[{\"field\":\"a\",\"type\":"          \
    "\"int32\"},{\"field\":\"b\",\"type\":\"string\"}]},\"payload\":{\"a\":1,\"b\":"   \
    "\"x\"}}"

#endif
