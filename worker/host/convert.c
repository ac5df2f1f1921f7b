/* A task's converters: records to bytes and back. */
#include "worker/host/convert.h"
#include "base/memory.h"
#include "base/text.h"
#include "worker/host/common_config.h"
#include "worker/host/simple_header.h"
#include <stdlib.h>

typedef struct part {
    const plugin_feature *plugin; /* NULL: SimpleHeaderConverter. */
    const sluice_converter_ops *ops;
    void *config;
    void *self;
    error_stage stage;
} part;

struct converters {
    part key, value, header;
    /* The last headers of the batch, and what became of them. */
    const char *last_topic;
    const kafka_header *last_headers; /* NULL: none yet. */
    size_t last_header_count;
};

static const char simple_header_class[] =
    "org.apache.kafka.connect.storage.SimpleHeaderConverter";

/* A converter's own keys: the connector's when it names the converter, else the
 * worker's, with converter.type as Kafka Connect sets it. */
static sluice_props *keys_of(const char *prefix, const sluice_props *from)
{
    char *below = memory_print("%s.converter.", prefix);
    sluice_props *props = props_below(from, below);
    free(below);
    sluice_props_set(props, "converter.type", prefix);
    return props;
}

static sluice_status find_plugin(part *self, const char *name, const char *class_name,
                                 plugin_set *plugins, sluice_error *err)
{
    if (class_name == NULL) {
        return sluice_fail_key(err, name,
                               "Missing required configuration \"%s\" which has no "
                               "default value.",
                               name);
    }
    self->plugin = plugins_find(plugins, SLUICE_CONVERTER, class_name);
    if (self->plugin != NULL) {
        self->ops = self->plugin->is.ops.converter;
        return SLUICE_OK;
    }
    if (self->stage == STAGE_HEADER_CONVERTER &&
        (text_ends(class_name, "SimpleHeaderConverter") ||
         text_equal_nocase(class_name, "Simple"))) {
        return SLUICE_OK;
    }
    return sluice_fail_key(
        err, name,
        "Invalid value %s for configuration %s: Class %s could not be found.",
        class_name, name, class_name);
}

static sluice_status part_make(part *self, const char *prefix,
                               const sluice_props *connector,
                               const sluice_props *worker, const char *fallback,
                               plugin_set *plugins, sluice_error *err)
{
    char *name = memory_print("%s.converter", prefix);
    const sluice_props *from = sluice_props_get(connector, name) ? connector : worker;
    const char *class_name = sluice_props_get(from, name);
    sluice_status status = find_plugin(
        self, name, class_name == NULL ? fallback : class_name, plugins, err);
    if (status == SLUICE_OK && self->plugin != NULL) {
        sluice_props *props = keys_of(prefix, from);
        status =
            sluice_config_parse(self->plugin->is.config, props, &self->config, err);
        sluice_props_free(props);
        if (status == SLUICE_OK) {
            status = self->ops->create(self->config, self->stage == STAGE_KEY_CONVERTER,
                                       &self->self, err);
        }
        if (status != SLUICE_OK) {
            sluice_prefix(err, "%s", name);
        }
    }
    free(name);
    return status;
}

sluice_status converters_new(const sluice_props *connector, const sluice_props *worker,
                             plugin_set *plugins, converters **ret_converters,
                             sluice_error *err)
{
    converters *self = memory_zero(sizeof *self);
    self->key.stage = STAGE_KEY_CONVERTER;
    self->value.stage = STAGE_VALUE_CONVERTER;
    self->header.stage = STAGE_HEADER_CONVERTER;
    sluice_status status =
        part_make(&self->key, "key", connector, worker, NULL, plugins, err);
    if (status == SLUICE_OK) {
        status =
            part_make(&self->value, "value", connector, worker, NULL, plugins, err);
    }
    if (status == SLUICE_OK) {
        status = part_make(&self->header, "header", connector, worker,
                           simple_header_class, plugins, err);
    }
    if (status != SLUICE_OK) {
        converters_free(self);
        return status;
    }
    *ret_converters = self;
    return SLUICE_OK;
}

static void part_done(part *self)
{
    if (self->self != NULL) {
        self->ops->destroy(self->self);
    }
    if (self->config != NULL) {
        sluice_config_free(self->plugin->is.config, self->config);
    }
}

void converters_free(converters *self)
{
    if (self != NULL) {
        part_done(&self->key);
        part_done(&self->value);
        part_done(&self->header);
        free(self);
    }
}

static sluice_status judge(const part *self, error_policy *errors,
                           const sluice_record *record, bool *ret_keep,
                           sluice_error *err)
{
    *ret_keep = false;
    return errors_judge(errors, self->stage,
                        self->plugin == NULL ? simple_header_class
                                             : self->plugin->class_name,
                        record, err);
}

static sluice_status encode_part(const part *self, error_policy *errors,
                                 sluice_record *record, sluice_headers *headers,
                                 const sluice_schema *schema, const sluice_value *value,
                                 sluice_bytes *ret_bytes, sluice_error *err)
{
    error_attempts attempts = {0};
    sluice_status status;
    do {
        status = self->plugin == NULL
                     ? simple_header_encode(schema, value, sluice_record_arena(record),
                                            ret_bytes, err)
                     : self->ops->encode(self->self, sluice_record_topic(record),
                                         headers, schema, value,
                                         sluice_record_arena(record), ret_bytes, err);
    } while (status == SLUICE_RETRY && errors_try_again(errors, &attempts));
    return status;
}

void converters_begin(converters *self)
{
    self->last_headers = NULL;
}

/* Whether these are the last headers again. Each header has its own copy of its name,
 * unless records share it: within a batch its address tells it from others. */
static bool is_last(const converters *self, const sluice_record *record,
                    const sluice_headers *headers, size_t count)
{
    if (self->last_headers == NULL || self->last_header_count != count ||
        self->last_topic != sluice_record_topic(record)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (self->last_headers[i].name != sluice_headers_name(headers, i)) {
            return false;
        }
    }
    return true;
}

static sluice_status encode_headers(converters *self, error_policy *errors,
                                    sluice_record *record, kafka_message *message,
                                    bool *ret_keep, sluice_error *err)
{
    const sluice_headers *headers = sluice_record_headers_or_null(record);
    size_t count = sluice_headers_count(headers);
    message->header_count = count;
    if (count == 0) {
        return SLUICE_OK;
    }
    if (is_last(self, record, headers, count)) {
        message->headers = self->last_headers;
        return SLUICE_OK;
    }
    self->last_headers = NULL;
    kafka_header *list =
        sluice_arena_take(sluice_record_arena(record), count * sizeof *list);
    message->headers = list;
    for (size_t i = 0; i < count; i++) {
        list[i].name = sluice_headers_name(headers, i);
        sluice_status status = encode_part(
            &self->header, errors, record, NULL, sluice_headers_schema(headers, i),
            sluice_headers_value(headers, i), &list[i].value, err);
        if (status != SLUICE_OK) {
            return judge(&self->header, errors, record, ret_keep, err);
        }
    }
    self->last_topic = sluice_record_topic(record);
    self->last_headers = list;
    self->last_header_count = count;
    return SLUICE_OK;
}

/* A converter may add headers, so that those are encoded last, unlike in Kafka Connect,
 * where they come first and what a converter adds is lost or not by its kind. */
sluice_status converters_encode(converters *self, error_policy *errors,
                                sluice_record *record, kafka_message *message,
                                bool *ret_keep, sluice_error *err)
{
    *ret_keep = true;
    sluice_headers *headers = sluice_record_headers_or_null(record) != NULL
                                  ? sluice_record_headers(record)
                                  : NULL;
    if (encode_part(&self->key, errors, record, headers,
                    sluice_record_key_schema(record), sluice_record_key(record),
                    &message->key, err) != SLUICE_OK) {
        return judge(&self->key, errors, record, ret_keep, err);
    }
    if (encode_part(&self->value, errors, record, headers,
                    sluice_record_value_schema(record), sluice_record_value(record),
                    &message->value, err) != SLUICE_OK) {
        return judge(&self->value, errors, record, ret_keep, err);
    }
    return encode_headers(self, errors, record, message, ret_keep, err);
}

static sluice_status decode_part(const part *self, error_policy *errors,
                                 const char *topic, const sluice_headers *headers,
                                 sluice_bytes bytes, sluice_arena *arena,
                                 const sluice_schema **ret_schema,
                                 const sluice_value **ret_value, sluice_error *err)
{
    error_attempts attempts = {0};
    sluice_status status;
    do {
        *ret_schema = NULL;
        *ret_value = NULL;
        status = self->plugin == NULL
                     ? simple_header_decode(bytes, arena, ret_schema, ret_value, err)
                     : self->ops->decode(self->self, topic, headers, bytes, arena,
                                         ret_schema, ret_value, err);
    } while (status == SLUICE_RETRY && errors_try_again(errors, &attempts));
    return status;
}

static sluice_status decode_headers(converters *self, error_policy *errors,
                                    const kafka_consumed *consumed,
                                    sluice_record *record, bool *ret_keep,
                                    sluice_error *err)
{
    kafka_header header;
    for (size_t i = 0; kafka_consumed_header(consumed, i, &header); i++) {
        const sluice_schema *schema;
        const sluice_value *value;
        if (decode_part(&self->header, errors, consumed->topic, NULL, header.value,
                        sluice_record_arena(record), &schema, &value,
                        err) != SLUICE_OK) {
            return judge(&self->header, errors, record, ret_keep, err);
        }
        sluice_headers_add(sluice_record_headers(record), header.name, schema, value);
    }
    return SLUICE_OK;
}

sluice_status converters_decode(converters *self, error_policy *errors,
                                const kafka_consumed *consumed, sluice_record *record,
                                bool *ret_keep, sluice_error *err)
{
    *ret_keep = true;
    sluice_status status =
        decode_headers(self, errors, consumed, record, ret_keep, err);
    if (status != SLUICE_OK || !*ret_keep) {
        return status;
    }
    const sluice_headers *headers = sluice_record_headers_or_null(record);
    sluice_arena *arena = sluice_record_arena(record);
    const sluice_schema *schema;
    const sluice_value *value;
    if (decode_part(&self->key, errors, consumed->topic, headers, consumed->key, arena,
                    &schema, &value, err) != SLUICE_OK) {
        return judge(&self->key, errors, record, ret_keep, err);
    }
    sluice_record_set_key(record, schema, value);
    if (decode_part(&self->value, errors, consumed->topic, headers, consumed->value,
                    arena, &schema, &value, err) != SLUICE_OK) {
        return judge(&self->value, errors, record, ret_keep, err);
    }
    sluice_record_set_value(record, schema, value);
    return SLUICE_OK;
}
