/* Values: making scalars and composites, and reading them. */
#include "value.h"
#include <stdlib.h>
#include <string.h>

static sluice_value *make(sluice_arena *arena, sluice_data_type type)
{
    sluice_value *made = sluice_arena_take(arena, sizeof *made);
    *made = (sluice_value){.type = (uint16_t)type};
    return made;
}

static sluice_value *make_integer(sluice_arena *arena, sluice_data_type type,
                                  int64_t value)
{
    sluice_value *made = make(arena, type);
    made->is.integer = value;
    return made;
}

static sluice_value *make_float(sluice_arena *arena, sluice_data_type type,
                                double value)
{
    sluice_value *made = make(arena, type);
    made->is.floating = value;
    return made;
}

sluice_value *sluice_int8(sluice_arena *arena, int8_t value)
{
    return make_integer(arena, SLUICE_TYPE_INT8, value);
}

sluice_value *sluice_int16(sluice_arena *arena, int16_t value)
{
    return make_integer(arena, SLUICE_TYPE_INT16, value);
}

sluice_value *sluice_int32(sluice_arena *arena, int32_t value)
{
    return make_integer(arena, SLUICE_TYPE_INT32, value);
}

sluice_value *sluice_int64(sluice_arena *arena, int64_t value)
{
    return make_integer(arena, SLUICE_TYPE_INT64, value);
}

sluice_value *sluice_float32(sluice_arena *arena, float value)
{
    return make_float(arena, SLUICE_TYPE_FLOAT32, (double)value);
}

sluice_value *sluice_float64(sluice_arena *arena, double value)
{
    return make_float(arena, SLUICE_TYPE_FLOAT64, value);
}

const sluice_value *sluice_boolean(bool value)
{
    static const sluice_value both[] = {
        {.type = SLUICE_TYPE_BOOLEAN, .is.integer = 0},
        {.type = SLUICE_TYPE_BOOLEAN, .is.integer = 1},
    };
    return &both[value];
}

static sluice_value *make_borrowed(sluice_arena *arena, sluice_data_type type,
                                   const void *base, size_t len)
{
    assert(len <= UINT32_MAX);
    sluice_value *made = make(arena, type);
    made->count = (uint32_t)len;
    made->is.bytes = base == NULL ? "" : base;
    return made;
}

/* Header and bytes are one piece. */
static sluice_value *make_copied(sluice_arena *arena, sluice_data_type type,
                                 const void *base, size_t len)
{
    assert(len <= UINT32_MAX);
    sluice_value *made = sluice_arena_take(arena, sizeof *made + len + 1);
    char *copy = (char *)(made + 1);
    if (len > 0) {
        memcpy(copy, base, len);
    }
    copy[len] = '\0';
    *made = (sluice_value){
        .type = (uint16_t)type, .count = (uint32_t)len, .is.bytes = copy};
    return made;
}

sluice_value *sluice_string(sluice_arena *arena, const char *text, size_t len)
{
    return make_copied(arena, SLUICE_TYPE_STRING, text, len);
}

sluice_value *sluice_text(sluice_arena *arena, const char *text)
{
    return text == NULL ? NULL : sluice_string(arena, text, strlen(text));
}

sluice_value *sluice_binary(sluice_arena *arena, const void *base, size_t len)
{
    return make_copied(arena, SLUICE_TYPE_BYTES, base, len);
}

sluice_value *sluice_string_borrowed(sluice_arena *arena, const char *text, size_t len)
{
    return make_borrowed(arena, SLUICE_TYPE_STRING, text, len);
}

sluice_value *sluice_binary_borrowed(sluice_arena *arena, const void *base, size_t len)
{
    return make_borrowed(arena, SLUICE_TYPE_BYTES, base, len);
}

sluice_value *sluice_struct_new(sluice_arena *arena, const sluice_schema *schema)
{
    assert(sluice_schema_type(schema) == SLUICE_TYPE_STRUCT);
    size_t count = sluice_schema_field_count(schema);
    size_t fields_size = count * sizeof(sluice_value *);
    struct_value *made = sluice_arena_take(arena, sizeof *made + fields_size);
    made->head = (sluice_value){
        .type = SLUICE_TYPE_STRUCT, .count = (uint32_t)count, .is.schema = schema};
    memset(made->fields, 0, fields_size);
    return &made->head;
}

void sluice_struct_set(sluice_value *self, size_t index, const sluice_value *value)
{
    assert(self->type == SLUICE_TYPE_STRUCT && index < self->count);
    ((struct_value *)self)->fields[index] = value;
}

/* An ARRAY or a MAP with room for `capacity` elements or entries. */
static sluice_value *make_growing(sluice_arena *arena, sluice_data_type type,
                                  size_t capacity)
{
    assert(capacity < UINT32_MAX / 2);
    growing_value *made = sluice_arena_take(arena, sizeof *made);
    made->head = (sluice_value){.type = (uint16_t)type};
    made->capacity = (uint32_t)capacity;
    size_t size = capacity * value_width(&made->head) * sizeof(sluice_value *);
    made->head.is.items = capacity > 0 ? sluice_arena_take(arena, size) : NULL;
    return &made->head;
}

static void ensure_room(sluice_arena *arena, sluice_value *self)
{
    growing_value *grown = (growing_value *)self;
    if (self->count < grown->capacity) {
        return;
    }
    size_t unit = value_width(self) * sizeof(sluice_value *);
    size_t capacity = grown->capacity < 4 ? 4 : (size_t)grown->capacity * 2;
    assert(capacity < UINT32_MAX / 2);
    self->is.items =
        sluice_arena_grow(arena, self->is.items, self->count * unit, capacity * unit);
    grown->capacity = (uint32_t)capacity;
}

sluice_value *sluice_array_new(sluice_arena *arena, size_t capacity)
{
    return make_growing(arena, SLUICE_TYPE_ARRAY, capacity);
}

void sluice_array_add(sluice_arena *arena, sluice_value *self,
                      const sluice_value *element)
{
    assert(self->type == SLUICE_TYPE_ARRAY);
    ensure_room(arena, self);
    self->is.items[self->count++] = element;
}

sluice_value *sluice_map_new(sluice_arena *arena, size_t capacity)
{
    return make_growing(arena, SLUICE_TYPE_MAP, capacity);
}

void sluice_map_add(sluice_arena *arena, sluice_value *self, const sluice_value *key,
                    const sluice_value *value)
{
    assert(self->type == SLUICE_TYPE_MAP);
    ensure_room(arena, self);
    self->is.items[2 * self->count] = key;
    self->is.items[2 * self->count + 1] = value;
    self->count++;
}

void sluice_map_add_text(sluice_arena *arena, sluice_value *self, const char *key,
                         const sluice_value *value)
{
    sluice_map_add(arena, self, sluice_text(arena, key), value);
}

void sluice_value_repeats(sluice_value *self)
{
    self->repeats = 1;
}

sluice_data_type sluice_value_type(const sluice_value *self)
{
    assert(self != NULL);
    return (sluice_data_type)self->type;
}

int64_t sluice_value_integer(const sluice_value *self)
{
    assert(self->type <= SLUICE_TYPE_INT64);
    return self->is.integer;
}

double sluice_value_float(const sluice_value *self)
{
    assert(self->type == SLUICE_TYPE_FLOAT32 || self->type == SLUICE_TYPE_FLOAT64);
    return self->is.floating;
}

bool sluice_value_boolean(const sluice_value *self)
{
    assert(self->type == SLUICE_TYPE_BOOLEAN);
    return self->is.integer != 0;
}

sluice_bytes sluice_value_bytes(const sluice_value *self)
{
    assert(self->type == SLUICE_TYPE_STRING || self->type == SLUICE_TYPE_BYTES);
    return (sluice_bytes){self->is.bytes, self->count};
}

bool sluice_value_is_text(const sluice_value *self, const char *text)
{
    return self != NULL && self->type == SLUICE_TYPE_STRING &&
           self->count == strlen(text) &&
           memcmp(self->is.bytes, text, self->count) == 0;
}

size_t sluice_value_count(const sluice_value *self)
{
    assert(self->type >= SLUICE_TYPE_ARRAY);
    return self->count;
}

const sluice_value *sluice_value_at(const sluice_value *self, size_t index)
{
    assert(index < self->count);
    const sluice_value *const *items = value_items(self);
    return self->type == SLUICE_TYPE_MAP ? items[2 * index + 1] : items[index];
}

const sluice_value *sluice_map_key(const sluice_value *self, size_t index)
{
    assert(self->type == SLUICE_TYPE_MAP && index < self->count);
    return self->is.items[2 * index];
}

const sluice_value *sluice_map_find(const sluice_value *self, const char *key,
                                    bool *ret_found)
{
    assert(self->type == SLUICE_TYPE_MAP);
    for (size_t i = self->count; i > 0; i--) {
        if (sluice_value_is_text(self->is.items[2 * i - 2], key)) {
            if (ret_found != NULL) {
                *ret_found = true;
            }
            return self->is.items[2 * i - 1];
        }
    }
    if (ret_found != NULL) {
        *ret_found = false;
    }
    return NULL;
}

const sluice_schema *sluice_struct_schema(const sluice_value *self)
{
    assert(self->type == SLUICE_TYPE_STRUCT);
    return self->is.schema;
}

const sluice_value *sluice_struct_find(const sluice_value *self, const char *name)
{
    int index = sluice_schema_field_find(sluice_struct_schema(self), name);
    return index < 0 ? NULL : sluice_value_at(self, (size_t)index);
}
