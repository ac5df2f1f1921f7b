/* lib/plugin/catalog.h - what all plugin files offer, found out at arm's length.
 *
 * The files are loaded in a child process, so that a plugin that crashes or hangs while
 * it is loaded is a line in the list and not an outage: the child that died is replaced
 * by one that goes on behind the bad file.
 *
 * Threads: for a process without other threads, since it forks. */
#ifndef SLUICE_PLUGIN_CATALOG_H
#define SLUICE_PLUGIN_CATALOG_H

#include "plugin_files.h"
#include <jansson.h>

enum { CATALOG_LOAD_MS_MAX = 10000 }; /* What a file may take to load. */

/* {"plugins":[describe_feature()…],"refused":[{"path","reason"}…]}, a new reference.
 * `files` has the files; none is loaded into this process. `load_ms_max` is
 * CATALOG_LOAD_MS_MAX but in tests. FATAL where no child can be started. */
sluice_status catalog_scan(const plugin_files *files, int load_ms_max,
                           json_t **ret_catalog, sluice_error *err);

/* The features of a catalog that are called `name`, by the rule of plugin_files_find():
 * borrowed; NULL behind the last. `*at` begins as 0. */
const json_t *catalog_find(const json_t *catalog, const char *name, size_t *at);

#endif
