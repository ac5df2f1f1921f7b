/* worker_file.h - a standalone worker's memory: offsets and configurations in SQLite.
 *
 * One file holds both tables; a worker uses one of them, or both, of a file. It is held
 * exclusively while it is open, so that two workers can never share it unnoticed. What
 * a commit has returned OK for is on the disk.
 *
 * Threads: one at a time. */
#ifndef SLUICE_STORE_WORKER_FILE_H
#define SLUICE_STORE_WORKER_FILE_H

#include <jansson.h>
#include <sluice/error.h>
#include <stdbool.h>

typedef struct worker_file worker_file;

/* Opens or makes the file at `path`. A file of Kafka Connect's own (a serialised Java
 * map of offsets) is taken over: its offsets are copied into a new file, and it is kept
 * as "PATH.kafka-connect". `ret_imported`: how many offsets were, or -1. A new file is
 * its owner's alone (mode 0600), as configurations may hold passwords.
 * FATAL: it cannot be opened, is in use, or is neither kind of file. */
sluice_status worker_file_open(const char *path, worker_file **ret_file,
                               int *ret_imported, sluice_error *err);
void worker_file_close(worker_file *self); /* NULL is accepted. */

/* A transaction. What is put between begin and commit is on the disk when commit has
 * returned OK; on any failure nothing of it is, and rollback is to be called. */
sluice_status worker_file_begin(worker_file *self, sluice_error *err);
sluice_status worker_file_commit(worker_file *self, sluice_error *err);
void worker_file_rollback(worker_file *self);

/* Sets the offsets of a connector: [[partition, offset or null], ...]. */
sluice_status worker_file_put_offsets(worker_file *self, const char *connector,
                                      const json_t *pairs, sluice_error *err);
/* Sets a configuration, {"config", "target"}; NULL removes it. */
sluice_status worker_file_put_config(worker_file *self, const char *connector,
                                     const json_t *config, sluice_error *err);

/* Everything, as herder_event_restore wants it, one object each: [{"name", "offsets"},
 * ...], [{"name", "config", "target"}, ...]. The caller's. */
sluice_status worker_file_offsets(worker_file *self, json_t **ret_list,
                                  sluice_error *err);
sluice_status worker_file_configs(worker_file *self, json_t **ret_list,
                                  sluice_error *err);

#endif
