/* Groups, their members and their offsets, asked of brokers. */
#include "base/memory.h"
#include "base/text.h"
#include "groups.h"
#include "protocol/wire.h"
#include <stdlib.h>
#include <string.h>

const char *groups_text(groups_work *self, const char *base, size_t len)
{
    return sluice_arena_copy(admin_arena(self->client), base, len);
}

static void *take(groups_work *self, size_t count, size_t size)
{
    return sluice_arena_take(admin_arena(self->client), (count + 1) * size);
}

static int compare_lines(const void *one, const void *other)
{
    return strcmp(((const group_line *)one)->id, ((const group_line *)other)->id);
}

static int compare_offsets(const void *one, const void *other)
{
    const group_offset *a = one, *b = other;
    int order = strcmp(a->topic, b->topic);
    return order != 0 ? order
                      : (a->partition > b->partition) - (a->partition < b->partition);
}

void groups_sort(group_offsets *offsets)
{
    if (offsets->count > 0) {
        qsort(offsets->items, offsets->count, sizeof *offsets->items, compare_offsets);
    }
}

/* The groups of one broker, behind the `*count` others. */
static sluice_status list_of(groups_work *self, int32_t node, group_line **groups,
                             size_t *count, sluice_error *err)
{
    list_groups_request request;
    list_groups_response response;
    list_groups_request_init(&request);
    sluice_status status =
        admin_call(self->client, node, API_LIST_GROUPS, &request, &response, err);
    if (status != SLUICE_OK) {
        return status;
    }
    if (response.error_code != ERROR_NONE) {
        return admin_refused(err, response.error_code, (message_text){0});
    }
    group_line *all = take(self, *count + response.groups.count, sizeof *all);
    memcpy(all, *groups, *count * sizeof *all);
    for (size_t i = 0; i < response.groups.count; i++) {
        const list_groups_response_group *group = &response.groups.items[i];
        if (group->protocol_type.len > 0 &&
            !message_text_is(group->protocol_type, "consumer")) {
            continue;
        }
        const char *state = admin_text(self->client, group->group_state);
        const char *type = admin_text(self->client, group->group_type);
        all[(*count)++] =
            (group_line){admin_text(self->client, group->group_id), state,
                         type[0] == '\0'                       ? "Classic"
                         : text_equal_nocase(type, "classic")  ? "Classic"
                         : text_equal_nocase(type, "consumer") ? "Consumer"
                                                               : type};
    }
    *groups = all;
    return SLUICE_OK;
}

sluice_status groups_all(groups_work *self, group_line **ret_groups, size_t *ret_count,
                         sluice_error *err)
{
    group_line *groups = take(self, 0, sizeof *groups);
    size_t count = 0;
    sluice_status status = SLUICE_OK;
    for (size_t i = 0; i < self->metadata->brokers.count && status == SLUICE_OK; i++) {
        status = list_of(self, self->metadata->brokers.items[i].node_id, &groups,
                         &count, err);
    }
    qsort(groups, count, sizeof *groups, compare_lines);
    *ret_groups = groups;
    *ret_count = count;
    return status;
}

sluice_status groups_chosen(groups_work *self, cli_texts *ret_ids, sluice_error *err)
{
    *ret_ids = self->given->group;
    if (!self->given->all_groups) {
        return SLUICE_OK;
    }
    group_line *groups;
    size_t count;
    sluice_status status = groups_all(self, &groups, &count, err);
    if (status == SLUICE_OK) {
        ret_ids->items = take(self, count, sizeof *ret_ids->items);
        ret_ids->count = count;
        for (size_t i = 0; i < count; i++) {
            ret_ids->items[i] = groups[i].id;
        }
    }
    return status;
}

/* What a member of a group of consumers was assigned; nothing where it says nothing
 * that can be read. */
static void read_assignment(groups_work *self, sluice_bytes bytes,
                            group_offsets *ret_assigned)
{
    const message_schema *schema = &consumer_protocol_assignment_schema;
    consumer_protocol_assignment value;
    *ret_assigned = (group_offsets){0};
    if (bytes.len < 2) {
        return;
    }
    int16_t version = (int16_t)wire_get_16(bytes.base);
    int known = version < 0                     ? 0
                : version > schema->version_max ? schema->version_max
                                                : version;
    if (message_decode(schema, known, (const uint8_t *)bytes.base + 2, bytes.len - 2,
                       admin_arena(self->client), &value, NULL) != SLUICE_OK) {
        return;
    }
    size_t count = 0;
    for (size_t i = 0; i < value.assigned_partitions.count; i++) {
        count += value.assigned_partitions.items[i].partitions.count;
    }
    ret_assigned->items = take(self, count, sizeof *ret_assigned->items);
    for (size_t i = 0; i < value.assigned_partitions.count; i++) {
        const consumer_protocol_assignment_assigned_partition *topic =
            &value.assigned_partitions.items[i];
        const char *name = admin_text(self->client, topic->topic);
        for (size_t k = 0; k < topic->partitions.count; k++) {
            ret_assigned->items[ret_assigned->count++] =
                (group_offset){name, topic->partitions.items[k], -1, -1};
        }
    }
    groups_sort(ret_assigned);
}

static void read_members(groups_work *self, const describe_groups_response_group *group,
                         group_view *ret_group)
{
    ret_group->member_count = group->members.count;
    ret_group->members = take(self, group->members.count, sizeof *ret_group->members);
    for (size_t i = 0; i < group->members.count; i++) {
        const describe_groups_response_member *member = &group->members.items[i];
        group_member *view = &ret_group->members[i];
        view->id = admin_text(self->client, member->member_id);
        view->instance_id = admin_text(self->client, member->group_instance_id);
        view->client_id = admin_text(self->client, member->client_id);
        view->host = admin_text(self->client, member->client_host);
        read_assignment(self, member->member_assignment, &view->assigned);
    }
}

/* A group that DescribeGroups does not know may be one of the newer protocol. */
static sluice_status read_listed(groups_work *self, group_view *group, bool *ret_there,
                                 sluice_error *err)
{
    group_line *groups;
    size_t count;
    sluice_status status = groups_all(self, &groups, &count, err);
    *ret_there = false;
    for (size_t i = 0; i < count && status == SLUICE_OK; i++) {
        if (strcmp(groups[i].id, group->id) == 0) {
            group->state = groups[i].state;
            *ret_there = true;
        }
    }
    return status;
}

sluice_status group_read(groups_work *self, const char *id, group_view *ret_group,
                         bool *ret_there, sluice_error *err)
{
    *ret_group = (group_view){.id = id, .state = "Dead", .strategy = ""};
    *ret_there = false;
    sluice_status status =
        admin_group_coordinator(self->client, id, &ret_group->coordinator, err);
    if (status != SLUICE_OK) {
        return status;
    }
    message_text name = message_text_of(id);
    describe_groups_request request;
    describe_groups_response response;
    describe_groups_request_init(&request);
    request.groups.items = &name;
    request.groups.count = 1;
    status = admin_call(self->client, ret_group->coordinator, API_DESCRIBE_GROUPS,
                        &request, &response, err);
    if (status != SLUICE_OK) {
        return status;
    }
    const describe_groups_response_group *group = response.groups.items;
    if (response.groups.count != 1) {
        return sluice_fail(err, SLUICE_FATAL,
                           "the broker described %zu groups instead of 1",
                           response.groups.count);
    }
    if (group->error_code != ERROR_NONE &&
        group->error_code != ERROR_GROUP_ID_NOT_FOUND) {
        return admin_refused(err, group->error_code, group->error_message);
    }
    if (group->error_code != ERROR_NONE ||
        message_text_is(group->group_state, "Dead")) {
        return read_listed(self, ret_group, ret_there, err);
    }
    *ret_there = true;
    ret_group->state = admin_text(self->client, group->group_state);
    ret_group->strategy = admin_text(self->client, group->protocol_data);
    read_members(self, group, ret_group);
    return SLUICE_OK;
}

const metadata_response_topic *groups_topic(const groups_work *self, const char *topic)
{
    for (size_t i = 0; i < self->metadata->topics.count; i++) {
        if (message_text_is(self->metadata->topics.items[i].name, topic)) {
            return &self->metadata->topics.items[i];
        }
    }
    return NULL;
}

/* Since version 10 topics are told by id. */
static const char *topic_name(groups_work *self, message_text name,
                              const message_uuid *id)
{
    for (size_t i = 0; i < self->metadata->topics.count && name.len == 0; i++) {
        const metadata_response_topic *topic = &self->metadata->topics.items[i];
        if (memcmp(topic->topic_id.bytes, id->bytes, sizeof id->bytes) == 0) {
            return admin_text(self->client, topic->name);
        }
    }
    return admin_text(self->client, name);
}

static void add_offset(group_offsets *offsets, const char *topic, int32_t partition,
                       int64_t offset, int32_t leader_epoch)
{
    if (offset >= 0 && topic[0] != '\0') {
        offsets->items[offsets->count++] =
            (group_offset){topic, partition, offset, leader_epoch};
    }
}

/* Answers up to version 7 are about one group. */
static void read_old_offsets(groups_work *self, const offset_fetch_response *response,
                             group_offsets *offsets)
{
    size_t count = 0;
    for (size_t i = 0; i < response->topics.count; i++) {
        count += response->topics.items[i].partitions.count;
    }
    offsets->items = take(self, count, sizeof *offsets->items);
    for (size_t i = 0; i < response->topics.count; i++) {
        const offset_fetch_response_topic *topic = &response->topics.items[i];
        for (size_t k = 0; k < topic->partitions.count; k++) {
            const offset_fetch_response_partition *each = &topic->partitions.items[k];
            add_offset(offsets, admin_text(self->client, topic->name),
                       each->partition_index, each->committed_offset,
                       each->committed_leader_epoch);
        }
    }
}

static void read_offsets(groups_work *self, const offset_fetch_response_group *group,
                         group_offsets *offsets)
{
    size_t count = 0;
    for (size_t i = 0; i < group->topics.count; i++) {
        count += group->topics.items[i].partitions.count;
    }
    offsets->items = take(self, count, sizeof *offsets->items);
    for (size_t i = 0; i < group->topics.count; i++) {
        const offset_fetch_response_group_topic *topic = &group->topics.items[i];
        const char *name = topic_name(self, topic->name, &topic->topic_id);
        for (size_t k = 0; k < topic->partitions.count; k++) {
            const offset_fetch_response_group_partition *each =
                &topic->partitions.items[k];
            add_offset(offsets, name, each->partition_index, each->committed_offset,
                       each->committed_leader_epoch);
        }
    }
}

sluice_status group_read_offsets(groups_work *self, const char *id, int32_t coordinator,
                                 group_offsets *ret_offsets, sluice_error *err)
{
    offset_fetch_request_group wanted = {.group_id = message_text_of(id),
                                         .member_epoch = -1};
    offset_fetch_request request;
    offset_fetch_response response;
    offset_fetch_request_init(&request);
    request.group_id = message_text_of(id);
    request.groups.items = &wanted;
    request.groups.count = 1;
    request.require_stable = true;
    *ret_offsets = (group_offsets){0};
    sluice_status status = admin_call(self->client, coordinator, API_OFFSET_FETCH,
                                      &request, &response, err);
    if (status != SLUICE_OK) {
        return status;
    }
    int16_t code = response.groups.count > 0 ? response.groups.items[0].error_code
                                             : response.error_code;
    if (code != ERROR_NONE && code != ERROR_GROUP_ID_NOT_FOUND) {
        return admin_refused(err, code, (message_text){0});
    }
    if (response.groups.count > 0) {
        read_offsets(self, &response.groups.items[0], ret_offsets);
    } else {
        read_old_offsets(self, &response, ret_offsets);
    }
    groups_sort(ret_offsets);
    return SLUICE_OK;
}

static int32_t leader_of(const groups_work *self, const group_offset *partition)
{
    const metadata_response_topic *topic = groups_topic(self, partition->topic);
    for (size_t i = 0; topic != NULL && i < topic->partitions.count; i++) {
        if (topic->partitions.items[i].partition_index == partition->partition) {
            return topic->partitions.items[i].leader_id;
        }
    }
    return -1;
}

sluice_status group_find_ends(groups_work *self, const group_offsets *partitions,
                              int64_t timestamp, partition_offset **ret_found,
                              sluice_error *err)
{
    partition_offset *found = take(self, partitions->count, sizeof *found);
    for (size_t i = 0; i < partitions->count; i++) {
        const group_offset *each = &partitions->items[i];
        found[i] = (partition_offset){.topic = each->topic,
                                      .partition = each->partition,
                                      .leader = leader_of(self, each),
                                      .offset = -1};
    }
    *ret_found = found;
    return admin_list_offsets(self->client, timestamp, found, partitions->count, err);
}

/* Adds the partitions that `word` names behind the `count` others. */
static sluice_status add_topic(groups_work *self, const char *word, bool missing,
                               group_offsets *partitions, sluice_error *err)
{
    const char *colon = strchr(word, ':');
    size_t listed = 0;
    const char *name =
        groups_text(self, word, colon == NULL ? strlen(word) : (size_t)(colon - word));
    const metadata_response_topic *topic = groups_topic(self, name);
    if (colon == NULL && topic == NULL && !missing) {
        return sluice_fail(err, SLUICE_FATAL, "%s",
                           admin_code_text(ERROR_UNKNOWN_TOPIC_OR_PARTITION));
    }
    char **numbers = text_split(colon == NULL ? "" : colon + 1, &listed);
    size_t there = colon == NULL && topic != NULL ? topic->partitions.count : 1;
    group_offset *all = take(self, partitions->count + listed + there, sizeof *all);
    memcpy(all, partitions->items, partitions->count * sizeof *all);
    partitions->items = all;
    sluice_status status = SLUICE_OK;
    for (size_t i = 0; i < listed && status == SLUICE_OK; i++) {
        int32_t number;
        if (!text_to_int32(numbers[i], &number)) {
            status = sluice_fail(err, SLUICE_BAD_CONFIG,
                                 "Invalid format for '%s': must be topic or "
                                 "topic:partition,partition",
                                 word);
            break;
        }
        all[partitions->count++] = (group_offset){name, number, -1, -1};
    }
    for (size_t i = 0; i < there && colon == NULL; i++) {
        int32_t number =
            topic == NULL ? -1 : topic->partitions.items[i].partition_index;
        all[partitions->count++] = (group_offset){name, number, -1, -1};
    }
    free(numbers);
    return status;
}

sluice_status groups_partitions(groups_work *self, bool missing,
                                group_offsets *ret_partitions, sluice_error *err)
{
    *ret_partitions = (group_offsets){take(self, 0, sizeof(group_offset)), 0};
    sluice_status status = SLUICE_OK;
    for (size_t i = 0; i < self->given->topic.count && status == SLUICE_OK; i++) {
        status =
            add_topic(self, self->given->topic.items[i], missing, ret_partitions, err);
    }
    groups_sort(ret_partitions);
    return status;
}
