/* A look at all partitions that a fetch wants, in its order: the first that has records
 * gives at least one batch, the others what the limits leave. */
#include "broker/request/fetch_round.h"
#include <string.h>

enum { read_committed = 1 };

static void put_slices(request *self, const partition_data *data,
                       message_records *ret_records)
{
    message_slice *slices = request_items(self, data->slice_count, sizeof *slices);
    for (size_t i = 0; i < data->slice_count; i++) {
        const partition_slice *from = &data->slices[i];
        slices[i] = (message_slice){from->base, from->fd, from->position, from->len};
    }
    ret_records->slices = slices;
    ret_records->slice_count = data->slice_count;
    ret_records->len = data->bytes;
}

static void refuse(fetch_round *self, fetch_response_partition *answer, int16_t code)
{
    answer->error_code = code;
    answer->high_watermark = -1;
    answer->last_stable_offset = -1;
    answer->log_start_offset = -1;
    answer->aborted_transactions.items = NULL;
    self->due = true;
}

static void name_leader(const fetch_round *self, partition *log,
                        fetch_response_partition *answer)
{
    answer->current_leader.leader_id = parts_of(self->owner)->config->node_id;
    answer->current_leader.leader_epoch = partition_leader_epoch(log);
}

/* Whether the client's records up to its offset are not those of this log (KIP-320). */
static bool has_diverged(fetch_round *self, const fetch_wish *wish, partition *log,
                         fetch_response_partition *answer)
{
    if (wish->last_fetched_epoch < 0 ||
        wish->offset < partition_log_start_offset(log)) {
        return false; /* The reading refuses the offset. */
    }
    int32_t epoch;
    int64_t end;
    partition_epoch_end(log, wish->last_fetched_epoch, &epoch, &end);
    if (epoch < 0) {
        refuse(self, answer, ERROR_OFFSET_OUT_OF_RANGE);
        return true;
    }
    if (epoch == wish->last_fetched_epoch && end >= wish->offset) {
        return false;
    }
    answer->diverging_epoch.epoch = epoch;
    answer->diverging_epoch.end_offset = end;
    answer->high_watermark = partition_high_watermark(log);
    answer->last_stable_offset = partition_last_stable_offset(log);
    answer->log_start_offset = partition_log_start_offset(log);
    self->due = true;
    return true;
}

static void take_data(fetch_round *self, partition_data *data, size_t most,
                      fetch_response_partition *answer)
{
    if (data->error_code != ERROR_NONE) {
        refuse(self, answer, data->error_code);
        partition_data_done(data);
        return;
    }
    answer->high_watermark = data->high_watermark;
    answer->last_stable_offset = data->last_stable_offset;
    answer->log_start_offset = data->log_start_offset;
    size_t in_reach = data->available_bytes < most ? data->available_bytes : most;
    self->in_reach += in_reach > data->bytes ? in_reach : data->bytes;
    self->due = self->due || data->segment_ends;
    if (data->bytes == 0) {
        partition_data_done(data);
        return;
    }
    held_data *held = sluice_arena_take(request_arena(self->owner), sizeof *held);
    *held = (held_data){self->held, *data};
    self->held = held;
    self->bytes += data->bytes;
    put_slices(self->owner, &held->data, &answer->records);
}

/* A broker that wants a copy: there are no others here. */
static bool is_replica(const fetch_request *asked)
{
    return asked->replica_id >= 0 || asked->replica_state.replica_id >= 0;
}

static void read_log(fetch_round *self, size_t number, partition *log)
{
    const fetch_wish *wish = &self->wishes[number];
    fetch_response_partition *answer = &self->answers[number];
    int16_t code = is_replica(self->asked)
                       ? ERROR_NOT_LEADER_OR_FOLLOWER
                       : check_leader_epoch(log, wish->current_leader_epoch);
    if (code != ERROR_NONE) {
        refuse(self, answer, code);
        if (code != ERROR_UNKNOWN_LEADER_EPOCH) {
            name_leader(self, log, answer);
        }
        return;
    }
    if (has_diverged(self, wish, log, answer)) {
        return;
    }
    size_t left = self->bytes < self->bytes_max ? self->bytes_max - self->bytes : 0;
    size_t most = wish->bytes_max > 0 ? (size_t)wish->bytes_max : 0;
    most = most < left ? most : left;
    partition_bound bound = self->asked->isolation_level == read_committed
                                ? PARTITION_LAST_STABLE
                                : PARTITION_HIGH_WATERMARK;
    partition_data data;
    partition_read(log, wish->offset, most, self->bytes == 0, bound, &data);
    self->visible[number] = data.visible_bytes;
    take_data(self, &data, most, answer);
}

static void read_wish(fetch_round *self, size_t number, topic *found, int16_t code)
{
    const fetch_wish *wish = &self->wishes[number];
    fetch_response_partition *answer = &self->answers[number];
    *answer = fetch_response_partition_defaults;
    answer->partition_index = wish->partition;
    answer->records.base = (const uint8_t *)"";
    self->visible[number] = -1;
    partition *log = found == NULL ? NULL : topic_partition(found, wish->partition);
    if (log == NULL) {
        bool due = self->due;
        refuse(self, answer,
               code != ERROR_NONE ? code : ERROR_UNKNOWN_TOPIC_OR_PARTITION);
        answer->aborted_transactions.items = request_items(self->owner, 0, 1);
        /* What never was there does not hinder waiting for the rest, so that a client
         * that goes on asking for it does so at its own pace. */
        self->due = due || self->again;
        return;
    }
    self->there++;
    if (self->asked->isolation_level == read_committed) {
        answer->aborted_transactions.items = request_items(self->owner, 0, 1);
    }
    read_log(self, number, log);
}

bool fetch_wish_same_topic(const fetch_wish *one, const fetch_wish *other)
{
    return message_text_equal(one->topic, other->topic) &&
           memcmp(&one->topic_id, &other->topic_id, sizeof one->topic_id) == 0;
}

topic *fetch_wish_topic(request *self, const fetch_wish *wish, int16_t *ret_error_code)
{
    if (self->header.api_version < fetch_ids_from_version) {
        return topic_asked_for(self, wish->topic, NULL, ret_error_code);
    }
    uuid id = uuid_of_message(&wish->topic_id);
    topic *found = topic_set_find_id(parts_of(self)->topics, &id);
    *ret_error_code = found == NULL ? ERROR_UNKNOWN_TOPIC_ID : ERROR_NONE;
    return found;
}

void fetch_round_read(fetch_round *self)
{
    int32_t limit = parts_of(self->owner)->config->fetch_bytes_max;
    int32_t most = self->asked->max_bytes, least = self->asked->min_bytes;
    self->bytes_max = most < 0 ? 0 : (size_t)(most < limit ? most : limit);
    self->bytes_min = least < 0 ? 0 : (size_t)least;
    if (self->bytes_min > self->bytes_max) {
        self->bytes_min = self->bytes_max;
    }
    self->answers = sluice_arena_take(request_arena(self->owner),
                                      self->count * sizeof *self->answers);
    self->visible = sluice_arena_take(request_arena(self->owner),
                                      self->count * sizeof *self->visible);
    topic *found = NULL;
    int16_t code = ERROR_NONE;
    for (size_t i = 0; i < self->count; i++) {
        if (i == 0 || !fetch_wish_same_topic(&self->wishes[i - 1], &self->wishes[i])) {
            topic_unref(found);
            found = fetch_wish_topic(self->owner, &self->wishes[i], &code);
        }
        read_wish(self, i, found, code);
    }
    topic_unref(found);
}

bool fetch_round_enough(const fetch_round *self)
{
    return self->due || self->there == 0 || self->in_reach >= self->bytes_min;
}

void fetch_round_release(held_data *held)
{
    for (; held != NULL; held = held->next) {
        partition_data_done(&held->data);
    }
}
