/* transforms/basic/reference.c - names are taken apart once, and found once a schema.
 */
#include "reference.h"

#include "derived.h"
#include <string.h>

static const char *parent_of(const char *field)
{
    static const char *const TOP[] = {"op", "ts_ms", "ts_us", "ts_ns"};
    static const char *const TRANSACTION[] = {"id", "total_order",
                                              "data_collection_order"};
    for (size_t i = 0; i < sizeof TOP / sizeof *TOP; i++) {
        if (strcmp(field, TOP[i]) == 0) {
            return NULL;
        }
    }
    for (size_t i = 0; i < sizeof TRANSACTION / sizeof *TRANSACTION; i++) {
        if (strcmp(field, TRANSACTION[i]) == 0) {
            return "transaction";
        }
    }
    return "source";
}

static sluice_status reference_parse(reference *self, sluice_arena *arena,
                                     const char *text, const char *prefix,
                                     sluice_error *err)
{
    const char *colon = strchr(text, ':');
    if (colon != NULL && strchr(colon + 1, ':') != NULL) {
        return sluice_fail(err, SLUICE_BAD_CONFIG, "Unexpected field name: %s", text);
    }
    size_t len = colon == NULL ? strlen(text) : (size_t)(colon - text);
    char *path = sluice_arena_copy(arena, text, len);
    char *dot = strchr(path, '.');
    if (dot == NULL) {
        self->field = path;
        self->parent = parent_of(path);
    } else {
        *dot = '\0';
        self->parent = path;
        self->field = dot + 1;
    }
    if (colon != NULL) {
        self->name = sluice_arena_print(arena, NULL, "%s%s", prefix, colon + 1);
    } else if (dot != NULL) {
        self->name = sluice_arena_print(arena, NULL, "%s%s_%s", prefix, self->parent,
                                        self->field);
    } else {
        self->name = sluice_arena_print(arena, NULL, "%s%s", prefix, self->field);
    }
    return SLUICE_OK;
}

sluice_status references_parse(sluice_arena *arena, const sluice_list *list,
                               const char *prefix, reference **ret_references,
                               sluice_error *err)
{
    sluice_status status = SLUICE_OK;
    *ret_references = sluice_arena_take(arena, list->count * sizeof **ret_references);
    for (size_t i = 0; i < list->count && status == SLUICE_OK; i++) {
        status =
            reference_parse(&(*ret_references)[i], arena, list->items[i], prefix, err);
    }
    return status;
}

/* A schema like `schema`, but optional and without a default. A struct keeps its own,
 * which its values name. */
static sluice_status optional_of(const sluice_schema *schema, sluice_arena *arena,
                                 const sluice_schema **ret_schema, sluice_error *err)
{
    sluice_data_type type = sluice_schema_type(schema);
    *ret_schema = schema;
    if (type == SLUICE_TYPE_STRUCT) {
        return SLUICE_OK;
    }
    sluice_schema_builder *builder = sluice_schema_builder_new(arena, type);
    derived_copy_basics(builder, schema);
    sluice_schema_builder_optional(builder);
    if (type == SLUICE_TYPE_MAP) {
        sluice_schema_builder_key(builder, sluice_schema_key(schema));
    }
    if (type == SLUICE_TYPE_MAP || type == SLUICE_TYPE_ARRAY) {
        sluice_schema_builder_element(builder, sluice_schema_element(schema));
    }
    return derived_finish(builder, ret_schema, err);
}

sluice_status reference_bind(const reference *self, const sluice_schema *schema,
                             sluice_arena *arena, bound_reference *ret_bound,
                             sluice_error *err)
{
    bound_reference bound = {.parent = -1, .field = -1};
    const sluice_schema *parent = schema;
    if (self->parent != NULL) {
        bound.parent = sluice_schema_field_find(schema, self->parent);
        parent = bound.parent < 0
                     ? NULL
                     : sluice_schema_field_schema(schema, (size_t)bound.parent);
        if (parent != NULL && sluice_schema_type(parent) != SLUICE_TYPE_STRUCT) {
            parent = NULL;
        }
    }
    bound.field = parent == NULL ? -1 : sluice_schema_field_find(parent, self->field);
    if (bound.field < 0) {
        /* Another transform may have put it at the top. */
        bound.parent = -1;
        parent = schema;
        bound.field = sluice_schema_field_find(parent, self->field);
    }
    *ret_bound = bound;
    return bound.field < 0
               ? SLUICE_OK
               : optional_of(sluice_schema_field_schema(parent, (size_t)bound.field),
                             arena, &ret_bound->schema, err);
}

const sluice_value *bound_reference_value(const bound_reference *self,
                                          const sluice_value *event)
{
    const sluice_value *parent =
        self->parent < 0 ? event : sluice_value_at(event, (size_t)self->parent);
    return parent == NULL ? NULL : sluice_value_at(parent, (size_t)self->field);
}
