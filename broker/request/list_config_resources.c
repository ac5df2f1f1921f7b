/* ListConfigResources: what has configs that can be described. */
#include "broker/request/handler.h"

enum {
    resource_topic = 2,
    resource_broker = 4,
    resource_broker_logger = 8,
    resource_client_metrics = 16,
    resource_group = 32,
};

static const int8_t known_types[] = {resource_topic, resource_broker,
                                     resource_broker_logger, resource_client_metrics,
                                     resource_group};

static void add(request *self, list_config_resources_response *response,
                message_text name, int8_t type)
{
    response->config_resources.items[response->config_resources.count++] =
        (list_config_resources_response_config_resource){request_copy_text(self, name),
                                                         type};
}

static bool is_wanted(const list_config_resources_request *asked, int8_t type)
{
    bool wanted = asked->resource_types.count == 0;
    for (size_t i = 0; i < asked->resource_types.count; i++) {
        wanted = wanted || asked->resource_types.items[i] == type;
    }
    return wanted;
}

static bool all_known(const list_config_resources_request *asked)
{
    for (size_t i = 0; i < asked->resource_types.count; i++) {
        bool known = false;
        for (size_t j = 0; j < sizeof known_types; j++) {
            known = known || asked->resource_types.items[i] == known_types[j];
        }
        if (!known) {
            return false;
        }
    }
    return true;
}

/* Loggers, client metrics and groups have none. */
static void list(request *self, const list_config_resources_request *asked,
                 list_config_resources_response *response)
{
    size_t count;
    topic **topics = topic_set_list(parts_of(self)->topics, &count);
    const char *node = sluice_arena_print(request_arena(self), NULL, "%d",
                                          parts_of(self)->config->node_id);
    RESPONSE_ARRAY(self, response->config_resources, count + 1);
    response->config_resources.count = 0;
    if (is_wanted(asked, resource_broker)) {
        add(self, response, message_text_of(node), resource_broker);
    }
    for (size_t i = 0; i < count && is_wanted(asked, resource_topic); i++) {
        add(self, response, (message_text){topics[i]->name, topics[i]->name_len},
            resource_topic);
    }
    topic_list_free(topics, count);
}

/* Version 0 asks for client metrics only. */
void handle_list_config_resources(request *self, const void *message)
{
    const list_config_resources_request *asked = message;
    list_config_resources_response response;
    list_config_resources_response_init(&response);
    if (!all_known(asked)) {
        response.error_code = ERROR_UNSUPPORTED_VERSION;
    } else if (self->header.api_version > 0) {
        list(self, asked, &response);
    }
    request_answer(self, self->header.api_version, &response);
}
