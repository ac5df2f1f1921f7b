/* Listeners, the network threads, and who gets which connection. */
#include "broker/net/server.h"
#include "base/memory.h"
#include "broker/net/connection.h"
#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sluice/log.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { backlog = 512, accepts_max = 64, accept_pause_ms = 100 };

typedef struct listener {
    loop_watch watch;
    net_server *server;
    size_t number;
    uint16_t port;
    loop_timer again; /* Accepts again, after a pause. */
    net_quiet full, refused;
} listener;

struct net_server {
    net_options options;
    listener *listeners;
    net_thread *threads;
    size_t thread_count;
    size_t next_thread;
    atomic_size_t connection_count;
    net_drain drain;
    bool started, closed;
};

/* ---- Listening ------------------------------------------------------------------- */

static void set_buffer(int fd, int which, int bytes)
{
    if (bytes > 0) {
        setsockopt(fd, SOL_SOCKET, which, &bytes, sizeof bytes);
    }
}

static int listen_at(const struct addrinfo *address, int send_bytes, int receive_bytes)
{
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -1;
    }
    int one = 1, zero = 0;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (address->ai_family == AF_INET6) {
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof zero);
    }
    set_buffer(fd, SO_SNDBUF, send_bytes);
    set_buffer(fd, SO_RCVBUF, receive_bytes);
    if (bind(fd, address->ai_addr, address->ai_addrlen) != 0 ||
        listen(fd, backlog) != 0) {
        int reason = errno;
        close(fd);
        errno = reason;
        return -1;
    }
    return fd;
}

uint16_t net_port_of(int fd)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &size) != 0) {
        return 0;
    }
    return ntohs(address.ss_family == AF_INET6
                     ? ((struct sockaddr_in6 *)&address)->sin6_port
                     : ((struct sockaddr_in *)&address)->sin_port);
}

/* All interfaces are one IPv6 socket that takes IPv4 too, where there is IPv6. */
sluice_status net_listen(const net_listener *wanted, int32_t send_buffer_bytes,
                         int32_t receive_buffer_bytes, int *ret_fd, sluice_error *err)
{
    char port[8];
    snprintf(port, sizeof port, "%u", wanted->port);
    bool all = *wanted->host == '\0';
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *found = NULL;
    int failed = getaddrinfo(all ? NULL : wanted->host, port, &hints, &found);
    if (failed != 0) {
        return sluice_fail(err, SLUICE_BAD_CONFIG, "listener '%s:%u': %s", wanted->host,
                           wanted->port, gai_strerror(failed));
    }
    int fd = -1;
    for (int pass = 0; pass < 2 && fd < 0; pass++) {
        for (struct addrinfo *one = found; one != NULL && fd < 0; one = one->ai_next) {
            bool preferred = !all || one->ai_family == AF_INET6;
            fd = preferred == (pass == 0)
                     ? listen_at(one, send_buffer_bytes, receive_buffer_bytes)
                     : -1;
        }
    }
    int reason = errno;
    freeaddrinfo(found);
    if (fd < 0) {
        return sluice_fail(err, SLUICE_BAD_CONFIG, "cannot listen on '%s:%u': %s",
                           wanted->host, wanted->port, strerror(reason));
    }
    *ret_fd = fd;
    return SLUICE_OK;
}

typedef struct arrival {
    loop_task task;
    net_thread *home;
    int fd;
    size_t listener;
} arrival;

static void arrive(loop_task *task)
{
    arrival *self = (arrival *)task;
    connection_new(self->home, self->fd, self->listener);
    free(self);
}

static void hand_over(net_server *self, int fd, size_t number)
{
    net_thread *home = &self->threads[self->next_thread++ % self->thread_count];
    atomic_fetch_add(&self->connection_count, 1);
    if (loop_is_here(home->loop)) {
        connection_new(home, fd, number);
        return;
    }
    arrival *one = memory_take(sizeof *one);
    *one = (arrival){.task.run = arrive, .home = home, .fd = fd, .listener = number};
    loop_post(home->loop, &one->task);
}

static loop *accepting_loop(const listener *self)
{
    return self->server->threads[0].loop;
}

static void accept_again(loop_timer *timer)
{
    listener *self = (listener *)((char *)timer - offsetof(listener, again));
    loop_watch_set(accepting_loop(self), &self->watch, EPOLLIN);
}

/* Whoever waits stays in the kernel's queue meanwhile. */
static void pause_accepting(listener *self, int reason)
{
    size_t times;
    if (net_quiet_tell(&self->full, loop_now_ms(), &times)) {
        sluice_log(
            SLUICE_ERROR, "broker.net",
            "cannot accept a connection: %s; trying again in %d ms, %zu times so "
            "far",
            strerror(reason), accept_pause_ms, times);
    }
    loop_watch_remove(accepting_loop(self), &self->watch);
    loop_timer_set(accepting_loop(self), &self->again, loop_now_ms() + accept_pause_ms);
}

static void refuse_connection(listener *self, int fd)
{
    size_t times;
    if (net_quiet_tell(&self->refused, loop_now_ms(), &times)) {
        sluice_log(SLUICE_WARN, "broker.net",
                   "max.connections (%zu) are open; closing new ones: %zu so far",
                   self->server->options.connections_max, times);
    }
    close(fd);
}

static bool is_shortage(int reason)
{
    return reason == EMFILE || reason == ENFILE || reason == ENOMEM ||
           reason == ENOBUFS;
}

static void on_accept(loop_watch *watch, uint32_t events)
{
    listener *self = (listener *)watch;
    net_server *server = self->server;
    for (int i = 0; i < accepts_max; i++) {
        int fd = accept4(watch->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (is_shortage(errno)) {
                pause_accepting(self, errno);
            }
            return;
        }
        if (atomic_load(&server->connection_count) >= server->options.connections_max) {
            refuse_connection(self, fd);
        } else {
            hand_over(server, fd, self->number);
        }
    }
}

/* ---- Idle connections ------------------------------------------------------------ */

/* A process that was held up itself has not read yet what its clients have sent
 * meanwhile: it does so before it takes any for idle. */
static void close_idle(loop_timer *timer)
{
    net_thread *home = (net_thread *)((char *)timer - offsetof(net_thread, idle_timer));
    int64_t idle_ms = home->options->idle_ms_max, now = loop_now_ms();
    int64_t pace_ms = (idle_ms + 9) / 10;
    connection *one = home->idlest;
    if (now > timer->at_ms + pace_ms) {
        loop_timer_set(home->loop, timer, now + 1);
        return;
    }
    while (one != NULL && one->active_ms + idle_ms <= now) {
        connection *next = one->next;
        if (one->first == NULL || one->blocked) {
            connection_close(one);
        }
        one = next;
    }
    if (home->idlest != NULL) { /* Else the next connection sets it. */
        loop_timer_set(home->loop, timer, now + pace_ms);
    }
}

/* ---- Life ------------------------------------------------------------------------ */

static sluice_status open_listeners(net_server *self, const net_options *options,
                                    sluice_error *err)
{
    self->listeners = memory_zero(options->listener_count * sizeof *self->listeners);
    for (size_t i = 0; i < options->listener_count; i++) {
        listener *one = &self->listeners[i];
        *one = (listener){.server = self, .number = i};
        one->watch.ready = on_accept;
        one->again.run = accept_again;
        sluice_status status =
            net_listen(&options->listeners[i], options->send_buffer_bytes,
                       options->receive_buffer_bytes, &one->watch.fd, err);
        if (status != SLUICE_OK) {
            return status;
        }
        one->port = net_port_of(one->watch.fd);
        self->options.listener_count = i + 1;
    }
    return SLUICE_OK;
}

/* The part of one of `threads`. */
static size_t held_bytes_max(const net_options *options, size_t threads)
{
    if (options->queued_bytes_max < 0) {
        return SIZE_MAX;
    }
    size_t part = (size_t)options->queued_bytes_max / threads;
    return part > options->request_bytes_max ? part : options->request_bytes_max;
}

static sluice_status make_threads(net_server *self, sluice_error *err)
{
    size_t count = self->options.threads > 0 ? self->options.threads : 1;
    self->threads = memory_zero(count * sizeof *self->threads);
    for (size_t i = 0; i < count; i++) {
        char name[16];
        snprintf(name, sizeof name, "net-%u", (unsigned)i);
        net_thread *home = &self->threads[i];
        sluice_status status = loop_new(name, &home->loop, err);
        if (status != SLUICE_OK) {
            return status;
        }
        self->thread_count = i + 1;
        home->options = &self->options;
        home->connection_count = &self->connection_count;
        home->drain = &self->drain;
        home->idle_timer.run = close_idle;
        home->held_bytes_max = held_bytes_max(&self->options, count);
        home->err = sluice_error_new();
    }
    return SLUICE_OK;
}

sluice_status net_server_new(const net_options *options, net_server **ret_server,
                             sluice_error *err)
{
    assert(options->listener_count > 0);
    net_server *self = memory_zero(sizeof *self);
    self->options = *options;
    self->options.listeners = NULL;
    self->options.listener_count = 0;
    sem_init(&self->drain.empty, 0, 0);
    sluice_status status = open_listeners(self, options, err);
    if (status == SLUICE_OK) {
        status = make_threads(self, err);
    }
    if (status != SLUICE_OK) {
        net_server_free(self);
        return status;
    }
    *ret_server = self;
    return SLUICE_OK;
}

uint16_t net_server_port(const net_server *self, size_t number)
{
    return self->listeners[number].port;
}

size_t net_server_thread_count(const net_server *self)
{
    return self->thread_count;
}

loop *net_server_loop(const net_server *self, size_t thread)
{
    return self->threads[thread].loop;
}

const net_counters *net_server_counters(const net_server *self, size_t thread)
{
    return &self->threads[thread].counters;
}

size_t net_server_connections(const net_server *self)
{
    return atomic_load(&((net_server *)self)->connection_count);
}

sluice_status net_server_start(net_server *self, sluice_error *err)
{
    for (size_t i = 0; i < self->options.listener_count; i++) {
        loop_watch_set(self->threads[0].loop, &self->listeners[i].watch, EPOLLIN);
    }
    for (size_t i = 0; i < self->thread_count; i++) {
        net_thread *home = &self->threads[i];
        sluice_status status = loop_start(home->loop, err);
        if (status != SLUICE_OK) {
            return status;
        }
    }
    self->started = true;
    return SLUICE_OK;
}

typedef struct closing {
    loop_task task;
    net_server *server;
    net_thread *home;
} closing;

static void close_listeners(loop_task *task)
{
    closing *self = (closing *)task;
    net_server *server = self->server;
    for (size_t i = 0; i < server->options.listener_count; i++) {
        loop_timer_remove(self->home->loop, &server->listeners[i].again);
        loop_watch_remove(self->home->loop, &server->listeners[i].watch);
        close(server->listeners[i].watch.fd);
    }
    server->options.listener_count = 0;
}

static void close_connections(loop_task *task)
{
    net_thread *home = ((closing *)task)->home;
    while (home->idlest != NULL) {
        connection_close(home->idlest);
    }
    loop_timer_remove(home->loop, &home->idle_timer);
}

void net_server_close(net_server *self)
{
    if (!self->started || self->closed) {
        return;
    }
    closing task = {.task.run = close_listeners, .server = self, .home = self->threads};
    loop_call(self->threads[0].loop, &task.task);
    for (size_t i = 0; i < self->thread_count; i++) {
        task = (closing){.task.run = close_connections, .home = &self->threads[i]};
        loop_call(self->threads[i].loop, &task.task);
    }
    self->closed = true;
}

static void wait_for_requests(net_drain *drain)
{
    atomic_store(&drain->wanted, true);
    while (atomic_load(&drain->requests) > 0) {
        while (sem_wait(&drain->empty) != 0) {
            assert(errno == EINTR);
        }
    }
}

void net_server_stop(net_server *self)
{
    if (!self->started) {
        return;
    }
    net_server_close(self);
    wait_for_requests(&self->drain);
    for (size_t i = 0; i < self->thread_count; i++) {
        loop_stop(self->threads[i].loop);
    }
    self->started = false;
}

static void thread_free(net_thread *home)
{
    loop_free(home->loop);
    while (home->spare_requests != NULL) {
        request *one = home->spare_requests;
        home->spare_requests = one->next;
        request_free(one);
    }
    free(home->spare_in);
    sluice_error_free(home->err);
}

void net_server_free(net_server *self)
{
    if (self == NULL) {
        return;
    }
    net_server_stop(self);
    for (size_t i = 0; i < self->options.listener_count; i++) {
        close(self->listeners[i].watch.fd);
    }
    for (size_t i = 0; i < self->thread_count; i++) {
        thread_free(&self->threads[i]);
    }
    sem_destroy(&self->drain.empty);
    free(self->threads);
    free(self->listeners);
    free(self);
}
