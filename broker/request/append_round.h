/* broker/request/append_round.h - small batches that came in one round of a loop are
 * appended together.
 *
 * Many producers that send a record each are many ready sockets in one round of epoll:
 * their batches for the same partition then cost one turn of its lock and one
 * pwritev(), not one each. A round that brought a single batch appends it as soon as
 * without: there is no timer and nothing waits for more.
 *
 * Threads: its loop's. */
#ifndef SLUICE_BROKER_REQUEST_APPEND_ROUND_H
#define SLUICE_BROKER_REQUEST_APPEND_ROUND_H

#include "broker/log/partition.h"
#include "broker/net/loop.h"

/* Larger batches are not worth the copy that waiting takes. */
enum { round_batch_bytes_max = 8192 };

typedef struct round_append round_append;
struct round_append {
    partition *log;
    const void *base; /* The batch, for the call of append_round_add(). */
    size_t len;       /* At most round_batch_bytes_max. */
    int16_t acks;
    void (*done)(round_append *self, const partition_append *outcome);

    /* The round's: */
    uint8_t *copy;
    round_append *next;
};

typedef struct append_round {
    loop *loop;
    loop_task task;
    bool due;      /* `task` is deferred: also after an early flush. */
    bool flushing; /* A done() adds nothing. */
    round_append *first, **last;
    size_t count;
    uint8_t *copies; /* Of the batches; made when there is the first. */
    size_t copied;
} append_round;

void append_round_init(append_round *self, loop *its_loop);
void append_round_done(append_round *self);

/* Appends `one`, which lives until its done(), after the events of this round, or
 * earlier. */
void append_round_add(append_round *self, round_append *one);

/* Appends what was added now: whoever appends by himself keeps the order with it. */
void append_round_flush(append_round *self);

#endif
