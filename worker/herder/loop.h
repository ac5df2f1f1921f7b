/* loop.h - the herder's thread: events in, deeds done.
 *
 * One thread waits for requests, for lines and deaths of hosts, for the store and for
 * the herder's next deadline; gives each to herder_step(); and carries out what that
 * asks for. Nothing in it waits for anybody: a host that does not read gets its lines
 * later, and the store has a thread of its own.
 *
 * Threads: start and stop from one; ask from any. */
#ifndef SLUICE_HERDER_LOOP_H
#define SLUICE_HERDER_LOOP_H

#include "worker/herder/herder.h"
#include "worker/nursery.h"
#include "worker/store/worker_file.h"

typedef struct herder_loop herder_loop;

typedef struct herder_loop_settings {
    herder_settings herder;
    nursery
        *nursery; /* Borrowed until herder_loop_stop() has returned, as the files. */
    worker_file *offsets;
    worker_file *configs;          /* NULL: connectors live in memory only. */
    json_t *restored;              /* What is stored, for herder_event_restore. */
    void (*failed)(void *context); /* The loop has ended by itself; its own thread. */
    void *context;
} herder_loop_settings;

/* The answer to a request: `body` or `text` or neither, borrowed until return. Called
 * on the herder's thread, once for each request. */
typedef void herder_loop_answer(void *context, int status, const json_t *body,
                                const char *text);

sluice_status herder_loop_start(const herder_loop_settings *settings,
                                herder_loop **ret_loop, sluice_error *err);

/* Gives a request to the herder. `request` is copied, its `id` is not looked at; its
 * body is taken: no other thread may have a reference to it or to a part of it. */
void herder_loop_ask(herder_loop *self, const herder_request *request,
                     herder_loop_answer *answer, void *context);

/* Stops all hosts, stores their last offsets, answers what waits, and ends the thread.
 * No request may be asked any more once it has begun. */
void herder_loop_stop(herder_loop *self);

#endif
