/* A configuration is checked, key by key. */
#include "worker/host/validate.h"
#include "base/memory.h"
#include "base/text.h"
#include "config/review.h"
#include "plugin/describe.h"
#include "worker/host/common_config.h"
#include <stdlib.h>
#include <string.h>

typedef struct validation {
    plugin_set *plugins;
    const sluice_props *config;
    json_t *configs, *groups;
    json_int_t error_count;
} validation;

/* --- Entries: {"definition":…,"value":…}. --- */

static json_t *text_or_null(const char *text)
{
    json_t *json = text == NULL ? NULL : json_string(text);
    return json == NULL ? json_null() : json;
}

/* The classes that can stand for a key of type CLASS. */
static json_t *classes_of(const validation *self, const char *prefix)
{
    const char *kind = text_starts(prefix, "transforms.")   ? "transformation"
                       : text_starts(prefix, "predicates.") ? "predicate"
                                                            : "converter";
    json_t *list = json_array(), *feature;
    size_t index;
    json_array_foreach(json_object_get(plugins_catalog(self->plugins), "plugins"),
                       index, feature)
    {
        if (strcmp(json_string_value(json_object_get(feature, "kind")), kind) == 0) {
            json_array_append(list, json_object_get(feature, "class"));
        }
    }
    return list;
}

/* The entry of a key, or NULL. */
static json_t *find(const validation *self, const char *name)
{
    size_t index;
    json_t *entry;
    json_array_foreach(self->configs, index, entry)
    {
        const json_t *value = json_object_get(entry, "value");
        if (strcmp(json_string_value(json_object_get(value, "name")), name) == 0) {
            return entry;
        }
    }
    return NULL;
}

static void add_group(validation *self, const char *group)
{
    size_t index;
    json_t *known;
    json_array_foreach(self->groups, index, known)
    {
        if (strcmp(json_string_value(known), group) == 0) {
            return;
        }
    }
    json_array_append_new(self->groups, json_string(group));
}

/* An error of a key; one that has no definition gets an entry without one. */
static void add_error(validation *self, const char *name, const char *text)
{
    json_t *entry = find(self, name);
    if (entry == NULL) {
        entry = json_pack("{s:n,s:o}", "definition", "value",
                          json_pack("{s:s,s:o,s:[],s:[],s:b}", "name", name, "value",
                                    text_or_null(sluice_props_get(self->config, name)),
                                    "recommended_values", "errors", "visible", 1));
        json_array_append_new(self->configs, entry);
    }
    json_t *value = json_object_get(entry, "value");
    json_array_append_new(json_object_get(value, "errors"), json_string(text));
    self->error_count++;
}

static void set_prefixed(json_t *object, const char *member, const char *prefix)
{
    char *text = memory_print("%s%s", prefix,
                              json_string_value(json_object_get(object, member)));
    json_object_set_new(object, member, json_string(text));
    free(text);
}

/* Makes the entry of a table one of a whole configuration. */
static void place_entry(validation *self, json_t *entry, const char *prefix,
                        const char *group)
{
    json_t *definition = json_object_get(entry, "definition");
    json_t *value = json_object_get(entry, "value");
    set_prefixed(definition, "name", prefix);
    set_prefixed(definition, "display_name", prefix);
    set_prefixed(value, "name", prefix);
    if (group != NULL) {
        json_object_set_new(definition, "group", json_string(group));
    }
    const char *type = json_string_value(json_object_get(definition, "type"));
    if (type != NULL && strcmp(type, "CLASS") == 0) {
        json_object_set_new(value, "recommended_values", classes_of(self, prefix));
    }
    const char *shown = json_string_value(json_object_get(definition, "group"));
    if (shown != NULL) {
        add_group(self, shown);
    }
}

/* Entries of all keys of a table. A key that is there already is defined anew. */
static void add_keys(validation *self, const sluice_config *table,
                     const sluice_props *props, const char *prefix, const char *group)
{
    json_t *entries = describe_values(table, props, NULL), *entry;
    size_t index;
    json_array_foreach(entries, index, entry)
    {
        place_entry(self, entry, prefix, group);
        json_t *known = find(self, json_string_value(json_object_get(
                                       json_object_get(entry, "value"), "name")));
        if (known != NULL) {
            json_object_update(known, entry);
        } else {
            json_array_append(self->configs, entry);
        }
    }
    json_decref(entries);
}

/* `message` with the name of the key as it stands in the whole configuration: there
 * Kafka Connect has put the keys of transformations, those of converters not. The
 * caller's. */
static char *message_below(const char *prefix, const char *key, const char *message)
{
    static const char *const before[] = {" configuration ", " configuration \""};
    for (size_t i = 0; key != NULL && i < sizeof before / sizeof before[0]; i++) {
        char *named = memory_print("%s%s", before[i], key);
        const char *at = strstr(message, named);
        size_t before_len = strlen(before[i]);
        free(named);
        if (at != NULL && strstr(message, "Invalid regex") == NULL) {
            size_t len = (size_t)(at - message) + before_len;
            return memory_print("%.*s%s%s", (int)len, message, prefix, message + len);
        }
    }
    return memory_text(message);
}

static void add_errors(validation *self, const char *prefix, const sluice_error *err)
{
    bool own = text_ends(prefix, ".converter.");
    for (size_t i = 0; i < sluice_error_count(err); i++) {
        const char *key = sluice_error_key(err, i);
        char *name = key == NULL ? memory_text("connector.class")
                                 : memory_print("%s%s", prefix, key);
        char *text =
            message_below(own ? "" : prefix, key, sluice_error_message(err, i));
        add_error(self, name, text);
        free(text);
        free(name);
    }
}

/* Keys and errors of a table below a prefix. `skip` and `skip_value`, unless NULL: one
 * more key that the part sees. */
static void check_table(validation *self, const sluice_config *table,
                        const char *prefix, const char *group, const char *extra,
                        const char *extra_value)
{
    sluice_props *props = props_below(self->config, prefix);
    if (extra != NULL) {
        sluice_props_set(props, extra, extra_value);
    }
    sluice_error *err = sluice_error_new();
    void *parsed = NULL;
    add_keys(self, table, props, prefix, group);
    if (sluice_config_parse(table, props, &parsed, err) == SLUICE_OK) {
        sluice_config_free(table, parsed);
    } else {
        add_errors(self, prefix, err);
    }
    sluice_error_free(err);
    sluice_props_free(props);
}

/* --- The parts of a configuration. --- */

/* The plugin that key `name` names, or NULL, with an error when there is none. */
static const plugin_feature *named_plugin(validation *self, sluice_kind kind,
                                          const char *name)
{
    const char *class_name = sluice_props_get(self->config, name);
    if (class_name == NULL) {
        return NULL;
    }
    const plugin_feature *found = plugins_find(self->plugins, kind, class_name);
    if (found == NULL) {
        char *text =
            memory_print("Invalid value %s for configuration %s: Class %s could not be "
                         "found.",
                         class_name, name, class_name);
        add_error(self, name, text);
        free(text);
    }
    return found;
}

static bool has_alias(char *const *aliases, size_t count, const char *alias)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(aliases[i], alias) == 0) {
            return true;
        }
    }
    return false;
}

/* What a transformation asks must be there: Kafka Connect finds out when it starts. */
static void check_predicate_of(validation *self, const char *prefix)
{
    char *predicate = memory_print("%spredicate", prefix);
    char *negate = memory_print("%snegate", prefix);
    const char *alias = sluice_props_get(self->config, predicate);
    const char *all = sluice_props_get(self->config, "predicates");
    size_t count;
    char **aliases = text_split(all == NULL ? "" : all, &count);
    if (alias != NULL && !has_alias(aliases, count, alias)) {
        char *text = memory_print("Invalid value %s for configuration %s: there is no "
                                  "such alias in 'predicates'",
                                  alias, predicate);
        add_error(self, predicate, text);
        free(text);
    }
    if (alias == NULL && sluice_props_has(self->config, negate)) {
        char *text =
            memory_print("Config '%s' was provided but there is no config '%s' "
                         "defining a predicate to be negated.",
                         negate, predicate);
        add_error(self, negate, text);
        free(text);
    }
    free(aliases);
    free(negate);
    free(predicate);
}

static void check_aliases(validation *self, const char *list, const char *title,
                          sluice_kind kind, const sluice_config *common)
{
    const char *text = sluice_props_get(self->config, list);
    size_t count;
    char **aliases = text_split(text == NULL ? "" : text, &count);
    for (size_t i = 0; i < count; i++) {
        char *prefix = memory_print("%s.%s.", list, aliases[i]);
        char *group = memory_print("%s: %s", title, aliases[i]);
        char *type = memory_print("%stype", prefix);
        check_table(self, common, prefix, group, NULL, NULL);
        const plugin_feature *plugin = named_plugin(self, kind, type);
        if (plugin != NULL) {
            check_table(self, plugin->is.config, prefix, group, NULL, NULL);
        }
        if (kind == SLUICE_TRANSFORM) {
            check_predicate_of(self, prefix);
        }
        free(type);
        free(group);
        free(prefix);
    }
    free(aliases);
}

static void check_converter(validation *self, const char *role)
{
    char *name = memory_print("%s.converter", role);
    char *prefix = memory_print("%s.converter.", role);
    const char *class_name = sluice_props_get(self->config, name);
    bool simple = class_name != NULL && strcmp(role, "header") == 0 &&
                  text_ends(class_name, "SimpleHeaderConverter");
    const plugin_feature *plugin =
        simple ? plugins_find(self->plugins, SLUICE_CONVERTER, class_name)
               : named_plugin(self, SLUICE_CONVERTER, name);
    if (plugin != NULL) {
        check_table(self, plugin->is.config, prefix, NULL, "converter.type", role);
    }
    free(prefix);
    free(name);
}

/* Keys that are nearly known ones. */
static void check_names(validation *self, const sluice_config *plugin_table)
{
    static const char *const prefixes[] = {"transforms.",
                                           "predicates.",
                                           "key.converter.",
                                           "value.converter.",
                                           "header.converter.",
                                           "producer.override.",
                                           "consumer.override.",
                                           "admin.override.",
                                           "topic.creation.",
                                           "restart.",
                                           "host.call.timeout.ms",
                                           "host.memory.max.bytes",
                                           "host.open.files.max",
                                           "host.nice",
                                           NULL};
    size_t count = json_array_size(self->configs), index;
    const char **names = memory_zero((count + 1) * sizeof *names);
    json_t *entry;
    json_array_foreach(self->configs, index, entry)
    {
        names[index] =
            json_string_value(json_object_get(json_object_get(entry, "value"), "name"));
    }
    config_names known = {.table = plugin_table, .names = names, .prefixes = prefixes};
    sluice_error *err = sluice_error_new();
    sluice_props *notes = sluice_props_new();
    if (config_review(&known, self->config, notes, err) != SLUICE_OK) {
        add_errors(self, "", err);
    }
    for (size_t i = 0; i < sluice_props_count(notes); i++) {
        sluice_log(SLUICE_WARN, "worker.config", "%s", sluice_props_value(notes, i));
    }
    sluice_props_free(notes);
    sluice_error_free(err);
    free(names);
}

sluice_status validate_connector(plugin_set *plugins, const char *class_name,
                                 const sluice_props *config, json_t **ret_body,
                                 sluice_error *err)
{
    const plugin_feature *plugin;
    sluice_status status = plugins_find_connector(plugins, class_name, &plugin, err);
    if (status != SLUICE_OK) {
        return status;
    }
    validation self = {.plugins = plugins,
                       .config = config,
                       .configs = json_array(),
                       .groups = json_array()};
    check_table(&self,
                plugin->is.kind == SLUICE_SOURCE ? &source_common_table
                                                 : &sink_common_table,
                "", NULL, NULL, NULL);
    check_aliases(&self, "transforms", "Transforms", SLUICE_TRANSFORM,
                  &transform_common_table);
    check_aliases(&self, "predicates", "Predicates", SLUICE_PREDICATE,
                  &predicate_common_table);
    check_table(&self, plugin->is.config, "", NULL, NULL, NULL);
    check_converter(&self, "header");
    check_converter(&self, "key");
    check_converter(&self, "value");
    check_names(&self, plugin->is.config);
    *ret_body =
        json_pack("{s:s,s:I,s:o,s:o}", "name", class_name, "error_count",
                  self.error_count, "groups", self.groups, "configs", self.configs);
    return SLUICE_OK;
}
