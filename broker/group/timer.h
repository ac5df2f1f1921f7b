/* broker/group/timer.h - deadlines of one core, the soonest first.
 *
 * A binary heap of timers that live inside their owners, so that a heartbeat moves its
 * session's timer without an allocation and without leaving the old one behind. Timers
 * of the same deadline fall due in the order in which they were set.
 *
 * Threads: the core's. Memory: a timer is its owner's, and cancelled before it goes. */
#ifndef SLUICE_BROKER_GROUP_TIMER_H
#define SLUICE_BROKER_GROUP_TIMER_H

#include <stddef.h>
#include <stdint.h>

typedef enum group_timer_kind {
    GROUP_TIMER_SESSION = 0, /* Of a group_member. */
    GROUP_TIMER_INVITED,     /* Of a group_invited: it was told its id. */
    GROUP_TIMER_REBALANCE,   /* Of a group: the present phase. */
    GROUP_TIMER_EXPIRY,      /* Of the core: offsets to forget. */
} group_timer_kind;

/* Zero apart from kind and owner when it is made. */
typedef struct group_timer {
    group_timer_kind kind;
    void *owner;
    int64_t deadline_ms;
    uint64_t order;
    size_t place; /* In the heap, from 1; 0: not set. */
} group_timer;

typedef struct group_timers {
    group_timer **heap;
    size_t count;
    size_t room;
    uint64_t order;
} group_timers;

void group_timers_init(group_timers *self);
void group_timers_done(group_timers *self); /* Leaves the timers alone. */

/* Sets it, or moves it when it is set. */
void group_timers_set(group_timers *self, group_timer *timer, int64_t deadline_ms);
void group_timers_cancel(group_timers *self, group_timer *timer); /* Also if not set. */

/* Takes one whose deadline is `now_ms` or before, or NULL. */
group_timer *group_timers_take_due(group_timers *self, int64_t now_ms);

/* The soonest deadline, or INT64_MAX. */
int64_t group_timers_deadline(const group_timers *self);

#endif
