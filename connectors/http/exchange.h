/* connectors/http/exchange.h - one request and its answer, on a connection that is
 * kept.
 *
 * What counts is the answer's head: once it says that the records have arrived,
 * whatever becomes of its body only costs the connection. A request whose kept
 * connection had been closed before a byte of an answer came is sent once more on a new
 * one.
 *
 * Threads: the task's. Never blocks. */
#ifndef HTTP_EXCHANGE_H
#define HTTP_EXCHANGE_H

#include "codes.h"
#include "connection.h"
#include "reply.h"
#include "request.h"

enum { HTTP_DRAIN_MS = 1000 }; /* For the body behind a head that has told all. */

typedef struct http_exchange {
    http_link link; /* Zeroes before the first begin. */
    http_reply reply;
    const http_request *request;
    const http_codes *success;
    http_network *network;
    size_t sent;
    int64_t deadline_ms;
    bool answered; /* The head counts: see reply.status. */
    bool over;     /* Answered, or see `text` and `final`. */
    bool final;    /* Not answered, and would not be next time. */
    bool kept;     /* It went out on a connection that had been used. */
    bool draining; /* Only the rest of the answer's body is awaited. */
    char text[CURL_ERROR_SIZE];
} http_exchange;

/* Sends `request`, which is borrowed until it is over. */
void http_exchange_begin(http_exchange *self, http_network *network,
                         const http_request *request, const http_codes *success,
                         int64_t now_ms, int64_t timeout_ms);

/* The poll events that it waits for on link.fd; 0 while it connects. */
short http_exchange_events(const http_exchange *self);

/* Goes on after `revents` (0: time has passed, or a connection may have been made). */
void http_exchange_step(http_exchange *self, short revents, int64_t now_ms);

/* Gives it up, with its connection. */
void http_exchange_cancel(http_exchange *self);

#endif
