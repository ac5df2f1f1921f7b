/* The compiler: a schema becomes nodes in an arena of their own. */
#include "json/program.h"
#include "base/memory.h"
#include "base/text.h"
#include "json/run.h"
#include <stdlib.h>

typedef struct compile {
    sluice_arena *arena;
    const sluice_json_options *options;
    sluice_error *err;
    uint32_t fields; /* Of structs, so far. */
} compile;

static sluice_status compile_node(compile *self, const sluice_schema *schema,
                                  const json_node **ret_node);

static sluice_status choose_form(compile *self, const sluice_schema *schema,
                                 json_node *node)
{
    static const json_form forms[SLUICE_DATA_TYPES] = {
        JSON_FORM_INTEGER, JSON_FORM_INTEGER, JSON_FORM_INTEGER, JSON_FORM_INTEGER,
        JSON_FORM_FLOAT,   JSON_FORM_DOUBLE,  JSON_FORM_BOOLEAN, JSON_FORM_STRING,
        JSON_FORM_BYTES,   JSON_FORM_ARRAY,   JSON_FORM_TUPLES,  JSON_FORM_STRUCT,
    };
    const char *name = sluice_schema_name(schema);
    node->form = forms[node->type];
    if (node->type == SLUICE_TYPE_MAP &&
        sluice_schema_type(sluice_schema_key(schema)) == SLUICE_TYPE_STRING) {
        node->form = JSON_FORM_OBJECT;
    }
    if (node->type == SLUICE_TYPE_BYTES && name != NULL &&
        strcmp(name, SLUICE_DECIMAL) == 0 && self->options->numeric_decimals) {
        const char *scale = sluice_schema_parameter(schema, "scale");
        int32_t number;
        if (scale == NULL || !text_to_int32(scale, &number)) {
            return sluice_fail(self->err, SLUICE_BAD_RECORD,
                               "Invalid Decimal schema: scale parameter not found.");
        }
        node->form = JSON_FORM_DECIMAL;
        node->scale = number;
    }
    return SLUICE_OK;
}

/* `"name":` with its quotes, and the comma before it from the second field on. */
static sluice_status field_name(compile *self, const char *name, bool first,
                                json_field *field)
{
    json_writer out;
    json_writer_init(&out, self->arena, strlen(name) + 8);
    if (!first) {
        json_char(&out, ',');
    }
    if (!json_text(&out, name, strlen(name))) {
        return sluice_fail(self->err, SLUICE_BAD_RECORD, "a field name is not UTF-8");
    }
    json_char(&out, ':');
    sluice_bytes text = json_writer_finish(&out);
    field->name = text.base;
    field->name_len = (uint32_t)text.len;
    return SLUICE_OK;
}

static sluice_status compile_fields(compile *self, const sluice_schema *schema,
                                    json_node *node)
{
    size_t count = sluice_schema_field_count(schema);
    json_field *fields = sluice_arena_take(self->arena, count * sizeof *fields);
    for (size_t i = 0; i < count; i++) {
        sluice_status status =
            field_name(self, sluice_schema_field_name(schema, i), i == 0, &fields[i]);
        fields[i].memo = self->fields++;
        if (status == SLUICE_OK) {
            status = compile_node(self, sluice_schema_field_schema(schema, i),
                                  &fields[i].node);
        }
        if (status != SLUICE_OK) {
            return status;
        }
    }
    node->fields = fields;
    node->field_count = count;
    return SLUICE_OK;
}

static sluice_status compile_parts(compile *self, const sluice_schema *schema,
                                   json_node *node)
{
    sluice_status status = SLUICE_OK;
    if (node->type == SLUICE_TYPE_STRUCT) {
        return compile_fields(self, schema, node);
    }
    if (node->type == SLUICE_TYPE_MAP) {
        status = compile_node(self, sluice_schema_key(schema), &node->key);
    }
    if (status == SLUICE_OK &&
        (node->type == SLUICE_TYPE_MAP || node->type == SLUICE_TYPE_ARRAY)) {
        status = compile_node(self, sluice_schema_element(schema), &node->element);
    }
    return status;
}

static sluice_status compile_default(compile *self, const sluice_schema *schema,
                                     json_node *node)
{
    const sluice_value *fallback = NULL;
    if (!sluice_schema_default(schema, &fallback) || fallback == NULL) {
        return SLUICE_OK;
    }
    json_writer out;
    json_writer_init(&out, self->arena, 64);
    sluice_status status = json_run(&out, node, self->options, fallback, self->err);
    sluice_bytes text = json_writer_finish(&out);
    node->fallback = text.base;
    node->fallback_len = text.len;
    return status;
}

static sluice_status compile_node(compile *self, const sluice_schema *schema,
                                  const json_node **ret_node)
{
    json_node *node = sluice_arena_take(self->arena, sizeof *node);
    *node = (json_node){.schema_id = sluice_schema_id(schema),
                        .schema = sluice_schema_copy(self->arena, schema),
                        .type = sluice_schema_type(schema),
                        .optional = sluice_schema_is_optional(schema)};
    sluice_status status = choose_form(self, schema, node);
    if (status == SLUICE_OK) {
        status = compile_parts(self, schema, node);
    }
    if (status == SLUICE_OK) {
        status = compile_default(self, schema, node);
    }
    *ret_node = node;
    return status;
}

static sluice_status compile_head(compile *self, const sluice_schema *schema,
                                  json_program *program)
{
    json_writer out;
    json_writer_init(&out, self->arena, 4096);
    json_literal(&out, "{\"schema\":");
    sluice_status status =
        json_write_schema(&out, schema, NULL, self->options, self->err);
    json_literal(&out, ",\"payload\":");
    sluice_bytes text = json_writer_finish(&out);
    program->head = text.base;
    program->head_len = text.len;
    return status;
}

sluice_status json_program_new(const sluice_schema *schema,
                               const sluice_json_options *options,
                               json_program **ret_program, sluice_error *err)
{
    json_program *program = memory_zero(sizeof *program);
    program->arena = sluice_arena_new();
    compile self = {program->arena, options, err, 0};
    sluice_status status = compile_node(&self, schema, &program->root);
    if (status == SLUICE_OK && options->schemas) {
        status = compile_head(&self, schema, program);
    }
    program->size_hint = 256 + program->head_len;
    program->memo_count = self.fields;
    program->memos =
        sluice_arena_take(program->arena, self.fields * sizeof *program->memos);
    if (status != SLUICE_OK) {
        json_program_free(program);
        return status;
    }
    *ret_program = program;
    return SLUICE_OK;
}

void json_program_free(json_program *program)
{
    if (program != NULL) {
        sluice_arena_free(program->arena);
        free(program);
    }
}
