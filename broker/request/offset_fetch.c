/* OffsetFetch: what groups have committed, by names and from version 10 on by ids. */
#include "broker/request/group_edge.h"

enum { version_of_ids = 10 };

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

/* From version 10 on topics have ids for names. Names are looked up before the groups
 * are locked, and put where the request of an earlier version has them. */
static void resolve_topics(request *self, const offset_fetch_request_group *wanted)
{
    for (size_t i = 0; i < wanted->topics.count; i++) {
        offset_fetch_request_group_topic *one = &wanted->topics.items[i];
        int16_t code;
        topic_unref(topic_with_id(self, &one->topic_id, &one->name, &code));
    }
}

/* The other way, when they are unlocked again: topics that have gone are left out. */
static void add_topic_ids(request *self, offset_fetch_response_group *answer)
{
    size_t kept = 0;
    for (size_t i = 0; i < answer->topics.count; i++) {
        offset_fetch_response_group_topic *its = &answer->topics.items[i];
        int16_t code;
        topic *found = topic_asked_for(self, its->name, NULL, &code);
        if (found != NULL) {
            its->topic_id = message_uuid_of(&found->id);
            answer->topics.items[kept++] = *its;
        }
        topic_unref(found);
    }
    answer->topics.count = kept;
}

static void refuse_topic(request *self, const offset_fetch_request_group_topic *wanted,
                         offset_fetch_response_group_topic *answer)
{
    RESPONSE_ARRAY(self, answer->partitions, wanted->partition_indexes.count);
    for (size_t i = 0; i < wanted->partition_indexes.count; i++) {
        answer->partitions.items[i] = (offset_fetch_response_group_partition){
            .partition_index = wanted->partition_indexes.items[i],
            .committed_offset = -1,
            .committed_leader_epoch = -1,
            .metadata = {"", 0},
            .error_code = ERROR_UNKNOWN_TOPIC_ID};
    }
}

static void answer_named(fetching *self, const offset_fetch_request_group *wanted,
                         offset_fetch_response_group *answer)
{
    bool by_id = self->owner->header.api_version >= version_of_ids;
    RESPONSE_ARRAY(self->owner, answer->topics, wanted->topics.count);
    for (size_t i = 0; i < wanted->topics.count; i++) {
        const offset_fetch_request_group_topic *one = &wanted->topics.items[i];
        offset_fetch_response_group_topic *its = &answer->topics.items[i];
        its->name = one->name;
        its->topic_id = one->topic_id;
        if (by_id && one->name.base == NULL) {
            refuse_topic(self->owner, one, its);
            continue;
        }
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

static void answer_groups(request *self, const offset_fetch_request *asked,
                          offset_fetch_response *response)
{
    group_coordinator *coordinator = group_edge_coordinator(parts_of(self)->groups);
    bool by_id = self->header.api_version >= version_of_ids;
    for (size_t i = 0; by_id && i < asked->groups.count; i++) {
        resolve_topics(self, &asked->groups.items[i]);
    }
    RESPONSE_ARRAY(self, response->groups, asked->groups.count);
    fetching one = {self, group_coordinator_read(coordinator)};
    for (size_t i = 0; i < asked->groups.count; i++) {
        answer_group(&one, &asked->groups.items[i], &response->groups.items[i]);
    }
    group_coordinator_read_end(coordinator);
    for (size_t i = 0; by_id && i < asked->groups.count; i++) {
        if (asked->groups.items[i].topics.items == NULL) {
            add_topic_ids(self, &response->groups.items[i]);
        }
    }
}

static void answer_single(request *self, const offset_fetch_request *asked,
                          offset_fetch_response *response)
{
    group_coordinator *coordinator = group_edge_coordinator(parts_of(self)->groups);
    offset_fetch_request_group wanted;
    offset_fetch_response_group answer = {0};
    wrap_single(self, asked, &wanted);
    fetching one = {self, group_coordinator_read(coordinator)};
    answer_group(&one, &wanted, &answer);
    unwrap_single(self, &answer, response);
    group_coordinator_read_end(coordinator);
}

void handle_offset_fetch(request *self, const void *message)
{
    const offset_fetch_request *asked = message;
    offset_fetch_response response;
    offset_fetch_response_init(&response);
    if (self->header.api_version >= 8) {
        answer_groups(self, asked, &response);
    } else {
        answer_single(self, asked, &response);
    }
    request_answer(self, self->header.api_version, &response);
}
