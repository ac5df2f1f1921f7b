/* DescribeConfigs: every key of a topic or of the broker, with where its value is
 * from. */
#include "base/text.h"
#include "broker/request/handler.h"
#include <stdio.h>
#include <string.h>

enum {
    resource_topic = 2,
    resource_broker = 4,
    resource_group = 32,
    source_topic = 1,
    source_static_broker = 4,
    source_default = 5,
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
    config->is_default = source == source_default;
    config->config_type = (int8_t)key->type;
    config->synonyms.items =
        request_items(self->owner, 3, sizeof *config->synonyms.items);
    return config;
}

static void describe_topic_key(description *self, const topic *of, const setting *key)
{
    char room[topic_config_text_size];
    bool from_broker;
    const char *own = topic_config_own(of, key->name);
    const char *inherited =
        topic_config_default(parts_of(self->owner)->config, key, room, &from_broker);
    int8_t below = from_broker ? source_static_broker : source_default;
    describe_configs_response_config *config = add(
        self, key, own != NULL ? own : inherited, own != NULL ? source_topic : below);
    if (!self->asked->include_synonyms) {
        return;
    }
    const char *broker_key = topic_config_broker_key(key->name);
    if (own != NULL) {
        add_synonym(config, key->name, config->value, source_topic);
    }
    if (broker_key != NULL) {
        add_synonym(config, broker_key,
                    request_copy_text(self->owner, message_text_of(inherited)), below);
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

/* The name is the node's id; "" stands for what all brokers share, of which a single
 * node has nothing. */
static void describe_broker(description *self)
{
    const broker_config *config = parts_of(self->owner)->config;
    message_text name = self->wanted->resource_name;
    char node[16];
    snprintf(node, sizeof node, "%d", config->node_id);
    if (name.len == 0) {
        return;
    }
    if (!message_text_is(name, node)) {
        self->answer->error_code = ERROR_INVALID_REQUEST;
        self->answer->error_message = message_text_of("there is no such broker");
        return;
    }
    start_configs(self, broker_config_keys);
    for (const setting *key = broker_config_keys; key->name != NULL; key++) {
        if (!is_wanted(self, key->name)) {
            continue;
        }
        bool given = properties_get(config->given, key->name) != NULL;
        describe_configs_response_config *one =
            add(self, key, broker_config_text(config, key->name),
                given ? source_static_broker : source_default);
        one->read_only = true;
        if (self->asked->include_synonyms) {
            add_synonym(one, key->name, one->value, one->config_source);
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
    case resource_group:
        break;
    default:
        self->answer->error_code = ERROR_INVALID_REQUEST;
        self->answer->error_message = message_text_of(
            "only topics (2), brokers (4) and groups (32) have configs");
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
