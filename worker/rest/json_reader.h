/* json_reader.h - JSON read token by token, as Jackson reads it, which Kafka Connect
 * does.
 *
 * What is no JSON is refused in Jackson's words with the line and the column, for tools
 * and people know them: "Unexpected character ('}' (code 125)): expected a value".
 * Numbers keep their digits.
 *
 * Threads: one at a time. */
#ifndef SLUICE_REST_JSON_READER_H
#define SLUICE_REST_JSON_READER_H

#include "base/buffer.h"
#include <sluice/error.h>

typedef enum json_token {
    token_end, /* Of the text; nothing is open. */
    token_object,
    token_object_end,
    token_array,
    token_array_end,
    token_name, /* Of a member; its value comes next. */
    token_text,
    token_integer,
    token_float,
    token_true,
    token_false,
    token_null,
} json_token;

enum { json_depth_max = 1000 };

typedef struct json_place {
    int line;
    size_t column; /* Both from 1; columns count bytes. */
} json_place;

typedef struct json_reader {
    const char *base;
    size_t len, at;
    json_token token;
    json_place start; /* Of the token. */
    buffer text;      /* The name, the text without escapes, or the digits. */
    int line;
    size_t line_begin;
    bool after_name;
    size_t depth;
    struct json_open {
        json_place start;
        bool is_object, has_members;
    } open[json_depth_max];
} json_reader;

/* `base` is borrowed until json_reader_done(). */
void json_reader_init(json_reader *self, const char *base, size_t len);
void json_reader_done(json_reader *self);

/* Reads the next token. BAD_CONFIG: it is no JSON; nothing more can be read. */
sluice_status json_reader_next(json_reader *self, sluice_error *err);

/* Where the next token would begin. */
json_place json_reader_place(const json_reader *self);

/* Adds "\n at [Source: …; line: 1, column: 2]" to a message; the caller's. */
char *json_reader_located(json_place place, const char *message);

/* As Jackson calls a token: "START_OBJECT". */
const char *json_token_name(json_token token);

#endif
