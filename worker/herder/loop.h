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

typedef struct loop loop;

typedef struct loop_settings {
    herder_settings herder;
    nursery *nursery; /* Borrowed until loop_stop() has returned, as the files. */
    worker_file *offsets;
    worker_file *configs;          /* NULL: connectors live in memory only. */
    json_t *restored;              /* What is stored, for herder_event_restore. */
    void (*failed)(void *context); /* The loop has ended by itself; its own thread. */
    void *context;
} loop_settings;

/* The answer to a request: `body` or `text` or neither, borrowed until return. Called
 * on the herder's thread, once for each request. */
typedef void loop_answer(void *context, int status, const json_t *body,
                         const char *text);

sluice_status loop_start(const loop_settings *settings, loop **ret_loop,
                         sluice_error *err);

/* Gives a request to the herder. `request` is copied, its `id` is not looked at; its
 * body is taken: no other thread may have a reference to it or to a part of it. */
void loop_ask(loop *self, const herder_request *request, loop_answer *answer,
              void *context);

/* Stops all hosts, stores their last offsets, answers what waits, and ends the thread.
 * No request may be asked any more once it has begun. */
void loop_stop(loop *self);

#endif
