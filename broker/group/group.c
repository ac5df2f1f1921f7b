/* The books of a group: members, leader, protocols, who waits for what. */
#include "broker/group/group.h"
#include "base/memory.h"
#include "broker/group/offsets.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- Strings -------------------------------------------------------------------- */

bool group_bytes_equal(sluice_bytes a, sluice_bytes b)
{
    if (a.base == NULL || b.base == NULL) {
        return a.base == b.base;
    }
    return a.len == b.len && (a.len == 0 || memcmp(a.base, b.base, a.len) == 0);
}

sluice_bytes group_bytes_copy(sluice_bytes bytes)
{
    if (bytes.base == NULL) {
        return bytes;
    }
    return (sluice_bytes){memory_copy(bytes.base, bytes.len), bytes.len};
}

void group_bytes_free(sluice_bytes *bytes)
{
    free((void *)bytes->base);
    *bytes = (sluice_bytes){NULL, 0};
}

sluice_bytes group_bytes_keep(sluice_arena *arena, sluice_bytes bytes)
{
    if (bytes.base == NULL) {
        return bytes;
    }
    return (sluice_bytes){sluice_arena_copy(arena, bytes.base, bytes.len), bytes.len};
}

/* ---- Groups --------------------------------------------------------------------- */

group *group_find(const group_core *core, sluice_bytes group_id)
{
    return map_get(&core->groups, group_id.base, group_id.len);
}

group *group_create(group_core *core, sluice_bytes group_id)
{
    group *self = memory_zero(sizeof *self);
    self->core = core;
    self->id = group_bytes_copy(group_id);
    self->state_since_ms = core->now.wall_ms;
    self->rebalance = (group_timer){.kind = GROUP_TIMER_REBALANCE, .owner = self};
    map_put(&core->groups, self->id.base, self->id.len, self);
    return self;
}

void group_free(group *self)
{
    const map_entry *entry;
    for (size_t at = 0; (entry = map_next(&self->members, &at)) != NULL;) {
        group_remove_member(self, entry->value);
    }
    for (size_t at = 0; (entry = map_next(&self->invited, &at)) != NULL;) {
        group_uninvite(entry->value);
    }
    group_timers_cancel(&self->core->timers, &self->rebalance);
    group_offsets_free(self);
    map_done(&self->members);
    map_done(&self->instances);
    map_done(&self->invited);
    map_done(&self->protocol_counts);
    group_bytes_free(&self->protocol_type);
    group_bytes_free(&self->protocol_name);
    group_bytes_free(&self->id);
    free(self);
}

void group_forget(group *self)
{
    assert(map_count(&self->members) == 0);
    group_set_state(self, GROUP_DEAD);
    group_timers_cancel(&self->core->timers, &self->rebalance);
    map_remove(&self->core->groups, self->id.base, self->id.len);
    if (self->appends == 0) {
        group_free(self);
    }
}

void group_forget_if_void(group *self)
{
    if (self->state == GROUP_EMPTY && self->protocol_type.base == NULL &&
        map_count(&self->invited) == 0 && map_count(&self->topics) == 0 &&
        self->appends == 0) {
        group_forget(self);
    }
}

void group_set_state(group *self, group_state state)
{
    self->state = state;
    self->state_since_ms = self->core->now.wall_ms;
}

/* ---- Members -------------------------------------------------------------------- */

group_member *group_find_member(const group *self, sluice_bytes member_id)
{
    return map_get(&self->members, member_id.base, member_id.len);
}

group_member *group_find_instance(const group *self, sluice_bytes instance_id)
{
    return map_get(&self->instances, instance_id.base, instance_id.len);
}

int16_t group_check_member(const group *self, sluice_bytes member_id,
                           sluice_bytes instance_id, group_member **ret_member)
{
    if (instance_id.base != NULL) {
        group_member *known = group_find_instance(self, instance_id);
        if (known == NULL) {
            return ERROR_UNKNOWN_MEMBER_ID;
        }
        if (!group_bytes_equal(known->id, member_id)) {
            return ERROR_FENCED_INSTANCE_ID;
        }
    }
    *ret_member = group_find_member(self, member_id);
    return *ret_member == NULL ? ERROR_UNKNOWN_MEMBER_ID : ERROR_NONE;
}

static void protocols_count(group *self, const group_member *member, intptr_t change)
{
    for (size_t i = 0; i < member->protocol_count; i++) {
        sluice_bytes name = member->protocols[i].name;
        intptr_t count = (intptr_t)map_get(&self->protocol_counts, name.base, name.len);
        if (count + change > 0) {
            void *value = (void *)(count + change);
            map_put(&self->protocol_counts, name.base, name.len, value);
        } else {
            map_remove(&self->protocol_counts, name.base, name.len);
        }
    }
}

static bool protocol_repeated(const group_join *join, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (group_bytes_equal(join->protocols[i].name, join->protocols[index].name)) {
            return true;
        }
    }
    return false;
}

static void protocols_free(group_member *member)
{
    for (size_t i = 0; i < member->protocol_count; i++) {
        group_bytes_free(&member->protocols[i].name);
        group_bytes_free(&member->protocols[i].metadata);
    }
    free(member->protocols);
    member->protocols = NULL;
    member->protocol_count = 0;
}

static void protocols_set(group *self, group_member *member, const group_join *join)
{
    protocols_count(self, member, -1);
    protocols_free(member);
    member->protocols = memory_take(join->protocol_count * sizeof *member->protocols);
    for (size_t i = 0; i < join->protocol_count; i++) {
        if (!protocol_repeated(join, i)) {
            member->protocols[member->protocol_count++] = (group_protocol){
                group_bytes_copy(join->protocols[i].name),
                group_bytes_copy(join->protocols[i].metadata),
            };
        }
    }
    protocols_count(self, member, 1);
}

group_member *group_add_member(group *self, sluice_bytes member_id,
                               const group_join *join)
{
    group_member *member = memory_zero(sizeof *member);
    member->group = self;
    member->id = group_bytes_copy(member_id);
    member->instance_id = group_bytes_copy(join->instance_id);
    member->assignment = group_bytes_copy((sluice_bytes){"", 0});
    member->session = (group_timer){.kind = GROUP_TIMER_SESSION, .owner = member};
    group_update_member(self, member, join);
    map_put(&self->members, member->id.base, member->id.len, member);
    if (member->instance_id.base != NULL) {
        map_put(&self->instances, member->instance_id.base, member->instance_id.len,
                member);
    }
    if (map_count(&self->members) == 1) {
        group_bytes_free(&self->protocol_type);
        self->protocol_type = group_bytes_copy(join->protocol_type);
        self->leader = member;
    }
    return member;
}

void group_update_member(group *self, group_member *member, const group_join *join)
{
    group_bytes_free(&member->client_id);
    group_bytes_free(&member->client_host);
    member->client_id = group_bytes_copy(join->client_id);
    member->client_host = group_bytes_copy(join->client_host);
    member->rebalance_timeout_ms = join->rebalance_timeout_ms;
    member->session_timeout_ms = join->session_timeout_ms;
    protocols_set(self, member, join);
}

void group_remove_member(group *self, group_member *member)
{
    group_timers_cancel(&self->core->timers, &member->session);
    group_unset_joining(member);
    group_unexpect_sync(member);
    map_remove(&self->members, member->id.base, member->id.len);
    if (member->instance_id.base != NULL &&
        group_find_instance(self, member->instance_id) == member) {
        map_remove(&self->instances, member->instance_id.base, member->instance_id.len);
    }
    protocols_count(self, member, -1);
    if (self->leader == member) {
        size_t at = 0;
        const map_entry *first = map_next(&self->members, &at);
        self->leader = first == NULL ? NULL : first->value;
    }
    protocols_free(member);
    group_bytes_free(&member->id);
    group_bytes_free(&member->instance_id);
    group_bytes_free(&member->client_id);
    group_bytes_free(&member->client_host);
    group_bytes_free(&member->assignment);
    free(member);
}

void group_rename_member(group *self, group_member *member, sluice_bytes member_id)
{
    map_remove(&self->members, member->id.base, member->id.len);
    group_bytes_free(&member->id);
    member->id = group_bytes_copy(member_id);
    map_put(&self->members, member->id.base, member->id.len, member);
}

bool group_member_matches(const group_member *member, const group_join *join)
{
    if (member->protocol_count != join->protocol_count) {
        return false;
    }
    for (size_t i = 0; i < join->protocol_count; i++) {
        const group_protocol *a = &member->protocols[i], *b = &join->protocols[i];
        if (!group_bytes_equal(a->name, b->name) ||
            !group_bytes_equal(a->metadata, b->metadata)) {
            return false;
        }
    }
    return true;
}

sluice_bytes group_member_metadata(const group_member *member, sluice_bytes protocol)
{
    for (size_t i = 0; i < member->protocol_count; i++) {
        if (group_bytes_equal(member->protocols[i].name, protocol)) {
            return member->protocols[i].metadata;
        }
    }
    return (sluice_bytes){"", 0};
}

void group_set_joining(group_member *member, group_request request)
{
    assert(!member->joining);
    member->joining = true;
    member->join_request = request;
    member->group->joining_count++;
}

void group_unset_joining(group_member *member)
{
    if (member->joining) {
        member->joining = false;
        member->join_request = NULL;
        member->group->joining_count--;
    }
}

void group_expect_sync(group_member *member)
{
    if (!member->sync_expected) {
        member->sync_expected = true;
        member->group->sync_expected_count++;
    }
}

void group_unexpect_sync(group_member *member)
{
    if (member->sync_expected) {
        member->sync_expected = false;
        member->group->sync_expected_count--;
    }
}

/* xorshift128+, of which nobody expects more than different ids. */
static uint64_t random_next(group_core *core)
{
    uint64_t a = core->random[0], b = core->random[1];
    core->random[0] = b;
    a ^= a << 23;
    core->random[1] = a ^ b ^ (a >> 17) ^ (b >> 26);
    return core->random[1] + b;
}

sluice_bytes group_make_member_id(group_core *core, sluice_bytes prefix)
{
    uint64_t high = random_next(core), low = random_next(core);
    sluice_bytes id;
    id.base = sluice_arena_print(
        core->actions->arena, &id.len, "%.*s-%08x-%04x-4%03x-%04x-%012llx",
        (int)prefix.len, prefix.len == 0 ? "" : (const char *)prefix.base,
        (unsigned)(high >> 32), (unsigned)(high >> 16 & 0xffff),
        (unsigned)(high & 0xfff), (unsigned)(0x8000 | (low >> 48 & 0x3fff)),
        (unsigned long long)(low & 0xffffffffffff));
    return id;
}

group_invited *group_invite(group *self, sluice_bytes member_id)
{
    group_invited *invited = memory_zero(sizeof *invited);
    invited->group = self;
    invited->id = group_bytes_copy(member_id);
    invited->timer = (group_timer){.kind = GROUP_TIMER_INVITED, .owner = invited};
    map_put(&self->invited, invited->id.base, invited->id.len, invited);
    return invited;
}

void group_uninvite(group_invited *invited)
{
    group *self = invited->group;
    group_timers_cancel(&self->core->timers, &invited->timer);
    map_remove(&self->invited, invited->id.base, invited->id.len);
    group_bytes_free(&invited->id);
    free(invited);
}

/* ---- Protocols ------------------------------------------------------------------ */

static bool supported_by_all(const group *self, sluice_bytes name)
{
    uintptr_t count = (uintptr_t)map_get(&self->protocol_counts, name.base, name.len);
    return count == map_count(&self->members);
}

bool group_supports(const group *self, const group_join *join)
{
    if (map_count(&self->members) == 0) {
        return join->protocol_type.len > 0 && join->protocol_count > 0;
    }
    if (!group_bytes_equal(self->protocol_type, join->protocol_type)) {
        return false;
    }
    for (size_t i = 0; i < join->protocol_count; i++) {
        if (supported_by_all(self, join->protocols[i].name)) {
            return true;
        }
    }
    return false;
}

/* The member's vote: the first of its protocols that all support. */
static const group_protocol *vote_of(const group *self, const group_member *member)
{
    for (size_t i = 0; i < member->protocol_count; i++) {
        if (supported_by_all(self, member->protocols[i].name)) {
            return &member->protocols[i];
        }
    }
    return NULL;
}

sluice_bytes group_choose_protocol(const group *self)
{
    map votes = MAP_INIT;
    sluice_bytes best = {NULL, 0};
    uintptr_t best_count = 0;
    const map_entry *entry;
    for (size_t at = 0; (entry = map_next(&self->members, &at)) != NULL;) {
        const group_protocol *vote = vote_of(self, entry->value);
        if (vote == NULL) {
            continue;
        }
        uintptr_t count =
            (uintptr_t)map_get(&votes, vote->name.base, vote->name.len) + 1;
        map_put(&votes, vote->name.base, vote->name.len, (void *)count);
        if (count > best_count) {
            best_count = count;
            best = vote->name;
        }
    }
    map_done(&votes);
    return best;
}

int32_t group_rebalance_timeout_ms(const group *self)
{
    int32_t timeout_ms = 0;
    const map_entry *entry;
    for (size_t at = 0; (entry = map_next(&self->members, &at)) != NULL;) {
        const group_member *member = entry->value;
        if (member->rebalance_timeout_ms > timeout_ms) {
            timeout_ms = member->rebalance_timeout_ms;
        }
    }
    return timeout_ms;
}

bool group_all_joined(const group *self)
{
    return self->joining_count == map_count(&self->members) &&
           map_count(&self->invited) == 0;
}
