/* Produce: batches go from the frame into their logs; with acks=all the answer waits
 * for the disk.
 *
 * A request's wait has one partition_wait for each partition it appended to. The sync
 * threads report them one by one; the last report brings the request back to its loop,
 * which answers. */
#include "broker/request/append_round.h"
#include "broker/request/handler.h"
#include <stdatomic.h>

/* Versions from which clients know zstd, and name topics by id. */
enum { zstd_version_min = 7, topic_id_version_min = 13 };

typedef struct produce_state produce_state;

typedef struct produce_wait {
    partition_wait inner;
    produce_state *state;
    produce_response_partition *answer;
} produce_wait;

typedef struct produce_append {
    round_append inner;
    produce_state *state;
    produce_response_partition *answer;
} produce_append;

struct produce_state {
    request *owner;
    produce_response response;
    topic **held; /* Topics whose partitions are waited for. */
    size_t held_count;
    produce_wait *waits;
    size_t wait_count;
    int16_t acks;
    bool failed;        /* Some partition has an error. */
    atomic_size_t left; /* Reports to come, and one for the handler itself. */
    loop_task done;
};

static void release(request *self)
{
    produce_state *state = self->state;
    for (size_t i = 0; i < state->held_count; i++) {
        topic_unref(state->held[i]);
    }
}

static void finish(produce_state *state)
{
    request *self = state->owner;
    if (state->acks != 0) {
        request_answer(self, self->header.api_version, &state->response);
    } else if (state
                   ->failed) { /* The only way to tell: the client asks for metadata. */
        request_refuse(self, "a batch with acks=0 cannot be stored");
    } else {
        request_answer_nothing(self);
    }
}

static void on_done(loop_task *task)
{
    finish((produce_state *)((char *)task - offsetof(produce_state, done)));
}

/* Returns whether it was the last. */
static bool count_down(produce_state *state)
{
    return atomic_fetch_sub_explicit(&state->left, 1, memory_order_acq_rel) == 1;
}

static void fail(produce_response_partition *answer, int16_t code)
{
    answer->error_code = code;
    answer->base_offset = -1;
    answer->log_append_time_ms = answer->log_start_offset = -1;
}

static void on_durable(partition_wait *inner, int16_t error_code)
{
    produce_wait *wait = (produce_wait *)inner;
    produce_state *state = wait->state;
    if (error_code != ERROR_NONE) {
        fail(wait->answer, error_code);
    }
    if (count_down(state)) {
        loop_post(state->owner->loop, &state->done);
    }
}

static void note_append(request *self, const partition_append *append,
                        produce_response_partition *answer)
{
    if (append->error_code == ERROR_NONE) {
        answer->base_offset = append->base_offset;
        answer->log_append_time_ms = append->log_append_time;
        answer->log_start_offset = append->log_start_offset;
        return;
    }
    fail(answer, append->error_code);
    answer->log_start_offset = append->log_start_offset;
    answer->error_message = message_text_of(append->error_message);
    RESPONSE_ARRAY(self, answer->record_errors, (size_t)append->error_record_count);
    for (int32_t i = 0; i < append->error_record_count; i++) {
        answer->record_errors.items[i].batch_index = append->error_records[i];
        answer->record_errors.items[i].batch_index_error_message =
            answer->error_message;
    }
}

static void wait_for_disk(produce_state *state, partition *log, int64_t offset,
                          produce_response_partition *answer)
{
    produce_wait *wait = &state->waits[state->wait_count++];
    wait->inner.done = on_durable;
    wait->state = state;
    wait->answer = answer;
    atomic_fetch_add_explicit(&state->left, 1, memory_order_relaxed);
    if (!partition_wait_durable(log, &wait->inner, offset)) {
        count_down(state); /* Never the last: the handler counts itself. */
    }
}

static void note_outcome(produce_state *state, partition *log,
                         const partition_append *append,
                         produce_response_partition *answer)
{
    note_append(state->owner, append, answer);
    if (append->error_code != ERROR_NONE) {
        state->failed = true;
    } else if (state->acks == -1) {
        wait_for_disk(state, log, append->next_offset, answer);
    }
}

static void on_appended(round_append *inner, const partition_append *outcome)
{
    produce_append *one = (produce_append *)inner;
    note_outcome(one->state, inner->log, outcome, one->answer);
    if (count_down(one->state)) {
        finish(one->state);
    }
}

static append_round *round_of(const request *self)
{
    append_round *round = parts_of(self)->rounds;
    while (round->loop != self->loop) {
        round++;
    }
    return round;
}

/* What the version of the request does not allow, or this broker does not do. */
static int16_t judge_batch(int version, const message_records *records)
{
    record_batch_header header;
    if (records->len < RECORD_BATCH_HEADER_SIZE) {
        return ERROR_NONE; /* The log says what is wrong with it. */
    }
    record_batch_read_header(records->base, &header);
    if (header.magic != 2) {
        return ERROR_NONE;
    }
    if (header.attributes & RECORD_BATCH_TRANSACTIONAL) {
        return ERROR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
    }
    bool zstd = (header.attributes & RECORD_BATCH_CODEC_MASK) == COMPRESSION_ZSTD;
    return zstd && version < zstd_version_min ? ERROR_UNSUPPORTED_COMPRESSION_TYPE
                                              : ERROR_NONE;
}

static int16_t judge(request *self, const produce_request_partition *asked,
                     const topic *to)
{
    const produce_state *state = self->state;
    if (to->internal) {
        return ERROR_INVALID_TOPIC_EXCEPTION;
    }
    if (state->acks == -1 && to->config.min_insync_replicas > 1) {
        return ERROR_NOT_ENOUGH_REPLICAS;
    }
    return judge_batch(self->header.api_version, &asked->records);
}

static void append_later(request *self, partition *log, const message_records *records,
                         produce_response_partition *answer)
{
    produce_state *state = self->state;
    produce_append *one = sluice_arena_take(request_arena(self), sizeof *one);
    *one = (produce_append){.inner = {.log = log,
                                      .base = records->base,
                                      .len = records->len,
                                      .acks = state->acks,
                                      .done = on_appended},
                            .state = state,
                            .answer = answer};
    atomic_fetch_add_explicit(&state->left, 1, memory_order_relaxed);
    append_round_add(round_of(self), &one->inner);
}

static void append_now(request *self, partition *log, const message_records *records,
                       produce_response_partition *answer)
{
    produce_state *state = self->state;
    partition_append append = {.base = (void *)records->base,
                               .len = records->len,
                               .acks = state->acks,
                               .origin = PARTITION_CLIENT};
    append_round_flush(round_of(self));
    partition_append_batches(log, &append, 1, loop_wall_ms());
    note_outcome(state, log, &append, answer);
}

static void append_one(request *self, const produce_request_partition *asked,
                       const topic *to, produce_response_partition *answer)
{
    partition *log = topic_partition(to, asked->index);
    int16_t code =
        log == NULL ? ERROR_UNKNOWN_TOPIC_OR_PARTITION : judge(self, asked, to);
    if (code != ERROR_NONE) {
        fail(answer, code);
        return;
    }
    if (asked->records.len > 0 && asked->records.len <= round_batch_bytes_max) {
        append_later(self, log, &asked->records, answer);
    } else {
        append_now(self, log, &asked->records, answer);
    }
}

static topic *find_topic(request *self, const produce_request_topic *asked,
                         int16_t *ret_error_code)
{
    if (self->header.api_version < topic_id_version_min) {
        return topic_asked_for(self, asked->name, NULL, ret_error_code);
    }
    *ret_error_code = ERROR_UNKNOWN_TOPIC_ID;
    return message_uuid_is_zero(&asked->topic_id)
               ? NULL
               : topic_asked_for(self, asked->name, &asked->topic_id, ret_error_code);
}

/* Names stay: the frame that they point into may be gone before the answer. */
static void append_topic(request *self, const produce_request_topic *asked,
                         produce_response_topic *answer)
{
    produce_state *state = self->state;
    int16_t code;
    topic *to = find_topic(self, asked, &code);
    answer->name = request_copy_text(self, asked->name);
    answer->topic_id = asked->topic_id;
    RESPONSE_ARRAY(self, answer->partition_responses, asked->partitions.count);
    for (size_t i = 0; i < asked->partitions.count; i++) {
        const produce_request_partition *one = &asked->partitions.items[i];
        produce_response_partition *its = &answer->partition_responses.items[i];
        *its = produce_response_partition_defaults;
        its->index = one->index;
        if (to == NULL) {
            fail(its, code);
        } else {
            append_one(self, one, to, its);
        }
        state->failed = state->failed || its->error_code != ERROR_NONE;
    }
    if (to != NULL) {
        state->held[state->held_count++] = to;
    }
}

static void refuse_all(request *self, const produce_request *asked, int16_t code)
{
    produce_state *state = self->state;
    for (size_t i = 0; i < asked->topics.count; i++) {
        const produce_request_topic *wanted = &asked->topics.items[i];
        produce_response_topic *answer = &state->response.responses.items[i];
        answer->name = wanted->name;
        answer->topic_id = wanted->topic_id;
        RESPONSE_ARRAY(self, answer->partition_responses, wanted->partitions.count);
        for (size_t j = 0; j < wanted->partitions.count; j++) {
            produce_response_partition *its = &answer->partition_responses.items[j];
            *its = produce_response_partition_defaults;
            its->index = wanted->partitions.items[j].index;
            fail(its, code);
        }
    }
    state->failed = true;
}

static size_t count_partitions(const produce_request *asked)
{
    size_t count = 0;
    for (size_t i = 0; i < asked->topics.count; i++) {
        count += asked->topics.items[i].partitions.count;
    }
    return count;
}

void handle_produce(request *self, const void *message)
{
    const produce_request *asked = message;
    produce_state *state = request_items(self, 1, sizeof *state);
    produce_response_init(&state->response);
    state->owner = self;
    state->acks = asked->acks;
    state->done.run = on_done;
    state->held = request_items(self, asked->topics.count, sizeof *state->held);
    state->waits = request_items(self, count_partitions(asked), sizeof *state->waits);
    atomic_init(&state->left, 1);
    self->state = state;
    self->sent = release;
    RESPONSE_ARRAY(self, state->response.responses, asked->topics.count);
    if (asked->acks < -1 || asked->acks > 1) {
        refuse_all(self, asked, ERROR_INVALID_REQUIRED_ACKS);
    } else {
        for (size_t i = 0; i < asked->topics.count; i++) {
            append_topic(self, &asked->topics.items[i],
                         &state->response.responses.items[i]);
        }
    }
    if (count_down(state)) {
        finish(state);
    }
}
