/* Metadata and DescribeCluster: this node, its topics, and topics made by asking. */
#include "broker/request/handler.h"
#include <string.h>

static void describe_partition(request *self, const topic *of, int32_t number,
                               metadata_response_partition *ret_partition)
{
    int32_t node = parts_of(self)->config->node_id;
    metadata_response_partition *one = ret_partition;
    one->partition_index = number;
    one->leader_id = node;
    one->leader_epoch = partition_leader_epoch(of->partitions[number]);
    RESPONSE_ARRAY(self, one->replica_nodes, 1);
    one->replica_nodes.items[0] = node;
    one->isr_nodes.items = one->replica_nodes.items;
    one->isr_nodes.count = 1;
}

/* `of` is held until the answer is encoded. */
static void describe_topic(request *self, const metadata_request *asked,
                           const topic *of, metadata_response_topic *ret_topic)
{
    *ret_topic = metadata_response_topic_defaults;
    if (asked->include_topic_authorized_operations) {
        ret_topic->topic_authorized_operations = topic_operations;
    }
    ret_topic->name = request_copy_text(self, (message_text){of->name, of->name_len});
    ret_topic->topic_id = message_uuid_of(&of->id);
    ret_topic->is_internal = of->internal;
    RESPONSE_ARRAY(self, ret_topic->partitions, (size_t)of->partition_count);
    for (int32_t i = 0; i < of->partition_count; i++) {
        describe_partition(self, of, i, &ret_topic->partitions.items[i]);
    }
}

static topic *create_asked(request *self, message_text name, int16_t *ret_error_code)
{
    topic_creation creation = {.name = name.base,
                               .name_len = name.len,
                               .partition_count = -1,
                               .replication_factor = -1};
    topic_set *topics = parts_of(self)->topics;
    topic *made = NULL;
    *ret_error_code = topic_set_create(topics, &creation, &made, NULL);
    if (*ret_error_code == ERROR_TOPIC_ALREADY_EXISTS) { /* Somebody was faster. */
        made = topic_set_find(topics, name.base, name.len);
        *ret_error_code = made != NULL ? ERROR_NONE : ERROR_UNKNOWN_TOPIC_OR_PARTITION;
    }
    if (*ret_error_code == ERROR_KAFKA_STORAGE_ERROR) {
        /* librdkafka gives the topic up for the former, and asks again for the latter.
         */
        *ret_error_code = ERROR_LEADER_NOT_AVAILABLE;
    }
    return made;
}

static void answer_topic(request *self, const metadata_request *asked,
                         const metadata_request_topic *wanted,
                         metadata_response_topic *ret_topic)
{
    int16_t code;
    topic *found = topic_asked_for(self, wanted->name, &wanted->topic_id, &code);
    if (code == ERROR_UNKNOWN_TOPIC_OR_PARTITION) {
        if (!topic_name_is_legal(wanted->name.base, wanted->name.len)) {
            code = ERROR_INVALID_TOPIC_EXCEPTION;
        } else if (asked->allow_auto_topic_creation &&
                   parts_of(self)->config->auto_create_topics) {
            found = create_asked(self, wanted->name, &code);
        }
    }
    if (found != NULL) {
        describe_topic(self, asked, found, ret_topic);
        topic_unref(found);
        return;
    }
    *ret_topic = metadata_response_topic_defaults;
    ret_topic->error_code = code;
    ret_topic->name = wanted->name;
    ret_topic->topic_id = wanted->topic_id;
}

/* Whether a topic has to be made, which is nothing for a network thread. */
static bool must_create(request *self, const metadata_request *asked)
{
    if (!asked->allow_auto_topic_creation ||
        !parts_of(self)->config->auto_create_topics) {
        return false;
    }
    for (size_t i = 0; i < asked->topics.count; i++) {
        const metadata_request_topic *one = &asked->topics.items[i];
        int16_t code;
        topic *found = topic_asked_for(self, one->name, &one->topic_id, &code);
        topic_unref(found);
        if (code == ERROR_UNKNOWN_TOPIC_OR_PARTITION &&
            topic_name_is_legal(one->name.base, one->name.len)) {
            return true;
        }
    }
    return false;
}

static void answer_all(request *self, const metadata_request *asked,
                       metadata_response *response)
{
    size_t count;
    topic **list = topic_set_list(parts_of(self)->topics, &count);
    RESPONSE_ARRAY(self, response->topics, count);
    for (size_t i = 0; i < count; i++) {
        describe_topic(self, asked, list[i], &response->topics.items[i]);
    }
    topic_list_free(list, count);
}

/* In version 0 an empty list means all topics; from 1 on null does. */
static bool wants_all(const request *self, const metadata_request *asked)
{
    return self->header.api_version == 0 ? asked->topics.count == 0
                                         : asked->topics.items == NULL;
}

void handle_metadata(request *self, const void *message)
{
    const metadata_request *asked = message;
    const broker_parts *parts = parts_of(self);
    if (!request_is_slow(self) && must_create(self, asked)) {
        request_dispatch_slowly(self);
        return;
    }
    metadata_response response;
    metadata_response_init(&response);
    metadata_response_broker broker = {.node_id = parts->config->node_id,
                                       .rack = message_text_of(parts->config->rack)};
    advertised_address(self, &broker.host, &broker.port);
    response.brokers.items = &broker;
    response.brokers.count = 1;
    response.cluster_id = message_text_of(parts->cluster_id);
    response.controller_id = parts->config->node_id;
    if (asked->include_cluster_authorized_operations) {
        response.cluster_authorized_operations = cluster_operations;
    }
    if (wants_all(self, asked)) {
        answer_all(self, asked, &response);
    } else {
        RESPONSE_ARRAY(self, response.topics, asked->topics.count);
        for (size_t i = 0; i < asked->topics.count; i++) {
            answer_topic(self, asked, &asked->topics.items[i],
                         &response.topics.items[i]);
        }
    }
    request_answer(self, self->header.api_version, &response);
}

enum { endpoint_broker = 1, endpoint_controller = 2 };

/* As Kafka refuses it on a broker's listener. */
static void refuse_endpoint(request *self, const describe_cluster_request *asked,
                            describe_cluster_response *response)
{
    bool controller = asked->endpoint_type == endpoint_controller;
    response->error_code =
        controller ? ERROR_MISMATCHED_ENDPOINT_TYPE : ERROR_UNSUPPORTED_ENDPOINT_TYPE;
    response->error_message = message_text_of(
        controller
            ? "The request was sent to an endpoint of type BROKER, but we wanted "
              "an endpoint of type CONTROLLER"
            : "Unsupported endpoint type");
    request_answer(self, self->header.api_version, response);
}

void handle_describe_cluster(request *self, const void *message)
{
    const describe_cluster_request *asked = message;
    const broker_parts *parts = parts_of(self);
    describe_cluster_response response;
    describe_cluster_response_init(&response);
    if (asked->endpoint_type != endpoint_broker) {
        refuse_endpoint(self, asked, &response);
        return;
    }
    if (asked->include_cluster_authorized_operations) {
        response.cluster_authorized_operations = cluster_operations;
    }
    describe_cluster_response_broker broker = {
        .broker_id = parts->config->node_id,
        .rack = message_text_of(parts->config->rack)};
    advertised_address(self, &broker.host, &broker.port);
    response.endpoint_type = asked->endpoint_type;
    response.cluster_id = message_text_of(parts->cluster_id);
    response.controller_id = parts->config->node_id;
    response.brokers.items = &broker;
    response.brokers.count = 1;
    request_answer(self, self->header.api_version, &response);
}
