/* worker/host/split.h - how a connector divides its work: the tasks' configurations.
 *
 * Threads: the main one. Memory: lists of `count` props, given back with split_free().
 */
#ifndef SLUICE_WORKER_HOST_SPLIT_H
#define SLUICE_WORKER_HOST_SPLIT_H

#include "worker/host/host_state.h"

/* Asks the plugin, or makes one task where it does not divide. Each result is the
 * connector's configuration with what the plugin added. */
sluice_status split_connector(host *self, sluice_props ***ret_props, size_t *ret_count,
                              sluice_error *err);

/* The configurations that the tasks have now. */
void split_copy(const host *self, sluice_props ***ret_props, size_t *ret_count);

/* Whether these are the configurations that the tasks have now. */
bool split_is_same(const host *self, sluice_props *const *props, size_t count);

void split_free(sluice_props **props, size_t count); /* NULL is accepted. */

#endif
