/* ListOffsets, a request for each leader. */
#include "admin_offsets.h"
#include <stdlib.h>
#include <string.h>

static partition_offset *find(partition_offset *partitions, size_t count,
                              message_text topic, int32_t partition)
{
    for (size_t i = 0; i < count; i++) {
        if (partitions[i].partition == partition &&
            message_text_is(topic, partitions[i].topic)) {
            return &partitions[i];
        }
    }
    return NULL;
}

static void take_answers(const list_offsets_response *response,
                         partition_offset *partitions, size_t count)
{
    for (size_t i = 0; i < response->topics.count; i++) {
        const list_offsets_response_topic *topic = &response->topics.items[i];
        for (size_t j = 0; j < topic->partitions.count; j++) {
            const list_offsets_response_partition *got = &topic->partitions.items[j];
            partition_offset *asked =
                find(partitions, count, topic->name, got->partition_index);
            if (asked != NULL) {
                asked->offset = got->offset;
                asked->error_code = got->error_code;
            }
        }
    }
}

/* Asks `leader` for its partitions; partitions of a topic stand together. */
static sluice_status ask_leader(admin *self, int32_t leader, int64_t timestamp,
                                partition_offset *partitions, size_t count,
                                sluice_error *err)
{
    list_offsets_request_topic *topics =
        sluice_arena_take(admin_arena(self), (count + 1) * sizeof *topics);
    list_offsets_request_partition *asked =
        sluice_arena_take(admin_arena(self), (count + 1) * sizeof *asked);
    size_t topic_count = 0, asked_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (partitions[i].leader != leader) {
            continue;
        }
        if (topic_count == 0 ||
            !message_text_is(topics[topic_count - 1].name, partitions[i].topic)) {
            topics[topic_count++] = (list_offsets_request_topic){
                .name = message_text_of(partitions[i].topic),
                .partitions = {&asked[asked_count], 0},
            };
        }
        asked[asked_count] = list_offsets_request_partition_defaults;
        asked[asked_count].partition_index = partitions[i].partition;
        asked[asked_count++].timestamp = timestamp;
        topics[topic_count - 1].partitions.count++;
    }
    list_offsets_request request;
    list_offsets_response response;
    list_offsets_request_init(&request);
    request.topics.items = topics;
    request.topics.count = topic_count;
    request.timeout_ms = admin_timeout_ms(self);
    sluice_status status =
        admin_call(self, leader, API_LIST_OFFSETS, &request, &response, err);
    if (status == SLUICE_OK) {
        take_answers(&response, partitions, count);
    }
    return status;
}

static bool asked_before(const partition_offset *partitions, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (partitions[i].leader == partitions[at].leader) {
            return true;
        }
    }
    return false;
}

sluice_status admin_list_offsets(admin *self, int64_t timestamp,
                                 partition_offset *partitions, size_t count,
                                 sluice_error *err)
{
    sluice_status status = SLUICE_OK;
    for (size_t i = 0; i < count; i++) {
        partitions[i].offset = -1;
        partitions[i].error_code = partitions[i].leader < 0
                                       ? ERROR_LEADER_NOT_AVAILABLE
                                       : ERROR_UNKNOWN_TOPIC_OR_PARTITION;
    }
    for (size_t i = 0; i < count && status == SLUICE_OK; i++) {
        if (partitions[i].leader >= 0 && !asked_before(partitions, i)) {
            status = ask_leader(self, partitions[i].leader, timestamp, partitions,
                                count, err);
        }
    }
    return status;
}

static int compare_partitions(const void *one, const void *other)
{
    const partition_offset *a = one, *b = other;
    return (a->partition > b->partition) - (a->partition < b->partition);
}

size_t partition_offsets_of(admin *self, const metadata_response_topic *topic,
                            partition_offset **ret_partitions)
{
    size_t count = topic->partitions.count;
    partition_offset *partitions =
        sluice_arena_take(admin_arena(self), (count + 1) * sizeof *partitions);
    const char *name = admin_text(self, topic->name);
    for (size_t i = 0; i < count; i++) {
        partitions[i] = (partition_offset){
            .topic = name,
            .partition = topic->partitions.items[i].partition_index,
            .leader = topic->partitions.items[i].leader_id,
        };
    }
    qsort(partitions, count, sizeof *partitions, compare_partitions);
    *ret_partitions = partitions;
    return count;
}
