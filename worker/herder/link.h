/* link.h - the worker's end of one host: its lines, its last words, what it is doing.
 *
 * Threads: the herder's. */
#ifndef SLUICE_HERDER_LINK_H
#define SLUICE_HERDER_LINK_H

#include "base/buffer.h"
#include "base/map.h"
#include "worker/control/channel.h"
#include "worker/control/control.h"
#include "worker/nursery.h"
#include <stdint.h>

enum { link_log_lines = 20 };

typedef struct host_link {
    uint64_t id;
    char *title;     /* The connector. */
    pid_t pid;       /* 0: not known yet. */
    int64_t held_ms; /* For how long its share of the processor has stopped it. */
    channel control;
    buffer out; /* What the host has not yet read. */
    int stderr_fd;
    buffer line;                 /* The beginning of a line of its stderr. */
    char *lines[link_log_lines]; /* Its last lines: a ring, NULL where there is none. */
    size_t next_line;
    control_doing_page *doing; /* or NULL */
    size_t output_bytes;       /* Of the last reading: what was no line of the log. */
    bool control_watched, stderr_watched;
    int64_t control_quiet_until; /* The same of its control channel. */
    int64_t
        quiet_until;   /* It has said too much, and is read again then; 0: it is not. */
    bool is_inspector; /* The title is no connector's. */
    map *journals;     /* Borrowed: where its lines are kept; or NULL. */
} host_link;

/* Makes the channels and asks the nursery for a host, as `wanted` is but for its
 * descriptors. FATAL: the system or the nursery
 * refuses. */
sluice_status link_open(nursery *n, const nursery_request *wanted, host_link **ret_link,
                        sluice_error *err);
void link_free(host_link *self);

/* Sends a line, or keeps what does not fit now: true while something is kept, until
 * link_flush(). Never waits. */
bool link_send(host_link *self, const json_t *line);
bool link_flush(host_link *self);

typedef enum link_log_state {
    LINK_LOG_READ,  /* All that there was. */
    LINK_LOG_MUCH,  /* There may be more: it says more than anybody reads. */
    LINK_LOG_ENDED, /* Its end. */
} link_log_state;

/* Reads its stderr and passes it on to ours: lines of the log as they are, and what a
 * plugin has printed by itself as a line of the log, with the connector's name. */
link_log_state link_read_log(host_link *self);

/* Its last lines, each with a line end but the last one; the caller's. */
char *link_log(const host_link *self);

#endif
