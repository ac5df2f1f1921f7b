/* JSON text read by a schema, as leniently as JsonConverter reads it. */
#include "base/map.h"
#include "base/text.h"
#include "json/base64.h"
#include "json/reading.h"
#include <string.h>

bool json_bad(json_scanner *scanner, const char *text, const char *what)
{
    sluice_fail(scanner->err, SLUICE_BAD_RECORD, "%s%s", text, what);
    return false;
}

bool json_typed_null(json_scanner *self, const sluice_schema *schema,
                     bool default_for_null, const sluice_value **ret_value)
{
    *ret_value = NULL;
    if (default_for_null && sluice_schema_default(schema, ret_value)) {
        return true;
    }
    if (sluice_schema_is_optional(schema)) {
        return true;
    }
    sluice_fail(self->err, SLUICE_BAD_RECORD,
                "Invalid null value for required %s field",
                sluice_data_type_name(sluice_schema_type(schema)));
    return false;
}

static bool is_named(const sluice_schema *schema, const char *name)
{
    const char *own = sluice_schema_name(schema);
    return own != NULL && strcmp(own, name) == 0;
}

static const sluice_value *narrowed(sluice_arena *arena, sluice_data_type type,
                                    int64_t value)
{
    switch (type) {
    case SLUICE_TYPE_INT8:
        return sluice_int8(arena, (int8_t)value);
    case SLUICE_TYPE_INT16:
        return sluice_int16(arena, (int16_t)value);
    case SLUICE_TYPE_INT32:
        return sluice_int32(arena, (int32_t)value);
    default:
        return sluice_int64(arena, value);
    }
}

/* What Java's Time.toLogical takes: midnight at the end of the day too. */
static bool check_time(json_scanner *scanner, double value)
{
    return (value >= 0 && value <= 86400000) ||
           json_bad(
               scanner,
               "Time values must use number of milliseconds greater than 0 and less "
               "than 86400000",
               "");
}

static bool check_logical(json_reading *self, const sluice_schema *schema,
                          json_token token, const json_number *number)
{
    const char *kind = is_named(schema, SLUICE_DATE)        ? "Date"
                       : is_named(schema, SLUICE_TIME)      ? "Time"
                       : is_named(schema, SLUICE_TIMESTAMP) ? "Timestamp"
                                                            : NULL;
    if (kind == NULL) {
        return true;
    }
    /* Only the name says which it is, whatever the schema's type. */
    double value = json_number_double(number);
    bool narrow = strcmp(kind, "Timestamp") != 0;
    if (token == JSON_NUMBER && number->whole &&
        (!narrow || (value >= INT32_MIN && value <= INT32_MAX))) {
        return strcmp(kind, "Time") != 0 || check_time(self->scanner, value);
    }
    sluice_fail(
        self->scanner->err, SLUICE_BAD_RECORD,
        "Invalid type for %s, underlying representation should be %s but was %s", kind,
        narrow ? "integer" : "integral", json_token_name(token));
    return false;
}

static bool read_integer(json_reading *self, const sluice_schema *schema,
                         json_token token, int depth, const sluice_value **ret_value)
{
    json_number number = {.whole = true};
    json_scanner *scanner = self->scanner;
    if (token == JSON_NUMBER ? !json_take_number(scanner, &number)
                             : !json_skip(scanner, depth)) {
        return false;
    }
    if (!check_logical(self, schema, token, &number)) {
        return false;
    }
    *ret_value =
        narrowed(scanner->arena, sluice_schema_type(schema), json_number_long(&number));
    return true;
}

static bool read_float(json_reading *self, const sluice_schema *schema,
                       json_token token, int depth, const sluice_value **ret_value)
{
    json_scanner *scanner = self->scanner;
    json_number number = {.whole = true}; /* 0, for what is no number. */
    if (token == JSON_NUMBER ? !json_take_number(scanner, &number)
                             : !json_skip(scanner, depth)) {
        return false;
    }
    *ret_value = sluice_schema_type(schema) == SLUICE_TYPE_FLOAT32
                     ? sluice_float32(scanner->arena, json_number_float(&number))
                     : sluice_float64(scanner->arena, json_number_double(&number));
    return true;
}

static bool read_text(json_reading *self, const sluice_schema *schema, json_token token,
                      int depth, const sluice_value **ret_value)
{
    json_scanner *scanner = self->scanner;
    sluice_bytes text;
    if (token != JSON_STRING) {
        *ret_value = NULL;
        self->has_lost |= !sluice_schema_is_optional(schema);
        return json_skip(scanner, depth);
    }
    if (!json_take_string(scanner, &text)) {
        return false;
    }
    *ret_value = sluice_string_borrowed(scanner->arena, text.base, text.len);
    return true;
}

/* Of a decimal there is at least one byte, and its schema has a scale. */
static bool is_decimal(const sluice_schema *schema, const sluice_value *bytes)
{
    int32_t scale;
    const char *text = sluice_schema_parameter(schema, "scale");
    return text != NULL && text_to_int32(text, &scale) &&
           sluice_value_bytes(bytes).len > 0;
}

static bool read_decimal_number(json_reading *self, const sluice_schema *schema,
                                const sluice_value **ret_value)
{
    json_number number;
    int32_t scale;
    sluice_value *decimal = NULL;
    const char *text = sluice_schema_parameter(schema, "scale");
    if (text == NULL || !text_to_int32(text, &scale)) {
        return json_bad(self->scanner,
                        "Invalid Decimal schema: scale parameter not found.", "");
    }
    if (!json_take_number(self->scanner, &number) ||
        sluice_decimal_parse(self->scanner->arena, number.text, number.len, scale,
                             &decimal, self->scanner->err) != SLUICE_OK) {
        return false;
    }
    *ret_value = decimal;
    return true;
}

static bool read_bytes(json_reading *self, const sluice_schema *schema,
                       json_token token, int depth, const sluice_value **ret_value)
{
    json_scanner *scanner = self->scanner;
    bool decimal = is_named(schema, SLUICE_DECIMAL);
    sluice_bytes text;
    if (decimal && token == JSON_NUMBER) {
        return read_decimal_number(self, schema, ret_value);
    }
    if (token != JSON_STRING && decimal) {
        return json_bad(scanner,
                        "Invalid type for Decimal, underlying representation should "
                        "be numeric or bytes but was ",
                        json_token_name(token));
    }
    if (token != JSON_STRING) {
        *ret_value = NULL;
        self->has_lost |= !sluice_schema_is_optional(schema);
        return json_skip(scanner, depth);
    }
    if (!json_take_string(scanner, &text)) {
        return false;
    }
    *ret_value = json_from_base64(scanner->arena, text);
    if (*ret_value != NULL && (!decimal || is_decimal(schema, *ret_value))) {
        return true;
    }
    return json_bad(scanner,
                    decimal ? "Invalid bytes for Decimal field" : "Invalid bytes field",
                    "");
}

/* The values of an object, too; anything else is an empty array, as in Java. */
static bool read_array(json_reading *self, const sluice_schema *schema,
                       json_token token, int depth, const sluice_value **ret_value)
{
    json_scanner *scanner = self->scanner;
    bool more, object = token == JSON_OBJECT;
    sluice_bytes name;
    const sluice_value *element;
    sluice_value *array = sluice_array_new(scanner->arena, 8);
    *ret_value = array;
    if (token != JSON_ARRAY && !object) {
        return json_skip(scanner, depth);
    }
    json_open(scanner, &more);
    while (more) {
        if ((object && !json_take_name(scanner, &name)) ||
            !json_read_value(self, sluice_schema_element(schema), depth + 1,
                             &element)) {
            return false;
        }
        sluice_array_add(scanner->arena, array, element);
        if (!json_next(scanner, object ? '}' : ']', &more)) {
            return false;
        }
    }
    return true;
}

static bool read_entries(json_reading *self, const sluice_schema *schema, int depth,
                         sluice_value *result, map *index)
{
    json_scanner *scanner = self->scanner;
    bool more;
    sluice_bytes name;
    const sluice_value *value;
    json_open(scanner, &more);
    while (more) {
        if (!json_take_name(scanner, &name) ||
            !json_read_value(self, sluice_schema_element(schema), depth + 1, &value) ||
            !json_next(scanner, '}', &more)) {
            return false;
        }
        json_put_entry(scanner, result, name, value, index);
    }
    return true;
}

static bool read_object_map(json_reading *self, const sluice_schema *schema,
                            json_token token, int depth, const sluice_value **ret_value)
{
    map index = MAP_INIT;
    if (token != JSON_OBJECT) {
        return json_bad(
            self->scanner,
            "Maps with string fields should be encoded as JSON objects, but found ",
            json_token_name(token));
    }
    sluice_value *result = sluice_map_new(self->scanner->arena, 8);
    bool good = read_entries(self, schema, depth, result, &index);
    map_done(&index);
    *ret_value = result;
    return good;
}

/* One [key,value] of a map. */
static bool read_tuple(json_reading *self, const sluice_schema *schema, int depth,
                       sluice_value *result)
{
    json_scanner *scanner = self->scanner;
    const sluice_value *parts[2] = {NULL, NULL};
    int count = 0;
    bool more;
    json_token token = json_peek(scanner);
    if (token != JSON_ARRAY) {
        return json_bad(scanner, "Found invalid map entry instead of array tuple: ",
                        json_token_name(token));
    }
    json_open(scanner, &more);
    for (; more; count++) {
        bool good = count == 0   ? json_read_value(self, sluice_schema_key(schema),
                                                   depth + 2, &parts[0])
                    : count == 1 ? json_read_value(self, sluice_schema_element(schema),
                                                   depth + 2, &parts[1])
                                 : json_skip(scanner, depth + 2);
        if (!good || !json_next(scanner, ']', &more)) {
            return false;
        }
    }
    if (count != 2) {
        sluice_fail(scanner->err, SLUICE_BAD_RECORD,
                    "Found invalid map entry, expected length 2 but found :%d", count);
        return false;
    }
    sluice_map_add(scanner->arena, result, parts[0], parts[1]);
    return true;
}

static bool read_tuple_map(json_reading *self, const sluice_schema *schema,
                           json_token token, int depth, const sluice_value **ret_value)
{
    json_scanner *scanner = self->scanner;
    bool more;
    if (token != JSON_ARRAY) {
        return json_bad(
            scanner,
            "Maps with non-string fields should be encoded as JSON array of "
            "tuples, but found ",
            json_token_name(token));
    }
    sluice_value *result = sluice_map_new(scanner->arena, 8);
    json_open(scanner, &more);
    while (more) {
        if (!read_tuple(self, schema, depth, result) ||
            !json_next(scanner, ']', &more)) {
            return false;
        }
    }
    *ret_value = result;
    return true;
}

bool json_read_value(json_reading *self, const sluice_schema *schema, int depth,
                     const sluice_value **ret_value)
{
    json_scanner *scanner = self->scanner;
    json_token token = json_peek(scanner);
    if (token == JSON_BAD || token == JSON_END) {
        return token == JSON_END && json_skip(scanner, depth);
    }
    if (token == JSON_NULL) {
        return json_take_literal(scanner, token) &&
               json_typed_null(scanner, schema, self->default_for_null, ret_value);
    }
    if (depth >= JSON_DEPTH_MAX) {
        return json_refuse(scanner, "nested deeper than 1000 levels");
    }
    switch (sluice_schema_type(schema)) {
    case SLUICE_TYPE_INT8:
    case SLUICE_TYPE_INT16:
    case SLUICE_TYPE_INT32:
    case SLUICE_TYPE_INT64:
        return read_integer(self, schema, token, depth, ret_value);
    case SLUICE_TYPE_FLOAT32:
    case SLUICE_TYPE_FLOAT64:
        return read_float(self, schema, token, depth, ret_value);
    case SLUICE_TYPE_BOOLEAN:
        *ret_value = sluice_boolean(token == JSON_TRUE);
        return json_skip(scanner, depth);
    case SLUICE_TYPE_STRING:
        return read_text(self, schema, token, depth, ret_value);
    case SLUICE_TYPE_BYTES:
        return read_bytes(self, schema, token, depth, ret_value);
    case SLUICE_TYPE_ARRAY:
        return read_array(self, schema, token, depth, ret_value);
    case SLUICE_TYPE_MAP:
        return sluice_schema_type(sluice_schema_key(schema)) == SLUICE_TYPE_STRING
                   ? read_object_map(self, schema, token, depth, ret_value)
                   : read_tuple_map(self, schema, token, depth, ret_value);
    case SLUICE_TYPE_STRUCT:
        return json_read_struct(self, schema, token, depth, ret_value);
    }
    return false;
}

bool json_typed_value(json_scanner *self, const sluice_schema *schema,
                      bool default_for_null, int depth, const sluice_value **ret_value)
{
    json_reading read = {self, default_for_null, false};
    return json_read_value(&read, schema, depth, ret_value);
}

bool json_typed_default(json_scanner *self, const sluice_schema *schema,
                        const sluice_value **ret_value)
{
    json_reading read = {self, false, false};
    if (!json_read_value(&read, schema, 0, ret_value)) {
        return false;
    }
    /* Java compares the schema of a struct with one that is not finished yet. */
    bool struct_given =
        *ret_value != NULL && sluice_schema_type(schema) == SLUICE_TYPE_STRUCT;
    return (!read.has_lost && !struct_given) ||
           json_bad(self, "Invalid default value", "");
}
