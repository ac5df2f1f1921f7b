/* The committed offsets of a consumer group, by librdkafka's admin client. */
#include "worker/host/kafka_groups.h"
#include "worker/host/client_settings.h"
#include "worker/host/kafka_common.h"
#include <stdio.h>
#include <string.h>

enum { answer_ms = 30 * 1000 };

static sluice_status fail(rd_kafka_resp_err_t code, const char *reason, char *ret_code,
                          sluice_error *err)
{
    snprintf(ret_code, KAFKA_GROUPS_CODE_SIZE, "%s", rd_kafka_err2name(code));
    return sluice_fail(err, SLUICE_FATAL, "%s",
                       reason == NULL ? rd_kafka_err2str(code) : reason);
}

/* A client with a queue for its answers. */
typedef struct admin {
    rd_kafka_t *client;
    rd_kafka_queue_t *queue;
    rd_kafka_AdminOptions_t *options;
} admin;

static sluice_status admin_init(admin *self, const sluice_props *settings,
                                char *ret_code, sluice_error *err)
{
    char reason[256];
    static const char *const none[] = {NULL};
    *self = (admin){0};
    ret_code[0] = '\0';
    rd_kafka_conf_t *conf = kafka_conf_new(CLIENT_ADMIN, none, settings, err);
    if (conf == NULL) {
        return SLUICE_FATAL;
    }
    self->client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof reason);
    if (self->client == NULL) {
        rd_kafka_conf_destroy(conf);
        return sluice_fail(err, SLUICE_FATAL, "%s", reason);
    }
    self->queue = rd_kafka_queue_new(self->client);
    self->options = rd_kafka_AdminOptions_new(self->client, RD_KAFKA_ADMIN_OP_ANY);
    rd_kafka_AdminOptions_set_request_timeout(self->options, answer_ms, NULL, 0);
    return SLUICE_OK;
}

static void admin_done(admin *self)
{
    if (self->client != NULL) {
        rd_kafka_AdminOptions_destroy(self->options);
        rd_kafka_queue_destroy(self->queue);
        rd_kafka_destroy(self->client);
    }
}

/* The answer, for rd_kafka_event_destroy(); NULL: there is none, or a failure. */
static rd_kafka_event_t *admin_wait(admin *self, char *ret_code, sluice_error *err)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(self->queue, answer_ms + 5000);
    if (event == NULL) {
        fail(RD_KAFKA_RESP_ERR__TIMED_OUT, NULL, ret_code, err);
        return NULL;
    }
    if (rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        fail(rd_kafka_event_error(event), rd_kafka_event_error_string(event), ret_code,
             err);
        rd_kafka_event_destroy(event);
        return NULL;
    }
    return event;
}

static sluice_status check_groups(const rd_kafka_group_result_t *const *groups,
                                  size_t count, char *ret_code, sluice_error *err)
{
    for (size_t i = 0; i < count; i++) {
        const rd_kafka_error_t *fault = rd_kafka_group_result_error(groups[i]);
        const rd_kafka_topic_partition_list_t *list =
            rd_kafka_group_result_partitions(groups[i]);
        if (fault != NULL) {
            return fail(rd_kafka_error_code(fault), rd_kafka_error_string(fault),
                        ret_code, err);
        }
        for (int p = 0; list != NULL && p < list->cnt; p++) {
            if (list->elems[p].err != RD_KAFKA_RESP_ERR_NO_ERROR) {
                return fail(list->elems[p].err, NULL, ret_code, err);
            }
        }
    }
    return SLUICE_OK;
}

/* --- Listing. --- */

static json_t *offsets_of(const rd_kafka_topic_partition_list_t *list)
{
    json_t *offsets = json_array();
    for (int i = 0; list != NULL && i < list->cnt; i++) {
        const rd_kafka_topic_partition_t *at = &list->elems[i];
        if (at->offset >= 0) {
            json_array_append_new(offsets,
                                  json_pack("[{s:s, s:i}, {s:I}]", "kafka_topic",
                                            at->topic, "kafka_partition", at->partition,
                                            "kafka_offset", (json_int_t)at->offset));
        }
    }
    return offsets;
}

static sluice_status take_list(rd_kafka_event_t *event, json_t **ret_offsets,
                               char *ret_code, sluice_error *err)
{
    size_t count;
    const rd_kafka_group_result_t **groups =
        rd_kafka_ListConsumerGroupOffsets_result_groups(
            rd_kafka_event_ListConsumerGroupOffsets_result(event), &count);
    sluice_status status = check_groups(groups, count, ret_code, err);
    if (status == SLUICE_OK) {
        *ret_offsets =
            offsets_of(count == 0 ? NULL : rd_kafka_group_result_partitions(groups[0]));
    }
    return status;
}

sluice_status kafka_groups_list(const sluice_props *settings, const char *group,
                                json_t **ret_offsets, char *ret_code, sluice_error *err)
{
    admin client;
    sluice_status status = admin_init(&client, settings, ret_code, err);
    if (status == SLUICE_OK) {
        rd_kafka_ListConsumerGroupOffsets_t *request =
            rd_kafka_ListConsumerGroupOffsets_new(group, NULL);
        rd_kafka_ListConsumerGroupOffsets(client.client, &request, 1, client.options,
                                          client.queue);
        rd_kafka_ListConsumerGroupOffsets_destroy(request);
        rd_kafka_event_t *event = admin_wait(&client, ret_code, err);
        status =
            event == NULL ? SLUICE_FATAL : take_list(event, ret_offsets, ret_code, err);
        if (event != NULL) {
            rd_kafka_event_destroy(event);
        }
    }
    admin_done(&client);
    return status;
}

/* --- Altering. --- */

/* The entries with an offset, or those without. */
static rd_kafka_topic_partition_list_t *partitions_of(const json_t *offsets, bool set)
{
    size_t index;
    json_t *pair;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    json_array_foreach(offsets, index, pair)
    {
        const json_t *where = json_array_get(pair, 0),
                     *offset = json_array_get(pair, 1);
        if (json_is_null(offset) == set) {
            continue;
        }
        rd_kafka_topic_partition_t *at = rd_kafka_topic_partition_list_add(
            list, json_string_value(json_object_get(where, "kafka_topic")),
            (int32_t)json_integer_value(json_object_get(where, "kafka_partition")));
        if (set) {
            at->offset = json_integer_value(json_object_get(offset, "kafka_offset"));
        }
    }
    return list;
}

static sluice_status set_some(admin *client, const char *group,
                              const rd_kafka_topic_partition_list_t *list,
                              char *ret_code, sluice_error *err)
{
    size_t count;
    rd_kafka_AlterConsumerGroupOffsets_t *request =
        rd_kafka_AlterConsumerGroupOffsets_new(group, list);
    rd_kafka_AlterConsumerGroupOffsets(client->client, &request, 1, client->options,
                                       client->queue);
    rd_kafka_AlterConsumerGroupOffsets_destroy(request);
    rd_kafka_event_t *event = admin_wait(client, ret_code, err);
    if (event == NULL) {
        return SLUICE_FATAL;
    }
    const rd_kafka_group_result_t **groups =
        rd_kafka_AlterConsumerGroupOffsets_result_groups(
            rd_kafka_event_AlterConsumerGroupOffsets_result(event), &count);
    sluice_status status = check_groups(groups, count, ret_code, err);
    rd_kafka_event_destroy(event);
    return status;
}

static sluice_status remove_some(admin *client, const char *group,
                                 const rd_kafka_topic_partition_list_t *list,
                                 char *ret_code, sluice_error *err)
{
    size_t count;
    rd_kafka_DeleteConsumerGroupOffsets_t *request =
        rd_kafka_DeleteConsumerGroupOffsets_new(group, list);
    rd_kafka_DeleteConsumerGroupOffsets(client->client, &request, 1, client->options,
                                        client->queue);
    rd_kafka_DeleteConsumerGroupOffsets_destroy(request);
    rd_kafka_event_t *event = admin_wait(client, ret_code, err);
    if (event == NULL) {
        return SLUICE_FATAL;
    }
    const rd_kafka_group_result_t **groups =
        rd_kafka_DeleteConsumerGroupOffsets_result_groups(
            rd_kafka_event_DeleteConsumerGroupOffsets_result(event), &count);
    sluice_status status = check_groups(groups, count, ret_code, err);
    rd_kafka_event_destroy(event);
    return status;
}

sluice_status kafka_groups_alter(const sluice_props *settings, const char *group,
                                 const json_t *offsets, char *ret_code,
                                 sluice_error *err)
{
    admin client;
    sluice_status status = admin_init(&client, settings, ret_code, err);
    rd_kafka_topic_partition_list_t *set = partitions_of(offsets, true);
    rd_kafka_topic_partition_list_t *removed = partitions_of(offsets, false);
    if (status == SLUICE_OK && set->cnt > 0) {
        status = set_some(&client, group, set, ret_code, err);
    }
    if (status == SLUICE_OK && removed->cnt > 0) {
        status = remove_some(&client, group, removed, ret_code, err);
    }
    rd_kafka_topic_partition_list_destroy(set);
    rd_kafka_topic_partition_list_destroy(removed);
    admin_done(&client);
    return status;
}

/* --- Deleting. --- */

static sluice_status take_deletion(rd_kafka_event_t *event, char *ret_code,
                                   sluice_error *err)
{
    size_t count;
    const rd_kafka_group_result_t **groups = rd_kafka_DeleteGroups_result_groups(
        rd_kafka_event_DeleteGroups_result(event), &count);
    sluice_status status = check_groups(groups, count, ret_code, err);
    bool absent = strcmp(ret_code, "GROUP_ID_NOT_FOUND") == 0;
    return absent ? SLUICE_OK : status;
}

sluice_status kafka_groups_delete(const sluice_props *settings, const char *group,
                                  char *ret_code, sluice_error *err)
{
    admin client;
    sluice_status status = admin_init(&client, settings, ret_code, err);
    if (status == SLUICE_OK) {
        rd_kafka_DeleteGroup_t *request = rd_kafka_DeleteGroup_new(group);
        rd_kafka_DeleteGroups(client.client, &request, 1, client.options, client.queue);
        rd_kafka_DeleteGroup_destroy(request);
        rd_kafka_event_t *event = admin_wait(&client, ret_code, err);
        status = event == NULL ? SLUICE_FATAL : take_deletion(event, ret_code, err);
        if (event != NULL) {
            rd_kafka_event_destroy(event);
        }
    }
    admin_done(&client);
    return status;
}

/* --- Topics. --- */

/* Whether the log has the topic; asking for all of them makes none. */
static sluice_status topic_is_there(admin *client, const char *topic, bool *ret_there,
                                    sluice_error *err)
{
    const struct rd_kafka_metadata *found;
    rd_kafka_resp_err_t code =
        rd_kafka_metadata(client->client, 1, NULL, &found, answer_ms);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return sluice_fail(err, SLUICE_RETRY, "%s", rd_kafka_err2str(code));
    }
    *ret_there = false;
    for (int i = 0; i < found->topic_cnt; i++) {
        *ret_there = *ret_there || strcmp(found->topics[i].topic, topic) == 0;
    }
    rd_kafka_metadata_destroy(found);
    return SLUICE_OK;
}

static sluice_status take_creation(admin *client, bool *ret_created, sluice_error *err)
{
    char code[KAFKA_GROUPS_CODE_SIZE];
    size_t count;
    rd_kafka_event_t *event = admin_wait(client, code, err);
    if (event == NULL) {
        return SLUICE_RETRY;
    }
    const rd_kafka_topic_result_t **results = rd_kafka_CreateTopics_result_topics(
        rd_kafka_event_CreateTopics_result(event), &count);
    rd_kafka_resp_err_t fault = count == 0 ? RD_KAFKA_RESP_ERR_UNKNOWN
                                           : rd_kafka_topic_result_error(results[0]);
    const char *reason =
        count == 0 ? NULL : rd_kafka_topic_result_error_string(results[0]);
    sluice_status status = SLUICE_OK;
    *ret_created = fault == RD_KAFKA_RESP_ERR_NO_ERROR;
    if (!*ret_created && fault != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) {
        status = fail(fault, reason, code, err);
    }
    rd_kafka_event_destroy(event);
    return status;
}

static sluice_status create_topic(admin *client, rd_kafka_NewTopic_t *topic,
                                  const sluice_props *configs, bool *ret_created,
                                  sluice_error *err)
{
    for (size_t i = 0; i < sluice_props_count(configs); i++) {
        const char *value = sluice_props_value(configs, i);
        rd_kafka_NewTopic_set_config(topic, sluice_props_name(configs, i),
                                     value == NULL ? "" : value);
    }
    rd_kafka_CreateTopics(client->client, &topic, 1, client->options, client->queue);
    return take_creation(client, ret_created, err);
}

sluice_status kafka_topic_create(const sluice_props *settings, const char *topic,
                                 int32_t partitions, int32_t replication,
                                 const sluice_props *configs, bool *ret_created,
                                 sluice_error *err)
{
    admin client;
    bool there = false;
    char code[KAFKA_GROUPS_CODE_SIZE], reason[256];
    *ret_created = false;
    sluice_status status = admin_init(&client, settings, code, err);
    if (status == SLUICE_OK) {
        status = topic_is_there(&client, topic, &there, err);
    }
    if (status == SLUICE_OK && !there) {
        rd_kafka_NewTopic_t *wanted = rd_kafka_NewTopic_new(
            topic, partitions, replication, reason, sizeof reason);
        status = wanted == NULL
                     ? sluice_fail(err, SLUICE_FATAL, "%s", reason)
                     : create_topic(&client, wanted, configs, ret_created, err);
        if (wanted != NULL) {
            rd_kafka_NewTopic_destroy(wanted);
        }
    }
    admin_done(&client);
    return status;
}
