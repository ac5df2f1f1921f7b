/* connectors/postgres/pgoutput_test.c - the decoder reads what PostgreSQL writes, and
 * survives what it never would. */
#include "pgoutput.h"
#include "test.h"

/* Builds messages as the server's pq_send… functions do. */
typedef struct wire_bytes {
    char base[512];
    size_t len;
} wire_bytes;

static void put_int(wire_bytes *self, int size, uint64_t value)
{
    for (int i = size - 1; i >= 0; i--) {
        self->base[self->len++] = (char)(value >> (8 * i));
    }
}

static void put_text(wire_bytes *self, const char *text)
{
    memcpy(self->base + self->len, text, strlen(text) + 1);
    self->len += strlen(text) + 1;
}

static void put_cell(wire_bytes *self, const char *text)
{
    if (text == NULL) {
        put_int(self, 1, 'n');
        return;
    }
    put_int(self, 1, 't');
    put_int(self, 4, strlen(text));
    memcpy(self->base + self->len, text, strlen(text));
    self->len += strlen(text);
}

static wire_bytes relation_wire(void)
{
    wire_bytes wire = {.len = 0};
    put_int(&wire, 1, 'R');
    put_int(&wire, 4, 16400);
    put_text(&wire, "public");
    put_text(&wire, "orders");
    put_int(&wire, 1, 'd');
    put_int(&wire, 2, 2);
    put_int(&wire, 1, 1);
    put_text(&wire, "id");
    put_int(&wire, 4, 20);
    put_int(&wire, 4, (uint64_t)-1);
    put_int(&wire, 1, 0);
    put_text(&wire, "price");
    put_int(&wire, 4, 1700);
    put_int(&wire, 4, 655366);
    return wire;
}

static wire_bytes update_wire(void)
{
    wire_bytes wire = {.len = 0};
    put_int(&wire, 1, 'U');
    put_int(&wire, 4, 16400);
    put_int(&wire, 1, 'K');
    put_int(&wire, 2, 3);
    put_cell(&wire, "7");
    put_cell(&wire, NULL);
    put_cell(&wire, NULL);
    put_int(&wire, 1, 'N');
    put_int(&wire, 2, 3);
    put_cell(&wire, "8");
    put_cell(&wire, "");
    put_int(&wire, 1, 'u');
    return wire;
}

static wire_bytes truncate_wire(void)
{
    wire_bytes wire = {.len = 0};
    put_int(&wire, 1, 'T');
    put_int(&wire, 4, 2);
    put_int(&wire, 1, 3);
    put_int(&wire, 4, 16400);
    put_int(&wire, 4, 16410);
    return wire;
}

static wire_bytes logical_wire(void)
{
    wire_bytes wire = {.len = 0};
    put_int(&wire, 1, 'M');
    put_int(&wire, 1, 1);
    put_int(&wire, 8, 0x126435A28);
    put_text(&wire, "audit");
    put_int(&wire, 4, 3);
    put_int(&wire, 3, 0x610062); /* a, NUL, b */
    return wire;
}

static sluice_status decode(pgoutput *decoder, const wire_bytes *wire,
                            pg_message *ret_message)
{
    return pgoutput_decode(decoder, wire->base, wire->len, ret_message, NULL);
}

TEST(positions_are_read_and_written_as_postgresql_does)
{
    lsn position;
    char text[LSN_TEXT_SIZE];
    CHECK(lsn_parse("1/26435A28", &position));
    CHECK(position == 0x126435A28);
    CHECK_TEXT(lsn_print(position, text), "1/26435A28");
    CHECK(lsn_parse("ffffffff/ffffffff", &position));
    CHECK_TEXT(lsn_print(position, text), "FFFFFFFF/FFFFFFFF");
    CHECK(lsn_parse("0/0", &position));
    CHECK(position == 0);
}

TEST(what_is_no_position_is_refused)
{
    static const char *const texts[] = {"",     "/",     "1",           "1/",
                                        "/1",   "1/2/3", "1/2 ",        " 1/2",
                                        "-1/2", "g/1",   "123456789/1", "1/123456789"};
    lsn position;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        CHECK(!lsn_parse(texts[i], &position));
    }
}

TEST(a_frame_of_the_log_gives_its_position_and_its_message)
{
    wire_bytes wire = {.len = 0};
    put_int(&wire, 1, 'w');
    put_int(&wire, 8, 0x126435A28);
    put_int(&wire, 8, 0x126435A28);
    put_int(&wire, 8, 0);
    put_text(&wire, "Bxx");
    pg_frame frame;
    CHECK(frame_decode(wire.base, wire.len, &frame, NULL) == SLUICE_OK);
    CHECK_INT(frame.kind, FRAME_WAL);
    CHECK(frame.start == 0x126435A28);
    CHECK(frame.clock == CLOCK_EPOCH_US);
    CHECK_BYTES(frame.payload, frame.len, "Bxx", 4);
}

TEST(a_keepalive_tells_whether_an_answer_is_wanted)
{
    wire_bytes wire = {.len = 0};
    put_int(&wire, 1, 'k');
    put_int(&wire, 8, 0x42);
    put_int(&wire, 8, 1000000);
    put_int(&wire, 1, 1);
    pg_frame frame;
    CHECK(frame_decode(wire.base, wire.len, &frame, NULL) == SLUICE_OK);
    CHECK_INT(frame.kind, FRAME_KEEPALIVE);
    CHECK(frame.end == 0x42);
    CHECK(frame.clock == CLOCK_EPOCH_US + 1000000);
    CHECK(frame.reply);
}

TEST(a_status_update_has_the_layout_of_the_protocol)
{
    char status[STATUS_SIZE];
    status_encode(0x0102, 0x0304, CLOCK_EPOCH_US + 5, status);
    CHECK_BYTES(status, STATUS_SIZE,
                "r\0\0\0\0\0\0\1\2\0\0\0\0\0\0\3\4\0\0\0\0\0\0\3\4\0\0\0\0\0\0\0\5\0",
                34);
}

TEST(begin_and_commit_frame_a_transaction)
{
    pgoutput *decoder = pgoutput_new();
    wire_bytes begin = {.len = 0}, commit = {.len = 0};
    put_int(&begin, 1, 'B');
    put_int(&begin, 8, 0x100);
    put_int(&begin, 8, 7);
    put_int(&begin, 4, 4000000000);
    put_int(&commit, 1, 'C');
    put_int(&commit, 1, 0);
    put_int(&commit, 8, 0x100);
    put_int(&commit, 8, 0x130);
    put_int(&commit, 8, 7);
    pg_message message;
    CHECK(decode(decoder, &begin, &message) == SLUICE_OK);
    CHECK(message.kind == MESSAGE_BEGIN);
    CHECK(message.as.begin.final == 0x100);
    CHECK(message.as.begin.time == CLOCK_EPOCH_US + 7);
    CHECK(message.as.begin.xid == 4000000000);
    CHECK(decode(decoder, &commit, &message) == SLUICE_OK);
    CHECK(message.as.commit.start == 0x100);
    CHECK(message.as.commit.end == 0x130);
    pgoutput_free(decoder);
}

TEST(a_relation_names_its_columns)
{
    pgoutput *decoder = pgoutput_new();
    wire_bytes wire = relation_wire();
    pg_message message;
    CHECK(decode(decoder, &wire, &message) == SLUICE_OK);
    CHECK_INT(message.relation, 16400);
    CHECK_TEXT(message.as.relation.schema, "public");
    CHECK_TEXT(message.as.relation.name, "orders");
    CHECK_INT(message.as.relation.identity, 'd');
    CHECK_INT(message.as.relation.count, 2);
    CHECK_TEXT(message.as.relation.columns[0].name, "id");
    CHECK(message.as.relation.columns[0].identity);
    CHECK_INT(message.as.relation.columns[1].type, 1700);
    CHECK_INT(message.as.relation.columns[1].typmod, 655366);
    CHECK(!message.as.relation.columns[1].identity);
    pgoutput_free(decoder);
}

TEST(an_update_of_the_key_has_both_tuples)
{
    pgoutput *decoder = pgoutput_new();
    wire_bytes wire = update_wire();
    pg_message message;
    CHECK(decode(decoder, &wire, &message) == SLUICE_OK);
    pg_tuple *before = &message.as.row.before, *after = &message.as.row.after;
    CHECK_INT(before->kind, TUPLE_KEY);
    CHECK_INT(before->count, 3);
    CHECK_INT(before->cells[1].kind, CELL_NULL);
    CHECK_INT(after->kind, TUPLE_NEW);
    CHECK_BYTES(after->cells[0].text, after->cells[0].len, "8", 1);
    CHECK_INT(after->cells[1].kind, CELL_TEXT);
    CHECK_INT(after->cells[1].len, 0);
    CHECK_INT(after->cells[2].kind, CELL_UNCHANGED);
    pgoutput_free(decoder);
}

TEST(an_insert_with_an_old_row_is_refused)
{
    pgoutput *decoder = pgoutput_new();
    sluice_error *err = sluice_error_new();
    wire_bytes wire = update_wire();
    wire.base[0] = 'I';
    pg_message message;
    CHECK(pgoutput_decode(decoder, wire.base, wire.len, &message, err) == SLUICE_FATAL);
    CHECK_TEXT(sluice_error_text(err),
               "the server sent a message 'I' with a row of the unknown kind 0x4b");
    sluice_error_free(err);
    pgoutput_free(decoder);
}

TEST(a_truncate_lists_its_relations)
{
    pgoutput *decoder = pgoutput_new();
    wire_bytes wire = truncate_wire();
    pg_message message;
    CHECK(decode(decoder, &wire, &message) == SLUICE_OK);
    CHECK_INT(message.as.truncate.count, 2);
    CHECK(message.as.truncate.cascade && message.as.truncate.restart_identity);
    CHECK_INT(truncate_relation(&message, 1), 16410);
    pgoutput_free(decoder);
}

TEST(a_logical_message_keeps_its_bytes)
{
    pgoutput *decoder = pgoutput_new();
    wire_bytes wire = logical_wire();
    pg_message message;
    CHECK(decode(decoder, &wire, &message) == SLUICE_OK);
    CHECK(message.as.logical.transactional);
    CHECK_TEXT(message.as.logical.prefix, "audit");
    CHECK_BYTES(message.as.logical.content, message.as.logical.len, "a\0b", 3);
    pgoutput_free(decoder);
}

TEST(every_message_cut_short_is_an_error)
{
    pgoutput *decoder = pgoutput_new();
    wire_bytes wires[] = {relation_wire(), update_wire(), truncate_wire(),
                          logical_wire()};
    for (size_t i = 0; i < sizeof wires / sizeof *wires; i++) {
        for (size_t len = 0; len < wires[i].len; len++) {
            /* A copy of the exact size, so that reading on would be seen. */
            char *copy = malloc(len + (len == 0));
            memcpy(copy, wires[i].base, len);
            pg_message message;
            sluice_status status = pgoutput_decode(decoder, copy, len, &message, NULL);
            free(copy);
            CHECK_INT(status, SLUICE_FATAL);
        }
    }
    pgoutput_free(decoder);
}

TEST(a_count_that_cannot_be_is_refused)
{
    pgoutput *decoder = pgoutput_new();
    wire_bytes wire = truncate_wire();
    wire.base[1] = (char)0xff; /* Four thousand million relations. */
    pg_message message;
    CHECK(decode(decoder, &wire, &message) == SLUICE_FATAL);
    wire = relation_wire();
    wire.base[20] = (char)0xff;
    CHECK(decode(decoder, &wire, &message) == SLUICE_FATAL);
    pgoutput_free(decoder);
}

TEST(a_timelines_history_tells_where_each_was_left)
{
    lsn left;
    const char *history = "1\t0/153B488\tno recovery target specified\n\n"
                          "12\tA/10\tbefore 2026-01-01 00:00:00+00\n";
    CHECK(timeline_find(history, 1, &left) && left == 0x153B488);
    CHECK(timeline_find(history, 12, &left) && left == 0xA00000010);
    CHECK(!timeline_find(history, 2, &left));
    CHECK(!timeline_find("", 1, &left));
    CHECK(!timeline_find("1", 1, &left));
    CHECK(!timeline_find("1 \n", 1, &left));
    CHECK(!timeline_find("1\tnowhere at all, and for long\n", 1, &left));
    CHECK(!timeline_find("99999999999999999999999\t0/1\n", 1, &left));
}

TEST_MAIN
