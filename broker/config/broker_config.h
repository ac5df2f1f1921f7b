/* broker/config/broker_config.h - the broker's configuration: Kafka's keys, parsed.
 *
 * Owner: whoever parsed it; constant from then on, except for `dynamic`, which has its
 * own lock, so any thread may read it. */
#ifndef SLUICE_BROKER_CONFIG_BROKER_CONFIG_H
#define SLUICE_BROKER_CONFIG_BROKER_CONFIG_H

#include "base/properties.h"
#include "broker/config/dynamic_config.h"
#include "broker/config/setting.h"
#include <stdbool.h>

/* "PLAINTEXT://127.0.0.1:9092" */
typedef struct broker_listener {
    char *name; /* "PLAINTEXT" */
    char *host; /* "": all interfaces. */
    uint16_t port;
    char *advertised_host;    /* What clients are told. */
    uint16_t advertised_port; /* 0: the port that the listener has got. */
} broker_listener;

typedef struct broker_config {
    broker_listener *listeners;
    size_t listener_count;
    char **log_dirs; /* NULL-ended, one piece of memory. */
    size_t log_dir_count;
    char *metrics_host; /* NULL: no metrics listener; "": all interfaces. */
    uint16_t metrics_port;
    char *rack; /* NULL: none. */

    int32_t node_id;
    int32_t network_threads;
    int32_t request_bytes_max;
    int64_t queued_bytes_max;
    int32_t send_buffer_bytes, receive_buffer_bytes;
    int32_t connections_max;
    int64_t connections_idle_ms_max;
    int32_t partition_count;
    bool auto_create_topics;
    bool delete_topics;
    int32_t fetch_bytes_max;
    int32_t fetch_sessions_max;
    int64_t retention_check_interval_ms;
    int32_t checkpoint_interval_ms;
    int32_t offsets_partition_count;
    int32_t offsets_segment_bytes;
    int32_t offsets_retention_minutes;
    int64_t offsets_retention_check_interval_ms;
    int32_t offset_metadata_bytes_max;
    int32_t group_initial_rebalance_delay_ms;
    int32_t group_session_timeout_ms_min, group_session_timeout_ms_max;
    int32_t group_size_max;
    bool sync_none; /* acks.all.sync=none */

    dynamic_config *dynamic; /* What was changed since. */
    const properties *given; /* Borrowed: what was set, for the topics' defaults. */
} broker_config;

/* Every key, ended by a NULL name. */
extern const setting broker_config_keys[];

/* Parses `given`, which is borrowed as long as the result. SLUICE_BAD_CONFIG with a
 * message per fault. Keys that are unknown, or that do nothing here, are logged once.
 */
sluice_status broker_config_parse(const properties *given, broker_config *ret_config,
                                  sluice_error *err);
void broker_config_done(broker_config *self);

/* The text of a key: as it was given, else its default, else NULL. */
const char *broker_config_text(const broker_config *self, const char *name);

#endif
