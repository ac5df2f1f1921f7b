/* connectors/postgres/envelope.c - changes as records, in Debezium's envelope. */
#include "envelope.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONNECTOR "postgresql"
#define SOURCE    "io.debezium.connector.postgresql.Source"

/* Fields of the source block, in its order. */
enum {
    SOURCE_VERSION,
    SOURCE_CONNECTOR,
    SOURCE_NAME,
    SOURCE_TS_MS,
    SOURCE_SNAPSHOT,
    SOURCE_DB,
    SOURCE_SEQUENCE,
    SOURCE_TS_US,
    SOURCE_TS_NS,
    SOURCE_SCHEMA,
    SOURCE_TABLE,
    SOURCE_TXID,
    SOURCE_LSN,
    SOURCE_XMIN,
};

/* Fields of the envelope. */
enum {
    FIELD_BEFORE,
    FIELD_AFTER,
    FIELD_SOURCE,
    FIELD_TRANSACTION,
    FIELD_OP,
    FIELD_TS_MS,
    FIELD_TS_US,
    FIELD_TS_NS,
};

static const char operations[] = "cudrt";

/* A point in time in the three units of the envelope. */
typedef struct time_values {
    int64_t us;
    sluice_value *ms_value, *us_value, *ns_value; /* NULL: to be made. */
} time_values;

struct envelope {
    const postgres_config *config;
    sluice_arena *constants;
    const sluice_schema *source_schema, *block_schema;
    const sluice_schema *heartbeat_schema, *server_schema;
    const sluice_value *partition, *version, *connector, *name, *db, *task;
    const sluice_value *marks[SNAPSHOT_MARKS], *ops[sizeof operations];
    const char *heartbeat_topic;

    sluice_batch *batch;
    sluice_arena *arena;     /* The batch's. */
    sluice_headers *context; /* The context headers of the batch; NULL: none yet. */
    time_values now, commit;
    uint32_t xid;
    lsn last_end;
    const sluice_value *xid_value;
    /* The last source block, NULL where there is none in this transaction and batch,
     * and what it is of. */
    sluice_value *source;
    const pg_relation *source_relation;
    lsn source_event;
    snapshot_mark source_mark;
    char sequence[32]; /* '["123","': the part that a transaction's records share. */
    size_t sequence_len;
};

/* --- Constants. --- */

static const sluice_schema *finish(sluice_schema_builder *builder)
{
    const sluice_schema *schema = NULL;
    sluice_status status = sluice_schema_builder_finish(builder, &schema, NULL);
    assert(status == SLUICE_OK);
    (void)status;
    return schema;
}

static const sluice_schema *snapshot_schema(sluice_arena *arena)
{
    sluice_schema_builder *builder =
        sluice_schema_builder_new(arena, SLUICE_TYPE_STRING);
    sluice_schema_builder_name(builder, "io.debezium.data.Enum");
    sluice_schema_builder_version(builder, 1);
    sluice_schema_builder_optional(builder);
    sluice_schema_builder_parameter(
        builder, "allowed",
        "true,first,first_in_data_collection,last_in_data_collection,last,false,"
        "incremental");
    sluice_schema_builder_default(builder, sluice_text(arena, "false"));
    return finish(builder);
}

static void add_fields(sluice_schema_builder *builder, sluice_data_type type,
                       bool optional, const char *const *names)
{
    for (; *names != NULL; names++) {
        sluice_schema_builder_field(builder, *names, sluice_schema_of(type, optional));
    }
}

static const sluice_schema *source_schema(sluice_arena *arena)
{
    sluice_schema_builder *builder =
        sluice_schema_builder_new(arena, SLUICE_TYPE_STRUCT);
    sluice_schema_builder_name(builder, SOURCE);
    sluice_schema_builder_version(builder, 1);
    add_fields(builder, SLUICE_TYPE_STRING, false,
               (const char *const[]){"version", "connector", "name", NULL});
    add_fields(builder, SLUICE_TYPE_INT64, false, (const char *const[]){"ts_ms", NULL});
    sluice_schema_builder_field(builder, "snapshot", snapshot_schema(arena));
    add_fields(builder, SLUICE_TYPE_STRING, false, (const char *const[]){"db", NULL});
    add_fields(builder, SLUICE_TYPE_STRING, true,
               (const char *const[]){"sequence", NULL});
    add_fields(builder, SLUICE_TYPE_INT64, true,
               (const char *const[]){"ts_us", "ts_ns", NULL});
    add_fields(builder, SLUICE_TYPE_STRING, false,
               (const char *const[]){"schema", "table", NULL});
    add_fields(builder, SLUICE_TYPE_INT64, true,
               (const char *const[]){"txId", "lsn", "xmin", NULL});
    return finish(builder);
}

static const sluice_schema *block_schema(sluice_arena *arena)
{
    sluice_schema_builder *builder =
        sluice_schema_builder_new(arena, SLUICE_TYPE_STRUCT);
    sluice_schema_builder_name(builder, "event.block");
    sluice_schema_builder_version(builder, 1);
    sluice_schema_builder_optional(builder);
    add_fields(builder, SLUICE_TYPE_STRING, false, (const char *const[]){"id", NULL});
    add_fields(builder, SLUICE_TYPE_INT64, false,
               (const char *const[]){"total_order", "data_collection_order", NULL});
    return finish(builder);
}

static const sluice_schema *one_field(sluice_arena *arena, const char *name,
                                      const char *field, sluice_data_type type)
{
    sluice_schema_builder *builder =
        sluice_schema_builder_new(arena, SLUICE_TYPE_STRUCT);
    sluice_schema_builder_name(builder, name);
    sluice_schema_builder_version(builder, 1);
    sluice_schema_builder_field(builder, field, sluice_schema_of(type, false));
    return finish(builder);
}

static void make_constants(envelope *self, int task_number)
{
    static const char *const marks[SNAPSHOT_MARKS] = {
        [MARK_FALSE] = "false",
        [MARK_TRUE] = "true",
        [MARK_FIRST] = "first",
        [MARK_FIRST_IN_TABLE] = "first_in_data_collection",
        [MARK_LAST_IN_TABLE] = "last_in_data_collection",
        [MARK_LAST] = "last",
    };
    sluice_arena *arena = self->constants;
    self->source_schema = source_schema(arena);
    self->block_schema = block_schema(arena);
    self->heartbeat_schema = one_field(arena, "io.debezium.connector.common.Heartbeat",
                                       "ts_ms", SLUICE_TYPE_INT64);
    self->server_schema = one_field(arena, "io.debezium.connector.common.ServerNameKey",
                                    "serverName", SLUICE_TYPE_STRING);
    self->version = sluice_text(arena, "0.1.0");
    self->connector = sluice_text(arena, CONNECTOR);
    self->name = sluice_text(arena, self->config->topic_prefix);
    self->db = sluice_text(arena, self->config->dbname);
    char number[16];
    snprintf(number, sizeof number, "%d", task_number);
    self->task = sluice_text(arena, number);
    for (int i = 0; i < SNAPSHOT_MARKS; i++) {
        self->marks[i] = sluice_text(arena, marks[i]);
    }
    for (size_t i = 0; operations[i] != '\0'; i++) {
        self->ops[i] = sluice_string(arena, &operations[i], 1);
    }
    sluice_value *partition = sluice_map_new(arena, 1);
    sluice_map_add_text(arena, partition, "server", self->name);
    self->partition = partition;
    self->heartbeat_topic =
        self->config->heartbeat_topic != NULL
            ? self->config->heartbeat_topic
            : sluice_arena_print(arena, NULL, "%s%s%s", self->config->heartbeat_prefix,
                                 self->config->topic_delimiter,
                                 self->config->topic_prefix);
}

envelope *envelope_new(const postgres_config *config, int task_number)
{
    envelope *self = calloc(1, sizeof *self);
    if (self == NULL) {
        abort();
    }
    self->config = config;
    self->constants = sluice_arena_new();
    make_constants(self, task_number);
    return self;
}

void envelope_free(envelope *self)
{
    if (self != NULL) {
        sluice_arena_free(self->constants);
        free(self);
    }
}

const sluice_schema *envelope_source_schema(const envelope *self)
{
    return self->source_schema;
}

const sluice_schema *envelope_block_schema(const envelope *self)
{
    return self->block_schema;
}

const sluice_value *envelope_partition(const envelope *self)
{
    return self->partition;
}

/* --- What a batch and a transaction share. --- */

void envelope_begin(envelope *self, sluice_batch *batch)
{
    self->batch = batch;
    self->arena = sluice_batch_arena(batch);
    self->now.ms_value = self->commit.ms_value = NULL;
    self->xid_value = NULL;
    self->context = NULL;
    self->source = NULL;
}

void envelope_clock(envelope *self, int64_t now_us)
{
    self->now.us = now_us;
    self->now.ms_value = NULL;
}

void envelope_transaction(envelope *self, uint32_t xid, int64_t time_us, lsn last_end)
{
    self->xid = xid;
    self->xid_value = NULL;
    self->commit.us = time_us;
    self->commit.ms_value = NULL;
    self->source = NULL;
    self->last_end = last_end;
    self->sequence_len = 0;
}

static void make_times(const envelope *self, time_values *times)
{
    if (times->ms_value == NULL) {
        int64_t us = times->us;
        times->ms_value = sluice_int64(self->arena, us / 1000 - (us % 1000 < 0));
        times->us_value = sluice_int64(self->arena, us);
        times->ns_value = sluice_int64(self->arena, us * 1000);
        sluice_value_repeats(times->ms_value);
        sluice_value_repeats(times->us_value);
        sluice_value_repeats(times->ns_value);
    }
}

/* Writes `number` behind `at` and returns what follows. */
static char *print_number(char *at, uint64_t number)
{
    char digits[20];
    int count = 0;
    do {
        digits[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    while (count > 0) {
        *at++ = digits[--count];
    }
    return at;
}

/* '["<end of the last transaction>","<position>"]' */
static const sluice_value *sequence(envelope *self, lsn event)
{
    if (self->sequence_len == 0) {
        char *at = self->sequence;
        if (self->last_end == 0) {
            memcpy(at, "[null,\"", 7);
            at += 7;
        } else {
            memcpy(at, "[\"", 2);
            at = print_number(at + 2, self->last_end);
            memcpy(at, "\",\"", 3);
            at += 3;
        }
        self->sequence_len = (size_t)(at - self->sequence);
    }
    char *text = sluice_arena_take(self->arena, self->sequence_len + 22);
    memcpy(text, self->sequence, self->sequence_len);
    char *at = print_number(text + self->sequence_len, event);
    memcpy(at, "\"]", 2);
    return sluice_string_borrowed(self->arena, text, (size_t)(at + 2 - text));
}

sluice_value *envelope_source(envelope *self, const pg_change *change)
{
    sluice_value *made = sluice_struct_new(self->arena, self->source_schema);
    make_times(self, &self->commit);
    if (self->xid_value == NULL) {
        self->xid_value = sluice_int64(self->arena, self->xid);
    }
    sluice_struct_set(made, SOURCE_VERSION, self->version);
    sluice_struct_set(made, SOURCE_CONNECTOR, self->connector);
    sluice_struct_set(made, SOURCE_NAME, self->name);
    sluice_struct_set(made, SOURCE_TS_MS, self->commit.ms_value);
    sluice_struct_set(made, SOURCE_SNAPSHOT, self->marks[change->mark]);
    sluice_struct_set(made, SOURCE_DB, self->db);
    sluice_struct_set(made, SOURCE_SEQUENCE, sequence(self, change->event));
    sluice_struct_set(made, SOURCE_TS_US, self->commit.us_value);
    sluice_struct_set(made, SOURCE_TS_NS, self->commit.ns_value);
    sluice_struct_set(made, SOURCE_SCHEMA, change->relation->schema_value);
    sluice_struct_set(made, SOURCE_TABLE, change->relation->name_value);
    sluice_struct_set(made, SOURCE_TXID, self->xid_value);
    sluice_struct_set(made, SOURCE_LSN,
                      sluice_int64(self->arena, (int64_t)change->event));
    return made;
}

/* The source block of the record before, where nothing in it differs: of a snapshot all
 * rows of a table have the same. */
static const sluice_value *source_of(envelope *self, const pg_change *change)
{
    if (self->source != NULL && self->source_relation == change->relation &&
        self->source_event == change->event && self->source_mark == change->mark) {
        sluice_value_repeats(self->source);
        return self->source;
    }
    self->source = envelope_source(self, change);
    self->source_relation = change->relation;
    self->source_event = change->event;
    self->source_mark = change->mark;
    return self->source;
}

/* --- Records. --- */

void envelope_finish(envelope *self, sluice_record *record)
{
    if (!self->config->context_headers) {
        return;
    }
    bool has_others = sluice_record_headers_or_null(record) != NULL;
    if (!has_others && self->context != NULL) {
        sluice_record_repeat_headers(record, self->context);
        return;
    }
    const sluice_schema *text = sluice_schema_of(SLUICE_TYPE_STRING, false);
    sluice_headers *headers = sluice_record_headers(record);
    sluice_headers_add(headers, "__debezium.context.connectorLogicalName", text,
                       self->name);
    sluice_headers_add(headers, "__debezium.context.taskId", text, self->task);
    sluice_headers_add(headers, "__debezium.context.connectorName", text,
                       self->connector);
    if (!has_others) {
        self->context = headers;
    }
}

static sluice_record *add_record(envelope *self, const char *topic,
                                 const sluice_value *offset)
{
    sluice_record *record = sluice_batch_add(self->batch);
    sluice_record_set_topic_borrowed(record, topic);
    sluice_record_set_source(record, self->partition, offset);
    return record;
}

sluice_record *envelope_add(envelope *self, const pg_change *change)
{
    const pg_relation *relation = change->relation;
    const char *op = strchr(operations, change->op);
    sluice_value *value = sluice_struct_new(self->arena, relation->envelope_schema);
    make_times(self, &self->now);
    sluice_struct_set(value, FIELD_BEFORE, change->before);
    sluice_struct_set(value, FIELD_AFTER, change->after);
    sluice_struct_set(value, FIELD_SOURCE, source_of(self, change));
    sluice_struct_set(value, FIELD_TRANSACTION, change->block);
    sluice_struct_set(value, FIELD_OP, self->ops[op - operations]);
    sluice_struct_set(value, FIELD_TS_MS, self->now.ms_value);
    sluice_struct_set(value, FIELD_TS_US, self->now.us_value);
    sluice_struct_set(value, FIELD_TS_NS, self->now.ns_value);
    sluice_record *record = add_record(self, relation->topic, change->offset);
    if (change->key != NULL) {
        sluice_record_set_key(record, relation->key_schema, change->key);
    }
    sluice_record_set_value(record, relation->envelope_schema, value);
    return record;
}

sluice_record *envelope_add_tombstone(envelope *self, const pg_relation *relation,
                                      const sluice_value *key,
                                      const sluice_value *offset)
{
    sluice_record *record = add_record(self, relation->topic, offset);
    if (key != NULL) {
        sluice_record_set_key(record, relation->key_schema, key);
    }
    return record;
}

void envelope_link(sluice_record *record, const char *name, const pg_relation *relation,
                   const sluice_value *key)
{
    sluice_headers_add(sluice_record_headers(record), name, relation->key_schema, key);
}

sluice_record *envelope_add_other(envelope *self, const pg_other *other)
{
    sluice_record *record = add_record(self, other->topic, other->offset);
    sluice_record_set_key(record, other->key_schema, other->key);
    sluice_record_set_value(record, other->value_schema, other->value);
    return record;
}

const sluice_value *envelope_commit_ms(envelope *self)
{
    make_times(self, &self->commit);
    return self->commit.ms_value;
}

const sluice_value *envelope_now_ms(envelope *self)
{
    make_times(self, &self->now);
    return self->now.ms_value;
}

sluice_arena *envelope_arena(const envelope *self)
{
    return self->arena;
}

void envelope_add_heartbeat(envelope *self, const sluice_value *offset)
{
    sluice_value *key = sluice_struct_new(self->arena, self->server_schema);
    sluice_value *value = sluice_struct_new(self->arena, self->heartbeat_schema);
    make_times(self, &self->now);
    sluice_struct_set(key, 0, self->name);
    sluice_struct_set(value, 0, self->now.ms_value);
    sluice_record *record = add_record(self, self->heartbeat_topic, offset);
    sluice_record_set_partition(record, 0);
    sluice_record_set_key(record, self->server_schema, key);
    sluice_record_set_value(record, self->heartbeat_schema, value);
}
