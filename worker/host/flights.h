/* worker/host/flights.h - batches on their way into the log, and what has landed.
 *
 * A polled batch is a *flight*: its records' bytes stay in its arena until the log has
 * all of them. Flights of a task land in the order they started; offsets of what has
 * landed are collected, sent to the worker, stored, and only then told to the source.
 * Behind a flight of which a record is lost no offset counts any more.
 *
 *     task thread    take ─► fill, convert ─► launch ─┐            ┌─► news: stored
 *     either thread                     hand over ◄───┴──────┐     │
 *     main thread    deliveries ─► land, in order ─► collect ┘ ─► stored
 *
 * How much is handed over at a time, and how, is pace.h's.
 *
 * What is under way is bounded, in number and in bytes of memory; at the bound take
 * gives nothing, the source is not polled, and memory does not grow.
 *
 * Threads: said at each function; a lock guards the rest. */
#ifndef SLUICE_WORKER_HOST_FLIGHTS_H
#define SLUICE_WORKER_HOST_FLIGHTS_H

#include "worker/host/kafka_client.h"
#include "worker/host/pace.h"
#include "worker/host/runner.h"

typedef struct flight flight;

typedef struct flights {
    runner *runner;
    kafka_producer *producer;

    pthread_mutex_t lock;  /* Guards what follows. */
    flight *first, **last; /* Under way, oldest first. */
    flight *next;          /* The first that is not wholly handed over. */
    pace pace;
    bool handing; /* A thread is handing over. */
    flight *free; /* Landed, with warm memory. */
    size_t under_way, kept, kept_bytes;
    bool waiting;           /* The task waits for one to land. */
    sluice_offsets *landed; /* Not yet sent to the worker. */
    sluice_offsets *sent;   /* Sent, not yet stored … */
    int64_t sent_ms;        /* … since then. */
    sluice_offsets *stored; /* Stored, the source not yet told. */
    char *trouble;          /* Why the task must fail. */
} flights;

/* `window`: bytes of a request. */
void flights_init(flights *self, runner *of, kafka_producer *producer, size_t window);
/* No flight is handed over any more, or the producer is gone. */
void flights_done(flights *self);

/* --- The task's thread. --- */

/* A flight with an empty batch; NULL while too much is under way, and then the task is
 * woken when that has changed. It goes back by one of the next two. */
flight *flights_take(flights *self);
void flights_give_back(flights *self, flight *unused);

/* Sends `count` messages of the flight; opaque must be the flight. */
void flights_launch(flights *self, flight *starting, size_t count);

sluice_batch *flight_batch(const flight *self);
/* Room for `count` messages, to be filled before the launch. */
kafka_message *flight_messages(flight *self, size_t count);

/* FATAL with the reason when a record was lost that may not be. */
sluice_status flights_check(flights *self, sluice_error *err);

/* What was stored since the last call, the caller's; NULL: nothing. */
sluice_offsets *flights_news(flights *self);

/* Gives memory back that is not used. */
void flights_trim(flights *self);

/* Whether anything is under way, not sent or not stored. If so the task is woken at
 * each landing. */
bool flights_are_busy(flights *self);

/* --- The main thread. --- */

/* What kafka_producer_serve() calls; it has no context. */
extern const kafka_delivery_ops flight_deliveries;

size_t flights_count(flights *self);
/* Hands over what a full queue of the client has stopped. */
void flights_go_on(flights *self);

/* Whether there are offsets to be stored. */
bool flights_have_offsets(flights *self);
/* Moves them into `all`; they count as on their way until stored. */
void flights_collect(flights *self, sluice_offsets *all);
/* What was collected last is stored: the source will be told. */
void flights_stored(flights *self);

#endif
