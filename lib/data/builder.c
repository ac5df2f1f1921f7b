/* Building schemas: parts are collected, judged once and laid out at the end. */
#include "schema.h"
#include "value.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef struct field_part field_part;
struct field_part {
    field_part *next;
    schema_field field;
};

typedef struct parameter_part parameter_part;
struct parameter_part {
    parameter_part *next;
    schema_parameter parameter;
};

struct sluice_schema_builder {
    sluice_arena *arena;
    sluice_schema schema;
    field_part *first_field, **last_field;
    parameter_part *first_parameter, **last_parameter;
    const char *mistake; /* The first one, in Kafka Connect's words. */
};

sluice_schema_builder *sluice_schema_builder_new(sluice_arena *arena,
                                                 sluice_data_type type)
{
    assert((unsigned)type < SLUICE_DATA_TYPES);
    sluice_schema_builder *builder = sluice_arena_take(arena, sizeof *builder);
    *builder = (sluice_schema_builder){.arena = arena, .schema.type = type};
    builder->last_field = &builder->first_field;
    builder->last_parameter = &builder->first_parameter;
    return builder;
}

static char *keep(sluice_schema_builder *builder, const char *text)
{
    return text == NULL ? NULL : sluice_arena_copy(builder->arena, text, strlen(text));
}

static void mistake(sluice_schema_builder *builder, const char *text)
{
    if (builder->mistake == NULL) {
        builder->mistake = text;
    }
}

void sluice_schema_builder_optional(sluice_schema_builder *builder)
{
    builder->schema.optional = true;
}

void sluice_schema_builder_name(sluice_schema_builder *builder, const char *name)
{
    builder->schema.name = keep(builder, name);
}

void sluice_schema_builder_version(sluice_schema_builder *builder, int32_t version)
{
    builder->schema.has_version = true;
    builder->schema.version = version;
}

void sluice_schema_builder_doc(sluice_schema_builder *builder, const char *doc)
{
    builder->schema.doc = keep(builder, doc);
}

void sluice_schema_builder_parameter(sluice_schema_builder *builder, const char *name,
                                     const char *value)
{
    for (parameter_part *known = builder->first_parameter; known != NULL;
         known = known->next) {
        if (strcmp(known->parameter.name, name) == 0) {
            known->parameter.value = keep(builder, value);
            return;
        }
    }
    parameter_part *part = sluice_arena_take(builder->arena, sizeof *part);
    *part = (parameter_part){NULL, {keep(builder, name), keep(builder, value)}};
    *builder->last_parameter = part;
    builder->last_parameter = &part->next;
    builder->schema.parameter_count++;
}

void sluice_schema_builder_default(sluice_schema_builder *builder,
                                   const sluice_value *value)
{
    builder->schema.has_default = true;
    builder->schema.fallback = value;
}

void sluice_schema_builder_field(sluice_schema_builder *builder, const char *name,
                                 const sluice_schema *schema)
{
    sluice_arena *arena = builder->arena;
    if (builder->schema.type != SLUICE_TYPE_STRUCT) {
        mistake(builder,
                sluice_arena_print(arena, NULL, "Cannot create fields on type %s",
                                   sluice_data_type_name(builder->schema.type)));
        return;
    }
    if (name == NULL || *name == '\0') {
        mistake(builder, "fieldName cannot be null.");
        return;
    }
    if (schema == NULL) {
        mistake(builder,
                sluice_arena_print(arena, NULL,
                                   "fieldSchema for field %s cannot be null.", name));
    }
    field_part *part = sluice_arena_take(arena, sizeof *part);
    *part = (field_part){NULL, {keep(builder, name), schema}};
    *builder->last_field = part;
    builder->last_field = &part->next;
    builder->schema.field_count++;
}

void sluice_schema_builder_key(sluice_schema_builder *builder,
                               const sluice_schema *schema)
{
    builder->schema.key = schema;
}

void sluice_schema_builder_element(sluice_schema_builder *builder,
                                   const sluice_schema *schema)
{
    builder->schema.element = schema;
}

static void lay_out(sluice_schema_builder *builder, sluice_schema *made)
{
    schema_field *fields =
        sluice_arena_take(builder->arena, made->field_count * sizeof *fields);
    size_t count = 0;
    for (field_part *part = builder->first_field; part != NULL; part = part->next) {
        fields[count++] = part->field;
    }
    schema_parameter *parameters =
        sluice_arena_take(builder->arena, made->parameter_count * sizeof *parameters);
    count = 0;
    for (parameter_part *part = builder->first_parameter; part != NULL;
         part = part->next) {
        parameters[count++] = part->parameter;
    }
    made->fields = fields;
    made->parameters = parameters;
}

static void judge(sluice_schema_builder *builder, const sluice_schema *made)
{
    bool has_elements =
        made->type == SLUICE_TYPE_ARRAY || made->type == SLUICE_TYPE_MAP;
    if (made->type == SLUICE_TYPE_MAP && made->key == NULL) {
        mistake(builder, "keySchema cannot be null.");
    }
    if (has_elements && made->element == NULL) {
        mistake(builder, "valueSchema cannot be null.");
    }
    for (size_t i = 0; i < made->field_count; i++) {
        const char *name = made->fields[i].name;
        if (sluice_schema_field_find(made, name) != (int)i) {
            mistake(builder, sluice_arena_print(builder->arena, NULL,
                                                "Cannot create field because of field "
                                                "name duplication %s",
                                                name));
        }
    }
}

/* The schema of a default struct lacks the default, so only its fields are compared. */
static bool default_fits(const sluice_schema *made)
{
    if (!made->has_default || made->fallback == NULL) {
        return true;
    }
    sluice_schema without = *made;
    without.has_default = false;
    without.fallback = NULL;
    const sluice_value *value = made->fallback;
    if (value->type == SLUICE_TYPE_STRUCT && made->type == SLUICE_TYPE_STRUCT) {
        return value->count == made->field_count &&
               sluice_value_check(value, value->is.schema, NULL) == SLUICE_OK;
    }
    return sluice_value_check(value, &without, NULL) == SLUICE_OK;
}

sluice_status sluice_schema_builder_finish(sluice_schema_builder *builder,
                                           const sluice_schema **ret_schema,
                                           sluice_error *err)
{
    sluice_schema *made = sluice_arena_take(builder->arena, sizeof *made);
    *made = builder->schema;
    lay_out(builder, made);
    schema_index(made, builder->arena);
    judge(builder, made);
    if (builder->mistake == NULL && !default_fits(made)) {
        mistake(builder, "Invalid default value");
    }
    if (builder->mistake != NULL) {
        return sluice_fail(err, SLUICE_FATAL, "%s", builder->mistake);
    }
    made->id = schema_new_id();
    *ret_schema = made;
    return SLUICE_OK;
}

/* Gives every struct in a copied value a schema in the same arena. */
static void own_schemas(sluice_arena *arena, sluice_value *value)
{
    if (value == NULL || value->type < SLUICE_TYPE_ARRAY) {
        return;
    }
    if (value->type == SLUICE_TYPE_STRUCT) {
        value->is.schema = sluice_schema_copy(arena, value->is.schema);
    }
    const sluice_value *const *items = value_items(value);
    for (size_t i = 0; i < value->count * value_width(value); i++) {
        own_schemas(arena, (sluice_value *)items[i]);
    }
}

const sluice_value *schema_copy_default(sluice_arena *arena, const sluice_value *value)
{
    sluice_value *copy = sluice_value_copy(arena, value);
    own_schemas(arena, copy);
    return copy;
}
