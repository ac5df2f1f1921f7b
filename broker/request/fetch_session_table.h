/* broker/request/fetch_session_table.h - the partitions of one fetch session: found by
 * topic and number, and in an order of their own.
 *
 * Threads: one at a time (the lock of the sessions). */
#ifndef SLUICE_BROKER_REQUEST_FETCH_SESSION_TABLE_H
#define SLUICE_BROKER_REQUEST_FETCH_SESSION_TABLE_H

#include "base/map.h"
#include "broker/request/fetch_session.h"

#define fetch_session_nowhere UINT32_MAX

typedef struct session_topic {
    char *name; /* NULL: it is known by its id. */
    size_t name_len;
    message_uuid id;
    uint32_t partitions; /* 0: the place is free, and `next_free` the next such. */
    uint32_t next_free;
} session_topic;

typedef struct session_partition {
    int64_t offset;
    int64_t high_watermark, log_start_offset; /* As the client was told. */
    int32_t number;
    int32_t bytes_max;
    int32_t current_leader_epoch, last_fetched_epoch;
    uint32_t topic;
    uint32_t previous, next; /* In order; `next` of a free place: the next such. */
} session_partition;

typedef struct fetch_session fetch_session;
struct fetch_session {
    int32_t id;
    int32_t epoch; /* That the next request must have. */
    bool uses_ids;
    bool settled; /* Older than two minutes when it was last used. */
    int64_t created_ms, used_ms;
    fetch_session *older, *newer; /* By last use. */

    session_partition *partitions; /* Places; `count` of `used` are taken. */
    uint32_t count, used, room, free_place;
    uint32_t first, last;
    uint32_t *slots; /* Places from 1, by hash; 0 is a free slot. */
    uint32_t slot_count;

    session_topic *topics;
    uint32_t topic_used, topic_room, free_topic;
    map topic_places; /* By name or id: place + 1. */
    size_t name_bytes;
};

fetch_session *fetch_session_new(bool uses_ids);
void fetch_session_free(fetch_session *self);

/* Takes in a partition behind the others, or changes one where it is. Returns its
 * place, which it keeps until it is forgotten. */
uint32_t fetch_session_put(fetch_session *self, const fetch_wish *wish);

/* Forgets a partition; one that is not there is fine. */
void fetch_session_forget(fetch_session *self, message_text topic,
                          const message_uuid *id, int32_t number);

void fetch_session_move_last(fetch_session *self, uint32_t place);

/* Its memory, about. */
size_t fetch_session_bytes(const fetch_session *self);

#endif
