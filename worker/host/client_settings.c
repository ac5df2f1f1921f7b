/* Java's names of client settings, and what librdkafka calls them. */
#include "worker/host/client_settings.h"
#include "base/buffer.h"
#include "base/memory.h"
#include "base/text.h"
#include "worker/host/client_chain.h"
#include <errno.h>
#include <sluice/keystore.h>
#include <sluice/log.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char logger[] = "worker.client";

typedef struct setting setting;

/* Where the values of one client are put, and the faults that came up. */
typedef struct target {
    client_kind kind;
    const sluice_props *settings;
    rd_kafka_conf_t *conf;
    sluice_error *err;
    bool failed;
} target;

typedef void (*converter)(target *to, const setting *row, const char *value);

struct setting {
    const char *java;
    const char *native; /* NULL: the same name, or none where `unused` is set. */
    const char *unused; /* Why it is of no use here. */
    converter convert;  /* NULL: the value goes in as it is. */
};

static void put(target *to, const char *java, const char *native, const char *value)
{
    char reason[256];
    rd_kafka_conf_res_t result =
        rd_kafka_conf_set(to->conf, native, value, reason, sizeof reason);
    if (result == RD_KAFKA_CONF_OK) {
        return;
    }
    if (result == RD_KAFKA_CONF_UNKNOWN) {
        sluice_log(SLUICE_WARN, logger,
                   "'%s' is no setting of the %s that is known here, and is not used",
                   java, client_kind_name(to->kind));
        return;
    }
    to->failed = true;
    bool secret = strstr(java, "password") != NULL || strstr(java, "jaas") != NULL ||
                  strstr(java, ".key") != NULL;
    sluice_fail_key(to->err, java, "Invalid value %s for configuration %s: %s",
                    secret ? "[hidden]" : value, java,
                    secret ? "the Kafka client refuses it" : reason);
}

static void refuse(target *to, const setting *row, const char *value,
                   const char *reason)
{
    to->failed = true;
    sluice_fail_key(to->err, row->java, "Invalid value %s for configuration %s: %s",
                    value, row->java, reason);
}

/* buffer.memory: bytes there, kilobytes here. */
static void convert_kilobytes(target *to, const setting *row, const char *value)
{
    int64_t bytes;
    if (!text_to_int64(value, &bytes) || bytes < 0) {
        refuse(to, row, value, "Not a number of type LONG");
        return;
    }
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long)(bytes < 1024 ? 1 : bytes / 1024));
    put(to, row->java, row->native, text);
}

/* -1 is "the system's choice" in Java, 0 in librdkafka. */
static void convert_socket_buffer(target *to, const setting *row, const char *value)
{
    put(to, row->java, row->native, strcmp(value, "-1") == 0 ? "0" : value);
}

/* The client's own upper limits are lower than Java's for a few times. */
static void convert_request_timeout(target *to, const setting *row, const char *value)
{
    put(to, row->java,
        to->kind == CLIENT_PRODUCER ? "request.timeout.ms" : "socket.timeout.ms",
        value);
}

static void convert_lower_case(target *to, const setting *row, const char *value)
{
    char *lower = memory_text(value);
    for (char *at = lower; *at != '\0'; at++) {
        *at = *at >= 'A' && *at <= 'Z' ? (char)(*at + 'a' - 'A') : *at;
    }
    put(to, row->java, row->native == NULL ? row->java : row->native, lower);
    free(lower);
}

static void convert_assignors(target *to, const setting *row, const char *value)
{
    static const char *const names[][2] = {
        {"CooperativeStickyAssignor", "cooperative-sticky"},
        {"RangeAssignor", "range"},
        {"RoundRobinAssignor", "roundrobin"},
        {"StickyAssignor", "roundrobin"}, /* Eager too; librdkafka has no sticky one. */
    };
    size_t count;
    char **items = text_split(value, &count);
    buffer out = BUFFER_INIT;
    bool cooperative = false;
    for (size_t i = 0; i < count; i++) {
        const char *name = items[i];
        for (size_t j = 0; j < sizeof names / sizeof *names; j++) {
            if (text_ends(items[i], names[j][0])) {
                name = names[j][1];
                break;
            }
        }
        /* Eager and cooperative ones can't be mixed here: the first decides. */
        bool is_cooperative = strcmp(name, "cooperative-sticky") == 0;
        if (i > 0 && is_cooperative != cooperative) {
            continue;
        }
        cooperative = is_cooperative;
        buffer_print(&out, "%s%s", out.len > 0 ? "," : "", name);
    }
    put(to, row->java, row->java, buffer_text(&out));
    buffer_done(&out);
    free(items);
}

static void convert_partitioner(target *to, const setting *row, const char *value)
{
    bool random = text_ends(value, "RoundRobinPartitioner");
    put(to, row->java, "partitioner", random ? "random" : "murmur2_random");
}

static void convert_ciphers(target *to, const setting *row, const char *value)
{
    char *joined = memory_text(value);
    for (char *at = joined; (at = strchr(at, ',')) != NULL;) {
        *at = ':';
    }
    put(to, row->java, row->java, joined);
    free(joined);
}

static void convert_endpoint_check(target *to, const setting *row, const char *value)
{
    put(to, row->java, row->java, *value == '\0' ? "none" : value);
}

static const char *other(const target *to, const char *name, const char *fallback)
{
    const char *value = sluice_props_get(to->settings, name);
    return value == NULL ? fallback : value;
}

/* --- Stores. --- */

static void put_chain(target *to, const setting *row, const char *pem)
{
    char path[64];
    if (!client_chain_has_more(pem)) {
        put(to, row->java, "ssl.certificate.pem", pem);
    } else if (client_chain_path(pem, path, sizeof path)) {
        put(to, row->java, "ssl.certificate.location", path);
    } else {
        refuse(to, row, "[chain]", strerror(errno));
    }
}

/* Java's stores are opened here: librdkafka knows PEM, and of PKCS12 what OpenSSL does.
 */
static void put_store(target *to, const setting *row,
                      const sluice_keystore_source *source)
{
    sluice_error *err = sluice_error_new();
    sluice_keystore *store;
    if (sluice_keystore_read(source, &store, err) != SLUICE_OK) {
        to->failed = true;
        sluice_fail_key(to->err, row->java, "%s", sluice_error_text(err));
    } else {
        if (source->has_key) {
            put(to, row->java, "ssl.key.pem", sluice_keystore_key(store));
            put_chain(to, row, sluice_keystore_certificates(store));
        } else {
            put(to, row->java, "ssl.ca.pem", sluice_keystore_certificates(store));
        }
        sluice_keystore_free(store);
    }
    sluice_error_free(err);
}

static bool can_read(target *to, const setting *row, const char *path)
{
    if (access(path, R_OK) != 0) {
        refuse(to, row, path, strerror(errno));
        return false;
    }
    return true;
}

/* PEM in a file, or in a folder, goes to librdkafka as it is. */
static void convert_truststore(target *to, const setting *row, const char *value)
{
    const bool in_file = strcmp(row->java, "ssl.truststore.location") == 0;
    const sluice_keystore_source source = {
        .size = sizeof source,
        .name = "ssl.truststore",
        .type = other(to, "ssl.truststore.type", NULL),
        .location = other(to, "ssl.truststore.location", NULL),
        .password = other(to, "ssl.truststore.password", NULL),
        .certificates = other(to, "ssl.truststore.certificates", NULL)};
    if (!in_file && source.location != NULL) {
        return; /* That one tells of both. */
    }
    if (!in_file || source.certificates != NULL || sluice_keystore_is_java(value)) {
        put_store(to, row, &source);
    } else if (can_read(to, row, value)) {
        put(to, row->java, "ssl.ca.location", value);
    }
}

static void convert_keystore(target *to, const setting *row, const char *value)
{
    const bool in_file = strcmp(row->java, "ssl.keystore.location") == 0;
    const bool is_key = strcmp(row->java, "ssl.keystore.key") == 0;
    const sluice_keystore_source source = {
        .size = sizeof source,
        .name = "ssl.keystore",
        .type = other(to, "ssl.keystore.type", NULL),
        .location = other(to, "ssl.keystore.location", NULL),
        .password = other(to, "ssl.keystore.password", NULL),
        .key = other(to, "ssl.keystore.key", NULL),
        .certificates = other(to, "ssl.keystore.certificate.chain", NULL),
        .key_password = other(to, "ssl.key.password", NULL),
        .has_key = true};
    if (!in_file && (source.location != NULL || (!is_key && source.key != NULL))) {
        return; /* That one tells of all. */
    }
    if (!in_file || source.key != NULL || source.certificates != NULL ||
        sluice_keystore_is_java(value)) {
        put_store(to, row, &source);
    } else if (can_read(to, row, value)) {
        put(to, row->java, "ssl.certificate.location", value);
        put(to, row->java, "ssl.key.location", value);
    }
}

/* --- Accounts. --- */

/* The value of `name="value"` in a JAAS line, the caller's; NULL when absent. */
static char *jaas_value(const char *line, const char *name)
{
    const char *at = strstr(line, name);
    if (at == NULL) {
        return NULL;
    }
    at += strlen(name);
    at += strspn(at, " \t=");
    bool quoted = *at == '"';
    at += quoted;
    buffer out = BUFFER_INIT;
    for (; *at != '\0' && (quoted ? *at != '"' : strchr(" \t;", *at) == NULL); at++) {
        at += *at == '\\' && at[1] != '\0';
        buffer_append_byte(&out, *at);
    }
    return buffer_take(&out, NULL);
}

static void convert_jaas(target *to, const setting *row, const char *value)
{
    char *user = jaas_value(value, "username");
    char *password = jaas_value(value, "password");
    if (user != NULL && password != NULL) {
        put(to, row->java, "sasl.username", user);
        put(to, row->java, "sasl.password", password);
    } else if (strstr(value, "Krb5LoginModule") == NULL &&
               strstr(value, "OAuthBearerLoginModule") == NULL) {
        refuse(to, row, "[hidden]", "it names no username and password");
    }
    free(user);
    free(password);
}

static void convert_auto_commit(target *to, const setting *row, const char *value)
{
    if (!text_equal_nocase(value, "false")) {
        sluice_log(SLUICE_WARN, logger,
                   "enable.auto.commit stays false: offsets are committed after the "
                   "sink has flushed");
    }
}

#define JVM      "it is about the Java virtual machine"
#define BYTES    "records are encoded by the converters"
#define INTERNAL "the host does this itself"

static const setting settings[] = {
    {"buffer.memory", "queue.buffering.max.kbytes", NULL, convert_kilobytes},
    {"max.request.size", "message.max.bytes", NULL, NULL},
    {"send.buffer.bytes", "socket.send.buffer.bytes", NULL, convert_socket_buffer},
    {"receive.buffer.bytes", "socket.receive.buffer.bytes", NULL,
     convert_socket_buffer},
    {"request.timeout.ms", NULL, NULL, convert_request_timeout},
    {"delivery.timeout.ms", "message.timeout.ms", NULL, NULL},
    {"fetch.max.wait.ms", "fetch.wait.max.ms", NULL, NULL},
    {"security.protocol", NULL, NULL, convert_lower_case},
    {"compression.type", NULL, NULL, convert_lower_case},
    {"isolation.level", NULL, NULL, convert_lower_case},
    {"sasl.jaas.config", NULL, NULL, convert_jaas},
    {"partition.assignment.strategy", NULL, NULL, convert_assignors},
    {"partitioner.class", NULL, NULL, convert_partitioner},
    {"ssl.cipher.suites", NULL, NULL, convert_ciphers},
    {"ssl.endpoint.identification.algorithm", NULL, NULL, convert_endpoint_check},
    {"ssl.truststore.location", NULL, NULL, convert_truststore},
    {"ssl.keystore.location", NULL, NULL, convert_keystore},
    {"ssl.truststore.certificates", NULL, NULL, convert_truststore},
    {"ssl.keystore.key", NULL, NULL, convert_keystore},
    {"ssl.keystore.certificate.chain", NULL, NULL, convert_keystore},
    {"enable.auto.commit", NULL, NULL, convert_auto_commit},
    {"max.poll.records", NULL, INTERNAL, NULL},
    {"max.block.ms", NULL, INTERNAL, NULL},
    {"auto.commit.interval.ms", NULL, INTERNAL, NULL},
    {"default.api.timeout.ms", NULL, INTERNAL, NULL},
    {"key.serializer", NULL, BYTES, NULL},
    {"value.serializer", NULL, BYTES, NULL},
    {"key.deserializer", NULL, BYTES, NULL},
    {"value.deserializer", NULL, BYTES, NULL},
    {"client.dns.lookup", NULL, "all addresses of a name are always tried", NULL},
    {"interceptor.classes", NULL, JVM, NULL},
    {"metric.reporters", NULL, JVM, NULL},
    {"metrics.num.samples", NULL, JVM, NULL},
    {"metrics.recording.level", NULL, JVM, NULL},
    {"metrics.sample.window.ms", NULL, JVM, NULL},
    {"auto.include.jmx.reporter", NULL, JVM, NULL},
    {"enable.metrics.push", NULL, JVM, NULL},
    {"security.providers", NULL, JVM, NULL},
    {"ssl.provider", NULL, JVM, NULL},
    {"ssl.protocol", NULL, "OpenSSL chooses the best one", NULL},
    {"ssl.enabled.protocols", NULL, "OpenSSL chooses the best one", NULL},
    {"ssl.truststore.type", NULL, INTERNAL, NULL},
    {"ssl.keystore.type", NULL, INTERNAL, NULL},
    {"ssl.truststore.password", NULL, INTERNAL, NULL},
    {"ssl.keystore.password", NULL, INTERNAL, NULL},
    {"ssl.keymanager.algorithm", NULL, JVM, NULL},
    {"ssl.trustmanager.algorithm", NULL, JVM, NULL},
    {"ssl.secure.random.implementation", NULL, JVM, NULL},
    {"ssl.engine.factory.class", NULL, JVM, NULL},
    {"ssl.client.auth", NULL, "it is about servers", NULL},
    {"exclude.internal.topics", NULL, "topics.regex decides", NULL},
    {"group.protocol", NULL, "the classic protocol is spoken", NULL},
    {"group.remote.assignor", NULL, "the classic protocol is spoken", NULL},
    {"metadata.recovery.strategy", NULL, INTERNAL, NULL},
    {"metadata.max.idle.ms", NULL, INTERNAL, NULL},
    {"partitioner.adaptive.partitioning.enable", NULL, INTERNAL, NULL},
    {"partitioner.availability.timeout.ms", NULL, INTERNAL, NULL},
    {"partitioner.ignore.keys", NULL, "keys decide the partition", NULL},
    {"throw.on.fetch.stable.offset.unsupported", NULL, INTERNAL, NULL},
    {"internal.leave.group.on.close", NULL, INTERNAL, NULL},
    {"socket.connection.setup.timeout.max.ms", NULL, INTERNAL, NULL},
    {"retry.backoff.max.ms", NULL, INTERNAL, NULL},
};

const char *client_kind_name(client_kind kind)
{
    return kind == CLIENT_PRODUCER   ? "producer"
           : kind == CLIENT_CONSUMER ? "consumer"
                                     : "admin";
}

static const setting *find(const char *java)
{
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        if (strcmp(settings[i].java, java) == 0) {
            return &settings[i];
        }
    }
    return NULL;
}

static void add_prefixed(sluice_props *to, const sluice_props *from, const char *prefix)
{
    size_t len = strlen(prefix);
    for (size_t i = 0; i < sluice_props_count(from); i++) {
        const char *name = sluice_props_name(from, i);
        if (text_starts(name, prefix) && name[len] != '\0') {
            sluice_props_set(to, name + len, sluice_props_value(from, i));
        }
    }
}

static void add_inherited(sluice_props *to, const sluice_props *worker)
{
    for (size_t i = 0; i < sluice_props_count(worker); i++) {
        const char *name = sluice_props_name(worker, i);
        if (strcmp(name, "bootstrap.servers") == 0 ||
            strcmp(name, "security.protocol") == 0 || text_starts(name, "sasl.") ||
            text_starts(name, "ssl.")) {
            sluice_props_set(to, name, sluice_props_value(worker, i));
        }
    }
}

/* What a worker says of its own listeners is behind the prefix of admin clients. */
static void drop_listeners(sluice_props *props)
{
    for (size_t i = sluice_props_count(props); i-- > 0;) {
        if (text_starts(sluice_props_name(props, i), "listeners")) {
            sluice_props_remove(props, sluice_props_name(props, i));
        }
    }
}

sluice_props *client_settings_layers(client_kind kind, const sluice_props *worker,
                                     const sluice_props *connector,
                                     const sluice_props *derived)
{
    sluice_props *result = sluice_props_new();
    sluice_props_set(result, "bootstrap.servers", "localhost:9092");
    add_inherited(result, worker);
    add_prefixed(result, derived, "");
    char prefix[32];
    snprintf(prefix, sizeof prefix, "%s.", client_kind_name(kind));
    add_prefixed(result, worker, prefix);
    drop_listeners(result);
    snprintf(prefix, sizeof prefix, "%s.override.", client_kind_name(kind));
    add_prefixed(result, connector, prefix);
    return result;
}

/* As Java's clients, which look at TLS only where the connection has it: a worker's
 * ssl.* may be meant for its REST alone. */
static bool has_effect(const sluice_props *props, const char *name)
{
    const char *protocol = sluice_props_get(props, "security.protocol");
    return !text_starts(name, "ssl.") ||
           (protocol != NULL && (text_equal_nocase(protocol, "SSL") ||
                                 text_equal_nocase(protocol, "SASL_SSL")));
}

sluice_status client_settings_apply(client_kind kind, const sluice_props *props,
                                    rd_kafka_conf_t *conf, sluice_error *err)
{
    target to = {.kind = kind, .settings = props, .conf = conf, .err = err};
    sluice_error_clear(err);
    for (size_t i = 0; i < sluice_props_count(props); i++) {
        const char *name = sluice_props_name(props, i);
        const char *value = sluice_props_value(props, i);
        const setting *row = find(name);
        if (value == NULL || !has_effect(props, name)) {
            continue;
        }
        if (row == NULL) {
            put(&to, name, name, value);
        } else if (row->unused != NULL) {
            sluice_log(SLUICE_DEBUG, logger, "'%s' is not used: %s", name, row->unused);
        } else if (row->convert != NULL) {
            row->convert(&to, row, value);
        } else {
            put(&to, name, row->native, value);
        }
    }
    return to.failed ? SLUICE_BAD_CONFIG : SLUICE_OK;
}

int64_t client_settings_number(const sluice_props *props, const char *name,
                               int64_t fallback)
{
    const char *text = sluice_props_get(props, name);
    int64_t value;
    return text != NULL && text_to_int64(text, &value) ? value : fallback;
}
