/* worker/host/group_offsets.h - answers what the worker asks about a sink's offsets.
 *
 * Threads: the main one of an inspecting host; waits for the log's answer. */
#ifndef SLUICE_WORKER_HOST_GROUP_OFFSETS_H
#define SLUICE_WORKER_HOST_GROUP_OFFSETS_H

#include "worker/host/host_state.h"

/* Answers {"id", "action": "list|alter|delete", "group", "worker", "config",
 * "offsets"?} with {"group_offsets": offsets or null, "id", "error"?, "code"?}. */
void group_offsets_answer(host *self, const json_t *request);

#endif
