/* transforms/basic/extract_new_record_state.c - Debezium's change events, unwrapped:
 * the row after the change takes the place of the event around it.
 *
 * What becomes of a deletion, which has no row afterwards, and of the tombstone that
 * follows it, is configured. */
#include "basic.h"
#include "derived.h"
#include "part.h"
#include "reference.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char DELETED[] = "__deleted";

typedef struct unwrap_config {
    const char *mode;            /* delete.tombstone.handling.mode */
    const char *drop_tombstones; /* Until Debezium 2.7. */
    const char *deletes;         /* The same. */
    const char *route_field;
    sluice_list fields, headers;
    const char *fields_prefix, *headers_prefix;
    const char *drop_header;
    bool drops_from_key, keeps_compatible, replaces_null;
} unwrap_config;

typedef enum deletion {
    DELETE_DROP,         /* No record. */
    DELETE_NULL,         /* A null value of the row's schema. */
    DELETE_TO_TOMBSTONE, /* A null value without a schema. */
    DELETE_REWRITE,      /* The row before, marked as deleted. */
} deletion;

typedef struct unwrap {
    const unwrap_config *config;
    deletion deletion;
    bool keeps_tombstones;
    reference *fields, *headers;
    derived events; /* Schema of an event -> event_shape. */
    derived rows;   /* Schema of a row -> what it becomes. */
    sluice_arena *arena;
    const sluice_value *is_deleted, *is_not_deleted;
} unwrap;

/* Where things are in events of one schema. */
typedef struct event_shape {
    uint64_t id;
    int before, after;
    bound_reference *fields, *headers;
} event_shape;

/* --- Begin and end. --- */

static const struct {
    const char *name;
    deletion deletion;
    bool keeps_tombstones;
} MODES[] = {{"drop", DELETE_DROP, false},
             {"tombstone", DELETE_NULL, false},
             {"rewrite", DELETE_REWRITE, false},
             {"rewrite-with-tombstone", DELETE_REWRITE, true},
             {"delete-to-tombstone", DELETE_TO_TOMBSTONE, false}};

static const struct {
    const char *name;
    deletion deletion;
} OLD_MODES[] = {
    {"drop", DELETE_DROP}, {"rewrite", DELETE_REWRITE}, {"none", DELETE_NULL}};

static bool is_set(const char *text)
{
    return text != NULL && text[0] != '\0';
}

/* What `config` asks for; whether its names are known ones. */
static bool find_mode(const unwrap_config *config, deletion *ret_deletion,
                      bool *ret_keeps_tombstones)
{
    bool is_old = is_set(config->drop_tombstones) || is_set(config->deletes);
    if (is_set(config->mode) || !is_old) {
        const char *name = is_set(config->mode) ? config->mode : "tombstone";
        for (size_t i = 0; i < sizeof MODES / sizeof *MODES; i++) {
            if (strcasecmp(name, MODES[i].name) == 0) {
                *ret_deletion = MODES[i].deletion;
                *ret_keeps_tombstones = MODES[i].keeps_tombstones;
                return true;
            }
        }
        return false;
    }
    *ret_keeps_tombstones = is_set(config->drop_tombstones) &&
                            strcasecmp(config->drop_tombstones, "false") == 0;
    const char *name = is_set(config->deletes) ? config->deletes : "drop";
    for (size_t i = 0; i < sizeof OLD_MODES / sizeof *OLD_MODES; i++) {
        if (strcasecmp(name, OLD_MODES[i].name) == 0) {
            *ret_deletion = OLD_MODES[i].deletion;
            return true;
        }
    }
    return false;
}

static void unwrap_destroy(void *instance)
{
    unwrap *self = instance;
    if (self != NULL) {
        derived_done(&self->events);
        derived_done(&self->rows);
        sluice_arena_free(self->arena);
        free(self);
    }
}

static sluice_status unwrap_create(const void *config, void **ret_self,
                                   sluice_error *err)
{
    unwrap *self = calloc(1, sizeof *self);
    if (self == NULL) {
        return sluice_fail(err, SLUICE_FATAL, "memory is out");
    }
    const unwrap_config *own = self->config = config;
    find_mode(own, &self->deletion, &self->keeps_tombstones);
    self->arena = sluice_arena_new();
    derived_init(&self->events);
    derived_init(&self->rows);
    self->is_deleted = sluice_text(self->arena, "true");
    self->is_not_deleted = sluice_text(self->arena, "false");
    sluice_status status = references_parse(self->arena, &own->fields,
                                            own->fields_prefix, &self->fields, err);
    if (status == SLUICE_OK) {
        status = references_parse(self->arena, &own->headers, own->headers_prefix,
                                  &self->headers, err);
    }
    if (status != SLUICE_OK) {
        unwrap_destroy(self);
        return status;
    }
    *ret_self = self;
    return SLUICE_OK;
}

/* --- Shapes of events. --- */

static sluice_status bind_all(const reference *references, size_t count,
                              const sluice_schema *schema, sluice_arena *arena,
                              bound_reference **ret_bound, sluice_error *err)
{
    sluice_status status = SLUICE_OK;
    *ret_bound = sluice_arena_take(arena, count * sizeof **ret_bound);
    for (size_t i = 0; i < count && status == SLUICE_OK; i++) {
        status = reference_bind(&references[i], schema, arena, &(*ret_bound)[i], err);
    }
    return status;
}

static sluice_status unwrap_shape(unwrap *self, const sluice_record *record,
                                  const sluice_schema *schema,
                                  const event_shape **ret_shape, sluice_error *err)
{
    *ret_shape = derived_find(&self->events, schema, 0);
    if (*ret_shape != NULL) {
        return SLUICE_OK;
    }
    sluice_arena *arena = derived_arena(&self->events, record);
    event_shape *shape = sluice_arena_take(arena, sizeof *shape);
    *shape = (event_shape){.id = sluice_schema_id(schema),
                           .before = sluice_schema_field_find(schema, "before"),
                           .after = sluice_schema_field_find(schema, "after")};
    if (shape->before < 0 || shape->after < 0) {
        return sluice_fail(err, SLUICE_BAD_RECORD, "Unknown field: %s",
                           shape->after < 0 ? "after" : "before");
    }
    sluice_status status = bind_all(self->fields, self->config->fields.count, schema,
                                    arena, &shape->fields, err);
    if (status == SLUICE_OK) {
        status = bind_all(self->headers, self->config->headers.count, schema, arena,
                          &shape->headers, err);
    }
    if (status == SLUICE_OK) {
        derived_keep(&self->events, schema, 0, shape);
        *ret_shape = shape;
    }
    return status;
}

/* --- Fields to leave out, named by a header. --- */

/* The list in the header, or NULL. */
static const sluice_value *dropped_names(const unwrap *self,
                                         const sluice_record *record)
{
    const sluice_headers *headers = sluice_record_headers_or_null(record);
    size_t count =
        is_set(self->config->drop_header) ? sluice_headers_count(headers) : 0;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(sluice_headers_name(headers, i), self->config->drop_header) == 0) {
            const sluice_value *names = sluice_headers_value(headers, i);
            bool is_list =
                names != NULL && sluice_value_type(names) == SLUICE_TYPE_ARRAY;
            return is_list && sluice_value_count(names) > 0 ? names : NULL;
        }
    }
    return NULL;
}

/* Whether field `index` of `schema` is to be left out. */
static bool is_dropped(const unwrap *self, const sluice_value *names,
                       const sluice_schema *schema, size_t index)
{
    size_t count = names == NULL ? 0 : sluice_value_count(names);
    const char *field = sluice_schema_field_name(schema, index);
    for (size_t i = 0; i < count; i++) {
        const sluice_value *name = sluice_value_at(names, i);
        if (name != NULL && sluice_value_is_text(name, field)) {
            return !self->config->keeps_compatible ||
                   sluice_schema_is_optional(sluice_schema_field_schema(schema, index));
        }
    }
    return false;
}

/* Tells lists of names apart. */
static uint64_t names_hash(const sluice_value *names)
{
    uint64_t hash = 14695981039346656037u; /* FNV-1a */
    size_t count = names == NULL ? 0 : sluice_value_count(names);
    for (size_t i = 0; i < count; i++) {
        const sluice_value *name = sluice_value_at(names, i);
        bool is_text = name != NULL && sluice_value_type(name) == SLUICE_TYPE_STRING;
        sluice_bytes bytes = is_text ? sluice_value_bytes(name) : (sluice_bytes){"", 0};
        const unsigned char *at = bytes.base;
        for (size_t j = 0; j < bytes.len; j++) {
            hash = (hash ^ at[j]) * 1099511628211u;
        }
        hash = (hash ^ 0xff) * 1099511628211u; /* No byte of UTF-8. */
    }
    return hash;
}

/* --- Rows. --- */

/* What a row is made into. `shape` NULL: only fields are left out, as of a key. */
typedef struct row_maker {
    unwrap *self;
    const sluice_record *record;
    const event_shape *shape;
    const sluice_value *event, *names, *deleted;
    bool replaces_null;
} row_maker;

static sluice_status row_schema(const row_maker *maker, const sluice_schema *schema,
                                const sluice_schema **ret_schema, sluice_error *err)
{
    unwrap *self = maker->self;
    uint64_t detail = maker->shape == NULL ? 0 : maker->shape->id;
    detail = detail * 2 + (maker->deleted != NULL);
    detail ^= maker->names == NULL ? 0 : names_hash(maker->names);
    *ret_schema = derived_find(&self->rows, schema, detail);
    if (*ret_schema != NULL) {
        return SLUICE_OK;
    }
    sluice_schema_builder *builder =
        derived_begin_empty(derived_arena(&self->rows, maker->record), schema);
    size_t count = sluice_schema_field_count(schema);
    for (size_t i = 0; i < count; i++) {
        if (!is_dropped(self, maker->names, schema, i)) {
            sluice_schema_builder_field(builder, sluice_schema_field_name(schema, i),
                                        sluice_schema_field_schema(schema, i));
        }
    }
    if (maker->deleted != NULL) {
        sluice_schema_builder_field(builder, DELETED,
                                    sluice_schema_of(SLUICE_TYPE_STRING, true));
    }
    count = maker->shape == NULL ? 0 : self->config->fields.count;
    for (size_t i = 0; i < count; i++) {
        if (maker->shape->fields[i].schema != NULL) {
            sluice_schema_builder_field(builder, self->fields[i].name,
                                        maker->shape->fields[i].schema);
        }
    }
    sluice_status status = derived_finish(builder, ret_schema, err);
    if (status == SLUICE_OK) {
        derived_keep(&self->rows, schema, detail, *ret_schema);
    }
    return status;
}

static sluice_status make_row(const row_maker *maker, const sluice_value *row,
                              const sluice_schema **ret_schema,
                              const sluice_value **ret_row, sluice_error *err)
{
    const unwrap *self = maker->self;
    const sluice_schema *schema = sluice_struct_schema(row);
    sluice_status status = row_schema(maker, schema, ret_schema, err);
    if (status != SLUICE_OK) {
        return status;
    }
    sluice_value *made =
        sluice_struct_new(sluice_record_arena(maker->record), *ret_schema);
    size_t count = sluice_value_count(row), used = 0;
    for (size_t i = 0; i < count; i++) {
        if (maker->names == NULL || !is_dropped(self, maker->names, schema, i)) {
            sluice_struct_set(made, used++, part_field(row, i, maker->replaces_null));
        }
    }
    if (maker->deleted != NULL) {
        sluice_struct_set(made, used++, maker->deleted);
    }
    count = maker->shape == NULL ? 0 : self->config->fields.count;
    for (size_t i = 0; i < count; i++) {
        const bound_reference *bound = &maker->shape->fields[i];
        if (bound->schema != NULL) {
            sluice_struct_set(made, used++, bound_reference_value(bound, maker->event));
        }
    }
    *ret_row = made;
    return SLUICE_OK;
}

/* --- Applying. --- */

static void add_headers(const unwrap *self, const event_shape *shape,
                        sluice_record *record, const sluice_value *event)
{
    for (size_t i = 0; i < self->config->headers.count; i++) {
        const bound_reference *bound = &shape->headers[i];
        if (bound->schema != NULL) {
            sluice_headers_add(sluice_record_headers(record), self->headers[i].name,
                               bound->schema, bound_reference_value(bound, event));
        }
    }
}

/* A tombstone: where it is kept, it gets the one header that is known of it. */
static void apply_to_tombstone(const unwrap *self, sluice_record *record,
                               bool *ret_keep)
{
    *ret_keep = self->keeps_tombstones;
    for (size_t i = 0; i < self->config->headers.count && *ret_keep; i++) {
        if (strcmp(self->headers[i].field, "op") == 0) {
            sluice_headers_add(sluice_record_headers(record), self->headers[i].name,
                               sluice_schema_of(SLUICE_TYPE_STRING, false),
                               sluice_text(sluice_record_arena(record), "d"));
        }
    }
}

static sluice_status route(const unwrap *self, sluice_record *record,
                           const sluice_value *row, sluice_error *err)
{
    const char *name = self->config->route_field;
    if (!is_set(name)) {
        return SLUICE_OK;
    }
    const sluice_schema *schema = sluice_struct_schema(row);
    int index = sluice_schema_field_find(schema, name);
    if (index < 0) {
        return sluice_fail(err, SLUICE_BAD_RECORD, "%s is not a valid field name",
                           name);
    }
    const sluice_schema *field = sluice_schema_field_schema(schema, (size_t)index);
    if (sluice_schema_type(field) != SLUICE_TYPE_STRING) {
        return sluice_fail(err, SLUICE_BAD_RECORD, "Field '%s' is not of type STRING",
                           name);
    }
    const sluice_value *value = part_field(row, (size_t)index, true);
    sluice_bytes text =
        value == NULL ? (sluice_bytes){"", 0} : sluice_value_bytes(value);
    const char *topic =
        sluice_arena_copy(sluice_record_arena(record), text.base, text.len);
    if (topic[strspn(topic, " \t\r\n")] != '\0') {
        sluice_record_set_topic(record, topic);
    }
    return SLUICE_OK;
}

/* Leaves the named fields out of the key. */
static sluice_status drop_from_key(unwrap *self, sluice_record *record,
                                   const sluice_value *names, sluice_error *err)
{
    const sluice_value *key = sluice_record_key(record);
    if (names == NULL || !self->config->drops_from_key || key == NULL ||
        sluice_record_key_schema(record) == NULL ||
        sluice_value_type(key) != SLUICE_TYPE_STRUCT) {
        return SLUICE_OK;
    }
    row_maker maker = {
        .self = self, .record = record, .names = names, .replaces_null = true};
    const sluice_schema *schema;
    sluice_status status = make_row(&maker, key, &schema, &key, err);
    if (status == SLUICE_OK) {
        sluice_record_set_key(record, schema, key);
    }
    return status;
}

static sluice_status unwrap_row(unwrap *self, sluice_record *record,
                                const event_shape *shape, const sluice_value *row,
                                const sluice_value *deleted, sluice_error *err)
{
    const sluice_value *names = dropped_names(self, record);
    row_maker maker = {.self = self,
                       .record = record,
                       .shape = shape,
                       .event = sluice_record_value(record),
                       .names = names,
                       .deleted = deleted,
                       .replaces_null = names != NULL || (deleted != NULL &&
                                                          self->config->replaces_null)};
    const sluice_schema *schema;
    sluice_status status = make_row(&maker, row, &schema, &row, err);
    if (status == SLUICE_OK) {
        status = drop_from_key(self, record, names, err);
    }
    if (status == SLUICE_OK) {
        sluice_record_set_value(record, schema, row);
    }
    return status;
}

static sluice_status apply_to_deletion(unwrap *self, sluice_record *record,
                                       const event_shape *shape,
                                       const sluice_value *before, bool *ret_keep,
                                       sluice_error *err)
{
    const sluice_schema *schema = sluice_record_value_schema(record);
    switch (self->deletion) {
    case DELETE_DROP:
        *ret_keep = false;
        return SLUICE_OK;
    case DELETE_REWRITE:
        return unwrap_row(self, record, shape, before, self->is_deleted, err);
    case DELETE_NULL:
        schema = sluice_schema_field_schema(schema, (size_t)shape->after);
        sluice_record_set_value(record, schema, NULL);
        break;
    case DELETE_TO_TOMBSTONE:
        sluice_record_set_value(record, NULL, NULL);
        break;
    }
    return drop_from_key(self, record, dropped_names(self, record), err);
}

static bool is_event(const sluice_record *record)
{
    static const char SUFFIX[] = ".Envelope";
    const sluice_schema *schema = sluice_record_value_schema(record);
    const char *name = schema == NULL ? NULL : sluice_schema_name(schema);
    size_t len = name == NULL ? 0 : strlen(name);
    return len >= sizeof SUFFIX - 1 &&
           strcmp(name + len - (sizeof SUFFIX - 1), SUFFIX) == 0 &&
           sluice_value_type(sluice_record_value(record)) == SLUICE_TYPE_STRUCT;
}

static sluice_status unwrap_apply(void *instance, sluice_record *record, bool *ret_keep,
                                  sluice_error *err)
{
    unwrap *self = instance;
    const sluice_value *event = sluice_record_value(record);
    if (event == NULL) {
        apply_to_tombstone(self, record, ret_keep);
        return SLUICE_OK;
    }
    if (!is_event(record)) {
        return SLUICE_OK;
    }
    const event_shape *shape;
    sluice_status status =
        unwrap_shape(self, record, sluice_struct_schema(event), &shape, err);
    if (status != SLUICE_OK) {
        return status;
    }
    const sluice_value *after = sluice_value_at(event, (size_t)shape->after);
    const sluice_value *before = sluice_value_at(event, (size_t)shape->before);
    const sluice_value *row = after != NULL ? after : before;
    if (row == NULL) {
        *ret_keep = false; /* A table was truncated. */
        return SLUICE_OK;
    }
    status = part_require_struct(NULL, row, false, "source field insertion", err);
    if (status == SLUICE_OK) {
        status = route(self, record, row, err);
    }
    if (status != SLUICE_OK) {
        return status;
    }
    add_headers(self, shape, record, event);
    if (after == NULL) {
        return apply_to_deletion(self, record, shape, before, ret_keep, err);
    }
    const sluice_value *deleted =
        self->deletion == DELETE_REWRITE ? self->is_not_deleted : NULL;
    return unwrap_row(self, record, shape, row, deleted, err);
}

/* --- The feature. --- */

static sluice_status unwrap_check(const void *parsed, sluice_error *err)
{
    const unwrap_config *config = parsed;
    deletion found;
    bool keeps_tombstones;
    if (find_mode(config, &found, &keeps_tombstones)) {
        return SLUICE_OK;
    }
    if (is_set(config->mode)) {
        return sluice_fail_key(err, "delete.tombstone.handling.mode",
                               "Invalid value %s for configuration "
                               "delete.tombstone.handling.mode: Value must be one of "
                               "drop, tombstone, rewrite, rewrite-with-tombstone, "
                               "delete-to-tombstone",
                               config->mode);
    }
    return sluice_fail_key(err, "delete.handling.mode",
                           "Invalid value %s for configuration delete.handling.mode: "
                           "Value must be one of drop, rewrite, none",
                           config->deletes);
}

static const char *const BOOLEANS[] = {"true", "false", NULL};

static const sluice_key KEYS[] = {
    {.name = "delete.tombstone.handling.mode",
     .fallback = SLUICE_NULL,
     .doc =
         "What becomes of a deletion and of the tombstone behind it. `drop`: nothing; "
         "`tombstone` (the default): the deletion becomes a null value, the tombstone "
         "is dropped; `rewrite`: the deletion becomes the row before it with "
         "`__deleted` \"true\", the tombstone is dropped; `rewrite-with-tombstone`: "
         "the same, the tombstone is kept; `delete-to-tombstone`: the deletion becomes "
         "a tombstone, the one behind it is dropped.",
     .type = SLUICE_STRING,
     .importance = SLUICE_MEDIUM,
     .offset = SLUICE_AT(const char *, unwrap_config, mode)},
    {.name = "drop.tombstones",
     .fallback = SLUICE_NULL,
     .doc = "Whether tombstones are dropped: `true`, if `delete.handling.mode` is set "
            "and this is not.",
     .instead = "delete.tombstone.handling.mode",
     .choices = BOOLEANS,
     .shown_type = "BOOLEAN",
     .type = SLUICE_STRING,
     .importance = SLUICE_LOW,
     .offset = SLUICE_AT(const char *, unwrap_config, drop_tombstones)},
    {.name = "delete.handling.mode",
     .fallback = SLUICE_NULL,
     .doc = "`drop`: deletions are dropped; `rewrite`: they become the row before with "
            "`__deleted` \"true\"; `none`: they become a null value.",
     .instead = "delete.tombstone.handling.mode",
     .type = SLUICE_STRING,
     .importance = SLUICE_LOW,
     .offset = SLUICE_AT(const char *, unwrap_config, deletes)},
    {.name = "route.by.field",
     .fallback = "",
     .doc = "The field of the row whose value becomes the topic.",
     .type = SLUICE_STRING,
     .importance = SLUICE_LOW,
     .offset = SLUICE_AT(const char *, unwrap_config, route_field)},
    {.name = "add.fields",
     .fallback = "",
     .doc = "What of the event goes into the row: `op,table,lsn,source.ts_ms`. A name "
            "behind a colon is the new one: `op:operation`.",
     .type = SLUICE_LIST,
     .importance = SLUICE_LOW,
     .offset = SLUICE_AT(sluice_list, unwrap_config, fields)},
    {.name = "add.fields.prefix",
     .fallback = "__",
     .doc = "What stands before the names of these fields.",
     .type = SLUICE_STRING,
     .importance = SLUICE_LOW,
     .offset = SLUICE_AT(const char *, unwrap_config, fields_prefix)},
    {.name = "add.headers",
     .fallback = "",
     .doc = "What of the event goes into headers; as `add.fields`.",
     .type = SLUICE_LIST,
     .importance = SLUICE_LOW,
     .offset = SLUICE_AT(sluice_list, unwrap_config, headers)},
    {.name = "add.headers.prefix",
     .fallback = "__",
     .doc = "What stands before the names of these headers.",
     .type = SLUICE_STRING,
     .importance = SLUICE_LOW,
     .offset = SLUICE_AT(const char *, unwrap_config, headers_prefix)},
    {.name = "drop.fields.header.name",
     .fallback = SLUICE_NULL,
     .doc = "The header with a list of fields to leave out of the row.",
     .type = SLUICE_STRING,
     .importance = SLUICE_LOW,
     .offset = SLUICE_AT(const char *, unwrap_config, drop_header)},
    {.name = "drop.fields.from.key",
     .fallback = "false",
     .doc = "Whether these fields are left out of the key too.",
     .type = SLUICE_BOOL,
     .importance = SLUICE_LOW,
     .offset = SLUICE_AT(bool, unwrap_config, drops_from_key)},
    {.name = "drop.fields.keep.schema.compatible",
     .fallback = "true",
     .doc = "Whether only optional fields are left out.",
     .type = SLUICE_BOOL,
     .importance = SLUICE_LOW,
     .offset = SLUICE_AT(bool, unwrap_config, keeps_compatible)},
    {.name = "replace.null.with.default",
     .fallback = "true",
     .doc = "Whether null fields that have a default become the default where a row is "
            "rewritten.",
     .type = SLUICE_BOOL,
     .importance = SLUICE_LOW,
     .offset = SLUICE_AT(bool, unwrap_config, replaces_null)},
    {.name = NULL},
};

static const sluice_config CONFIG = {.size = sizeof(sluice_config),
                                     .key_size = sizeof(sluice_key),
                                     .struct_size = sizeof(unwrap_config),
                                     .keys = KEYS,
                                     .check = unwrap_check};

static const sluice_transform_ops OPS = {.size = sizeof(sluice_transform_ops),
                                         .create = unwrap_create,
                                         .destroy = unwrap_destroy,
                                         .apply = unwrap_apply};

static const char *const ALIASES[] = {"io.debezium.transforms.ExtractNewRecordState",
                                      "ExtractNewRecordState", NULL};

const sluice_feature extract_new_record_state = {
    .size = sizeof(sluice_feature),
    .kind = SLUICE_TRANSFORM,
    .name = "extract-new-record-state",
    .summary = "Change events unwrapped: the row after the change as the value.",
    .doc = "A change event of Debezium's form (its schema's name ends in `.Envelope`) "
           "becomes the row after the change. Records of other forms stay as they are; "
           "truncations are dropped.",
    .aliases = ALIASES,
    .stands_for = "3.3.1.Final",
    .config = &CONFIG,
    .ops.transform = &OPS};
