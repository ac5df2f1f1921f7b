/* connectors/postgres/metadata.c - BEGIN, END and logical messages as records. */
#include "metadata.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define COMMON "io.debezium.connector.common."
#define OWN    "io.debezium.connector.postgresql."

/* The name that logical messages are counted under; Debezium's is that of a Java object
 * in memory, another one each time. */
static const char message_collection[] = "message";

typedef struct table_count {
    char *name; /* "schema.table" */
    uint32_t oid;
    uint64_t count;
} table_count;

struct metadata {
    const postgres_config *config;
    const filter *filter;
    envelope *envelope;
    bool wants_messages;
    sluice_arena *constants;
    const char *transaction_topic, *message_topic;
    const sluice_schema *id_schema, *transaction_schema, *collection_schema;
    const sluice_schema *prefix_schema, *message_schema, *message_value_schema;
    const sluice_value *begin, *end, *op;
    pg_relation nowhere; /* The table of what is of no table. */
    size_t txid_field;

    uint32_t xid;
    uint64_t total;
    table_count *tables;
    size_t table_used, table_room;
};

/* --- Schemas. --- */

static sluice_schema_builder *named(sluice_arena *arena, const char *name)
{
    sluice_schema_builder *builder =
        sluice_schema_builder_new(arena, SLUICE_TYPE_STRUCT);
    sluice_schema_builder_name(builder, name);
    sluice_schema_builder_version(builder, 1);
    return builder;
}

static void field(sluice_schema_builder *builder, const char *name,
                  sluice_data_type type, bool optional)
{
    sluice_schema_builder_field(builder, name, sluice_schema_of(type, optional));
}

static const sluice_schema *finish(sluice_schema_builder *builder)
{
    const sluice_schema *schema = NULL;
    sluice_status status = sluice_schema_builder_finish(builder, &schema, NULL);
    assert(status == SLUICE_OK);
    (void)status;
    return schema;
}

static void make_transaction_schemas(metadata *self)
{
    sluice_arena *arena = self->constants;
    sluice_schema_builder *id = named(arena, COMMON "TransactionMetadataKey");
    field(id, "id", SLUICE_TYPE_STRING, false);
    self->id_schema = finish(id);

    sluice_schema_builder *collection = named(arena, "event.collection");
    sluice_schema_builder_optional(collection);
    field(collection, "data_collection", SLUICE_TYPE_STRING, false);
    field(collection, "event_count", SLUICE_TYPE_INT64, false);
    self->collection_schema = finish(collection);

    sluice_schema_builder *list = sluice_schema_builder_new(arena, SLUICE_TYPE_ARRAY);
    sluice_schema_builder_element(list, self->collection_schema);
    sluice_schema_builder_optional(list);
    sluice_schema_builder *value = named(arena, COMMON "TransactionMetadataValue");
    field(value, "status", SLUICE_TYPE_STRING, false);
    field(value, "id", SLUICE_TYPE_STRING, false);
    field(value, "event_count", SLUICE_TYPE_INT64, true);
    sluice_schema_builder_field(value, "data_collections", finish(list));
    field(value, "ts_ms", SLUICE_TYPE_INT64, false);
    self->transaction_schema = finish(value);
}

static void make_message_schemas(metadata *self)
{
    sluice_arena *arena = self->constants;
    bool as_text = self->config->binary_mode != BINARY_BYTES;
    sluice_schema_builder *prefix = named(arena, OWN "MessageKey");
    field(prefix, "prefix", SLUICE_TYPE_STRING, true);
    self->prefix_schema = finish(prefix);

    sluice_schema_builder *message = named(arena, OWN "Message");
    field(message, "prefix", SLUICE_TYPE_STRING, true);
    field(message, "content", as_text ? SLUICE_TYPE_STRING : SLUICE_TYPE_BYTES, true);
    self->message_schema = finish(message);

    sluice_schema_builder *value = named(arena, OWN "MessageValue");
    field(value, "op", SLUICE_TYPE_STRING, false);
    field(value, "ts_ms", SLUICE_TYPE_INT64, true);
    sluice_schema_builder_field(value, "source",
                                envelope_source_schema(self->envelope));
    sluice_schema_builder_field(value, "transaction",
                                envelope_block_schema(self->envelope));
    sluice_schema_builder_field(value, "message", self->message_schema);
    self->message_value_schema = finish(value);
}

metadata *metadata_new(const postgres_config *config, const filter *captured,
                       envelope *records)
{
    metadata *self = calloc(1, sizeof *self);
    if (self == NULL) {
        abort();
    }
    sluice_arena *arena = self->constants = sluice_arena_new();
    self->config = config;
    self->filter = captured;
    self->envelope = records;
    self->wants_messages = !config_skips(config, 'm');
    self->transaction_topic =
        sluice_arena_print(arena, NULL, "%s%s%s", config->topic_prefix,
                           config->topic_delimiter, config->topic_transaction);
    self->message_topic =
        sluice_arena_print(arena, NULL, "%s.message", config->topic_prefix);
    make_transaction_schemas(self);
    make_message_schemas(self);
    self->begin = sluice_text(arena, "BEGIN");
    self->end = sluice_text(arena, "END");
    self->op = sluice_text(arena, "m");
    self->nowhere.schema_value = self->nowhere.name_value = sluice_text(arena, "");
    int at = sluice_schema_field_find(envelope_source_schema(records), "txId");
    assert(at >= 0);
    self->txid_field = (size_t)at;
    return self;
}

void metadata_free(metadata *self)
{
    if (self != NULL) {
        for (size_t i = 0; i < self->table_room; i++) {
            free(self->tables[i].name);
        }
        free(self->tables);
        sluice_arena_free(self->constants);
        free(self);
    }
}

/* --- Transactions. --- */

void metadata_begin(metadata *self, uint32_t xid)
{
    self->xid = xid;
    self->total = 0;
    self->table_used = 0;
}

static const sluice_value *transaction_id(const metadata *self, lsn at)
{
    sluice_arena *arena = envelope_arena(self->envelope);
    size_t len;
    const char *text =
        sluice_arena_print(arena, &len, "%" PRIu32 ":%" PRIu64, self->xid, at);
    return sluice_string_borrowed(arena, text, len);
}

/* The record of a status, whose value gets more fields where it is the END. */
static sluice_value *status_value(metadata *self, const sluice_value *status,
                                  const sluice_value *id)
{
    sluice_value *value =
        sluice_struct_new(envelope_arena(self->envelope), self->transaction_schema);
    sluice_struct_set(value, 0, status);
    sluice_struct_set(value, 1, id);
    sluice_struct_set(value, 4, envelope_commit_ms(self->envelope));
    return value;
}

static sluice_record *add_status(metadata *self, const sluice_value *id,
                                 const sluice_value *value, const sluice_value *offset)
{
    sluice_value *key =
        sluice_struct_new(envelope_arena(self->envelope), self->id_schema);
    sluice_struct_set(key, 0, id);
    pg_other other = {.topic = self->transaction_topic,
                      .key_schema = self->id_schema,
                      .key = key,
                      .value_schema = self->transaction_schema,
                      .value = value,
                      .offset = offset};
    return envelope_add_other(self->envelope, &other);
}

void metadata_add_begin(metadata *self, lsn at, const sluice_value *offset)
{
    if (self->config->transaction_metadata) {
        const sluice_value *id = transaction_id(self, at);
        add_status(self, id, status_value(self, self->begin, id), offset);
    }
}

/* The counter of a table, whose name is "schema.table", or `schema` alone. */
static table_count *counter(metadata *self, uint32_t oid, const char *schema,
                            const char *table)
{
    for (size_t i = 0; i < self->table_used; i++) {
        if (self->tables[i].oid == oid) {
            return &self->tables[i];
        }
    }
    if (self->table_used == self->table_room) {
        size_t room = self->table_room * 2 + 8;
        self->tables = realloc(self->tables, room * sizeof *self->tables);
        if (self->tables == NULL) {
            abort();
        }
        memset(self->tables + self->table_room, 0,
               (room - self->table_room) * sizeof *self->tables);
        self->table_room = room;
    }
    table_count *made = &self->tables[self->table_used++];
    size_t size = strlen(schema) + strlen(table) + 2;
    free(made->name);
    made->name = malloc(size);
    if (made->name == NULL) {
        abort();
    }
    snprintf(made->name, size, "%s%s%s", schema, *table == '\0' ? "" : ".", table);
    made->oid = oid;
    made->count = 0;
    return made;
}

/* Counts a record of a table, and says the how-manieth it is. */
static const sluice_value *block(metadata *self, table_count *table, lsn at)
{
    sluice_arena *arena = envelope_arena(self->envelope);
    sluice_value *made =
        sluice_struct_new(arena, envelope_block_schema(self->envelope));
    sluice_struct_set(made, 0, transaction_id(self, at));
    sluice_struct_set(made, 1, sluice_int64(arena, (int64_t)++self->total));
    sluice_struct_set(made, 2, sluice_int64(arena, (int64_t)++table->count));
    return made;
}

const sluice_value *metadata_count(metadata *self, const pg_relation *relation, lsn at)
{
    if (!self->config->transaction_metadata) {
        return NULL;
    }
    return block(self, counter(self, relation->oid, relation->schema, relation->name),
                 at);
}

sluice_record *metadata_add_end(metadata *self, lsn at, const sluice_value *offset)
{
    if (!self->config->transaction_metadata) {
        return NULL;
    }
    sluice_arena *arena = envelope_arena(self->envelope);
    sluice_value *list = sluice_array_new(arena, self->table_used);
    for (size_t i = 0; i < self->table_used; i++) {
        sluice_value *one = sluice_struct_new(arena, self->collection_schema);
        const char *name = self->tables[i].name;
        sluice_struct_set(one, 0, sluice_string(arena, name, strlen(name)));
        sluice_struct_set(one, 1, sluice_int64(arena, (int64_t)self->tables[i].count));
        sluice_array_add(arena, list, one);
    }
    const sluice_value *id = transaction_id(self, at);
    sluice_value *value = status_value(self, self->end, id);
    sluice_struct_set(value, 2, sluice_int64(arena, (int64_t)self->total));
    sluice_struct_set(value, 3, list);
    return add_status(self, id, value, offset);
}

/* --- Logical messages. --- */

bool metadata_wants(const metadata *self, const pg_message *message)
{
    return self->wants_messages &&
           filter_prefix(self->filter, message->as.logical.prefix);
}

const sluice_value *metadata_count_message(metadata *self, lsn at)
{
    if (!self->config->transaction_metadata) {
        return NULL;
    }
    return block(self, counter(self, 0, message_collection, ""), at);
}

static const sluice_value *message_content(const metadata *self,
                                           const pg_message *message,
                                           const sluice_value *prefix)
{
    sluice_arena *arena = envelope_arena(self->envelope);
    pg_column shown = {.config = self->config};
    const char *bytes =
        sluice_arena_copy(arena, message->as.logical.content, message->as.logical.len);
    const sluice_value *content = NULL;
    convert_bytes_of_text(&shown, arena, bytes, message->as.logical.len, &content,
                          NULL);
    sluice_value *made = sluice_struct_new(arena, self->message_schema);
    sluice_struct_set(made, 0, prefix);
    sluice_struct_set(made, 1, content);
    return made;
}

sluice_record *metadata_add_message(metadata *self, const pg_message *message, lsn at,
                                    const sluice_value *counted,
                                    const sluice_value *offset)
{
    sluice_arena *arena = envelope_arena(self->envelope);
    const char *name = message->as.logical.prefix;
    const sluice_value *prefix = sluice_string(arena, name, strlen(name));
    sluice_value *key = sluice_struct_new(arena, self->prefix_schema);
    sluice_struct_set(key, 0, prefix);

    pg_change change = {
        .relation = &self->nowhere, .op = 'm', .mark = MARK_FALSE, .event = at};
    sluice_value *source = envelope_source(self->envelope, &change);
    if (!message->as.logical.transactional) {
        sluice_struct_set(source, self->txid_field, NULL);
    }
    sluice_value *value = sluice_struct_new(arena, self->message_value_schema);
    sluice_struct_set(value, 0, self->op);
    sluice_struct_set(value, 1, envelope_now_ms(self->envelope));
    sluice_struct_set(value, 2, source);
    sluice_struct_set(value, 3, counted);
    sluice_struct_set(value, 4, message_content(self, message, prefix));
    pg_other other = {.topic = self->message_topic,
                      .key_schema = self->prefix_schema,
                      .key = key,
                      .value_schema = self->message_value_schema,
                      .value = value,
                      .offset = offset};
    return envelope_add_other(self->envelope, &other);
}
