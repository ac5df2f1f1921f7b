/* Requests that wait: for the plugins, for a check, for a start, an exit, the store. */
#include "base/memory.h"
#include "state.h"
#include <stdlib.h>
#include <string.h>

pending *pending_add(herder *self, const herder_request *request, wait_phase phase)
{
    pending *p = memory_zero(sizeof *p);
    p->id = request->id;
    p->operation = request->operation;
    p->phase = phase;
    p->name = memory_text(request->name == NULL ? "" : request->name);
    p->version = memory_text(request->version);
    p->body = json_incref(request->body);
    p->all_plugins = request->all_plugins;
    p->deadline = self->now + self->settings.request_ms;
    p->began = self->now;
    *self->waiting_end = p;
    self->waiting_end = &p->next;
    return p;
}

static void pending_free(pending *p)
{
    free(p->name);
    free(p->target);
    free(p->version);
    json_decref(p->body);
    free(p);
}

void pending_remove(herder *self, pending *gone)
{
    pending **at = &self->waiting;
    while (*at != gone) {
        at = &(*at)->next;
    }
    *at = gone->next;
    if (self->waiting_end == &gone->next) {
        self->waiting_end = at;
    }
    pending_free(gone);
}

void pending_free_all(herder *self)
{
    while (self->waiting != NULL) {
        pending_remove(self, self->waiting);
    }
}

void pending_to(herder *self, pending *p, wait_phase phase)
{
    p->phase = phase;
    p->began = self->now;
}

/* --- Conditions. --- */

static void answer_started(herder *self, pending *p, const connector *c)
{
    if (p->operation == herder_restart_connector) {
        act_answer(self, p->id, 204, NULL);
    } else {
        act_answer(self, p->id, p->created ? 201 : 200, answer_info(c));
    }
}

/* Whether it was answered. */
static bool start_is_known(herder *self, pending *p)
{
    const connector *c = herder_connector_find(self, p->name);
    if (p->store != 0) {
        return false;
    }
    if (c == NULL) {
        act_fault(self, p->id, 404, "Connector %s not found", p->name);
        return true;
    }
    if (c->target == target_started && (c->rerun || c->host.stopping)) {
        return false;
    }
    if (c->target != target_started || c->configured) {
        answer_started(self, p, c);
        return true;
    }
    if (c->state == state_failed) {
        act_fault(self, p->id, 500, "%s", c->trace == NULL ? "" : c->trace);
        return true;
    }
    return false;
}

static bool exit_is_known(herder *self, pending *p)
{
    if (p->exited && p->store == 0) {
        act_answer(self, p->id, 204, NULL);
        return true;
    }
    return false;
}

static void settle(herder *self, pending *p)
{
    bool answered = (p->phase == wait_start && start_is_known(self, p)) ||
                    (p->phase == wait_exit && exit_is_known(self, p));
    if (answered) {
        pending_remove(self, p);
    }
}

void pending_wake(herder *self, const char *name)
{
    for (pending *p = self->waiting, *next; p != NULL; p = next) {
        next = p->next;
        if (p->phase == wait_start && strcmp(p->name, name) == 0) {
            settle(self, p);
        }
    }
}

void pending_exited(herder *self, const char *name)
{
    for (pending *p = self->waiting, *next; p != NULL; p = next) {
        next = p->next;
        if (p->phase == wait_exit && strcmp(p->name, name) == 0) {
            p->exited = true;
            settle(self, p);
        }
    }
}

void pending_stored(herder *self, uint64_t store)
{
    for (pending *p = self->waiting, *next; p != NULL; p = next) {
        next = p->next;
        if (p->store != store) {
            continue;
        }
        p->store = 0;
        if (p->phase == wait_store) {
            offsets_answer_changed(self, p);
            pending_remove(self, p);
        } else {
            settle(self, p);
        }
    }
}

void pending_plugins(herder *self)
{
    for (pending *p = self->waiting, *next; p != NULL; p = next) {
        next = p->next;
        if (p->phase != wait_plugins) {
            continue;
        }
        if (self->plugins == NULL) {
            act_fault(self, p->id, 500, "%s", self->plugins_fault);
            pending_remove(self, p);
        } else if (p->operation == herder_plugins) {
            herder_request_answer_plugins(self, p);
            pending_remove(self, p);
        } else if (change_admit(self, p)) {
            pending_to(self, p, wait_validation);
        } else {
            pending_remove(self, p);
        }
    }
    inspector_next(self);
}

/* --- Time. --- */

void pending_tick(herder *self)
{
    for (pending *p = self->waiting, *next; p != NULL; p = next) {
        next = p->next;
        if (self->now >= p->deadline) {
            char *message = answer_timeout(self, p);
            bool with_inspector = p->phase == wait_validation && p->sent;
            act_fault(self, p->id, 500, "%s", message);
            free(message);
            pending_remove(self, p);
            if (with_inspector) {
                inspector_overdue(self);
            }
        }
    }
}

int64_t pending_deadline(const herder *self)
{
    int64_t first = INT64_MAX;
    for (const pending *p = self->waiting; p != NULL; p = p->next) {
        first = p->deadline < first ? p->deadline : first;
    }
    return first;
}

void pending_refuse_all(herder *self, const char *message)
{
    while (self->waiting != NULL) {
        act_fault(self, self->waiting->id, 500, "%s", message);
        pending_remove(self, self->waiting);
    }
}
