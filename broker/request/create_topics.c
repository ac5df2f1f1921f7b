/* CreateTopics, CreatePartitions, DeleteTopics and DeleteRecords. */
#include "broker/request/handler.h"
#include <stdlib.h>
#include <string.h>

/* NUL-ended, in the arena. */
static char *text_of(request *self, message_text text)
{
    return sluice_arena_copy(request_arena(self), text.base == NULL ? "" : text.base,
                             text.len);
}

/* ---- Names that come twice -------------------------------------------------------
 *
 * Kafka answers a topic that is named twice once, with an error. */

#define DOUBLE_NAME "Duplicate topic name."

typedef enum occurrence { single, first_double, later_double } occurrence;

typedef struct named {
    message_text name; /* Empty: none, as of a topic asked for by id. */
    size_t place;
    occurrence occurrence;
} named;

static int by_name(const void *a, const void *b)
{
    const named *x = a, *y = b;
    size_t len = x->name.len < y->name.len ? x->name.len : y->name.len;
    int order = len == 0 ? 0 : memcmp(x->name.base, y->name.base, len);
    order =
        order != 0 ? order : (x->name.len > y->name.len) - (x->name.len < y->name.len);
    return order != 0 ? order : (x->place > y->place) - (x->place < y->place);
}

static int by_place(const void *a, const void *b)
{
    const named *x = a, *y = b;
    return (x->place > y->place) - (x->place < y->place);
}

static void mark_doubles(named *names, size_t count)
{
    qsort(names, count, sizeof *names, by_name);
    for (size_t i = 1; i < count; i++) {
        if (names[i].name.len > 0 &&
            message_text_equal(names[i].name, names[i - 1].name)) {
            names[i].occurrence = later_double;
            if (names[i - 1].occurrence == single) {
                names[i - 1].occurrence = first_double;
            }
        }
    }
    qsort(names, count, sizeof *names, by_place);
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

static int16_t refuse(int16_t code, sluice_error *err, const char *text)
{
    sluice_fail(err, SLUICE_BAD_CONFIG, "%s", text);
    return code;
}

/* Partitions can be given as lists of their replicas: each must be on this node. */
static int16_t count_assigned(request *self, const create_topics_request_topic *wanted,
                              int32_t *ret_count, sluice_error *err)
{
    size_t count = wanted->assignments.count;
    if (wanted->num_partitions != -1 || wanted->replication_factor != -1) {
        return refuse(ERROR_INVALID_REQUEST, err,
                      wanted->num_partitions != -1
                          ? "A manual partition assignment was specified, but "
                            "numPartitions was not set to -1."
                          : "A manual partition assignment was specified, but "
                            "replication factor was not set to -1.");
    }
    bool *seen = request_items(self, count, sizeof *seen);
    for (size_t i = 0; i < count; i++) {
        const create_topics_request_assignment *one = &wanted->assignments.items[i];
        int16_t code =
            check_replicas(self, one->broker_ids.items, one->broker_ids.count, err);
        if (code != ERROR_NONE) {
            return code;
        }
        if (one->partition_index < 0 || (size_t)one->partition_index >= count ||
            seen[one->partition_index]) {
            return refuse(ERROR_INVALID_REPLICA_ASSIGNMENT, err,
                          "partitions should be a consecutive 0-based integer "
                          "sequence");
        }
        seen[one->partition_index] = true;
    }
    *ret_count = (int32_t)count;
    return ERROR_NONE;
}

static int16_t check_nulls(const create_topics_request_topic *wanted, sluice_error *err)
{
    for (size_t i = 0; i < wanted->configs.count; i++) {
        const create_topics_request_config *one = &wanted->configs.items[i];
        if (one->value.base == NULL) {
            sluice_fail(err, SLUICE_BAD_CONFIG,
                        "Null value not supported for topic configs: %.*s",
                        (int)one->name.len, one->name.base);
            return ERROR_INVALID_CONFIG;
        }
    }
    return ERROR_NONE;
}

static const char *own_value(const topic_creation *wanted, const char *name)
{
    const char *value = NULL; /* Of two, the last one counts. */
    for (size_t i = 0; i < wanted->config_count; i++) {
        if (strcmp(wanted->configs[i].name, name) == 0) {
            value = wanted->configs[i].value;
        }
    }
    return value;
}

static void describe_configs(request *self, const topic_creation *wanted,
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
        config_source source;
        const char *own = own_value(wanted, key->name);
        const char *value = own != NULL ? own
                                        : topic_config_default(parts_of(self)->config,
                                                               key, room, &source);
        answer->configs.items[i] = (create_topics_response_config){
            .name = message_text_of(key->name),
            .value = request_copy_text(self, message_text_of(value)),
            .config_source = (int8_t)(own != NULL ? CONFIG_SOURCE_TOPIC : source)};
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
    topic *made = NULL;
    sluice_error *err = sluice_error_new();
    answer->error_code = check_nulls(wanted, err);
    if (answer->error_code == ERROR_NONE && wanted->assignments.count > 0) {
        answer->error_code =
            count_assigned(self, wanted, &creation.partition_count, err);
    }
    if (answer->error_code == ERROR_NONE) {
        answer->error_code =
            topic_set_create(parts_of(self)->topics, &creation, &made, err);
    }
    answer->error_message = request_error_text(self, err);
    sluice_error_free(err);
    if (answer->error_code != ERROR_NONE) {
        return;
    }
    answer->num_partitions = creation.partition_count != -1
                                 ? creation.partition_count
                                 : parts_of(self)->config->partition_count;
    answer->replication_factor = 1;
    describe_configs(self, &creation, answer);
    if (made != NULL) {
        answer->topic_id = message_uuid_of(&made->id);
        topic_unref(made);
    }
}

void handle_create_topics(request *self, const void *message)
{
    const create_topics_request *asked = message;
    create_topics_response response;
    create_topics_response_init(&response);
    RESPONSE_ARRAY(self, response.topics, asked->topics.count);
    response.topics.count = 0;
    named *names = request_items(self, asked->topics.count, sizeof *names);
    for (size_t i = 0; i < asked->topics.count; i++) {
        names[i] = (named){asked->topics.items[i].name, i, single};
    }
    mark_doubles(names, asked->topics.count);
    for (size_t i = 0; i < asked->topics.count; i++) {
        if (names[i].occurrence == later_double) {
            continue;
        }
        create_topics_response_topic *answer =
            &response.topics.items[response.topics.count++];
        *answer = create_topics_response_topic_defaults;
        RESPONSE_ARRAY(self, answer->configs, 0);
        answer->name = asked->topics.items[i].name;
        if (names[i].occurrence == first_double) {
            answer->error_code = ERROR_INVALID_REQUEST;
            answer->error_message = message_text_of(DOUBLE_NAME);
        } else {
            create_one(self, &asked->topics.items[i], asked->validate_only, answer);
        }
    }
    request_answer(self, self->header.api_version, &response);
}

/* ---- CreatePartitions ------------------------------------------------------------ */

/* New partitions can be given as lists of their replicas, one for each. */
static int16_t check_assigned(const request *self,
                              const create_partitions_request_topic *wanted,
                              int32_t count_now, sluice_error *err)
{
    int64_t added = (int64_t)wanted->count - count_now;
    size_t given = wanted->assignments.count;
    if (wanted->assignments.items == NULL || added <= 0) {
        return ERROR_NONE;
    }
    if ((size_t)added != given) {
        sluice_fail(err, SLUICE_BAD_CONFIG,
                    "Attempted to add %lld additional partition(s), but only %zu "
                    "assignment(s) were specified.",
                    (long long)added, given);
        return ERROR_INVALID_REPLICA_ASSIGNMENT;
    }
    int16_t code = ERROR_NONE;
    for (size_t i = 0; i < given && code == ERROR_NONE; i++) {
        code = check_replicas(self, wanted->assignments.items[i].broker_ids.items,
                              wanted->assignments.items[i].broker_ids.count, err);
    }
    return code;
}

static int16_t grow(request *self, const create_partitions_request_topic *wanted,
                    bool validate_only, sluice_error *err)
{
    int16_t code;
    topic *found = topic_asked_for(self, wanted->name, NULL, &code);
    if (found == NULL) {
        return code;
    }
    code = check_assigned(self, wanted, found->partition_count, err);
    topic_unref(found);
    return code != ERROR_NONE
               ? code
               : topic_set_grow(parts_of(self)->topics, wanted->name.base,
                                wanted->name.len, wanted->count, validate_only, err);
}

void handle_create_partitions(request *self, const void *message)
{
    const create_partitions_request *asked = message;
    create_partitions_response response;
    create_partitions_response_init(&response);
    size_t count = asked->topics.count;
    RESPONSE_ARRAY(self, response.results, count);
    response.results.count = 0;
    named *names = request_items(self, count, sizeof *names);
    for (size_t i = 0; i < count; i++) {
        names[i] = (named){asked->topics.items[i].name, i, single};
    }
    mark_doubles(names, count);
    sluice_error *err = sluice_error_new();
    for (size_t i = 0; i < count; i++) {
        if (names[i].occurrence == later_double) {
            continue;
        }
        create_partitions_response_result *answer =
            &response.results.items[response.results.count++];
        sluice_error_clear(err);
        answer->name = names[i].name;
        answer->error_code =
            names[i].occurrence == first_double
                ? refuse(ERROR_INVALID_REQUEST, err, DOUBLE_NAME)
                : grow(self, &asked->topics.items[i], asked->validate_only, err);
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
    bool by_id = !message_uuid_is_zero(id);
    if ((name.base != NULL) == by_id) {
        answer->error_code = ERROR_INVALID_REQUEST;
        answer->error_message =
            message_text_of(by_id ? "You may not specify both topic name and topic id."
                                  : "Neither topic name nor id were specified.");
        return;
    }
    topic *found = topic_asked_for(self, name, id, &answer->error_code);
    if (found == NULL) {
        answer->error_message =
            message_text_of(by_id ? "This server does not host this topic ID."
                                  : "This server does not host this topic-partition.");
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
    bool names_only = self->header.api_version < 6;
    size_t count = names_only ? asked->topic_names.count : asked->topics.count;
    RESPONSE_ARRAY(self, response.responses, count);
    response.responses.count = 0;
    named *names = request_items(self, count, sizeof *names);
    for (size_t i = 0; i < count; i++) {
        names[i] = (named){names_only ? asked->topic_names.items[i]
                                      : asked->topics.items[i].name,
                           i, single};
    }
    mark_doubles(names, count);
    for (size_t i = 0; i < count; i++) {
        if (names[i].occurrence == later_double) {
            continue;
        }
        delete_topics_response_topic *answer =
            &response.responses.items[response.responses.count++];
        const message_uuid *id = names_only ? &none : &asked->topics.items[i].topic_id;
        if (names[i].occurrence == first_double) {
            answer->name = names[i].name;
            answer->error_code = ERROR_INVALID_REQUEST;
            answer->error_message = message_text_of(DOUBLE_NAME);
        } else {
            delete_one(self, names[i].name, id, answer);
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
