/* A configuration is checked, key by key. */
#include "worker/host/validate.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/version_range.h"
#include "config/review.h"
#include "plugin/describe.h"
#include "worker/host/common_config.h"
#include "worker/host/entries.h"
#include "worker/host/overrides.h"
#include "worker/kafka_version.h"
#include <stdlib.h>
#include <string.h>

typedef struct validation {
    plugin_set *plugins;
    const sluice_props *config, *worker;
    entries entries;
} validation;

/* --- What can stand for a class. --- */

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? "" : text;
}

static int compare_texts(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* The classes of a kind, in the order of their names. `more`, unless NULL: one that no
 * plugin has. */
static json_t *classes_of(const validation *self, const char *kind, const char *more)
{
    const json_t *plugins = json_object_get(plugins_catalog(self->plugins), "plugins");
    const char **names = memory_take((json_array_size(plugins) + 1) * sizeof *names);
    size_t count = 0, index;
    json_t *feature, *list = json_array();
    json_array_foreach(plugins, index, feature)
    {
        if (strcmp(text_of(feature, "kind"), kind) == 0) {
            names[count++] = text_of(feature, "class");
        }
    }
    if (more != NULL) {
        names[count++] = more;
    }
    qsort(names, count, sizeof *names, compare_texts);
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(list, json_string(names[i]));
    }
    free(names);
    return list;
}

/* A key holds a class, `shown`, whose version another key may limit. */
static void show_class(validation *self, const char *name, const char *shown)
{
    if (sluice_props_get(self->config, name) != NULL) {
        json_object_set_new(entries_value(&self->entries, name), "value",
                            shown == NULL ? json_null() : json_string(shown));
    }
}

/* Which versions there are of what key `name` names, and whether the one that is asked
 * for, by key `version_name`, is among them. */
static bool check_version(validation *self, const char *name, const char *version_name,
                          const plugin_feature *plugin)
{
    const char *range = sluice_props_get(self->config, version_name);
    entries_default(&self->entries, version_name, plugin->shown_version);
    entries_recommend(&self->entries, version_name,
                      json_pack("[s]", plugin->shown_version));
    if (range == NULL ||
        version_range_means(range, plugin->version, plugin->is.stands_for)) {
        return true;
    }
    char *printed = version_range_print(range);
    char *text = memory_print("Plugin %s not found that matches the version range %s, "
                              "available versions: [%s]",
                              plugin->class_name, printed, plugin->shown_version);
    entries_fault(&self->entries, name, text);
    entries_fault(&self->entries, version_name, text);
    free(text);
    free(printed);
    return false;
}

/* --- Tables. --- */

/* `message` with the name of the key as it stands in the whole configuration: there
 * Kafka Connect has put the keys of transformations, but for what a validator of their
 * own says, and those of converters not. The caller's. */
static char *message_below(const char *prefix, const char *key, const char *message)
{
    static const char *const before[] = {" configuration ", " configuration \""};
    for (size_t i = 0; key != NULL && i < sizeof before / sizeof before[0]; i++) {
        char *named = memory_print("%s%s", before[i], key);
        const char *at = strstr(message, named);
        size_t before_len = strlen(before[i]);
        free(named);
        if (at != NULL && strstr(message, "Invalid regex") == NULL &&
            strcmp(key, "field.syntax.version") != 0) {
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
        char *name = key != NULL         ? memory_print("%s%s", prefix, key)
                     : prefix[0] == '\0' ? memory_text("connector.class")
                     : own               ? memory_copy(prefix, strlen(prefix) - 1)
                                         : memory_print("%stype", prefix);
        char *text =
            message_below(own ? "" : prefix, key, sluice_error_message(err, i));
        entries_fault(&self->entries, name, text);
        free(text);
        free(name);
    }
}

/* Keys and errors of a table below a prefix. `extra`, unless NULL: one more key that
 * the part sees. */
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
    entries_add(&self->entries, table, props, prefix, group);
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
        entries_fault(&self->entries, name, text);
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
    char *type = memory_print("%stype", prefix);
    const char *alias = sluice_props_get(self->config, predicate);
    const char *all = sluice_props_get(self->config, "predicates");
    size_t count;
    char **aliases = text_split(all == NULL ? "" : all, &count);
    if (alias != NULL && !has_alias(aliases, count, alias)) {
        char *text = memory_print("Invalid value %s for configuration %s: there is no "
                                  "such alias in 'predicates'",
                                  alias, predicate);
        entries_fault(&self->entries, predicate, text);
        free(text);
    }
    if (alias == NULL && sluice_props_has(self->config, negate)) {
        char *text =
            memory_print("Config '%s' was provided but there is no config '%s' "
                         "defining a predicate to be negated.",
                         negate, predicate);
        entries_fault(&self->entries, type, text);
        free(text);
    }
    free(aliases);
    free(type);
    free(negate);
    free(predicate);
}

/* Keys that every transformation or predicate has, as they are shown of this one. */
static void show_alias(validation *self, const char *prefix, const char *what,
                       const char *alias, const char *kind)
{
    static const char *const members[][2] = {{"type", "type"},
                                             {"version", "plugin.version"}};
    for (size_t i = 0; i < 2; i++) {
        char *name = memory_print("%s%s", prefix, members[i][1]);
        json_t *definition = entries_definition(&self->entries, name);
        char *title = memory_print("%s %s for %s", what, members[i][0], alias);
        json_object_set_new(definition, "display_name", json_string(title));
        json_object_set_new(definition, "order", json_integer((json_int_t)i));
        if (i == 0) {
            entries_recommend(&self->entries, name, classes_of(self, kind, NULL));
        }
        free(title);
        free(name);
    }
}

/* The keys of `prefix` from entry `first` on are its type and version, then all others
 * by their names; those of a class that is not known are not known either. */
static void order_alias(validation *self, size_t first, bool is_known)
{
    json_t *configs = self->entries.configs;
    if (is_known) {
        entries_sort(&self->entries, first + 2, 2);
        return;
    }
    for (size_t i = json_array_size(configs); i > first + 2; i--) {
        json_t *entry = json_array_get(configs, i - 1);
        json_t *faults = json_object_get(json_object_get(entry, "value"), "errors");
        if (json_array_size(faults) == 0) {
            json_array_remove(configs, i - 1);
        }
    }
}

typedef struct alias_kind {
    const char *list, *title, *what, *kind;
    sluice_kind of;
    const sluice_config *common;
} alias_kind;

static void check_alias(validation *self, const alias_kind *kind, const char *alias)
{
    char *prefix = memory_print("%s.%s.", kind->list, alias);
    char *group = memory_print("%s: %s", kind->title, alias);
    char *type = memory_print("%stype", prefix);
    char *version = memory_print("%splugin.version", prefix);
    size_t first = json_array_size(self->entries.configs);
    check_table(self, kind->common, prefix, group, NULL, NULL);
    const plugin_feature *plugin = named_plugin(self, kind->of, type);
    show_class(self, type, plugin == NULL ? NULL : plugin->class_name);
    if (plugin != NULL && check_version(self, type, version, plugin)) {
        check_table(self, plugin->is.config, prefix, group, NULL, NULL);
    }
    show_alias(self, prefix, kind->what, alias, kind->kind);
    if (kind->of == SLUICE_TRANSFORM) {
        check_predicate_of(self, prefix);
    }
    order_alias(self, first, plugin != NULL);
    free(version);
    free(type);
    free(group);
    free(prefix);
}

static void check_aliases(validation *self, const alias_kind *kind)
{
    const char *text = sluice_props_get(self->config, kind->list);
    size_t count;
    char **aliases = text_split(text == NULL ? "" : text, &count);
    for (size_t i = 0; i < count; i++) {
        if (!has_alias(aliases, i, aliases[i])) {
            check_alias(self, kind, aliases[i]);
        }
    }
    free(aliases);
}

/* --- Converters. --- */

static const char simple_header_class[] =
    "org.apache.kafka.connect.storage.SimpleHeaderConverter";

/* The converter that every plugin process has in itself. */
static bool is_simple_header(const char *role, const char *class_name)
{
    return strcmp(role, "header") == 0 &&
           text_ends(class_name, "SimpleHeaderConverter");
}

/* What the worker converts with where the connector does not say; NULL: nothing. */
static const char *worker_converter(const validation *self, const char *name)
{
    const char *given =
        self->worker == NULL ? NULL : sluice_props_get(self->worker, name);
    return self->worker == NULL                    ? NULL
           : given != NULL                         ? given
           : strcmp(name, "header.converter") == 0 ? simple_header_class
                                                   : NULL;
}

/* converter.type, which all of them have: whether keys, values or headers. */
static void add_converter_type(validation *self, const char *prefix, const char *role)
{
    json_t *definition = describe_converter_type();
    char *name = memory_print("%sconverter.type", prefix);
    json_object_set_new(definition, "name", json_string(name));
    entries_add_one(&self->entries,
                    json_pack("{s:o, s:{s:s, s:s, s:[], s:[], s:b}}", "definition",
                              definition, "value", "name", name, "value", role,
                              "recommended_values", "errors", "visible", 1));
    free(name);
}

static void check_converter_keys(validation *self, const char *role,
                                 const plugin_feature *plugin)
{
    char *prefix = memory_print("%s.converter.", role);
    if (plugin != NULL) {
        size_t first = json_array_size(self->entries.configs);
        add_converter_type(self, prefix, role);
        check_table(self, plugin->is.config, prefix, NULL, "converter.type", role);
        entries_order_as_map(&self->entries, first, prefix);
    }
    free(prefix);
}

/* What is shown of the keys X.converter and X.converter.plugin.version. */
static void show_converter(validation *self, const char *role, const char *name,
                           const char *class_name)
{
    bool is_header = strcmp(role, "header") == 0;
    entries_recommend(
        &self->entries, name,
        classes_of(self, "converter", is_header ? simple_header_class : NULL));
    entries_default(&self->entries, name, worker_converter(self, name));
    show_class(self, name, class_name);
}

static void check_converter(validation *self, const char *role)
{
    char *name = memory_print("%s.converter", role);
    char *version = memory_print("%s.converter.plugin.version", role);
    const char *own = sluice_props_get(self->config, name);
    const char *used = own == NULL ? worker_converter(self, name) : own;
    bool simple = used != NULL && is_simple_header(role, used);
    const plugin_feature *plugin =
        simple         ? NULL
        : own != NULL  ? named_plugin(self, SLUICE_CONVERTER, name)
        : used != NULL ? plugins_find(self->plugins, SLUICE_CONVERTER, used)
                       : NULL;
    plugin_feature built_in = {.version = SLUICE_VERSION,
                               .class_name = simple_header_class,
                               .shown_version = KAFKA_VERSION,
                               .is.stands_for = KAFKA_VERSION};
    const plugin_feature *shown = simple ? &built_in : plugin;
    show_converter(self, role, name, shown == NULL ? NULL : shown->class_name);
    if (shown == NULL && own != NULL) {
        json_object_set_new(entries_value(&self->entries, version), "visible",
                            json_false());
    } else if (shown != NULL && own == NULL) {
        entries_default(&self->entries, version, shown->shown_version);
        entries_recommend(&self->entries, version,
                          json_pack("[s]", shown->shown_version));
    } else if (shown != NULL && check_version(self, name, version, shown)) {
        check_converter_keys(self, role, plugin);
    }
    free(version);
    free(name);
}

/* --- Names, and the whole. --- */

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
                                           "host.cpu.max.percent",
                                           "host.nice",
                                           NULL};
    size_t count = json_array_size(self->entries.configs), index;
    const char **names = memory_zero((count + 1) * sizeof *names);
    json_t *entry;
    json_array_foreach(self->entries.configs, index, entry)
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

/* The keys that Kafka Connect has itself: it recommends classes only. */
static void check_common(validation *self, const plugin_feature *plugin)
{
    size_t index;
    json_t *entry;
    const sluice_config *table =
        plugin->is.kind == SLUICE_SOURCE ? &source_common_table : &sink_common_table;
    check_table(self, table, "", NULL, NULL, NULL);
    json_array_foreach(self->entries.configs, index, entry)
    {
        json_object_set_new(json_object_get(entry, "value"), "recommended_values",
                            json_array());
    }
}

static void check_parts(validation *self, const plugin_feature *plugin)
{
    static const alias_kind kinds[] = {
        {"transforms", "Transforms", "Transformation", "transformation",
         SLUICE_TRANSFORM, &transform_common_table},
        {"predicates", "Predicates", "Predicate", "predicate", SLUICE_PREDICATE,
         &predicate_common_table},
    };
    check_aliases(self, &kinds[0]);
    check_aliases(self, &kinds[1]);
    check_table(self, plugin->is.config, "", NULL, NULL, NULL);
    overrides_check(&self->entries, self->worker, plugin->is.kind == SLUICE_SOURCE);
    check_converter(self, "header");
    check_converter(self, "key");
    check_converter(self, "value");
    check_names(self, plugin->is.config);
}

/* Keys that nobody knows, without a value. */
static void check_nulls(validation *self)
{
    for (size_t i = 0; i < sluice_props_count(self->config); i++) {
        const char *name = sluice_props_name(self->config, i);
        if (sluice_props_value(self->config, i) == NULL &&
            entries_find(&self->entries, name) == NULL) {
            entries_fault_first(&self->entries, name, entries_null_text);
        }
    }
}

sluice_status validate_connector(plugin_set *plugins, const char *class_name,
                                 const sluice_props *config, const sluice_props *worker,
                                 json_t **ret_body, sluice_error *err)
{
    const plugin_feature *plugin;
    sluice_status status = plugins_find_connector(plugins, class_name, &plugin, err);
    if (status != SLUICE_OK) {
        return status;
    }
    validation self = {.plugins = plugins, .config = config, .worker = worker};
    entries_init(&self.entries, config);
    check_common(&self, plugin);
    if (check_version(&self, "connector.class", "connector.plugin.version", plugin)) {
        check_parts(&self, plugin);
    }
    check_nulls(&self);
    *ret_body = entries_body(&self.entries, class_name);
    return SLUICE_OK;
}
