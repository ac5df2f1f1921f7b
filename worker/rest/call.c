/* A request's way: taken in, looked at, the herder asked, answered. */
#include "worker/rest/call.h"
#include "base/memory.h"
#include "base/process_metrics.h"
#include "base/text.h"
#include "worker/rest/answer.h"
#include "worker/rest/entity.h"
#include "worker/rest/media.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TOO_LARGE "The body has more than 8 MiB"

enum {
    body_bytes_max = 8 * 1024 * 1024,
    bodies_bytes_max = 32 * 1024 * 1024, /* Of all requests together. */
};

/* So much of what is too large is read, so that its sender reads why it is refused. */
static const size_t taken_max = (size_t)1024 * 1024 * 1024;

/* --- Asking the herder. --- */

static void on_answer(void *context, int status, const json_t *body, const char *text)
{
    rest_call *c = context;
    c->status = status;
    if (body != NULL) {
        c->text = json_dumps(body, JSON_COMPACT | JSON_ENCODE_ANY);
    } else if (text != NULL) {
        c->text = process_metrics_append(text);
        c->type = "text/plain; version=0.0.4; charset=utf-8";
    }
    MHD_resume_connection(c->connection);
}

/* Whether the answer is no JSON, which its asker then need not accept. */
static bool is_text(const route_match *match)
{
    return match->request.operation == herder_metrics;
}

/* Returns whether the herder was asked: from then on `c` is its, until it answers. */
static bool ask(rest_call *c, route_match *match)
{
    rest_server *server = c->site->server;
    sluice_error *err = sluice_error_new();
    if (entity_parse(match->body, buffer_text(&c->body), c->body.len,
                     &match->request.body, err) != SLUICE_OK) {
        answer_fault(c, 500, sluice_error_text(err));
        sluice_error_free(err);
        return false;
    }
    sluice_error_free(err);
    if (match->refusal != NULL) {
        json_decref(match->request.body);
        answer_fault(c, 500, match->refusal);
        return false;
    }
    if (match->request.operation == herder_create) {
        c->created = text_trimmed(
            json_is_string(json_object_get(match->request.body, "name"))
                ? json_string_value(json_object_get(match->request.body, "name"))
                : "");
    } else if (match->request.operation == herder_put_config) {
        c->created = memory_text(match->request.name);
    }
    pthread_mutex_lock(&server->lock);
    bool open = !server->closed;
    if (!open) {
        json_decref(match->request.body);
        answer_fault(c, 500, "Worker is shutting down");
    } else {
        MHD_suspend_connection(c->connection);
        herder_loop_ask(server->herder, &match->request, on_answer, c);
    }
    pthread_mutex_unlock(&server->lock);
    return open;
}

/* Whether the body is declared as something that this path reads: JSON where it does
 * read one, and anything that may be JSON elsewhere. */
static bool type_fits(const rest_call *c, const route_match *match)
{
    const char *type = answer_header(c, "Content-Type");
    bool any = match->body == route_tasks || match->request.operation == herder_root ||
               match->request.operation == herder_health || is_text(match);
    if (any || (type == NULL && (match->body == route_no_body || c->body.len == 0))) {
        return true;
    }
    return type != NULL && (match->body == route_no_body || c->body.len == 0
                                ? media_covers(type, "application/json")
                                : media_is(type, "application/json"));
}

/* "GET,PUT" as "GET, PUT". */
static char *spaced(const char *list)
{
    buffer out = BUFFER_INIT;
    size_t len;
    for (; *list != '\0'; list++) {
        buffer_append(&out, list, 1);
        if (*list == ',') {
            buffer_append(&out, " ", 1);
        }
    }
    return buffer_take(&out, &len);
}

/* What workers of a group ask of each other carries a signature of its own. */
static bool is_internal(const route_match *match)
{
    return match->refusal != NULL;
}

static bool is_let_in(const rest_call *c, const route_match *match)
{
    const basic_auth *auth = c->site->server->auth;
    return auth == NULL || !c->site->regular || is_internal(match) ||
           basic_auth_allows(auth, answer_header(c, "Authorization"));
}

/* In Kafka Connect's words, which are no JSON whatever the header says. */
static void turn_away(rest_call *c, const char *method)
{
    c->status = 401;
    c->text = memory_text("User cannot access the resource.");
    c->type = strcmp(method, "OPTIONS") == 0 ? "text/plain" : NULL;
}

/* Jersey answers in the type that was asked for, with its charset. */
static const char *type_asked(const rest_call *c)
{
    return media_asks_utf8(c->accept, "application/json")
               ? "application/json;charset=utf-8"
               : "application/json";
}

static void answer_options(rest_call *c, const char *allow)
{
    c->status = 200;
    c->allow = allow;
    if (media_covers(c->accept, "text/plain")) {
        c->text = spaced(allow);
        c->type = "text/plain";
    }
}

static bool is_served(const rest_site *site, const route_match *match)
{
    return match->is_admin ? site->admin : site->regular;
}

/* What is wrong with the request itself; 0: nothing. In the order in which Kafka
 * Connect's server looks. */
static int refusal_of(const rest_call *c, const route_match *match,
                      const char **ret_text)
{
    const char *type = answer_header(c, "Content-Type");
    if (type != NULL && !media_is_formed(type)) {
        *ret_text = "HTTP 400 Bad Request";
        return 400;
    }
    if (match->status == 404 || !is_served(c->site, match)) {
        *ret_text = "HTTP 404 Not Found";
        return 404;
    }
    if (match->status == 405) {
        *ret_text = "HTTP 405 Method Not Allowed";
        return 405;
    }
    if (!type_fits(c, match)) {
        *ret_text = "HTTP 415 Unsupported Media Type";
        return 415;
    }
    if (!is_text(match) && !media_covers(c->accept, "application/json")) {
        *ret_text = "HTTP 406 Not Acceptable";
        return 406;
    }
    *ret_text = "HTTP 404 Not Found";
    return match->numberless ? 404 : 0;
}

static bool is_options(const char *method, const rest_call *c, const route_match *match)
{
    return match->status == 200 && strcmp(method, "OPTIONS") == 0 &&
           is_served(c->site, match);
}

/* Answers, or returns true: the herder will. */
static bool dispatch(rest_call *c, const char *method)
{
    bool asked = false;
    url target;
    route_match match;
    const char *wrong = url_parse(c->target, &target), *text = NULL;
    int refused = 0;
    c->preflight = strcmp(method, "OPTIONS") == 0 &&
                   answer_header(c, "Access-Control-Request-Method") != NULL;
    route_find(method, &target, &match);
    bool options = is_options(method, c, &match);
    if (wrong == NULL && !options) {
        refused = refusal_of(c, &match, &text);
    }
    if (c->body.overflowed) {
        answer_fault(c, 413, TOO_LARGE);
    } else if (c->crowded) {
        answer_fault(c, 503,
                     "The requests that are under way have bodies of more than "
                     "32 MiB together: ask again later");
    } else if (wrong != NULL) {
        answer_fault(c, 400, wrong);
    } else if (refused != 0) {
        answer_fault(c, refused, text);
        c->allow = c->status == 405 ? match.allow : NULL;
    } else if (!is_let_in(c, &match)) {
        turn_away(c, method);
    } else if (options) {
        answer_options(c, match.allow);
    } else {
        c->type = type_asked(c);
        asked = ask(c, &match);
    }
    url_done(&target);
    return asked;
}

/* --- libmicrohttpd's callbacks. --- */

/* The path of a target that may begin with a scheme and a host, as to a proxy. */
static const char *path_of(const char *target)
{
    size_t scheme = strncasecmp(target, "http://", 7) == 0    ? 7
                    : strncasecmp(target, "https://", 8) == 0 ? 8
                                                              : 0;
    const char *path = scheme == 0 ? target : strpbrk(target + scheme, "/?");
    return path == NULL ? "/" : path;
}

void *call_begin(void *site, const char *uri, struct MHD_Connection *connection)
{
    rest_call *c = memory_zero(sizeof *c);
    c->site = site;
    c->connection = connection;
    c->target = memory_text(path_of(uri));
    c->target[strcspn(c->target, "#")] = '\0';
    buffer_init(&c->body, body_bytes_max);
    return c;
}

void call_end(void *site, struct MHD_Connection *connection, void **call_at,
              enum MHD_RequestTerminationCode how)
{
    rest_server *self = ((rest_site *)site)->server;
    rest_call *c = *call_at;
    if (c == NULL) {
        return;
    }
    bool counted = c->dispatched;
    size_t kept = c->body.len;
    buffer_done(&c->body);
    free(c->target);
    free(c->accept);
    free(c->text);
    free(c->created);
    free(c);
    *call_at = NULL;
    pthread_mutex_lock(&self->lock);
    self->calls -= counted;
    self->body_bytes -= kept;
    pthread_cond_signal(&self->drained);
    pthread_mutex_unlock(&self->lock);
}

static void forget_body(rest_call *c)
{
    rest_server *server = c->site->server;
    pthread_mutex_lock(&server->lock);
    server->body_bytes -= c->body.len;
    pthread_mutex_unlock(&server->lock);
    buffer_done(&c->body);
}

/* Keeps what has come of the body, unless it or all of them are too large. */
static void keep_body(rest_call *c, const char *upload, size_t len)
{
    rest_server *server = c->site->server;
    if (c->crowded || c->body.overflowed) {
        return;
    }
    pthread_mutex_lock(&server->lock);
    c->crowded = server->body_bytes + len > bodies_bytes_max;
    server->body_bytes += c->crowded ? 0 : len;
    pthread_mutex_unlock(&server->lock);
    if (!c->crowded && !buffer_append(&c->body, upload, len)) {
        pthread_mutex_lock(&server->lock);
        server->body_bytes -= len;
        pthread_mutex_unlock(&server->lock);
    }
    if (c->crowded || c->body.overflowed) {
        bool overflowed = c->body.overflowed;
        forget_body(c);
        c->body.overflowed = overflowed;
    }
}

/* Whether the client says that too much will come, and waits to hear that it may. */
static bool is_announced(rest_call *c)
{
    int64_t len;
    const char *length = answer_header(c, "Content-Length");
    return answer_header(c, "Expect") != NULL && length != NULL &&
           text_to_int64(length, &len) && len > body_bytes_max;
}

typedef struct framing {
    int lengths, encodings, hosts, types;
    bool chunked, blank_host, control;
    char **accept;
} framing;

/* Whether there is a byte that no header may have. */
static bool has_control(const char *text)
{
    for (; *text != '\0'; text++) {
        if (((unsigned char)*text < ' ' && *text != '\t') || *text == 127) {
            return true;
        }
    }
    return false;
}

static void add_accepted(char **list, const char *value)
{
    char *longer =
        *list == NULL ? memory_text(value) : memory_print("%s, %s", *list, value);
    free(*list);
    *list = longer;
}

static enum MHD_Result count_framing(void *context, enum MHD_ValueKind kind,
                                     const char *name, const char *value)
{
    framing *found = context;
    value = value == NULL ? "" : value;
    found->control = found->control || has_control(name) || has_control(value);
    found->lengths += text_equal_nocase(name, "Content-Length");
    found->types += text_equal_nocase(name, "Content-Type");
    if (text_equal_nocase(name, "Host")) {
        found->hosts++;
        found->blank_host = value[0] == '\0';
    }
    if (text_equal_nocase(name, "Transfer-Encoding")) {
        found->encodings++;
        found->chunked = text_equal_nocase(value, "chunked");
    }
    if (text_equal_nocase(name, "Accept")) {
        add_accepted(found->accept, value);
    }
    return MHD_YES;
}

/* What leaves open where the request ends, so that a proxy before us might see another
 * one; NULL: nothing. */
static const char *misframed(rest_call *c, const char *version)
{
    framing found = {.accept = &c->accept};
    MHD_get_connection_values(c->connection, MHD_HEADER_KIND, count_framing, &found);
    return found.lengths > 1 ? "Multiple Content-Lengths"
           : found.lengths + found.encodings > 1
               ? "Transfer-Encoding and Content-Length"
           : found.encodings == 1 && !found.chunked
               ? "Transfer-Encoding must be chunked"
           : found.hosts == 0 && strcmp(version, "HTTP/1.1") == 0 ? "No Host"
           : found.hosts > 1  ? "Duplicate Host Header"
           : found.blank_host ? "Blank Host"
           : found.control    ? "Illegal character in a header"
           : found.types > 1  ? "HTTP 400 Bad Request"
                              : NULL;
}

/* The head has come. An answer here ends the connection where a body was to follow. */
static enum MHD_Result begin(rest_call *c, const char *version)
{
    const char *wrong = misframed(c, version);
    const char *expected = answer_header(c, "Expect");
    c->begun = true;
    if (strcmp(version, "HTTP/1.1") != 0 && strcmp(version, "HTTP/1.0") != 0) {
        answer_fault(c, 505, "Unknown Version");
    } else if (wrong != NULL) {
        answer_fault(c, 400, wrong);
    } else if (expected != NULL && !text_equal_nocase(expected, "100-continue")) {
        answer_fault(c, 417, "HTTP 417 Expectation Failed");
    } else if (is_announced(c)) {
        answer_fault(c, 413, TOO_LARGE);
    }
    return c->status == 0 ? MHD_YES : answer_send(c);
}

static patience_entry *entry_of(const rest_call *c)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c->connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info == NULL ? NULL : info->socket_context;
}

enum MHD_Result call_handle(void *site, struct MHD_Connection *connection,
                            const char *path, const char *method, const char *version,
                            const char *upload, size_t *upload_len, void **call_at)
{
    rest_call *c = *call_at;
    rest_server *server = c->site->server;
    if (!c->begun) {
        return begin(c, version);
    }
    if (*upload_len > 0) {
        keep_body(c, upload, *upload_len);
        c->body_taken += *upload_len;
        *upload_len = 0;
        return c->body_taken <= taken_max ? MHD_YES : MHD_NO;
    }
    if (!c->dispatched) {
        c->dispatched = true;
        pthread_mutex_lock(&server->lock);
        server->calls++;
        pthread_mutex_unlock(&server->lock);
        patience_pause(&c->site->patience, entry_of(c));
        if (dispatch(c, method)) {
            return MHD_YES; /* Suspended; this function is called again. */
        }
    }
    patience_resume(&c->site->patience, entry_of(c));
    return answer_send(c);
}
