/* Fetch: whole batches, straight from the log; and waiting for more of them.
 *
 * What is there is read first. If that is less than min_bytes, the request is parked:
 * its arena goes back, and a watch on each partition and a timer are all that is left.
 * Whichever comes first brings it back to its loop, where the request is decoded and
 * read once more.
 *
 *     read ── enough, an error, or no time to wait ──► answer
 *      ▲ └── watch, read again ── still too little ──► parked
 *      └──────────── wake (any thread), timer ◄───────────┘
 *
 * There are no fetch sessions: each answer has the session id 0, and clients send full
 * requests. */
#include "base/memory.h"
#include "broker/request/handler.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

typedef struct fetch_park fetch_park;

typedef struct fetch_watch {
    partition_watch inner;
    fetch_park *park;
    partition *log; /* Held by the park; NULL: not watched. */
} fetch_watch;

struct fetch_park {
    request *owner;
    int64_t deadline_ms;
    loop_timer timer;
    loop_task task;
    atomic_bool posted; /* The task is on its way to the loop. */
    bool expired, cancelled;
    size_t count;
    fetch_watch watches[];
};

/* What an answer borrows until it is sent. */
typedef struct held_data held_data;
struct held_data {
    held_data *next;
    partition_data data;
};

typedef struct fetch_round {
    request *owner;
    const fetch_request *asked;
    fetch_response response;
    partition_bound bound;
    held_data *held;
    int64_t *visible; /* Of each partition in turn, when it was read. */
    size_t read_count;
    size_t bytes, bytes_max;
    bool failed; /* Some partition has an error. */
} fetch_round;

/* ---- Reading --------------------------------------------------------------------- */

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

static void take_data(fetch_round *round, partition_data *data,
                      fetch_response_partition *answer)
{
    answer->error_code = data->error_code;
    answer->high_watermark = data->high_watermark;
    answer->last_stable_offset = data->last_stable_offset;
    answer->log_start_offset = data->log_start_offset;
    if (data->error_code != ERROR_NONE || data->bytes == 0) {
        partition_data_done(data);
        return;
    }
    held_data *held = sluice_arena_take(request_arena(round->owner), sizeof *held);
    *held = (held_data){round->held, *data};
    round->held = held;
    round->bytes += data->bytes;
    put_slices(round->owner, &held->data, &answer->records);
}

static void read_partition(fetch_round *round, const fetch_request_partition *wanted,
                           partition *log, fetch_response_partition *answer)
{
    answer->error_code = check_leader_epoch(log, wanted->current_leader_epoch);
    if (answer->error_code != ERROR_NONE) {
        answer->high_watermark = -1;
        return;
    }
    size_t left = round->bytes < round->bytes_max ? round->bytes_max - round->bytes : 0;
    size_t most =
        wanted->partition_max_bytes > 0 ? (size_t)wanted->partition_max_bytes : 0;
    partition_data data;
    partition_read(log, wanted->fetch_offset, most < left ? most : left,
                   round->bytes == 0, round->bound, &data);
    round->visible[round->read_count] = data.visible_bytes;
    take_data(round, &data, answer);
}

static void read_topic(fetch_round *round, const fetch_request_topic *wanted,
                       fetch_response_topic *answer)
{
    request *self = round->owner;
    int16_t code;
    topic *found = topic_asked_for(self, wanted->topic, &wanted->topic_id, &code);
    answer->topic = wanted->topic;
    answer->topic_id = wanted->topic_id;
    RESPONSE_ARRAY(self, answer->partitions, wanted->partitions.count);
    for (size_t i = 0; i < wanted->partitions.count; i++) {
        const fetch_request_partition *one = &wanted->partitions.items[i];
        fetch_response_partition *its = &answer->partitions.items[i];
        partition *log = found == NULL ? NULL : topic_partition(found, one->partition);
        *its = fetch_response_partition_defaults;
        its->partition_index = one->partition;
        its->records.base = (const uint8_t *)"";
        if (round->asked->isolation_level == 1) {
            its->aborted_transactions.items = request_items(self, 0, 1);
        }
        if (log != NULL) {
            read_partition(round, one, log, its);
        } else {
            its->error_code =
                code != ERROR_NONE ? code : ERROR_UNKNOWN_TOPIC_OR_PARTITION;
            its->high_watermark = -1;
        }
        round->failed = round->failed || its->error_code != ERROR_NONE;
        round->read_count++;
    }
    topic_unref(found);
}

static void release_data(held_data *held)
{
    for (; held != NULL; held = held->next) {
        partition_data_done(&held->data);
    }
}

static size_t count_partitions(const fetch_request *asked)
{
    size_t count = 0;
    for (size_t i = 0; i < asked->topics.count; i++) {
        count += asked->topics.items[i].partitions.count;
    }
    return count;
}

static void read_all(fetch_round *round, request *self, const fetch_request *asked)
{
    int32_t limit = parts_of(self)->config->fetch_bytes_max;
    *round = (fetch_round){
        .owner = self,
        .asked = asked,
        .bound = asked->isolation_level == 1 ? PARTITION_LAST_STABLE
                                             : PARTITION_HIGH_WATERMARK,
        .bytes_max = (size_t)(asked->max_bytes < 0       ? 0
                              : asked->max_bytes < limit ? asked->max_bytes
                                                         : limit)};
    round->visible =
        request_items(self, count_partitions(asked), sizeof *round->visible);
    fetch_response_init(&round->response);
    RESPONSE_ARRAY(self, round->response.responses, asked->topics.count);
    for (size_t i = 0; i < asked->topics.count; i++) {
        read_topic(round, &asked->topics.items[i], &round->response.responses.items[i]);
    }
}

static bool enough(const fetch_round *round)
{
    int32_t least = round->asked->min_bytes;
    return round->failed || least <= 0 || round->bytes >= (size_t)least;
}

/* ---- Answering ------------------------------------------------------------------- */

static void on_sent(request *self)
{
    release_data(self->state);
}

static void answer(fetch_round *round)
{
    request *self = round->owner;
    self->state = round->held;
    self->sent = on_sent;
    request_answer(self, self->header.api_version, &round->response);
}

/* ---- Waiting --------------------------------------------------------------------- */

static void on_wake(partition_watch *inner)
{
    fetch_park *park = ((fetch_watch *)inner)->park;
    if (!atomic_exchange(&park->posted, true)) {
        loop_post(park->owner->loop, &park->task);
    }
}

/* After it no wake comes. Returns whether the task is on its way all the same: it then
 * goes on with the request. */
static bool unwatch(fetch_park *park)
{
    for (size_t i = 0; i < park->count; i++) {
        if (park->watches[i].log != NULL) {
            partition_watch_remove(park->watches[i].log, &park->watches[i].inner);
            partition_unref(park->watches[i].log);
            park->watches[i].log = NULL;
        }
    }
    return atomic_load(&park->posted);
}

static void park_free(fetch_park *park)
{
    request *self = park->owner;
    loop_timer_remove(self->loop, &park->timer);
    self->state = NULL;
    self->cancel = NULL;
    free(park);
}

static void go_on(fetch_park *park)
{
    request *self = park->owner;
    if (park->cancelled) {
        park_free(park);
        request_answer_nothing(self);
    } else {
        request_dispatch_again(self);
    }
}

static void on_task(loop_task *task)
{
    fetch_park *park = (fetch_park *)((char *)task - offsetof(fetch_park, task));
    unwatch(park);
    atomic_store(&park->posted, false);
    go_on(park);
}

static void on_timer(loop_timer *timer)
{
    fetch_park *park = (fetch_park *)((char *)timer - offsetof(fetch_park, timer));
    park->expired = true;
    if (!unwatch(park)) {
        go_on(park);
    }
}

static void on_cancel(request *self)
{
    fetch_park *park = self->state;
    park->cancelled = true;
    if (!unwatch(park)) {
        go_on(park);
    }
}

static fetch_park *park_new(request *self, const fetch_request *asked)
{
    size_t count = count_partitions(asked);
    fetch_park *park = memory_zero(sizeof *park + count * sizeof *park->watches);
    park->owner = self;
    park->count = count;
    park->deadline_ms = loop_now_ms() + asked->max_wait_ms;
    park->timer.run = on_timer;
    park->task.run = on_task;
    return park;
}

/* Bytes that a partition must have before it is worth a look: of a single partition all
 * that are missing; of several any one more, for they count together. */
static void watch_topic(fetch_park *park, size_t *at, const fetch_round *round,
                        const fetch_request_topic *wanted)
{
    int16_t code;
    topic *found =
        topic_asked_for(park->owner, wanted->topic, &wanted->topic_id, &code);
    for (size_t i = 0; i < wanted->partitions.count; i++) {
        fetch_watch *watch = &park->watches[(*at)++];
        partition *log =
            found == NULL
                ? NULL
                : topic_partition(found, wanted->partitions.items[i].partition);
        *watch = (fetch_watch){.inner.wake = on_wake, .park = park};
        if (log == NULL) {
            continue;
        }
        int64_t missing = round->asked->min_bytes - (int64_t)round->bytes;
        watch->inner.wanted_bytes =
            round->visible[*at - 1] + (park->count == 1 ? missing : 1);
        watch->log = partition_ref(log);
        partition_watch_add(log, &watch->inner);
    }
    topic_unref(found);
}

static void watch_all(fetch_park *park, const fetch_round *round)
{
    size_t at = 0;
    for (size_t i = 0; i < round->asked->topics.count; i++) {
        watch_topic(park, &at, round, &round->asked->topics.items[i]);
    }
}

/* Parks the request, or answers it if bytes came in the meantime. */
static void wait_for_more(fetch_round *round, fetch_park *park)
{
    request *self = round->owner;
    const fetch_request *asked = round->asked;
    release_data(round->held);
    if (park == NULL) {
        park = park_new(self, asked);
    }
    watch_all(park, round);
    read_all(round, self, asked);
    if (enough(round)) {
        park->expired = true; /* Enough is there, whoever looks first. */
        if (!unwatch(park)) {
            park_free(park);
            answer(round);
            return;
        }
    }
    release_data(round->held);
    self->state = park;
    self->cancel = on_cancel;
    loop_timer_set(self->loop, &park->timer, park->deadline_ms);
    request_park(self);
}

static bool refuse_session(request *self, const fetch_request *asked)
{
    if (asked->session_id == 0 || asked->session_epoch <= 0) {
        return false;
    }
    fetch_response response;
    fetch_response_init(&response);
    response.error_code = ERROR_FETCH_SESSION_ID_NOT_FOUND;
    request_answer(self, self->header.api_version, &response);
    return true;
}

void handle_fetch(request *self, const void *message)
{
    const fetch_request *asked = message;
    fetch_park *park = self->state; /* NULL: it was not parked yet. */
    if (refuse_session(self, asked)) {
        return;
    }
    fetch_round round;
    read_all(&round, self, asked);
    bool late = park != NULL && (park->expired || loop_now_ms() >= park->deadline_ms);
    if (enough(&round) || late || asked->max_wait_ms <= 0) {
        if (park != NULL) {
            park_free(park);
        }
        answer(&round);
        return;
    }
    wait_for_more(&round, park);
}
