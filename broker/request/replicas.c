/* ElectLeaders, AlterPartitionReassignments and ListPartitionReassignments: what a
 * cluster does about leaders and replicas, as one node that has them all answers it. */
#include "broker/request/handler.h"
#include <inttypes.h>

/* ---- ElectLeaders ---------------------------------------------------------------- */

static void refuse_election(request *self, message_text name, int32_t number,
                            bool has_topic,
                            elect_leaders_response_partition_result *answer)
{
    const char *text = sluice_arena_print(
        request_arena(self), NULL,
        has_topic ? "No such partition as %.*s-%" PRId32 : "No such topic as %.*s",
        (int)name.len, name.base, number);
    answer->error_code = ERROR_UNKNOWN_TOPIC_OR_PARTITION;
    answer->error_message = message_text_of(text);
}

/* The only replica leads always, so no election is needed. */
static void elect_of(request *self, const elect_leaders_request_topic_partition *wanted,
                     elect_leaders_response_replica_election_result *answer)
{
    int16_t code;
    topic *found = topic_asked_for(self, wanted->topic, NULL, &code);
    answer->topic = wanted->topic;
    RESPONSE_ARRAY(self, answer->partition_result, wanted->partitions.count);
    for (size_t i = 0; i < wanted->partitions.count; i++) {
        elect_leaders_response_partition_result *one =
            &answer->partition_result.items[i];
        one->partition_id = wanted->partitions.items[i];
        if (found == NULL || topic_partition(found, one->partition_id) == NULL) {
            refuse_election(self, wanted->topic, one->partition_id, found != NULL, one);
        } else {
            one->error_code = ERROR_ELECTION_NOT_NEEDED;
            one->error_message =
                message_text_of("Leader election not needed for topic partition.");
        }
    }
    topic_unref(found);
}

/* Of all partitions, those that need no election are left out; topics stay. */
static void elect_all(request *self, elect_leaders_response *response)
{
    size_t count;
    topic **list = topic_set_list(parts_of(self)->topics, &count);
    RESPONSE_ARRAY(self, response->replica_election_results, count);
    for (size_t i = 0; i < count; i++) {
        response->replica_election_results.items[i].topic =
            request_copy_text(self, (message_text){list[i]->name, list[i]->name_len});
    }
    topic_list_free(list, count);
}

void handle_elect_leaders(request *self, const void *message)
{
    const elect_leaders_request *asked = message;
    elect_leaders_response response;
    elect_leaders_response_init(&response);
    if (asked->election_type != 0 && asked->election_type != 1) {
        response.error_code = ERROR_INVALID_REQUEST;
    } else if (asked->topic_partitions.items == NULL) {
        elect_all(self, &response);
    } else {
        RESPONSE_ARRAY(self, response.replica_election_results,
                       asked->topic_partitions.count);
        for (size_t i = 0; i < asked->topic_partitions.count; i++) {
            elect_of(self, &asked->topic_partitions.items[i],
                     &response.replica_election_results.items[i]);
        }
    }
    request_answer(self, self->header.api_version, &response);
}

/* ---- Reassignments --------------------------------------------------------------- */

int16_t check_replicas(const request *self, const int32_t *nodes, size_t count,
                       sluice_error *err)
{
    int32_t here = parts_of(self)->config->node_id;
    if (count == 0) {
        sluice_fail(err, SLUICE_BAD_CONFIG,
                    "The manual partition assignment includes an empty replica list.");
        return ERROR_INVALID_REPLICA_ASSIGNMENT;
    }
    for (size_t i = 0; i < count; i++) {
        if (nodes[i] != here) {
            sluice_fail(err, SLUICE_BAD_CONFIG,
                        "The manual partition assignment includes broker %" PRId32
                        ", but no such broker is registered.",
                        nodes[i]);
            return ERROR_INVALID_REPLICA_ASSIGNMENT;
        }
    }
    if (count > 1) {
        sluice_fail(err, SLUICE_BAD_CONFIG,
                    "The manual partition assignment includes the broker %" PRId32
                    " more than once.",
                    here);
        return ERROR_INVALID_REPLICA_ASSIGNMENT;
    }
    return ERROR_NONE;
}

/* No replicas cancel what is under way: there is never something. */
static int16_t reassign(const request *self, const topic *found, message_text name,
                        const alter_partition_reassignments_request_partition *wanted,
                        sluice_error *err)
{
    if (found == NULL) {
        sluice_fail(err, SLUICE_BAD_CONFIG, "Unable to find a topic named %.*s.",
                    (int)name.len, name.base);
        return ERROR_UNKNOWN_TOPIC_OR_PARTITION;
    }
    if (topic_partition(found, wanted->partition_index) == NULL) {
        sluice_fail(err, SLUICE_BAD_CONFIG, "Unable to find partition %s:%" PRId32 ".",
                    found->name, wanted->partition_index);
        return ERROR_UNKNOWN_TOPIC_OR_PARTITION;
    }
    return wanted->replicas.items == NULL ? ERROR_NO_REASSIGNMENT_IN_PROGRESS
                                          : check_replicas(self, wanted->replicas.items,
                                                           wanted->replicas.count, err);
}

static void reassign_of(request *self,
                        const alter_partition_reassignments_request_topic *wanted,
                        alter_partition_reassignments_response_response *answer)
{
    int16_t code;
    topic *found = topic_asked_for(self, wanted->name, NULL, &code);
    sluice_error *err = sluice_error_new();
    answer->name = wanted->name;
    RESPONSE_ARRAY(self, answer->partitions, wanted->partitions.count);
    for (size_t i = 0; i < wanted->partitions.count; i++) {
        alter_partition_reassignments_response_partition *one =
            &answer->partitions.items[i];
        sluice_error_clear(err);
        one->partition_index = wanted->partitions.items[i].partition_index;
        one->error_code =
            reassign(self, found, wanted->name, &wanted->partitions.items[i], err);
        one->error_message = request_error_text(self, err);
    }
    sluice_error_free(err);
    topic_unref(found);
}

void handle_alter_partition_reassignments(request *self, const void *message)
{
    const alter_partition_reassignments_request *asked = message;
    alter_partition_reassignments_response response;
    alter_partition_reassignments_response_init(&response);
    response.allow_replication_factor_change = asked->allow_replication_factor_change;
    RESPONSE_ARRAY(self, response.responses, asked->topics.count);
    for (size_t i = 0; i < asked->topics.count; i++) {
        reassign_of(self, &asked->topics.items[i], &response.responses.items[i]);
    }
    request_answer(self, self->header.api_version, &response);
}

void handle_list_partition_reassignments(request *self, const void *message)
{
    (void)message;
    list_partition_reassignments_response response;
    list_partition_reassignments_response_init(&response);
    request_answer(self, self->header.api_version, &response);
}
