/* One HTTP request to a worker. It is sent as HTTP/1.0, so that the answer ends with
 * the connection and comes in one piece. */
#include "rest_client.h"
#include "base/buffer.h"
#include "base/memory.h"
#include "base/text.h"
#include "rest_stream.h"
#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum { answer_bytes_max = 256 * 1024 * 1024, user_bytes_max = 4096 };

/* "https://user:password@host:port/prefix" in its parts. */
typedef struct address {
    char *host, *port, *shown, *prefix, *user;
    bool by_tls;
} address;

static void address_done(address *self)
{
    free(self->host);
    free(self->port);
    free(self->shown);
    free(self->prefix);
    free(self->user);
}

/* Host and port of `shown`. */
static void split_port(address *self)
{
    size_t len = strlen(self->shown);
    char *colon = strrchr(self->shown, ':');
    bool has_port = colon != NULL && strchr(colon, ']') == NULL;
    size_t host_len = has_port ? (size_t)(colon - self->shown) : len;
    bool brackets =
        host_len >= 2 && self->shown[0] == '[' && self->shown[host_len - 1] == ']';
    self->host = memory_copy(self->shown + brackets, host_len - (brackets ? 2 : 0));
    self->port = memory_text(has_port ? colon + 1 : self->by_tls ? "8443" : "8083");
}

static sluice_status parse_url(const rest_worker *to, address *ret_address,
                               sluice_error *err)
{
    bool by_tls = text_starts(to->url, "https://");
    const char *rest = by_tls                            ? to->url + strlen("https://")
                       : text_starts(to->url, "http://") ? to->url + strlen("http://")
                                                         : to->url;
    size_t len = strcspn(rest, "/?#");
    const char *at = memchr(rest, '@', len);
    size_t user_len = at == NULL ? 0 : (size_t)(at - rest) + 1;
    if (strstr(rest, "://") != NULL || len == user_len) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "'%s' is not the address of a worker: it must be "
                           "http://HOST:PORT or https://HOST:PORT",
                           to->url);
    }
    size_t prefix_len = strcspn(rest + len, "?#");
    while (prefix_len > 0 && rest[len + prefix_len - 1] == '/') {
        prefix_len--;
    }
    *ret_address = (address){.shown = memory_copy(rest + user_len, len - user_len),
                             .prefix = memory_copy(rest + len, prefix_len),
                             .by_tls = by_tls};
    if (to->user != NULL || at != NULL) {
        ret_address->user =
            to->user != NULL ? memory_text(to->user) : memory_copy(rest, user_len - 1);
    }
    split_port(ret_address);
    return SLUICE_OK;
}

static void write_user(buffer *out, const char *user)
{
    unsigned char encoded[user_bytes_max * 4 / 3 + 8];
    size_t len = strlen(user);
    EVP_EncodeBlock(encoded, (const unsigned char *)user,
                    (int)(len < user_bytes_max ? len : user_bytes_max));
    buffer_print(out, "Authorization: Basic %s\r\n", (const char *)encoded);
}

static void write_request(buffer *out, const address *to, const char *method,
                          const char *path, const json_t *body)
{
    char *text = body == NULL ? NULL : json_dumps(body, JSON_COMPACT);
    buffer_print(out, "%s %s%s HTTP/1.0\r\nHost: %s\r\nAccept: application/json\r\n",
                 method, to->prefix, path, to->shown);
    if (to->user != NULL) {
        write_user(out, to->user);
    }
    if (text != NULL) {
        buffer_print(out, "Content-Type: application/json\r\nContent-Length: %zu\r\n",
                     strlen(text));
    } else if (strcmp(method, "GET") != 0) {
        buffer_append_text(out, "Content-Length: 0\r\n");
    }
    buffer_append_text(out, "\r\n");
    buffer_append_text(out, text == NULL ? "" : text);
    free(text);
}

/* "HTTP/1.1 200 OK", headers, an empty line, the body. */
static sluice_status parse_answer(const buffer *in, const address *from,
                                  rest_answer *ret_answer, sluice_error *err)
{
    const char *text = buffer_text(in), *body = strstr(text, "\r\n\r\n");
    const char *status = strchr(text, ' ');
    int64_t number;
    if (!text_starts(text, "HTTP/") || body == NULL || status == NULL ||
        !text_to_int64_of(status + 1, strcspn(status + 1, " \r"), &number)) {
        return sluice_fail(err, SLUICE_FATAL, "'%s' does not answer as a worker does%s",
                           from->shown,
                           from->by_tls ? "" : "; it may want https:// in --url");
    }
    body += 4;
    *ret_answer = (rest_answer){.status = (int)number,
                                .body = json_loads(body, JSON_DECODE_ANY, NULL),
                                .text = memory_text(body)};
    return SLUICE_OK;
}

static sluice_status exchange(const rest_worker *worker, const address *to,
                              const buffer *request, rest_answer *ret_answer,
                              sluice_error *err)
{
    rest_stream stream;
    buffer in;
    sluice_status status =
        rest_stream_open(worker, to->by_tls, to->host, to->port, &stream, err);
    if (status != SLUICE_OK) {
        return status;
    }
    buffer_init(&in, answer_bytes_max);
    errno = 0;
    if (!rest_stream_send(&stream, request->base, request->len) ||
        !rest_stream_receive(&stream, &in)) {
        status = sluice_fail(err, SLUICE_FATAL, "'%s' does not answer: %s", to->shown,
                             errno == 0 ? "the connection broke" : strerror(errno));
    } else {
        status = parse_answer(&in, to, ret_answer, err);
    }
    buffer_done(&in);
    rest_stream_close(&stream);
    return status;
}

sluice_status rest_call(const rest_worker *to, const char *method, const char *path,
                        const json_t *body, rest_answer *ret_answer, sluice_error *err)
{
    address parts = {0};
    buffer request = BUFFER_INIT;
    sluice_status status = parse_url(to, &parts, err);
    if (status != SLUICE_OK) {
        return status;
    }
    write_request(&request, &parts, method, path, body);
    status = exchange(to, &parts, &request, ret_answer, err);
    buffer_done(&request);
    address_done(&parts);
    return status;
}

void rest_answer_done(rest_answer *self)
{
    json_decref(self->body);
    free(self->text);
    *self = (rest_answer){0};
}
