/* lib/json/scanner.h - JSON text taken apart, token by token, without a document.
 *
 * The text is hostile until proven otherwise: every read is bounded, nesting is
 * limited, texts are checked to be UTF-8. Faults are kept in `err` with their line and
 * column.
 *
 * Threads: one. Texts without escapes point into the input. */
#ifndef SLUICE_JSON_SCANNER_H
#define SLUICE_JSON_SCANNER_H

#include "json/number.h"
#include <sluice/json.h>

/* Jackson's limits. */
enum { JSON_DEPTH_MAX = 1000, JSON_NAME_MAX = 50000 };

typedef struct json_scanner {
    const char *begin, *at, *end;
    sluice_arena *arena; /* For texts with escapes. */
    sluice_error *err;
    struct map *defaults; /* Where json_plain_value() notes for each value of a member
                             "default" where its text begins; NULL: it does not. */
} json_scanner;

typedef enum json_token {
    JSON_END,
    JSON_NULL,
    JSON_TRUE,
    JSON_FALSE,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT,
    JSON_BAD, /* Told in `err`. */
} json_token;

/* What comes next, after white space; nothing is taken. */
json_token json_peek(json_scanner *self);

/* Jackson's name of a node of this kind: "STRING", "BOOLEAN" … */
const char *json_token_name(json_token token);

/* Takes what json_peek() said. False: told in `err`. */
bool json_take_literal(json_scanner *self, json_token token);
bool json_take_number(json_scanner *self, json_number *ret_number);
bool json_take_string(json_scanner *self, sluice_bytes *ret_text);

/* Takes `[` or `{`; then `*ret_more` says whether there is an element or name next. */
bool json_open(json_scanner *self, bool *ret_more);
/* After an element: takes `,`, or `]` or `}` (`close`) and says that there are no more.
 */
bool json_next(json_scanner *self, char close, bool *ret_more);
/* Takes `"name" :`. */
bool json_take_name(json_scanner *self, sluice_bytes *ret_name);

/* Takes a whole value of any kind, and checks it. */
bool json_skip(json_scanner *self, int depth);

/* Refuses the text at the position it has reached; returns false. */
bool json_refuse(json_scanner *self, const char *reason);

/* Adds an entry to the MAP `object`, or replaces the value of the one that is there:
 * the last one wins. `index` begins empty, and is the map's own. */
struct map;
void json_put_entry(json_scanner *self, sluice_value *object, sluice_bytes name,
                    const sluice_value *value, struct map *index);

/* A value without a schema; `depth` levels are open around it. */
bool json_plain_value(json_scanner *self, int depth, const sluice_value **ret_value);

#endif
