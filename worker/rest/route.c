/* Which path and method means which operation. */
#include "worker/rest/route.h"
#include "base/text.h"
#include <assert.h>
#include <string.h>

typedef struct route {
    const char *path; /* Segments between slashes; * is a name, # a task's number. */
    const char *method;
    herder_operation operation;
    route_body body;
} route;

#define STANDALONE "Kafka Connect in standalone mode does not support "

/* Rows of a path stand together. */
static const route routes[] = {
    {"", "GET", herder_root, route_no_body},
    {"health", "GET", herder_health, route_no_body},
    {"metrics", "GET", herder_metrics, route_no_body},
    {"connectors", "GET", herder_list, route_no_body},
    {"connectors", "POST", herder_create, route_create},
    {"connectors/*", "GET", herder_info, route_no_body},
    {"connectors/*", "DELETE", herder_delete, route_no_body},
    {"connectors/*/config", "GET", herder_get_config, route_no_body},
    {"connectors/*/config", "PUT", herder_put_config, route_map},
    {"connectors/*/config", "PATCH", herder_patch_config, route_patch},
    {"connectors/*/status", "GET", herder_status, route_no_body},
    {"connectors/*/tasks", "GET", herder_tasks, route_no_body},
    {"connectors/*/tasks", "POST", herder_root, route_tasks},
    {"connectors/*/fence", "PUT", herder_root, route_no_body},
    {"connectors/*/tasks/#/status", "GET", herder_task_status, route_no_body},
    {"connectors/*/tasks/#/restart", "POST", herder_restart_task, route_no_body},
    {"connectors/*/restart", "POST", herder_restart_connector, route_no_body},
    {"connectors/*/pause", "PUT", herder_pause, route_no_body},
    {"connectors/*/resume", "PUT", herder_resume, route_no_body},
    {"connectors/*/stop", "PUT", herder_stop, route_no_body},
    {"connectors/*/logs", "GET", herder_logs, route_no_body},
    {"connectors/*/topics", "GET", herder_topics, route_no_body},
    {"connectors/*/topics/reset", "PUT", herder_reset_topics, route_no_body},
    {"connectors/*/offsets", "GET", herder_offsets, route_no_body},
    {"connectors/*/offsets", "PATCH", herder_alter_offsets, route_offsets},
    {"connectors/*/offsets", "DELETE", herder_reset_offsets, route_no_body},
    {"connector-plugins", "GET", herder_plugins, route_no_body},
    {"connector-plugins/*/config", "GET", herder_plugin_config, route_no_body},
    {"connector-plugins/*/config/validate", "PUT", herder_validate, route_map},
    {"admin/loggers", "GET", herder_loggers, route_no_body},
    {"admin/loggers/*", "GET", herder_logger, route_no_body},
    {"admin/loggers/*", "PUT", herder_set_logger, route_map},
};

enum { route_count = sizeof routes / sizeof routes[0] };

static bool segment_fits(const char *pattern, size_t len, const char *segment,
                         route_match *match)
{
    if (len == 1 && pattern[0] == '*') {
        match->request.name = segment;
        return true;
    }
    if (len == 1 && pattern[0] == '#') {
        match->numberless = !text_to_int32(segment, &match->request.task);
        return true;
    }
    return strlen(segment) == len && memcmp(pattern, segment, len) == 0;
}

static bool path_fits(const char *pattern, const url *target, route_match *match)
{
    for (size_t i = 0; i < target->segment_count; i++) {
        size_t len = strcspn(pattern, "/");
        if (len == 0 || !segment_fits(pattern, len, target->segments[i], match)) {
            return false;
        }
        pattern += len;
        pattern += *pattern == '/';
    }
    return *pattern == '\0';
}

/* The methods of the path of row `index`, in the order in which Kafka Connect names
 * them, as one of the few lists there are. */
static const char *methods_of(size_t index)
{
    static const char *const lists[] = {
        "POST,OPTIONS",
        "OPTIONS,PUT",
        "HEAD,GET,OPTIONS",
        "HEAD,POST,GET,OPTIONS",
        "HEAD,DELETE,GET,OPTIONS",
        "HEAD,GET,OPTIONS,PUT",
        "HEAD,GET,OPTIONS,PUT,PATCH",
        "HEAD,DELETE,GET,OPTIONS,PATCH",
    };
    static const char *const methods[] = {"GET", "POST", "DELETE", "PUT", "PATCH"};
    enum { get = 1, post = 2, deletes = 4, put = 8, patch = 16 };
    static const unsigned sets[] = {post,
                                    put,
                                    get,
                                    get | post,
                                    get | deletes,
                                    get | put,
                                    get | put | patch,
                                    get | deletes | patch};
    unsigned found = 0;
    size_t list = 0;
    for (size_t i = 0; i < route_count; i++) {
        for (size_t bit = 0; strcmp(routes[i].path, routes[index].path) == 0 && bit < 5;
             bit++) {
            found |= (unsigned)(strcmp(routes[i].method, methods[bit]) == 0) << bit;
        }
    }
    while (sets[list] != found) {
        list++;
        assert(list < sizeof sets / sizeof sets[0]);
    }
    return lists[list];
}

/* Workers of a group ask each other for this; a single one has nobody to ask. */
static const char *refusal_of(const route *row)
{
    return row->body == route_tasks ? STANDALONE "externally setting task "
                                                 "configurations."
           : strcmp(row->path, "connectors/*/fence") == 0 ? STANDALONE
               "exactly-once source connectors."
                                                          : NULL;
}

/* -1: it is not there, or no number that is not negative. */
static int64_t number_of(const url *target, const char *name)
{
    int64_t number;
    const char *text = url_parameter_value(target, name);
    return text != NULL && text_to_int64(text, &number) && number >= 0 ? number : -1;
}

static void read_parameters(const url *target, herder_request *request)
{
    request->lines = number_of(target, "lines");
    request->after = number_of(target, "after");
    request->include_tasks = url_parameter_is(target, "includeTasks", "true");
    request->only_failed = url_parameter_is(target, "onlyFailed", "true");
    request->expand = url_parameter_value(target, "expand") != NULL;
    request->expand_status = url_parameter_has(target, "expand", "status");
    request->expand_info = url_parameter_has(target, "expand", "info");
    request->in_cluster = url_parameter_is(target, "scope", "cluster");
    request->version = url_parameter_value(target, "version");
    request->all_plugins = url_parameter_is(target, "connectorsOnly", "false");
}

void route_find(const char *method, const url *target, route_match *ret_match)
{
    if (strcmp(method, "HEAD") == 0) {
        method = "GET";
    }
    *ret_match = (route_match){.status = 404};
    for (size_t i = 0; i < route_count; i++) {
        route_match match = {.request.operation = routes[i].operation,
                             .allow = methods_of(i),
                             .is_admin = text_starts(routes[i].path, "admin/"),
                             .body = routes[i].body,
                             .refusal = refusal_of(&routes[i])};
        if (!path_fits(routes[i].path, target, &match)) {
            continue;
        }
        bool taken = strcmp(routes[i].method, method) == 0;
        match.status = taken || strcmp(method, "OPTIONS") == 0 ? 200 : 405;
        *ret_match = match;
        if (taken) {
            read_parameters(target, &ret_match->request);
            return;
        }
    }
}
