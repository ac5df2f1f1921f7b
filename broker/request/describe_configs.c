/* DescribeConfigs: every key of a topic or of the broker, with where its value is
 * from. */
#include "base/text.h"
#include "broker/request/handler.h"
#include <stdio.h>
#include <string.h>

enum {
    resource_topic = 2,
    resource_broker = 4,
    resource_broker_logger = 8,
    resource_group = 32,
    synonyms_max = 5,
    source_broker_logger = 6,
};

typedef struct description {
    request *owner;
    const describe_configs_request *asked;
    const describe_configs_request_resource *wanted;
    describe_configs_response_result *answer;
} description;

static bool is_wanted(const description *self, const char *name)
{
    if (self->wanted->configuration_keys.items == NULL) {
        return true;
    }
    for (size_t i = 0; i < self->wanted->configuration_keys.count; i++) {
        if (message_text_is(self->wanted->configuration_keys.items[i], name)) {
            return true;
        }
    }
    return false;
}

static void add_synonym(describe_configs_response_config *config, const char *name,
                        message_text value, int8_t source)
{
    config->synonyms.items[config->synonyms.count++] =
        (describe_configs_response_synonym){
            .name = message_text_of(name), .value = value, .source = source};
}

static describe_configs_response_config *add(description *self, const setting *key,
                                             const char *value, int8_t source)
{
    describe_configs_response_config *config =
        &self->answer->configs.items[self->answer->configs.count++];
    *config = describe_configs_response_config_defaults;
    config->name = message_text_of(key->name);
    config->value = request_copy_text(self->owner, message_text_of(value));
    config->config_source = source;
    config->is_default = source == CONFIG_SOURCE_DEFAULT;
    config->config_type = (int8_t)key->type;
    config->synonyms.items =
        request_items(self->owner, synonyms_max, sizeof *config->synonyms.items);
    return config;
}

/* What gives the value if nothing above does, the strongest first. */
static void add_inherited(description *self, describe_configs_response_config *config,
                          const setting *key)
{
    const broker_config *broker = parts_of(self->owner)->config;
    const char *value, *broker_key = topic_config_broker_key(key->name);
    char room[topic_config_text_size];
    for (config_source layer = CONFIG_SOURCE_NODE; layer <= CONFIG_SOURCE_STATIC;
         layer++) {
        const char *name;
        if (topic_config_of_layer(broker, key, layer, room, &value, &name)) {
            add_synonym(config, name,
                        request_copy_text(self->owner, message_text_of(value)),
                        (int8_t)layer);
        }
    }
    if (broker_key != NULL) {
        add_synonym(config, broker_key, message_text_of(key->initial),
                    CONFIG_SOURCE_DEFAULT);
    }
}

static void describe_topic_key(description *self, const topic *of, const setting *key)
{
    char room[topic_config_text_size];
    config_source below;
    const char *own = topic_config_own(of, key->name);
    const char *inherited =
        topic_config_default(parts_of(self->owner)->config, key, room, &below);
    describe_configs_response_config *config =
        add(self, key, own != NULL ? own : inherited,
            (int8_t)(own != NULL ? CONFIG_SOURCE_TOPIC : below));
    if (self->asked->include_synonyms) {
        if (own != NULL) {
            add_synonym(config, key->name, config->value, CONFIG_SOURCE_TOPIC);
        }
        add_inherited(self, config, key);
    }
}

static void start_configs(description *self, const setting *table)
{
    size_t count = 0;
    while (table[count].name != NULL) {
        count++;
    }
    RESPONSE_ARRAY(self->owner, self->answer->configs, count);
    self->answer->configs.count = 0;
}

static void describe_topic(description *self)
{
    message_text name = self->wanted->resource_name;
    if (!topic_name_is_legal(name.base, name.len)) {
        self->answer->error_code = ERROR_INVALID_TOPIC_EXCEPTION;
        return;
    }
    topic *found = topic_asked_for(self->owner, name, NULL, &self->answer->error_code);
    if (found == NULL) {
        return;
    }
    start_configs(self, topic_config_keys);
    for (const setting *key = topic_config_keys; key->name != NULL; key++) {
        if (is_wanted(self, key->name)) {
            describe_topic_key(self, found, key);
        }
    }
    topic_unref(found);
}

/* Every layer that sets the key, and its default. */
static void describe_broker_key(description *self, const setting *key)
{
    const broker_config *config = parts_of(self->owner)->config;
    char room[dynamic_value_size];
    message_text values[CONFIG_SOURCE_DEFAULT + 1] = {{NULL, 0}};
    for (config_source layer = CONFIG_SOURCE_NODE; layer <= CONFIG_SOURCE_DEFAULT;
         layer++) {
        const char *value =
            layer == CONFIG_SOURCE_DEFAULT  ? key->initial
            : layer == CONFIG_SOURCE_STATIC ? properties_get(config->given, key->name)
            : dynamic_config_get(config->dynamic, layer, key->name, room) ? room
                                                                          : NULL;
        values[layer] = request_copy_text(self->owner, message_text_of(value));
    }
    config_source top = CONFIG_SOURCE_NODE;
    while (top < CONFIG_SOURCE_DEFAULT && values[top].base == NULL) {
        top++;
    }
    describe_configs_response_config *one = add(self, key, NULL, (int8_t)top);
    one->value = values[top];
    one->read_only = !dynamic_config_can(key->name);
    for (config_source layer = top;
         self->asked->include_synonyms && layer <= CONFIG_SOURCE_DEFAULT; layer++) {
        if (values[layer].base != NULL) {
            add_synonym(one, key->name, values[layer], (int8_t)layer);
        }
    }
}

/* "" stands for what all brokers share: what was set for them and no more. */
static void describe_all_brokers(description *self)
{
    size_t count;
    config_pair *pairs = dynamic_config_list(parts_of(self->owner)->config->dynamic,
                                             CONFIG_SOURCE_ALL_NODES, &count);
    RESPONSE_ARRAY(self->owner, self->answer->configs, count);
    self->answer->configs.count = 0;
    for (size_t i = 0; i < count; i++) {
        const setting *key = setting_find(broker_config_keys, pairs[i].name);
        setting unknown = {.name = pairs[i].name, .type = CONFIG_LONG};
        if (is_wanted(self, pairs[i].name)) {
            describe_configs_response_config *one =
                add(self, key != NULL ? key : &unknown, pairs[i].value,
                    CONFIG_SOURCE_ALL_NODES);
            one->name = request_copy_text(self->owner, one->name);
            if (self->asked->include_synonyms) {
                add_synonym(one, key != NULL ? key->name : one->name.base, one->value,
                            CONFIG_SOURCE_ALL_NODES);
            }
        }
    }
    config_pairs_free(pairs, count);
}

static void describe_broker(description *self)
{
    message_text name = self->wanted->resource_name;
    char node[16];
    snprintf(node, sizeof node, "%d", parts_of(self->owner)->config->node_id);
    if (name.len == 0) {
        describe_all_brokers(self);
        return;
    }
    if (!message_text_is(name, node)) {
        self->answer->error_code = ERROR_INVALID_REQUEST;
        self->answer->error_message = message_text_of("there is no such broker");
        return;
    }
    start_configs(self, broker_config_keys);
    for (const setting *key = broker_config_keys; key->name != NULL; key++) {
        if (is_wanted(self, key->name)) {
            describe_broker_key(self, key);
        }
    }
}

static void describe_loggers(description *self)
{
    message_text name = self->wanted->resource_name;
    char node[16];
    snprintf(node, sizeof node, "%d", parts_of(self->owner)->config->node_id);
    if (!message_text_is(name, node)) {
        self->answer->error_code = ERROR_INVALID_REQUEST;
        self->answer->error_message = message_text_of(sluice_arena_print(
            request_arena(self->owner), NULL,
            "Unexpected broker id, expected %s, but received %.*s", node, (int)name.len,
            name.base == NULL ? "" : name.base));
        return;
    }
    size_t count = 0;
    while (broker_loggers[count] != NULL) {
        count++;
    }
    RESPONSE_ARRAY(self->owner, self->answer->configs, count);
    self->answer->configs.count = 0;
    for (size_t i = 0; i < count; i++) {
        setting key = {.name = broker_loggers[i]};
        if (is_wanted(self, key.name)) {
            add(self, &key, broker_logger_level(key.name), source_broker_logger);
        }
    }
}

static void describe(description *self)
{
    self->answer->resource_type = self->wanted->resource_type;
    self->answer->resource_name = self->wanted->resource_name;
    switch (self->wanted->resource_type) {
    case resource_topic:
        describe_topic(self);
        break;
    case resource_broker:
        describe_broker(self);
        break;
    case resource_broker_logger:
        describe_loggers(self);
        break;
    case resource_group:
        break;
    default:
        self->answer->error_code = ERROR_INVALID_REQUEST;
        self->answer->error_message = message_text_of(
            "only topics (2), brokers (4), loggers (8) and groups (32) have configs");
    }
}

void handle_describe_configs(request *self, const void *message)
{
    const describe_configs_request *asked = message;
    describe_configs_response response;
    describe_configs_response_init(&response);
    RESPONSE_ARRAY(self, response.results, asked->resources.count);
    for (size_t i = 0; i < asked->resources.count; i++) {
        description one = {self, asked, &asked->resources.items[i],
                           &response.results.items[i]};
        describe(&one);
    }
    request_answer(self, self->header.api_version, &response);
}
