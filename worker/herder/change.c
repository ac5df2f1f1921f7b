/* What changes configurations: create, put, patch; and the check without a change.
 *
 * Each waits for the list of plugins, then for its turn at the inspector, and only then
 * becomes a change: a configuration with ten mistakes gives ten messages and leaves
 * everything as it was. */
#include "base/memory.h"
#include "base/text.h"
#include "base/version_range.h"
#include "restart_keys.h"
#include "state.h"
#include <stdlib.h>
#include <string.h>

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/* --- Before the check. --- */

/* As Java prints a map, for Kafka Connect's message; the name, which it adds, first. */
static char *print_map(const json_t *config)
{
    const char *own = text_of(config, "name");
    char *text = own == NULL ? memory_text("") : memory_print("name=%s", own);
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)config, key, value)
    {
        if (strcmp(key, "name") == 0 && own != NULL) {
            continue;
        }
        const char *shown = json_string_value(value);
        char *longer = memory_print("%s%s%s=%s", text, text[0] == '\0' ? "" : ", ", key,
                                    shown == NULL ? "null" : shown);
        free(text);
        text = longer;
    }
    return text;
}

/* Whether the class is a known one; else it has answered. */
static bool class_is_known(herder *self, pending *p)
{
    bool ambiguous;
    const char *class = text_of(p->body, "connector.class");
    if (class == NULL && p->operation == herder_plugin_config) {
        return true;
    }
    if (class == NULL) {
        char *shown = print_map(p->body);
        act_fault(self, p->id, 400, "Connector config {%s} contains no connector type",
                  shown);
        free(shown);
        return false;
    }
    char *trimmed = text_trimmed(class);
    const json_t *plugin = plugin_find(self, trimmed, &ambiguous);
    if (plugin == NULL || ambiguous) {
        char *available = plugin_available(self);
        act_fault(self, p->id, 400,
                  ambiguous
                      ? "More than one connector matches alias %s. Please use full "
                        "package and class name instead. Classes found: %s"
                      : "Failed to find any class that implements Connector and "
                        "which name matches %s, available connectors are: %s",
                  class, available);
        free(available);
    }
    free(trimmed);
    return plugin != NULL && !ambiguous;
}

static bool name_agrees(herder *self, pending *p)
{
    const char *name = text_of(p->body, "name");
    if (name != NULL && strcmp(name, p->name) != 0) {
        act_fault(
            self, p->id, 400,
            "Connector name configuration (%s) doesn't match connector name in the "
            "URL (%s)",
            name, p->name);
        return false;
    }
    if (name == NULL) {
        json_object_set_new(p->body, "name", json_string(p->name));
    }
    return true;
}

/* `class` without the suffix that Kafka Connect lets one leave out. */
static size_t stem(const char *class)
{
    size_t len = strlen(class);
    return text_ends(class, "Connector") ? len - strlen("Connector") : len;
}

static bool path_agrees(herder *self, pending *p)
{
    const char *class = text_of(p->body, "connector.class");
    if (class == NULL) {
        return true;
    }
    bool ambiguous;
    size_t class_len = stem(class), path_len = stem(p->name);
    const json_t *in_path = plugin_find(self, p->name, &ambiguous);
    if ((in_path != NULL && in_path == plugin_find(self, class, &ambiguous)) ||
        (class_len >= path_len &&
         strncmp(class + class_len - path_len, p->name, path_len) == 0)) {
        return true;
    }
    act_fault(self, p->id, 400,
              "Included connector type %s does not match request type %s", class,
              p->name);
    return false;
}

/* The stored configuration with the keys of the request put in, or taken out. */
static bool merge_patch(herder *self, pending *p)
{
    const connector *c = herder_connector_find(self, p->name);
    if (c == NULL) {
        act_fault(self, p->id, 404, "Connector %s not found", p->name);
        return false;
    }
    if (!json_is_object(p->body)) {
        act_fault(self, p->id, 400,
                  "the request has no body: it must be a map with the keys to set, and "
                  "null for those to take out");
        return false;
    }
    json_t *merged = json_copy(c->config);
    const char *key;
    json_t *value;
    json_object_foreach(p->body, key, value)
    {
        if (json_is_null(value)) {
            json_object_del(merged, key);
        } else {
            json_object_set(merged, key, value);
        }
    }
    json_decref(p->body);
    p->body = merged;
    return true;
}

/* Whether the plugin's version is one of those asked for; else it has answered. */
static bool version_agrees(herder *self, const pending *p, const json_t *plugin)
{
    const char *version = text_of(plugin, "version");
    const char *shown = plugin_version(plugin);
    if (p->version == NULL ||
        version_range_means(p->version, version,
                            strcmp(shown, version) == 0 ? NULL : shown)) {
        return true;
    }
    char *range = version_range_print(p->version);
    act_fault(self, p->id, 400,
              "Plugin %s not found that matches the version range %s, available "
              "versions: [%s]",
              text_of(plugin, "class"), range, shown);
    free(range);
    return false;
}

static bool admit_plugin_config(herder *self, pending *p)
{
    const json_t *plugin = plugin_find_any(self, p->name);
    if (plugin == NULL) {
        act_fault(self, p->id, 404, "Unknown plugin %s.", p->name);
        return false;
    }
    if (!version_agrees(self, p, plugin)) {
        return false;
    }
    const char *kind = text_of(plugin, "kind");
    if (kind != NULL && strcmp(kind, "source") != 0 && strcmp(kind, "sink") != 0) {
        act_answer(self, p->id, 200, plugin_keys(plugin, NULL));
        return false;
    }
    json_decref(p->body);
    p->body = json_pack("{s:s}", "connector.class", p->name);
    return true;
}

bool change_admit(herder *self, pending *p)
{
    switch ((int)p->operation) {
    case herder_plugin_config:
        return admit_plugin_config(self, p);
    case herder_validate:
        return path_agrees(self, p) && class_is_known(self, p);
    case herder_patch_config:
        return merge_patch(self, p) && name_agrees(self, p) && class_is_known(self, p);
    default:
        return name_agrees(self, p) && class_is_known(self, p);
    }
}

static void take_create(pending *p)
{
    const char *name = text_of(p->body, "name");
    char *trimmed = text_trimmed(name == NULL ? "" : name);
    free(p->name);
    p->name = trimmed;
    p->target = memory_text(text_of(p->body, "initial_state"));
    json_t *config = json_copy(json_object_get(p->body, "config"));
    json_decref(p->body);
    p->body = config;
}

void change_request(herder *self, const herder_request *request)
{
    pending *p = pending_add(self, request, wait_plugins);
    if (p->operation == herder_create) {
        take_create(p);
    } else if (p->body != NULL) {
        json_t *copy = json_copy(p->body);
        json_decref(p->body);
        p->body = copy;
    }
    if (self->plugins != NULL || self->plugins_fault != NULL) {
        pending_plugins(self);
    }
}

/* --- After it. --- */

static char *list_faults(const json_t *validated, size_t *ret_count)
{
    char *list = memory_text("");
    size_t index, number, count = 0;
    json_t *entry, *fault;
    json_array_foreach(json_object_get(validated, "configs"), index, entry)
    {
        json_t *value = json_object_get(entry, "value");
        json_array_foreach(json_object_get(value, "errors"), number, fault)
        {
            const char *text = json_string_value(fault);
            char *longer = memory_print("%s\n%s", list, text == NULL ? "" : text);
            free(list);
            list = longer;
            count++;
        }
    }
    *ret_count = count;
    return list;
}

static bool is_valid(herder *self, pending *p, const json_t *validated)
{
    size_t count;
    char *faults = list_faults(validated, &count);
    if (count > 0) {
        act_fault(self, p->id, 400,
                  "Connector configuration is invalid and contains the following %zu "
                  "error(s):%s\nYou can also find the above list of errors at the "
                  "endpoint `/connector-plugins/{connectorType}/config/validate`",
                  count, faults);
    }
    free(faults);
    return count == 0;
}

static void learn_plugin(herder *self, connector *c)
{
    bool ambiguous;
    const char *class = herder_connector_property(c, "connector.class");
    const json_t *plugin = class == NULL ? NULL : plugin_find(self, class, &ambiguous);
    if (plugin != NULL) {
        free(c->type);
        free(c->class);
        c->type = memory_text(text_of(plugin, "kind"));
        c->class = memory_text(text_of(plugin, "class"));
        free(c->version);
        c->version = memory_text(plugin_version(plugin));
    }
}

static void set_target(connector *c, const char *name)
{
    c->target = name == NULL || text_equal_nocase(name, "RUNNING") ||
                        text_equal_nocase(name, "STARTED")
                    ? target_started
                : text_equal_nocase(name, "PAUSED") ? target_paused
                                                    : target_stopped;
}

/* What is new and not wanted running has no host: it is paused or stopped as it is. */
static void begin(herder *self, connector *c)
{
    if (c->target == target_started) {
        herder_connector_bounce(self, c, state_unassigned);
    } else {
        c->state = c->target == target_paused ? state_paused : state_stopped;
    }
}

static void create(herder *self, pending *p)
{
    connector *c = herder_connector_add(self, p->name);
    herder_connector_set_config(c, p->body);
    set_target(c, p->target);
    learn_plugin(self, c);
    p->created = true;
    p->store = act_store_config(self, c);
    pending_to(self, p, wait_start);
    begin(self, c);
    pending_wake(self, c->name);
}

static void update(herder *self, pending *p, connector *c)
{
    bool same = json_equal(c->config, p->body) && c->state != state_failed;
    herder_connector_set_config(c, p->body);
    learn_plugin(self, c);
    p->store = act_store_config(self, c);
    pending_to(self, p, wait_start);
    if (c->target == target_paused && c->state != state_failed && !c->host.stopping) {
        c->outdated = c->outdated || !same; /* It is divided anew when it is resumed. */
    } else if (!same && c->target != target_stopped) {
        herder_connector_bounce(self, c, state_unassigned);
    }
    pending_wake(self, c->name);
}

static void change(herder *self, pending *p)
{
    connector *c = herder_connector_find(self, p->name);
    if (c != NULL && p->operation == herder_create) {
        act_fault(self, p->id, 409, "Connector %s already exists", p->name);
        pending_remove(self, p);
    } else if (c == NULL && p->operation == herder_patch_config) {
        act_fault(self, p->id, 404, "Connector %s not found", p->name);
        pending_remove(self, p);
    } else if (c == NULL) {
        create(self, p);
    } else {
        update(self, p, c);
    }
}

void change_validated(herder *self, pending *p, const json_t *message)
{
    json_t *validated = json_object_get(message, "validated");
    const char *broken = text_of(message, "error");
    p->sent = false;
    if (p->operation != herder_plugin_config) {
        restart_keys_check(p->body, validated);
    }
    if (broken != NULL) {
        act_fault(self, p->id, p->operation == herder_validate ? 500 : 400, "%s",
                  broken);
        pending_remove(self, p);
    } else if (p->operation == herder_plugin_config) {
        act_answer(self, p->id, 200,
                   plugin_keys(plugin_find_any(self, p->name), validated));
        pending_remove(self, p);
    } else if (p->operation == herder_validate) {
        act_answer(self, p->id, 200, json_incref(validated));
        pending_remove(self, p);
    } else if (!is_valid(self, p, validated)) {
        pending_remove(self, p);
    } else {
        change(self, p);
    }
}

void change_restore(herder *self, const json_t *stored)
{
    connector *c = herder_connector_add(self, text_of(stored, "name"));
    herder_connector_set_config(c, json_object_get(stored, "config"));
    set_target(c, text_of(stored, "target"));
    begin(self, c);
}
