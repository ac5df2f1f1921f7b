/* connector_file.h - a connector's configuration from a file, as standalone takes it.
 *
 * Tried in order, as Kafka Connect does: a JSON object of texts with a "name"; JSON as
 * POST /connectors takes it ({"name", "config", "initial_state"?}, other members are
 * ignored); Java properties. Numbers and booleans in JSON count as texts.
 *
 * Threads: any. */
#ifndef SLUICE_CONFIG_CONNECTOR_FILE_H
#define SLUICE_CONFIG_CONNECTOR_FILE_H

#include <jansson.h>
#include <sluice/error.h>

/* The file as the body of herder_create, the caller's. SLUICE_BAD_CONFIG names the file
 * and what is wrong with it. At most 16 MiB. */
sluice_status connector_file_read(const char *path, json_t **ret_body,
                                  sluice_error *err);

/* The files that `path` stands for, the caller's: itself, or, where it is a folder, all
 * .json and .properties in it by name, hidden ones left out. SLUICE_BAD_CONFIG: it
 * cannot be read, or has none. */
sluice_status connector_files(const char *path, json_t **ret_paths, sluice_error *err);

#endif
