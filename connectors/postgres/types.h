/* connectors/postgres/types.h - between types.c, which decides what a column becomes,
 * and describe.c, which builds it. */
#ifndef SLUICE_POSTGRES_TYPES_H
#define SLUICE_POSTGRES_TYPES_H

#include "column.h"

#define DEBEZIUM_TIME     "io.debezium.time."
#define DEBEZIUM_DATA     "io.debezium.data."
#define DEBEZIUM_GEOMETRY DEBEZIUM_DATA "geometry."

enum { NUMERIC_TYPE = 1700, UUID_TYPE = 2950, TIMESTAMPTZ_TYPE = 1184 }; /* Oids. */

typedef enum structure {
    PLAIN,
    DECIMAL,
    VARIABLE_DECIMAL,
    ENUM,
    BITS,
    ARRAY,
    POINT,
    GEOMETRY,
    VECTOR,
    SPARSE_VECTOR,
    TEXT_MAP,
} structure;

/* A column's schema while it is being decided. */
typedef struct type_design {
    sluice_data_type type;
    const char *name; /* Semantic name, or NULL. */
    const char *doc;
    structure structure;
    int precision;
    const char *labels;
    bool has_default; /* Whether its schema tells the column's default. */
    const char *zero; /* The text that stands for "nothing known" where null cannot. */
} type_design;

/* What the JDBC driver calls the size and the scale of a column. */
typedef struct source_size {
    int64_t length;
    int scale;
} source_size;

/* Of a column that has been decided. */
source_size source_size_of(const pg_column *column);

/* Decides by a column's type and configuration; sets its `convert` and what that needs.
 * False: its type has no mapping. */
bool type_decide(pg_column *column, type_design *ret_design, const type_source *types,
                 sluice_arena *arena);

#endif
