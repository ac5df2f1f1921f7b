/* worker/host/figures.h - what a task has done, as Kafka Connect's metrics tell it.
 *
 * Totals are plain counters. Rates, averages and maxima are over a window that moves.
 *
 * Threads: the counters any; figures_note() any; the JSON is made by the main thread.
 */
#ifndef SLUICE_WORKER_HOST_FIGURES_H
#define SLUICE_WORKER_HOST_FIGURES_H

#include "worker/host/window.h"
#include <jansson.h>
#include <pthread.h>
#include <sluice/config.h>
#include <stdatomic.h>

/* What only goes up, and has a rate. */
typedef enum figure_count {
    COUNT_POLLED,  /* A source's: records that poll() brought. */
    COUNT_WRITTEN, /* … of which the log has answered, */
    COUNT_DROPPED, /* … and those that never go there: filtered, skipped, lost. */
    COUNT_READ,    /* A sink's: records consumed. */
    COUNT_SENT,    /* … of which, after the transformations, put() got. */
    COUNT_COMMITS, /* … whose positions were committed: how often. */
    COUNT_SKIPS,   /* … and how often that was left out. */
    FIGURE_COUNTS,
} figure_count;

/* What has an average and a maximum. */
typedef enum figure_value {
    VALUE_POLL_MS,
    VALUE_BATCH,  /* Records handed on together. */
    VALUE_ACTIVE, /* Records on their way. */
    VALUE_COMMIT_MS,
    VALUE_COMMIT_OK, /* 1, or 0 where it did not go. */
    VALUE_PUT_MS,
    FIGURE_VALUES,
} figure_value;

/* Where a sink stands in a partition. */
typedef struct figure_place {
    char *topic;
    int32_t partition;
    int64_t next, committed; /* -1: not known. */
    int64_t lag;             /* Records that wait; -1: not known. */
} figure_place;

/* Of so many partitions a task tells the places; the lag of all counts in the sum. */
enum { FIGURE_PLACES_MAX = 1000 };

typedef struct figures {
    _Atomic uint64_t counts[FIGURE_COUNTS];
    uint64_t seen[FIGURE_COUNTS]; /* The main thread's: in the rates already. */

    pthread_mutex_t lock; /* Guards what follows. */
    moving_window rates[FIGURE_COUNTS], values[FIGURE_VALUES];
    int64_t active; /* As noted last. */
    const char *state;
    int64_t state_ms, first_ms, running_ms, paused_ms;
    figure_place *places;
    size_t place_count;
    bool places_new;
} figures;

/* The window from metrics.sample.window.ms and metrics.num.samples of the worker. */
void figures_init(figures *self, const sluice_props *worker);
void figures_done(figures *self);

static inline void figures_add(figures *self, figure_count what, uint64_t more)
{
    atomic_fetch_add_explicit(&self->counts[what], more, memory_order_relaxed);
}

/* Notes a value, at clock_ms(). */
void figures_note(figures *self, figure_value what, double value);

/* Polling began at `began_us` (figures_clock_us()) and has brought `records`. */
void figures_polled(figures *self, int64_t began_us, size_t records);

/* What poll() brought is on its way, `launched` of it: the rest is dropped. */
void figures_launched(figures *self, size_t polled, size_t launched);

/* A commit that began at `began_ms` (clock_ms()) is over. */
void figures_committed(figures *self, int64_t began_ms, bool done);

/* The state that was told: "RUNNING", "PAUSED", … (a constant). */
void figures_state(figures *self, const char *state);

/* The places of all partitions, `count` of them (taken, malloc()ed); `active` records
 * were consumed and are not committed. */
void figures_places(figures *self, figure_place *places, size_t count, int64_t active);

int64_t figures_clock_us(void);

/* All of it under the names of Kafka Connect's attributes, the caller's; and, where
 * that is news, the places, as [[topic, partition, next, committed, lag], …]. */
json_t *figures_json(figures *self, bool is_source);
json_t *figures_places_json(figures *self);

#endif
