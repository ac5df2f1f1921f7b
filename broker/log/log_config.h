/* broker/log/log_config.h - the topic configs that the log obeys, parsed.
 *
 * Names, units and defaults are those of Kafka's topic configs: `segment_bytes` is
 * `segment.bytes`. The topic's table (broker/topic/) fills one of these from the
 * broker's and the topic's values. */
#ifndef SLUICE_BROKER_LOG_LOG_CONFIG_H
#define SLUICE_BROKER_LOG_LOG_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

typedef enum compression_type {
    COMPRESSION_NONE = 0, /* "uncompressed" */
    COMPRESSION_GZIP,
    COMPRESSION_SNAPPY,
    COMPRESSION_LZ4,
    COMPRESSION_ZSTD,
    COMPRESSION_PRODUCER, /* As it came. */
} compression_type;

typedef struct log_config {
    int32_t segment_bytes;
    int64_t segment_ms;
    int64_t segment_jitter_ms;
    int32_t segment_index_bytes;
    int32_t index_interval_bytes;
    int64_t retention_ms;    /* -1: for ever. */
    int64_t retention_bytes; /* -1: without limit. */
    int64_t file_delete_delay_ms;
    int64_t delete_retention_ms;
    int64_t min_compaction_lag_ms;
    int64_t max_compaction_lag_ms;
    double min_cleanable_dirty_ratio;
    int32_t max_message_bytes;
    int64_t message_timestamp_before_max_ms;
    int64_t message_timestamp_after_max_ms;
    int64_t flush_messages;
    int64_t flush_ms;
    int64_t producer_id_expiration_ms; /* A broker config. */
    bool log_append_time;              /* message.timestamp.type=LogAppendTime */
    bool cleanup_delete, cleanup_compact;
    bool preallocate;
    bool sync_always;      /* Ours: acks=all waits for the disk even with sync_none. */
    bool foreign;          /* Ours: just copied here; nothing is known of its gaps. */
    bool validate_records; /* Ours: look into every batch; false: its header only. */
    compression_type compression;
    int32_t compression_level;
    int64_t decompressed_bytes_max; /* Ours: what one batch may inflate to. */
} log_config;

/* Kafka's defaults. */
#define LOG_CONFIG_INIT                                                                \
    {                                                                                  \
        .segment_bytes = 1073741824, .segment_ms = 604800000,                          \
        .segment_index_bytes = 10485760, .index_interval_bytes = 4096,                 \
        .retention_ms = 604800000, .retention_bytes = -1,                              \
        .file_delete_delay_ms = 60000, .delete_retention_ms = 86400000,                \
        .max_compaction_lag_ms = INT64_MAX, .min_cleanable_dirty_ratio = 0.5,          \
        .max_message_bytes = 1048588, .message_timestamp_before_max_ms = INT64_MAX,    \
        .message_timestamp_after_max_ms = 3600000, .flush_messages = INT64_MAX,        \
        .flush_ms = INT64_MAX, .producer_id_expiration_ms = 86400000,                  \
        .cleanup_delete = true, .validate_records = true,                              \
        .compression = COMPRESSION_PRODUCER, .compression_level = -1,                  \
        .decompressed_bytes_max = 1073741824                                           \
    }

#endif
