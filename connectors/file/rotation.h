/* connectors/file/rotation.h - finds what became of a file that has lost its name.
 *
 *     app.log.3   app.log.2        app.log.1         app.log
 *     read        was being read   nobody saw it     has the name now
 *                 rotation_find()  rotation_next()
 *
 * Whoever rotates leaves the old files in the folder, as app.log.1, app.log.old,
 * app.log-20261121, app.2026-11-21.log or app.1.log. The one that was being read is
 * known by its identity, whatever it is called. Which ones came between it and the one
 * that has the name now is told by the time of their birth (or, where the file system
 * keeps none, of their last change), and these must have names of that kind.
 *
 * Where the name is a symbolic link, the folder of what it leads to is searched as
 * well.
 *
 * Threads: one at a time. */
#ifndef SLUICE_CONNECTORS_FILE_ROTATION_H
#define SLUICE_CONNECTORS_FILE_ROTATION_H

#include "identity.h"

#include <sluice/error.h>
#include <stdbool.h>
#include <stdint.h>

/* When a file began: enough to order those of a rotation. */
typedef struct file_age {
    bool is_known;
    uint64_t inode;
    int64_t born, modified; /* Nanoseconds since 1970; 0: unknown. */
    int64_t number;         /* Of "name.NUMBER", 0 for all others: higher is older. */
} file_age;

/* The age of the open file `fd`, or of the file `path`, as one without a number. Not
 * known: it is not there. */
file_age file_age_of(int fd);
file_age file_age_of_path(const char *path);

/* The age of any file that was born at `born`, in nanoseconds since 1970; 0: not known.
 */
file_age file_age_at(int64_t born);

/* How a file is to be known again. */
typedef enum rotation_match {
    ROTATION_SAME, /* The very file, with the content that was read. */
    ROTATION_COPY, /* Another file that has the content that was read. */
} rotation_match;

/* An open file, and where it is. */
typedef struct opened_file {
    int fd; /* -1: none. */
    char *path;
} opened_file;

/* Closes it, if there is one. */
void opened_file_close(opened_file *self);

/* Opens the file that was `wanted` once and had the name `path`, and has the caller own
 * it; none if it is not there. SLUICE_RETRY: it is there and cannot be opened. */
sluice_status rotation_find(const char *path, const identity *wanted,
                            rotation_match match, opened_file *ret_file,
                            sluice_error *err);

/* The same for the oldest file of the rotation of `path` that is younger than `after`
 * and older than `before`; with `before` not known, or older than `after` itself:
 * however young. */
sluice_status rotation_next(const char *path, const file_age *after,
                            const file_age *before, opened_file *ret_file,
                            sluice_error *err);

/* Whether `name` is what a rotated file with the base name `base` may be called. */
bool rotation_is_name(const char *base, const char *name);

#endif
