/* Features, keys and values as JSON. */
#include "describe.h"
#include "../base/buffer.h"
#include "../base/memory.h"
#include "../base/text.h"
#include "../config/key.h"
#include <stdlib.h>
#include <string.h>

static json_t *text_or_null(const char *text)
{
    return text == NULL ? json_null() : json_string(text);
}

/* A key's place among those of its group, from 1; -1 without a group, as in Kafka. */
static int order_of(const sluice_config *table, size_t index, const sluice_key *shown)
{
    sluice_key key;
    int order = 1;
    bool has_group = shown->group != NULL && shown->group[0] != '\0';
    if (!has_group || shown->order != 0) {
        return !has_group ? -1 : shown->order < 0 ? 0 : shown->order;
    }
    for (size_t i = 0; i < index && config_key(table, i, &key); i++) {
        order += key.unused == NULL && key.group != NULL &&
                 strcmp(key.group, shown->group) == 0;
    }
    return order;
}

static json_t *describe_key(const sluice_config *table, size_t index,
                            const sluice_key *key)
{
    return json_pack(
        "{s:s, s:s, s:b, s:o, s:s, s:s, s:o, s:s, s:s, s:[], s:i}", "name", key->name,
        "type", key_type_name(key), "required", key_is_required(key), "default_value",
        text_or_null(key_default(key)), "importance", key_importance_name(key),
        "documentation", key->doc == NULL ? "" : key->doc, "group",
        text_or_null(key->group), "width", key_width_name(key), "display_name",
        key->title == NULL ? key->name : key->title, "dependents", "order",
        order_of(table, index, key));
}

json_t *describe_keys(const sluice_config *table)
{
    json_t *keys = json_array();
    sluice_key key;
    for (size_t i = 0; config_key(table, i, &key); i++) {
        if (key.unused == NULL) {
            json_array_append_new(keys, describe_key(table, i, &key));
        }
    }
    return keys;
}

/* What is said of one key, the caller's text; NULL: nothing. */
typedef char *(*remark)(const sluice_key *key);

/* {name: remark} of the keys that have one. */
static json_t *remarks(const sluice_config *table, remark of)
{
    json_t *found = json_object();
    sluice_key key;
    for (size_t i = 0; config_key(table, i, &key); i++) {
        char *text = of(&key);
        if (text != NULL) {
            json_object_set_new(found, key.name, json_string(text));
        }
        free(text);
    }
    return found;
}

static char *unused_of(const sluice_key *key)
{
    return memory_text(key->unused);
}

static char *deprecated_of(const sluice_key *key)
{
    return memory_text(key->instead);
}

static char *choices_of(const sluice_key *key)
{
    buffer text = BUFFER_INIT;
    for (size_t i = 0; key->choices[i] != NULL; i++) {
        buffer_print(&text, "%s%s", i == 0 ? "" : ", ", key->choices[i]);
    }
    return buffer_take(&text, NULL);
}

static bool is_number(const sluice_key *key)
{
    return key->type == SLUICE_INT || key->type == SLUICE_LONG ||
           key->type == SLUICE_DOUBLE || key->type == SLUICE_DURATION ||
           key->type == SLUICE_SIZE;
}

static char *allowed_of(const sluice_key *key)
{
    if (key->choices != NULL) {
        return choices_of(key);
    }
    if (key->min == 0 && key->max == 0) {
        return NULL;
    }
    if (!is_number(key)) {
        return memory_text("not empty");
    }
    if (key->max == 0 && key->min > 0) {
        return memory_print("at least %lld", (long long)key->min);
    }
    return memory_print("%lld to %lld", (long long)key->min, (long long)key->max);
}

json_t *describe_table(const sluice_config *table)
{
    return json_pack("{s:o, s:o, s:o, s:o}", "keys", describe_keys(table), "allowed",
                     remarks(table, allowed_of), "deprecated",
                     remarks(table, deprecated_of), "unused",
                     remarks(table, unused_of));
}

json_t *describe_converter_type(void)
{
    static const sluice_key keys[] = {
        {.name = "converter.type",
         .doc = "Whether it converts keys, values or headers; the worker says which.",
         .type = SLUICE_STRING,
         .importance = SLUICE_LOW},
        {0},
    };
    static const sluice_config table = {
        .size = sizeof table, .key_size = sizeof(sluice_key), .keys = keys};
    return describe_key(&table, 0, &keys[0]);
}

json_t *describe_feature(const plugin_feature *feature)
{
    json_t *aliases = json_array();
    const char *const *alias = feature->is.aliases;
    for (size_t i = 0; alias != NULL && alias[i] != NULL; i++) {
        json_array_append_new(aliases, json_string(alias[i]));
    }
    json_t *described = json_pack(
        "{s:s, s:s, s:s, s:o, s:s, s:s, s:s, s:o, s:s, s:s, s:o}", "kind",
        feature_kind_name(feature->is.kind), "name", feature->is.name, "class",
        feature->class_name, "aliases", aliases, "plugin", feature->plugin, "version",
        feature->version, "shown_version", feature->shown_version, "license",
        text_or_null(feature->license), "path", feature->path, "summary",
        feature->is.summary, "doc", text_or_null(feature->is.doc));
    if (feature->is.kind == SLUICE_CONVERTER) {
        json_object_set_new(described, "given",
                            json_pack("[o]", describe_converter_type()));
    }
    json_t *table = describe_table(feature->is.config);
    json_object_update(described, table);
    json_decref(table);
    return described;
}

static json_t *faults_of(const sluice_error *faults, const char *name)
{
    json_t *messages = json_array();
    for (size_t i = 0; i < sluice_error_count(faults); i++) {
        const char *key = sluice_error_key(faults, i);
        if (key != NULL && strcmp(key, name) == 0) {
            json_array_append_new(messages,
                                  json_string(sluice_error_message(faults, i)));
        }
    }
    return messages;
}

/* `text` as Kafka Connect shows a value that was read: NULL where it cannot be. The
 * caller's. */
static char *text_as_read(const sluice_key *key, const char *text)
{
    union {
        bool boolean;
        int32_t integer;
        int64_t longer;
        double number;
        const char *text;
        sluice_list list;
        sluice_family family;
    } field;
    sluice_key plain = *key;
    plain.min = plain.max = 0;
    plain.choices = NULL;
    plain.type = key->type == SLUICE_ENUM ? SLUICE_STRING : key->type;
    sluice_arena *arena = sluice_arena_new();
    char *shown = NULL;
    if (key_parse(&plain, text, arena, &field, NULL) != SLUICE_OK) {
        sluice_arena_free(arena);
        return NULL;
    }
    if (plain.type == SLUICE_BOOL) {
        shown = memory_text(field.boolean ? "true" : "false");
    } else if (plain.type == SLUICE_INT) {
        shown = memory_print("%d", (int)field.integer);
    } else if (plain.type == SLUICE_LONG) {
        shown = memory_print("%lld", (long long)field.longer);
    } else if (plain.type == SLUICE_LIST) {
        buffer joined = BUFFER_INIT;
        for (size_t i = 0; i < field.list.count; i++) {
            buffer_print(&joined, "%s%s", i == 0 ? "" : ",", field.list.items[i]);
        }
        shown = buffer_take(&joined, NULL);
    } else {
        shown = text_trimmed(text);
    }
    sluice_arena_free(arena);
    return shown;
}

static json_t *value_of(const sluice_key *key, const sluice_props *props)
{
    const char *text = sluice_props_has(props, key->name)
                           ? sluice_props_get(props, key->name)
                           : key_default(key);
    if (text == NULL || key->type == SLUICE_PASSWORD) {
        return text == NULL ? json_null() : json_string("[hidden]");
    }
    char *shown = text_as_read(key, text);
    json_t *value = text_or_null(shown);
    free(shown);
    return value;
}

static json_t *recommended(const sluice_key *key)
{
    json_t *values = json_array();
    for (size_t i = 0; key->choices != NULL && key->choices[i] != NULL; i++) {
        json_array_append_new(values, json_string(key->choices[i]));
    }
    return values;
}

json_t *describe_values(const sluice_config *table, const sluice_props *props,
                        const sluice_error *faults)
{
    json_t *values = json_array();
    sluice_key key;
    for (size_t i = 0; config_key(table, i, &key); i++) {
        if (key.unused != NULL) {
            continue;
        }
        json_t *value =
            json_pack("{s:s, s:o, s:o, s:o, s:b}", "name", key.name, "value",
                      value_of(&key, props), "recommended_values", recommended(&key),
                      "errors", faults_of(faults, key.name), "visible", 1);
        json_array_append_new(values,
                              json_pack("{s:o, s:o}", "definition",
                                        describe_key(table, i, &key), "value", value));
    }
    return values;
}
