/* Schemas: ready-made ones, built ones, and reading, comparing and copying them. */
#define XXH_INLINE_ALL
#include "schema.h"
#include <assert.h>
#include <sluice/value.h>
#include <string.h>
#include <xxhash.h>

const char *sluice_data_type_name(sluice_data_type type)
{
    static const char *const names[SLUICE_DATA_TYPES] = {
        "INT8",    "INT16",  "INT32", "INT64", "FLOAT32", "FLOAT64",
        "BOOLEAN", "STRING", "BYTES", "ARRAY", "MAP",     "STRUCT"};
    return (unsigned)type < SLUICE_DATA_TYPES ? names[type] : "UNKNOWN";
}

#define PLAIN(number)                                                                  \
    {                                                                                  \
        {.id = 2 * (number) + 1, .type = (sluice_data_type)(number)},                  \
            {.id = 2 * (number) + 2,                                                   \
             .type = (sluice_data_type)(number),                                       \
             .optional = true},                                                        \
    }

static const sluice_schema plain[SLUICE_TYPE_ARRAY][2] = {PLAIN(0), PLAIN(1), PLAIN(2),
                                                          PLAIN(3), PLAIN(4), PLAIN(5),
                                                          PLAIN(6), PLAIN(7), PLAIN(8)};

uint64_t schema_new_id(void)
{
    static uint64_t last = 2 * SLUICE_TYPE_ARRAY;
    return __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
}

const sluice_schema *sluice_schema_of(sluice_data_type type, bool optional)
{
    assert(type < SLUICE_TYPE_ARRAY);
    return &plain[type][optional];
}

static sluice_schema *make_named(sluice_arena *arena, sluice_data_type type,
                                 const char *name, bool optional)
{
    assert(type < SLUICE_TYPE_ARRAY);
    sluice_schema *made = sluice_arena_take(arena, sizeof *made);
    *made = (sluice_schema){.id = schema_new_id(),
                            .type = type,
                            .optional = optional,
                            .has_version = true,
                            .version = 1,
                            .name = sluice_arena_copy(arena, name, strlen(name))};
    return made;
}

const sluice_schema *sluice_schema_named(sluice_arena *arena, sluice_data_type type,
                                         const char *name, bool optional)
{
    return make_named(arena, type, name, optional);
}

const sluice_schema *sluice_schema_decimal(sluice_arena *arena, int scale,
                                           bool optional)
{
    sluice_schema *made =
        make_named(arena, SLUICE_TYPE_BYTES, SLUICE_DECIMAL, optional);
    schema_parameter *parameter = sluice_arena_take(arena, sizeof *parameter);
    parameter->name = "scale";
    parameter->value = sluice_arena_print(arena, NULL, "%d", scale);
    made->parameters = parameter;
    made->parameter_count = 1;
    return made;
}

uint64_t sluice_schema_id(const sluice_schema *schema)
{
    return schema->id;
}

sluice_data_type sluice_schema_type(const sluice_schema *schema)
{
    return schema->type;
}

bool sluice_schema_is_optional(const sluice_schema *schema)
{
    return schema->optional;
}

const char *sluice_schema_name(const sluice_schema *schema)
{
    return schema->name;
}

const char *sluice_schema_doc(const sluice_schema *schema)
{
    return schema->doc;
}

bool sluice_schema_version(const sluice_schema *schema, int32_t *ret_version)
{
    if (schema->has_version) {
        *ret_version = schema->version;
    }
    return schema->has_version;
}

bool sluice_schema_default(const sluice_schema *schema, const sluice_value **ret_value)
{
    if (schema->has_default) {
        *ret_value = schema->fallback;
    }
    return schema->has_default;
}

size_t sluice_schema_parameter_count(const sluice_schema *schema)
{
    return schema->parameter_count;
}

const char *sluice_schema_parameter_name(const sluice_schema *schema, size_t index)
{
    assert(index < schema->parameter_count);
    return schema->parameters[index].name;
}

const char *sluice_schema_parameter_value(const sluice_schema *schema, size_t index)
{
    assert(index < schema->parameter_count);
    return schema->parameters[index].value;
}

const char *sluice_schema_parameter(const sluice_schema *schema, const char *name)
{
    for (size_t i = 0; i < schema->parameter_count; i++) {
        if (strcmp(schema->parameters[i].name, name) == 0) {
            return schema->parameters[i].value;
        }
    }
    return NULL;
}

size_t sluice_schema_field_count(const sluice_schema *schema)
{
    return schema->field_count;
}

const char *sluice_schema_field_name(const sluice_schema *schema, size_t index)
{
    assert(index < schema->field_count);
    return schema->fields[index].name;
}

const sluice_schema *sluice_schema_field_schema(const sluice_schema *schema,
                                                size_t index)
{
    assert(index < schema->field_count);
    return schema->fields[index].schema;
}

static bool is_field(const sluice_schema *schema, size_t index, const char *name)
{
    return strcmp(schema->fields[index].name, name) == 0;
}

void schema_index(sluice_schema *schema, sluice_arena *arena)
{
    enum { searched_fields_max = 6 }; /* Below, comparing names is faster. */
    if (schema->field_count <= searched_fields_max) {
        return;
    }
    size_t slots = 16;
    while (slots < 2 * schema->field_count) {
        slots *= 2;
    }
    schema->slots = sluice_arena_take(arena, slots * sizeof *schema->slots);
    memset(schema->slots, 0, slots * sizeof *schema->slots);
    schema->slot_mask = (uint32_t)slots - 1;
    for (size_t i = 0; i < schema->field_count; i++) {
        const char *name = schema->fields[i].name;
        size_t slot = XXH3_64bits(name, strlen(name)) & schema->slot_mask;
        while (schema->slots[slot] != 0) {
            slot = (slot + 1) & schema->slot_mask;
        }
        schema->slots[slot] = (uint32_t)i + 1;
    }
}

static int find_indexed(const sluice_schema *schema, const char *name)
{
    size_t slot = XXH3_64bits(name, strlen(name)) & schema->slot_mask;
    for (; schema->slots[slot] != 0; slot = (slot + 1) & schema->slot_mask) {
        if (is_field(schema, schema->slots[slot] - 1, name)) {
            return (int)schema->slots[slot] - 1;
        }
    }
    return -1;
}

int sluice_schema_field_find(const sluice_schema *schema, const char *name)
{
    if (schema->slots != NULL) {
        return find_indexed(schema, name);
    }
    for (size_t i = 0; i < schema->field_count; i++) {
        if (is_field(schema, i, name)) {
            return (int)i;
        }
    }
    return -1;
}

const sluice_schema *sluice_schema_key(const sluice_schema *schema)
{
    return schema->key;
}

const sluice_schema *sluice_schema_element(const sluice_schema *schema)
{
    return schema->element;
}

static bool texts_equal(const char *one, const char *other)
{
    return one == other || (one != NULL && other != NULL && strcmp(one, other) == 0);
}

/* Kafka Connect's parameters are a map: their order does not matter. */
static bool parameters_equal(const sluice_schema *one, const sluice_schema *other)
{
    if (one->parameter_count != other->parameter_count) {
        return false;
    }
    for (size_t i = 0; i < one->parameter_count; i++) {
        const schema_parameter *parameter = &one->parameters[i];
        if (!texts_equal(parameter->value,
                         sluice_schema_parameter(other, parameter->name))) {
            return false;
        }
    }
    return true;
}

static bool fields_equal(const sluice_schema *one, const sluice_schema *other)
{
    if (one->field_count != other->field_count) {
        return false;
    }
    for (size_t i = 0; i < one->field_count; i++) {
        if (!texts_equal(one->fields[i].name, other->fields[i].name) ||
            !sluice_schema_equal(one->fields[i].schema, other->fields[i].schema)) {
            return false;
        }
    }
    return true;
}

static bool attributes_equal(const sluice_schema *one, const sluice_schema *other)
{
    return one->type == other->type && one->optional == other->optional &&
           one->has_version == other->has_version && one->version == other->version &&
           texts_equal(one->name, other->name) && texts_equal(one->doc, other->doc) &&
           sluice_value_equal(one->fallback, other->fallback) &&
           parameters_equal(one, other);
}

bool sluice_schema_equal(const sluice_schema *one, const sluice_schema *other)
{
    if (one == other) {
        return true;
    }
    return one != NULL && other != NULL && attributes_equal(one, other) &&
           fields_equal(one, other) && sluice_schema_equal(one->key, other->key) &&
           sluice_schema_equal(one->element, other->element);
}

static char *copy_text(sluice_arena *arena, const char *text)
{
    return text == NULL ? NULL : sluice_arena_copy(arena, text, strlen(text));
}

static const schema_parameter *copy_parameters(sluice_arena *arena,
                                               const sluice_schema *schema)
{
    size_t count = schema->parameter_count;
    schema_parameter *copies = sluice_arena_take(arena, count * sizeof *copies);
    for (size_t i = 0; i < count; i++) {
        copies[i].name = copy_text(arena, schema->parameters[i].name);
        copies[i].value = copy_text(arena, schema->parameters[i].value);
    }
    return copies;
}

static const schema_field *copy_fields(sluice_arena *arena, const sluice_schema *schema)
{
    size_t count = schema->field_count;
    schema_field *copies = sluice_arena_take(arena, count * sizeof *copies);
    for (size_t i = 0; i < count; i++) {
        copies[i].name = copy_text(arena, schema->fields[i].name);
        copies[i].schema = sluice_schema_copy(arena, schema->fields[i].schema);
    }
    return copies;
}

const sluice_schema *sluice_schema_copy(sluice_arena *arena,
                                        const sluice_schema *schema)
{
    bool is_constant =
        schema >= &plain[0][0] && schema <= &plain[SLUICE_TYPE_ARRAY - 1][1];
    if (schema == NULL || is_constant) {
        return schema;
    }
    sluice_schema *copy = sluice_arena_take(arena, sizeof *copy);
    *copy = *schema;
    copy->id = schema_new_id();
    copy->name = copy_text(arena, schema->name);
    copy->doc = copy_text(arena, schema->doc);
    copy->fallback = schema_copy_default(arena, schema->fallback);
    copy->parameters = copy_parameters(arena, schema);
    copy->fields = copy_fields(arena, schema);
    copy->key = sluice_schema_copy(arena, schema->key);
    copy->element = sluice_schema_copy(arena, schema->element);
    copy->slots = NULL;
    schema_index(copy, arena);
    return copy;
}
