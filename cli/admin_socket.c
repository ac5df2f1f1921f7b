/* Non-blocking sockets and poll(): nothing waits longer than it may. */
#include "admin_socket.h"
#include "base/memory.h"
#include "protocol/wire.h"
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { answer_bytes_max = 256 * 1024 * 1024 };

int64_t admin_clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void admin_socket_init(admin_socket *self)
{
    self->fd = -1;
}

bool admin_socket_is_open(const admin_socket *self)
{
    return self->fd >= 0;
}

void admin_socket_close(admin_socket *self)
{
    if (self->fd >= 0) {
        close(self->fd);
    }
    self->fd = -1;
}

/* Waits until `fd` is ready for `events`. */
static sluice_status await(int fd, short events, int64_t deadline_ms, sluice_error *err)
{
    for (;;) {
        int64_t left = deadline_ms - admin_clock_ms();
        struct pollfd one = {.fd = fd, .events = events};
        int ready = left <= 0 ? 0 : poll(&one, 1, (int)left);
        if (ready > 0) {
            return SLUICE_OK;
        }
        if (ready == 0) {
            return sluice_fail(err, SLUICE_RETRY, "no answer in time");
        }
        if (errno != EINTR) {
            return sluice_fail(err, SLUICE_RETRY, "%s", strerror(errno));
        }
    }
}

static sluice_status connect_to(const struct addrinfo *address, int64_t deadline_ms,
                                int *ret_fd, sluice_error *err)
{
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return sluice_fail(err, SLUICE_RETRY, "%s", strerror(errno));
    }
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    int failure = 0;
    sluice_status status = SLUICE_OK;
    if (connect(fd, address->ai_addr, address->ai_addrlen) != 0) {
        failure = errno;
        if (failure == EINPROGRESS) {
            socklen_t size = sizeof failure;
            status = await(fd, POLLOUT, deadline_ms, err);
            failure = 0;
            getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size);
        }
    }
    if (status == SLUICE_OK && failure != 0) {
        status = sluice_fail(err, SLUICE_RETRY, "%s", strerror(failure));
    }
    if (status != SLUICE_OK) {
        close(fd);
        return status;
    }
    *ret_fd = fd;
    return SLUICE_OK;
}

sluice_status admin_socket_open(admin_socket *self, const char *host, uint16_t port,
                                int64_t deadline_ms, sluice_error *err)
{
    char service[8];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    snprintf(service, sizeof service, "%u", port);
    int code = getaddrinfo(host, service, &hints, &found);
    if (code != 0) {
        return sluice_fail(err, SLUICE_RETRY, "%s", gai_strerror(code));
    }
    sluice_status status = SLUICE_RETRY;
    for (struct addrinfo *at = found; at != NULL && status != SLUICE_OK;
         at = at->ai_next) {
        status = connect_to(at, deadline_ms, &self->fd, err);
    }
    freeaddrinfo(found);
    return status;
}

static sluice_status send_all(admin_socket *self, const uint8_t *base, size_t size,
                              int64_t deadline_ms, sluice_error *err)
{
    while (size > 0) {
        ssize_t sent = send(self->fd, base, size, MSG_NOSIGNAL);
        if (sent >= 0) {
            base += sent;
            size -= (size_t)sent;
            continue;
        }
        if (errno != EAGAIN && errno != EINTR) {
            return sluice_fail(err, SLUICE_RETRY, "%s", strerror(errno));
        }
        sluice_status status = await(self->fd, POLLOUT, deadline_ms, err);
        if (status != SLUICE_OK) {
            return status;
        }
    }
    return SLUICE_OK;
}

static sluice_status receive_all(admin_socket *self, uint8_t *base, size_t size,
                                 int64_t deadline_ms, sluice_error *err)
{
    while (size > 0) {
        ssize_t got = recv(self->fd, base, size, 0);
        if (got > 0) {
            base += got;
            size -= (size_t)got;
            continue;
        }
        if (got == 0) {
            return sluice_fail(err, SLUICE_RETRY,
                               "the broker has closed the connection");
        }
        if (errno != EAGAIN && errno != EINTR) {
            return sluice_fail(err, SLUICE_RETRY, "%s", strerror(errno));
        }
        sluice_status status = await(self->fd, POLLIN, deadline_ms, err);
        if (status != SLUICE_OK) {
            return status;
        }
    }
    return SLUICE_OK;
}

static sluice_status receive_frame(admin_socket *self, int64_t deadline_ms,
                                   uint8_t **ret_frame, size_t *ret_size,
                                   sluice_error *err)
{
    uint8_t prefix[frame_size_bytes];
    sluice_status status = receive_all(self, prefix, sizeof prefix, deadline_ms, err);
    if (status != SLUICE_OK) {
        return status;
    }
    int32_t size = (int32_t)wire_get_32(prefix);
    if (size < 0 || size > answer_bytes_max) {
        return sluice_fail(err, SLUICE_FATAL,
                           "the answer claims to have %d bytes: is that a broker?",
                           size);
    }
    uint8_t *frame = malloc((size_t)size + 1);
    if (frame == NULL) {
        return sluice_fail(err, SLUICE_FATAL, "no memory for %d bytes", size);
    }
    status = receive_all(self, frame, (size_t)size, deadline_ms, err);
    if (status != SLUICE_OK) {
        free(frame);
        return status;
    }
    *ret_frame = frame;
    *ret_size = (size_t)size;
    return SLUICE_OK;
}

sluice_status admin_socket_exchange(admin_socket *self, const output *out,
                                    int64_t deadline_ms, uint8_t **ret_frame,
                                    size_t *ret_size, sluice_error *err)
{
    size_t size = output_size(out);
    uint8_t *bytes = memory_take(size);
    output_copy(out, bytes);
    sluice_status status = send_all(self, bytes, size, deadline_ms, err);
    free(bytes);
    if (status == SLUICE_OK) {
        status = receive_frame(self, deadline_ms, ret_frame, ret_size, err);
    }
    if (status != SLUICE_OK) {
        admin_socket_close(self);
    }
    return status;
}
