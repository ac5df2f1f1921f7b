/* protocol/message.h - the shapes of Kafka's messages, as tables, and their values.
 *
 * protocol/messages/ has a definition per API; generate.py makes of it a C struct per
 * request, response and array element, and a table per struct. One decoder
 * (decode.h) and one encoder (encode.h) walk the tables, so every message is read
 * and written by the same two pieces of code.
 *
 * Values: texts, bytes and records are borrowed, never copied. Where a field can be
 * null, a NULL `base` or `items` is null; where it can't, NULL is written as empty.
 * A decoded value that is empty and not null has a `base` or `items` that is not NULL.
 *
 * Threads: any; tables are constant. */
#ifndef SLUICE_PROTOCOL_MESSAGE_H
#define SLUICE_PROTOCOL_MESSAGE_H

#include <sluice/arena.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* UTF-8, without a NUL at its end. */
typedef struct message_text {
    const char *base;
    size_t len;
} message_text;

typedef struct message_uuid {
    uint8_t bytes[16];
} message_uuid;

/* A run of bytes: in memory when `base` is set, otherwise `len` bytes of the open file
 * `fd` from `position` on. */
typedef struct message_slice {
    const void *base;
    int fd;
    int64_t position;
    size_t len;
} message_slice;

/* Record batches: the `len` bytes at `base`. For writing they may lie elsewhere: with
 * `slice_count` above 0 they are the slices, and `len` their sum. */
typedef struct message_records {
    const uint8_t *base;
    size_t len;
    const message_slice *slices;
    size_t slice_count;
} message_records;

/* How every `struct { T *items; size_t count; }` of a message looks. */
typedef struct message_array {
    void *items;
    size_t count;
} message_array;

typedef enum message_type {
    MESSAGE_BOOL,
    MESSAGE_INT8,
    MESSAGE_INT16,
    MESSAGE_UINT16,
    MESSAGE_INT32,
    MESSAGE_INT64,
    MESSAGE_FLOAT64,
    MESSAGE_UUID,
    MESSAGE_STRING,
    MESSAGE_BYTES,
    MESSAGE_RECORDS,
    MESSAGE_STRUCT,
} message_type;

typedef struct message_struct message_struct;

typedef struct message_field {
    const char *name;
    const message_struct *item; /* Of MESSAGE_STRUCT, else NULL. */
    uint16_t offset;            /* In the C struct. */
    uint8_t type;               /* A message_type; of the items where `array`. */
    bool array;
    bool optional; /* A struct that can be null, as an array of none or one. */
    int8_t tag;    /* -1: not a tagged field. */
    int8_t version_min, version_max;
    int8_t nullable_min, nullable_max; /* 1 and 0: never null. */
} message_field;

struct message_struct {
    const char *name;
    const message_field *fields;
    size_t field_count;
    size_t size;             /* Of the C struct. */
    const void *defaults;    /* A C struct as x_init() leaves it. */
    const uint16_t *minimum; /* The fewest bytes on the wire, from version 0 on. */
};

/* A request or a response. */
typedef struct message_schema {
    const char *name; /* "Produce request" */
    const message_struct *body;
    int16_t version_min, version_max;
    int16_t flexible_min; /* INT16_MAX: never. */
} message_schema;

typedef struct message_api {
    int16_t key;
    const char *name;
    const message_schema *request, *response;
} message_api;

/* All APIs that are defined, by key. */
extern const message_api *const message_apis[];
extern const size_t message_api_count;

/* NULL: no such API is defined. */
const message_api *message_api_find(int16_t key);

/* `text` as a message's text, borrowed; NULL gives null. */
message_text message_text_of(const char *text);

bool message_text_is(message_text text, const char *other);
bool message_text_equal(message_text text, message_text other);
bool message_uuid_is_zero(const message_uuid *uuid);

/* Bytes of one item of `field` in memory. */
size_t message_item_size(const message_field *field);

static inline bool message_field_in(const message_field *field, int version)
{
    return version >= field->version_min && version <= field->version_max;
}

static inline bool message_field_nullable(const message_field *field, int version)
{
    return version >= field->nullable_min && version <= field->nullable_max;
}

#endif
