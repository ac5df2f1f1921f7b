/* Topics are listed and described. */
#include "admin_configs.h"
#include "admin_offsets.h"
#include "base/text.h"
#include "base/uuid.h"
#include "topics.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static int compare_texts(message_text one, message_text other)
{
    size_t least = one.len < other.len ? one.len : other.len;
    int order = least == 0 ? 0 : memcmp(one.base, other.base, least);
    return order != 0 ? order : (one.len > other.len) - (one.len < other.len);
}

static int compare_topics(const void *one, const void *other)
{
    return compare_texts((*(metadata_response_topic *const *)one)->name,
                         (*(metadata_response_topic *const *)other)->name);
}

static int compare_partitions(const void *one, const void *other)
{
    const metadata_response_partition *a = one, *b = other;
    return (a->partition_index > b->partition_index) -
           (a->partition_index < b->partition_index);
}

static bool has_id(const metadata_response_topic *topic, const char *wanted)
{
    uuid id;
    return uuid_parse(wanted, strlen(wanted), &id) &&
           memcmp(id.bytes, topic->topic_id.bytes, sizeof id.bytes) == 0;
}

static bool is_wanted(topics_work *self, const metadata_response_topic *topic)
{
    const topics_options *given = self->options;
    if (given->exclude_internal && topic->is_internal) {
        return false;
    }
    if (given->topic_id != NULL) {
        return has_id(topic, given->topic_id);
    }
    return topic_filter_has(&self->filter, admin_text(self->client, topic->name));
}

sluice_status topics_wanted(topics_work *self,
                            const metadata_response_topic ***ret_topics,
                            size_t *ret_count, sluice_error *err)
{
    const metadata_response *metadata = NULL;
    sluice_status status = admin_metadata(self->client, true, &metadata, err);
    if (status != SLUICE_OK) {
        return status;
    }
    const metadata_response_topic **topics = sluice_arena_take(
        admin_arena(self->client), (metadata->topics.count + 1) * sizeof *topics);
    size_t count = 0;
    for (size_t i = 0; i < metadata->topics.count; i++) {
        if (is_wanted(self, &metadata->topics.items[i])) {
            const metadata_response_topic *topic = &metadata->topics.items[i];
            if (topic->partitions.count > 0) {
                qsort(topic->partitions.items, topic->partitions.count,
                      sizeof *topic->partitions.items, compare_partitions);
            }
            topics[count++] = topic;
        }
    }
    qsort(topics, count, sizeof *topics, compare_topics);
    *ret_topics = topics;
    *ret_count = count;
    return SLUICE_OK;
}

sluice_status topics_missing(const topics_work *self, sluice_error *err)
{
    if (self->options->topic_id != NULL) {
        return sluice_fail(err, SLUICE_FATAL, "TopicId '%s' does not exist as expected",
                           self->options->topic_id);
    }
    const char *name = self->options->topic != NULL    ? self->options->topic
                       : self->filter.names->count > 0 ? self->filter.names->items[0]
                                                       : "";
    return sluice_fail(err, SLUICE_FATAL, "Topic '%s' does not exist as expected",
                       name);
}

/* The first and the last offset of a topic's partitions. */
static sluice_status find_offsets(topics_work *self,
                                  const metadata_response_topic *topic,
                                  partition_offset **ret_first,
                                  partition_offset **ret_last, sluice_error *err)
{
    size_t count = partition_offsets_of(self->client, topic, ret_first);
    partition_offsets_of(self->client, topic, ret_last);
    sluice_status status =
        admin_list_offsets(self->client, OFFSET_EARLIEST, *ret_first, count, err);
    return status == SLUICE_OK
               ? admin_list_offsets(self->client, OFFSET_LATEST, *ret_last, count, err)
               : status;
}

static sluice_status list_one(topics_work *self, const metadata_response_topic *topic,
                              json_t *all, sluice_error *err)
{
    const char *name = admin_text(self->client, topic->name);
    bool offsets = self->options->offsets;
    json_t *partitions = json_array();
    partition_offset *first = NULL, *last = NULL;
    sluice_status status =
        offsets ? find_offsets(self, topic, &first, &last, err) : SLUICE_OK;
    if (!self->options->json) {
        printf("%s\n", name);
    }
    for (size_t i = 0; status == SLUICE_OK && i < topic->partitions.count; i++) {
        const metadata_response_partition *partition = &topic->partitions.items[i];
        if (self->options->json) {
            json_t *object =
                json_pack("{s:i,s:i}", "partition",
                          offsets ? first[i].partition : partition->partition_index,
                          "leader", partition->leader_id);
            if (offsets) {
                json_object_set_new(object, "earliest", json_integer(first[i].offset));
                json_object_set_new(object, "latest", json_integer(last[i].offset));
            }
            json_array_append_new(partitions, object);
        } else if (offsets) {
            printf("  partition %d: %lld to %lld\n", first[i].partition,
                   (long long)first[i].offset, (long long)last[i].offset);
        }
    }
    json_array_append_new(
        all, json_pack("{s:s,s:o}", "name", name, "partitions", partitions));
    return status;
}

static void print_json(json_t *all)
{
    json_dumpf(all, stdout, JSON_COMPACT);
    printf("\n");
}

sluice_status topics_list(topics_work *self, sluice_error *err)
{
    const metadata_response_topic **topics;
    size_t count;
    sluice_status status = topics_wanted(self, &topics, &count, err);
    json_t *all = json_array();
    for (size_t i = 0; status == SLUICE_OK && i < count; i++) {
        status = list_one(self, topics[i], all, err);
    }
    if (status == SLUICE_OK && self->options->json) {
        print_json(all);
    } else if (status == SLUICE_OK && count == 0 && self->options->kafkas) {
        printf("\n"); /* As Kafka's tool does. */
    }
    json_decref(all);
    return status;
}

typedef describe_topic_partitions_response_partition elr_partition;

/* What is known of a topic that is described. */
typedef struct description {
    const metadata_response_topic *topic;
    const char *name;
    config_entries configs;
    const metadata_response *metadata;
    const elr_partition *elr; /* NULL: the broker can't tell. */
    size_t elr_count;
    int64_t min_isr;
} description;

static void print_ids(const char *label, const int32_t *ids, size_t count)
{
    printf("\t%s: ", label);
    for (size_t i = 0; i < count; i++) {
        printf("%s%d", i > 0 ? "," : "", ids[i]);
    }
}

static bool is_live(const metadata_response *metadata, int32_t id)
{
    for (size_t i = 0; i < metadata->brokers.count; i++) {
        if (metadata->brokers.items[i].node_id == id) {
            return true;
        }
    }
    return false;
}

static bool selects(const topics_options *given)
{
    return given->unavailable || given->under_replicated || given->under_min_isr ||
           given->at_min_isr;
}

static bool is_selected(const topics_options *given, const description *described,
                        const metadata_response_partition *partition)
{
    int64_t isr = (int64_t)partition->isr_nodes.count;
    bool led =
        partition->leader_id >= 0 && is_live(described->metadata, partition->leader_id);
    return !selects(given) ||
           (given->under_replicated &&
            partition->isr_nodes.count < partition->replica_nodes.count) ||
           (given->unavailable && !led) ||
           (given->under_min_isr && isr < described->min_isr) ||
           (given->at_min_isr && isr == described->min_isr);
}

static void print_elr(const description *described, int32_t partition)
{
    for (size_t i = 0; i < described->elr_count; i++) {
        const elr_partition *at = &described->elr[i];
        if (at->partition_index == partition) {
            print_ids("Elr", at->eligible_leader_replicas.items,
                      at->eligible_leader_replicas.count);
            print_ids("LastKnownElr", at->last_known_elr.items,
                      at->last_known_elr.count);
            return;
        }
    }
    printf("\tElr: N/A\tLastKnownElr: N/A");
}

static void print_partition(const description *described,
                            const metadata_response_partition *partition)
{
    printf("\tTopic: %s\tPartition: %d", described->name, partition->partition_index);
    if (partition->leader_id < 0) {
        printf("\tLeader: none");
    } else {
        printf("\tLeader: %d", partition->leader_id);
    }
    print_ids("Replicas", partition->replica_nodes.items,
              partition->replica_nodes.count);
    print_ids("Isr", partition->isr_nodes.items, partition->isr_nodes.count);
    print_elr(described, partition->partition_index);
    printf("\n");
}

static bool is_set(const config_entry *entry)
{
    return entry->config_source != CONFIG_FROM_DEFAULT && entry->value.base != NULL;
}

static bool has_overrides(const description *described)
{
    for (size_t i = 0; i < described->configs.count; i++) {
        if (is_set(&described->configs.items[i])) {
            return true;
        }
    }
    return false;
}

static void print_topic(description *described)
{
    char id[UUID_TEXT_SIZE];
    uuid bytes;
    const metadata_response_topic *topic = described->topic;
    memcpy(bytes.bytes, topic->topic_id.bytes, sizeof bytes.bytes);
    uuid_print(&bytes, id);
    printf("Topic: %s\tTopicId: %s\tPartitionCount: %zu\tReplicationFactor: %zu"
           "\tConfigs: ",
           described->name, id, topic->partitions.count,
           topic->partitions.count > 0 ? topic->partitions.items[0].replica_nodes.count
                                       : 0);
    const char *before = "";
    config_entries_scatter(&described->configs);
    for (size_t i = 0; i < described->configs.count; i++) {
        const config_entry *entry = &described->configs.items[i];
        if (is_set(entry)) {
            printf("%s%.*s=%.*s", before, (int)entry->name.len, entry->name.base,
                   (int)entry->value.len, entry->value.base);
            before = ",";
        }
    }
    printf("\n");
}

static json_t *ids_json(const int32_t *ids, size_t count)
{
    json_t *all = json_array();
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(all, json_integer(ids[i]));
    }
    return all;
}

static json_t *topic_json(topics_work *self, const description *described)
{
    const metadata_response_topic *topic = described->topic;
    char id[UUID_TEXT_SIZE];
    uuid bytes;
    memcpy(bytes.bytes, topic->topic_id.bytes, sizeof bytes.bytes);
    uuid_print(&bytes, id);
    json_t *partitions = json_array();
    for (size_t i = 0; i < topic->partitions.count; i++) {
        const metadata_response_partition *at = &topic->partitions.items[i];
        json_array_append_new(
            partitions,
            json_pack("{s:i,s:i,s:o,s:o}", "partition", at->partition_index, "leader",
                      at->leader_id, "replicas",
                      ids_json(at->replica_nodes.items, at->replica_nodes.count), "isr",
                      ids_json(at->isr_nodes.items, at->isr_nodes.count)));
    }
    json_t *configs = json_object();
    for (size_t i = 0; i < described->configs.count; i++) {
        const config_entry *entry = &described->configs.items[i];
        if (is_set(entry)) {
            json_object_set_new(configs, admin_text(self->client, entry->name),
                                json_stringn(entry->value.base, entry->value.len));
        }
    }
    return json_pack("{s:s,s:s,s:o,s:o}", "name", described->name, "id", id,
                     "partitions", partitions, "configs", configs);
}

static void show(topics_work *self, description *described)
{
    const topics_options *given = self->options;
    if (!selects(given) && (!given->overrides || has_overrides(described))) {
        print_topic(described);
    }
    for (size_t i = 0; !given->overrides && i < described->topic->partitions.count;
         i++) {
        const metadata_response_partition *partition =
            &described->topic->partitions.items[i];
        if (is_selected(given, described, partition)) {
            print_partition(described, partition);
        }
    }
}

/* Asks for the eligible leader replicas of a topic, answer by answer. */
static sluice_status find_elr(topics_work *self, description *described,
                              sluice_error *err)
{
    size_t room = described->topic->partitions.count;
    elr_partition *all =
        sluice_arena_take(admin_arena(self->client), (room + 1) * sizeof *all);
    describe_topic_partitions_request_topic topic = {.name = described->topic->name};
    describe_topic_partitions_request_cursor cursor;
    describe_topic_partitions_request request;
    describe_topic_partitions_request_init(&request);
    request.topics.items = &topic;
    request.topics.count = 1;
    request.response_partition_limit = (int32_t)self->options->response_partitions_max;
    for (;;) {
        describe_topic_partitions_response response;
        sluice_status status =
            admin_call(self->client, ADMIN_ANY, API_DESCRIBE_TOPIC_PARTITIONS, &request,
                       &response, err);
        if (status != SLUICE_OK) {
            return status;
        }
        size_t before = described->elr_count;
        for (size_t i = 0; response.topics.count > 0 &&
                           i < response.topics.items[0].partitions.count &&
                           described->elr_count < room;
             i++) {
            all[described->elr_count++] = response.topics.items[0].partitions.items[i];
        }
        described->elr = all;
        if (response.next_cursor.items == NULL || described->elr_count == before) {
            return SLUICE_OK;
        }
        cursor.topic_name = response.next_cursor.items->topic_name;
        cursor.partition_index = response.next_cursor.items->partition_index;
        request.cursor.items = &cursor;
        request.cursor.count = 1;
    }
}

static sluice_status describe_one(topics_work *self, description *described,
                                  json_t *all, sluice_error *err)
{
    described->min_isr = 1;
    for (size_t i = 0; i < described->configs.count; i++) {
        const config_entry *entry = &described->configs.items[i];
        if (message_text_is(entry->name, "min.insync.replicas")) {
            text_to_int64_of(entry->value.base, entry->value.len, &described->min_isr);
        }
    }
    sluice_status status = SLUICE_OK;
    if (admin_version(self->client, ADMIN_ANY, API_DESCRIBE_TOPIC_PARTITIONS) >= 0) {
        status = find_elr(self, described, err);
    }
    if (status == SLUICE_OK && self->options->json) {
        json_array_append_new(all, topic_json(self, described));
    } else if (status == SLUICE_OK) {
        show(self, described);
    }
    return status;
}

static sluice_status describe_all(topics_work *self,
                                  const metadata_response_topic **topics, size_t count,
                                  sluice_error *err)
{
    sluice_arena *arena = admin_arena(self->client);
    const char **names = sluice_arena_take(arena, (count + 1) * sizeof *names);
    config_entries *configs = sluice_arena_take(arena, (count + 1) * sizeof *configs);
    const metadata_response *metadata = NULL;
    for (size_t i = 0; i < count; i++) {
        names[i] = admin_text(self->client, topics[i]->name);
    }
    sluice_status status = admin_metadata(self->client, false, &metadata, err);
    if (status == SLUICE_OK) {
        status = admin_describe_topic_configs(self->client, names, count, configs, err);
    }
    json_t *all = json_array();
    for (size_t i = 0; status == SLUICE_OK && i < count; i++) {
        description described = {.topic = topics[i],
                                 .name = names[i],
                                 .configs = configs[i],
                                 .metadata = metadata};
        status = describe_one(self, &described, all, err);
    }
    if (status == SLUICE_OK && self->options->json) {
        print_json(all);
    }
    json_decref(all);
    return status;
}

sluice_status topics_describe(topics_work *self, sluice_error *err)
{
    const metadata_response_topic **topics;
    size_t count;
    uuid id;
    const topics_options *given = self->options;
    if (given->topic_id != NULL &&
        !uuid_parse(given->topic_id, strlen(given->topic_id), &id)) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "'%s' is no topic id: an id has 22 characters",
                           given->topic_id);
    }
    sluice_status status = topics_wanted(self, &topics, &count, err);
    if (status != SLUICE_OK) {
        return status;
    }
    bool named = given->topic != NULL || given->topic_id != NULL ||
                 self->filter.names->count > 0;
    if (count == 0 && !given->json) {
        return named && !given->if_exists ? topics_missing(self, err) : SLUICE_OK;
    }
    return describe_all(self, topics, count, err);
}
