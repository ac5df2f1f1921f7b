/* broker/net/loop.h - one thread, one epoll: descriptors, timers, and tasks from
 * others.
 *
 * Everything that belongs to a loop is touched by its thread only. Others reach it with
 * loop_post(), which costs a system call only when the loop may be asleep. A loop that
 * nothing happens to sleeps until its next timer, or for ever.
 *
 * Memory: watches, timers and tasks are parts of their owners' structs; the loop never
 * allocates for them. */
#ifndef SLUICE_BROKER_NET_LOOP_H
#define SLUICE_BROKER_NET_LOOP_H

#include <sluice/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct loop loop;

/* A descriptor that the loop waits for. `ready` gets EPOLLIN, EPOLLOUT, … */
typedef struct loop_watch loop_watch;
struct loop_watch {
    void (*ready)(loop_watch *self, uint32_t events);
    int fd;
    uint32_t events; /* What is waited for now. */
};

/* Something to be done on the loop's thread, once for each post. */
typedef struct loop_task loop_task;
struct loop_task {
    void (*run)(loop_task *self);
    loop_task *next; /* The loop's. */
};

typedef struct loop_timer loop_timer;
struct loop_timer {
    void (*run)(loop_timer *self);
    int64_t at_ms; /* loop_now_ms() */
    size_t place;  /* The loop's; 0: not set. */
};

/* Both milliseconds: the first never jumps, the second is since 1970. */
int64_t loop_now_ms(void);
int64_t loop_wall_ms(void);

/* `name` is the thread's ("net-0"). SLUICE_FATAL: the kernel refuses. */
sluice_status loop_new(const char *name, loop **ret_loop, sluice_error *err);

/* Runs what was posted since the stop, then frees. NULL is accepted. */
void loop_free(loop *self);

/* Starts and ends the thread. */
sluice_status loop_start(loop *self, sluice_error *err);
void loop_stop(loop *self);

bool loop_is_here(const loop *self); /* Whether the caller is its thread. */

/* Any thread. A task is not posted again before it was run. */
void loop_post(loop *self, loop_task *task);

/* Posts, and returns when the task was run. Not from the loop's own thread. */
void loop_call(loop *self, loop_task *task);

/* The rest: the loop's thread only, or before it starts. */

/* Adds `watch`, or changes its events; 0 events still tells of a hang-up. Returns
 * whether the kernel accepted it. */
bool loop_watch_set(loop *self, loop_watch *watch, uint32_t events);
void loop_watch_remove(loop *self, loop_watch *watch);

/* Sets or moves a timer; it runs once. */
void loop_timer_set(loop *self, loop_timer *timer, int64_t at_ms);
void loop_timer_remove(loop *self, loop_timer *timer); /* One that is not set: fine. */

/* Runs `task` after all events of this round: to do once what several events asked
 * for. As loop_post(), without the wake-up. */
void loop_defer(loop *self, loop_task *task);

/* A place for bytes that are received and handled within one event; `ret_size` bytes.
 */
uint8_t *loop_scratch(loop *self, size_t *ret_size);

#endif
