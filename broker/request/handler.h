/* broker/request/handler.h - what the handlers of requests share.
 *
 * A handler gets the decoded request and answers it with request_answer(), now or
 * later. There is one file per API, or per family of small ones.
 *
 * Threads: a handler runs on the thread of its connection's loop; those that wait for
 * the disk run on one of their own. */
#ifndef SLUICE_BROKER_REQUEST_HANDLER_H
#define SLUICE_BROKER_REQUEST_HANDLER_H

#include "broker/config/broker_config.h"
#include "broker/net/rest.h"
#include "broker/net/server.h"
#include "broker/topic/topic_set.h"
#include "protocol/error_code.h"
#include "protocol/messages.h"

typedef struct append_round append_round;
typedef struct fetch_sessions fetch_sessions;
typedef struct group_edge group_edge;

/* What a running broker consists of, for its handlers: request.context. */
typedef struct broker_parts {
    const broker_config *config;
    const char *cluster_id;
    topic_set *topics;
    net_server *server;
    group_edge *groups;
    fetch_sessions *fetch_sessions;
    log_dir **dirs;
    size_t dir_count;
    loop *slow;           /* For requests that make or delete files. */
    append_round *rounds; /* One for each network thread. */
    rest *rest;           /* Disturbed by each request. */
} broker_parts;

/* net_options.handle and .overlaps. */
void request_dispatch(request *self);
bool request_overlaps(int16_t key);

/* Decodes a request that was parked, and hands it to its handler again. */
void request_dispatch_again(request *self);

/* The same on the thread for slow requests, so that other connections need not wait for
 * the disk. The handler returns at once. */
void request_dispatch_slowly(request *self);
bool request_is_slow(const request *self); /* Whether it is there already. */

typedef struct served_api {
    int16_t key;
    int16_t version_min, version_max; /* As advertised. */
    int16_t served_min;               /* Below it, requests are refused. */
    void (*handle)(request *self, const void *asked);
    bool slow; /* Handled on the thread for slow requests. */
} served_api;

/* All that are advertised, by key. */
extern const served_api served_apis[];
extern const size_t served_api_count;

static inline const broker_parts *parts_of(const request *self)
{
    return self->context;
}

/* What a client on this request's listener is told to connect to. */
void advertised_address(const request *self, message_text *ret_host, int32_t *ret_port);

/* A copy in the request's arena: of a text from a frame that goes away. */
message_text request_copy_text(request *self, message_text text);

/* The text of `err` in the request's arena; null when it has none. */
message_text request_error_text(request *self, const sluice_error *err);

/* `count` items of `size` bytes, zero, from the request's arena. */
void *request_items(request *self, size_t count, size_t size);

/* Sets a response's array to `count` items of the arena, all zero: where a field's
 * default is another, start an item with its `…_defaults`. */
#define RESPONSE_ARRAY(request_, array, wanted)                                        \
    ((array).count = (wanted),                                                         \
     (array).items = request_items(request_, (array).count, sizeof *(array).items))

message_uuid message_uuid_of(const uuid *id);
uuid uuid_of_message(const message_uuid *id);

/* The topic that a request names, or gives the id of where its name is null or empty;
 * the caller's. NULL with the code: UNKNOWN_TOPIC_OR_PARTITION or UNKNOWN_TOPIC_ID. */
topic *topic_asked_for(request *self, message_text name, const message_uuid *id,
                       int16_t *ret_error_code);

/* What may be done where nothing is forbidden: a bit for each of Kafka's operations
 * that there are on a topic, and on the cluster (asked of Apache Kafka 4.1). */
enum { topic_operations = 3576, cluster_operations = 8096 };

/* Whether a partition's only replica may be on `nodes`: NONE, or
 * INVALID_REPLICA_ASSIGNMENT with Kafka's words. */
int16_t check_replicas(const request *self, const int32_t *nodes, size_t count,
                       sluice_error *err);

/* The topic with the id, as above, and its name, which lives as long as the request;
 * null with UNKNOWN_TOPIC_ID. */
topic *topic_with_id(request *self, const message_uuid *id, message_text *ret_name,
                     int16_t *ret_error_code);

/* The names of the loggers that a broker has, NULL-ended, and the level of one: TRACE
 * to ERROR, or FATAL where nothing is written. */
extern const char *const broker_loggers[];
const char *broker_logger_level(const char *name);

/* Sets levels, all or none of them; they last as long as the process. */
int16_t broker_loggers_change(const incremental_alter_configs_request_resource *wanted,
                              bool validate_only, sluice_error *err);

/* NONE, or FENCED_LEADER_EPOCH or UNKNOWN_LEADER_EPOCH; -1 asks for nothing. */
int16_t check_leader_epoch(partition *self, int32_t epoch);

void handle_alter_configs(request *self, const void *asked);
void handle_alter_partition_reassignments(request *self, const void *asked);
void handle_alter_replica_log_dirs(request *self, const void *asked);
void handle_api_versions(request *self, const void *asked);
void handle_create_acls(request *self, const void *asked);
void handle_create_partitions(request *self, const void *asked);
void handle_create_topics(request *self, const void *asked);
void handle_delete_acls(request *self, const void *asked);
void handle_delete_groups(request *self, const void *asked);
void handle_delete_records(request *self, const void *asked);
void handle_delete_topics(request *self, const void *asked);
void handle_describe_acls(request *self, const void *asked);
void handle_describe_client_quotas(request *self, const void *asked);
void handle_describe_cluster(request *self, const void *asked);
void handle_describe_configs(request *self, const void *asked);
void handle_describe_groups(request *self, const void *asked);
void handle_describe_log_dirs(request *self, const void *asked);
void handle_describe_producers(request *self, const void *asked);
void handle_describe_quorum(request *self, const void *asked);
void handle_describe_topic_partitions(request *self, const void *asked);
void handle_describe_user_scram_credentials(request *self, const void *asked);
void handle_elect_leaders(request *self, const void *asked);
void handle_fetch(request *self, const void *asked);
void handle_find_coordinator(request *self, const void *asked);
void handle_heartbeat(request *self, const void *asked);
void handle_incremental_alter_configs(request *self, const void *asked);
void handle_init_producer_id(request *self, const void *asked);
void handle_join_group(request *self, const void *asked);
void handle_leave_group(request *self, const void *asked);
void handle_list_config_resources(request *self, const void *asked);
void handle_list_groups(request *self, const void *asked);
void handle_list_offsets(request *self, const void *asked);
void handle_list_partition_reassignments(request *self, const void *asked);
void handle_metadata(request *self, const void *asked);
void handle_offset_commit(request *self, const void *asked);
void handle_offset_delete(request *self, const void *asked);
void handle_offset_fetch(request *self, const void *asked);
void handle_offset_for_leader_epoch(request *self, const void *asked);
void handle_produce(request *self, const void *asked);
void handle_sync_group(request *self, const void *asked);
void handle_update_features(request *self, const void *asked);

#endif
