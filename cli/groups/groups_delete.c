/* Groups, and offsets of groups, are deleted. */
#include "groups.h"
#include <inttypes.h>
#include <jansson.h>
#include <string.h>

/* "org.apache…GroupNotEmptyException: The group is not empty." for Kafka's tool, else
 * the sentence. */
static const char *why(groups_work *self, int16_t code)
{
    char class[ADMIN_CLASS_SIZE];
    if (!self->given->kafkas) {
        return admin_code_text(code);
    }
    admin_code_class(code, class);
    return sluice_arena_print(admin_arena(self->client), NULL, "%s: %s", class,
                              admin_code_text(code));
}

static sluice_status delete_one(groups_work *self, const char *id, int16_t *ret_code,
                                sluice_error *err)
{
    int32_t coordinator;
    message_text name = message_text_of(id);
    delete_groups_request request;
    delete_groups_response response;
    sluice_status status = admin_group_coordinator(self->client, id, &coordinator, err);
    if (status != SLUICE_OK) {
        return status;
    }
    delete_groups_request_init(&request);
    request.groups_names.items = &name;
    request.groups_names.count = 1;
    status = admin_call(self->client, coordinator, API_DELETE_GROUPS, &request,
                        &response, err);
    if (status == SLUICE_OK && response.results.count != 1) {
        return sluice_fail(err, SLUICE_FATAL,
                           "the broker answered about %zu groups instead of 1",
                           response.results.count);
    }
    if (status == SLUICE_OK) {
        *ret_code = response.results.items[0].error_code;
    }
    return status;
}

static void print_deleted(const groups_work *self, const cli_texts *ids,
                          const int16_t *codes, size_t failed)
{
    if (failed == 0) {
        printf("Deletion of requested consumer groups (");
    } else if (failed < ids->count) {
        printf("\nThese consumer groups were deleted successfully: ");
    } else {
        return;
    }
    const char *separator = "";
    for (size_t i = 0; i < ids->count; i++) {
        if (codes[i] == ERROR_NONE) {
            printf("%s'%s'", separator, ids->items[i]);
            separator = ", ";
        }
    }
    printf(failed == 0 ? ") was successful.\n" : "\n");
}

static void print_deletions(groups_work *self, const cli_texts *ids,
                            const int16_t *codes, size_t failed)
{
    if (failed > 0) {
        printf("\nError: Deletion of some consumer groups failed:\n");
    }
    for (size_t i = 0; i < ids->count; i++) {
        if (codes[i] != ERROR_NONE) {
            printf("* Group '%s' could not be deleted due to: %s\n", ids->items[i],
                   why(self, codes[i]));
        }
    }
    print_deleted(self, ids, codes, failed);
}

static void print_deletions_json(groups_work *self, const cli_texts *ids,
                                 const int16_t *codes)
{
    json_t *all = json_array();
    for (size_t i = 0; i < ids->count; i++) {
        json_array_append_new(
            all, json_pack("{s:s,s:s?}", "group", ids->items[i], "error",
                           codes[i] == ERROR_NONE ? NULL : why(self, codes[i])));
    }
    json_dumpf(all, stdout, JSON_COMPACT);
    printf("\n");
    json_decref(all);
}

sluice_status groups_delete(groups_work *self, sluice_error *err)
{
    cli_texts ids;
    size_t failed = 0;
    sluice_status status = groups_chosen(self, &ids, err);
    if (status != SLUICE_OK) {
        return status;
    }
    int16_t *codes =
        sluice_arena_take(admin_arena(self->client), (ids.count + 1) * sizeof *codes);
    for (size_t i = 0; i < ids.count && status == SLUICE_OK; i++) {
        status = delete_one(self, ids.items[i], &codes[i], err);
        failed += status == SLUICE_OK && codes[i] != ERROR_NONE;
    }
    if (status != SLUICE_OK) {
        return status;
    }
    if (self->given->json) {
        print_deletions_json(self, &ids, codes);
    } else {
        print_deletions(self, &ids, codes, failed);
    }
    return failed == 0 ? SLUICE_OK
                       : sluice_fail(err, SLUICE_FATAL,
                                     "%zu of %zu groups are not "
                                     "deleted",
                                     failed, ids.count);
}

/* ---- Offsets -----------------------------------------------------------------------
 */

/* One request with all partitions that are there, in the order they have. */
static void fill_request(groups_work *self, const group_offsets *partitions,
                         offset_delete_request *ret_request)
{
    offset_delete_request_topic *topics = sluice_arena_take(
        admin_arena(self->client), (partitions->count + 1) * sizeof *topics);
    offset_delete_request_partition *numbers = sluice_arena_take(
        admin_arena(self->client), (partitions->count + 1) * sizeof *numbers);
    size_t count = 0;
    for (size_t i = 0; i < partitions->count; i++) {
        const group_offset *each = &partitions->items[i];
        if (each->partition < 0) {
            continue;
        }
        numbers[i].partition_index = each->partition;
        if (count == 0 || !message_text_is(topics[count - 1].name, each->topic)) {
            topics[count].name = message_text_of(each->topic);
            topics[count].partitions.items = &numbers[i];
            topics[count++].partitions.count = 0;
        }
        topics[count - 1].partitions.count++;
    }
    ret_request->topics.items = topics;
    ret_request->topics.count = count;
}

static int16_t code_of(const offset_delete_response *response,
                       const group_offset *wanted)
{
    for (size_t i = 0; i < response->topics.count; i++) {
        const offset_delete_response_topic *topic = &response->topics.items[i];
        for (size_t k = 0; k < topic->partitions.count; k++) {
            if (topic->partitions.items[k].partition_index == wanted->partition &&
                message_text_is(topic->name, wanted->topic)) {
                return topic->partitions.items[k].error_code;
            }
        }
    }
    return ERROR_UNKNOWN_TOPIC_OR_PARTITION;
}

static sluice_status ask(groups_work *self, const char *id,
                         const group_offsets *partitions,
                         offset_delete_response *ret_response, sluice_error *err)
{
    int32_t coordinator;
    offset_delete_request request;
    sluice_status status = admin_group_coordinator(self->client, id, &coordinator, err);
    if (status != SLUICE_OK) {
        return status;
    }
    offset_delete_request_init(&request);
    request.group_id = message_text_of(id);
    fill_request(self, partitions, &request);
    return admin_call(self->client, coordinator, API_OFFSET_DELETE, &request,
                      ret_response, err);
}

static void print_table(groups_work *self, const group_offsets *partitions,
                        const offset_delete_response *response)
{
    printf("\n%-15s %-10s %-15s\n", "TOPIC", "PARTITION", "STATUS");
    for (size_t i = 0; i < partitions->count; i++) {
        const group_offset *each = &partitions->items[i];
        int16_t code = response->error_code != ERROR_NONE ? response->error_code
                                                          : code_of(response, each);
        char number[24] = "-";
        if (each->partition >= 0) {
            snprintf(number, sizeof number, "%" PRId32, each->partition);
        }
        printf("%-15s %-10s ", each->topic, number);
        if (code == ERROR_NONE) {
            printf("%-15s\n", "Successful");
        } else {
            printf("Error: %s\n", why(self, code));
        }
    }
}

static void print_table_json(groups_work *self, const group_offsets *partitions,
                             const offset_delete_response *response)
{
    json_t *all = json_array();
    for (size_t i = 0; i < partitions->count; i++) {
        const group_offset *each = &partitions->items[i];
        int16_t code = response->error_code != ERROR_NONE ? response->error_code
                                                          : code_of(response, each);
        json_array_append_new(all,
                              json_pack("{s:s,s:i,s:s?}", "topic", each->topic,
                                        "partition", each->partition, "error",
                                        code == ERROR_NONE ? NULL : why(self, code)));
    }
    json_dumpf(all, stdout, JSON_COMPACT);
    printf("\n");
    json_decref(all);
}

sluice_status groups_delete_offsets(groups_work *self, sluice_error *err)
{
    const char *id = self->given->group.items[0];
    group_offsets partitions;
    offset_delete_response response;
    sluice_status status = groups_partitions(self, true, &partitions, err);
    if (status == SLUICE_OK) {
        status = ask(self, id, &partitions, &response, err);
    }
    if (status != SLUICE_OK) {
        return status;
    }
    size_t failed = 0, missing = 0;
    for (size_t i = 0; i < partitions.count; i++) {
        bool there = partitions.items[i].partition >= 0;
        missing += !there;
        failed += there && code_of(&response, &partitions.items[i]) != ERROR_NONE;
    }
    if (self->given->json) {
        print_table_json(self, &partitions, &response);
    } else if (response.error_code != ERROR_NONE) {
        printf("\nError: %s\n", admin_code_text(response.error_code));
    } else if (failed > 0) {
        printf("\nError: Encountered some partition-level error, see the follow-up "
               "details.\n");
    } else {
        printf("Request succeeded for deleting offsets from group %s.\n", id);
    }
    if (!self->given->json) {
        print_table(self, &partitions, &response);
    }
    return response.error_code == ERROR_NONE && failed + missing == 0
               ? SLUICE_OK
               : sluice_fail(err, SLUICE_FATAL,
                             "not all offsets of group '%s' are "
                             "deleted",
                             id);
}
