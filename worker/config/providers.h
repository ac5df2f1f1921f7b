/* providers.h - ${provider:path:key} in configurations: secrets that live elsewhere.
 *
 * `config.providers` names providers, `config.providers.NAME.class` says what each is:
 * Kafka's FileConfigProvider (a key of a .properties file), DirectoryConfigProvider (a
 * file of a folder) and EnvVarConfigProvider, with their parameters `allowed.paths` and
 * `allowlist.pattern`. A reference to what is not there stays as it is; several may
 * stand in one value, with text between; what comes out is not looked at again.
 *
 * Threads: any, after new. */
#ifndef SLUICE_CONFIG_PROVIDERS_H
#define SLUICE_CONFIG_PROVIDERS_H

#include "worker/config/secrets.h"
#include <sluice/config.h>

typedef struct providers providers;

/* The providers that a worker's properties name. `environment` is as environ and is
 * borrowed for their life. BAD_CONFIG: a class that is none of the three, a parameter
 * that is wrong. */
sluice_status providers_new(const sluice_props *worker, char *const *environment,
                            providers **ret_providers, sluice_error *err);
void providers_free(providers *self); /* NULL is accepted. */

/* From now on what is found is added to `found`, which is borrowed; NULL: no more. */
void providers_tell(providers *self, secrets *found);

/* `value` with its references replaced, the caller's. BAD_CONFIG: what a reference
 * leads to cannot be read. */
sluice_status providers_resolve(const providers *self, const char *value,
                                char **ret_value, sluice_error *err);

/* The same for every value of `props`; a fault names the key. */
sluice_status providers_resolve_props(const providers *self, sluice_props *props,
                                      sluice_error *err);

#endif
