/* Topics are created, get more partitions, and are deleted. */
#include "base/text.h"
#include "topics.h"
#include <stdlib.h>
#include <string.h>

/* The partitions that --replica-assignment spells out: "1:2,2:1" are two, each with two
 * replicas. */
typedef struct assignment {
    struct {
        int32_t *items;
        size_t count;
    } * partitions;
    size_t count;
} assignment;

static sluice_status read_brokers(admin *client, char *text, size_t partition,
                                  assignment *out, sluice_error *err)
{
    size_t room = 1;
    for (const char *at = text; *at != '\0'; at++) {
        room += *at == ':';
    }
    int32_t *ids = sluice_arena_take(admin_arena(client), room * sizeof *ids);
    size_t count = 0;
    for (char *end = text; end != NULL; text = end + 1) {
        end = strchr(text, ':');
        if (end != NULL) {
            *end = '\0';
        }
        if (!text_to_int32(text, &ids[count])) {
            return sluice_fail(err, SLUICE_BAD_CONFIG, "For input string: \"%s\"",
                               text);
        }
        for (size_t i = 0; i < count; i++) {
            if (ids[i] == ids[count]) {
                return sluice_fail(err, SLUICE_BAD_CONFIG,
                                   "Partition replica lists may not contain duplicate "
                                   "entries: %d",
                                   ids[i]);
            }
        }
        count++;
        if (end == NULL) {
            break;
        }
    }
    out->partitions[partition].items = ids;
    out->partitions[partition].count = count;
    return SLUICE_OK;
}

static sluice_status read_assignment(admin *client, const char *text,
                                     assignment *ret_assignment, sluice_error *err)
{
    sluice_status status = SLUICE_OK;
    assignment out = {0};
    char **parts = text_split(text, &out.count);
    out.partitions = sluice_arena_take(admin_arena(client),
                                       (out.count + 1) * sizeof *out.partitions);
    for (size_t i = 0; i < out.count && status == SLUICE_OK; i++) {
        status = read_brokers(client, parts[i], i, &out, err);
        if (status == SLUICE_OK && out.partitions[i].count != out.partitions[0].count) {
            status = sluice_fail(err, SLUICE_BAD_CONFIG,
                                 "Partition %zu has different replication factor: %zu",
                                 i, out.partitions[i].count);
        }
    }
    free(parts);
    *ret_assignment = out;
    return status;
}

static sluice_status put_configs(topics_work *self, create_topics_request_topic *topic,
                                 sluice_error *err)
{
    const cli_texts *given = &self->options->config;
    topic->configs.items = sluice_arena_take(
        admin_arena(self->client), (given->count + 1) * sizeof *topic->configs.items);
    for (size_t i = 0; i < given->count; i++) {
        const char *pair = given->items[i];
        const char *equals = strchr(pair, '=');
        if (equals == NULL || equals == pair) {
            return sluice_fail(err, SLUICE_BAD_CONFIG,
                               self->options->kafkas
                                   ? "requirement failed: Invalid topic config: all "
                                     "configs to be added must be in the format "
                                     "\"key=val\"."
                                   : "--config is '%s': must be key=value",
                               pair);
        }
        size_t len = 0;
        char *key =
            sluice_arena_copy(admin_arena(self->client), pair, (size_t)(equals - pair));
        char *trimmed = (char *)text_trim(key, &len);
        trimmed[len] = '\0';
        const char *value = text_trim(equals + 1, &len);
        topic->configs.items[topic->configs.count++] = (create_topics_request_config){
            .name = message_text_of(trimmed), .value = {value, len}};
    }
    return SLUICE_OK;
}

static sluice_status check_numbers(const topics_options *given, sluice_error *err)
{
    if (given->partitions != INT64_MIN &&
        (given->partitions < 1 || given->partitions > INT32_MAX)) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "The partitions must be greater than 0");
    }
    if (given->replication_factor != INT64_MIN &&
        (given->replication_factor < 1 || given->replication_factor > INT16_MAX)) {
        return sluice_fail(
            err, SLUICE_BAD_CONFIG,
            "The replication factor must be between 1 and 32767 inclusive");
    }
    return SLUICE_OK;
}

static sluice_status fill_topic(topics_work *self, create_topics_request_topic *topic,
                                sluice_error *err)
{
    const topics_options *given = self->options;
    assignment spelt = {0};
    sluice_status status = check_numbers(given, err);
    topic->num_partitions =
        given->partitions == INT64_MIN ? -1 : (int32_t)given->partitions;
    topic->replication_factor = given->replication_factor == INT64_MIN
                                    ? -1
                                    : (int16_t)given->replication_factor;
    if (status == SLUICE_OK && given->replica_assignment != NULL) {
        status = read_assignment(self->client, given->replica_assignment, &spelt, err);
    }
    if (status == SLUICE_OK && spelt.count > 0) {
        topic->assignments.count = spelt.count;
        topic->assignments.items = sluice_arena_take(
            admin_arena(self->client), spelt.count * sizeof *topic->assignments.items);
        for (size_t i = 0; i < spelt.count; i++) {
            topic->assignments.items[i].partition_index = (int32_t)i;
            topic->assignments.items[i].broker_ids.items = spelt.partitions[i].items;
            topic->assignments.items[i].broker_ids.count = spelt.partitions[i].count;
        }
    }
    return status == SLUICE_OK ? put_configs(self, topic, err) : status;
}

static void warn_of_collisions(const char *name)
{
    if (strpbrk(name, "._") != NULL) {
        printf("WARNING: Due to limitations in metric names, topics with a period "
               "('.') or underscore ('_') could collide. To avoid issues it is best "
               "to use either, but not both.\n");
    }
}

static sluice_status create_one(topics_work *self, const char *name, sluice_error *err)
{
    create_topics_request_topic topic = {.name = message_text_of(name)};
    if (self->options->kafkas) {
        warn_of_collisions(name);
    }
    sluice_status status = fill_topic(self, &topic, err);
    if (status != SLUICE_OK) {
        return status;
    }
    create_topics_request request;
    create_topics_response response;
    create_topics_request_init(&request);
    request.topics.items = &topic;
    request.topics.count = 1;
    request.timeout_ms = admin_timeout_ms(self->client);
    status = admin_call(self->client, ADMIN_CONTROLLER, API_CREATE_TOPICS, &request,
                        &response, err);
    if (status != SLUICE_OK || response.topics.count == 0) {
        return status;
    }
    int16_t code = response.topics.items[0].error_code;
    if (code == ERROR_NONE) {
        printf("Created topic %s.\n", name);
    } else if (code != ERROR_TOPIC_ALREADY_EXISTS || !self->options->if_not_exists) {
        self->refused = code;
        return admin_refused(err, code, response.topics.items[0].error_message);
    }
    return SLUICE_OK;
}

sluice_status topics_create(topics_work *self, sluice_error *err)
{
    if (self->options->topic != NULL) {
        return create_one(self, self->options->topic, err);
    }
    sluice_status status = SLUICE_OK;
    for (size_t i = 0; i < self->filter.names->count && status == SLUICE_OK; i++) {
        status = create_one(self, self->filter.names->items[i], err);
    }
    return status;
}

/* The partitions that are new, of those spelt out. */
static void put_new_partitions(admin *client, const assignment *spelt, size_t old,
                               create_partitions_request_topic *topic)
{
    size_t count = spelt->count > old ? spelt->count - old : 0;
    topic->assignments.items = sluice_arena_take(
        admin_arena(client), (count + 1) * sizeof *topic->assignments.items);
    topic->assignments.count = count;
    for (size_t i = 0; i < count; i++) {
        topic->assignments.items[i].broker_ids.items = spelt->partitions[old + i].items;
        topic->assignments.items[i].broker_ids.count = spelt->partitions[old + i].count;
    }
}

static sluice_status grow(topics_work *self, const metadata_response_topic *topic,
                          sluice_error *err)
{
    create_partitions_request_topic asked = {
        .name = topic->name, .count = (int32_t)self->options->partitions};
    if (self->options->replica_assignment != NULL) {
        assignment spelt;
        sluice_status status = read_assignment(
            self->client, self->options->replica_assignment, &spelt, err);
        if (status != SLUICE_OK) {
            return status;
        }
        put_new_partitions(self->client, &spelt, topic->partitions.count, &asked);
    }
    create_partitions_request request;
    create_partitions_response response;
    create_partitions_request_init(&request);
    request.topics.items = &asked;
    request.topics.count = 1;
    request.timeout_ms = admin_timeout_ms(self->client);
    sluice_status status = admin_call(self->client, ADMIN_CONTROLLER,
                                      API_CREATE_PARTITIONS, &request, &response, err);
    if (status == SLUICE_OK && response.results.count > 0 &&
        response.results.items[0].error_code != ERROR_NONE) {
        self->refused = response.results.items[0].error_code;
        status =
            admin_refused(err, self->refused, response.results.items[0].error_message);
    }
    return status;
}

sluice_status topics_alter(topics_work *self, sluice_error *err)
{
    const metadata_response_topic **topics;
    size_t count;
    sluice_status status = topics_wanted(self, &topics, &count, err);
    if (status == SLUICE_OK && count == 0 && !self->options->if_exists) {
        status = topics_missing(self, err);
    }
    if (status == SLUICE_OK) {
        status = check_numbers(self->options, err);
    }
    for (size_t i = 0; status == SLUICE_OK && i < count; i++) {
        status = grow(self, topics[i], err);
    }
    return status;
}

static sluice_status delete_one(topics_work *self, message_text name, sluice_error *err)
{
    delete_topics_request_topic topic = {.name = name};
    delete_topics_request request;
    delete_topics_response response;
    delete_topics_request_init(&request);
    request.topics.items = &topic;
    request.topics.count = 1;
    request.topic_names.items = &name;
    request.topic_names.count = 1;
    request.timeout_ms = admin_timeout_ms(self->client);
    sluice_status status = admin_call(self->client, ADMIN_CONTROLLER, API_DELETE_TOPICS,
                                      &request, &response, err);
    if (status == SLUICE_OK && response.responses.count > 0 &&
        response.responses.items[0].error_code != ERROR_NONE) {
        self->refused = response.responses.items[0].error_code;
        status = admin_refused(err, self->refused,
                               response.responses.items[0].error_message);
    }
    return status;
}

/* By pattern all that match; by name the named, and no wildcards: they are gone. */
sluice_status topics_delete(topics_work *self, sluice_error *err)
{
    const metadata_response_topic **topics;
    size_t count = 0;
    sluice_status status = SLUICE_OK;
    if (self->options->topic != NULL) {
        status = topics_wanted(self, &topics, &count, err);
        if (status == SLUICE_OK && count == 0 && !self->options->if_exists) {
            status = topics_missing(self, err);
        }
        for (size_t i = 0; status == SLUICE_OK && i < count; i++) {
            status = delete_one(self, topics[i]->name, err);
        }
        return status;
    }
    for (size_t i = 0; status == SLUICE_OK && i < self->filter.names->count; i++) {
        status = delete_one(self, message_text_of(self->filter.names->items[i]), err);
        if (self->refused == ERROR_UNKNOWN_TOPIC_OR_PARTITION) {
            status = self->options->if_exists
                         ? SLUICE_OK
                         : sluice_fail(err, SLUICE_FATAL, "topic '%s' is not there",
                                       self->filter.names->items[i]);
        }
    }
    return status;
}
