/* Which path and method means which operation. */
#include "worker/rest/route.h"
#include "base/text.h"
#include <string.h>

typedef struct route {
    const char *path; /* Segments between slashes; * is a name, # a task's number. */
    const char *method;
    herder_operation operation;
    route_body body;
} route;

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
    {"connectors/*/config", "PATCH", herder_patch_config, route_map},
    {"connectors/*/status", "GET", herder_status, route_no_body},
    {"connectors/*/tasks", "GET", herder_tasks, route_no_body},
    {"connectors/*/tasks-config", "GET", herder_tasks_config, route_no_body},
    {"connectors/*/tasks/#/status", "GET", herder_task_status, route_no_body},
    {"connectors/*/tasks/#/restart", "POST", herder_restart_task, route_no_body},
    {"connectors/*/restart", "POST", herder_restart_connector, route_no_body},
    {"connectors/*/pause", "PUT", herder_pause, route_no_body},
    {"connectors/*/resume", "PUT", herder_resume, route_no_body},
    {"connectors/*/stop", "PUT", herder_stop, route_no_body},
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
                         herder_request *request)
{
    if (len == 1 && pattern[0] == '*') {
        request->name = segment;
        return true;
    }
    if (len == 1 && pattern[0] == '#') {
        return text_to_int32(segment, &request->task);
    }
    return strlen(segment) == len && memcmp(pattern, segment, len) == 0;
}

static bool path_fits(const char *pattern, const url *target, herder_request *request)
{
    for (size_t i = 0; i < target->segment_count; i++) {
        size_t len = strcspn(pattern, "/");
        if (len == 0 || !segment_fits(pattern, len, target->segments[i], request)) {
            return false;
        }
        pattern += len;
        pattern += *pattern == '/';
    }
    return *pattern == '\0';
}

/* The methods of the path of row `index`, as one of the few lists there are. */
static const char *methods_of(size_t index)
{
    static const char *const lists[] = {"GET,HEAD,OPTIONS",
                                        "POST,OPTIONS",
                                        "PUT,OPTIONS",
                                        "GET,HEAD,POST,OPTIONS",
                                        "GET,HEAD,DELETE,OPTIONS",
                                        "GET,HEAD,PUT,PATCH,OPTIONS",
                                        "GET,HEAD,PATCH,DELETE,OPTIONS",
                                        "GET,HEAD,PUT,OPTIONS"};
    bool get = false, post = false, put = false, patch = false, deletes = false;
    for (size_t i = 0; i < route_count; i++) {
        if (strcmp(routes[i].path, routes[index].path) == 0) {
            get |= strcmp(routes[i].method, "GET") == 0;
            post |= strcmp(routes[i].method, "POST") == 0;
            put |= strcmp(routes[i].method, "PUT") == 0;
            patch |= strcmp(routes[i].method, "PATCH") == 0;
            deletes |= strcmp(routes[i].method, "DELETE") == 0;
        }
    }
    if (!get) {
        return post ? lists[1] : lists[2];
    }
    return patch && put ? lists[5]
           : patch      ? lists[6]
           : deletes    ? lists[4]
           : post       ? lists[3]
           : put        ? lists[7]
                        : lists[0];
}

static void read_parameters(const url *target, herder_request *request)
{
    request->include_tasks = url_parameter_is(target, "includeTasks", "true");
    request->only_failed = url_parameter_is(target, "onlyFailed", "true");
    request->expand = url_parameter_value(target, "expand") != NULL;
    request->expand_status = url_parameter_is(target, "expand", "status");
    request->expand_info = url_parameter_is(target, "expand", "info");
    request->all_plugins = url_parameter_is(target, "connectorsOnly", "false");
}

void route_find(const char *method, const url *target, route_match *ret_match)
{
    if (strcmp(method, "HEAD") == 0) {
        method = "GET";
    }
    *ret_match = (route_match){.status = 404};
    for (size_t i = 0; i < route_count; i++) {
        herder_request request = {.operation = routes[i].operation};
        if (!path_fits(routes[i].path, target, &request)) {
            continue;
        }
        ret_match->allow = methods_of(i);
        ret_match->status = strcmp(method, "OPTIONS") == 0 ? 200 : 405;
        if (strcmp(routes[i].method, method) == 0) {
            ret_match->status = 200;
            ret_match->body = routes[i].body;
            ret_match->request = request;
            read_parameters(target, &ret_match->request);
            return;
        }
    }
}
