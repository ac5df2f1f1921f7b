/* connectors/http/request.h - one POST after the other, on a connection that is kept.
 *
 * Threads: the task's. A request in flight ends at once when the task is stopped. */
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include "config.h"

typedef struct http_client http_client;

/* What became of a request. */
typedef enum http_result {
    HTTP_DELIVERED, /* Answered with a status from 200 to 399. */
    HTTP_AGAIN,     /* No answer, none that is HTTP, or status 408, 429 or 5xx. */
    HTTP_REFUSED,   /* Another status from 400 on: the same request would be refused
                       again. */
    HTTP_STOPPED,   /* The task is being stopped; whether it arrived is not known. */
} http_result;

typedef struct http_answer {
    http_result result;
    long status;            /* 0 where there was no answer. */
    int64_t retry_after_ms; /* -1 where the answer did not say. */
    char text[512];         /* What happened, for a person: status, or why none came. */
} http_answer;

/* A client without a connection. `config` is borrowed for its life. SLUICE_BAD_CONFIG
 * for what libcurl refuses: an unusable URL, or a file of certificates that is not one.
 */
sluice_status http_client_new(const http_config *config, http_client **ret_client,
                              sluice_error *err);
void http_client_free(http_client *client); /* NULL is accepted. */

/* Posts `body` and waits for the answer, http.timeout at most. */
void http_client_post(http_client *client, const sluice_task *task, sluice_bytes body,
                      http_answer *ret_answer);

/* A Retry-After header's value in milliseconds: seconds, or an HTTP date compared with
 * `now_s` (seconds since the epoch); -1 where it is neither. At most a minute. */
int64_t http_retry_after_ms(const char *value, int64_t now_s);

#endif
