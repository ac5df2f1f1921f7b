/* connectors/postgres/describe.c - a column with its schema, its default, and what
 * stands for values that are not known. */
#include "types.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

/* --- Defaults. --- */

/* Cuts "::text" casts off the end of an expression's text; returns its length. */
static size_t without_casts(const char *expression, size_t len)
{
    bool quoted = false;
    for (size_t i = 0; i + 1 < len; i++) {
        quoted ^= expression[i] == '\'';
        if (!quoted && expression[i] == ':' && expression[i + 1] == ':') {
            return i;
        }
    }
    return len;
}

/* Whether it begins with the call of a function, in parentheses or not. */
static bool is_call(const char *expression, size_t len)
{
    bool keyword = (len >= 8 && strncmp(expression, "CURRENT_", 8) == 0) ||
                   (len >= 9 && strncmp(expression, "LOCALTIME", 9) == 0);
    const char *name = expression + (*expression == '(');
    size_t size = strspn(name, "abcdefghijklmnopqrstuvwxyz"
                               "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.");
    return keyword || (size > 0 && name[size] == '(' && strchr(name, ')') != NULL);
}

/* The text of a literal, as the type's output would have it, or NULL. A function's
 * result is not known here: as in Debezium, the type's zero stands for it. */
static const char *literal(const char *expression, const type_design *design,
                           sluice_arena *arena, size_t *ret_len)
{
    size_t len = without_casts(expression, strlen(expression));
    if (is_call(expression, len)) {
        *ret_len = strlen(design->zero);
        return design->zero;
    }
    if (len >= 2 && expression[0] == '\'' && expression[len - 1] == '\'') {
        char *text = sluice_arena_take(arena, len), *at = text;
        for (size_t i = 1; i < len - 1; i++) {
            i += expression[i] == '\'' && expression[i + 1] == '\'';
            *at++ = expression[i];
        }
        *ret_len = (size_t)(at - text);
        return text;
    }
    if (strcmp(expression, "true") == 0 || strcmp(expression, "false") == 0) {
        *ret_len = 1;
        return expression;
    }
    *ret_len = len; /* A cast of a number may round it. */
    bool number = len > 0 && strspn(expression, "-.0123456789") == len;
    return number && expression[len] == '\0' ? expression : NULL;
}

static const sluice_value *converted(const pg_column *self, const char *text,
                                     size_t len, sluice_arena *arena)
{
    const sluice_value *value = NULL;
    sluice_value *number;
    if (self->type == NUMERIC_TYPE && self->typmod >= 4) {
        if (sluice_decimal_parse(arena, text, len, self->scale, &number, NULL) !=
            SLUICE_OK) {
            return NULL; /* It would be rounded. */
        }
        if (self->convert == convert_decimal_string && self->scale > 0) {
            /* The server would write 1.5 as 1.50. */
            text = sluice_decimal_print(arena, sluice_value_bytes(number), self->scale,
                                        &len);
        }
    }
    return self->convert(self, arena, text, len, &value, NULL) == SLUICE_OK ? value
                                                                            : NULL;
}

static const sluice_value *default_value(const pg_column *self,
                                         const type_design *design, const char *initial,
                                         sluice_arena *arena)
{
    if (initial == NULL || !design->has_default || design->type == SLUICE_TYPE_STRUCT) {
        return NULL;
    }
    size_t len;
    const char *text = literal(initial, design, arena, &len);
    return text == NULL ? NULL : converted(self, text, len, arena);
}

/* --- Schemas. --- */

static void build_parameters(sluice_schema_builder *builder, const pg_column *self,
                             const type_design *design)
{
    char number[32];
    if (design->structure == DECIMAL) {
        snprintf(number, sizeof number, "%d", self->scale);
        sluice_schema_builder_parameter(builder, "scale", number);
        if (design->precision > 0) {
            snprintf(number, sizeof number, "%d", design->precision);
            sluice_schema_builder_parameter(builder, "connect.decimal.precision",
                                            number);
        }
    } else if (design->structure == ENUM) {
        sluice_schema_builder_parameter(builder, "allowed", design->labels);
    } else if (design->structure == BITS) {
        snprintf(number, sizeof number, "%d", (int)self->length);
        sluice_schema_builder_parameter(builder, "length", number);
    }
}

static void add_field(sluice_schema_builder *builder, const char *name,
                      sluice_data_type type, bool optional)
{
    sluice_schema_builder_field(builder, name, sluice_schema_of(type, optional));
}

static const sluice_schema *sparse_map(sluice_arena *arena)
{
    sluice_schema_builder *builder = sluice_schema_builder_new(arena, SLUICE_TYPE_MAP);
    const sluice_schema *schema = NULL;
    sluice_schema_builder_key(builder, sluice_schema_of(SLUICE_TYPE_INT16, false));
    sluice_schema_builder_element(builder,
                                  sluice_schema_of(SLUICE_TYPE_FLOAT64, false));
    sluice_schema_builder_finish(builder, &schema, NULL);
    return schema;
}

/* What the schema holds: fields, elements, keys. */
static void build_inside(sluice_schema_builder *builder, const pg_column *self,
                         const type_design *design, sluice_arena *arena)
{
    switch (design->structure) {
    case VARIABLE_DECIMAL:
        add_field(builder, "scale", SLUICE_TYPE_INT32, false);
        add_field(builder, "value", SLUICE_TYPE_BYTES, false);
        break;
    case ARRAY:
        sluice_schema_builder_element(builder, self->element->schema);
        break;
    case POINT:
        add_field(builder, "x", SLUICE_TYPE_FLOAT64, false);
        add_field(builder, "y", SLUICE_TYPE_FLOAT64, false);
        add_field(builder, "wkb", SLUICE_TYPE_BYTES, true);
        add_field(builder, "srid", SLUICE_TYPE_INT32, true);
        break;
    case GEOMETRY:
        add_field(builder, "wkb", SLUICE_TYPE_BYTES, false);
        add_field(builder, "srid", SLUICE_TYPE_INT32, true);
        break;
    case VECTOR:
        sluice_schema_builder_element(builder,
                                      sluice_schema_of(self->convert == convert_halfvec
                                                           ? SLUICE_TYPE_FLOAT32
                                                           : SLUICE_TYPE_FLOAT64,
                                                       false));
        break;
    case SPARSE_VECTOR:
        add_field(builder, "dimensions", SLUICE_TYPE_INT16, false);
        sluice_schema_builder_field(builder, "vector", sparse_map(arena));
        break;
    case TEXT_MAP:
        sluice_schema_builder_key(builder, sluice_schema_of(SLUICE_TYPE_STRING, false));
        sluice_schema_builder_element(builder,
                                      sluice_schema_of(SLUICE_TYPE_STRING, true));
        break;
    case PLAIN:
    case DECIMAL:
    case ENUM:
    case BITS:
        break;
    }
}

/* What its schema in rows has besides, with the names and the order of Debezium's. */
static void build_source(sluice_schema_builder *builder, const pg_column *self,
                         sluice_arena *arena)
{
    char text[16];
    const char *name =
        self->mask == NULL ? NULL : mask_parameter(self->mask, &self->masked, text);
    if (name != NULL) {
        sluice_schema_builder_parameter(builder, name, text);
    }
    if (self->source_type == NULL) {
        return;
    }
    source_size size = source_size_of(self);
    char *type = sluice_arena_copy(arena, self->source_type, strlen(self->source_type));
    for (char *at = type; *at != '\0'; at++) {
        *at = *at >= 'a' && *at <= 'z' ? (char)(*at - 'a' + 'A') : *at;
    }
    sluice_schema_builder_parameter(builder, "__debezium.source.column.type", type);
    snprintf(text, sizeof text, "%d", (int)size.length);
    sluice_schema_builder_parameter(builder, "__debezium.source.column.length", text);
    snprintf(text, sizeof text, "%d", size.scale);
    sluice_schema_builder_parameter(builder, "__debezium.source.column.scale", text);
    sluice_schema_builder_parameter(builder, "__debezium.source.column.name",
                                    self->name);
}

static const sluice_schema *build(const pg_column *self, const type_design *design,
                                  const sluice_value *initial, bool in_row,
                                  sluice_arena *arena)
{
    sluice_schema_builder *builder = sluice_schema_builder_new(arena, design->type);
    build_inside(builder, self, design, arena);
    if (design->name != NULL) {
        sluice_schema_builder_name(builder, design->name);
        sluice_schema_builder_version(builder, 1);
    }
    if (design->doc != NULL) {
        sluice_schema_builder_doc(builder, design->doc);
    }
    build_parameters(builder, self, design);
    if (in_row) {
        build_source(builder, self, arena);
    }
    if (self->optional) {
        sluice_schema_builder_optional(builder);
    }
    if (initial != NULL) {
        sluice_schema_builder_default(builder, initial);
    }
    const sluice_schema *schema = NULL;
    sluice_schema_builder_finish(builder, &schema, NULL);
    return schema;
}

/* --- What stands for a value that the server did not send. --- */

static int nibble(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

sluice_bytes column_placeholder(const postgres_config *config, sluice_arena *arena)
{
    const char *text = config->placeholder;
    sluice_bytes plain = {text, strlen(text)};
    if (strncmp(text, "hex:", 4) != 0 || plain.len % 2 != 0) {
        return plain;
    }
    size_t len = (plain.len - 4) / 2;
    unsigned char *bytes = sluice_arena_take(arena, len);
    for (size_t i = 0; i < len; i++) {
        int high = nibble(text[4 + 2 * i]), low = nibble(text[5 + 2 * i]);
        if (high < 0 || low < 0) {
            return plain;
        }
        bytes[i] = (unsigned char)(high << 4 | low);
    }
    return (sluice_bytes){bytes, len};
}

/* An array of so many numbers as the placeholder has bytes: the bytes. */
static const sluice_value *numbers_of(const pg_column *element, sluice_bytes bytes,
                                      sluice_arena *arena)
{
    sluice_value *array = sluice_array_new(arena, bytes.len);
    const signed char *at = bytes.base;
    for (size_t i = 0; i < bytes.len; i++) {
        sluice_array_add(arena, array,
                         sluice_schema_type(element->schema) == SLUICE_TYPE_INT32
                             ? sluice_int32(arena, at[i])
                             : sluice_int64(arena, at[i]));
    }
    return array;
}

static bool is_array_of_numbers(const pg_column *element)
{
    const char *name = sluice_schema_name(element->schema);
    sluice_data_type type = sluice_schema_type(element->schema);
    return (name == NULL && (type == SLUICE_TYPE_INT32 || type == SLUICE_TYPE_INT64)) ||
           (name != NULL && strcmp(name, DEBEZIUM_TIME "Date") == 0);
}

/* The UUID of a name (RFC 4122, version 3). */
static const sluice_value *uuid_of(sluice_bytes bytes, sluice_arena *arena)
{
    unsigned char hash[16];
    EVP_Digest(bytes.base, bytes.len, hash, NULL, EVP_md5(), NULL);
    hash[6] = (unsigned char)((hash[6] & 0x0f) | 0x30);
    hash[8] = (unsigned char)((hash[8] & 0x3f) | 0x80);
    char text[37], *at = text;
    for (int i = 0; i < 16; i++) {
        bool dash = i == 4 || i == 6 || i == 8 || i == 10;
        at += snprintf(at, 4, "%s%02x", dash ? "-" : "", hash[i]);
    }
    return sluice_string(arena, text, 36);
}

static const sluice_value *unavailable_array(const pg_column *element,
                                             sluice_bytes bytes, sluice_arena *arena)
{
    if (is_array_of_numbers(element)) {
        return numbers_of(element, bytes, arena);
    }
    const sluice_value *one =
        element->type == UUID_TYPE ? uuid_of(bytes, arena) : element->unavailable;
    if (one == NULL) {
        return NULL;
    }
    sluice_value *array = sluice_array_new(arena, 1);
    sluice_array_add(arena, array, one);
    return array;
}

static const sluice_value *
unavailable_value(const pg_column *self, const type_design *design, sluice_arena *arena)
{
    sluice_bytes bytes = column_placeholder(self->config, arena);
    const sluice_value *value = NULL;
    if (self->convert == convert_hstore) {
        return convert_hstore_pair(self, arena, bytes);
    }
    if (design->structure == ARRAY) {
        value = unavailable_array(self->element, bytes, arena);
    } else if (design->type == SLUICE_TYPE_STRING) {
        value = sluice_string(arena, bytes.base, bytes.len);
    } else if (design->type == SLUICE_TYPE_BYTES && design->structure == PLAIN) {
        value = sluice_binary(arena, bytes.base, bytes.len);
    }
    return value != NULL || self->optional ? value : self->fallback;
}

/* The types that JDBC counts as texts; citext, uuid, json and xml are not. */
static bool is_text(const pg_column *self, const type_design *design)
{
    return self->type == 25 || self->type == 1043 || self->type == 1042 ||
           self->type == 18 || self->type == 19 || design->structure == ENUM;
}

static void describe_schemas(pg_column *self, const type_design *design,
                             const sluice_value *initial, sluice_arena *arena)
{
    self->key_schema = self->schema = build(self, design, initial, false, arena);
    if (self->mask == NULL && self->source_type == NULL) {
        return;
    }
    bool is_bytes = design->type == SLUICE_TYPE_BYTES && design->structure == PLAIN;
    self->masked = (mask_column){
        .is_text = is_text(self, design),
        .is_plain = is_bytes || design->type == SLUICE_TYPE_STRING,
        .length = source_size_of(self).length,
    };
    self->schema = build(self, design, initial, true, arena);
    if (self->mask != NULL && !mask_changes(self->mask, &self->masked)) {
        self->mask = NULL;
    }
}

/* What stands for a value that is required and not told, where there is no default. */
static const sluice_value *nothing_known(const pg_column *self,
                                         const type_design *design, sluice_arena *arena)
{
    if (self->type == UUID_TYPE) {
        return sluice_text(arena, "");
    }
    if (self->type == TIMESTAMPTZ_TYPE) { /* Whatever the digits of the column. */
        return sluice_text(arena, "1970-01-01T00:00:00Z");
    }
    return converted(self, design->zero, strlen(design->zero), arena);
}

bool column_describe(pg_column *self, const type_source *types, const char *initial,
                     sluice_arena *arena)
{
    type_design design = {.structure = PLAIN};
    self->declared_type = self->type;
    self->declared_typmod = self->typmod;
    if (!type_decide(self, &design, types, arena)) {
        return false;
    }
    const sluice_value *value = default_value(self, &design, initial, arena);
    describe_schemas(self, &design, value, arena);
    self->fallback = value != NULL ? value : nothing_known(self, &design, arena);
    self->unavailable = unavailable_value(self, &design, arena);
    return true;
}
