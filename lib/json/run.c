/* Values to JSON text, by a compiled schema or by their own types. */
#include "json/run.h"
#include "data/value.h"
#include <sluice/text.h>

enum { depth_max = 1000 };

static sluice_status run(json_writer *out, const json_node *node,
                         const sluice_json_options *options, const sluice_value *value,
                         sluice_error *err);

static sluice_status bad_text(sluice_error *err)
{
    return sluice_fail(err, SLUICE_BAD_RECORD, "a text is not valid UTF-8");
}

static sluice_status write_text(json_writer *out, const sluice_value *value,
                                sluice_error *err)
{
    return json_text(out, value->is.bytes, value->count) ? SLUICE_OK : bad_text(err);
}

static sluice_status run_null(json_writer *out, const json_node *node,
                              const sluice_json_options *options, sluice_error *err)
{
    if (node->fallback != NULL && options->default_for_null) {
        json_raw(out, node->fallback, node->fallback_len);
    } else if (node->optional) {
        json_literal(out, "null");
    } else {
        return sluice_fail(
            err, SLUICE_BAD_RECORD,
            "Conversion error: null value for field that is required and "
            "has no default value");
    }
    return SLUICE_OK;
}

static sluice_status run_field(json_writer *out, const json_field *field,
                               const sluice_json_options *options,
                               const sluice_value *value, sluice_error *err)
{
    json_raw(out, field->name, field->name_len);
    return run(out, field->node, options, value, err);
}

/* A field whose value other records have, too: it is written once. */
static sluice_status repeat_field(json_writer *out, const json_field *field,
                                  const sluice_json_options *options,
                                  const sluice_value *value, sluice_error *err)
{
    json_memo *memo = &out->memos[field->memo];
    if (memo->value == value) {
        json_raw(out, memo->text, memo->len);
        return SLUICE_OK;
    }
    size_t start = (size_t)(out->at - out->base);
    sluice_status status = run_field(out, field, options, value, err);
    if (status == SLUICE_OK) {
        char *text = out->base + start;
        *memo = (json_memo){value, text, (size_t)(out->at - text)};
    }
    return status;
}

static sluice_status run_struct(json_writer *out, const json_node *node,
                                const sluice_json_options *options,
                                const sluice_value *value, sluice_error *err)
{
    const sluice_schema *schema = value->is.schema;
    if (sluice_schema_id(schema) != node->schema_id &&
        !sluice_schema_equal(schema, node->schema)) {
        return sluice_fail(err, SLUICE_BAD_RECORD, "Mismatching schema.");
    }
    const sluice_value *const *fields = value_items(value);
    json_char(out, '{');
    for (size_t i = 0; i < node->field_count; i++) {
        const json_field *field = &node->fields[i];
        const sluice_value *one = fields[i];
        bool repeats = one != NULL && one->repeats && out->memos != NULL;
        sluice_status status = repeats ? repeat_field(out, field, options, one, err)
                                       : run_field(out, field, options, one, err);
        if (status != SLUICE_OK) {
            sluice_prefix(err, "field '%s'", sluice_schema_field_name(node->schema, i));
            return status;
        }
    }
    json_char(out, '}');
    return SLUICE_OK;
}

static sluice_status run_array(json_writer *out, const json_node *node,
                               const sluice_json_options *options,
                               const sluice_value *value, sluice_error *err)
{
    sluice_status status = SLUICE_OK;
    json_char(out, '[');
    for (size_t i = 0; i < value->count && status == SLUICE_OK; i++) {
        if (i > 0) {
            json_char(out, ',');
        }
        status = run(out, node->element, options, value->is.items[i], err);
    }
    json_char(out, ']');
    return status;
}

static sluice_status run_map(json_writer *out, const json_node *node,
                             const sluice_json_options *options,
                             const sluice_value *value, sluice_error *err)
{
    bool object = node->form == JSON_FORM_OBJECT;
    sluice_status status = SLUICE_OK;
    json_char(out, object ? '{' : '[');
    for (size_t i = 0; i < value->count && status == SLUICE_OK; i++) {
        if (i > 0) {
            json_char(out, ',');
        }
        if (!object) {
            json_char(out, '[');
        }
        status = run(out, node->key, options, value->is.items[2 * i], err);
        json_char(out, object ? ':' : ',');
        if (status == SLUICE_OK) {
            status = run(out, node->element, options, value->is.items[2 * i + 1], err);
        }
        if (!object) {
            json_char(out, ']');
        }
    }
    json_char(out, object ? '}' : ']');
    return status;
}

/* Kafka Connect's words, which name Java's class. */
static sluice_status wrong_type(const json_node *node, const sluice_value *value,
                                sluice_error *err)
{
    const char *class = sluice_text_class(NULL, value);
    const char *type = node->type == SLUICE_TYPE_BYTES
                           ? "bytes type"
                           : sluice_data_type_name(node->type);
    return sluice_fail(err, SLUICE_BAD_RECORD, "Invalid type for %s: class %s", type,
                       class);
}

static sluice_status run(json_writer *out, const json_node *node,
                         const sluice_json_options *options, const sluice_value *value,
                         sluice_error *err)
{
    if (value == NULL) {
        return run_null(out, node, options, err);
    }
    if (value->type != (uint32_t)node->type) {
        return wrong_type(node, value, err);
    }
    switch (node->form) {
    case JSON_FORM_INTEGER:
        json_integer(out, value->is.integer);
        return SLUICE_OK;
    case JSON_FORM_FLOAT:
        json_float(out, (float)value->is.floating);
        return SLUICE_OK;
    case JSON_FORM_DOUBLE:
        json_double(out, value->is.floating);
        return SLUICE_OK;
    case JSON_FORM_BOOLEAN:
        json_raw(out, value->is.integer ? "true" : "false", value->is.integer ? 4 : 5);
        return SLUICE_OK;
    case JSON_FORM_STRING:
        return write_text(out, value, err);
    case JSON_FORM_BYTES:
        json_base64(out, value->is.bytes, value->count);
        return SLUICE_OK;
    case JSON_FORM_DECIMAL:
        json_decimal(out, sluice_value_bytes(value), node->scale);
        return SLUICE_OK;
    case JSON_FORM_ARRAY:
        return run_array(out, node, options, value, err);
    case JSON_FORM_OBJECT:
    case JSON_FORM_TUPLES:
        return run_map(out, node, options, value, err);
    case JSON_FORM_STRUCT:
        return run_struct(out, node, options, value, err);
    }
    return SLUICE_FATAL;
}

sluice_status json_run(json_writer *out, const json_node *node,
                       const sluice_json_options *options, const sluice_value *value,
                       sluice_error *err)
{
    return run(out, node, options, value, err);
}

/* --- Without a schema. --- */

static sluice_status plain(json_writer *out, const sluice_value *value, int depth,
                           sluice_error *err);

static bool has_text_keys(const sluice_value *map)
{
    for (size_t i = 0; i < map->count; i++) {
        const sluice_value *key = map->is.items[2 * i];
        if (key == NULL || key->type != SLUICE_TYPE_STRING) {
            return false;
        }
    }
    return true;
}

static sluice_status plain_map(json_writer *out, const sluice_value *map, int depth,
                               sluice_error *err)
{
    bool object = has_text_keys(map);
    sluice_status status = SLUICE_OK;
    json_char(out, object ? '{' : '[');
    for (size_t i = 0; i < map->count && status == SLUICE_OK; i++) {
        if (i > 0) {
            json_char(out, ',');
        }
        if (!object) {
            json_char(out, '[');
        }
        status = plain(out, map->is.items[2 * i], depth, err);
        json_char(out, object ? ':' : ',');
        if (status == SLUICE_OK) {
            status = plain(out, map->is.items[2 * i + 1], depth, err);
        }
        if (!object) {
            json_char(out, ']');
        }
    }
    json_char(out, object ? '}' : ']');
    return status;
}

static sluice_status plain_array(json_writer *out, const sluice_value *array, int depth,
                                 sluice_error *err)
{
    sluice_status status = SLUICE_OK;
    json_char(out, '[');
    for (size_t i = 0; i < array->count && status == SLUICE_OK; i++) {
        if (i > 0) {
            json_char(out, ',');
        }
        status = plain(out, array->is.items[i], depth, err);
    }
    json_char(out, ']');
    return status;
}

/* A struct among schemaless values: its own schema says the names. */
static sluice_status plain_struct(json_writer *out, const sluice_value *value,
                                  int depth, sluice_error *err)
{
    const sluice_value *const *fields = value_items(value);
    sluice_status status = SLUICE_OK;
    json_char(out, '{');
    for (size_t i = 0; i < value->count && status == SLUICE_OK; i++) {
        const char *name = sluice_schema_field_name(value->is.schema, i);
        if (i > 0) {
            json_char(out, ',');
        }
        if (!json_text(out, name, strlen(name))) {
            return bad_text(err);
        }
        json_char(out, ':');
        status = plain(out, fields[i], depth, err);
    }
    json_char(out, '}');
    return status;
}

static sluice_status plain(json_writer *out, const sluice_value *value, int depth,
                           sluice_error *err)
{
    if (value == NULL) {
        json_literal(out, "null");
        return SLUICE_OK;
    }
    if (depth > depth_max) {
        return sluice_fail(err, SLUICE_BAD_RECORD,
                           "the value is nested deeper than %d levels", depth_max);
    }
    switch ((sluice_data_type)value->type) {
    case SLUICE_TYPE_INT8:
    case SLUICE_TYPE_INT16:
    case SLUICE_TYPE_INT32:
    case SLUICE_TYPE_INT64:
        json_integer(out, value->is.integer);
        return SLUICE_OK;
    case SLUICE_TYPE_FLOAT32:
        json_float(out, (float)value->is.floating);
        return SLUICE_OK;
    case SLUICE_TYPE_FLOAT64:
        json_double(out, value->is.floating);
        return SLUICE_OK;
    case SLUICE_TYPE_BOOLEAN:
        json_raw(out, value->is.integer ? "true" : "false", value->is.integer ? 4 : 5);
        return SLUICE_OK;
    case SLUICE_TYPE_STRING:
        return write_text(out, value, err);
    case SLUICE_TYPE_BYTES:
        json_base64(out, value->is.bytes, value->count);
        return SLUICE_OK;
    case SLUICE_TYPE_ARRAY:
        return plain_array(out, value, depth + 1, err);
    case SLUICE_TYPE_MAP:
        return plain_map(out, value, depth + 1, err);
    case SLUICE_TYPE_STRUCT:
        return plain_struct(out, value, depth + 1, err);
    }
    return SLUICE_FATAL;
}

sluice_status json_run_schemaless(json_writer *out, const sluice_value *value,
                                  sluice_error *err)
{
    return plain(out, value, 0, err);
}
