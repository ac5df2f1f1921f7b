/* cli/admin_socket.h - one connection of the tools' own client, with a deadline on
 * everything.
 *
 * Threads: the main one. */
#ifndef CLI_ADMIN_SOCKET_H
#define CLI_ADMIN_SOCKET_H

#include "protocol/header.h"
#include <sluice/error.h>

typedef struct admin_socket {
    int fd; /* -1: not open. */
} admin_socket;

/* Milliseconds of the monotonic clock, which deadlines are of. */
int64_t admin_clock_ms(void);

void admin_socket_init(admin_socket *self);
bool admin_socket_is_open(const admin_socket *self);
void admin_socket_close(admin_socket *self);

/* Connects to the first address of `host` that answers. SLUICE_RETRY says why none
 * did. */
sluice_status admin_socket_open(admin_socket *self, const char *host, uint16_t port,
                                int64_t deadline_ms, sluice_error *err);

/* Sends the one frame in `out` and reads the one that answers it, without its size:
 * the caller's, free(). SLUICE_RETRY: the connection was lost or the deadline passed;
 * the socket is then closed. SLUICE_FATAL: the answer claims an absurd size. */
sluice_status admin_socket_exchange(admin_socket *self, const output *out,
                                    int64_t deadline_ms, uint8_t **ret_frame,
                                    size_t *ret_size, sluice_error *err);

#endif
