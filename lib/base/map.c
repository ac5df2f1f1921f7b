/* A hash map with open addressing over a dense, ordered list of entries. */
#define XXH_INLINE_ALL
#include "map.h"
#include "memory.h"
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <xxhash.h>

static uint64_t seed;
static pthread_once_t seed_once = PTHREAD_ONCE_INIT;

static void seed_make(void)
{
    if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) != (ssize_t)sizeof seed) {
        seed = (uint64_t)(uintptr_t)&seed; /* Address randomisation is better than 0. */
    }
}

uint64_t map_hash(const void *key, size_t key_len)
{
    pthread_once(&seed_once, seed_make);
    return XXH3_64bits_withSeed(key_len > 0 ? key : "", key_len, seed);
}

void map_init(map *self)
{
    *self = (map)MAP_INIT;
}

void map_clear(map *self)
{
    for (size_t i = 0; i < self->used; i++) {
        free((char *)self->entries[i].key);
    }
    if (self->slot_count > 0) {
        memset(self->slots, 0, self->slot_count * sizeof *self->slots);
    }
    self->used = self->count = 0;
}

void map_done(map *self)
{
    map_clear(self);
    free(self->entries);
    free(self->slots);
    map_init(self);
}

static size_t room(size_t slot_count)
{
    return slot_count / 4 * 3;
}

/* The slot of the key, or the free slot where it belongs. */
static size_t find(const map *self, const void *key, size_t key_len, uint64_t hash)
{
    size_t mask = self->slot_count - 1;
    for (size_t slot = hash & mask;; slot = (slot + 1) & mask) {
        if (self->slots[slot] == 0) {
            return slot;
        }
        const map_entry *entry = &self->entries[self->slots[slot] - 1];
        if (entry->hash == hash && entry->key != NULL && entry->key_len == key_len &&
            memcmp(entry->key, key, key_len) == 0) {
            return slot;
        }
    }
}

static map_entry *entry_get(const map *self, const void *key, size_t key_len)
{
    if (self->count == 0) {
        return NULL;
    }
    key = key_len > 0 ? key : "";
    uint32_t number = self->slots[find(self, key, key_len, map_hash(key, key_len))];
    return number == 0 ? NULL : &self->entries[number - 1];
}

void *map_get(const map *self, const void *key, size_t key_len)
{
    const map_entry *entry = entry_get(self, key, key_len);
    return entry == NULL ? NULL : entry->value;
}

/* Drops the removed entries and makes the index anew, with room for one more. */
static void rebuild(map *self)
{
    size_t slot_count = 16;
    while (room(slot_count) < self->count + self->count / 2 + 1) {
        slot_count *= 2;
    }
    size_t kept = 0;
    for (size_t i = 0; i < self->used; i++) {
        if (self->entries[i].key != NULL) {
            self->entries[kept++] = self->entries[i];
        }
    }
    self->used = kept;
    self->entries = memory_resize(self->entries, room(slot_count) * sizeof(map_entry));
    free(self->slots);
    self->slots = memory_zero(slot_count * sizeof *self->slots);
    self->slot_count = slot_count;
    for (size_t i = 0; i < kept; i++) {
        size_t slot = self->entries[i].hash & (slot_count - 1);
        while (self->slots[slot] != 0) {
            slot = (slot + 1) & (slot_count - 1);
        }
        self->slots[slot] = (uint32_t)i + 1;
    }
}

void *map_put(map *self, const void *key, size_t key_len, void *value)
{
    assert(value != NULL);
    map_entry *known = entry_get(self, key, key_len);
    if (known != NULL) {
        void *before = known->value;
        known->value = value;
        return before;
    }
    if (self->used >= room(self->slot_count)) {
        assert(self->count < UINT32_MAX / 4);
        rebuild(self);
    }
    char *copy = memory_copy(key, key_len);
    uint64_t hash = map_hash(copy, key_len);
    self->slots[find(self, copy, key_len, hash)] = (uint32_t)self->used + 1;
    self->entries[self->used++] = (map_entry){copy, key_len, value, hash};
    self->count++;
    return NULL;
}

/* The slot goes on pointing to the dead entry, so that probing passes over it. */
void *map_remove(map *self, const void *key, size_t key_len)
{
    map_entry *entry = entry_get(self, key, key_len);
    if (entry == NULL) {
        return NULL;
    }
    void *value = entry->value;
    free((char *)entry->key);
    *entry = (map_entry){0};
    self->count--;
    return value;
}

const map_entry *map_next(const map *self, size_t *at)
{
    while (*at < self->used) {
        const map_entry *entry = &self->entries[(*at)++];
        if (entry->key != NULL) {
            return entry;
        }
    }
    return NULL;
}

size_t map_count(const map *self)
{
    return self->count;
}

void *map_get_text(const map *self, const char *key)
{
    return map_get(self, key, strlen(key));
}

void *map_put_text(map *self, const char *key, void *value)
{
    return map_put(self, key, strlen(key), value);
}

void *map_remove_text(map *self, const char *key)
{
    return map_remove(self, key, strlen(key));
}
