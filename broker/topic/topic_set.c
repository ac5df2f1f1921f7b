/* All topics: an image of the metadata log, with the partitions open.
 *
 * A change runs under `change`: it is checked, written to the metadata log, and then a
 * new topic object takes the old one's place under the write lock. If the process dies
 * between log and disk, the next open makes the directories that are missing. */
#include "base/map.h"
#include "base/memory.h"
#include "broker/topic/found_topics.h"
#include "broker/topic/topic_image.h"
#include "broker/topic/topic_set_internal.h"
#include "protocol/error_code.h"
#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <sluice/log.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    producer_ids_at_once = 1000,
};

/* For ask_of_found(). */
typedef struct found_context {
    topic_set *topics;
    const map *removed;
    bool remains; /* Of a topic that was removed. */
} found_context;

/* ---- Finding --------------------------------------------------------------------- */

topic *topic_set_find(topic_set *self, const char *name, size_t name_len)
{
    pthread_rwlock_rdlock(&self->lock);
    topic *found = map_get(&self->by_name, name, name_len);
    if (found != NULL) {
        topic_ref(found);
    }
    pthread_rwlock_unlock(&self->lock);
    return found;
}

topic *topic_set_find_id(topic_set *self, const uuid *id)
{
    pthread_rwlock_rdlock(&self->lock);
    topic *found = map_get(&self->by_id, id->bytes, sizeof id->bytes);
    if (found != NULL) {
        topic_ref(found);
    }
    pthread_rwlock_unlock(&self->lock);
    return found;
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(topic *const *)a)->name, (*(topic *const *)b)->name);
}

topic **topic_set_list(topic_set *self, size_t *ret_count)
{
    pthread_rwlock_rdlock(&self->lock);
    topic **list = memory_take(map_count(&self->by_name) * sizeof *list);
    size_t count = 0;
    const map_entry *entry;
    for (size_t at = 0; (entry = map_next(&self->by_name, &at)) != NULL;) {
        list[count++] = topic_ref(entry->value);
    }
    pthread_rwlock_unlock(&self->lock);
    qsort(list, count, sizeof *list, by_name);
    *ret_count = count;
    return list;
}

void topic_list_free(topic **topics, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        topic_unref(topics[i]);
    }
    free(topics);
}

/* Puts a topic in the place of the one of its name. Its reference is taken. */
void topic_set_publish(topic_set *self, topic *made)
{
    pthread_rwlock_wrlock(&self->lock);
    topic *old = map_put(&self->by_name, made->name, made->name_len, made);
    map_put(&self->by_id, made->id.bytes, sizeof made->id.bytes, made);
    pthread_rwlock_unlock(&self->lock);
    topic_unref(old);
}

static void unpublish(topic_set *self, topic *gone)
{
    pthread_rwlock_wrlock(&self->lock);
    map_remove(&self->by_name, gone->name, gone->name_len);
    map_remove(&self->by_id, gone->id.bytes, sizeof gone->id.bytes);
    pthread_rwlock_unlock(&self->lock);
    topic_unref(gone);
}

/* ---- Making ---------------------------------------------------------------------- */

/* A topic without partitions, the caller's. */
static topic *topic_make(const topic_set *self, const char *name, size_t name_len,
                         const uuid *id, const config_pair *pairs, size_t count)
{
    topic *made = memory_zero(sizeof *made);
    atomic_init(&made->references, 1);
    made->name = memory_copy(name, name_len);
    made->name_len = name_len;
    made->id = *id;
    made->internal = strncmp(made->name, "__consumer_offsets", 19) == 0 ||
                     strncmp(made->name, "__transaction_state", 20) == 0;
    made->configs = config_pairs_copy(pairs, count);
    made->config_count = count;
    topic_config_parse(self->config, pairs, count, &made->config);
    made->config.log.sync_always = made->internal;
    return made;
}

/* The directory that has the partition, or else the one with the fewest. */
static size_t dir_of(const topic_set *self, const char *name, int32_t number)
{
    size_t best = 0;
    for (size_t i = 0; i < self->dir_count; i++) {
        char *path =
            memory_print("%s/%s-%" PRId32, log_dir_path(self->dirs[i]), name, number);
        struct stat found;
        bool there = stat(path, &found) == 0;
        free(path);
        if (there) {
            return i;
        }
        if (self->dir_loads[i] < self->dir_loads[best]) {
            best = i;
        }
    }
    return best;
}

/* What to do about a partition that cannot be opened. */
typedef enum on_failure {
    FAIL_WITH_IT = 0,
    GO_ON_OFFLINE, /* The others are served. */
} on_failure;

static sluice_status open_next(topic_set *self, topic *made, on_failure then,
                               sluice_error *err)
{
    size_t dir = dir_of(self, made->name, made->partition_count);
    partition **next = &made->partitions[made->partition_count];
    sluice_status status =
        partition_open(self->dirs[dir], made->name, made->partition_count, &made->id,
                       &made->config.log, next, err);
    if (status == SLUICE_FATAL && then == GO_ON_OFFLINE) {
        sluice_log(SLUICE_ERROR, "broker.topic",
                   "%s; it is offline until the broker is restarted, its files stay as "
                   "they are",
                   sluice_error_text(err));
        sluice_error_clear(err);
        *next =
            partition_open_offline(self->dirs[dir], made->name, made->partition_count,
                                   &made->id, &made->config.log);
        status = SLUICE_OK;
    }
    if (status == SLUICE_OK) {
        self->dir_loads[dir]++;
        made->partition_count++;
    }
    return status;
}

/* Opens partitions until there are `count`. */
static sluice_status open_partitions(topic_set *self, topic *made, int32_t count,
                                     on_failure then, sluice_error *err)
{
    sluice_status status = SLUICE_OK;
    made->partitions =
        memory_resize(made->partitions, (size_t)count * sizeof *made->partitions);
    while (status == SLUICE_OK && made->partition_count < count) {
        status = open_next(self, made, then, err);
    }
    return status;
}

/* A topic like `old` with other configs and the same partitions. */
topic *topic_set_remake(const topic_set *self, const topic *old,
                        const config_pair *pairs, size_t count)
{
    topic *made = topic_make(self, old->name, old->name_len, &old->id, pairs, count);
    made->internal = old->internal;
    made->partition_count = old->partition_count;
    made->partitions =
        memory_take((size_t)old->partition_count * sizeof *made->partitions);
    for (int32_t i = 0; i < old->partition_count; i++) {
        made->partitions[i] = partition_ref(old->partitions[i]);
    }
    return made;
}

/* Configs of the log are trusted as far as they are still configs today. */
static sluice_status open_image(topic_set *self, topic_image *one, sluice_error *err)
{
    size_t good = 0;
    for (size_t i = 0; i < one->pair_count; i++) {
        config_pair pair = one->pairs[i];
        one->pairs[i] = one->pairs[good];
        one->pairs[good] = pair;
        good += topic_config_check(pair.name, pair.value, NULL) == SLUICE_OK;
    }
    topic *made =
        topic_make(self, one->name, one->name_len, &one->id, one->pairs, good);
    /* Without its own topics the broker would promise what it cannot keep. */
    on_failure then = made->internal ? FAIL_WITH_IT : GO_ON_OFFLINE;
    sluice_status status = open_partitions(self, made, one->partition_count, then, err);
    if (status == SLUICE_OK) {
        topic_set_publish(self, made);
    } else {
        topic_unref(made);
    }
    return status;
}

static int16_t log_creation(topic_set *self, const topic *made, int32_t count,
                            sluice_error *err);
static sluice_status shorten_log(topic_set *self, bool remains, sluice_error *err);

/* ---- Found ----------------------------------------------------------------------- */

static found_kind ask_of_found(void *context, const char *name, int32_t number,
                               const uuid *id)
{
    found_context *self = context;
    const topic *known = map_get(&self->topics->by_name, name, strlen(name));
    if (known != NULL && number < known->partition_count) {
        return FOUND_KNOWN;
    }
    if (id == NULL) {
        return FOUND_NEW;
    }
    if (map_get(self->removed, id->bytes, sizeof id->bytes) != NULL) {
        self->remains = true;
        return FOUND_REMOVED;
    }
    if (known == NULL) {
        return FOUND_NEW;
    }
    sluice_log(SLUICE_WARN, "broker.topic",
               "'%s-%" PRId32 "' was found, but topic '%s' has %" PRId32
               " partitions; it is left as it is",
               name, number, name, known->partition_count);
    return FOUND_KNOWN;
}

/* Nothing is to be lost by being found: what was kept where it came from is not known.
 */
static const config_pair found_configs[] = {{"retention.ms", "-1"},
                                            {"retention.bytes", "-1"}};

/* Producer ids that found records have are never given to anybody. */
static sluice_status skip_producer_ids(topic_set *self, const topic *made,
                                       sluice_error *err)
{
    int64_t highest = -1;
    for (int32_t i = 0; i < made->partition_count; i++) {
        int64_t id = partition_producer_id_max(made->partitions[i]);
        highest = id > highest ? id : highest;
    }
    if (highest < self->producer_id_end) {
        return SLUICE_OK;
    }
    self->producer_id_next = self->producer_id_end = highest + 1;
    producer_ids_record record = {.broker_id = self->config->node_id,
                                  .broker_epoch = -1,
                                  .next_producer_id = highest + 1};
    metadata_log_add(self->log, RECORD_PRODUCER_IDS_RECORD, &record);
    return metadata_log_commit(self->log, err);
}

static sluice_status adopt(topic_set *self, const found_topic *found, sluice_error *err)
{
    topic *made = topic_make(self, found->name, strlen(found->name), &found->id,
                             found_configs, 2);
    made->config.log.foreign = true;
    if (log_creation(self, made, found->partition_count, err) != ERROR_NONE) {
        topic_unref(made);
        return SLUICE_FATAL;
    }
    sluice_status status =
        open_partitions(self, made, found->partition_count, GO_ON_OFFLINE, err);
    if (status == SLUICE_OK) {
        status = skip_producer_ids(self, made, err);
    }
    if (status != SLUICE_OK) {
        topic_unref(made);
        return status;
    }
    topic_set_publish(self, made);
    sluice_log(SLUICE_INFO, "broker.topic",
               "topic '%s' was found and is served now partitions=%" PRId32
               ": its records are kept for ever unless retention.ms or retention.bytes "
               "is set",
               made->name, made->partition_count);
    return SLUICE_OK;
}

static sluice_status adopt_found(topic_set *self, const map *removed, bool *ret_remains,
                                 sluice_error *err)
{
    found_context context = {self, removed, false};
    found_topics found;
    found_topics_scan(self->dirs, self->dir_count, ask_of_found, &context, &found);
    sluice_status status = SLUICE_OK;
    for (size_t i = 0; i < found.count && status == SLUICE_OK; i++) {
        const found_topic *one = &found.items[i];
        if (map_get(&self->by_name, one->name, strlen(one->name)) == NULL) {
            status = adopt(self, one, err);
        }
    }
    for (size_t i = 0; found.count > 0 && i < self->dir_count && status == SLUICE_OK;
         i++) {
        status = log_dir_checkpoint(self->dirs[i], err);
    }
    found_topics_done(&found);
    *ret_remains = context.remains;
    return status;
}

static sluice_status replay(topic_set *self, sluice_error *err)
{
    topic_images images;
    sluice_status status = topic_images_load(self->log, &images, err);
    topic_set_take_dynamic(self, &images);
    const map_entry *entry;
    for (size_t at = 0;
         status == SLUICE_OK && (entry = map_next(&images.by_id, &at)) != NULL;) {
        status = open_image(self, entry->value, err);
    }
    self->producer_id_next = self->producer_id_end = images.producer_id_next;
    bool remains = false;
    if (status == SLUICE_OK) {
        status = adopt_found(self, &images.removed, &remains, err);
    }
    if (status == SLUICE_OK) {
        status = shorten_log(self, remains, err);
    }
    topic_images_done(&images);
    return status;
}

/* ---- Life ------------------------------------------------------------------------ */

sluice_status topic_set_open(const broker_config *config, log_dir **dirs,
                             size_t dir_count, topic_set **ret_set, sluice_error *err)
{
    topic_set *self = memory_zero(sizeof *self);
    self->config = config;
    self->dirs = dirs;
    self->dir_count = dir_count;
    self->dir_loads = memory_zero(dir_count * sizeof *self->dir_loads);
    pthread_mutex_init(&self->change, NULL);
    pthread_rwlock_init(&self->lock, NULL);
    sluice_status status = metadata_log_open(dirs[0], &self->log, err);
    if (status == SLUICE_OK) {
        status = replay(self, err);
    }
    if (status != SLUICE_OK) {
        topic_set_close(self);
        return status;
    }
    *ret_set = self;
    return SLUICE_OK;
}

void topic_set_close(topic_set *self)
{
    if (self == NULL) {
        return;
    }
    const map_entry *entry;
    for (size_t at = 0; (entry = map_next(&self->by_name, &at)) != NULL;) {
        topic_unref(entry->value);
    }
    map_done(&self->by_name);
    map_done(&self->by_id);
    metadata_log_close(self->log);
    pthread_mutex_destroy(&self->change);
    pthread_rwlock_destroy(&self->lock);
    free(self->dir_loads);
    free(self);
}

void topic_set_on_delete(topic_set *self,
                         void (*deleted)(void *context, const topic *gone),
                         void *context)
{
    self->deleted = deleted;
    self->deleted_context = context;
}

/* ---- Changes --------------------------------------------------------------------- */

static void add_partition_record(topic_set *self, const message_uuid *id,
                                 int32_t number)
{
    partition_record record;
    partition_record_init(&record);
    int32_t node = self->config->node_id;
    record.partition_id = number;
    record.topic_id = *id;
    record.replicas.items = record.isr.items = &node;
    record.replicas.count = record.isr.count = 1;
    record.leader = node;
    record.leader_epoch = record.partition_epoch = 0;
    metadata_log_add(self->log, RECORD_PARTITION_RECORD, &record);
}

static message_uuid uuid_of(const topic *self)
{
    message_uuid id;
    memcpy(id.bytes, self->id.bytes, sizeof id.bytes);
    return id;
}

static int16_t log_removal(topic_set *self, const topic *gone, sluice_error *err)
{
    remove_topic_record record = {.topic_id = uuid_of(gone)};
    metadata_log_add(self->log, RECORD_REMOVE_TOPIC_RECORD, &record);
    return metadata_log_commit(self->log, err) == SLUICE_OK ? ERROR_NONE
                                                            : ERROR_KAFKA_STORAGE_ERROR;
}

static void add_creation(topic_set *self, const topic *made, int32_t count)
{
    topic_record record = {.name = {made->name, made->name_len},
                           .topic_id = uuid_of(made)};
    metadata_log_add(self->log, RECORD_TOPIC_RECORD, &record);
    for (size_t i = 0; i < made->config_count; i++) {
        topic_set_add_config(self, config_resource_topic, made->name,
                             made->configs[i].name, made->configs[i].value);
    }
    for (int32_t i = 0; i < count; i++) {
        add_partition_record(self, &record.topic_id, i);
    }
}

static int16_t log_creation(topic_set *self, const topic *made, int32_t count,
                            sluice_error *err)
{
    add_creation(self, made, count);
    return metadata_log_commit(self->log, err) == SLUICE_OK ? ERROR_NONE
                                                            : ERROR_KAFKA_STORAGE_ERROR;
}

/* ---- A shorter log --------------------------------------------------------------- */

/* A log of fewer records is left as it is. */
enum { records_worth_while = 1000 };

static bool all_online(const topic *self)
{
    for (int32_t i = 0; i < self->partition_count; i++) {
        partition_measures measures;
        partition_measure(self->partitions[i], &measures);
        if (measures.offline) {
            return false;
        }
    }
    return true;
}

static void add_broker_configs(topic_set *self, config_source layer,
                               const char *resource)
{
    size_t count;
    config_pair *pairs = dynamic_config_list(self->config->dynamic, layer, &count);
    for (size_t i = 0; i < count; i++) {
        topic_set_add_config(self, config_resource_broker, resource, pairs[i].name,
                             pairs[i].value);
    }
    config_pairs_free(pairs, count);
}

static void add_all(topic_set *self, topic *const *list, size_t count)
{
    char node[16];
    snprintf(node, sizeof node, "%" PRId32, self->config->node_id);
    for (size_t i = 0; i < count; i++) {
        add_creation(self, list[i], list[i]->partition_count);
    }
    add_broker_configs(self, CONFIG_SOURCE_ALL_NODES, "");
    add_broker_configs(self, CONFIG_SOURCE_NODE, node);
    producer_ids_record record = {.broker_id = self->config->node_id,
                                  .broker_epoch = -1,
                                  .next_producer_id = self->producer_id_end};
    metadata_log_add(self->log, RECORD_PRODUCER_IDS_RECORD, &record);
}

/* Writes the image in place of a log that is more than twice as long, so that neither
 * it nor the start grows with all that ever was. Left for another start while something
 * of a deleted topic lies about, or a disk is broken: only the log knows that it is not
 * to come back. */
static sluice_status shorten_log(topic_set *self, bool remains, sluice_error *err)
{
    size_t count, needed = 0;
    bool good = !remains;
    topic **list = topic_set_list(self, &count);
    for (size_t i = 0; i < count; i++) {
        needed += 1 + list[i]->config_count + (size_t)list[i]->partition_count;
        good = good && all_online(list[i]);
    }
    size_t before = metadata_log_record_count(self->log);
    sluice_status status = SLUICE_OK;
    if (good && before > records_worth_while && before > 2 * needed) {
        add_all(self, list, count);
        status = metadata_log_replace(self->log, err);
        sluice_log(SLUICE_INFO, "broker.topic",
                   "metadata log written anew records=%zu before=%zu",
                   metadata_log_record_count(self->log), before);
    }
    topic_list_free(list, count);
    return status;
}

static int16_t refuse(int16_t error_code, sluice_error *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int16_t refuse(int16_t error_code, sluice_error *err, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    sluice_vfail(err, SLUICE_BAD_CONFIG, format, arguments);
    va_end(arguments);
    return error_code;
}

static int16_t check_name(topic_set *self, const topic_creation *wanted,
                          sluice_error *err)
{
    if (topic_name_check(wanted->name, wanted->name_len, err) != SLUICE_OK) {
        return ERROR_INVALID_TOPIC_EXCEPTION;
    }
    const map_entry *entry;
    for (size_t at = 0; (entry = map_next(&self->by_name, &at)) != NULL;) {
        const topic *other = entry->value;
        if (topic_names_collide(wanted->name, wanted->name_len, other->name,
                                other->name_len)) {
            bool same = memcmp(wanted->name, other->name, other->name_len) == 0;
            return same ? refuse(ERROR_TOPIC_ALREADY_EXISTS, err,
                                 "Topic '%s' already exists.", other->name)
                        : refuse(ERROR_INVALID_TOPIC_EXCEPTION, err,
                                 "Topic '%.*s' collides with existing topic: %s",
                                 (int)wanted->name_len, wanted->name, other->name);
        }
    }
    return ERROR_NONE;
}

static int16_t check_creation(topic_set *self, const topic_creation *wanted,
                              int32_t count, sluice_error *err)
{
    int16_t code = check_name(self, wanted, err);
    if (code != ERROR_NONE) {
        return code;
    }
    if (!wanted->internal && wanted->name_len == strlen(METADATA_TOPIC) &&
        memcmp(wanted->name, METADATA_TOPIC, wanted->name_len) == 0) {
        return refuse(ERROR_INVALID_REQUEST, err,
                      "Creation of internal topic %s is prohibited.", METADATA_TOPIC);
    }
    if (count < 1) {
        return refuse(ERROR_INVALID_PARTITIONS, err,
                      "Number of partitions was set to an invalid non-positive value.");
    }
    if (count > topic_partitions_max) {
        return refuse(ERROR_INVALID_PARTITIONS, err,
                      "%" PRId32 " partitions were asked for: must be 1 to %d", count,
                      topic_partitions_max);
    }
    if (wanted->replication_factor < 1 && wanted->replication_factor != -1) {
        return refuse(ERROR_INVALID_REPLICATION_FACTOR, err,
                      "Replication factor must be larger than 0, or -1 to use the "
                      "default value.");
    }
    if (wanted->replication_factor != -1 && wanted->replication_factor != 1) {
        return refuse(
            ERROR_INVALID_REPLICATION_FACTOR, err,
            "replication factor %d was asked for: a Sluice broker is one node; "
            "for replicas, set bootstrap.servers to an Apache Kafka or "
            "Redpanda cluster",
            wanted->replication_factor);
    }
    return topic_configs_check(wanted->configs, wanted->config_count, err);
}

/* The topic is in the log; its partitions are not open yet. */
static int16_t finish_creation(topic_set *self, topic *made, int32_t count,
                               sluice_error *err)
{
    if (open_partitions(self, made, count, FAIL_WITH_IT, err) == SLUICE_OK) {
        return ERROR_NONE;
    }
    for (int32_t i = 0; i < made->partition_count; i++) {
        partition_delete(made->partitions[i]);
    }
    log_removal(self, made, NULL);
    return ERROR_KAFKA_STORAGE_ERROR;
}

static int16_t create(topic_set *self, const topic_creation *wanted, topic **ret_topic,
                      sluice_error *err)
{
    int32_t count = wanted->partition_count == -1 ? self->config->partition_count
                                                  : wanted->partition_count;
    int16_t code = check_creation(self, wanted, count, err);
    if (code != ERROR_NONE || wanted->validate_only) {
        return code;
    }
    uuid id = uuid_random();
    topic *made = topic_make(self, wanted->name, wanted->name_len, &id, wanted->configs,
                             wanted->config_count);
    code = log_creation(self, made, count, err);
    if (code == ERROR_NONE) {
        code = finish_creation(self, made, count, err);
    }
    if (code != ERROR_NONE) {
        topic_unref(made);
        return code;
    }
    *ret_topic = topic_ref(made);
    topic_set_publish(self, made);
    sluice_log(SLUICE_INFO, "broker.topic", "topic '%s' created partitions=%" PRId32,
               made->name, count);
    return ERROR_NONE;
}

int16_t topic_set_create(topic_set *self, const topic_creation *creation,
                         topic **ret_topic, sluice_error *err)
{
    topic *made = NULL;
    pthread_mutex_lock(&self->change);
    int16_t code = create(self, creation, &made, err);
    pthread_mutex_unlock(&self->change);
    if (ret_topic != NULL) {
        *ret_topic = made;
    } else {
        topic_unref(made);
    }
    return code;
}

int16_t topic_set_refuse_unknown(const char *name, size_t name_len, sluice_error *err)
{
    return refuse(ERROR_UNKNOWN_TOPIC_OR_PARTITION, err, "topic '%.*s' is not known",
                  (int)(name_len < 300 ? name_len : 300), name);
}

/* Under `change`. The reference is the caller's. */
static int16_t delete_logged(topic_set *self, const char *name, size_t name_len,
                             topic **ret_gone, sluice_error *err)
{
    topic *gone = topic_set_find(self, name, name_len);
    if (gone == NULL) {
        return topic_set_refuse_unknown(name, name_len, err);
    }
    int16_t code =
        gone->internal
            ? refuse(ERROR_INVALID_TOPIC_EXCEPTION, err,
                     "topic '%s' is the broker's own: it can't be deleted", gone->name)
            : log_removal(self, gone, err);
    if (code != ERROR_NONE) {
        topic_unref(gone);
        return code;
    }
    unpublish(self, gone);
    sluice_log(SLUICE_INFO, "broker.topic", "topic '%s' deleted", gone->name);
    *ret_gone = gone;
    return ERROR_NONE;
}

int16_t topic_set_delete(topic_set *self, const char *name, size_t name_len,
                         sluice_error *err)
{
    topic *gone = NULL;
    pthread_mutex_lock(&self->change);
    int16_t code = delete_logged(self, name, name_len, &gone, err);
    for (int32_t i = 0; gone != NULL && i < gone->partition_count; i++) {
        partition_delete(gone->partitions[i]);
    }
    pthread_mutex_unlock(&self->change);
    if (gone != NULL && self->deleted != NULL) {
        self->deleted(self->deleted_context, gone);
    }
    topic_unref(gone);
    return code;
}

static int16_t grow(topic_set *self, topic *old, int32_t count, bool validate_only,
                    sluice_error *err)
{
    if (count == old->partition_count) {
        return refuse(ERROR_INVALID_PARTITIONS, err,
                      "Topic already has %" PRId32 " partition(s).", count);
    }
    if (count < old->partition_count) {
        return refuse(ERROR_INVALID_PARTITIONS, err,
                      "The topic %s currently has %" PRId32 " partition(s); %" PRId32
                      " would not be an increase.",
                      old->name, old->partition_count, count);
    }
    if (count > topic_partitions_max) {
        return refuse(ERROR_INVALID_PARTITIONS, err,
                      "%" PRId32 " partitions were asked for: at most %d can be", count,
                      topic_partitions_max);
    }
    if (validate_only) {
        return ERROR_NONE;
    }
    message_uuid id = uuid_of(old);
    for (int32_t i = old->partition_count; i < count; i++) {
        add_partition_record(self, &id, i);
    }
    if (metadata_log_commit(self->log, err) != SLUICE_OK) {
        return ERROR_KAFKA_STORAGE_ERROR;
    }
    topic *made = topic_set_remake(self, old, old->configs, old->config_count);
    if (open_partitions(self, made, count, FAIL_WITH_IT, err) != SLUICE_OK) {
        topic_unref(made);
        return ERROR_KAFKA_STORAGE_ERROR;
    }
    topic_set_publish(self, made);
    return ERROR_NONE;
}

int16_t topic_set_grow(topic_set *self, const char *name, size_t name_len,
                       int32_t partition_count, bool validate_only, sluice_error *err)
{
    pthread_mutex_lock(&self->change);
    topic *old = topic_set_find(self, name, name_len);
    int16_t code = old == NULL ? topic_set_refuse_unknown(name, name_len, err)
                               : grow(self, old, partition_count, validate_only, err);
    pthread_mutex_unlock(&self->change);
    topic_unref(old);
    return code;
}

int64_t topic_set_producer_id(topic_set *self)
{
    pthread_mutex_lock(&self->change);
    if (self->producer_id_next == self->producer_id_end) {
        producer_ids_record record = {.broker_id = self->config->node_id,
                                      .broker_epoch = -1,
                                      .next_producer_id =
                                          self->producer_id_end + producer_ids_at_once};
        metadata_log_add(self->log, RECORD_PRODUCER_IDS_RECORD, &record);
        if (metadata_log_commit(self->log, NULL) != SLUICE_OK) {
            pthread_mutex_unlock(&self->change);
            return -1;
        }
        self->producer_id_end += producer_ids_at_once;
    }
    int64_t id = self->producer_id_next++;
    pthread_mutex_unlock(&self->change);
    return id;
}

int64_t topic_set_metadata_end(topic_set *self, int32_t *ret_leader_epoch)
{
    return metadata_log_end(self->log, ret_leader_epoch);
}
