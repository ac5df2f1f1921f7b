/* A request's answer: status, headers and body become libmicrohttpd's. */
#include "worker/rest/answer.h"
#include "base/memory.h"
#include "base/text.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

const char *answer_header(const rest_call *c, const char *name)
{
    return MHD_lookup_connection_value(c->connection, MHD_HEADER_KIND, name);
}

void answer_fault(rest_call *c, int status, const char *message)
{
    json_t *body = json_pack("{s:i, s:s}", "error_code", status, "message", message);
    c->status = status;
    c->text = json_dumps(body, JSON_COMPACT);
    json_decref(body);
}

static void add_cors(const rest_call *c, struct MHD_Response *response)
{
    const rest_settings *settings = &c->site->server->settings;
    const char *origin = answer_header(c, "Origin");
    const char *methods = settings->allow_methods;
    if (c->site->server->cors == NULL) {
        return;
    }
    MHD_add_response_header(response, "Vary", "Origin");
    if (origin == NULL || !cors_allows(c->site->server->cors, origin)) {
        return;
    }
    MHD_add_response_header(response, "Access-Control-Allow-Origin", origin);
    if (c->preflight) {
        MHD_add_response_header(response, "Access-Control-Allow-Methods",
                                methods[0] == '\0' ? "GET,POST,HEAD" : methods);
        MHD_add_response_header(response, "Access-Control-Allow-Headers",
                                "Content-Type");
        MHD_add_response_header(response, "Access-Control-Max-Age", "60");
    }
}

/* What the worker's configuration adds to every answer. Our own headers are set
 * afterwards, and a rule that sets one of them is overruled, as in Kafka Connect. */
static void add_headers(const header_rules *rules, struct MHD_Response *response)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    for (size_t i = 0; i < rules->count; i++) {
        const header_rule *rule = &rules->items[i];
        char *value = header_rule_value(rule, (int64_t)now.tv_sec * 1000);
        const char *old;
        while (rule->replaces &&
               (old = MHD_get_response_header(response, rule->name)) != NULL &&
               MHD_del_response_header(response, rule->name, old) == MHD_YES) {
        }
        MHD_add_response_header(response, rule->name, value);
        free(value);
    }
}

/* As Kafka Connect writes it here, though a semicolon ends the name when it is read. */
static char *name_in_location(const char *name)
{
    char *encoded = url_encode(name);
    for (char *at = encoded; (at = strstr(at, "%3B")) != NULL;) {
        *at++ = ';';
        memmove(at, at + 2, strlen(at + 2) + 1);
    }
    return encoded;
}

static void add_location(const rest_call *c, struct MHD_Response *response)
{
    const char *host = answer_header(c, "Host");
    char *name = name_in_location(c->created);
    char *location =
        host == NULL ? memory_print("/connectors/%s", name)
                     : memory_print("%s://%s/connectors/%s",
                                    listener_protocol(&c->site->listener), host, name);
    MHD_add_response_header(response, "Location", location);
    free(location);
    free(name);
}

enum MHD_Result answer_send(rest_call *c)
{
    size_t len = c->text == NULL ? 0 : strlen(c->text);
    struct MHD_Response *response = MHD_create_response_from_buffer(
        len, c->text, c->text == NULL ? MHD_RESPMEM_PERSISTENT : MHD_RESPMEM_MUST_FREE);
    c->text = NULL;
    if (c->site->regular) {
        add_cors(c, response);
        add_headers(&c->site->server->headers, response);
    }
    if (len > 0) {
        MHD_add_response_header(response, "Content-Type",
                                c->type == NULL ? "application/json" : c->type);
    }
    MHD_add_response_header(response, "Server", "sluice/" SLUICE_VERSION);
    if (c->status == 401) {
        MHD_add_response_header(response, "WWW-Authenticate",
                                "Basic realm=\"Kafka Connect\", charset=\"UTF-8\"");
    }
    if (c->allow != NULL) {
        MHD_add_response_header(response, "Allow", c->allow);
    }
    if (c->created != NULL && c->status == 201) {
        add_location(c, response);
    }
    enum MHD_Result result =
        MHD_queue_response(c->connection, (unsigned)c->status, response);
    MHD_destroy_response(response);
    return result;
}
