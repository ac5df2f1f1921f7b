/* Topics that a source needs, made as its keys say. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "worker/host/topic_creation.h"
#include "base/map.h"
#include "base/memory.h"
#include "base/text.h"
#include "worker/host/client_settings.h"
#include "worker/host/common_config.h"
#include "worker/host/kafka_groups.h"
#include <pcre2.h>
#include <pthread.h>
#include <sluice/log.h>
#include <stdlib.h>
#include <string.h>

static const char creation_prefix[] = "topic.creation.";

enum { attempts_max = 3 };

typedef struct creation_group {
    topic_plan plan;
    pcre2_code *include, *exclude; /* NULL: nothing. */
} creation_group;

struct topic_creation {
    sluice_props *client;   /* Settings of an admin client. */
    creation_group *groups; /* The last one is default. */
    size_t count;
    pthread_mutex_t lock;
    map known; /* Names of topics that are there. */
};

/* --- Reading the keys. --- */

/* Several expressions, of which one is to match the whole name. */
static pcre2_code *compile(const char *list, const char *key, sluice_error *err)
{
    size_t count, at;
    int code;
    char **items = text_split(list, &count);
    char *whole = memory_text("");
    for (size_t i = 0; i < count; i++) {
        char *longer = memory_print("%s%s(?:%s)", whole, i == 0 ? "" : "|", items[i]);
        free(whole);
        whole = longer;
    }
    pcre2_code *made =
        count == 0 ? NULL
                   : pcre2_compile((PCRE2_SPTR)whole, PCRE2_ZERO_TERMINATED,
                                   PCRE2_UTF | PCRE2_ANCHORED | PCRE2_ENDANCHORED,
                                   &code, &at, NULL);
    if (count > 0 && made == NULL) {
        PCRE2_UCHAR reason[160];
        pcre2_get_error_message(code, reason, sizeof reason);
        sluice_fail(err, SLUICE_BAD_CONFIG,
                    "Invalid value [%s] for configuration %s: Syntax error in regular "
                    "expression: %s",
                    list, key,
                    code == PCRE2_ERROR_MISSING_SQUARE_BRACKET
                        ? "Unclosed character class"
                        : (const char *)reason);
    }
    free(whole);
    free(items);
    return made;
}

typedef struct count_key {
    const char *name, *type, *reason;
    int64_t max;
} count_key;

static const count_key replication_key = {
    "replication.factor", "SHORT",
    "Replication factor must be positive and not larger than the number of brokers in "
    "the Kafka cluster, or -1 to use the broker's default",
    INT16_MAX};
static const count_key partitions_key = {
    "partitions", "INT",
    "Number of partitions must be positive, or -1 to use the broker's default",
    INT32_MAX};

/* A number of replicas or partitions; where it is not given, `fallback`, unless that is
 * 0, for then it must be. */
static sluice_status read_count(const sluice_props *own, const char *group,
                                const count_key *key, int64_t fallback, int64_t *ret,
                                sluice_error *err)
{
    const char *text = sluice_props_get(own, key->name);
    *ret = fallback;
    if (text == NULL && fallback == 0) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "Missing required configuration \"%s%s.%s\" which has no "
                           "default value.",
                           creation_prefix, group, key->name);
    }
    if (text != NULL && (!text_to_int64(text, ret) || *ret > key->max)) {
        return sluice_fail(
            err, SLUICE_BAD_CONFIG,
            "Invalid value %s for configuration %s%s.%s: Not a number of "
            "type %s",
            text, creation_prefix, group, key->name, key->type);
    }
    if (*ret != -1 && *ret < 1) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "Invalid value %lld for configuration %s: %s",
                           (long long)*ret, key->name, key->reason);
    }
    return SLUICE_OK;
}

/* What else is said of a group are settings of its topics. */
static sluice_props *settings_of(const sluice_props *own)
{
    static const char *const others[] = {"include", "exclude", "replication.factor",
                                         "partitions"};
    sluice_props *settings = props_below(own, "");
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        sluice_props_remove(settings, others[i]);
    }
    return settings;
}

static sluice_status read_group(creation_group *into, const sluice_props *config,
                                const char *name, const topic_plan *fallback,
                                sluice_error *err)
{
    int64_t replication, partitions = 0;
    char *prefix = memory_print("%s%s.", creation_prefix, name);
    sluice_props *own = props_below(config, prefix);
    const char *include = sluice_props_get(own, "include");
    const char *exclude = sluice_props_get(own, "exclude");
    size_t faults = sluice_error_count(err);
    sluice_status status =
        read_count(own, name, &replication_key,
                   fallback == NULL ? 0 : fallback->replication, &replication, err);
    if (status == SLUICE_OK) {
        status =
            read_count(own, name, &partitions_key,
                       fallback == NULL ? 0 : fallback->partitions, &partitions, err);
    }
    if (status == SLUICE_OK && fallback != NULL) {
        into->include = compile(include == NULL ? "" : include, "include", err);
        into->exclude = compile(exclude == NULL ? "" : exclude, "exclude", err);
        status = sluice_error_count(err) == faults ? SLUICE_OK : SLUICE_BAD_CONFIG;
    }
    into->plan = (topic_plan){.partitions = (int32_t)partitions,
                              .replication = (int16_t)replication,
                              .settings = settings_of(own)};
    sluice_props_free(own);
    free(prefix);
    return status;
}

static bool is_asked_for(const sluice_props *config, const sluice_props *worker)
{
    const char *enabled = sluice_props_get(worker, "topic.creation.enable");
    bool on = true, asked = false;
    for (size_t i = 0; i < sluice_props_count(config); i++) {
        asked = asked || text_starts(sluice_props_name(config, i), creation_prefix);
    }
    if (enabled != NULL) {
        text_to_bool(enabled, &on);
    }
    if (asked && !on) {
        sluice_log(SLUICE_WARN, "worker.source",
                   "the keys topic.creation.* have no effect: the worker has "
                   "topic.creation.enable=false");
    }
    return asked && on;
}

static sluice_status read_groups(topic_creation *self, const sluice_props *config,
                                 sluice_error *err)
{
    const char *list = sluice_props_get(config, "topic.creation.groups");
    size_t count;
    char **names = text_split(list == NULL ? "" : list, &count);
    self->groups = memory_zero((count + 1) * sizeof *self->groups);
    creation_group rest = {0};
    sluice_status status = read_group(&rest, config, "default", NULL, err);
    for (size_t i = 0; status == SLUICE_OK && i < count; i++) {
        if (strcmp(names[i], "default") != 0) {
            status = read_group(&self->groups[self->count++], config, names[i],
                                &rest.plan, err);
        }
    }
    self->groups[self->count++] = rest;
    free(names);
    return status;
}

sluice_status topic_creation_new(const sluice_props *config, const sluice_props *worker,
                                 topic_creation **ret_creation, sluice_error *err)
{
    *ret_creation = NULL;
    if (!is_asked_for(config, worker)) {
        return SLUICE_OK;
    }
    topic_creation *self = memory_zero(sizeof *self);
    sluice_props *derived = sluice_props_new();
    self->client = client_settings_layers(CLIENT_ADMIN, worker, config, derived);
    sluice_props_free(derived);
    map_init(&self->known);
    pthread_mutex_init(&self->lock, NULL);
    sluice_status status = read_groups(self, config, err);
    if (status == SLUICE_OK) {
        *ret_creation = self;
    } else {
        topic_creation_free(self);
    }
    return status;
}

void topic_creation_free(topic_creation *self)
{
    if (self == NULL) {
        return;
    }
    for (size_t i = 0; i < self->count; i++) {
        sluice_props_free(self->groups[i].plan.settings);
        pcre2_code_free(self->groups[i].include);
        pcre2_code_free(self->groups[i].exclude);
    }
    free(self->groups);
    sluice_props_free(self->client);
    map_done(&self->known);
    pthread_mutex_destroy(&self->lock);
    free(self);
}

/* --- Topics. --- */

static bool matches(const pcre2_code *code, const char *topic)
{
    pcre2_match_data *data =
        code == NULL ? NULL : pcre2_match_data_create_from_pattern(code, NULL);
    int found = data == NULL ? -1
                             : pcre2_match(code, (PCRE2_SPTR)topic, strlen(topic), 0, 0,
                                           data, NULL);
    pcre2_match_data_free(data);
    return found > 0;
}

const topic_plan *topic_creation_plan(const topic_creation *self, const char *topic)
{
    for (size_t i = 0; i + 1 < self->count; i++) {
        const creation_group *one = &self->groups[i];
        if (matches(one->include, topic) && !matches(one->exclude, topic)) {
            return &one->plan;
        }
    }
    return &self->groups[self->count - 1].plan;
}

static sluice_status create(topic_creation *self, const char *topic, sluice_error *err)
{
    const topic_plan *plan = topic_creation_plan(self, topic);
    sluice_status status = SLUICE_RETRY;
    bool created = false;
    for (int i = 0; status == SLUICE_RETRY && i < attempts_max; i++) {
        sluice_error_clear(err);
        status = kafka_topic_create(self->client, topic, plan->partitions,
                                    plan->replication, plan->settings, &created, err);
    }
    if (status != SLUICE_OK) {
        return sluice_fail(err, SLUICE_FATAL,
                           "Task failed to create new topic '%s': %s. Ensure that the "
                           "task is authorized to create topics or that the topic "
                           "exists and restart the task",
                           topic, sluice_error_text(err));
    }
    if (created) {
        sluice_log(SLUICE_INFO, "worker.source",
                   "created topic '%s' partitions=%d replication.factor=%d", topic,
                   (int)plan->partitions, (int)plan->replication);
    }
    return SLUICE_OK;
}

sluice_status topic_creation_ensure(topic_creation *self, const char *topic,
                                    sluice_error *err)
{
    sluice_status status = SLUICE_OK;
    if (self == NULL) {
        return SLUICE_OK;
    }
    pthread_mutex_lock(&self->lock);
    if (map_get_text(&self->known, topic) == NULL) {
        status = create(self, topic, err);
        if (status == SLUICE_OK) {
            map_put_text(&self->known, topic, self);
        }
    }
    pthread_mutex_unlock(&self->lock);
    return status;
}
