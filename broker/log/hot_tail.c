/* The newest bytes of a log, in two blocks: one that fills, and the one before. */
#include "broker/log/hot_tail.h"
#include "base/memory.h"
#include <stdlib.h>
#include <string.h>

enum { first_block_bytes = 4 * 1024 };

void hot_block_unref(hot_block *self)
{
    if (self != NULL &&
        atomic_fetch_sub_explicit(&self->references, 1, memory_order_acq_rel) == 1) {
        free(self);
    }
}

/* The tail's own reference: what it holds counts, what readers still hold does not. */
static void let_go(hot_block *block, atomic_size_t *budget)
{
    if (block != NULL) {
        atomic_fetch_sub_explicit(budget, block->room, memory_order_relaxed);
        hot_block_unref(block);
    }
}

void hot_tail_done(hot_tail *self, atomic_size_t *budget)
{
    let_go(self->newest, budget);
    let_go(self->previous, budget);
    self->newest = self->previous = NULL;
}

void hot_tail_want(hot_tail *self)
{
    self->credit = hot_credit;
}

static hot_block *block_new(size_t room, int64_t position, atomic_size_t *budget)
{
    size_t before = atomic_fetch_add_explicit(budget, room, memory_order_relaxed);
    if (before + room > hot_bytes_max) {
        atomic_fetch_sub_explicit(budget, room, memory_order_relaxed);
        return NULL;
    }
    hot_block *self = memory_take(sizeof *self + room);
    atomic_init(&self->references, 1);
    self->position = position;
    self->len = 0;
    self->room = room;
    return self;
}

/* A block with room for `len` bytes at `position`: each is larger than the one before,
 * so that a quiet log holds little. */
static bool make_room(hot_tail *self, atomic_size_t *budget, int64_t position,
                      size_t len)
{
    if (self->newest != NULL && self->newest->room - self->newest->len >= len) {
        return true;
    }
    size_t room = self->newest == NULL ? first_block_bytes : 4 * self->newest->room;
    while (room < len) {
        room *= 4;
    }
    if (room > hot_block_bytes_max) {
        room = hot_block_bytes_max;
    }
    hot_block *made = block_new(room, position, budget);
    if (made == NULL) {
        return false;
    }
    let_go(self->previous, budget);
    self->previous = self->newest;
    self->newest = made;
    return true;
}

static bool follows(const hot_tail *self, int64_t segment_base, int64_t position)
{
    const hot_block *block = self->newest;
    return block == NULL || (self->segment_base == segment_base &&
                             block->position + (int64_t)block->len == position);
}

void hot_tail_append(hot_tail *self, atomic_size_t *budget, int64_t segment_base,
                     int64_t position, const void *base, size_t len)
{
    if (self->credit == 0 || len > hot_batch_bytes_max) {
        hot_tail_done(self, budget);
        return;
    }
    self->credit--;
    if (!follows(self, segment_base, position)) {
        hot_tail_done(self, budget);
    }
    if (!make_room(self, budget, position, len)) {
        hot_tail_done(self, budget);
        return;
    }
    self->segment_base = segment_base;
    self->fresh = true;
    memcpy(self->newest->bytes + self->newest->len, base, len);
    self->newest->len += len;
}

void hot_tail_rest(hot_tail *self, atomic_size_t *budget)
{
    if (!self->fresh) {
        hot_tail_done(self, budget);
    }
    self->fresh = false;
}

size_t hot_tail_take(const hot_tail *self, int64_t segment_base, int64_t position,
                     hot_block *ret_blocks[HOT_BLOCKS])
{
    size_t count = 0;
    if (self->newest == NULL || self->segment_base != segment_base) {
        return 0;
    }
    if (position < self->newest->position) {
        if (self->previous == NULL || position < self->previous->position) {
            return 0;
        }
        ret_blocks[count++] = self->previous;
    }
    ret_blocks[count++] = self->newest;
    for (size_t i = 0; i < count; i++) {
        atomic_fetch_add_explicit(&ret_blocks[i]->references, 1, memory_order_relaxed);
    }
    return count;
}
