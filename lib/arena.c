/* Arenas: bump allocation in chunks; the chunks of freed arenas are kept per thread. */
#include "arena.h"
#include "base/memory.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    chunk_bytes = 64 * 1024 - 64, /* 64 KiB less what malloc adds. */
    pool_bytes_max = 16 * 1024 * 1024,
    alignment = 16,
};

typedef struct chunk chunk;
struct chunk {
    chunk *previous;
    size_t size; /* Of `bytes`. */
    _Alignas(alignment) char bytes[];
};

struct sluice_arena {
    chunk *newest;
    char *next; /* The first free byte of `newest`. */
    char *end;
    size_t used_before; /* Bytes taken from older chunks. */
    uint64_t epoch;
};

/* Chunks of the standard size, waiting for the next arena of this thread. */
typedef struct pool {
    chunk *first;
    size_t bytes;
} pool;

static pthread_key_t pool_key;
static pthread_once_t pool_once = PTHREAD_ONCE_INIT;
static _Thread_local pool *pool_of_thread;

static void pool_empty(pool *self)
{
    while (self->first != NULL) {
        chunk *dead = self->first;
        self->first = dead->previous;
        free(dead);
    }
    self->bytes = 0;
}

static void pool_free(void *argument)
{
    pool *self = argument;
    pool_empty(self);
    free(self);
    pool_of_thread = NULL;
}

static void pool_of_main_free(void)
{
    if (pool_of_thread != NULL) {
        pool_free(pool_of_thread);
    }
}

static void pool_key_make(void)
{
    pthread_key_create(&pool_key, pool_free);
    atexit(pool_of_main_free);
}

static pool *pool_get(void)
{
    if (pool_of_thread == NULL) {
        pthread_once(&pool_once, pool_key_make);
        pool_of_thread = memory_zero(sizeof *pool_of_thread);
        pthread_setspecific(pool_key, pool_of_thread);
    }
    return pool_of_thread;
}

static chunk *chunk_new(size_t size)
{
    pool *spare = pool_get();
    if (size <= chunk_bytes && spare->first != NULL) {
        chunk *found = spare->first;
        spare->first = found->previous;
        spare->bytes -= found->size;
        return found;
    }
    size_t real = size <= chunk_bytes ? chunk_bytes : size;
    chunk *made = memory_take(sizeof(chunk) + real);
    made->size = real;
    return made;
}

static void chunk_free(chunk *dead)
{
    pool *spare = pool_get();
    if (dead->size != chunk_bytes || spare->bytes + dead->size > pool_bytes_max) {
        free(dead);
        return;
    }
    dead->previous = spare->first;
    spare->first = dead;
    spare->bytes += dead->size;
}

void sluice_arena_trim(void)
{
    if (pool_of_thread != NULL) {
        pool_empty(pool_of_thread);
    }
}

static uint64_t next_epoch(void)
{
    static _Atomic uint64_t last;
    return atomic_fetch_add_explicit(&last, 1, memory_order_relaxed) + 1;
}

uint64_t arena_epoch(const sluice_arena *arena)
{
    return arena->epoch;
}

sluice_arena *sluice_arena_new(void)
{
    sluice_arena *arena = memory_zero(sizeof *arena);
    arena->epoch = next_epoch();
    return arena;
}

static void use(sluice_arena *arena, chunk *newest)
{
    arena->newest = newest;
    arena->next = newest == NULL ? NULL : newest->bytes;
    arena->end = newest == NULL ? NULL : newest->bytes + newest->size;
}

void sluice_arena_reset(sluice_arena *arena)
{
    chunk *kept = NULL;
    while (arena->newest != NULL) {
        chunk *dead = arena->newest;
        arena->newest = dead->previous;
        if (kept == NULL && dead->size == chunk_bytes) {
            kept = dead;
        } else {
            chunk_free(dead);
        }
    }
    if (kept != NULL) {
        kept->previous = NULL;
    }
    use(arena, kept);
    arena->used_before = 0;
    arena->epoch = next_epoch();
}

void sluice_arena_free(sluice_arena *arena)
{
    if (arena == NULL) {
        return;
    }
    while (arena->newest != NULL) {
        chunk *dead = arena->newest;
        arena->newest = dead->previous;
        chunk_free(dead);
    }
    free(arena);
}

static size_t rounded(size_t size)
{
    if (size > SIZE_MAX / 2) {
        fprintf(stderr, "out of memory: %zu bytes were asked of an arena\n", size);
        abort();
    }
    return (size + alignment - 1) & ~(size_t)(alignment - 1);
}

void *sluice_arena_take(sluice_arena *arena, size_t size)
{
    size_t real = rounded(size);
    if (arena->newest == NULL || (size_t)(arena->end - arena->next) < real) {
        arena->used_before = sluice_arena_used(arena);
        chunk *added = chunk_new(real);
        added->previous = arena->newest;
        use(arena, added);
    }
    void *taken = arena->next;
    arena->next += real;
    return taken;
}

char *sluice_arena_copy(sluice_arena *arena, const void *base, size_t len)
{
    char *copy = sluice_arena_take(arena, len + 1);
    if (len > 0) {
        memcpy(copy, base, len);
    }
    copy[len] = '\0';
    return copy;
}

char *sluice_arena_print(sluice_arena *arena, size_t *ret_len, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    size_t size = len < 0 ? 0 : (size_t)len;
    char *text = sluice_arena_take(arena, size + 1);
    va_start(arguments, format);
    vsnprintf(text, size + 1, format, arguments);
    va_end(arguments);
    if (ret_len != NULL) {
        *ret_len = size;
    }
    return text;
}

void *sluice_arena_grow(sluice_arena *arena, void *base, size_t old_size,
                        size_t new_size)
{
    if (base != NULL && new_size > old_size) {
        char *end_old = (char *)base + rounded(old_size);
        char *end_new = (char *)base + rounded(new_size);
        bool newest = arena->next == end_old;
        if (newest && (size_t)(arena->end - (char *)base) >= rounded(new_size)) {
            arena->next = end_new;
            return base;
        }
    } else if (base != NULL) {
        if (arena->next == (char *)base + rounded(old_size)) {
            arena->next = (char *)base + rounded(new_size);
        }
        return base;
    }
    void *grown = sluice_arena_take(arena, new_size);
    if (old_size > 0) {
        memcpy(grown, base, old_size);
    }
    return grown;
}

size_t sluice_arena_used(const sluice_arena *arena)
{
    size_t in_newest =
        arena->newest == NULL ? 0 : (size_t)(arena->next - arena->newest->bytes);
    return arena->used_before + in_newest;
}
