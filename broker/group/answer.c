/* Answers, built in the arena of the actions. */
#include "broker/group/answer.h"
#include "base/memory.h"

static group_answer *answer_add(group_core *core, group_event_type type,
                                group_request request)
{
    group_actions *actions = core->actions;
    if (actions->count == actions->room) {
        actions->room = actions->room == 0 ? 16 : 2 * actions->room;
        actions->items =
            memory_resize(actions->items, actions->room * sizeof *actions->items);
    }
    group_action *action = &actions->items[actions->count++];
    *action = (group_action){.type = GROUP_ANSWER};
    action->answer = (group_answer){.type = type, .request = request, .generation = -1};
    return &action->answer;
}

static sluice_bytes keep(const group *self, sluice_bytes bytes)
{
    return group_bytes_keep(self->core->actions->arena, bytes);
}

void group_answer_error(group_core *core, group_event_type type, group_request request,
                        int16_t error_code, sluice_bytes member_id)
{
    group_answer *answer = answer_add(core, type, request);
    answer->error_code = error_code;
    answer->member_id = group_bytes_keep(core->actions->arena, member_id);
}

void group_answer_codes(group_core *core, group_event_type type, group_request request,
                        int16_t error_code, const int16_t *error_codes,
                        size_t error_count)
{
    group_answer *answer = answer_add(core, type, request);
    answer->error_code = error_code;
    answer->error_codes = error_codes;
    answer->error_count = error_count;
}

static void members_list(const group *self, group_answer *answer)
{
    size_t count = map_count(&self->members);
    group_join_member *list =
        sluice_arena_take(self->core->actions->arena, count * sizeof *list);
    const map_entry *entry;
    size_t i = 0;
    for (size_t at = 0; (entry = map_next(&self->members, &at)) != NULL; i++) {
        const group_member *member = entry->value;
        list[i].member_id = keep(self, member->id);
        list[i].instance_id = keep(self, member->instance_id);
        list[i].metadata =
            keep(self, group_member_metadata(member, self->protocol_name));
    }
    answer->members = list;
    answer->member_count = count;
}

static group_answer *generation_add(const group_member *member, group_request request)
{
    const group *self = member->group;
    group_answer *answer = answer_add(self->core, GROUP_JOIN, request);
    answer->generation = self->generation;
    answer->protocol_type = keep(self, self->protocol_type);
    answer->protocol_name = keep(self, self->protocol_name);
    answer->member_id = keep(self, member->id);
    answer->leader =
        self->leader == NULL ? (sluice_bytes){"", 0} : keep(self, self->leader->id);
    return answer;
}

void group_answer_join(const group_member *member, group_request request,
                       bool with_members)
{
    group_answer *answer = generation_add(member, request);
    if (with_members) {
        members_list(member->group, answer);
    }
}

void group_answer_join_again(const group_member *member, group_request request,
                             bool can_skip, sluice_bytes leader)
{
    group_answer *answer = generation_add(member, request);
    if (!can_skip) {
        answer->leader = keep(member->group, leader);
    } else if (member->group->leader == member) {
        answer->skip_assignment = true;
        members_list(member->group, answer);
    }
}

void group_answer_sync(const group_member *member, group_request request)
{
    const group *self = member->group;
    group_answer *answer = answer_add(self->core, GROUP_SYNC, request);
    answer->protocol_type = keep(self, self->protocol_type);
    answer->protocol_name = keep(self, self->protocol_name);
    answer->assignment = keep(self, member->assignment);
}

void group_end_join(group_member *member, int16_t error_code)
{
    if (member->joining) {
        group_answer_error(member->group->core, GROUP_JOIN, member->join_request,
                           error_code, (sluice_bytes){"", 0});
        group_unset_joining(member);
    }
}

void group_end_sync(group_member *member, int16_t error_code)
{
    if (member->syncing) {
        group_answer_error(member->group->core, GROUP_SYNC, member->sync_request,
                           error_code, (sluice_bytes){NULL, 0});
        member->syncing = false;
        member->sync_request = NULL;
    }
}

int16_t *group_codes(group_core *core, size_t count)
{
    return sluice_arena_take(core->actions->arena, count * sizeof(int16_t));
}
