/* broker/log/file.h - small files written whole, and reads and writes that are
 * complete.
 *
 * Threads: any. */
#ifndef SLUICE_BROKER_LOG_FILE_H
#define SLUICE_BROKER_LOG_FILE_H

#include "base/buffer.h"
#include <sluice/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads up to `len` bytes from `position`; returns how many (less only at the end of
 * the file), or -1 with errno. */
int64_t file_read_at(int fd, void *ret_bytes, size_t len, int64_t position);

/* Adds the whole file at `path` to `ret_content`, at most `size_max` bytes.
 * `ret_there` is false, and all is well, when there is no such file. */
sluice_status file_load(const char *path, size_t size_max, buffer *ret_content,
                        bool *ret_there, sluice_error *err);

/* Writes `len` bytes to `path` so that a crash leaves either the old or the new
 * content: to `path`.tmp, then renamed. With `durable` file and folder are synced: it
 * is on disk after the return. */
sluice_status file_replace(const char *path, const void *base, size_t len, bool durable,
                           sluice_error *err);

/* Brings the content of file `path` to disk; errno says why not, too. */
sluice_status file_sync(const char *path, sluice_error *err);

/* Brings the entries of folder `path` to disk; errno says why not, too. */
sluice_status file_sync_folder(const char *path, sluice_error *err);

/* Makes folder `path`, and those above it that are not there, so that they are still
 * there after the power went. What is there already is fine. */
sluice_status file_make_folders(const char *path, sluice_error *err);

/* "<folder>/<name>", the caller's: free(). */
char *file_path(const char *folder, const char *name);

/* Removes the folder and the files in it; what is not there is fine. */
sluice_status file_remove_folder(const char *path, sluice_error *err);

#endif
