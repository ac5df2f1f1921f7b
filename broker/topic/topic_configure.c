/* Configs of topics and of the broker, changed while it runs: checked, written to the
 * metadata log, and taken up by all that they concern. */
#include "base/text.h"
#include "broker/topic/topic_set_internal.h"
#include "protocol/error_code.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static int64_t number_in(const config_pair *pairs, size_t count, const char *name,
                         int64_t otherwise)
{
    int64_t number = otherwise;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(pairs[i].name, name) == 0) {
            text_to_int64(pairs[i].value, &number);
        }
    }
    return number;
}

static int16_t check_lags(const config_pair *pairs, size_t count, sluice_error *err)
{
    int64_t least = number_in(pairs, count, "min.compaction.lag.ms", 0);
    int64_t most = number_in(pairs, count, "max.compaction.lag.ms", INT64_MAX);
    if (least <= most) {
        return ERROR_NONE;
    }
    sluice_fail(err, SLUICE_BAD_CONFIG,
                "conflict topic config setting min.compaction.lag.ms (%" PRId64
                ") > max.compaction.lag.ms (%" PRId64 ")",
                least, most);
    return ERROR_INVALID_CONFIG;
}

int16_t topic_configs_check(const config_pair *pairs, size_t count, sluice_error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (topic_config_check(pairs[i].name, pairs[i].value, err) != SLUICE_OK) {
            return ERROR_INVALID_CONFIG;
        }
    }
    return check_lags(pairs, count, err);
}

void topic_set_add_config(topic_set *self, int8_t type, const char *resource,
                          const char *name, const char *value)
{
    config_record record = {.resource_type = type,
                            .resource_name = message_text_of(resource),
                            .name = message_text_of(name),
                            .value = message_text_of(value)};
    metadata_log_add(self->log, RECORD_CONFIG_RECORD, &record);
}

static const char *value_in(const config_pair *pairs, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(pairs[i].name, name) == 0) {
            return pairs[i].value;
        }
    }
    return NULL;
}

/* A resource's configs as they are. */
typedef struct configured {
    int8_t type;
    const char *resource;
    const config_pair *pairs;
    size_t count;
} configured;

/* Adds a record for each difference; returns how many. */
static size_t log_differences(topic_set *self, const configured *old,
                              const config_pair *pairs, size_t count)
{
    size_t changes = 0;
    for (size_t i = 0; i < old->count; i++) {
        if (value_in(pairs, count, old->pairs[i].name) == NULL) {
            topic_set_add_config(self, old->type, old->resource, old->pairs[i].name,
                                 NULL);
            changes++;
        }
    }
    for (size_t i = 0; i < count; i++) {
        const char *before = value_in(old->pairs, old->count, pairs[i].name);
        if (before == NULL || strcmp(before, pairs[i].value) != 0) {
            topic_set_add_config(self, old->type, old->resource, pairs[i].name,
                                 pairs[i].value);
            changes++;
        }
    }
    return changes;
}

static void reconfigure(topic_set *self, const topic *old, const config_pair *pairs,
                        size_t count)
{
    topic *made = topic_set_remake(self, old, pairs, count);
    for (int32_t i = 0; i < made->partition_count; i++) {
        partition_set_config(made->partitions[i], &made->config.log);
    }
    topic_set_publish(self, made);
}

static int16_t configure(topic_set *self, const topic *old, const config_pair *pairs,
                         size_t count, bool validate_only, sluice_error *err)
{
    int16_t code = topic_configs_check(pairs, count, err);
    if (code != ERROR_NONE || validate_only) {
        return code;
    }
    configured before = {config_resource_topic, old->name, old->configs,
                         old->config_count};
    if (log_differences(self, &before, pairs, count) == 0) {
        return ERROR_NONE;
    }
    if (metadata_log_commit(self->log, err) != SLUICE_OK) {
        return ERROR_KAFKA_STORAGE_ERROR;
    }
    reconfigure(self, old, pairs, count);
    return ERROR_NONE;
}

int16_t topic_set_configure(topic_set *self, const char *name, size_t name_len,
                            const config_pair *pairs, size_t count, bool validate_only,
                            sluice_error *err)
{
    pthread_mutex_lock(&self->change);
    topic *old = topic_set_find(self, name, name_len);
    int16_t code = old == NULL ? topic_set_refuse_unknown(name, name_len, err)
                               : configure(self, old, pairs, count, validate_only, err);
    pthread_mutex_unlock(&self->change);
    topic_unref(old);
    return code;
}

static int16_t log_broker_change(topic_set *self, config_source layer,
                                 const config_pair *pairs, size_t count,
                                 sluice_error *err)
{
    char node[16];
    snprintf(node, sizeof node, "%" PRId32, self->config->node_id);
    size_t before_count;
    config_pair *old = dynamic_config_list(self->config->dynamic, layer, &before_count);
    configured before = {config_resource_broker,
                         layer == CONFIG_SOURCE_NODE ? node : "", old, before_count};
    int16_t code = ERROR_NONE;
    if (log_differences(self, &before, pairs, count) > 0 &&
        metadata_log_commit(self->log, err) != SLUICE_OK) {
        code = ERROR_KAFKA_STORAGE_ERROR;
    }
    config_pairs_free(old, before_count);
    return code;
}

static void reconfigure_all(topic_set *self)
{
    size_t count;
    topic **list = topic_set_list(self, &count);
    for (size_t i = 0; i < count; i++) {
        reconfigure(self, list[i], list[i]->configs, list[i]->config_count);
    }
    topic_list_free(list, count);
}

int16_t topic_set_configure_broker(topic_set *self, config_source layer,
                                   const config_pair *pairs, size_t count,
                                   bool validate_only, sluice_error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (dynamic_config_check(pairs[i].name, pairs[i].value, err) != SLUICE_OK) {
            return ERROR_INVALID_REQUEST;
        }
    }
    if (validate_only) {
        return ERROR_NONE;
    }
    pthread_mutex_lock(&self->change);
    int16_t code = log_broker_change(self, layer, pairs, count, err);
    if (code == ERROR_NONE) {
        dynamic_config_replace(self->config->dynamic, layer, pairs, count);
        reconfigure_all(self);
    }
    pthread_mutex_unlock(&self->change);
    return code;
}

static void take_dynamic(topic_set *self, config_source layer, config_image *from)
{
    size_t good = 0;
    for (size_t i = 0; i < from->count; i++) {
        config_pair pair = from->pairs[i];
        from->pairs[i] = from->pairs[good];
        from->pairs[good] = pair;
        good += dynamic_config_check(pair.name, pair.value, NULL) == SLUICE_OK;
    }
    dynamic_config_replace(self->config->dynamic, layer, from->pairs, good);
}

void topic_set_take_dynamic(topic_set *self, topic_images *images)
{
    take_dynamic(self, CONFIG_SOURCE_NODE, &images->node);
    take_dynamic(self, CONFIG_SOURCE_ALL_NODES, &images->all_nodes);
}
