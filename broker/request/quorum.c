/* DescribeQuorum and UpdateFeatures: questions about the cluster's metadata, which is
 * one node's log. */
#include "broker/request/handler.h"
#include "broker/topic/metadata_log.h"
#include <inttypes.h>

#define NOT_HERE "This server does not host this topic-partition."

/* The one voter is its own leader, so it is never behind. */
static void describe_log(request *self, describe_quorum_response_partition *answer)
{
    const broker_parts *parts = parts_of(self);
    int64_t end = topic_set_metadata_end(parts->topics, &answer->leader_epoch);
    int64_t now_ms = loop_wall_ms();
    answer->error_message = (message_text){"", 0};
    answer->leader_id = parts->config->node_id;
    answer->high_watermark = end;
    RESPONSE_ARRAY(self, answer->current_voters, 1);
    *answer->current_voters.items =
        (describe_quorum_response_current_voter){.replica_id = parts->config->node_id,
                                                 .log_end_offset = end,
                                                 .last_fetch_timestamp = now_ms,
                                                 .last_caught_up_timestamp = now_ms};
}

static bool describe_topic(request *self, const describe_quorum_request_topic *wanted,
                           describe_quorum_response_topic *answer)
{
    bool known = false;
    answer->topic_name = wanted->topic_name;
    RESPONSE_ARRAY(self, answer->partitions, wanted->partitions.count);
    for (size_t i = 0; i < wanted->partitions.count; i++) {
        describe_quorum_response_partition *one = &answer->partitions.items[i];
        one->partition_index = wanted->partitions.items[i].partition_index;
        if (one->partition_index == 0 &&
            message_text_is(wanted->topic_name, METADATA_TOPIC)) {
            describe_log(self, one);
            known = true;
        } else {
            one->error_code = ERROR_UNKNOWN_TOPIC_OR_PARTITION;
            one->error_message = message_text_of(NOT_HERE);
        }
    }
    return known;
}

/* Where the quorum is reached: our controller listens where the broker does. */
static void describe_node(request *self, describe_quorum_response *response)
{
    RESPONSE_ARRAY(self, response->nodes, 1);
    RESPONSE_ARRAY(self, response->nodes.items->listeners, 1);
    int32_t port;
    describe_quorum_response_listener *one = response->nodes.items->listeners.items;
    response->nodes.items->node_id = parts_of(self)->config->node_id;
    one->name = message_text_of(parts_of(self)->config->listeners[self->listener].name);
    advertised_address(self, &one->host, &port);
    one->port = (uint16_t)port;
}

void handle_describe_quorum(request *self, const void *message)
{
    const describe_quorum_request *asked = message;
    describe_quorum_response response;
    describe_quorum_response_init(&response);
    response.error_message = (message_text){"", 0};
    RESPONSE_ARRAY(self, response.topics, asked->topics.count);
    bool known = false;
    for (size_t i = 0; i < asked->topics.count; i++) {
        known |=
            describe_topic(self, &asked->topics.items[i], &response.topics.items[i]);
    }
    if (known) {
        describe_node(self, &response);
    }
    request_answer(self, self->header.api_version, &response);
}

/* No features are advertised, so there is none that can be changed. */
void handle_update_features(request *self, const void *message)
{
    const update_features_request *asked = message;
    update_features_response response;
    update_features_response_init(&response);
    if (asked->feature_updates.count > 0) {
        const update_features_request_feature_update *first =
            &asked->feature_updates.items[0];
        response.error_code = ERROR_INVALID_UPDATE_VERSION;
        response.error_message = message_text_of(sluice_arena_print(
            request_arena(self), NULL,
            "The update failed for all features since the following feature had an "
            "error: Invalid update version %d for feature %.*s. Local controller "
            "%" PRId32 " does not support this feature.",
            first->max_version_level, (int)first->feature.len, first->feature.base,
            parts_of(self)->config->node_id));
    }
    request_answer(self, self->header.api_version, &response);
}
