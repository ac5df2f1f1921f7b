/* broker/group/core.h - Kafka's classic group coordinator as one step function.
 *
 *     event ──► group_core_step(core, event, now) ──► actions
 *
 * No clock, no socket, no file inside: the edge (coordinator.h) tells what happened and
 * what time it is, and carries out what comes back:
 *
 *     GROUP_ANSWER   send this answer to the request that the event named, which may
 *                    have been parked long ago. Every request is answered exactly once.
 *     GROUP_APPEND   append these records to a partition of `__consumer_offsets`, in
 *                    this order, and tell when they are durable: a GROUP_APPENDED event
 *                    with the token. Answers that depend on it come then.
 *     wake_at_ms     send a GROUP_WAKE event at this time: one deadline for all timers.
 *
 * States of a group, and what leads from one to the next:
 *
 *              first join
 *      Empty ──────────────► PreparingRebalance ◄──────────────────────┐
 *        ▲    nobody came      │    │                                  │
 *        └─────────────────────┘    │ all have joined,        join, leave, expiry
 *                                   ▼ or time is over                  │
 *                          CompletingRebalance ────────────────────────┤
 *                                   │ the leader's assignment          │
 *                                   ▼ is stored                        │
 *                                 Stable ──────────────────────────────┘
 *
 * A group whose offsets have all expired, or that is deleted, is Dead and forgotten.
 *
 * Committed offsets and assignments become visible when they are durable, so that what
 * is read back after a crash is what was seen before it.
 *
 * Threads: a core belongs to one thread at a time.
 * Memory: everything in an event is borrowed for the step. Everything in actions lives
 * until the next step that is given them, or group_actions_done(); what an answer
 * echoes from its event lives as long as that. */
#ifndef SLUICE_BROKER_GROUP_CORE_H
#define SLUICE_BROKER_GROUP_CORE_H

#include <sluice/arena.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct group_core group_core;

/* What a request is to the edge; never looked into. */
typedef void *group_request;

/* Two clocks: sessions run on the first, which never jumps; what is stored carries the
 * second, milliseconds since 1970. */
typedef struct group_time {
    int64_t monotonic_ms;
    int64_t wall_ms;
} group_time;

/* The broker's keys of the same names, as milliseconds. */
typedef struct group_config {
    int32_t session_timeout_ms_min;
    int32_t session_timeout_ms_max;
    int32_t initial_rebalance_delay_ms;
    int32_t size_max;
    int32_t offset_metadata_bytes_max;
    int64_t offsets_retention_ms;
    int64_t offsets_retention_check_interval_ms;
    int32_t offsets_partition_count; /* Of `__consumer_offsets`; 1 or more. */
} group_config;

/* Kafka's defaults, but no initial delay: that saves a cluster some rebalances and
 * costs everybody else three seconds, so every quickstart sets it to 0. */
#define GROUP_CONFIG_DEFAULT                                                           \
    {                                                                                  \
        6000, 1800000, 0, INT32_MAX, 4096, INT64_C(604800000), 600000, 50              \
    }

/* The states, with Kafka's names: group_state_name(). */
typedef enum group_state {
    GROUP_EMPTY = 0,
    GROUP_PREPARING_REBALANCE,
    GROUP_COMPLETING_REBALANCE,
    GROUP_STABLE,
    GROUP_DEAD,
} group_state;

const char *group_state_name(group_state state);

/* ---- Events ----------------------------------------------------------------------
 * Names follow the requests' fields. A null string is one whose `base` is NULL. */

typedef struct group_protocol {
    sluice_bytes name;
    sluice_bytes metadata;
} group_protocol;

typedef struct group_join {
    sluice_bytes group_id;
    sluice_bytes member_id; /* Empty: a new member. */
    sluice_bytes instance_id;
    sluice_bytes client_id;
    sluice_bytes client_host; /* "/127.0.0.1" */
    sluice_bytes protocol_type;
    int32_t session_timeout_ms;
    int32_t rebalance_timeout_ms;
    const group_protocol *protocols;
    size_t protocol_count;
    bool needs_member_id;  /* v4+: a new dynamic member must come back with its id. */
    bool skips_assignment; /* v9+: the answer can say so. */
} group_join;

typedef struct group_assignment {
    sluice_bytes member_id;
    sluice_bytes assignment;
} group_assignment;

typedef struct group_sync {
    sluice_bytes group_id;
    int32_t generation;
    sluice_bytes member_id;
    sluice_bytes instance_id;
    sluice_bytes protocol_type; /* Null: not said. */
    sluice_bytes protocol_name; /* Null: not said. */
    const group_assignment *assignments;
    size_t assignment_count;
} group_sync;

typedef struct group_heartbeat {
    sluice_bytes group_id;
    int32_t generation;
    sluice_bytes member_id;
    sluice_bytes instance_id;
} group_heartbeat;

typedef struct group_identity {
    sluice_bytes member_id;
    sluice_bytes instance_id;
} group_identity;

typedef struct group_leave {
    sluice_bytes group_id;
    const group_identity *members;
    size_t member_count;
} group_leave;

typedef struct group_commit_partition {
    sluice_bytes topic;
    int32_t partition;
    int64_t offset;
    int32_t leader_epoch; /* -1: unknown. */
    sluice_bytes metadata;
    int16_t error_code; /* Not 0: already refused by the edge; echoed, not stored. */
} group_commit_partition;

typedef struct group_commit {
    sluice_bytes group_id;
    int32_t generation; /* -1: not a member. */
    sluice_bytes member_id;
    sluice_bytes instance_id;
    bool names_missing_group; /* v9+: the answer can say that there is no group. */
    int64_t retention_ms;     /* -1: offsets.retention.minutes. */
    const group_commit_partition *partitions;
    size_t partition_count;
} group_commit;

typedef struct group_delete {
    const sluice_bytes *group_ids;
    size_t count;
} group_delete;

typedef struct group_delete_partition {
    sluice_bytes topic;
    int32_t partition;
    int16_t error_code; /* As in group_commit_partition. */
} group_delete_partition;

typedef struct group_delete_offsets {
    sluice_bytes group_id;
    const group_delete_partition *partitions;
    size_t partition_count;
} group_delete_offsets;

typedef struct group_appended {
    uint64_t token;
    int16_t error_code; /* 0: durable. Else Kafka's code: nothing was stored. */
} group_appended;

typedef enum group_event_type {
    GROUP_JOIN = 0,
    GROUP_SYNC,
    GROUP_HEARTBEAT,
    GROUP_LEAVE,
    GROUP_COMMIT,
    GROUP_DELETE,
    GROUP_DELETE_OFFSETS,
    GROUP_TOPIC_DELETED, /* Not a request: nothing is answered. */
    GROUP_APPENDED,      /* Not a request. */
    GROUP_WAKE,          /* Not a request; allowed at any time. */
} group_event_type;

typedef struct group_event {
    group_event_type type;
    group_request request;
    union {
        group_join join;
        group_sync sync;
        group_heartbeat heartbeat;
        group_leave leave;
        group_commit commit;
        group_delete delete;
        group_delete_offsets delete_offsets;
        sluice_bytes topic_deleted;
        group_appended appended;
    };
} group_event;

/* ---- Actions -------------------------------------------------------------------- */

typedef struct group_join_member {
    sluice_bytes member_id;
    sluice_bytes instance_id;
    sluice_bytes metadata;
} group_join_member;

/* An answer: `error_code`, then what its request's type has. */
typedef struct group_answer {
    group_event_type type; /* Of the event that brought the request. */
    group_request request;
    int16_t error_code;

    /* GROUP_JOIN: generation is -1, and protocol and leader are null, with an error. */
    int32_t generation;
    sluice_bytes leader;
    sluice_bytes member_id;
    bool skip_assignment;
    const group_join_member *members; /* The leader's answer only. */
    size_t member_count;

    /* GROUP_JOIN and GROUP_SYNC. */
    sluice_bytes protocol_type;
    sluice_bytes protocol_name;

    /* GROUP_SYNC. */
    sluice_bytes assignment;

    /* GROUP_LEAVE, GROUP_COMMIT, GROUP_DELETE, GROUP_DELETE_OFFSETS: a code for each
     * element of the event, in its order. For GROUP_LEAVE and GROUP_DELETE_OFFSETS the
     * count is 0 when `error_code` says that the whole was refused. */
    const int16_t *error_codes;
    size_t error_count;
} group_answer;

typedef struct group_record {
    sluice_bytes key;
    sluice_bytes value; /* Null: a tombstone. */
} group_record;

typedef struct group_append {
    uint64_t token;
    int32_t partition;
    int64_t timestamp_ms;
    group_record *records;
    size_t record_count;
} group_append;

typedef enum group_action_type { GROUP_ANSWER = 0, GROUP_APPEND } group_action_type;

typedef struct group_action {
    group_action_type type;
    union {
        group_answer answer;
        group_append append;
    };
} group_action;

typedef struct group_actions {
    group_action *items;
    size_t count;
    size_t room;
    sluice_arena *arena;
    int64_t wake_at_ms; /* Monotonic; INT64_MAX: nothing is to come. */
} group_actions;

void group_actions_init(group_actions *self);
void group_actions_done(group_actions *self);

/* ---- The core ------------------------------------------------------------------- */

/* `seed` makes member ids: 16 random bytes, another in each process. The result is the
 * caller's: group_core_free(). */
group_core *group_core_new(const group_config *config, const uint64_t seed[2]);
void group_core_free(group_core *self); /* NULL is accepted. */

/* Handles one event. `ret_actions` is emptied first. */
void group_core_step(group_core *self, const group_event *event, group_time now,
                     group_actions *ret_actions);

/* Ends all: what is parked, or waits for an append, is answered NOT_COORDINATOR. No
 * step follows. */
void group_core_stop(group_core *self, group_time now, group_actions *ret_actions);

/* The partition of `__consumer_offsets` that holds a group, as Kafka computes it. */
int32_t group_core_partition(const group_core *self, sluice_bytes group_id);

/* ---- Loading, before the first step --------------------------------------------- */

/* Takes one record of `__consumer_offsets`, the oldest first; later ones win. Records
 * of other kinds (the newer group protocol's) are passed over. SLUICE_BAD_RECORD with
 * the reason when it cannot be read: the edge logs it and goes on. */
sluice_status group_core_load(group_core *self, sluice_bytes key, sluice_bytes value,
                              sluice_error *err);

/* After the last one: loaded members get a full session from now on. Sets `ret_actions`
 * as a step does. */
void group_core_loaded(group_core *self, group_time now, group_actions *ret_actions);

/* ---- Questions. Results are in `arena`; strings in them too. -------------------- */

typedef struct group_offset {
    sluice_bytes topic;
    int32_t partition;
    int64_t offset;       /* -1: nothing was committed. */
    int32_t leader_epoch; /* -1: unknown. */
    sluice_bytes metadata;
} group_offset;

/* The committed offset of one partition; an unknown group has none. */
group_offset group_core_offset(const group_core *self, sluice_bytes group_id,
                               sluice_bytes topic, int32_t partition,
                               sluice_arena *arena);

/* All committed offsets of a group: those of a topic stand together, topics in the
 * order of their first commit. */
void group_core_offsets(const group_core *self, sluice_bytes group_id,
                        sluice_arena *arena, group_offset **ret_offsets,
                        size_t *ret_count);

typedef struct group_member_description {
    sluice_bytes member_id;
    sluice_bytes instance_id;
    sluice_bytes client_id;
    sluice_bytes client_host;
    sluice_bytes metadata;   /* Empty unless the group is Stable. */
    sluice_bytes assignment; /* Empty unless the group is Stable. */
} group_member_description;

typedef struct group_description {
    sluice_bytes group_id;
    group_state state;
    int32_t generation;
    sluice_bytes protocol_type; /* "" for a group that nobody ever joined. */
    sluice_bytes protocol_name; /* "" unless the group is Stable. */
    group_member_description *members;
    size_t member_count;
} group_description;

/* Whether the group is known; only then `ret_description` is set. */
bool group_core_describe(const group_core *self, sluice_bytes group_id,
                         sluice_arena *arena, group_description *ret_description);

/* All groups, without their members, in the order in which they came. */
void group_core_list(const group_core *self, sluice_arena *arena,
                     group_description **ret_groups, size_t *ret_count);

#endif
