/* The broker's keys: a table, and what cannot be said in one. */
#include "broker/config/broker_config.h"
#include "base/memory.h"
#include "base/text.h"
#include "broker/config/topic_config.h"
#include <sluice/log.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define AT(field)   (int32_t) offsetof(broker_config, field)
#define NO_FIELD    (-1)
#define BYTES_MAX   INT32_MAX
#define ONE_NODE    "a Sluice broker is one node: for more, use an Apache Kafka cluster"
#define NO_SECURITY "Sluice listens in plain text only"
#define NO_CLEANER  "compaction has no threads of its own to set up"

static const char *const sync_choices[] = {"data", "none", NULL};
static const char *const role_choices[] = {"broker", "controller", NULL};

/* clang-format off */
const setting broker_config_keys[] = {
    {"listeners", CONFIG_STRING, "PLAINTEXT://127.0.0.1:9092", 0, 0, NULL, NO_FIELD, NULL},
    {"advertised.listeners", CONFIG_STRING, NULL, 0, 0, NULL, NO_FIELD, NULL},
    {"log.dirs", CONFIG_STRING, NULL, 0, 0, NULL, NO_FIELD, NULL},
    {"log.dir", CONFIG_STRING, "sluice-logs", 0, 0, NULL, NO_FIELD, NULL},
    {"node.id", CONFIG_INT, "1", 0, INT32_MAX, NULL, AT(node_id), NULL},
    {"broker.id", CONFIG_INT, "1", 0, INT32_MAX, NULL, AT(node_id), NULL},
    {"broker.rack", CONFIG_STRING, NULL, 0, 0, NULL, NO_FIELD, NULL},
    {"process.roles", CONFIG_LIST, "broker,controller", 0, 0, role_choices, NO_FIELD, NULL},
    {"num.network.threads", CONFIG_INT, "0", 0, 256, NULL, AT(network_threads), NULL},
    {"socket.request.max.bytes", CONFIG_INT, "104857600", 1, BYTES_MAX, NULL,
     AT(request_bytes_max), NULL},
    {"socket.send.buffer.bytes", CONFIG_INT, "-1", -1, BYTES_MAX, NULL,
     AT(send_buffer_bytes), NULL},
    {"socket.receive.buffer.bytes", CONFIG_INT, "-1", -1, BYTES_MAX, NULL,
     AT(receive_buffer_bytes), NULL},
    {"queued.max.request.bytes", CONFIG_LONG, "268435456", -1, INT64_MAX, NULL,
     AT(queued_bytes_max), NULL},
    {"max.connections", CONFIG_INT, "2147483647", 1, INT32_MAX, NULL, AT(connections_max), NULL},
    {"connections.max.idle.ms", CONFIG_LONG, "600000", -1, INT64_MAX, NULL,
     AT(connections_idle_ms_max), NULL},
    {"num.partitions", CONFIG_INT, "1", 1, INT32_MAX, NULL, AT(partition_count), NULL},
    {"auto.create.topics.enable", CONFIG_BOOLEAN, "true", 0, 0, NULL, AT(auto_create_topics), NULL},
    {"delete.topic.enable", CONFIG_BOOLEAN, "true", 0, 0, NULL, AT(delete_topics), NULL},
    {"fetch.max.bytes", CONFIG_INT, "57671680", 1024, BYTES_MAX, NULL, AT(fetch_bytes_max), NULL},
    {"max.incremental.fetch.session.cache.slots", CONFIG_INT, "1000", 0, INT32_MAX, NULL,
     AT(fetch_sessions_max), NULL},
    {"log.retention.check.interval.ms", CONFIG_LONG, "300000", 1, INT64_MAX, NULL,
     AT(retention_check_interval_ms), NULL},
    {"log.flush.offset.checkpoint.interval.ms", CONFIG_INT, "60000", 1, INT32_MAX, NULL,
     AT(checkpoint_interval_ms), NULL},
    {"offsets.topic.num.partitions", CONFIG_INT, "4", 1, 10000, NULL,
     AT(offsets_partition_count), NULL},
    {"offsets.topic.segment.bytes", CONFIG_INT, "104857600", 14, BYTES_MAX, NULL,
     AT(offsets_segment_bytes), NULL},
    {"offsets.retention.minutes", CONFIG_INT, "10080", 1, INT32_MAX, NULL,
     AT(offsets_retention_minutes), NULL},
    {"offsets.retention.check.interval.ms", CONFIG_LONG, "600000", 1, INT64_MAX, NULL,
     AT(offsets_retention_check_interval_ms), NULL},
    {"offset.metadata.max.bytes", CONFIG_INT, "4096", 0, BYTES_MAX, NULL,
     AT(offset_metadata_bytes_max), NULL},
    {"group.initial.rebalance.delay.ms", CONFIG_INT, "0", 0, INT32_MAX, NULL,
     AT(group_initial_rebalance_delay_ms), NULL},
    {"group.min.session.timeout.ms", CONFIG_INT, "6000", 1, INT32_MAX, NULL,
     AT(group_session_timeout_ms_min), NULL},
    {"group.max.session.timeout.ms", CONFIG_INT, "1800000", 1, INT32_MAX, NULL,
     AT(group_session_timeout_ms_max), NULL},
    {"group.max.size", CONFIG_INT, "2147483647", 1, INT32_MAX, NULL, AT(group_size_max), NULL},
    {"metrics.listener", CONFIG_STRING, NULL, 0, 0, NULL, NO_FIELD, NULL},
    {"acks.all.sync", CONFIG_STRING, "data", 0, 0, sync_choices, NO_FIELD, NULL},

    /* Defaults of topic configs: topic_config.c reads their texts. */
    {"message.max.bytes", CONFIG_INT, "1048588", 0, BYTES_MAX, NULL, NO_FIELD, NULL},
    {"compression.type", CONFIG_STRING, "producer", 0, 0, topic_compressions, NO_FIELD, NULL},
    {"min.insync.replicas", CONFIG_INT, "1", 1, INT32_MAX, NULL, NO_FIELD, NULL},
    {"log.cleanup.policy", CONFIG_LIST, "delete", 0, 0, topic_policies, NO_FIELD, NULL},
    {"log.retention.ms", CONFIG_LONG, NULL, -1, INT64_MAX, NULL, NO_FIELD, NULL},
    {"log.retention.minutes", CONFIG_INT, NULL, -1, INT32_MAX, NULL, NO_FIELD, NULL},
    {"log.retention.hours", CONFIG_INT, "168", -1, INT32_MAX, NULL, NO_FIELD, NULL},
    {"log.retention.bytes", CONFIG_LONG, "-1", -1, INT64_MAX, NULL, NO_FIELD, NULL},
    {"log.segment.bytes", CONFIG_INT, "1073741824", 14, BYTES_MAX, NULL, NO_FIELD, NULL},
    {"log.segment.delete.delay.ms", CONFIG_LONG, "60000", 0, INT64_MAX, NULL, NO_FIELD, NULL},
    {"log.roll.ms", CONFIG_LONG, NULL, 1, INT64_MAX, NULL, NO_FIELD, NULL},
    {"log.roll.hours", CONFIG_INT, "168", 1, INT32_MAX, NULL, NO_FIELD, NULL},
    {"log.roll.jitter.ms", CONFIG_LONG, "0", 0, INT64_MAX, NULL, NO_FIELD, NULL},
    {"log.index.size.max.bytes", CONFIG_INT, "10485760", 4, BYTES_MAX, NULL, NO_FIELD, NULL},
    {"log.index.interval.bytes", CONFIG_INT, "4096", 0, BYTES_MAX, NULL, NO_FIELD, NULL},
    {"log.flush.interval.messages", CONFIG_LONG, "9223372036854775807", 1, INT64_MAX, NULL,
     NO_FIELD, NULL},
    {"log.flush.interval.ms", CONFIG_LONG, NULL, 0, INT64_MAX, NULL, NO_FIELD, NULL},
    {"log.preallocate", CONFIG_BOOLEAN, "false", 0, 0, NULL, NO_FIELD, NULL},
    {"log.message.timestamp.type", CONFIG_STRING, "CreateTime", 0, 0, topic_timestamp_types,
     NO_FIELD, NULL},
    {"log.message.timestamp.before.max.ms", CONFIG_LONG, "9223372036854775807", 0, INT64_MAX,
     NULL, NO_FIELD, NULL},
    {"log.message.timestamp.after.max.ms", CONFIG_LONG, "3600000", 0, INT64_MAX,
     NULL, NO_FIELD, NULL},
    {"log.cleaner.delete.retention.ms", CONFIG_LONG, "86400000", 0, INT64_MAX, NULL, NO_FIELD,
     NULL},
    {"log.cleaner.min.compaction.lag.ms", CONFIG_LONG, "0", 0, INT64_MAX, NULL, NO_FIELD, NULL},
    {"log.cleaner.max.compaction.lag.ms", CONFIG_LONG, "9223372036854775807", 1, INT64_MAX, NULL,
     NO_FIELD, NULL},
    {"log.cleaner.min.cleanable.ratio", CONFIG_DOUBLE, "0.5", 0, 1, NULL, NO_FIELD, NULL},
    {"producer.id.expiration.ms", CONFIG_INT, "86400000", 1, INT32_MAX, NULL, NO_FIELD, NULL},

    /* Known, accepted, and without effect. */
    {"num.io.threads", CONFIG_INT, "8", 1, INT32_MAX, NULL, NO_FIELD,
     "requests are handled by the network threads"},
    {"background.threads", CONFIG_INT, "10", 1, INT32_MAX, NULL, NO_FIELD,
     "one thread does the background work"},
    {"queued.max.requests", CONFIG_INT, "500", 1, INT32_MAX, NULL, NO_FIELD,
     "there is no queue of requests: a connection is read when it can be answered"},
    {"num.recovery.threads.per.data.dir", CONFIG_INT, "1", 1, INT32_MAX, NULL, NO_FIELD,
     "partitions are recovered by one thread"},
    {"default.replication.factor", CONFIG_INT, "1", 1, INT32_MAX, NULL, NO_FIELD, ONE_NODE},
    {"offsets.topic.replication.factor", CONFIG_SHORT, "1", 1, INT16_MAX, NULL, NO_FIELD, ONE_NODE},
    {"transaction.state.log.replication.factor", CONFIG_SHORT, "1", 1, INT16_MAX, NULL, NO_FIELD,
     ONE_NODE},
    {"transaction.state.log.min.isr", CONFIG_INT, "1", 1, INT32_MAX, NULL, NO_FIELD, ONE_NODE},
    {"controller.quorum.voters", CONFIG_LIST, "", 0, 0, NULL, NO_FIELD, ONE_NODE},
    {"controller.quorum.bootstrap.servers", CONFIG_LIST, "", 0, 0, NULL, NO_FIELD, ONE_NODE},
    {"controller.listener.names", CONFIG_STRING, NULL, 0, 0, NULL, NO_FIELD, ONE_NODE},
    {"inter.broker.listener.name", CONFIG_STRING, NULL, 0, 0, NULL, NO_FIELD, ONE_NODE},
    {"unclean.leader.election.enable", CONFIG_BOOLEAN, "false", 0, 0, NULL, NO_FIELD, ONE_NODE},
    {"zookeeper.connect", CONFIG_STRING, NULL, 0, 0, NULL, NO_FIELD, ONE_NODE},
    {"zookeeper.connection.timeout.ms", CONFIG_INT, NULL, 0, 0, NULL, NO_FIELD, ONE_NODE},
    {"listener.security.protocol.map", CONFIG_STRING, NULL, 0, 0, NULL, NO_FIELD, NO_SECURITY},
    {"log.cleaner.enable", CONFIG_BOOLEAN, "true", 0, 0, NULL, NO_FIELD, NO_CLEANER},
    {"log.cleaner.threads", CONFIG_INT, "1", 0, INT32_MAX, NULL, NO_FIELD, NO_CLEANER},
    {NULL, CONFIG_STRING, NULL, 0, 0, NULL, NO_FIELD, NULL},
};
/* clang-format on */

const char *broker_config_text(const broker_config *self, const char *name)
{
    const char *given = properties_get(self->given, name);
    if (given != NULL) {
        return given;
    }
    const setting *key = setting_find(broker_config_keys, name);
    return key != NULL ? key->initial : NULL;
}

/* ---- Listeners ------------------------------------------------------------------- */

static sluice_status refuse_listener(const char *key, const char *value,
                                     const char *reason, sluice_error *err)
{
    return sluice_fail_key(err, key,
                           "%s has '%s': %s; a listener looks like "
                           "'PLAINTEXT://127.0.0.1:9092'",
                           key, value, reason);
}

/* Reads "NAME://HOST:PORT"; the host may be empty, or an IPv6 address in brackets. */
static sluice_status parse_listener(const char *key, const char *text, char **ret_name,
                                    char **ret_host, uint16_t *ret_port,
                                    sluice_error *err)
{
    const char *mark = strstr(text, "://");
    const char *colon = strrchr(text, ':');
    int64_t port;
    if (mark == NULL || mark == text || colon < mark + 3) {
        return refuse_listener(key, text, "it is no address", err);
    }
    if (!text_to_int64(colon + 1, &port) || port < 0 || port > UINT16_MAX) {
        return refuse_listener(key, text, "its port is not one from 0 to 65535", err);
    }
    const char *host = mark + 3;
    size_t len = (size_t)(colon - host);
    if (len >= 2 && host[0] == '[' && host[len - 1] == ']') {
        host++;
        len -= 2;
    }
    *ret_name = memory_copy(text, (size_t)(mark - text));
    *ret_host = memory_copy(host, len);
    *ret_port = (uint16_t)port;
    return SLUICE_OK;
}

static sluice_status parse_listeners(broker_config *self, sluice_error *err)
{
    char **items =
        text_split(broker_config_text(self, "listeners"), &self->listener_count);
    self->listeners = memory_zero(self->listener_count * sizeof *self->listeners);
    sluice_status status = SLUICE_OK;
    for (size_t i = 0; i < self->listener_count && status == SLUICE_OK; i++) {
        broker_listener *one = &self->listeners[i];
        status = parse_listener("listeners", items[i], &one->name, &one->host,
                                &one->port, err);
        if (status == SLUICE_OK && strcmp(one->name, "SSL") != 0 &&
            strncmp(one->name, "SASL", 4) != 0) {
            continue;
        }
        if (status == SLUICE_OK) {
            status = refuse_listener("listeners", items[i], NO_SECURITY, err);
        }
    }
    free(items);
    if (status == SLUICE_OK && self->listener_count == 0) {
        status = refuse_listener("listeners", "", "there must be one", err);
    }
    return status;
}

static broker_listener *find_listener(broker_config *self, const char *name)
{
    for (size_t i = 0; i < self->listener_count; i++) {
        if (strcmp(self->listeners[i].name, name) == 0) {
            return &self->listeners[i];
        }
    }
    return NULL;
}

static sluice_status parse_advertised(broker_config *self, sluice_error *err)
{
    const char *text = broker_config_text(self, "advertised.listeners");
    size_t count;
    char **items = text_split(text == NULL ? "" : text, &count);
    sluice_status status = SLUICE_OK;
    for (size_t i = 0; i < count && status == SLUICE_OK; i++) {
        char *name = NULL, *host = NULL;
        uint16_t port;
        status =
            parse_listener("advertised.listeners", items[i], &name, &host, &port, err);
        broker_listener *one = status == SLUICE_OK ? find_listener(self, name) : NULL;
        if (status == SLUICE_OK && one == NULL) {
            status = refuse_listener("advertised.listeners", items[i],
                                     "listeners has none of that name", err);
        }
        if (one != NULL) {
            free(one->advertised_host);
            one->advertised_host = host;
            one->advertised_port = port;
            host = NULL;
        }
        free(name);
        free(host);
    }
    free(items);
    return status;
}

/* Where nothing is advertised: the address itself; for all interfaces, the host's name,
 * as Kafka does. */
static void advertise_rest(broker_config *self)
{
    for (size_t i = 0; i < self->listener_count; i++) {
        broker_listener *one = &self->listeners[i];
        if (one->advertised_host != NULL) {
            continue;
        }
        char host[256] = "localhost";
        bool all = *one->host == '\0' || strcmp(one->host, "0.0.0.0") == 0 ||
                   strcmp(one->host, "::") == 0;
        if (all && gethostname(host, sizeof host - 1) != 0) {
            memcpy(host, "localhost", sizeof "localhost");
        }
        one->advertised_host = memory_text(all ? host : one->host);
    }
}

/* ---- All keys -------------------------------------------------------------------- */

static bool is_known_prefix(const char *name)
{
    static const char *const prefixes[] = {"sasl.",
                                           "ssl.",
                                           "listener.name.",
                                           "transaction",
                                           "replica.",
                                           "quota.",
                                           "group.consumer.",
                                           "group.coordinator.",
                                           "controller.",
                                           "log.cleaner.",
                                           "metadata.",
                                           "metric",
                                           "password.",
                                           "remote.",
                                           "zookeeper.",
                                           "leader.",
                                           "auto.leader.",
                                           "broker.",
                                           "security.",
                                           "authorizer.",
                                           "super.users",
                                           "delegation.",
                                           "share.",
                                           "group.share.",
                                           "alter.",
                                           "client.quota",
                                           "confluent.",
                                           "initial.broker.",
                                           "fetch.purgatory.",
                                           "producer.purgatory.",
                                           "delete.records.purgatory.",
                                           "controlled.",
                                           "offsets.",
                                           "num.",
                                           "early.start",
                                           "kafka.",
                                           "connection",
                                           "create.topic",
                                           "log.flush.",
                                           "log.segment.",
                                           "log.roll.",
                                           "log.message.",
                                           "log.dir.",
                                           "inter.broker.",
                                           "socket.",
                                           "telemetry.",
                                           "unstable.",
                                           "eligible.",
                                           NULL};
    for (size_t i = 0; prefixes[i] != NULL; i++) {
        if (text_starts(name, prefixes[i])) {
            return true;
        }
    }
    return false;
}

static const setting *near_key(const char *name)
{
    for (const setting *key = broker_config_keys; key->name != NULL; key++) {
        if (text_is_near(name, key->name)) {
            return key;
        }
    }
    return NULL;
}

static sluice_status check_key(const char *name, const char *value, sluice_error *err)
{
    const setting *key = setting_find(broker_config_keys, name);
    if (key == NULL) {
        const setting *near = near_key(name);
        if (near != NULL) {
            return sluice_fail_key(err, name, "%s is not a key of the broker: '%s' is",
                                   name, near->name);
        }
        sluice_log(SLUICE_WARN, "broker",
                   is_known_prefix(name) ? "%s has no effect in Sluice; ignoring it"
                                         : "%s is not a known key; ignoring it",
                   name);
        return SLUICE_OK;
    }
    if (key->ignored != NULL) {
        sluice_log(SLUICE_INFO, "broker", "%s has no effect: %s", name, key->ignored);
    }
    return setting_check(key, value, err);
}

static sluice_status check_all(const properties *given, sluice_error *err)
{
    sluice_status status = SLUICE_OK;
    for (size_t i = 0; i < properties_count(given); i++) {
        if (check_key(properties_key(given, i), properties_value(given, i), err) !=
            SLUICE_OK) {
            status = SLUICE_BAD_CONFIG;
        }
    }
    return status;
}

static void store_all(broker_config *self)
{
    for (const setting *key = broker_config_keys; key->name != NULL; key++) {
        const char *text = broker_config_text(self, key->name);
        if (text != NULL && key->offset >= 0) {
            setting_store(key, text, self);
        }
    }
    /* Two names for one thing: the newer one wins where both are given. */
    const char *node_id = properties_get(self->given, "node.id");
    if (node_id != NULL) {
        setting_store(setting_find(broker_config_keys, "node.id"), node_id, self);
    }
    const char *sync = broker_config_text(self, "acks.all.sync");
    self->sync_none = strcmp(sync, "none") == 0;
    self->rack = memory_text(broker_config_text(self, "broker.rack"));
    if (self->network_threads == 0) {
        long cores = sysconf(_SC_NPROCESSORS_ONLN);
        self->network_threads = cores < 1 ? 1 : cores > 4 ? 4 : (int32_t)cores;
    }
}

static sluice_status parse_metrics(broker_config *self, sluice_error *err)
{
    const char *text = broker_config_text(self, "metrics.listener");
    const char *colon = text == NULL ? NULL : strrchr(text, ':');
    int64_t port;
    if (text == NULL || *text == '\0') {
        return SLUICE_OK;
    }
    if (colon == NULL || !text_to_int64(colon + 1, &port) || port < 0 ||
        port > UINT16_MAX) {
        return sluice_fail_key(err, "metrics.listener",
                               "metrics.listener is '%s': must be HOST:PORT, as in "
                               "'127.0.0.1:9404'",
                               text);
    }
    size_t len = (size_t)(colon - text);
    bool brackets = len >= 2 && text[0] == '[' && colon[-1] == ']';
    self->metrics_host = memory_copy(text + brackets, len - (brackets ? 2 : 0));
    self->metrics_port = (uint16_t)port;
    return SLUICE_OK;
}

static sluice_status parse_log_dirs(broker_config *self, sluice_error *err)
{
    const char *dirs = broker_config_text(self, "log.dirs");
    self->log_dirs =
        text_split(dirs != NULL ? dirs : broker_config_text(self, "log.dir"),
                   &self->log_dir_count);
    if (self->log_dir_count == 0) {
        return sluice_fail_key(err, "log.dirs",
                               "log.dirs is empty: must name a directory");
    }
    return SLUICE_OK;
}

sluice_status broker_config_parse(const properties *given, broker_config *ret_config,
                                  sluice_error *err)
{
    broker_config *self = ret_config;
    *self = (broker_config){.given = given, .dynamic = dynamic_config_new()};
    sluice_status status = check_all(given, err);
    if (status == SLUICE_OK) {
        store_all(self);
    }
    /* All faults are told at once. */
    sluice_status listeners = parse_listeners(self, err);
    if (listeners == SLUICE_OK) {
        listeners = parse_advertised(self, err);
    }
    sluice_status log_dirs = parse_log_dirs(self, err);
    sluice_status metrics = parse_metrics(self, err);
    if (listeners != SLUICE_OK || log_dirs != SLUICE_OK || metrics != SLUICE_OK) {
        status = SLUICE_BAD_CONFIG;
    }
    if (status != SLUICE_OK) {
        broker_config_done(self);
        return status;
    }
    advertise_rest(self);
    return SLUICE_OK;
}

void broker_config_done(broker_config *self)
{
    for (size_t i = 0; i < self->listener_count && self->listeners != NULL; i++) {
        free(self->listeners[i].name);
        free(self->listeners[i].host);
        free(self->listeners[i].advertised_host);
    }
    free(self->listeners);
    free(self->log_dirs);
    free(self->rack);
    free(self->metrics_host);
    dynamic_config_free(self->dynamic);
    *self = (broker_config){0};
}
