/* connectors/postgres/stream.h - the replication connection while it streams: messages
 * in, status updates out.
 *
 * The server ends a stream whose client is silent for wal_sender_timeout, also while
 * the sink behind us blocks and nobody polls. So a small thread, the pulse, sends the
 * status when it is due; it sleeps in between and touches nothing else.
 *
 * Threads: all functions from the task's own; the pulse shares the connection under
 * `lock`, which stream_lock() holds while messages are read. */
#ifndef SLUICE_POSTGRES_STREAM_H
#define SLUICE_POSTGRES_STREAM_H

#include "connection.h"
#include "pgoutput.h"
#include "position.h"
#include <pthread.h>

/* The server sends every row by itself. Whoever reads them as they come pays for a
 * system call a row, and makes the server pay for waking somebody; so while rows keep
 * coming, some should gather between two reads. */
enum { STREAM_GATHER = 16 };

typedef struct stream {
    const sluice_task *task;
    pthread_mutex_t lock; /* Of everything below. */
    connection link;
    bool streaming;
    char *buffer;     /* The message that was taken last. */
    int fresh;        /* Messages since the last read; -1: none was done yet. */
    lsn received;     /* All before it has been read. */
    lsn server_end;   /* What the server last told of itself. */
    lsn flush;        /* All before it is stored: what the server is told. */
    int64_t sent_ms;  /* When the last status went out. */
    int64_t heard_ms; /* When the last message came in. */
    int64_t interval_ms, silence_ms;

    pthread_t pulse;
    int pulse_stop; /* An eventfd. */
    bool pulsing;
} stream;

void stream_init(stream *self, const postgres_config *config, const sluice_task *task);
void stream_done(stream *self);

/* Begins at `start`. `server_timeout_ms` is the server's patience, 0 without an end.
 * SLUICE_RETRY also while the slot is in use. */
sluice_status stream_start(stream *self, lsn start, int64_t server_timeout_ms,
                           sluice_error *err);
/* Ends the stream and the connection. */
void stream_stop(stream *self);

void stream_lock(stream *self);
void stream_unlock(stream *self);

/* Under the lock: takes the next message that has already come. `*ret_len` is 0 where
 * there is none now, or so few came with the last read that the next is better done
 * later: stream_begin() allows it. `*ret_message` lives until the next call. */
sluice_status stream_take(stream *self, const char **ret_message, size_t *ret_len,
                          sluice_error *err);
void stream_begin(stream *self);
/* Under the lock: tells the server what is received and stored; `ask`: and asks it
 * where it is. A failure shows at the next stream_take(). */
void stream_tell(stream *self, bool ask);

/* Milliseconds until nothing has come for longer than the server's patience, though it
 * was asked: the connection is dead, or the server is busy. -1 where that is never. */
int64_t stream_silent_in(const stream *self);
/* It is busy: it has as long again. */
void stream_heard(stream *self);

#endif
