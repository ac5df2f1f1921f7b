/* Which APIs are served at which versions, and the way of a request to its handler. */
#include "broker/request/handler.h"
#include <sluice/log.h>
#include <stdio.h>
#include <string.h>

/* Minima are lower than what is served where clients take a low minimum for a feature:
 * librdkafka compresses only if Produce 0 is there, and its groups need JoinGroup 0. */
const served_api served_apis[] = {
    {API_PRODUCE, 0, 13, 3, handle_produce, false},
    {API_FETCH, 2, 18, 4, handle_fetch, false},
    {API_LIST_OFFSETS, 0, 10, 0, handle_list_offsets, false},
    {API_METADATA, 0, 13, 0, handle_metadata, false},
    {API_OFFSET_COMMIT, 1, 10, 1, handle_offset_commit, false},
    {API_OFFSET_FETCH, 1, 10, 1, handle_offset_fetch, false},
    {API_FIND_COORDINATOR, 0, 6, 0, handle_find_coordinator, false},
    {API_JOIN_GROUP, 0, 9, 0, handle_join_group, false},
    {API_HEARTBEAT, 0, 4, 0, handle_heartbeat, false},
    {API_LEAVE_GROUP, 0, 5, 0, handle_leave_group, false},
    {API_SYNC_GROUP, 0, 5, 0, handle_sync_group, false},
    {API_DESCRIBE_GROUPS, 0, 6, 0, handle_describe_groups, false},
    {API_LIST_GROUPS, 0, 5, 0, handle_list_groups, false},
    {API_API_VERSIONS, 0, 4, 0, handle_api_versions, false},
    {API_CREATE_TOPICS, 0, 7, 0, handle_create_topics, true},
    {API_DELETE_TOPICS, 0, 6, 0, handle_delete_topics, true},
    {API_DELETE_RECORDS, 0, 2, 0, handle_delete_records, true},
    {API_INIT_PRODUCER_ID, 0, 5, 0, handle_init_producer_id, false},
    {API_OFFSET_FOR_LEADER_EPOCH, 0, 4, 0, handle_offset_for_leader_epoch, false},
    {API_DESCRIBE_ACLS, 0, 3, 0, handle_describe_acls, false},
    {API_CREATE_ACLS, 1, 3, 1, handle_create_acls, false},
    {API_DELETE_ACLS, 1, 3, 1, handle_delete_acls, false},
    {API_DESCRIBE_CONFIGS, 0, 4, 0, handle_describe_configs, false},
    {API_ALTER_CONFIGS, 0, 2, 0, handle_alter_configs, true},
    {API_ALTER_REPLICA_LOG_DIRS, 1, 2, 1, handle_alter_replica_log_dirs, false},
    {API_DESCRIBE_LOG_DIRS, 1, 4, 1, handle_describe_log_dirs, true},
    {API_CREATE_PARTITIONS, 0, 3, 0, handle_create_partitions, true},
    {API_DELETE_GROUPS, 0, 2, 0, handle_delete_groups, false},
    {API_ELECT_LEADERS, 0, 2, 0, handle_elect_leaders, false},
    {API_INCREMENTAL_ALTER_CONFIGS, 0, 1, 0, handle_incremental_alter_configs, true},
    {API_ALTER_PARTITION_REASSIGNMENTS, 0, 1, 0, handle_alter_partition_reassignments,
     false},
    {API_LIST_PARTITION_REASSIGNMENTS, 0, 0, 0, handle_list_partition_reassignments,
     false},
    {API_OFFSET_DELETE, 0, 0, 0, handle_offset_delete, false},
    {API_DESCRIBE_CLIENT_QUOTAS, 0, 1, 0, handle_describe_client_quotas, false},
    {API_DESCRIBE_USER_SCRAM_CREDENTIALS, 0, 0, 0,
     handle_describe_user_scram_credentials, false},
    {API_DESCRIBE_QUORUM, 0, 2, 0, handle_describe_quorum, false},
    {API_UPDATE_FEATURES, 0, 2, 0, handle_update_features, false},
    {API_DESCRIBE_CLUSTER, 0, 2, 0, handle_describe_cluster, false},
    {API_DESCRIBE_PRODUCERS, 0, 0, 0, handle_describe_producers, false},
    {API_LIST_CONFIG_RESOURCES, 0, 1, 0, handle_list_config_resources, false},
    {API_DESCRIBE_TOPIC_PARTITIONS, 0, 0, 0, handle_describe_topic_partitions, false},
};
const size_t served_api_count = sizeof served_apis / sizeof *served_apis;

bool request_overlaps(int16_t key)
{
    return key == API_PRODUCE;
}

static const served_api *find_api(int16_t key)
{
    for (size_t i = 0; i < served_api_count; i++) {
        if (served_apis[i].key == key) {
            return &served_apis[i];
        }
    }
    return NULL;
}

/* A handler may take twenty times as much for its answer: room for some 100,000
 * partitions in a fetch, and for 500,000 topics in a question for metadata. */
enum { asked_bytes_max = 8 * 1024 * 1024 };

static void refuse_entries(request *self, size_t bytes)
{
    char reason[128];
    snprintf(reason, sizeof reason,
             "its entries take %zu bytes of memory: at most %d are allowed", bytes,
             asked_bytes_max);
    request_refuse(self, reason);
}

static void decode_and_handle(request *self, const served_api *api)
{
    const message_schema *schema = self->header.api->request;
    sluice_arena *arena = request_arena(self);
    void *asked = sluice_arena_take(arena, schema->body->size);
    sluice_error *err = NULL;
    sluice_status status = message_decode(schema, self->header.api_version, self->body,
                                          self->body_size, arena, asked, NULL);
    if (status == SLUICE_OK) {
        size_t bytes = sluice_arena_used(arena);
        bytes > asked_bytes_max ? refuse_entries(self, bytes)
                                : api->handle(self, asked);
        return;
    }
    err = sluice_error_new(); /* Once more, for the text. */
    message_decode(schema, self->header.api_version, self->body, self->body_size, arena,
                   asked, err);
    request_refuse(self, sluice_error_text(err));
    sluice_error_free(err);
}

typedef struct slow_task {
    loop_task task;
    request *owner;
} slow_task;

static void run_slowly(loop_task *task)
{
    request_dispatch_again(((slow_task *)task)->owner);
}

void request_dispatch_slowly(request *self)
{
    slow_task *slow = request_items(self, 1, sizeof *slow);
    *slow = (slow_task){.task.run = run_slowly, .owner = self};
    loop_post(parts_of(self)->slow, &slow->task);
}

bool request_is_slow(const request *self)
{
    return loop_is_here(parts_of(self)->slow);
}

void request_dispatch(request *self)
{
    const request_header *header = &self->header;
    const served_api *api = find_api(header->api_key);
    rest_disturb(parts_of(self)->rest);
    if (api == NULL || header->api == NULL) {
        request_refuse(self, "its API is not served");
        return;
    }
    if (header->api_version >= api->served_min &&
        header->api_version <= api->version_max) {
        api->slow ? request_dispatch_slowly(self) : decode_and_handle(self, api);
    } else if (header->api_key == API_API_VERSIONS) {
        handle_api_versions(self, NULL);
    } else {
        request_refuse(self, "its version is not served");
    }
}

void request_dispatch_again(request *self)
{
    decode_and_handle(self, find_api(self->header.api_key));
}

void advertised_address(const request *self, message_text *ret_host, int32_t *ret_port)
{
    const broker_parts *parts = parts_of(self);
    const broker_listener *listener = &parts->config->listeners[self->listener];
    *ret_host = message_text_of(listener->advertised_host);
    *ret_port = listener->advertised_port != 0
                    ? listener->advertised_port
                    : net_server_port(parts->server, self->listener);
}

message_text request_copy_text(request *self, message_text text)
{
    if (text.base == NULL) {
        return text;
    }
    return (message_text){sluice_arena_copy(request_arena(self), text.base, text.len),
                          text.len};
}

message_text request_error_text(request *self, const sluice_error *err)
{
    const char *text = sluice_error_text(err);
    return request_copy_text(self, message_text_of(*text == '\0' ? NULL : text));
}

void *request_items(request *self, size_t count, size_t size)
{
    void *items = sluice_arena_take(request_arena(self), count * size);
    memset(items, 0, count * size);
    return items;
}

message_uuid message_uuid_of(const uuid *id)
{
    message_uuid copy;
    memcpy(copy.bytes, id->bytes, sizeof copy.bytes);
    return copy;
}

uuid uuid_of_message(const message_uuid *id)
{
    uuid copy;
    memcpy(copy.bytes, id->bytes, sizeof copy.bytes);
    return copy;
}

topic *topic_asked_for(request *self, message_text name, const message_uuid *id,
                       int16_t *ret_error_code)
{
    topic_set *topics = parts_of(self)->topics;
    topic *found;
    if (name.len > 0 || id == NULL || message_uuid_is_zero(id)) {
        found = topic_set_find(topics, name.base == NULL ? "" : name.base, name.len);
        *ret_error_code = found == NULL ? ERROR_UNKNOWN_TOPIC_OR_PARTITION : ERROR_NONE;
    } else {
        uuid wanted = uuid_of_message(id);
        found = topic_set_find_id(topics, &wanted);
        *ret_error_code = found == NULL ? ERROR_UNKNOWN_TOPIC_ID : ERROR_NONE;
    }
    return found;
}

topic *topic_with_id(request *self, const message_uuid *id, message_text *ret_name,
                     int16_t *ret_error_code)
{
    uuid wanted = uuid_of_message(id);
    topic *found = topic_set_find_id(parts_of(self)->topics, &wanted);
    *ret_name =
        found == NULL
            ? (message_text){NULL, 0}
            : request_copy_text(self, (message_text){found->name, found->name_len});
    *ret_error_code = found == NULL ? ERROR_UNKNOWN_TOPIC_ID : ERROR_NONE;
    return found;
}

int16_t check_leader_epoch(partition *self, int32_t epoch)
{
    if (epoch == -1) {
        return ERROR_NONE;
    }
    int32_t mine = partition_leader_epoch(self);
    return epoch < mine   ? ERROR_FENCED_LEADER_EPOCH
           : epoch > mine ? ERROR_UNKNOWN_LEADER_EPOCH
                          : ERROR_NONE;
}
