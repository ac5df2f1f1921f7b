/* connectors/postgres/fuzz.c - a fuzz target: whatever the server sends, decoding and
 * converting it never crashes.
 *
 * The first byte chooses: 0, frames of the stream, each preceded by its length in a
 * byte; 1, one message of pgoutput; 255, a line of COPY, a timeline's history and an
 * offset made of it; 254, the default of a column, else the text of a value, of the
 * type whose oid the next two bytes are. */
#include "column.h"
#include "copy_row.h"
#include "pgoutput.h"
#include "position.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *base, size_t size);

/* Reads all that a message points to, so that a sanitizer sees what lies outside. */
static size_t touch_tuple(const pg_tuple *tuple)
{
    size_t sum = 0;
    for (int i = 0; tuple->kind != TUPLE_NONE && i < tuple->count; i++) {
        for (int j = 0; j < tuple->cells[i].len; j++) {
            sum += (unsigned char)tuple->cells[i].text[j];
        }
    }
    return sum;
}

static size_t touch(const pg_message *message)
{
    size_t sum = 0;
    switch (message->kind) {
    case MESSAGE_INSERT:
    case MESSAGE_UPDATE:
    case MESSAGE_DELETE:
        return touch_tuple(&message->as.row.before) +
               touch_tuple(&message->as.row.after);
    case MESSAGE_RELATION:
        sum = strlen(message->as.relation.schema) + strlen(message->as.relation.name);
        for (int i = 0; i < message->as.relation.count; i++) {
            sum += strlen(message->as.relation.columns[i].name);
        }
        return sum;
    case MESSAGE_TRUNCATE:
        for (int i = 0; i < message->as.truncate.count; i++) {
            sum += truncate_relation(message, i);
        }
        return sum;
    case MESSAGE_LOGICAL:
        sum = strlen(message->as.logical.prefix);
        for (size_t i = 0; i < message->as.logical.len; i++) {
            sum += (unsigned char)message->as.logical.content[i];
        }
        return sum;
    default:
        return 0;
    }
}

static size_t try_message(const void *base, size_t size)
{
    static pgoutput *decoder;
    decoder = decoder == NULL ? pgoutput_new() : decoder;
    pg_message message;
    sluice_error *err = sluice_error_new();
    size_t sum = 0;
    if (pgoutput_decode(decoder, base, size, &message, err) == SLUICE_OK) {
        sum = touch(&message);
    } else if (sluice_error_count(err) != 1) {
        abort();
    }
    sluice_error_free(err);
    return sum;
}

static size_t try_frames(const uint8_t *base, size_t size)
{
    size_t sum = 0;
    while (size > 0) {
        size_t len = *base < size ? *base : size - 1;
        pg_frame frame;
        if (frame_decode(base + 1, len, &frame, NULL) == SLUICE_OK &&
            frame.kind == FRAME_WAL) {
            sum += try_message(frame.payload, frame.len);
        }
        base += len + 1;
        size -= len + 1;
    }
    return sum;
}

/* Oids from 60000 on are types of extensions. */
static const type_facts *find_type(void *context, uint32_t oid)
{
    static const type_facts extensions[] = {
        {.oid = 60000, .name = "hstore", .kind = 'b'},
        {.oid = 60001, .name = "geometry", .kind = 'b'},
        {.oid = 60002, .name = "vector", .kind = 'b'},
        {.oid = 60003, .name = "halfvec", .kind = 'b'},
        {.oid = 60004, .name = "sparsevec", .kind = 'b'},
        {.oid = 60005, .name = "_hstore", .kind = 'b', .element = 60000},
    };
    bool known = oid >= 60000 && oid - 60000 < sizeof extensions / sizeof *extensions;
    return known ? &extensions[oid - 60000] : NULL;
}

/* Cells lie in their line, and none behind the last that there is room for. */
static size_t try_copy(const uint8_t *base, size_t size)
{
    pg_cell cells[8];
    sluice_arena *arena = sluice_arena_new();
    char *line = sluice_arena_copy(arena, base, size);
    int count = copy_split(line, size, cells, 8);
    size_t sum = 0;
    for (int i = 0; i < count; i++) {
        for (int j = 0; j < cells[i].len; j++) {
            sum += (unsigned char)cells[i].text[j];
        }
        if (cells[i].kind == CELL_TEXT &&
            (cells[i].text < line || cells[i].text + cells[i].len > line + size)) {
            abort();
        }
    }
    sluice_arena_free(arena);
    return sum;
}

/* Names and values as somebody may have PATCHed them; what is read is written and read
 * again the same. */
static void try_offset(const char *text, size_t size)
{
    static const char *const names[] = {"lsn",         "lsn_proc",
                                        "lsn_commit",  "txId",
                                        "ts_usec",     "commit_lsn",
                                        "tx_index",    "v",
                                        "timeline",    "snapshot",
                                        "system",      "snapshot_completed",
                                        "messageType", "lsn_events_processed"};
    sluice_arena *arena = sluice_arena_new();
    sluice_value *map = sluice_map_new(arena, 8);
    for (size_t i = 0; i + 9 < size; i += 10) {
        int64_t number;
        memcpy(&number, text + i + 2, sizeof number);
        const sluice_value *value = text[i] % 3 == 0   ? sluice_int64(arena, number)
                                    : text[i] % 3 == 1 ? sluice_boolean(text[i + 1] & 1)
                                                       : sluice_string(arena, text, 8);
        size_t name = (uint8_t)text[i + 1] % (sizeof names / sizeof names[0]);
        sluice_map_add_text(arena, map, names[name], value);
    }
    pg_position one, other;
    position_writer writer;
    position_writer_init(&writer, arena, "s", "1", 1);
    if (!position_read(map, &one) ||
        !position_read(position_write(&writer, arena, &one), &other) ||
        one.in_snapshot != other.in_snapshot ||
        (!one.in_snapshot && (one.end != other.end || one.index != other.index))) {
        abort();
    }
    sluice_arena_free(arena);
}

static size_t try_texts(const uint8_t *base, size_t size)
{
    lsn at = 0;
    sluice_arena *arena = sluice_arena_new();
    const char *text = sluice_arena_copy(arena, base, size); /* NUL-terminated. */
    timeline_find(text, 1, &at);
    lsn_parse(text, &at);
    try_offset(text, size);
    sluice_arena_free(arena);
    return try_copy(base, size) + (size_t)at;
}

/* A value that was made must fit its schema. */
static void try_value(const uint8_t *base, size_t size, bool is_default)
{
    postgres_config config = {.placeholder = "x",
                              .money_digits = 2,
                              .unknown_types = true,
                              .time_mode = base[0] % 6,
                              .decimal_mode = base[0] % 3,
                              .binary_mode = base[0] % 4,
                              .hstore_mode = base[0] % 2,
                              .interval_mode = base[0] % 2};
    pg_column column = {.config = &config,
                        .name = "c",
                        .type = (uint32_t)(base[1] | base[2] << 8),
                        .typmod = (int32_t)base[3] - 1,
                        .dimensions = base[0] >> 6};
    sluice_arena *arena = sluice_arena_new();
    const sluice_value *value;
    const type_source types = {find_type, NULL};
    const char *text = sluice_arena_copy(arena, base + 4, size - 4);
    if (column_describe(&column, &types, is_default ? text : NULL, arena)) {
        if (column.convert(&column, arena, text, size - 4, &value, NULL) == SLUICE_OK &&
            sluice_value_check(value, column.schema, NULL) != SLUICE_OK) {
            abort();
        }
    }
    sluice_arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *base, size_t size)
{
    static volatile size_t sink;
    if (size == 0) {
        return 0;
    }
    if (base[0] == 0) {
        sink = try_frames(base + 1, size - 1);
    } else if (base[0] == 1) {
        sink = try_message(base + 1, size - 1);
    } else if (base[0] == 255) {
        sink = try_texts(base + 1, size - 1);
    } else if (size > 5) {
        try_value(base + 1, size - 1, base[0] == 254);
    }
    (void)sink;
    return 0;
}

#ifdef FUZZ_CORPUS_MAIN
#include "corpus.h"
#endif
