/* worker/host/source_task.h - a source's task: poll, transform, convert, launch.
 *
 * What becomes of a batch then, and of its offsets, is in flights.h.
 *
 * Threads: said at each function. */
#ifndef SLUICE_WORKER_HOST_SOURCE_TASK_H
#define SLUICE_WORKER_HOST_SOURCE_TASK_H

#include "worker/host/flights.h"

/* A task of the host's source. `props` is taken. Main thread. */
runner *source_task_new(host *of, int number, sluice_props *props);

/* What it has on the way. Main thread. */
flights *source_task_flights(runner *task);

#endif
