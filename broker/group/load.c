/* From the records of `__consumer_offsets` to what a core knows. */
#include "base/memory.h"
#include "broker/group/group.h"
#include "broker/group/offsets.h"
#include "broker/group/rebalance.h"
#include "broker/group/record.h"

static sluice_bytes bytes_of(message_text text)
{
    return (sluice_bytes){text.base, text.len};
}

static group *find_or_create(group_core *core, sluice_bytes group_id)
{
    group *self = group_find(core, group_id);
    return self != NULL ? self : group_create(core, group_id);
}

/* ---- Offsets -------------------------------------------------------------------- */

static sluice_status load_offset(group_core *core, const offset_commit_key *key,
                                 sluice_bytes bytes, sluice_arena *arena,
                                 sluice_error *err)
{
    group_offset_write write = {.topic = bytes_of(key->topic),
                                .partition = key->partition,
                                .tombstone = bytes.base == NULL};
    if (!write.tombstone) {
        offset_commit_value value;
        sluice_status status =
            group_record_decode(&offset_commit_value_schema, bytes, arena, &value, err);
        if (status != SLUICE_OK) {
            return status;
        }
        write.offset = value.offset;
        write.leader_epoch = value.leader_epoch;
        write.metadata = bytes_of(value.metadata);
        write.commit_ms = value.commit_timestamp;
        write.expire_ms = value.expire_timestamp;
    }
    group *self = group_find(core, bytes_of(key->group));
    if (self == NULL && write.tombstone) {
        return SLUICE_OK;
    }
    self = find_or_create(core, bytes_of(key->group));
    group_offsets_announce(self, &write);
    group_offsets_apply(self, &write, 0, true);
    return SLUICE_OK;
}

/* ---- Groups --------------------------------------------------------------------- */

/* Offsets are kept: what deletes them is their own tombstones. */
static void clear_members(group *self)
{
    const map_entry *entry;
    for (size_t at = 0; (entry = map_next(&self->members, &at)) != NULL;) {
        group_remove_member(self, entry->value);
    }
    group_bytes_free(&self->protocol_type);
    group_bytes_free(&self->protocol_name);
    self->state = GROUP_EMPTY;
    self->generation = 0;
    self->state_since_ms = -1;
}

static void load_member(group *self, const group_metadata_value *value,
                        const group_metadata_value_member *loaded)
{
    if (group_find_member(self, bytes_of(loaded->member_id)) != NULL) {
        return;
    }
    group_protocol protocol = {bytes_of(value->protocol), loaded->subscription};
    group_join join = {
        .instance_id = bytes_of(loaded->group_instance_id),
        .client_id = bytes_of(loaded->client_id),
        .client_host = bytes_of(loaded->client_host),
        .protocol_type = bytes_of(value->protocol_type),
        .session_timeout_ms = loaded->session_timeout,
        /* Before version 1 there was one timeout for both. */
        .rebalance_timeout_ms = loaded->rebalance_timeout < 0
                                    ? loaded->session_timeout
                                    : loaded->rebalance_timeout,
        .protocols = &protocol,
        .protocol_count = protocol.name.base == NULL ? 0 : 1,
    };
    group_member *member = group_add_member(self, bytes_of(loaded->member_id), &join);
    group_bytes_free(&member->assignment);
    member->assignment = group_bytes_copy(loaded->assignment);
}

static void load_members(group *self, const group_metadata_value *value)
{
    for (size_t i = 0; i < value->members.count; i++) {
        load_member(self, value, &value->members.items[i]);
    }
    if (map_count(&self->members) == 0) {
        self->protocol_type = group_bytes_copy(bytes_of(value->protocol_type));
        return;
    }
    self->state = GROUP_STABLE;
    self->protocol_name = group_bytes_copy(bytes_of(value->protocol));
    if (value->leader.base != NULL) {
        group_member *leader = group_find_member(self, bytes_of(value->leader));
        self->leader = leader != NULL ? leader : self->leader;
    }
}

static sluice_status load_group(group_core *core, const group_metadata_key *key,
                                sluice_bytes bytes, sluice_arena *arena,
                                sluice_error *err)
{
    group *self = group_find(core, bytes_of(key->group));
    if (bytes.base == NULL) {
        if (self != NULL) {
            clear_members(self);
        }
        return SLUICE_OK;
    }
    group_metadata_value value;
    sluice_status status =
        group_record_decode(&group_metadata_value_schema, bytes, arena, &value, err);
    if (status != SLUICE_OK) {
        return status;
    }
    self = find_or_create(core, bytes_of(key->group));
    clear_members(self);
    load_members(self, &value);
    self->generation = value.generation;
    self->state_since_ms = value.current_state_timestamp;
    return SLUICE_OK;
}

/* ---- Both ----------------------------------------------------------------------- */

static sluice_status load_as(group_core *core, group_record_kind kind, sluice_bytes key,
                             sluice_bytes value, sluice_arena *arena, sluice_error *err)
{
    if (kind == GROUP_RECORD_OFFSET) {
        offset_commit_key read;
        sluice_status status =
            group_record_decode(&offset_commit_key_schema, key, arena, &read, err);
        return status == SLUICE_OK ? load_offset(core, &read, value, arena, err)
                                   : status;
    }
    if (kind == GROUP_RECORD_GROUP) {
        group_metadata_key read;
        sluice_status status =
            group_record_decode(&group_metadata_key_schema, key, arena, &read, err);
        return status == SLUICE_OK ? load_group(core, &read, value, arena, err)
                                   : status;
    }
    return SLUICE_OK;
}

sluice_status group_core_load(group_core *core, sluice_bytes key, sluice_bytes value,
                              sluice_error *err)
{
    group_record_kind kind;
    sluice_status status = group_record_kind_of(key, &kind, err);
    if (status != SLUICE_OK) {
        return status;
    }
    sluice_arena *arena = sluice_arena_new();
    status = load_as(core, kind, key, value, arena, err);
    sluice_arena_free(arena);
    return status;
}

static void start(group *self)
{
    const map_entry *entry;
    for (size_t at = 0; (entry = map_next(&self->members, &at)) != NULL;) {
        group_touch(entry->value);
    }
    if (self->state_since_ms < 0) { /* Before version 2 it was not stored. */
        self->state_since_ms = self->core->now.wall_ms;
    }
    if (map_count(&self->members) > (size_t)self->core->config.size_max) {
        group_rebalance(self); /* The limit was lowered: as many as may come back. */
    }
    group_forget_if_void(self);
}

void group_core_loaded(group_core *core, group_time now, group_actions *ret_actions)
{
    group_core_begin(core, now, ret_actions);
    const map_entry *entry;
    for (size_t at = 0; (entry = map_next(&core->groups, &at)) != NULL;) {
        start(entry->value);
    }
    group_expire_later(core);
    group_core_end(core);
}
