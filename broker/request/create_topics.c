/* CreateTopics, CreatePartitions, DeleteTopics and DeleteRecords. */
#include "broker/request/handler.h"
#include <string.h>

/* NUL-ended, in the arena. */
static char *text_of(request *self, message_text text)
{
    return sluice_arena_copy(request_arena(self), text.base == NULL ? "" : text.base,
                             text.len);
}

/* ---- CreateTopics ---------------------------------------------------------------- */

static config_pair *pairs_of(request *self, const create_topics_request_topic *wanted)
{
    config_pair *pairs = request_items(self, wanted->configs.count, sizeof *pairs);
    for (size_t i = 0; i < wanted->configs.count; i++) {
        pairs[i].name = text_of(self, wanted->configs.items[i].name);
        pairs[i].value = text_of(self, wanted->configs.items[i].value);
    }
    return pairs;
}

/* Partitions can be given as lists of their replicas: each must be on this node. */
static int16_t count_assigned(const request *self,
                              const create_topics_request_topic *wanted,
                              int32_t *ret_count)
{
    int32_t node = parts_of(self)->config->node_id;
    size_t count = wanted->assignments.count;
    if (wanted->num_partitions != -1 || wanted->replication_factor != -1) {
        return ERROR_INVALID_REQUEST;
    }
    for (size_t i = 0; i < count; i++) {
        const create_topics_request_assignment *one = &wanted->assignments.items[i];
        if (one->broker_ids.count != 1 || one->broker_ids.items[0] != node ||
            one->partition_index < 0 || (size_t)one->partition_index >= count) {
            return ERROR_INVALID_REPLICA_ASSIGNMENT;
        }
    }
    *ret_count = (int32_t)count;
    return ERROR_NONE;
}

static void describe_configs(request *self, const topic *made,
                             create_topics_response_topic *answer)
{
    size_t count = 0;
    while (topic_config_keys[count].name != NULL) {
        count++;
    }
    RESPONSE_ARRAY(self, answer->configs, count);
    for (size_t i = 0; i < count; i++) {
        const setting *key = &topic_config_keys[i];
        char room[topic_config_text_size];
        bool from_broker;
        const char *own = topic_config_own(made, key->name);
        const char *value = own != NULL ? own
                                        : topic_config_default(parts_of(self)->config,
                                                               key, room, &from_broker);
        answer->configs.items[i] = (create_topics_response_config){
            .name = message_text_of(key->name),
            .value = request_copy_text(self, message_text_of(value)),
            .config_source = (int8_t)(own != NULL   ? 1
                                      : from_broker ? 4
                                                    : 5)};
    }
}

static void create_one(request *self, const create_topics_request_topic *wanted,
                       bool validate_only, create_topics_response_topic *answer)
{
    topic_creation creation = {.name = wanted->name.base,
                               .name_len = wanted->name.len,
                               .partition_count = wanted->num_partitions,
                               .replication_factor = wanted->replication_factor,
                               .configs = pairs_of(self, wanted),
                               .config_count = wanted->configs.count,
                               .validate_only = validate_only};
    if (wanted->assignments.count > 0) {
        answer->error_code = count_assigned(self, wanted, &creation.partition_count);
    }
    topic *made = NULL;
    sluice_error *err = sluice_error_new();
    if (answer->error_code == ERROR_NONE) {
        answer->error_code =
            topic_set_create(parts_of(self)->topics, &creation, &made, err);
    }
    answer->error_message = request_error_text(self, err);
    sluice_error_free(err);
    if (answer->error_code != ERROR_NONE) {
        return;
    }
    answer->num_partitions = creation.partition_count;
    answer->replication_factor = 1;
    if (made != NULL) {
        answer->topic_id = message_uuid_of(&made->id);
        answer->num_partitions = made->partition_count;
        describe_configs(self, made, answer);
        topic_unref(made);
    } else {
        answer->configs.items = request_items(self, 0, 1);
    }
}

static bool is_named_twice(const create_topics_request *asked, size_t index)
{
    for (size_t i = 0; i < asked->topics.count; i++) {
        if (i != index && message_text_equal(asked->topics.items[i].name,
                                             asked->topics.items[index].name)) {
            return true;
        }
    }
    return false;
}

void handle_create_topics(request *self, const void *message)
{
    const create_topics_request *asked = message;
    create_topics_response response;
    create_topics_response_init(&response);
    RESPONSE_ARRAY(self, response.topics, asked->topics.count);
    for (size_t i = 0; i < asked->topics.count; i++) {
        create_topics_response_topic *answer = &response.topics.items[i];
        *answer = create_topics_response_topic_defaults;
        answer->name = asked->topics.items[i].name;
        if (is_named_twice(asked, i)) {
            answer->error_code = ERROR_INVALID_REQUEST;
            answer->error_message =
                message_text_of("the topic is named more than once in the request");
        } else {
            create_one(self, &asked->topics.items[i], asked->validate_only, answer);
        }
    }
    request_answer(self, self->header.api_version, &response);
}

/* ---- CreatePartitions ------------------------------------------------------------ */

void handle_create_partitions(request *self, const void *message)
{
    const create_partitions_request *asked = message;
    create_partitions_response response;
    create_partitions_response_init(&response);
    RESPONSE_ARRAY(self, response.results, asked->topics.count);
    sluice_error *err = sluice_error_new();
    for (size_t i = 0; i < asked->topics.count; i++) {
        const create_partitions_request_topic *wanted = &asked->topics.items[i];
        create_partitions_response_result *answer = &response.results.items[i];
        sluice_error_clear(err);
        answer->name = wanted->name;
        answer->error_code =
            topic_set_grow(parts_of(self)->topics, wanted->name.base, wanted->name.len,
                           wanted->count, asked->validate_only, err);
        answer->error_message = request_error_text(self, err);
    }
    sluice_error_free(err);
    request_answer(self, self->header.api_version, &response);
}

/* ---- DeleteTopics ---------------------------------------------------------------- */

static void delete_one(request *self, message_text name, const message_uuid *id,
                       delete_topics_response_topic *answer)
{
    answer->name = name;
    answer->topic_id = *id;
    if (!parts_of(self)->config->delete_topics) {
        answer->error_code = ERROR_TOPIC_DELETION_DISABLED;
        return;
    }
    topic *found = topic_asked_for(self, name, id, &answer->error_code);
    if (found == NULL) {
        return;
    }
    sluice_error *err = sluice_error_new();
    answer->name =
        request_copy_text(self, (message_text){found->name, found->name_len});
    answer->topic_id = message_uuid_of(&found->id);
    answer->error_code =
        topic_set_delete(parts_of(self)->topics, found->name, found->name_len, err);
    answer->error_message = request_error_text(self, err);
    sluice_error_free(err);
    topic_unref(found);
}

void handle_delete_topics(request *self, const void *message)
{
    static const message_uuid none;
    const delete_topics_request *asked = message;
    delete_topics_response response;
    delete_topics_response_init(&response);
    bool by_name = self->header.api_version < 6;
    RESPONSE_ARRAY(self, response.responses,
                   by_name ? asked->topic_names.count : asked->topics.count);
    for (size_t i = 0; i < response.responses.count; i++) {
        delete_topics_response_topic *answer = &response.responses.items[i];
        if (by_name) {
            delete_one(self, asked->topic_names.items[i], &none, answer);
        } else {
            delete_one(self, asked->topics.items[i].name,
                       &asked->topics.items[i].topic_id, answer);
        }
    }
    request_answer(self, self->header.api_version, &response);
}

/* ---- DeleteRecords --------------------------------------------------------------- */

static void delete_records_of(request *self, const delete_records_request_topic *wanted,
                              delete_records_response_topic *answer)
{
    int16_t code;
    topic *found = topic_asked_for(self, wanted->name, NULL, &code);
    answer->name = wanted->name;
    RESPONSE_ARRAY(self, answer->partitions, wanted->partitions.count);
    for (size_t i = 0; i < wanted->partitions.count; i++) {
        const delete_records_request_partition *one = &wanted->partitions.items[i];
        delete_records_response_partition *its = &answer->partitions.items[i];
        partition *log =
            found == NULL ? NULL : topic_partition(found, one->partition_index);
        its->partition_index = one->partition_index;
        its->low_watermark = -1;
        its->error_code = log == NULL ? ERROR_UNKNOWN_TOPIC_OR_PARTITION
                                      : partition_delete_records(log, one->offset,
                                                                 &its->low_watermark);
    }
    topic_unref(found);
}

void handle_delete_records(request *self, const void *message)
{
    const delete_records_request *asked = message;
    delete_records_response response;
    delete_records_response_init(&response);
    RESPONSE_ARRAY(self, response.topics, asked->topics.count);
    for (size_t i = 0; i < asked->topics.count; i++) {
        delete_records_of(self, &asked->topics.items[i], &response.topics.items[i]);
    }
    request_answer(self, self->header.api_version, &response);
}
