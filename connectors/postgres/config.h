/* connectors/postgres/config.h - the configuration of the PostgreSQL source.
 *
 * The keys are those of the Debezium connector for PostgreSQL, so that its
 * configurations are accepted unchanged.
 *
 * Memory: everything is borrowed from the worker's struct, which outlives the task. */
#ifndef SLUICE_POSTGRES_CONFIG_H
#define SLUICE_POSTGRES_CONFIG_H

#include <sluice/config.h>

/* The members are in the order of the `choices` of their keys. */

typedef enum snapshot_mode {
    SNAPSHOT_ALWAYS,
    SNAPSHOT_INITIAL,
    SNAPSHOT_INITIAL_ONLY,
    SNAPSHOT_NO_DATA,
    SNAPSHOT_NEVER, /* The old name of SNAPSHOT_NO_DATA. */
    SNAPSHOT_WHEN_NEEDED,
    SNAPSHOT_CONFIGURATION_BASED,
} snapshot_mode;

typedef enum publication_mode {
    PUBLICATION_ALL_TABLES,
    PUBLICATION_FILTERED,
    PUBLICATION_DISABLED,
    PUBLICATION_NO_TABLES,
} publication_mode;

typedef enum snapshot_order {
    ORDER_DISABLED,
    ORDER_ASCENDING,
    ORDER_DESCENDING,
} snapshot_order;

typedef enum decimal_mode {
    DECIMAL_PRECISE,
    DECIMAL_DOUBLE,
    DECIMAL_STRING,
} decimal_mode;

typedef enum time_mode {
    TIME_ADAPTIVE,
    TIME_ADAPTIVE_MICROSECONDS,
    TIME_CONNECT,
    TIME_ISOSTRING,
    TIME_MICROSECONDS,
    TIME_NANOSECONDS,
} time_mode;

typedef enum interval_mode {
    INTERVAL_NUMERIC,
    INTERVAL_STRING,
} interval_mode;

typedef enum binary_mode {
    BINARY_BYTES,
    BINARY_BASE64,
    BINARY_BASE64_URL_SAFE,
    BINARY_HEX,
} binary_mode;

typedef enum hstore_mode {
    HSTORE_JSON,
    HSTORE_MAP,
} hstore_mode;

typedef enum adjustment_mode {
    ADJUST_NONE,
    ADJUST_AVRO,
    ADJUST_AVRO_UNICODE,
} adjustment_mode;

typedef enum failure_mode {
    FAILURE_FAIL,
    FAILURE_WARN,
    FAILURE_SKIP,
} failure_mode;

typedef enum mismatch_strategy {
    MISMATCH_NO_VALIDATION,
    MISMATCH_TRUST_OFFSET,
    MISMATCH_TRUST_SLOT,
    MISMATCH_TRUST_GREATER_LSN,
    MISMATCH_FAIL, /* Not Debezium's. */
} mismatch_strategy;

typedef enum flush_mode {
    FLUSH_CONNECTOR,
    FLUSH_MANUAL,
    FLUSH_CONNECTOR_AND_DRIVER,
} flush_mode;

typedef struct postgres_config {
    /* Connection. */
    const char *hostname;
    int32_t port;
    const char *user, *password, *dbname;
    int32_t sslmode;
    const char *sslcert, *sslkey, *sslpassword, *sslrootcert;
    bool tcp_keepalive;
    const char *initial_statements;
    int64_t query_timeout_ms, connect_timeout_ms;

    /* The stream. */
    const char *topic_prefix;
    int32_t plugin;
    const char *slot;
    bool slot_drop_on_stop, slot_failover;
    int32_t slot_retries;
    int64_t slot_retry_ms;
    const char *stream_params;
    int64_t slot_create_timeout_ms;
    const char *publication;
    int32_t publication_mode;
    bool via_partition_root;
    int64_t status_interval_ms;
    int32_t flush_mode, mismatch;
    int32_t batch_max;
    int64_t heartbeat_interval_ms;
    const char *heartbeat_prefix, *heartbeat_topic, *heartbeat_query;
    bool context_headers;

    /* What is captured. */
    sluice_list schema_include, schema_exclude, table_include, table_exclude;
    sluice_list column_include, column_exclude;
    sluice_family cuts, stars, hashes, hashes_v2; /* What hides values. */
    sluice_list column_propagate, type_propagate;
    const char *key_columns;
    sluice_list skipped_operations;
    bool tombstones;
    bool skips_unchanged;
    sluice_list prefix_include, prefix_exclude; /* Of logical messages. */
    bool transaction_metadata;
    const char *topic_transaction;

    /* How values are shown. */
    int32_t decimal_mode, time_mode, interval_mode, binary_mode, hstore_mode;
    int32_t money_digits;
    bool unknown_types;
    const char *placeholder;
    int32_t failure_mode;
    const char *topic_delimiter;
    int32_t schema_adjustment, field_adjustment;

    /* The snapshot. */
    int32_t snapshot_mode;
    bool based_data, based_stream, based_data_error;
    sluice_list snapshot_tables, overrides;
    int32_t snapshot_order;
    int64_t snapshot_delay_ms;
} postgres_config;

extern const sluice_config postgres_config_table;

/* Whether operation `op` ('c', 'u', 'd', 't', 'm') is listed in skipped.operations. */
bool config_skips(const postgres_config *config, char op);

#endif
