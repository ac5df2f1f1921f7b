/* broker/net/request.h - one request on its way: what was asked, and the answer.
 *
 * The edge makes a request of each frame and calls the handler with it, on the thread
 * of the connection's loop. The handler answers it exactly once: at once, or later from
 * any thread. Answers leave in the order in which their requests came.
 *
 * A connection handles one request after the other, as Kafka does; but requests of an
 * API that overlaps (Produce) are handled while earlier ones of the same API are still
 * unanswered, so that a producer's pipelined batches share one fdatasync().
 *
 * When a connection closes, its unanswered requests stay, and are still to be answered;
 * the answer is thrown away. Whoever can give up earlier sets `cancel`. */
#ifndef SLUICE_BROKER_NET_REQUEST_H
#define SLUICE_BROKER_NET_REQUEST_H

#include "broker/net/loop.h"
#include "protocol/header.h"
#include <sluice/arena.h>

typedef struct connection connection;
typedef struct net_thread net_thread;

typedef struct request request;
struct request {
    request_header header;
    uint8_t *body; /* Until the answer; of an API that overlaps: for the call only. */
    size_t body_size;
    size_t listener;  /* The number of the listener that it came through. */
    const char *host; /* The client's, "/127.0.0.1" as Java prints it; for the call. */
    void *context;    /* net_options.context */
    loop *loop;       /* The connection's. */

    /* The handler's: */
    void *state;
    void (*cancel)(request *self); /* The connection is gone. On the loop's thread. */
    void (*sent)(request *self);   /* The answer is written, or thrown away: give back
                                      what it borrowed. On the loop's thread, or, when
                                      that has ended, any. */

    /* The edge's: */
    connection *connection;
    net_thread *home;
    request *next;
    sluice_arena *arena;
    uint8_t *frame; /* The copy that `body` lies in, unless it overlaps. */
    size_t frame_room;
    output out;
    loop_task task;
    int64_t began_us;
    bool answered, broken;
};

/* Memory that lives until the answer is sent, or the next request_park(). */
sluice_arena *request_arena(request *self);

/* Gives the arena back: an idle request should cost next to nothing. */
void request_park(request *self);

/* Answers with `response`, the C struct of the API's response; `version` is the one to
 * write it in: nearly always header.api_version. What it borrows, except for records,
 * is free to go after the return. Any thread. */
void request_answer(request *self, int version, const void *response);

/* Ends the request without an answer: acks=0. Any thread. */
void request_answer_nothing(request *self);

/* Ends the request and closes its connection: what Kafka does with a request that
 * cannot be read, or with an error where no answer is expected. The reason is logged.
 * Any thread. */
void request_refuse(request *self, const char *reason);

#endif
