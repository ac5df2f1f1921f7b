/* broker/group/membership.h - what members ask: join, sync, heartbeat, leave.
 *
 * Each handles one request and answers it at once, or parks it with its member or with
 * an append.
 * Threads: the core's. */
#ifndef SLUICE_BROKER_GROUP_MEMBERSHIP_H
#define SLUICE_BROKER_GROUP_MEMBERSHIP_H

#include "broker/group/group.h"

void group_handle_join(group_core *core, group_request request, const group_join *join);
void group_handle_sync(group_core *core, group_request request, const group_sync *sync);
void group_handle_heartbeat(group_core *core, group_request request,
                            const group_heartbeat *heartbeat);
void group_handle_leave(group_core *core, group_request request,
                        const group_leave *leave);

#endif
