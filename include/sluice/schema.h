/* sluice/schema.h - what a value means: Kafka Connect's schemas.
 *
 * A schema is immutable and shared by reference. A task makes each of its schemas
 * once and uses the same object for all records: converters look their compiled
 * encoders up by sluice_schema_id(), which no two schemas of a process share.
 *
 * Threads: a finished schema may be read by any thread.
 * Memory: a schema lives in the arena that it was built in, and borrows the schemas
 * it is built from. A source keeps the schemas of a batch valid until its next poll. */
#ifndef SLUICE_SCHEMA_H
#define SLUICE_SCHEMA_H

#include <sluice/arena.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sluice_schema sluice_schema;
typedef struct sluice_value sluice_value; /* NULL is the null value: value.h. */
typedef struct sluice_schema_builder sluice_schema_builder;

/* Kafka Connect's types, in its order. */
typedef enum sluice_data_type {
    SLUICE_TYPE_INT8 = 0,
    SLUICE_TYPE_INT16,
    SLUICE_TYPE_INT32,
    SLUICE_TYPE_INT64,
    SLUICE_TYPE_FLOAT32,
    SLUICE_TYPE_FLOAT64,
    SLUICE_TYPE_BOOLEAN,
    SLUICE_TYPE_STRING, /* UTF-8 with a length; a NUL inside is data. */
    SLUICE_TYPE_BYTES,
    SLUICE_TYPE_ARRAY,
    SLUICE_TYPE_MAP,
    SLUICE_TYPE_STRUCT,
} sluice_data_type;

enum { SLUICE_DATA_TYPES = SLUICE_TYPE_STRUCT + 1 };

/* "INT8" … "STRUCT"; a constant. */
SLUICE_API const char *sluice_data_type_name(sluice_data_type type);

/* The names of Kafka Connect's logical types, each of version 1. */
#define SLUICE_DECIMAL   "org.apache.kafka.connect.data.Decimal" /* BYTES */
#define SLUICE_DATE      "org.apache.kafka.connect.data.Date"    /* INT32, days */
#define SLUICE_TIME      "org.apache.kafka.connect.data.Time"    /* INT32, ms of day */
#define SLUICE_TIMESTAMP "org.apache.kafka.connect.data.Timestamp" /* INT64, ms */

/* --- Ready-made schemas. --- */

/* The schema of a primitive type without a name; a constant of the process. `type`
 * is below SLUICE_TYPE_ARRAY. */
SLUICE_API const sluice_schema *sluice_schema_of(sluice_data_type type, bool optional);

/* SLUICE_DECIMAL with its parameter "scale". */
SLUICE_API const sluice_schema *sluice_schema_decimal(sluice_arena *arena, int scale,
                                                      bool optional);

/* A primitive with a name and version 1: SLUICE_DATE, "io.debezium.time.Date" … `name`
 * is copied. */
SLUICE_API const sluice_schema *sluice_schema_named(sluice_arena *arena,
                                                    sluice_data_type type,
                                                    const char *name, bool optional);

/* --- Building one. Texts are copied; the order of the calls does not matter. --- */

/* Begins a schema in `arena`. Mistakes are kept and told by finish. */
SLUICE_API sluice_schema_builder *sluice_schema_builder_new(sluice_arena *arena,
                                                            sluice_data_type type);
SLUICE_API void sluice_schema_builder_optional(sluice_schema_builder *builder);
SLUICE_API void sluice_schema_builder_name(sluice_schema_builder *builder,
                                           const char *name);
SLUICE_API void sluice_schema_builder_version(sluice_schema_builder *builder,
                                              int32_t version);
SLUICE_API void sluice_schema_builder_doc(sluice_schema_builder *builder,
                                          const char *doc);
SLUICE_API void sluice_schema_builder_parameter(sluice_schema_builder *builder,
                                                const char *name, const char *value);
/* `value` is borrowed for as long as the schema lives; it must fit the schema. */
SLUICE_API void sluice_schema_builder_default(sluice_schema_builder *builder,
                                              const sluice_value *value);
/* For STRUCT: the next field. */
SLUICE_API void sluice_schema_builder_field(sluice_schema_builder *builder,
                                            const char *name,
                                            const sluice_schema *schema);
/* For MAP: the schema of the keys. */
SLUICE_API void sluice_schema_builder_key(sluice_schema_builder *builder,
                                          const sluice_schema *schema);
/* For ARRAY and MAP: the schema of the elements or values. */
SLUICE_API void sluice_schema_builder_element(sluice_schema_builder *builder,
                                              const sluice_schema *schema);

/* The finished schema, living in the builder's arena. SLUICE_FATAL with Kafka
 * Connect's text for: a field named twice or without a name, a field on a type that
 * has none, a missing key or element schema, a default that does not fit. */
SLUICE_API sluice_status sluice_schema_builder_finish(sluice_schema_builder *builder,
                                                      const sluice_schema **ret_schema,
                                                      sluice_error *err);

/* --- Reading one. All results are borrowed from the schema. --- */

/* Unique in this process, never 0 and never used again. */
SLUICE_API uint64_t sluice_schema_id(const sluice_schema *schema);
SLUICE_API sluice_data_type sluice_schema_type(const sluice_schema *schema);
SLUICE_API bool sluice_schema_is_optional(const sluice_schema *schema);
SLUICE_API const char *sluice_schema_name(const sluice_schema *schema); /* Or NULL. */
SLUICE_API const char *sluice_schema_doc(const sluice_schema *schema);  /* Or NULL. */
/* Whether it has a version, which goes to `ret_version` then. */
SLUICE_API bool sluice_schema_version(const sluice_schema *schema,
                                      int32_t *ret_version);
/* Whether it has a default (which may be the null value). */
SLUICE_API bool sluice_schema_default(const sluice_schema *schema,
                                      const sluice_value **ret_value);

SLUICE_API size_t sluice_schema_parameter_count(const sluice_schema *schema);
SLUICE_API const char *sluice_schema_parameter_name(const sluice_schema *schema,
                                                    size_t index);
SLUICE_API const char *sluice_schema_parameter_value(const sluice_schema *schema,
                                                     size_t index);
/* The value of parameter `name`, or NULL. */
SLUICE_API const char *sluice_schema_parameter(const sluice_schema *schema,
                                               const char *name);

/* Fields of a STRUCT, 0 to count-1 in order; the count is 0 for other types. */
SLUICE_API size_t sluice_schema_field_count(const sluice_schema *schema);
SLUICE_API const char *sluice_schema_field_name(const sluice_schema *schema,
                                                size_t index);
SLUICE_API const sluice_schema *sluice_schema_field_schema(const sluice_schema *schema,
                                                           size_t index);
/* The index of field `name`, or -1. */
SLUICE_API int sluice_schema_field_find(const sluice_schema *schema, const char *name);

SLUICE_API const sluice_schema *sluice_schema_key(const sluice_schema *schema);
SLUICE_API const sluice_schema *sluice_schema_element(const sluice_schema *schema);

/* Whether all attributes are equal, deeply. NULL (schemaless) equals only NULL. */
SLUICE_API bool sluice_schema_equal(const sluice_schema *one,
                                    const sluice_schema *other);

/* A deep copy in `arena`, with an id of its own. NULL gives NULL. */
SLUICE_API const sluice_schema *sluice_schema_copy(sluice_arena *arena,
                                                   const sluice_schema *schema);

#ifdef __cplusplus
}
#endif

#endif
