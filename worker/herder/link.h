/* link.h - the worker's end of one host: its lines, its last words, what it is doing.
 *
 * Threads: the herder's. */
#ifndef SLUICE_HERDER_LINK_H
#define SLUICE_HERDER_LINK_H

#include "base/buffer.h"
#include "worker/control/channel.h"
#include "worker/control/control.h"
#include "worker/nursery.h"
#include <stdint.h>

enum { link_log_lines = 20 };

typedef struct host_link {
    uint64_t id;
    char *title; /* The connector. */
    pid_t pid;   /* 0: not known yet. */
    channel control;
    buffer out; /* What the host has not yet read. */
    int stderr_fd;
    buffer line;                 /* The beginning of a line of its stderr. */
    char *lines[link_log_lines]; /* Its last lines: a ring, NULL where there is none. */
    size_t next_line;
    control_doing_page *doing; /* or NULL */
    bool control_watched, stderr_watched;
} host_link;

/* Makes the channels and asks the nursery for a host. FATAL: the system or the nursery
 * refuses. */
sluice_status link_open(nursery *n, uint64_t id, const char *title,
                        host_link **ret_link, sluice_error *err);
void link_free(host_link *self);

/* Sends a line, or keeps what does not fit now: true while something is kept, until
 * link_flush(). Never waits. */
bool link_send(host_link *self, const json_t *line);
bool link_flush(host_link *self);

/* Reads its stderr as far as it goes and passes it on to ours. False at its end. */
bool link_read_log(host_link *self);

/* Its memory in bytes, with its part of what it shares (PSS); 0: it cannot be known. */
uint64_t link_memory(const host_link *self);

/* Its last lines, each with a line end but the last one; the caller's. */
char *link_log(const host_link *self);

#endif
