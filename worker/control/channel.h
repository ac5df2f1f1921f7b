/* worker/control/channel.h - lines of JSON over a socket.
 *
 * Threads: channel_send() from any; the rest from one. Memory: the channel owns its
 * descriptor after init and closes it in done. */
#ifndef SLUICE_WORKER_CONTROL_CHANNEL_H
#define SLUICE_WORKER_CONTROL_CHANNEL_H

#include "base/buffer.h"
#include <jansson.h>
#include <pthread.h>
#include <sluice/error.h>

typedef struct channel {
    int fd;
    buffer in;
    size_t looked_at; /* Bytes of `in` that hold no line end. */
    size_t line_bytes_max;
    bool more;
    bool too_long;        /* What has come in is longer than a line may be. */
    bool ended;           /* The other side has closed it, or broken the rules. */
    pthread_mutex_t lock; /* One sender at a time: guards `out`. */
    buffer out;
} channel;

/* A line that comes in has at most `line_bytes_max`. */
void channel_init(channel *self, int fd, size_t line_bytes_max);
void channel_done(channel *self);

/* Reads what has arrived, without waiting: 64 KiB at most, so that nobody who writes
 * without an end is read without one; `more` says that there may be more. OK also when
 * it was nothing; FATAL at the end of the stream and for a line that is too long. */
sluice_status channel_read(channel *self, sluice_error *err);

/* The next whole message that was read, the caller's; NULL when there is none (OK).
 * FATAL for a line that is not a JSON object. */
sluice_status channel_next(channel *self, json_t **ret_message, sluice_error *err);

/* Sends a message and waits until it is written. Takes `message` always; NULL, which
 * json_pack() gives for what is no UTF-8, is not sent. A reader that
 * is gone is not an error: channel_read() tells it. */
void channel_send(channel *self, json_t *message);

#endif
