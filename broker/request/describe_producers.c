/* DescribeProducers: who has written to a partition lately, idempotently. */
#include "base/memory.h"
#include "broker/request/handler.h"
#include <stdlib.h>

static void describe_partition(request *self, partition *log,
                               describe_producers_response_partition *answer)
{
    size_t count;
    partition_producer *list = partition_producers(log, &count);
    RESPONSE_ARRAY(self, answer->active_producers, count);
    for (size_t i = 0; i < count; i++) {
        answer->active_producers.items[i] =
            (describe_producers_response_active_producer){
                .producer_id = list[i].producer_id,
                .producer_epoch = list[i].epoch,
                .last_sequence = list[i].last_sequence,
                .last_timestamp = list[i].last_timestamp,
                .coordinator_epoch = list[i].coordinator_epoch,
                .current_txn_start_offset = list[i].transaction_start};
    }
    free(list);
}

static void describe_topic(request *self,
                           const describe_producers_request_topic *wanted,
                           describe_producers_response_topic *answer)
{
    int16_t code;
    topic *found = topic_asked_for(self, wanted->name, NULL, &code);
    sluice_error *err = sluice_error_new();
    if (topic_name_check(wanted->name.base, wanted->name.len, err) != SLUICE_OK) {
        code = ERROR_INVALID_TOPIC_EXCEPTION;
    } else if (found == NULL) {
        sluice_fail(err, SLUICE_BAD_CONFIG,
                    "This server does not host this topic-partition.");
    }
    answer->name = wanted->name;
    RESPONSE_ARRAY(self, answer->partitions, wanted->partition_indexes.count);
    for (size_t i = 0; i < wanted->partition_indexes.count; i++) {
        describe_producers_response_partition *one = &answer->partitions.items[i];
        one->partition_index = wanted->partition_indexes.items[i];
        partition *log =
            found == NULL ? NULL : topic_partition(found, one->partition_index);
        if (log != NULL) {
            describe_partition(self, log, one);
        } else {
            one->error_code =
                code == ERROR_NONE ? ERROR_UNKNOWN_TOPIC_OR_PARTITION : code;
            one->error_message = request_error_text(self, err);
        }
    }
    sluice_error_free(err);
    topic_unref(found);
}

void handle_describe_producers(request *self, const void *message)
{
    const describe_producers_request *asked = message;
    describe_producers_response response;
    describe_producers_response_init(&response);
    RESPONSE_ARRAY(self, response.topics, asked->topics.count);
    for (size_t i = 0; i < asked->topics.count; i++) {
        describe_topic(self, &asked->topics.items[i], &response.topics.items[i]);
    }
    request_answer(self, self->header.api_version, &response);
}
