/* "http://host:port" and the socket it stands for. */
#include "worker/rest/listener.h"
#include "base/memory.h"
#include "base/text.h"
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { backlog = 1024 };

#define BAD_FORM                                                                       \
    "listener '%s': Listener doesn't have the right format "                           \
    "(protocol://hostname:port)."

/* What stands behind "http://" or "https://", in any case, as Kafka Connect takes it.
 */
static sluice_status parse_protocol(const char *text, bool *ret_tls,
                                    const char **ret_rest, sluice_error *err)
{
    const char *colon = strstr(text, "://");
    size_t len = colon == NULL ? 0 : (size_t)(colon - text);
    bool plain = len == 4 && strncasecmp(text, "http", 4) == 0;
    *ret_tls = len == 5 && strncasecmp(text, "https", 5) == 0;
    if (colon == NULL) {
        return sluice_fail(err, SLUICE_BAD_CONFIG, BAD_FORM, text);
    }
    if (!plain && !*ret_tls) {
        return sluice_fail(
            err, SLUICE_BAD_CONFIG,
            "listener '%s': Listener protocol must be either \"http\" or "
            "\"https\".",
            text);
    }
    *ret_rest = colon + 3;
    return SLUICE_OK;
}

/* Host and port behind the protocol; the host is the caller's. */
static sluice_status parse(const char *text, bool *ret_tls, char **ret_host,
                           int64_t *ret_port, sluice_error *err)
{
    const char *host = NULL;
    sluice_status status = parse_protocol(text, ret_tls, &host, err);
    if (status != SLUICE_OK) {
        return status;
    }
    const char *colon = strrchr(host, ':');
    if (colon == NULL || !text_to_int64(colon + 1, ret_port) || *ret_port < 0 ||
        *ret_port > 65535) {
        return sluice_fail(err, SLUICE_BAD_CONFIG, BAD_FORM, text);
    }
    size_t len = (size_t)(colon - host);
    bool brackets = len >= 2 && host[0] == '[' && host[len - 1] == ']';
    *ret_host = memory_copy(host + brackets, len - 2 * brackets);
    return SLUICE_OK;
}

static int bind_one(const struct addrinfo *address)
{
    int on = 1, off = 0;
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return -1;
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (address->ai_family == AF_INET6) { /* One socket for both where it is for all. */
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    }
    if (bind(fd, address->ai_addr, address->ai_addrlen) == 0 &&
        listen(fd, backlog) == 0) {
        return fd;
    }
    int reason = errno;
    close(fd);
    errno = reason;
    return -1;
}

static int port_of(int fd)
{
    struct sockaddr_storage address;
    socklen_t len = sizeof address;
    char port[8] = "";
    int64_t number = 0;
    if (getsockname(fd, (struct sockaddr *)&address, &len) == 0) {
        getnameinfo((struct sockaddr *)&address, len, NULL, 0, port, sizeof port,
                    NI_NUMERICSERV);
    }
    return text_to_int64(port, &number) ? (int)number : 0;
}

/* IPv6 before IPv4 where the host is empty, so that "every address" is every one. */
static int bind_any(const struct addrinfo *list, bool every)
{
    int fd = -1;
    for (const struct addrinfo *at = list; every && at != NULL && fd < 0;
         at = at->ai_next) {
        fd = at->ai_family == AF_INET6 ? bind_one(at) : -1;
    }
    for (const struct addrinfo *at = list; at != NULL && fd < 0; at = at->ai_next) {
        fd = bind_one(at);
    }
    return fd;
}

sluice_status listener_open(const char *text, listener *ret_listener, sluice_error *err)
{
    char *host = NULL, port[8];
    int64_t number;
    bool tls;
    sluice_status status = parse(text, &tls, &host, &number, err);
    if (status != SLUICE_OK) {
        return status;
    }
    snprintf(port, sizeof port, "%d", (int)number);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *list;
    int refused = getaddrinfo(host[0] == '\0' ? NULL : host, port, &hints, &list);
    if (refused != 0) {
        free(host);
        return sluice_fail(err, SLUICE_FATAL, "listener '%s': %s", text,
                           gai_strerror(refused));
    }
    int fd = bind_any(list, host[0] == '\0');
    int reason = errno;
    freeaddrinfo(list);
    if (fd < 0) {
        free(host);
        return sluice_fail(err, SLUICE_FATAL, "listener '%s' cannot be bound: %s", text,
                           strerror(reason));
    }
    *ret_listener = (listener){.tls = tls, .host = host, .port = port_of(fd), .fd = fd};
    return SLUICE_OK;
}

const char *listener_protocol(const listener *self)
{
    return self->tls ? "https" : "http";
}

void listener_done(listener *self)
{
    free(self->host);
    if (self->fd >= 0) {
        close(self->fd);
    }
    *self = (listener){.fd = -1};
}
