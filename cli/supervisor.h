/* cli/supervisor.h - keeps child processes of this program running.
 *
 * A child that ends without being asked is started again, after 0.1 s, and after twice
 * as long each further time in a row, up to 10 s; a minute of life ends the row.
 * Children get SIGTERM when the supervisor itself is killed.
 *
 * Threads: the main one; SIGCHLD, SIGINT and SIGTERM are blocked from init on. */
#ifndef CLI_SUPERVISOR_H
#define CLI_SUPERVISOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The caller fills the first four; all is borrowed until supervisor_stop(). */
typedef struct supervisor_child {
    const char *name;
    const char *const *first; /* Arguments of the first start, NULL-ended … */
    const char *const *again; /* … and of every later one. */
    int port;                 /* It is up when 127.0.0.1:port takes connections. */
    pid_t pid;                /* 0: it does not run. */
    int64_t started_at, start_at, backoff_ms;
} supervisor_child;

enum { supervisor_children_max = 4 };

typedef struct supervisor {
    supervisor_child *children[supervisor_children_max];
    size_t count;
    bool asked_to_stop;
} supervisor;

void supervisor_init(supervisor *self);

/* Starts a child and waits until it is up. False: it ended before, or a signal came;
 * then standard error says so. */
bool supervisor_start(supervisor *self, supervisor_child *child);

/* Keeps all children running until SIGINT or SIGTERM: true. */
bool supervisor_run(supervisor *self);

/* Stops the children, the last one first, each with SIGTERM and after 30 s with
 * SIGKILL. */
void supervisor_stop(supervisor *self);

#endif
