/* ListOffsets and OffsetForLeaderEpoch: questions about where a partition is. */
#include "base/map.h"
#include "broker/request/handler.h"

enum {
    read_committed = 1,
    earliest_local = -4, /* On this disk: all that we have is. */
    latest_tiered = -5,  /* In remote storage: there is none. */
};

/* Whether `timestamp`, below 0, means something at `version`. */
static bool is_known(int64_t timestamp, int version)
{
    static const int since[] = {0, 0, 0, 7, 8, 9}; /* By -timestamp. */
    return timestamp >= latest_tiered && version >= since[-timestamp];
}

static void find_offset(request *self, const list_offsets_request *asked,
                        int64_t timestamp, partition *log,
                        list_offsets_response_partition *answer)
{
    partition_bound bound = asked->isolation_level == read_committed
                                ? PARTITION_LAST_STABLE
                                : PARTITION_HIGH_WATERMARK;
    partition_offset found;
    partition_find_offset(log,
                          timestamp == earliest_local ? PARTITION_EARLIEST : timestamp,
                          bound, &found);
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

static void answer_offset(request *self, const list_offsets_request *asked,
                          const list_offsets_request_partition *wanted,
                          const topic *found, list_offsets_response_partition *answer)
{
    partition *log =
        found == NULL ? NULL : topic_partition(found, wanted->partition_index);
    if (wanted->timestamp < 0 &&
        !is_known(wanted->timestamp, self->header.api_version)) {
        answer->error_code = ERROR_UNSUPPORTED_VERSION;
        return;
    }
    answer->error_code = log == NULL
                             ? ERROR_UNKNOWN_TOPIC_OR_PARTITION
                             : check_leader_epoch(log, wanted->current_leader_epoch);
    if (answer->error_code == ERROR_NONE && wanted->timestamp != latest_tiered) {
        find_offset(self, asked, wanted->timestamp, log, answer);
    }
}

/* The row for a partition; NULL when it has one already, which is refused then. */
static list_offsets_response_partition *row_of(list_offsets_response_topic *answer,
                                               map *rows, int32_t number)
{
    list_offsets_response_partition *its =
        &answer->partitions.items[answer->partitions.count];
    list_offsets_response_partition *first = map_get(rows, &number, sizeof number);
    if (first != NULL) {
        *first = list_offsets_response_partition_defaults;
        first->partition_index = number;
        first->error_code = ERROR_INVALID_REQUEST;
        return NULL;
    }
    map_put(rows, &number, sizeof number, its);
    answer->partitions.count++;
    *its = list_offsets_response_partition_defaults;
    its->partition_index = number;
    return its;
}

static void answer_topic(request *self, const list_offsets_request *asked,
                         const list_offsets_request_topic *wanted,
                         list_offsets_response_topic *answer)
{
    int16_t code;
    topic *found = topic_asked_for(self, wanted->name, NULL, &code);
    map rows = MAP_INIT;
    answer->name = wanted->name;
    RESPONSE_ARRAY(self, answer->partitions, wanted->partitions.count);
    answer->partitions.count = 0;
    for (size_t i = 0; i < wanted->partitions.count; i++) {
        const list_offsets_request_partition *one = &wanted->partitions.items[i];
        list_offsets_response_partition *its =
            row_of(answer, &rows, one->partition_index);
        if (its != NULL) {
            answer_offset(self, asked, one, found, its);
        }
    }
    map_done(&rows);
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
