/* Offsets of groups that nobody uses are set anew: to the ends, to a time, to a number,
 * or to what a file says. */
#include "base/text.h"
#include "broker/log/file.h"
#include "groups.h"
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const size_t file_bytes_max = 64 * 1024 * 1024;

/* The plan of one group. */
typedef struct reset_plan {
    const char *group;
    int32_t coordinator;
    group_offsets offsets;
} reset_plan;

typedef struct reset {
    groups_work *work;
    reset_plan *plans;
    size_t count;
    buffer file; /* Of --from-file. */
} reset;

/* What Kafka's tool logs, or a line in our words. */
static void warn_clipped(const groups_work *self, const group_offset *at, int64_t given,
                         bool high)
{
    fflush(stdout);
    if (self->given->kafkas) {
        char now[32];
        admin_print_time(now);
        fprintf(stderr,
                "[%s] WARN New offset (%" PRId64 ") is %s offset for topic partition "
                "%s-%d. Value will be set to %" PRId64
                " (org.apache.kafka.tools.consumer.group.ConsumerGroupCommand)\n",
                now, given, high ? "higher than latest" : "lower than earliest",
                at->topic, at->partition, at->offset);
    } else {
        fprintf(stderr,
                "partition '%s-%d': offset %" PRId64 " is %s: %" PRId64 " is taken\n",
                at->topic, at->partition, given,
                high ? "behind the end" : "before the first record", at->offset);
    }
}

static sluice_status refuse_end(const partition_offset *end, sluice_error *err)
{
    return sluice_fail(
        err, SLUICE_FATAL, "partition '%s-%d': %s", end->topic, end->partition,
        end->leader < 0 ? admin_code_text(ERROR_UNKNOWN_TOPIC_OR_PARTITION)
                        : admin_code_text(end->error_code));
}

/* Sets each offset to an end of its partition, or to that of a time; where no record is
 * that late, to the latest. */
static sluice_status set_ends(groups_work *self, group_offsets *offsets, int64_t time,
                              sluice_error *err)
{
    partition_offset *ends, *latest;
    sluice_status status = group_find_ends(self, offsets, time, &ends, err);
    if (status == SLUICE_OK) {
        status = group_find_ends(self, offsets, OFFSET_LATEST, &latest, err);
    }
    for (size_t i = 0; i < offsets->count && status == SLUICE_OK; i++) {
        if (ends[i].error_code != ERROR_NONE || latest[i].error_code != ERROR_NONE) {
            return refuse_end(&ends[i], err);
        }
        offsets->items[i].offset = ends[i].offset;
        if (ends[i].offset < 0) {
            offsets->items[i].offset = latest[i].offset;
            printf(
                "\nWarn: Partition %d from topic %s is empty. Falling back to latest "
                "known offset.\n",
                offsets->items[i].partition, offsets->items[i].topic);
        }
    }
    return status;
}

/* Keeps offsets between the ends of their partitions. */
static sluice_status clip(groups_work *self, group_offsets *offsets, sluice_error *err)
{
    partition_offset *first, *last;
    sluice_status status = group_find_ends(self, offsets, OFFSET_EARLIEST, &first, err);
    if (status == SLUICE_OK) {
        status = group_find_ends(self, offsets, OFFSET_LATEST, &last, err);
    }
    for (size_t i = 0; i < offsets->count && status == SLUICE_OK; i++) {
        group_offset *each = &offsets->items[i];
        int64_t given = each->offset;
        if (first[i].error_code != ERROR_NONE || last[i].error_code != ERROR_NONE) {
            return refuse_end(&first[i], err);
        }
        if (given > last[i].offset) {
            each->offset = last[i].offset;
            warn_clipped(self, each, given, true);
        } else if (given < first[i].offset) {
            each->offset = first[i].offset;
            warn_clipped(self, each, given, false);
        }
    }
    return status;
}

static int64_t committed(const group_offsets *offsets, const group_offset *at)
{
    for (size_t i = 0; i < offsets->count; i++) {
        const group_offset *each = &offsets->items[i];
        if (each->partition == at->partition && strcmp(each->topic, at->topic) == 0) {
            return each->offset;
        }
    }
    return -1;
}

static sluice_status shift(groups_work *self, const group_offsets *current,
                           group_offsets *offsets, sluice_error *err)
{
    for (size_t i = 0; i < offsets->count; i++) {
        group_offset *each = &offsets->items[i];
        int64_t now = committed(current, each);
        if (now < 0) {
            return sluice_fail(err, SLUICE_FATAL,
                               "Cannot shift offset for partition %s-%d since there is "
                               "no current committed offset",
                               each->topic, each->partition);
        }
        if (__builtin_add_overflow(now, self->given->shift_by, &each->offset)) {
            each->offset = self->given->shift_by < 0 ? INT64_MIN : INT64_MAX;
        }
    }
    return clip(self, offsets, err);
}

/* The committed offsets, and the latest where there is none. */
static sluice_status set_current(groups_work *self, const group_offsets *current,
                                 group_offsets *offsets, sluice_error *err)
{
    partition_offset *last;
    sluice_status status = group_find_ends(self, offsets, OFFSET_LATEST, &last, err);
    for (size_t i = 0; i < offsets->count && status == SLUICE_OK; i++) {
        int64_t now = committed(current, &offsets->items[i]);
        if (now < 0 && last[i].error_code != ERROR_NONE) {
            return refuse_end(&last[i], err);
        }
        offsets->items[i].offset = now < 0 ? last[i].offset : now;
    }
    return status;
}

static sluice_status set_time(groups_work *self, group_offsets *offsets,
                              sluice_error *err)
{
    int64_t time_ms, back_ms = 0;
    if (self->given->to_datetime != NULL) {
        sluice_status status = groups_datetime(self, &time_ms, err);
        return status != SLUICE_OK ? status : set_ends(self, offsets, time_ms, err);
    }
    struct timespec now;
    sluice_status status = groups_duration(self, &back_ms, err);
    clock_gettime(CLOCK_REALTIME, &now);
    time_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 - back_ms;
    time_ms = time_ms < 0 ? 0 : time_ms; /* Times below mean something else. */
    return status != SLUICE_OK ? status : set_ends(self, offsets, time_ms, err);
}

static sluice_status set_offsets(groups_work *self, const group_offsets *current,
                                 group_offsets *offsets, sluice_error *err)
{
    const groups_options *given = self->given;
    if (given->to_earliest) {
        return set_ends(self, offsets, OFFSET_EARLIEST, err);
    }
    if (given->to_latest) {
        return set_ends(self, offsets, OFFSET_LATEST, err);
    }
    if (given->to_current) {
        return set_current(self, current, offsets, err);
    }
    if (given->shift_by != INT64_MIN) {
        return shift(self, current, offsets, err);
    }
    if (given->to_offset != INT64_MIN) {
        for (size_t i = 0; i < offsets->count; i++) {
            offsets->items[i].offset = given->to_offset;
        }
        return clip(self, offsets, err);
    }
    return set_time(self, offsets, err);
}

/* ---- A file ------------------------------------------------------------------------
 */

/* "topic,partition,offset", with the group before it where there are several. */
static bool read_line(reset *self, char *line, const char *group, bool several,
                      group_offset *ret_offset, bool *ret_others)
{
    size_t count = 0, first = several ? 1 : 0;
    char **words = text_split(line, &count);
    bool good = count == first + 3 &&
                text_to_int32(words[first + 1], &ret_offset->partition) &&
                text_to_int64(words[first + 2], &ret_offset->offset);
    *ret_others = good && several && strcmp(words[0], group) != 0;
    if (good) {
        ret_offset->topic = groups_text(self->work, words[first], strlen(words[first]));
        ret_offset->leader_epoch = -1;
    }
    free(words);
    return good;
}

static sluice_status read_file(reset *self, const char *group,
                               group_offsets *ret_offsets, sluice_error *err)
{
    bool several = self->work->given->group.count > 1, others;
    char *text = sluice_arena_copy(admin_arena(self->work->client),
                                   buffer_text(&self->file), self->file.len);
    char *rest = text;
    size_t number = 0;
    ret_offsets->items =
        sluice_arena_take(admin_arena(self->work->client),
                          (self->file.len / 4 + 1) * sizeof(group_offset));
    for (char *line = text; line != NULL && *line != '\0'; line = rest) {
        rest = strchr(line, '\n');
        if (rest != NULL) {
            *rest++ = '\0';
        }
        number++;
        group_offset each;
        if (line[strspn(line, " \t\r")] == '\0') {
            continue;
        }
        if (!read_line(self, line, group, several, &each, &others)) {
            return sluice_fail(err, SLUICE_BAD_CONFIG,
                               "line %zu of '%s' is '%s': must be "
                               "%stopic,partition,offset",
                               number, self->work->given->from_file, line,
                               several ? "group," : "");
        }
        if (!others) {
            ret_offsets->items[ret_offsets->count++] = each;
        }
    }
    if (ret_offsets->count == 0) {
        printf("\nError: No reset plan for group %s found\n", group);
    }
    return clip(self->work, ret_offsets, err);
}

/* ---- Plans -------------------------------------------------------------------------
 */

static sluice_status make_plan(reset *self, reset_plan *plan, sluice_error *err)
{
    group_offsets current, *offsets = &plan->offsets;
    if (self->work->given->from_file != NULL) {
        return read_file(self, plan->group, offsets, err);
    }
    sluice_status status =
        group_read_offsets(self->work, plan->group, plan->coordinator, &current, err);
    if (status != SLUICE_OK) {
        return status;
    }
    if (self->work->given->all_topics) {
        offsets->count = current.count;
        offsets->items = sluice_arena_take(admin_arena(self->work->client),
                                           (current.count + 1) * sizeof *current.items);
        memcpy(offsets->items, current.items, current.count * sizeof *current.items);
    } else {
        status = groups_partitions(self->work, false, offsets, err);
    }
    return status == SLUICE_OK ? set_offsets(self->work, &current, offsets, err)
                               : status;
}

/* A group with members is left alone. */
static sluice_status plan_group(reset *self, const char *id, bool *ret_busy,
                                sluice_error *err)
{
    group_view group;
    bool there;
    sluice_status status = group_read(self->work, id, &group, &there, err);
    if (status != SLUICE_OK) {
        return status;
    }
    if (there && strcmp(group.state, "Empty") != 0 &&
        strcmp(group.state, "Dead") != 0) {
        *ret_busy = true;
        fprintf(self->work->given->json ? stderr : stdout,
                "\nError: Assignments can only be reset if the group '%s' is inactive, "
                "but the current state is %s.\n",
                id, group.state);
        return SLUICE_OK;
    }
    reset_plan *plan = &self->plans[self->count++];
    *plan = (reset_plan){id, group.coordinator, {0}};
    return make_plan(self, plan, err);
}

/* ---- Execute -----------------------------------------------------------------------
 */

static void fill_commit(groups_work *self, const group_offsets *offsets,
                        offset_commit_request *ret_request)
{
    offset_commit_request_topic *topics = sluice_arena_take(
        admin_arena(self->client), (offsets->count + 1) * sizeof *topics);
    offset_commit_request_partition *partitions = sluice_arena_take(
        admin_arena(self->client), (offsets->count + 1) * sizeof *partitions);
    size_t count = 0;
    for (size_t i = 0; i < offsets->count; i++) {
        const group_offset *each = &offsets->items[i];
        partitions[i] = (offset_commit_request_partition){
            .partition_index = each->partition,
            .committed_offset = each->offset,
            .committed_leader_epoch = -1,
            .commit_timestamp = -1,
            .committed_metadata = message_text_of("")};
        if (count == 0 || !message_text_is(topics[count - 1].name, each->topic)) {
            const metadata_response_topic *topic = groups_topic(self, each->topic);
            topics[count] =
                (offset_commit_request_topic){.name = message_text_of(each->topic)};
            if (topic != NULL) {
                topics[count].topic_id = topic->topic_id;
            }
            topics[count++].partitions.items = &partitions[i];
        }
        topics[count - 1].partitions.count++;
    }
    ret_request->topics.items = topics;
    ret_request->topics.count = count;
}

static sluice_status commit(groups_work *self, reset_plan *plan, sluice_error *err)
{
    offset_commit_request request;
    offset_commit_response response;
    if (plan->offsets.count == 0) {
        return SLUICE_OK;
    }
    groups_sort(&plan->offsets);
    offset_commit_request_init(&request);
    request.group_id = message_text_of(plan->group);
    fill_commit(self, &plan->offsets, &request);
    sluice_status status = admin_call(self->client, plan->coordinator,
                                      API_OFFSET_COMMIT, &request, &response, err);
    for (size_t i = 0; status == SLUICE_OK && i < response.topics.count; i++) {
        const offset_commit_response_topic *topic = &response.topics.items[i];
        for (size_t k = 0; status == SLUICE_OK && k < topic->partitions.count; k++) {
            if (topic->partitions.items[k].error_code != ERROR_NONE) {
                status = admin_refused(err, topic->partitions.items[k].error_code,
                                       (message_text){0});
            }
        }
    }
    return status;
}

/* ---- Print -------------------------------------------------------------------------
 */

static void print_table(const reset *self)
{
    printf("\n%-30s %-30s %-10s %-15s\n", "GROUP", "TOPIC", "PARTITION", "NEW-OFFSET");
    for (size_t i = 0; i < self->count; i++) {
        const reset_plan *plan = &self->plans[i];
        for (size_t k = 0; k < plan->offsets.count; k++) {
            const group_offset *each = &plan->offsets.items[k];
            printf("%-30s %-30s %-10d %-15" PRId64 "\n", plan->group, each->topic,
                   each->partition, each->offset);
        }
    }
}

static void print_csv(const reset *self)
{
    bool several = self->work->given->group.count > 1;
    for (size_t i = 0; i < self->count; i++) {
        const reset_plan *plan = &self->plans[i];
        for (size_t k = 0; k < plan->offsets.count; k++) {
            const group_offset *each = &plan->offsets.items[k];
            printf("%s%s%s,%d,%" PRId64 "\n", several ? plan->group : "",
                   several ? "," : "", each->topic, each->partition, each->offset);
        }
    }
    printf("\n");
}

static void print_json(const reset *self)
{
    json_t *all = json_array();
    for (size_t i = 0; i < self->count; i++) {
        const reset_plan *plan = &self->plans[i];
        for (size_t k = 0; k < plan->offsets.count; k++) {
            const group_offset *each = &plan->offsets.items[k];
            json_array_append_new(
                all, json_pack("{s:s,s:s,s:i,s:I}", "group", plan->group, "topic",
                               each->topic, "partition", each->partition, "new_offset",
                               (json_int_t)each->offset));
        }
    }
    json_dumpf(all, stdout, JSON_COMPACT);
    printf("\n");
    json_decref(all);
}

static sluice_status run(reset *self, const cli_texts *ids, bool *ret_busy,
                         sluice_error *err)
{
    const groups_options *given = self->work->given;
    sluice_status status = SLUICE_OK;
    for (size_t i = 0; i < ids->count && status == SLUICE_OK; i++) {
        status = plan_group(self, ids->items[i], ret_busy, err);
    }
    for (size_t i = 0; i < self->count && status == SLUICE_OK && given->execute; i++) {
        status = commit(self->work, &self->plans[i], err);
    }
    if (status != SLUICE_OK) {
        return status;
    }
    if (given->json) {
        print_json(self);
    } else if (given->export) {
        print_csv(self);
    } else {
        print_table(self);
    }
    return SLUICE_OK;
}

sluice_status groups_reset(groups_work *work, sluice_error *err)
{
    cli_texts ids;
    bool busy = false, there;
    reset self = {.work = work, .file = BUFFER_INIT};
    const char *path = work->given->from_file;
    sluice_status status = groups_chosen(work, &ids, err);
    if (status == SLUICE_OK && path != NULL) {
        status = file_load(path, file_bytes_max, &self.file, &there, err);
        if (status == SLUICE_OK && !there) {
            status = sluice_fail(err, SLUICE_BAD_CONFIG,
                                 work->given->kafkas
                                     ? "java.io.IOException: Unable to read file %s"
                                     : "there is no file '%s'",
                                 path);
        }
    }
    if (status == SLUICE_OK) {
        self.plans = sluice_arena_take(admin_arena(work->client),
                                       (ids.count + 1) * sizeof *self.plans);
        status = run(&self, &ids, &busy, err);
    }
    buffer_done(&self.file);
    return status == SLUICE_OK && busy
               ? sluice_fail(err, SLUICE_FATAL,
                             "a group that is in use is left as it is")
               : status;
}
