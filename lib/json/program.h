/* lib/json/program.h - a schema compiled into what an encoder does.
 *
 * A node per schema; a struct's fields carry their names ready to be copied, with the
 * comma, the quotes and the colon. Nothing of the schema is borrowed. Threads: one. */
#ifndef SLUICE_JSON_PROGRAM_H
#define SLUICE_JSON_PROGRAM_H

#include "json/writer.h"
#include <sluice/json.h>

typedef enum json_form {
    JSON_FORM_INTEGER,
    JSON_FORM_FLOAT,
    JSON_FORM_DOUBLE,
    JSON_FORM_BOOLEAN,
    JSON_FORM_STRING,
    JSON_FORM_BYTES,
    JSON_FORM_DECIMAL, /* As a number. */
    JSON_FORM_ARRAY,
    JSON_FORM_OBJECT, /* A map with text keys. */
    JSON_FORM_TUPLES, /* Another map: [[key,value],…] */
    JSON_FORM_STRUCT,
} json_form;

typedef struct json_node json_node;

typedef struct json_field {
    const char *name; /* `"id":`, or `,"nm":` from the second on. */
    uint32_t name_len;
    uint32_t memo; /* Its place in the program's memos. */
    const json_node *node;
} json_field;

struct json_node {
    uint64_t schema_id;
    const sluice_schema
        *schema; /* A copy; for messages and for structs of equal schemas. */
    json_form form;
    sluice_data_type type;
    bool optional;
    int scale;            /* Of a decimal. */
    const char *fallback; /* The default as JSON, or NULL. */
    size_t fallback_len;
    const json_node *key, *element;
    const json_field *fields;
    size_t field_count;
};

typedef struct json_program {
    sluice_arena *arena;
    const json_node *root;
    const char *head; /* `{"schema":…,"payload":` */
    size_t head_len;
    size_t size_hint; /* The longest text so far, as a guess for the next. */
    json_memo *memos; /* One for each field of a struct … */
    size_t memo_count;
    uint64_t memo_epoch; /* … good while the arena of the texts is in this epoch. */
} json_program;

/* Compiles `schema` (not NULL). SLUICE_BAD_RECORD: a decimal without a scale, a default
 * that cannot be written. */
sluice_status json_program_new(const sluice_schema *schema,
                               const sluice_json_options *options,
                               json_program **ret_program, sluice_error *err);
void json_program_free(json_program *program);

#endif
