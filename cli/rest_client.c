/* One HTTP request to a worker. It is sent as HTTP/1.0, so that the answer ends with
 * the connection and comes in one piece. */
#include "rest_client.h"
#include "base/buffer.h"
#include "base/memory.h"
#include "base/text.h"
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { timeout_seconds = 100, answer_bytes_max = 256 * 1024 * 1024 };

typedef struct address {
    char *host, *port, *shown;
} address;

static void address_done(address *self)
{
    free(self->host);
    free(self->port);
    free(self->shown);
}

static sluice_status parse_base(const char *base, address *ret_address,
                                sluice_error *err)
{
    const char *host = text_starts(base, "http://") ? base + strlen("http://") : base;
    size_t len = strcspn(host, "/");
    if (strstr(host, "://") != NULL || len == 0) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "'%s' is not the address of a worker: it must be "
                           "http://HOST:PORT",
                           base);
    }
    char *shown = memory_copy(host, len);
    char *colon = strrchr(shown, ':');
    bool has_port = colon != NULL && strchr(colon, ']') == NULL;
    size_t host_len = has_port ? (size_t)(colon - shown) : len;
    bool brackets = host_len >= 2 && shown[0] == '[' && shown[host_len - 1] == ']';
    *ret_address = (address){
        .host = memory_copy(shown + brackets, host_len - (brackets ? 2 : 0)),
        .port = memory_text(has_port ? colon + 1 : "8083"),
        .shown = shown,
    };
    return SLUICE_OK;
}

static int connect_to(const struct addrinfo *list)
{
    struct timeval timeout = {.tv_sec = timeout_seconds};
    for (const struct addrinfo *at = list; at != NULL; at = at->ai_next) {
        int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0) {
            continue;
        }
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
        if (connect(fd, at->ai_addr, at->ai_addrlen) == 0) {
            return fd;
        }
        int reason = errno;
        close(fd);
        errno = reason;
    }
    return -1;
}

static sluice_status open_connection(const address *to, int *ret_fd, sluice_error *err)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list;
    int refused = getaddrinfo(to->host, to->port, &hints, &list);
    if (refused != 0) {
        return sluice_fail(err, SLUICE_FATAL, "cannot find '%s': %s", to->shown,
                           gai_strerror(refused));
    }
    *ret_fd = connect_to(list);
    int reason = errno;
    freeaddrinfo(list);
    if (*ret_fd < 0) {
        return sluice_fail(
            err, SLUICE_FATAL,
            "cannot connect to the worker at '%s': %s; --url tells where "
            "it is",
            to->shown, strerror(reason));
    }
    return SLUICE_OK;
}

static bool send_all(int fd, const char *base, size_t len)
{
    while (len > 0) {
        ssize_t sent = send(fd, base, len, MSG_NOSIGNAL);
        if (sent < 0 && errno != EINTR) {
            return false;
        }
        base += sent > 0 ? sent : 0;
        len -= sent > 0 ? (size_t)sent : 0;
    }
    return true;
}

static bool receive_all(int fd, buffer *in)
{
    char *room;
    while ((room = buffer_reserve(in, 64 * 1024)) != NULL) {
        ssize_t got = recv(fd, room, 64 * 1024, 0);
        if (got == 0) {
            return true;
        }
        if (got > 0) {
            buffer_advance(in, (size_t)got);
        } else if (errno != EINTR) {
            return false;
        }
    }
    return false;
}

static void write_request(buffer *out, const address *to, const char *method,
                          const char *path, const json_t *body)
{
    char *text = body == NULL ? NULL : json_dumps(body, JSON_COMPACT);
    buffer_print(out, "%s %s HTTP/1.0\r\nHost: %s\r\nAccept: application/json\r\n",
                 method, path, to->shown);
    if (text != NULL) {
        buffer_print(out, "Content-Type: application/json\r\nContent-Length: %zu\r\n",
                     strlen(text));
    }
    buffer_append_text(out, "\r\n");
    buffer_append_text(out, text == NULL ? "" : text);
    free(text);
}

/* "HTTP/1.1 200 OK", headers, an empty line, the body. */
static sluice_status parse_answer(const buffer *in, const address *from,
                                  rest_answer *ret_answer, sluice_error *err)
{
    const char *text = buffer_text(in), *body = strstr(text, "\r\n\r\n");
    const char *status = strchr(text, ' ');
    int64_t number;
    if (!text_starts(text, "HTTP/") || body == NULL || status == NULL ||
        !text_to_int64_of(status + 1, strcspn(status + 1, " \r"), &number)) {
        return sluice_fail(err, SLUICE_FATAL, "'%s' does not answer as a worker does",
                           from->shown);
    }
    body += 4;
    *ret_answer = (rest_answer){.status = (int)number,
                                .body = json_loads(body, JSON_DECODE_ANY, NULL),
                                .text = memory_text(body)};
    return SLUICE_OK;
}

static sluice_status exchange(const address *to, const buffer *request,
                              rest_answer *ret_answer, sluice_error *err)
{
    int fd;
    buffer in;
    sluice_status status = open_connection(to, &fd, err);
    if (status != SLUICE_OK) {
        return status;
    }
    buffer_init(&in, answer_bytes_max);
    if (!send_all(fd, request->base, request->len) || !receive_all(fd, &in)) {
        status = sluice_fail(err, SLUICE_FATAL, "'%s' does not answer: %s", to->shown,
                             strerror(errno));
    } else {
        status = parse_answer(&in, to, ret_answer, err);
    }
    buffer_done(&in);
    close(fd);
    return status;
}

sluice_status rest_call(const char *base, const char *method, const char *path,
                        const json_t *body, rest_answer *ret_answer, sluice_error *err)
{
    address to = {0};
    buffer request = BUFFER_INIT;
    sluice_status status = parse_base(base, &to, err);
    if (status != SLUICE_OK) {
        return status;
    }
    write_request(&request, &to, method, path, body);
    status = exchange(&to, &request, ret_answer, err);
    buffer_done(&request);
    address_done(&to);
    return status;
}

void rest_answer_done(rest_answer *self)
{
    json_decref(self->body);
    free(self->text);
    *self = (rest_answer){0};
}
