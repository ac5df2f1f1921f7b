/* connectors/http/token.h - OAuth2: a token for the client's credentials, kept until it
 * expires or a server does not take it.
 *
 * Threads: the task's, which waits for the answer; a stop ends that at once. */
#ifndef HTTP_TOKEN_H
#define HTTP_TOKEN_H

#include "config.h"

typedef struct http_token http_token;

/* `config` and `task` are borrowed for its life. */
sluice_status http_token_new(const http_config *config, const sluice_task *task,
                             http_token **ret_token, sluice_error *err);
void http_token_free(http_token *token); /* NULL is accepted. */

/* The value of an Authorization header, "Bearer abc", got where there is none that
 * holds; borrowed until the next call. SLUICE_RETRY where the token server does not
 * answer, or answers with a status of retry.on.status.codes, or the task is stopped;
 * SLUICE_FATAL where it refuses. */
sluice_status http_token_get(http_token *token, int64_t now_ms, const char **ret_value,
                             sluice_error *err);

/* Which token that is: another number for another token. */
uint64_t http_token_number(const http_token *token);

/* Token `number` was not taken: get another one next time. */
void http_token_drop(http_token *token, uint64_t number);

#endif
