/* Positions: entries in order, found by a canonical form of their partition. */
#include "../base/buffer.h"
#include "../base/map.h"
#include "../base/memory.h"
#include "value.h"
#include <sluice/offsets.h>
#include <stdlib.h>
#include <string.h>

/* `partition` and `offset` for a source, `topic` for a sink. */
typedef struct entry {
    size_t place;
    buffer key; /* What it is found by. */
    sluice_value *partition, *offset;
    char *topic;
    int32_t topic_partition;
    int64_t topic_offset;
} entry;

struct sluice_offsets {
    entry **entries;
    size_t count, capacity;
    map index;
};

sluice_offsets *sluice_offsets_new(void)
{
    return memory_zero(sizeof(sluice_offsets));
}

static void entry_free(entry *dead)
{
    buffer_done(&dead->key);
    free(dead->partition);
    free(dead->offset);
    free(dead->topic);
    free(dead);
}

void sluice_offsets_clear(sluice_offsets *offsets)
{
    for (size_t i = 0; i < offsets->count; i++) {
        entry_free(offsets->entries[i]);
    }
    map_clear(&offsets->index);
    offsets->count = 0;
}

void sluice_offsets_free(sluice_offsets *offsets)
{
    if (offsets != NULL) {
        sluice_offsets_clear(offsets);
        map_done(&offsets->index);
        free(offsets->entries);
        free(offsets);
    }
}

size_t sluice_offsets_count(const sluice_offsets *offsets)
{
    return offsets->count;
}

/* A piece of a canonical form. */
typedef struct piece {
    const char *base;
    size_t len;
} piece;

static int compare(const void *one, const void *other)
{
    const piece *a = one, *b = other;
    int order = memcmp(a->base, b->base, a->len < b->len ? a->len : b->len);
    return order != 0 ? order : (a->len > b->len) - (a->len < b->len);
}

static void canonical(buffer *out, const sluice_value *value);

/* Entries sorted by their canonical form, since their order means nothing. */
static void canonical_map(buffer *out, const sluice_value *value)
{
    buffer forms = BUFFER_INIT;
    size_t *ends = memory_take((value->count + 1) * sizeof *ends);
    piece *pieces = memory_take(value->count * sizeof *pieces);
    for (size_t i = 0; i < value->count; i++) {
        canonical(&forms, sluice_map_key(value, i));
        canonical(&forms, sluice_value_at(value, i));
        ends[i] = forms.len;
    }
    for (size_t i = 0; i < value->count; i++) {
        size_t start = i == 0 ? 0 : ends[i - 1];
        pieces[i] = (piece){forms.base + start, ends[i] - start};
    }
    qsort(pieces, value->count, sizeof *pieces, compare);
    for (size_t i = 0; i < value->count; i++) {
        buffer_append(out, pieces[i].base, pieces[i].len);
    }
    free(pieces);
    free(ends);
    buffer_done(&forms);
}

/* Whole numbers are equal whatever their width, as they are after a way through JSON;
 * so are fractions. */
static char canonical_type(const sluice_value *value)
{
    if (value == NULL) {
        return '0';
    }
    switch ((sluice_data_type)value->type) {
    case SLUICE_TYPE_INT8:
    case SLUICE_TYPE_INT16:
    case SLUICE_TYPE_INT32:
    case SLUICE_TYPE_INT64:
        return 'i';
    case SLUICE_TYPE_FLOAT32:
    case SLUICE_TYPE_FLOAT64:
        return 'f';
    default:
        return (char)('A' + value->type);
    }
}

/* Type, count, content: no form is the beginning of another one. */
static void canonical(buffer *out, const sluice_value *value)
{
    buffer_append_byte(out, canonical_type(value));
    if (value == NULL) {
        return;
    }
    buffer_append(out, &value->count, sizeof value->count);
    switch ((sluice_data_type)value->type) {
    case SLUICE_TYPE_STRING:
    case SLUICE_TYPE_BYTES:
        buffer_append(out, value->is.bytes, value->count);
        break;
    case SLUICE_TYPE_MAP:
        canonical_map(out, value);
        break;
    case SLUICE_TYPE_ARRAY:
    case SLUICE_TYPE_STRUCT:
        for (size_t i = 0; i < value->count; i++) {
            canonical(out, sluice_value_at(value, i));
        }
        break;
    default:
        buffer_append(out, &value->is.integer, sizeof value->is.integer);
    }
}

/* A copy in memory of its own; NULL gives NULL. */
static sluice_value *copy(const sluice_value *value)
{
    if (value == NULL) {
        return NULL;
    }
    char *at = memory_take(value_flat_size(value));
    return value_flat_copy(&at, value);
}

static entry *add(sluice_offsets *offsets, buffer *key)
{
    if (offsets->count == offsets->capacity) {
        offsets->capacity = offsets->capacity * 2 + 8;
        offsets->entries = memory_resize(offsets->entries,
                                         offsets->capacity * sizeof *offsets->entries);
    }
    entry *added = memory_zero(sizeof *added);
    added->place = offsets->count;
    added->key = *key;
    offsets->entries[offsets->count++] = added;
    map_put(&offsets->index, key->base, key->len, added);
    return added;
}

static void take_out(sluice_offsets *offsets, entry *dead)
{
    map_remove(&offsets->index, dead->key.base, dead->key.len);
    offsets->count--;
    for (size_t i = dead->place; i < offsets->count; i++) {
        offsets->entries[i] = offsets->entries[i + 1];
        offsets->entries[i]->place = i;
    }
    entry_free(dead);
}

/* The entry of `key`, whose memory is taken: a new one if there is none. */
static entry *find_or_add(sluice_offsets *offsets, buffer *key)
{
    entry *known = map_get(&offsets->index, key->base, key->len);
    if (known != NULL) {
        buffer_done(key);
        return known;
    }
    return add(offsets, key);
}

void sluice_offsets_set(sluice_offsets *offsets, const sluice_value *partition,
                        const sluice_value *offset)
{
    buffer key = BUFFER_INIT;
    canonical(&key, partition);
    entry *one = find_or_add(offsets, &key);
    if (one->partition == NULL) {
        one->partition = copy(partition);
    }
    sluice_value *before = one->offset; /* `offset` may be this one. */
    one->offset = copy(offset);
    free(before);
}

const sluice_value *sluice_offsets_find(const sluice_offsets *offsets,
                                        const sluice_value *partition)
{
    buffer key = BUFFER_INIT;
    canonical(&key, partition);
    const entry *found = map_get(&offsets->index, key.base, key.len);
    buffer_done(&key);
    return found == NULL ? NULL : found->offset;
}

static const entry *entry_at(const sluice_offsets *offsets, size_t index)
{
    assert(index < offsets->count);
    return offsets->entries[index];
}

const sluice_value *sluice_offsets_partition(const sluice_offsets *offsets,
                                             size_t index)
{
    return entry_at(offsets, index)->partition;
}

const sluice_value *sluice_offsets_offset(const sluice_offsets *offsets, size_t index)
{
    return entry_at(offsets, index)->offset;
}

static buffer topic_key(const char *topic, int32_t partition)
{
    buffer key = BUFFER_INIT;
    buffer_append_byte(&key, 't');
    buffer_append(&key, &partition, sizeof partition);
    buffer_append_text(&key, topic);
    return key;
}

void sluice_offsets_set_topic(sluice_offsets *offsets, const char *topic,
                              int32_t partition, int64_t offset)
{
    buffer key = topic_key(topic, partition);
    if (offset < 0) {
        entry *dead = map_get(&offsets->index, key.base, key.len);
        buffer_done(&key);
        if (dead != NULL) {
            take_out(offsets, dead);
        }
        return;
    }
    entry *one = find_or_add(offsets, &key);
    if (one->topic == NULL) {
        one->topic = memory_text(topic);
        one->topic_partition = partition;
    }
    one->topic_offset = offset;
}

int64_t sluice_offsets_find_topic(const sluice_offsets *offsets, const char *topic,
                                  int32_t partition)
{
    buffer key = topic_key(topic, partition);
    const entry *found = map_get(&offsets->index, key.base, key.len);
    buffer_done(&key);
    return found == NULL ? -1 : found->topic_offset;
}

void sluice_offsets_topic(const sluice_offsets *offsets, size_t index,
                          const char **ret_topic, int32_t *ret_partition,
                          int64_t *ret_offset)
{
    const entry *one = entry_at(offsets, index);
    assert(one->topic != NULL);
    *ret_topic = one->topic;
    *ret_partition = one->topic_partition;
    *ret_offset = one->topic_offset;
}
