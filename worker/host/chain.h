/* worker/host/chain.h - the transformations of a task, in order, with their predicates.
 *
 * Threads: one, from create to free. */
#ifndef SLUICE_WORKER_HOST_CHAIN_H
#define SLUICE_WORKER_HOST_CHAIN_H

#include "worker/host/common_config.h"
#include "worker/host/errors.h"
#include "worker/host/plugins.h"

typedef struct chain chain;

/* Makes `transforms` and `predicates` of a connector's configuration. A predicate has
 * an instance for each transformation that asks it. BAD_CONFIG with every fault;
 * whatever a plugin's create returns. */
sluice_status chain_new(const sluice_props *config, const common_config *common,
                        plugin_set *plugins, chain **ret_chain, sluice_error *err);
void chain_free(chain *self); /* NULL is accepted. */

/* The number of transformations. */
size_t chain_count(const chain *self);

/* Passes a record through. `*ret_keep` false: it is dropped, or could not be handled
 * and is tolerated. FATAL: it could not, and that is not tolerated. */
sluice_status chain_apply(chain *self, error_policy *errors, sluice_record *record,
                          bool *ret_keep, sluice_error *err);

#endif
