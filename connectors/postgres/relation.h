/* connectors/postgres/relation.h - the tables of the stream: their columns, schemas and
 * topics, version by version.
 *
 * A relation is one version of a table. It is made from the relation message of the
 * stream, or by the snapshot from the catalog; a message that changes nothing keeps it,
 * so that schemas stay the same objects. A version that was replaced lives on until
 * relations_forget(), for the records that still use its schemas.
 *
 * Threads: a task's own. */
#ifndef SLUICE_POSTGRES_RELATION_H
#define SLUICE_POSTGRES_RELATION_H

#include "catalog.h"
#include "filter.h"
#include "pgoutput.h"

typedef struct pg_relation {
    uint32_t oid;
    sluice_arena *arena; /* All of it lives here. */
    const char *schema, *name;
    char identity; /* As in pgoutput: d, n, f or i. */
    bool captured; /* Otherwise nothing but the names above is set. */
    int count;
    pg_column *columns; /* In the order of the stream's tuples. */
    const char *topic;
    const sluice_schema *key_schema; /* NULL: it has no key. */
    const sluice_schema *value_schema, *envelope_schema;
    size_t key_size;
    const sluice_value *schema_value, *name_value; /* For the source block. */
    type_source types;                             /* What its columns are made of. */
    struct pg_relation *next;                      /* In the list of those replaced. */
} pg_relation;

typedef struct relations relations;

/* `source_schema` and `block_schema` go into every envelope, and are borrowed. */
relations *relations_new(const postgres_config *config, const filter *filter,
                         const sluice_schema *source_schema,
                         const sluice_schema *block_schema);
void relations_free(relations *self); /* NULL is accepted. */

/* The newest version of a table, or NULL. */
pg_relation *relations_find(const relations *self, uint32_t oid);

/* Takes a relation message in: makes a new version unless nothing has changed. Asks the
 * catalog through `from`. */
sluice_status relations_take(relations *self, connection *from,
                             const pg_message *message, sluice_error *err);

/* The same for a table of the snapshot, with the columns that the publication has. */
sluice_status relations_take_table(relations *self, connection *from,
                                   const published_table *table,
                                   pg_relation **ret_relation, sluice_error *err);

/* What a version of a table cannot express of a row. */
typedef struct row_misfit {
    int column;     /* -1: all fits. */
    int dimensions; /* Its array has so many, which are more; 0: it is null. */
} row_misfit;

/* Makes a version of `relation` that fits: in which the column may be null, for the
 * catalog, which is as of now, said NOT NULL, and the row says otherwise; or is an
 * array of more dimensions, for PostgreSQL does not keep to those that are declared. */
sluice_status relations_adapt(relations *self, const pg_relation *relation,
                              const row_misfit *misfit, sluice_error *err);

/* Frees the versions that were replaced. */
void relations_forget(relations *self);

/* The rows of a relation. */
typedef struct row_values {
    const sluice_value *key; /* NULL where the table has no key. */
    const sluice_value *row;
} row_values;

/* Makes the values of a tuple in `arena`, which its texts live in too. `old` (or NULL)
 * gives what the tuple does not repeat. SLUICE_BAD_RECORD with `ret_misfit->column`
 * >= 0: relations_adapt(), then again. */
sluice_status relation_row(const pg_relation *self, const pg_tuple *tuple,
                           const pg_tuple *old, sluice_arena *arena,
                           row_values *ret_values, row_misfit *ret_misfit,
                           sluice_error *err);

/* Whether the key columns of two tuples have the same texts; those that `one` does not
 * know, being of another replica identity, are taken for the same. */
bool relation_same_key(const pg_relation *self, const pg_tuple *one,
                       const pg_tuple *other);

/* Whether an update has left all columns in the value as they were; false where that is
 * not known, because `old` is not the whole row. */
bool relation_same_row(const pg_relation *self, const pg_tuple *old,
                       const pg_tuple *new);

#endif
