/* The step function: which event goes where, and when the next tick is wanted. */
#include "herder.h"
#include "base/memory.h"
#include "state.h"
#include <stdlib.h>
#include <string.h>

herder *herder_new(const herder_settings *settings)
{
    herder *self = memory_zero(sizeof *self);
    self->settings = *settings;
    self->settings.worker_id = memory_text(settings->worker_id);
    self->settings.worker = json_deep_copy(settings->worker);
    self->waiting_end = &self->waiting;
    self->stores_end = &self->stores;
    self->inspector_at = INT64_MAX;
    self->loggers =
        json_pack("{s:{s:s, s:n}}", "root", "level", "INFO", "last_modified");
    map_init(&self->connectors);
    map_init(&self->offsets);
    return self;
}

void herder_free(herder *self)
{
    if (self == NULL) {
        return;
    }
    const map_entry *entry;
    for (size_t at = 0; (entry = map_next(&self->connectors, &at)) != NULL;) {
        herder_connector_free(entry->value);
    }
    map_done(&self->connectors);
    offsets_free(self);
    pending_free_all(self);
    host_slot_forget(&self->inspector);
    free((char *)self->settings.worker_id);
    json_decref(self->settings.worker);
    json_decref(self->plugins);
    json_decref(self->loggers);
    free(self->plugins_fault);
    free(self->cluster_id);
    free(self);
}

/* The connector whose host this is, or NULL. */
static connector *connector_of(const herder *self, uint64_t host)
{
    const map_entry *entry;
    for (size_t at = 0; (entry = map_next(&self->connectors, &at)) != NULL;) {
        connector *c = entry->value;
        if (c->host.id == host) {
            return c;
        }
    }
    return NULL;
}

static void take_message(herder *self, const herder_event *event)
{
    if (event->host == self->inspector.id) {
        inspector_message(self, event->message);
        return;
    }
    connector *c = connector_of(self, event->host);
    if (c == NULL) {
        return;
    }
    if (json_object_get(event->message, "offsets") != NULL) {
        offsets_arrived(self, c, event->host, event->message);
    } else {
        herder_connector_message(self, c, event->message);
    }
}

static void take_closed(herder *self, const herder_event *event)
{
    connector *c = connector_of(self, event->host);
    host_slot *host = event->host == self->inspector.id ? &self->inspector
                      : c != NULL                       ? &c->host
                                                        : NULL;
    if (host != NULL) {
        host_slot_closed(self, host, event->log);
    }
    if (c != NULL && event->log == NULL) {
        herder_connector_closed(self, c);
    }
}

static void take_exit(herder *self, const herder_event *event)
{
    if (event->host == self->inspector.id) {
        inspector_exited(self, event);
        return;
    }
    connector *c = connector_of(self, event->host);
    if (c != NULL) {
        herder_connector_exited(self, c, event);
    }
}

static void take_tick(herder *self)
{
    const map_entry *entry;
    for (size_t at = 0; (entry = map_next(&self->connectors, &at)) != NULL;) {
        herder_connector_tick(self, entry->value);
    }
    inspector_tick(self);
    pending_tick(self);
}

static void take_stop(herder *self)
{
    const map_entry *entry;
    self->stopping = true;
    pending_refuse_all(self, "Worker is shutting down");
    for (size_t at = 0; (entry = map_next(&self->connectors, &at)) != NULL;) {
        herder_connector_stop(self, entry->value);
    }
    inspector_stop(self);
}

static bool all_gone(const herder *self)
{
    const map_entry *entry;
    for (size_t at = 0; (entry = map_next(&self->connectors, &at)) != NULL;) {
        const connector *c = entry->value;
        if (c->host.id != 0) {
            return false;
        }
    }
    return self->inspector.id == 0 && self->stores == NULL;
}

static void take_event(herder *self, const herder_event *event)
{
    switch (event->type) {
    case herder_event_start:
        self->began_wall_ms = self->now + self->settings.wall_minus_mono;
        inspector_start(self);
        break;
    case herder_event_request:
        herder_request_take(self, event->request);
        break;
    case herder_event_restore:
        if (json_object_get(event->message, "offsets") != NULL) {
            offsets_restore(self, event->message);
        } else {
            change_restore(self, event->message);
        }
        break;
    case herder_event_message:
        take_message(self, event);
        break;
    case herder_event_closed:
        take_closed(self, event);
        break;
    case herder_event_exited:
        take_exit(self, event);
        break;
    case herder_event_stored:
        offsets_stored(self, event->store);
        break;
    case herder_event_tick:
        take_tick(self);
        break;
    case herder_event_stop:
        take_stop(self);
        break;
    }
}

void herder_step(herder *self, const herder_event *event, int64_t now_ms,
                 herder_actions *actions)
{
    self->actions = actions;
    self->now = now_ms;
    take_event(self, event);
    if (self->stopping && !self->finished && all_gone(self)) {
        self->finished = true;
        act_finished(self);
    }
    self->actions = NULL;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t herder_deadline(const herder *self)
{
    int64_t first = earlier(inspector_deadline(self), pending_deadline(self));
    const map_entry *entry;
    for (size_t at = 0; (entry = map_next(&self->connectors, &at)) != NULL;) {
        first = earlier(first, herder_connector_deadline(self, entry->value));
    }
    return first;
}
