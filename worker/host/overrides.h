/* worker/host/overrides.h - which settings of its clients a connector may set itself.
 *
 * connector.client.config.override.policy of the worker says so: All, None, or
 * Principal (who it is to the log, and nothing else).
 *
 * Threads: any. */
#ifndef SLUICE_WORKER_HOST_OVERRIDES_H
#define SLUICE_WORKER_HOST_OVERRIDES_H

#include "worker/host/entries.h"

/* An entry of each producer.override.*, consumer.override.* and admin.override.* of the
 * configuration that counts for a source, or for a sink; with a fault where the policy
 * of `worker` (NULL: All) forbids it. */
void overrides_check(entries *self, const sluice_props *worker, bool is_source);

/* The policy that a class, its simple name or its alias means: "All", "None" or
 * "Principal"; NULL: there is no such. */
const char *overrides_policy(const char *name);

#endif
