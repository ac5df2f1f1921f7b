/* JSON text read by a schema, as leniently as JsonConverter reads it. */
#include "json/typed.h"
#include "base/text.h"
#include <string.h>

/* How a payload is read, passed down unchanged. */
typedef struct reading {
    json_scanner *scanner;
    bool default_for_null;
} reading;

static bool read_value(reading *self, const sluice_schema *schema, int depth,
                       const sluice_value **ret_value);

static bool bad(json_scanner *scanner, const char *format, const char *what)
{
    sluice_fail(scanner->err, SLUICE_BAD_RECORD, "%s%s", format, what);
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
           bad(scanner,
               "Time values must use number of milliseconds greater than 0 and less "
               "than 86400000",
               "");
}

static bool check_logical(reading *self, const sluice_schema *schema, json_token token,
                          const json_number *number)
{
    const char *kind = is_named(schema, SLUICE_DATE)        ? "Date"
                       : is_named(schema, SLUICE_TIME)      ? "Time"
                       : is_named(schema, SLUICE_TIMESTAMP) ? "Timestamp"
                                                            : NULL;
    double value = json_number_double(number);
    bool narrow = sluice_schema_type(schema) == SLUICE_TYPE_INT32;
    if (kind == NULL || (token == JSON_NUMBER && number->whole &&
                         (!narrow || (value >= INT32_MIN && value <= INT32_MAX)))) {
        return kind == NULL || strcmp(kind, "Time") != 0 ||
               check_time(self->scanner, value);
    }
    sluice_fail(
        self->scanner->err, SLUICE_BAD_RECORD,
        "Invalid type for %s, underlying representation should be %s but was %s", kind,
        kind[0] == 'T' && kind[4] != '\0' ? "integral" : "integer",
        json_token_name(token));
    return false;
}

static bool read_integer(reading *self, const sluice_schema *schema, json_token token,
                         int depth, const sluice_value **ret_value)
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

static bool read_float(reading *self, const sluice_schema *schema, json_token token,
                       int depth, const sluice_value **ret_value)
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

static bool read_text(reading *self, json_token token, int depth,
                      const sluice_value **ret_value)
{
    json_scanner *scanner = self->scanner;
    sluice_bytes text;
    if (token != JSON_STRING) {
        *ret_value = NULL;
        return json_skip(scanner, depth);
    }
    if (!json_take_string(scanner, &text)) {
        return false;
    }
    *ret_value = sluice_string_borrowed(scanner->arena, text.base, text.len);
    return true;
}

static int base64_digit(char digit)
{
    if (digit >= 'A' && digit <= 'Z') {
        return digit - 'A';
    }
    if (digit >= 'a' && digit <= 'z') {
        return digit - 'a' + 26;
    }
    if (digit >= '0' && digit <= '9') {
        return digit - '0' + 52;
    }
    return digit == '+' ? 62 : digit == '/' ? 63 : -1;
}

/* The bytes of a base64 text, or NULL where it is none. */
static sluice_value *from_base64(sluice_arena *arena, sluice_bytes text)
{
    const char *from = text.base;
    size_t len = text.len;
    while (len > 0 && from[len - 1] == '=') {
        len--;
    }
    if (len % 4 == 1 || text.len - len > 2) {
        return NULL;
    }
    unsigned char *out = sluice_arena_take(arena, len * 3 / 4 + 1);
    size_t count = 0;
    uint32_t bits = 0;
    for (size_t i = 0; i < len; i++) {
        int digit = base64_digit(from[i]);
        if (digit < 0) {
            return NULL;
        }
        bits = bits << 6 | (uint32_t)digit;
        if (i % 4 != 0) {
            out[count++] = (unsigned char)(bits >> (6 - 2 * (i % 4)));
        }
    }
    return sluice_binary_borrowed(arena, out, count);
}

static bool read_decimal_number(reading *self, const sluice_schema *schema,
                                const sluice_value **ret_value)
{
    json_number number;
    int32_t scale;
    sluice_value *decimal = NULL;
    const char *text = sluice_schema_parameter(schema, "scale");
    if (text == NULL || !text_to_int32(text, &scale)) {
        return bad(self->scanner, "Invalid Decimal schema: scale parameter not found.",
                   "");
    }
    if (!json_take_number(self->scanner, &number) ||
        sluice_decimal_parse(self->scanner->arena, number.text, number.len, scale,
                             &decimal, self->scanner->err) != SLUICE_OK) {
        return false;
    }
    *ret_value = decimal;
    return true;
}

static bool read_bytes(reading *self, const sluice_schema *schema, json_token token,
                       int depth, const sluice_value **ret_value)
{
    json_scanner *scanner = self->scanner;
    bool decimal = is_named(schema, SLUICE_DECIMAL);
    sluice_bytes text;
    if (decimal && token == JSON_NUMBER) {
        return read_decimal_number(self, schema, ret_value);
    }
    if (token != JSON_STRING && decimal) {
        return bad(scanner,
                   "Invalid type for Decimal, underlying representation should "
                   "be numeric or bytes but was ",
                   json_token_name(token));
    }
    if (token != JSON_STRING) {
        *ret_value = NULL;
        return json_skip(scanner, depth);
    }
    if (!json_take_string(scanner, &text)) {
        return false;
    }
    *ret_value = from_base64(scanner->arena, text);
    return *ret_value != NULL ||
           bad(scanner,
               decimal ? "Invalid bytes for Decimal field" : "Invalid bytes field", "");
}

static bool read_array(reading *self, const sluice_schema *schema, json_token token,
                       int depth, const sluice_value **ret_value)
{
    json_scanner *scanner = self->scanner;
    bool more;
    const sluice_value *element;
    if (token != JSON_ARRAY) {
        return bad(scanner, "Arrays should be encoded as JSON arrays, but found ",
                   json_token_name(token));
    }
    sluice_value *array = sluice_array_new(scanner->arena, 8);
    json_open(scanner, &more);
    while (more) {
        if (!read_value(self, sluice_schema_element(schema), depth + 1, &element)) {
            return false;
        }
        sluice_array_add(scanner->arena, array, element);
        if (!json_next(scanner, ']', &more)) {
            return false;
        }
    }
    *ret_value = array;
    return true;
}

static bool read_object_map(reading *self, const sluice_schema *schema,
                            json_token token, int depth, const sluice_value **ret_value)
{
    json_scanner *scanner = self->scanner;
    bool more;
    sluice_bytes name;
    const sluice_value *value;
    if (token != JSON_OBJECT) {
        return bad(
            scanner,
            "Maps with string fields should be encoded as JSON objects, but found ",
            json_token_name(token));
    }
    sluice_value *result = sluice_map_new(scanner->arena, 8);
    json_open(scanner, &more);
    while (more) {
        if (!json_take_name(scanner, &name) ||
            !read_value(self, sluice_schema_element(schema), depth + 1, &value) ||
            !json_next(scanner, '}', &more)) {
            return false;
        }
        sluice_map_add(scanner->arena, result,
                       sluice_string_borrowed(scanner->arena, name.base, name.len),
                       value);
    }
    *ret_value = result;
    return true;
}

/* One [key,value] of a map. */
static bool read_tuple(reading *self, const sluice_schema *schema, int depth,
                       sluice_value *result)
{
    json_scanner *scanner = self->scanner;
    const sluice_value *parts[2] = {NULL, NULL};
    int count = 0;
    bool more;
    json_token token = json_peek(scanner);
    if (token != JSON_ARRAY) {
        return bad(scanner, "Found invalid map entry instead of array tuple: ",
                   json_token_name(token));
    }
    json_open(scanner, &more);
    for (; more; count++) {
        bool good =
            count == 0
                ? read_value(self, sluice_schema_key(schema), depth + 2, &parts[0])
            : count == 1
                ? read_value(self, sluice_schema_element(schema), depth + 2, &parts[1])
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

static bool read_tuple_map(reading *self, const sluice_schema *schema, json_token token,
                           int depth, const sluice_value **ret_value)
{
    json_scanner *scanner = self->scanner;
    bool more;
    if (token != JSON_ARRAY) {
        return bad(scanner,
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

/* The index of field `name`; `guess` is the one that is expected next. */
static int find_field(reading *self, const sluice_schema *schema, sluice_bytes name,
                      size_t guess)
{
    if (guess < sluice_schema_field_count(schema)) {
        const char *expected = sluice_schema_field_name(schema, guess);
        if (strncmp(expected, name.base, name.len) == 0 && expected[name.len] == '\0') {
            return (int)guess;
        }
    }
    if (memchr(name.base, '\0', name.len) != NULL) {
        return -1;
    }
    char small[64], *text = small;
    if (name.len >= sizeof small) {
        text = sluice_arena_copy(self->scanner->arena, name.base, name.len);
    } else {
        memcpy(small, name.base, name.len);
        small[name.len] = '\0';
    }
    return sluice_schema_field_find(schema, text);
}

static bool read_members(reading *self, const sluice_schema *schema, int depth,
                         sluice_value *result, bool *seen)
{
    json_scanner *scanner = self->scanner;
    bool more;
    size_t guess = 0;
    sluice_bytes name;
    const sluice_value *value;
    json_open(scanner, &more);
    while (more) {
        if (!json_take_name(scanner, &name)) {
            return false;
        }
        int index = find_field(self, schema, name, guess);
        if (index < 0) {
            if (!json_skip(scanner, depth + 1)) {
                return false;
            }
        } else {
            guess = (size_t)index + 1;
            seen[index] = true;
            if (!read_value(self, sluice_schema_field_schema(schema, (size_t)index),
                            depth + 1, &value)) {
                return false;
            }
            sluice_struct_set(result, (size_t)index, value);
        }
        if (!json_next(scanner, '}', &more)) {
            return false;
        }
    }
    return true;
}

static bool read_struct(reading *self, const sluice_schema *schema, json_token token,
                        int depth, const sluice_value **ret_value)
{
    json_scanner *scanner = self->scanner;
    if (token != JSON_OBJECT) {
        return bad(scanner, "Structs should be encoded as JSON objects, but found ",
                   json_token_name(token));
    }
    size_t count = sluice_schema_field_count(schema);
    sluice_value *result = sluice_struct_new(scanner->arena, schema);
    bool *seen = sluice_arena_take(scanner->arena, count);
    memset(seen, 0, count);
    if (!read_members(self, schema, depth, result, seen)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        const sluice_value *missing;
        if (seen[i]) {
            continue;
        }
        if (!json_typed_null(scanner, sluice_schema_field_schema(schema, i),
                             self->default_for_null, &missing)) {
            return false;
        }
        sluice_struct_set(result, i, missing);
    }
    *ret_value = result;
    return true;
}

static bool read_value(reading *self, const sluice_schema *schema, int depth,
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
        return read_text(self, token, depth, ret_value);
    case SLUICE_TYPE_BYTES:
        return read_bytes(self, schema, token, depth, ret_value);
    case SLUICE_TYPE_ARRAY:
        return read_array(self, schema, token, depth, ret_value);
    case SLUICE_TYPE_MAP:
        return sluice_schema_type(sluice_schema_key(schema)) == SLUICE_TYPE_STRING
                   ? read_object_map(self, schema, token, depth, ret_value)
                   : read_tuple_map(self, schema, token, depth, ret_value);
    case SLUICE_TYPE_STRUCT:
        return read_struct(self, schema, token, depth, ret_value);
    }
    return false;
}

bool json_typed_value(json_scanner *self, const sluice_schema *schema,
                      bool default_for_null, int depth, const sluice_value **ret_value)
{
    reading read = {self, default_for_null};
    return read_value(&read, schema, depth, ret_value);
}
