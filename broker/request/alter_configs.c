/* AlterConfigs, which replaces all of a topic's own configs, and
 * IncrementalAlterConfigs, which changes single ones. */
#include "base/text.h"
#include "broker/request/handler.h"
#include <stdlib.h>
#include <string.h>

enum {
    resource_topic = 2,
    resource_broker = 4,
    resource_broker_logger = 8,
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
    int8_t type;
    message_text name;
    config_source layer; /* Of a broker. */
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

static const setting *key_of(const change *self, message_text name)
{
    return setting_find(self->type == resource_topic ? topic_config_keys
                                                     : broker_config_keys,
                        text_of(self->owner, name));
}

/* What is valid where the resource itself sets nothing. */
static const char *inherited(const change *self, const setting *key,
                             char room[topic_config_text_size])
{
    const broker_config *config = parts_of(self->owner)->config;
    config_source source;
    return self->type == resource_topic
               ? topic_config_default(config, key, room, &source)
               : broker_config_text(config, key->name);
}

/* Appends to, or subtracts from, the value that is valid now. */
static int16_t change_list(change *self, message_text name, const char *value,
                           bool append, sluice_error *err)
{
    const setting *key = key_of(self, name);
    if (key == NULL || key->type != CONFIG_LIST) {
        sluice_fail(err, SLUICE_BAD_CONFIG,
                    "Can't %s key %.*s because its type is not LIST.",
                    append ? "APPEND to" : "SUBTRACT from", (int)name.len, name.base);
        return ERROR_INVALID_CONFIG;
    }
    char room[topic_config_text_size];
    config_pair *pair = find_pair(self, name);
    const char *now = pair != NULL ? pair->value : inherited(self, key, room);
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
            sluice_fail(err, SLUICE_BAD_CONFIG, "Null value not supported for : %.*s",
                        (int)one->name.len, one->name.base);
            return ERROR_INVALID_REQUEST;
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

/* "" is all brokers, a number one of them. */
static int16_t check_broker(change *self, sluice_error *err)
{
    int64_t number;
    int32_t here = parts_of(self->owner)->config->node_id;
    self->layer = self->name.len == 0 ? CONFIG_SOURCE_ALL_NODES : CONFIG_SOURCE_NODE;
    if (self->name.len == 0 && self->type == resource_broker) {
        return ERROR_NONE;
    }
    if (!text_to_int64_of(self->name.base, self->name.len, &number)) {
        sluice_fail(err, SLUICE_BAD_CONFIG,
                    "Node id must be an integer, but it is: %.*s", (int)self->name.len,
                    self->name.base == NULL ? "" : self->name.base);
        return ERROR_INVALID_REQUEST;
    }
    if (number != here) {
        sluice_fail(err, SLUICE_BAD_CONFIG,
                    "Unexpected broker id, expected %d, but received %.*s", here,
                    (int)self->name.len, self->name.base);
        return ERROR_INVALID_REQUEST;
    }
    return ERROR_NONE;
}

static int16_t check_resource(change *self, sluice_error *err)
{
    if (self->type == resource_topic) {
        return ERROR_NONE;
    }
    if (self->type == resource_broker) {
        return check_broker(self, err);
    }
    sluice_fail(
        err, SLUICE_BAD_CONFIG,
        "Unknown resource type %d: only configs of topics (2), brokers (4) and, one by "
        "one, of loggers (8) can be changed",
        self->type);
    return ERROR_INVALID_REQUEST;
}

static int16_t store(change *self, sluice_error *err)
{
    topic_set *topics = parts_of(self->owner)->topics;
    return self->type == resource_topic
               ? topic_set_configure(topics, self->name.base, self->name.len,
                                     self->pairs, self->count, self->validate_only, err)
               : topic_set_configure_broker(topics, self->layer, self->pairs,
                                            self->count, self->validate_only, err);
}

static void start_with(change *self, const config_pair *own, size_t count, size_t more)
{
    self->pairs = request_items(self->owner, count + more, sizeof *self->pairs);
    for (; self->count < count; self->count++) {
        self->pairs[self->count].name =
            text_of(self->owner, message_text_of(own[self->count].name));
        self->pairs[self->count].value =
            text_of(self->owner, message_text_of(own[self->count].value));
    }
}

/* What the resource sets now, with room for `more`. */
static int16_t read_own(change *self, size_t more, sluice_error *err)
{
    int16_t code = ERROR_NONE;
    if (self->type == resource_broker) {
        size_t count;
        config_pair *own = dynamic_config_list(parts_of(self->owner)->config->dynamic,
                                               self->layer, &count);
        start_with(self, own, count, more);
        config_pairs_free(own, count);
        return ERROR_NONE;
    }
    topic *found = topic_asked_for(self->owner, self->name, NULL, &code);
    if (found == NULL) {
        sluice_fail(err, SLUICE_BAD_CONFIG, "The topic '%.*s' does not exist.",
                    (int)self->name.len, self->name.base);
        return code;
    }
    start_with(self, found->configs, found->config_count, more);
    topic_unref(found);
    return ERROR_NONE;
}

static bool is_repeated(const incremental_alter_configs_request_resource *wanted,
                        size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (message_text_equal(wanted->configs.items[i].name,
                               wanted->configs.items[index].name)) {
            return true;
        }
    }
    return false;
}

/* So many keys at most, of which each can come once. */
enum { changes_max = 1000 };

static int16_t check_changes(const incremental_alter_configs_request_resource *wanted,
                             sluice_error *err)
{
    bool good = wanted->configs.count <= changes_max;
    for (size_t i = 0; good && i < wanted->configs.count; i++) {
        good = !is_repeated(wanted, i);
    }
    if (!good) {
        sluice_fail(err, SLUICE_BAD_CONFIG, "Error due to duplicate config keys");
    }
    return good ? ERROR_NONE : ERROR_INVALID_REQUEST;
}

static int16_t change_some(change *self,
                           const incremental_alter_configs_request_resource *wanted,
                           sluice_error *err)
{
    int16_t code = check_changes(wanted, err);
    if (code == ERROR_NONE && self->type == resource_broker_logger) {
        code = check_broker(self, err);
        return code == ERROR_NONE
                   ? broker_loggers_change(wanted, self->validate_only, err)
                   : code;
    }
    if (code == ERROR_NONE) {
        code = check_resource(self, err);
    }
    if (code == ERROR_NONE) {
        code = read_own(self, wanted->configs.count, err);
    }
    for (size_t i = 0; code == ERROR_NONE && i < wanted->configs.count; i++) {
        code = apply(self, &wanted->configs.items[i], err);
    }
    return code == ERROR_NONE ? store(self, err) : code;
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
        change one = {.owner = self,
                      .validate_only = asked->validate_only,
                      .type = wanted->resource_type,
                      .name = wanted->resource_name};
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
    int16_t code = check_resource(self, err);
    if (code == ERROR_NONE) {
        code = read_own(self, wanted->configs.count, err);
    }
    self->count = 0;
    for (size_t i = 0; code == ERROR_NONE && i < wanted->configs.count; i++) {
        const alter_configs_request_config *one = &wanted->configs.items[i];
        if (one->value.base == NULL) {
            sluice_fail(err, SLUICE_BAD_CONFIG, "Null value not supported for : %.*s",
                        (int)one->name.len, one->name.base);
            return ERROR_INVALID_REQUEST;
        }
        set_pair(self, one->name, text_of(self->owner, one->value));
    }
    return code == ERROR_NONE ? store(self, err) : code;
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
        change one = {.owner = self,
                      .validate_only = asked->validate_only,
                      .type = wanted->resource_type,
                      .name = wanted->resource_name};
        sluice_error_clear(err);
        answer->resource_type = wanted->resource_type;
        answer->resource_name = wanted->resource_name;
        answer->error_code = change_all(&one, wanted, err);
        answer->error_message = request_error_text(self, err);
    }
    sluice_error_free(err);
    request_answer(self, self->header.api_version, &response);
}
