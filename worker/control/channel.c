/* Lines of JSON over a socket. */
#include "worker/control/channel.h"
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { read_bytes = 64 * 1024, keep_bytes_max = 1024 * 1024 };

void channel_init(channel *self, int fd, size_t line_bytes_max)
{
    *self = (channel){
        .fd = fd, .line_bytes_max = line_bytes_max, .lock = PTHREAD_MUTEX_INITIALIZER};
    buffer_init(&self->in, line_bytes_max + read_bytes);
    buffer_init(&self->out, 0);
}

void channel_done(channel *self)
{
    buffer_done(&self->in);
    buffer_done(&self->out);
    pthread_mutex_destroy(&self->lock);
    if (self->fd >= 0) {
        close(self->fd);
    }
    self->fd = -1;
}

sluice_status channel_read(channel *self, sluice_error *err)
{
    self->more = false;
    for (;;) {
        char *room = buffer_reserve(&self->in, read_bytes);
        if (room == NULL) {
            self->ended = self->too_long = true;
            return sluice_fail(err, SLUICE_FATAL,
                               "a line of the control channel is longer than %zu bytes",
                               self->line_bytes_max);
        }
        ssize_t got = recv(self->fd, room, read_bytes, MSG_DONTWAIT);
        if (got > 0) {
            buffer_advance(&self->in, (size_t)got);
            self->more = got == read_bytes;
            return SLUICE_OK;
        }
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            return SLUICE_OK;
        }
        self->ended = true;
        return sluice_fail(err, SLUICE_FATAL, "the control channel is closed");
    }
}

static void forget(channel *self, size_t len)
{
    buffer_consume(&self->in, len);
    self->looked_at = 0;
    if (self->in.len == 0 && self->in.room > keep_bytes_max) {
        buffer_done(&self->in);
    }
}

sluice_status channel_next(channel *self, json_t **ret_message, sluice_error *err)
{
    *ret_message = NULL;
    if (self->in.len == self->looked_at) {
        return SLUICE_OK;
    }
    const char *end =
        memchr(self->in.base + self->looked_at, '\n', self->in.len - self->looked_at);
    if (end == NULL) {
        self->looked_at = self->in.len;
        return SLUICE_OK;
    }
    size_t len = (size_t)(end - self->in.base);
    json_error_t fault;
    json_t *message =
        json_loadb(self->in.base, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &fault);
    forget(self, len + 1);
    if (!json_is_object(message)) {
        json_decref(message);
        self->ended = true;
        return sluice_fail(err, SLUICE_FATAL,
                           "a line of the control channel is not a JSON object: %s",
                           message == NULL ? fault.text : "another JSON value");
    }
    *ret_message = message;
    return SLUICE_OK;
}

static int gather(const char *base, size_t len, void *out)
{
    buffer_append(out, base, len);
    return 0;
}

static void write_all(int fd, const char *base, size_t len)
{
    while (len > 0) {
        ssize_t sent = send(fd, base, len, MSG_NOSIGNAL);
        if (sent >= 0) {
            base += sent;
            len -= (size_t)sent;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            struct pollfd writable = {.fd = fd, .events = POLLOUT};
            poll(&writable, 1, -1);
        } else if (errno != EINTR) {
            return;
        }
    }
}

void channel_send(channel *self, json_t *message)
{
    if (message == NULL) {
        return;
    }
    pthread_mutex_lock(&self->lock);
    buffer_clear(&self->out);
    json_dump_callback(message, gather, &self->out, JSON_COMPACT);
    buffer_append_byte(&self->out, '\n');
    write_all(self->fd, self->out.base, self->out.len);
    if (self->out.room > keep_bytes_max) {
        buffer_done(&self->out);
    }
    pthread_mutex_unlock(&self->lock);
    json_decref(message);
}
