/* SyncGroup, Heartbeat and LeaveGroup. */
#include "broker/group/membership.h"
#include "broker/group/answer.h"
#include "broker/group/append.h"
#include "broker/group/rebalance.h"

static const sluice_bytes nothing = {NULL, 0};

/* The group and member that a request names, if they are there and of this
 * generation. */
static int16_t find_current(const group_core *core, sluice_bytes group_id,
                            int32_t generation, sluice_bytes member_id,
                            sluice_bytes instance_id, group_member **ret_member)
{
    if (group_id.len == 0) {
        return ERROR_INVALID_GROUP_ID;
    }
    const group *self = group_find(core, group_id);
    if (self == NULL) {
        return ERROR_UNKNOWN_MEMBER_ID;
    }
    int16_t error_code = group_check_member(self, member_id, instance_id, ret_member);
    if (error_code == ERROR_NONE && generation != self->generation) {
        error_code = ERROR_ILLEGAL_GENERATION;
    }
    return error_code;
}

/* ---- SyncGroup ------------------------------------------------------------------ */

static void park(group_member *member, group_request request)
{
    /* A member that asks again has lost the connection of the first. */
    group_end_sync(member, ERROR_REBALANCE_IN_PROGRESS);
    member->syncing = true;
    member->sync_request = request;
}

static bool same_if_said(sluice_bytes said, sluice_bytes own)
{
    return said.base == NULL || group_bytes_equal(said, own);
}

static int16_t sync_check(const group_member *member, const group_sync *sync)
{
    const group *self = member->group;
    if (self->state == GROUP_PREPARING_REBALANCE) {
        return ERROR_REBALANCE_IN_PROGRESS;
    }
    return same_if_said(sync->protocol_type, self->protocol_type) &&
                   same_if_said(sync->protocol_name, self->protocol_name)
               ? ERROR_NONE
               : ERROR_INCONSISTENT_GROUP_PROTOCOL;
}

void group_handle_sync(group_core *core, group_request request, const group_sync *sync)
{
    group_member *member = NULL;
    int16_t error_code = find_current(core, sync->group_id, sync->generation,
                                      sync->member_id, sync->instance_id, &member);
    if (error_code == ERROR_NONE) {
        error_code = sync_check(member, sync);
    }
    if (error_code != ERROR_NONE) {
        group_answer_error(core, GROUP_SYNC, request, error_code, nothing);
        return;
    }
    group *self = member->group;
    group_synced(member);
    group_touch(member);
    if (self->state == GROUP_STABLE) {
        group_answer_sync(member, request);
        return;
    }
    park(member, request);
    if (self->leader == member && !self->assignment_under_way) {
        group_append_assignment(self, sync->assignments, sync->assignment_count);
    }
}

/* ---- Heartbeat ------------------------------------------------------------------ */

void group_handle_heartbeat(group_core *core, group_request request,
                            const group_heartbeat *heartbeat)
{
    group_member *member = NULL;
    int16_t error_code =
        find_current(core, heartbeat->group_id, heartbeat->generation,
                     heartbeat->member_id, heartbeat->instance_id, &member);
    if (error_code == ERROR_NONE) {
        group_touch(member);
        if (member->group->state == GROUP_PREPARING_REBALANCE) {
            error_code = ERROR_REBALANCE_IN_PROGRESS;
        }
    }
    group_answer_error(core, GROUP_HEARTBEAT, request, error_code, nothing);
}

/* ---- LeaveGroup ----------------------------------------------------------------- */

static int16_t leave_one(group *self, const group_identity *identity)
{
    group_member *member = NULL;
    if (identity->member_id.len == 0) { /* A tool removes a static member by name. */
        member = identity->instance_id.base == NULL
                     ? NULL
                     : group_find_instance(self, identity->instance_id);
        if (member == NULL) {
            return ERROR_UNKNOWN_MEMBER_ID;
        }
    } else {
        group_invited *invited =
            map_get(&self->invited, identity->member_id.base, identity->member_id.len);
        if (invited != NULL && identity->instance_id.base == NULL) {
            group_uninvite(invited);
            return ERROR_NONE;
        }
        int16_t error_code = group_check_member(self, identity->member_id,
                                                identity->instance_id, &member);
        if (error_code != ERROR_NONE) {
            return error_code;
        }
    }
    group_expel(member);
    return ERROR_NONE;
}

void group_handle_leave(group_core *core, group_request request,
                        const group_leave *leave)
{
    group *self = group_find(core, leave->group_id);
    if (leave->group_id.len == 0) {
        group_answer_codes(core, GROUP_LEAVE, request, ERROR_INVALID_GROUP_ID, NULL, 0);
        return;
    }
    size_t members_before = self == NULL ? 0 : map_count(&self->members);
    int16_t *codes = group_codes(core, leave->member_count);
    for (size_t i = 0; i < leave->member_count; i++) {
        codes[i] = self == NULL ? ERROR_UNKNOWN_MEMBER_ID
                                : leave_one(self, &leave->members[i]);
    }
    group_answer_codes(core, GROUP_LEAVE, request, ERROR_NONE, codes,
                       leave->member_count);
    if (self == NULL) {
        return;
    }
    if (map_count(&self->members) < members_before) {
        group_rebalance(self);
    } else {
        group_rebalance_check(self);
    }
    group_forget_if_void(self);
}
