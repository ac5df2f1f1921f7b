/* connectors/file/file.h - the two features of the plugin, and what they share.
 *
 * Threads: constants. */
#ifndef SLUICE_CONNECTORS_FILE_FILE_H
#define SLUICE_CONNECTORS_FILE_FILE_H

#include <sluice/plugin.h>

#define FILE_LOGGER "connectors.file"

extern const sluice_feature file_source_feature;
extern const sluice_feature file_sink_feature;

#endif
