/* Settings are shown, with where their values come from. */
#include "base/text.h"
#include "configs.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static bool is_own(const config_entity *entity, const config_entry *entry)
{
    int8_t source = entity->kind->source;
    if (source == CONFIG_FROM_BROKER && entity->name[0] == '\0') {
        source = CONFIG_FROM_BROKER_DEFAULT;
    }
    return entity->kind->resource == CONFIGS_OF_BROKER_LOGGER ||
           entry->config_source == source;
}

/* Some say of a thing that is not there that it is unknown. */
static sluice_status describe(configs_work *self, const config_entity *entity,
                              config_entries *ret_entries, sluice_error *err)
{
    sluice_status status = admin_describe_configs(self->client, entity->kind->resource,
                                                  entity->name, ret_entries, err);
    if (status == SLUICE_OK && ret_entries->error_code != ERROR_NONE) {
        self->refused = ret_entries->error_code;
        return admin_refused(err, ret_entries->error_code, ret_entries->error_message);
    }
    if (status == SLUICE_OK) {
        config_entries_sort(ret_entries);
    }
    return status;
}

sluice_status configs_own(configs_work *self, const config_entity *entity,
                          config_entries *ret_entries, sluice_error *err)
{
    sluice_status status = describe(self, entity, ret_entries, err);
    size_t kept = 0;
    for (size_t i = 0; status == SLUICE_OK && i < ret_entries->count; i++) {
        if (is_own(entity, &ret_entries->items[i])) {
            ret_entries->items[kept++] = ret_entries->items[i];
        }
    }
    ret_entries->count = status == SLUICE_OK ? kept : 0;
    return status;
}

static void print_value(message_text value)
{
    printf("%.*s", value.base == NULL ? 4 : (int)value.len,
           value.base == NULL ? "null" : value.base);
}

static void print_entry(const config_entry *entry)
{
    printf("  %.*s=", (int)entry->name.len, entry->name.base);
    print_value(entry->value);
    printf(" sensitive=%s synonyms={", entry->is_sensitive ? "true" : "false");
    for (size_t i = 0; i < entry->synonyms.count; i++) {
        const describe_configs_response_synonym *synonym = &entry->synonyms.items[i];
        printf("%s%s:%.*s=", i > 0 ? ", " : "", config_source_name(synonym->source),
               (int)synonym->name.len, synonym->name.base);
        print_value(synonym->value);
    }
    printf("}\n");
}

static json_t *entry_json(configs_work *self, const config_entry *entry)
{
    return json_pack(
        "{s:s,s:o,s:s,s:b}", "name", admin_text(self->client, entry->name), "value",
        entry->value.base == NULL ? json_null()
                                  : json_stringn(entry->value.base, entry->value.len),
        "source", config_source_name(entry->config_source), "sensitive",
        entry->is_sensitive);
}

static void print_head(const configs_work *self, const config_entity *entity)
{
    if (entity->name[0] == '\0') {
        printf("Default configs for %s in the cluster are:\n", entity->kind->plural);
    } else {
        printf("%s configs for %s %s are:\n", self->options->all ? "All" : "Dynamic",
               entity->kind->singular, entity->name);
    }
}

static sluice_status show(configs_work *self, const config_entity *entity, json_t *all,
                          sluice_error *err)
{
    config_entries entries;
    if (self->options->kafkas) {
        print_head(self, entity);
    }
    sluice_status status = self->options->all
                               ? describe(self, entity, &entries, err)
                               : configs_own(self, entity, &entries, err);
    if (status != SLUICE_OK) {
        return status;
    }
    json_t *list = json_array();
    bool several = self->entities[0].name == NULL;
    if (!self->options->kafkas && !self->options->json && several) {
        printf("%s %s\n", entity->kind->singular,
               entity->name[0] == '\0' ? "(all)" : entity->name);
    }
    for (size_t i = 0; i < entries.count; i++) {
        const config_entry *entry = &entries.items[i];
        if (self->options->json) {
            json_array_append_new(list, entry_json(self, entry));
        } else if (self->options->kafkas) {
            print_entry(entry);
        } else {
            printf("%s%.*s=", several ? "  " : "", (int)entry->name.len,
                   entry->name.base);
            print_value(entry->value);
            printf("\n");
        }
    }
    json_array_append_new(all, json_pack("{s:s,s:s,s:o}", "type", entity->kind->plural,
                                         "name", entity->name, "configs", list));
    return SLUICE_OK;
}

/* Names, in an arena. */
typedef struct name_list {
    const char **items;
    size_t count;
} name_list;

static int compare_names(const void *one, const void *other)
{
    return strcmp(*(const char *const *)one, *(const char *const *)other);
}

static bool is_listed(const name_list *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->items[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* All topics, or all brokers and then what all have. */
static void names_of_metadata(configs_work *self, const metadata_response *metadata,
                              bool topics, name_list *out)
{
    sluice_arena *arena = admin_arena(self->client);
    size_t count = topics ? metadata->topics.count : metadata->brokers.count;
    out->items = sluice_arena_take(arena, (count + 2) * sizeof *out->items);
    for (size_t i = 0; i < count; i++) {
        out->items[out->count++] =
            topics ? admin_text(self->client, metadata->topics.items[i].name)
                   : sluice_arena_print(arena, NULL, "%d",
                                        metadata->brokers.items[i].node_id);
    }
}

/* Groups and client metrics that have settings. */
static sluice_status names_of_resources(configs_work *self, int8_t resource,
                                        name_list *out, sluice_error *err)
{
    list_config_resources_request request;
    list_config_resources_response response;
    out->items = sluice_arena_take(admin_arena(self->client), sizeof *out->items);
    if (admin_version(self->client, ADMIN_ANY, API_LIST_CONFIG_RESOURCES) < 1) {
        return SLUICE_OK;
    }
    list_config_resources_request_init(&request);
    request.resource_types.items = &resource;
    request.resource_types.count = 1;
    sluice_status status = admin_call(
        self->client, ADMIN_ANY, API_LIST_CONFIG_RESOURCES, &request, &response, err);
    if (status != SLUICE_OK) {
        return status;
    }
    out->items =
        sluice_arena_take(admin_arena(self->client),
                          (response.config_resources.count + 1) * sizeof *out->items);
    for (size_t i = 0; i < response.config_resources.count; i++) {
        if (response.config_resources.items[i].resource_type == resource) {
            out->items[out->count++] = admin_text(
                self->client, response.config_resources.items[i].resource_name);
        }
    }
    return SLUICE_OK;
}

/* The groups that the brokers coordinate, with those that have settings. */
static sluice_status add_groups(configs_work *self, name_list *out, sluice_error *err)
{
    const metadata_response *metadata = NULL;
    sluice_status status = admin_metadata(self->client, false, &metadata, err);
    for (size_t i = 0; status == SLUICE_OK && i < metadata->brokers.count; i++) {
        list_groups_request request;
        list_groups_response response;
        list_groups_request_init(&request);
        status = admin_call(self->client, metadata->brokers.items[i].node_id,
                            API_LIST_GROUPS, &request, &response, err);
        if (status != SLUICE_OK) {
            return status;
        }
        size_t room = out->count + response.groups.count + 1;
        const char **all =
            sluice_arena_take(admin_arena(self->client), room * sizeof *all);
        memcpy(all, out->items, out->count * sizeof *all);
        out->items = all;
        for (size_t j = 0; j < response.groups.count; j++) {
            const char *group =
                admin_text(self->client, response.groups.items[j].group_id);
            if (!is_listed(out, group)) {
                out->items[out->count++] = group;
            }
        }
    }
    return status;
}

/* All that there are of a kind, in order. */
static sluice_status find_names(configs_work *self, const config_kind *kind,
                                name_list *out, sluice_error *err)
{
    const metadata_response *metadata = NULL;
    bool topics = kind->resource == CONFIGS_OF_TOPIC;
    sluice_status status = SLUICE_OK;
    *out = (name_list){0};
    if (topics || kind->resource == CONFIGS_OF_BROKER ||
        kind->resource == CONFIGS_OF_BROKER_LOGGER) {
        status = admin_metadata(self->client, topics, &metadata, err);
        if (status == SLUICE_OK) {
            names_of_metadata(self, metadata, topics, out);
        }
    } else {
        status = names_of_resources(self, kind->resource, out, err);
        if (status == SLUICE_OK && kind->resource == CONFIGS_OF_GROUP) {
            status = add_groups(self, out, err);
        }
    }
    if (status == SLUICE_OK && out->count > 0) {
        qsort(out->items, out->count, sizeof *out->items, compare_names);
    }
    return status;
}

static sluice_status describe_named(configs_work *self, const name_list *names,
                                    json_t *all, sluice_error *err)
{
    const config_entity *entity = &self->entities[0];
    if (entity->name[0] == '\0' || is_listed(names, entity->name) ||
        (self->options->all && self->options->kafkas)) {
        return show(self, entity, all, err);
    }
    if (!self->options->kafkas) {
        return sluice_fail(err, SLUICE_FATAL, "%s '%s' is not there",
                           entity->kind->singular, entity->name);
    }
    printf("The %s '%s' doesn't exist and doesn't have dynamic config.\n",
           entity->kind->singular, entity->name);
    return SLUICE_OK;
}

static sluice_status describe_each(configs_work *self, name_list *names, json_t *all,
                                   sluice_error *err)
{
    const config_kind *kind = self->entities[0].kind;
    sluice_status status = SLUICE_OK;
    if (kind->resource == CONFIGS_OF_BROKER) {
        names->items[names->count++] = "";
    }
    for (size_t i = 0; status == SLUICE_OK && i < names->count; i++) {
        config_entity entity = {kind, names->items[i]};
        status = show(self, &entity, all, err);
    }
    return status;
}

sluice_status configs_describe(configs_work *self, sluice_error *err)
{
    const config_kind *kind = self->entities[0].kind;
    if (kind->resource == 0) {
        return quotas_describe(self, err);
    }
    name_list names;
    json_t *all = json_array();
    sluice_status status = find_names(self, kind, &names, err);
    if (status == SLUICE_OK) {
        status = self->entities[0].name != NULL ? describe_named(self, &names, all, err)
                                                : describe_each(self, &names, all, err);
    }
    if (status == SLUICE_OK && self->options->json) {
        json_dumpf(all, stdout, JSON_COMPACT);
        printf("\n");
    }
    json_decref(all);
    return status;
}
