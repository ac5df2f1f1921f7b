/* Values and schemas as text that a test can compare, and records for sinks. */
#include "show.h"
#include "../base/buffer.h"
#include <string.h>

static void show_text(buffer *out, sluice_bytes text)
{
    const char *base = text.base;
    buffer_append_byte(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)base[i];
        if (c < ' ') {
            buffer_print(out, "\\u%04x", c);
        } else {
            buffer_print(out, "%s%c", c == '"' || c == '\\' ? "\\" : "", c);
        }
    }
    buffer_append_byte(out, '"');
}

static void show_bytes(buffer *out, sluice_bytes bytes)
{
    buffer_append_text(out, "0x");
    for (size_t i = 0; i < bytes.len; i++) {
        buffer_print(out, "%02x", ((const unsigned char *)bytes.base)[i]);
    }
}

static void show_value(buffer *out, const sluice_value *value);

static void show_array(buffer *out, const sluice_value *value)
{
    buffer_append_byte(out, '[');
    for (size_t i = 0; i < sluice_value_count(value); i++) {
        buffer_append_text(out, i == 0 ? "" : ",");
        show_value(out, sluice_value_at(value, i));
    }
    buffer_append_byte(out, ']');
}

static void show_fields(buffer *out, const sluice_value *value)
{
    bool is_map = sluice_value_type(value) == SLUICE_TYPE_MAP;
    buffer_append_byte(out, '{');
    for (size_t i = 0; i < sluice_value_count(value); i++) {
        buffer_append_text(out, i == 0 ? "" : ",");
        if (is_map) {
            show_value(out, sluice_map_key(value, i));
        } else {
            const sluice_schema *schema = sluice_struct_schema(value);
            buffer_print(out, "\"%s\"", sluice_schema_field_name(schema, i));
        }
        buffer_append_byte(out, ':');
        show_value(out, sluice_value_at(value, i));
    }
    buffer_append_byte(out, '}');
}

static void show_value(buffer *out, const sluice_value *value)
{
    if (value == NULL) {
        buffer_append_text(out, "null");
        return;
    }
    switch (sluice_value_type(value)) {
    case SLUICE_TYPE_INT8:
    case SLUICE_TYPE_INT16:
    case SLUICE_TYPE_INT32:
    case SLUICE_TYPE_INT64:
        buffer_print(out, "%lld", (long long)sluice_value_integer(value));
        return;
    case SLUICE_TYPE_FLOAT32:
        buffer_print(out, "%.9g", sluice_value_float(value));
        return;
    case SLUICE_TYPE_FLOAT64:
        buffer_print(out, "%.17g", sluice_value_float(value));
        return;
    case SLUICE_TYPE_BOOLEAN:
        buffer_append_text(out, sluice_value_boolean(value) ? "true" : "false");
        return;
    case SLUICE_TYPE_STRING:
        show_text(out, sluice_value_bytes(value));
        return;
    case SLUICE_TYPE_BYTES:
        show_bytes(out, sluice_value_bytes(value));
        return;
    case SLUICE_TYPE_ARRAY:
        show_array(out, value);
        return;
    case SLUICE_TYPE_MAP:
    case SLUICE_TYPE_STRUCT:
        show_fields(out, value);
        return;
    }
}

static const char *keep(sluice_fake *fake, buffer *text)
{
    const char *kept =
        sluice_arena_copy(fake_arena(fake), buffer_text(text), text->len);
    buffer_done(text);
    return kept;
}

const char *sluice_fake_show(sluice_fake *fake, const sluice_value *value)
{
    buffer out = BUFFER_INIT;
    show_value(&out, value);
    return keep(fake, &out);
}

static void show_schema(buffer *out, const sluice_schema *schema)
{
    if (schema == NULL) {
        buffer_append_text(out, "none");
        return;
    }
    buffer_append_text(out, sluice_data_type_name(sluice_schema_type(schema)));
    if (sluice_schema_element(schema) != NULL) {
        buffer_append_byte(out, '(');
        if (sluice_schema_key(schema) != NULL) {
            show_schema(out, sluice_schema_key(schema));
            buffer_append_byte(out, ',');
        }
        show_schema(out, sluice_schema_element(schema));
        buffer_append_byte(out, ')');
    }
    if (sluice_schema_type(schema) == SLUICE_TYPE_STRUCT) {
        buffer_append_byte(out, '{');
        for (size_t i = 0; i < sluice_schema_field_count(schema); i++) {
            buffer_print(out, "%s%s ", i == 0 ? "" : ",",
                         sluice_schema_field_name(schema, i));
            show_schema(out, sluice_schema_field_schema(schema, i));
        }
        buffer_append_byte(out, '}');
    }
    if (sluice_schema_name(schema) != NULL) {
        buffer_print(out, "[%s]", sluice_schema_name(schema));
    }
    buffer_append_text(out, sluice_schema_is_optional(schema) ? "?" : "");
}

const char *sluice_fake_show_schema(sluice_fake *fake, const sluice_schema *schema)
{
    buffer out = BUFFER_INIT;
    show_schema(&out, schema);
    return keep(fake, &out);
}

sluice_record *sluice_fake_consumed(sluice_batch *batch, const char *topic,
                                    int64_t offset, const char *key, const char *value)
{
    sluice_arena *arena = sluice_batch_arena(batch);
    const sluice_schema *text = sluice_schema_of(SLUICE_TYPE_STRING, true);
    sluice_record *record = sluice_batch_add(batch);
    sluice_record_set_consumed(record, sluice_arena_copy(arena, topic, strlen(topic)),
                               0, offset, 0, SLUICE_TIMESTAMP_CREATE);
    sluice_record_set_key(record, text, sluice_text(arena, key));
    sluice_record_set_value(record, text, sluice_text(arena, value));
    return record;
}
