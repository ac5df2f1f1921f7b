/* DescribeConfigs and IncrementalAlterConfigs. */
#include "admin_configs.h"
#include "base/text.h"
#include <stdlib.h>
#include <string.h>

const char *config_source_name(int8_t source)
{
    static const char *const names[] = {
        "UNKNOWN",
        "DYNAMIC_TOPIC_CONFIG",
        "DYNAMIC_BROKER_CONFIG",
        "DYNAMIC_DEFAULT_BROKER_CONFIG",
        "STATIC_BROKER_CONFIG",
        "DEFAULT_CONFIG",
        "DYNAMIC_BROKER_LOGGER_CONFIG",
        "DYNAMIC_CLIENT_METRICS_CONFIG",
        "DYNAMIC_GROUP_CONFIG",
    };
    enum { count = sizeof names / sizeof *names };
    return source > 0 && source < count ? names[source] : names[0];
}

static void take_result(describe_configs_response_result *result,
                        config_entries *ret_entries)
{
    *ret_entries = (config_entries){.items = result->configs.items,
                                    .count = result->configs.count,
                                    .error_code = result->error_code,
                                    .error_message = result->error_message};
}

static sluice_status ask(admin *self, int32_t node,
                         describe_configs_request_resource *resources, size_t count,
                         describe_configs_response *ret_response, sluice_error *err)
{
    describe_configs_request request;
    describe_configs_request_init(&request);
    request.resources.items = resources;
    request.resources.count = count;
    request.include_synonyms = true;
    sluice_status status =
        admin_call(self, node, API_DESCRIBE_CONFIGS, &request, ret_response, err);
    if (status == SLUICE_OK && ret_response->results.count != count) {
        status = sluice_fail(err, SLUICE_FATAL,
                             "the broker described %zu of %zu things that were asked "
                             "for",
                             ret_response->results.count, count);
    }
    return status;
}

/* Which broker knows about `type` `name`: of itself only a broker does. */
static int32_t knower(int8_t type, const char *name)
{
    int32_t id = ADMIN_ANY;
    if (type == CONFIGS_OF_BROKER || type == CONFIGS_OF_BROKER_LOGGER) {
        return text_to_int32(name, &id) && id >= 0 ? id : ADMIN_ANY;
    }
    return ADMIN_ANY;
}

sluice_status admin_describe_configs(admin *self, int8_t type, const char *name,
                                     config_entries *ret_entries, sluice_error *err)
{
    describe_configs_response response;
    describe_configs_request_resource resource = {
        .resource_type = type,
        .resource_name = message_text_of(name),
    };
    sluice_status status = ask(self, knower(type, name), &resource, 1, &response, err);
    if (status == SLUICE_OK) {
        take_result(&response.results.items[0], ret_entries);
    }
    return status;
}

sluice_status admin_describe_topic_configs(admin *self, const char *const *topics,
                                           size_t count, config_entries *ret_entries,
                                           sluice_error *err)
{
    describe_configs_response response;
    describe_configs_request_resource *resources =
        sluice_arena_take(admin_arena(self), (count + 1) * sizeof *resources);
    for (size_t i = 0; i < count; i++) {
        resources[i] = (describe_configs_request_resource){
            .resource_type = CONFIGS_OF_TOPIC,
            .resource_name = message_text_of(topics[i]),
        };
    }
    sluice_status status = ask(self, ADMIN_ANY, resources, count, &response, err);
    for (size_t i = 0; i < count && status == SLUICE_OK; i++) {
        ret_entries[i] = (config_entries){0};
        for (size_t j = 0; j < count; j++) {
            /* Kafka answers in an order of its own. */
            if (message_text_is(response.results.items[j].resource_name, topics[i])) {
                take_result(&response.results.items[j], &ret_entries[i]);
            }
        }
    }
    return status;
}

static int compare_texts(message_text one, message_text other)
{
    size_t least = one.len < other.len ? one.len : other.len;
    int order = least == 0 ? 0 : memcmp(one.base, other.base, least);
    return order != 0 ? order : (one.len > other.len) - (one.len < other.len);
}

static int compare_names(const void *one, const void *other)
{
    return compare_texts(((const config_entry *)one)->name,
                         ((const config_entry *)other)->name);
}

void config_entries_sort(config_entries *self)
{
    if (self->count > 0) {
        qsort(self->items, self->count, sizeof *self->items, compare_names);
    }
}

/* The place of `name` in a table of HashMap's of `room` buckets. */
static uint32_t bucket(message_text name, uint32_t room)
{
    uint32_t hash = 0;
    for (size_t i = 0; i < name.len; i++) {
        hash = hash * 31 + (uint8_t)name.base[i];
    }
    return (hash ^ hash >> 16) & (room - 1);
}

void config_entries_scatter(config_entries *self)
{
    uint32_t room = 16;
    while (self->count > room / 4 * 3) {
        room *= 2;
    }
    for (size_t i = 1; i < self->count; i++) {
        config_entry entry = self->items[i];
        size_t at = i;
        while (at > 0 &&
               bucket(self->items[at - 1].name, room) > bucket(entry.name, room)) {
            self->items[at] = self->items[at - 1];
            at--;
        }
        self->items[at] = entry;
    }
}

sluice_status admin_change_configs(admin *self, int8_t type, const char *name,
                                   config_change *changes, size_t count,
                                   int16_t *ret_code, sluice_error *err)
{
    incremental_alter_configs_response response;
    incremental_alter_configs_request_resource resource = {
        .resource_type = type,
        .resource_name = message_text_of(name),
        .configs = {changes, count},
    };
    incremental_alter_configs_request request;
    incremental_alter_configs_request_init(&request);
    request.resources.items = &resource;
    request.resources.count = 1;
    *ret_code = ERROR_NONE;
    sluice_status status =
        admin_call(self, knower(type, name), API_INCREMENTAL_ALTER_CONFIGS, &request,
                   &response, err);
    if (status != SLUICE_OK || response.responses.count == 0 ||
        response.responses.items[0].error_code == ERROR_NONE) {
        return status;
    }
    *ret_code = response.responses.items[0].error_code;
    return admin_refused(err, *ret_code, response.responses.items[0].error_message);
}
