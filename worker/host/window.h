/* worker/host/window.h - rate, average and maximum over the last minute or so.
 *
 * As Kafka's sampled statistics: a number of pieces of some length each, of which the
 * oldest is given up when a new one begins. So what is told reaches back between
 * (pieces - 1) and all of them, and costs the same however much is noted.
 *
 * Threads: one at a time. Times are milliseconds of a clock that only goes forward and
 * has left 0 behind. */
#ifndef SLUICE_WORKER_HOST_WINDOW_H
#define SLUICE_WORKER_HOST_WINDOW_H

#include <stddef.h>
#include <stdint.h>

typedef struct window_piece {
    int64_t began_ms; /* 0: never used. */
    double sum, max;
    uint64_t count;
} window_piece;

typedef struct moving_window {
    window_piece *pieces;
    size_t count;
    int64_t piece_ms;
} moving_window;

void window_init(moving_window *self, size_t pieces, int64_t piece_ms);
void window_done(moving_window *self);

void window_note(moving_window *self, double value, int64_t now);

/* Of what was noted; NaN where nothing was. */
double window_average(const moving_window *self, int64_t now);
double window_highest(const moving_window *self, int64_t now);

/* The sum of what was noted, a second. It is taken over (pieces - 1) whole pieces at
 * least: a rate that has just begun is not taken for more than it is. */
double window_rate(const moving_window *self, int64_t now);

#endif
