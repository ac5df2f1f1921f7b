/* A schema from its JSON text, with JsonConverter's messages and coercions. */
#include "base/map.h"
#include "json/typed.h"
#include <string.h>

typedef struct parse {
    sluice_arena *arena;
    sluice_error *err;
    const char *begin, *end; /* The schema's text. */
    map defaults;            /* From a default's value to where its text begins. */
} parse;

static const char *const type_names[SLUICE_DATA_TYPES] = {
    "int8",    "int16",  "int32", "int64", "float", "double",
    "boolean", "string", "bytes", "array", "map",   "struct",
};

static sluice_status parse_value(parse *self, const sluice_value *json,
                                 const sluice_schema **ret_schema);

static sluice_status bad(parse *self, const char *text)
{
    return sluice_fail(self->err, SLUICE_BAD_RECORD, "%s", text);
}

static const sluice_value *member(const sluice_value *json, const char *name)
{
    return json != NULL && sluice_value_type(json) == SLUICE_TYPE_MAP
               ? sluice_map_find(json, name, NULL)
               : NULL;
}

static bool has_member(const sluice_value *json, const char *name)
{
    bool found = false;
    if (json != NULL && sluice_value_type(json) == SLUICE_TYPE_MAP) {
        sluice_map_find(json, name, &found);
    }
    return found;
}

/* Member `name` where it is a text, NUL-ended, else NULL. */
static const char *text_member(parse *self, const sluice_value *json, const char *name)
{
    const sluice_value *value = member(json, name);
    if (value == NULL || sluice_value_type(value) != SLUICE_TYPE_STRING) {
        return NULL;
    }
    sluice_bytes text = sluice_value_bytes(value);
    return sluice_arena_copy(self->arena, text.base, text.len);
}

static sluice_status find_type(parse *self, const sluice_value *json,
                               sluice_data_type *ret_type)
{
    const char *name = text_member(self, json, "type");
    if (name == NULL) {
        return bad(self, "Schema must contain 'type' field");
    }
    for (int i = 0; i < SLUICE_DATA_TYPES; i++) {
        if (strcmp(name, type_names[i]) == 0) {
            *ret_type = (sluice_data_type)i;
            return SLUICE_OK;
        }
    }
    return sluice_fail(self->err, SLUICE_BAD_RECORD, "Unknown schema type: %s", name);
}

/* The parts of a schema, parsed once, though a schema with a default is built twice: a
 * default in each level would else double the work with each. */
typedef struct contents {
    const sluice_schema *key, *element;
    size_t count; /* Fields. */
    const char **names;
    const sluice_schema **schemas;
} contents;

static sluice_status parse_fields(parse *self, const sluice_value *json,
                                  contents *ret_contents)
{
    const sluice_value *fields = member(json, "fields");
    if (fields == NULL || sluice_value_type(fields) != SLUICE_TYPE_ARRAY) {
        return bad(self, "Struct schema's \"fields\" argument is not an array.");
    }
    size_t count = sluice_value_count(fields);
    ret_contents->count = count;
    ret_contents->names = sluice_arena_take(self->arena, count * sizeof(char *));
    ret_contents->schemas =
        sluice_arena_take(self->arena, count * sizeof(sluice_schema *));
    for (size_t i = 0; i < count; i++) {
        const sluice_value *field = sluice_value_at(fields, i);
        ret_contents->names[i] = text_member(self, field, "field");
        if (ret_contents->names[i] == NULL) {
            return bad(self, "Struct schema's field name not specified properly");
        }
        sluice_status status = parse_value(self, field, &ret_contents->schemas[i]);
        if (status != SLUICE_OK) {
            return status;
        }
    }
    return SLUICE_OK;
}

static sluice_status parse_part(parse *self, const sluice_value *json, const char *name,
                                const char *missing, const sluice_schema **ret_schema)
{
    const sluice_value *part = member(json, name);
    return part == NULL ? bad(self, missing) : parse_value(self, part, ret_schema);
}

static const char *map_part_missing(const sluice_value *json, const char *name,
                                    const char *none, const char *null)
{
    return has_member(json, name) ? null : none;
}

static sluice_status parse_contents(parse *self, const sluice_value *json,
                                    sluice_data_type type, contents *ret_contents)
{
    if (type == SLUICE_TYPE_STRUCT) {
        return parse_fields(self, json, ret_contents);
    }
    if (type == SLUICE_TYPE_ARRAY) {
        return parse_part(self, json, "items",
                          "Array schema did not specify the element type",
                          &ret_contents->element);
    }
    if (type != SLUICE_TYPE_MAP) {
        return SLUICE_OK;
    }
    sluice_status status = parse_part(
        self, json, "keys",
        map_part_missing(json, "keys", "Map schema did not specify the key type",
                         "keySchema cannot be null."),
        &ret_contents->key);
    return status != SLUICE_OK
               ? status
               : parse_part(
                     self, json, "values",
                     map_part_missing(json, "values",
                                      "Map schema did not specify the value type",
                                      "valueSchema cannot be null."),
                     &ret_contents->element);
}

static void add_contents(sluice_schema_builder *builder, const contents *parts)
{
    if (parts->key != NULL) {
        sluice_schema_builder_key(builder, parts->key);
    }
    if (parts->element != NULL) {
        sluice_schema_builder_element(builder, parts->element);
    }
    for (size_t i = 0; i < parts->count; i++) {
        sluice_schema_builder_field(builder, parts->names[i], parts->schemas[i]);
    }
}

static sluice_status parse_parameters(parse *self, const sluice_value *json,
                                      sluice_schema_builder *builder)
{
    const sluice_value *parameters = member(json, "parameters");
    if (parameters == NULL || sluice_value_type(parameters) != SLUICE_TYPE_MAP) {
        return SLUICE_OK;
    }
    for (size_t i = 0; i < sluice_value_count(parameters); i++) {
        const sluice_value *value = sluice_value_at(parameters, i);
        if (value == NULL || sluice_value_type(value) != SLUICE_TYPE_STRING) {
            return bad(self, "Schema parameters must have string values.");
        }
        sluice_bytes name = sluice_value_bytes(sluice_map_key(parameters, i));
        sluice_bytes text = sluice_value_bytes(value);
        sluice_schema_builder_parameter(
            builder, sluice_arena_copy(self->arena, name.base, name.len),
            sluice_arena_copy(self->arena, text.base, text.len));
    }
    return SLUICE_OK;
}

/* An attribute of another type than it should have counts as not there. */
static void parse_flags(parse *self, const sluice_value *json,
                        sluice_schema_builder *builder)
{
    const sluice_value *optional = member(json, "optional");
    const sluice_value *version = member(json, "version");
    const char *name = text_member(self, json, "name");
    const char *doc = text_member(self, json, "doc");
    if (optional != NULL && sluice_value_type(optional) == SLUICE_TYPE_BOOLEAN &&
        sluice_value_boolean(optional)) {
        sluice_schema_builder_optional(builder);
    }
    if (name != NULL) {
        sluice_schema_builder_name(builder, name);
    }
    if (doc != NULL) {
        sluice_schema_builder_doc(builder, doc);
    }
    if (version != NULL && sluice_value_type(version) == SLUICE_TYPE_INT64) {
        sluice_schema_builder_version(builder, (int32_t)sluice_value_integer(version));
    }
}

/* The default's own text is read by the schema without it, so that no digit is lost. */
static sluice_status parse_default(parse *self, const sluice_value *json,
                                   const sluice_schema *bare,
                                   sluice_schema_builder *builder)
{
    const sluice_value *given = member(json, "default"), *fallback = NULL;
    static const char null[] = "null";
    const char *text =
        given == NULL ? null : map_get(&self->defaults, &given, sizeof given);
    json_scanner scanner = {.begin = self->begin,
                            .at = text,
                            .end = given == NULL ? null + sizeof null - 1 : self->end,
                            .arena = self->arena,
                            .err = self->err};
    if (!json_typed_default(&scanner, bare, &fallback)) {
        return SLUICE_BAD_RECORD;
    }
    if (fallback != NULL) {
        sluice_schema_builder_default(builder, fallback);
    }
    return SLUICE_OK;
}

static sluice_status build(parse *self, const sluice_value *json, sluice_data_type type,
                           const contents *parts, const sluice_schema *bare,
                           const sluice_schema **ret_schema)
{
    sluice_schema_builder *builder = sluice_schema_builder_new(self->arena, type);
    parse_flags(self, json, builder);
    add_contents(builder, parts);
    sluice_status status = parse_parameters(self, json, builder);
    if (status == SLUICE_OK && bare != NULL) {
        status = parse_default(self, json, bare, builder);
    }
    if (status != SLUICE_OK) {
        return status;
    }
    status = sluice_schema_builder_finish(builder, ret_schema, self->err);
    return status == SLUICE_OK ? SLUICE_OK : SLUICE_BAD_RECORD;
}

static sluice_status parse_value(parse *self, const sluice_value *json,
                                 const sluice_schema **ret_schema)
{
    sluice_data_type type = SLUICE_TYPE_STRUCT;
    *ret_schema = NULL;
    if (json == NULL) {
        return SLUICE_OK;
    }
    contents parts = {0};
    sluice_status status = find_type(self, json, &type);
    if (status == SLUICE_OK) {
        status = parse_contents(self, json, type, &parts);
    }
    if (status == SLUICE_OK) {
        status = build(self, json, type, &parts, NULL, ret_schema);
    }
    if (status == SLUICE_OK && has_member(json, "default")) {
        status = build(self, json, type, &parts, *ret_schema, ret_schema);
    }
    return status;
}

sluice_status json_parse_schema(sluice_bytes bytes, sluice_arena *arena,
                                const sluice_schema **ret_schema, sluice_error *err)
{
    const sluice_value *json = NULL;
    char *text = sluice_arena_copy(arena, bytes.base, bytes.len);
    parse self = {arena, err, text, text + bytes.len, MAP_INIT};
    json_scanner scanner = {text, text, text + bytes.len, arena, err, &self.defaults};
    sluice_status status = json_plain_value(&scanner, 0, &json)
                               ? parse_value(&self, json, ret_schema)
                               : SLUICE_BAD_RECORD;
    map_done(&self.defaults);
    return status;
}
