/* The worker's end of the nursery: requests out, events in. */
#include "worker/nursery.h"
#include "worker/nursery_child.h"
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { packet_bytes_max = 8 * 1024, title_bytes_max = 256, fds_max = 3 };

sluice_status nursery_start(nursery *ret_nursery, nursery_child child,
                            sluice_error *err)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
        return sluice_fail(err, SLUICE_FATAL, "cannot make a socket pair: %s",
                           strerror(errno));
    }
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0) {
        int reason = errno;
        close(pair[0]);
        close(pair[1]);
        return sluice_fail(err, SLUICE_FATAL, "cannot fork the nursery: %s",
                           strerror(reason));
    }
    if (pid == 0) {
        close(pair[0]);
        nursery_run(pair[1], child);
    }
    close(pair[1]);
    *ret_nursery = (nursery){.fd = pair[0], .pid = pid};
    return SLUICE_OK;
}

void nursery_done(nursery *self)
{
    close(self->fd);
    while (waitpid(self->pid, NULL, 0) < 0 && errno == EINTR) {
    }
    *self = (nursery){.fd = -1};
}

static sluice_status send_packet(nursery *self, json_t *packet, const int *fds,
                                 size_t fd_count, sluice_error *err)
{
    char text[packet_bytes_max];
    size_t len = json_dumpb(packet, text, sizeof text, JSON_COMPACT);
    json_decref(packet);
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int) * fds_max)];
    } control = {0};
    struct iovec part = {.iov_base = text, .iov_len = len};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (fd_count > 0) {
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
        memcpy(CMSG_DATA(head), fds, sizeof(int) * fd_count);
    }
    ssize_t sent;
    do {
        sent = sendmsg(self->fd, &message, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0) {
        return sluice_fail(err, SLUICE_FATAL, "the nursery does not answer: %s",
                           strerror(errno));
    }
    return SLUICE_OK;
}

/* A title of the connector's: cut, at the start of a UTF-8 character. */
static size_t title_len(const char *title)
{
    size_t len = strnlen(title, title_bytes_max);
    while (len == title_bytes_max && len > 0 && (title[len] & 0xc0) == 0x80) {
        len--;
    }
    return len;
}

sluice_status nursery_fork(nursery *self, const nursery_request *request,
                           sluice_error *err)
{
    json_t *title = json_stringn(request->title, title_len(request->title));
    json_t *packet = json_pack(
        "{s:I,s:o,s:I,s:I,s:I,s:I,s:I}", "fork", (json_int_t)request->id, "title",
        title == NULL ? json_string("") : title, "grace", (json_int_t)request->grace_ms,
        "memory", (json_int_t)request->limits.memory_bytes, "files",
        (json_int_t)request->limits.files, "nice", (json_int_t)request->limits.nice,
        "cpu", (json_int_t)request->limits.cpu_percent);
    int fds[fds_max] = {request->control_fd, request->stderr_fd, request->doing_fd};
    return send_packet(self, packet, fds, request->doing_fd < 0 ? 2 : 3, err);
}

sluice_status nursery_kill(nursery *self, int64_t id, int signal, sluice_error *err)
{
    json_t *packet = json_pack("{s:I,s:i}", "kill", (json_int_t)id, "signal", signal);
    return send_packet(self, packet, NULL, 0, err);
}

int nursery_fd(const nursery *self)
{
    return self->fd;
}

static int64_t number_of(const json_t *packet, const char *name)
{
    return json_integer_value(json_object_get(packet, name));
}

static bool parse_event(const json_t *packet, nursery_event *event)
{
    *event = (nursery_event){.code = -1};
    event->pid = (pid_t)number_of(packet, "pid");
    if (json_object_get(packet, "forked") != NULL) {
        event->kind = NURSERY_FORKED;
        event->id = number_of(packet, "forked");
        return true;
    }
    if (json_object_get(packet, "refused") != NULL) {
        event->kind = NURSERY_REFUSED;
        event->id = number_of(packet, "refused");
        const char *reason = json_string_value(json_object_get(packet, "reason"));
        snprintf(event->reason, sizeof event->reason, "%s",
                 reason == NULL ? "" : reason);
        return true;
    }
    if (json_object_get(packet, "exited") != NULL) {
        event->kind = NURSERY_EXITED;
        event->id = number_of(packet, "exited");
        event->signal = (int)number_of(packet, "signal");
        event->core = json_is_true(json_object_get(packet, "core"));
        event->code = event->signal != 0 ? -1 : (int)number_of(packet, "code");
        return true;
    }
    if (json_object_get(packet, "held") != NULL) {
        event->kind = NURSERY_HELD;
        event->id = number_of(packet, "held");
        event->held_ms = number_of(packet, "ms");
        return true;
    }
    return false;
}

bool nursery_next(nursery *self, nursery_event *ret_event)
{
    for (;;) {
        char text[packet_bytes_max];
        ssize_t got = recv(self->fd, text, sizeof text, MSG_DONTWAIT);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            return false;
        }
        if (got <= 0) {
            *ret_event = (nursery_event){.kind = NURSERY_GONE, .code = -1};
            return true;
        }
        json_t *packet = json_loadb(text, (size_t)got, 0, NULL);
        bool known = packet != NULL && parse_event(packet, ret_event);
        json_decref(packet);
        if (known) {
            return true;
        }
    }
}

void nursery_event_text(const nursery_event *event, char *ret_text, size_t size)
{
    if (event->signal != 0) {
        snprintf(ret_text, size, "killed by signal %d (%s)%s", event->signal,
                 strsignal(event->signal), event->core ? ", core dumped" : "");
    } else {
        snprintf(ret_text, size, "exited with code %d", event->code);
    }
}
