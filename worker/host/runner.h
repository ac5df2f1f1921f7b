/* worker/host/runner.h - a task and its thread, whatever it does.
 *
 * What sources and sinks have in common: what the plugin sees of the worker, the
 * thread, being stopped, paused and woken, the transformations, the converters, the
 * figures. source_task.h and sink_task.h embed it.
 *
 *     host's main thread                        the task's thread
 *     runner_start ──────────────────────────► ops->run
 *     runner_stop, runner_pause, runner_wake ─► stop_fd, wake_fd
 *     host's event_fd ◄─────────────────────── state, ended
 *
 * Threads: said at each function. */
#ifndef SLUICE_WORKER_HOST_RUNNER_H
#define SLUICE_WORKER_HOST_RUNNER_H

#include "lib/task.h"
#include "worker/control/control.h"
#include "worker/host/chain.h"
#include "worker/host/convert.h"
#include "worker/host/figures.h"
#include <pthread.h>

typedef struct runner runner;
typedef struct host host;

enum { gauges_max = 64 };

typedef struct runner_ops {
    /* The whole life of the task, in its thread: begins by making it, ends when it is
     * to stop or has failed. Anything but OK: failed, with the reason. */
    sluice_status (*run)(runner *self, sluice_error *err);
    void (*free)(runner *self);
} runner_ops;

struct runner {
    sluice_task task; /* First, so that the one is the other. */
    const runner_ops *ops;
    host *host;
    sluice_props *props;     /* The task's whole configuration. */
    sluice_offsets *offsets; /* A source's stored ones, as they were when it began. */
    void *config;            /* The plugin's, made from it. */
    const common_config *common;
    chain *chain;
    converters *converters;
    error_policy errors;

    pthread_t thread;
    bool started, joined; /* The main thread's. */
    bool restart;         /* The main thread's: start it anew when it has ended. */
    _Atomic bool ended;
    _Atomic bool winding; /* It wants its last offsets stored now. */
    _Atomic bool stopping, woken, paused;
    bool shown_paused; /* The task thread's: what was told last. */

    control_doing *doing; /* The shared page's slot, or one of the host's own. */
    uint32_t seen_turns;  /* The main thread's: how far it was at the last look … */
    int64_t seen_ms;      /* … and since when. */

    figures figures;
    _Atomic uint64_t records, bytes;
    _Atomic int64_t lag;
    pthread_mutex_t lock; /* Guards what follows. */
    char *retry;          /* Why something is tried again; NULL: nothing is. */
    char *note;
    struct {
        char *name;
        int64_t value;
    } gauges[gauges_max];
    size_t gauge_count;
};

/* Fills a zeroed runner; `props` is taken. Main thread. */
void runner_init(runner *self, host *of, int number, sluice_props *props,
                 const runner_ops *ops, const task_ops *task);
void runner_done(runner *self);

/* Main thread. */
sluice_status runner_start(runner *self, sluice_error *err);
void runner_stop(runner *self);
void runner_pause(runner *self, bool paused);
void runner_join(runner *self);

/* Any thread. */
void runner_wake(runner *self);

/* --- The task's thread. --- */

/* The thread lives: whatever it is in has not been forgotten. */
static inline void runner_turn(runner *self)
{
    uint32_t turns = atomic_load_explicit(&self->doing->turns, memory_order_relaxed);
    atomic_store_explicit(&self->doing->turns, turns + 1, memory_order_relaxed);
}

/* Notes which call begins and returns the one before; for the report of a crash. */
static inline uint32_t runner_enter(runner *self, control_call call)
{
    runner_turn(self);
    uint32_t before = atomic_load_explicit(&self->doing->call, memory_order_relaxed);
    atomic_store_explicit(&self->doing->call, (uint32_t)call, memory_order_relaxed);
    return before;
}

/* The same for the main thread, which has slot 0. */
static inline void runner_slot_enter(control_doing_page *page, control_call call)
{
    atomic_store(&page->slots[0].call, (uint32_t)call);
    atomic_fetch_add(&page->slots[0].turns, 1);
}

static inline bool runner_is_stopping(const runner *self)
{
    return atomic_load_explicit(&self->stopping, memory_order_relaxed);
}

/* A text of a plugin's as others may see it: without secrets, as UTF-8, 64 KiB at most.
 * The caller's. Any thread. */
char *runner_shown(const char *text);

/* Makes `config`, the chain and the converters. */
sluice_status runner_prepare(runner *self, sluice_error *err);

/* Whether somebody has woken the task since the last call, which is forgotten then. */
bool runner_was_woken(runner *self);
/* The same after a wait that ended for no reason that is known. */
bool runner_clear_wake(runner *self);

/* Waits for `delay_ms`, or until it is woken or stopped, while the reason is shown:
 * after a call has said RETRY. */
void runner_back_off(runner *self, backoff *state, const char *call,
                     const char *reason);
/* The same without the wait: returns how long it is to be, in milliseconds. */
int runner_note_retry(runner *self, backoff *state, const char *call,
                      const char *reason);
/* The call has worked again. */
void runner_recovered(runner *self, backoff *state, const char *call);

/* Makes the task with create(), which is called again while it says RETRY. `*ret_self`
 * NULL and OK: it was stopped before it was made. */
typedef sluice_status (*runner_create)(const void *config, sluice_task *task,
                                       void **ret_self, sluice_error *err);
sluice_status runner_make(runner *self, runner_create create, void **ret_self,
                          sluice_error *err);

/* Tells the worker: "RUNNING", "PAUSED", "FAILED", "UNASSIGNED". Any thread. */
void runner_tell(runner *self, const char *state, const char *trace);

/* What sluice_task_gauge(), _doing() and _ask_split() do. */
void runner_gauge(sluice_task *task, const char *name, int64_t value);
void runner_doing(sluice_task *task, const char *what);
void runner_ask_split(sluice_task *task);

/* Its figures for a pong, the caller's. `in_flight` is the kind's own. Main thread. */
json_t *runner_figures(runner *self, size_t in_flight);

/* A topic is used: the worker is told of each once. `topic` may be any text. */
void runner_topic(runner *self, const char *topic);

#endif
