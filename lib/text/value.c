/* lib/text/value.c - whole values as Java's toString prints them, and their classes. */
#include <sluice/text.h>

#include "base/buffer.h"
#include "base/text.h"
#include <string.h>
#include <time.h>

enum { DEPTH_MAX = 1000, DAY_MS = 86400000 };

typedef struct printer {
    buffer out;
    sluice_arena *arena; /* For decimals. */
    int depth;
} printer;

static void print_value(printer *self, const sluice_schema *schema,
                        const sluice_value *value);

static bool is_named(const sluice_schema *schema, const char *name)
{
    const char *own = schema == NULL ? NULL : sluice_schema_name(schema);
    return own != NULL && strcmp(own, name) == 0;
}

/* Whether it is a java.util.Date, and then its milliseconds since the epoch. */
static bool is_date(const sluice_schema *schema, const sluice_value *value,
                    int64_t *ret_ms)
{
    sluice_data_type type = sluice_value_type(value);
    if (type == SLUICE_TYPE_INT32 && is_named(schema, SLUICE_DATE)) {
        *ret_ms = sluice_value_integer(value) * DAY_MS;
        return true;
    }
    if ((type == SLUICE_TYPE_INT32 && is_named(schema, SLUICE_TIME)) ||
        (type == SLUICE_TYPE_INT64 && is_named(schema, SLUICE_TIMESTAMP))) {
        *ret_ms = sluice_value_integer(value);
        return true;
    }
    return false;
}

/* "Thu Jan 01 00:00:00 UTC 1970" */
static void print_date(printer *self, int64_t ms)
{
    static const char DAYS[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char MONTHS[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t seconds = (time_t)(ms / 1000 - (ms % 1000 < 0));
    struct tm date;
    if (gmtime_r(&seconds, &date) == NULL) {
        buffer_print(&self->out, "%lld", (long long)ms);
        return;
    }
    buffer_print(&self->out, "%s %s %02d %02d:%02d:%02d UTC %04lld", DAYS[date.tm_wday],
                 MONTHS[date.tm_mon], date.tm_mday, date.tm_hour, date.tm_min,
                 date.tm_sec, date.tm_year + 1900LL);
}

static void print_base64(printer *self, sluice_bytes bytes)
{
    static const char DIGITS[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *at = bytes.base;
    for (size_t left = bytes.len; left > 0;) {
        size_t size = left < 3 ? left : 3;
        uint32_t three = (uint32_t)at[0] << 16 | (size > 1 ? (uint32_t)at[1] << 8 : 0) |
                         (size > 2 ? at[2] : 0);
        char four[4] = {DIGITS[three >> 18], DIGITS[three >> 12 & 63],
                        size > 1 ? DIGITS[three >> 6 & 63] : '=',
                        size > 2 ? DIGITS[three & 63] : '='};
        buffer_append(&self->out, four, sizeof four);
        at += size;
        left -= size;
    }
}

static void print_bytes(printer *self, const sluice_schema *schema, sluice_bytes bytes)
{
    const char *scale = is_named(schema, SLUICE_DECIMAL)
                            ? sluice_schema_parameter(schema, "scale")
                            : NULL;
    int64_t digits_behind;
    if (scale == NULL || !text_to_int64(scale, &digits_behind) ||
        digits_behind != (int)digits_behind) {
        print_base64(self, bytes);
        return;
    }
    size_t len;
    const char *text =
        sluice_text_decimal(self->arena, bytes, (int)digits_behind, &len);
    buffer_append(&self->out, text, len);
}

static void print_struct(printer *self, const sluice_value *value)
{
    const sluice_schema *schema = sluice_struct_schema(value);
    size_t count = sluice_value_count(value);
    const char *between = "";
    buffer_append_text(&self->out, "Struct{");
    for (size_t i = 0; i < count; i++) {
        const sluice_value *field = sluice_value_at(value, i);
        if (field == NULL) {
            continue;
        }
        buffer_append_text(&self->out, between);
        buffer_append_text(&self->out, sluice_schema_field_name(schema, i));
        buffer_append_byte(&self->out, '=');
        print_value(self, sluice_schema_field_schema(schema, i), field);
        between = ",";
    }
    buffer_append_byte(&self->out, '}');
}

static void print_array(printer *self, const sluice_schema *element,
                        const sluice_value *value)
{
    size_t count = sluice_value_count(value);
    buffer_append_byte(&self->out, '[');
    for (size_t i = 0; i < count; i++) {
        buffer_append_text(&self->out, i == 0 ? "" : ", ");
        print_value(self, element, sluice_value_at(value, i));
    }
    buffer_append_byte(&self->out, ']');
}

static void print_map(printer *self, const sluice_schema *key,
                      const sluice_schema *element, const sluice_value *value)
{
    size_t count = sluice_value_count(value);
    buffer_append_byte(&self->out, '{');
    for (size_t i = 0; i < count; i++) {
        buffer_append_text(&self->out, i == 0 ? "" : ", ");
        print_value(self, key, sluice_map_key(value, i));
        buffer_append_byte(&self->out, '=');
        print_value(self, element, sluice_value_at(value, i));
    }
    buffer_append_byte(&self->out, '}');
}

static void print_composite(printer *self, const sluice_schema *schema,
                            const sluice_value *value)
{
    sluice_data_type type = sluice_value_type(value);
    bool is_typed = schema != NULL && sluice_schema_type(schema) == type;
    if (self->depth == DEPTH_MAX) {
        buffer_append_text(&self->out, "…");
        return;
    }
    self->depth++;
    if (type == SLUICE_TYPE_STRUCT) {
        print_struct(self, value);
    } else if (type == SLUICE_TYPE_ARRAY) {
        print_array(self, is_typed ? sluice_schema_element(schema) : NULL, value);
    } else {
        print_map(self, is_typed ? sluice_schema_key(schema) : NULL,
                  is_typed ? sluice_schema_element(schema) : NULL, value);
    }
    self->depth--;
}

static void print_integer(printer *self, const sluice_schema *schema,
                          const sluice_value *value)
{
    char number[SLUICE_NUMBER_TEXT];
    int64_t ms;
    if (is_date(schema, value, &ms)) {
        print_date(self, ms);
        return;
    }
    buffer_append(&self->out, number,
                  sluice_text_int64(number, sluice_value_integer(value)));
}

static void print_value(printer *self, const sluice_schema *schema,
                        const sluice_value *value)
{
    if (value == NULL) {
        buffer_append_text(&self->out, "null");
        return;
    }
    char number[SLUICE_NUMBER_TEXT];
    switch (sluice_value_type(value)) {
    case SLUICE_TYPE_INT8:
    case SLUICE_TYPE_INT16:
    case SLUICE_TYPE_INT32:
    case SLUICE_TYPE_INT64:
        print_integer(self, schema, value);
        break;
    case SLUICE_TYPE_FLOAT32:
        buffer_append(&self->out, number,
                      sluice_text_float(number, (float)sluice_value_float(value)));
        break;
    case SLUICE_TYPE_FLOAT64:
        buffer_append(&self->out, number,
                      sluice_text_double(number, sluice_value_float(value)));
        break;
    case SLUICE_TYPE_BOOLEAN:
        buffer_append_text(&self->out, sluice_value_boolean(value) ? "true" : "false");
        break;
    case SLUICE_TYPE_STRING: {
        sluice_bytes text = sluice_value_bytes(value);
        buffer_append(&self->out, text.base, text.len);
        break;
    }
    case SLUICE_TYPE_BYTES:
        print_bytes(self, schema, sluice_value_bytes(value));
        break;
    case SLUICE_TYPE_ARRAY:
    case SLUICE_TYPE_MAP:
    case SLUICE_TYPE_STRUCT:
        print_composite(self, schema, value);
        break;
    }
}

char *sluice_text_of(sluice_arena *arena, const sluice_schema *schema,
                     const sluice_value *value, size_t *ret_len)
{
    printer self = {.out = BUFFER_INIT, .arena = arena};
    print_value(&self, schema, value);
    char *text = sluice_arena_copy(arena, buffer_text(&self.out), self.out.len);
    *ret_len = self.out.len;
    buffer_done(&self.out);
    return text;
}

const char *sluice_text_class(const sluice_schema *schema, const sluice_value *value)
{
    static const char *const CLASSES[SLUICE_DATA_TYPES] = {
        [SLUICE_TYPE_INT8] = "java.lang.Byte",
        [SLUICE_TYPE_INT16] = "java.lang.Short",
        [SLUICE_TYPE_INT32] = "java.lang.Integer",
        [SLUICE_TYPE_INT64] = "java.lang.Long",
        [SLUICE_TYPE_FLOAT32] = "java.lang.Float",
        [SLUICE_TYPE_FLOAT64] = "java.lang.Double",
        [SLUICE_TYPE_BOOLEAN] = "java.lang.Boolean",
        [SLUICE_TYPE_STRING] = "java.lang.String",
        [SLUICE_TYPE_BYTES] = "[B",
        [SLUICE_TYPE_ARRAY] = "java.util.ArrayList",
        [SLUICE_TYPE_MAP] = "java.util.HashMap",
        [SLUICE_TYPE_STRUCT] = "org.apache.kafka.connect.data.Struct",
    };
    int64_t ms;
    if (value == NULL) {
        return "null";
    }
    sluice_data_type type = sluice_value_type(value);
    if (type == SLUICE_TYPE_BYTES && is_named(schema, SLUICE_DECIMAL)) {
        return "java.math.BigDecimal";
    }
    if (is_date(schema, value, &ms)) {
        return "java.util.Date";
    }
    return CLASSES[type];
}
