/* lib/base/map.h - from byte strings to pointers, in the order they were put.
 *
 * A dense list of entries with an open-addressing index on it. Hashes are XXH3 with a
 * seed chosen at start, so that keys from outside cannot be made to collide.
 *
 * Threads: a map belongs to one thread at a time; several may read it at once.
 * Memory: keys are copied; values are the caller's and are never freed by the map. */
#ifndef SLUICE_BASE_MAP_H
#define SLUICE_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct map_entry {
    const char *key; /* A NUL that is not counted follows. NULL: removed. */
    size_t key_len;
    void *value;
    uint64_t hash;
} map_entry;

typedef struct map {
    map_entry *entries;
    uint32_t *slots; /* Entry numbers from 1; 0 is a free slot. */
    size_t used;     /* Entries in use, removed ones included. */
    size_t count;
    size_t slot_count; /* 0 or a power of two, at least 4/3 of the room for entries. */
} map;

/* An empty map; no call is needed to begin. */
#define MAP_INIT                                                                       \
    {                                                                                  \
        NULL, NULL, 0, 0, 0                                                            \
    }

void map_init(map *self);
void map_done(map *self);
void map_clear(map *self);

/* The value of a key, or NULL. */
void *map_get(const map *self, const void *key, size_t key_len);
void *map_get_text(const map *self, const char *key);

/* Sets a key to `value`, which is not NULL. A known key keeps its place in the order.
 * Returns the value it had before, or NULL. */
void *map_put(map *self, const void *key, size_t key_len, void *value);
void *map_put_text(map *self, const char *key, void *value);

/* Removes a key; returns the value it had, or NULL. Allowed within a loop over it. */
void *map_remove(map *self, const void *key, size_t key_len);
void *map_remove_text(map *self, const char *key);

size_t map_count(const map *self);

/* The entries in order: `for (size_t at = 0; (entry = map_next(&m, &at)) != NULL;)`.
 * NULL after the last. Borrowed until the next put. */
const map_entry *map_next(const map *self, size_t *at);

/* The hash that the map uses: strong, and another one in each process. */
uint64_t map_hash(const void *key, size_t key_len);

#endif
