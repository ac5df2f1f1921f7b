/* connectors/postgres/position.c - how far the stream was read, as offsets tell it. */
#include "position.h"

#include <string.h>

/* The order of `names` in the writer. */
enum {
    KEY_LSN,
    KEY_LSN_PROC,
    KEY_LSN_COMMIT,
    KEY_TXID,
    KEY_TS_USEC,
    KEY_TYPE,
    KEY_COMMIT,
    KEY_INDEX,
    KEY_SLOT,
    KEY_SYSTEM,
    KEY_TIMELINE,
    KEY_VERSION,
    KEY_SNAPSHOT,
    KEY_LAST_RECORD,
    KEY_COMPLETED,
    KEY_EVENTS, /* Of Debezium's only. */
    KEYS,
};

static const char *const key_names[KEYS] = {"lsn",
                                            "lsn_proc",
                                            "lsn_commit",
                                            "txId",
                                            "ts_usec",
                                            "messageType",
                                            "commit_lsn",
                                            "tx_index",
                                            "slot",
                                            "system",
                                            "timeline",
                                            "v",
                                            "snapshot",
                                            "last_snapshot_record",
                                            "snapshot_completed",
                                            "lsn_events_processed"};

bool position_reached(const pg_position *one, const pg_position *other)
{
    return one->commit < other->commit ||
           (one->commit == other->commit && one->index <= other->index);
}

void position_writer_init(position_writer *self, sluice_arena *arena, const char *slot,
                          const char *system, uint32_t timeline)
{
    for (int i = 0; i < KEYS; i++) {
        self->names[i] = sluice_text(arena, key_names[i]);
    }
    self->slot = sluice_text(arena, slot);
    self->version = sluice_int64(arena, 2);
    self->whole = sluice_text(arena, "COMMIT");
    self->initial = sluice_text(arena, "INITIAL");
    self->timeline = sluice_int64(arena, timeline);
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
    add(&to, KEY_LSN, number(&to, position->event));
    add(&to, KEY_TXID, number(&to, position->xid));
    add(&to, KEY_TS_USEC, number(&to, (uint64_t)position->time_us));
    if (position->in_snapshot || position->after_snapshot) {
        add(&to, KEY_SNAPSHOT, self->initial);
        add(&to, KEY_LAST_RECORD, sluice_boolean(position->after_snapshot));
        add(&to, KEY_COMPLETED, sluice_boolean(position->after_snapshot));
    }
    if (!position->in_snapshot) {
        const sluice_value *end = number(&to, position->end);
        add(&to, KEY_LSN_PROC, end);
        add(&to, KEY_LSN_COMMIT, end);
        add(&to, KEY_TYPE, self->whole);
        add(&to, KEY_COMMIT, number(&to, position->commit));
        add(&to, KEY_INDEX, number(&to, position->index));
    }
    add(&to, KEY_SLOT, self->slot);
    if (self->system != NULL) {
        add(&to, KEY_SYSTEM, self->system);
        add(&to, KEY_TIMELINE, self->timeline);
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

/* How many of the changes at `lsn` an offset of Debezium counts as done. Newer ones
 * tell; of older ones the first is, where it gave one record only. */
static uint64_t read_shared(const sluice_value *offset)
{
    uint64_t count = 0;
    if (!read_number(offset, KEY_EVENTS, &count)) {
        const sluice_value *type = sluice_map_find(offset, key_names[KEY_TYPE], NULL);
        count = type != NULL && sluice_value_is_text(type, "INSERT");
    }
    return count;
}

bool position_read(const sluice_value *offset, pg_position *ret_position)
{
    if (offset == NULL || sluice_value_type(offset) != SLUICE_TYPE_MAP) {
        return false;
    }
    uint64_t xid = 0, time_us = 0, version = 0, timeline = 0;
    pg_position position = {.in_snapshot = is_unfinished(offset)};
    read_number(offset, KEY_LSN_COMMIT, &position.end);
    read_number(offset, KEY_COMMIT, &position.commit);
    read_number(offset, KEY_INDEX, &position.index);
    read_number(offset, KEY_LSN, &position.event);
    read_number(offset, KEY_TXID, &xid);
    read_number(offset, KEY_TS_USEC, &time_us);
    read_number(offset, KEY_VERSION, &version);
    read_number(offset, KEY_TIMELINE, &timeline);
    position.xid = (uint32_t)xid;
    position.time_us = (int64_t)time_us;
    position.version = version > INT32_MAX ? INT32_MAX : (int)version;
    position.timeline = (uint32_t)timeline;
    position.shared = version == 0 ? read_shared(offset) : 0;
    *ret_position = position;
    return true;
}

const sluice_value *position_system(const sluice_value *offset)
{
    const sluice_value *value = sluice_map_find(offset, key_names[KEY_SYSTEM], NULL);
    return value != NULL && sluice_value_type(value) == SLUICE_TYPE_STRING ? value
                                                                           : NULL;
}
