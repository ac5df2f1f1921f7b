/* Batches on their way into the log, and what has landed. */
#include "worker/host/flights.h"
#include "base/memory.h"
#include "worker/host/host_state.h"
#include "worker/host/json_value.h"
#include <malloc.h>
#include <stdlib.h>

enum {
    under_way_max = 256,         /* Flights of a task. */
    kept_max = 32,               /* Waiting with warm memory … */
    idle_bytes_max = 256 * 1024, /* … which is given back when the task is idle. */
};

struct flight {
    struct flight *next;
    flights *of;
    sluice_batch *batch;
    sluice_offsets *offsets; /* The last of each partition in it. */
    kafka_message *messages;
    size_t room, count, sent; /* Messages: space, all, handed over. */
    size_t memory;            /* Bytes of its arena. */
    /* Messages without an answer, and one more until all were handed over. */
    size_t owed;
    pace_size *sizes;    /* Of the messages. */
    pace_size out;       /* Handed over and not answered; wire is not kept. */
    _Atomic bool failed; /* A message will never be in the log. */
};

void flights_init(flights *self, runner *of, kafka_producer *producer, size_t window)
{
    *self = (flights){.runner = of, .producer = producer};
    pace_init(&self->pace, window, kafka_producer_has_bulk(producer));
    self->last = &self->first;
    self->landed = sluice_offsets_new();
    pthread_mutex_init(&self->lock, NULL);
}

static void flight_free(flight *self)
{
    sluice_batch_free(self->batch);
    sluice_offsets_free(self->offsets);
    free(self->messages);
    free(self->sizes);
    free(self);
}

static void free_list(flight *list)
{
    while (list != NULL) {
        flight *next = list->next;
        flight_free(list);
        list = next;
    }
}

void flights_done(flights *self)
{
    free_list(self->free);
    free_list(self->first);
    sluice_offsets_free(self->landed);
    sluice_offsets_free(self->sent);
    sluice_offsets_free(self->stored);
    free(self->trouble);
    pthread_mutex_destroy(&self->lock);
}

sluice_batch *flight_batch(const flight *self)
{
    return self->batch;
}

kafka_message *flight_messages(flight *self, size_t count)
{
    if (count > self->room) {
        self->room = count;
        self->messages = memory_resize(self->messages, count * sizeof *self->messages);
        self->sizes = memory_resize(self->sizes, count * sizeof *self->sizes);
    }
    return self->messages;
}

/* --- Taking and giving back. --- */

static bool may_start(const flights *self)
{
    const host *of = self->runner->host;
    return self->under_way == 0 || (self->under_way < under_way_max &&
                                    of->bytes_in_flight < of->bytes_in_flight_max);
}

/* Keeps a flight for the next one. Its memory is the task's thread's, so that only that
 * frees it. The lock is held. */
static void park(flights *self, flight *landed)
{
    landed->next = self->free;
    self->free = landed;
    self->kept++;
    self->kept_bytes += landed->memory;
}

static flight *unpark(flights *self)
{
    flight *taken = self->free;
    if (taken != NULL) {
        self->free = taken->next;
        self->kept--;
        self->kept_bytes -= taken->memory;
    }
    return taken;
}

flight *flights_take(flights *self)
{
    pthread_mutex_lock(&self->lock);
    self->waiting = !may_start(self);
    bool waiting = self->waiting;
    flight *taken = waiting ? NULL : unpark(self);
    flight *surplus = self->kept > kept_max ? unpark(self) : NULL;
    pthread_mutex_unlock(&self->lock);
    if (surplus != NULL) {
        flight_free(surplus);
    }
    if (taken == NULL && !waiting) {
        taken = memory_zero(sizeof *taken);
        taken->of = self;
        taken->batch = sluice_batch_new();
        taken->offsets = sluice_offsets_new();
    } else if (taken != NULL) {
        sluice_batch_reset(taken->batch);
    }
    return taken;
}

void flights_give_back(flights *self, flight *unused)
{
    pthread_mutex_lock(&self->lock);
    unused->memory = 0;
    park(self, unused);
    pthread_mutex_unlock(&self->lock);
}

void flights_trim(flights *self)
{
    flight *dead = NULL;
    pthread_mutex_lock(&self->lock);
    if (self->under_way == 0 && self->kept_bytes > idle_bytes_max) {
        dead = self->free;
        self->free = NULL;
        self->kept = 0;
        self->kept_bytes = 0;
    }
    pthread_mutex_unlock(&self->lock);
    if (dead != NULL) {
        free_list(dead);
        sluice_arena_trim();
        kafka_producer_trim(self->producer);
        malloc_trim(0);
    }
}

/* --- Landing. --- */

/* Lands whatever is complete at the front. The lock is held. */
static void land(flights *self)
{
    while (self->first != NULL && self->first->owed == 0) {
        flight *landed = self->first;
        self->first = landed->next;
        if (self->first == NULL) {
            self->last = &self->first;
        }
        self->under_way--;
        self->runner->host->bytes_in_flight -= (int64_t)landed->memory;
        if (self->trouble == NULL && !landed->failed) {
            offsets_merge(self->landed, landed->offsets);
        }
        park(self, landed);
    }
}

/* The thread that does something: the other one may have to hear of it. */
typedef enum actor { MAIN_THREAD, TASK_THREAD } actor;

static void dispatch(flights *self, actor by);

/* Takes `count` messages off those that are out; returns their bytes: a fair share. */
static size_t take_off(flight *self, size_t count)
{
    size_t bytes = count == self->out.count
                       ? self->out.payload
                       : self->out.payload / self->out.count * count;
    self->out.count -= count;
    self->out.payload -= bytes;
    return bytes;
}

/* `count` messages of a flight that were handed over need no answer any more. `whole`:
 * none of it is left to be handed over. */
static void answered(flight *self, size_t count, bool whole, actor by)
{
    flights *of = self->of; /* The flight itself may be gone once it has landed. */
    pthread_mutex_lock(&of->lock);
    self->owed -= count + whole;
    if (count > 0) {
        pace_answer(&of->pace, take_off(self, count), count);
    }
    size_t before = of->under_way;
    land(of);
    bool landed = of->under_way < before;
    bool wake = of->waiting && may_start(of);
    of->waiting = of->waiting && !wake;
    bool more = of->next != NULL && !of->handing && pace_wants(&of->pace);
    pthread_mutex_unlock(&of->lock);
    if (wake) {
        runner_wake(of->runner);
    }
    if (landed && by == TASK_THREAD) { /* The main one sleeps; there may be offsets. */
        host_nudge(of->runner->host);
    }
    if (more) {
        dispatch(of, by);
    }
}

/* Notes why the task must fail; the first reason stays. */
static void fail_later(flights *self, char *reason)
{
    pthread_mutex_lock(&self->lock);
    bool first = self->trouble == NULL;
    if (first) {
        self->trouble = reason;
    }
    pthread_mutex_unlock(&self->lock);
    if (!first) {
        free(reason);
    }
    runner_wake(self->runner);
}

/* A record is lost: tolerated, or the end of the task. */
static void lose(flight *self, const char *topic, int32_t partition, const char *reason)
{
    runner *task = self->of->runner;
    error_policy *errors = &task->errors;
    errors_note(errors, STAGE_KAFKA_PRODUCE);
    figures_add(&task->figures, COUNT_DROPPED, 1);
    char *text =
        partition < 0
            ? memory_print("topic '%s' does not take a record: %s", topic, reason)
            : memory_print("topic '%s' partition %d does not take a record: %s", topic,
                           (int)partition, reason);
    if (!errors->settings.tolerate) {
        self->failed = true;
        fail_later(self->of, text);
        return;
    }
    errors->skipped++;
    if (errors->settings.log) {
        errors->logged++;
        sluice_log(SLUICE_ERROR, "worker.errors",
                   "Error encountered in task %s-%d. Executing stage 'KAFKA_PRODUCE'. "
                   "%s; skipping the record",
                   task->task.connector, task->task.number, text);
    }
    free(text);
}

static void delivered(void *context, void *opaque, size_t count)
{
    figures_add(&((flight *)opaque)->of->runner->figures, COUNT_WRITTEN, count);
    answered(opaque, count, false, MAIN_THREAD);
}

static void failed(void *context, void *opaque, const char *topic, int32_t partition,
                   const char *reason)
{
    lose(opaque, topic, partition, reason);
    answered(opaque, 1, false, MAIN_THREAD);
}

const kafka_delivery_ops flight_deliveries = {.delivered = delivered, .failed = failed};

/* --- Handing over. --- */

/* Messages of a flight that one thread hands over without the lock. */
typedef struct piece {
    flight *of;
    size_t end;
    kafka_lane lane;
} piece;

/* Takes as much of the next flight as there is room for. False: nothing. The lock is
 * held. */
static bool allot(flights *self, piece *ret_piece)
{
    flight *one = self->next;
    if (one == NULL) {
        return false;
    }
    size_t left = one->count - one->sent;
    pace_size sum;
    if (pace_allot(&self->pace, one->sizes + one->sent, left, clock_ms(), &sum) == 0 &&
        left > 0) {
        return false;
    }
    one->out.count += sum.count;
    one->out.payload += sum.payload;
    if (sum.count == left) {
        self->next = one->next;
    }
    if (self->trouble != NULL) {
        one->failed = true; /* What comes behind a loss is not sent. */
    }
    *ret_piece = (piece){one, one->sent + sum.count, self->pace.lane};
    return true;
}

/* What the client's queue did not take goes later. The lock is held. */
static void take_back(flights *self, const piece *what)
{
    flight *one = what->of;
    pace_size left = {.count = what->end - one->sent};
    for (size_t i = one->sent; i < what->end; i++) {
        left.wire += one->sizes[i].wire;
    }
    left.payload = take_off(one, left.count);
    pace_take_back(&self->pace, &left);
    self->next = one;
}

/* Hands over the next messages of a piece, or learns that one of them, which is passed
 * over, never can be: true. RETRY to `*ret_status` when the client's queue is full. */
static bool hand_some(flights *self, const piece *what, sluice_status *ret_status,
                      sluice_error *err)
{
    flight *one = what->of;
    size_t taken = 0;
    sluice_status status = SLUICE_FATAL;
    if (!one->failed) {
        status = kafka_produce(self->producer, what->lane, &one->messages[one->sent],
                               what->end - one->sent, &taken, err);
        one->sent += taken;
    }
    *ret_status = status;
    if (status == SLUICE_OK || status == SLUICE_RETRY) {
        return false;
    }
    if (status == SLUICE_BAD_RECORD) {
        const kafka_message *message = &one->messages[one->sent];
        lose(one, kafka_topic_name(message->topic), message->partition,
             sluice_error_text(err));
    } else if (!one->failed) {
        one->failed = true;
        fail_later(self, memory_text(sluice_error_text(err)));
    }
    one->sent++;
    return true;
}

/* Hands a piece over, as far as the client's queue takes it. False when that is full.
 */
static bool hand_over(flights *self, const piece *what, actor by, sluice_error *err)
{
    flight *one = what->of;
    size_t unsent = 0;
    sluice_status status = SLUICE_OK;
    while (one->sent < what->end && status != SLUICE_RETRY) {
        unsent += hand_some(self, what, &status, err);
    }
    bool full = status == SLUICE_RETRY;
    if (full) {
        pthread_mutex_lock(&self->lock);
        take_back(self, what);
        pthread_mutex_unlock(&self->lock);
    }
    answered(one, unsent, !full && what->end == one->count, by);
    return !full;
}

/* Hands over what may go now. Any thread; one at a time does it. */
static void dispatch(flights *self, actor by)
{
    pthread_mutex_lock(&self->lock);
    piece next;
    if (self->handing || !allot(self, &next)) {
        pthread_mutex_unlock(&self->lock);
        return;
    }
    self->handing = true;
    sluice_error *err = sluice_error_new();
    bool more = true;
    while (more) {
        pthread_mutex_unlock(&self->lock);
        more = hand_over(self, &next, by, err);
        pthread_mutex_lock(&self->lock);
        more = more && allot(self, &next);
    }
    pace_close(&self->pace);
    self->handing = false;
    pthread_mutex_unlock(&self->lock);
    sluice_error_free(err);
}

void flights_go_on(flights *self)
{
    dispatch(self, MAIN_THREAD);
}

/* --- Launching. --- */

/* The last offset of each partition. Most batches have one partition, whose records
 * share one map: only where the next record has another one is anything looked up. */
static void note_offsets(flight *self)
{
    sluice_offsets_clear(self->offsets);
    size_t count = sluice_batch_count(self->batch);
    for (size_t i = 0; i < count; i++) {
        const sluice_record *record = sluice_batch_record(self->batch, i);
        const sluice_value *partition = sluice_record_source_partition(record);
        if (partition == NULL) {
            continue;
        }
        const sluice_record *next =
            i + 1 < count ? sluice_batch_record(self->batch, i + 1) : NULL;
        if (next == NULL || sluice_record_source_partition(next) != partition) {
            sluice_offsets_set(self->offsets, partition,
                               sluice_record_source_offset(record));
        }
    }
}

void flights_launch(flights *self, flight *starting, size_t count)
{
    note_offsets(starting);
    size_t bytes = 0, waiting = 0;
    for (size_t i = 0; i < count; i++) {
        pace_size *size = &starting->sizes[i];
        *size = kafka_message_size(&starting->messages[i]);
        waiting += size->wire;
        bytes += size->payload;
    }
    self->runner->records += count;
    self->runner->bytes += bytes;
    starting->memory = sluice_arena_used(sluice_batch_arena(starting->batch));
    starting->count = count;
    starting->sent = 0;
    starting->failed = false;
    starting->owed = count + 1;
    starting->next = NULL;
    self->runner->host->bytes_in_flight += (int64_t)starting->memory;
    pthread_mutex_lock(&self->lock);
    *self->last = starting;
    self->last = &starting->next;
    if (self->next == NULL) {
        self->next = starting;
    }
    self->under_way++;
    pace_launch(&self->pace, waiting, count, clock_ms());
    /* In bulk nothing is urgent: the main thread hands over, which also frees what the
     * client has allocated, while this one fills the next. */
    bool later = self->pace.lane == KAFKA_BULK && self->pace.out_count > 0;
    bool more = !self->handing && pace_wants(&self->pace);
    pthread_mutex_unlock(&self->lock);
    if (!later) {
        dispatch(self, TASK_THREAD);
    } else if (more) {
        kafka_producer_nudge(self->producer);
    }
}

/* --- Offsets and the rest. --- */

sluice_status flights_check(flights *self, sluice_error *err)
{
    sluice_status status = SLUICE_OK;
    pthread_mutex_lock(&self->lock);
    if (self->trouble != NULL) {
        status = sluice_fail(err, SLUICE_FATAL, "%s", self->trouble);
    }
    pthread_mutex_unlock(&self->lock);
    return status;
}

sluice_offsets *flights_news(flights *self)
{
    pthread_mutex_lock(&self->lock);
    sluice_offsets *news = self->stored;
    self->stored = NULL;
    pthread_mutex_unlock(&self->lock);
    return news;
}

bool flights_are_busy(flights *self)
{
    pthread_mutex_lock(&self->lock);
    bool busy = self->under_way > 0 || sluice_offsets_count(self->landed) > 0 ||
                self->sent != NULL;
    self->waiting = busy;
    pthread_mutex_unlock(&self->lock);
    return busy;
}

size_t flights_count(flights *self)
{
    pthread_mutex_lock(&self->lock);
    size_t count = self->under_way;
    pthread_mutex_unlock(&self->lock);
    return count;
}

bool flights_have_offsets(flights *self)
{
    pthread_mutex_lock(&self->lock);
    bool has = sluice_offsets_count(self->landed) > 0;
    pthread_mutex_unlock(&self->lock);
    return has;
}

void flights_collect(flights *self, sluice_offsets *all)
{
    pthread_mutex_lock(&self->lock);
    if (sluice_offsets_count(self->landed) > 0) {
        offsets_merge(all, self->landed);
        self->sent = self->landed;
        self->sent_ms = clock_ms();
        self->landed = sluice_offsets_new();
    }
    pthread_mutex_unlock(&self->lock);
}

void flights_stored(flights *self)
{
    pthread_mutex_lock(&self->lock);
    bool news = self->sent != NULL;
    if (news && self->stored != NULL) { /* Not told yet: both at once. */
        offsets_merge(self->stored, self->sent);
        sluice_offsets_free(self->sent);
    } else if (news) {
        self->stored = self->sent;
    }
    self->sent = NULL;
    int64_t sent_ms = self->sent_ms;
    pthread_mutex_unlock(&self->lock);
    if (news) {
        figures_committed(&self->runner->figures, sent_ms, true);
        runner_wake(self->runner);
    }
}
