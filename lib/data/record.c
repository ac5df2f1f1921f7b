/* Batches, records and headers: everything lives in the arena of the batch. */
#include "../base/memory.h"
#include <assert.h>
#include <sluice/record.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { block_records = 128, timestamp_now = -2 };

typedef struct header {
    const char *name;
    const sluice_schema *schema;
    const sluice_value *value;
} header;

struct sluice_headers {
    sluice_arena *arena;
    header *items;
    size_t count, capacity;
    bool shared; /* `items` are of other records, too. */
};

struct sluice_record {
    const char *topic;
    const sluice_schema *key_schema;
    const sluice_value *key;
    const sluice_schema *value_schema;
    const sluice_value *value;
    int64_t timestamp_ms;
    int32_t partition;
    sluice_timestamp_type timestamp_type;
    sluice_arena *arena;
    sluice_headers *headers; /* NULL: none yet. */
    const sluice_value *source_partition, *source_offset;
    const char *original_topic;
    int64_t offset;
    int32_t original_partition;
};

/* Records lie in blocks, so that they stay where they are while the batch grows. */
struct sluice_batch {
    sluice_arena *arena;
    sluice_record **blocks; /* In the arena. */
    size_t block_count, block_capacity;
    size_t count;
};

sluice_batch *sluice_batch_new(void)
{
    sluice_batch *batch = memory_zero(sizeof *batch);
    batch->arena = sluice_arena_new();
    return batch;
}

void sluice_batch_free(sluice_batch *batch)
{
    if (batch != NULL) {
        sluice_arena_free(batch->arena);
        free(batch);
    }
}

void sluice_batch_reset(sluice_batch *batch)
{
    sluice_arena_reset(batch->arena);
    *batch = (sluice_batch){.arena = batch->arena};
}

sluice_arena *sluice_batch_arena(sluice_batch *batch)
{
    return batch->arena;
}

static void add_block(sluice_batch *batch)
{
    if (batch->block_count == batch->block_capacity) {
        size_t pointer = sizeof *batch->blocks;
        size_t capacity = batch->block_capacity * 2 + 8;
        batch->blocks =
            sluice_arena_grow(batch->arena, batch->blocks,
                              batch->block_capacity * pointer, capacity * pointer);
        batch->block_capacity = capacity;
    }
    batch->blocks[batch->block_count++] =
        sluice_arena_take(batch->arena, block_records * sizeof(sluice_record));
}

sluice_record *sluice_batch_add(sluice_batch *batch)
{
    if (batch->count == batch->block_count * block_records) {
        add_block(batch);
    }
    size_t place = batch->count++;
    sluice_record *added = &batch->blocks[place / block_records][place % block_records];
    *added = (sluice_record){.arena = batch->arena,
                             .timestamp_ms = SLUICE_NO_TIMESTAMP,
                             .partition = SLUICE_NO_PARTITION,
                             .offset = SLUICE_NO_OFFSET,
                             .original_partition = SLUICE_NO_PARTITION};
    return added;
}

void sluice_batch_drop_last(sluice_batch *batch)
{
    assert(batch->count > 0);
    batch->count--;
}

size_t sluice_batch_count(const sluice_batch *batch)
{
    return batch->count;
}

sluice_record *sluice_batch_record(const sluice_batch *batch, size_t index)
{
    assert(index < batch->count);
    return &batch->blocks[index / block_records][index % block_records];
}

sluice_arena *sluice_record_arena(const sluice_record *record)
{
    return record->arena;
}

const char *sluice_record_topic(const sluice_record *record)
{
    return record->topic;
}

void sluice_record_set_topic(sluice_record *record, const char *topic)
{
    record->topic =
        topic == NULL ? NULL : sluice_arena_copy(record->arena, topic, strlen(topic));
}

void sluice_record_set_topic_borrowed(sluice_record *record, const char *topic)
{
    record->topic = topic;
}

int32_t sluice_record_partition(const sluice_record *record)
{
    return record->partition;
}

void sluice_record_set_partition(sluice_record *record, int32_t partition)
{
    record->partition = partition;
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t sluice_record_timestamp(const sluice_record *record)
{
    return record->timestamp_ms == timestamp_now ? now_ms() : record->timestamp_ms;
}

void sluice_record_set_timestamp(sluice_record *record, int64_t timestamp_ms)
{
    record->timestamp_ms = timestamp_ms;
}

void sluice_record_set_timestamp_now(sluice_record *record)
{
    record->timestamp_ms = timestamp_now;
}

bool sluice_record_is_timestamp_now(const sluice_record *record)
{
    return record->timestamp_ms == timestamp_now;
}

const sluice_schema *sluice_record_key_schema(const sluice_record *record)
{
    return record->key_schema;
}

const sluice_value *sluice_record_key(const sluice_record *record)
{
    return record->key;
}

void sluice_record_set_key(sluice_record *record, const sluice_schema *schema,
                           const sluice_value *value)
{
    record->key_schema = schema;
    record->key = value;
}

const sluice_schema *sluice_record_value_schema(const sluice_record *record)
{
    return record->value_schema;
}

const sluice_value *sluice_record_value(const sluice_record *record)
{
    return record->value;
}

void sluice_record_set_value(sluice_record *record, const sluice_schema *schema,
                             const sluice_value *value)
{
    record->value_schema = schema;
    record->value = value;
}

void sluice_record_set_source(sluice_record *record, const sluice_value *partition,
                              const sluice_value *offset)
{
    record->source_partition = partition;
    record->source_offset = offset;
}

const sluice_value *sluice_record_source_partition(const sluice_record *record)
{
    return record->source_partition;
}

const sluice_value *sluice_record_source_offset(const sluice_record *record)
{
    return record->source_offset;
}

int64_t sluice_record_offset(const sluice_record *record)
{
    return record->offset;
}

sluice_timestamp_type sluice_record_timestamp_type(const sluice_record *record)
{
    return record->timestamp_type;
}

const char *sluice_record_original_topic(const sluice_record *record)
{
    return record->original_topic;
}

int32_t sluice_record_original_partition(const sluice_record *record)
{
    return record->original_partition;
}

void sluice_record_set_consumed(sluice_record *record, const char *topic,
                                int32_t partition, int64_t offset, int64_t timestamp_ms,
                                sluice_timestamp_type type)
{
    record->topic = record->original_topic = topic;
    record->partition = record->original_partition = partition;
    record->offset = offset;
    record->timestamp_ms = timestamp_ms;
    record->timestamp_type = type;
}

sluice_headers *sluice_record_headers(sluice_record *record)
{
    if (record->headers == NULL) {
        record->headers = sluice_arena_take(record->arena, sizeof *record->headers);
        *record->headers = (sluice_headers){.arena = record->arena};
    }
    return record->headers;
}

const sluice_headers *sluice_record_headers_or_null(const sluice_record *record)
{
    bool none = record->headers == NULL || record->headers->count == 0;
    return none ? NULL : record->headers;
}

void sluice_record_repeat_headers(sluice_record *record, sluice_headers *headers)
{
    headers->shared = true;
    record->headers = sluice_arena_take(record->arena, sizeof *record->headers);
    *record->headers = *headers;
}

size_t sluice_headers_count(const sluice_headers *headers)
{
    return headers == NULL ? 0 : headers->count;
}

static const header *header_at(const sluice_headers *headers, size_t index)
{
    assert(index < headers->count);
    return &headers->items[index];
}

const char *sluice_headers_name(const sluice_headers *headers, size_t index)
{
    return header_at(headers, index)->name;
}

const sluice_schema *sluice_headers_schema(const sluice_headers *headers, size_t index)
{
    return header_at(headers, index)->schema;
}

const sluice_value *sluice_headers_value(const sluice_headers *headers, size_t index)
{
    return header_at(headers, index)->value;
}

/* Items of its own, with room for `more`. */
static void own_items(sluice_headers *headers, size_t more)
{
    size_t capacity = headers->count + more;
    header *items = sluice_arena_take(headers->arena, capacity * sizeof *items);
    if (headers->count > 0) {
        memcpy(items, headers->items, headers->count * sizeof *items);
    }
    headers->items = items;
    headers->capacity = capacity;
    headers->shared = false;
}

void sluice_headers_add(sluice_headers *headers, const char *name,
                        const sluice_schema *schema, const sluice_value *value)
{
    if (headers->shared) {
        own_items(headers, 4);
    }
    if (headers->count == headers->capacity) {
        size_t capacity = headers->capacity * 2 + 4;
        headers->items = sluice_arena_grow(headers->arena, headers->items,
                                           headers->count * sizeof(header),
                                           capacity * sizeof(header));
        headers->capacity = capacity;
    }
    const char *copy = sluice_arena_copy(headers->arena, name, strlen(name));
    headers->items[headers->count++] = (header){copy, schema, value};
}

int sluice_headers_find(const sluice_headers *headers, const char *name)
{
    for (size_t i = sluice_headers_count(headers); i > 0; i--) {
        if (strcmp(headers->items[i - 1].name, name) == 0) {
            return (int)i - 1;
        }
    }
    return -1;
}

size_t sluice_headers_remove(sluice_headers *headers, const char *name)
{
    if (headers->shared && sluice_headers_find(headers, name) >= 0) {
        own_items(headers, 0);
    }
    size_t kept = 0;
    for (size_t i = 0; i < headers->count; i++) {
        if (strcmp(headers->items[i].name, name) != 0) {
            headers->items[kept++] = headers->items[i];
        }
    }
    size_t removed = headers->count - kept;
    headers->count = kept;
    return removed;
}
