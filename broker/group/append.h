/* broker/group/append.h - what is on its way into `__consumer_offsets`.
 *
 * Each group_append_…() puts one GROUP_APPEND into the actions and remembers under its
 * token what is to happen when the edge says that it is durable: group_append_over().
 *
 * Threads: the core's. */
#ifndef SLUICE_BROKER_GROUP_APPEND_H
#define SLUICE_BROKER_GROUP_APPEND_H

#include "broker/group/group.h"

/* One committed offset to set or, as a tombstone, to clear. `metadata` is copied. */
typedef struct group_offset_write {
    sluice_bytes topic;
    int32_t partition;
    bool tombstone;
    int32_t leader_epoch;
    int64_t offset;
    sluice_bytes metadata;
    int64_t commit_ms;
    int64_t expire_ms; /* -1: none of its own. */
} group_offset_write;

/* The groups of one DeleteGroups request: answered when the last is over. */
typedef struct group_deletion {
    group_request request;
    int16_t *error_codes;
    size_t count;
    size_t under_way;
} group_deletion;

/* Stores that the group is Empty at its generation. Nobody waits for it. */
void group_append_metadata(group *self);

/* Stores the group with these assignments, then group_assigned(). */
void group_append_assignment(group *self, const group_assignment *assignments,
                             size_t count);

/* Stores the group because `member` has taken the place that `before` had, then answers
 * its join. */
void group_append_place(group_member *member, group_request request, bool can_skip,
                        sluice_bytes leader_before);

/* Stores offsets, applies them, then answers `request` of type `type` with `codes`
 * (`code_count`, copied), where those that are ERROR_NONE become the error if the
 * append fails. `request` NULL: nobody waits. Nothing is applied to a group that has
 * died meanwhile: its tombstones stand behind these writes. */
void group_append_offsets(group *self, group_event_type type, group_request request,
                          const int16_t *codes, size_t code_count,
                          const group_offset_write *writes, size_t write_count);

/* Stores that the group and its offsets are gone; `deletion` may be NULL. */
void group_append_tombstones(group *self, group_deletion *deletion, size_t index);

/* The edge's report. An unknown token is not an error: it is passed over. */
void group_append_over(group_core *core, const group_appended *appended);

/* Frees everything that is under way without an answer: the core is going away. */
void group_append_free_all(group_core *core);

#endif
