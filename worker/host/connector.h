/* worker/host/connector.h - the connector of a host: started, divided into tasks, run.
 *
 * Threads: the main one. */
#ifndef SLUICE_WORKER_HOST_CONNECTOR_H
#define SLUICE_WORKER_HOST_CONNECTOR_H

#include "worker/host/host_state.h"

/* Starts what the message describes. A failure is told to the worker, not returned. */
void connector_start(host *self, const json_t *start);

void connector_pause(host *self, bool paused);
void connector_restart_task(host *self, int number);

/* Tells all tasks to stop; connector_tend() sees the rest. */
void connector_stop(host *self);

/* Looks after tasks that have ended, splits that were asked for, offsets that are due.
 * Called after everything that happened. */
void connector_tend(host *self);

/* Takes the log's answers. */
void connector_serve_deliveries(host *self);

/* The worker has stored the offsets of this sequence number. */
void connector_stored(host *self, int64_t sequence);

/* When connector_tend() has something to do by itself, in clock_ms(); -1: never. */
int64_t connector_deadline(const host *self);

/* [{figures of a task}, …], the caller's. */
json_t *connector_figures(host *self);

/* Frees everything; all tasks have ended. */
void connector_done(host *self);

#endif
