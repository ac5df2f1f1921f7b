/* ListOffsets and OffsetForLeaderEpoch: questions about where a partition is. */
#include "broker/request/handler.h"

static void answer_offset(request *self, const list_offsets_request *asked,
                          const list_offsets_request_partition *wanted, partition *log,
                          list_offsets_response_partition *answer)
{
    partition_bound bound =
        asked->isolation_level == 1 ? PARTITION_LAST_STABLE : PARTITION_HIGH_WATERMARK;
    int64_t timestamp = wanted->timestamp;
    answer->error_code = check_leader_epoch(log, wanted->current_leader_epoch);
    if (answer->error_code != ERROR_NONE) {
        return;
    }
    if (timestamp == -4) { /* The earliest on a local disk: all of ours are. */
        timestamp = PARTITION_EARLIEST;
    } else if (timestamp < PARTITION_MAX_TIMESTAMP) {
        return; /* The latest in remote storage: there is none. */
    }
    partition_offset found;
    partition_find_offset(log, timestamp, bound, &found);
    answer->error_code = found.error_code;
    answer->offset = found.offset;
    answer->timestamp = found.timestamp;
    answer->leader_epoch = found.leader_epoch;
    if (self->header.api_version == 0 && found.error_code == ERROR_NONE &&
        found.offset >= 0) {
        RESPONSE_ARRAY(self, answer->old_style_offsets, 1);
        answer->old_style_offsets.items[0] = found.offset;
    }
}

static void answer_topic(request *self, const list_offsets_request *asked,
                         const list_offsets_request_topic *wanted,
                         list_offsets_response_topic *answer)
{
    int16_t code;
    topic *found = topic_asked_for(self, wanted->name, NULL, &code);
    answer->name = wanted->name;
    RESPONSE_ARRAY(self, answer->partitions, wanted->partitions.count);
    for (size_t i = 0; i < wanted->partitions.count; i++) {
        const list_offsets_request_partition *one = &wanted->partitions.items[i];
        list_offsets_response_partition *its = &answer->partitions.items[i];
        partition *log =
            found == NULL ? NULL : topic_partition(found, one->partition_index);
        *its = list_offsets_response_partition_defaults;
        its->partition_index = one->partition_index;
        if (log == NULL) {
            its->error_code = ERROR_UNKNOWN_TOPIC_OR_PARTITION;
        } else {
            answer_offset(self, asked, one, log, its);
        }
    }
    topic_unref(found);
}

void handle_list_offsets(request *self, const void *message)
{
    const list_offsets_request *asked = message;
    list_offsets_response response;
    list_offsets_response_init(&response);
    RESPONSE_ARRAY(self, response.topics, asked->topics.count);
    for (size_t i = 0; i < asked->topics.count; i++) {
        answer_topic(self, asked, &asked->topics.items[i], &response.topics.items[i]);
    }
    request_answer(self, self->header.api_version, &response);
}

static void answer_epoch(const topic *found,
                         const offset_for_leader_epoch_request_partition *wanted,
                         offset_for_leader_epoch_response_partition *answer)
{
    partition *log = found == NULL ? NULL : topic_partition(found, wanted->partition);
    *answer = offset_for_leader_epoch_response_partition_defaults;
    answer->partition = wanted->partition;
    answer->error_code = log == NULL
                             ? ERROR_UNKNOWN_TOPIC_OR_PARTITION
                             : check_leader_epoch(log, wanted->current_leader_epoch);
    if (answer->error_code == ERROR_NONE) {
        partition_epoch_end(log, wanted->leader_epoch, &answer->leader_epoch,
                            &answer->end_offset);
    }
}

void handle_offset_for_leader_epoch(request *self, const void *message)
{
    const offset_for_leader_epoch_request *asked = message;
    offset_for_leader_epoch_response response;
    offset_for_leader_epoch_response_init(&response);
    RESPONSE_ARRAY(self, response.topics, asked->topics.count);
    for (size_t i = 0; i < asked->topics.count; i++) {
        const offset_for_leader_epoch_request_topic *wanted = &asked->topics.items[i];
        offset_for_leader_epoch_response_topic *answer = &response.topics.items[i];
        int16_t code;
        topic *found = topic_asked_for(self, wanted->topic, NULL, &code);
        answer->topic = wanted->topic;
        RESPONSE_ARRAY(self, answer->partitions, wanted->partitions.count);
        for (size_t j = 0; j < wanted->partitions.count; j++) {
            answer_epoch(found, &wanted->partitions.items[j],
                         &answer->partitions.items[j]);
        }
        topic_unref(found);
    }
    request_answer(self, self->header.api_version, &response);
}
