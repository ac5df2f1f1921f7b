/* broker/group/rebalance.h - how a group gets from one generation to the next.
 *
 * A rebalance begins when a member comes, goes or changes (PreparingRebalance), waits
 * until all members have a JoinGroup parked or the time is over, answers them with the
 * new generation (CompletingRebalance), and ends when the leader's assignment is stored
 * (Stable).
 *
 * Threads: the core's. A group may be Dead and gone after each of these unless said
 * otherwise: use it no more, or look it up again. */
#ifndef SLUICE_BROKER_GROUP_REBALANCE_H
#define SLUICE_BROKER_GROUP_REBALANCE_H

#include "broker/group/group.h"

/* Restarts a member's session: it was heard of. The group stays. */
void group_touch(group_member *member);

/* A change that the members must agree on anew: begins a rebalance, or when one is
 * going on and this was what it waited for, completes it. */
void group_rebalance(group *self);

/* Completes the joining if all are there. */
void group_rebalance_check(group *self);

/* The member has synced: one less to wait for. The group stays. */
void group_synced(group_member *member);

/* Ends what the member has parked and takes it out, without a rebalance: several may
 * leave at once. */
void group_expel(group_member *member);

/* The leader's assignments are durable, or not (`error_code`): each member gets its
 * own. `assignments` are copied; members not in them get an empty one. */
void group_assigned(group *self, const group_assignment *assignments, size_t count,
                    int16_t error_code);

/* Timers that fell due. */
void group_phase_over(group *self);
void group_session_over(group_member *member);
void group_invited_over(group_invited *invited);

#endif
