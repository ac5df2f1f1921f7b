/* broker/net/connection.h - one client's socket: frames in, answers out, in order.
 *
 * Idle, it costs this struct and nothing else: bytes are received into the loop's
 * scratch space, and only the rest of an unfinished frame is kept.
 *
 * Threads: its loop's. */
#ifndef SLUICE_BROKER_NET_CONNECTION_H
#define SLUICE_BROKER_NET_CONNECTION_H

#include "broker/net/counters.h"
#include "broker/net/quiet.h"
#include "broker/net/server.h"
#include <semaphore.h>
#include <stdatomic.h>

enum { connection_host_size = 64, requests_max = 64 };

struct connection {
    loop_watch watch;
    net_thread *home;
    connection *previous, *next; /* Of the thread, the longest idle first. */
    int64_t active_ms;
    size_t listener;
    char host[connection_host_size];

    request *first, **last; /* Requests without a sent answer, in order. */
    size_t request_count;
    size_t unanswered;       /* Of them: not answered yet. */
    bool unanswered_overlap; /* These are of an API that overlaps. */
    size_t sent;             /* Bytes of the first request's answer. */
    size_t sent_parts;       /* Parts of that answer that are behind. */
    size_t sent_parts_end;   /* Where in the answer they end. */
    size_t unsent;           /* Bytes of all answers that are still to be sent. */

    uint8_t *in; /* The start of a frame; NULL: nothing is waiting. */
    size_t in_len, in_room;

    size_t held;           /* Bytes of memory, as held.h counts them. */
    int64_t held_since_ms; /* Not 0 bytes since then. */

    bool working;  /* Somewhere up the stack. */
    bool blocked;  /* The socket takes no more for now. */
    bool no_input; /* Nothing is read until requests are answered. */
    bool dead;
    bool turn_due; /* `turn` will run in this round of the loop. */
    loop_task turn, burial;
};

/* Requests that are not over yet, and who waits until there is none. */
typedef struct net_drain {
    atomic_size_t requests;
    atomic_bool wanted; /* Somebody waits, or will. */
    sem_t empty;        /* Posted then whenever the number falls to 0. */
} net_drain;

/* What a network thread has. */
struct net_thread {
    loop *loop;
    const net_options *options;
    atomic_size_t *connection_count; /* The server's. */
    net_drain *drain;                /* The server's. */
    connection *idlest, *newest;
    request *spare_requests;
    size_t spare_request_count;
    uint8_t *spare_in; /* A buffer of a frame, for the next large one. */
    size_t spare_in_room;
    loop_timer idle_timer;
    size_t held_bytes, held_bytes_max; /* Of all connections together. */
    net_quiet evictions;
    sluice_error *err; /* For the texts of one call. */
    net_counters counters;
};

/* Takes `fd` over. On the thread of `home`. */
void connection_new(net_thread *home, int fd, size_t listener);

/* Closes it; memory goes when nobody up the stack uses it any more. */
void connection_close(connection *self);

/* An answer is ready: it leaves, and input goes on. Where requests overlap that is when
 * all events of this round were seen: answers that become ready together leave
 * together. Others leave at once: two thousand that wait for the end of a round keep
 * their memory until then. */
void connection_answered(connection *self);

/* A request of the thread's spare ones, or a new one; and back again. */
request *request_take(net_thread *home);
void request_give_back(request *self);
void request_free(request *self);

#endif
