/* AlterConfigs, which replaces all of a topic's own configs, and
 * IncrementalAlterConfigs, which changes single ones. */
#include "base/text.h"
#include "broker/request/handler.h"
#include <stdlib.h>
#include <string.h>

enum {
    resource_topic = 2,
    operation_set = 0,
    operation_delete = 1,
    operation_append = 2,
    operation_subtract = 3,
};

/* What a resource's configs become. */
typedef struct change {
    request *owner;
    config_pair *pairs;
    size_t count;
    bool validate_only;
} change;

static char *text_of(request *self, message_text text)
{
    return sluice_arena_copy(request_arena(self), text.base == NULL ? "" : text.base,
                             text.len);
}

static config_pair *find_pair(const change *self, message_text name)
{
    for (size_t i = 0; i < self->count; i++) {
        if (message_text_is(name, self->pairs[i].name)) {
            return &self->pairs[i];
        }
    }
    return NULL;
}

static void set_pair(change *self, message_text name, char *value)
{
    config_pair *pair = find_pair(self, name);
    if (pair == NULL) {
        pair = &self->pairs[self->count++];
        pair->name = text_of(self->owner, name);
    }
    pair->value = value;
}

static void drop_pair(change *self, message_text name)
{
    config_pair *pair = find_pair(self, name);
    if (pair != NULL) {
        *pair = self->pairs[--self->count];
    }
}

/* `list` without the items of `other`, and with them at the end if `append`. */
static char *combine(request *self, const char *list, const char *other, bool append)
{
    size_t count, other_count;
    char **items = text_split(list, &count), **others = text_split(other, &other_count);
    char *result = text_of(self, (message_text){"", 0});
    for (size_t i = 0; i < count + (append ? other_count : 0); i++) {
        const char *item = i < count ? items[i] : others[i - count];
        bool named = false;
        for (size_t j = 0; i < count && j < other_count; j++) {
            named = named || strcmp(item, others[j]) == 0;
        }
        if (!named) {
            result = sluice_arena_print(request_arena(self), NULL, "%s%s%s", result,
                                        *result == '\0' ? "" : ",", item);
        }
    }
    free(items);
    free(others);
    return result;
}

/* Appends to, or subtracts from, the value that is valid now. */
static int16_t change_list(change *self, message_text name, const char *value,
                           bool append, sluice_error *err)
{
    const setting *key = setting_find(topic_config_keys, text_of(self->owner, name));
    if (key == NULL || key->type != CONFIG_LIST) {
        sluice_fail(err, SLUICE_BAD_CONFIG,
                    "%.*s is not a list: nothing can be added to it or taken from it",
                    (int)name.len, name.base);
        return ERROR_INVALID_CONFIG;
    }
    char room[topic_config_text_size];
    bool from_broker;
    config_pair *pair = find_pair(self, name);
    const char *now = pair != NULL ? pair->value
                                   : topic_config_default(parts_of(self->owner)->config,
                                                          key, room, &from_broker);
    set_pair(self, name, combine(self->owner, now, value, append));
    return ERROR_NONE;
}

static int16_t apply(change *self, const incremental_alter_configs_request_config *one,
                     sluice_error *err)
{
    char *value = text_of(self->owner, one->value);
    switch (one->config_operation) {
    case operation_set:
        if (one->value.base == NULL) {
            sluice_fail(err, SLUICE_BAD_CONFIG, "%.*s is set to null: must be a value",
                        (int)one->name.len, one->name.base);
            return ERROR_INVALID_CONFIG;
        }
        set_pair(self, one->name, value);
        return ERROR_NONE;
    case operation_delete:
        drop_pair(self, one->name);
        return ERROR_NONE;
    case operation_append:
    case operation_subtract:
        return change_list(self, one->name, value,
                           one->config_operation == operation_append, err);
    default:
        sluice_fail(err, SLUICE_BAD_CONFIG,
                    "operation %d on %.*s is not known: 0 to 3 are",
                    one->config_operation, (int)one->name.len, one->name.base);
        return ERROR_INVALID_REQUEST;
    }
}

static int16_t check_resource(int8_t type, sluice_error *err)
{
    if (type == resource_topic) {
        return ERROR_NONE;
    }
    sluice_fail(err, SLUICE_BAD_CONFIG,
                "only configs of topics can be changed while the broker runs");
    return ERROR_INVALID_REQUEST;
}

static int16_t store(change *self, message_text name, sluice_error *err)
{
    return topic_set_configure(parts_of(self->owner)->topics, name.base, name.len,
                               self->pairs, self->count, self->validate_only, err);
}

static int16_t change_some(change *self,
                           const incremental_alter_configs_request_resource *wanted,
                           sluice_error *err)
{
    int16_t code = check_resource(wanted->resource_type, err);
    if (code != ERROR_NONE) {
        return code;
    }
    topic *found = topic_asked_for(self->owner, wanted->resource_name, NULL, &code);
    if (found == NULL) {
        return code;
    }
    self->pairs = request_items(
        self->owner, found->config_count + wanted->configs.count, sizeof *self->pairs);
    for (; self->count < found->config_count; self->count++) {
        const config_pair *own = &found->configs[self->count];
        self->pairs[self->count].name =
            text_of(self->owner, message_text_of(own->name));
        self->pairs[self->count].value =
            text_of(self->owner, message_text_of(own->value));
    }
    topic_unref(found);
    for (size_t i = 0; code == ERROR_NONE && i < wanted->configs.count; i++) {
        code = apply(self, &wanted->configs.items[i], err);
    }
    return code == ERROR_NONE ? store(self, wanted->resource_name, err) : code;
}

void handle_incremental_alter_configs(request *self, const void *message)
{
    const incremental_alter_configs_request *asked = message;
    incremental_alter_configs_response response;
    incremental_alter_configs_response_init(&response);
    RESPONSE_ARRAY(self, response.responses, asked->resources.count);
    sluice_error *err = sluice_error_new();
    for (size_t i = 0; i < asked->resources.count; i++) {
        const incremental_alter_configs_request_resource *wanted =
            &asked->resources.items[i];
        incremental_alter_configs_response_response *answer =
            &response.responses.items[i];
        change one = {.owner = self, .validate_only = asked->validate_only};
        sluice_error_clear(err);
        answer->resource_type = wanted->resource_type;
        answer->resource_name = wanted->resource_name;
        answer->error_code = change_some(&one, wanted, err);
        answer->error_message = request_error_text(self, err);
    }
    sluice_error_free(err);
    request_answer(self, self->header.api_version, &response);
}

static int16_t change_all(change *self, const alter_configs_request_resource *wanted,
                          sluice_error *err)
{
    int16_t code = check_resource(wanted->resource_type, err);
    if (code != ERROR_NONE) {
        return code;
    }
    self->pairs =
        request_items(self->owner, wanted->configs.count, sizeof *self->pairs);
    for (size_t i = 0; i < wanted->configs.count; i++) {
        if (wanted->configs.items[i].value.base != NULL) {
            set_pair(self, wanted->configs.items[i].name,
                     text_of(self->owner, wanted->configs.items[i].value));
        }
    }
    return store(self, wanted->resource_name, err);
}

void handle_alter_configs(request *self, const void *message)
{
    const alter_configs_request *asked = message;
    alter_configs_response response;
    alter_configs_response_init(&response);
    RESPONSE_ARRAY(self, response.responses, asked->resources.count);
    sluice_error *err = sluice_error_new();
    for (size_t i = 0; i < asked->resources.count; i++) {
        const alter_configs_request_resource *wanted = &asked->resources.items[i];
        alter_configs_response_response *answer = &response.responses.items[i];
        change one = {.owner = self, .validate_only = asked->validate_only};
        sluice_error_clear(err);
        answer->resource_type = wanted->resource_type;
        answer->resource_name = wanted->resource_name;
        answer->error_code = change_all(&one, wanted, err);
        answer->error_message = request_error_text(self, err);
    }
    sluice_error_free(err);
    request_answer(self, self->header.api_version, &response);
}
