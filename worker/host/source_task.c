/* Poll, transform, convert, and launch; tell what is stored. */
#include "worker/host/source_task.h"
#include "base/memory.h"
#include "worker/host/flights.h"
#include "worker/host/host_state.h"
#include "worker/host/topic_creation.h"
#include <stdlib.h>
#include <string.h>

typedef struct source_task {
    runner runner; /* First. */
    const sluice_source_ops *ops;
    void *self; /* The plugin's. */
    flights flights;
    const char *last_topic;        /* As the records have it … */
    kafka_topic *last_kafka_topic; /* … and the producer's, which is found by hash. */
    backoff poll_backoff;
} source_task;

static source_task *of(runner *task)
{
    return (source_task *)task;
}

/* --- Sending. --- */

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
        kafka_topic *found =
            topic_creation_ensure(self->runner.host->creation, name, err) == SLUICE_OK
                ? kafka_producer_topic(self->flights.producer, name, err)
                : NULL;
        if (found == NULL) {
            return SLUICE_FATAL;
        }
        self->last_kafka_topic = found;
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
    *ret_keep = sluice_record_topic(record) != NULL ||
                sluice_record_source_offset(record) == NULL;
    if (!*ret_keep) { /* It only tells a position. */
        return SLUICE_OK;
    }
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
    message->timestamp = sluice_record_is_timestamp_now(record)
                             ? SLUICE_NO_TIMESTAMP
                             : sluice_record_timestamp(record);
    message->headers = NULL;
    message->header_count = 0;
    message->opaque = to;
    return converters_encode(task->converters, &task->errors, record, message, ret_keep,
                             err);
}

/* Transforms, converts and launches a batch. It is the flight's from then on. */
static sluice_status send(source_task *self, flight *starting, sluice_error *err)
{
    const sluice_batch *batch = flight_batch(starting);
    size_t records = sluice_batch_count(batch), count = 0;
    kafka_message *messages = flight_messages(starting, records);
    self->last_topic = NULL;
    converters_begin(self->runner.converters);
    runner_enter(&self->runner, CONTROL_CALL_CONVERT);
    for (size_t i = 0; i < records; i++) {
        bool keep;
        sluice_status status =
            prepare_record(self, starting, sluice_batch_record(batch, i),
                           &messages[count], &keep, err);
        if (status != SLUICE_OK) {
            flights_give_back(&self->flights, starting);
            return status;
        }
        count += keep;
    }
    runner_enter(&self->runner, CONTROL_CALL_PRODUCE);
    figures_launched(&self->runner.figures, records, count);
    flights_launch(&self->flights, starting, count);
    runner_enter(&self->runner, CONTROL_CALL_NONE);
    return SLUICE_OK;
}

/* --- The task's life. --- */

/* Tells the source what is stored, if there is news. */
static sluice_status tell_committed(source_task *self, sluice_error *err)
{
    sluice_offsets *news = flights_news(&self->flights);
    sluice_status status = SLUICE_OK;
    if (news != NULL && self->ops->committed != NULL) {
        runner_enter(&self->runner, CONTROL_CALL_COMMITTED);
        status = self->ops->committed(self->self, news, err);
        runner_enter(&self->runner, CONTROL_CALL_NONE);
        if (status == SLUICE_RETRY) { /* The next news say it again. */
            sluice_log(SLUICE_WARN, "worker.task",
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

/* All that somebody woke it for. */
static sluice_status attend(source_task *self, sluice_error *err)
{
    runner *task = &self->runner;
    flights_trim(&self->flights);
    sluice_status status = flights_check(&self->flights, err);
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
        status = flights_check(&self->flights, err);
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
    int64_t began = figures_clock_us();
    runner_enter(&self->runner, CONTROL_CALL_POLL);
    sluice_status polled = self->ops->poll(self->self, flight_batch(next), err);
    runner_enter(&self->runner, CONTROL_CALL_NONE);
    figures_polled(&self->runner.figures, began,
                   sluice_batch_count(flight_batch(next)));
    if (polled != SLUICE_OK && polled != SLUICE_RETRY) {
        flights_give_back(&self->flights, next);
        return polled;
    }
    char *reason = polled == SLUICE_RETRY ? memory_text(sluice_error_text(err)) : NULL;
    sluice_status status = SLUICE_OK;
    if (sluice_batch_count(flight_batch(next)) > 0) {
        status = send(self, next, err);
    } else {
        flights_give_back(&self->flights, next);
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
        flight *next = flights_take(&self->flights);
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
        bool busy = flights_are_busy(&self->flights) && !task->host->orphaned;
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
    flights_done(&self->flights);
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
    flights_init(&self->flights, &self->runner, of_task->producer,
                 of_task->request_bytes);
    return &self->runner;
}

flights *source_task_flights(runner *task)
{
    return &of(task)->flights;
}
