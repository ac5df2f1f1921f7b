/* worker/host/pace.h - how much is handed to the Kafka client at a time, and in which
 * lane.
 *
 * librdkafka's idempotent producer has one request per partition under way (it counts
 * messages where the protocol counts requests). Whatever waits behind it for longer
 * than linger.ms makes its thread spin until the answer comes: 5.8 us of CPU a record
 * against 1.5, measured. Records that may linger cost little then, and others a lot; so
 * there are two clients, and records go by the one or the other:
 *
 *   quick  linger.ms=0. A lone record goes at once, also while others are out: up to
 *          five are out at a time, which librdkafka sends without waiting, and which
 *          share a sync of the log's disk. What is more goes together, at most a
 *          request, when all that is out is answered.
 *   bulk   lingers. Two and a half requests are kept with the client, which sends the
 *          next full one as soon as the last is answered, without asking anybody. What
 *          does not fill a request waits 25 ms.
 *
 * It is bulk while more than 25 MB/s come, for 50 ms at least, or when a whole request
 * has come together during one round trip; so a burst of a thousand rows is sent at
 * once. Lanes change while nothing is out, so that order is kept.
 *
 * Sizes: a lot is counted as it is on the wire, and what is with the client in the bulk
 * lane as the client counts it when it asks whether a request is full: keys and values.
 *
 * Threads: the owner's lock. */
#ifndef SLUICE_WORKER_HOST_PACE_H
#define SLUICE_WORKER_HOST_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum kafka_lane { KAFKA_QUICK, KAFKA_BULK } kafka_lane;

typedef struct pace_size {
    size_t wire;    /* Bytes in a request, at most. */
    size_t payload; /* Bytes of key and value. */
    size_t count;   /* Messages. */
} pace_size;

typedef struct pace {
    size_t window; /* Bytes of a request. */
    bool two_lanes;
    kafka_lane lane;
    bool open; /* The lot may still grow. */
    size_t lot;
    size_t waiting;       /* Bytes on the wire that are not handed over … */
    size_t waiting_count; /* … and messages. */
    size_t out;           /* Bytes of payload handed over without an answer … */
    size_t out_count;     /* … and messages. */
    bool brisk;
    int64_t since_ms; /* The rate is measured from here … */
    size_t launched;  /* … over these bytes. */
} pace;

void pace_init(pace *self, size_t window, bool two_lanes);

/* `count` messages more wait, of so many bytes in all. */
void pace_launch(pace *self, size_t wire, size_t count, int64_t now_ms);

/* Hands over as much as may go now of `count` messages with these sizes: how many, with
 * their sum in `ret_sum`, in the lane `self->lane`. Asked again until it is 0 or
 * nothing waits; then pace_close(). */
size_t pace_allot(pace *self, const pace_size *sizes, size_t count, int64_t now_ms,
                  pace_size *ret_sum);
void pace_close(pace *self);

/* So much that was handed over is answered, or (its wire size too) was not taken. */
void pace_answer(pace *self, size_t payload, size_t count);
void pace_take_back(pace *self, const pace_size *what);

/* Whether it is worth while to hand over more. */
bool pace_wants(const pace *self);

#endif
