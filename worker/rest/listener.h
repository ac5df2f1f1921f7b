/* listener.h - "http://host:port" or "https://host:port" and the socket it stands for.
 *
 * Threads: any. */
#ifndef SLUICE_REST_LISTENER_H
#define SLUICE_REST_LISTENER_H

#include <sluice/error.h>
#include <stdbool.h>

typedef struct listener {
    bool tls;   /* "https://" */
    char *host; /* Without brackets; "": every address. */
    int port;   /* The one it really has. */
    int fd;     /* Listening, not blocking. */
} listener;

/* Parses and binds. SLUICE_BAD_CONFIG: the form is wrong; FATAL: the address cannot be
 * had. */
sluice_status listener_open(const char *text, listener *ret_listener,
                            sluice_error *err);
const char *listener_protocol(const listener *self); /* "http" or "https" */
void listener_done(listener *self); /* Closes the socket unless fd is -1. */

#endif
