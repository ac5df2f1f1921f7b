/* The topic's keys: a table, the broker's names for their defaults, and the few values
 * that are words. */
#include "broker/config/topic_config.h"
#include "base/text.h"
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOG(field) (int32_t) offsetof(topic_config, log.field)
#define NO_FIELD   (-1)
#define BYTES_MAX  INT32_MAX
#define ONE_NODE   "a Sluice broker is one node"
#define NO_REMOTE  "Sluice keeps logs on local disks"

/* In the order in which Kafka names them. */
const char *const topic_compressions[] = {"uncompressed", "zstd",     "lz4", "snappy",
                                          "gzip",         "producer", NULL};
const char *const topic_policies[] = {"compact", "delete", NULL};
const char *const topic_timestamp_types[] = {"CreateTime", "LogAppendTime", NULL};

/* clang-format off */
const setting topic_config_keys[] = {
    {"cleanup.policy", CONFIG_LIST, "delete", 0, 0, topic_policies, NO_FIELD, NULL},
    {"compression.gzip.level", CONFIG_INT, "-1", -1, 9, NULL, NO_FIELD, NULL},
    {"compression.lz4.level", CONFIG_INT, "9", 1, 17, NULL, NO_FIELD, NULL},
    {"compression.type", CONFIG_STRING, "producer", 0, 0, topic_compressions, NO_FIELD, NULL},
    {"compression.zstd.level", CONFIG_INT, "3", -131072, 22, NULL, NO_FIELD, NULL},
    {"delete.retention.ms", CONFIG_LONG, "86400000", 0, INT64_MAX, NULL, LOG(delete_retention_ms),
     NULL},
    {"file.delete.delay.ms", CONFIG_LONG, "60000", 0, INT64_MAX, NULL, LOG(file_delete_delay_ms),
     NULL},
    {"flush.messages", CONFIG_LONG, "9223372036854775807", 1, INT64_MAX, NULL, LOG(flush_messages),
     NULL},
    {"flush.ms", CONFIG_LONG, "9223372036854775807", 0, INT64_MAX, NULL, LOG(flush_ms), NULL},
    {"follower.replication.throttled.replicas", CONFIG_LIST, "", 0, 0, NULL, NO_FIELD, ONE_NODE},
    {"index.interval.bytes", CONFIG_INT, "4096", 0, BYTES_MAX, NULL, LOG(index_interval_bytes),
     NULL},
    {"leader.replication.throttled.replicas", CONFIG_LIST, "", 0, 0, NULL, NO_FIELD, ONE_NODE},
    {"local.retention.bytes", CONFIG_LONG, "-2", -2, INT64_MAX, NULL, NO_FIELD, NO_REMOTE},
    {"local.retention.ms", CONFIG_LONG, "-2", -2, INT64_MAX, NULL, NO_FIELD, NO_REMOTE},
    {"max.compaction.lag.ms", CONFIG_LONG, "9223372036854775807", 1, INT64_MAX, NULL,
     LOG(max_compaction_lag_ms), NULL},
    {"max.message.bytes", CONFIG_INT, "1048588", 0, BYTES_MAX, NULL, LOG(max_message_bytes), NULL},
    {"message.downconversion.enable", CONFIG_BOOLEAN, "true", 0, 0, NULL, NO_FIELD,
     "all clients read the present format"},
    {"message.format.version", CONFIG_STRING, "3.0-IV1", 0, 0, NULL, NO_FIELD,
     "all clients read the present format"},
    {"message.timestamp.after.max.ms", CONFIG_LONG, "3600000", 0, INT64_MAX, NULL,
     LOG(message_timestamp_after_max_ms), NULL},
    {"message.timestamp.before.max.ms", CONFIG_LONG, "9223372036854775807", 0, INT64_MAX, NULL,
     LOG(message_timestamp_before_max_ms), NULL},
    {"message.timestamp.difference.max.ms", CONFIG_LONG, "9223372036854775807", 0, INT64_MAX, NULL,
     NO_FIELD, NULL},
    {"message.timestamp.type", CONFIG_STRING, "CreateTime", 0, 0, topic_timestamp_types, NO_FIELD,
     NULL},
    {"min.cleanable.dirty.ratio", CONFIG_DOUBLE, "0.5", 0, 1, NULL, LOG(min_cleanable_dirty_ratio),
     NULL},
    {"min.compaction.lag.ms", CONFIG_LONG, "0", 0, INT64_MAX, NULL, LOG(min_compaction_lag_ms),
     NULL},
    {"min.insync.replicas", CONFIG_INT, "1", 1, INT32_MAX, NULL,
     (int32_t) offsetof(topic_config, min_insync_replicas), NULL},
    {"preallocate", CONFIG_BOOLEAN, "false", 0, 0, NULL, LOG(preallocate), NULL},
    {"remote.log.copy.disable", CONFIG_BOOLEAN, "false", 0, 0, NULL, NO_FIELD, NO_REMOTE},
    {"remote.log.delete.on.disable", CONFIG_BOOLEAN, "false", 0, 0, NULL, NO_FIELD, NO_REMOTE},
    {"remote.storage.enable", CONFIG_BOOLEAN, "false", 0, 0, NULL, NO_FIELD, NO_REMOTE},
    {"retention.bytes", CONFIG_LONG, "-1", -1, INT64_MAX, NULL, LOG(retention_bytes), NULL},
    {"retention.ms", CONFIG_LONG, "604800000", -1, INT64_MAX, NULL, LOG(retention_ms), NULL},
    {"segment.bytes", CONFIG_INT, "1073741824", 14, BYTES_MAX, NULL, LOG(segment_bytes), NULL},
    {"segment.index.bytes", CONFIG_INT, "10485760", 4, BYTES_MAX, NULL, LOG(segment_index_bytes),
     NULL},
    {"segment.jitter.ms", CONFIG_LONG, "0", 0, INT64_MAX, NULL, LOG(segment_jitter_ms), NULL},
    {"segment.ms", CONFIG_LONG, "604800000", 1, INT64_MAX, NULL, LOG(segment_ms), NULL},
    {"unclean.leader.election.enable", CONFIG_BOOLEAN, "false", 0, 0, NULL, NO_FIELD, ONE_NODE},
    {NULL, CONFIG_STRING, NULL, 0, 0, NULL, NO_FIELD, NULL},
};
/* clang-format on */

/* The first of these that is set gives the default; its unit is `factor` times the
 * topic key's. */
typedef struct broker_name {
    const char *topic_key, *broker_key;
    int64_t factor;
} broker_name;

static const broker_name broker_names[] = {
    {"cleanup.policy", "log.cleanup.policy", 1},
    {"compression.type", "compression.type", 1},
    {"delete.retention.ms", "log.cleaner.delete.retention.ms", 1},
    {"file.delete.delay.ms", "log.segment.delete.delay.ms", 1},
    {"flush.messages", "log.flush.interval.messages", 1},
    {"flush.ms", "log.flush.interval.ms", 1},
    {"index.interval.bytes", "log.index.interval.bytes", 1},
    {"max.compaction.lag.ms", "log.cleaner.max.compaction.lag.ms", 1},
    {"max.message.bytes", "message.max.bytes", 1},
    {"message.timestamp.after.max.ms", "log.message.timestamp.after.max.ms", 1},
    {"message.timestamp.before.max.ms", "log.message.timestamp.before.max.ms", 1},
    {"message.timestamp.type", "log.message.timestamp.type", 1},
    {"min.cleanable.dirty.ratio", "log.cleaner.min.cleanable.ratio", 1},
    {"min.compaction.lag.ms", "log.cleaner.min.compaction.lag.ms", 1},
    {"min.insync.replicas", "min.insync.replicas", 1},
    {"preallocate", "log.preallocate", 1},
    {"retention.bytes", "log.retention.bytes", 1},
    {"retention.ms", "log.retention.ms", 1},
    {"retention.ms", "log.retention.minutes", 60000},
    {"retention.ms", "log.retention.hours", 3600000},
    {"segment.bytes", "log.segment.bytes", 1},
    {"segment.index.bytes", "log.index.size.max.bytes", 1},
    {"segment.jitter.ms", "log.roll.jitter.ms", 1},
    {"segment.ms", "log.roll.ms", 1},
    {"segment.ms", "log.roll.hours", 3600000},
};

enum { broker_name_count = sizeof broker_names / sizeof *broker_names };

const char *topic_config_broker_key(const char *name)
{
    for (size_t i = 0; i < broker_name_count; i++) {
        if (strcmp(broker_names[i].topic_key, name) == 0) {
            return broker_names[i].broker_key;
        }
    }
    return NULL;
}

static const char *in_unit(const char *value, int64_t factor,
                           char room[topic_config_text_size])
{
    int64_t number;
    if (factor == 1 || !text_to_int64(value, &number)) {
        return value;
    }
    if (number < 0) {
        return "-1";
    }
    int64_t scaled = number > INT64_MAX / factor ? INT64_MAX : number * factor;
    snprintf(room, topic_config_text_size, "%" PRId64, scaled);
    return room;
}

bool topic_config_is_default(const char *broker_key)
{
    for (size_t i = 0; i < broker_name_count; i++) {
        if (strcmp(broker_names[i].broker_key, broker_key) == 0) {
            return true;
        }
    }
    return false;
}

static const char *value_of(const broker_config *broker, const broker_name *one,
                            config_source layer, char room[topic_config_text_size])
{
    if (layer == CONFIG_SOURCE_STATIC) {
        const char *given = properties_get(broker->given, one->broker_key);
        return given == NULL ? NULL : in_unit(given, one->factor, room);
    }
    bool found = dynamic_config_get(broker->dynamic, layer, one->broker_key, room);
    return found ? room : NULL;
}

bool topic_config_of_layer(const broker_config *broker, const setting *key,
                           config_source layer, char room[topic_config_text_size],
                           const char **ret_value, const char **ret_broker_key)
{
    for (size_t i = 0; i < broker_name_count; i++) {
        const broker_name *one = &broker_names[i];
        if (strcmp(one->topic_key, key->name) == 0) {
            *ret_value = value_of(broker, one, layer, room);
            *ret_broker_key = one->broker_key;
            if (*ret_value != NULL) {
                return true;
            }
        }
    }
    return false;
}

/* The finest of a topic key's names that is set wins, in whichever layer it is. */
const char *topic_config_default(const broker_config *broker, const setting *key,
                                 char room[topic_config_text_size],
                                 config_source *ret_source)
{
    for (size_t i = 0; i < broker_name_count; i++) {
        const broker_name *one = &broker_names[i];
        if (strcmp(one->topic_key, key->name) != 0) {
            continue;
        }
        for (config_source layer = CONFIG_SOURCE_NODE; layer <= CONFIG_SOURCE_STATIC;
             layer++) {
            const char *value = value_of(broker, one, layer, room);
            if (value != NULL) {
                *ret_source = layer;
                return value;
            }
        }
    }
    *ret_source = CONFIG_SOURCE_DEFAULT;
    return key->initial;
}

sluice_status topic_config_check(const char *name, const char *value, sluice_error *err)
{
    const setting *key = setting_find(topic_config_keys, name);
    if (key == NULL) {
        for (const setting *one = topic_config_keys; one->name != NULL; one++) {
            if (text_is_near(name, one->name)) {
                return sluice_fail_key(err, name,
                                       "Unknown topic config name: %s ('%s' is one)",
                                       name, one->name);
            }
        }
        return sluice_fail_key(err, name, "Unknown topic config name: %s", name);
    }
    return setting_check_as_kafka(key, value, err);
}

static bool has_item(const char *list, const char *item)
{
    size_t count;
    char **items = text_split(list, &count);
    bool found = false;
    for (size_t i = 0; i < count; i++) {
        found = found || strcmp(items[i], item) == 0;
    }
    free(items);
    return found;
}

static compression_type compression_of(const char *name)
{
    static const compression_type types[] = {COMPRESSION_NONE, COMPRESSION_ZSTD,
                                             COMPRESSION_LZ4,  COMPRESSION_SNAPPY,
                                             COMPRESSION_GZIP, COMPRESSION_PRODUCER};
    for (size_t i = 0; topic_compressions[i] != NULL; i++) {
        if (strcmp(topic_compressions[i], name) == 0) {
            return types[i];
        }
    }
    return COMPRESSION_PRODUCER;
}

typedef struct sources {
    const broker_config *broker;
    const config_pair *pairs;
    size_t count;
} sources;

static const char *text_of(const sources *from, const setting *key,
                           char room[topic_config_text_size])
{
    for (size_t i = 0; i < from->count; i++) {
        if (strcmp(from->pairs[i].name, key->name) == 0) {
            return from->pairs[i].value;
        }
    }
    config_source source;
    return topic_config_default(from->broker, key, room, &source);
}

static const char *text_by_name(const sources *from, const char *name,
                                char room[topic_config_text_size])
{
    return text_of(from, setting_find(topic_config_keys, name), room);
}

static int32_t level_of(const sources *from, compression_type type,
                        char room[topic_config_text_size])
{
    const char *key = type == COMPRESSION_GZIP   ? "compression.gzip.level"
                      : type == COMPRESSION_LZ4  ? "compression.lz4.level"
                      : type == COMPRESSION_ZSTD ? "compression.zstd.level"
                                                 : NULL;
    int32_t level = -1;
    if (key != NULL && !text_to_int32(text_by_name(from, key, room), &level)) {
        level = -1;
    }
    return level;
}

void topic_config_parse(const broker_config *broker, const config_pair *pairs,
                        size_t count, topic_config *ret_config)
{
    static const log_config initial = LOG_CONFIG_INIT;
    sources from = {broker, pairs, count};
    char room[topic_config_text_size];
    *ret_config = (topic_config){.log = initial};
    for (const setting *key = topic_config_keys; key->name != NULL; key++) {
        if (key->offset >= 0) {
            setting_store(key, text_of(&from, key, room), ret_config);
        }
    }
    log_config *log = &ret_config->log;
    const char *policy = text_by_name(&from, "cleanup.policy", room);
    log->cleanup_delete = has_item(policy, "delete");
    log->cleanup_compact = has_item(policy, "compact");
    const char *stamp = text_by_name(&from, "message.timestamp.type", room);
    log->log_append_time = strcmp(stamp, "LogAppendTime") == 0;
    log->compression = compression_of(text_by_name(&from, "compression.type", room));
    log->compression_level = level_of(&from, log->compression, room);
    int32_t expiration;
    if (text_to_int32(broker_config_text(broker, "producer.id.expiration.ms"),
                      &expiration)) {
        log->producer_id_expiration_ms = expiration;
    }
}
