/* connectors/http/connection.h - connections to the server: made by libcurl (names,
 * proxies, TLS, all without blocking), used by us.
 *
 * libcurl's own transfers cost more than a request's round trip, and do not tell a
 * connection that was closed before a request from one that was closed in it; so it
 * only connects (CURLOPT_CONNECT_ONLY), and the bytes are ours. Nothing that libcurl
 * does for one connection may touch another: when it makes one, it closes those of the
 * same cache that have been idle in its eyes for two minutes, or are at their end, and
 * their descriptors are the next ones to be given out. So a plain connection leaves
 * libcurl once it is there, and one with TLS has a cache of its own.
 *
 * Threads: the task's. */
#ifndef HTTP_CONNECTION_H
#define HTTP_CONNECTION_H

#include "config.h"
#include <curl/curl.h>
#include <poll.h>
#include <sys/uio.h>

/* What all connections of a task have in common. */
typedef struct http_network http_network;

/* `url` says where to: its path is not looked at. Both are borrowed for its life.
 * SLUICE_BAD_CONFIG for a URL that libcurl refuses. */
sluice_status http_network_new(const http_config *config, const char *url,
                               http_network **ret_network, sluice_error *err);
void http_network_free(http_network *network); /* NULL is accepted. */

typedef enum http_link_state {
    HTTP_LINK_CLOSED,
    HTTP_LINK_CONNECTING,
    HTTP_LINK_OPEN,
    HTTP_LINK_REFUSED, /* See `text`; `final` tells whether trying again may help. */
} http_link_state;

typedef struct http_link {
    http_network *network;
    CURL *easy;       /* While it connects, and for TLS. */
    CURLSH *alone;    /* TLS: the cache of this connection. */
    curl_socket_t fd; /* Ours where there is no `easy`. */
    http_link_state state;
    bool buffers; /* TLS: there may be more to receive than the socket shows. */
    bool used;    /* It has carried a request. */
    bool final;   /* Of HTTP_LINK_REFUSED: it would be refused again. */
    char text[CURL_ERROR_SIZE];
} http_link;

/* Begins to connect; http_network_wait() goes on. `timeout_ms` is for all of it. */
void http_link_connect(http_link *link, http_network *network, int64_t timeout_ms);
void http_link_close(http_link *link);

/* What a read or a write came to. */
typedef enum http_io {
    HTTP_IO_SOME,  /* At least a byte. */
    HTTP_IO_WAIT,  /* Not now. */
    HTTP_IO_ENDED, /* The other side has closed it. */
    HTTP_IO_FAILED /* See `text`. */
} http_io;

/* Sends the two pieces from byte `*sent` on, and moves it. */
http_io http_link_send(http_link *link, const sluice_bytes pieces[2], size_t *sent);
http_io http_link_receive(http_link *link, void *into, size_t room, size_t *ret_len);

/* Tells the other side at once what has arrived: many servers write an answer's body
 * behind its head only then, and else after the 40 ms of a delayed acknowledgement. */
void http_link_acknowledge(http_link *link);

/* Whether nothing has arrived that nobody asked for, and it is still open: what would
 * be taken for the answer of the next request, or be its end. */
bool http_link_is_quiet(http_link *link);

/* A whole transfer by libcurl itself, which takes its turns within http_network_wait():
 * one at a time. `easy` is borrowed until http_network_drop(). */
sluice_status http_network_run(http_network *network, CURL *easy, sluice_error *err);
void http_network_drop(http_network *network);

/* Whether that transfer is over; with what, then. */
bool http_network_has_run(const http_network *network, CURLcode *ret_code);

/* Waits for one of `fds`, for a connection that is being made, for the transfer, or
 * `timeout_ms`. */
void http_network_wait(http_network *network, struct pollfd *fds, size_t count,
                       int timeout_ms);

/* The settings of proxy and TLS, for whoever else connects. */
void http_curl_settings(CURL *easy, const http_config *config);
void http_curl_begin(void); /* Once in a process, from any thread. */

#endif
