/* connectors/postgres/position.c - how far the stream was read, and how far the server
 * may forget it. */
#include "position.h"

#include <string.h>

/* The order of `names` in the writer. */
enum {
    KEY_LSN,
    KEY_LSN_PROC,
    KEY_LSN_COMMIT,
    KEY_TXID,
    KEY_TS_USEC,
    KEY_COMMIT,
    KEY_INDEX,
    KEY_SLOT,
    KEY_SYSTEM,
    KEY_VERSION,
    KEY_SNAPSHOT,
    KEY_LAST_RECORD,
    KEY_COMPLETED,
    KEYS,
};

static const char *const key_names[KEYS] = {"lsn",
                                            "lsn_proc",
                                            "lsn_commit",
                                            "txId",
                                            "ts_usec",
                                            "commit_lsn",
                                            "tx_index",
                                            "slot",
                                            "system",
                                            "v",
                                            "snapshot",
                                            "last_snapshot_record",
                                            "snapshot_completed"};

bool position_reached(const pg_position *one, const pg_position *other)
{
    return one->commit < other->commit ||
           (one->commit == other->commit && one->index <= other->index);
}

void position_writer_init(position_writer *self, sluice_arena *arena, const char *slot,
                          const char *system)
{
    for (int i = 0; i < KEYS; i++) {
        self->names[i] = sluice_text(arena, key_names[i]);
    }
    self->slot = sluice_text(arena, slot);
    self->version = sluice_int64(arena, 1);
    self->system = sluice_text(arena, system);
}

typedef struct map_writer {
    const position_writer *names;
    sluice_arena *arena;
    sluice_value *map;
} map_writer;

static void add(const map_writer *to, int key, const sluice_value *value)
{
    sluice_map_add(to->arena, to->map, to->names->names[key], value);
}

static const sluice_value *number(const map_writer *to, uint64_t value)
{
    return sluice_int64(to->arena, (int64_t)value);
}

const sluice_value *position_write(const position_writer *self, sluice_arena *arena,
                                   const pg_position *position)
{
    map_writer to = {self, arena, sluice_map_new(arena, KEYS)};
    const sluice_value *event = number(&to, position->event);
    add(&to, KEY_LSN, event);
    add(&to, KEY_TXID, number(&to, position->xid));
    add(&to, KEY_TS_USEC, number(&to, (uint64_t)position->time_us));
    if (position->in_snapshot || position->after_snapshot) {
        add(&to, KEY_SNAPSHOT, sluice_text(arena, "INITIAL"));
        add(&to, KEY_LAST_RECORD, sluice_boolean(position->after_snapshot));
        add(&to, KEY_COMPLETED, sluice_boolean(position->after_snapshot));
    }
    if (!position->in_snapshot) {
        add(&to, KEY_LSN_PROC, event);
        add(&to, KEY_LSN_COMMIT, number(&to, position->end));
        add(&to, KEY_COMMIT, number(&to, position->commit));
        add(&to, KEY_INDEX, number(&to, position->index));
    }
    add(&to, KEY_SLOT, self->slot);
    if (self->system != NULL) {
        add(&to, KEY_SYSTEM, self->system);
    }
    add(&to, KEY_VERSION, self->version);
    return to.map;
}

/* A key of an offset as a number; false where there is none. */
static bool read_number(const sluice_value *offset, int key, uint64_t *ret_number)
{
    const sluice_value *value = sluice_map_find(offset, key_names[key], NULL);
    if (value == NULL || sluice_value_type(value) > SLUICE_TYPE_INT64) {
        return false;
    }
    *ret_number = (uint64_t)sluice_value_integer(value);
    return true;
}

static bool read_true(const sluice_value *offset, int key)
{
    const sluice_value *value = sluice_map_find(offset, key_names[key], NULL);
    return value != NULL && sluice_value_type(value) == SLUICE_TYPE_BOOLEAN &&
           sluice_value_boolean(value);
}

/* Debezium marks an unfinished snapshot by `snapshot`, which was once a boolean. */
static bool is_unfinished(const sluice_value *offset)
{
    const sluice_value *mark = sluice_map_find(offset, key_names[KEY_SNAPSHOT], NULL);
    bool marked = mark != NULL && (sluice_value_type(mark) != SLUICE_TYPE_BOOLEAN ||
                                   sluice_value_boolean(mark));
    return marked && !read_true(offset, KEY_COMPLETED);
}

bool position_read(const sluice_value *offset, pg_position *ret_position)
{
    if (offset == NULL || sluice_value_type(offset) != SLUICE_TYPE_MAP) {
        return false;
    }
    uint64_t xid = 0, time_us = 0;
    pg_position position = {.in_snapshot = is_unfinished(offset)};
    read_number(offset, KEY_LSN_COMMIT, &position.end);
    read_number(offset, KEY_COMMIT, &position.commit);
    read_number(offset, KEY_INDEX, &position.index);
    read_number(offset, KEY_LSN, &position.event);
    read_number(offset, KEY_TXID, &xid);
    read_number(offset, KEY_TS_USEC, &time_us);
    position.xid = (uint32_t)xid;
    position.time_us = (int64_t)time_us;
    *ret_position = position;
    return true;
}

const sluice_value *position_system(const sluice_value *offset)
{
    const sluice_value *value = sluice_map_find(offset, key_names[KEY_SYSTEM], NULL);
    return value != NULL && sluice_value_type(value) == SLUICE_TYPE_STRING ? value
                                                                           : NULL;
}

/* --- The ledger. --- */

static size_t last_item(const ledger *self)
{
    return (self->first + self->count - 1) % LEDGER_SIZE;
}

static void advance(ledger *self, lsn end)
{
    self->flush = end > self->flush ? end : self->flush;
}

void ledger_ended(ledger *self, const pg_position *last, lsn end)
{
    if (last != NULL && position_reached(last, &self->stored)) {
        last = NULL;
    }
    if (last == NULL && self->count == 0) {
        advance(self, end);
        return;
    }
    if (last != NULL && self->count < LEDGER_SIZE) {
        self->count++;
    }
    size_t at = last_item(self);
    if (last != NULL) {
        self->items[at].last = *last;
    }
    self->items[at].end = end;
}

void ledger_idle(ledger *self, lsn end)
{
    if (self->count == 0) {
        advance(self, end);
    } else if (end > self->items[last_item(self)].end) {
        self->items[last_item(self)].end = end;
    }
}

void ledger_stored(ledger *self, const pg_position *done)
{
    if (done->in_snapshot) {
        return;
    }
    advance(self, done->end);
    if (position_reached(&self->stored, done)) {
        self->stored = *done;
    }
    while (self->count > 0 && position_reached(&self->items[self->first].last, done)) {
        advance(self, self->items[self->first].end);
        self->first = (self->first + 1) % LEDGER_SIZE;
        self->count--;
    }
}
