/* connectors/http/token_form.h - what a request for a token says of its client.
 *
 * Threads: any. */
#ifndef HTTP_TOKEN_FORM_H
#define HTTP_TOKEN_FORM_H

#include "buffer.h"
#include "config.h"

/* Appends the body: a form (RFC 6749, 4.4.2), or for http.authorization.type=apikey the
 * JSON that Aiven's sink sends. */
sluice_status http_token_form(const http_config *config, http_buffer *into,
                              sluice_error *err);

#endif
