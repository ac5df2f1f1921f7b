/* Whole values: deep copies, deep equality, and whether they fit their schema. */
#include "value.h"
#include <string.h>

static size_t rounded(size_t size)
{
    return (size + 15) & ~(size_t)15;
}

static size_t own_size(const sluice_value *self)
{
    size_t pointer = sizeof(sluice_value *);
    switch ((sluice_data_type)self->type) {
    case SLUICE_TYPE_STRING:
    case SLUICE_TYPE_BYTES:
        return rounded(sizeof *self + self->count + 1);
    case SLUICE_TYPE_ARRAY:
    case SLUICE_TYPE_MAP:
        return rounded(sizeof(growing_value)) +
               rounded(self->count * value_width(self) * pointer);
    case SLUICE_TYPE_STRUCT:
        return rounded(sizeof(struct_value) + self->count * pointer);
    default:
        return sizeof *self;
    }
}

size_t value_flat_size(const sluice_value *self)
{
    if (self == NULL) {
        return 0;
    }
    size_t size = own_size(self);
    if (self->type >= SLUICE_TYPE_ARRAY) {
        const sluice_value *const *items = value_items(self);
        for (size_t i = 0; i < self->count * value_width(self); i++) {
            size += value_flat_size(items[i]);
        }
    }
    return size;
}

static void copy_bytes(sluice_value *made, const sluice_value *self)
{
    char *bytes = (char *)(made + 1);
    memcpy(bytes, self->is.bytes, self->count);
    bytes[self->count] = '\0';
    made->is.bytes = bytes;
}

sluice_value *value_flat_copy(char **at, const sluice_value *self)
{
    if (self == NULL) {
        return NULL;
    }
    sluice_value *made = (sluice_value *)*at;
    *at += own_size(self);
    *made = *self;
    made->repeats = 0; /* Of the copy nobody has said so. */
    if (self->type == SLUICE_TYPE_STRING || self->type == SLUICE_TYPE_BYTES) {
        copy_bytes(made, self);
    }
    if (self->type < SLUICE_TYPE_ARRAY) {
        return made;
    }
    const sluice_value **copies = ((struct_value *)made)->fields;
    if (self->type != SLUICE_TYPE_STRUCT) {
        ((growing_value *)made)->capacity = self->count;
        copies = (const sluice_value **)((char *)made + rounded(sizeof(growing_value)));
        made->is.items = copies;
    }
    const sluice_value *const *items = value_items(self);
    for (size_t i = 0; i < self->count * value_width(self); i++) {
        copies[i] = value_flat_copy(at, items[i]);
    }
    return made;
}

sluice_value *sluice_value_copy(sluice_arena *arena, const sluice_value *self)
{
    if (self == NULL) {
        return NULL;
    }
    char *at = sluice_arena_take(arena, value_flat_size(self));
    return value_flat_copy(&at, self);
}

static bool items_equal(const sluice_value *one, const sluice_value *other)
{
    const sluice_value *const *ours = value_items(one);
    const sluice_value *const *theirs = value_items(other);
    for (size_t i = 0; i < one->count * value_width(one); i++) {
        if (!sluice_value_equal(ours[i], theirs[i])) {
            return false;
        }
    }
    return true;
}

bool sluice_value_equal(const sluice_value *one, const sluice_value *other)
{
    if (one == other) {
        return true;
    }
    if (one == NULL || other == NULL || one->type != other->type ||
        one->count != other->count) {
        return false;
    }
    if (one->type == SLUICE_TYPE_STRING || one->type == SLUICE_TYPE_BYTES) {
        return memcmp(one->is.bytes, other->is.bytes, one->count) == 0;
    }
    if (one->type < SLUICE_TYPE_ARRAY) { /* The same eight bytes for floats, too. */
        return one->is.integer == other->is.integer;
    }
    if (one->type == SLUICE_TYPE_STRUCT &&
        !sluice_schema_equal(one->is.schema, other->is.schema)) {
        return false;
    }
    return items_equal(one, other);
}

/* Where in a value a check stands; Kafka Connect's messages end in it. */
typedef struct place {
    const char *role;  /* "element of array ", "key of map ", "value of map " or "". */
    const char *field; /* NULL: the value as a whole. */
} place;

static sluice_status fail_null(const place *at, const sluice_schema *schema,
                               sluice_error *err)
{
    const char *type = sluice_data_type_name(sluice_schema_type(schema));
    if (at->field == NULL) {
        return sluice_fail(err, SLUICE_BAD_RECORD,
                           "Invalid value: null used for required %svalue, "
                           "schema type: %s",
                           at->role, type);
    }
    return sluice_fail(err, SLUICE_BAD_RECORD,
                       "Invalid value: null used for required %sfield: \"%s\", "
                       "schema type: %s",
                       at->role, at->field, type);
}

static sluice_status fail_type(const place *at, const sluice_schema *schema,
                               const sluice_value *self, sluice_error *err)
{
    const char *name = sluice_schema_name(schema);
    sluice_status status = sluice_fail(
        err, SLUICE_BAD_RECORD,
        "Invalid value of type %s for schema %s%s%swith type %s",
        sluice_data_type_name((sluice_data_type)self->type), name == NULL ? "" : "\"",
        name == NULL ? "" : name, name == NULL ? "" : "\" ",
        sluice_data_type_name(sluice_schema_type(schema)));
    if (at->field != NULL && err != NULL) {
        sluice_fail(err, status, "%s for %sfield: \"%s\"", sluice_error_text(err),
                    at->role, at->field);
    }
    return status;
}

static sluice_status check_at(const place *at, const sluice_value *self,
                              const sluice_schema *schema, sluice_error *err);

static sluice_status check_items(const place *at, const sluice_value *self,
                                 const sluice_schema *schema, sluice_error *err)
{
    bool is_map = self->type == SLUICE_TYPE_MAP;
    place key = {"key of map ", at->field};
    place element = {is_map ? "value of map " : "element of array ", at->field};
    sluice_status status = SLUICE_OK;
    for (size_t i = 0; status == SLUICE_OK && i < self->count; i++) {
        if (is_map) {
            status =
                check_at(&key, sluice_map_key(self, i), sluice_schema_key(schema), err);
        }
        if (status == SLUICE_OK) {
            status = check_at(&element, sluice_value_at(self, i),
                              sluice_schema_element(schema), err);
        }
    }
    return status;
}

/* A field that has a default may be null, whatever else it is. */
static bool may_be_null(const sluice_schema *schema)
{
    const sluice_value *fallback = NULL;
    return sluice_schema_is_optional(schema) ||
           (sluice_schema_default(schema, &fallback) && fallback != NULL);
}

static sluice_status check_struct(const sluice_value *self, const sluice_schema *schema,
                                  sluice_error *err)
{
    if (!sluice_schema_equal(self->is.schema, schema)) {
        return sluice_fail(err, SLUICE_BAD_RECORD, "Struct schemas do not match.");
    }
    sluice_status status = SLUICE_OK;
    for (size_t i = 0; status == SLUICE_OK && i < self->count; i++) {
        const sluice_schema *field_schema = sluice_schema_field_schema(schema, i);
        const sluice_value *field = sluice_value_at(self, i);
        place at = {"", sluice_schema_field_name(schema, i)};
        if (field != NULL || !may_be_null(field_schema)) {
            status = check_at(&at, field, field_schema, err);
        }
    }
    return status;
}

static sluice_status check_at(const place *at, const sluice_value *self,
                              const sluice_schema *schema, sluice_error *err)
{
    if (schema == NULL) {
        return SLUICE_OK;
    }
    if (self == NULL) {
        return sluice_schema_is_optional(schema) ? SLUICE_OK
                                                 : fail_null(at, schema, err);
    }
    if (self->type != sluice_schema_type(schema)) {
        return fail_type(at, schema, self, err);
    }
    switch ((sluice_data_type)self->type) {
    case SLUICE_TYPE_ARRAY:
    case SLUICE_TYPE_MAP:
        return check_items(at, self, schema, err);
    case SLUICE_TYPE_STRUCT:
        return check_struct(self, schema, err);
    default:
        return SLUICE_OK;
    }
}

sluice_status sluice_value_check(const sluice_value *self, const sluice_schema *schema,
                                 sluice_error *err)
{
    place whole = {"", NULL};
    return check_at(&whole, self, schema, err);
}
