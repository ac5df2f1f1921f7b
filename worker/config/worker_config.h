/* worker_config.h - the keys of a worker's .properties file.
 *
 * Kafka Connect's names and defaults. All properties, known or not, are passed on to
 * the connector hosts, where converters, producers and consumers take theirs.
 *
 * Threads: one, then read by any. */
#ifndef SLUICE_CONFIG_WORKER_CONFIG_H
#define SLUICE_CONFIG_WORKER_CONFIG_H

#include "base/properties.h"
#include <jansson.h>
#include <sluice/config.h>

/* As parsed; texts are borrowed from the worker_config. */
typedef struct worker_values {
    sluice_list bootstrap_servers;
    const char *key_converter, *value_converter, *header_converter;
    sluice_list plugin_path, config_providers;
    sluice_list listeners;
    const char *admin_listeners; /* NULL: those of `listeners`; "": none. */
    const char *rest_port;       /* Old, and instead of listeners. */
    const char *rest_host;
    const char *advertised_host;
    int32_t advertised_port;
    const char *advertised_listener;
    int64_t graceful_ms;
    int64_t offset_flush_ms;
    int64_t offset_flush_timeout_ms;
    bool topic_creation;
    bool topic_tracking;
    bool topic_tracking_reset;
    const char *offset_file;
    const char *config_file; /* Ours: "" or where REST's connectors are remembered. */
    int32_t restart_policy;  /* A herder_policy. */
    int64_t restart_backoff_ms;
    int64_t restart_backoff_max_ms;
    int64_t restart_attempts;
    int64_t restart_reset_ms;
    int64_t liveness_ms;
    int64_t call_timeout_ms; /* As what follows, 0: no limit. */
    int64_t host_memory_bytes;
    int64_t host_files;
    int64_t host_nice;
    int64_t host_cpu_percent;
    const char *allow_origin, *allow_methods;
    const char *override_policy;
    const char *response_headers;
    sluice_list rest_extensions;
    const char *login_file;
    int32_t log_format; /* A log_format. */
    int32_t metric_samples;
    int64_t metric_window_ms;
} worker_values;

typedef struct worker_config {
    worker_values *values;
    json_t *properties; /* All of them, names and texts. */
} worker_config;

/* Parses a standalone worker's properties. SLUICE_BAD_CONFIG with a message for every
 * fault, near misses included. Remarks about names without effect are logged, in the
 * form that log.format asks for, which is that of all lines from then on; which also
 * keep to themselves what passwords are, and what references lead to. */
sluice_status worker_config_parse(const properties *source, worker_config *ret_config,
                                  sluice_error *err);
void worker_config_done(worker_config *self);

/* The table, for --help. */
extern const sluice_config worker_config_table;

#endif
