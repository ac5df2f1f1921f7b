/* broker/net/server.h - listeners and the network threads behind them.
 *
 * The first thread accepts and gives connections to the threads in turn. */
#ifndef SLUICE_BROKER_NET_SERVER_H
#define SLUICE_BROKER_NET_SERVER_H

#include "broker/net/counters.h"
#include "broker/net/request.h"

typedef struct net_server net_server;

typedef struct net_listener {
    const char *host; /* A name or an address; "": all interfaces. */
    uint16_t port;    /* 0: any that is free. */
} net_listener;

/* A socket that listens there; the caller's. The statuses of net_server_new(). */
sluice_status net_listen(const net_listener *wanted, int32_t send_buffer_bytes,
                         int32_t receive_buffer_bytes, int *ret_fd, sluice_error *err);
uint16_t net_port_of(int fd); /* That a socket is bound to. */

typedef struct net_options {
    const net_listener *listeners; /* Copied. */
    size_t listener_count;
    unsigned threads;
    size_t request_bytes_max;  /* socket.request.max.bytes */
    int64_t queued_bytes_max;  /* queued.max.request.bytes; -1: any number. */
    size_t connections_max;    /* max.connections */
    int64_t idle_ms_max;       /* connections.max.idle.ms; -1: for ever. */
    int32_t send_buffer_bytes; /* socket.send.buffer.bytes; -1: the kernel's. */
    int32_t receive_buffer_bytes;

    /* What to do with a request, and whether an API's requests overlap (request.h). */
    void (*handle)(request *request);
    bool (*overlaps)(int16_t api_key);
    void *context; /* request.context */
} net_options;

/* Binds and listens; nothing is accepted yet. SLUICE_BAD_CONFIG: an address cannot be
 * found or bound. */
sluice_status net_server_new(const net_options *options, net_server **ret_server,
                             sluice_error *err);

/* The port that a listener has got. */
uint16_t net_server_port(const net_server *self, size_t listener);

/* Network threads: somebody may want one for work that belongs to no connection. */
size_t net_server_thread_count(const net_server *self);
loop *net_server_loop(const net_server *self, size_t thread);

const net_counters *net_server_counters(const net_server *self, size_t thread);

size_t net_server_connections(const net_server *self); /* Open now. Any thread. */

/* Starts the threads, and accepting. */
sluice_status net_server_start(net_server *self, sluice_error *err);

/* Closes listeners and connections. Requests that are not answered yet are still to be
 * answered. */
void net_server_close(net_server *self);

/* Closes, waits until every request is answered, and ends the threads. */
void net_server_stop(net_server *self);
void net_server_free(net_server *self); /* NULL is accepted. */

#endif
