/* lib/plugin/check.h - whether a manifest is one that this build can use.
 *
 * Threads: any. */
#ifndef SLUICE_PLUGIN_CHECK_H
#define SLUICE_PLUGIN_CHECK_H

#include <sluice/plugin.h>

/* Whether the manifest may be read, and was built for this ABI. BAD_CONFIG with a
 * sentence that begins with 'path'. */
sluice_status check_manifest(const sluice_manifest *manifest, const char *path,
                             sluice_error *err);

/* Whether a feature is complete and its keys make sense, after it was copied to this
 * build's sizes. `path` as above. */
sluice_status check_feature(const sluice_feature *feature, const char *path,
                            sluice_error *err);

/* Whether the feature's structs are large enough to be copied. */
sluice_status check_sizes(const sluice_feature *feature, const char *path,
                          sluice_error *err);

#endif
