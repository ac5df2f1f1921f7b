/* A schema as JSON: {"type":T, contents, "optional":…, "name"? … "field"?}, in that
 * order. */
#include "json/run.h"

static const char *const type_names[SLUICE_DATA_TYPES] = {
    "int8",    "int16",  "int32", "int64", "float", "double",
    "boolean", "string", "bytes", "array", "map",   "struct",
};

static bool write_texts(json_writer *out, const char *label, const char *text)
{
    json_raw(out, label, strlen(label));
    return json_text(out, text, strlen(text));
}

static sluice_status write_fields(json_writer *out, const sluice_schema *schema,
                                  const sluice_json_options *options, sluice_error *err)
{
    json_literal(out, ",\"fields\":[");
    for (size_t i = 0; i < sluice_schema_field_count(schema); i++) {
        if (i > 0) {
            json_char(out, ',');
        }
        sluice_status status =
            json_write_schema(out, sluice_schema_field_schema(schema, i),
                              sluice_schema_field_name(schema, i), options, err);
        if (status != SLUICE_OK) {
            return status;
        }
    }
    json_char(out, ']');
    return SLUICE_OK;
}

static sluice_status write_contents(json_writer *out, const sluice_schema *schema,
                                    const sluice_json_options *options,
                                    sluice_error *err)
{
    sluice_data_type type = sluice_schema_type(schema);
    if (type == SLUICE_TYPE_STRUCT) {
        return write_fields(out, schema, options, err);
    }
    if (type == SLUICE_TYPE_ARRAY) {
        json_literal(out, ",\"items\":");
        return json_write_schema(out, sluice_schema_element(schema), NULL, options,
                                 err);
    }
    if (type == SLUICE_TYPE_MAP) {
        json_literal(out, ",\"keys\":");
        sluice_status status =
            json_write_schema(out, sluice_schema_key(schema), NULL, options, err);
        if (status != SLUICE_OK) {
            return status;
        }
        json_literal(out, ",\"values\":");
        return json_write_schema(out, sluice_schema_element(schema), NULL, options,
                                 err);
    }
    return SLUICE_OK;
}

static bool write_parameters(json_writer *out, const sluice_schema *schema)
{
    bool good = true;
    size_t count = sluice_schema_parameter_count(schema);
    for (size_t i = 0; i < count; i++) {
        const char *name = sluice_schema_parameter_name(schema, i);
        good &= write_texts(out, i == 0 ? ",\"parameters\":{" : ",", name);
        good &= write_texts(out, ":", sluice_schema_parameter_value(schema, i));
    }
    if (count > 0) {
        json_char(out, '}');
    }
    return good;
}

static sluice_status write_default(json_writer *out, const sluice_schema *schema,
                                   const sluice_json_options *options,
                                   sluice_error *err)
{
    const sluice_value *fallback = NULL;
    json_program *program = NULL;
    if (!sluice_schema_default(schema, &fallback) || fallback == NULL) {
        return SLUICE_OK;
    }
    sluice_json_options without = *options;
    without.schemas = false;
    sluice_status status = json_program_new(schema, &without, &program, err);
    if (status == SLUICE_OK) {
        json_literal(out, ",\"default\":");
        status = json_run(out, program->root, options, fallback, err);
        json_program_free(program);
    }
    return status;
}

sluice_status json_write_schema(json_writer *out, const sluice_schema *schema,
                                const char *field, const sluice_json_options *options,
                                sluice_error *err)
{
    if (schema == NULL) {
        json_literal(out, "null");
        return SLUICE_OK;
    }
    int32_t version;
    const char *name = sluice_schema_name(schema), *doc = sluice_schema_doc(schema);
    bool good = write_texts(out, "{\"type\":", type_names[sluice_schema_type(schema)]);
    sluice_status status = write_contents(out, schema, options, err);
    if (status != SLUICE_OK) {
        return status;
    }
    bool optional = sluice_schema_is_optional(schema);
    json_literal(out, ",\"optional\":");
    json_raw(out, optional ? "true" : "false", optional ? 4 : 5);
    if (name != NULL) {
        good &= write_texts(out, ",\"name\":", name);
    }
    if (sluice_schema_version(schema, &version)) {
        json_literal(out, ",\"version\":");
        json_integer(out, version);
    }
    if (doc != NULL) {
        good &= write_texts(out, ",\"doc\":", doc);
    }
    good &= write_parameters(out, schema);
    status = write_default(out, schema, options, err);
    if (field != NULL) {
        good &= write_texts(out, ",\"field\":", field);
    }
    json_char(out, '}');
    if (!good) {
        return sluice_fail(err, SLUICE_BAD_RECORD, "a text of the schema is not UTF-8");
    }
    return status;
}
