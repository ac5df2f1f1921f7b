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
    size_t bytes;             /* Bytes that go to the log. */
    /* Messages without an answer, and one more until all were handed over. */
    _Atomic size_t owed;
    _Atomic bool failed; /* A message will never be in the log. */
};

void flights_init(flights *self, runner *of, kafka_producer *producer, size_t window)
{
    *self = (flights){.runner = of, .producer = producer, .window = window};
    self->last = &self->first;
    self->landed = sluice_offsets_new();
    pthread_mutex_init(&self->lock, NULL);
}

static void flight_free(flight *self)
{
    sluice_batch_free(self->batch);
    sluice_offsets_free(self->offsets);
    free(self->messages);
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
        self->handed--;
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

/* `count` messages of a flight need no answer any more. */
static void answered(flight *self, size_t count, actor by)
{
    if (atomic_fetch_sub(&self->owed, count) != count) {
        return;
    }
    flights *of = self->of; /* The flight itself may be gone from here on. */
    pthread_mutex_lock(&of->lock);
    land(of);
    bool wake = of->waiting && may_start(of);
    of->waiting = of->waiting && !wake;
    pthread_mutex_unlock(&of->lock);
    if (wake) {
        runner_wake(of->runner);
    }
    if (by == TASK_THREAD) { /* The main one sleeps, and there may be offsets. */
        host_nudge(of->runner->host);
    }
    dispatch(of, by);
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
    errors->failures++;
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
        sluice_log(SLUICE_ERROR, "worker.errors",
                   "Error encountered in task %s-%d. Executing stage 'KAFKA_PRODUCE'. "
                   "%s; skipping the record",
                   task->task.connector, task->task.number, text);
    }
    free(text);
}

static void delivered(void *context, void *opaque, size_t count)
{
    answered(opaque, count, MAIN_THREAD);
}

static void failed(void *context, void *opaque, const char *topic, int32_t partition,
                   const char *reason)
{
    lose(opaque, topic, partition, reason);
    answered(opaque, 1, MAIN_THREAD);
}

const kafka_delivery_ops flight_deliveries = {.delivered = delivered, .failed = failed};

/* --- Handing over. --- */

/* Hands the flight's messages over, as far as the client's queue takes them. False when
 * that is full. */
static bool hand_over(flights *self, flight *one, actor by, sluice_error *err)
{
    size_t unsent = 0;
    for (; one->sent < one->count; one->sent++) {
        const kafka_message *message = &one->messages[one->sent];
        sluice_status status =
            one->failed ? SLUICE_FATAL : kafka_produce(self->producer, message, err);
        if (status == SLUICE_RETRY) {
            answered(one, unsent, by);
            return false;
        }
        if (status != SLUICE_OK) {
            unsent++;
        }
        if (status == SLUICE_BAD_RECORD) {
            lose(one, kafka_topic_name(message->topic), message->partition,
                 sluice_error_text(err));
        } else if (status == SLUICE_FATAL && !one->failed) {
            one->failed = true;
            fail_later(self, memory_text(sluice_error_text(err)));
        }
    }
    answered(one, unsent + 1, by);
    return true;
}

/* Takes the next flight to hand over, or NULL: the lot is full, or on its way. The lock
 * is held. */
static flight *next_of_lot(flights *self, size_t lot)
{
    flight *one = self->next;
    bool goes = one != NULL && (lot == 0 ? self->handed == 0 || one->sent > 0
                                         : lot + one->bytes <= self->window);
    if (!goes) {
        return NULL;
    }
    self->next = one->next;
    self->handed++;
    if (self->trouble != NULL) {
        one->failed = true; /* What comes behind a loss is not sent. */
    }
    return one;
}

/* Hands the next lot over, if it is time. Any thread; one at a time does it. */
static void dispatch(flights *self, actor by)
{
    pthread_mutex_lock(&self->lock);
    flight *one = self->handing ? NULL : next_of_lot(self, 0);
    if (one == NULL) {
        pthread_mutex_unlock(&self->lock);
        return;
    }
    self->handing = true;
    sluice_error *err = sluice_error_new();
    size_t lot = 0;
    for (; one != NULL; one = next_of_lot(self, lot)) {
        lot += one->bytes + 1;
        pthread_mutex_unlock(&self->lock);
        bool whole = hand_over(self, one, by, err);
        pthread_mutex_lock(&self->lock);
        if (!whole) { /* It cannot have landed: what is left of it is next. */
            self->next = one;
            self->handed--;
            break;
        }
        if (self->handed == 0) {
            lot = 0; /* All has landed already: another lot begins. */
        }
    }
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
    starting->bytes = 0;
    for (size_t i = 0; i < count; i++) {
        starting->bytes +=
            starting->messages[i].key.len + starting->messages[i].value.len;
    }
    self->runner->records += count;
    self->runner->bytes += starting->bytes;
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
    pthread_mutex_unlock(&self->lock);
    dispatch(self, TASK_THREAD);
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
    pthread_mutex_unlock(&self->lock);
    if (news) {
        runner_wake(self->runner);
    }
}
