/* measure.h - the memory of all hosts, read beside the herder's thread.
 *
 * The kernel walks a process's pages to tell its share of them: half a millisecond
 * each, which is too long for a hundred hosts in the thread that everybody waits for.
 *
 * Threads: begin and wait from the herder's; `done` is called on another. */
#ifndef SLUICE_HERDER_MEASURE_H
#define SLUICE_HERDER_MEASURE_H

#include "base/buffer.h"
#include <pthread.h>
#include <stdbool.h>
#include <sys/types.h>

typedef struct measured_host {
    char *title; /* The connector. */
    pid_t pid;   /* 0: not known yet. */
    bool is_inspector;
} measured_host;

typedef struct measures {
    pthread_mutex_t lock; /* Guards what follows. */
    pthread_cond_t ended;
    size_t running;
} measures;

void measures_init(measures *self);

/* Waits for the last one. */
void measures_done(measures *self);

/* Appends the rows of these hosts to `out`, and gives that to `done`. Takes `out`, and
 * `hosts` with their titles. */
typedef void measures_end(void *context, const char *text);
void measures_begin(measures *self, buffer *out, measured_host *hosts, size_t count,
                    measures_end *done, void *context);

#endif
