/* sluice/task.h - the worker's side of a task: what a running source or sink may ask.
 *
 * Threads: the task's own thread only, except where a function says any.
 * Memory: what is returned is borrowed for as long as the task runs. */
#ifndef SLUICE_TASK_H
#define SLUICE_TASK_H

#include <sluice/config.h>
#include <sluice/record.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sluice_task sluice_task;

SLUICE_API const char *sluice_task_connector(const sluice_task *task); /* Its name. */
SLUICE_API int sluice_task_number(const sluice_task *task);            /* From 0. */
/* The whole configuration of the task, with references resolved. */
SLUICE_API const sluice_props *sluice_task_props(const sluice_task *task);

/* --- Waiting. --- */

/* Readable once the task should stop, and from then on. Whatever waits for anything
 * waits for this too. */
SLUICE_API int sluice_task_stop_fd(const sluice_task *task);
/* Readable while the worker wants poll() to return soon, to call `committed`, to pause,
 * or to stop: return what there is, an empty batch too. The worker clears it. */
SLUICE_API int sluice_task_wake_fd(const sluice_task *task);

/* What ended a wait; several may be set. */
typedef enum sluice_wait {
    SLUICE_WAIT_TIMEOUT = 0,
    SLUICE_WAIT_READY = 1, /* `fd` has one of the events. */
    SLUICE_WAIT_WAKE = 2,  /* Return from poll(). */
    SLUICE_WAIT_STOP = 4,  /* Return from anything. */
} sluice_wait;

/* Waits until `fd` (-1: none) has one of the poll(2) `events`, the task is woken or
 * stopped, or `timeout_ms` (-1: no limit) is over. Returns a set of sluice_wait. This
 * is how a source waits for its data, and how anybody sleeps. */
SLUICE_API unsigned sluice_task_wait(const sluice_task *task, int fd, short events,
                                     int timeout_ms);

/* --- Positions. --- */

/* A source's stored offsets: sluice_offsets_find() with its own partition map. */
SLUICE_API const sluice_offsets *sluice_task_offsets(const sluice_task *task);

/* For a sink: the next record of this topic partition to be put is the one at `offset`.
 * Takes effect before the next put. */
SLUICE_API void sluice_task_rewind(sluice_task *task, const char *topic,
                                   int32_t partition, int64_t offset);
/* For a sink: flush and commit soon, without waiting for offset.flush.interval.ms. */
SLUICE_API void sluice_task_ask_commit(sluice_task *task);

/* --- Telling. --- */

/* The outside has changed: `split` is called again, and the tasks start anew. Any
 * thread. */
SLUICE_API void sluice_task_ask_split(sluice_task *task);

/* For a sink: `record` of the batch that is being put cannot be delivered, for the
 * reason in `why`. The rest of the batch goes on. SLUICE_OK: tolerated, and written to
 * the dead letters where there are any. Any other status: `errors.tolerance` forbids
 * it, and put() returns that status. */
SLUICE_API sluice_status sluice_task_dead_letter(sluice_task *task,
                                                 const sluice_record *record,
                                                 sluice_error *why);

/* A number for metrics: "snapshot.rows", "lag.bytes"; /metrics shows it as
 * sluice_task_gauge{name="lag.bytes"}. A name with labels, such as
 * `debezium_metrics_Connected{context="streaming"}`, is shown as a metric of that name,
 * for the dashboards there are, with the labels connector and task besides. At most 64
 * names a task, copied. Cheap: may be called per batch. */
SLUICE_API void sluice_task_gauge(sluice_task *task, const char *name, int64_t value);

/* What the task is doing, in a few words, for the report of a crash, and for /status,
 * where it is the `trace` of a task that is RUNNING: "snapshot of public.orders".
 * Copied; NULL for nothing special. */
SLUICE_API void sluice_task_doing(sluice_task *task, const char *what);

#ifdef __cplusplus
}
#endif

#endif
