/* connectors/postgres/stream.c - the replication connection while it streams. */
#include "stream.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

void stream_init(stream *self, const postgres_config *config, const sluice_task *task)
{
    memset(self, 0, sizeof *self);
    self->task = task;
    self->pulse_stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init(&self->lock, NULL);
    connection_init(&self->link, config, task, true);
}

void stream_lock(stream *self)
{
    pthread_mutex_lock(&self->lock);
}

void stream_unlock(stream *self)
{
    pthread_mutex_unlock(&self->lock);
}

/* --- The pulse. --- */

/* A server that hears from us, and has nothing to tell, tells nothing: it must be asked
 * to show that it is there, a few times before its silence says that it is not. */
static int64_t due_in(stream *self)
{
    stream_lock(self);
    int64_t now = clock_ms(), left = self->sent_ms + self->interval_ms - now;
    if (left <= 0 && self->streaming) {
        bool quiet = now - self->heard_ms > self->silence_ms / 4;
        stream_tell(self, self->silence_ms > 0 && quiet);
        left = self->interval_ms;
    }
    stream_unlock(self);
    return left > 1 ? left : 1;
}

static void *pulse(void *argument)
{
    stream *self = argument;
    struct pollfd stop = {self->pulse_stop, POLLIN, 0};
    while (poll(&stop, 1, (int)due_in(self)) == 0) {
    }
    return NULL;
}

static void pulse_start(stream *self)
{
    if (!self->pulsing) {
        self->pulsing = pthread_create(&self->pulse, NULL, pulse, self) == 0;
    }
}

static void pulse_end(stream *self)
{
    if (self->pulsing) {
        uint64_t one = 1;
        ssize_t written = write(self->pulse_stop, &one, sizeof one);
        (void)written; /* An eventfd that is 0 takes 1. */
        pthread_join(self->pulse, NULL);
        written = read(self->pulse_stop, &one, sizeof one);
        self->pulsing = false;
    }
}

void stream_done(stream *self)
{
    stream_stop(self);
    close(self->pulse_stop);
    pthread_mutex_destroy(&self->lock);
}

/* --- Beginning and end. --- */

/* "name=value;name=value" of slot.stream.params as ", name 'value'". */
static void add_params(connection *link, const char *params, char *sql, size_t size)
{
    while (params != NULL && *params != '\0') {
        size_t len = strcspn(params, ";"), name = strcspn(params, "=;");
        if (name < len) {
            char value[128];
            snprintf(value, sizeof value, "%.*s", (int)(len - name - 1),
                     params + name + 1);
            char *quoted = connection_text(link, value);
            size_t at = strlen(sql);
            snprintf(sql + at, size - at, ", \"%.*s\" %s", (int)name, params, quoted);
            free(quoted);
        }
        params += len + (params[len] == ';');
    }
}

static sluice_status send_start(stream *self, lsn start, sluice_error *err)
{
    const postgres_config *config = self->link.config;
    char at[LSN_TEXT_SIZE], sql[2048];
    char *publication = connection_name(&self->link, config->publication);
    char *list = connection_text(&self->link, publication);
    snprintf(sql, sizeof sql,
             "START_REPLICATION SLOT \"%s\" LOGICAL %s (proto_version '1', "
             "publication_names %s%s",
             config->slot, lsn_print(start, at), list,
             PQserverVersion(self->link.pq) >= 140000 ? ", messages 'true'" : "");
    free(publication);
    free(list);
    add_params(&self->link, config->stream_params, sql, sizeof sql - 2);
    size_t len = strlen(sql);
    snprintf(sql + len, sizeof sql - len, ")");
    PGresult *result;
    sluice_status status =
        connection_run(&self->link, sql, config->query_timeout_ms, &result, err);
    if (status == SLUICE_OK) {
        PQclear(result);
    } else {
        sluice_prefix(err, "cannot stream from slot '%s'", config->slot);
    }
    return status;
}

sluice_status stream_start(stream *self, lsn start, int64_t server_timeout_ms,
                           sluice_error *err)
{
    sluice_status status = connection_open(&self->link, err);
    if (status == SLUICE_OK) {
        status = send_start(self, start, err);
    }
    if (status != SLUICE_OK) {
        connection_close(&self->link);
        return status;
    }
    self->interval_ms = self->link.config->status_interval_ms;
    if (server_timeout_ms > 0 && server_timeout_ms / 3 < self->interval_ms) {
        self->interval_ms = server_timeout_ms / 3;
    }
    self->silence_ms = server_timeout_ms;
    self->heard_ms = self->sent_ms = clock_ms();
    self->received = start;
    self->streaming = true;
    pulse_start(self);
    return SLUICE_OK;
}

void stream_stop(stream *self)
{
    pulse_end(self);
    self->streaming = false;
    if (self->buffer != NULL) {
        PQfreemem(self->buffer);
        self->buffer = NULL;
    }
    connection_close(&self->link);
}

/* --- Messages. --- */

static sluice_status stream_ended(stream *self, sluice_error *err)
{
    PGresult *result = PQgetResult(self->link.pq);
    sluice_status status;
    if (PQresultStatus(result) == PGRES_FATAL_ERROR) {
        status = connection_fail(&self->link, result, err);
    } else {
        status = sluice_fail(err, SLUICE_RETRY,
                             "'%s:%d' has ended the stream; connecting again",
                             self->link.config->hostname, (int)self->link.config->port);
    }
    PQclear(result);
    return status;
}

static sluice_status other_encoding(const stream *self, sluice_error *err)
{
    return sluice_fail(err, SLUICE_RETRY,
                       "'%s:%d' has changed client_encoding to %s in mid-stream; "
                       "connecting again",
                       self->link.config->hostname, (int)self->link.config->port,
                       pg_encoding_to_char(PQclientEncoding(self->link.pq)));
}

void stream_begin(stream *self)
{
    self->fresh = -1;
}

static bool may_read(const stream *self)
{
    return self->fresh < 0 || self->fresh >= STREAM_GATHER || PQsslInUse(self->link.pq);
}

sluice_status stream_take(stream *self, const char **ret_message, size_t *ret_len,
                          sluice_error *err)
{
    *ret_len = 0;
    if (self->buffer != NULL) {
        PQfreemem(self->buffer);
        self->buffer = NULL;
    }
    int len = PQgetCopyData(self->link.pq, &self->buffer, 1);
    if (len == 0 && may_read(self)) {
        if (!connection_read(&self->link)) {
            return connection_fail(&self->link, NULL, err);
        }
        self->fresh = 0;
        len = PQgetCopyData(self->link.pq, &self->buffer, 1);
        if (len > 0) {
            self->heard_ms = clock_ms();
        }
    }
    self->fresh += len > 0 && self->fresh >= 0;
    if (len < 0) {
        return len == -1 ? stream_ended(self, err)
                         : connection_fail(&self->link, NULL, err);
    }
    if (!connection_is_utf8(&self->link)) {
        return other_encoding(self, err);
    }
    *ret_message = self->buffer;
    *ret_len = (size_t)len;
    return SLUICE_OK;
}

void stream_tell(stream *self, bool ask)
{
    if (!self->streaming || self->link.pq == NULL) {
        return;
    }
    char status[STATUS_SIZE];
    lsn received = self->received > self->flush ? self->received : self->flush;
    bool manual = self->link.config->flush_mode == FLUSH_MANUAL;
    status_encode(received, manual ? 0 : self->flush, clock_us(), status);
    status[STATUS_SIZE - 1] = ask;
    if (PQputCopyData(self->link.pq, status, STATUS_SIZE) == 1) {
        PQflush(self->link.pq);
    }
    self->sent_ms = clock_ms();
}

int64_t stream_silent_in(const stream *self)
{
    int64_t left = self->heard_ms + self->silence_ms - clock_ms();
    return self->silence_ms <= 0 ? -1 : left > 0 ? left : 0;
}

void stream_heard(stream *self)
{
    stream_lock(self);
    self->heard_ms = clock_ms();
    stream_unlock(self);
}
