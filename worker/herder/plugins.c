/* The inspector: a host that lists the plugins and checks configurations, one at a
 * time.
 *
 * It runs plugin code, so it may die or hang; then the check in hand is answered with
 * the reason, and another inspector is forked for the next one. */
#include "base/memory.h"
#include "base/text.h"
#include "state.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum {
    deaths_before_listing_max = 3,
    retry_ms = 1000,
    check_ms_max = 10 * 1000, /* Of one check, while others wait for theirs. */
};

void inspector_start(herder *self)
{
    self->inspector_at = INT64_MAX;
    if (self->inspector.id != 0 || self->stopping) {
        return;
    }
    herder_limits limits = self->settings.own.limits;
    limits.cpu_percent = 0; /* Somebody waits for its answers. */
    host_slot_begin(self, &self->inspector, "plugins", &limits);
    act_send(self, self->inspector.id,
             json_pack("{s:b, s:O}", "inspect", 1, "worker", self->settings.worker));
    host_slot_tell_levels(self, self->inspector.id);
    self->cluster_asked = false;
    inspector_ask_cluster(self);
}

void inspector_ask_cluster(herder *self)
{
    if (self->cluster_id == NULL && !self->cluster_asked && self->inspector.id != 0) {
        self->cluster_asked = true;
        act_send(self, self->inspector.id,
                 json_pack("{s:O}", "cluster", self->settings.worker));
    }
}

static pending *in_hand(const herder *self)
{
    for (pending *p = self->waiting; p != NULL; p = p->next) {
        if (p->phase == wait_validation && p->sent) {
            return p;
        }
    }
    return NULL;
}

void inspector_next(herder *self)
{
    if (self->plugins == NULL || in_hand(self) != NULL || self->inspector.killed) {
        return; /* Its list, its answer or its end will call again. */
    }
    pending *p = self->waiting;
    while (p != NULL && p->phase != wait_validation) {
        p = p->next;
    }
    if (p == NULL) {
        return;
    }
    if (self->inspector.id == 0) {
        inspector_start(self);
    }
    p->sent = true;
    p->sent_at = self->now;
    if (group_offsets_is(p)) {
        group_offsets_ask(self, p);
        return;
    }
    const char *class = json_string_value(json_object_get(p->body, "connector.class"));
    json_t *question = json_pack("{s:I, s:s, s:O, s:O}", "id", (json_int_t)p->id,
                                 "class", class == NULL ? p->name : class, "config",
                                 p->body, "worker", self->settings.worker);
    if (p->operation == herder_plugin_config) {
        json_object_set_new(question, "definitions", json_true());
    }
    act_send(self, self->inspector.id, json_pack("{s:o}", "validate", question));
}

static void answered(herder *self, const json_t *message)
{
    pending *p = in_hand(self);
    json_t *id = json_object_get(message, "id");
    if (p == NULL || (uint64_t)json_integer_value(id) != p->id) {
        return;
    }
    if (json_object_get(message, "alter_offsets") != NULL) {
        offsets_asked(self, p, message);
    } else if (group_offsets_is(p)) {
        group_offsets_answered(self, p, message);
        pending_remove(self, p);
    } else {
        change_validated(self, p, message);
    }
    inspector_next(self);
}

static void listed(herder *self, const json_t *message)
{
    size_t index;
    json_t *refused;
    json_array_foreach(json_object_get(message, "refused"), index, refused)
    {
        char *text = json_dumps(refused, JSON_ENCODE_ANY | JSON_COMPACT);
        act_log(self, SLUICE_WARN, "a plugin was refused and is not available: %s",
                text == NULL ? "" : text);
        free(text);
    }
    bool first = self->plugins == NULL;
    json_decref(self->plugins);
    self->plugins = json_incref(json_object_get(message, "plugins"));
    self->inspector_deaths = 0;
    if (first) {
        pending_plugins(self);
    }
}

void inspector_message(herder *self, json_t *message)
{
    json_t *part;
    if (json_is_array(json_object_get(message, "plugins"))) {
        listed(self, message);
    } else if (json_object_get(message, "validated") != NULL ||
               json_object_get(message, "group_offsets") != NULL ||
               json_object_get(message, "alter_offsets") != NULL) {
        answered(self, message);
    } else if ((part = json_object_get(message, "cluster")) != NULL) {
        const char *id = json_string_value(json_object_get(part, "id"));
        const char *fault = json_string_value(json_object_get(part, "error"));
        self->cluster_asked = false;
        if (id != NULL) {
            free(self->cluster_id);
            self->cluster_id = memory_text(id);
        } else if (fault != NULL) {
            act_log(self, SLUICE_WARN,
                    "the Kafka cluster cannot be reached: %s; its id is not known yet",
                    fault);
        }
    }
}

void inspector_exited(herder *self, const herder_event *event)
{
    char *obituary =
        host_slot_obituary(&self->inspector, "the inspection of plugins", event);
    host_slot_forget(&self->inspector);
    pending *p = in_hand(self);
    if (self->stopping) {
        free(obituary);
        return;
    }
    act_log(self, SLUICE_ERROR, "%s", obituary);
    if (p != NULL) {
        act_fault(self, p->id, 500, "%s", obituary);
        pending_remove(self, p);
    }
    if (self->plugins != NULL) {
        inspector_next(self);
    } else if (++self->inspector_deaths >= deaths_before_listing_max) {
        free(self->plugins_fault);
        self->plugins_fault = memory_text(obituary);
        pending_plugins(self);
    } else {
        self->inspector_at = self->now + retry_ms;
    }
    free(obituary);
}

static void kill_inspector(herder *self, const char *reason)
{
    if (self->inspector.id != 0 && !self->inspector.killed) {
        self->inspector.killed = true;
        self->inspector.reason = memory_text(reason);
        act_kill(self, self->inspector.id, SIGKILL);
    }
}

void inspector_overdue(herder *self)
{
    kill_inspector(self, "took too long and was killed");
}

/* It has nothing that is worth a grace time. */
void inspector_stop(herder *self)
{
    self->inspector_at = INT64_MAX;
    kill_inspector(self, "was stopped");
}

/* When the check in hand gives way to those that wait; INT64_MAX: it need not. */
static int64_t yield_at(const herder *self)
{
    const pending *p = in_hand(self);
    if (p == NULL || self->inspector.killed) {
        return INT64_MAX;
    }
    for (const pending *other = self->waiting; other != NULL; other = other->next) {
        if (other->phase == wait_validation && other != p) {
            return p->sent_at + check_ms_max;
        }
    }
    return INT64_MAX;
}

void inspector_tick(herder *self)
{
    host_slot_tick(self, &self->inspector, false);
    if (self->now >= yield_at(self)) {
        inspector_overdue(self);
    }
    if (self->now >= self->inspector_at) {
        inspector_start(self);
    }
}

int64_t inspector_deadline(const herder *self)
{
    int64_t first = host_slot_deadline(self, &self->inspector, false);
    int64_t yield = yield_at(self);
    first = yield < first ? yield : first;
    return first < self->inspector_at ? first : self->inspector_at;
}

/* --- Names. --- */

static const char *text_of(const json_t *plugin, const char *key)
{
    const char *text = json_string_value(json_object_get(plugin, key));
    return text == NULL ? "" : text;
}

const char *plugin_version(const json_t *plugin)
{
    const char *shown = text_of(plugin, "shown_version");
    return shown[0] == '\0' ? text_of(plugin, "version") : shown;
}

static bool is_connector(const json_t *plugin)
{
    const char *kind = text_of(plugin, "kind");
    return strcmp(kind, "source") == 0 || strcmp(kind, "sink") == 0;
}

static bool equal_short_name(const char *class, const char *suffix, const char *name)
{
    const char *dot = strrchr(class, '.');
    const char *simple = dot == NULL ? class : dot + 1;
    size_t len = strlen(simple), cut = strlen(suffix);
    if (strcmp(simple, name) == 0) {
        return true;
    }
    return len > cut && strcmp(simple + len - cut, suffix) == 0 &&
           strlen(name) == len - cut && strncmp(simple, name, len - cut) == 0;
}

/* Kafka's rule: the full name, the simple name, or that without its suffix; and our own
 * name. */
static bool is_called(const json_t *plugin, const char *name)
{
    size_t index;
    json_t *alias;
    if (strcmp(text_of(plugin, "name"), name) == 0 ||
        strcmp(text_of(plugin, "class"), name) == 0 ||
        equal_short_name(text_of(plugin, "class"), "Connector", name)) {
        return true;
    }
    json_array_foreach(json_object_get(plugin, "aliases"), index, alias)
    {
        const char *text = json_string_value(alias);
        if (text != NULL &&
            (strcmp(text, name) == 0 || equal_short_name(text, "Connector", name))) {
            return true;
        }
    }
    return false;
}

const json_t *plugin_find(const herder *self, const char *name, bool *ret_ambiguous)
{
    const json_t *found = NULL;
    size_t index;
    json_t *plugin;
    *ret_ambiguous = false;
    json_array_foreach(self->plugins, index, plugin)
    {
        if (is_connector(plugin) && is_called(plugin, name)) {
            *ret_ambiguous = found != NULL;
            found = plugin;
        }
    }
    return found;
}

const json_t *plugin_find_any(const herder *self, const char *name)
{
    bool ambiguous;
    const json_t *found = plugin_find(self, name, &ambiguous);
    size_t index;
    json_t *plugin;
    json_array_foreach(self->plugins, index, plugin)
    {
        if (found == NULL && is_called(plugin, name)) {
            found = plugin;
        }
    }
    return found;
}

char *plugin_available(const herder *self)
{
    char *list = memory_text("");
    size_t index;
    json_t *plugin;
    json_array_foreach(self->plugins, index, plugin)
    {
        if (!is_connector(plugin)) {
            continue;
        }
        const char *class = text_of(plugin, "class"), *kind = text_of(plugin, "kind");
        const char *version = plugin_version(plugin);
        char *longer =
            memory_print("%s%sPluginDesc{klass=class %s, name='%s', version='%s', "
                         "encodedVersion=%s, "
                         "type=%s, typeName='%s', location='%s'}",
                         list, list[0] == '\0' ? "" : ", ", class, class, version,
                         version, kind, kind, text_of(plugin, "path"));
        free(list);
        list = longer;
    }
    return list;
}

/* --- Listings. --- */

/* The order of Kafka Connect's answer: by kind, then by class. */
static int kind_rank(const json_t *plugin)
{
    static const char *const kinds[] = {"sink",      "source",    "transformation",
                                        "predicate", "converter", "header_converter"};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kinds[i], text_of(plugin, "kind")) == 0) {
            return (int)i;
        }
    }
    return (int)(sizeof kinds / sizeof kinds[0]);
}

static int compare_plugins(const void *left, const void *right)
{
    const json_t *a = *(const json_t *const *)left, *b = *(const json_t *const *)right;
    int by_kind = kind_rank(a) - kind_rank(b);
    return by_kind != 0 ? by_kind : strcmp(text_of(a, "class"), text_of(b, "class"));
}

/* Every converter can convert headers, and is listed for that once more; and there is
 * the one that every host has in itself. */
static json_t *with_header_converters(const json_t *plugins)
{
    json_t *all = json_copy((json_t *)plugins), *plugin;
    size_t index;
    json_array_foreach(plugins, index, plugin)
    {
        if (strcmp(text_of(plugin, "kind"), "converter") == 0) {
            json_t *again = json_copy(plugin);
            json_object_set_new(again, "kind", json_string("header_converter"));
            json_array_append_new(all, again);
        }
    }
    json_array_append_new(all, json_pack("{s:s, s:s, s:s}", "kind", "header_converter",
                                         "class",
                                         "org.apache.kafka.connect.storage."
                                         "SimpleHeaderConverter",
                                         "version", KAFKA_VERSION));
    return all;
}

json_t *plugin_listing(const herder *self, bool all)
{
    json_t *plugins = with_header_converters(self->plugins);
    size_t count = json_array_size(plugins);
    json_t **sorted = memory_take((count + 1) * sizeof(json_t *));
    for (size_t i = 0; i < count; i++) {
        sorted[i] = json_array_get(plugins, i);
    }
    qsort(sorted, count, sizeof *sorted, compare_plugins);
    json_t *listing = json_array();
    for (size_t i = 0; i < count; i++) {
        if (!all && !is_connector(sorted[i])) {
            continue;
        }
        json_t *entry = json_pack("{s:s, s:s}", "class", text_of(sorted[i], "class"),
                                  "type", text_of(sorted[i], "kind"));
        if (plugin_version(sorted[i])[0] != '\0') {
            json_object_set_new(entry, "version",
                                json_string(plugin_version(sorted[i])));
        }
        json_array_append_new(listing, entry);
    }
    free(sorted);
    json_decref(plugins);
    return listing;
}

static bool has_key(const json_t *keys, const char *name)
{
    size_t index;
    json_t *key;
    json_array_foreach(keys, index, key)
    {
        if (strcmp(text_of(key, "name"), name) == 0) {
            return true;
        }
    }
    return false;
}

json_t *plugin_keys(const json_t *plugin, const json_t *validated_body)
{
    json_t *keys = json_array();
    size_t index;
    json_t *entry;
    json_t *own = json_object_get(plugin, "keys");
    json_array_extend(keys, json_object_get(plugin, "given"));
    json_array_foreach(own, index, entry)
    {
        json_array_append(keys, entry);
    }
    json_array_foreach(json_object_get(validated_body, "configs"), index, entry)
    {
        json_t *definition = json_object_get(entry, "definition");
        if (json_is_object(definition) && !has_key(own, text_of(definition, "name"))) {
            json_array_append(keys, definition);
        }
    }
    return keys;
}
