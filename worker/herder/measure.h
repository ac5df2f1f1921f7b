/* measure.h - /metrics, put together beside the herder's thread.
 *
 * With a hundred connectors that is 700 kB of text, and the memory of as many processes
 * of which the kernel has to walk the pages (0.2 to 0.5 ms each, in which a process
 * cannot map any): so the herder gives a snapshot of what it knows, and a process's
 * share is only read again when what it has resident has changed by a quarter of a
 * megabyte, or after a minute.
 *
 * Threads: init, begin, wait and done from the herder's; `done` of a measure is called
 * on another. */
#ifndef SLUICE_HERDER_MEASURE_H
#define SLUICE_HERDER_MEASURE_H

#include "base/map.h"
#include "worker/herder/herder.h"
#include <pthread.h>
#include <stdbool.h>
#include <sys/types.h>

typedef struct measured_host {
    uint64_t id; /* Of the process among all that this worker has ever had. */
    char *title; /* The connector. */
    pid_t pid;   /* 0: not known yet. */
    int64_t held_ms;
    bool is_inspector;
} measured_host;

typedef struct measures {
    pthread_mutex_t lock; /* Guards `running`. */
    pthread_cond_t ended;
    size_t running;
    pthread_mutex_t memory_lock; /* Guards what follows, while it is read too. */
    map memory;                  /* id -> what was read last */
} measures;

void measures_init(measures *self);

/* Waits for the last one. */
void measures_wait(measures *self);
/* The same, and frees what is kept. */
void measures_done(measures *self);

/* Gives the whole text to `done`, and the snapshot back, which is to be freed on the
 * thread of the herder. Takes both, and `hosts` with their titles. */
typedef void measures_end(void *context, const char *text, herder *snapshot_taken);
void measures_begin(measures *self, herder *snapshot, measured_host *hosts,
                    size_t count, measures_end *done, void *context);

#endif
