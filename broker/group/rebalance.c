/* From one generation to the next. */
#include "broker/group/rebalance.h"
#include "broker/group/answer.h"
#include "broker/group/append.h"
#include <assert.h>

enum {
    /* A new member does not know its id yet and cannot heartbeat; it is given up when
     * the others have not joined after this long (Kafka's constant). */
    new_member_timeout_ms = 5 * 60 * 1000,
    /* How often a group of absent static members is looked at, at most. */
    absent_wait_ms_min = 1000,
};

static void timer_set(group_core *core, group_timer *timer, int64_t delay_ms)
{
    group_timers_set(&core->timers, timer, core->now.monotonic_ms + delay_ms);
}

static void phase_set(group *self, group_phase phase, int64_t delay_ms)
{
    self->phase = phase;
    timer_set(self->core, &self->rebalance, delay_ms);
}

static void phase_end(group *self)
{
    self->phase = GROUP_PHASE_NONE;
    group_timers_cancel(&self->core->timers, &self->rebalance);
}

void group_touch(group_member *member)
{
    timer_set(member->group->core, &member->session,
              member->is_new && member->joining ? new_member_timeout_ms
                                                : member->session_timeout_ms);
}

/* ---- Completing the join -------------------------------------------------------- */

/* Dynamic members that did not rejoin in time are out; static ones keep their place
 * until their session is over. */
static void drop_missing(group *self)
{
    const map_entry *entry;
    for (size_t at = 0; (entry = map_next(&self->members, &at)) != NULL;) {
        group_member *member = entry->value;
        if (!member->joining && member->instance_id.base == NULL) {
            group_expel(member);
        }
    }
}

/* Whether somebody who is here leads, after making it so. */
static bool leader_is_here(group *self)
{
    if (self->leader != NULL && self->leader->joining) {
        return true;
    }
    const map_entry *entry;
    for (size_t at = 0; (entry = map_next(&self->members, &at)) != NULL;) {
        group_member *member = entry->value;
        if (member->joining) {
            self->leader = member;
            return true;
        }
    }
    return false;
}

static void become_empty(group *self)
{
    group_bytes_free(&self->protocol_name);
    self->generation++;
    group_set_state(self, GROUP_EMPTY);
    group_append_metadata(self);
}

static void answer_joined(group *self)
{
    const map_entry *entry;
    for (size_t at = 0; (entry = map_next(&self->members, &at)) != NULL;) {
        group_member *member = entry->value;
        if (member->joining) {
            group_answer_join(member, member->join_request, member == self->leader);
            group_unset_joining(member);
        }
        member->is_new = false;
        group_touch(member);
        group_expect_sync(member);
    }
}

static void complete_join(group *self)
{
    assert(self->state == GROUP_PREPARING_REBALANCE);
    phase_end(self);
    drop_missing(self);
    if (map_count(&self->members) == 0) {
        become_empty(self);
        return;
    }
    if (!leader_is_here(self)) {
        /* Only static members that stay away: they have until their sessions end. */
        int32_t wait_ms = group_rebalance_timeout_ms(self);
        phase_set(self, GROUP_PHASE_JOIN,
                  wait_ms > absent_wait_ms_min ? wait_ms : absent_wait_ms_min);
        return;
    }
    sluice_bytes chosen = group_bytes_copy(group_choose_protocol(self));
    group_bytes_free(&self->protocol_name);
    self->protocol_name = chosen;
    self->generation++;
    self->assignment_under_way = false;
    group_set_state(self, GROUP_COMPLETING_REBALANCE);
    answer_joined(self);
    phase_set(self, GROUP_PHASE_SYNC, group_rebalance_timeout_ms(self));
}

void group_rebalance_check(group *self)
{
    if (self->state == GROUP_PREPARING_REBALANCE &&
        self->phase != GROUP_PHASE_INITIAL && group_all_joined(self)) {
        complete_join(self);
    }
}

/* ---- Beginning ------------------------------------------------------------------ */

static void end_all_syncs(group *self, int16_t error_code)
{
    const map_entry *entry;
    for (size_t at = 0; (entry = map_next(&self->members, &at)) != NULL;) {
        group_member *member = entry->value;
        if (member->syncing) {
            group_end_sync(member, error_code);
            group_touch(member);
        }
        group_unexpect_sync(member);
    }
}

static void forget_assignments(group *self)
{
    const map_entry *entry;
    for (size_t at = 0; (entry = map_next(&self->members, &at)) != NULL;) {
        group_member *member = entry->value;
        group_bytes_free(&member->assignment);
        member->assignment = group_bytes_copy((sluice_bytes){"", 0});
    }
}

/* The first members of a group: others are likely to be on their way. */
static void begin_initial(group *self)
{
    int64_t delay_ms = self->core->config.initial_rebalance_delay_ms;
    int64_t limit_ms = group_rebalance_timeout_ms(self);
    if (delay_ms == 0) {
        complete_join(self);
        return;
    }
    self->newcomer = false;
    self->initial_rest_ms = limit_ms > delay_ms ? limit_ms - delay_ms : 0;
    phase_set(self, GROUP_PHASE_INITIAL, delay_ms);
}

static void begin(group *self)
{
    if (self->state == GROUP_COMPLETING_REBALANCE) {
        forget_assignments(self);
    }
    end_all_syncs(self, ERROR_REBALANCE_IN_PROGRESS);
    phase_end(self);
    self->assignment_under_way = false;
    bool was_empty = self->state == GROUP_EMPTY;
    group_set_state(self, GROUP_PREPARING_REBALANCE);
    if (was_empty) {
        begin_initial(self);
        return;
    }
    phase_set(self, GROUP_PHASE_JOIN, group_rebalance_timeout_ms(self));
    group_rebalance_check(self);
}

void group_rebalance(group *self)
{
    switch (self->state) {
    case GROUP_EMPTY:
    case GROUP_COMPLETING_REBALANCE:
    case GROUP_STABLE:
        begin(self);
        break;
    case GROUP_PREPARING_REBALANCE:
        group_rebalance_check(self);
        break;
    case GROUP_DEAD:
        break;
    }
}

void group_expel(group_member *member)
{
    group_end_join(member, ERROR_UNKNOWN_MEMBER_ID);
    group_end_sync(member, ERROR_UNKNOWN_MEMBER_ID);
    group_remove_member(member->group, member);
}

void group_synced(group_member *member)
{
    group *self = member->group;
    group_unexpect_sync(member);
    if (self->sync_expected_count == 0 && self->phase == GROUP_PHASE_SYNC) {
        phase_end(self);
    }
}

/* ---- Assignments ---------------------------------------------------------------- */

static void assign(group *self, const group_assignment *assignments, size_t count)
{
    forget_assignments(self);
    for (size_t i = 0; i < count; i++) {
        group_member *member = group_find_member(self, assignments[i].member_id);
        if (member != NULL && assignments[i].assignment.base != NULL) {
            group_bytes_free(&member->assignment);
            member->assignment = group_bytes_copy(assignments[i].assignment);
        }
    }
}

static void answer_synced(group *self)
{
    const map_entry *entry;
    for (size_t at = 0; (entry = map_next(&self->members, &at)) != NULL;) {
        group_member *member = entry->value;
        if (member->syncing) {
            group_answer_sync(member, member->sync_request);
            member->syncing = false;
            member->sync_request = NULL;
            group_touch(member);
        }
    }
}

void group_assigned(group *self, const group_assignment *assignments, size_t count,
                    int16_t error_code)
{
    assert(self->state == GROUP_COMPLETING_REBALANCE);
    self->assignment_under_way = false;
    if (error_code != ERROR_NONE) {
        end_all_syncs(self, error_code);
        group_rebalance(self);
        return;
    }
    assign(self, assignments, count);
    group_set_state(self, GROUP_STABLE);
    answer_synced(self);
}

/* ---- Timers --------------------------------------------------------------------- */

/* Members that were told the generation and never synced hold up the others. */
static void drop_unsynced(group *self)
{
    const map_entry *entry;
    for (size_t at = 0; (entry = map_next(&self->members, &at)) != NULL;) {
        group_member *member = entry->value;
        if (member->sync_expected) {
            group_expel(member);
        }
    }
    group_rebalance(self);
}

static void initial_over(group *self)
{
    int64_t delay_ms = self->core->config.initial_rebalance_delay_ms;
    int64_t more_ms =
        delay_ms < self->initial_rest_ms ? delay_ms : self->initial_rest_ms;
    if (!self->newcomer || more_ms == 0) {
        complete_join(self);
        return;
    }
    self->newcomer = false;
    self->initial_rest_ms -= more_ms;
    phase_set(self, GROUP_PHASE_INITIAL, more_ms);
}

void group_phase_over(group *self)
{
    switch (self->phase) {
    case GROUP_PHASE_NONE:
        break;
    case GROUP_PHASE_INITIAL:
        initial_over(self);
        break;
    case GROUP_PHASE_JOIN:
        complete_join(self);
        break;
    case GROUP_PHASE_SYNC:
        self->phase = GROUP_PHASE_NONE;
        if (self->sync_expected_count > 0) {
            drop_unsynced(self);
        }
        break;
    }
}

void group_session_over(group_member *member)
{
    group *self = member->group;
    /* A parked request is a sign of life; its answer starts the session again. Only a
     * new member, which does not know its id yet, is given up while it waits. */
    if ((member->joining && !member->is_new) || member->syncing) {
        return;
    }
    group_expel(member);
    group_rebalance(self);
}

void group_invited_over(group_invited *invited)
{
    group *self = invited->group;
    group_uninvite(invited);
    group_rebalance_check(self);
    group_forget_if_void(self);
}
