/* broker/log/hot_tail.h - the newest bytes of a log in memory, for readers at its end.
 *
 *     ... file ...──┬── previous ──┬── newest ──┬─ room ─┐
 *                   │ hot_block    │ hot_block  │        │
 *
 * A consumer that waits for the next record gets it without a look into the file, in
 * the same writev() as the rest of its answer. Batches are kept while somebody reads at
 * the end: each such reader is good for the next 64 appends. Those of more than 32 KiB
 * are not: sendfile() is cheaper for them.
 *
 * A block is written behind what its readers see, so they need no lock.
 *
 * Threads: under the partition's lock; blocks are referenced and released by any.
 * Memory: at most 128 KiB a log, and hot_bytes_max of all logs with the same budget. */
#ifndef SLUICE_BROKER_LOG_HOT_TAIL_H
#define SLUICE_BROKER_LOG_HOT_TAIL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    hot_bytes_max = 16 * 1024 * 1024,
    hot_batch_bytes_max = 32 * 1024,
    hot_block_bytes_max = 64 * 1024,
    hot_credit = 64,
    HOT_BLOCKS = 2,
};

typedef struct hot_block {
    atomic_int references;
    int64_t position; /* In the file, of its first byte. */
    size_t len, room;
    uint8_t bytes[];
} hot_block;

void hot_block_unref(hot_block *self); /* Any thread; NULL is accepted. */

/* All zero: empty. */
typedef struct hot_tail {
    hot_block *newest, *previous; /* Of the same file, without a gap. */
    int64_t segment_base;
    unsigned credit;
    bool fresh; /* Something was added since the last hot_tail_rest(). */
} hot_tail;

void hot_tail_done(hot_tail *self, atomic_size_t *budget);

/* Somebody reads at the end, or waits there. */
void hot_tail_want(hot_tail *self);

/* `len` bytes were written at `position` of the file with `segment_base`. `budget`
 * counts the bytes of all tails. */
void hot_tail_append(hot_tail *self, atomic_size_t *budget, int64_t segment_base,
                     int64_t position, const void *base, size_t len);

/* Gives memory back when nothing was added since the last time. */
void hot_tail_rest(hot_tail *self, atomic_size_t *budget);

/* References the blocks that have all from `position` on, the older one first; returns
 * how many, 0: not all of it is there. */
size_t hot_tail_take(const hot_tail *self, int64_t segment_base, int64_t position,
                     hot_block *ret_blocks[HOT_BLOCKS]);

#endif
