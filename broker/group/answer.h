/* broker/group/answer.h - the answers to a member's requests, parked or not.
 *
 * Each puts one GROUP_ANSWER into the actions of the present step.
 * Threads: the core's. */
#ifndef SLUICE_BROKER_GROUP_ANSWER_H
#define SLUICE_BROKER_GROUP_ANSWER_H

#include "broker/group/group.h"

/* An answer that has only a code (and for a join the member id, borrowed or null). */
void group_answer_error(group_core *core, group_event_type type, group_request request,
                        int16_t error_code, sluice_bytes member_id);

/* A code for the whole and one for each element; `error_codes` lives as the actions. */
void group_answer_codes(group_core *core, group_event_type type, group_request request,
                        int16_t error_code, const int16_t *error_codes,
                        size_t error_count);

/* The present generation, as `member` is to know it; the list of members if
 * `with_members`. */
void group_answer_join(const group_member *member, group_request request,
                       bool with_members);

/* The same to a static member that takes up its place again while the group is Stable:
 * no rebalance follows, so nobody is to compute an assignment. Clients that know
 * `skip_assignment` are told so; to others `leader` (its id before) names somebody
 * else. */
void group_answer_join_again(const group_member *member, group_request request,
                             bool can_skip, sluice_bytes leader);

/* The member's assignment. */
void group_answer_sync(const group_member *member, group_request request);

/* Ends what the member has parked, if it has. */
void group_end_join(group_member *member, int16_t error_code);
void group_end_sync(group_member *member, int16_t error_code);

/* Room for `count` codes that live as long as the actions. */
int16_t *group_codes(group_core *core, size_t count);

#endif
