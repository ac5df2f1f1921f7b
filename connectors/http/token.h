/* connectors/http/token.h - a token for the client's credentials (OAuth2, or the key
 * of an API), kept until it expires or a server does not take it.
 *
 * A new one is asked for while the old one still holds, so that nobody waits for it.
 * Where none holds, all who want one wait for the same request, which takes its turns
 * within http_network_wait().
 *
 * Threads: the task's. Never blocks. */
#ifndef HTTP_TOKEN_H
#define HTTP_TOKEN_H

#include "connection.h"

typedef struct http_token http_token;

/* `config` and `network` are borrowed for its life. */
sluice_status http_token_new(const http_config *config, http_network *network,
                             http_token **ret_token, sluice_error *err);
void http_token_free(http_token *token); /* NULL is accepted. */

/* After a time in which nobody called http_network_wait(): a request that its server
 * may have answered long ago is given up. */
void http_token_resume(http_token *token, int64_t now_ms);

/* The value of an Authorization header, "Bearer abc", borrowed until the next call;
 * NULL where none holds: one is being asked for then. */
const char *http_token_get(http_token *token, int64_t now_ms);

/* Which token that is: another number for another token. */
uint64_t http_token_number(const http_token *token);

/* Token `number` was taken. */
void http_token_accept(http_token *token, uint64_t number);

/* Token `number` was not taken: it holds no longer. False where asking for another one
 * is of no use: the one before it was not taken either, less than retry.backoff.ms ago,
 * and none since. */
bool http_token_drop(http_token *token, uint64_t number, int64_t now_ms);

/* What became of a request for a token. */
typedef struct http_token_news {
    sluice_status
        status;            /* SLUICE_OK: there is a new one. SLUICE_RETRY: no answer, or
                              a status of retry.on.status.codes. SLUICE_FATAL: refused. */
    int64_t retry_after_s; /* What the answer asked for; 0: nothing. */
    int64_t holds_ms;      /* How long the one that is there holds; 0: there is none. */
} http_token_news;

/* True once a request is over, once; the reason of a failure in `err`. A token that
 * holds is not given up because the next one was refused. */
bool http_token_take(http_token *token, int64_t now_ms, http_token_news *ret_news,
                     sluice_error *err);

#endif
