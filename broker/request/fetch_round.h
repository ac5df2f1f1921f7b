/* broker/request/fetch_round.h - one look at everything that a fetch wants, and the
 * waiting between two such looks. For the files that make up Fetch.
 *
 * Threads: the loop's of the request. */
#ifndef SLUICE_BROKER_REQUEST_FETCH_ROUND_H
#define SLUICE_BROKER_REQUEST_FETCH_ROUND_H

#include "broker/request/fetch_session.h"
#include "broker/request/handler.h"

/* What an answer borrows until it is sent. */
typedef struct held_data held_data;
struct held_data {
    held_data *next;
    partition_data data;
};

typedef struct fetch_round {
    request *owner;
    const fetch_request *asked;
    fetch_kind kind;
    bool again; /* The request has waited already. */
    fetch_wish *wishes;
    size_t count;
    fetch_response_partition *answers; /* Of each wish. */
    int64_t *visible;                  /* Bytes, when it was read; -1: not there. */
    held_data *held;
    size_t there;    /* Partitions that could be read. */
    size_t bytes;    /* Of records that were read. */
    size_t in_reach; /* Bytes that count for min_bytes: Kafka would cut a batch. */
    size_t bytes_min, bytes_max;
    bool due; /* An answer must not wait: an error, or a segment ends. */
} fetch_round;

/* ---- fetch_read.c ---------------------------------------------------------------- */

/* Reads what `wishes`, `count` and the first fields say; sets the rest. */
void fetch_round_read(fetch_round *self);

/* Whether the answer is worth sending. */
bool fetch_round_enough(const fetch_round *self);

/* The topic of a wish, the caller's; NULL with the code. */
topic *fetch_wish_topic(request *self, const fetch_wish *wish, int16_t *ret_error_code);
bool fetch_wish_same_topic(const fetch_wish *one, const fetch_wish *other);

/* Gives back what was read. */
void fetch_round_release(held_data *held);

/* ---- fetch_park.c ---------------------------------------------------------------- */

/* A request that waits; request.state. */
typedef struct fetch_park fetch_park;

/* What was said of a request before it waited. */
fetch_kind fetch_park_kind(const fetch_park *self);

/* Whether its time is over. */
bool fetch_park_late(const fetch_park *self);

/* The request goes on without waiting any more. NULL is accepted. */
void fetch_park_free(fetch_park *self);

/* Parks the request until there is more than `round` saw, or its time is over; then it
 * is dispatched again. `park` is that of an earlier wait, or NULL. Returns the park if
 * there is more already: the caller is to look again. */
fetch_park *fetch_park_wait(fetch_park *park, fetch_round *round);

#endif
