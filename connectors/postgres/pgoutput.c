/* connectors/postgres/pgoutput.c - pgoutput's messages, checked and decoded in place.
 *
 * A reader walks the bytes with a cursor that remembers whether it ever went too far;
 * the one check at the end of a message then covers all of its fields. Fields whose
 * value decides how far to go are checked where they are read. */
#include "pgoutput.h"

#include <stdlib.h>
#include <string.h>

/* PostgreSQL allows 1600 columns in a table (MaxHeapAttributeNumber). */
enum { COLUMNS_MAX = 1600 };

struct pgoutput {
    pg_cell before[COLUMNS_MAX];
    pg_cell after[COLUMNS_MAX];
    relation_column columns[COLUMNS_MAX];
};

typedef struct cursor {
    const char *at, *end;
    bool short_of; /* Something was read that was not there. */
} cursor;

static inline bool cursor_has(cursor *self, size_t size)
{
    if ((size_t)(self->end - self->at) < size) {
        self->short_of = true;
        self->at = self->end;
        return false;
    }
    return true;
}

static inline uint8_t read_8(cursor *self)
{
    return cursor_has(self, 1) ? (uint8_t)*self->at++ : 0;
}

static inline uint16_t read_16(cursor *self)
{
    uint16_t value = 0;
    if (cursor_has(self, sizeof value)) {
        memcpy(&value, self->at, sizeof value);
        self->at += sizeof value;
    }
    return __builtin_bswap16(value);
}

static inline uint32_t read_32(cursor *self)
{
    uint32_t value = 0;
    if (cursor_has(self, sizeof value)) {
        memcpy(&value, self->at, sizeof value);
        self->at += sizeof value;
    }
    return __builtin_bswap32(value);
}

static inline uint64_t read_64(cursor *self)
{
    uint64_t value = 0;
    if (cursor_has(self, sizeof value)) {
        memcpy(&value, self->at, sizeof value);
        self->at += sizeof value;
    }
    return __builtin_bswap64(value);
}

/* Server times that would leave the range after the change of epoch wrap; they are
 * only shown. */
static inline int64_t read_time(cursor *self)
{
    return (int64_t)(read_64(self) + (uint64_t)CLOCK_EPOCH_US);
}

static const char *read_text(cursor *self)
{
    const char *text = self->at;
    const char *nul = memchr(text, 0, (size_t)(self->end - text));
    if (nul == NULL) {
        cursor_has(self, SIZE_MAX);
        return "";
    }
    self->at = nul + 1;
    return text;
}

static sluice_status ends_early(sluice_error *err, const char *base, size_t len)
{
    return sluice_fail(err, SLUICE_FATAL,
                       "the server sent a message '%c' of %zu bytes that ends early",
                       base[0] > ' ' && base[0] < 127 ? base[0] : '?', len);
}

/* --- Frames. --- */

sluice_status frame_decode(const void *base, size_t len, pg_frame *ret_frame,
                           sluice_error *err)
{
    if (len == 0) {
        return sluice_fail(err, SLUICE_FATAL, "the server sent an empty message");
    }
    cursor at = {base, (const char *)base + len, false};
    pg_frame frame = {.kind = read_8(&at)};
    if (frame.kind == FRAME_WAL) {
        frame.start = read_64(&at);
        frame.end = read_64(&at);
        frame.clock = read_time(&at);
        frame.payload = at.at;
        frame.len = (size_t)(at.end - at.at);
    } else if (frame.kind == FRAME_KEEPALIVE) {
        frame.end = read_64(&at);
        frame.clock = read_time(&at);
        frame.reply = read_8(&at) != 0;
    } else {
        return sluice_fail(
            err, SLUICE_FATAL,
            "the server sent a replication message of kind 0x%02x, which "
            "is neither XLogData nor a keepalive",
            (unsigned)frame.kind);
    }
    if (at.short_of) {
        return ends_early(err, base, len);
    }
    *ret_frame = frame;
    return SLUICE_OK;
}

static char *write_64(char *at, uint64_t value)
{
    value = __builtin_bswap64(value);
    memcpy(at, &value, sizeof value);
    return at + sizeof value;
}

void status_encode(lsn received, lsn flush, int64_t clock, char ret_status[STATUS_SIZE])
{
    char *at = ret_status;
    *at++ = 'r';
    at = write_64(at, received);
    at = write_64(at, flush);
    at = write_64(at, flush); /* Applied: what is stored is applied. */
    at = write_64(at, (uint64_t)(clock - CLOCK_EPOCH_US));
    *at = 0; /* No answer wanted. */
}

/* --- Messages. --- */

static sluice_status read_cell(cursor *at, pg_cell *cell, int index, sluice_error *err)
{
    cell->kind = read_8(at);
    cell->text = NULL;
    cell->len = 0;
    if (cell->kind == CELL_TEXT) {
        uint32_t len = read_32(at);
        if (!cursor_has(at, len)) {
            return SLUICE_OK; /* Told at the end of the message. */
        }
        cell->text = at->at;
        cell->len = (int32_t)len;
        at->at += len;
    } else if (cell->kind != CELL_NULL && cell->kind != CELL_UNCHANGED &&
               !at->short_of) {
        return sluice_fail(err, SLUICE_FATAL,
                           "the server sent column %d of a row in the unknown form "
                           "0x%02x; 'n', 'u' and 't' are known",
                           index + 1, (unsigned)cell->kind);
    }
    return SLUICE_OK;
}

/* Reads a tuple behind its letter. */
static sluice_status read_tuple(cursor *at, tuple_kind kind, pg_cell *cells,
                                pg_tuple *tuple, sluice_error *err)
{
    int count = read_16(at);
    if (count > COLUMNS_MAX) {
        return sluice_fail(
            err, SLUICE_FATAL,
            "the server sent a row of %d columns: at most %d are possible", count,
            COLUMNS_MAX);
    }
    tuple->kind = kind;
    tuple->count = count;
    tuple->cells = cells;
    for (int i = 0; i < count && !at->short_of; i++) {
        sluice_status status = read_cell(at, &cells[i], i, err);
        if (status != SLUICE_OK) {
            return status;
        }
    }
    return SLUICE_OK;
}

static sluice_status unknown_tuple(sluice_error *err, char message, unsigned letter)
{
    return sluice_fail(err, SLUICE_FATAL,
                       "the server sent a message '%c' with a row of the unknown kind "
                       "0x%02x",
                       message, letter);
}

static sluice_status decode_row(pgoutput *decoder, cursor *at, pg_message *message,
                                sluice_error *err)
{
    message->relation = read_32(at);
    pg_tuple *before = &message->as.row.before, *after = &message->as.row.after;
    before->kind = after->kind = TUPLE_NONE;
    uint8_t letter = read_8(at);
    bool has_before = letter == TUPLE_KEY || letter == TUPLE_OLD;
    if (has_before && message->kind != MESSAGE_INSERT) {
        sluice_status status = read_tuple(at, letter, decoder->before, before, err);
        if (status != SLUICE_OK || message->kind == MESSAGE_DELETE) {
            return status;
        }
        letter = read_8(at);
    }
    if (at->short_of) {
        return SLUICE_OK;
    }
    if (letter != TUPLE_NEW || message->kind == MESSAGE_DELETE) {
        return unknown_tuple(err, (char)message->kind, letter);
    }
    return read_tuple(at, TUPLE_NEW, decoder->after, after, err);
}

static sluice_status decode_relation(pgoutput *decoder, cursor *at, pg_message *message,
                                     sluice_error *err)
{
    message->relation = read_32(at);
    const char *schema = read_text(at);
    message->as.relation.schema = *schema == '\0' ? "pg_catalog" : schema;
    message->as.relation.name = read_text(at);
    message->as.relation.identity = (char)read_8(at);
    int count = read_16(at);
    if (count > COLUMNS_MAX) {
        return sluice_fail(
            err, SLUICE_FATAL,
            "the server described table '%s.%s' with %d columns: at most "
            "%d are possible",
            message->as.relation.schema, message->as.relation.name, count, COLUMNS_MAX);
    }
    for (int i = 0; i < count; i++) {
        relation_column *column = &decoder->columns[i];
        column->identity = (read_8(at) & 1) != 0;
        column->name = read_text(at);
        column->type = read_32(at);
        column->typmod = (int32_t)read_32(at);
    }
    message->as.relation.count = count;
    message->as.relation.columns = decoder->columns;
    return SLUICE_OK;
}

static void decode_truncate(cursor *at, pg_message *message)
{
    uint32_t count = read_32(at);
    uint8_t flags = read_8(at);
    message->as.truncate.cascade = (flags & 1) != 0;
    message->as.truncate.restart_identity = (flags & 2) != 0;
    message->as.truncate.oids = at->at;
    message->as.truncate.count = 0;
    if (cursor_has(at, (size_t)count * 4)) {
        message->as.truncate.count = (int)count;
    }
}

uint32_t truncate_relation(const pg_message *self, int index)
{
    uint32_t oid;
    memcpy(&oid, self->as.truncate.oids + (size_t)index * 4, sizeof oid);
    return __builtin_bswap32(oid);
}

static void decode_logical(cursor *at, pg_message *message)
{
    message->as.logical.transactional = (read_8(at) & 1) != 0;
    message->as.logical.position = read_64(at);
    message->as.logical.prefix = read_text(at);
    uint32_t len = read_32(at);
    message->as.logical.content = at->at;
    message->as.logical.len = cursor_has(at, len) ? len : 0;
}

static sluice_status decode_kind(pgoutput *decoder, cursor *at, pg_message *message,
                                 sluice_error *err)
{
    switch (message->kind) {
    case MESSAGE_INSERT:
    case MESSAGE_UPDATE:
    case MESSAGE_DELETE:
        return decode_row(decoder, at, message, err);
    case MESSAGE_BEGIN:
        message->as.begin.final = read_64(at);
        message->as.begin.time = read_time(at);
        message->as.begin.xid = read_32(at);
        return SLUICE_OK;
    case MESSAGE_COMMIT:
        read_8(at); /* Flags; none are defined. */
        message->as.commit.start = read_64(at);
        message->as.commit.end = read_64(at);
        message->as.commit.time = read_time(at);
        return SLUICE_OK;
    case MESSAGE_RELATION:
        return decode_relation(decoder, at, message, err);
    case MESSAGE_TRUNCATE:
        decode_truncate(at, message);
        return SLUICE_OK;
    case MESSAGE_LOGICAL:
        decode_logical(at, message);
        return SLUICE_OK;
    case MESSAGE_ORIGIN:
    case MESSAGE_TYPE: /* Types are looked up by their oid. */
        return SLUICE_OK;
    default:
        return sluice_fail(err, SLUICE_FATAL,
                           "the server sent a pgoutput message of the unknown kind "
                           "0x%02x",
                           (unsigned)message->kind);
    }
}

sluice_status pgoutput_decode(pgoutput *decoder, const void *base, size_t len,
                              pg_message *ret_message, sluice_error *err)
{
    if (len == 0) {
        return sluice_fail(err, SLUICE_FATAL, "the server sent an empty change");
    }
    cursor at = {base, (const char *)base + len, false};
    ret_message->kind = read_8(&at);
    sluice_status status = decode_kind(decoder, &at, ret_message, err);
    if (status == SLUICE_OK && at.short_of) {
        return ends_early(err, base, len);
    }
    return status;
}

pgoutput *pgoutput_new(void)
{
    pgoutput *decoder = malloc(sizeof *decoder);
    if (decoder == NULL) {
        abort(); /* As all small allocations of Sluice do. */
    }
    return decoder;
}

void pgoutput_free(pgoutput *decoder)
{
    free(decoder);
}
