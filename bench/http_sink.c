/* The HTTP sink's speed: a receiver that is never asked to think, and the sink without
 * a worker.
 *
 *   bench-http receive           says its port, answers every request with 204, and a
 *                                GET with how many others there were
 *   bench-http send URL CONNECTIONS RECORDS BYTES BATCH
 *                                the sink alone, from memory; says requests a second
 *
 * One thread each. bench/http_sink.py runs both beside wrk. */
#include "connectors/http/config.h"
#include "connectors/http/sink.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sluice/test.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { head_max = 16 << 10, events_max = 64, put_records = 500, put_keys = 4096 };

typedef struct peer {
    int fd;
    size_t len, skip; /* Bytes of a head; bytes of a body that are still to come. */
    char head[head_max];
} peer;

static uint64_t received;

static void answer(const peer *self)
{
    static const char done[] = "HTTP/1.1 204 No Content\r\n\r\n";
    char text[128];
    size_t len = sizeof done - 1;
    const char *from = done;
    if (memcmp(self->head, "GET ", 4) == 0) {
        int body = snprintf(text, sizeof text, "%020llu", (unsigned long long)received);
        len = (size_t)snprintf(text, sizeof text,
                               "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%020llu",
                               body, (unsigned long long)received);
        from = text;
    } else {
        received++;
    }
    if (send(self->fd, from, len, MSG_NOSIGNAL) != (ssize_t)len) {
        fprintf(stderr, "bench-http: an answer could not be sent whole\n");
    }
}

static size_t length_of(const char *head)
{
    const char *at = strcasestr(head, "\r\nContent-Length:");
    size_t length = 0;
    for (at = at == NULL ? "" : at + 17; *at == ' '; at++) {
    }
    for (; *at >= '0' && *at <= '9'; at++) {
        length = length * 10 + (size_t)(*at - '0');
    }
    return length;
}

/* Takes whole requests out of what has arrived; false where a head is too long. */
static bool take_requests(peer *self)
{
    for (;;) {
        size_t skipped = self->skip < self->len ? self->skip : self->len;
        memmove(self->head, self->head + skipped, self->len - skipped);
        self->len -= skipped;
        self->skip -= skipped;
        self->head[self->len] = '\0';
        char *end = self->len == 0 ? NULL : strstr(self->head, "\r\n\r\n");
        if (end == NULL) {
            return self->len < sizeof self->head - 1;
        }
        end[2] = '\0';
        size_t head_len = (size_t)(end + 4 - self->head);
        size_t whole = head_len + length_of(self->head);
        if (whole > self->len) { /* The rest of the body is dropped as it comes. */
            end[2] = '\r';
            if (whole <= sizeof self->head - 1) {
                return true;
            }
        }
        answer(self);
        self->skip = whole;
    }
}

static void read_peer(peer *self)
{
    ssize_t got =
        recv(self->fd, self->head + self->len, sizeof self->head - 1 - self->len, 0);
    if (got > 0) {
        self->len += (size_t)got;
    }
    if (got == 0 || (got < 0 && errno != EAGAIN) || !take_requests(self)) {
        close(self->fd);
        free(self);
    }
}

static void take_peer(int poller, int listener)
{
    peer *self = calloc(1, sizeof *self);
    if (self == NULL || (self->fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) < 0) {
        free(self);
        return;
    }
    int on = 1;
    setsockopt(self->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = self};
    epoll_ctl(poller, EPOLL_CTL_ADD, self->fd, &event);
}

static int receive(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int poller = epoll_create1(EPOLL_CLOEXEC);
    if (bind(listener, (struct sockaddr *)&address, len) != 0 ||
        listen(listener, 128) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &len) != 0) {
        perror("bench-http");
        return 1;
    }
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    for (;;) {
        struct epoll_event events[events_max];
        int count = epoll_wait(poller, events, events_max, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr == NULL) {
                take_peer(poller, listener);
            } else {
                read_peer(events[i].data.ptr);
            }
        }
    }
}

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void fill(sluice_batch *batch, long from, long count, const char *value)
{
    sluice_batch_reset(batch);
    for (long i = 0; i < count; i++) {
        char key[32];
        snprintf(key, sizeof key, "%ld", (from + i) % put_keys);
        sluice_fake_consumed(batch, "t", from + i, key, value);
    }
}

static int send_all(char **arguments)
{
    char *end;
    long records = (long)strtod(arguments[2], &end);
    size_t bytes = (size_t)strtod(arguments[3], &end);
    bool batching = strcmp(arguments[4], "1") != 0;
    char *value = calloc(1, bytes + 1);
    memset(value, 'x', bytes);
    sluice_fake *fake = sluice_fake_new();
    sluice_error *err = sluice_error_new();
    sluice_batch *batch = sluice_batch_new();
    void *sink, *config = sluice_fake_config(
                    fake, &http_config_table, "http.url", arguments[0],
                    "max.in.flight.requests", arguments[1], "batching.enabled",
                    batching ? "true" : "false", "batch.max.size", arguments[4], NULL);
    if (config == NULL ||
        http_sink_ops.create(config, sluice_fake_task(fake), &sink, err) != SLUICE_OK) {
        fprintf(stderr, "bench-http: %s%s\n", sluice_fake_fault(fake),
                sluice_error_text(err));
        return 1;
    }
    double began = now_s();
    for (long i = 0; i < records; i += put_records) {
        fill(batch, i, records - i < put_records ? records - i : put_records, value);
        if (http_sink_ops.put(sink, batch, err) != SLUICE_OK) {
            fprintf(stderr, "bench-http: %s\n", sluice_error_text(err));
            return 1;
        }
    }
    printf("%.0f\n", (double)records / (now_s() - began));
    http_sink_ops.destroy(sink);
    sluice_batch_free(batch);
    sluice_error_free(err);
    sluice_fake_free(fake);
    free(value);
    return 0;
}

int main(int count, char **arguments)
{
    if (count == 2 && strcmp(arguments[1], "receive") == 0) {
        return receive();
    }
    if (count == 7 && strcmp(arguments[1], "send") == 0) {
        return send_all(arguments + 2);
    }
    fprintf(stderr, "usage: bench-http receive | send URL CONNECTIONS RECORDS BYTES "
                    "BATCH\n");
    return 2;
}
