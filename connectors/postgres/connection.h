/* connectors/postgres/connection.h - connections to the server that can be stopped.
 *
 * All calls of libpq here are non-blocking: whatever waits, waits for the task's stop
 * too, and ends within its time limit. Both kinds of connections fix the settings that
 * change how values are written, so that the stream and COPY write them alike.
 *
 * Errors: SLUICE_RETRY where waiting helps (the server is away, starting, full, or the
 * connection broke; also when the task is stopped), SLUICE_BAD_CONFIG where a key or a
 * right must be changed, SLUICE_FATAL else.
 *
 * Threads: a connection belongs to one thread at a time. */
#ifndef SLUICE_POSTGRES_CONNECTION_H
#define SLUICE_POSTGRES_CONNECTION_H

#include "config.h"
#include <libpq-fe.h>
#include <sluice/task.h>

typedef struct connection {
    const postgres_config *config;
    const sluice_task *task;
    bool replication; /* Speaks the replication protocol; it is in no transaction. */
    PGconn *pq;       /* NULL: not connected. */
    int utf8;         /* What libpq calls it. */
    char state[6];    /* The SQLSTATE of the last failure, or "". */
    int64_t used_ms;  /* The last query began then. */
    bool asks;        /* The query at hand is given up without a word. */
} connection;

void connection_init(connection *self, const postgres_config *config,
                     const sluice_task *task, bool replication);
/* Closes it; it may be opened again. */
void connection_close(connection *self);
bool connection_is_open(const connection *self);

/* Whether texts come in UTF-8, as was asked for: a server may change that at any time.
 */
bool connection_is_utf8(const connection *self);

/* Connects, unless it is connected. One that has rested for half a minute is tried, and
 * made anew where nobody answers. */
sluice_status connection_open(connection *self, sluice_error *err);

/* Runs one statement, printed from `format`, and gives its result, which the caller
 * clears with PQclear(). `ret_result` NULL: nobody wants it. Names and texts go through
 * connection_name() and connection_text(). */
sluice_status connection_query(connection *self, sluice_error *err,
                               PGresult **ret_result, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The same with a limit of time other than database.query.timeout.ms; -1: none. */
sluice_status connection_run(connection *self, const char *sql, int64_t timeout_ms,
                             PGresult **ret_result, sluice_error *err);
/* The same for what costs the server nothing: when time is over the connection is
 * closed, without asking the server to give up, which could take as long again. */
sluice_status connection_ask(connection *self, const char *sql, int64_t timeout_ms,
                             PGresult **ret_result, sluice_error *err);

/* A cell's text; "" where it is null or where there is none. */
const char *result_cell(const PGresult *result, int row, int column);

/* Says why the last call of libpq did not work, from its result (may be NULL). The
 * connection is closed if it is broken. */
sluice_status connection_fail(connection *self, const PGresult *result,
                              sluice_error *err);

/* Reads what has come, without waiting; whether the connection is good. With TLS, bytes
 * may wait in OpenSSL where poll() does not see them: the rest of a record (16 KiB) for
 * which libpq's buffer had no room (8 KiB at least); these are read too. */
bool connection_read(connection *self);

/* The rest of what the server says, without "ERROR: " and in one line; in `out`. */
enum { CONNECTION_TEXT_SIZE = 512 };
const char *connection_reason(const char *message, char out[CONNECTION_TEXT_SIZE]);

/* Quoted for SQL, malloc'd. Never NULL: aborts when memory is out. */
char *connection_name(connection *self, const char *name);
char *connection_text(connection *self, const char *text);

/* Monotonic milliseconds, and microseconds since 1970. */
int64_t clock_ms(void);
int64_t clock_us(void);

#endif
