/* worker/host/inspect.h - a host without a connector: lists plugins, validates.
 *
 * Threads: the main one; inspect_cluster() answers from one of its own. */
#ifndef SLUICE_WORKER_HOST_INSPECT_H
#define SLUICE_WORKER_HOST_INSPECT_H

#include "worker/host/host_state.h"

/* Loads all plugins and sends the list. `request` may have "worker" properties, whose
 * plugin.path counts. */
void inspect_begin(host *self, const json_t *request);

/* Answers {"id":…,"class":…,"config":…,"worker":…}. */
void inspect_validate(host *self, const json_t *request);

/* Asks the log that these worker properties name for its cluster id and answers
 * {"cluster":{"id":…}} or {"cluster":{"error":…}}. */
void inspect_cluster(host *self, const json_t *worker);

#endif
