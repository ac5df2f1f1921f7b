/* worker/host/sink_task.h - consume, convert, transform, put; flush, then commit.
 *
 * One consumer per task, all in the group connect-NAME. Records are decoded where the
 * client received them and put in batches of up to max.poll.records. Offsets are
 * committed only after the sink has flushed, each offset.flush.interval.ms, when the
 * sink asks, before partitions go to another task, and at the end.
 *
 * put() is not called with an empty batch, as Kafka Connect does: an idle sink costs
 * nothing. A sink that collects records writes them in flush(), or asks for one.
 *
 * After RETRY the same batch comes again, with growing pauses, while the partitions
 * are paused and the consumer is still served, so that the group does not give up on
 * the task. */
#ifndef SLUICE_WORKER_HOST_SINK_TASK_H
#define SLUICE_WORKER_HOST_SINK_TASK_H

#include "worker/host/runner.h"

/* A task of the host's sink. `props` is taken. Main thread. */
runner *sink_task_new(host *of, int number, sluice_props *props);

#endif
