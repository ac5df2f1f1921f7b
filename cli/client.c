/* A Kafka client for the tools: settings from the command line and from a file. */
#include "client.h"
#include "base/properties.h"
#include "command.h"
#include <string.h>

static sluice_status set(rd_kafka_conf_t *conf, const char *name, const char *value,
                         sluice_error *err)
{
    char text[512];
    if (rd_kafka_conf_set(conf, name, value, text, sizeof text) != RD_KAFKA_CONF_OK) {
        return sluice_fail(err, SLUICE_BAD_CONFIG, "%s", text);
    }
    return SLUICE_OK;
}

static sluice_status set_from_file(rd_kafka_conf_t *conf, const char *path,
                                   sluice_error *err)
{
    properties *file = properties_new();
    sluice_status status = properties_read(file, path, err);
    for (size_t i = 0; i < properties_count(file) && status == SLUICE_OK; i++) {
        status = set(conf, properties_key(file, i), properties_value(file, i), err);
        if (status != SLUICE_OK) {
            sluice_prefix(err, "%s", properties_origin(file, i));
        }
    }
    properties_free(file);
    return status;
}

static sluice_status set_pair(rd_kafka_conf_t *conf, const char *pair,
                              sluice_error *err)
{
    char name[128];
    const char *equals = strchr(pair, '=');
    if (equals == NULL || (size_t)(equals - pair) >= sizeof name) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "'%s' is no setting: must be key=value", pair);
    }
    snprintf(name, sizeof name, "%.*s", (int)(equals - pair), pair);
    return set(conf, name, equals + 1, err);
}

static sluice_status set_all(rd_kafka_conf_t *conf, const cli_connection *connection,
                             const char *const *extra, sluice_error *err)
{
    const char *server = connection->bootstrap_server != NULL
                             ? connection->bootstrap_server
                             : "127.0.0.1:9092";
    sluice_status status = set(conf, "bootstrap.servers", server, err);
    if (status == SLUICE_OK) {
        status = set(conf, "socket.nagle.disable", "true", err);
    }
    if (status == SLUICE_OK) {
        status = set(conf, "log_level", "2", err);
    }
    for (; status == SLUICE_OK && *extra != NULL; extra += 2) {
        status = set(conf, extra[0], extra[1], err);
    }
    if (status == SLUICE_OK && connection->command_config != NULL) {
        status = set_from_file(conf, connection->command_config, err);
    }
    for (size_t i = 0; i < connection->properties.count && status == SLUICE_OK; i++) {
        status = set_pair(conf, connection->properties.items[i], err);
    }
    return status;
}

sluice_status cli_client_new(const cli_connection *connection, rd_kafka_type_t type,
                             const char *const *extra, cli_delivered delivered,
                             rd_kafka_t **ret_client, sluice_error *err)
{
    return cli_client_new_for(connection, type, extra, delivered, NULL, ret_client,
                              err);
}

sluice_status cli_client_new_for(const cli_connection *connection, rd_kafka_type_t type,
                                 const char *const *extra, cli_delivered delivered,
                                 void *owner, rd_kafka_t **ret_client,
                                 sluice_error *err)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_opaque(conf, owner);
    if (delivered != NULL) {
        rd_kafka_conf_set_dr_msg_cb(conf, delivered);
    }
    sluice_status status = set_all(conf, connection, extra, err);
    if (status != SLUICE_OK) {
        rd_kafka_conf_destroy(conf);
        return status;
    }
    char text[512];
    *ret_client = rd_kafka_new(type, conf, text, sizeof text);
    if (*ret_client == NULL) {
        rd_kafka_conf_destroy(conf);
        return sluice_fail(err, SLUICE_BAD_CONFIG, "%s", text);
    }
    return SLUICE_OK;
}

sluice_status cli_metadata(rd_kafka_t *client, const char *topic,
                           const rd_kafka_metadata_t **ret_metadata, sluice_error *err)
{
    rd_kafka_topic_t *handle =
        topic == NULL ? NULL : rd_kafka_topic_new(client, topic, NULL);
    rd_kafka_resp_err_t code =
        rd_kafka_metadata(client, topic == NULL, handle, ret_metadata, CLI_TIMEOUT_MS);
    if (handle != NULL) {
        rd_kafka_topic_destroy(handle);
    }
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return sluice_fail(err, SLUICE_RETRY, "no broker answered in %d s: %s",
                           CLI_TIMEOUT_MS / 1000, rd_kafka_err2str(code));
    }
    return SLUICE_OK;
}

int cli_on_topic(const cli_usage *usage, const void *options, const char *topic,
                 const cli_texts *arguments,
                 sluice_status (*run)(const void *options, const char *topic,
                                      sluice_error *err))
{
    if (topic == NULL && arguments->count > 0) {
        topic = arguments->items[0];
    }
    if (topic == NULL) {
        fprintf(stderr, "no topic is named: give one\nusage: %s\n", usage->synopsis);
        return CLI_MISUSED;
    }
    sluice_error *err = sluice_error_new();
    sluice_status status = run(options, topic, err);
    if (status != SLUICE_OK) {
        fprintf(stderr, "topic '%s': %s\n", topic, sluice_error_text(err));
    }
    sluice_error_free(err);
    return status == SLUICE_OK ? CLI_DONE : CLI_FAILED;
}
