/* Questions: what a core knows, copied into the asker's arena. */
#include "broker/group/group.h"
#include "broker/group/offsets.h"

static const sluice_bytes empty = {"", 0};

/* ---- Offsets -------------------------------------------------------------------- */

static group_offset offset_of(sluice_bytes topic, const group_committed *committed,
                              int32_t partition, sluice_arena *arena)
{
    group_offset offset = {topic, partition, -1, -1, empty};
    if (committed != NULL && committed->present) {
        offset.offset = committed->offset;
        offset.leader_epoch = committed->leader_epoch;
        offset.metadata = group_bytes_keep(arena, committed->metadata);
    }
    return offset;
}

group_offset group_core_offset(const group_core *core, sluice_bytes group_id,
                               sluice_bytes topic, int32_t partition,
                               sluice_arena *arena)
{
    const group *self = group_find(core, group_id);
    const group_committed *committed =
        self == NULL ? NULL : group_offsets_find(self, topic, partition);
    return offset_of(group_bytes_keep(arena, topic), committed, partition, arena);
}

static size_t present_count(const group *self)
{
    size_t count = 0;
    const map_entry *entry;
    for (size_t at = 0; (entry = map_next(&self->topics, &at)) != NULL;) {
        const group_topic *topic = entry->value;
        for (size_t i = 0; i < topic->count; i++) {
            count += topic->partitions[i]->present;
        }
    }
    return count;
}

void group_core_offsets(const group_core *core, sluice_bytes group_id,
                        sluice_arena *arena, group_offset **ret_offsets,
                        size_t *ret_count)
{
    const group *self = group_find(core, group_id);
    *ret_count = 0;
    *ret_offsets = NULL;
    if (self == NULL) {
        return;
    }
    *ret_offsets = sluice_arena_take(arena, present_count(self) * sizeof **ret_offsets);
    const map_entry *entry;
    for (size_t at = 0; (entry = map_next(&self->topics, &at)) != NULL;) {
        const group_topic *topic = entry->value;
        sluice_bytes name = group_bytes_keep(arena, topic->name);
        for (size_t i = 0; i < topic->count; i++) {
            const group_committed *committed = topic->partitions[i];
            if (committed->present) {
                (*ret_offsets)[(*ret_count)++] =
                    offset_of(name, committed, committed->partition, arena);
            }
        }
    }
}

/* ---- Groups --------------------------------------------------------------------- */

static sluice_bytes keep_or_empty(sluice_arena *arena, sluice_bytes bytes)
{
    return bytes.base == NULL ? empty : group_bytes_keep(arena, bytes);
}

static void describe(const group *self, sluice_arena *arena,
                     group_description *ret_description)
{
    bool stable = self->state == GROUP_STABLE;
    *ret_description = (group_description){
        .group_id = group_bytes_keep(arena, self->id),
        .state = self->state,
        .generation = self->generation,
        .protocol_type = keep_or_empty(arena, self->protocol_type),
        .protocol_name = stable ? keep_or_empty(arena, self->protocol_name) : empty,
    };
}

static group_member_description member_of(const group *self, const group_member *member,
                                          sluice_arena *arena)
{
    group_member_description description = {
        .member_id = group_bytes_keep(arena, member->id),
        .instance_id = group_bytes_keep(arena, member->instance_id),
        .client_id = keep_or_empty(arena, member->client_id),
        .client_host = keep_or_empty(arena, member->client_host),
        .metadata = empty,
        .assignment = empty,
    };
    if (self->state == GROUP_STABLE) {
        description.metadata =
            group_bytes_keep(arena, group_member_metadata(member, self->protocol_name));
        description.assignment = keep_or_empty(arena, member->assignment);
    }
    return description;
}

bool group_core_describe(const group_core *core, sluice_bytes group_id,
                         sluice_arena *arena, group_description *ret_description)
{
    const group *self = group_find(core, group_id);
    if (self == NULL) {
        return false;
    }
    describe(self, arena, ret_description);
    group_member_description *members =
        sluice_arena_take(arena, map_count(&self->members) * sizeof *members);
    size_t count = 0;
    const map_entry *entry;
    for (size_t at = 0; (entry = map_next(&self->members, &at)) != NULL;) {
        members[count++] = member_of(self, entry->value, arena);
    }
    ret_description->members = members;
    ret_description->member_count = count;
    return true;
}

void group_core_list(const group_core *core, sluice_arena *arena,
                     group_description **ret_groups, size_t *ret_count)
{
    *ret_groups =
        sluice_arena_take(arena, map_count(&core->groups) * sizeof **ret_groups);
    *ret_count = 0;
    const map_entry *entry;
    for (size_t at = 0; (entry = map_next(&core->groups, &at)) != NULL;) {
        describe(entry->value, arena, &(*ret_groups)[(*ret_count)++]);
    }
}
