/* worker/host/kafka_client.h - librdkafka, as much of it as tasks need.
 *
 * Nobody else calls librdkafka. Here is what it must always be told (topic objects
 * instead of names, delivery reports as events, no Nagle, Java's partitioner, bounded
 * queues, no commits of its own) and what its older versions must not be asked.
 *
 * Threads: said at each part. Memory: said at each function. */
#ifndef SLUICE_WORKER_HOST_KAFKA_CLIENT_H
#define SLUICE_WORKER_HOST_KAFKA_CLIENT_H

#include "worker/host/pace.h"
#include <sluice/arena.h>
#include <sluice/config.h>

typedef struct kafka_header {
    const char *name;
    sluice_bytes value; /* `base` NULL: the null value. */
} kafka_header;

/* --- Producing: any thread, but serve and free. --- */

typedef struct kafka_producer kafka_producer;
typedef struct kafka_topic kafka_topic;

typedef struct kafka_message {
    kafka_topic *topic;
    int32_t partition;       /* -1: by the key, as Java's default does. */
    int64_t timestamp;       /* -1: now. */
    sluice_bytes key, value; /* `value` is borrowed until its delivery is served. */
    const kafka_header *headers;
    size_t header_count;
    void *opaque; /* Comes back with the delivery. */
} kafka_message;

/* Its size, as the client counts it. */
pace_size kafka_message_size(const kafka_message *message);

/* `settings` in Java's names, all layers: client_settings_layers(). An idempotent
 * producer with acks=all unless they say otherwise. BAD_CONFIG for settings that
 * librdkafka refuses. Does not wait for a connection, and where the settings are the
 * usual ones makes a client, with its threads, only for the first record. */
sluice_status kafka_producer_new(const sluice_props *settings,
                                 kafka_producer **ret_producer, sluice_error *err);

/* Drops what is not delivered yet. NULL is accepted. */
void kafka_producer_free(kafka_producer *self);

/* The topic of this name, made at first use, as long-lived as the producer. NULL, with
 * the reason, when there can be no client for it. Takes a lock: keep the result. */
kafka_topic *kafka_producer_topic(kafka_producer *self, const char *name,
                                  sluice_error *err);
const char *kafka_topic_name(const kafka_topic *topic);

/* Whether there are two lanes, as pace.h has them. There is only one where the settings
 * say linger.ms: then all wait as long as that says. */
bool kafka_producer_has_bulk(const kafka_producer *self);

/* Hands over messages from the front of `count`: as many as go together, one at least
 * where it is taken; how many to `*ret_taken`, whatever is returned. The bulk lane's
 * client is made when it is first used. Anything but OK is about the first that was not
 * taken. RETRY: the queue is full, come again after deliveries. BAD_RECORD: this
 * message can never be sent (too large, no such partition). FATAL: nothing can be sent
 * by this producer any more. */
sluice_status kafka_produce(kafka_producer *self, kafka_lane lane,
                            const kafka_message *messages, size_t count,
                            size_t *ret_taken, sluice_error *err);

typedef struct kafka_delivery_ops {
    /* `count` messages of this opaque are in the log. */
    void (*delivered)(void *context, void *opaque, size_t count);
    /* One is not and never will be. */
    void (*failed)(void *context, void *opaque, const char *topic, int32_t partition,
                   const char *reason);
} kafka_delivery_ops;

/* Readable when there are deliveries to serve, or after a nudge, by any thread. */
int kafka_producer_fd(const kafka_producer *self);
void kafka_producer_nudge(kafka_producer *self);
/* Calls `ops` for all deliveries that are there; does not wait. One thread. */
void kafka_producer_serve(kafka_producer *self, const kafka_delivery_ops *ops,
                          void *context);

/* Gives memory back that is kept for the next messages. Any thread. */
void kafka_producer_trim(kafka_producer *self);

/* Gives up on all messages, and waits until each has its delivery to serve. */
void kafka_producer_cancel(kafka_producer *self);

/* Whether it is beyond repair: why goes to `err`. */
bool kafka_producer_is_dead(kafka_producer *self, sluice_error *err);

/* The id of the cluster that `settings` lead to, the caller's: free(). RETRY when it
 * does not answer in time. Waits. */
sluice_status kafka_cluster_id(const sluice_props *settings, int timeout_ms,
                               char **ret_id, sluice_error *err);

/* --- Consuming: one thread, but lag. --- */

typedef struct kafka_consumer kafka_consumer;

typedef struct kafka_consumed {
    const char *topic; /* As the other pointers: until kafka_consumed_release(). */
    int32_t partition;
    int64_t offset;
    int64_t timestamp;     /* -1: none. */
    bool timestamp_of_log; /* LogAppendTime. */
    sluice_bytes key, value;
    void *message; /* librdkafka's. */
} kafka_consumed;

typedef struct kafka_position {
    const char *topic; /* Borrowed. */
    int32_t partition;
    int64_t offset;
} kafka_position;

/* Called within kafka_consumer_poll() and kafka_consumer_close(). */
typedef struct kafka_rebalance_ops {
    /* Partitions and the offsets that consuming begins at; -1 where that could not be
     * found out in time and auto.offset.reset or a commit will decide. */
    void (*assigned)(void *context, const kafka_position *gained, size_t count);
    /* `lost`: somebody else has them already, so nothing can be committed. */
    void (*revoked)(void *context, const kafka_position *revoked, size_t count,
                    bool lost);
} kafka_rebalance_ops;

/* As kafka_producer_new(). `ops` and `context` are borrowed for its life. */
sluice_status kafka_consumer_new(const sluice_props *settings,
                                 const kafka_rebalance_ops *ops, void *context,
                                 kafka_consumer **ret_consumer, sluice_error *err);

/* Leaves the group, which calls `revoked`. May take as long as a request. */
void kafka_consumer_close(kafka_consumer *self);
void kafka_consumer_free(kafka_consumer *self); /* NULL is accepted. */

/* `topics` by name, or one `regex` (Java's syntax, matching whole names) where it is
 * not NULL. BAD_CONFIG for a regex that cannot be used. */
sluice_status kafka_consumer_subscribe(kafka_consumer *self, const sluice_list *topics,
                                       const char *regex, sluice_error *err);

/* Readable when poll has something: then poll until it gives nothing. */
int kafka_consumer_fd(const kafka_consumer *self);

/* Takes up to `max` records that have arrived, without waiting; their number to
 * `ret_count`. FATAL: this consumer can't go on. */
sluice_status kafka_consumer_poll(kafka_consumer *self, kafka_consumed *ret_records,
                                  size_t max, size_t *ret_count, sluice_error *err);
void kafka_consumed_release(kafka_consumed *records, size_t count);

/* Header `index` of a record. False behind the last. */
bool kafka_consumed_header(const kafka_consumed *record, size_t index,
                           kafka_header *ret_header);

/* Stops and resumes the arrival of records from all partitions that it has now. */
void kafka_consumer_pause(kafka_consumer *self);
void kafka_consumer_resume(kafka_consumer *self);

/* The next record of each of these partitions that arrives is the one at its offset.
 * RETRY where the client did not answer in time. */
sluice_status kafka_consumer_seek(kafka_consumer *self, const kafka_position *to,
                                  size_t count, sluice_error *err);

/* Commits and waits for the answer, up to `timeout_ms`. RETRY when it is not known to
 * be committed. */
sluice_status kafka_consumer_commit(kafka_consumer *self, const kafka_position *next,
                                    size_t count, int timeout_ms, sluice_error *err);

/* The records that are in the log behind `offset` and not yet consumed, as known from
 * the last fetch; -1: unknown. */
int64_t kafka_consumer_lag(kafka_consumer *self, const char *topic, int32_t partition,
                           int64_t offset);

#endif
