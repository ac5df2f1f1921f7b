/* worker/throttle.h - a process gets so much processor time and no more.
 *
 * Nothing here needs a privilege: whoever looks after a process counts what it and its
 * descendants have used, stops them (SIGSTOP) when their share is used up, and lets
 * them go on when time has given them a new one. The share is a balance in nanoseconds
 * of processor time: time adds `percent` of itself, use takes away. It is kept to what
 * a tenth of a second gives, so that nobody saves up, and to what two seconds take
 * away, so that nobody is silent for longer than a consumer group or the worker
 * bears.
 *
 *     balance  ▲ stop where it is used up      run   ██    ██    ██    25 %
 *              ┊╲   ╱╲   ╱                     stop  ░░████░░████░░███
 *              ┊ ╲ ╱  ╲ ╱  go on where it is full
 *
 * Looks are as far apart as the balance may last at the rate of the last look: at most
 * a tenth of a second while it runs, a quarter while it does nothing.
 *
 * Threads: the caller's. Clocks are the caller's too. */
#ifndef SLUICE_WORKER_THROTTLE_H
#define SLUICE_WORKER_THROTTLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct throttle {
    int64_t percent;    /* Of one processor. */
    int64_t balance_ns; /* What it may use now; below 0: what it has used too much. */
    int64_t look_ns;    /* When it was looked at last … */
    uint64_t used_ns;   /* … and what it had used by then. */
    double rate; /* In processors, when it ran last; below 0: it has just begun. */
    bool stopped;
    int64_t held_ns; /* For how long it has been stopped, of all its life. */
} throttle;

typedef enum throttle_deed {
    THROTTLE_NOTHING,
    THROTTLE_STOP, /* Also when it went on without being allowed to. */
    THROTTLE_CONTINUE,
} throttle_deed;

/* `percent` must be positive. It runs, and has used nothing. */
void throttle_init(throttle *self, int64_t percent, int64_t now_ns);

/* It has used `used_ns` since it began, at `now_ns` of a monotonic clock. Returns what
 * is to be done to it, and when to look again. */
throttle_deed throttle_look(throttle *self, uint64_t used_ns, int64_t now_ns,
                            int64_t *ret_next_ns);

enum { THROTTLE_TREE_MAX = 1024 };

/* The processor time in ns that `root` and its descendants have used, with what those
 * used that it has waited for. Their ids go to `ret_tree`, `root` first,
 * THROTTLE_TREE_MAX at most: what is beyond is not counted. */
uint64_t throttle_tree_used(pid_t root, pid_t *ret_tree, size_t *ret_count);

#endif
