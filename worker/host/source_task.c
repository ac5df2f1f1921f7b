/* Poll, transform, convert, produce; offsets in order. */
#include "worker/host/source_task.h"
#include "base/memory.h"
#include "worker/host/host_state.h"
#include "worker/host/json_value.h"
#include <stdlib.h>
#include <string.h>

static const char logger[] = "worker.task";

enum {
    flights_max = 256,            /* Under way, a task. */
    flights_kept_max = 4,         /* Waiting with warm memory, a task … */
    idle_bytes_max = 1024 * 1024, /* … which is given back when it is idle. */
    queue_full_wait_ms = 20,
};

typedef struct source_task source_task;

typedef struct flight {
    struct flight *next;
    source_task *task;
    sluice_batch *batch;
    sluice_offsets *offsets; /* The last of each partition in it. */
    size_t bytes;
    /* Messages without an answer yet, and one more until all were handed over. */
    _Atomic size_t owed;
    _Atomic bool failed; /* A message will never be in the log. */
} flight;

struct source_task {
    runner runner; /* First. */
    const sluice_source_ops *ops;
    void *self; /* The plugin's. */
    kafka_producer *producer;
    kafka_message *messages; /* Of the flight that is being sent. */
    size_t messages_room;
    const char *last_topic;        /* As the records have it … */
    kafka_topic *last_kafka_topic; /* … and the producer's, which is found by hash. */
    backoff poll_backoff;

    pthread_mutex_t lock;  /* Guards what follows. */
    flight *first, **last; /* Under way, oldest first. */
    flight *free;
    size_t under_way, kept, kept_bytes;
    bool waiting;           /* The task waits for one to land. */
    sluice_offsets *landed; /* Not yet sent to the worker. */
    sluice_offsets *sent;   /* Sent, not yet stored. */
    sluice_offsets *stored; /* Stored, the source not yet told. */
    char *trouble;          /* Why the task must fail. */
};

static source_task *of(runner *task)
{
    return (source_task *)task;
}

/* --- Flights. --- */

static void flight_free(flight *self)
{
    sluice_batch_free(self->batch);
    sluice_offsets_free(self->offsets);
    free(self);
}

static bool may_start(source_task *self)
{
    return self->under_way == 0 || (self->under_way < flights_max &&
                                    self->runner.host->bytes_in_flight <
                                        self->runner.host->bytes_in_flight_max);
}

/* A flight to fill; NULL while too much is under way, and then the task is woken when
 * that has changed. */
static flight *flight_take(source_task *self)
{
    pthread_mutex_lock(&self->lock);
    self->waiting = !may_start(self);
    flight *taken = self->waiting ? NULL : self->free;
    bool fresh = !self->waiting && taken == NULL;
    if (taken != NULL) {
        self->free = taken->next;
        self->kept--;
        self->kept_bytes -= taken->bytes;
    }
    pthread_mutex_unlock(&self->lock);
    if (fresh) {
        taken = memory_zero(sizeof *taken);
        taken->task = self;
        taken->batch = sluice_batch_new();
        taken->offsets = sluice_offsets_new();
    }
    return taken;
}

/* The lock is held. The task's thread clears the batch, as its memory is the thread's.
 */
static flight *flight_park(source_task *self, flight *landed)
{
    if (self->kept >= flights_kept_max) {
        return landed;
    }
    landed->next = self->free;
    self->free = landed;
    self->kept++;
    self->kept_bytes += landed->bytes;
    return NULL;
}

/* Gives the memory of waiting flights back: its owner is the task's thread. */
static void trim(source_task *self)
{
    pthread_mutex_lock(&self->lock);
    for (flight *one = self->free; one != NULL; one = one->next) {
        sluice_batch_reset(one->batch);
        one->bytes = 0;
    }
    self->kept_bytes = 0;
    pthread_mutex_unlock(&self->lock);
}

static void flight_give_back(source_task *self, flight *unused)
{
    pthread_mutex_lock(&self->lock);
    flight *surplus = flight_park(self, unused);
    pthread_mutex_unlock(&self->lock);
    if (surplus != NULL) {
        flight_free(surplus);
    }
}

static void flight_start(source_task *self, flight *starting)
{
    self->runner.host->bytes_in_flight += (int64_t)starting->bytes;
    pthread_mutex_lock(&self->lock);
    starting->next = NULL;
    *self->last = starting;
    self->last = &starting->next;
    self->under_way++;
    pthread_mutex_unlock(&self->lock);
}

/* Lands whatever is complete at the front. Behind a failed flight nothing's offsets
 * count any more. Returns flights that are to be freed. The lock is held. */
static flight *land(source_task *self)
{
    flight *surplus = NULL;
    while (self->first != NULL && self->first->owed == 0) {
        flight *landed = self->first;
        self->first = landed->next;
        if (self->first == NULL) {
            self->last = &self->first;
        }
        self->under_way--;
        self->runner.host->bytes_in_flight -= (int64_t)landed->bytes;
        if (self->trouble == NULL && !landed->failed) {
            offsets_merge(self->landed, landed->offsets);
        }
        landed->failed = false;
        flight *one = flight_park(self, landed);
        if (one != NULL) {
            one->next = surplus;
            surplus = one;
        }
    }
    return surplus;
}

/* `count` messages of a flight need no answer any more. */
static void flight_answered(flight *self, size_t count)
{
    if (atomic_fetch_sub(&self->owed, count) != count) {
        return;
    }
    source_task *task = self->task;
    pthread_mutex_lock(&task->lock);
    flight *surplus = land(task);
    bool wake = task->waiting && may_start(task);
    task->waiting = task->waiting && !wake;
    wake = wake || (task->under_way == 0 && task->kept_bytes > idle_bytes_max);
    pthread_mutex_unlock(&task->lock);
    while (surplus != NULL) {
        flight *next = surplus->next;
        flight_free(surplus);
        surplus = next;
    }
    if (wake) {
        runner_wake(&task->runner);
    }
}

static void delivered(void *context, void *opaque, size_t count)
{
    flight_answered(opaque, count);
}

/* Notes why the task must fail; the first reason stays. */
static void fail_later(source_task *self, const char *topic, int32_t partition,
                       const char *reason)
{
    pthread_mutex_lock(&self->lock);
    if (self->trouble == NULL) {
        self->trouble =
            memory_print("topic '%s' partition %d did not take a record: %s", topic,
                         (int)partition, reason);
    }
    pthread_mutex_unlock(&self->lock);
    runner_wake(&self->runner);
}

static void failed(void *context, void *opaque, const char *topic, int32_t partition,
                   const char *reason)
{
    flight *self = opaque;
    error_policy *errors = &self->task->runner.errors;
    errors->failures++;
    if (errors->settings.tolerate) {
        errors->skipped++;
        if (errors->settings.log) {
            sluice_log(SLUICE_ERROR, logger,
                       "topic '%s' partition %d did not take a record of task %s-%d: "
                       "%s; skipping the record",
                       topic, (int)partition, self->task->runner.task.connector,
                       self->task->runner.task.number, reason);
        }
    } else {
        self->failed = true;
        fail_later(self->task, topic, partition, reason);
    }
    flight_answered(self, 1);
}

const kafka_delivery_ops source_deliveries = {.delivered = delivered, .failed = failed};

/* --- Sending. --- */

static kafka_message *message_room(source_task *self, size_t count)
{
    if (count > self->messages_room) {
        self->messages_room = count * 2;
        self->messages =
            memory_resize(self->messages, self->messages_room * sizeof *self->messages);
    }
    return self->messages;
}

static sluice_status find_topic(source_task *self, const sluice_record *record,
                                kafka_topic **ret_topic, sluice_error *err)
{
    const char *name = sluice_record_topic(record);
    if (name == NULL || *name == '\0') {
        return sluice_fail(err, SLUICE_FATAL, "a record has no topic");
    }
    if (name != self->last_topic &&
        (self->last_kafka_topic == NULL ||
         strcmp(name, kafka_topic_name(self->last_kafka_topic)) != 0)) {
        self->last_kafka_topic = kafka_producer_topic(self->producer, name, NULL);
        runner_topic(&self->runner, name);
    }
    /* Names may live in a batch, and another may come to the same place: only a name
     * that was compared in this batch is known by its address. */
    self->last_topic = name;
    *ret_topic = self->last_kafka_topic;
    return SLUICE_OK;
}

/* Transforms and converts one record; `*ret_keep` false: nothing is to be sent. */
static sluice_status prepare_record(source_task *self, flight *to,
                                    sluice_record *record, kafka_message *message,
                                    bool *ret_keep, sluice_error *err)
{
    runner *task = &self->runner;
    *ret_keep = true;
    if (chain_count(task->chain) > 0) {
        sluice_status status =
            chain_apply(task->chain, &task->errors, record, ret_keep, err);
        if (status != SLUICE_OK || !*ret_keep) {
            return status;
        }
    }
    sluice_status status = find_topic(self, record, &message->topic, err);
    if (status != SLUICE_OK) {
        return status;
    }
    message->partition = sluice_record_partition(record);
    message->timestamp = sluice_record_timestamp(record);
    message->headers = NULL;
    message->header_count = 0;
    message->opaque = to;
    return converters_encode(task->converters, &task->errors, record, message, ret_keep,
                             err);
}

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

/* Hands one message over, waiting while the producer's queue is full. OK also when the
 * task is stopped meanwhile, and then `*ret_sent` is false. */
static sluice_status hand_over(source_task *self, const kafka_message *message,
                               bool *ret_sent, sluice_error *err)
{
    *ret_sent = false;
    for (;;) {
        sluice_status status = kafka_produce(self->producer, message, err);
        if (status != SLUICE_RETRY) {
            *ret_sent = status == SLUICE_OK;
            return status;
        }
        if (runner_is_stopping(&self->runner)) {
            return SLUICE_OK;
        }
        sluice_task quiet = self->runner.task; /* What it is woken for comes later. */
        quiet.wake_fd = -1;
        sluice_task_wait(&quiet, -1, 0, queue_full_wait_ms);
    }
}

/* A record that the producer refuses at once is treated as one that the log refuses. */
static sluice_status refused(source_task *self, flight *from,
                             const kafka_message *message, sluice_error *err)
{
    atomic_fetch_add(&from->owed, 1);
    failed(NULL, from, kafka_topic_name(message->topic), message->partition,
           sluice_error_text(err));
    return from->failed ? SLUICE_FATAL : SLUICE_OK;
}

static sluice_status produce_all(source_task *self, flight *starting, size_t count,
                                 sluice_error *err)
{
    size_t sent = 0;
    sluice_status status = SLUICE_OK;
    bool was_sent = true;
    for (size_t i = 0; i < count && status == SLUICE_OK; i++) {
        status = hand_over(self, &self->messages[i], &was_sent, err);
        if (status == SLUICE_BAD_RECORD) {
            status = refused(self, starting, &self->messages[i], err);
        } else if (!was_sent) {
            starting->failed = true; /* Stopped or dead: not all of it will be there. */
            break;
        }
        sent += was_sent;
    }
    /* What was not sent will not be answered; nor will the hand-over itself. */
    flight_answered(starting, count - sent + 1);
    return status;
}

/* Transforms, converts and produces a batch. It is the flight's from then on. */
static sluice_status send(source_task *self, flight *starting, sluice_error *err)
{
    size_t records = sluice_batch_count(starting->batch), count = 0;
    kafka_message *messages = message_room(self, records);
    self->last_topic = NULL;
    uint64_t bytes = 0;
    runner_enter(&self->runner, CONTROL_CALL_CONVERT);
    for (size_t i = 0; i < records; i++) {
        bool keep;
        sluice_status status =
            prepare_record(self, starting, sluice_batch_record(starting->batch, i),
                           &messages[count], &keep, err);
        if (status != SLUICE_OK) {
            flight_give_back(self, starting);
            return status;
        }
        if (keep) {
            bytes += messages[count].key.len + messages[count].value.len;
            count++;
        }
    }
    note_offsets(starting);
    starting->bytes = sluice_arena_used(sluice_batch_arena(starting->batch));
    starting->owed = count + 1;
    flight_start(self, starting);
    runner_enter(&self->runner, CONTROL_CALL_PRODUCE);
    sluice_status status = produce_all(self, starting, count, err);
    self->runner.records += count;
    self->runner.bytes += bytes;
    runner_enter(&self->runner, CONTROL_CALL_NONE);
    return status;
}

/* --- The task's life. --- */

/* Tells the source what is stored, if there is news. */
static sluice_status tell_committed(source_task *self, sluice_error *err)
{
    pthread_mutex_lock(&self->lock);
    sluice_offsets *news = self->stored;
    self->stored = NULL;
    pthread_mutex_unlock(&self->lock);
    sluice_status status = SLUICE_OK;
    if (news != NULL && self->ops->committed != NULL) {
        runner_enter(&self->runner, CONTROL_CALL_COMMITTED);
        status = self->ops->committed(self->self, news, err);
        runner_enter(&self->runner, CONTROL_CALL_NONE);
        if (status == SLUICE_RETRY) { /* The next news say it again. */
            sluice_log(SLUICE_WARN, logger,
                       "committed of task %s-%d: %s; telling it again with the next "
                       "offsets",
                       self->runner.task.connector, self->runner.task.number,
                       sluice_error_text(err));
            status = SLUICE_OK;
        }
    }
    sluice_offsets_free(news);
    return status;
}

static sluice_status look_for_trouble(source_task *self, sluice_error *err)
{
    sluice_status status = SLUICE_OK;
    pthread_mutex_lock(&self->lock);
    if (self->trouble != NULL) {
        status = sluice_fail(err, SLUICE_FATAL, "%s", self->trouble);
    }
    pthread_mutex_unlock(&self->lock);
    return status;
}

/* All that somebody woke it for. */
static sluice_status attend(source_task *self, sluice_error *err)
{
    runner *task = &self->runner;
    trim(self);
    sluice_status status = look_for_trouble(self, err);
    if (status == SLUICE_OK) {
        status = tell_committed(self, err);
    }
    while (status == SLUICE_OK && task->paused && !runner_is_stopping(task)) {
        if (!task->shown_paused) {
            task->shown_paused = true;
            runner_tell(task, "PAUSED", NULL);
        }
        sluice_task_wait(&task->task, -1, 0, -1);
        runner_clear_wake(task);
        status = look_for_trouble(self, err);
        if (status == SLUICE_OK) {
            status = tell_committed(self, err);
        }
    }
    if (status == SLUICE_OK && task->shown_paused && !task->paused) {
        task->shown_paused = false;
        runner_tell(task, "RUNNING", NULL);
    }
    return status;
}

/* One poll, and what it brought. */
static sluice_status step(source_task *self, flight *next, sluice_error *err)
{
    sluice_batch_reset(next->batch);
    runner_enter(&self->runner, CONTROL_CALL_POLL);
    sluice_status polled = self->ops->poll(self->self, next->batch, err);
    runner_enter(&self->runner, CONTROL_CALL_NONE);
    if (polled != SLUICE_OK && polled != SLUICE_RETRY) {
        flight_give_back(self, next);
        return polled;
    }
    char *reason = polled == SLUICE_RETRY ? memory_text(sluice_error_text(err)) : NULL;
    sluice_status status = SLUICE_OK;
    if (sluice_batch_count(next->batch) > 0) {
        status = send(self, next, err);
    } else {
        flight_give_back(self, next);
        if (runner_clear_wake(&self->runner)) {
            status = attend(self, err);
        }
    }
    if (reason == NULL) {
        runner_recovered(&self->runner, &self->poll_backoff, "poll");
    } else if (status == SLUICE_OK) {
        runner_back_off(&self->runner, &self->poll_backoff, "poll", reason);
    }
    free(reason);
    return status;
}

static sluice_status loop(source_task *self, sluice_error *err)
{
    runner *task = &self->runner;
    sluice_status status = attend(self, err);
    while (status == SLUICE_OK && !runner_is_stopping(task)) {
        if (runner_was_woken(task)) {
            status = attend(self, err);
            continue;
        }
        flight *next = flight_take(self);
        if (next != NULL) {
            status = step(self, next, err);
        } else {
            sluice_task_wait(&task->task, -1, 0, -1);
            if (runner_clear_wake(task)) {
                status = attend(self, err);
            }
        }
    }
    return status;
}

/* Waits, at most as long as one flush may take, until all flights have landed and their
 * offsets are stored, and tells the source. */
static void wind_up(source_task *self)
{
    runner *task = &self->runner;
    int64_t end = clock_ms() + task->host->flush_timeout_ms;
    task->winding = true;
    for (;;) {
        pthread_mutex_lock(&self->lock);
        bool busy = !task->host->orphaned &&
                    (self->under_way > 0 || sluice_offsets_count(self->landed) > 0 ||
                     self->sent != NULL);
        self->waiting = true; /* Woken by whatever lands. */
        pthread_mutex_unlock(&self->lock);
        tell_committed(self, NULL);
        int64_t left = end - clock_ms();
        if (!busy || left <= 0) {
            return;
        }
        /* It is readable for good that the task stops: only the other fd counts. */
        sluice_task quiet = task->task;
        quiet.stop_fd = -1;
        host_nudge(task->host);
        sluice_task_wait(&quiet, -1, 0, (int)left);
        runner_clear_wake(task);
    }
}

static sluice_status run(runner *task, sluice_error *err)
{
    source_task *self = of(task);
    sluice_status status = runner_prepare(task, err);
    if (status == SLUICE_OK) {
        status = runner_make(task, self->ops->create, &self->self, err);
    }
    if (status != SLUICE_OK || self->self == NULL) {
        return status;
    }
    status = loop(self, err);
    wind_up(self);
    runner_enter(task, CONTROL_CALL_DESTROY);
    self->ops->destroy(self->self);
    return status;
}

static void free_task(runner *task)
{
    source_task *self = of(task);
    while (self->free != NULL) {
        flight *next = self->free->next;
        flight_free(self->free);
        self->free = next;
    }
    while (self->first != NULL) { /* Only when the producer is gone. */
        flight *next = self->first->next;
        flight_free(self->first);
        self->first = next;
    }
    sluice_offsets_free(self->landed);
    sluice_offsets_free(self->sent);
    sluice_offsets_free(self->stored);
    free(self->trouble);
    free(self->messages);
    pthread_mutex_destroy(&self->lock);
    runner_done(task);
    free(self);
}

static const runner_ops runner_table = {.run = run, .free = free_task};
static const task_ops task_table = {
    .ask_split = runner_ask_split, .gauge = runner_gauge, .doing = runner_doing};

runner *source_task_new(host *of_task, int number, sluice_props *props)
{
    source_task *self = memory_zero(sizeof *self);
    runner_init(&self->runner, of_task, number, props, &runner_table, &task_table);
    self->ops = of_task->plugin->is.ops.source;
    self->producer = of_task->producer;
    self->last = &self->first;
    self->landed = sluice_offsets_new();
    pthread_mutex_init(&self->lock, NULL);
    return &self->runner;
}

/* --- For the main thread. --- */

size_t source_task_in_flight(runner *task)
{
    source_task *self = of(task);
    pthread_mutex_lock(&self->lock);
    size_t count = self->under_way;
    pthread_mutex_unlock(&self->lock);
    return count;
}

bool source_task_has_offsets(runner *task)
{
    source_task *self = of(task);
    pthread_mutex_lock(&self->lock);
    bool has = sluice_offsets_count(self->landed) > 0;
    pthread_mutex_unlock(&self->lock);
    return has;
}

void source_task_collect(runner *task, sluice_offsets *all)
{
    source_task *self = of(task);
    pthread_mutex_lock(&self->lock);
    if (sluice_offsets_count(self->landed) > 0) {
        offsets_merge(all, self->landed);
        self->sent = self->landed;
        self->landed = sluice_offsets_new();
    }
    pthread_mutex_unlock(&self->lock);
}

void source_task_stored(runner *task)
{
    source_task *self = of(task);
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
        runner_wake(task);
    }
}
