/* What a validation answers, key by key. */
#include "worker/host/entries.h"
#include "base/memory.h"
#include "plugin/describe.h"
#include "worker/host/java_order.h"
#include <stdlib.h>
#include <string.h>

const char entries_null_text[] =
    "Null value can not be supplied as the configuration value.";

void entries_init(entries *self, const sluice_props *config)
{
    *self =
        (entries){.config = config, .configs = json_array(), .groups = json_array()};
}

void entries_fault_first(entries *self, const char *name, const char *text)
{
    entries_fault(self, name, text);
    size_t last = json_array_size(self->configs) - 1;
    json_t *entry = json_incref(json_array_get(self->configs, last));
    json_array_remove(self->configs, last);
    json_array_insert_new(self->configs, 0, entry);
}

json_t *entries_body(entries *self, const char *name)
{
    json_t *body =
        json_pack("{s:s,s:I,s:o,s:o}", "name", name, "error_count", self->error_count,
                  "groups", self->groups, "configs", self->configs);
    *self = (entries){0};
    return body;
}

static const char *name_of(const json_t *entry)
{
    const json_t *value = json_object_get(entry, "value");
    return json_string_value(json_object_get(value, "name"));
}

json_t *entries_find(const entries *self, const char *name)
{
    size_t index;
    json_t *entry;
    json_array_foreach(self->configs, index, entry)
    {
        if (strcmp(name_of(entry), name) == 0) {
            return entry;
        }
    }
    return NULL;
}

json_t *entries_definition(const entries *self, const char *name)
{
    return json_object_get(entries_find(self, name), "definition");
}

json_t *entries_value(const entries *self, const char *name)
{
    return json_object_get(entries_find(self, name), "value");
}

static void add_group(entries *self, const char *group)
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

static json_t *text_or_null(const char *text)
{
    json_t *json = text == NULL ? NULL : json_string(text);
    return json == NULL ? json_null() : json;
}

void entries_fault(entries *self, const char *name, const char *text)
{
    if (entries_find(self, name) == NULL) {
        const char *given = sluice_props_get(self->config, name);
        json_t *value = json_pack("{s:s,s:o,s:[],s:[],s:b}", "name", name, "value",
                                  text_or_null(given), "recommended_values", "errors",
                                  "visible", 1);
        json_array_append_new(self->configs,
                              json_pack("{s:n,s:o}", "definition", "value", value));
    }
    json_array_append_new(json_object_get(entries_value(self, name), "errors"),
                          json_string(text));
    self->error_count++;
}

void entries_add_one(entries *self, json_t *entry_taken)
{
    const json_t *definition = json_object_get(entry_taken, "definition");
    const char *group = json_string_value(json_object_get(definition, "group"));
    json_t *known = entries_find(self, name_of(entry_taken));
    if (group != NULL) {
        add_group(self, group);
    }
    if (known != NULL) {
        json_object_update(known, entry_taken);
        json_decref(entry_taken);
    } else {
        json_array_append_new(self->configs, entry_taken);
    }
}

static void set_name(json_t *object, const char *prefix)
{
    char *text = memory_print("%s%s", prefix,
                              json_string_value(json_object_get(object, "name")));
    json_object_set_new(object, "name", json_string(text));
    free(text);
}

void entries_add(entries *self, const sluice_config *table, const sluice_props *props,
                 const char *prefix, const char *group)
{
    json_t *added = describe_values(table, props, NULL), *entry;
    size_t index;
    json_array_foreach(added, index, entry)
    {
        json_t *definition = json_object_get(entry, "definition");
        set_name(definition, prefix);
        set_name(json_object_get(entry, "value"), prefix);
        if (prefix[0] != '\0') {
            json_object_set_new(json_object_get(entry, "value"), "recommended_values",
                                json_array());
        }
        if (group != NULL) {
            json_object_set_new(definition, "group", json_string(group));
        }
        entries_add_one(self, json_incref(entry));
    }
    json_decref(added);
}

void entries_default(entries *self, const char *name, const char *value)
{
    if (entries_find(self, name) != NULL) {
        json_object_set_new(entries_definition(self, name), "default_value",
                            text_or_null(value));
    }
    if (entries_find(self, name) != NULL && !sluice_props_has(self->config, name)) {
        json_object_set_new(entries_value(self, name), "value", text_or_null(value));
    }
}

void entries_recommend(entries *self, const char *name, json_t *values_taken)
{
    json_t *value = entries_value(self, name);
    if (value == NULL) {
        json_decref(values_taken);
    } else {
        json_object_set_new(value, "recommended_values", values_taken);
    }
}

/* 0: must be given; then by importance. */
static int rank_of(const json_t *entry)
{
    static const char *const importances[] = {"HIGH", "MEDIUM", "LOW"};
    const json_t *definition = json_object_get(entry, "definition");
    const char *importance =
        json_string_value(json_object_get(definition, "importance"));
    int rank = 1;
    if (importance == NULL || json_is_true(json_object_get(definition, "required"))) {
        return importance == NULL ? 4 : 0;
    }
    while (rank < 3 && strcmp(importances[rank - 1], importance) != 0) {
        rank++;
    }
    return rank;
}

static int compare_keys(const void *left, const void *right)
{
    const json_t *a = *(const json_t *const *)left, *b = *(const json_t *const *)right;
    int by_rank = rank_of(a) - rank_of(b);
    return by_rank != 0 ? by_rank : strcmp(name_of(a), name_of(b));
}

void entries_sort(entries *self, size_t first, int order)
{
    size_t count = json_array_size(self->configs);
    json_t **sorted = memory_take((count + 1) * sizeof(json_t *));
    for (size_t i = first; i < count; i++) {
        sorted[i] = json_incref(json_array_get(self->configs, i));
    }
    if (first < count) {
        qsort(sorted + first, count - first, sizeof *sorted, compare_keys);
    }
    for (size_t i = first; i < count; i++) {
        json_t *definition = json_object_get(sorted[i], "definition");
        if (json_is_object(definition)) {
            json_object_set_new(definition, "order", json_integer(order++));
        }
        json_array_set_new(self->configs, i, sorted[i]);
    }
    free(sorted);
}

void entries_order_as_map(entries *self, size_t first, const char *prefix)
{
    size_t count = json_array_size(self->configs), len = strlen(prefix);
    const char **names = memory_take((count + 1) * sizeof *names);
    json_t **entries_of = memory_take((count + 1) * sizeof(json_t *));
    for (size_t i = first; i < count; i++) {
        names[i - first] = name_of(json_array_get(self->configs, i)) + len;
    }
    java_order(names, count - first, false);
    for (size_t i = first; i < count; i++) {
        entries_of[i] = json_incref(entries_find(self, names[i - first] - len));
    }
    for (size_t i = first; i < count; i++) {
        json_array_set_new(self->configs, i, entries_of[i]);
    }
    free(entries_of);
    free(names);
}
