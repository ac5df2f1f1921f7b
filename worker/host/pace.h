/* worker/host/pace.h - how much is handed to the Kafka client at a time, and in which
 * lane.
 *
 * librdkafka's idempotent producer has one request per partition under way (it counts
 * messages where the protocol counts requests). Whatever waits behind it for longer
 * than linger.ms makes its thread spin until the answer comes: 5.8 us of CPU a record
 * against 1.5, measured. Records that may linger cost little then, and others a lot; so
 * there are two clients, and records go by the one or the other:
 *
 *   quick  linger.ms=0. What waits goes together, at most a request, and the next when
 *          all of it is answered. A lone record goes at once.
 *   bulk   lingers. Three and a half requests are kept with the client, which sends the
 *          next full one as soon as the last is answered, without asking anybody. What
 *          does not fill a request waits some 50 ms.
 *
 * It is bulk when an eighth of a request has come together during one round trip, which
 * is more than 50 MB/s; and quick again when less than 20 MB/s come. Lanes change while
 * nothing is out, so that order is kept.
 *
 * Threads: the owner's lock. */
#ifndef SLUICE_WORKER_HOST_PACE_H
#define SLUICE_WORKER_HOST_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum kafka_lane { KAFKA_QUICK, KAFKA_BULK } kafka_lane;

typedef struct pace {
    size_t window; /* Bytes of a request. */
    bool two_lanes;
    kafka_lane lane;
    bool open; /* The lot may still grow. */
    size_t lot;
    size_t waiting;   /* Bytes that are not handed over. */
    int64_t out;      /* Bytes handed over without an answer … */
    size_t out_count; /* … and messages. */
    bool brisk;
    int64_t since_ms; /* The rate is measured from here … */
    size_t launched;  /* … over these bytes. */
} pace;

void pace_init(pace *self, size_t window, bool two_lanes);

/* `bytes` more wait. */
void pace_launch(pace *self, size_t bytes, int64_t now_ms);

/* Bytes that may be handed over now, in the lane `self->lane`; while nothing is out, a
 * message that is larger may go too. Asked again until it is 0 or nothing waits; then
 * pace_close(). */
size_t pace_room(pace *self, int64_t now_ms);
void pace_close(pace *self);

/* So much is handed over; is not, after all; is answered. */
void pace_hand(pace *self, size_t bytes, size_t count);
void pace_take_back(pace *self, size_t bytes, size_t count);
void pace_answer(pace *self, size_t bytes, size_t count);

/* Whether it is worth while to hand over more. */
bool pace_wants(const pace *self);

#endif
