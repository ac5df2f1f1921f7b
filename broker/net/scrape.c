/* HTTP as far as a scraper needs it: a GET, a page, the end of the connection. */
#include "broker/net/scrape.h"
#include "base/memory.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { request_bytes_max = 4096, callers_max = 16, patience_ms = 10000 };

typedef struct caller {
    loop_watch watch;
    loop_timer deadline;
    scrape *home;
    struct caller *previous, *next;
    char in[request_bytes_max];
    size_t in_len;
    char *out; /* NULL: the request is not complete. */
    size_t out_len, sent;
} caller;

struct scrape {
    loop_watch watch;
    loop *loop;
    scrape_page *page;
    void *context;
    caller *callers;
    size_t caller_count;
};

static void caller_close(caller *self)
{
    scrape *home = self->home;
    loop_timer_remove(home->loop, &self->deadline);
    loop_watch_remove(home->loop, &self->watch);
    close(self->watch.fd);
    *(self->previous != NULL ? &self->previous->next : &home->callers) = self->next;
    if (self->next != NULL) {
        self->next->previous = self->previous;
    }
    home->caller_count--;
    free(self->out);
    free(self);
}

static void on_deadline(loop_timer *timer)
{
    caller_close((caller *)((char *)timer - offsetof(caller, deadline)));
}

static void answer(caller *self, const char *status, const char *body, size_t len)
{
    char head[256];
    int head_len = snprintf(head, sizeof head,
                            "HTTP/1.1 %s\r\n"
                            "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
                            "Content-Length: %zu\r\n"
                            "Connection: close\r\n\r\n",
                            status, len);
    bool head_only = strncmp(self->in, "HEAD ", 5) == 0;
    self->out_len = (size_t)head_len + (head_only ? 0 : len);
    self->out = memory_take(self->out_len);
    memcpy(self->out, head, (size_t)head_len);
    memcpy(self->out + head_len, body, self->out_len - (size_t)head_len);
}

static void refuse(caller *self, const char *status, const char *body)
{
    answer(self, status, body, strlen(body));
}

static void answer_request(caller *self)
{
    const char *path = strchr(self->in, ' ');
    bool get = strncmp(self->in, "GET ", 4) == 0;
    if (!get && strncmp(self->in, "HEAD ", 5) != 0) {
        refuse(self, "405 Method Not Allowed", "Only GET is answered.\n");
        return;
    }
    size_t len = strcspn(path + 1, " ?\r\n");
    if (len != strlen("/metrics") || memcmp(path + 1, "/metrics", len) != 0) {
        refuse(self, "404 Not Found", "The metrics are at /metrics.\n");
        return;
    }
    size_t page_len;
    char *page = self->home->page(self->home->context, &page_len);
    answer(self, "200 OK", page, page_len);
    free(page);
}

/* Sends what the socket takes; closes when all is sent. */
static void send_rest(caller *self)
{
    while (self->sent < self->out_len) {
        ssize_t sent = send(self->watch.fd, self->out + self->sent,
                            self->out_len - self->sent, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) {
            continue;
        }
        if (sent < 0 && errno == EAGAIN) {
            if (!loop_watch_set(self->home->loop, &self->watch, EPOLLOUT)) {
                caller_close(self);
            }
            return;
        }
        if (sent <= 0) {
            caller_close(self);
            return;
        }
        self->sent += (size_t)sent;
    }
    caller_close(self);
}

static void on_ready(loop_watch *watch, uint32_t events)
{
    caller *self = (caller *)watch;
    if ((events & (EPOLLHUP | EPOLLERR)) != 0) {
        caller_close(self);
        return;
    }
    if (self->out != NULL) {
        send_rest(self);
        return;
    }
    ssize_t got =
        recv(watch->fd, self->in + self->in_len, sizeof self->in - 1 - self->in_len, 0);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
        caller_close(self);
        return;
    }
    self->in_len += got > 0 ? (size_t)got : 0;
    self->in[self->in_len] = '\0';
    if (strstr(self->in, "\r\n\r\n") != NULL) {
        answer_request(self);
    } else if (self->in_len == sizeof self->in - 1) {
        refuse(self, "431 Request Header Fields Too Large", "At most 4 KiB.\n");
    }
    if (self->out != NULL) {
        send_rest(self);
    }
}

static void accept_one(scrape *self, int fd)
{
    caller *made = memory_zero(sizeof *made);
    made->home = self;
    made->watch.fd = fd;
    made->watch.ready = on_ready;
    made->deadline.run = on_deadline;
    made->next = self->callers;
    if (made->next != NULL) {
        made->next->previous = made;
    }
    self->callers = made;
    self->caller_count++;
    loop_timer_set(self->loop, &made->deadline, loop_now_ms() + patience_ms);
    if (!loop_watch_set(self->loop, &made->watch, EPOLLIN)) {
        caller_close(made);
    }
}

static void on_accept(loop_watch *watch, uint32_t events)
{
    (void)events;
    scrape *self = (scrape *)watch;
    int fd = accept4(watch->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0 && self->caller_count == callers_max) {
        close(fd);
    } else if (fd >= 0) {
        accept_one(self, fd);
    }
}

sluice_status scrape_new(const net_listener *address, loop *target, scrape_page *page,
                         void *context, scrape **ret_scrape, sluice_error *err)
{
    int fd;
    sluice_status status = net_listen(address, -1, -1, &fd, err);
    if (status != SLUICE_OK) {
        return status;
    }
    scrape *self = memory_zero(sizeof *self);
    self->watch.fd = fd;
    self->watch.ready = on_accept;
    self->loop = target;
    self->page = page;
    self->context = context;
    *ret_scrape = self;
    if (!loop_watch_set(target, &self->watch, EPOLLIN)) {
        return sluice_fail(err, SLUICE_FATAL, "cannot watch the metrics listener: %s",
                           strerror(errno));
    }
    return SLUICE_OK;
}

uint16_t scrape_port(const scrape *self)
{
    return net_port_of(self->watch.fd);
}

void scrape_free(scrape *self)
{
    if (self == NULL) {
        return;
    }
    while (self->callers != NULL) {
        caller_close(self->callers);
    }
    loop_watch_remove(self->loop, &self->watch);
    close(self->watch.fd);
    free(self);
}
