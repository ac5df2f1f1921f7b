/* broker/group/group.h - what a core knows: groups, their members, their offsets.
 *
 * For the files of this folder only; everybody else uses core.h. group.c keeps the
 * books (who is a member, who leads, which protocols all support, who waits for what)
 * and decides nothing; rebalance.c, membership.c and offsets.c decide.
 *
 * Threads: the core's. Memory: strings in these structs are their owner's. */
#ifndef SLUICE_BROKER_GROUP_GROUP_H
#define SLUICE_BROKER_GROUP_GROUP_H

#include "base/map.h"
#include "broker/group/core.h"
#include "broker/group/timer.h"
#include "protocol/error_code.h"

typedef struct group group;

/* A member, from its join to its leaving or expiry. */
typedef struct group_member {
    group *group;
    sluice_bytes id;
    sluice_bytes instance_id; /* Null: dynamic. */
    sluice_bytes client_id;
    sluice_bytes client_host;
    int32_t rebalance_timeout_ms;
    int32_t session_timeout_ms;
    group_protocol *protocols; /* In order of preference. */
    size_t protocol_count;
    sluice_bytes assignment;
    bool is_new;        /* Has not yet had the answer to its first join. */
    bool joining;       /* A JoinGroup is parked: join_request. */
    bool syncing;       /* A SyncGroup is parked: sync_request. */
    bool sync_expected; /* Was told the generation and has not synced since. */
    group_request join_request;
    group_request sync_request;
    group_timer session;
} group_member;

/* A new dynamic member that was told its id and has not come back with it yet. */
typedef struct group_invited {
    group *group;
    sluice_bytes id;
    group_timer timer;
} group_invited;

/* One partition's committed offset. Written when durable; `newest` keeps an older write
 * that becomes durable later from winning. */
typedef struct group_committed {
    int32_t partition;
    bool present; /* Has a durable value; else there are only writes under way. */
    int32_t leader_epoch;
    int64_t offset;
    sluice_bytes metadata;
    int64_t commit_ms;
    int64_t expire_ms; /* -1: by offsets.retention.minutes. */
    uint64_t newest;   /* Token of the write that set it. */
    uint32_t writes;   /* Under way. */
} group_committed;

typedef struct group_topic {
    sluice_bytes name; /* The map's key. */
    group_committed **partitions;
    size_t count;
    size_t room;
} group_topic;

/* What the group's one rebalance timer stands for. */
typedef enum group_phase {
    GROUP_PHASE_NONE = 0,
    GROUP_PHASE_INITIAL, /* Waiting for more first members. */
    GROUP_PHASE_JOIN,    /* Waiting for members to rejoin. */
    GROUP_PHASE_SYNC,    /* Waiting for members to sync. */
} group_phase;

struct group {
    group_core *core;
    sluice_bytes id;
    group_state state;
    int32_t generation;
    sluice_bytes protocol_type; /* Null: nobody ever joined. */
    sluice_bytes protocol_name; /* Null: none is chosen. */
    group_member *leader;
    map members;         /* id -> group_member */
    map instances;       /* instance id -> group_member */
    map invited;         /* id -> group_invited */
    map protocol_counts; /* name -> how many members support it, as a pointer */
    size_t joining_count;
    size_t sync_expected_count;
    int64_t state_since_ms; /* Wall clock; -1: not known. */

    group_timer rebalance;
    group_phase phase;
    bool newcomer;             /* Somebody came during the initial delay. */
    int64_t initial_rest_ms;   /* How much longer it may still get. */
    bool assignment_under_way; /* An assignment of this generation is being stored. */

    map topics;     /* name -> group_topic */
    size_t appends; /* Under way; a dead group is freed when there are none. */
};

struct group_core {
    group_config config;
    uint64_t random[2];
    map groups;
    map appends; /* token -> group_write (append.h) */
    uint64_t next_token;
    group_timers timers;
    group_timer expiry;
    group_time now;         /* Of the present step. */
    group_actions *actions; /* Of the present step. */
};

/* Around everything that gives actions: empties them and notes the time; then says when
 * to wake. */
void group_core_begin(group_core *core, group_time now, group_actions *actions);
void group_core_end(group_core *core);

/* ---- Strings -------------------------------------------------------------------- */

bool group_bytes_equal(sluice_bytes a, sluice_bytes b);
/* An owned copy; null stays null. */
sluice_bytes group_bytes_copy(sluice_bytes bytes);
void group_bytes_free(sluice_bytes *bytes);
/* A copy in the arena of the present actions. */
sluice_bytes group_bytes_keep(sluice_arena *arena, sluice_bytes bytes);

/* ---- Groups --------------------------------------------------------------------- */

group *group_find(const group_core *core, sluice_bytes group_id); /* Or NULL. */
/* A new one, Empty and in the core's map. */
group *group_create(group_core *core, sluice_bytes group_id);
/* Takes it out of the core's map; freed at once or when its last append is over. */
void group_forget(group *self);
void group_free(group *self);
void group_set_state(group *self, group_state state);
/* Forgets it when nothing at all is known of it any more. */
void group_forget_if_void(group *self);

/* ---- Members -------------------------------------------------------------------- */

group_member *group_find_member(const group *self, sluice_bytes member_id);
group_member *group_find_instance(const group *self, sluice_bytes instance_id);
/* Checks a member named by a request: ERROR_NONE and the member, or UNKNOWN_MEMBER_ID
 * or FENCED_INSTANCE_ID. */
int16_t group_check_member(const group *self, sluice_bytes member_id,
                           sluice_bytes instance_id, group_member **ret_member);

/* A new member with a copy of everything; the first becomes the leader. */
group_member *group_add_member(group *self, sluice_bytes member_id,
                               const group_join *join);
/* Takes it out and frees it. Its parked requests must have been answered. */
void group_remove_member(group *self, group_member *member);
/* Gives a static member another id. */
void group_rename_member(group *self, group_member *member, sluice_bytes member_id);
void group_update_member(group *self, group_member *member, const group_join *join);
/* Whether the member supports exactly these protocols with these metadata. */
bool group_member_matches(const group_member *member, const group_join *join);
/* The member's metadata for a protocol; empty when it does not support it. */
sluice_bytes group_member_metadata(const group_member *member, sluice_bytes protocol);

void group_set_joining(group_member *member, group_request request);
void group_unset_joining(group_member *member);
void group_expect_sync(group_member *member);
void group_unexpect_sync(group_member *member);

/* A member id nobody has: `prefix`-uuid. In the arena. */
sluice_bytes group_make_member_id(group_core *core, sluice_bytes prefix);

group_invited *group_invite(group *self, sluice_bytes member_id);
void group_uninvite(group_invited *invited);

/* ---- Protocols ------------------------------------------------------------------ */

/* Whether a member with these could belong to the group. */
bool group_supports(const group *self, const group_join *join);
/* The protocol all members support and most prefer; null when there is none. */
sluice_bytes group_choose_protocol(const group *self);
/* The largest of the members' rebalance timeouts. */
int32_t group_rebalance_timeout_ms(const group *self);
bool group_all_joined(const group *self);

#endif
