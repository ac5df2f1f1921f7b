/* The step: an event in, actions out. */
#include "broker/group/core.h"
#include "base/memory.h"
#include "broker/group/answer.h"
#include "broker/group/append.h"
#include "broker/group/group.h"
#include "broker/group/membership.h"
#include "broker/group/offsets.h"
#include "broker/group/rebalance.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

const char *group_state_name(group_state state)
{
    static const char *const names[] = {"Empty", "PreparingRebalance",
                                        "CompletingRebalance", "Stable", "Dead"};
    return names[state];
}

/* ---- Actions -------------------------------------------------------------------- */

void group_actions_init(group_actions *self)
{
    *self = (group_actions){.arena = sluice_arena_new(), .wake_at_ms = INT64_MAX};
}

void group_actions_done(group_actions *self)
{
    sluice_arena_free(self->arena);
    free(self->items);
    *self = (group_actions){0};
}

/* ---- Life ----------------------------------------------------------------------- */

group_core *group_core_new(const group_config *config, const uint64_t seed[2])
{
    assert(config->offsets_partition_count > 0);
    group_core *self = memory_zero(sizeof *self);
    self->config = *config;
    if (self->config.offset_metadata_bytes_max > INT16_MAX) {
        self->config.offset_metadata_bytes_max = INT16_MAX; /* A record's limit. */
    }
    self->random[0] = seed[0];
    self->random[1] = seed[1] | 1; /* Both zero would stay so. */
    self->expiry = (group_timer){.kind = GROUP_TIMER_EXPIRY, .owner = self};
    group_timers_init(&self->timers);
    return self;
}

void group_core_free(group_core *self)
{
    if (self == NULL) {
        return;
    }
    group_append_free_all(self);
    const map_entry *entry;
    for (size_t at = 0; (entry = map_next(&self->groups, &at)) != NULL;) {
        group_free(entry->value);
    }
    map_done(&self->groups);
    group_timers_done(&self->timers);
    free(self);
}

/* Kafka's Utils.abs(groupId.hashCode()): Java hashes UTF-16 units. What is not UTF-8 is
 * hashed byte by byte: any place is right as long as it is always the same. */
static uint32_t java_hash(sluice_bytes text)
{
    const uint8_t *at = text.base, *end = at + text.len;
    uint32_t hash = 0;
    while (at < end) {
        uint32_t lead = *at++, code = lead;
        int more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc0 ? 1 : 0;
        if (more > 0 && end - at >= more) {
            code = lead & (0x3fu >> more);
            for (int i = 0; i < more; i++) {
                code = code << 6 | (*at++ & 0x3f);
            }
        }
        if (code > 0xffff) {
            hash = hash * 31 + (0xd800 + ((code - 0x10000) >> 10));
            code = 0xdc00 + ((code - 0x10000) & 0x3ff);
        }
        hash = hash * 31 + code;
    }
    return hash;
}

int32_t group_core_partition(const group_core *self, sluice_bytes group_id)
{
    uint32_t hash = group_id.len == 0 ? 0 : java_hash(group_id);
    return (int32_t)((hash & 0x7fffffff) %
                     (uint32_t)self->config.offsets_partition_count);
}

/* ---- The step ------------------------------------------------------------------- */

void group_core_begin(group_core *self, group_time now, group_actions *actions)
{
    sluice_arena_reset(actions->arena);
    actions->count = 0;
    self->now = now;
    self->actions = actions;
}

void group_core_end(group_core *self)
{
    self->actions->wake_at_ms = group_timers_deadline(&self->timers);
    self->actions = NULL;
}

static void wake(group_core *self)
{
    group_timer *timer;
    while ((timer = group_timers_take_due(&self->timers, self->now.monotonic_ms)) !=
           NULL) {
        switch (timer->kind) {
        case GROUP_TIMER_SESSION:
            group_session_over(timer->owner);
            break;
        case GROUP_TIMER_INVITED:
            group_invited_over(timer->owner);
            break;
        case GROUP_TIMER_REBALANCE:
            group_phase_over(timer->owner);
            break;
        case GROUP_TIMER_EXPIRY:
            group_expire_offsets(self);
            break;
        }
    }
}

static void handle(group_core *self, const group_event *event)
{
    switch (event->type) {
    case GROUP_JOIN:
        group_handle_join(self, event->request, &event->join);
        break;
    case GROUP_SYNC:
        group_handle_sync(self, event->request, &event->sync);
        break;
    case GROUP_HEARTBEAT:
        group_handle_heartbeat(self, event->request, &event->heartbeat);
        break;
    case GROUP_LEAVE:
        group_handle_leave(self, event->request, &event->leave);
        break;
    case GROUP_COMMIT:
        group_handle_commit(self, event->request, &event->commit);
        break;
    case GROUP_DELETE:
        group_handle_delete(self, event->request, &event->delete);
        break;
    case GROUP_DELETE_OFFSETS:
        group_handle_delete_offsets(self, event->request, &event->delete_offsets);
        break;
    case GROUP_TOPIC_DELETED:
        group_handle_topic_deleted(self, event->topic_deleted);
        break;
    case GROUP_APPENDED:
        group_append_over(self, &event->appended);
        break;
    case GROUP_WAKE:
        wake(self);
        break;
    }
}

void group_core_step(group_core *self, const group_event *event, group_time now,
                     group_actions *ret_actions)
{
    group_core_begin(self, now, ret_actions);
    handle(self, event);
    group_core_end(self);
}

static void end_parked(group *self)
{
    const map_entry *entry;
    for (size_t at = 0; (entry = map_next(&self->members, &at)) != NULL;) {
        group_end_join(entry->value, ERROR_NOT_COORDINATOR);
        group_end_sync(entry->value, ERROR_NOT_COORDINATOR);
    }
}

void group_core_stop(group_core *self, group_time now, group_actions *ret_actions)
{
    group_core_begin(self, now, ret_actions);
    const map_entry *entry;
    for (size_t at = 0; (entry = map_next(&self->groups, &at)) != NULL;) {
        end_parked(entry->value);
    }
    for (size_t at = 0; (entry = map_next(&self->appends, &at)) != NULL;) {
        group_appended failed = {.error_code = ERROR_NOT_LEADER_OR_FOLLOWER};
        memcpy(&failed.token, entry->key, sizeof failed.token);
        group_append_over(self, &failed);
    }
    group_core_end(self);
}
