/* connectors/http/request.h - what a request says: its head, and the values of its
 * records.
 *
 * A STRING value goes out as it is, BYTES too; a STRUCT, MAP or ARRAY as JSON, without
 * the schema. Records share a request while method, URL and headers are the same.
 * Threads: the task's. */
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include "buffer.h"
#include "config.h"

/* What all requests of a task have in common: templates compiled, headers written. */
typedef struct http_writer http_writer;

/* `config` and the properties of `task` are borrowed for its life. SLUICE_BAD_CONFIG
 * for an unusable URL or template. */
sluice_status http_writer_new(const http_config *config, const sluice_task *task,
                              http_writer **ret_writer, sluice_error *err);
void http_writer_free(http_writer *writer); /* NULL is accepted. */

/* http.url up to its path, for connecting; borrowed. */
const char *http_writer_origin(const http_writer *writer);

/* http.url as it may be shown: with its references, without a user; borrowed. */
const char *http_writer_url(const http_writer *writer);

typedef struct http_request {
    http_buffer head, body;
    http_buffer packed; /* The body in gzip. */
    http_buffer url;    /* NUL-ended, for messages; empty: http.url. */
    size_t route_len;   /* The part of the head that depends on the record. */
    size_t count;       /* Records in it. */
    bool bodiless;      /* A DELETE. */
    sluice_bytes pieces[2];
} http_request;

void http_request_done(http_request *request);
void http_request_clear(http_request *request); /* Keeps its memory. */

/* Adds a record, `*ret_joined` true; or false where it needs a request of its own,
 * which never is so of the first. SLUICE_BAD_RECORD where it cannot be sent; the
 * request is as it was then. */
sluice_status http_request_add(http_request *request, http_writer *writer,
                               const sluice_record *record, bool *ret_joined,
                               sluice_error *err);

/* Completes it: `pieces` are what goes over the wire. `token` is the value of an
 * Authorization header, or NULL. May be called again with another token. */
sluice_status http_request_finish(http_request *request, http_writer *writer,
                                  const char *token, sluice_error *err);

#endif
