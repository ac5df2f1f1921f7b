/* Groups are listed and described, as kafka-consumer-groups prints them or as JSON. */
#include "base/text.h"
#include "groups.h"
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* ---- List --------------------------------------------------------------------------
 */

static sluice_status check_words(const char *text, const char *what, const char *valid,
                                 const char *const *known, const char *known_text,
                                 sluice_error *err)
{
    size_t count = 0;
    char **words = text_split(text, &count);
    sluice_status status = SLUICE_OK;
    for (size_t i = 0; i < count && status == SLUICE_OK; i++) {
        const char *const *one = known;
        while (*one != NULL && !text_equal_nocase(*one, words[i])) {
            one++;
        }
        if (*one == NULL) {
            status = sluice_fail(err, SLUICE_BAD_CONFIG,
                                 "Invalid %s list '%s'. Valid %s are: %s", what, text,
                                 valid, known_text);
        }
    }
    free(words);
    return status;
}

static bool is_among(const char *word, const char *text)
{
    size_t count = 0;
    char **words = text_split(text == NULL ? "" : text, &count);
    bool found = count == 0;
    for (size_t i = 0; i < count; i++) {
        found = found || text_equal_nocase(words[i], word);
    }
    free(words);
    return found;
}

static void print_list_json(const group_line *groups, size_t count)
{
    json_t *all = json_array();
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(all,
                              json_pack("{s:s,s:s,s:s}", "group", groups[i].id, "state",
                                        groups[i].state, "type", groups[i].type));
    }
    json_dumpf(all, stdout, JSON_COMPACT);
    printf("\n");
    json_decref(all);
}

static void print_line(const groups_options *given, int width, const char *id,
                       const char *type, const char *state)
{
    if (given->state == NULL && given->type == NULL) {
        printf("%s\n", id);
    } else if (given->state == NULL) {
        printf("%-*s %-20s\n", width, id, type);
    } else if (given->type == NULL) {
        printf("%-*s %-20s\n", width, id, state);
    } else {
        printf("%-*s %-20s %-20s\n", width, id, type, state);
    }
}

static void print_list(const groups_options *given, const group_line *groups,
                       size_t count)
{
    int width = 25;
    for (size_t i = 0; i < count; i++) {
        int len = (int)strlen(groups[i].id);
        width = len > width ? len : width;
    }
    if (given->state != NULL || given->type != NULL) {
        print_line(given, width, "GROUP", "TYPE", "STATE");
    }
    for (size_t i = 0; i < count; i++) {
        print_line(given, width, groups[i].id, groups[i].type, groups[i].state);
    }
}

sluice_status groups_list(groups_work *self, sluice_error *err)
{
    static const char *const states[] = {"CompletingRebalance",
                                         "Assigning",
                                         "Reconciling",
                                         "PreparingRebalance",
                                         "Empty",
                                         "Stable",
                                         "Dead",
                                         NULL};
    static const char *const types[] = {"Classic", "Consumer", NULL};
    const groups_options *given = self->given;
    sluice_status status =
        check_words(given->state == NULL ? "" : given->state, "state", "states", states,
                    "CompletingRebalance, Assigning, Reconciling, PreparingRebalance, "
                    "Empty, Stable, Dead",
                    err);
    if (status == SLUICE_OK) {
        status = check_words(given->type == NULL ? "" : given->type, "types", "types",
                             types, "Classic, Consumer", err);
    }
    if (status != SLUICE_OK) {
        return status;
    }
    group_line *groups;
    size_t count, kept = 0;
    status = groups_all(self, &groups, &count, err);
    if (status != SLUICE_OK) {
        return status;
    }
    for (size_t i = 0; i < count; i++) {
        if (is_among(groups[i].state, given->state) &&
            is_among(groups[i].type, given->type)) {
            groups[kept++] = groups[i];
        }
    }
    if (given->json) {
        print_list_json(groups, kept);
    } else {
        print_list(given, groups, kept);
    }
    return SLUICE_OK;
}

/* ---- Describe ----------------------------------------------------------------------
 */

/* A line of the table of offsets. */
typedef struct offset_row {
    group_offset at;
    int64_t end; /* -1: not known. */
    const group_member *member;
} offset_row;

typedef struct group_rows {
    offset_row *items;
    size_t count;
} group_rows;

static bool same_partition(const group_offset *one, const group_offset *other)
{
    return one->partition == other->partition && strcmp(one->topic, other->topic) == 0;
}

/* Takes the committed offset of a partition out of the list. */
static void take_offset(group_offsets *offsets, group_offset *partition)
{
    for (size_t i = 0; i < offsets->count; i++) {
        if (same_partition(&offsets->items[i], partition)) {
            *partition = offsets->items[i];
            memmove(offsets->items + i, offsets->items + i + 1,
                    (offsets->count - i - 1) * sizeof *offsets->items);
            offsets->count--;
            return;
        }
    }
}

/* First what members have, then offsets of what nobody has. */
static sluice_status read_rows(groups_work *self, const group_view *group,
                               group_rows *ret_rows, sluice_error *err)
{
    group_offsets offsets, partitions = {0};
    partition_offset *ends = NULL;
    sluice_status status =
        group_read_offsets(self, group->id, group->coordinator, &offsets, err);
    if (status != SLUICE_OK) {
        return status;
    }
    size_t most = offsets.count;
    for (size_t i = 0; i < group->member_count; i++) {
        most += group->members[i].assigned.count;
    }
    offset_row *rows =
        sluice_arena_take(admin_arena(self->client), (most + 1) * sizeof *rows);
    partitions.items = sluice_arena_take(admin_arena(self->client),
                                         (most + 1) * sizeof *partitions.items);
    *ret_rows = (group_rows){rows, 0};
    for (size_t i = 0; i < group->member_count; i++) {
        const group_member *member = &group->members[i];
        for (size_t k = 0; k < member->assigned.count; k++) {
            rows[ret_rows->count] = (offset_row){member->assigned.items[k], -1, member};
            take_offset(&offsets, &rows[ret_rows->count++].at);
        }
    }
    for (size_t i = 0; i < offsets.count; i++) {
        rows[ret_rows->count++] = (offset_row){offsets.items[i], -1, NULL};
    }
    for (size_t i = 0; i < ret_rows->count; i++) {
        partitions.items[partitions.count++] = rows[i].at;
    }
    status = group_find_ends(self, &partitions, OFFSET_LATEST, &ends, err);
    for (size_t i = 0; i < ret_rows->count && status == SLUICE_OK; i++) {
        rows[i].end = ends[i].error_code == ERROR_NONE ? ends[i].offset : -1;
    }
    return status;
}

static const char *or_dash(char text[24], int64_t number)
{
    if (number < 0) {
        return "-";
    }
    snprintf(text, 24, "%" PRId64, number);
    return text;
}

static void widen(int *width, const char *text)
{
    int len = (int)strlen(text);
    *width = len > *width ? len : *width;
}

typedef struct widths {
    int group, topic, consumer, host, client, instance;
    bool instances;
} widths;

static widths measure_offsets(const group_view *group, const group_rows *rows)
{
    widths self = {15, 15, 15, 15, 15, 17, false};
    widen(&self.group, group->id);
    for (size_t i = 0; i < rows->count; i++) {
        widen(&self.topic, rows->items[i].at.topic);
        if (rows->items[i].member != NULL) {
            widen(&self.consumer, rows->items[i].member->id);
            widen(&self.host, rows->items[i].member->host);
        }
    }
    return self;
}

static void print_rows(const groups_work *self, const group_view *group,
                       const group_rows *rows)
{
    widths wide = measure_offsets(group, rows);
    bool verbose = self->given->verbose;
    if (rows->count == 0 && self->given->kafkas) {
        return;
    }
    printf("\n%-*s %-*s %-10s %s%-15s %-15s %-15s %-*s %-*s %s\n", wide.group, "GROUP",
           wide.topic, "TOPIC", "PARTITION", verbose ? "LEADER-EPOCH    " : "",
           "CURRENT-OFFSET", "LOG-END-OFFSET", "LAG", wide.consumer, "CONSUMER-ID",
           wide.host, "HOST", "CLIENT-ID");
    for (size_t i = 0; i < rows->count; i++) {
        const offset_row *row = &rows->items[i];
        char partition[24], offset[24], end[24], lag[24], epoch[24];
        bool known = row->at.offset >= 0 && row->end >= 0;
        printf("%-*s %-*s %-10s ", wide.group, group->id, wide.topic, row->at.topic,
               or_dash(partition, row->at.partition));
        if (verbose) {
            printf("%-15s ", or_dash(epoch, row->at.leader_epoch));
        }
        printf("%-15s %-15s ", or_dash(offset, row->at.offset), or_dash(end, row->end));
        if (known) {
            printf("%-15" PRId64 " ", row->end - row->at.offset);
        } else {
            printf("%-15s ", or_dash(lag, -1));
        }
        printf("%-*s %-*s %s\n", wide.consumer,
               row->member == NULL ? "-" : row->member->id, wide.host,
               row->member == NULL ? "-" : row->member->host,
               row->member == NULL ? "-" : row->member->client_id);
    }
}

/* "t1:0,1;t2:0" */
static void print_assignment(const group_offsets *assigned, buffer *out)
{
    const char *topic = NULL;
    for (size_t i = 0; i < assigned->count; i++) {
        const group_offset *each = &assigned->items[i];
        if (topic != NULL && strcmp(topic, each->topic) == 0) {
            buffer_print(out, ",%d", each->partition);
        } else {
            buffer_print(out, "%s%s:%d", i == 0 ? "" : ";", each->topic,
                         each->partition);
        }
        topic = each->topic;
    }
}

static widths measure_members(const group_view *group)
{
    widths self = {15, 15, 15, 15, 15, 17, false};
    widen(&self.group, group->id);
    for (size_t i = 0; i < group->member_count; i++) {
        const group_member *member = &group->members[i];
        widen(&self.consumer, member->id);
        widen(&self.host, member->host);
        widen(&self.client, member->client_id);
        widen(&self.instance, member->instance_id);
        self.instances = self.instances || member->instance_id[0] != '\0';
    }
    return self;
}

static void print_member(const groups_work *self, const group_view *group,
                         const widths *wide, const group_member *member)
{
    printf("%-*s %-*s ", wide->group, group->id, wide->consumer, member->id);
    if (wide->instances) {
        printf("%-*s ", wide->instance, member->instance_id);
    }
    printf("%-*s %-*s %-15zu ", wide->host, member->host, wide->client,
           member->client_id, member->assigned.count);
    if (self->given->verbose) {
        buffer assignment = BUFFER_INIT;
        print_assignment(&member->assigned, &assignment);
        printf("%-15s %-20s %-15s %-20s", "-",
               assignment.len == 0 ? "-" : buffer_text(&assignment), "-", "-");
        buffer_done(&assignment);
    }
    printf("\n");
}

static void print_members(const groups_work *self, const group_view *group)
{
    widths wide = measure_members(group);
    printf("\n%-*s %-*s ", wide.group, "GROUP", wide.consumer, "CONSUMER-ID");
    if (wide.instances) {
        printf("%-*s ", wide.instance, "GROUP-INSTANCE-ID");
    }
    printf("%-*s %-*s %-15s ", wide.host, "HOST", wide.client, "CLIENT-ID",
           "#PARTITIONS");
    if (self->given->verbose) {
        printf("%-15s %-20s %-15s %-20s", "CURRENT-EPOCH", "CURRENT-ASSIGNMENT",
               "TARGET-EPOCH", "TARGET-ASSIGNMENT");
    }
    printf("\n");
    for (size_t i = 0; i < group->member_count; i++) {
        print_member(self, group, &wide, &group->members[i]);
    }
}

/* "127.0.0.1:9092  (1)" */
static void coordinator_text(const groups_work *self, const group_view *group,
                             char ret_text[300])
{
    snprintf(ret_text, 300, "(%d)", group->coordinator);
    for (size_t i = 0; i < self->metadata->brokers.count; i++) {
        const metadata_response_broker *broker = &self->metadata->brokers.items[i];
        if (broker->node_id == group->coordinator) {
            snprintf(ret_text, 300, "%.*s:%d  (%d)", (int)broker->host.len,
                     broker->host.base, broker->port, broker->node_id);
        }
    }
}

static void print_state(const groups_work *self, const group_view *group)
{
    char coordinator[300];
    int group_width = 15, coordinator_width = 25;
    bool verbose = self->given->verbose;
    coordinator_text(self, group, coordinator);
    widen(&group_width, group->id);
    widen(&coordinator_width, coordinator);
    printf("\n%-*s %-*s %-20s %-20s %s%s\n", group_width, "GROUP", coordinator_width,
           "COORDINATOR (ID)", "ASSIGNMENT-STRATEGY", "STATE",
           verbose ? "GROUP-EPOCH     TARGET-ASSIGNMENT-EPOCH   " : "", "#MEMBERS");
    printf("%-*s %-*s %-20s %-20s ", group_width, group->id, coordinator_width,
           coordinator, group->strategy[0] == '\0' ? "-" : group->strategy,
           group->state);
    if (verbose) {
        printf("%-15s %-25s ", "-", "-");
    }
    printf("%zu\n", group->member_count);
}

/* What is unusual about the state goes to standard error, behind an empty line. */
static void warn_of_state(const group_view *group)
{
    fflush(stdout);
    if (strcmp(group->state, "Empty") == 0) {
        fprintf(stderr, "\nConsumer group '%s' has no active members.\n", group->id);
    } else if (strcmp(group->state, "PreparingRebalance") == 0 ||
               strcmp(group->state, "CompletingRebalance") == 0 ||
               strcmp(group->state, "Assigning") == 0 ||
               strcmp(group->state, "Reconciling") == 0) {
        fprintf(stderr, "\nWarning: Consumer group '%s' is rebalancing.\n", group->id);
    }
}

/* ---- As JSON -----------------------------------------------------------------------
 */

static json_t *json_number(int64_t number)
{
    return number < 0 ? json_null() : json_integer(number);
}

static json_t *json_row(const offset_row *row)
{
    bool known = row->at.offset >= 0 && row->end >= 0;
    return json_pack("{s:s,s:i,s:o,s:o,s:o,s:s?,s:s?,s:s?}", "topic", row->at.topic,
                     "partition", row->at.partition, "current_offset",
                     json_number(row->at.offset), "log_end_offset",
                     json_number(row->end), "lag",
                     known ? json_integer(row->end - row->at.offset) : json_null(),
                     "consumer_id", row->member == NULL ? NULL : row->member->id,
                     "host", row->member == NULL ? NULL : row->member->host,
                     "client_id", row->member == NULL ? NULL : row->member->client_id);
}

static json_t *json_member(const group_member *member)
{
    json_t *assigned = json_array();
    for (size_t i = 0; i < member->assigned.count; i++) {
        json_array_append_new(
            assigned, json_pack("{s:s,s:i}", "topic", member->assigned.items[i].topic,
                                "partition", member->assigned.items[i].partition));
    }
    return json_pack(
        "{s:s,s:s?,s:s,s:s,s:o}", "consumer_id", member->id, "group_instance_id",
        member->instance_id[0] == '\0' ? NULL : member->instance_id, "host",
        member->host, "client_id", member->client_id, "partitions", assigned);
}

static json_t *json_group(const group_view *group, const group_rows *rows)
{
    json_t *members = json_array(), *offsets = json_array();
    for (size_t i = 0; i < group->member_count; i++) {
        json_array_append_new(members, json_member(&group->members[i]));
    }
    for (size_t i = 0; i < rows->count; i++) {
        json_array_append_new(offsets, json_row(&rows->items[i]));
    }
    return json_pack("{s:s,s:s,s:s?,s:i,s:o,s:o}", "group", group->id, "state",
                     group->state, "assignment_strategy",
                     group->strategy[0] == '\0' ? NULL : group->strategy, "coordinator",
                     group->coordinator, "members", members, "offsets", offsets);
}

/* ---- Each group --------------------------------------------------------------------
 */

static sluice_status describe_one(groups_work *self, const char *id, json_t *all,
                                  sluice_error *err)
{
    const groups_options *given = self->given;
    group_view group;
    group_rows rows = {0};
    bool there;
    sluice_status status = group_read(self, id, &group, &there, err);
    if (status != SLUICE_OK) {
        return status;
    }
    if (!there) {
        return sluice_fail(err, SLUICE_FATAL, "%sGroup %s not found.",
                           given->kafkas ? "org.apache.kafka.common.errors."
                                           "GroupIdNotFoundException: "
                                         : "",
                           id);
    }
    if (given->json || (!given->members && given->state == NULL)) {
        status = read_rows(self, &group, &rows, err);
    }
    if (status != SLUICE_OK) {
        return status;
    }
    if (given->json) {
        json_array_append_new(all, json_group(&group, &rows));
        return SLUICE_OK;
    }
    warn_of_state(&group);
    if (given->members) {
        print_members(self, &group);
    } else if (given->state != NULL) {
        print_state(self, &group);
    } else {
        print_rows(self, &group, &rows);
    }
    return SLUICE_OK;
}

sluice_status groups_describe(groups_work *self, sluice_error *err)
{
    cli_texts ids;
    json_t *all = json_array();
    sluice_status status = groups_chosen(self, &ids, err);
    for (size_t i = 0; i < ids.count && status == SLUICE_OK; i++) {
        status = describe_one(self, ids.items[i], all, err);
    }
    if (status == SLUICE_OK && self->given->json) {
        json_dumpf(all, stdout, JSON_COMPACT);
        printf("\n");
    }
    json_decref(all);
    return status;
}
