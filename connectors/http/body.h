/* connectors/http/body.h - what a request says: one record's value, or a batch of them.
 *
 * A STRING value goes out as it is, BYTES too; a STRUCT, MAP or ARRAY as JSON, without
 * the schema. Threads: the task's. */
#ifndef HTTP_BODY_H
#define HTTP_BODY_H

#include "config.h"

enum { HTTP_BODY_MAX = 1 << 30 };

typedef struct http_body http_body;

/* An empty body; NULL when memory is out. */
http_body *http_body_new(const http_config *config);
void http_body_free(http_body *body); /* NULL is accepted. */

/* Cuts it to its first `len` bytes and keeps its memory. */
void http_body_cut(http_body *body, size_t len);

/* What it says so far; borrowed until it changes. */
sluice_bytes http_body_bytes(const http_body *body);

/* Appends bytes as they are. SLUICE_BAD_RECORD beyond HTTP_BODY_MAX, SLUICE_FATAL when
 * memory is out; nothing is appended then. */
sluice_status http_body_add(http_body *body, const void *base, size_t len,
                            sluice_error *err);

/* Appends the value of `record`. SLUICE_BAD_RECORD where it has none, or one that is
 * neither text, bytes nor structured; nothing is appended then. */
sluice_status http_body_record(http_body *body, const sluice_record *record,
                               sluice_error *err);

#endif
