/* broker/request/group_edge.h - the group coordinator with its log and its clock.
 *
 * Threads: any, once open. */
#ifndef SLUICE_BROKER_REQUEST_GROUP_EDGE_H
#define SLUICE_BROKER_REQUEST_GROUP_EDGE_H

#include "broker/group/coordinator.h"
#include "broker/request/handler.h"

/* Makes `__consumer_offsets` if it is not there, and loads what is in it. `timers` is
 * the loop that the coordinator's timer runs on. */
sluice_status group_edge_open(const broker_config *config, topic_set *topics,
                              loop *timers, group_edge **ret_edge, sluice_error *err);

/* Answers everything that is parked; nothing is stored from then on. */
void group_edge_stop(group_edge *self);

/* After the stop, and after `timers` has ended. NULL is accepted. */
void group_edge_free(group_edge *self);

group_coordinator *group_edge_coordinator(group_edge *self);

/* Submits a request's event; `event->request` is set here. */
void group_edge_submit(request *self, group_event *event);

/* A topic is gone: so are the offsets that were committed for it. */
void group_edge_topic_deleted(group_edge *self, const topic *gone);

/* Answers by the type of the event; defined beside the handlers. */
void group_answer_join_group(request *self, const group_answer *answer);
void group_answer_sync_group(request *self, const group_answer *answer);
void group_answer_heartbeat(request *self, const group_answer *answer);
void group_answer_leave_group(request *self, const group_answer *answer);
void group_answer_offset_commit(request *self, const group_answer *answer);
void group_answer_delete_groups(request *self, const group_answer *answer);
void group_answer_offset_delete(request *self, const group_answer *answer);

static inline sluice_bytes bytes_of(message_text text)
{
    return (sluice_bytes){text.base, text.len};
}

static inline message_text text_of_bytes(sluice_bytes bytes)
{
    return (message_text){bytes.base, bytes.len};
}

#endif
