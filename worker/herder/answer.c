/* The bodies of answers, field by field as Kafka Connect has them. */
#include "base/memory.h"
#include "state.h"
#include <stdlib.h>
#include <time.h>

const char *state_name(run_state state)
{
    static const char *const names[] = {"UNASSIGNED", "RUNNING",    "PAUSED",
                                        "FAILED",     "RESTARTING", "STOPPED"};
    return names[state];
}

json_t *answer_info(const connector *c)
{
    json_t *tasks = json_array();
    for (size_t i = 0; i < c->task_count; i++) {
        json_array_append_new(tasks, json_pack("{s:s, s:I}", "connector", c->name,
                                               "task", (json_int_t)i));
    }
    return json_pack("{s:s, s:O, s:o, s:s}", "name", c->name, "config", c->config,
                     "tasks", tasks, "type", c->type);
}

/* Adds `trace` where there is one. A task that waits before its next attempt is
 * RUNNING, and says in the same place what it waits for, and one at some long piece of
 * work how far it is. */
static void add_trace(json_t *status, const char *trace, const char *retry,
                      const char *doing)
{
    if (trace != NULL && trace[0] != '\0') {
        json_object_set_new(status, "trace", json_string(trace));
    } else if (retry != NULL && retry[0] != '\0') {
        json_object_set_new(status, "trace", json_sprintf("retrying: %s", retry));
    } else if (doing != NULL && doing[0] != '\0') {
        json_object_set_new(status, "trace", json_string(doing));
    }
}

json_t *answer_task_status(const herder *self, const connector *c, size_t number)
{
    const task *t = &c->tasks[number];
    json_t *status =
        json_pack("{s:I, s:s, s:s}", "id", (json_int_t)number, "state",
                  state_name(t->state), "worker_id", self->settings.worker_id);
    json_object_set_new(status, "version",
                        c->version == NULL ? json_null() : json_string(c->version));
    add_trace(status, t->trace, t->retry, t->state == state_running ? t->doing : NULL);
    return status;
}

json_t *answer_status(const herder *self, const connector *c)
{
    json_t *tasks = json_array();
    for (size_t i = 0; i < c->task_count; i++) {
        json_array_append_new(tasks, answer_task_status(self, c, i));
    }
    json_t *own = json_pack("{s:s, s:s}", "state", state_name(c->state), "worker_id",
                            self->settings.worker_id);
    json_object_set_new(own, "version",
                        c->version == NULL ? json_null() : json_string(c->version));
    add_trace(own, c->trace, NULL, NULL);
    return json_pack("{s:s, s:o, s:o, s:s}", "name", c->name, "connector", own, "tasks",
                     tasks, "type", c->type);
}

json_t *answer_tasks(const connector *c)
{
    json_t *tasks = json_array();
    for (size_t i = 0; i < c->task_count; i++) {
        json_array_append_new(tasks, json_pack("{s:{s:s, s:I}, s:O}", "id", "connector",
                                               c->name, "task", (json_int_t)i, "config",
                                               c->tasks[i].config));
    }
    return tasks;
}

static const char *stage(const pending *p)
{
    switch (p->phase) {
    case wait_plugins:
        return "awaiting startup";
    case wait_validation:
        if (group_offsets_is(p)) {
            return "modifying offsets for the connector";
        }
        return p->sent ? "performing multi-property validation for the connector"
                       : "waiting for a new thread to become available for connector "
                         "validation";
    case wait_start:
        return "starting the connector";
    case wait_exit:
        return "stopping the connector";
    case wait_store:
        return "modifying offsets for the connector";
    }
    return "";
}

char *answer_timeout(const herder *self, const pending *p)
{
    int64_t began = p->began + self->settings.wall_minus_mono;
    time_t seconds = (time_t)(began / 1000);
    struct tm parts;
    char text[32];
    gmtime_r(&seconds, &parts);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
    return memory_print("Request timed out. The worker is currently %s, which began at "
                        "%s.%03dZ.",
                        stage(p), text, (int)(began % 1000));
}
