/* Kafka Connect's REST interface over HTTP: libmicrohttpd on one side, the herder on
 * the other. */
#include "worker/rest/server.h"
#include "base/buffer.h"
#include "base/memory.h"
#include "base/process_metrics.h"
#include "base/text.h"
#include "worker/rest/entity.h"
#include "worker/rest/listener.h"
#include "worker/rest/media.h"
#include "worker/rest/route.h"
#include <microhttpd.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    listeners_max = 16,
    body_bytes_max = 8 * 1024 * 1024,
    connections_max = 1024,
    idle_seconds = 120,
    drain_seconds = 5,
};

struct rest_server {
    rest_settings settings;
    listener listeners[listeners_max];
    struct MHD_Daemon *daemons[listeners_max];
    size_t count;
    herder_loop *herder;
    pthread_mutex_t lock; /* Guards all below. */
    pthread_cond_t drained;
    bool closed;
    size_t calls; /* Requests that have come whole and are not yet completed. */
};

/* One request, from its first line to its last byte. */
typedef struct call {
    rest_server *server;
    struct MHD_Connection *connection;
    char *target; /* Path and query, as they came. */
    buffer body;
    bool begun, dispatched;
    int status; /* 0: not answered yet. */
    char *text; /* The body of the answer, or NULL. */
    bool is_metrics, is_text;
    const char *allow;
    char *created; /* The connector that a 201 is about. */
} call;

/* --- Answers. --- */

static const char *header(const call *c, const char *name)
{
    return MHD_lookup_connection_value(c->connection, MHD_HEADER_KIND, name);
}

static bool origin_is_allowed(const call *c, const char *origin)
{
    const char *allowed = c->server->settings.allow_origin;
    size_t count;
    char **list = text_split(allowed, &count);
    bool found = false;
    for (size_t i = 0; i < count; i++) {
        found |= strcmp(list[i], "*") == 0 || strcmp(list[i], origin) == 0;
    }
    free(list);
    return found;
}

static void add_cors(const call *c, struct MHD_Response *response)
{
    const char *origin = header(c, "Origin");
    const char *methods = c->server->settings.allow_methods;
    if (c->server->settings.allow_origin[0] == '\0') {
        return;
    }
    MHD_add_response_header(response, "Vary", "Origin");
    if (origin == NULL || !origin_is_allowed(c, origin)) {
        return;
    }
    MHD_add_response_header(response, "Access-Control-Allow-Origin", origin);
    if (c->allow != NULL) {
        MHD_add_response_header(response, "Access-Control-Allow-Methods",
                                methods[0] == '\0' ? "GET,POST,HEAD" : methods);
        MHD_add_response_header(response, "Access-Control-Allow-Headers",
                                "Content-Type");
        MHD_add_response_header(response, "Access-Control-Max-Age", "60");
    }
}

static void add_location(const call *c, struct MHD_Response *response)
{
    const char *host = header(c, "Host");
    char *name = url_encode(c->created);
    char *location = host == NULL ? memory_print("/connectors/%s", name)
                                  : memory_print("http://%s/connectors/%s", host, name);
    MHD_add_response_header(response, "Location", location);
    free(location);
    free(name);
}

static enum MHD_Result send_answer(call *c)
{
    size_t len = c->text == NULL ? 0 : strlen(c->text);
    struct MHD_Response *response = MHD_create_response_from_buffer(
        len, c->text, c->text == NULL ? MHD_RESPMEM_PERSISTENT : MHD_RESPMEM_MUST_FREE);
    c->text = NULL;
    if (len > 0) {
        MHD_add_response_header(response, "Content-Type",
                                c->is_metrics
                                    ? "text/plain; version=0.0.4; charset=utf-8"
                                : c->is_text ? "text/plain"
                                             : "application/json");
    }
    MHD_add_response_header(response, "Server", "sluice/" SLUICE_VERSION);
    if (c->allow != NULL) {
        MHD_add_response_header(response, "Allow", c->allow);
    }
    if (c->created != NULL && c->status == 201) {
        add_location(c, response);
    }
    add_cors(c, response);
    enum MHD_Result result =
        MHD_queue_response(c->connection, (unsigned)c->status, response);
    MHD_destroy_response(response);
    return result;
}

static void fault(call *c, int status, const char *message)
{
    json_t *body = json_pack("{s:i, s:s}", "error_code", status, "message", message);
    c->status = status;
    c->text = json_dumps(body, JSON_COMPACT);
    json_decref(body);
}

/* --- Asking the herder. --- */

static void on_answer(void *context, int status, const json_t *body, const char *text)
{
    call *c = context;
    c->status = status;
    if (body != NULL) {
        c->text = json_dumps(body, JSON_COMPACT | JSON_ENCODE_ANY);
    } else if (text != NULL) {
        c->text = process_metrics_append(text);
        c->is_metrics = true;
    }
    MHD_resume_connection(c->connection);
}

/* Whether the answer is no JSON, which its asker then need not accept. */
static bool is_text(const route_match *match)
{
    return match->request.operation == herder_metrics;
}

/* Returns whether the herder was asked: from then on `c` is its, until it answers. */
static bool ask(call *c, route_match *match)
{
    rest_server *server = c->server;
    sluice_error *err = sluice_error_new();
    if (entity_parse(match->body, buffer_text(&c->body), c->body.len,
                     &match->request.body, err) != SLUICE_OK) {
        fault(c, 500, sluice_error_text(err));
        sluice_error_free(err);
        return false;
    }
    sluice_error_free(err);
    if (match->refusal != NULL) {
        json_decref(match->request.body);
        fault(c, 500, match->refusal);
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
        fault(c, 500, "Worker is shutting down");
    } else {
        MHD_suspend_connection(c->connection);
        herder_loop_ask(server->herder, &match->request, on_answer, c);
    }
    pthread_mutex_unlock(&server->lock);
    return open;
}

/* Whether the body is declared as something that this path reads: JSON where it does
 * read one, and anything that may be JSON elsewhere. */
static bool type_fits(const call *c, const route_match *match)
{
    const char *type = header(c, "Content-Type");
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

static void answer_options(call *c, const char *allow)
{
    c->status = 200;
    c->allow = allow;
    if (media_covers(header(c, "Accept"), "text/plain")) {
        c->text = spaced(allow);
        c->is_text = true;
    }
}

/* What is wrong with the request itself; 0: nothing. In the order in which Kafka
 * Connect's server looks. */
static int refusal_of(const call *c, const route_match *match, const char **ret_text)
{
    const char *type = header(c, "Content-Type");
    if (type != NULL && !media_is_formed(type)) {
        *ret_text = "HTTP 400 Bad Request";
        return 400;
    }
    if (match->status == 404) {
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
    if (!is_text(match) && !media_covers(header(c, "Accept"), "application/json")) {
        *ret_text = "HTTP 406 Not Acceptable";
        return 406;
    }
    *ret_text = "HTTP 404 Not Found";
    return match->numberless ? 404 : 0;
}

/* Answers, or returns true: the herder will. */
static bool dispatch(call *c, const char *method)
{
    bool asked = false;
    url target;
    route_match match;
    const char *wrong = url_parse(c->target, &target), *text;
    route_find(method, &target, &match);
    if (c->body.overflowed) {
        fault(c, 413, "The body has more than 8 MiB");
    } else if (wrong != NULL) {
        fault(c, 400, wrong);
    } else if (match.status == 200 && strcmp(method, "OPTIONS") == 0) {
        answer_options(c, match.allow);
    } else if (refusal_of(c, &match, &text) != 0) {
        fault(c, refusal_of(c, &match, &text), text);
        c->allow = c->status == 405 ? match.allow : NULL;
    } else {
        asked = ask(c, &match);
    }
    url_done(&target);
    return asked;
}

/* --- libmicrohttpd's callbacks. --- */

static void *begin_call(void *context, const char *uri,
                        struct MHD_Connection *connection)
{
    rest_server *self = context;
    call *c = memory_zero(sizeof *c);
    c->server = self;
    c->connection = connection;
    c->target = memory_text(uri);
    buffer_init(&c->body, body_bytes_max);
    return c;
}

static void end_call(void *context, struct MHD_Connection *connection, void **call_at,
                     enum MHD_RequestTerminationCode how)
{
    rest_server *self = context;
    call *c = *call_at;
    if (c == NULL) {
        return;
    }
    bool counted = c->dispatched;
    buffer_done(&c->body);
    free(c->target);
    free(c->text);
    free(c->created);
    free(c);
    *call_at = NULL;
    pthread_mutex_lock(&self->lock);
    self->calls -= counted;
    pthread_cond_signal(&self->drained);
    pthread_mutex_unlock(&self->lock);
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection,
                              const char *path, const char *method, const char *version,
                              const char *upload, size_t *upload_len, void **call_at)
{
    call *c = *call_at;
    if (!c->begun) {
        c->begun = true;
        return MHD_YES;
    }
    if (*upload_len > 0) {
        buffer_append(&c->body, upload, *upload_len);
        *upload_len = 0;
        return MHD_YES;
    }
    if (!c->dispatched) {
        c->dispatched = true;
        pthread_mutex_lock(&c->server->lock);
        c->server->calls++;
        pthread_mutex_unlock(&c->server->lock);
        if (dispatch(c, method)) {
            return MHD_YES; /* Suspended; this function is called again. */
        }
    }
    return send_answer(c);
}

/* Paths are decoded by url.c, segment by segment: nothing is to be done before. */
static size_t leave_escaped(void *context, struct MHD_Connection *connection,
                            char *text)
{
    return strlen(text);
}

static void log_message(void *context, const char *format, va_list arguments)
{
    char *text = memory_vprint(format, arguments);
    text[strcspn(text, "\n")] = '\0';
    sluice_log(SLUICE_DEBUG, "worker.rest", "%s", text);
    free(text);
}

/* --- Life. --- */

sluice_status rest_open(const rest_settings *settings, rest_server **ret_server,
                        sluice_error *err)
{
    const sluice_list *list = &settings->listeners;
    if (list->count == 0) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "Invalid value for listeners, at least one URL is expected, "
                           "ex: http://localhost:8080,https://localhost:8443.");
    }
    if (list->count > listeners_max) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "listeners has %zu items: at most %d", list->count,
                           listeners_max);
    }
    rest_server *self = memory_zero(sizeof *self);
    self->settings = *settings;
    pthread_mutex_init(&self->lock, NULL);
    pthread_cond_init(&self->drained, NULL);
    for (size_t i = 0; i < list->count; i++) {
        sluice_status status = listener_open(list->items[i], &self->listeners[i], err);
        if (status != SLUICE_OK) {
            rest_stop(self);
            return status;
        }
        self->count++;
    }
    *ret_server = self;
    return SLUICE_OK;
}

const char *rest_host(const rest_server *self)
{
    return self->listeners[0].host;
}

int rest_port(const rest_server *self)
{
    return self->listeners[0].port;
}

sluice_status rest_serve(rest_server *self, herder_loop *asked, sluice_error *err)
{
    unsigned flags =
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    self->herder = asked;
    for (size_t i = 0; i < self->count; i++) {
        self->daemons[i] = MHD_start_daemon(
            flags, 0, NULL, NULL, handle, self, MHD_OPTION_EXTERNAL_LOGGER, log_message,
            NULL, MHD_OPTION_LISTEN_SOCKET, self->listeners[i].fd,
            MHD_OPTION_URI_LOG_CALLBACK, begin_call, self, MHD_OPTION_NOTIFY_COMPLETED,
            end_call, self, MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL,
            MHD_OPTION_CONNECTION_LIMIT, (unsigned)connections_max,
            MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)idle_seconds, MHD_OPTION_END);
        if (self->daemons[i] == NULL) {
            return sluice_fail(err, SLUICE_FATAL,
                               "REST cannot be served: libmicrohttpd refuses to start");
        }
        self->listeners[i].fd = -1; /* The daemon closes it. */
    }
    return SLUICE_OK;
}

void rest_close(rest_server *self)
{
    pthread_mutex_lock(&self->lock);
    self->closed = true;
    pthread_mutex_unlock(&self->lock);
}

static void drain(rest_server *self)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += drain_seconds;
    pthread_mutex_lock(&self->lock);
    while (self->calls > 0 &&
           pthread_cond_timedwait(&self->drained, &self->lock, &until) == 0) {
    }
    pthread_mutex_unlock(&self->lock);
}

void rest_stop(rest_server *self)
{
    if (self == NULL) {
        return;
    }
    drain(self);
    for (size_t i = 0; i < listeners_max; i++) {
        if (self->daemons[i] != NULL) {
            MHD_stop_daemon(self->daemons[i]);
        }
        if (i < self->count) {
            listener_done(&self->listeners[i]);
        }
    }
    pthread_mutex_destroy(&self->lock);
    pthread_cond_destroy(&self->drained);
    free(self);
}
