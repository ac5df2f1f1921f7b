/* OffsetCommit, OffsetFetch and OffsetDelete. */
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
    topic *found = topic_asked_for(self, wanted->name, NULL, &code);
    for (size_t i = 0; i < wanted->partitions.count; i++) {
        const offset_commit_request_partition *one = &wanted->partitions.items[i];
        bool known =
            found != NULL && topic_partition(found, one->partition_index) != NULL;
        ret_partitions[i] = (group_commit_partition){
            .topic = bytes_of(wanted->name),
            .partition = one->partition_index,
            .offset = one->committed_offset,
            .leader_epoch = one->committed_leader_epoch,
            .metadata = bytes_of(one->committed_metadata),
            .error_code = known ? ERROR_NONE : ERROR_UNKNOWN_TOPIC_OR_PARTITION};
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
    group_event event = {.type = GROUP_COMMIT,
                         .commit = {.group_id = bytes_of(asked->group_id),
                                    .generation = asked->generation_id_or_member_epoch,
                                    .member_id = bytes_of(asked->member_id),
                                    .instance_id = bytes_of(asked->group_instance_id),
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
        RESPONSE_ARRAY(self, its->partitions, wanted->partitions.count);
        for (size_t j = 0; j < wanted->partitions.count; j++) {
            its->partitions.items[j] = (offset_commit_response_partition){
                .partition_index = wanted->partitions.items[j].partition_index,
                .error_code = code_at(answer, at++)};
        }
    }
    request_answer(self, self->header.api_version, &response);
}

/* ---- OffsetFetch ----------------------------------------------------------------- */

typedef struct fetching {
    request *owner;
    const group_core *core;
} fetching;

/* One topic of the answer; versions before and after 8 have structs of the same
 * meaning, filled by their callers from these. */
static group_offset offset_of(const fetching *self, message_text group_id,
                              message_text topic_name, int32_t number)
{
    return group_core_offset(self->core, bytes_of(group_id), bytes_of(topic_name),
                             number, request_arena(self->owner));
}

static message_text metadata_of(const group_offset *found)
{
    return found->metadata.base == NULL ? (message_text){"", 0}
                                        : text_of_bytes(found->metadata);
}

static void answer_partition(offset_fetch_response_group_partition *answer,
                             const group_offset *found)
{
    answer->partition_index = found->partition;
    answer->committed_offset = found->offset;
    answer->committed_leader_epoch = found->leader_epoch;
    answer->metadata = metadata_of(found);
}

static void answer_named(fetching *self, const offset_fetch_request_group *wanted,
                         offset_fetch_response_group *answer)
{
    RESPONSE_ARRAY(self->owner, answer->topics, wanted->topics.count);
    for (size_t i = 0; i < wanted->topics.count; i++) {
        const offset_fetch_request_group_topic *one = &wanted->topics.items[i];
        offset_fetch_response_group_topic *its = &answer->topics.items[i];
        its->name = one->name;
        RESPONSE_ARRAY(self->owner, its->partitions, one->partition_indexes.count);
        for (size_t j = 0; j < one->partition_indexes.count; j++) {
            int32_t number = one->partition_indexes.items[j];
            group_offset found = offset_of(self, wanted->group_id, one->name, number);
            found.partition = number;
            answer_partition(&its->partitions.items[j], &found);
        }
    }
}

static void answer_all(fetching *self, const offset_fetch_request_group *wanted,
                       offset_fetch_response_group *answer)
{
    group_offset *offsets;
    size_t count;
    group_core_offsets(self->core, bytes_of(wanted->group_id),
                       request_arena(self->owner), &offsets, &count);
    RESPONSE_ARRAY(self->owner, answer->topics, count);
    answer->topics.count = 0;
    for (size_t i = 0; i < count;) {
        offset_fetch_response_group_topic *its =
            &answer->topics.items[answer->topics.count++];
        size_t first = i;
        its->name = text_of_bytes(offsets[i].topic);
        while (i < count &&
               message_text_equal(text_of_bytes(offsets[i].topic), its->name)) {
            i++;
        }
        RESPONSE_ARRAY(self->owner, its->partitions, i - first);
        for (size_t j = first; j < i; j++) {
            answer_partition(&its->partitions.items[j - first], &offsets[j]);
        }
    }
}

static void answer_group(fetching *self, const offset_fetch_request_group *wanted,
                         offset_fetch_response_group *answer)
{
    answer->group_id = wanted->group_id;
    if (wanted->topics.items != NULL) {
        answer_named(self, wanted, answer);
    } else {
        answer_all(self, wanted, answer);
    }
}

/* Before version 8 a request is about one group, in other fields of the same shape. */
static void wrap_single(request *self, const offset_fetch_request *asked,
                        offset_fetch_request_group *ret_group)
{
    *ret_group = (offset_fetch_request_group){.group_id = asked->group_id};
    if (asked->topics.items == NULL) {
        return;
    }
    RESPONSE_ARRAY(self, ret_group->topics, asked->topics.count);
    for (size_t i = 0; i < asked->topics.count; i++) {
        offset_fetch_request_group_topic *to = &ret_group->topics.items[i];
        to->name = asked->topics.items[i].name;
        to->partition_indexes.items = asked->topics.items[i].partition_indexes.items;
        to->partition_indexes.count = asked->topics.items[i].partition_indexes.count;
    }
}

static void unwrap_single(request *self, const offset_fetch_response_group *group,
                          offset_fetch_response *response)
{
    RESPONSE_ARRAY(self, response->topics, group->topics.count);
    for (size_t i = 0; i < group->topics.count; i++) {
        const offset_fetch_response_group_topic *from = &group->topics.items[i];
        offset_fetch_response_topic *to = &response->topics.items[i];
        to->name = from->name;
        RESPONSE_ARRAY(self, to->partitions, from->partitions.count);
        for (size_t j = 0; j < from->partitions.count; j++) {
            const offset_fetch_response_group_partition *one =
                &from->partitions.items[j];
            to->partitions.items[j] = (offset_fetch_response_partition){
                .partition_index = one->partition_index,
                .committed_offset = one->committed_offset,
                .committed_leader_epoch = one->committed_leader_epoch,
                .metadata = one->metadata,
                .error_code = one->error_code};
        }
    }
}

void handle_offset_fetch(request *self, const void *message)
{
    const offset_fetch_request *asked = message;
    group_coordinator *coordinator = group_edge_coordinator(parts_of(self)->groups);
    offset_fetch_response response;
    offset_fetch_response_init(&response);
    fetching one = {self, group_coordinator_read(coordinator)};
    if (self->header.api_version >= 8) {
        RESPONSE_ARRAY(self, response.groups, asked->groups.count);
        for (size_t i = 0; i < asked->groups.count; i++) {
            answer_group(&one, &asked->groups.items[i], &response.groups.items[i]);
        }
    } else {
        offset_fetch_request_group wanted;
        offset_fetch_response_group answer = {0};
        wrap_single(self, asked, &wanted);
        answer_group(&one, &wanted, &answer);
        unwrap_single(self, &answer, &response);
    }
    group_coordinator_read_end(coordinator);
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
