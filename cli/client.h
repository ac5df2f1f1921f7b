/* cli/client.h - a Kafka client for the tools, by librdkafka.
 *
 * Threads: the main one. */
#ifndef CLI_CLIENT_H
#define CLI_CLIENT_H

#include "base/properties.h"
#include "options.h"
#include <librdkafka/rdkafka.h>

enum { CLI_TIMEOUT_MS = 10000 };

/* What the tools have in common, embedded in their options. */
typedef struct cli_connection {
    const char *bootstrap_server; /* NULL: 127.0.0.1:9092 */
    const char *command_config;   /* A properties file for the client, or NULL. */
    cli_texts properties;         /* "key=value" for the client. */
    bool lenient; /* A setting that librdkafka has not is left out, with a warning. */
} cli_connection;

/* The rows of an option table that fill `connection`, a cli_connection in `options`. */
#define CLI_CONNECTION_OPTIONS(options)                                                \
    {"bootstrap-server",                                                               \
     0,                                                                                \
     CLI_TEXT,                                                                         \
     "HOST:PORT",                                                                      \
     "The broker, or several with commas between. Default: 127.0.0.1:9092.",           \
     0,                                                                                \
     0,                                                                                \
     CLI_AT(const char *, options, connection.bootstrap_server)},                      \
    {                                                                                  \
        "command-config", 0, CLI_TEXT, "FILE",                                         \
            "A properties file with settings for the client, as security.protocol.",   \
            0, 0, CLI_AT(const char *, options, connection.command_config)             \
    }

typedef void (*cli_delivered)(rd_kafka_t *client, const rd_kafka_message_t *message,
                              void *opaque);

/* A client of `type`; `extra` is a list of names and values, ended by NULL; `delivered`
 * (or NULL) hears of every record produced. The caller's: rd_kafka_destroy().
 * SLUICE_BAD_CONFIG where a setting is refused. */
sluice_status cli_client_new(const cli_connection *connection, rd_kafka_type_t type,
                             const char *const *extra, cli_delivered delivered,
                             rd_kafka_t **ret_client, sluice_error *err);

/* The same; rd_kafka_opaque() of the client is `owner`. */
sluice_status cli_client_new_for(const cli_connection *connection, rd_kafka_type_t type,
                                 const char *const *extra, cli_delivered delivered,
                                 void *owner, rd_kafka_t **ret_client,
                                 sluice_error *err);

/* What a setting is where the user gives it, among the properties or in the file: a
 * copy, the caller's; or NULL. SLUICE_BAD_CONFIG where the file cannot be read. */
sluice_status cli_setting(const cli_connection *connection, const char *name,
                          char **ret_value, sluice_error *err);

/* Adds the pairs of a file (NULL: none) and then "key=value" texts, whose values are
 * taken as they stand. SLUICE_BAD_CONFIG where either is wrong. */
sluice_status cli_texts_of(const char *path, const cli_texts *pairs,
                           properties *ret_all, sluice_error *err);

/* The metadata of `topic` (NULL: of all topics). The caller's:
 * rd_kafka_metadata_destroy(). SLUICE_RETRY where no broker answers in 10 s; does not
 * create the topic. */
sluice_status cli_metadata(rd_kafka_t *client, const char *topic,
                           const rd_kafka_metadata_t **ret_metadata, sluice_error *err);

/* What a command does with its one topic, which is the option `topic` or the first
 * argument: prints why it failed, or that none is named. `called` is argv[0]. Returns
 * the exit status. */
int cli_on_topic(const cli_usage *usage, const char *called, const void *options,
                 const char *topic, const cli_texts *arguments,
                 sluice_status (*run)(const void *options, const char *topic,
                                      sluice_error *err));

#endif
