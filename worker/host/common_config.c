/* The keys that every connector has. */
#include "worker/host/common_config.h"
#include "base/memory.h"
#include "worker/host/topics_regex.h"
#include <stdlib.h>
#include <string.h>

static const char common[] = "Common";
static const char transforms[] = "Transforms";
static const char predicates[] = "Predicates";
static const char errors[] = "Error Handling";
static const char exactly_once[] = "Exactly Once Support";

static const char *const tolerances[] = {"none", "all", NULL};
static const char *const reloads[] = {"none", "restart", NULL};
static const char *const supports[] = {"REQUIRED", "REQUESTED", NULL};
static const char *const boundaries[] = {"INTERVAL", "POLL", "CONNECTOR", NULL};

#define AT(type, field) .offset = SLUICE_AT(type, common_config, field)

#define COMMON_KEYS                                                                    \
    {.name = "name",                                                                   \
     .title = "Connector name",                                                        \
     .width = SLUICE_WIDTH_MEDIUM,                                                     \
     .doc = "The name of this connector, unique in the cluster.",                      \
     .group = common,                                                                  \
     .type = SLUICE_STRING,                                                            \
     .importance = SLUICE_HIGH,                                                        \
     AT(const char *, name)},                                                          \
        {.name = "connector.class",                                                    \
         .title = "Connector class",                                                   \
         .width = SLUICE_WIDTH_LONG,                                                   \
         .doc = "The connector's class: its full name, its simple name, or the "       \
                "simple name without Connector.",                                      \
         .group = common,                                                              \
         .type = SLUICE_STRING,                                                        \
         .importance = SLUICE_HIGH,                                                    \
         AT(const char *, connector_class)},                                           \
        {.name = "connector.plugin.version",                                           \
         .title = "Connector version",                                                 \
         .width = SLUICE_WIDTH_MEDIUM,                                                 \
         .fallback = SLUICE_NULL,                                                      \
         .doc = "The version of the connector, or a range of versions: [1.0,2.0). "    \
                "What stands for a Java plugin is meant by every version with the "    \
                "same first number: 4.0.0 by what shows 4.1.0. "                       \
                "Any, where it is not given.",                                         \
         .group = common,                                                              \
         .type = SLUICE_STRING,                                                        \
         .importance = SLUICE_MEDIUM,                                                  \
         AT(const char *, connector_version)},                                         \
        {.name = "tasks.max",                                                          \
         .title = "Tasks max",                                                         \
         .width = SLUICE_WIDTH_SHORT,                                                  \
         .fallback = "1",                                                              \
         .doc = "The most tasks that the work may be divided into.",                   \
         .group = common,                                                              \
         .type = SLUICE_INT,                                                           \
         .min = 1,                                                                     \
         .max = INT32_MAX,                                                             \
         .importance = SLUICE_HIGH,                                                    \
         AT(int32_t, tasks_max)},                                                      \
        {.name = "tasks.max.enforce",                                                  \
         .title = "Enforce tasks max",                                                 \
         .width = SLUICE_WIDTH_SHORT,                                                  \
         .fallback = "true",                                                           \
         .doc = "Whether a connector that divides its work into more tasks than "      \
                "tasks.max fails.",                                                    \
         .group = common,                                                              \
         .type = SLUICE_BOOL,                                                          \
         .importance = SLUICE_LOW,                                                     \
         AT(bool, tasks_max_enforce)},                                                 \
        {.name = "key.converter",                                                      \
         .title = "Key converter class",                                               \
         .width = SLUICE_WIDTH_SHORT,                                                  \
         .fallback = SLUICE_NULL,                                                      \
         .doc = "The converter of record keys; the worker's where it is not given.",   \
         .group = common,                                                              \
         .type = SLUICE_CLASS,                                                         \
         .importance = SLUICE_LOW,                                                     \
         AT(const char *, key_converter)},                                             \
        {.name = "key.converter.plugin.version",                                       \
         .title = "Key converter version",                                             \
         .width = SLUICE_WIDTH_SHORT,                                                  \
         .fallback = SLUICE_NULL,                                                      \
         .doc = "The version of the converter of record keys, or a range of "          \
                "versions: [1.0,2.0). Any, where it is not given.",                    \
         .group = common,                                                              \
         .type = SLUICE_STRING,                                                        \
         .importance = SLUICE_LOW,                                                     \
         AT(const char *, key_converter_version)},                                     \
        {.name = "value.converter",                                                    \
         .title = "Value converter class",                                             \
         .width = SLUICE_WIDTH_SHORT,                                                  \
         .fallback = SLUICE_NULL,                                                      \
         .doc = "The converter of record values; the worker's where it is not "        \
                "given.",                                                              \
         .group = common,                                                              \
         .type = SLUICE_CLASS,                                                         \
         .importance = SLUICE_LOW,                                                     \
         AT(const char *, value_converter)},                                           \
        {.name = "value.converter.plugin.version",                                     \
         .title = "Value converter version",                                           \
         .width = SLUICE_WIDTH_SHORT,                                                  \
         .fallback = SLUICE_NULL,                                                      \
         .doc = "The version of the converter of record values, or a range of "        \
                "versions: [1.0,2.0). Any, where it is not given.",                    \
         .group = common,                                                              \
         .type = SLUICE_STRING,                                                        \
         .importance = SLUICE_LOW,                                                     \
         AT(const char *, value_converter_version)},                                   \
        {.name = "header.converter",                                                   \
         .title = "Header converter class",                                            \
         .width = SLUICE_WIDTH_SHORT,                                                  \
         .fallback = SLUICE_NULL,                                                      \
         .doc = "The converter of record headers; the worker's where it is not "       \
                "given.",                                                              \
         .group = common,                                                              \
         .type = SLUICE_CLASS,                                                         \
         .importance = SLUICE_LOW,                                                     \
         AT(const char *, header_converter)},                                          \
        {.name = "header.converter.plugin.version",                                    \
         .title = "Header converter version",                                          \
         .width = SLUICE_WIDTH_SHORT,                                                  \
         .fallback = SLUICE_NULL,                                                      \
         .doc = "The version of the converter of record headers, or a range of "       \
                "versions: [1.0,2.0). Any, where it is not given.",                    \
         .group = common,                                                              \
         .type = SLUICE_STRING,                                                        \
         .importance = SLUICE_LOW,                                                     \
         AT(const char *, header_converter_version)},                                  \
        {.name = "transforms",                                                         \
         .title = "Transforms",                                                        \
         .width = SLUICE_WIDTH_LONG,                                                   \
         .order = 12,                                                                  \
         .fallback = "",                                                               \
         .doc = "The transformations that records go through, by alias, in order.",    \
         .group = transforms,                                                          \
         .type = SLUICE_LIST,                                                          \
         .importance = SLUICE_LOW,                                                     \
         AT(sluice_list, transforms)},                                                 \
        {.name = "predicates",                                                         \
         .title = "Predicates",                                                        \
         .width = SLUICE_WIDTH_LONG,                                                   \
         .order = 13,                                                                  \
         .fallback = "",                                                               \
         .doc = "The predicates that transformations can ask, by alias.",              \
         .group = predicates,                                                          \
         .type = SLUICE_LIST,                                                          \
         .importance = SLUICE_LOW,                                                     \
         AT(sluice_list, predicates)},                                                 \
        {.name = "config.action.reload",                                               \
         .title = "Reload Action",                                                     \
         .width = SLUICE_WIDTH_MEDIUM,                                                 \
         .order = 14,                                                                  \
         .fallback = "restart",                                                        \
         .doc = "What happens when a value that came from a config provider "          \
                "changes: restart the connector, or none.",                            \
         .group = common,                                                              \
         .type = SLUICE_STRING,                                                        \
         .choices = reloads,                                                           \
         .importance = SLUICE_LOW,                                                     \
         AT(const char *, config_action_reload)},                                      \
        {.name = "errors.retry.timeout",                                               \
         .title = "Retry Timeout for Errors",                                          \
         .width = SLUICE_WIDTH_MEDIUM,                                                 \
         .fallback = "0",                                                              \
         .doc = "How long, in milliseconds, a step that might work later is tried "    \
                "again; 0 is not at all, -1 for ever.",                                \
         .group = errors,                                                              \
         .type = SLUICE_LONG,                                                          \
         .importance = SLUICE_MEDIUM,                                                  \
         AT(int64_t, errors_retry_timeout)},                                           \
        {.name = "errors.retry.delay.max.ms",                                          \
         .title = "Maximum Delay Between Retries for Errors",                          \
         .width = SLUICE_WIDTH_MEDIUM,                                                 \
         .fallback = "60000",                                                          \
         .doc = "The longest time, in milliseconds, between two attempts.",            \
         .group = errors,                                                              \
         .type = SLUICE_LONG,                                                          \
         .importance = SLUICE_MEDIUM,                                                  \
         AT(int64_t, errors_retry_delay_max_ms)},                                      \
        {.name = "errors.tolerance",                                                   \
         .title = "Error Tolerance",                                                   \
         .width = SLUICE_WIDTH_SHORT,                                                  \
         .fallback = "none",                                                           \
         .doc = "none: a record that cannot be handled fails the task. all: it is "    \
                "skipped.",                                                            \
         .group = errors,                                                              \
         .type = SLUICE_STRING,                                                        \
         .choices = tolerances,                                                        \
         .importance = SLUICE_MEDIUM,                                                  \
         AT(const char *, errors_tolerance)},                                          \
        {.name = "errors.log.enable",                                                  \
         .title = "Log Errors",                                                        \
         .width = SLUICE_WIDTH_SHORT,                                                  \
         .fallback = "false",                                                          \
         .doc = "Whether each failed record is written to the log, also when it is "   \
                "tolerated.",                                                          \
         .group = errors,                                                              \
         .type = SLUICE_BOOL,                                                          \
         .importance = SLUICE_MEDIUM,                                                  \
         AT(bool, errors_log_enable)},                                                 \
    {                                                                                  \
        .name = "errors.log.include.messages", .title = "Log Error Details",           \
        .width = SLUICE_WIDTH_SHORT, .fallback = "false",                              \
        .doc = "Whether the log says which record it was.", .group = errors,           \
        .type = SLUICE_BOOL, .importance = SLUICE_MEDIUM,                              \
        AT(bool, errors_log_include_messages)                                          \
    }

static const sluice_key source_keys[] = {
    COMMON_KEYS,
    {.name = "topic.creation.groups",
     .title = "Topic Creation Groups",
     .width = SLUICE_WIDTH_LONG,
     .fallback = "",
     .doc = "Names of the groups of rules by which topics are created; the group "
            "default is always there.",
     .group = "Topic Creation",
     .type = SLUICE_LIST,
     .importance = SLUICE_LOW,
     AT(sluice_list, topic_creation_groups)},
    {.name = "exactly.once.support",
     .title = "Exactly once support",
     .width = SLUICE_WIDTH_SHORT,
     .order = 2,
     .fallback = "requested",
     .doc = "required: the connector is refused where records could be written twice.",
     .group = exactly_once,
     .type = SLUICE_ENUM,
     .choices = supports,
     .shown_type = "STRING",
     .importance = SLUICE_MEDIUM,
     AT(int32_t, exactly_once_support)},
    {.name = "transaction.boundary",
     .title = "Transaction Boundary",
     .width = SLUICE_WIDTH_SHORT,
     .order = 3,
     .fallback = "poll",
     .doc = "Where a transaction ends, with exactly-once support.",
     .group = exactly_once,
     .type = SLUICE_ENUM,
     .choices = boundaries,
     .shown_type = "STRING",
     .importance = SLUICE_MEDIUM,
     AT(int32_t, transaction_boundary)},
    {.name = "transaction.boundary.interval.ms",
     .title = "Transaction boundary interval",
     .width = SLUICE_WIDTH_SHORT,
     .order = 4,
     .fallback = SLUICE_NULL,
     .doc = "How long a transaction lasts where transaction.boundary is interval; "
            "offset.flush.interval.ms where it is not given.",
     .group = exactly_once,
     .type = SLUICE_LONG,
     .importance = SLUICE_LOW,
     AT(int64_t, transaction_boundary_interval_ms)},
    {.name = "offsets.storage.topic",
     .title = "Offsets topic",
     .width = SLUICE_WIDTH_LONG,
     .fallback = SLUICE_NULL,
     .doc = "The topic in which this connector's offsets are kept; the worker's where "
            "it is not given.",
     .group = "offsets.topic",
     .type = SLUICE_STRING,
     .importance = SLUICE_LOW,
     AT(const char *, offsets_storage_topic)},
    {0},
};

static const sluice_key sink_keys[] = {
    COMMON_KEYS,
    {.name = "topics",
     .title = "Topics",
     .width = SLUICE_WIDTH_LONG,
     .order = 4,
     .fallback = "",
     .doc = "The topics to consume. Either this or topics.regex.",
     .group = common,
     .type = SLUICE_LIST,
     .importance = SLUICE_HIGH,
     AT(sluice_list, topics)},
    {.name = "topics.regex",
     .title = "Topics regex",
     .width = SLUICE_WIDTH_LONG,
     .order = 4,
     .fallback = "",
     .doc = "A regular expression that the names of the topics to consume match as a "
            "whole. Either this or topics.",
     .group = common,
     .type = SLUICE_STRING,
     .importance = SLUICE_HIGH,
     AT(const char *, topics_regex)},
    {.name = "errors.deadletterqueue.topic.name",
     .title = "Dead Letter Queue Topic Name",
     .width = SLUICE_WIDTH_MEDIUM,
     .fallback = "",
     .doc = "The topic that records go to which could not be handled; none where it "
            "is empty.",
     .group = errors,
     .type = SLUICE_STRING,
     .importance = SLUICE_MEDIUM,
     AT(const char *, dead_letter_topic)},
    {.name = "errors.deadletterqueue.topic.replication.factor",
     .title = "Dead Letter Queue Topic Replication Factor",
     .width = SLUICE_WIDTH_MEDIUM,
     .fallback = "3",
     .doc = "The replicas of the dead letter topic, when it has to be created.",
     .group = errors,
     .type = SLUICE_INT,
     .shown_type = "SHORT",
     .importance = SLUICE_MEDIUM,
     AT(int32_t, dead_letter_replication)},
    {.name = "errors.deadletterqueue.context.headers.enable",
     .title = "Enable Error Context Headers",
     .width = SLUICE_WIDTH_MEDIUM,
     .fallback = "false",
     .doc = "Whether headers say what happened to a dead letter.",
     .group = errors,
     .type = SLUICE_BOOL,
     .importance = SLUICE_MEDIUM,
     AT(bool, dead_letter_headers)},
    {0},
};

/* connect.name: not empty, no control characters. */
static void check_name(const common_config *config, sluice_error *err, bool *failed)
{
    if (config->name[0] == '\0') {
        sluice_fail_key(err, "name",
                        "Invalid value  for configuration name: String may not be "
                        "empty");
        *failed = true;
    }
    for (const char *at = config->name; *at != '\0'; at++) {
        if ((unsigned char)*at < ' ' || *at == 127) {
            sluice_fail_key(err, "name",
                            "Invalid value %s for configuration name: String may not "
                            "contain control sequences but had the following ASCII "
                            "chars: %d",
                            config->name, *at);
            *failed = true;
            return;
        }
    }
}

/* "[a, b]", the caller's. */
static char *print_list(const sluice_list *list)
{
    char *text = memory_text("[");
    for (size_t i = 0; i < list->count; i++) {
        char *longer = memory_print("%s%s%s", text, i == 0 ? "" : ", ", list->items[i]);
        free(text);
        text = longer;
    }
    char *whole = memory_print("%s]", text);
    free(text);
    return whole;
}

static void check_unique(const sluice_list *list, const char *key, sluice_error *err,
                         bool *failed)
{
    for (size_t i = 0; i < list->count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (strcmp(list->items[i], list->items[j]) == 0) {
                char *shown = print_list(list);
                sluice_fail_key(err, key,
                                "Invalid value %s for configuration %s: Duplicate "
                                "alias provided.",
                                shown, key);
                free(shown);
                *failed = true;
                return;
            }
        }
    }
}

static sluice_status check_common(const void *filled, sluice_error *err)
{
    const common_config *config = filled;
    bool failed = false;
    check_name(config, err, &failed);
    check_unique(&config->transforms, "transforms", err, &failed);
    check_unique(&config->predicates, "predicates", err, &failed);
    return failed ? SLUICE_BAD_CONFIG : SLUICE_OK;
}

static void fail_both(sluice_error *err, const char *text)
{
    sluice_fail_key(err, "topics", "%s", text);
    sluice_fail_key(err, "topics.regex", "%s", text);
}

static sluice_status check_sink(const void *filled, sluice_error *err)
{
    const common_config *config = filled;
    sluice_status status = check_common(filled, err);
    bool list = config->topics.count > 0, regex = config->topics_regex[0] != '\0';
    if (list && regex) {
        fail_both(err, "topics and topics.regex are mutually exclusive options, but "
                       "both are set.");
        return SLUICE_BAD_CONFIG;
    }
    if (!list && !regex) {
        fail_both(err, "Must configure one of topics or topics.regex");
        return SLUICE_BAD_CONFIG;
    }
    for (size_t i = 0; i < config->topics.count; i++) {
        if (config->dead_letter_topic[0] != '\0' &&
            strcmp(config->topics.items[i], config->dead_letter_topic) == 0) {
            char *shown = print_list(&config->topics);
            status = sluice_fail_key(
                err, "topics",
                "The DLQ topic '%s' may not be included in the list of topics "
                "('topics=%s') consumed by the connector",
                config->dead_letter_topic, shown);
            free(shown);
            return status;
        }
    }
    if (regex && topics_regex_check(config->topics_regex, config->dead_letter_topic,
                                    err) != SLUICE_OK) {
        return SLUICE_BAD_CONFIG;
    }
    return status;
}

static sluice_status check_source(const void *filled, sluice_error *err)
{
    const common_config *config = filled;
    bool failed = check_common(filled, err) != SLUICE_OK;
    check_unique(&config->topic_creation_groups, "topic.creation.groups", err, &failed);
    if (config->transaction_boundary_interval_ms < 0) {
        sluice_fail_key(err, "transaction.boundary.interval.ms",
                        "Invalid value %lld for configuration "
                        "transaction.boundary.interval.ms: Value must be at least 0",
                        (long long)config->transaction_boundary_interval_ms);
        failed = true;
    }
    return failed ? SLUICE_BAD_CONFIG : SLUICE_OK;
}

const sluice_config source_common_table = {
    .size = sizeof(sluice_config),
    .key_size = sizeof(sluice_key),
    .struct_size = sizeof(common_config),
    .keys = source_keys,
    .check = check_source,
};

const sluice_config sink_common_table = {
    .size = sizeof(sluice_config),
    .key_size = sizeof(sluice_key),
    .struct_size = sizeof(common_config),
    .keys = sink_keys,
    .check = check_sink,
};

static const sluice_key transform_keys[] = {
    {.name = "type",
     .width = SLUICE_WIDTH_LONG,
     .doc = "The class of this transformation.",
     .type = SLUICE_CLASS,
     .importance = SLUICE_HIGH,
     .offset = SLUICE_AT(const char *, transform_common, type)},
    {.name = "plugin.version",
     .width = SLUICE_WIDTH_LONG,
     .fallback = SLUICE_NULL,
     .doc = "The version of this transformation, or a range of versions. Any, where it "
            "is not given.",
     .type = SLUICE_STRING,
     .importance = SLUICE_HIGH,
     .offset = SLUICE_AT(const char *, transform_common, version)},
    {.name = "predicate",
     .fallback = SLUICE_NULL,
     .doc = "The alias of a predicate that says to which records this is applied.",
     .type = SLUICE_STRING,
     .importance = SLUICE_MEDIUM,
     .offset = SLUICE_AT(const char *, transform_common, predicate)},
    {.name = "negate",
     .fallback = "false",
     .doc = "Whether it is applied to all other records instead.",
     .type = SLUICE_BOOL,
     .importance = SLUICE_MEDIUM,
     .offset = SLUICE_AT(bool, transform_common, negate)},
    {0},
};

const sluice_config transform_common_table = {
    .size = sizeof(sluice_config),
    .key_size = sizeof(sluice_key),
    .struct_size = sizeof(transform_common),
    .keys = transform_keys,
};

static const sluice_key predicate_keys[] = {
    {.name = "type",
     .width = SLUICE_WIDTH_LONG,
     .doc = "The class of this predicate.",
     .type = SLUICE_CLASS,
     .importance = SLUICE_HIGH,
     .offset = SLUICE_AT(const char *, transform_common, type)},
    {.name = "plugin.version",
     .width = SLUICE_WIDTH_LONG,
     .fallback = SLUICE_NULL,
     .doc = "The version of this predicate, or a range of versions. Any, where it is "
            "not given.",
     .type = SLUICE_STRING,
     .importance = SLUICE_HIGH,
     .offset = SLUICE_AT(const char *, transform_common, version)},
    {0},
};

const sluice_config predicate_common_table = {
    .size = sizeof(sluice_config),
    .key_size = sizeof(sluice_key),
    .struct_size = sizeof(transform_common),
    .keys = predicate_keys,
};

sluice_props *props_below(const sluice_props *props, const char *prefix)
{
    size_t len = strlen(prefix);
    sluice_props *result = sluice_props_new();
    for (size_t i = 0; i < sluice_props_count(props); i++) {
        const char *name = sluice_props_name(props, i);
        if (strncmp(name, prefix, len) == 0 && name[len] != '\0') {
            sluice_props_set(result, name + len, sluice_props_value(props, i));
        }
    }
    return result;
}
