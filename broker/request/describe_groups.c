/* DescribeGroups, ListGroups and DeleteGroups. */
#include "base/text.h"
#include "broker/request/group_edge.h"

static const char classic[] = "classic";

/* What may be done with a group where nothing is forbidden, as bits: READ, DELETE,
 * DESCRIBE, DESCRIBE_CONFIGS and ALTER_CONFIGS. */
enum { all_operations = 1 << 3 | 1 << 6 | 1 << 8 | 1 << 10 | 1 << 11 };

static void describe(request *self, const group_core *core, message_text group_id,
                     describe_groups_response_group *answer)
{
    group_description found;
    *answer = describe_groups_response_group_defaults;
    answer->group_id = group_id;
    if (!group_core_describe(core, bytes_of(group_id), request_arena(self), &found)) {
        answer->group_state = message_text_of(group_state_name(GROUP_DEAD));
        if (self->header.api_version >= 6) {
            answer->error_code = ERROR_GROUP_ID_NOT_FOUND;
            size_t len;
            const char *text =
                sluice_arena_print(request_arena(self), &len, "Group %.*s not found.",
                                   (int)group_id.len, group_id.base);
            answer->error_message = (message_text){text, len};
        }
        return;
    }
    answer->group_state = message_text_of(group_state_name(found.state));
    answer->protocol_type = text_of_bytes(found.protocol_type);
    answer->protocol_data = text_of_bytes(found.protocol_name);
    RESPONSE_ARRAY(self, answer->members, found.member_count);
    for (size_t i = 0; i < found.member_count; i++) {
        const group_member_description *from = &found.members[i];
        answer->members.items[i] = (describe_groups_response_member){
            .member_id = text_of_bytes(from->member_id),
            .group_instance_id = text_of_bytes(from->instance_id),
            .client_id = text_of_bytes(from->client_id),
            .client_host = text_of_bytes(from->client_host),
            .member_metadata = from->metadata,
            .member_assignment = from->assignment};
    }
}

void handle_describe_groups(request *self, const void *message)
{
    const describe_groups_request *asked = message;
    group_coordinator *coordinator = group_edge_coordinator(parts_of(self)->groups);
    describe_groups_response response;
    describe_groups_response_init(&response);
    RESPONSE_ARRAY(self, response.groups, asked->groups.count);
    const group_core *core = group_coordinator_read(coordinator);
    for (size_t i = 0; i < asked->groups.count; i++) {
        describe(self, core, asked->groups.items[i], &response.groups.items[i]);
        if (asked->include_authorized_operations) {
            response.groups.items[i].authorized_operations = all_operations;
        }
    }
    group_coordinator_read_end(coordinator);
    request_answer(self, self->header.api_version, &response);
}

/* An empty filter lets everything pass. */
static bool passes(request *self, const message_text *filter, size_t count,
                   const char *value)
{
    for (size_t i = 0; i < count; i++) {
        const char *wanted =
            sluice_arena_copy(request_arena(self), filter[i].base, filter[i].len);
        if (text_equal_nocase(wanted, value)) {
            return true;
        }
    }
    return count == 0;
}

void handle_list_groups(request *self, const void *message)
{
    const list_groups_request *asked = message;
    group_coordinator *coordinator = group_edge_coordinator(parts_of(self)->groups);
    list_groups_response response;
    list_groups_response_init(&response);
    group_description *groups;
    size_t count;
    const group_core *core = group_coordinator_read(coordinator);
    group_core_list(core, request_arena(self), &groups, &count);
    group_coordinator_read_end(coordinator);
    RESPONSE_ARRAY(self, response.groups, count);
    response.groups.count = 0;
    for (size_t i = 0; i < count; i++) {
        const char *state = group_state_name(groups[i].state);
        if (passes(self, asked->states_filter.items, asked->states_filter.count,
                   state) &&
            passes(self, asked->types_filter.items, asked->types_filter.count,
                   classic)) {
            response.groups.items[response.groups.count++] =
                (list_groups_response_group){
                    .group_id = text_of_bytes(groups[i].group_id),
                    .protocol_type = text_of_bytes(groups[i].protocol_type),
                    .group_state = message_text_of(state),
                    .group_type = message_text_of(classic)};
        }
    }
    request_answer(self, self->header.api_version, &response);
}

void handle_delete_groups(request *self, const void *message)
{
    const delete_groups_request *asked = message;
    size_t count = asked->groups_names.count;
    sluice_bytes *ids = request_items(self, count, sizeof *ids);
    for (size_t i = 0; i < count; i++) {
        ids[i] = bytes_of(asked->groups_names.items[i]);
    }
    self->state = (void *)message;
    group_event event = {.type = GROUP_DELETE,
                         .delete = {.group_ids = ids, .count = count}};
    group_edge_submit(self, &event);
}

void group_answer_delete_groups(request *self, const group_answer *answer)
{
    const delete_groups_request *asked = self->state;
    delete_groups_response response;
    delete_groups_response_init(&response);
    RESPONSE_ARRAY(self, response.results, asked->groups_names.count);
    for (size_t i = 0; i < asked->groups_names.count; i++) {
        response.results.items[i] = (delete_groups_response_result){
            .group_id = asked->groups_names.items[i],
            .error_code =
                i < answer->error_count ? answer->error_codes[i] : answer->error_code};
    }
    request_answer(self, self->header.api_version, &response);
}
