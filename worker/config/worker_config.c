/* The keys of a worker's .properties file, as a table. */
#include "worker/config/worker_config.h"
#include "base/text.h"
#include "config/review.h"
#include "lib/log_line.h"
#include "worker/config/providers.h"
#include "worker/config/secrets.h"
#include "worker/herder/herder.h"
#include <sluice/log.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define AT(type, field) SLUICE_AT(type, worker_values, field)

static const char *const policies[] = {"never", "on-crash", "on-failure", NULL};
static const char *const log_formats[] = {"text", "json", NULL};
#define OF_A_GROUP(key)                                                                \
    {                                                                                  \
        .name = key, .type = SLUICE_STRING, .fallback = "",                            \
        .unused = "it is for the workers of a group, and this one stands alone"        \
    }

#define POLICY_CLASS(name) name "ConnectorClientConfigOverridePolicy"
#define POLICY_NAMES(name)                                                             \
    name, POLICY_CLASS(name),                                                          \
        "org.apache.kafka.connect.connector.policy." POLICY_CLASS(name)

static const char *const override_policies[] = {
    POLICY_NAMES("All"), POLICY_NAMES("None"), POLICY_NAMES("Principal"), NULL};
static const char *const discoveries[] = {"ONLY_SCAN", "SERVICE_LOAD", "HYBRID_WARN",
                                          "HYBRID_FAIL", NULL};

#define NO_JAVA "plugins are shared objects here, not Java classes"
#define NO_JMX  "/metrics has the figures, in Prometheus' format"

static const sluice_key keys[] = {
    {.name = "bootstrap.servers",
     .type = SLUICE_LIST,
     .fallback = "localhost:9092",
     .min = 1,
     .importance = SLUICE_HIGH,
     .offset = AT(sluice_list, bootstrap_servers),
     .doc = "The brokers to begin with, as host:port, for all that this worker runs."},
    {.name = "key.converter",
     .type = SLUICE_CLASS,
     .importance = SLUICE_HIGH,
     .offset = AT(const char *, key_converter),
     .min = 1,
     .doc = "What keys are written and read with, where a connector does not say."},
    {.name = "value.converter",
     .type = SLUICE_CLASS,
     .importance = SLUICE_HIGH,
     .offset = AT(const char *, value_converter),
     .min = 1,
     .doc = "What values are written and read with, where a connector does not say."},
    {.name = "header.converter",
     .type = SLUICE_CLASS,
     .fallback = "org.apache.kafka.connect.storage.SimpleHeaderConverter",
     .importance = SLUICE_LOW,
     .offset = AT(const char *, header_converter),
     .doc = "What header values are written and read with."},
    {.name = "offset.storage.file.filename",
     .type = SLUICE_STRING,
     .importance = SLUICE_HIGH,
     .offset = AT(const char *, offset_file),
     .min = 1,
     .doc = "The file that remembers how far each source has come (SQLite). A file of "
            "Kafka Connect's is taken over and kept beside it."},
    {.name = "config.storage.file.filename",
     .type = SLUICE_STRING,
     .fallback = "",
     .importance = SLUICE_MEDIUM,
     .offset = AT(const char *, config_file),
     .doc =
         "Where connectors that are made through REST are remembered (SQLite; may be "
         "the same file as that of the offsets). Empty: they are gone with the "
         "worker, as in Kafka Connect."},
    {.name = "listeners",
     .type = SLUICE_LIST,
     .fallback = "http://:8083",
     .importance = SLUICE_LOW,
     .offset = AT(sluice_list, listeners),
     .min = 1,
     .doc = "Where REST is served: http://host:port or https://host:port, several "
            "between commas. An empty host is every address, port 0 a free one."},
    {.name = "admin.listeners",
     .type = SLUICE_STRING,
     .shown_type = "LIST",
     .fallback = SLUICE_NULL,
     .importance = SLUICE_LOW,
     .offset = AT(const char *, admin_listeners),
     .doc = "Where alone the resources below /admin are served, as http://host:port or "
            "https://host:port, several between commas. Empty: nowhere. Without this "
            "key the listeners serve them too."},
    {.name = "rest.port",
     .type = SLUICE_STRING,
     .fallback = "",
     .importance = SLUICE_LOW,
     .instead = "listeners",
     .offset = AT(const char *, rest_port),
     .doc = "The port of REST, where there are no listeners."},
    {.name = "rest.host.name",
     .type = SLUICE_STRING,
     .fallback = "",
     .importance = SLUICE_LOW,
     .instead = "listeners",
     .offset = AT(const char *, rest_host),
     .doc = "The address of REST, where there are no listeners."},
    {.name = "rest.advertised.host.name",
     .type = SLUICE_STRING,
     .fallback = SLUICE_NULL,
     .importance = SLUICE_LOW,
     .offset = AT(const char *, advertised_host),
     .doc =
         "The name of this host in worker_id, where that of the listener will not do."},
    {.name = "rest.advertised.port",
     .type = SLUICE_INT,
     .fallback = SLUICE_NULL,
     .importance = SLUICE_LOW,
     .offset = AT(int32_t, advertised_port),
     .doc = "The port in worker_id, where that of the listener will not do."},
    {.name = "rest.advertised.listener",
     .type = SLUICE_STRING,
     .fallback = SLUICE_NULL,
     .importance = SLUICE_LOW,
     .offset = AT(const char *, advertised_listener),
     .doc = "The kind of listener that others are to use, http or https: the first of "
            "it is in worker_id. Without this key http, where that is served."},
    {.name = "config.providers",
     .type = SLUICE_LIST,
     .fallback = "",
     .importance = SLUICE_LOW,
     .offset = AT(sluice_list, config_providers),
     .doc =
         "Names of providers for references in configurations, as "
         "${file:/run/secrets:password}. config.providers.NAME.class says what each "
         "is: FileConfigProvider (a key of a .properties file), "
         "DirectoryConfigProvider (a file of a folder) or EnvVarConfigProvider; "
         "config.providers.NAME.param.allowed.paths and .allowlist.pattern limit what "
         "may be read."},
    {.name = "plugin.path",
     .type = SLUICE_LIST,
     .fallback = SLUICE_NULL,
     .importance = SLUICE_LOW,
     .offset = AT(sluice_list, plugin_path),
     .doc = "Folders with plugins, besides those that came with Sluice."},
    {.name = "task.shutdown.graceful.timeout.ms",
     .type = SLUICE_LONG,
     .fallback = "5000",
     .importance = SLUICE_LOW,
     .offset = AT(int64_t, graceful_ms),
     .doc = "How long the tasks of a connector may take to stop, all together; then "
            "its host is killed."},
    {.name = "offset.flush.interval.ms",
     .type = SLUICE_LONG,
     .fallback = "60000",
     .importance = SLUICE_LOW,
     .offset = AT(int64_t, offset_flush_ms),
     .doc = "How often offsets are stored or committed."},
    {.name = "offset.flush.timeout.ms",
     .type = SLUICE_LONG,
     .fallback = "5000",
     .importance = SLUICE_LOW,
     .offset = AT(int64_t, offset_flush_timeout_ms),
     .doc = "How long that may take before it is given up and tried the next time."},
    {.name = "topic.creation.enable",
     .type = SLUICE_BOOL,
     .fallback = "true",
     .importance = SLUICE_LOW,
     .offset = AT(bool, topic_creation),
     .doc = "Whether sources may create topics by their topic.creation keys."},
    {.name = "topic.tracking.enable",
     .type = SLUICE_BOOL,
     .fallback = "true",
     .importance = SLUICE_LOW,
     .offset = AT(bool, topic_tracking),
     .doc = "Whether the topics that a connector uses are remembered and shown."},
    {.name = "topic.tracking.allow.reset",
     .type = SLUICE_BOOL,
     .fallback = "true",
     .importance = SLUICE_LOW,
     .offset = AT(bool, topic_tracking_reset),
     .doc = "Whether they may be forgotten through REST."},
    {.name = "restart.policy",
     .type = SLUICE_ENUM,
     .fallback = "on-crash",
     .choices = policies,
     .importance = SLUICE_MEDIUM,
     .offset = AT(int32_t, restart_policy),
     .doc = "What is started again without being asked: nothing (never), a connector "
            "whose process died (on-crash), or also one that is FAILED or has a FAILED "
            "task (on-failure). A connector may say otherwise for itself."},
    {.name = "restart.backoff.initial.ms",
     .type = SLUICE_LONG,
     .fallback = "1000",
     .min = 1,
     .importance = SLUICE_LOW,
     .offset = AT(int64_t, restart_backoff_ms),
     .doc = "The wait before the first restart; each further one in a row doubles it."},
    {.name = "restart.backoff.max.ms",
     .type = SLUICE_LONG,
     .fallback = "60000",
     .min = 1,
     .importance = SLUICE_LOW,
     .offset = AT(int64_t, restart_backoff_max_ms),
     .doc = "The longest wait before a restart."},
    {.name = "restart.max.attempts",
     .type = SLUICE_LONG,
     .fallback = "10",
     .importance = SLUICE_LOW,
     .offset = AT(int64_t, restart_attempts),
     .doc = "How many restarts in a row there are before it stays FAILED."},
    {.name = "restart.attempts.reset.ms",
     .type = SLUICE_LONG,
     .fallback = "600000",
     .min = 1,
     .importance = SLUICE_LOW,
     .offset = AT(int64_t, restart_reset_ms),
     .doc = "How long it must have run for the row of restarts to be over."},
    {.name = "host.liveness.timeout.ms",
     .type = SLUICE_LONG,
     .fallback = "30000",
     .min = 1000,
     .importance = SLUICE_LOW,
     .offset = AT(int64_t, liveness_ms),
     .doc = "How long a connector's process may leave the worker without an answer "
            "before it is killed."},
    {.name = "host.call.timeout.ms",
     .type = SLUICE_LONG,
     .fallback = "300000",
     .min = 0,
     .max = INT64_MAX,
     .importance = SLUICE_LOW,
     .offset = AT(int64_t, call_timeout_ms),
     .doc = "How long a function of a plugin (poll, put, flush ...) may neither return "
            "nor ask the worker for anything, before its connector's process is "
            "killed. 0: for ever. A connector may say otherwise for itself, as for all "
            "the keys of limits that follow."},
    {.name = "host.memory.max.bytes",
     .type = SLUICE_LONG,
     .fallback = "0",
     .min = 0,
     .max = INT64_MAX,
     .importance = SLUICE_LOW,
     .offset = AT(int64_t, host_memory_bytes),
     .doc = "How much memory the process of a connector may allocate (RLIMIT_DATA, "
            "with the stacks of its threads). 0: no limit. A connector of an ordinary "
            "kind runs from 64 MiB (67108864) on."},
    {.name = "host.open.files.max",
     .type = SLUICE_LONG,
     .fallback = "0",
     .min = 0,
     .max = INT64_MAX,
     .importance = SLUICE_LOW,
     .offset = AT(int64_t, host_files),
     .doc = "How many files and sockets it may have open (RLIMIT_NOFILE). 0: as many "
            "as the worker."},
    {.name = "host.cpu.max.percent",
     .type = SLUICE_LONG,
     .fallback = "0",
     .min = 0,
     .max = HERDER_CPU_PERCENT_MAX,
     .importance = SLUICE_LOW,
     .offset = AT(int64_t, host_cpu_percent),
     .doc = "How much of one processor the processes of a connector may use, its own "
            "and what its plugins start: 50 is half of one, 200 two. 0: no limit. They "
            "are stopped (SIGSTOP) for moments, of two seconds at most, when they have "
            "used more than that in a tenth of a second; the metric "
            "sluice_host_held_seconds_total says for how long altogether."},
    {.name = "host.nice",
     .type = SLUICE_LONG,
     .fallback = "0",
     .min = 0,
     .max = 19,
     .importance = SLUICE_LOW,
     .offset = AT(int64_t, host_nice),
     .doc = "Its share of a busy processor, in nice(2)'s steps, each a quarter less: "
            "0 is as much as the worker, 19 what nobody else wants."},
    {.name = "access.control.allow.origin",
     .type = SLUICE_STRING,
     .fallback = "",
     .importance = SLUICE_LOW,
     .offset = AT(const char *, allow_origin),
     .doc = "The origins from which browsers may call REST, between commas, each as it "
            "is or as an extended regular expression; * is any, empty none."},
    {.name = "access.control.allow.methods",
     .type = SLUICE_STRING,
     .fallback = "",
     .importance = SLUICE_LOW,
     .offset = AT(const char *, allow_methods),
     .doc = "The methods that they may use; empty: GET, POST and HEAD."},
    {.name = "response.http.headers.config",
     .type = SLUICE_STRING,
     .fallback = "",
     .importance = SLUICE_LOW,
     .offset = AT(const char *, response_headers),
     .doc = "Headers for every answer, as '[action] [name]:[value]' between commas; an "
            "item with a comma stands in double quotes. The actions are set and add, "
            "and setDate and addDate, whose value is in milliseconds from now: 'set "
            "X-Frame-Options:DENY, \"add Cache-Control:no-cache, no-store\"'."},
    {.name = "rest.extension.classes",
     .type = SLUICE_LIST,
     .fallback = "",
     .importance = SLUICE_LOW,
     .offset = AT(sluice_list, rest_extensions),
     .doc = "org.apache.kafka.connect.rest.basic.auth.extension."
            "BasicAuthSecurityRestExtension: who asks must give a user and a password "
            "of the file that java.security.auth.login.config leads to. Other classes "
            "are refused, for they might have kept somebody out."},
    {.name = "java.security.auth.login.config",
     .type = SLUICE_STRING,
     .fallback = SLUICE_NULL,
     .importance = SLUICE_LOW,
     .offset = AT(const char *, login_file),
     .doc = "The file of login modules, in Java's form, whose application KafkaConnect "
            "has Kafka's PropertyFileLoginModule with the option file, a .properties "
            "file of users and passwords. Without this key it is looked for in the "
            "environment's KAFKA_OPTS, as -Djava.security.auth.login.config=FILE."},
    {.name = "plugin.discovery",
     .type = SLUICE_STRING,
     .fallback = "hybrid_warn",
     .choices = discoveries,
     .unused = NO_JAVA},
    {.name = "metric.reporters",
     .type = SLUICE_STRING,
     .fallback = "",
     .unused = NO_JMX},
    {.name = "auto.include.jmx.reporter",
     .type = SLUICE_STRING,
     .fallback = "",
     .unused = NO_JMX},
    {.name = "log.format",
     .type = SLUICE_ENUM,
     .fallback = "text",
     .choices = log_formats,
     .importance = SLUICE_LOW,
     .offset = AT(int32_t, log_format),
     .doc = "The form of a line of the log, the worker's and its connectors': text is "
            "Kafka Connect's own pattern, json an object with timestamp, level, "
            "logger, connector, task and message."},
    {.name = "metrics.num.samples",
     .type = SLUICE_INT,
     .fallback = "2",
     .min = 1,
     .max = 100,
     .importance = SLUICE_LOW,
     .offset = AT(int32_t, metric_samples),
     .doc = "How many pieces of time the rates, averages and maxima of /metrics look "
            "back on."},
    {.name = "metrics.sample.window.ms",
     .type = SLUICE_LONG,
     .fallback = "30000",
     .min = 1,
     .max = INT64_C(86400000),
     .importance = SLUICE_LOW,
     .offset = AT(int64_t, metric_window_ms),
     .doc = "How long each of these pieces is."},
    {.name = "metrics.recording.level",
     .type = SLUICE_STRING,
     .fallback = "",
     .unused = NO_JMX},
    {.name = "internal.key.converter",
     .type = SLUICE_STRING,
     .fallback = "",
     .unused = "offsets are kept as JSON"},
    {.name = "internal.value.converter",
     .type = SLUICE_STRING,
     .fallback = "",
     .unused = "offsets are kept as JSON"},
    {.name = "connector.client.config.override.policy",
     .type = SLUICE_STRING,
     .fallback = "All",
     .choices = override_policies,
     .importance = SLUICE_MEDIUM,
     .offset = AT(const char *, override_policy),
     .doc =
         "Which settings of its Kafka clients a connector may set by "
         "producer.override.*, consumer.override.* and admin.override.*: All, None, "
         "or Principal: security.protocol, sasl.mechanism and sasl.jaas.config. Also "
         "by the names of Kafka Connect's classes."},
    OF_A_GROUP("group.id"),
    OF_A_GROUP("session.timeout.ms"),
    OF_A_GROUP("rebalance.timeout.ms"),
    OF_A_GROUP("heartbeat.interval.ms"),
    OF_A_GROUP("exactly.once.source.support"),
    OF_A_GROUP("worker.sync.timeout.ms"),
    OF_A_GROUP("worker.unsync.backoff.ms"),
    OF_A_GROUP("offset.storage.topic"),
    OF_A_GROUP("offset.storage.partitions"),
    OF_A_GROUP("offset.storage.replication.factor"),
    OF_A_GROUP("config.storage.topic"),
    OF_A_GROUP("config.storage.replication.factor"),
    OF_A_GROUP("status.storage.topic"),
    OF_A_GROUP("status.storage.partitions"),
    OF_A_GROUP("status.storage.replication.factor"),
    OF_A_GROUP("connect.protocol"),
    OF_A_GROUP("scheduled.rebalance.max.delay.ms"),
    OF_A_GROUP("inter.worker.key.ttl.ms"),
    OF_A_GROUP("inter.worker.key.generation.algorithm"),
    OF_A_GROUP("inter.worker.key.size"),
    OF_A_GROUP("inter.worker.signature.algorithm"),
    OF_A_GROUP("inter.worker.verification.algorithms"),
    {.name = NULL},
};

const sluice_config worker_config_table = {.size = sizeof(sluice_config),
                                           .key_size = sizeof(sluice_key),
                                           .struct_size = sizeof(worker_values),
                                           .keys = keys};

/* Names that are read elsewhere: by converters, clients, TLS. */
static const char *const prefixes[] = {"key.converter.",
                                       "value.converter.",
                                       "header.converter.",
                                       "internal.key.converter.",
                                       "internal.value.converter.",
                                       "producer.",
                                       "consumer.",
                                       "admin.",
                                       "ssl.",
                                       "sasl.",
                                       "security.",
                                       "listeners.https.",
                                       "admin.listeners.https.",
                                       "config.providers.",
                                       "metrics.context.",
                                       "client.",
                                       "metadata.",
                                       "reconnect.",
                                       "retry.",
                                       "socket.",
                                       "connections.",
                                       "request.timeout.ms",
                                       "send.buffer.bytes",
                                       "receive.buffer.bytes",
                                       "default.api.timeout.ms",
                                       "enable.metrics.push",
                                       NULL};

/* The providers' own keys and the folders of plugins are taken as they are. */
static bool may_refer(const char *key)
{
    return !text_starts(key, "config.providers") && strcmp(key, "plugin.path") != 0;
}

static sluice_status resolve(const providers *from, const properties *source,
                             size_t index, sluice_props *props, sluice_error *err)
{
    const char *key = properties_key(source, index);
    char *value;
    if (!may_refer(key)) {
        return SLUICE_OK;
    }
    sluice_status status =
        providers_resolve(from, properties_value(source, index), &value, err);
    if (status != SLUICE_OK) {
        sluice_prefix(err, "%s", key);
        return status;
    }
    sluice_props_set(props, key, value);
    free(value);
    return SLUICE_OK;
}

static sluice_status fill(const properties *source, sluice_props *props, json_t *all,
                          sluice_error *err)
{
    providers *from;
    secrets *found = secrets_new();
    for (size_t i = 0; i < properties_count(source); i++) {
        sluice_props_set(props, properties_key(source, i), properties_value(source, i));
    }
    secrets_add_named(found, props);
    secrets_spare(found, NULL, props);
    sluice_status status = providers_new(props, environ, &from, err);
    if (status != SLUICE_OK) {
        secrets_watch(found);
        return status;
    }
    providers_tell(from, found);
    for (size_t i = 0; i < properties_count(source) && status == SLUICE_OK; i++) {
        status = resolve(from, source, i, props, err);
        const char *key = properties_key(source, i);
        json_object_set_new(all, key, json_string(sluice_props_get(props, key)));
    }
    providers_free(from);
    secrets_watch(found);
    return status;
}

static void log_notes(const sluice_props *notes)
{
    for (size_t i = 0; i < sluice_props_count(notes); i++) {
        sluice_log(SLUICE_WARN, "worker.config", "%s", sluice_props_value(notes, i));
    }
}

/* Adds the messages of `from`, keys included. */
static void add_all(sluice_error *err, const sluice_error *from)
{
    for (size_t i = 0; err != NULL && i < sluice_error_count(from); i++) {
        const char *key = sluice_error_key(from, i);
        char *shown = secrets_hidden(sluice_error_message(from, i));
        sluice_fail_key(err, key == NULL ? "" : key, "%s", shown);
        free(shown);
    }
}

sluice_status worker_config_parse(const properties *source, worker_config *ret_config,
                                  sluice_error *err)
{
    sluice_props *props = sluice_props_new(), *notes = sluice_props_new();
    sluice_error *near = sluice_error_new(), *wrong = sluice_error_new();
    sluice_error *unread = sluice_error_new();
    const config_names known = {.table = &worker_config_table, .prefixes = prefixes};
    void *values = NULL;
    *ret_config = (worker_config){.properties = json_object()};
    sluice_status filled = fill(source, props, ret_config->properties, unread);
    sluice_status reviewed = config_review(&known, props, notes, near);
    sluice_status parsed =
        sluice_config_parse(&worker_config_table, props, &values, wrong);
    if (filled == SLUICE_OK && reviewed == SLUICE_OK && parsed == SLUICE_OK) {
        ret_config->values = values;
        if (sluice_props_get(props, "log.format") != NULL) {
            log_line_set_format((log_format)ret_config->values->log_format);
        }
        log_notes(notes);
    } else {
        sluice_error_clear(err);
        add_all(err, unread);
        add_all(err, near);
        add_all(err, wrong);
        sluice_config_free(&worker_config_table, values);
        worker_config_done(ret_config);
    }
    sluice_error_free(unread);
    sluice_error_free(near);
    sluice_error_free(wrong);
    sluice_props_free(props);
    sluice_props_free(notes);
    return ret_config->values == NULL ? SLUICE_BAD_CONFIG : SLUICE_OK;
}

void worker_config_done(worker_config *self)
{
    if (self->values != NULL) {
        sluice_config_free(&worker_config_table, self->values);
    }
    json_decref(self->properties);
    *self = (worker_config){0};
}
