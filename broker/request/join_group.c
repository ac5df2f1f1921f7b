/* JoinGroup, SyncGroup, Heartbeat and LeaveGroup: to the coordinator and back. */
#include "broker/request/group_edge.h"

void handle_join_group(request *self, const void *message)
{
    const join_group_request *asked = message;
    int version = self->header.api_version;
    group_protocol *protocols =
        request_items(self, asked->protocols.count, sizeof *protocols);
    for (size_t i = 0; i < asked->protocols.count; i++) {
        protocols[i].name = bytes_of(asked->protocols.items[i].name);
        protocols[i].metadata = asked->protocols.items[i].metadata;
    }
    group_event event = {
        .type = GROUP_JOIN,
        .join = {.group_id = bytes_of(asked->group_id),
                 .member_id = bytes_of(asked->member_id),
                 .instance_id = bytes_of(asked->group_instance_id),
                 .client_id = bytes_of(self->header.client_id),
                 .client_host = bytes_of(message_text_of(self->host)),
                 .protocol_type = bytes_of(asked->protocol_type),
                 .session_timeout_ms = asked->session_timeout_ms,
                 .rebalance_timeout_ms = version == 0 ? asked->session_timeout_ms
                                                      : asked->rebalance_timeout_ms,
                 .protocols = protocols,
                 .protocol_count = asked->protocols.count,
                 .needs_member_id = version >= 4,
                 .skips_assignment = version >= 9}};
    group_edge_submit(self, &event);
}

void group_answer_join_group(request *self, const group_answer *answer)
{
    join_group_response response;
    join_group_response_init(&response);
    response.error_code = answer->error_code;
    response.generation_id = answer->generation;
    response.protocol_type = text_of_bytes(answer->protocol_type);
    response.protocol_name = text_of_bytes(answer->protocol_name);
    response.leader = text_of_bytes(answer->leader);
    response.skip_assignment = answer->skip_assignment;
    response.member_id = text_of_bytes(answer->member_id);
    RESPONSE_ARRAY(self, response.members, answer->member_count);
    for (size_t i = 0; i < answer->member_count; i++) {
        const group_join_member *from = &answer->members[i];
        response.members.items[i] = (join_group_response_member){
            .member_id = text_of_bytes(from->member_id),
            .group_instance_id = text_of_bytes(from->instance_id),
            .metadata = from->metadata};
    }
    request_answer(self, self->header.api_version, &response);
}

void handle_sync_group(request *self, const void *message)
{
    const sync_group_request *asked = message;
    group_assignment *assignments =
        request_items(self, asked->assignments.count, sizeof *assignments);
    for (size_t i = 0; i < asked->assignments.count; i++) {
        assignments[i].member_id = bytes_of(asked->assignments.items[i].member_id);
        assignments[i].assignment = asked->assignments.items[i].assignment;
    }
    group_event event = {.type = GROUP_SYNC,
                         .sync = {.group_id = bytes_of(asked->group_id),
                                  .generation = asked->generation_id,
                                  .member_id = bytes_of(asked->member_id),
                                  .instance_id = bytes_of(asked->group_instance_id),
                                  .protocol_type = bytes_of(asked->protocol_type),
                                  .protocol_name = bytes_of(asked->protocol_name),
                                  .assignments = assignments,
                                  .assignment_count = asked->assignments.count}};
    group_edge_submit(self, &event);
}

void group_answer_sync_group(request *self, const group_answer *answer)
{
    sync_group_response response;
    sync_group_response_init(&response);
    response.error_code = answer->error_code;
    response.protocol_type = text_of_bytes(answer->protocol_type);
    response.protocol_name = text_of_bytes(answer->protocol_name);
    response.assignment = answer->assignment;
    request_answer(self, self->header.api_version, &response);
}

void handle_heartbeat(request *self, const void *message)
{
    const heartbeat_request *asked = message;
    group_event event = {
        .type = GROUP_HEARTBEAT,
        .heartbeat = {.group_id = bytes_of(asked->group_id),
                      .generation = asked->generation_id,
                      .member_id = bytes_of(asked->member_id),
                      .instance_id = bytes_of(asked->group_instance_id)}};
    group_edge_submit(self, &event);
}

void group_answer_heartbeat(request *self, const group_answer *answer)
{
    heartbeat_response response = {.error_code = answer->error_code};
    request_answer(self, self->header.api_version, &response);
}

void handle_leave_group(request *self, const void *message)
{
    const leave_group_request *asked = message;
    bool single = self->header.api_version < 3;
    size_t count = single ? 1 : asked->members.count;
    group_identity *members = request_items(self, count, sizeof *members);
    if (single) {
        members[0].member_id = bytes_of(asked->member_id);
    }
    for (size_t i = 0; !single && i < count; i++) {
        members[i].member_id = bytes_of(asked->members.items[i].member_id);
        members[i].instance_id = bytes_of(asked->members.items[i].group_instance_id);
    }
    self->state = (void *)message;
    group_event event = {.type = GROUP_LEAVE,
                         .leave = {.group_id = bytes_of(asked->group_id),
                                   .members = members,
                                   .member_count = count}};
    group_edge_submit(self, &event);
}

void group_answer_leave_group(request *self, const group_answer *answer)
{
    const leave_group_request *asked = self->state;
    leave_group_response response;
    leave_group_response_init(&response);
    response.error_code = answer->error_code;
    if (self->header.api_version < 3) {
        if (answer->error_code == ERROR_NONE && answer->error_count > 0) {
            response.error_code = answer->error_codes[0];
        }
    } else if (answer->error_count == asked->members.count) {
        RESPONSE_ARRAY(self, response.members, answer->error_count);
        for (size_t i = 0; i < answer->error_count; i++) {
            response.members.items[i] = (leave_group_response_member){
                .member_id = asked->members.items[i].member_id,
                .group_instance_id = asked->members.items[i].group_instance_id,
                .error_code = answer->error_codes[i]};
        }
    }
    request_answer(self, self->header.api_version, &response);
}
