/* Requests that are answered from what is known, and the way of all others. */
#include "base/memory.h"
#include "state.h"
#include <string.h>

static void root(herder *self, const herder_request *request)
{
    inspector_ask_cluster(self); /* For the next one who asks. */
    json_t *cluster =
        self->cluster_id == NULL ? json_null() : json_string(self->cluster_id);
    act_answer(self, request->id, 200,
               json_pack("{s:s, s:s, s:o, s:s}", "version", KAFKA_VERSION, "commit",
                         "sluice", "kafka_cluster_id", cluster, "sluice_version",
                         SLUICE_VERSION));
}

static void health(herder *self, const herder_request *request)
{
    act_answer(self, request->id, self->ready ? 200 : 503,
               self->ready
                   ? json_pack("{s:s, s:s}", "status", "healthy", "message",
                               "Worker has completed startup and is ready to handle "
                               "requests.")
                   : json_pack("{s:s, s:s}", "status", "starting", "message",
                               "Worker is still starting up. The worker is currently "
                               "starting the connectors of its command line."));
}

static json_t *expanded(const herder *self, const herder_request *request,
                        const connector *c)
{
    json_t *parts = json_object();
    if (request->expand_status) {
        json_object_set_new(parts, "status", answer_status(self, c));
    }
    if (request->expand_info) {
        json_object_set_new(parts, "info", answer_info(c));
    }
    return parts;
}

static void list(herder *self, const herder_request *request)
{
    json_t *names = request->expand ? json_object() : json_array();
    const map_entry *entry;
    for (size_t at = 0; (entry = map_next(&self->connectors, &at)) != NULL;) {
        const connector *c = entry->value;
        if (c->leaving) {
            continue;
        }
        if (request->expand) {
            json_object_set_new(names, c->name, expanded(self, request, c));
        } else {
            json_array_append_new(names, json_string(c->name));
        }
    }
    act_answer(self, request->id, 200, names);
}

static void task_status(herder *self, const herder_request *request, const connector *c)
{
    if (c == NULL || request->task < 0 || (size_t)request->task >= c->task_count) {
        act_fault(self, request->id, 404, "No status found for task %s-%d",
                  request->name, request->task);
        return;
    }
    act_answer(self, request->id, 200,
               answer_task_status(self, c, (size_t)request->task));
}

static void about_connector(herder *self, const herder_request *request)
{
    const connector *c = herder_connector_find(self, request->name);
    if (request->operation == herder_task_status) {
        task_status(self, request, c);
        return;
    }
    if (c == NULL) {
        act_fault(self, request->id, 404,
                  request->operation == herder_status
                      ? "No status found for connector %s"
                      : "Connector %s not found",
                  request->name);
        return;
    }
    json_t *body = request->operation == herder_status  ? answer_status(self, c)
                   : request->operation == herder_info  ? answer_info(c)
                   : request->operation == herder_tasks ? answer_tasks(c)
                                                        : json_incref(c->config);
    act_answer(self, request->id, 200, body);
}

static void topics(herder *self, const herder_request *request)
{
    const connector *c = herder_connector_find(self, request->name);
    if (!self->settings.topic_tracking) {
        act_fault(self, request->id, 403, "Topic tracking is disabled.");
        return;
    }
    json_t *names = json_array();
    const char *name;
    json_t *unused;
    json_object_foreach(c == NULL ? NULL : c->topics, name, unused)
    {
        json_array_append_new(names, json_string(name));
    }
    act_answer(self, request->id, 200,
               json_pack("{s:{s:o}}", request->name, "topics", names));
}

static void logs(herder *self, const herder_request *request)
{
    if (herder_connector_find(self, request->name) == NULL) {
        act_fault(self, request->id, 404, "Connector %s not found", request->name);
        return;
    }
    act_answer_logs(self, request);
}

static void reset_topics(herder *self, const herder_request *request)
{
    const connector *c = herder_connector_find(self, request->name);
    if (!self->settings.topic_tracking) {
        act_fault(self, request->id, 403, "Topic tracking is disabled.");
    } else if (!self->settings.topic_tracking_reset) {
        act_fault(self, request->id, 403, "Topic tracking reset is disabled.");
    } else {
        if (c != NULL) {
            json_object_clear(c->topics);
        }
        act_answer(self, request->id, 202, NULL);
    }
}

void herder_request_answer_plugins(herder *self, pending *p)
{
    act_answer(self, p->id, 200, plugin_listing(self, p->all_plugins));
}

static void plugins(herder *self, const herder_request *request)
{
    pending_add(self, request, wait_plugins);
    if (self->plugins != NULL || self->plugins_fault != NULL) {
        pending_plugins(self);
    }
}

static void ready(herder *self, const herder_request *request)
{
    self->ready = true;
    act_answer(self, request->id, 200, NULL);
}

typedef void handler(herder *self, const herder_request *request);

static void metrics(herder *self, const herder_request *request)
{
    act_answer_metrics(self, request->id);
}

static handler *const handlers[] = {
    [herder_root] = root,
    [herder_health] = health,
    [herder_list] = list,
    [herder_create] = change_request,
    [herder_info] = about_connector,
    [herder_delete] = control_request,
    [herder_get_config] = about_connector,
    [herder_put_config] = change_request,
    [herder_patch_config] = change_request,
    [herder_status] = about_connector,
    [herder_tasks] = about_connector,
    [herder_task_status] = about_connector,
    [herder_restart_task] = control_request,
    [herder_restart_connector] = control_request,
    [herder_pause] = control_request,
    [herder_resume] = control_request,
    [herder_stop] = control_request,
    [herder_topics] = topics,
    [herder_reset_topics] = reset_topics,
    [herder_offsets] = offsets_request,
    [herder_alter_offsets] = offsets_request,
    [herder_reset_offsets] = offsets_request,
    [herder_plugins] = plugins,
    [herder_plugin_config] = change_request,
    [herder_validate] = change_request,
    [herder_loggers] = loggers_request,
    [herder_logger] = loggers_request,
    [herder_set_logger] = loggers_request,
    [herder_metrics] = metrics,
    [herder_logs] = logs,
    [herder_ready] = ready,
};

/* Whether the answer has what hosts report. */
static bool looks(const herder_request *request)
{
    return request->operation == herder_status ||
           request->operation == herder_task_status ||
           request->operation == herder_metrics ||
           (request->operation == herder_list && request->expand_status);
}

void herder_request_take(herder *self, const herder_request *request)
{
    if (self->stopping) {
        act_fault(self, request->id, 500, "Worker is shutting down");
        return;
    }
    if (looks(request)) {
        host_slot_looked_at(self);
    }
    handlers[request->operation](self, request);
}
