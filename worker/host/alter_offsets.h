/* worker/host/alter_offsets.h - a connector is asked whether it can go on from offsets
 * that somebody wants to set.
 *
 * Threads: the main one of an inspecting host. */
#ifndef SLUICE_WORKER_HOST_ALTER_OFFSETS_H
#define SLUICE_WORKER_HOST_ALTER_OFFSETS_H

#include "worker/host/host_state.h"

/* `request`: {"class", "config", "offsets": [[partition, offset or null], …]}.
 * `*ret_external`: the connector has a say, so that nothing is left to do elsewhere.
 * The status and the message of a refusal are the plugin's. */
sluice_status alter_offsets_ask(host *self, const json_t *request, bool *ret_external,
                                sluice_error *err);

/* The same, answered with {"alter_offsets": {"external"}, "id", "error"?}. */
void alter_offsets_answer(host *self, const json_t *request);

#endif
