/* broker/group/coordinator.h - a core that many threads may use.
 *
 * The core is behind one lock, held for a step: microseconds. Network threads submit
 * their requests and go on; sync threads report what is durable; whoever holds the lock
 * takes such reports along. Answers are given after the lock is released, by the thread
 * that did the step, because giving one may bring the connection's next request at
 * once.
 *
 * What needs a disk, a socket or a clock is behind the ops.
 *
 * Threads: any, unless said otherwise. */
#ifndef SLUICE_BROKER_GROUP_COORDINATOR_H
#define SLUICE_BROKER_GROUP_COORDINATOR_H

#include "broker/group/core.h"

typedef struct group_coordinator group_coordinator;

typedef struct group_coordinator_ops {
    /* Appends to `__consumer_offsets`; group_coordinator_appended() tells when it is
     * durable or has failed, from any thread, also before the return. Called in the
     * order in which records are to stand in the log. Must not submit. Everything in
     * `append` is borrowed. */
    void (*append)(void *context, const group_append *append);

    /* Answers a request. Called without the lock; may submit. Everything in `answer` is
     * borrowed. */
    void (*answer)(void *context, const group_answer *answer);

    /* Asks for group_coordinator_wake() at `at_ms` of the monotonic clock, which is
     * sooner than what was asked for before; one call is enough. Must not submit. */
    void (*wake_at)(void *context, int64_t at_ms);

    group_time (*now)(void *context);
} group_coordinator_ops;

/* `ops` and `context` are borrowed. The result is the caller's:
 * group_coordinator_free(). */
group_coordinator *group_coordinator_new(const group_config *config,
                                         const group_coordinator_ops *ops,
                                         void *context);
void group_coordinator_free(group_coordinator *self); /* NULL is accepted. */

/* Loading: before any other thread has it. As group_core_load() and
 * group_core_loaded(). */
sluice_status group_coordinator_load(group_coordinator *self, sluice_bytes key,
                                     sluice_bytes value, sluice_error *err);
void group_coordinator_loaded(group_coordinator *self);

/* Handles an event that came from outside. The request may be answered before the
 * return. After group_coordinator_stop() it is answered NOT_COORDINATOR. */
void group_coordinator_submit(group_coordinator *self, const group_event *event);

void group_coordinator_appended(group_coordinator *self, uint64_t token,
                                int16_t error_code);
void group_coordinator_wake(group_coordinator *self);

/* Answers every request that is parked NOT_COORDINATOR, so that clients look for
 * another. Reports of appends are passed over from then on. */
void group_coordinator_stop(group_coordinator *self);

/* The core, to ask it questions; others wait until the end. */
const group_core *group_coordinator_read(group_coordinator *self);
void group_coordinator_read_end(group_coordinator *self);

#endif
