/* transforms/basic/extract_field.c - one field of a key or value takes its
 * place. */
#include "basic.h"
#include "part.h"
#include "path.h"
#include <stdlib.h>

static const char PURPOSE[] = "field extraction";

enum { SYNTAX_V1, SYNTAX_V2 };

typedef struct extract_config {
    const char *field;
    int32_t syntax;
    bool replaces_null;
} extract_config;

typedef struct extract {
    const extract_config *config;
    part which;
    path path;
    sluice_arena *arena; /* For the path. */
} extract;

static void extract_destroy(void *instance)
{
    extract *self = instance;
    if (self != NULL) {
        sluice_arena_free(self->arena);
        free(self);
    }
}

static sluice_status extract_create(const void *config, part which, void **ret_self,
                                    sluice_error *err)
{
    extract *self = calloc(1, sizeof *self);
    if (self == NULL) {
        return sluice_fail(err, SLUICE_FATAL, "memory is out");
    }
    self->config = config;
    self->which = which;
    self->arena = sluice_arena_new();
    sluice_status status = path_parse(&self->path, self->arena, self->config->field,
                                      self->config->syntax == SYNTAX_V2, err);
    if (status != SLUICE_OK) {
        extract_destroy(self);
        return status;
    }
    *ret_self = self;
    return SLUICE_OK;
}

static sluice_status extract_create_key(const void *config, void **ret_self,
                                        sluice_error *err)
{
    return extract_create(config, PART_KEY, ret_self, err);
}

static sluice_status extract_create_value(const void *config, void **ret_self,
                                          sluice_error *err)
{
    return extract_create(config, PART_VALUE, ret_self, err);
}

static sluice_status extract_schemaless(extract *self, sluice_record *record,
                                        const sluice_value *value, sluice_error *err)
{
    const sluice_value *field = NULL;
    sluice_status status = part_require_map(value, true, PURPOSE, err);
    if (status == SLUICE_OK) {
        status = path_in_map(&self->path, value, &field, err);
    }
    if (status == SLUICE_OK) {
        part_set(record, self->which, NULL, field);
    }
    return status;
}

static sluice_status extract_apply(void *instance, sluice_record *record,
                                   bool *ret_keep, sluice_error *err)
{
    extract *self = instance;
    const sluice_schema *schema = part_schema(record, self->which);
    const sluice_value *value = part_value(record, self->which);
    if (schema == NULL) {
        return extract_schemaless(self, record, value, err);
    }
    sluice_status status = part_require_struct(schema, value, true, PURPOSE, err);
    if (status != SLUICE_OK) {
        return status;
    }
    const sluice_schema *field_schema = path_schema(&self->path, schema);
    if (field_schema == NULL) {
        return sluice_fail(err, SLUICE_BAD_RECORD, "Unknown field: %s",
                           self->path.text);
    }
    const sluice_value *field = NULL;
    status =
        path_in_struct(&self->path, value, self->config->replaces_null, &field, err);
    if (status == SLUICE_OK) {
        part_set(record, self->which, field_schema, field);
    }
    return status;
}

/* --- The features. --- */

static const char *const SYNTAXES[] = {"V1", "V2", NULL};

static const sluice_key KEYS[] = {
    {.name = "field",
     .doc = "Field name to extract.",
     .type = SLUICE_STRING,
     .importance = SLUICE_MEDIUM,
     .offset = SLUICE_AT(const char *, extract_config, field)},
    {.name = "field.syntax.version",
     .fallback = "V1",
     .doc =
         "Defines the version of the syntax to access fields. If set to `V1`, then "
         "the field paths are limited to access the elements at the root level of the "
         "struct or map. If set to `V2`, the syntax will support accessing nested "
         "elements: dots separate names, backticks enclose names with dots.",
     .choices = SYNTAXES,
     .shown_type = "STRING",
     .type = SLUICE_ENUM,
     .importance = SLUICE_HIGH,
     .offset = SLUICE_AT(int32_t, extract_config, syntax)},
    {.name = "replace.null.with.default",
     .fallback = "true",
     .doc = "Whether to replace fields that have a default value and that are null to "
            "the default value. When set to true, the default value is used, otherwise "
            "null is used.",
     .type = SLUICE_BOOL,
     .importance = SLUICE_MEDIUM,
     .offset = SLUICE_AT(bool, extract_config, replaces_null)},
    {.name = NULL},
};

static const sluice_config CONFIG = {.size = sizeof(sluice_config),
                                     .key_size = sizeof(sluice_key),
                                     .struct_size = sizeof(extract_config),
                                     .keys = KEYS};

static const sluice_transform_ops KEY_OPS = {.size = sizeof(sluice_transform_ops),
                                             .create = extract_create_key,
                                             .destroy = extract_destroy,
                                             .apply = extract_apply};

static const sluice_transform_ops VALUE_OPS = {.size = sizeof(sluice_transform_ops),
                                               .create = extract_create_value,
                                               .destroy = extract_destroy,
                                               .apply = extract_apply};

static const char *const KEY_ALIASES[] = {
    "org.apache.kafka.connect.transforms.ExtractField$Key", "ExtractField$Key", NULL};
static const char *const VALUE_ALIASES[] = {
    "org.apache.kafka.connect.transforms.ExtractField$Value", "ExtractField$Value",
    NULL};

#define DOC                                                                            \
    "Puts one field in the place of the struct or map that it is in, with the "        \
    "field's "                                                                         \
    "schema. A null stays null. A field that a schema lacks is an error; one that a "  \
    "map lacks is null."

const sluice_feature extract_field_key = {.size = sizeof(sluice_feature),
                                          .kind = SLUICE_TRANSFORM,
                                          .name = "extract-field-key",
                                          .summary =
                                              "One field of the key, as the key.",
                                          .doc = DOC,
                                          .aliases = KEY_ALIASES,
                                          .stands_for = "4.1.0",
                                          .config = &CONFIG,
                                          .ops.transform = &KEY_OPS};

const sluice_feature extract_field_value = {.size = sizeof(sluice_feature),
                                            .kind = SLUICE_TRANSFORM,
                                            .name = "extract-field-value",
                                            .summary =
                                                "One field of the value, as the value.",
                                            .doc = DOC,
                                            .aliases = VALUE_ALIASES,
                                            .stands_for = "4.1.0",
                                            .config = &CONFIG,
                                            .ops.transform = &VALUE_OPS};
