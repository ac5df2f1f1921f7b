/* broker/net/rest.h - work that is repeated while things happen rests when nothing
 * does.
 *
 * Who does the work on a loop, by a timer, asks rest_begin() after each time whether
 * anything has happened since the time before. If not he sets no timer, and the first
 * rest_disturb() after that posts `wake` to his loop. */
#ifndef SLUICE_BROKER_NET_REST_H
#define SLUICE_BROKER_NET_REST_H

#include "broker/net/loop.h"
#include <stdatomic.h>

typedef enum rest_state {
    REST_WATCHING = 0, /* Nothing has happened since the last time. */
    REST_DISTURBED,
    REST_RESTING,
} rest_state;

typedef struct rest {
    atomic_int state;
    loop *loop;
    loop_task wake; /* `run` is the owner's. */
} rest;

static inline void rest_init(rest *self, loop *its_loop, void (*wake)(loop_task *task))
{
    *self = (rest){.loop = its_loop, .wake.run = wake};
}

/* Something happens. Any thread; costs a read of memory that seldom changes. */
static inline void rest_disturb(rest *self)
{
    if (atomic_load_explicit(&self->state, memory_order_relaxed) == REST_DISTURBED) {
        return;
    }
    if (atomic_exchange(&self->state, REST_DISTURBED) == REST_RESTING) {
        loop_post(self->loop, &self->wake);
    }
}

/* Returns whether nothing has happened since it was asked last: the rest has begun.
 * The loop's thread, not between a wake and its run. */
static inline bool rest_begin(rest *self)
{
    int watching = REST_WATCHING;
    if (atomic_compare_exchange_strong(&self->state, &watching, REST_RESTING)) {
        return true;
    }
    atomic_store(&self->state, REST_WATCHING);
    return false;
}

static inline bool rest_is_on(const rest *self)
{
    return atomic_load(&self->state) == REST_RESTING;
}

#endif
