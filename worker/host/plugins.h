/* worker/host/plugins.h - the plugins of this process, found by a configuration's
 * names.
 *
 * A host opens only the files that its connector needs: lib/plugin/plugin_files.h.
 *
 * Threads: any may find. Memory: features are borrowed from the set. */
#ifndef SLUICE_WORKER_HOST_PLUGINS_H
#define SLUICE_WORKER_HOST_PLUGINS_H

#include "plugin/plugin_files.h"
#include <jansson.h>

typedef struct plugin_set plugin_set;

/* The files of this program and those of `path` (plugin.path; NULL: none more). What
 * cannot be read is told in the log. Never NULL. Opens none. */
plugin_set *plugins_new(const char *path);
void plugins_free(plugin_set *self); /* NULL is accepted. */

/* {"plugins":[…],"refused":[…]} of all files, borrowed: made at the first call, in
 * child processes, so by a process without other threads. */
const json_t *plugins_catalog(plugin_set *self);

/* By class name, simple name, alias or own name; NULL when there is none. */
const plugin_feature *plugins_find(plugin_set *self, sluice_kind kind,
                                   const char *name);

/* A source or a sink by `connector.class`. BAD_CONFIG in Kafka Connect's words. */
sluice_status plugins_find_connector(plugin_set *self, const char *name,
                                     const plugin_feature **ret_feature,
                                     sluice_error *err);

#endif
