/* A connection to a worker: a socket, and TLS over it where that is asked for. */
#include "rest_stream.h"
#include <errno.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { timeout_seconds = 100, piece_bytes = 64 * 1024 };

static int connect_to(const struct addrinfo *list)
{
    struct timeval timeout = {.tv_sec = timeout_seconds};
    for (const struct addrinfo *at = list; at != NULL; at = at->ai_next) {
        int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0) {
            continue;
        }
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
        if (connect(fd, at->ai_addr, at->ai_addrlen) == 0) {
            return fd;
        }
        int reason = errno;
        close(fd);
        errno = reason;
    }
    return -1;
}

static sluice_status open_socket(const rest_worker *to, const char *host,
                                 const char *port, int *ret_fd, sluice_error *err)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list;
    int refused = getaddrinfo(host, port, &hints, &list);
    if (refused != 0) {
        return sluice_fail(err, SLUICE_FATAL,
                           "cannot find the worker '%s:%s': %s; --url "
                           "or CONNECT_REST_URL tells where it is",
                           host, port, gai_strerror(refused));
    }
    *ret_fd = connect_to(list);
    int reason = errno;
    freeaddrinfo(list);
    if (*ret_fd < 0) {
        return sluice_fail(err, SLUICE_FATAL,
                           "cannot connect to the worker at '%s:%s': %s; --url or "
                           "CONNECT_REST_URL tells where it is",
                           host, port, strerror(reason));
    }
    return SLUICE_OK;
}

/* --- TLS. --- */

static const char *openssl_reason(void)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    return reason == NULL ? "no reason given" : reason;
}

/* Whom to trust, and who we are. */
static sluice_status equip(rest_stream *self, const rest_worker *to, sluice_error *err)
{
    SSL_CTX_set_verify(self->context, to->insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER,
                       NULL);
    if (to->ca_file == NULL) {
        SSL_CTX_set_default_verify_paths(self->context);
    } else if (SSL_CTX_load_verify_locations(self->context, to->ca_file, NULL) != 1) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "--cacert '%s' cannot be used: %s; it must be a PEM file of "
                           "certificates",
                           to->ca_file, openssl_reason());
    }
    if (to->cert_file != NULL &&
        (SSL_CTX_use_certificate_chain_file(self->context, to->cert_file) != 1 ||
         SSL_CTX_use_PrivateKey_file(self->context, to->cert_file, SSL_FILETYPE_PEM) !=
             1)) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "--cert '%s' cannot be used: %s; it must be a PEM file with "
                           "a certificate and its key",
                           to->cert_file, openssl_reason());
    }
    return SLUICE_OK;
}

/* An address is not a name: it is compared with those in the certificate. */
static void expect_host(SSL *tls, const char *host)
{
    X509_VERIFY_PARAM *wanted = SSL_get0_param(tls);
    if (X509_VERIFY_PARAM_set1_ip_asc(wanted, host) != 1) {
        SSL_set1_host(tls, host);
        SSL_set_tlsext_host_name(tls, host);
    }
}

static sluice_status shake_hands(rest_stream *self, const rest_worker *to,
                                 const char *host, sluice_error *err)
{
    self->tls = SSL_new(self->context);
    SSL_set_fd(self->tls, self->fd);
    expect_host(self->tls, host);
    if (SSL_connect(self->tls) == 1) {
        return SLUICE_OK;
    }
    long verified = SSL_get_verify_result(self->tls);
    if (verified != X509_V_OK && !to->insecure) {
        return sluice_fail(err, SLUICE_FATAL,
                           "the certificate of '%s' is not trusted: %s; --cacert names "
                           "who signed it, --insecure takes any",
                           host, X509_verify_cert_error_string(verified));
    }
    return sluice_fail(err, SLUICE_FATAL, "'%s' does not speak TLS with us: %s", host,
                       openssl_reason());
}

static sluice_status begin_tls(rest_stream *self, const rest_worker *to,
                               const char *host, sluice_error *err)
{
    ERR_clear_error();
    self->context = SSL_CTX_new(TLS_client_method());
    if (self->context == NULL) {
        return sluice_fail(err, SLUICE_FATAL, "TLS cannot be used: %s",
                           openssl_reason());
    }
    SSL_CTX_set_min_proto_version(self->context, TLS1_2_VERSION);
    SSL_CTX_set_options(self->context, SSL_OP_IGNORE_UNEXPECTED_EOF);
    sluice_status status = equip(self, to, err);
    return status == SLUICE_OK ? shake_hands(self, to, host, err) : status;
}

/* --- Both. --- */

sluice_status rest_stream_open(const rest_worker *to, bool by_tls, const char *host,
                               const char *port, rest_stream *ret_stream,
                               sluice_error *err)
{
    *ret_stream = (rest_stream){.fd = -1};
    sluice_status status = open_socket(to, host, port, &ret_stream->fd, err);
    if (status == SLUICE_OK && by_tls) {
        status = begin_tls(ret_stream, to, host, err);
    }
    if (status != SLUICE_OK) {
        rest_stream_close(ret_stream);
    }
    return status;
}

void rest_stream_close(rest_stream *self)
{
    SSL_free(self->tls);
    SSL_CTX_free(self->context);
    if (self->fd >= 0) {
        close(self->fd);
    }
    *self = (rest_stream){.fd = -1};
}

bool rest_stream_send(rest_stream *self, const char *base, size_t len)
{
    while (len > 0) {
        size_t piece = len < piece_bytes ? len : piece_bytes;
        ssize_t sent = self->tls != NULL ? SSL_write(self->tls, base, (int)piece)
                                         : send(self->fd, base, piece, MSG_NOSIGNAL);
        if (sent <= 0 && (self->tls != NULL || errno != EINTR)) {
            return false;
        }
        base += sent > 0 ? sent : 0;
        len -= sent > 0 ? (size_t)sent : 0;
    }
    return true;
}

bool rest_stream_receive(rest_stream *self, buffer *in)
{
    char *room;
    while ((room = buffer_reserve(in, piece_bytes)) != NULL) {
        ssize_t got = self->tls != NULL ? SSL_read(self->tls, room, piece_bytes)
                                        : recv(self->fd, room, piece_bytes, 0);
        if (got > 0) {
            buffer_advance(in, (size_t)got);
        } else if (self->tls != NULL) {
            return SSL_get_error(self->tls, (int)got) == SSL_ERROR_ZERO_RETURN;
        } else if (got == 0) {
            return true;
        } else if (errno != EINTR) {
            return false;
        }
    }
    return false;
}
