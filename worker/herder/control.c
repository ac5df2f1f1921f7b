/* Pause, resume, stop, delete and restart. */
#include "base/memory.h"
#include "state.h"
#include <stdlib.h>
#include <string.h>

static bool unknown(herder *self, const herder_request *request, const char *format)
{
    act_fault(self, request->id, 404, format, request->name);
    return false;
}

static void set_target(herder *self, connector *c, target_state target)
{
    if (c->target != target) {
        c->target = target;
        act_store_config(self, c);
    }
}

static void pause(herder *self, connector *c)
{
    target_state before = c->target;
    set_target(self, c, target_paused);
    if (before == target_stopped) {
        c->state = c->host.id == 0 ? state_paused : c->state;
    } else if (c->host.id != 0 && !c->host.stopping) {
        act_send(self, c->host.id, json_pack("{s:b}", "pause", 1));
    }
}

static void resume(herder *self, connector *c)
{
    set_target(self, c, target_started);
    if (c->host.stopping) {
        c->rerun = true;
    } else if (c->outdated && c->host.id != 0) {
        herder_connector_bounce(self, c, state_unassigned);
    } else if (c->host.id != 0) {
        act_send(self, c->host.id, json_pack("{s:b}", "resume", 1));
    } else if (c->state != state_failed) {
        herder_connector_start(self, c);
    }
}

static void stop(herder *self, const herder_request *request, connector *c)
{
    pending *p = pending_add(self, request, wait_exit);
    c->target = target_stopped;
    c->rerun = false;
    p->store = act_store_config(self, c);
    herder_connector_stop(self, c);
}

static void delete (herder *self, const herder_request *request, connector *c)
{
    pending *p = pending_add(self, request, wait_exit);
    p->store = act_forget_config(self, c->name);
    c->leaving = true;
    c->rerun = false;
    herder_connector_stop(self, c);
}

/* --- Restart. --- */

static bool is_planned(const herder_request *request, run_state state)
{
    return !request->only_failed || state == state_failed;
}

static void restart_tasks(herder *self, const herder_request *request, connector *c)
{
    for (size_t i = 0; request->include_tasks && i < c->task_count; i++) {
        if (is_planned(request, c->tasks[i].state)) {
            herder_connector_restart_task(self, c, i);
            c->tasks[i].state = state_restarting;
        }
    }
}

static void show_restarting(json_t *status)
{
    json_object_set_new(status, "state", json_string("RESTARTING"));
}

/* What is restarted as RESTARTING, all else as it is; with the traces that led to it.
 */
static json_t *plan_of(const herder *self, const herder_request *request,
                       const connector *c)
{
    json_t *plan = answer_status(self, c);
    json_t *tasks = json_object_get(plan, "tasks");
    if (is_planned(request, c->state)) {
        show_restarting(json_object_get(plan, "connector"));
    }
    for (size_t i = 0; request->include_tasks && i < c->task_count; i++) {
        if (is_planned(request, c->tasks[i].state)) {
            show_restarting(json_array_get(tasks, i));
        }
    }
    return plan;
}

/* The answer shows the plan. A host is one process, so a connector that is restarted
 * takes its tasks along. */
static void restart_planned(herder *self, const herder_request *request, connector *c)
{
    bool connector_too = is_planned(request, c->state);
    json_t *plan = plan_of(self, request, c);
    if (c->target == target_stopped) {
        /* There is nothing to restart; the answer is the same. */
    } else if (connector_too && request->include_tasks && !request->only_failed) {
        herder_connector_bounce(self, c, state_restarting);
    } else if (connector_too && (c->state == state_failed || c->host.id == 0)) {
        c->state = state_restarting;
        herder_connector_bounce(self, c, state_restarting);
    } else {
        restart_tasks(self, request, c);
    }
    act_answer(self, request->id, 202, plan);
}

static void restart(herder *self, const herder_request *request, connector *c)
{
    c->restarts += c->target != target_stopped;
    if (request->include_tasks || request->only_failed) {
        restart_planned(self, request, c);
        return;
    }
    if (c->target == target_stopped) {
        act_answer(self, request->id, 204, NULL);
        return;
    }
    pending_add(self, request, wait_start);
    /* A connector that runs has no state of its own beside its tasks, so only one that
     * does not is started. */
    if (c->state == state_failed || c->host.id == 0) {
        herder_connector_bounce(self, c, state_unassigned);
    }
    pending_wake(self, c->name);
}

static void restart_task(herder *self, const herder_request *request, connector *c)
{
    if (request->task < 0 || (size_t)request->task >= c->task_count) {
        act_fault(self, request->id, 404, "Task %s-%d not found", c->name,
                  request->task);
        return;
    }
    herder_connector_restart_task(self, c, (size_t)request->task);
    c->tasks[request->task].state = state_restarting;
    act_answer(self, request->id, 204, NULL);
}

static bool admit(herder *self, const herder_request *request)
{
    if (herder_connector_find(self, request->name) != NULL) {
        return true;
    }
    switch ((int)request->operation) {
    case herder_delete:
        return unknown(self, request, "Connector %s not found");
    case herder_restart_connector:
    case herder_restart_task:
        return unknown(self, request, "Unknown connector: %s");
    default:
        return unknown(self, request, "Unknown connector %s");
    }
}

void control_request(herder *self, const herder_request *request)
{
    if (!admit(self, request)) {
        return;
    }
    connector *c = herder_connector_find(self, request->name);
    switch ((int)request->operation) {
    case herder_pause:
        pause(self, c);
        act_answer(self, request->id, 202, NULL);
        break;
    case herder_resume:
        resume(self, c);
        act_answer(self, request->id, 202, NULL);
        break;
    case herder_stop:
        stop(self, request, c);
        break;
    case herder_delete:
        delete (self, request, c);
        break;
    case herder_restart_connector:
        restart(self, request, c);
        break;
    default:
        restart_task(self, request, c);
        break;
    }
}
