/* worker/host/source_task.h - poll, transform, convert, produce; offsets in order.
 *
 * A polled batch is a *flight*: its records' bytes stay in its arena until the log has
 * all of them. Flights of a task land in the order they started; the offsets of those
 * that have landed are collected, sent to the worker, stored, and only then does the
 * source hear `committed`.
 *
 *     task thread:  poll ─► transforms ─► converters ─► produce
 *                     ▲ a free flight                      │ deliveries
 *     main thread:    └──── landed, in order ◄─────────────┘
 *                             └► offsets ─► worker ─► stored ─► committed (task thread)
 *
 * Order is per task, not per source partition: a flight that is slow holds back the
 * offsets of later ones, which are bounded. What is in flight is bounded in bytes and
 * in number; at the bound poll is not called, and memory does not grow. */
#ifndef SLUICE_WORKER_HOST_SOURCE_TASK_H
#define SLUICE_WORKER_HOST_SOURCE_TASK_H

#include "worker/host/kafka_client.h"
#include "worker/host/runner.h"

/* A task of the host's source. `props` is taken. Main thread. */
runner *source_task_new(host *of, int number, sluice_props *props);

/* --- Main thread. --- */

/* What kafka_producer_serve() calls; the context is the host. */
extern const kafka_delivery_ops source_deliveries;

/* Flights that have not landed. */
size_t source_task_in_flight(runner *task);

/* Whether there are offsets to be stored. */
bool source_task_has_offsets(runner *task);

/* Moves them into `all`; they count as on their way until source_task_stored(). */
void source_task_collect(runner *task, sluice_offsets *all);

/* What was collected last is stored: the source will be told. */
void source_task_stored(runner *task);

#endif
