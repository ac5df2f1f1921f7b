/* connectors/postgres/pgoutput.h - what the output plugin 'pgoutput' says, decoded in
 * place.
 *
 * The frames of the replication stream (XLogData, keepalive) and the messages of
 * pgoutput's protocol version 1. Nothing is copied: names and values point into the
 * message, so they live as long as it does.
 *
 * The server is outside: every length is checked before it is used, and a message that
 * ends too early or says the impossible is an error, never a crash.
 *
 * Threads: a decoder belongs to one thread at a time. */
#ifndef SLUICE_POSTGRES_PGOUTPUT_H
#define SLUICE_POSTGRES_PGOUTPUT_H

#include "lsn.h"
#include <sluice/error.h>

/* --- Frames: what a CopyData message of the stream holds. --- */

typedef enum frame_kind {
    FRAME_WAL = 'w',       /* A message of pgoutput. */
    FRAME_KEEPALIVE = 'k', /* The server's position, and that it is alive. */
} frame_kind;

typedef struct pg_frame {
    frame_kind kind;
    lsn start;     /* FRAME_WAL: where the change is; 0 for relations and types. */
    lsn end;       /* FRAME_KEEPALIVE: everything before it has been sent. */
    int64_t clock; /* The server's time, microseconds since 1970. */
    bool reply;    /* FRAME_KEEPALIVE: an answer is wanted at once. */
    const char *payload; /* FRAME_WAL: for pgoutput_decode(). */
    size_t len;
} pg_frame;

/* SLUICE_FATAL for a frame that is none. */
sluice_status frame_decode(const void *base, size_t len, pg_frame *ret_frame,
                           sluice_error *err);

/* A standby status update: all before `flush` is stored, and the server may forget it;
 * 0 leaves its mark where it is. `clock` is microseconds since 1970. */
enum { STATUS_SIZE = 34 };
void status_encode(lsn received, lsn flush, int64_t clock,
                   char ret_status[STATUS_SIZE]);

/* --- Messages. --- */

typedef enum message_kind {
    MESSAGE_BEGIN = 'B',
    MESSAGE_COMMIT = 'C',
    MESSAGE_ORIGIN = 'O',
    MESSAGE_RELATION = 'R',
    MESSAGE_TYPE = 'Y',
    MESSAGE_INSERT = 'I',
    MESSAGE_UPDATE = 'U',
    MESSAGE_DELETE = 'D',
    MESSAGE_TRUNCATE = 'T',
    MESSAGE_LOGICAL = 'M', /* pg_logical_emit_message() */
} message_kind;

typedef enum cell_kind {
    CELL_NULL = 'n',
    CELL_UNCHANGED = 'u', /* A value stored out of line that was not touched. */
    CELL_TEXT = 't',
} cell_kind;

/* A column's value in a tuple: the output of its type, not NUL-ended. */
typedef struct pg_cell {
    const char *text;
    int32_t len;
    cell_kind kind;
} pg_cell;

typedef enum tuple_kind {
    TUPLE_NONE = 0,
    TUPLE_KEY = 'K', /* Only the identity's columns have values; others are null. */
    TUPLE_OLD = 'O', /* The whole row as it was. */
    TUPLE_NEW = 'N',
} tuple_kind;

typedef struct pg_tuple {
    tuple_kind kind;
    int count;
    pg_cell *cells; /* The decoder's, until its next message. */
} pg_tuple;

typedef struct relation_column {
    const char *name;
    uint32_t type;
    int32_t typmod;
    bool identity; /* Part of the replica identity. */
} relation_column;

typedef struct pg_message {
    message_kind kind;
    uint32_t relation; /* RELATION, INSERT, UPDATE, DELETE: its oid. */
    union {
        struct {
            lsn final; /* Where its commit record starts: the order of transactions. */
            int64_t time; /* Of the commit, microseconds since 1970. */
            uint32_t xid;
        } begin;
        struct {
            lsn start;
            lsn end; /* The position behind the transaction. */
            int64_t time;
        } commit;
        struct {
            const char *schema; /* "pg_catalog" is sent as "", and given back whole. */
            const char *name;
            char identity; /* d(efault), n(othing), f(ull) or i(ndex). */
            int count;
            const relation_column *columns; /* The decoder's, until its next message. */
        } relation;
        struct {
            pg_tuple before; /* TUPLE_NONE where nothing of the old row was sent. */
            pg_tuple after;
        } row;
        struct {
            int count;
            bool cascade, restart_identity;
            const char *oids; /* Of `count` relations: truncate_relation(). */
        } truncate;
        struct {
            bool transactional;
            lsn position;
            const char *prefix;
            const char *content;
            size_t len;
        } logical;
    } as;
} pg_message;

/* The oid of truncated relation `index`, below as.truncate.count. */
uint32_t truncate_relation(const pg_message *self, int index);

typedef struct pgoutput pgoutput;

pgoutput *pgoutput_new(void);
void pgoutput_free(pgoutput *decoder); /* NULL is accepted. */

/* Decodes one message; it points into `base` and into the decoder. SLUICE_FATAL, with
 * the message's letter and what is wrong with it. */
sluice_status pgoutput_decode(pgoutput *decoder, const void *base, size_t len,
                              pg_message *ret_message, sluice_error *err);

#endif
