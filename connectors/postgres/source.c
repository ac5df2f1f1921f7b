/* connectors/postgres/source.c - the source task: snapshot, then stream. */
#include "source.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LOGGER "connectors.postgres"

/* --- Beginning and end. --- */

static bool is_of(const sluice_family *family, const char *name)
{
    for (size_t i = 0; i < family->count; i++) {
        if (strcmp(family->names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* Keys that hide data have names that are partly the user's own; nobody must find out
 * later that one of another form did nothing. */
static sluice_status check_masks(const postgres_config *config,
                                 const sluice_props *props, sluice_error *err)
{
    for (size_t i = 0; i < sluice_props_count(props); i++) {
        const char *name = sluice_props_name(props, i);
        bool hides = strncmp(name, "column.mask.", 12) == 0 ||
                     strncmp(name, "column.truncate.", 16) == 0;
        if (hides && !is_of(&config->cuts, name) && !is_of(&config->stars, name) &&
            !is_of(&config->hashes, name) && !is_of(&config->hashes_v2, name)) {
            return sluice_fail(err, SLUICE_BAD_CONFIG,
                               "'%s' has none of the forms column.mask.with.N.chars, "
                               "column.mask.hash.ALGORITHM.with.salt.SALT, "
                               "column.mask.hash.v2.ALGORITHM.with.salt.SALT and "
                               "column.truncate.to.N.chars, so it would hide nothing",
                               name);
        }
    }
    return SLUICE_OK;
}

/* An orderly stop drops the slot where that is wished: this is for tests, which have no
 * slots to spare. The task is stopping, so nothing here may wait for its stop. */
static void drop_slot(source *self)
{
    char sql[160];
    snprintf(sql, sizeof sql,
             "SELECT pg_catalog.pg_drop_replication_slot(slot_name) FROM "
             "pg_catalog.pg_replication_slots WHERE slot_name = '%s'",
             self->config->slot);
    PQsetnonblocking(self->query.pq, 0);
    for (int i = 0; i < 100; i++) { /* While the server notices that nobody streams. */
        PGresult *result = PQexec(self->query.pq, sql);
        bool good = PQresultStatus(result) == PGRES_TUPLES_OK;
        PQclear(result);
        if (good) {
            break;
        }
        nanosleep(&(struct timespec){0, 10 * 1000 * 1000}, NULL);
    }
}

static void source_destroy(void *base)
{
    source *self = base;
    if (self == NULL) {
        return;
    }
    snapshot_free(self->snapshot);
    connection_close(&self->exporter);
    stream_done(&self->stream);
    if (self->config->slot_drop_on_stop && connection_is_open(&self->query)) {
        drop_slot(self);
    }
    connection_close(&self->query);
    capture_done(&self->capture);
    relations_free(self->relations);
    envelope_free(self->envelope);
    filter_free(self->filter);
    sluice_arena_free(self->constants);
    free(self);
}

static sluice_status source_create(const void *config, sluice_task *task,
                                   void **ret_self, sluice_error *err)
{
    filter *captured;
    sluice_status status = check_masks(config, sluice_task_props(task), err);
    if (status == SLUICE_OK) {
        status = snapshot_overrides_check(config, sluice_task_props(task), err);
    }
    if (status == SLUICE_OK) {
        status = filter_new(config, &captured, err);
    }
    if (status != SLUICE_OK) {
        return status;
    }
    source *self = calloc(1, sizeof *self);
    if (self == NULL) {
        abort();
    }
    self->config = config;
    self->task = task;
    self->filter = captured;
    if (self->config->snapshot_mode == SNAPSHOT_NEVER) {
        sluice_log(
            SLUICE_WARN, LOGGER,
            "snapshot.mode=never is the old name of no_data: tables are not read, "
            "changes are streamed");
    }
    self->constants = sluice_arena_new();
    self->envelope = envelope_new(config, sluice_task_number(task));
    self->relations =
        relations_new(config, captured, envelope_source_schema(self->envelope),
                      envelope_block_schema(self->envelope));
    connection_init(&self->query, config, task, false);
    connection_init(&self->exporter, config, task, true);
    stream_init(&self->stream, config, task);
    capture_init(&self->capture, config, captured, &self->query, self->relations,
                 self->envelope);
    self->heartbeat_ms = clock_ms();
    self->progress = progress_new(self->constants, task, config);
    status = source_start(self, err);
    if (status != SLUICE_OK) {
        source_destroy(self);
        return status;
    }
    *ret_self = self;
    return SLUICE_OK;
}

/* --- The snapshot. --- */

static void snapshot_ended(source *self)
{
    lsn at = self->snapshot_start.at;
    bool any = snapshot_rows(self->snapshot) > 0;
    snapshot_free(self->snapshot);
    self->snapshot = NULL;
    pg_position done = {.end = at, .commit = at, .event = at, .version = 2};
    capture_resume(&self->capture, &done);
    if (!any) { /* What is stored must tell that it ended. */
        self->capture.offered = 0;
        self->capture.asked = true;
    }
    self->capture.until = 0;
    self->capture.before_snapshot = false;
    self->phase = self->ends_after_snapshot ? PHASE_DONE : PHASE_STREAM;
    self->began = self->phase == PHASE_STREAM;
}

static sluice_status poll_snapshot(source *self, sluice_error *err)
{
    bool done;
    sluice_status status = snapshot_poll(self->snapshot, &self->capture, &done, err);
    if (status == SLUICE_OK && done) {
        snapshot_ended(self);
    } else if (status == SLUICE_RETRY) {
        sluice_log(SLUICE_WARN, LOGGER, "the snapshot was broken off; it begins again");
        snapshot_free(self->snapshot);
        self->snapshot = NULL;
        stream_stop(&self->stream);
        self->phase = PHASE_START;
    }
    return status;
}

/* --- The stream. --- */

/* Somebody else has the slot. SLUICE_OK: to be tried again later. */
static sluice_status slot_is_taken(source *self, sluice_error *err)
{
    const postgres_config *config = self->config;
    char holder[SLOT_HOLDER_SIZE] = "";
    if (connection_is_open(&self->query)) {
        slot_holder(&self->query, holder);
    }
    const char *by = *holder != '\0' ? " by " : "";
    sluice_error_clear(err);
    if (self->slot_tries >= config->slot_retries) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "slot '%s' is in use%s%s, still after %d retries "
                           "(slot.max.retries): stop the "
                           "other connector, choose another slot.name, or end that "
                           "process with SELECT "
                           "pg_terminate_backend(…)",
                           config->slot, by, holder, self->slot_tries);
    }
    self->slot_tries++;
    self->slot_retry_ms = clock_ms() + config->slot_retry_ms;
    char text[SLOT_HOLDER_SIZE + 128];
    snprintf(text, sizeof text, "waiting for slot '%s', which is in use%s%s",
             config->slot, by, holder);
    sluice_task_doing(self->task, text);
    sluice_log(SLUICE_WARN, LOGGER, "%s; trying again in %lld ms (%d of %d)", text,
               (long long)config->slot_retry_ms, self->slot_tries,
               (int)config->slot_retries);
    return SLUICE_OK;
}

static void stream_is_open(source *self, lsn start)
{
    char text[LSN_TEXT_SIZE];
    capture_restart(&self->capture);
    self->began = self->phase == PHASE_STREAM;
    self->slot_tries = 0;
    sluice_task_doing(self->task, NULL);
    sluice_log(SLUICE_INFO, LOGGER, "streaming from slot '%s' lsn=%s",
               self->config->slot, lsn_print(start, text));
}

/* `*ret_open` false, with SLUICE_OK: the slot is not free yet. */
static sluice_status open_stream(source *self, bool *ret_open, sluice_error *err)
{
    *ret_open = self->stream.streaming;
    int64_t wait_ms = self->slot_retry_ms - clock_ms();
    if (self->stream.streaming) {
        return SLUICE_OK;
    }
    if (self->slot_tries > 0 && wait_ms > 0) {
        sluice_task_wait(self->task, -1, 0, (int)wait_ms);
        return SLUICE_OK;
    }
    lsn start = self->capture.done.end;
    sluice_status status =
        stream_start(&self->stream, start, self->server_timeout_ms, err);
    *ret_open = status == SLUICE_OK;
    if (*ret_open) {
        stream_is_open(self, start);
    } else if (strcmp(self->stream.link.state, "55006") == 0) {
        return slot_is_taken(self, err);
    }
    return status;
}

static bool is_full(const source *self)
{
    return capture_is_full(&self->capture, 3);
}

/* Takes what has come, until the batch is full or there is nothing more now. */
static sluice_status drain(source *self, sluice_error *err)
{
    sluice_status status = SLUICE_OK;
    stream_lock(&self->stream);
    stream_begin(&self->stream);
    envelope_clock(self->envelope, clock_us());
    while (status == SLUICE_OK && !is_full(self) && !self->capture.reached) {
        const char *message;
        size_t len;
        status = stream_take(&self->stream, &message, &len, err);
        if (status != SLUICE_OK || len == 0) {
            break;
        }
        status = capture_take(&self->capture, &self->stream, message, len, err);
    }
    stream_unlock(&self->stream);
    return status;
}

/* --- Heartbeats. --- */

/* Milliseconds until the next, -1: none. */
static int64_t heartbeat_in(const source *self)
{
    if (self->config->heartbeat_interval_ms == 0) {
        return -1;
    }
    int64_t left =
        self->heartbeat_ms + self->config->heartbeat_interval_ms - clock_ms();
    return left > 0 ? left : 0;
}

static sluice_status beat(source *self, sluice_error *err)
{
    if (heartbeat_in(self) != 0) {
        return SLUICE_OK;
    }
    self->heartbeat_ms = clock_ms();
    envelope_clock(self->envelope, clock_us());
    envelope_add_heartbeat(self->envelope,
                           position_write(&self->capture.writer, self->capture.arena,
                                          &self->capture.done));
    const char *query = self->config->heartbeat_query;
    if (query == NULL || *query == '\0') {
        return SLUICE_OK;
    }
    sluice_status status = connection_open(&self->query, err);
    if (status == SLUICE_OK) {
        status = connection_run(&self->query, query, self->config->query_timeout_ms,
                                NULL, err);
    }
    if (status != SLUICE_OK) {
        sluice_prefix(err, "heartbeat.action.query");
    }
    return status;
}

/* --- Positions without records. --- */

/* Milliseconds until the next is due, -1: none is. */
static int64_t offer_in(const source *self)
{
    if (!capture_has_news(&self->capture)) {
        return -1;
    }
    int64_t left = self->offer_ms + self->config->status_interval_ms - clock_ms();
    return self->capture.asked || left < 0 ? 0 : left;
}

/* What the server tells of other tables moves the slot on too, once it is stored. */
static void offer(source *self)
{
    if (offer_in(self) == 0) {
        capture_offer(&self->capture);
        self->offer_ms = clock_ms();
    }
}

/* --- Metrics. --- */

enum {
    TELL_MS = 250,
    HEAD_MS = 2000, /* All else waits for its answer, so long at most. */
};

/* Milliseconds until metrics are told again, -1: nothing has come. */
static int64_t tell_in(const source *self)
{
    if (!self->untold) {
        return -1;
    }
    int64_t left = self->told_ms + TELL_MS - clock_ms();
    return left > 0 ? left : 0;
}

/* While much is behind, only the server itself can say how much; it is asked now and
 * then. Once it waits for changes, what it said last in the stream is all there is. */
static void ask_head(source *self)
{
    int64_t now = clock_ms();
    if (now - self->asked_ms < self->config->status_interval_ms ||
        !connection_is_open(&self->query)) {
        return;
    }
    PGresult *result;
    sluice_error *other = sluice_error_new();
    self->asked_ms = now;
    if (connection_ask(&self->query,
                       "SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN "
                       "pg_catalog.pg_last_wal_replay_lsn() ELSE "
                       "pg_catalog.pg_current_wal_flush_lsn() END",
                       HEAD_MS, &result, other) == SLUICE_OK) {
        lsn_parse(result_cell(result, 0, 0), &self->head);
        PQclear(result);
    }
    sluice_error_free(other);
}

static void tell(source *self)
{
    const capture *taken = &self->capture;
    ask_head(self);
    lsn head = self->head > self->stream.received ? self->head : self->stream.received;
    stream_figures figures = {
        .connected = self->stream.streaming,
        .head = head > self->stream.server_end ? head : self->stream.server_end,
        .acknowledged = self->stream.flush,
        .event_us = taken->done.time_us,
        .taken_us = self->taken_us,
        .acknowledged_us = self->stored_us,
        .events = taken->events,
        .filtered = taken->filtered,
        .transactions = taken->transactions};
    progress_stream(self->progress, &figures, clock_us());
    self->told_ms = clock_ms();
    self->untold = false;
}

/* --- Polling. --- */

/* The shorter of two waits; -1 is none. */
static int64_t sooner(int64_t one, int64_t other)
{
    return one < 0 || (other >= 0 && other < one) ? other : one;
}

/* How long to wait for more. Within a transaction the rest is on its way: a millisecond
 * for it makes full batches of large transactions. */
static int64_t patience(const source *self)
{
    if (sluice_batch_count(self->capture.out) > 0) {
        return self->capture.transaction.open ? 1 : 0;
    }
    int64_t check = stream_silent_in(&self->stream);
    int64_t wait = sooner(sooner(heartbeat_in(self), offer_in(self)), tell_in(self));
    wait = sooner(wait, check >= 0 ? check + 1 : -1);
    return self->phase == PHASE_CATCH_UP ? sooner(wait, 100) : wait;
}

static sluice_status caught_up(source *self)
{
    stream_stop(&self->stream);
    self->phase = PHASE_SNAPSHOT;
    return SLUICE_OK;
}

/* Whether the server's process still works for this stream, as another connection
 * sees: it says nothing while it decodes a transaction that is of no concern here. */
static bool is_worked_for(source *self)
{
    slot_facts slot = {0};
    sluice_error *other = sluice_error_new();
    connection_close(&self->query); /* A new one also shows that there is a way. */
    bool works = connection_open(&self->query, other) == SLUICE_OK &&
                 slot_find(&self->query, &slot, other) == SLUICE_OK &&
                 slot.active_pid != 0 &&
                 slot.active_pid == PQbackendPID(self->stream.link.pq);
    sluice_error_free(other);
    if (works) {
        sluice_log(
            SLUICE_WARN, LOGGER,
            "'%s:%d' has been silent for longer than wal_sender_timeout, and its "
            "process %d is still at work; waiting",
            self->config->hostname, (int)self->config->port, slot.active_pid);
    }
    return works;
}

/* The wait is over and nothing has come: asks, or finds the connection dead. */
static sluice_status nothing_came(source *self, sluice_error *err)
{
    stream_lock(&self->stream);
    bool silent = stream_silent_in(&self->stream) == 0;
    if (self->phase == PHASE_CATCH_UP) {
        stream_tell(&self->stream, true);
    }
    stream_unlock(&self->stream);
    if (!silent) {
        return SLUICE_OK;
    }
    if (is_worked_for(self)) {
        stream_heard(&self->stream);
        return SLUICE_OK;
    }
    return sluice_fail(err, SLUICE_RETRY,
                       "'%s:%d' has been silent for longer than wal_sender_timeout; "
                       "connecting again",
                       self->config->hostname, (int)self->config->port);
}

enum {
    /* Changes gather when more than this many come in a millisecond … */
    BUSY_RATE = 20,
    RATE_PERIOD_US = 2000,
    /* … until there are so many. Longer would fill the server's socket. */
    GATHER_CHANGES = 32,
    GATHER_ROUNDS = 8,
};

/* Measures the rate, and says how long changes gather. */
static void measure(source *self, size_t changes)
{
    self->drained = changes;
    self->changes += (int64_t)changes;
    int64_t now = clock_us(), taken = now - self->since_us;
    if (taken >= RATE_PERIOD_US || taken < 0) {
        bool busy = self->changes * 1000 >= taken * BUSY_RATE && self->changes > 0;
        self->gather_us = busy ? taken * GATHER_CHANGES / self->changes : 0;
        self->since_us = now;
        self->changes = 0;
    }
}

/* Drains; while many changes come, some gather first: whoever takes them as they come
 * makes a batch, and a request, of three rows. */
static sluice_status drain_gathered(source *self, sluice_error *err)
{
    for (int round = 1;; round++) {
        if (self->gather_us > 0 && self->drained < GATHER_CHANGES) {
            nanosleep(&(struct timespec){0, self->gather_us * 1000}, NULL);
        }
        size_t before = sluice_batch_count(self->capture.out);
        sluice_status status = drain(self, err);
        size_t count = sluice_batch_count(self->capture.out);
        measure(self, count - before);
        if (status != SLUICE_OK || is_full(self) || self->capture.reached ||
            self->gather_us == 0 || count == before || round == GATHER_ROUNDS) {
            return status;
        }
    }
}

static sluice_status stream_rounds(source *self, sluice_error *err)
{
    for (;;) {
        sluice_status status = drain_gathered(self, err);
        if (status == SLUICE_OK && self->capture.reached) {
            return caught_up(self);
        }
        if (status == SLUICE_OK) {
            status = beat(self, err);
        }
        if (status == SLUICE_OK) {
            offer(self);
        }
        if (tell_in(self) == 0) {
            tell(self);
        }
        int64_t wait = patience(self);
        if (status != SLUICE_OK || wait == 0 || is_full(self)) {
            return status;
        }
        unsigned ended = sluice_task_wait(self->task, PQsocket(self->stream.link.pq),
                                          POLLIN, (int)wait);
        if ((ended & (SLUICE_WAIT_WAKE | SLUICE_WAIT_STOP)) != 0) {
            return SLUICE_OK;
        }
        if (ended == SLUICE_WAIT_TIMEOUT && sluice_batch_count(self->capture.out) > 0) {
            return SLUICE_OK;
        }
        if (ended == SLUICE_WAIT_TIMEOUT) {
            status = nothing_came(self, err);
        }
        if (status != SLUICE_OK) {
            return status;
        }
    }
}

static sluice_status poll_stream(source *self, sluice_error *err)
{
    bool open;
    sluice_status status = open_stream(self, &open, err);
    if (status == SLUICE_OK && open) {
        status = stream_rounds(self, err);
    }
    if (status != SLUICE_OK) {
        stream_stop(&self->stream);
        if (self->phase == PHASE_STREAM) {
            self->phase = PHASE_START; /* Again, behind what was taken. */
        }
    }
    if (sluice_batch_count(self->capture.out) > 0) {
        self->taken_us = clock_us();
        self->untold = true;
    }
    if (tell_in(self) == 0 || status != SLUICE_OK) {
        tell(self);
    }
    return status;
}

static sluice_status source_poll(void *base, sluice_batch *out, sluice_error *err)
{
    source *self = base;
    relations_forget(self->relations);
    envelope_begin(self->envelope, out);
    capture_begin(&self->capture, out);
    if (self->phase == PHASE_START) {
        sluice_status status = source_start(self, err);
        if (status != SLUICE_OK) {
            return status;
        }
    }
    switch (self->phase) {
    case PHASE_SNAPSHOT:
        return poll_snapshot(self, err);
    case PHASE_CATCH_UP:
    case PHASE_STREAM:
        return poll_stream(self, err);
    case PHASE_START:
    case PHASE_DONE:
        break;
    }
    sluice_task_wait(self->task, -1, 0, -1);
    return SLUICE_OK;
}

static sluice_status source_committed(void *base, const sluice_offsets *done,
                                      sluice_error *err)
{
    source *self = base;
    pg_position position;
    const sluice_value *offset =
        sluice_offsets_find(done, envelope_partition(self->envelope));
    if (!position_read(offset, &position)) {
        return SLUICE_OK;
    }
    stream_lock(&self->stream);
    self->stored_us = position.time_us;
    self->untold = true;
    /* Not the position of a log that the server has not got any more. */
    bool ours = !position.in_snapshot && position.end <= self->capture.done.end;
    if (ours && position.end > self->stream.flush) {
        self->stream.flush = position.end;
        self->known = position.end > self->known ? position.end : self->known;
        stream_tell(&self->stream, false);
    }
    stream_unlock(&self->stream);
    return SLUICE_OK;
}

const sluice_source_ops postgres_source_ops = {
    .size = sizeof(sluice_source_ops),
    .create = source_create,
    .destroy = source_destroy,
    .poll = source_poll,
    .committed = source_committed,
};
