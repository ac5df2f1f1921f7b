/* connectors/file/output.h - appends whole lines to a file, or writes them to standard
 * output.
 *
 * Small lines are collected and written with one call, large ones without a copy. What
 * is in the file always ends with a whole line, also after a crash: a line that was
 * cut off in the middle is taken out when the file is opened again. Writers of several
 * tasks and processes lock the file, so that no one sees another's line half written.
 *
 * Threads: one at a time. */
#ifndef SLUICE_CONNECTORS_FILE_OUTPUT_H
#define SLUICE_CONNECTORS_FILE_OUTPUT_H

#include <sluice/error.h>
#include <stdbool.h>

typedef struct output {
    const char *path; /* NULL: standard output. */
    int fd;
    bool is_named_for_good; /* Its name is on the disk, too. */
    char *base;
    size_t len;
} output;

/* Opens `path` (borrowed; NULL: standard output) for appending, and makes it where it
 * is missing. SLUICE_FATAL with Kafka Connect's text where that cannot be. */
sluice_status output_init(output *self, const char *path, sluice_error *err);
void output_done(output *self);

/* Adds a line of `len` bytes without its end. SLUICE_RETRY: it could not be written;
 * the file is as it was before the bytes that were not yet written. */
sluice_status output_line(output *self, const void *base, size_t len,
                          sluice_error *err);

/* Writes what was collected. */
sluice_status output_write(output *self, sluice_error *err);

/* Makes what was written durable, and the name of a file that is new. */
sluice_status output_sync(output *self, sluice_error *err);

/* Forgets what was collected and not written. */
void output_forget(output *self);

/* Opens the file anew if `path` names another one now, or none: it was rotated. Goes on
 * in the old one where that cannot be. */
void output_follow(output *self);

#endif
