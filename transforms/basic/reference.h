/* transforms/basic/reference.h - "op", "source.ts_ms", "lsn:position": parts of a
 * change event that become fields or headers.
 *
 * A name alone is looked up where Debezium has it: "op" and the "ts_…" at the top,
 * "id", "total_order" and "data_collection_order" in "transaction", all others in
 * "source"; then at the top. What follows a colon is the new name.
 *
 * Threads: one at a time. */
#ifndef SLUICE_TRANSFORMS_BASIC_REFERENCE_H
#define SLUICE_TRANSFORMS_BASIC_REFERENCE_H

#include <sluice/config.h>
#include <sluice/value.h>

typedef struct reference {
    const char *parent; /* NULL: the top. */
    const char *field;
    const char *name; /* With the prefix. */
} reference;

/* Where a reference leads in events of one schema. */
typedef struct bound_reference {
    int parent, field; /* Indexes; -1 for the top, and for a field that is not there. */
    const sluice_schema *schema; /* Of the field, but optional; NULL: not there. */
} bound_reference;

/* Parses `list` into `arena`. SLUICE_BAD_CONFIG with Debezium's text for a name with
 * two colons. */
sluice_status references_parse(sluice_arena *arena, const sluice_list *list,
                               const char *prefix, reference **ret_references,
                               sluice_error *err);

/* Binds one to events of `schema`; the optional schema is made in `arena`. */
sluice_status reference_bind(const reference *self, const sluice_schema *schema,
                             sluice_arena *arena, bound_reference *ret_bound,
                             sluice_error *err);

/* The value in `event`; NULL too where the parent is null. */
const sluice_value *bound_reference_value(const bound_reference *self,
                                          const sluice_value *event);

#endif
