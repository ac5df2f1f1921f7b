/* transforms/basic/derived.h - the schemas that a transform makes of those it is
 * given.
 *
 * Each is made once, so that converters behind see the same object again. A source that
 * never stops making new schemas does not fill the memory: behind the first thousand,
 * they are made per record, in the record's arena.
 *
 * Threads: one at a time. */
#ifndef SLUICE_TRANSFORMS_BASIC_DERIVED_H
#define SLUICE_TRANSFORMS_BASIC_DERIVED_H

#include <sluice/record.h>

typedef struct derived_entry {
    uint64_t id, detail; /* `id` 0: free. */
    const void *made;
} derived_entry;

typedef struct derived {
    sluice_arena *arena;
    derived_entry *entries; /* Open addressing. */
    size_t count;
} derived;

void derived_init(derived *self);
void derived_done(derived *self);

/* What was made of `schema`, or NULL. `detail` tells several that are made of the same
 * one apart. */
const void *derived_find(const derived *self, const sluice_schema *schema,
                         uint64_t detail);

/* Where to make the next one; for `record`, if it is not to be kept. */
sluice_arena *derived_arena(derived *self, const sluice_record *record);

/* Keeps `made`, which lives in derived_arena(). */
void derived_keep(derived *self, const sluice_schema *schema, uint64_t detail,
                  const void *made);

/* Gives `builder` name, version, doc and parameters of `schema`. */
void derived_copy_basics(sluice_schema_builder *builder, const sluice_schema *schema);

/* Begins a struct with name, version, doc and parameters of `schema`, and its fields.
 * It is required and has no default, whatever `schema` is: as Kafka Connect's. */
sluice_schema_builder *derived_begin(sluice_arena *arena, const sluice_schema *schema);

/* The same without the fields. */
sluice_schema_builder *derived_begin_empty(sluice_arena *arena,
                                           const sluice_schema *schema);

/* Finishes it; a mistake in it is the record's. */
sluice_status derived_finish(sluice_schema_builder *builder,
                             const sluice_schema **ret_schema, sluice_error *err);

#endif
