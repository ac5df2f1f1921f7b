/* writer.h - the thread that makes offsets and configurations durable.
 *
 * Orders wait in a queue; the thread takes all that are there, writes them in one
 * transaction, and then says which are done, in their order. When the disk refuses, the
 * same orders are tried again each second, and nothing after them overtakes.
 *
 * Threads: writer_put() from any; the callbacks are called on the writer's thread. */
#ifndef SLUICE_STORE_WRITER_H
#define SLUICE_STORE_WRITER_H

#include "worker/store/worker_file.h"
#include <stdint.h>

typedef struct writer writer;

typedef struct writer_settings {
    worker_file *offsets; /* Borrowed until writer_stop() has returned. */
    worker_file *configs; /* May be the same; NULL: configurations are not kept. */
    void (*done)(void *context, const uint64_t *ids, size_t count);
    void (*trouble)(void *context, const char *text); /* Once for each trouble. */
    void *context;
} writer_settings;

typedef enum writer_kind { WRITER_OFFSETS, WRITER_CONFIG } writer_kind;

sluice_status writer_start(const writer_settings *settings, writer **ret_writer,
                           sluice_error *err);

/* Writes what is still in the queue (once) and ends the thread. */
void writer_stop(writer *self);

/* Orders `json` to be stored for `connector`, as worker_file_put_…; both are copied,
 * as jansson's values do not belong to two threads. */
void writer_put(writer *self, writer_kind kind, uint64_t id, const char *connector,
                json_t *json);

#endif
