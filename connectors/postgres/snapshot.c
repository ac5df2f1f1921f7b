/* connectors/postgres/snapshot.c - the tables as they were when the slot was created.
 *
 * A row's mark says whether it is the last of its table, or of all. That is known only
 * when the next row has come, or nothing; so one row is always held back. */
#include "snapshot.h"
#include "copy_row.h"

#include <poll.h>
#include <sluice/log.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOGGER "connectors.postgres"

struct snapshot {
    const postgres_config *config;
    sluice_task *task;
    const filter *filter;
    slot_start start;
    int64_t time_us;
    uint32_t xid;
    connection link;
    sluice_arena *arena;
    snapshot_tables tables;
    size_t next_table;
    bool copying;
    const snapshot_table *table;
    const progress *progress;
    snapshot_figures figures;
    int64_t told_ms;
    const pg_relation *relation; /* That is being read. */
    int64_t rows, table_rows;
    int64_t table_expected; /* Of the table that is being read; 0: none is. */
    int64_t rest_expected;  /* Of those that follow. -1: not known. */

    char *held; /* The row that is held back, as COPY wrote it; PQfreemem(). */
    size_t held_len;
    const pg_relation *held_relation;
    bool held_first, held_first_in_table;
    pg_cell *cells;
    int cell_room;
    const sluice_value *offset; /* Of all records of a batch but the last of all. */
};

/* --- Beginning. --- */

/* A snapshot ends with the connection that exported it: if that was lost meanwhile, a
 * new snapshot helps. */
static sluice_status set_snapshot(snapshot *self, sluice_error *err)
{
    connection *link = &self->link;
    sluice_status status = connection_query(
        link, err, NULL, "SET TRANSACTION SNAPSHOT '%s'", self->start.snapshot);
    bool gone = strcmp(link->state, "22023") == 0 ||
                strcmp(link->state, "42704") == 0 || strcmp(link->state, "55000") == 0;
    if (status != SLUICE_OK && gone) {
        sluice_prefix(err, "the connection that exported the snapshot was lost");
        return SLUICE_RETRY;
    }
    return status;
}

static sluice_status import_snapshot(snapshot *self, sluice_error *err)
{
    connection *link = &self->link;
    sluice_status status = connection_query(
        link, err, NULL, "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY");
    if (status == SLUICE_OK) {
        status = set_snapshot(self, err);
    }
    if (status == SLUICE_OK) {
        status = connection_query(link, err, NULL,
                                  "SET statement_timeout = 0; SET "
                                  "idle_in_transaction_session_timeout = 0");
    }
    PGresult *result;
    if (status == SLUICE_OK) {
        status = connection_query(
            link, err, &result,
            "SELECT pg_catalog.txid_snapshot_xmax(pg_catalog.txid_current_snapshot())");
    }
    if (status == SLUICE_OK) {
        self->xid = (uint32_t)result_number(result, 0, 0);
        PQclear(result);
    }
    return status;
}

/* Rows that are still to come, as far as the server knows. */
static int64_t rows_left(const snapshot *self)
{
    int64_t left = self->table_expected - self->table_rows;
    return self->rest_expected < 0 ? -1 : self->rest_expected + (left > 0 ? left : 0);
}

/* How far it is, for metrics and for /status; once a second, unless it is `now`. */
static void tell(snapshot *self, bool now)
{
    int64_t time_ms = clock_ms();
    if (!now && time_ms - self->told_ms < 1000) {
        return;
    }
    self->told_ms = time_ms;
    self->figures.rows = self->rows;
    self->figures.rows_left = rows_left(self);
    self->figures.end_ms = time_ms;
    progress_snapshot(self->progress, &self->figures);
    if (self->figures.running && self->table != NULL) {
        char text[PROGRESS_TEXT_SIZE];
        sluice_task_doing(self->task,
                          progress_text(&self->figures, self->table->label, text));
    } else {
        sluice_task_doing(self->task, NULL);
    }
}

/* Whether a table was rewritten between the snapshot and the hold: its file is another
 * one than the catalog says, as the snapshot sees that. Of partitions it may be any. */
static sluice_status check_not_rewritten(snapshot *self, sluice_error *err)
{
    PGresult *result;
    sluice_status status = connection_query(
        &self->link, err, &result,
        "SELECT c.oid FROM pg_catalog.pg_class c WHERE c.relkind = 'r' AND "
        "c.relfilenode <> 0 AND c.relpersistence = 'p' AND "
        "c.relfilenode <> pg_catalog.pg_relation_filenode(c.oid)");
    if (status != SLUICE_OK) {
        return status;
    }
    for (int i = 0; i < PQntuples(result) && status == SLUICE_OK; i++) {
        uint32_t oid = (uint32_t)result_number(result, i, 0);
        for (size_t j = 0; j < self->tables.count; j++) {
            const snapshot_table *table = &self->tables.tables[j];
            if (table->published->oid == oid || table->published->partitioned) {
                status = sluice_fail(err, SLUICE_RETRY,
                                     "table '%s' was rewritten while the snapshot "
                                     "began, so that it shows none of its rows",
                                     table->label);
                break;
            }
        }
    }
    PQclear(result);
    return status;
}

sluice_status snapshot_new(const postgres_config *config, sluice_task *task,
                           const filter *captured, const slot_start *start,
                           const progress *tell_to, snapshot **ret_snapshot,
                           sluice_error *err)
{
    snapshot *self = calloc(1, sizeof *self);
    if (self == NULL) {
        abort();
    }
    self->config = config;
    self->task = task;
    self->filter = captured;
    self->start = *start;
    self->time_us = clock_us();
    self->arena = sluice_arena_new();
    connection_init(&self->link, config, task, false);
    sluice_status status = connection_open(&self->link, err);
    if (status == SLUICE_OK) {
        status = import_snapshot(self, err);
    }
    if (status == SLUICE_OK) {
        status = snapshot_tables_find(&self->link, captured, self->arena, &self->tables,
                                      err);
    }
    if (status == SLUICE_OK) {
        status = check_not_rewritten(self, err);
    }
    if (status != SLUICE_OK) {
        sluice_prefix(err, "snapshot");
        snapshot_free(self);
        return status;
    }
    int64_t now = clock_ms();
    self->progress = tell_to;
    self->rest_expected = self->tables.rows;
    self->figures = (snapshot_figures){.running = true,
                                       .tables = (int64_t)self->tables.count,
                                       .tables_left = (int64_t)self->tables.count,
                                       .begin_ms = now};
    tell(self, true);
    char at[LSN_TEXT_SIZE];
    sluice_log(SLUICE_INFO, LOGGER, "snapshot begins tables=%zu rows=%lld lsn=%s",
               self->tables.count, (long long)self->tables.rows,
               lsn_print(start->at, at));
    if (self->tables.count == 0) {
        sluice_log(SLUICE_WARN, LOGGER,
                   "no table is captured: publication '%s' has none that "
                   "table.include.list and the other lists choose",
                   config->publication);
    }
    *ret_snapshot = self;
    return SLUICE_OK;
}

void snapshot_free(snapshot *self)
{
    if (self != NULL) {
        if (self->figures.running) {
            self->figures.running = false;
            self->figures.aborted = true;
            tell(self, true);
        }
        if (self->held != NULL) {
            PQfreemem(self->held);
        }
        connection_close(&self->link);
        sluice_arena_free(self->arena);
        free(self->cells);
        free(self);
    }
}

int64_t snapshot_rows(const snapshot *self)
{
    return self->rows;
}

/* --- Rows. --- */

static snapshot_mark mark_of(const snapshot *self, bool last_in_table, bool last)
{
    if (last) {
        return MARK_LAST;
    }
    if (self->held_first) {
        return MARK_FIRST;
    }
    if (last_in_table) {
        return MARK_LAST_IN_TABLE;
    }
    return self->held_first_in_table ? MARK_FIRST_IN_TABLE : MARK_TRUE;
}

static const sluice_value *offset_of(snapshot *self, capture *to, bool last)
{
    if (!last && self->offset != NULL) {
        return self->offset;
    }
    pg_position position = {.event = self->start.at,
                            .xid = self->xid,
                            .time_us = self->time_us,
                            .in_snapshot = !last,
                            .after_snapshot = last};
    if (last) {
        position.end = position.commit = self->start.at;
    }
    self->offset = position_write(&to->writer, to->arena, &position);
    return self->offset;
}

/* The texts of the row that is held back, in the arena of the batch. */
static pg_tuple held_tuple(snapshot *self, const capture *to)
{
    const pg_relation *relation = self->held_relation;
    if (self->cell_room < relation->count) {
        self->cell_room = relation->count;
        self->cells =
            realloc(self->cells, sizeof *self->cells * (size_t)relation->count);
        if (self->cells == NULL) {
            abort();
        }
    }
    char *line = sluice_arena_copy(to->arena, self->held, self->held_len);
    size_t len =
        self->held_len - (self->held_len > 0 && line[self->held_len - 1] == '\n');
    pg_tuple tuple = {TUPLE_NEW, 0, self->cells};
    if (relation->count > 0 || len > 0) {
        tuple.count = copy_split(line, len, self->cells, relation->count);
    }
    return tuple;
}

/* Goes on with a version of the table that the row fits. */
static sluice_status adapt(snapshot *self, capture *to, const row_misfit *misfit,
                           sluice_error *err)
{
    const pg_relation *old = self->held_relation;
    sluice_status status = relations_adapt(to->relations, old, misfit, err);
    if (status == SLUICE_OK) {
        self->held_relation = relations_find(to->relations, old->oid);
        self->relation = self->relation == old ? self->held_relation : self->relation;
    }
    return status;
}

/* NOT NULL does not keep a value from being null that cannot be converted, nor one of a
 * domain. */
static sluice_status held_values(snapshot *self, capture *to, row_values *ret_values,
                                 sluice_error *err)
{
    pg_tuple tuple = held_tuple(self, to);
    for (;;) {
        row_misfit misfit;
        sluice_status status = relation_row(self->held_relation, &tuple, NULL,
                                            to->arena, ret_values, &misfit, err);
        if (status != SLUICE_BAD_RECORD || misfit.column < 0) {
            return status;
        }
        status = adapt(self, to, &misfit, err);
        if (status != SLUICE_OK) {
            return status;
        }
    }
}

/* Makes the record of the row that was held back. */
static sluice_status emit_held(snapshot *self, capture *to, bool last_in_table,
                               bool last, sluice_error *err)
{
    if (self->held == NULL) {
        return SLUICE_OK;
    }
    row_values values;
    sluice_status status = held_values(self, to, &values, err);
    if (status != SLUICE_OK) {
        return status;
    }
    pg_change change = {.relation = self->held_relation,
                        .op = 'r',
                        .mark = mark_of(self, last_in_table, last),
                        .event = self->start.at,
                        .after = values.row,
                        .key = values.key,
                        .offset = offset_of(self, to, last)};
    envelope_finish(to->envelope, envelope_add(to->envelope, &change));
    PQfreemem(self->held);
    self->held = NULL;
    return SLUICE_OK;
}

static void hold(snapshot *self, char *row, size_t len)
{
    self->held = row;
    self->held_len = len;
    self->held_relation = self->relation;
    self->held_first = self->rows++ == 0;
    self->held_first_in_table = self->table_rows++ == 0;
}

/* --- Tables. --- */

static char *column_list(snapshot *self, const pg_relation *relation)
{
    size_t size = 1, len = 0;
    char *list = calloc(1, 1);
    for (int i = 0; i < relation->count; i++) {
        char *name = connection_name(&self->link, relation->columns[i].name);
        size += strlen(name) + 2;
        list = realloc(list, size);
        if (list == NULL) {
            abort();
        }
        len +=
            (size_t)snprintf(list + len, size - len, "%s%s", i > 0 ? ", " : "", name);
        free(name);
    }
    return list;
}

static sluice_status start_copy(snapshot *self, sluice_error *err)
{
    char *columns = column_list(self, self->relation);
    PGresult *result = NULL;
    sluice_status status = connection_query(&self->link, err, &result,
                                            "COPY (SELECT %s FROM %s) TO STDOUT",
                                            columns, self->table->source);
    PQclear(result);
    free(columns);
    return status == SLUICE_OK
               ? status
               : snapshot_table_fault(&self->link, self->table, status, err);
}

static sluice_status start_table(snapshot *self, capture *to, sluice_error *err)
{
    self->table = &self->tables.tables[self->next_table++];
    self->table_rows = 0;
    if (self->rest_expected >= 0) {
        self->table_expected = self->table->rows;
        self->rest_expected -= self->table->rows;
    }
    pg_relation *relation;
    sluice_status status = relations_take_table(to->relations, &self->link,
                                                self->table->published, &relation, err);
    if (status != SLUICE_OK) {
        return status;
    }
    self->relation = relation;
    self->figures.tables_left--;
    tell(self, true);
    status = start_copy(self, err);
    self->copying = status == SLUICE_OK;
    return status;
}

/* COPY has said all: takes its result. */
static sluice_status end_table(snapshot *self, sluice_error *err)
{
    PGresult *result;
    sluice_status status = SLUICE_OK;
    self->copying = false;
    self->table_expected = 0;
    while ((result = PQgetResult(self->link.pq)) != NULL) {
        if (PQresultStatus(result) == PGRES_FATAL_ERROR && status == SLUICE_OK) {
            status = connection_fail(&self->link, result, err);
            sluice_prefix(err, "snapshot of table '%s'", self->table->label);
        }
        PQclear(result);
    }
    if (status == SLUICE_OK) {
        sluice_log(SLUICE_INFO, LOGGER, "snapshot of '%s' read rows=%lld",
                   self->table->label, (long long)self->table_rows);
    }
    return status;
}

/* Takes the rows that have come, up to a full batch. `*ret_more`: there may be more
 * without waiting. */
static sluice_status take_rows(snapshot *self, capture *to, bool *ret_more,
                               sluice_error *err)
{
    *ret_more = true;
    while (!capture_is_full(to, 1)) {
        char *row;
        int len = PQgetCopyData(self->link.pq, &row, 1);
        if (len == 0) {
            if (!connection_read(&self->link)) {
                return connection_fail(&self->link, NULL, err);
            }
            len = PQgetCopyData(self->link.pq, &row, 1);
        }
        if (len == 0) {
            *ret_more = false;
            return SLUICE_OK;
        }
        if (len < 0) {
            return len == -1 ? end_table(self, err)
                             : connection_fail(&self->link, NULL, err);
        }
        sluice_status status =
            emit_held(self, to, self->held_relation != self->relation, false, err);
        if (status != SLUICE_OK) {
            PQfreemem(row);
            return status;
        }
        hold(self, row, (size_t)len);
    }
    return SLUICE_OK;
}

static sluice_status finish(snapshot *self, capture *to, bool *ret_done,
                            sluice_error *err)
{
    sluice_status status = emit_held(self, to, true, true, err);
    if (status == SLUICE_OK) {
        sluice_log(SLUICE_INFO, LOGGER, "snapshot ends rows=%lld",
                   (long long)self->rows);
        self->figures.running = false;
        self->figures.completed = true;
        tell(self, true);
        *ret_done = true;
    }
    return status;
}

sluice_status snapshot_poll(snapshot *self, capture *to, bool *ret_done,
                            sluice_error *err)
{
    *ret_done = false;
    self->offset = NULL;
    envelope_clock(to->envelope, clock_us());
    envelope_transaction(to->envelope, self->xid, self->time_us, 0);
    for (;;) {
        if (capture_is_full(to, 1)) {
            break;
        }
        sluice_status status = SLUICE_OK;
        bool more = true;
        if (self->copying) {
            status = take_rows(self, to, &more, err);
        } else if (self->next_table < self->tables.count) {
            status = start_table(self, to, err);
        } else {
            return finish(self, to, ret_done, err);
        }
        if (status != SLUICE_OK) {
            return status;
        }
        if (!more && sluice_task_wait(self->task, PQsocket(self->link.pq), POLLIN,
                                      -1) != SLUICE_WAIT_READY) {
            break;
        }
    }
    tell(self, false);
    return SLUICE_OK;
}
