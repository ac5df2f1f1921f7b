/* connectors/postgres/catalog.h - what the server's catalog says about tables and
 * types.
 *
 * The stream describes a table as it was when a row was written, but not its key, its
 * defaults, what may be null, or what a type is; that is asked here, and is as of now.
 *
 * Memory: all results live in the arena that is passed in. */
#ifndef SLUICE_POSTGRES_CATALOG_H
#define SLUICE_POSTGRES_CATALOG_H

#include "column.h"
#include "connection.h"

typedef struct column_facts {
    const char *name;
    uint32_t type;
    int32_t typmod;
    int dimensions; /* That an array is declared with. */
    bool not_null;
    bool generated;
    const char *initial; /* Its default, as SQL, or NULL. */
    int key_position;    /* In the primary key, else in the first unique index without
                          * nulls: from 0; -1: not part of it. */
} column_facts;

typedef struct table_facts {
    char identity; /* d(efault), n(othing), f(ull), i(ndex); 0: there is no such table.
                    */
    int count;
    const column_facts *columns; /* In the order of the table. */
} table_facts;

sluice_status catalog_table(connection *from, uint32_t oid, sluice_arena *arena,
                            table_facts *ret_table, sluice_error *err);

/* Facts about `oids` and the types they are made of. */
typedef struct type_list {
    size_t count;
    const type_facts *facts;
} type_list;
sluice_status catalog_types(connection *from, const uint32_t *oids, size_t count,
                            sluice_arena *arena, type_list *ret_types,
                            sluice_error *err);
/* The `find` of a type_source whose context is a type_list. */
const type_facts *type_list_find(void *types, uint32_t oid);

/* A table of the publication. */
typedef struct published_table {
    uint32_t oid;
    const char *schema, *name;
    bool partitioned;
    bool has_generated; /* The server can stream generated columns: `columns` tells. */
    const char *filter; /* The publication's WHERE, or NULL. */
    int column_count;   /* 0: all columns are published. */
    const char **columns;
} published_table;
typedef struct published_list {
    size_t count;
    published_table *tables; /* By schema and name. */
} published_list;
sluice_status catalog_published(connection *from, sluice_arena *arena,
                                published_list *ret_list, sluice_error *err);

/* Reads a result's unsigned or signed number; 0 for what is none. */
int64_t result_number(const PGresult *result, int row, int column);

#endif
