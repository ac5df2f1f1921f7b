/* connectors/postgres/column.h - a column: from its PostgreSQL type to a schema, and
 * from its texts to values.
 *
 * What a type becomes is one row of the table in types.c; how texts of it become values
 * is a function in convert.c. A column is described once, when its table is first seen
 * or has changed; then its `convert` runs per value.
 *
 * Threads: a task's own. Memory: a column and its schema live in the arena of their
 * relation. */
#ifndef SLUICE_POSTGRES_COLUMN_H
#define SLUICE_POSTGRES_COLUMN_H

#include "mask.h"

typedef struct pg_column pg_column;

/* Makes a value of the `len` bytes at `text`, which live as long as `arena` does, so
 * that values may point into them. SLUICE_BAD_RECORD where the column's schema cannot
 * express the text; the message names neither column nor table. */
typedef sluice_status (*column_convert)(const pg_column *self, sluice_arena *arena,
                                        const char *text, size_t len,
                                        const sluice_value **ret_value,
                                        sluice_error *err);

struct pg_column {
    const postgres_config *config;
    const char *name;
    uint32_t type; /* The oid of its type, and the modifier, as PostgreSQL has them. */
    int32_t typmod;
    /* The same as the table declares them; where that is a domain, those above become
     * what it is made of. */
    uint32_t declared_type;
    int32_t declared_typmod;
    int dimensions; /* Of an array, as declared or as seen; what is below 2 is 1. */
    bool optional;
    bool identity;       /* Part of the replica identity. */
    bool in_value;       /* Not excluded, and of a type that is mapped. */
    const char *initial; /* Its default, as SQL, or NULL. */
    const mask *mask;    /* What hides its values, or NULL. */
    /* To be told in the schema: the type as the database calls it, or NULL. */
    const char *source_type;
    int key_position; /* In the key, from 0; -1: not part of it. */
    int field;        /* Its field in the Value schema, or -1. */
    int key_field;    /* Its field in the Key schema, or -1. */
    column_convert convert;
    const sluice_schema *schema;
    const sluice_schema *key_schema; /* Of its field in the key: nothing is hidden. */
    mask_column masked;           /* Set where there is a mask that does something. */
    const sluice_value *fallback; /* For a value that is not known but required. */
    const sluice_value *unavailable; /* For a value that the server did not send. */
    int scale;                       /* Of a decimal. */
    int digits;                      /* Of a second's fraction, 0 to 6. */
    int64_t length;                  /* Of bits; -1 where there is no limit. */
    const pg_column *element;        /* Of an array. */
    char delimiter;                  /* Between elements. */
};

/* What the catalog says of a type that types.c does not know by its oid. */
typedef struct type_facts {
    uint32_t oid;
    const char *name; /* "citext" */
    char kind;        /* b(ase), c(omposite), d(omain), e(num), r(ange), m(ultirange) */
    uint32_t base;    /* Of a domain: what it is made of. */
    int32_t base_typmod;
    uint32_t element;   /* Of an array: the type of its elements, else 0. */
    const char *labels; /* Of an enum: "a,b,c", in order. */
    char delimiter;     /* Between such values in an array; 0: a comma. */
} type_facts;

/* Where column_describe() asks about types. NULL: nobody knows that one. */
typedef struct type_source {
    const type_facts *(*find)(void *context, uint32_t oid);
    void *context;
} type_source;

/* Completes a column whose config, name, type, typmod, dimensions, optional, mask and
 * source_type are set, with schemas, convert, fallback and unavailable in `arena`; a
 * mask that does nothing to values of its type is taken away. `initial` is its default
 * or NULL: it goes into the schema. False: its type has no mapping. */
bool column_describe(pg_column *self, const type_source *types, const char *initial,
                     sluice_arena *arena);

/* The bytes of unavailable.value.placeholder; a "hex:" is decoded. */
sluice_bytes column_placeholder(const postgres_config *config, sluice_arena *arena);

/* --- convert.c: texts to values. --- */

sluice_status convert_boolean(const pg_column *, sluice_arena *, const char *, size_t,
                              const sluice_value **, sluice_error *);
sluice_status convert_int16(const pg_column *, sluice_arena *, const char *, size_t,
                            const sluice_value **, sluice_error *);
sluice_status convert_int32(const pg_column *, sluice_arena *, const char *, size_t,
                            const sluice_value **, sluice_error *);
sluice_status convert_int64(const pg_column *, sluice_arena *, const char *, size_t,
                            const sluice_value **, sluice_error *);
sluice_status convert_float32(const pg_column *, sluice_arena *, const char *, size_t,
                              const sluice_value **, sluice_error *);
sluice_status convert_float64(const pg_column *, sluice_arena *, const char *, size_t,
                              const sluice_value **, sluice_error *);
sluice_status convert_string(const pg_column *, sluice_arena *, const char *, size_t,
                             const sluice_value **, sluice_error *);
sluice_status convert_bytes_of_text(const pg_column *, sluice_arena *, const char *,
                                    size_t, const sluice_value **, sluice_error *);
sluice_status convert_decimal(const pg_column *, sluice_arena *, const char *, size_t,
                              const sluice_value **, sluice_error *);
sluice_status convert_variable_decimal(const pg_column *, sluice_arena *, const char *,
                                       size_t, const sluice_value **, sluice_error *);
sluice_status convert_decimal_string(const pg_column *, sluice_arena *, const char *,
                                     size_t, const sluice_value **, sluice_error *);
sluice_status convert_money(const pg_column *, sluice_arena *, const char *, size_t,
                            const sluice_value **, sluice_error *);
sluice_status convert_bytea(const pg_column *, sluice_arena *, const char *, size_t,
                            const sluice_value **, sluice_error *);
sluice_status convert_bit(const pg_column *, sluice_arena *, const char *, size_t,
                          const sluice_value **, sluice_error *);
sluice_status convert_bits(const pg_column *, sluice_arena *, const char *, size_t,
                           const sluice_value **, sluice_error *);
sluice_status convert_array(const pg_column *, sluice_arena *, const char *, size_t,
                            const sluice_value **, sluice_error *);

/* How many dimensions the text of an array has; 0: it is empty. */
int convert_dimensions(const char *text, size_t len);

/* --- convert_time.c: the same for dates, times and intervals. --- */

sluice_status convert_date(const pg_column *, sluice_arena *, const char *, size_t,
                           const sluice_value **, sluice_error *);
sluice_status convert_time(const pg_column *, sluice_arena *, const char *, size_t,
                           const sluice_value **, sluice_error *);
sluice_status convert_timetz(const pg_column *, sluice_arena *, const char *, size_t,
                             const sluice_value **, sluice_error *);
sluice_status convert_timestamp(const pg_column *, sluice_arena *, const char *, size_t,
                                const sluice_value **, sluice_error *);
sluice_status convert_timestamptz(const pg_column *, sluice_arena *, const char *,
                                  size_t, const sluice_value **, sluice_error *);
sluice_status convert_interval(const pg_column *, sluice_arena *, const char *, size_t,
                               const sluice_value **, sluice_error *);

/* --- convert_shape.c: points, geometries, vectors. --- */

sluice_status convert_point(const pg_column *, sluice_arena *, const char *, size_t,
                            const sluice_value **, sluice_error *);
sluice_status convert_geometry(const pg_column *, sluice_arena *, const char *, size_t,
                               const sluice_value **, sluice_error *);
sluice_status convert_vector(const pg_column *, sluice_arena *, const char *, size_t,
                             const sluice_value **, sluice_error *);
sluice_status convert_halfvec(const pg_column *, sluice_arena *, const char *, size_t,
                              const sluice_value **, sluice_error *);
sluice_status convert_sparsevec(const pg_column *, sluice_arena *, const char *, size_t,
                                const sluice_value **, sluice_error *);
sluice_status convert_number_list(const pg_column *, sluice_arena *, const char *,
                                  size_t, const sluice_value **, sluice_error *);

/* --- convert_hstore.c --- */

/* An hstore in which `text` has the value `text`. */
const sluice_value *convert_hstore_pair(const pg_column *self, sluice_arena *arena,
                                        sluice_bytes text);

sluice_status convert_hstore(const pg_column *, sluice_arena *, const char *, size_t,
                             const sluice_value **, sluice_error *);

/* The bytes of `len` hexadecimal digits; NULL where they are none. */
unsigned char *convert_digits(sluice_arena *arena, const char *text, size_t len,
                              size_t *ret_len);

/* SLUICE_BAD_RECORD: "'…' is no <what>". */
sluice_status convert_fail(sluice_error *err, const char *text, size_t len,
                           const char *what);

#endif
