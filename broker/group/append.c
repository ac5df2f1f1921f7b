/* Appends under way, by token. */
#include "broker/group/append.h"
#include "base/memory.h"
#include "broker/group/answer.h"
#include "broker/group/offsets.h"
#include "broker/group/rebalance.h"
#include "broker/group/record.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

typedef enum append_kind {
    APPEND_METADATA = 0,
    APPEND_ASSIGNMENT,
    APPEND_PLACE,
    APPEND_OFFSETS,
    APPEND_TOMBSTONES,
} append_kind;

/* What is to happen when it is over. The strings are its own. */
typedef struct append {
    append_kind kind;
    uint64_t token;
    group *group;
    group_request request;

    int32_t generation; /* APPEND_ASSIGNMENT: of which it is. */
    group_assignment *assignments;
    size_t assignment_count;

    sluice_bytes member_id; /* APPEND_PLACE */
    sluice_bytes leader_before;
    bool can_skip;

    group_event_type type; /* APPEND_OFFSETS */
    int16_t *codes;
    size_t code_count;
    group_offset_write *writes;
    size_t write_count;

    group_deletion *deletion; /* APPEND_TOMBSTONES; NULL: nobody waits. */
    size_t index;
} append;

/* ---- Beginning ------------------------------------------------------------------ */

static append *append_new(group *self, append_kind kind)
{
    append *made = memory_zero(sizeof *made);
    made->kind = kind;
    made->token = ++self->core->next_token;
    made->group = self;
    self->appends++;
    map_put(&self->core->appends, &made->token, sizeof made->token, made);
    return made;
}

/* The action with room for `count` records; borrowed until the next action. */
static group_append *action_add(const append *made, size_t count)
{
    group_core *core = made->group->core;
    group_actions *actions = core->actions;
    if (actions->count == actions->room) {
        actions->room = actions->room == 0 ? 16 : 2 * actions->room;
        actions->items =
            memory_resize(actions->items, actions->room * sizeof *actions->items);
    }
    group_action *action = &actions->items[actions->count++];
    *action = (group_action){.type = GROUP_APPEND};
    action->append = (group_append){
        .token = made->token,
        .partition = group_core_partition(core, made->group->id),
        .timestamp_ms = core->now.wall_ms,
        .records = sluice_arena_take(actions->arena, count * sizeof(group_record)),
    };
    return &action->append;
}

static message_text text_of(sluice_bytes bytes)
{
    return (message_text){bytes.base, bytes.len};
}

static group_record record_of_offset(const group *self, const group_offset_write *write)
{
    sluice_arena *arena = self->core->actions->arena;
    offset_commit_key key = {text_of(self->id), text_of(write->topic),
                             write->partition};
    group_record record = {
        .key = group_record_encode(&offset_commit_key_schema, 1, &key, arena)};
    if (!write->tombstone) {
        offset_commit_value value = {.offset = write->offset,
                                     .leader_epoch = write->leader_epoch,
                                     .metadata = text_of(write->metadata),
                                     .commit_timestamp = write->commit_ms,
                                     .expire_timestamp = write->expire_ms};
        /* Version 3 has no expiry of its own, version 1 no leader epoch. */
        int version = write->expire_ms < 0 ? 3 : 1;
        record.value =
            group_record_encode(&offset_commit_value_schema, version, &value, arena);
    }
    return record;
}

static sluice_bytes key_of_group(const group *self)
{
    group_metadata_key key = {text_of(self->id)};
    return group_record_encode(&group_metadata_key_schema, 2, &key,
                               self->core->actions->arena);
}

static sluice_bytes find_assignment(const map *assignments, sluice_bytes member_id)
{
    const group_assignment *found = map_get(assignments, member_id.base, member_id.len);
    return found == NULL || found->assignment.base == NULL ? (sluice_bytes){"", 0}
                                                           : found->assignment;
}

static group_metadata_value_member record_of_member(const group_member *member,
                                                    const map *assignments)
{
    return (group_metadata_value_member){
        .member_id = text_of(member->id),
        .group_instance_id = text_of(member->instance_id),
        .client_id = text_of(member->client_id),
        .client_host = text_of(member->client_host),
        .rebalance_timeout = member->rebalance_timeout_ms,
        .session_timeout = member->session_timeout_ms,
        .subscription = group_member_metadata(member, member->group->protocol_name),
        .assignment = assignments == NULL ? member->assignment
                                          : find_assignment(assignments, member->id),
    };
}

/* The group as a record; members have `assignments`, or their own when it is NULL. */
static group_record record_of_group(const group *self, const map *assignments)
{
    sluice_arena *arena = self->core->actions->arena;
    size_t count = map_count(&self->members), i = 0;
    group_metadata_value_member *members =
        sluice_arena_take(arena, count * sizeof *members);
    const map_entry *entry;
    for (size_t at = 0; (entry = map_next(&self->members, &at)) != NULL; i++) {
        members[i] = record_of_member(entry->value, assignments);
    }
    group_metadata_value value = {
        .protocol_type = text_of(self->protocol_type),
        .generation = self->generation,
        .protocol = text_of(self->protocol_name),
        .leader = {NULL, 0},
        .current_state_timestamp = self->state_since_ms,
        .members = {members, count},
    };
    if (self->leader != NULL) {
        value.leader = text_of(self->leader->id);
    }
    return (group_record){
        key_of_group(self),
        group_record_encode(&group_metadata_value_schema, 3, &value, arena)};
}

void group_append_metadata(group *self)
{
    group_append *action = action_add(append_new(self, APPEND_METADATA), 1);
    action->records[action->record_count++] = record_of_group(self, NULL);
}

void group_append_assignment(group *self, const group_assignment *assignments,
                             size_t count)
{
    append *made = append_new(self, APPEND_ASSIGNMENT);
    made->generation = self->generation;
    made->assignments = memory_take(count * sizeof *made->assignments);
    made->assignment_count = count;
    map by_member = MAP_INIT;
    for (size_t i = 0; i < count; i++) {
        made->assignments[i] =
            (group_assignment){group_bytes_copy(assignments[i].member_id),
                               group_bytes_copy(assignments[i].assignment)};
        map_put(&by_member, assignments[i].member_id.base, assignments[i].member_id.len,
                &made->assignments[i]);
    }
    group_append *action = action_add(made, 1);
    action->records[action->record_count++] = record_of_group(self, &by_member);
    map_done(&by_member);
    self->assignment_under_way = true;
}

void group_append_place(group_member *member, group_request request, bool can_skip,
                        sluice_bytes leader_before)
{
    append *made = append_new(member->group, APPEND_PLACE);
    made->request = request;
    made->member_id = group_bytes_copy(member->id);
    made->leader_before = group_bytes_copy(leader_before);
    made->can_skip = can_skip;
    group_append *action = action_add(made, 1);
    action->records[action->record_count++] = record_of_group(member->group, NULL);
}

void group_append_offsets(group *self, group_event_type type, group_request request,
                          const int16_t *codes, size_t code_count,
                          const group_offset_write *writes, size_t write_count)
{
    append *made = append_new(self, APPEND_OFFSETS);
    made->type = type;
    made->request = request;
    made->codes = memory_take(code_count * sizeof *codes);
    made->code_count = code_count;
    if (code_count > 0) {
        memcpy(made->codes, codes, code_count * sizeof *codes);
    }
    made->writes = memory_take(write_count * sizeof *writes);
    made->write_count = write_count;
    group_append *action = action_add(made, write_count);
    for (size_t i = 0; i < write_count; i++) {
        action->records[action->record_count++] = record_of_offset(self, &writes[i]);
        made->writes[i] = writes[i];
        made->writes[i].topic = group_bytes_copy(writes[i].topic);
        made->writes[i].metadata = group_bytes_copy(writes[i].metadata);
        group_offsets_announce(self, &writes[i]);
    }
}

static size_t partition_count(const group *self)
{
    size_t count = 0;
    const map_entry *entry;
    for (size_t at = 0; (entry = map_next(&self->topics, &at)) != NULL;) {
        count += ((const group_topic *)entry->value)->count;
    }
    return count;
}

void group_append_tombstones(group *self, group_deletion *deletion, size_t index)
{
    append *made = append_new(self, APPEND_TOMBSTONES);
    made->deletion = deletion;
    made->index = index;
    group_append *action = action_add(made, partition_count(self) + 1);
    const map_entry *entry;
    for (size_t at = 0; (entry = map_next(&self->topics, &at)) != NULL;) {
        const group_topic *topic = entry->value;
        for (size_t i = 0; i < topic->count; i++) {
            group_offset_write write = {.topic = topic->name,
                                        .partition = topic->partitions[i]->partition,
                                        .tombstone = true};
            action->records[action->record_count++] = record_of_offset(self, &write);
        }
    }
    action->records[action->record_count++] =
        (group_record){key_of_group(self), {NULL, 0}};
}

/* ---- Over ----------------------------------------------------------------------- */

static void append_free(append *made)
{
    for (size_t i = 0; i < made->assignment_count; i++) {
        group_bytes_free(&made->assignments[i].member_id);
        group_bytes_free(&made->assignments[i].assignment);
    }
    for (size_t i = 0; i < made->write_count; i++) {
        group_bytes_free(&made->writes[i].topic);
        group_bytes_free(&made->writes[i].metadata);
    }
    free(made->assignments);
    free(made->writes);
    free(made->codes);
    group_bytes_free(&made->member_id);
    group_bytes_free(&made->leader_before);
    free(made);
}

/* What a client is told when the log refused, so that it does the right thing: tries
 * again where that can help. */
static int16_t code_for_client(int16_t error_code, bool commit)
{
    switch (error_code) {
    case ERROR_NONE:
        return ERROR_NONE;
    case ERROR_MESSAGE_TOO_LARGE:
    case ERROR_RECORD_LIST_TOO_LARGE:
    case ERROR_INVALID_FETCH_SIZE:
        return commit ? ERROR_INVALID_COMMIT_OFFSET_SIZE : ERROR_UNKNOWN_SERVER_ERROR;
    case ERROR_NOT_LEADER_OR_FOLLOWER:
    case ERROR_KAFKA_STORAGE_ERROR:
        return ERROR_NOT_COORDINATOR;
    default:
        return ERROR_COORDINATOR_NOT_AVAILABLE;
    }
}

static void assignment_over(const append *made, int16_t error_code)
{
    group *self = made->group;
    if (self->state == GROUP_COMPLETING_REBALANCE &&
        self->generation == made->generation) {
        group_assigned(self, made->assignments, made->assignment_count,
                       code_for_client(error_code, false));
    }
}

static void place_over(const append *made, int16_t error_code)
{
    group_core *core = made->group->core;
    sluice_bytes none = {"", 0};
    group_member *member = group_find_member(made->group, made->member_id);
    if (error_code != ERROR_NONE) {
        group_answer_error(core, GROUP_JOIN, made->request,
                           code_for_client(error_code, false), none);
    } else if (member == NULL) {
        group_answer_error(core, GROUP_JOIN, made->request, ERROR_UNKNOWN_MEMBER_ID,
                           none);
    } else {
        group_answer_join_again(member, made->request, made->can_skip,
                                made->leader_before);
    }
}

static void offsets_over(const append *made, int16_t error_code)
{
    group *self = made->group;
    for (size_t i = 0; i < made->write_count && self->state != GROUP_DEAD; i++) {
        group_offsets_apply(self, &made->writes[i], made->token,
                            error_code == ERROR_NONE);
    }
    if (made->request == NULL) {
        return;
    }
    int16_t *codes = group_codes(self->core, made->code_count);
    for (size_t i = 0; i < made->code_count; i++) {
        codes[i] = made->codes[i] != ERROR_NONE ? made->codes[i]
                                                : code_for_client(error_code, true);
    }
    group_answer_codes(self->core, made->type, made->request, ERROR_NONE, codes,
                       made->code_count);
}

static void tombstones_over(const append *made, int16_t error_code)
{
    group_deletion *deletion = made->deletion;
    if (deletion == NULL) {
        return;
    }
    deletion->error_codes[made->index] = code_for_client(error_code, false);
    if (--deletion->under_way > 0) {
        return;
    }
    group_core *core = made->group->core;
    int16_t *codes = group_codes(core, deletion->count);
    memcpy(codes, deletion->error_codes, deletion->count * sizeof *codes);
    group_answer_codes(core, GROUP_DELETE, deletion->request, ERROR_NONE, codes,
                       deletion->count);
    free(deletion->error_codes);
    free(deletion);
}

void group_append_over(group_core *core, const group_appended *appended)
{
    append *made = map_remove(&core->appends, &appended->token, sizeof appended->token);
    if (made == NULL) {
        return;
    }
    group *self = made->group;
    self->appends--;
    switch (made->kind) {
    case APPEND_METADATA:
        break;
    case APPEND_ASSIGNMENT:
        assignment_over(made, appended->error_code);
        break;
    case APPEND_PLACE:
        place_over(made, appended->error_code);
        break;
    case APPEND_OFFSETS:
        offsets_over(made, appended->error_code);
        break;
    case APPEND_TOMBSTONES:
        tombstones_over(made, appended->error_code);
        break;
    }
    if (self->state != GROUP_DEAD) {
        group_forget_if_void(self);
    } else if (self->appends == 0) {
        group_free(self);
    }
    append_free(made);
}

void group_append_free_all(group_core *core)
{
    const map_entry *entry;
    for (size_t at = 0; (entry = map_next(&core->appends, &at)) != NULL;) {
        append *made = entry->value;
        group_deletion *deletion = made->deletion;
        if (deletion != NULL && --deletion->under_way == 0) {
            free(deletion->error_codes);
            free(deletion);
        }
        group *self = made->group;
        if (--self->appends == 0 && self->state == GROUP_DEAD) {
            group_free(self);
        }
        append_free(made);
    }
    map_done(&core->appends);
}
