/* connectors/http/body.h - what a request says: one record's value, or a batch of them.
 *
 * A STRING value goes out as it is, BYTES too; a STRUCT, MAP or ARRAY as JSON, without
 * the schema. Threads: the task's. */
#ifndef HTTP_BODY_H
#define HTTP_BODY_H

#include "config.h"

typedef struct http_body {
    char *base;
    size_t len;
    size_t room;
} http_body;

void http_body_done(http_body *body);

/* Empties it and keeps its memory. */
void http_body_clear(http_body *body);

/* Appends a text as it is. */
void http_body_text(http_body *body, const char *text);

/* Appends the value of `record`. SLUICE_BAD_RECORD where it has none, or one that is
 * neither text, bytes nor structured; nothing is appended then. */
sluice_status http_body_record(http_body *body, const http_config *config,
                               const sluice_record *record, sluice_error *err);

#endif
