/* broker/request/fetch_session.h - fetch sessions (KIP-227): what a consumer asks for
 * again and again is remembered, so that it sends changes only and is told news only.
 *
 *     id, epoch   the request is                      what is remembered
 *     0, -1       whole, on its own                   nothing
 *     0, 0        whole, and begins a session         its partitions, if there is room
 *     x, 0        the same in place of session x
 *     x, -1       whole; session x ends
 *     x, n        changes to session x                n must be what the last answer
 *                                                     counted to; 1 follows INT32_MAX
 *
 * A session that has no partition left ends. When all slots are taken, a new session
 * takes the place of one that was not used for two minutes; otherwise of the smallest
 * that is older than two minutes, if it is smaller than the new one; otherwise there is
 * no new session, and the client goes on with whole requests. All sessions together
 * take at most `bytes_max`: one that would grow above it ends, and the client begins
 * again.
 *
 * Partitions are answered in an order that turns: those that gave records go to the
 * end, so that a few busy ones cannot use up each answer.
 *
 * Threads: any; one lock for all, held for about 50 ns a partition. Nothing of a
 * session is borrowed over a return: a request that waits finds it again by its id. */
#ifndef SLUICE_BROKER_REQUEST_FETCH_SESSION_H
#define SLUICE_BROKER_REQUEST_FETCH_SESSION_H

#include "protocol/messages.h"

typedef struct fetch_sessions fetch_sessions;

/* Topics have ids instead of names from here on. */
enum { fetch_ids_from_version = 13 };

/* A session is idle after it, or old enough to make place: Kafka's number. */
enum { fetch_session_rest_ms = 120000 };

/* Enough for 1,000 sessions of 400 partitions. */
enum { fetch_session_bytes_max = 32 * 1024 * 1024 };

/* `slots` is how many sessions there may be; 0: none. */
fetch_sessions *fetch_sessions_new(size_t slots, size_t bytes_max);
void fetch_sessions_free(fetch_sessions *self); /* NULL is accepted. */

/* The epoch of the request after one with `epoch`. */
int32_t fetch_session_epoch_after(int32_t epoch);

typedef struct fetch_session_numbers {
    size_t sessions, partitions, bytes;
    uint64_t evictions;
} fetch_session_numbers;

fetch_session_numbers fetch_sessions_numbers(fetch_sessions *self);

typedef enum fetch_kind {
    FETCH_ALONE = 0,   /* Without a session. */
    FETCH_FULL,        /* Wants one. */
    FETCH_INCREMENTAL, /* Goes on with one. */
} fetch_kind;

/* One partition that a request wants to be read. */
typedef struct fetch_wish {
    message_text topic; /* Empty from version 13 on. */
    message_uuid topic_id;
    int32_t partition;
    int32_t bytes_max;
    int64_t offset;
    int32_t current_leader_epoch, last_fetched_epoch;
    uint32_t place; /* The session's. */
} fetch_wish;

/* Once for each request: ends or changes the session that it names. `now_ms` never goes
 * back. NONE, or FETCH_SESSION_ID_NOT_FOUND, INVALID_FETCH_SESSION_EPOCH,
 * FETCH_SESSION_TOPIC_ID_ERROR: then that is the answer, with the session id 0. */
int16_t fetch_sessions_begin(fetch_sessions *self, const fetch_request *asked,
                             int version, int64_t now_ms, fetch_kind *ret_kind);

/* What is to be read for the request, in this order; in `arena`, names that belong to a
 * session too. May be asked for again while the request waits.
 * FETCH_SESSION_ID_NOT_FOUND or INVALID_FETCH_SESSION_EPOCH: the session has ended or
 * gone on without this request in the meantime. */
int16_t fetch_sessions_wishes(fetch_sessions *self, const fetch_request *asked,
                              fetch_kind kind, sluice_arena *arena,
                              fetch_wish **ret_wishes, size_t *ret_count);

/* What came of a wish. */
typedef struct fetch_result {
    int16_t error_code;
    int64_t high_watermark, log_start_offset;
    size_t bytes;  /* Of records. */
    bool diverged; /* The answer has a diverging epoch. */
    bool told;     /* Out: it belongs into the answer. */
} fetch_result;

/* Before the answer: begins the session of a FETCH_FULL, and picks what is news to an
 * incremental one. Errors as fetch_sessions_wishes(). `ret_session_id` is the answer's;
 * it is set with an error too. */
int16_t fetch_sessions_end(fetch_sessions *self, const fetch_request *asked,
                           int version, fetch_kind kind, const fetch_wish *wishes,
                           fetch_result *results, size_t count, int64_t now_ms,
                           int32_t *ret_session_id);

#endif
