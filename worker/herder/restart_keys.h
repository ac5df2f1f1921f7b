/* restart_keys.h - the keys of restarts and limits that a connector may have for
 * itself.
 *
 * They are the worker's own, so no plugin and no host checks them.
 *
 * Threads: any. */
#ifndef SLUICE_HERDER_RESTART_KEYS_H
#define SLUICE_HERDER_RESTART_KEYS_H

#include "herder.h"

/* Puts the connector's own keys, where they are there and right, into `own`. */
void restart_keys_apply(const json_t *config, herder_own *own);

/* Adds an entry for each of these keys that `config` has to the "configs" of a
 * validation, with the fault where there is one, and counts it. */
void restart_keys_check(const json_t *config, json_t *validated);

#endif
