/* connectors/postgres/snapshot.h - the tables as they were when the slot was created.
 *
 * Reads each table with COPY in one transaction that has imported the slot's snapshot;
 * so a row is either in the snapshot or in the stream behind it, never in both. The
 * rows go through the same conversion as those of the stream.
 *
 * Threads: a task's own. */
#ifndef SLUICE_POSTGRES_SNAPSHOT_H
#define SLUICE_POSTGRES_SNAPSHOT_H

#include "capture.h"
#include "progress.h"
#include "slot.h"
#include "snapshot_tables.h"

typedef struct snapshot snapshot;

/* Imports the snapshot `start` on a connection of its own, which holds it from then on,
 * and lists the tables. */
sluice_status snapshot_new(const postgres_config *config, sluice_task *task,
                           const filter *filter, const slot_start *start,
                           const progress *progress, snapshot **ret_snapshot,
                           sluice_error *err);
void snapshot_free(snapshot *self);          /* NULL is accepted. */
int64_t snapshot_rows(const snapshot *self); /* That were read so far. */

/* Adds the next rows through `capture`, whose batch has been begun; waits for them.
 * `*ret_done`: these were the last. After a failure it must be taken again from the
 * start. */
sluice_status snapshot_poll(snapshot *self, capture *capture, bool *ret_done,
                            sluice_error *err);

#endif
