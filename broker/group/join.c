/* JoinGroup: who may come in, and what that means for the others. */
#include "broker/group/answer.h"
#include "broker/group/append.h"
#include "broker/group/membership.h"
#include "broker/group/offsets.h"
#include "broker/group/rebalance.h"
#include "broker/group/subscription.h"
#include <assert.h>

/* More assignors than anybody has; comparing them takes time. */
enum { protocols_max = 1000 };

static const sluice_bytes nobody = {"", 0};

/* ---- Checks that need no group -------------------------------------------------- */

static bool text_too_long(sluice_bytes text)
{
    return text.len > INT16_MAX; /* The records could not carry it. */
}

static bool protocols_too_long(const group_join *join)
{
    for (size_t i = 0; i < join->protocol_count; i++) {
        if (text_too_long(join->protocols[i].name)) {
            return true;
        }
    }
    return join->protocol_count > protocols_max;
}

static int16_t request_check(const group_core *core, const group_join *join)
{
    if (join->group_id.len == 0 || text_too_long(join->group_id)) {
        return ERROR_INVALID_GROUP_ID;
    }
    if (join->session_timeout_ms < core->config.session_timeout_ms_min ||
        join->session_timeout_ms > core->config.session_timeout_ms_max) {
        return ERROR_INVALID_SESSION_TIMEOUT;
    }
    if (text_too_long(join->protocol_type) || protocols_too_long(join)) {
        return ERROR_INCONSISTENT_GROUP_PROTOCOL;
    }
    if (text_too_long(join->instance_id) || text_too_long(join->client_id)) {
        return ERROR_INVALID_REQUEST;
    }
    return ERROR_NONE;
}

/* ---- Coming in ------------------------------------------------------------------ */

/* Whether there is room. While members join, those that are there already count, for
 * others may stay away; members that were let in keep their places. */
static bool has_room(const group *self, sluice_bytes member_id)
{
    const group_member *member = group_find_member(self, member_id);
    size_t size_max = (size_t)self->core->config.size_max;
    switch (self->state) {
    case GROUP_PREPARING_REBALANCE:
        return (member != NULL && member->joining) || self->joining_count < size_max;
    case GROUP_COMPLETING_REBALANCE:
    case GROUP_STABLE:
        return member != NULL || map_count(&self->members) < size_max;
    case GROUP_EMPTY:
    case GROUP_DEAD:
        break;
    }
    return true;
}

static void park(group_member *member, group_request request)
{
    /* A member that asks again has lost the connection of the first. */
    group_end_join(member, ERROR_REBALANCE_IN_PROGRESS);
    group_set_joining(member, request);
}

static void add_member(group *self, group_request request, const group_join *join,
                       sluice_bytes member_id)
{
    group_member *member = group_add_member(self, member_id, join);
    member->is_new = true;
    if (self->phase == GROUP_PHASE_INITIAL) {
        self->newcomer = true;
    }
    park(member, request);
    group_touch(member);
    group_expire_later(self->core);
    group_rebalance(self);
}

static void update_member(group *self, group_request request, const group_join *join,
                          group_member *member)
{
    group_update_member(self, member, join);
    park(member, request);
    group_rebalance(self);
}

/* A first join without id: the member is told one and comes back, so that a client that
 * never hears the answer does not leave a member behind (KIP-394). */
static void invite(group *self, group_request request, const group_join *join)
{
    sluice_bytes member_id = group_make_member_id(self->core, join->client_id);
    group_invited *invited = group_invite(self, member_id);
    group_timers_set(&self->core->timers, &invited->timer,
                     self->core->now.monotonic_ms + join->session_timeout_ms);
    group_answer_error(self->core, GROUP_JOIN, request, ERROR_MEMBER_ID_REQUIRED,
                       member_id);
}

/* ---- Static members ------------------------------------------------------------- */

static sluice_bytes metadata_of(const group_join *join, sluice_bytes protocol)
{
    for (size_t i = 0; i < join->protocol_count; i++) {
        if (group_bytes_equal(join->protocols[i].name, protocol)) {
            return join->protocols[i].metadata;
        }
    }
    return nobody;
}

/* Whether a member that takes its old place again reads what it read before. Only the
 * topics of consumers count: the rest of their metadata (the partitions they own, their
 * generation) always changes with a restart. Of other types nothing is known, so for
 * them the protocol decides, as in Kafka. */
static bool reads_the_same(const group *self, const group_member *member,
                           const group_join *join)
{
    static const sluice_bytes consumer = {"consumer", 8};
    return !group_bytes_equal(self->protocol_type, consumer) ||
           group_subscription_same(group_member_metadata(member, self->protocol_name),
                                   metadata_of(join, self->protocol_name));
}

/* The instance is known and comes with an empty member id: it was restarted. It gets a
 * new id, which fences the old one. In a Stable group nothing else changes if its
 * subscription has not (KIP-345). */
static void take_place_again(group *self, group_request request, const group_join *join,
                             group_member *member)
{
    group_core *core = self->core;
    bool same = reads_the_same(self, member, join);
    group_end_join(member, ERROR_FENCED_INSTANCE_ID);
    group_end_sync(member, ERROR_FENCED_INSTANCE_ID);
    sluice_bytes leader_before = nobody;
    if (self->leader != NULL) {
        leader_before = group_bytes_keep(core->actions->arena, self->leader->id);
    }
    group_rename_member(self, member, group_make_member_id(core, join->instance_id));
    group_update_member(self, member, join);
    if (self->state == GROUP_STABLE && same &&
        group_bytes_equal(self->protocol_name, group_choose_protocol(self))) {
        group_touch(member);
        group_append_place(member, request, join->skips_assignment, leader_before);
        return;
    }
    group_set_joining(member, request);
    group_touch(member);
    group_rebalance(self);
}

/* ---- New members ---------------------------------------------------------------- */

static void join_new(group *self, group_request request, const group_join *join)
{
    group_core *core = self->core;
    if (!group_supports(self, join)) {
        group_answer_error(core, GROUP_JOIN, request, ERROR_INCONSISTENT_GROUP_PROTOCOL,
                           nobody);
    } else if (join->instance_id.base != NULL) {
        group_member *known = group_find_instance(self, join->instance_id);
        if (known != NULL) {
            take_place_again(self, request, join, known);
        } else {
            add_member(self, request, join,
                       group_make_member_id(core, join->instance_id));
        }
    } else if (join->needs_member_id) {
        invite(self, request, join);
    } else {
        add_member(self, request, join, group_make_member_id(core, join->client_id));
    }
}

/* ---- Members that come back ----------------------------------------------------- */

/* Whether the join changes nothing, so that the present generation is the answer. */
static bool changes_nothing(const group *self, const group_member *member,
                            const group_join *join)
{
    switch (self->state) {
    case GROUP_COMPLETING_REBALANCE:
        return group_member_matches(member, join); /* It lost the answer. */
    case GROUP_STABLE: /* The leader asks for a rebalance by joining. */
        return self->leader != member && group_member_matches(member, join);
    case GROUP_EMPTY:
    case GROUP_PREPARING_REBALANCE:
    case GROUP_DEAD:
        break;
    }
    return false;
}

static void join_known(group *self, group_request request, const group_join *join)
{
    group_core *core = self->core;
    if (!group_supports(self, join)) {
        group_answer_error(core, GROUP_JOIN, request, ERROR_INCONSISTENT_GROUP_PROTOCOL,
                           join->member_id);
        return;
    }
    group_invited *invited =
        map_get(&self->invited, join->member_id.base, join->member_id.len);
    if (invited != NULL && join->instance_id.base == NULL) {
        group_uninvite(invited);
        add_member(self, request, join, join->member_id);
        return;
    }
    group_member *member;
    int16_t error_code =
        group_check_member(self, join->member_id, join->instance_id, &member);
    if (error_code != ERROR_NONE) {
        group_answer_error(core, GROUP_JOIN, request, error_code, join->member_id);
    } else if (changes_nothing(self, member, join)) {
        group_touch(member);
        bool leads = self->leader == member;
        group_answer_join(member, request,
                          leads && self->state == GROUP_COMPLETING_REBALANCE);
    } else {
        update_member(self, request, join, member);
    }
}

/* No room: whoever was on the way in is out. */
static void refuse_full(group *self, group_request request, const group_join *join)
{
    group_core *core = self->core;
    group_answer_error(core, GROUP_JOIN, request, ERROR_GROUP_MAX_SIZE_REACHED, nobody);
    group_member *member = group_find_member(self, join->member_id);
    group_invited *invited =
        map_get(&self->invited, join->member_id.base, join->member_id.len);
    if (member != NULL) {
        group_expel(member);
    }
    if (invited != NULL) {
        group_uninvite(invited);
    }
    group_rebalance_check(self);
}

void group_handle_join(group_core *core, group_request request, const group_join *join)
{
    int16_t error_code = request_check(core, join);
    bool is_new = join->member_id.len == 0;
    if (error_code != ERROR_NONE) {
        group_answer_error(core, GROUP_JOIN, request, error_code, nobody);
        return;
    }
    group *self = group_find(core, join->group_id);
    if (self == NULL && !is_new) {
        group_answer_error(core, GROUP_JOIN, request, ERROR_UNKNOWN_MEMBER_ID,
                           join->member_id);
        return;
    }
    if (self == NULL) {
        self = group_create(core, join->group_id);
    }
    if (!has_room(self, join->member_id)) {
        refuse_full(self, request, join);
    } else if (is_new) {
        join_new(self, request, join);
    } else {
        join_known(self, request, join);
    }
    group_forget_if_void(self);
}
