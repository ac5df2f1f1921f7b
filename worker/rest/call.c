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

enum { body_bytes_max = 8 * 1024 * 1024 };

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

static void answer_options(rest_call *c, const char *allow)
{
    c->status = 200;
    c->allow = allow;
    if (media_covers(answer_header(c, "Accept"), "text/plain")) {
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
    if (!is_text(match) &&
        !media_covers(answer_header(c, "Accept"), "application/json")) {
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
        answer_fault(c, 413, "The body has more than 8 MiB");
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
        asked = ask(c, &match);
    }
    url_done(&target);
    return asked;
}

/* --- libmicrohttpd's callbacks. --- */

void *call_begin(void *site, const char *uri, struct MHD_Connection *connection)
{
    rest_call *c = memory_zero(sizeof *c);
    c->site = site;
    c->connection = connection;
    c->target = memory_text(uri);
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

enum MHD_Result call_handle(void *site, struct MHD_Connection *connection,
                            const char *path, const char *method, const char *version,
                            const char *upload, size_t *upload_len, void **call_at)
{
    rest_call *c = *call_at;
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
        pthread_mutex_lock(&c->site->server->lock);
        c->site->server->calls++;
        pthread_mutex_unlock(&c->site->server->lock);
        if (dispatch(c, method)) {
            return MHD_YES; /* Suspended; this function is called again. */
        }
    }
    return answer_send(c);
}
