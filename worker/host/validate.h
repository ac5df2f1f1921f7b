/* worker/host/validate.h - a configuration is checked, key by key.
 *
 * The answer of Kafka Connect's validation: every key that the connector, its
 * transformations, predicates and converters have, with its definition, its value and
 * its errors.
 *
 * Threads: one. */
#ifndef SLUICE_WORKER_HOST_VALIDATE_H
#define SLUICE_WORKER_HOST_VALIDATE_H

#include "worker/host/plugins.h"
#include <sluice/config.h>

/* {"name":…,"error_count":…,"groups":[…],"configs":[…]}, the caller's. BAD_CONFIG when
 * there is no such class. `class_name` is shown as the name. `worker` is the worker's
 * configuration, of which connectors inherit the converters; NULL: they are not shown.
 */
sluice_status validate_connector(plugin_set *plugins, const char *class_name,
                                 const sluice_props *config, const sluice_props *worker,
                                 json_t **ret_body, sluice_error *err);

#endif
