/* broker/group/offsets.h - the committed offsets of a group.
 *
 * Threads: the core's. */
#ifndef SLUICE_BROKER_GROUP_OFFSETS_H
#define SLUICE_BROKER_GROUP_OFFSETS_H

#include "broker/group/append.h"

/* Requests. */
void group_handle_commit(group_core *core, group_request request,
                         const group_commit *commit);
void group_handle_delete(group_core *core, group_request request,
                         const group_delete *deletion);
void group_handle_delete_offsets(group_core *core, group_request request,
                                 const group_delete_offsets *deletion);
void group_handle_topic_deleted(group_core *core, sluice_bytes topic);

/* Forgets offsets whose time is over, and Empty groups that have none left. Called by
 * the core's expiry timer; sets it again while there is a group. */
void group_expire_offsets(group_core *core);
/* Sets the expiry timer unless it runs. */
void group_expire_later(group_core *core);

/* The book of offsets. A write is announced before its append and applied after it. */
group_committed *group_offsets_find(const group *self, sluice_bytes topic,
                                    int32_t partition);
void group_offsets_announce(group *self, const group_offset_write *write);
/* `token` orders writes: an older one does not undo a newer. `durable` false: drops the
 * announcement. */
void group_offsets_apply(group *self, const group_offset_write *write, uint64_t token,
                         bool durable);
void group_offsets_free(group *self);

/* Whether the group's members read this topic, as far as the consumer protocol's
 * subscriptions say. `ret_known` is false when they can't be read. */
bool group_reads_topic(const group *self, sluice_bytes topic, bool *ret_known);

#endif
