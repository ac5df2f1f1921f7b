/* What a request says. */
#include "request.h"
#include "template.h"
#include <sluice/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

enum { gzip_window = 15 + 16, gzip_memory = 8 };

typedef struct header_template {
    char *name;
    http_template *value;
} header_template;

struct http_writer {
    const http_config *config;
    const char *prefix, *suffix, *separator; /* Of a batch; borrowed from the task. */
    char *origin;                            /* Without a user. */
    const char *host;                        /* In `origin`. */
    size_t host_len;
    http_buffer shown; /* http.url without a user, for messages; NUL-ended. */
    http_template *target, *method;
    header_template *headers; /* Those that depend on the record. */
    size_t header_count;
    http_buffer route; /* Of the record that is being added. */
    bool route_is_fixed;
    http_buffer common; /* Headers that are always the same. */
    sluice_json_encoder *encoder;
    sluice_arena *scratch;
    z_stream packer;
    bool packs;
};

/* --- What all requests have in common. --- */

/* A text as it was configured: spaces and line breaks count here, and parsing trims. */
static const char *exact(const sluice_task *task, const char *key, const char *fallback)
{
    const char *value = sluice_props_get(sluice_task_props(task), key);
    return value == NULL ? fallback : value;
}

/* Divides http.url into origin and target. */
static sluice_status take_url(http_writer *writer, sluice_error *err)
{
    const char *url = writer->config->url;
    const char *authority = strstr(url, "://") + 3;
    const char *end = authority + strcspn(authority, "/?#");
    const char *at = memrchr(authority, '@', (size_t)(end - authority));
    const char *host = at == NULL ? authority : at + 1;
    if (asprintf(&writer->origin, "%.*s%.*s", (int)(authority - url), url,
                 (int)(end - host), host) < 0) {
        writer->origin = NULL;
        return sluice_fail(err, SLUICE_FATAL, "no memory for http.url");
    }
    writer->host = writer->origin + (authority - url);
    writer->host_len = strlen(writer->host);
    size_t target_len = strcspn(end, "#");
    http_buffer target = {0};
    sluice_status status = SLUICE_OK;
    if (*end != '/') {
        status = http_buffer_text(&target, "/", err);
    }
    if (status == SLUICE_OK) {
        status = http_buffer_add(&target, end, target_len, err);
    }
    if (status == SLUICE_OK) {
        status = http_buffer_add(&target, "", 1, err);
    }
    if (status == SLUICE_OK) {
        status = http_template_new("http.url", target.base, &writer->target, err);
    }
    if (status == SLUICE_OK) {
        status = http_buffer_text(&writer->shown, writer->origin, err);
    }
    if (status == SLUICE_OK) {
        status = http_buffer_add(&writer->shown, target.base, target.len, err);
    }
    http_buffer_done(&target);
    return status;
}

static sluice_status add_line(http_buffer *into, const char *name, const char *before,
                              const char *value, sluice_error *err)
{
    const char *texts[] = {name, ": ", before, value, "\r\n"};
    sluice_status status = SLUICE_OK;
    for (size_t i = 0; i < sizeof texts / sizeof *texts && status == SLUICE_OK; i++) {
        status = http_buffer_text(into, texts[i], err);
    }
    return status;
}

static sluice_status add_authorization(http_writer *writer, sluice_error *err)
{
    const http_config *config = writer->config;
    switch ((http_authorization)config->authorization) {
    case HTTP_AUTHORIZATION_STATIC:
        return add_line(&writer->common, "Authorization", "",
                        config->headers_authorization, err);
    case HTTP_AUTHORIZATION_BEARER:
        return add_line(&writer->common, "Authorization", "Bearer ",
                        config->bearer_token, err);
    case HTTP_AUTHORIZATION_BASIC: {
        char *pair;
        int len = asprintf(&pair, "%s:%s", config->basic_user, config->basic_password);
        if (len < 0) {
            return sluice_fail(err, SLUICE_FATAL, "no memory for http.basic.user");
        }
        http_buffer text = {0};
        sluice_status status = http_buffer_base64(&text, pair, (size_t)len, err);
        if (status == SLUICE_OK &&
            (status = http_buffer_add(&text, "", 1, err)) == SLUICE_OK) {
            status =
                add_line(&writer->common, "Authorization", "Basic ", text.base, err);
        }
        http_buffer_done(&text);
        free(pair);
        return status;
    }
    case HTTP_AUTHORIZATION_NONE:
    case HTTP_AUTHORIZATION_OAUTH2:
    case HTTP_AUTHORIZATION_APIKEY:
        break;
    }
    return SLUICE_OK;
}

/* "Name:value": kept for each record where the value depends on it, else written once.
 */
static sluice_status take_header(http_writer *writer, const char *header,
                                 sluice_error *err)
{
    const char *colon = strchr(header, ':');
    const char *value = colon + 1 + strspn(colon + 1, " \t");
    char *name = strndup(header, (size_t)(colon - header));
    http_template *compiled;
    sluice_status status =
        name == NULL
            ? sluice_fail(err, SLUICE_FATAL, "no memory for http.headers.additional")
            : http_template_new("http.headers.additional", value, &compiled, err);
    if (status != SLUICE_OK) {
        free(name);
        return status;
    }
    if (http_template_fixed(compiled) == NULL) {
        writer->headers[writer->header_count++] = (header_template){name, compiled};
        return SLUICE_OK;
    }
    status = add_line(&writer->common, name, "", value, err);
    free(name);
    http_template_free(compiled);
    return status;
}

static bool is_given(const http_config *config, const char *name)
{
    size_t len = strlen(name);
    for (size_t i = 0; i < config->headers_additional.count; i++) {
        const char *header = config->headers_additional.items[i];
        if (strncasecmp(header, name, len) == 0 && header[len] == ':') {
            return true;
        }
    }
    return false;
}

static sluice_status write_common(http_writer *writer, sluice_error *err)
{
    const http_config *config = writer->config;
    http_buffer *common = &writer->common;
    sluice_status status = SLUICE_OK;
    if (!is_given(config, "Host")) {
        status = add_line(common, "Host", "", writer->host, err);
    }
    if (status == SLUICE_OK && !is_given(config, "User-Agent")) {
        status = add_line(common, "User-Agent", "", "sluice", err);
    }
    if (status == SLUICE_OK && !is_given(config, "Accept")) {
        status = add_line(common, "Accept", "", "*/*", err);
    }
    if (status == SLUICE_OK && config->content_type != NULL &&
        !is_given(config, "Content-Type")) {
        status = add_line(common, "Content-Type", "", config->content_type, err);
    }
    if (status == SLUICE_OK) {
        status = add_authorization(writer, err);
    }
    for (size_t i = 0; i < config->headers_additional.count && status == SLUICE_OK;
         i++) {
        status = take_header(writer, config->headers_additional.items[i], err);
    }
    return status;
}

static sluice_status prepare_values(http_writer *writer, sluice_error *err)
{
    sluice_json_options options = {
        .size = sizeof options,
        .numeric_decimals = writer->config->decimal_format == 1,
        .default_for_null = true,
        .schemas_max = 1000,
    };
    writer->encoder = sluice_json_encoder_new(&options);
    writer->scratch = sluice_arena_new();
    writer->packs = writer->config->compression == HTTP_COMPRESSION_GZIP &&
                    deflateInit2(&writer->packer, Z_DEFAULT_COMPRESSION, Z_DEFLATED,
                                 gzip_window, gzip_memory, Z_DEFAULT_STRATEGY) == Z_OK;
    if (writer->config->compression == HTTP_COMPRESSION_GZIP && !writer->packs) {
        return sluice_fail(err, SLUICE_FATAL, "no memory for http.compression=gzip");
    }
    return SLUICE_OK;
}

sluice_status http_writer_new(const http_config *config, const sluice_task *task,
                              http_writer **ret_writer, sluice_error *err)
{
    http_writer *writer = calloc(1, sizeof *writer);
    if (writer != NULL) {
        writer->headers =
            calloc(config->headers_additional.count + 1, sizeof *writer->headers);
    }
    if (writer == NULL || writer->headers == NULL) {
        free(writer);
        return sluice_fail(err, SLUICE_FATAL, "no memory for an HTTP sink");
    }
    writer->config = config;
    writer->prefix = exact(task, "batch.prefix", "");
    writer->suffix = exact(task, "batch.suffix", "\n");
    writer->separator = exact(task, "batch.separator", "\n");
    sluice_status status = prepare_values(writer, err);
    if (status == SLUICE_OK) {
        status = take_url(writer, err);
    }
    if (status == SLUICE_OK) {
        status =
            http_template_new("request.method", config->method, &writer->method, err);
    }
    if (status == SLUICE_OK) {
        status = write_common(writer, err);
    }
    if (status != SLUICE_OK) {
        http_writer_free(writer);
        return status;
    }
    writer->route_is_fixed = writer->header_count == 0 &&
                             http_template_fixed(writer->target) != NULL &&
                             http_template_fixed(writer->method) != NULL;
    *ret_writer = writer;
    return SLUICE_OK;
}

void http_writer_free(http_writer *writer)
{
    if (writer == NULL) {
        return;
    }
    for (size_t i = 0; i < writer->header_count; i++) {
        free(writer->headers[i].name);
        http_template_free(writer->headers[i].value);
    }
    free(writer->headers);
    http_template_free(writer->target);
    http_template_free(writer->method);
    http_buffer_done(&writer->route);
    http_buffer_done(&writer->shown);
    http_buffer_done(&writer->common);
    sluice_json_encoder_free(writer->encoder);
    sluice_arena_free(writer->scratch);
    if (writer->packs) {
        deflateEnd(&writer->packer);
    }
    free(writer->origin);
    free(writer);
}

const char *http_writer_origin(const http_writer *writer)
{
    return writer->origin;
}

const char *http_writer_url(const http_writer *writer)
{
    return writer->shown.base;
}

/* --- One request. --- */

void http_request_done(http_request *request)
{
    http_buffer_done(&request->head);
    http_buffer_done(&request->body);
    http_buffer_done(&request->packed);
    http_buffer_done(&request->url);
}

void http_request_clear(http_request *request)
{
    request->head.len = request->body.len = request->packed.len = request->url.len = 0;
    request->route_len = request->count = 0;
    request->bodiless = false;
}

static bool is_deleted(const http_writer *writer, const sluice_record *record)
{
    return sluice_record_value(record) == NULL &&
           writer->config->null_values == HTTP_NULL_DELETE;
}

static sluice_status route_method(http_writer *writer, const sluice_record *record,
                                  bool deleted, sluice_error *err)
{
    http_buffer *route = &writer->route;
    if (deleted) {
        return http_buffer_text(route, "DELETE", err);
    }
    sluice_status status = http_template_render(
        writer->method, record, HTTP_ESCAPE_NONE, writer->scratch, route, err);
    for (size_t i = 0; status == SLUICE_OK && http_methods[i] != NULL; i++) {
        size_t len = strlen(http_methods[i]);
        if (len == route->len && memcmp(http_methods[i], route->base, len) == 0) {
            return SLUICE_OK;
        }
    }
    return status != SLUICE_OK
               ? status
               : sluice_fail(err, SLUICE_BAD_RECORD,
                             "request.method is '%.*s' for this record: must be POST, "
                             "PUT, PATCH or DELETE",
                             route->len > 100 ? 100 : (int)route->len, route->base);
}

/* The request line, and the headers that depend on the record. */
static sluice_status write_route(http_writer *writer, const sluice_record *record,
                                 bool deleted, sluice_error *err)
{
    http_buffer *route = &writer->route;
    const http_config *config = writer->config;
    bool absolute =
        config->proxy_host != NULL && strncasecmp(writer->origin, "http:", 5) == 0;
    route->len = 0;
    sluice_status status = route_method(writer, record, deleted, err);
    if (status == SLUICE_OK) {
        status = http_buffer_text(route, absolute ? " http://" : " ", err);
    }
    if (status == SLUICE_OK && absolute) {
        status = http_buffer_add(route, writer->host, writer->host_len, err);
    }
    if (status == SLUICE_OK) {
        status = http_template_render(writer->target, record, HTTP_ESCAPE_URL,
                                      writer->scratch, route, err);
    }
    if (status == SLUICE_OK) {
        status = http_buffer_text(route, " HTTP/1.1\r\n", err);
    }
    for (size_t i = 0; i < writer->header_count && status == SLUICE_OK; i++) {
        const header_template *header = &writer->headers[i];
        status = http_buffer_text(route, header->name, err);
        if (status == SLUICE_OK) {
            status = http_buffer_text(route, ": ", err);
        }
        if (status == SLUICE_OK) {
            status = http_template_render(header->value, record, HTTP_ESCAPE_NONE,
                                          writer->scratch, route, err);
        }
        if (status == SLUICE_OK) {
            status = http_buffer_text(route, "\r\n", err);
        }
    }
    return status;
}

static sluice_status add_value(http_request *request, http_writer *writer,
                               const sluice_record *record, sluice_error *err)
{
    const sluice_value *value = sluice_record_value(record);
    if (value == NULL) {
        return sluice_fail(err, SLUICE_BAD_RECORD,
                           "Record value must not be null; behavior.on.null.values="
                           "ignore skips such records, delete sends DELETE");
    }
    sluice_data_type type = sluice_value_type(value);
    if (type == SLUICE_TYPE_STRING || type == SLUICE_TYPE_BYTES) {
        sluice_bytes bytes = sluice_value_bytes(value);
        return http_buffer_add(&request->body, bytes.base, bytes.len, err);
    }
    if (type < SLUICE_TYPE_ARRAY) {
        return sluice_fail(err, SLUICE_BAD_RECORD,
                           "Record value must be a text, bytes or structured, not %s",
                           sluice_data_type_name(type));
    }
    sluice_bytes json;
    sluice_arena_reset(writer->scratch);
    sluice_status status =
        sluice_json_encode(writer->encoder, sluice_record_value_schema(record), value,
                           writer->scratch, &json, err);
    return status == SLUICE_OK
               ? http_buffer_add(&request->body, json.base, json.len, err)
               : status;
}

/* The value, behind the prefix or a separator where records are batched. */
static sluice_status add_body(http_request *request, http_writer *writer,
                              const sluice_record *record, sluice_error *err)
{
    size_t len_before = request->body.len;
    sluice_status status = SLUICE_OK;
    if (writer->config->batching) {
        status = http_buffer_text(
            &request->body, request->count == 0 ? writer->prefix : writer->separator,
            err);
    }
    if (status == SLUICE_OK) {
        status = add_value(request, writer, record, err);
    }
    if (status != SLUICE_OK) {
        request->body.len = len_before;
    }
    return status;
}

/* http.url as this record makes it, for messages. */
static sluice_status write_url(http_request *request, const http_writer *writer,
                               sluice_error *err)
{
    const char *line = request->head.base;
    const char *target = memchr(line, ' ', request->head.len);
    if (writer->route_is_fixed || target == NULL) {
        return SLUICE_OK;
    }
    target++;
    const char *end = strchr(target, ' ');
    request->url.len = 0;
    sluice_status status = SLUICE_OK;
    if (*target == '/') {
        status = http_buffer_text(&request->url, writer->origin, err);
    }
    if (status == SLUICE_OK) {
        status = http_buffer_add(&request->url, target, (size_t)(end - target), err);
    }
    return status == SLUICE_OK ? http_buffer_add(&request->url, "", 1, err) : status;
}

static bool has_route(const http_request *request, const http_writer *writer)
{
    return request->route_len == writer->route.len &&
           memcmp(request->head.base, writer->route.base, request->route_len) == 0;
}

sluice_status http_request_add(http_request *request, http_writer *writer,
                               const sluice_record *record, bool *ret_joined,
                               sluice_error *err)
{
    bool deleted = is_deleted(writer, record), first = request->count == 0;
    *ret_joined = first || (!deleted && !request->bodiless);
    if (!*ret_joined) {
        return SLUICE_OK;
    }
    sluice_status status = SLUICE_OK;
    if (first || !writer->route_is_fixed) {
        status = write_route(writer, record, deleted, err);
        if (status != SLUICE_OK) {
            return status;
        }
        if (!first && !has_route(request, writer)) {
            *ret_joined = false;
            return SLUICE_OK;
        }
    }
    if (!deleted && (status = add_body(request, writer, record, err)) != SLUICE_OK) {
        return status;
    }
    if (first) {
        request->head.len = 0;
        request->bodiless = deleted;
        status =
            http_buffer_add(&request->head, writer->route.base, writer->route.len, err);
        request->route_len = request->head.len;
        if (status == SLUICE_OK) {
            status = write_url(request, writer, err);
        }
    }
    request->count += status == SLUICE_OK;
    return status;
}

static sluice_status pack(http_request *request, http_writer *writer, sluice_error *err)
{
    z_stream *packer = &writer->packer;
    request->packed.len = 0;
    deflateReset(packer);
    size_t room = deflateBound(packer, request->body.len);
    sluice_status status = http_buffer_reserve(&request->packed, room, err);
    if (status != SLUICE_OK) {
        return status;
    }
    packer->next_in = (unsigned char *)request->body.base;
    packer->avail_in = (unsigned)request->body.len;
    packer->next_out = (unsigned char *)request->packed.base;
    packer->avail_out = (unsigned)room;
    if (deflate(packer, Z_FINISH) != Z_STREAM_END) {
        return sluice_fail(err, SLUICE_FATAL, "a body that gzip cannot hold");
    }
    request->packed.len = room - packer->avail_out;
    return SLUICE_OK;
}

static sluice_status write_rest(http_request *request, const http_writer *writer,
                                size_t body_len, const char *token, sluice_error *err)
{
    char length[64];
    int len = snprintf(length, sizeof length, "Content-Length: %zu\r\n\r\n", body_len);
    http_buffer *head = &request->head;
    sluice_status status =
        http_buffer_add(head, writer->common.base, writer->common.len, err);
    if (status == SLUICE_OK && token != NULL) {
        status = add_line(head, "Authorization", "", token, err);
    }
    if (status == SLUICE_OK && request->packed.len > 0) {
        status = add_line(head, "Content-Encoding", "", "gzip", err);
    }
    if (status == SLUICE_OK) {
        status = request->bodiless ? http_buffer_text(head, "\r\n", err)
                                   : http_buffer_add(head, length, (size_t)len, err);
    }
    return status;
}

sluice_status http_request_finish(http_request *request, http_writer *writer,
                                  const char *token, sluice_error *err)
{
    bool again = request->head.len > request->route_len;
    sluice_status status = SLUICE_OK;
    request->head.len = request->route_len;
    if (!again && writer->config->batching && !request->bodiless) {
        status = http_buffer_text(&request->body, writer->suffix, err);
    }
    if (status == SLUICE_OK && !again && writer->packs && request->body.len > 0) {
        status = pack(request, writer, err);
    }
    const http_buffer *body =
        request->packed.len > 0 ? &request->packed : &request->body;
    if (status == SLUICE_OK) {
        status = write_rest(request, writer, body->len, token, err);
    }
    request->pieces[0] = (sluice_bytes){request->head.base, request->head.len};
    request->pieces[1] = (sluice_bytes){body->base, body->len};
    return status;
}
