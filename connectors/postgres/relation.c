/* connectors/postgres/relation.c - the tables of the stream, version by version. */
#include "relation.h"
#include "names.h"

#include <sluice/log.h>
#include <stdlib.h>
#include <string.h>

/* An open hash table by oid, at most half full. */
struct relations {
    const postgres_config *config;
    const filter *filter;
    const sluice_schema *source_schema, *block_schema;
    size_t size, used; /* `size` is a power of two. */
    pg_relation **slots;
    pg_relation *replaced;
};

relations *relations_new(const postgres_config *config, const filter *captured,
                         const sluice_schema *source_schema,
                         const sluice_schema *block_schema)
{
    relations *self = calloc(1, sizeof *self);
    if (self == NULL || (self->slots = calloc(64, sizeof *self->slots)) == NULL) {
        abort();
    }
    self->config = config;
    self->filter = captured;
    self->source_schema = source_schema;
    self->block_schema = block_schema;
    self->size = 64;
    return self;
}

void relations_forget(relations *self)
{
    while (self->replaced != NULL) {
        pg_relation *next = self->replaced->next;
        sluice_arena_free(self->replaced->arena);
        self->replaced = next;
    }
}

void relations_free(relations *self)
{
    if (self == NULL) {
        return;
    }
    relations_forget(self);
    for (size_t i = 0; i < self->size; i++) {
        if (self->slots[i] != NULL) {
            sluice_arena_free(self->slots[i]->arena);
        }
    }
    free(self->slots);
    free(self);
}

static pg_relation **slot_of(pg_relation **slots, size_t size, uint32_t oid)
{
    size_t at = oid * UINT32_C(2654435761) & (size - 1);
    while (slots[at] != NULL && slots[at]->oid != oid) {
        at = (at + 1) & (size - 1);
    }
    return &slots[at];
}

pg_relation *relations_find(const relations *self, uint32_t oid)
{
    return *slot_of(self->slots, self->size, oid);
}

static void grow(relations *self)
{
    pg_relation **slots = calloc(self->size * 2, sizeof *slots);
    if (slots == NULL) {
        abort();
    }
    for (size_t i = 0; i < self->size; i++) {
        if (self->slots[i] != NULL) {
            *slot_of(slots, self->size * 2, self->slots[i]->oid) = self->slots[i];
        }
    }
    free(self->slots);
    self->slots = slots;
    self->size *= 2;
}

static void put(relations *self, pg_relation *made)
{
    pg_relation **slot = slot_of(self->slots, self->size, made->oid);
    if (*slot != NULL) {
        (*slot)->next = self->replaced;
        self->replaced = *slot;
        *slot = made;
        return;
    }
    *slot = made;
    if (++self->used > self->size / 2) {
        grow(self);
    }
}

/* --- Making a version. --- */

static pg_relation *start(uint32_t oid, const char *schema, const char *name,
                          char identity, int count)
{
    sluice_arena *arena = sluice_arena_new();
    pg_relation *made = sluice_arena_take(arena, sizeof *made);
    *made = (pg_relation){.oid = oid,
                          .arena = arena,
                          .schema = sluice_arena_copy(arena, schema, strlen(schema)),
                          .name = sluice_arena_copy(arena, name, strlen(name)),
                          .identity = identity,
                          .count = count};
    size_t size = (size_t)count * sizeof *made->columns;
    made->columns = sluice_arena_take(arena, size);
    memset(made->columns, 0, size);
    return made;
}

static const char *copy_text(sluice_arena *arena, const char *text)
{
    return text == NULL ? NULL : sluice_arena_copy(arena, text, strlen(text));
}

static const column_facts *facts_of(const table_facts *table, const char *name)
{
    for (int i = 0; i < table->count; i++) {
        if (strcmp(table->columns[i].name, name) == 0) {
            return &table->columns[i];
        }
    }
    return NULL;
}

/* Gives the columns that message.key.columns names their places in the key. False: it
 * names none of this table. */
static bool choose_key(const relations *self, pg_relation *made)
{
    int *ranks =
        sluice_arena_take(made->arena, (size_t)made->count * sizeof *ranks + 1);
    bool chosen = false;
    for (int i = 0; i < made->count; i++) {
        ranks[i] =
            filter_key(self->filter, made->schema, made->name, made->columns[i].name);
        chosen |= ranks[i] >= 0;
    }
    for (int i = 0; chosen && i < made->count; i++) {
        int before = 0;
        for (int j = 0; j < made->count; j++) {
            before += ranks[j] >= 0 &&
                      (ranks[j] < ranks[i] || (ranks[j] == ranks[i] && j < i));
        }
        made->columns[i].key_position = ranks[i] < 0 ? -1 : before;
    }
    return chosen;
}

/* The stream flags the columns of the key as it was, the catalog knows it as it is now:
 * where they differ, the key has been altered since. */
static void keep_key(pg_relation *made)
{
    bool flagged = false, same = true;
    for (int i = 0; i < made->count; i++) {
        const pg_column *column = &made->columns[i];
        flagged |= column->identity;
        same &= column->identity == (column->key_position >= 0);
    }
    if (!flagged || same || (made->identity != 'd' && made->identity != 'i')) {
        return;
    }
    int position = 0;
    for (int i = 0; i < made->count; i++) {
        pg_column *column = &made->columns[i];
        column->key_position = column->identity ? position++ : -1;
    }
}

/* What was seen of an array goes on to be so. */
static void keep_dimensions(const pg_relation *before, pg_column *column)
{
    for (int i = 0; before != NULL && before->captured && i < before->count; i++) {
        const pg_column *old = &before->columns[i];
        if (old->declared_type == column->type &&
            old->dimensions > column->dimensions &&
            strcmp(old->name, column->name) == 0) {
            column->dimensions = old->dimensions;
        }
    }
}

/* Completes the columns, whose name, type, typmod and identity are set. */
static void add_facts(const relations *self, pg_relation *made,
                      const table_facts *table)
{
    for (int i = 0; i < made->count; i++) {
        pg_column *column = &made->columns[i];
        const column_facts *facts = facts_of(table, column->name);
        column->config = self->config;
        column->optional = facts == NULL || !facts->not_null;
        column->dimensions = facts == NULL ? 1 : facts->dimensions; /* As of now. */
        keep_dimensions(relations_find(self, made->oid), column);
        column->initial = facts == NULL ? NULL : copy_text(made->arena, facts->initial);
        column->key_position = facts == NULL ? -1 : facts->key_position;
        column->in_value =
            filter_column(self->filter, made->schema, made->name, column->name);
    }
    if (!choose_key(self, made)) {
        keep_key(made);
    }
}

static char *topic_of(const relations *self, const pg_relation *made)
{
    const char *delimiter = self->config->topic_delimiter;
    char *topic =
        sluice_arena_print(made->arena, NULL, "%s%s%s%s%s", self->config->topic_prefix,
                           delimiter, made->schema, delimiter, made->name);
    for (char *at = topic; *at != '\0'; at++) {
        bool legal = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ||
                     (*at >= '0' && *at <= '9') || strchr("._-", *at) != NULL;
        *at = legal ? *at : '_';
    }
    return topic;
}

static const sluice_schema *finish(sluice_schema_builder *builder,
                                   sluice_status *io_status, sluice_error *err)
{
    const sluice_schema *schema = NULL;
    if (*io_status == SLUICE_OK) {
        *io_status = sluice_schema_builder_finish(builder, &schema, err);
    }
    return schema;
}

static sluice_schema_builder *named(const relations *self, const pg_relation *made,
                                    const char *suffix)
{
    sluice_schema_builder *builder =
        sluice_schema_builder_new(made->arena, SLUICE_TYPE_STRUCT);
    const char *name =
        sluice_arena_print(made->arena, NULL, "%s.%s", made->topic, suffix);
    adjustment_mode mode = (adjustment_mode)self->config->schema_adjustment;
    sluice_schema_builder_name(builder, name_adjust(mode, true, name, made->arena));
    return builder;
}

static void add_field(const relations *self, sluice_schema_builder *builder,
                      const pg_column *column, const sluice_schema *schema,
                      sluice_arena *arena)
{
    adjustment_mode mode = (adjustment_mode)self->config->field_adjustment;
    sluice_schema_builder_field(builder, name_adjust(mode, false, column->name, arena),
                                schema);
}

/* The key's fields, in the order of the key. */
static sluice_status build_key(const relations *self, pg_relation *made,
                               sluice_error *err)
{
    sluice_schema_builder *builder = named(self, made, "Key");
    int fields = 0;
    for (int position = 0; position < made->count; position++) {
        for (int i = 0; i < made->count; i++) {
            pg_column *column = &made->columns[i];
            if (column->key_position == position && column->convert != NULL) {
                add_field(self, builder, column, column->key_schema, made->arena);
                column->key_field = fields++;
            }
        }
    }
    sluice_status status = SLUICE_OK;
    made->key_size = (size_t)fields;
    made->key_schema = fields > 0 ? finish(builder, &status, err) : NULL;
    return status;
}

static sluice_status build_value(const relations *self, pg_relation *made,
                                 sluice_error *err)
{
    sluice_schema_builder *builder = named(self, made, "Value");
    sluice_schema_builder_optional(builder);
    int fields = 0;
    for (int i = 0; i < made->count; i++) {
        pg_column *column = &made->columns[i];
        if (column->in_value && column->convert != NULL) {
            add_field(self, builder, column, column->schema, made->arena);
            column->field = fields++;
        }
    }
    sluice_status status = SLUICE_OK;
    made->value_schema = finish(builder, &status, err);
    return status;
}

/* The order of the fields is Debezium's: it decides Avro's fingerprint. */
static sluice_status build_envelope(const relations *self, pg_relation *made,
                                    sluice_error *err)
{
    sluice_schema_builder *builder = named(self, made, "Envelope");
    const sluice_schema *time = sluice_schema_of(SLUICE_TYPE_INT64, true);
    sluice_schema_builder_version(builder, 2);
    sluice_schema_builder_field(builder, "before", made->value_schema);
    sluice_schema_builder_field(builder, "after", made->value_schema);
    sluice_schema_builder_field(builder, "source", self->source_schema);
    sluice_schema_builder_field(builder, "transaction", self->block_schema);
    sluice_schema_builder_field(builder, "op",
                                sluice_schema_of(SLUICE_TYPE_STRING, false));
    sluice_schema_builder_field(builder, "ts_ms", time);
    sluice_schema_builder_field(builder, "ts_us", time);
    sluice_schema_builder_field(builder, "ts_ns", time);
    sluice_status status = SLUICE_OK;
    made->envelope_schema = finish(builder, &status, err);
    return status;
}

/* What is to hide the column's values, and what its schema is to tell. */
static void add_rules(const relations *self, const pg_relation *made, pg_column *column,
                      const type_source *types)
{
    const type_facts *facts = types->find(types->context, column->type);
    const char *type = facts == NULL ? "" : facts->name;
    column->mask = filter_mask(self->filter, made->schema, made->name, column->name);
    if (column->source_type == NULL &&
        filter_tells_type(self->filter, made->schema, made->name, column->name, type)) {
        column->source_type = type;
    }
}

/* Masks leave values of other types as they are, as Debezium's do; nobody must find
 * that out later. */
static void tell_unmasked(const pg_relation *made, const char *columns)
{
    if (columns[0] != '\0') {
        sluice_log(SLUICE_WARN, "connectors.postgres",
                   "columns of table '%s.%s' are not masked, because they are of other "
                   "types than text, varchar, char, name and enums: %s; leave them out "
                   "with column.exclude.list, or use the MaskField transform",
                   made->schema, made->name, columns);
    }
}

/* Describes the columns and builds the schemas. */
static sluice_status complete(const relations *self, pg_relation *made,
                              const type_source *types, sluice_error *err)
{
    const char *unmasked = "";
    for (int i = 0; i < made->count; i++) {
        pg_column *column = &made->columns[i];
        column->field = column->key_field = -1;
        column->convert = NULL;
        add_rules(self, made, column, types);
        const mask *wanted = column->mask;
        if (!column_describe(column, types, column->initial, made->arena)) {
            column->convert = NULL;
        } else if (column->in_value && wanted != NULL && column->mask == NULL &&
                   !mask_only_cuts(wanted)) {
            unmasked =
                sluice_arena_print(made->arena, NULL, "%s%s'%s'", unmasked,
                                   unmasked[0] == '\0' ? "" : ", ", column->name);
        }
    }
    tell_unmasked(made, unmasked);
    made->captured = true;
    made->topic = topic_of(self, made);
    made->schema_value = sluice_text(made->arena, made->schema);
    made->name_value = sluice_text(made->arena, made->name);
    sluice_status status = build_value(self, made, err);
    if (status == SLUICE_OK) {
        status = build_key(self, made, err);
    }
    if (status == SLUICE_OK) {
        status = build_envelope(self, made, err);
    }
    if (status != SLUICE_OK) {
        sluice_prefix(err, "table '%s.%s'", made->schema, made->name);
    }
    return status;
}

/* Asks the catalog about what the stream does not say, and completes `made`. */
static sluice_status describe(const relations *self, pg_relation *made,
                              connection *from, const table_facts *table,
                              sluice_error *err)
{
    uint32_t *oids =
        sluice_arena_take(made->arena, (size_t)made->count * sizeof *oids + 1);
    size_t count = 0;
    for (int i = 0; i < made->count; i++) {
        oids[count++] = made->columns[i].type;
    }
    type_list *types = sluice_arena_take(made->arena, sizeof *types);
    sluice_status status = catalog_types(from, oids, count, made->arena, types, err);
    if (status != SLUICE_OK) {
        return status;
    }
    add_facts(self, made, table);
    made->types = (type_source){type_list_find, types};
    return complete(self, made, &made->types, err);
}

static bool same_column(const pg_column *one, const pg_column *other)
{
    return strcmp(one->name, other->name) == 0 && one->type == other->type &&
           one->typmod == other->typmod && one->dimensions == other->dimensions &&
           one->identity == other->identity && one->field == other->field &&
           one->key_field == other->key_field;
}

static bool same(const pg_relation *one, const pg_relation *other)
{
    if (one->captured != other->captured || one->count != other->count ||
        one->identity != other->identity || strcmp(one->schema, other->schema) != 0 ||
        strcmp(one->name, other->name) != 0) {
        return false;
    }
    for (int i = 0; one->captured && i < one->count; i++) {
        if (!same_column(&one->columns[i], &other->columns[i])) {
            return false;
        }
    }
    return !one->captured ||
           (sluice_schema_equal(one->envelope_schema, other->envelope_schema) &&
            sluice_schema_equal(one->key_schema, other->key_schema));
}

/* Puts `made` in, unless the version that is there says the same. */
static pg_relation *put_if_new(relations *self, pg_relation *made)
{
    pg_relation *old = relations_find(self, made->oid);
    if (old != NULL && same(old, made)) {
        sluice_arena_free(made->arena);
        return old;
    }
    put(self, made);
    return made;
}

sluice_status relations_take(relations *self, connection *from,
                             const pg_message *message, sluice_error *err)
{
    pg_relation *made =
        start(message->relation, message->as.relation.schema, message->as.relation.name,
              message->as.relation.identity, message->as.relation.count);
    for (int i = 0; i < made->count; i++) {
        const relation_column *told = &message->as.relation.columns[i];
        made->columns[i].name =
            sluice_arena_copy(made->arena, told->name, strlen(told->name));
        made->columns[i].type = told->type;
        made->columns[i].typmod = told->typmod;
        made->columns[i].identity = told->identity;
    }
    sluice_status status = SLUICE_OK;
    if (filter_table(self->filter, made->schema, made->name)) {
        table_facts table;
        status = connection_open(from, err);
        if (status == SLUICE_OK) {
            status = catalog_table(from, made->oid, made->arena, &table, err);
        }
        if (status == SLUICE_OK) {
            status = describe(self, made, from, &table, err);
        }
    }
    if (status != SLUICE_OK) {
        sluice_arena_free(made->arena);
        return status;
    }
    put_if_new(self, made);
    return SLUICE_OK;
}

static bool is_published(const published_table *table, const column_facts *column)
{
    if (column->generated && !table->has_generated) {
        return false;
    }
    for (int i = 0; i < table->column_count; i++) {
        if (strcmp(table->columns[i], column->name) == 0) {
            return true;
        }
    }
    return table->column_count == 0;
}

/* Whether the stream will flag the column as part of the identity. */
static bool in_identity(const table_facts *table, const column_facts *column)
{
    return table->identity == 'f' ||
           (table->identity != 'n' && column->key_position >= 0);
}

sluice_status relations_take_table(relations *self, connection *from,
                                   const published_table *table,
                                   pg_relation **ret_relation, sluice_error *err)
{
    sluice_arena *scratch = sluice_arena_new();
    table_facts facts;
    sluice_status status = catalog_table(from, table->oid, scratch, &facts, err);
    if (status != SLUICE_OK) {
        sluice_arena_free(scratch);
        return status;
    }
    pg_relation *made =
        start(table->oid, table->schema, table->name, facts.identity, facts.count);
    made->count = 0;
    for (int i = 0; i < facts.count; i++) {
        const column_facts *told = &facts.columns[i];
        if (is_published(table, told)) {
            made->columns[made->count++] = (pg_column){
                .name = sluice_arena_copy(made->arena, told->name, strlen(told->name)),
                .type = told->type,
                .typmod = told->typmod,
                .identity = in_identity(&facts, told),
            };
        }
    }
    status = describe(self, made, from, &facts, err);
    sluice_arena_free(scratch);
    if (status != SLUICE_OK) {
        sluice_arena_free(made->arena);
        return status;
    }
    *ret_relation = put_if_new(self, made);
    return SLUICE_OK;
}

static void copy_types(const pg_relation *from, pg_relation *to)
{
    const type_list *old = from->types.context;
    type_facts *facts = sluice_arena_take(to->arena, old->count * sizeof *facts);
    for (size_t i = 0; i < old->count; i++) {
        facts[i] = old->facts[i];
        facts[i].name = copy_text(to->arena, facts[i].name);
        facts[i].labels = copy_text(to->arena, facts[i].labels);
    }
    type_list *types = sluice_arena_take(to->arena, sizeof *types);
    *types = (type_list){old->count, facts};
    to->types = (type_source){type_list_find, types};
}

sluice_status relations_adapt(relations *self, const pg_relation *old,
                              const row_misfit *misfit, sluice_error *err)
{
    pg_relation *made =
        start(old->oid, old->schema, old->name, old->identity, old->count);
    for (int i = 0; i < old->count; i++) {
        const pg_column *from = &old->columns[i];
        pg_column *to = &made->columns[i];
        bool concerns = i == misfit->column, grows = misfit->dimensions > 0;
        *to = (pg_column){.config = from->config,
                          .type = from->declared_type,
                          .typmod = from->declared_typmod,
                          .dimensions =
                              concerns && grows ? misfit->dimensions : from->dimensions,
                          .optional = from->optional || (concerns && !grows),
                          .identity = from->identity,
                          .in_value = from->in_value,
                          .key_position = from->key_position};
        to->name = sluice_arena_copy(made->arena, from->name, strlen(from->name));
        to->source_type = copy_text(made->arena, from->source_type);
        to->initial =
            from->initial == NULL
                ? NULL
                : sluice_arena_copy(made->arena, from->initial, strlen(from->initial));
    }
    copy_types(old, made);
    sluice_status status = complete(self, made, &made->types, err);
    if (status != SLUICE_OK) {
        sluice_arena_free(made->arena);
        return status;
    }
    put(self, made);
    return SLUICE_OK;
}
