/* A Kafka client for the tools: settings from the command line and from a file. */
#include "client.h"
#include "base/memory.h"
#include "base/text.h"
#include "command.h"
#include "worker/host/client_settings.h"
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

/* Settings of Java's client that say something else in librdkafka's words: stores, and
 * who logs in. */
static bool is_javas(const char *name)
{
    return text_starts(name, "ssl.truststore.") || text_starts(name, "ssl.keystore.") ||
           strcmp(name, "sasl.jaas.config") == 0 ||
           strcmp(name, "ssl.endpoint.identification.algorithm") == 0;
}

/* What the user gives: names of Java's client that librdkafka has not are passed over
 * where the connection is lenient. */
static sluice_status set_given(rd_kafka_conf_t *conf, const cli_connection *connection,
                               const char *name, const char *value, sluice_error *err)
{
    char text[512];
    if (is_javas(name)) {
        return SLUICE_OK; /* set_javas() */
    }
    rd_kafka_conf_res_t result =
        rd_kafka_conf_set(conf, name, value, text, sizeof text);
    if (result == RD_KAFKA_CONF_UNKNOWN && connection->lenient) {
        fprintf(stderr, "'%s' is not a setting of this client (librdkafka): left out\n",
                name);
        return SLUICE_OK;
    }
    return result == RD_KAFKA_CONF_OK ? SLUICE_OK
                                      : sluice_fail(err, SLUICE_BAD_CONFIG, "%s", text);
}

static sluice_status set_from_file(rd_kafka_conf_t *conf,
                                   const cli_connection *connection, sluice_error *err)
{
    properties *file = properties_new();
    sluice_status status = properties_read(file, connection->command_config, err);
    for (size_t i = 0; i < properties_count(file) && status == SLUICE_OK; i++) {
        status = set_given(conf, connection, properties_key(file, i),
                           properties_value(file, i), err);
        if (status != SLUICE_OK) {
            sluice_prefix(err, "%s", properties_origin(file, i));
        }
    }
    properties_free(file);
    return status;
}

static sluice_status set_pair(rd_kafka_conf_t *conf, const cli_connection *connection,
                              const char *pair, sluice_error *err)
{
    char name[128];
    const char *equals = strchr(pair, '=');
    if (equals == NULL || (size_t)(equals - pair) >= sizeof name) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "'%s' is no setting: must be key=value", pair);
    }
    snprintf(name, sizeof name, "%.*s", (int)(equals - pair), pair);
    return set_given(conf, connection, name, equals + 1, err);
}

static sluice_status set_javas(rd_kafka_conf_t *conf, const cli_connection *connection,
                               sluice_error *err)
{
    properties *all = properties_new();
    sluice_props *given = sluice_props_new();
    sluice_status status =
        cli_texts_of(connection->command_config, &connection->properties, all, err);
    bool found = false;
    for (size_t i = 0; i < properties_count(all); i++) {
        const char *name = properties_key(all, i);
        bool javas = is_javas(name);
        found = found || javas;
        if (javas || strcmp(name, "security.protocol") == 0 ||
            strcmp(name, "ssl.key.password") == 0) {
            sluice_props_set(given, name, properties_value(all, i));
        }
    }
    if (status == SLUICE_OK && found) {
        status = client_settings_apply(CLIENT_ADMIN, given, conf, err);
    }
    sluice_props_free(given);
    properties_free(all);
    return status;
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
        status = set_from_file(conf, connection, err);
    }
    for (size_t i = 0; i < connection->properties.count && status == SLUICE_OK; i++) {
        status = set_pair(conf, connection, connection->properties.items[i], err);
    }
    return status == SLUICE_OK ? set_javas(conf, connection, err) : status;
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

sluice_status cli_texts_of(const char *path, const cli_texts *pairs,
                           properties *ret_all, sluice_error *err)
{
    sluice_status status =
        path == NULL ? SLUICE_OK : properties_read(ret_all, path, err);
    for (size_t i = 0; i < pairs->count && status == SLUICE_OK; i++) {
        status = properties_set_pair(ret_all, pairs->items[i], err);
    }
    return status;
}

sluice_status cli_setting(const cli_connection *connection, const char *name,
                          char **ret_value, sluice_error *err)
{
    properties *all = properties_new();
    sluice_status status =
        cli_texts_of(connection->command_config, &connection->properties, all, err);
    const char *value = properties_get(all, name);
    if (status == SLUICE_OK && value != NULL) {
        *ret_value = memory_text(value);
    }
    properties_free(all);
    return status;
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

int cli_on_topic(const cli_usage *usage, const char *called, const void *options,
                 const char *topic, const cli_texts *arguments,
                 sluice_status (*run)(const void *options, const char *topic,
                                      sluice_error *err))
{
    if (topic == NULL && arguments->count > 0) {
        topic = arguments->items[0];
    }
    if (topic == NULL) {
        return cli_misused(usage, called, "no topic is named: give one");
    }
    sluice_error *err = sluice_error_new();
    sluice_status status = run(options, topic, err);
    if (status != SLUICE_OK && cli_is_kafkas(called)) {
        fprintf(stderr, "%s\n", sluice_error_text(err));
    } else if (status != SLUICE_OK) {
        fprintf(stderr, "topic '%s': %s\n", topic, sluice_error_text(err));
    }
    sluice_error_free(err);
    return status == SLUICE_OK ? CLI_DONE : CLI_FAILED;
}
