/* OffsetCommit and OffsetDelete. */
#include "broker/request/group_edge.h"

/* ---- OffsetCommit ---------------------------------------------------------------- */

static size_t count_committed(const offset_commit_request *asked)
{
    size_t count = 0;
    for (size_t i = 0; i < asked->topics.count; i++) {
        count += asked->topics.items[i].partitions.count;
    }
    return count;
}

static void collect_topic(request *self, const offset_commit_request_topic *wanted,
                          group_commit_partition *ret_partitions)
{
    int16_t code;
    message_text name = wanted->name;
    topic *found = self->header.api_version >= 10
                       ? topic_with_id(self, &wanted->topic_id, &name, &code)
                       : topic_asked_for(self, name, NULL, &code);
    for (size_t i = 0; i < wanted->partitions.count; i++) {
        const offset_commit_request_partition *one = &wanted->partitions.items[i];
        bool missing =
            found != NULL && topic_partition(found, one->partition_index) == NULL;
        ret_partitions[i] = (group_commit_partition){
            .topic = bytes_of(name),
            .partition = one->partition_index,
            .offset = one->committed_offset,
            .leader_epoch = one->committed_leader_epoch,
            .metadata = bytes_of(one->committed_metadata),
            .error_code = missing ? ERROR_UNKNOWN_TOPIC_OR_PARTITION : code};
    }
    topic_unref(found);
}

void handle_offset_commit(request *self, const void *message)
{
    const offset_commit_request *asked = message;
    size_t count = count_committed(asked), at = 0;
    group_commit_partition *partitions = request_items(self, count, sizeof *partitions);
    for (size_t i = 0; i < asked->topics.count; i++) {
        collect_topic(self, &asked->topics.items[i], partitions + at);
        at += asked->topics.items[i].partitions.count;
    }
    self->state = (void *)message;
    group_event event = {
        .type = GROUP_COMMIT,
        .commit = {.group_id = bytes_of(asked->group_id),
                   .generation = asked->generation_id_or_member_epoch,
                   .member_id = bytes_of(asked->member_id),
                   .instance_id = bytes_of(asked->group_instance_id),
                   .names_missing_group = self->header.api_version >= 9,
                   .retention_ms = asked->retention_time_ms,
                   .partitions = partitions,
                   .partition_count = count}};
    group_edge_submit(self, &event);
}

static int16_t code_at(const group_answer *answer, size_t index)
{
    return index < answer->error_count ? answer->error_codes[index]
                                       : answer->error_code;
}

void group_answer_offset_commit(request *self, const group_answer *answer)
{
    const offset_commit_request *asked = self->state;
    offset_commit_response response;
    offset_commit_response_init(&response);
    RESPONSE_ARRAY(self, response.topics, asked->topics.count);
    size_t at = 0;
    for (size_t i = 0; i < asked->topics.count; i++) {
        const offset_commit_request_topic *wanted = &asked->topics.items[i];
        offset_commit_response_topic *its = &response.topics.items[i];
        its->name = wanted->name;
        its->topic_id = wanted->topic_id;
        RESPONSE_ARRAY(self, its->partitions, wanted->partitions.count);
        for (size_t j = 0; j < wanted->partitions.count; j++) {
            its->partitions.items[j] = (offset_commit_response_partition){
                .partition_index = wanted->partitions.items[j].partition_index,
                .error_code = code_at(answer, at++)};
        }
    }
    request_answer(self, self->header.api_version, &response);
}

/* ---- OffsetDelete ---------------------------------------------------------------- */

void handle_offset_delete(request *self, const void *message)
{
    const offset_delete_request *asked = message;
    size_t count = 0, at = 0;
    for (size_t i = 0; i < asked->topics.count; i++) {
        count += asked->topics.items[i].partitions.count;
    }
    group_delete_partition *partitions = request_items(self, count, sizeof *partitions);
    for (size_t i = 0; i < asked->topics.count; i++) {
        const offset_delete_request_topic *wanted = &asked->topics.items[i];
        int16_t code;
        topic *found = topic_asked_for(self, wanted->name, NULL, &code);
        for (size_t j = 0; j < wanted->partitions.count; j++) {
            int32_t number = wanted->partitions.items[j].partition_index;
            bool known = found != NULL && topic_partition(found, number) != NULL;
            partitions[at++] = (group_delete_partition){
                .topic = bytes_of(wanted->name),
                .partition = number,
                .error_code = known ? ERROR_NONE : ERROR_UNKNOWN_TOPIC_OR_PARTITION};
        }
        topic_unref(found);
    }
    self->state = (void *)message;
    group_event event = {.type = GROUP_DELETE_OFFSETS,
                         .delete_offsets = {.group_id = bytes_of(asked->group_id),
                                            .partitions = partitions,
                                            .partition_count = count}};
    group_edge_submit(self, &event);
}

void group_answer_offset_delete(request *self, const group_answer *answer)
{
    const offset_delete_request *asked = self->state;
    offset_delete_response response;
    offset_delete_response_init(&response);
    response.error_code = answer->error_code;
    size_t at = 0;
    if (answer->error_code == ERROR_NONE) {
        RESPONSE_ARRAY(self, response.topics, asked->topics.count);
    }
    for (size_t i = 0; i < response.topics.count; i++) {
        const offset_delete_request_topic *wanted = &asked->topics.items[i];
        offset_delete_response_topic *its = &response.topics.items[i];
        its->name = wanted->name;
        RESPONSE_ARRAY(self, its->partitions, wanted->partitions.count);
        for (size_t j = 0; j < wanted->partitions.count; j++) {
            its->partitions.items[j] = (offset_delete_response_partition){
                .partition_index = wanted->partitions.items[j].partition_index,
                .error_code = code_at(answer, at++)};
        }
    }
    request_answer(self, self->header.api_version, &response);
}
