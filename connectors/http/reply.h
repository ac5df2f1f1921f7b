/* connectors/http/reply.h - reads an HTTP/1.1 answer, however it is cut into pieces.
 *
 * The head decides what became of a request; the body only says whether the connection
 * can be used again, and gives its beginning to a person. Limits: HTTP_HEAD_MAX bytes
 * of head, interim answers (1xx) included, HTTP_BODY_KEPT_MAX of body.
 *
 * No I/O, no clock, no allocation. Threads: the task's. */
#ifndef HTTP_REPLY_H
#define HTTP_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HTTP_HEAD_MAX = 64 << 10,
    HTTP_LINE_MAX = 8 << 10,        /* More of a header line is not looked at. */
    HTTP_BODY_KEPT_MAX = 256 << 10, /* Behind it the connection is given up. */
    HTTP_EXCERPT_MAX = 200,
};

/* Where in an answer the next byte belongs. */
typedef enum http_reply_part {
    HTTP_REPLY_STATUS,
    HTTP_REPLY_HEADERS,
    HTTP_REPLY_BODY,  /* `left` bytes, or up to the end of the connection. */
    HTTP_REPLY_CHUNK, /* A chunk's size; HTTP_REPLY_BODY has its bytes. */
    HTTP_REPLY_CHUNK_END,
    HTTP_REPLY_TRAILERS,
    HTTP_REPLY_DONE,
    HTTP_REPLY_BROKEN, /* Not HTTP, or beyond a limit: see `fault`. */
} http_reply_part;

typedef struct http_reply {
    http_reply_part part;
    int status;        /* Of the final answer; 0 until its head is complete. */
    bool keep;         /* The connection outlives the body. */
    const char *fault; /* What was wrong of a HTTP_REPLY_BROKEN; a constant. */
    char retry_after[64], date[64], location[256]; /* Header values; "": none. */
    char excerpt[HTTP_EXCERPT_MAX + 1]; /* The body's beginning, printable. */
    size_t excerpt_len;
    /* Of the reader. */
    int coming; /* The status that is being read. */
    bool chunked, has_length, to_end;
    uint64_t left, body;
    size_t head, line_len;
    char line[HTTP_LINE_MAX];
} http_reply;

/* Before the first byte. */
void http_reply_begin(http_reply *reply);

/* Reads `len` bytes; returns how many belong to the answer: fewer than `len` only once
 * it is done or broken. */
size_t http_reply_feed(http_reply *reply, const char *base, size_t len);

/* The connection has ended. True where that ends the answer too. */
bool http_reply_end(http_reply *reply);

/* The head of the final answer is complete: `status` counts. */
bool http_reply_has_head(const http_reply *reply);

#endif
