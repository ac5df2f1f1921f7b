/* broker/net/counters.h - what a network thread counts: requests and their times,
 * bytes.
 *
 * Each thread has counters of its own and is the only one that writes them, so counting
 * is an addition in its own cache; who shows them adds the threads up.
 *
 * Threads: counter_add() its thread; counter_read() any. */
#ifndef SLUICE_BROKER_NET_COUNTERS_H
#define SLUICE_BROKER_NET_COUNTERS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* Bounds of the times, in microseconds: from what a request takes that is answered from
 * memory to what one takes that waits (fetch.max.wait.ms, a rebalance). */
enum { counters_apis = 96, counters_buckets = 12 };
extern const int64_t counters_bounds_us[counters_buckets];

typedef _Atomic int64_t counter;

typedef struct request_counters {
    counter begun;   /* Requests that came. */
    counter ended;   /* That were answered, or ended. */
    counter refused; /* Of them: ended by closing the connection. */
    counter time_us; /* The sum, from the frame to the answer. */
    counter within[counters_buckets + 1]; /* By time; the last: longer than all. */
} request_counters;

typedef struct net_counters {
    request_counters apis[counters_apis];
    counter received_bytes, sent_bytes;
} net_counters;

static inline void counter_add(counter *self, int64_t value)
{
    int64_t before = atomic_load_explicit(self, memory_order_relaxed);
    atomic_store_explicit(self, before + value, memory_order_relaxed);
}

static inline int64_t counter_read(const counter *self)
{
    return atomic_load_explicit((counter *)self, memory_order_relaxed);
}

/* The counters of an API, or NULL for a key that none has. */
static inline request_counters *counters_of(net_counters *self, int16_t key)
{
    return key >= 0 && key < counters_apis ? &self->apis[key] : NULL;
}

void counters_end(request_counters *self, int64_t time_us);

int64_t counters_now_us(void); /* Monotonic. */

#endif
