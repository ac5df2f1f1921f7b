/* transforms/basic/derived.c - an open table from schema ids to schemas. */
#include "derived.h"

#include <stdlib.h>
#include <string.h>

enum { KEPT_MAX = 1024, SLOTS = 2048 };

void derived_init(derived *self)
{
    self->arena = sluice_arena_new();
    self->entries = sluice_arena_take(self->arena, SLOTS * sizeof *self->entries);
    memset(self->entries, 0, SLOTS * sizeof *self->entries);
    self->count = 0;
}

void derived_done(derived *self)
{
    sluice_arena_free(self->arena);
}

static derived_entry *derived_slot(const derived *self, uint64_t id, uint64_t detail)
{
    uint64_t hash = (id ^ detail * 0xff51afd7ed558ccdu) * 0x9e3779b97f4a7c15u;
    size_t at = (size_t)(hash >> 32) % SLOTS;
    while (self->entries[at].id != 0 &&
           (self->entries[at].id != id || self->entries[at].detail != detail)) {
        at = (at + 1) % SLOTS;
    }
    return &self->entries[at];
}

const void *derived_find(const derived *self, const sluice_schema *schema,
                         uint64_t detail)
{
    return derived_slot(self, sluice_schema_id(schema), detail)->made;
}

sluice_arena *derived_arena(derived *self, const sluice_record *record)
{
    return self->count < KEPT_MAX ? self->arena : sluice_record_arena(record);
}

void derived_keep(derived *self, const sluice_schema *schema, uint64_t detail,
                  const void *made)
{
    if (self->count == KEPT_MAX) {
        return;
    }
    uint64_t id = sluice_schema_id(schema);
    derived_entry *slot = derived_slot(self, id, detail);
    *slot = (derived_entry){.id = id, .detail = detail, .made = made};
    self->count++;
}

void derived_copy_basics(sluice_schema_builder *builder, const sluice_schema *schema)
{
    int32_t version;
    if (sluice_schema_name(schema) != NULL) {
        sluice_schema_builder_name(builder, sluice_schema_name(schema));
    }
    if (sluice_schema_version(schema, &version)) {
        sluice_schema_builder_version(builder, version);
    }
    if (sluice_schema_doc(schema) != NULL) {
        sluice_schema_builder_doc(builder, sluice_schema_doc(schema));
    }
    size_t count = sluice_schema_parameter_count(schema);
    for (size_t i = 0; i < count; i++) {
        sluice_schema_builder_parameter(builder,
                                        sluice_schema_parameter_name(schema, i),
                                        sluice_schema_parameter_value(schema, i));
    }
}

sluice_schema_builder *derived_begin_empty(sluice_arena *arena,
                                           const sluice_schema *schema)
{
    sluice_schema_builder *builder =
        sluice_schema_builder_new(arena, SLUICE_TYPE_STRUCT);
    derived_copy_basics(builder, schema);
    return builder;
}

sluice_schema_builder *derived_begin(sluice_arena *arena, const sluice_schema *schema)
{
    sluice_schema_builder *builder = derived_begin_empty(arena, schema);
    size_t count = sluice_schema_field_count(schema);
    for (size_t i = 0; i < count; i++) {
        sluice_schema_builder_field(builder, sluice_schema_field_name(schema, i),
                                    sluice_schema_field_schema(schema, i));
    }
    return builder;
}

sluice_status derived_finish(sluice_schema_builder *builder,
                             const sluice_schema **ret_schema, sluice_error *err)
{
    return sluice_schema_builder_finish(builder, ret_schema, err) == SLUICE_OK
               ? SLUICE_OK
               : SLUICE_BAD_RECORD;
}
