/* worker/host/positions.h - how far a sink task is in each of its partitions.
 *
 * Threads: the task's. */
#ifndef SLUICE_WORKER_HOST_POSITIONS_H
#define SLUICE_WORKER_HOST_POSITIONS_H

#include "worker/host/kafka_client.h"
#include <sluice/offsets.h>

typedef struct position {
    char *topic;
    int32_t partition;
    int64_t next;      /* Behind the last record that was put (or skipped); -1: none. */
    int64_t committed; /* As last committed; before that where it began; -1: unknown. */
} position;

typedef struct positions {
    position *list;
    size_t count;
    size_t last; /* The one that was found last. */
} positions;

void positions_done(positions *self);

/* The position of a partition that the task has, or NULL. */
position *positions_find(positions *self, const char *topic, int32_t partition);

/* Adds a partition that begins at `offset` (-1: unknown). */
void positions_add(positions *self, const kafka_position *gained);
void positions_remove(positions *self, const char *topic, int32_t partition);

/* Whether anything was put that is not committed. */
bool positions_moved(const positions *self);

/* What was put and is not committed, as the sink's `safe`. The caller's. */
sluice_offsets *positions_safe(const positions *self);

/* What of `safe` can be committed: no further than was put, not what is committed
 * already. The caller's: free(). */
kafka_position *positions_to_commit(const positions *self, const sluice_offsets *safe,
                                    size_t *ret_count);

#endif
