/* connectors/postgres/capture.c - messages of the stream become records. */
#include "capture.h"

#include <stdlib.h>
#include <string.h>

enum { batch_bytes_max = 256 * 1024 };

void capture_init(capture *self, const postgres_config *config, const filter *captured,
                  connection *query, relations *tables, envelope *records)
{
    memset(self, 0, sizeof *self);
    self->config = config;
    self->query = query;
    self->relations = tables;
    self->envelope = records;
    self->metadata = metadata_new(config, captured, records);
    self->decoder = pgoutput_new();
    self->skips_create = config_skips(config, 'c');
    self->skips_update = config_skips(config, 'u');
    self->skips_delete = config_skips(config, 'd');
    self->skips_truncate = config_skips(config, 't');
}

void capture_done(capture *self)
{
    pgoutput_free(self->decoder);
    metadata_free(self->metadata);
    self->decoder = NULL;
    self->metadata = NULL;
}

void capture_begin(capture *self, sluice_batch *out)
{
    self->out = out;
    self->arena = sluice_batch_arena(out);
    self->last_record = NULL;
}

bool capture_is_full(const capture *self, size_t more)
{
    size_t count = sluice_batch_count(self->out);
    return count > 0 && (count + more > (size_t)self->config->batch_max ||
                         sluice_arena_used(self->arena) >= batch_bytes_max);
}

void capture_restart(capture *self)
{
    self->transaction.open = false;
    self->reached = false;
    self->last_end = self->done.end;
    self->shared = self->debezium.shared;
}

void capture_resume(capture *self, const pg_position *stored)
{
    self->done = *stored;
    self->offered = stored->end;
    if (stored->version == 0 && stored->commit == 0) {
        self->debezium = *stored;
    }
}

/* How far the server may forget, once that is stored. */
static lsn news(const capture *self)
{
    return self->config->flush_mode == FLUSH_CONNECTOR_AND_DRIVER ? self->done.end
                                                                  : self->ended;
}

bool capture_has_news(const capture *self)
{
    return !self->transaction.open && !self->before_snapshot &&
           news(self) > self->offered;
}

void capture_offer(capture *self)
{
    pg_position position = self->done;
    position.end = news(self);
    sluice_record_set_source(sluice_batch_add(self->out),
                             envelope_partition(self->envelope),
                             position_write(&self->writer, self->arena, &position));
    self->offered = position.end;
    self->asked = false;
}

/* --- Transactions. --- */

static pg_position position_behind(const capture *self, lsn event, uint64_t index)
{
    return (pg_position){.end = self->done.end,
                         .commit = self->transaction.final,
                         .index = index,
                         .event = event,
                         .xid = self->transaction.xid,
                         .time_us = self->transaction.time_us,
                         .in_snapshot = self->before_snapshot};
}

static void take_begin(capture *self, lsn at, const pg_message *message)
{
    lsn final = message->as.begin.final;
    uint64_t skip = 0;
    if (final < self->done.commit) {
        skip = UINT64_MAX;
    } else if (final == self->done.commit) {
        skip = self->done.index;
    }
    self->reached = self->until != 0 && final >= self->until;
    self->transaction.open = true;
    self->transaction.theirs = final != self->done.commit &&
                               self->debezium.event != 0 &&
                               self->debezium.xid == message->as.begin.xid &&
                               self->debezium.time_us == message->as.begin.time;
    self->transaction.final = final;
    self->transaction.index = 0;
    self->transaction.skip = skip;
    self->transaction.xid = message->as.begin.xid;
    self->transaction.time_us = message->as.begin.time;
    self->last_record = NULL;
    envelope_transaction(self->envelope, message->as.begin.xid, message->as.begin.time,
                         self->last_end);
    metadata_begin(self->metadata, message->as.begin.xid);
    if (final > self->done.commit && !self->transaction.theirs && !self->reached) {
        pg_position position = position_behind(self, at, 0);
        metadata_add_begin(self->metadata, at,
                           position_write(&self->writer, self->arena, &position));
    }
}

static void take_commit(capture *self, lsn at, const pg_message *message)
{
    lsn end = message->as.commit.end;
    bool delivered = self->transaction.skip == UINT64_MAX;
    sluice_record *last = delivered ? NULL : metadata_add_end(self->metadata, at, NULL);
    if (last != NULL) {
        self->last_record = last;
        self->transaction.last = position_behind(self, at, self->transaction.index);
    }
    self->done.end = end > self->done.end ? end : self->done.end;
    self->last_end = end;
    self->transaction.open = false;
    self->transactions++;
    if (self->transaction.last.commit == self->transaction.final) {
        self->ended = end;
    }
    if (self->last_record != NULL) {
        /* So that a restart need not decode the transaction again to skip it. */
        self->transaction.last.end = end;
        self->offered = end;
        sluice_record_set_source(
            self->last_record, envelope_partition(self->envelope),
            position_write(&self->writer, self->arena, &self->transaction.last));
    }
}

/* --- Changes. --- */

/* What the records of one change need. */
typedef struct row_event {
    const pg_relation *relation;
    lsn at;
    const sluice_value *before_offset; /* While the change is not whole. */
    const sluice_value *offset;
} row_event;

static void keep_record(capture *self, sluice_record *record,
                        const pg_position *position)
{
    self->transaction.last = *position;
    self->offered = position->end;
    self->last_record = record;
}

static void made_record(capture *self, sluice_record *record,
                        const pg_position *position)
{
    envelope_finish(self->envelope, record);
    keep_record(self, record, position);
}

/* The values of a tuple. Where the catalog's NOT NULL is younger than the row, the
 * table gets a version without it. */
static sluice_status tuple_values(capture *self, row_event *event,
                                  const pg_tuple *tuple, const pg_tuple *old,
                                  row_values *ret_values, sluice_error *err)
{
    for (;;) {
        row_misfit misfit;
        sluice_status status = relation_row(event->relation, tuple, old, self->arena,
                                            ret_values, &misfit, err);
        if (status != SLUICE_BAD_RECORD || misfit.column < 0) {
            return status;
        }
        status = relations_adapt(self->relations, event->relation, &misfit, err);
        if (status != SLUICE_OK) {
            return status;
        }
        event->relation = relations_find(self->relations, event->relation->oid);
    }
}

static sluice_record *add_change(capture *self, const row_event *event, char op,
                                 const sluice_value *key, const sluice_value *before,
                                 const sluice_value *after, const sluice_value *offset)
{
    pg_change change = {.relation = event->relation,
                        .op = op,
                        .mark = MARK_FALSE,
                        .event = event->at,
                        .before = before,
                        .after = after,
                        .key = key,
                        .block =
                            metadata_count(self->metadata, event->relation, event->at),
                        .offset = offset};
    return envelope_add(self->envelope, &change);
}

static row_event event_of(capture *self, const pg_relation *relation, lsn at,
                          const pg_position *position, bool several)
{
    row_event event = {.relation = relation, .at = at};
    event.offset = position_write(&self->writer, self->arena, position);
    event.before_offset = event.offset;
    if (several) {
        pg_position before = *position;
        before.index--;
        event.before_offset = position_write(&self->writer, self->arena, &before);
    }
    return event;
}

/* Adds the deletion of a row whose key is now another one, and its tombstone; the last
 * of them is not finished. */
static sluice_record *add_gone(capture *self, const row_event *event,
                               const row_values *before, const row_values *after)
{
    sluice_record *gone = add_change(self, event, 'd', before->key, before->row, NULL,
                                     event->before_offset);
    envelope_link(gone, "__debezium.newkey", event->relation, after->key);
    if (self->config->tombstones) {
        envelope_finish(self->envelope, gone);
        gone = envelope_add_tombstone(self->envelope, event->relation, before->key,
                                      event->before_offset);
        envelope_link(gone, "__debezium.newkey", event->relation, after->key);
    }
    return gone;
}

/* A row whose key has changed is, for whoever keeps rows by key, another row. */
static void add_moved(capture *self, const row_event *event, const row_values *before,
                      const row_values *after, const pg_position *position)
{
    sluice_record *record = NULL;
    if (!self->skips_delete) {
        record = add_gone(self, event, before, after);
    }
    if (!self->skips_create) {
        if (record != NULL) {
            envelope_finish(self->envelope, record);
        }
        record =
            add_change(self, event, 'c', after->key, NULL, after->row, event->offset);
        envelope_link(record, "__debezium.oldkey", event->relation, before->key);
    }
    if (record != NULL) {
        sluice_record_set_source(record, envelope_partition(self->envelope),
                                 event->offset);
        made_record(self, record, position);
    }
}

/* Whether an update gives a row another key. */
static bool is_move(const pg_relation *relation, const pg_message *message)
{
    const pg_tuple *old = &message->as.row.before;
    return old->kind != TUPLE_NONE && relation->key_schema != NULL &&
           !relation_same_key(relation, old, &message->as.row.after);
}

/* Whether an update that is none of the key gives no record. */
static bool skips_update(const capture *self, const pg_relation *relation,
                         const pg_message *message)
{
    return self->skips_update || (self->config->skips_unchanged &&
                                  relation_same_row(relation, &message->as.row.before,
                                                    &message->as.row.after));
}

static sluice_status take_update(capture *self, row_event *event,
                                 const pg_message *message, const pg_position *position,
                                 sluice_error *err)
{
    const pg_tuple *old = &message->as.row.before, *new = &message->as.row.after;
    row_values before = {NULL, NULL}, after;
    bool moves = is_move(event->relation, message);
    if (!moves && skips_update(self, event->relation, message)) {
        return SLUICE_OK;
    }
    sluice_status status = SLUICE_OK;
    if (old->kind != TUPLE_NONE) {
        status = tuple_values(self, event, old, NULL, &before, err);
    }
    const pg_relation *version = event->relation;
    if (status == SLUICE_OK) {
        status = tuple_values(self, event, new, old, &after, err);
    }
    if (status == SLUICE_OK && version != event->relation && before.row != NULL) {
        status = tuple_values(self, event, old, NULL, &before, err);
    }
    if (status != SLUICE_OK) {
        return status;
    }
    if (moves) {
        add_moved(self, event, &before, &after, position);
    } else {
        made_record(self,
                    add_change(self, event, 'u', after.key, before.row, after.row,
                               event->offset),
                    position);
    }
    return SLUICE_OK;
}

static sluice_status take_insert(capture *self, row_event *event,
                                 const pg_message *message, const pg_position *position,
                                 sluice_error *err)
{
    row_values after;
    sluice_status status =
        tuple_values(self, event, &message->as.row.after, NULL, &after, err);
    if (status == SLUICE_OK) {
        made_record(
            self,
            add_change(self, event, 'c', after.key, NULL, after.row, event->offset),
            position);
    }
    return status;
}

static sluice_status take_delete(capture *self, row_event *event,
                                 const pg_message *message, const pg_position *position,
                                 sluice_error *err)
{
    row_values before;
    sluice_status status =
        tuple_values(self, event, &message->as.row.before, NULL, &before, err);
    if (status != SLUICE_OK) {
        return status;
    }
    sluice_record *record = add_change(self, event, 'd', before.key, before.row, NULL,
                                       event->before_offset);
    if (self->config->tombstones) {
        envelope_finish(self->envelope, record);
        record = envelope_add_tombstone(self->envelope, event->relation, before.key,
                                        event->offset);
    }
    made_record(self, record, position);
    return SLUICE_OK;
}

/* Whether a change gives no record, whatever its row is. */
static bool skips(const capture *self, message_kind kind)
{
    return (kind == MESSAGE_INSERT && self->skips_create) ||
           (kind == MESSAGE_DELETE && self->skips_delete);
}

/* Whether Debezium has delivered the change at hand. */
static bool is_theirs(capture *self, lsn at)
{
    if (!self->transaction.theirs || at > self->debezium.event) {
        return false;
    }
    if (at < self->debezium.event) {
        return true;
    }
    bool known = self->shared > 0;
    self->shared -= known;
    return known;
}

/* Whether the change at hand has already been delivered; counts it. */
static bool was_delivered(capture *self, lsn at)
{
    self->transaction.index++;
    if (self->transaction.index <= self->transaction.skip || is_theirs(self, at)) {
        return true;
    }
    self->done.event = at;
    return false;
}

static void change_is_done(capture *self, lsn at)
{
    self->done = position_behind(self, at, self->transaction.index);
}

static sluice_status unknown_table(uint32_t oid, sluice_error *err)
{
    return sluice_fail(
        err, SLUICE_FATAL,
        "the server sent a row of the table with oid %u, which it has not "
        "described",
        oid);
}

/* Makes the records of a row's change, whose message lives in the arena. */
static sluice_status make_records(capture *self, const pg_relation *relation, lsn at,
                                  const pg_message *message, sluice_error *err)
{
    pg_position position = position_behind(self, at, self->transaction.index);
    bool several = message->kind != MESSAGE_INSERT;
    row_event event = event_of(self, relation, at, &position, several);
    if (message->kind == MESSAGE_INSERT) {
        return take_insert(self, &event, message, &position, err);
    }
    return message->kind == MESSAGE_UPDATE
               ? take_update(self, &event, message, &position, err)
               : take_delete(self, &event, message, &position, err);
}

static uint32_t relation_of(const pg_frame *frame)
{
    uint32_t oid;
    memcpy(&oid, frame->payload + 1, sizeof oid);
    return __builtin_bswap32(oid);
}

/* Whether what was delivered is to be counted, for the numbers of what follows. */
static bool counts_delivered(const capture *self)
{
    return self->config->transaction_metadata && self->transaction.skip != UINT64_MAX;
}

static sluice_status count_row(capture *self, const pg_relation *relation,
                               const pg_frame *frame, sluice_error *err)
{
    pg_message message;
    if (!relation->captured || skips(self, (message_kind)frame->payload[0])) {
        return SLUICE_OK;
    }
    sluice_status status =
        pgoutput_decode(self->decoder, frame->payload, frame->len, &message, err);
    int records = 1;
    if (status == SLUICE_OK && message.kind == MESSAGE_UPDATE) {
        records = is_move(relation, &message)
                      ? !self->skips_delete + !self->skips_create
                      : !skips_update(self, relation, &message);
    }
    for (int i = 0; status == SLUICE_OK && i < records; i++) {
        metadata_count(self->metadata, relation, frame->start);
    }
    return status;
}

static sluice_status take_row(capture *self, const pg_frame *frame, sluice_error *err)
{
    if (frame->len < 5) {
        return sluice_fail(err, SLUICE_FATAL, "the server sent a row without a table");
    }
    bool delivered = was_delivered(self, frame->start);
    if (delivered && !counts_delivered(self)) {
        return SLUICE_OK;
    }
    const pg_relation *relation = relations_find(self->relations, relation_of(frame));
    if (relation == NULL) {
        return unknown_table(relation_of(frame), err);
    }
    if (delivered) {
        return count_row(self, relation, frame, err);
    }
    sluice_status status = SLUICE_OK;
    bool wanted = relation->captured && !skips(self, (message_kind)frame->payload[0]);
    self->events++;
    self->filtered += !wanted;
    if (wanted) {
        const char *copy = sluice_arena_copy(self->arena, frame->payload, frame->len);
        pg_message message;
        status = pgoutput_decode(self->decoder, copy, frame->len, &message, err);
        if (status == SLUICE_OK) {
            status = make_records(self, relation, frame->start, &message, err);
        }
    }
    if (status == SLUICE_OK) {
        change_is_done(self, frame->start);
    }
    return status;
}

static sluice_status take_truncate(capture *self, lsn at, const pg_message *message,
                                   sluice_error *err)
{
    bool delivered = was_delivered(self, at);
    if (self->skips_truncate || (delivered && !counts_delivered(self))) {
        return SLUICE_OK;
    }
    pg_position position = position_behind(self, at, self->transaction.index);
    row_event event = event_of(self, NULL, at, &position, true);
    sluice_record *record = NULL;
    for (int i = 0; i < message->as.truncate.count; i++) {
        uint32_t oid = truncate_relation(message, i);
        event.relation = relations_find(self->relations, oid);
        if (event.relation == NULL) {
            return unknown_table(oid, err);
        }
        if (event.relation->captured && delivered) {
            metadata_count(self->metadata, event.relation, at);
        } else if (event.relation->captured) {
            record =
                add_change(self, &event, 't', NULL, NULL, NULL, event.before_offset);
            made_record(self, record, &position);
        }
    }
    if (record != NULL) {
        sluice_record_set_source(record, envelope_partition(self->envelope),
                                 event.offset);
    }
    if (!delivered) {
        change_is_done(self, at);
    }
    return SLUICE_OK;
}

/* A logical message of a transaction is one of its changes; any other comes between
 * transactions, and is no position: it may come again after a restart. */
static void take_logical(capture *self, const pg_frame *frame,
                         const pg_message *message)
{
    bool wanted = metadata_wants(self->metadata, message);
    pg_position position = self->done;
    const sluice_value *counted = NULL;
    if (self->transaction.open) {
        bool delivered = was_delivered(self, frame->start);
        if (wanted) {
            counted = metadata_count_message(self->metadata, frame->start);
        }
        if (delivered) {
            return;
        }
        position = position_behind(self, frame->start, self->transaction.index);
        self->done = position;
    } else if (self->until != 0 && frame->start >= self->until) {
        self->reached = true;
        return;
    } else {
        envelope_transaction(self->envelope, 0, frame->clock, self->last_end);
    }
    if (wanted) {
        const sluice_value *offset =
            position_write(&self->writer, self->arena, &position);
        sluice_record *record = metadata_add_message(self->metadata, message,
                                                     frame->start, counted, offset);
        if (self->transaction.open) {
            keep_record(self, record, &position);
        }
    }
}

static sluice_status take_other(capture *self, const pg_frame *frame, sluice_error *err)
{
    pg_message message;
    sluice_status status =
        pgoutput_decode(self->decoder, frame->payload, frame->len, &message, err);
    if (status != SLUICE_OK) {
        return status;
    }
    switch (message.kind) {
    case MESSAGE_BEGIN:
        take_begin(self, frame->start, &message);
        return SLUICE_OK;
    case MESSAGE_COMMIT:
        take_commit(self, frame->start, &message);
        return SLUICE_OK;
    case MESSAGE_RELATION:
        return relations_take(self->relations, self->query, &message, err);
    case MESSAGE_TRUNCATE:
        return take_truncate(self, frame->start, &message, err);
    case MESSAGE_LOGICAL:
        take_logical(self, frame, &message);
        return SLUICE_OK;
    default:
        return SLUICE_OK;
    }
}

static void take_keepalive(capture *self, stream *from, const pg_frame *frame)
{
    from->server_end = frame->end;
    if (!self->transaction.open) {
        self->done.end = frame->end > self->done.end ? frame->end : self->done.end;
        self->reached = self->until != 0 && frame->end >= self->until;
        self->asked = self->asked || frame->reply;
    }
    if (frame->reply) {
        stream_tell(from, false);
    }
}

sluice_status capture_take(capture *self, stream *from, const char *bytes, size_t len,
                           sluice_error *err)
{
    pg_frame frame;
    sluice_status status = frame_decode(bytes, len, &frame, err);
    if (status != SLUICE_OK) {
        return status;
    }
    lsn at = frame.kind == FRAME_WAL ? frame.start : frame.end;
    from->received = at > from->received ? at : from->received;
    if (frame.kind == FRAME_KEEPALIVE) {
        take_keepalive(self, from, &frame);
        return SLUICE_OK;
    }
    char kind = frame.len > 0 ? frame.payload[0] : '\0';
    if (kind == MESSAGE_INSERT || kind == MESSAGE_UPDATE || kind == MESSAGE_DELETE) {
        return take_row(self, &frame, err);
    }
    return take_other(self, &frame, err);
}
