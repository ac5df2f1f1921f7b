/* worker/host/common_config.h - the keys that every connector has, whatever it is.
 *
 * Tables, so that they check, document and validate themselves as a plugin's do.
 *
 * Threads: tables are constants. */
#ifndef SLUICE_WORKER_HOST_COMMON_CONFIG_H
#define SLUICE_WORKER_HOST_COMMON_CONFIG_H

#include <sluice/config.h>

/* Filled from source_common_table or sink_common_table: what only the other has is
 * zero. */
typedef struct common_config {
    const char *name, *connector_class;
    int32_t tasks_max;
    bool tasks_max_enforce;
    const char *key_converter, *value_converter, *header_converter;
    const char *connector_version, *key_converter_version, *value_converter_version,
        *header_converter_version;
    sluice_list transforms, predicates;
    const char *config_action_reload;
    int64_t errors_retry_timeout, errors_retry_delay_max_ms;
    const char *errors_tolerance; /* "none" or "all" */
    bool errors_log_enable, errors_log_include_messages;

    /* A source's. */
    sluice_list topic_creation_groups;
    int32_t exactly_once_support; /* Index of "REQUIRED", "REQUESTED". */
    int32_t transaction_boundary; /* Index of "INTERVAL", "POLL", "CONNECTOR". */
    int64_t transaction_boundary_interval_ms;
    const char *offsets_storage_topic;

    /* A sink's. */
    sluice_list topics;
    const char *topics_regex;
    const char *dead_letter_topic;
    int32_t dead_letter_replication;
    bool dead_letter_headers;
} common_config;

extern const sluice_config source_common_table, sink_common_table;

/* The keys of a transformation and of a predicate besides its own. */
extern const sluice_config transform_common_table, predicate_common_table;

typedef struct transform_common {
    const char *type, *version, *predicate;
    bool negate;
} transform_common;

/* The part of `props` whose names begin with `prefix`, without it. The caller's. */
sluice_props *props_below(const sluice_props *props, const char *prefix);

#endif
