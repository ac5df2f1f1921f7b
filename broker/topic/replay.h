/* broker/topic/replay.h - the broker's own topics, read from their first record to
 * their last. */
#ifndef SLUICE_BROKER_TOPIC_REPLAY_H
#define SLUICE_BROKER_TOPIC_REPLAY_H

#include "broker/log/partition.h"
#include "broker/log/record_batch.h"

/* Calls `apply` with each record that is no control record; key, value and the arena
 * are borrowed for the call. A status other than SLUICE_OK ends it. SLUICE_FATAL: the
 * log cannot be read. */
typedef sluice_status replay_apply(void *context, const log_record *one,
                                   sluice_arena *arena, sluice_error *err);
sluice_status partition_replay(partition *self, replay_apply *apply, void *context,
                               sluice_error *err);

#endif
