/* transforms/basic/insert_field.c - adds where a record came from, or a
 * constant, as fields of its key or value. */
#include "basic.h"
#include "derived.h"
#include "part.h"
#include <stdlib.h>
#include <string.h>

static const char PURPOSE[] = "field insertion";

typedef struct insert_config {
    const char *topic, *partition, *offset, *timestamp, *constant;
    const char *constant_value;
    bool replaces_null;
} insert_config;

/* What can be inserted, in this order. */
typedef enum insertion {
    INSERT_TOPIC,
    INSERT_PARTITION,
    INSERT_OFFSET,
    INSERT_TIMESTAMP,
    INSERT_CONSTANT,
    INSERTIONS,
} insertion;

typedef struct insert {
    const insert_config *config;
    part which;
    derived schemas;
    sluice_arena *arena;           /* For the following, which all records share. */
    const char *names[INSERTIONS]; /* NULL: not inserted. */
    const sluice_value *keys[INSERTIONS];
    const sluice_schema *types[INSERTIONS];
} insert;

/* --- Begin and end. --- */

static void insert_destroy(void *instance)
{
    insert *self = instance;
    if (self != NULL) {
        derived_done(&self->schemas);
        sluice_arena_free(self->arena);
        free(self);
    }
}

/* A name may end in '!' (required) or '?' (optional, as without). */
static void insert_prepare(insert *self, insertion what, const char *configured,
                           sluice_data_type type)
{
    if (configured == NULL) {
        return;
    }
    size_t len = strlen(configured);
    bool is_required = len > 0 && configured[len - 1] == '!';
    bool has_suffix = is_required || (len > 0 && configured[len - 1] == '?');
    char *name = sluice_arena_copy(self->arena, configured, len - has_suffix);
    self->names[what] = name;
    self->keys[what] = sluice_text(self->arena, name);
    self->types[what] =
        what == INSERT_TIMESTAMP
            ? sluice_schema_named(self->arena, type, SLUICE_TIMESTAMP, !is_required)
            : sluice_schema_of(type, !is_required);
}

static sluice_status insert_create(const void *config, part which, void **ret_self,
                                   sluice_error *err)
{
    insert *self = calloc(1, sizeof *self);
    if (self == NULL) {
        return sluice_fail(err, SLUICE_FATAL, "memory is out");
    }
    const insert_config *own = self->config = config;
    self->which = which;
    self->arena = sluice_arena_new();
    derived_init(&self->schemas);
    insert_prepare(self, INSERT_TOPIC, own->topic, SLUICE_TYPE_STRING);
    insert_prepare(self, INSERT_PARTITION, own->partition, SLUICE_TYPE_INT32);
    insert_prepare(self, INSERT_OFFSET, own->offset, SLUICE_TYPE_INT64);
    insert_prepare(self, INSERT_TIMESTAMP, own->timestamp, SLUICE_TYPE_INT64);
    insert_prepare(self, INSERT_CONSTANT, own->constant, SLUICE_TYPE_STRING);
    *ret_self = self;
    return SLUICE_OK;
}

static sluice_status insert_create_key(const void *config, void **ret_self,
                                       sluice_error *err)
{
    return insert_create(config, PART_KEY, ret_self, err);
}

static sluice_status insert_create_value(const void *config, void **ret_self,
                                         sluice_error *err)
{
    return insert_create(config, PART_VALUE, ret_self, err);
}

/* --- Applying. --- */

/* What is inserted for `record`; NULL for what it does not have. */
static const sluice_value *inserted(const insert *self, insertion what,
                                    const sluice_record *record)
{
    sluice_arena *arena = sluice_record_arena(record);
    int32_t partition = sluice_record_partition(record);
    int64_t timestamp = sluice_record_timestamp(record);
    switch (what) {
    case INSERT_TOPIC:
        return sluice_text(arena, sluice_record_topic(record));
    case INSERT_PARTITION:
        return partition == SLUICE_NO_PARTITION ? NULL : sluice_int32(arena, partition);
    case INSERT_OFFSET:
        return sluice_int64(arena, sluice_record_offset(record));
    case INSERT_TIMESTAMP:
        return timestamp == SLUICE_NO_TIMESTAMP ? NULL : sluice_int64(arena, timestamp);
    case INSERT_CONSTANT:
        return sluice_text(arena, self->config->constant_value);
    case INSERTIONS:
        break;
    }
    return NULL;
}

static bool is_replaced(const insert *self, const sluice_value *const *values,
                        const sluice_value *key)
{
    for (int i = 0; i < INSERTIONS; i++) {
        if (values[i] != NULL && sluice_value_is_text(key, self->names[i])) {
            return true;
        }
    }
    return false;
}

static const sluice_value *insert_into_map(const insert *self,
                                           const sluice_record *record,
                                           const sluice_value *map)
{
    const sluice_value *values[INSERTIONS];
    sluice_arena *arena = sluice_record_arena(record);
    size_t count = sluice_value_count(map);
    sluice_value *made = sluice_map_new(arena, count + INSERTIONS);
    for (int i = 0; i < INSERTIONS; i++) {
        values[i] =
            self->names[i] == NULL ? NULL : inserted(self, (insertion)i, record);
    }
    for (size_t i = 0; i < count; i++) {
        const sluice_value *key = sluice_map_key(map, i);
        if (!is_replaced(self, values, key)) {
            sluice_map_add(arena, made, key, sluice_value_at(map, i));
        }
    }
    for (int i = 0; i < INSERTIONS; i++) {
        if (values[i] != NULL) {
            sluice_map_add(arena, made, self->keys[i], values[i]);
        }
    }
    return made;
}

static sluice_status insert_schema(insert *self, const sluice_record *record,
                                   const sluice_schema *schema,
                                   const sluice_schema **ret_schema, sluice_error *err)
{
    *ret_schema = derived_find(&self->schemas, schema, 0);
    if (*ret_schema != NULL) {
        return SLUICE_OK;
    }
    sluice_schema_builder *builder =
        derived_begin(derived_arena(&self->schemas, record), schema);
    for (int i = 0; i < INSERTIONS; i++) {
        if (self->names[i] != NULL) {
            sluice_schema_builder_field(builder, self->names[i], self->types[i]);
        }
    }
    sluice_status status = derived_finish(builder, ret_schema, err);
    if (status == SLUICE_OK) {
        derived_keep(&self->schemas, schema, 0, *ret_schema);
    }
    return status;
}

static sluice_value *insert_into_struct(const insert *self, const sluice_record *record,
                                        const sluice_schema *schema,
                                        const sluice_value *row)
{
    sluice_value *made = sluice_struct_new(sluice_record_arena(record), schema);
    size_t count = sluice_value_count(row);
    for (size_t i = 0; i < count; i++) {
        sluice_struct_set(made, i, part_field(row, i, self->config->replaces_null));
    }
    for (int i = 0; i < INSERTIONS; i++) {
        if (self->names[i] != NULL) {
            sluice_struct_set(made, count++, inserted(self, (insertion)i, record));
        }
    }
    return made;
}

static sluice_status require_sink_record(const insert *self,
                                         const sluice_record *record, sluice_error *err)
{
    if (self->names[INSERT_OFFSET] == NULL ||
        sluice_record_offset(record) != SLUICE_NO_OFFSET) {
        return SLUICE_OK;
    }
    return sluice_fail(err, SLUICE_BAD_RECORD,
                       "Only SinkRecord supported for [%s], found: "
                       "org.apache.kafka.connect.source.SourceRecord",
                       PURPOSE);
}

static sluice_status insert_apply(void *instance, sluice_record *record, bool *ret_keep,
                                  sluice_error *err)
{
    insert *self = instance;
    const sluice_schema *schema = part_schema(record, self->which);
    const sluice_value *value = part_value(record, self->which);
    if (value == NULL) {
        return SLUICE_OK;
    }
    sluice_status status =
        schema == NULL ? part_require_map(value, false, PURPOSE, err)
                       : part_require_struct(schema, value, false, PURPOSE, err);
    if (status == SLUICE_OK) {
        status = require_sink_record(self, record, err);
    }
    if (status != SLUICE_OK) {
        return status;
    }
    if (schema == NULL) {
        part_set(record, self->which, NULL, insert_into_map(self, record, value));
        return SLUICE_OK;
    }
    const sluice_schema *made;
    status = insert_schema(self, record, sluice_struct_schema(value), &made, err);
    if (status == SLUICE_OK) {
        part_set(record, self->which, made,
                 insert_into_struct(self, record, made, value));
    }
    return status;
}

/* --- The features. --- */

static sluice_status insert_check(const void *parsed, sluice_error *err)
{
    const insert_config *config = parsed;
    if (config->topic == NULL && config->partition == NULL && config->offset == NULL &&
        config->timestamp == NULL && config->constant == NULL) {
        return sluice_fail(err, SLUICE_BAD_CONFIG, "No field insertion configured");
    }
    if (config->constant != NULL && config->constant_value == NULL) {
        return sluice_fail_key(err, "static.value",
                               "Invalid value null for configuration static.value: No "
                               "value specified for static field: %s",
                               config->constant);
    }
    return SLUICE_OK;
}

#define SUFFIX                                                                         \
    " Suffix with `!` to make this a required field, or `?` to keep it optional (the " \
    "default)."

#define FIELD(key, text, member)                                                       \
    {                                                                                  \
        .name = key, .fallback = SLUICE_NULL, .doc = text SUFFIX,                      \
        .type = SLUICE_STRING, .importance = SLUICE_MEDIUM,                            \
        .offset = SLUICE_AT(const char *, insert_config, member)                       \
    }

static const sluice_key KEYS[] = {
    FIELD("topic.field", "Field name for Kafka topic.", topic),
    FIELD("partition.field", "Field name for Kafka partition.", partition),
    FIELD("offset.field",
          "Field name for Kafka offset - only applicable to sink connectors.", offset),
    FIELD("timestamp.field", "Field name for record timestamp.", timestamp),
    FIELD("static.field", "Field name for static data field.", constant),
    {.name = "static.value",
     .fallback = SLUICE_NULL,
     .doc = "Static field value, if field name configured.",
     .type = SLUICE_STRING,
     .importance = SLUICE_MEDIUM,
     .offset = SLUICE_AT(const char *, insert_config, constant_value)},
    {.name = "replace.null.with.default",
     .fallback = "true",
     .doc = "Whether to replace fields that have a default value and that are null to "
            "the default value. When set to true, the default value is used, otherwise "
            "null is used.",
     .type = SLUICE_BOOL,
     .importance = SLUICE_MEDIUM,
     .offset = SLUICE_AT(bool, insert_config, replaces_null)},
    {.name = NULL},
};

static const sluice_config CONFIG = {.size = sizeof(sluice_config),
                                     .key_size = sizeof(sluice_key),
                                     .struct_size = sizeof(insert_config),
                                     .keys = KEYS,
                                     .check = insert_check};

static const sluice_transform_ops KEY_OPS = {.size = sizeof(sluice_transform_ops),
                                             .create = insert_create_key,
                                             .destroy = insert_destroy,
                                             .apply = insert_apply};

static const sluice_transform_ops VALUE_OPS = {.size = sizeof(sluice_transform_ops),
                                               .create = insert_create_value,
                                               .destroy = insert_destroy,
                                               .apply = insert_apply};

static const char *const KEY_ALIASES[] = {
    "org.apache.kafka.connect.transforms.InsertField$Key", "InsertField$Key", NULL};
static const char *const VALUE_ALIASES[] = {
    "org.apache.kafka.connect.transforms.InsertField$Value", "InsertField$Value", NULL};

#define DOC                                                                            \
    "Adds topic, partition, offset, timestamp or a constant as fields, as they are "   \
    "at "                                                                              \
    "that place in the chain of transformations. A null stays null. In a map, a "      \
    "field "                                                                           \
    "of the same name is written over; in a struct it is an error."

const sluice_feature insert_field_key = {.size = sizeof(sluice_feature),
                                         .kind = SLUICE_TRANSFORM,
                                         .name = "insert-field-key",
                                         .summary = "Adds fields to the key.",
                                         .doc = DOC,
                                         .aliases = KEY_ALIASES,
                                         .stands_for = "4.1.0",
                                         .config = &CONFIG,
                                         .ops.transform = &KEY_OPS};

const sluice_feature insert_field_value = {.size = sizeof(sluice_feature),
                                           .kind = SLUICE_TRANSFORM,
                                           .name = "insert-field-value",
                                           .summary = "Adds fields to the value.",
                                           .doc = DOC,
                                           .aliases = VALUE_ALIASES,
                                           .stands_for = "4.1.0",
                                           .config = &CONFIG,
                                           .ops.transform = &VALUE_OPS};
