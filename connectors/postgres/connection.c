/* connectors/postgres/connection.c - connections to the server that can be stopped. */
#include "connection.h"
#include "advice.h"

#include <errno.h>
#include <poll.h>
#include <sluice/log.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What makes the texts of values independent of the server, the database and the role:
 * without these, dates, floats, bytea and money come as somebody configured them. */
#define FIXED_SETTINGS                                                                 \
    "-c datestyle=ISO -c intervalstyle=postgres -c extra_float_digits=3 "              \
    "-c timezone=UTC -c bytea_output=hex -c lc_monetary=C"

enum {
    REST_MS = 30 * 1000, /* After so long a connection is asked whether it is there … */
    ANSWER_MS = 5 * 1000, /* … and answers within this time. */
};

int64_t clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

int64_t clock_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

void connection_init(connection *self, const postgres_config *config,
                     const sluice_task *task, bool replication)
{
    *self = (connection){.config = config,
                         .task = task,
                         .replication = replication,
                         .utf8 = pg_char_to_encoding("UTF8")};
}

void connection_close(connection *self)
{
    PQfinish(self->pq);
    self->pq = NULL;
}

bool connection_is_open(const connection *self)
{
    return self->pq != NULL && PQstatus(self->pq) == CONNECTION_OK;
}

bool connection_is_utf8(const connection *self)
{
    return PQclientEncoding(self->pq) == self->utf8;
}

/* --- Errors. --- */

const char *connection_reason(const char *message, char out[CONNECTION_TEXT_SIZE])
{
    const char *colon = strstr(message, ":  "); /* "FATAL:  28P01: password …" */
    if (colon != NULL && colon - message < 60) {
        message = colon + 3;
    }
    size_t upper = strspn(message, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    if (upper == 5 && message[5] == ':') {
        message += 7;
    }
    size_t len = strcspn(message, "\n");
    while (len > 0 && (message[len - 1] == ' ' || message[len - 1] == '.')) {
        len--;
    }
    snprintf(out, CONNECTION_TEXT_SIZE, "%.*s", (int)len, message);
    return out;
}

/* The state in "FATAL:  28P01: …", which is all that libpq tells of a refused start. */
static void state_of_message(const char *message, char ret_state[6])
{
    const char *colon = strstr(message, ":  ");
    ret_state[0] = '\0';
    if (colon != NULL &&
        strspn(colon + 3, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 5) {
        memcpy(ret_state, colon + 3, 5);
        ret_state[5] = '\0';
    }
}

static bool begins(const char *state, const char *class)
{
    return strncmp(state, class, strlen(class)) == 0;
}

/* What to do about an SQLSTATE; "" is a connection that could not be made or broke. */
static sluice_status status_of_state(const char *state)
{
    static const char *const passing[] = {"08",    "53", "57P", "55006",
                                          "55P03", "40", "",    "57014"};
    static const char *const wrong[] = {"28",    "3D000", "42501",
                                        "42704", "0A000", "22023"};
    if (*state == '\0') {
        return SLUICE_RETRY;
    }
    for (size_t i = 0; i < sizeof passing / sizeof *passing; i++) {
        if (*passing[i] != '\0' && begins(state, passing[i])) {
            return SLUICE_RETRY;
        }
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        if (begins(state, wrong[i])) {
            return SLUICE_BAD_CONFIG;
        }
    }
    return SLUICE_FATAL;
}

/* A further part of what the server says; "" where there is none. */
static void field_reason(const PGresult *result, int field,
                         char out[CONNECTION_TEXT_SIZE])
{
    const char *text = result == NULL ? NULL : PQresultErrorField(result, field);
    connection_reason(text == NULL ? "" : text, out);
}

sluice_status connection_fail(connection *self, const PGresult *result,
                              sluice_error *err)
{
    char reason[CONNECTION_TEXT_SIZE], parsed[6];
    const char *message =
        result != NULL ? PQresultErrorMessage(result) : PQerrorMessage(self->pq);
    const char *state =
        result != NULL ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    state_of_message(message, parsed);
    state = state == NULL ? parsed : state;
    snprintf(self->state, sizeof self->state, "%s", state);
    sluice_status status = status_of_state(state);
    connection_reason(*message == '\0' ? "the connection broke" : message, reason);
    char detail[CONNECTION_TEXT_SIZE], hint[CONNECTION_TEXT_SIZE];
    field_reason(result, PG_DIAG_MESSAGE_DETAIL, detail);
    field_reason(result, PG_DIAG_MESSAGE_HINT, hint);
    const char *advice = advice_for(state, message);
    const char *help = advice != NULL ? advice : hint;
    sluice_fail(err, status, "'%s:%d' says: %s%s%s%s%s", self->config->hostname,
                (int)self->config->port, reason, *detail != '\0' ? "; " : "", detail,
                *help != '\0' ? "; " : "", help);
    if (PQstatus(self->pq) != CONNECTION_OK) {
        connection_close(self);
    }
    return status;
}

/* --- Waiting. --- */

/* Waits for `events` of the connection. SLUICE_RETRY: stopped, or `deadline_ms` is over
 * (-1: none). */
static sluice_status wait_for(connection *self, short events, int64_t deadline_ms,
                              const char *what, sluice_error *err)
{
    struct pollfd fds[2] = {{PQsocket(self->pq), events, 0},
                            {sluice_task_stop_fd(self->task), POLLIN, 0}};
    for (;;) {
        int64_t left = deadline_ms < 0 ? -1 : deadline_ms - clock_ms();
        if (deadline_ms >= 0 && left <= 0) {
            return sluice_fail(err, SLUICE_RETRY,
                               "'%s:%d' has not answered in time, %s",
                               self->config->hostname, (int)self->config->port, what);
        }
        int ready = poll(fds, 2, left > INT32_MAX ? INT32_MAX : (int)left);
        if (ready < 0 && errno != EINTR) {
            return sluice_fail(err, SLUICE_FATAL, "cannot wait for a connection: %s",
                               strerror(errno));
        }
        if (ready > 0 && fds[1].revents != 0) {
            return sluice_fail(err, SLUICE_RETRY, "stopped, %s", what);
        }
        if (ready > 0) {
            return SLUICE_OK;
        }
    }
}

bool connection_read(connection *self)
{
    bool good = PQconsumeInput(self->pq) != 0;
    if (good && PQsslInUse(self->pq)) {
        good = PQconsumeInput(self->pq) != 0 && PQconsumeInput(self->pq) != 0;
    }
    return good;
}

/* --- Connecting. --- */

static PGconn *start(const connection *self)
{
    const postgres_config *config = self->config;
    static const char *const sslmodes[] = {"disable", "allow",     "prefer",
                                           "require", "verify-ca", "verify-full"};
    char port[16];
    snprintf(port, sizeof port, "%d", (int)config->port);
    /* The system's own keepalive would find a dead connection after two hours. */
    const char *names[] = {"host",
                           "port",
                           "user",
                           "password",
                           "dbname",
                           "sslmode",
                           "sslcert",
                           "sslkey",
                           "sslpassword",
                           "sslrootcert",
                           "keepalives",
                           "keepalives_idle",
                           "keepalives_interval",
                           "keepalives_count",
                           "tcp_user_timeout",
                           "application_name",
                           "options",
                           "replication",
                           "client_encoding",
                           "gssencmode",
                           NULL};
    const char *values[] = {config->hostname,
                            port,
                            config->user,
                            config->password,
                            config->dbname,
                            sslmodes[config->sslmode],
                            config->sslcert,
                            config->sslkey,
                            config->sslpassword,
                            config->sslrootcert,
                            config->tcp_keepalive ? "1" : "0",
                            "30",
                            "10",
                            "3",
                            config->tcp_keepalive ? "60000" : "0",
                            self->replication ? "Sluice Streaming" : "Sluice General",
                            self->replication ? FIXED_SETTINGS " -c statement_timeout=0"
                                              : FIXED_SETTINGS,
                            self->replication ? "database" : NULL,
                            "UTF8",
                            NULL};
    return PQconnectStartParams(names, values, 0);
}

static sluice_status refused(connection *self, sluice_error *err)
{
    char reason[CONNECTION_TEXT_SIZE], state[6];
    const char *message = PQerrorMessage(self->pq);
    const char *last =
        strstr(message, "failed: "); /* 'connection to server … failed: ' */
    state_of_message(message, state);
    sluice_status status = status_of_state(state);
    connection_reason(last != NULL ? last + 8 : message, reason);
    const char *advice = advice_for(state, message);
    sluice_fail(err, status, "cannot connect to '%s:%d' as '%s': %s%s%s",
                self->config->hostname, (int)self->config->port, self->config->user,
                reason, advice != NULL ? "; " : "", advice != NULL ? advice : "");
    connection_close(self);
    return status;
}

/* What the server remarks, which libpq would print. */
static void notice(void *context, const char *message)
{
    char reason[CONNECTION_TEXT_SIZE];
    sluice_log(SLUICE_INFO, "connectors.postgres", "the server remarks: %s",
               connection_reason(message, reason));
}

static sluice_status connect_steps(connection *self, sluice_error *err)
{
    int64_t deadline = clock_ms() + self->config->connect_timeout_ms;
    PostgresPollingStatusType next = PGRES_POLLING_WRITING;
    while (next != PGRES_POLLING_OK) {
        if (next == PGRES_POLLING_FAILED) {
            return refused(self, err);
        }
        sluice_status status =
            wait_for(self, next == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline,
                     "connecting", err);
        if (status != SLUICE_OK) {
            connection_close(self);
            return status;
        }
        next = PQconnectPoll(self->pq);
    }
    return SLUICE_OK;
}

/* Whether a connection that has rested still has its server: what lies between may have
 * forgotten it without a word. */
static bool is_alive(connection *self)
{
    if (self->replication || clock_ms() - self->used_ms < REST_MS) {
        return true;
    }
    sluice_error *unwanted = sluice_error_new();
    bool alive = connection_ask(self, "", ANSWER_MS, NULL, unwanted) == SLUICE_OK;
    sluice_error_free(unwanted);
    return alive;
}

sluice_status connection_open(connection *self, sluice_error *err)
{
    if (connection_is_open(self) && is_alive(self)) {
        return SLUICE_OK;
    }
    connection_close(self);
    self->pq = start(self);
    if (self->pq == NULL) {
        abort(); /* Out of memory. */
    }
    PQsetErrorVerbosity(self->pq, PQERRORS_VERBOSE); /* Shows the state. */
    PQsetNoticeProcessor(self->pq, notice, NULL);
    if (PQstatus(self->pq) == CONNECTION_BAD) {
        return refused(self, err);
    }
    sluice_status status = connect_steps(self, err);
    if (status != SLUICE_OK) {
        return status;
    }
    PQsetErrorVerbosity(self->pq, PQERRORS_DEFAULT);
    PQsetnonblocking(self->pq, 1);
    self->used_ms = clock_ms();
    const char *initial = self->config->initial_statements;
    if (self->replication || initial == NULL || *initial == '\0') {
        return SLUICE_OK;
    }
    status = connection_run(self, initial, self->config->query_timeout_ms, NULL, err);
    if (status == SLUICE_OK && !connection_is_utf8(self)) {
        status = sluice_fail(err, SLUICE_BAD_CONFIG,
                             "client_encoding must stay UTF8: leave it as it is");
    }
    if (status != SLUICE_OK) {
        sluice_prefix(err, "database.initial.statements");
        connection_close(self);
    }
    return status;
}

/* --- Queries. --- */

/* Asks the server to give up what it is doing, then closes: just closing would leave a
 * slot's creation waiting for ever. */
static void cancel(connection *self)
{
    char reason[256];
    PGcancel *request = PQgetCancel(self->pq);
    if (request != NULL) {
        PQcancel(request, reason, sizeof reason);
        PQfreeCancel(request);
    }
    connection_close(self);
}

static sluice_status flush_out(connection *self, int64_t deadline, sluice_error *err)
{
    for (;;) {
        int left = PQflush(self->pq);
        if (left == 0) {
            return SLUICE_OK;
        }
        if (left < 0) {
            return connection_fail(self, NULL, err);
        }
        sluice_status status =
            wait_for(self, POLLIN | POLLOUT, deadline, "sending a query", err);
        if (status != SLUICE_OK) {
            return status;
        }
        PQconsumeInput(self->pq);
    }
}

static sluice_status await_result(connection *self, int64_t deadline,
                                  PGresult **ret_result, sluice_error *err)
{
    while (PQisBusy(self->pq)) {
        sluice_status status = wait_for(self, POLLIN, deadline, "running a query", err);
        if (status != SLUICE_OK && self->asks) {
            connection_close(self);
            return status;
        }
        if (status != SLUICE_OK) {
            cancel(self);
            return status;
        }
        if (PQconsumeInput(self->pq) == 0) {
            return connection_fail(self, NULL, err);
        }
    }
    *ret_result = PQgetResult(self->pq);
    return SLUICE_OK;
}

static bool is_good(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK ||
           status == PGRES_EMPTY_QUERY || status == PGRES_COPY_OUT ||
           status == PGRES_COPY_BOTH;
}

/* Takes results until the last; COPY begins with one that is not followed by another.
 */
static sluice_status take_results(connection *self, int64_t deadline,
                                  PGresult **ret_last, sluice_error *err)
{
    PGresult *last = NULL, *next = NULL;
    for (;;) {
        sluice_status status = await_result(self, deadline, &next, err);
        if (status != SLUICE_OK || next == NULL) {
            *ret_last = last;
            return status;
        }
        ExecStatusType kind = PQresultStatus(next);
        bool keep = last == NULL || is_good(last); /* The first error is the cause. */
        PQclear(keep ? last : next);
        last = keep ? next : last;
        if (kind == PGRES_COPY_OUT || kind == PGRES_COPY_BOTH) {
            *ret_last = last;
            return SLUICE_OK;
        }
    }
}

sluice_status connection_run(connection *self, const char *sql, int64_t timeout_ms,
                             PGresult **ret_result, sluice_error *err)
{
    self->used_ms = clock_ms();
    int64_t deadline = timeout_ms > 0 ? self->used_ms + timeout_ms : -1;
    if (PQsendQuery(self->pq, sql) == 0) {
        return connection_fail(self, NULL, err);
    }
    PGresult *result = NULL;
    sluice_status status = flush_out(self, deadline, err);
    if (status == SLUICE_OK) {
        status = take_results(self, deadline, &result, err);
    }
    if (status == SLUICE_OK && !is_good(result)) {
        status = connection_fail(self, result, err);
    }
    if (status != SLUICE_OK || ret_result == NULL) {
        PQclear(result);
        return status;
    }
    *ret_result = result;
    return SLUICE_OK;
}

sluice_status connection_ask(connection *self, const char *sql, int64_t timeout_ms,
                             PGresult **ret_result, sluice_error *err)
{
    self->asks = true;
    sluice_status status = connection_run(self, sql, timeout_ms, ret_result, err);
    self->asks = false;
    return status;
}

sluice_status connection_query(connection *self, sluice_error *err,
                               PGresult **ret_result, const char *format, ...)
{
    va_list arguments;
    char *sql;
    va_start(arguments, format);
    int len = vasprintf(&sql, format, arguments);
    va_end(arguments);
    if (len < 0) {
        abort();
    }
    sluice_status status =
        connection_run(self, sql, self->config->query_timeout_ms, ret_result, err);
    free(sql);
    return status;
}

const char *result_cell(const PGresult *result, int row, int column)
{
    const char *text = PQgetvalue(result, row, column);
    return text != NULL ? text : "";
}

static char *quoted(char *from_pq)
{
    if (from_pq == NULL) {
        abort();
    }
    char *copy = strdup(from_pq);
    PQfreemem(from_pq);
    if (copy == NULL) {
        abort();
    }
    return copy;
}

char *connection_name(connection *self, const char *name)
{
    return quoted(PQescapeIdentifier(self->pq, name, strlen(name)));
}

char *connection_text(connection *self, const char *text)
{
    return quoted(PQescapeLiteral(self->pq, text, strlen(text)));
}
