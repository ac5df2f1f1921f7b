/* cli/rest_stream.h - a connection, plain or by TLS, whose other end is who it should
 * be.
 *
 * Threads: one at a time. */
#ifndef CLI_REST_STREAM_H
#define CLI_REST_STREAM_H

#include "base/buffer.h"
#include "rest_client.h"

typedef struct rest_stream {
    int fd;
    struct ssl_ctx_st *context; /* NULL: plain. */
    struct ssl_st *tls;
} rest_stream;

/* Connects to `host` and `port`. By TLS the certificate must be valid for `host`,
 * unless that is waived. FATAL, with why; BAD_CONFIG for a file that cannot be used. */
sluice_status rest_stream_open(const rest_worker *to, bool by_tls, const char *host,
                               const char *port, rest_stream *ret_stream,
                               sluice_error *err);
void rest_stream_close(rest_stream *self);

/* False: it is broken, or has waited for 100 s. */
bool rest_stream_send(rest_stream *self, const char *base, size_t len);
/* Until the other end closes it. */
bool rest_stream_receive(rest_stream *self, buffer *in);

#endif
