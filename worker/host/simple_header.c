/* Headers as texts, where no plugin converts them. */
#include "worker/host/simple_header.h"
#include "base/buffer.h"
#include "base/text.h"
#include "worker/host/header_text.h"
#include <sluice/text.h>
#include <string.h>
#include <time.h>

static sluice_bytes base64(sluice_arena *arena, sluice_bytes bytes)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *in = bytes.base;
    size_t len = (bytes.len + 2) / 3 * 4;
    char *out = sluice_arena_take(arena, len + 1), *at = out;
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t have = bytes.len - i < 3 ? bytes.len - i : 3;
        unsigned long group = (unsigned long)in[i] << 16 |
                              (have > 1 ? (unsigned long)in[i + 1] << 8 : 0) |
                              (have > 2 ? (unsigned long)in[i + 2] : 0);
        *at++ = digits[group >> 18];
        *at++ = digits[group >> 12 & 63];
        *at++ = have > 1 ? digits[group >> 6 & 63] : '=';
        *at++ = have > 2 ? digits[group & 63] : '=';
    }
    return (sluice_bytes){out, len};
}

/* --- Writing. --- */

enum { NESTING_MAX = 100 };

static bool is_named(const sluice_schema *schema, const char *name)
{
    const char *own = schema == NULL ? NULL : sluice_schema_name(schema);
    return own != NULL && strcmp(own, name) == 0;
}

static void append_quoted(buffer *out, sluice_bytes text)
{
    const char *at = text.base, *end = at + text.len;
    buffer_append_byte(out, '"');
    for (; at < end; at++) {
        if (*at == '"' || *at == '\\') {
            buffer_append_byte(out, '\\');
        }
        buffer_append_byte(out, *at);
    }
    buffer_append_byte(out, '"');
}

static void append_text(buffer *out, sluice_bytes text, bool nested)
{
    if (nested) {
        append_quoted(out, text);
    } else {
        buffer_append(out, text.base, text.len);
    }
}

/* As Java does: what lies before the second day is a time of day, midnight a date. */
static void append_date(buffer *out, int64_t ms)
{
    int64_t seconds = ms / 1000 - (ms % 1000 < 0);
    time_t time = (time_t)seconds;
    struct tm parts;
    char text[64];
    const char *format = "%Y-%m-%dT%H:%M:%S";
    bool is_day = ms >= INT64_C(86400000) && ms % INT64_C(86400000) == 0;
    if (ms < INT64_C(86400000)) {
        format = "%H:%M:%S";
    } else if (is_day) {
        format = "%Y-%m-%d";
    }
    gmtime_r(&time, &parts);
    buffer_append(out, text, strftime(text, sizeof text, format, &parts));
    if (!is_day) {
        buffer_print(out, ".%03dZ", (int)(ms - seconds * 1000));
    }
}

static void append_scalar(buffer *out, const sluice_schema *schema,
                          const sluice_value *value, sluice_arena *arena)
{
    if (is_named(schema, SLUICE_DATE)) {
        append_date(out, sluice_value_integer(value) * INT64_C(86400000));
    } else if (is_named(schema, SLUICE_TIME) || is_named(schema, SLUICE_TIMESTAMP)) {
        append_date(out, sluice_value_integer(value));
    } else {
        size_t len;
        const char *text = sluice_text_of(arena, schema, value, &len);
        buffer_append(out, text, len);
    }
}

static bool append(buffer *out, const sluice_schema *schema, const sluice_value *value,
                   sluice_arena *arena, int depth);

/* {"k":1,"z":["q"]} of a MAP or a STRUCT. */
static bool append_fields(buffer *out, const sluice_schema *schema,
                          const sluice_value *value, sluice_arena *arena, int depth)
{
    bool is_struct = sluice_value_type(value) == SLUICE_TYPE_STRUCT;
    schema = is_struct ? sluice_struct_schema(value) : schema;
    bool good = true;
    buffer_append_byte(out, '{');
    for (size_t i = 0; i < sluice_value_count(value) && good; i++) {
        const sluice_schema *inner = NULL;
        if (i > 0) {
            buffer_append_byte(out, ',');
        }
        if (is_struct) {
            const char *name = sluice_schema_field_name(schema, i);
            append_quoted(out, (sluice_bytes){name, strlen(name)});
            inner = sluice_schema_field_schema(schema, i);
        } else {
            good = append(out, schema == NULL ? NULL : sluice_schema_key(schema),
                          sluice_map_key(value, i), arena, depth + 1);
            inner = schema == NULL ? NULL : sluice_schema_element(schema);
        }
        buffer_append_byte(out, ':');
        const sluice_value *part = sluice_value_at(value, i);
        if (is_struct && part == NULL) {
            sluice_schema_default(inner, &part); /* As Struct.get() in Java. */
        }
        good = good && append(out, inner, part, arena, depth + 1);
    }
    buffer_append_byte(out, '}');
    return good;
}

static bool append_elements(buffer *out, const sluice_schema *schema,
                            const sluice_value *value, sluice_arena *arena, int depth)
{
    const sluice_schema *element =
        schema == NULL ? NULL : sluice_schema_element(schema);
    bool good = true;
    buffer_append_byte(out, '[');
    for (size_t i = 0; i < sluice_value_count(value) && good; i++) {
        if (i > 0) {
            buffer_append_byte(out, ',');
        }
        good = append(out, element, sluice_value_at(value, i), arena, depth + 1);
    }
    buffer_append_byte(out, ']');
    return good;
}

/* False: nested too deeply. `depth` 0 is the header itself. */
static bool append(buffer *out, const sluice_schema *schema, const sluice_value *value,
                   sluice_arena *arena, int depth)
{
    if (depth > NESTING_MAX) {
        return false;
    }
    if (value == NULL) {
        return buffer_append_text(out, "null");
    }
    switch (sluice_value_type(value)) {
    case SLUICE_TYPE_STRING:
        append_text(out, sluice_value_bytes(value), depth > 0);
        return true;
    case SLUICE_TYPE_BYTES:
        if (is_named(schema, SLUICE_DECIMAL)) {
            append_scalar(out, schema, value, arena);
        } else {
            append_text(out, base64(arena, sluice_value_bytes(value)), depth > 0);
        }
        return true;
    case SLUICE_TYPE_ARRAY:
        return append_elements(out, schema, value, arena, depth);
    case SLUICE_TYPE_MAP:
    case SLUICE_TYPE_STRUCT:
        return append_fields(out, schema, value, arena, depth);
    default:
        append_scalar(out, schema, value, arena);
        return true;
    }
}

sluice_status simple_header_encode(const sluice_schema *schema,
                                   const sluice_value *value, sluice_arena *arena,
                                   sluice_bytes *ret_bytes, sluice_error *err)
{
    *ret_bytes = (sluice_bytes){NULL, 0};
    if (value == NULL) {
        return SLUICE_OK;
    }
    if (sluice_value_type(value) == SLUICE_TYPE_STRING) {
        *ret_bytes = sluice_value_bytes(value);
        return SLUICE_OK;
    }
    buffer out = BUFFER_INIT;
    bool good = append(&out, schema, value, arena, 0);
    if (good) {
        ret_bytes->base = sluice_arena_copy(arena, out.base, out.len);
        ret_bytes->len = out.len;
    }
    buffer_done(&out);
    return good ? SLUICE_OK
                : sluice_fail(err, SLUICE_BAD_RECORD,
                              "a header is nested more than %d deep", NESTING_MAX);
}

sluice_status simple_header_decode(sluice_bytes bytes, sluice_arena *arena,
                                   const sluice_schema **ret_schema,
                                   const sluice_value **ret_value, sluice_error *err)
{
    if (bytes.base == NULL) {
        *ret_schema = NULL;
        *ret_value = NULL;
        return SLUICE_OK;
    }
    if (text_is_utf8(bytes.base, bytes.len)) {
        header_text_parse(bytes, arena, ret_schema, ret_value);
    } else {
        *ret_schema = sluice_schema_of(SLUICE_TYPE_BYTES, false);
        *ret_value = sluice_binary_borrowed(arena, bytes.base, bytes.len);
    }
    return SLUICE_OK;
}
