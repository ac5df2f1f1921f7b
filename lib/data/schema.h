/* lib/data/schema.h - how a schema lies in memory.
 *
 * Only the files of lib/data include this. */
#ifndef SLUICE_DATA_SCHEMA_H
#define SLUICE_DATA_SCHEMA_H

#include <sluice/schema.h>

typedef struct schema_field {
    const char *name;
    const sluice_schema *schema;
} schema_field;

typedef struct schema_parameter {
    const char *name, *value;
} schema_parameter;

struct sluice_schema {
    uint64_t id;
    sluice_data_type type;
    bool optional, has_version, has_default;
    int32_t version;
    const char *name, *doc; /* NULL: none. */
    const sluice_value *fallback;
    const schema_parameter *parameters;
    const schema_field *fields;
    size_t parameter_count, field_count;
    const sluice_schema *key, *element;
    uint32_t
        *slots; /* An index of the field names, numbers from 1; NULL: few fields. */
    uint32_t slot_mask;
};

uint64_t schema_new_id(void);

/* Makes the index of the fields, if they are many. */
void schema_index(sluice_schema *schema, sluice_arena *arena);

/* A deep copy that borrows nothing: the schemas of structs in it are copied, too. */
const sluice_value *schema_copy_default(sluice_arena *arena, const sluice_value *value);

#endif
