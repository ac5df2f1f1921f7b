/* Consume, convert, transform, put; flush, then commit. */
#include "worker/host/sink_task.h"
#include "base/memory.h"
#include "worker/host/client_settings.h"
#include "worker/host/host_state.h"
#include "worker/host/positions.h"
#include <malloc.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char logger[] = "worker.task";

enum {
    poll_records_default = 500,
    poll_records_max = 100 * 1000,
    poll_interval_default_ms = 300 * 1000,
    lag_ms = 1000,
    rest_ms = 2000, /* Nothing came for so long: the memory is better used elsewhere. */
};

typedef struct sink_task {
    runner runner; /* First. */
    const sluice_sink_ops *ops;
    void *self; /* The plugin's. */
    kafka_consumer *consumer;
    positions positions;

    kafka_consumed *consumed; /* What the batch is made of. */
    size_t consumed_count, consumed_max;
    sluice_batch *batch;
    bool held;   /* The batch has to be put again. */
    bool silent; /* The consumer is paused: because of that, or as asked. */
    int64_t put_again_ms;
    const char *last_topic; /* That was told. */

    bool commit_asked;
    bool rebalanced;   /* Partitions have gone since records were taken last. */
    int64_t commit_ms; /* When to commit next, if anything was put. */
    int64_t lag_told_ms;
    int64_t poll_within_ms;  /* Asked less often, the client leaves its group. */
    int64_t rest_ms;         /* When to give memory back, if nothing comes; 0: done. */
    sluice_offsets *rewinds; /* Asked for by the sink. */
    backoff put_backoff, flush_backoff;
    sluice_status trouble; /* Of a callback within a rebalance. */
    sluice_error *trouble_error;
} sink_task;

static sink_task *of(runner *task)
{
    return (sink_task *)task;
}

/* --- What the sink asks for. --- */

static void asked_rewind(sluice_task *task, const char *topic, int32_t partition,
                         int64_t offset)
{
    sluice_offsets_set_topic(((sink_task *)task)->rewinds, topic, partition, offset);
}

static void asked_commit(sluice_task *task)
{
    ((sink_task *)task)->commit_asked = true;
}

static sluice_status dead_letter(sluice_task *task, const sluice_record *record,
                                 sluice_error *why)
{
    sink_task *self = (sink_task *)task;
    return errors_judge(&self->runner.errors, STAGE_TASK_PUT,
                        self->runner.host->plugin->class_name, record, why);
}

/* --- The batch. --- */

static void drop_batch(sink_task *self)
{
    sluice_batch_reset(self->batch);
    kafka_consumed_release(self->consumed, self->consumed_count);
    self->consumed_count = 0;
    self->held = false;
}

static sluice_status decode_one(sink_task *self, const kafka_consumed *consumed,
                                sluice_error *err)
{
    runner *task = &self->runner;
    if (consumed->topic != self->last_topic) {
        self->last_topic = consumed->topic;
        runner_topic(task, consumed->topic);
    }
    sluice_record *record = sluice_batch_add(self->batch);
    sluice_record_set_consumed(record, consumed->topic, consumed->partition,
                               consumed->offset, consumed->timestamp,
                               consumed->timestamp < 0      ? SLUICE_TIMESTAMP_NONE
                               : consumed->timestamp_of_log ? SLUICE_TIMESTAMP_APPEND
                                                            : SLUICE_TIMESTAMP_CREATE);
    bool keep;
    sluice_status status = converters_decode(task->converters, &task->errors, consumed,
                                             record, &keep, err);
    if (status == SLUICE_OK && keep && chain_count(task->chain) > 0) {
        status = chain_apply(task->chain, &task->errors, record, &keep, err);
    }
    if (!keep) {
        sluice_batch_drop_last(self->batch);
    }
    return status;
}

/* Makes the batch of what was consumed. */
static sluice_status decode_all(sink_task *self, sluice_error *err)
{
    runner_enter(&self->runner, CONTROL_CALL_CONVERT);
    sluice_batch_reset(self->batch);
    sluice_status status = SLUICE_OK;
    for (size_t i = 0; i < self->consumed_count && status == SLUICE_OK; i++) {
        status = decode_one(self, &self->consumed[i], err);
    }
    runner_enter(&self->runner, CONTROL_CALL_NONE);
    return status;
}

/* Where the run of records of one partition that begins at `from` ends. */
static size_t run_end(const sink_task *self, size_t from)
{
    const kafka_consumed *first = &self->consumed[from];
    size_t end = from + 1;
    while (end < self->consumed_count && self->consumed[end].topic == first->topic &&
           self->consumed[end].partition == first->partition) {
        end++;
    }
    return end;
}

/* The records count as put: the positions move behind them. */
static void advance(sink_task *self)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < self->consumed_count; i++) {
        bytes += self->consumed[i].key.len + self->consumed[i].value.len;
    }
    for (size_t i = 0, end; i < self->consumed_count; i = end) {
        end = run_end(self, i);
        const kafka_consumed *last = &self->consumed[end - 1];
        position *at = positions_find(&self->positions, last->topic, last->partition);
        if (at != NULL) {
            at->next = last->offset + 1;
        }
    }
    self->runner.records += self->consumed_count;
    self->runner.bytes += bytes;
}

/* Where a position was not known, the first record tells it. */
static void learn_starts(sink_task *self)
{
    for (size_t i = 0; i < self->consumed_count; i = run_end(self, i)) {
        const kafka_consumed *one = &self->consumed[i];
        position *at = positions_find(&self->positions, one->topic, one->partition);
        if (at != NULL && at->committed < 0) {
            at->committed = one->offset;
        }
    }
}

/* --- Going back. --- */

static void go_to(sink_task *self, const kafka_position *to, size_t count,
                  sluice_error *err)
{
    if (count > 0 && kafka_consumer_seek(self->consumer, to, count, err) != SLUICE_OK) {
        sluice_log(SLUICE_WARN, logger, "task %s-%d: %s; consuming goes on",
                   self->runner.task.connector, self->runner.task.number,
                   sluice_error_text(err));
    }
}

static void apply_rewinds(sink_task *self, sluice_error *err)
{
    size_t count = sluice_offsets_count(self->rewinds), known = 0;
    kafka_position *to = memory_zero((count + 1) * sizeof *to);
    for (size_t i = 0; i < count; i++) {
        kafka_position one;
        sluice_offsets_topic(self->rewinds, i, &one.topic, &one.partition, &one.offset);
        position *at = positions_find(&self->positions, one.topic, one.partition);
        if (at != NULL) {
            at->next = one.offset;
            at->committed = one.offset;
            to[known++] = one;
        }
    }
    go_to(self, to, known, err);
    free(to);
    sluice_offsets_clear(self->rewinds);
}

/* What was put since the last commit comes again. */
static void go_back_to_committed(sink_task *self, sluice_error *err)
{
    kafka_position *to = memory_zero((self->positions.count + 1) * sizeof *to);
    size_t count = 0;
    for (size_t i = 0; i < self->positions.count; i++) {
        position *one = &self->positions.list[i];
        if (one->committed >= 0) {
            to[count++] = (kafka_position){one->topic, one->partition, one->committed};
        }
        one->next = -1;
    }
    drop_batch(self);
    go_to(self, to, count, err);
    free(to);
}

/* --- Committing. --- */

static void commit_safe(sink_task *self, const sluice_offsets *safe, int64_t began_ms,
                        sluice_error *err)
{
    size_t count;
    kafka_position *to = positions_to_commit(&self->positions, safe, &count);
    sluice_status status = kafka_consumer_commit(
        self->consumer, to, count, (int)self->runner.host->flush_timeout_ms, err);
    figures_committed(&self->runner.figures, began_ms, status == SLUICE_OK);
    if (status == SLUICE_OK) {
        figures_add(&self->runner.figures, COUNT_COMMITS, 1);
        for (size_t i = 0; i < count; i++) {
            positions_find(&self->positions, to[i].topic, to[i].partition)->committed =
                to[i].offset;
        }
    } else {
        sluice_log(SLUICE_WARN, logger, "task %s-%d: %s; trying again in %lld ms",
                   self->runner.task.connector, self->runner.task.number,
                   sluice_error_text(err),
                   (long long)self->runner.host->flush_interval_ms);
    }
    free(to);
}

/* Flushes and commits what was put. Anything but OK is the sink's. */
static sluice_status flush_and_commit(sink_task *self, sluice_error *err)
{
    self->commit_asked = false;
    self->commit_ms = clock_ms() + self->runner.host->flush_interval_ms;
    if (!positions_moved(&self->positions)) {
        return SLUICE_OK;
    }
    int64_t began = clock_ms();
    sluice_offsets *safe = positions_safe(&self->positions);
    uint32_t before = runner_enter(&self->runner, CONTROL_CALL_FLUSH);
    sluice_status status =
        self->ops->flush == NULL ? SLUICE_OK : self->ops->flush(self->self, safe, err);
    runner_enter(&self->runner, before);
    if (status == SLUICE_OK) {
        commit_safe(self, safe, began, err);
    } else {
        figures_committed(&self->runner.figures, began, false);
    }
    sluice_offsets_free(safe);
    return status;
}

/* In the loop: RETRY brings the records again, anything else fails the task. */
static sluice_status commit_now(sink_task *self, sluice_error *err)
{
    sluice_status status = flush_and_commit(self, err);
    if (status == SLUICE_RETRY) {
        char *reason = memory_text(sluice_error_text(err));
        go_back_to_committed(self, err);
        runner_back_off(&self->runner, &self->flush_backoff, "flush", reason);
        free(reason);
        return SLUICE_OK;
    }
    if (status == SLUICE_OK) {
        runner_recovered(&self->runner, &self->flush_backoff, "flush");
    }
    return status;
}

/* --- Rebalances: within kafka_consumer_poll() and _close(). --- */

static sluice_offsets *offsets_of(const kafka_position *list, size_t count)
{
    sluice_offsets *offsets = sluice_offsets_new();
    for (size_t i = 0; i < count; i++) {
        sluice_offsets_set_topic(offsets, list[i].topic, list[i].partition,
                                 list[i].offset < 0 ? 0 : list[i].offset);
    }
    return offsets;
}

static void note_trouble(sink_task *self, sluice_status status, const char *call)
{
    if (status != SLUICE_OK && self->trouble == SLUICE_OK) {
        sluice_prefix(self->trouble_error, "%s", call);
        self->trouble = status;
    }
}

static void assigned(void *context, const kafka_position *gained, size_t count)
{
    sink_task *self = context;
    for (size_t i = 0; i < count; i++) {
        positions_add(&self->positions, &gained[i]);
    }
    if (self->silent) {
        kafka_consumer_pause(self->consumer);
    }
    if (count > 0 && self->ops->open != NULL && self->trouble == SLUICE_OK) {
        sluice_offsets *offsets = offsets_of(gained, count);
        uint32_t before = runner_enter(&self->runner, CONTROL_CALL_OPEN);
        note_trouble(self, self->ops->open(self->self, offsets, self->trouble_error),
                     "open");
        runner_enter(&self->runner, before);
        sluice_offsets_free(offsets);
    }
}

/* Drops consumed records of partitions that have gone. Whether there were any. */
static bool drop_gone(sink_task *self)
{
    size_t kept = 0, before = self->consumed_count;
    for (size_t i = 0; i < before; i++) {
        kafka_consumed *one = &self->consumed[i];
        if (positions_find(&self->positions, one->topic, one->partition) != NULL) {
            self->consumed[kept++] = *one;
        } else {
            kafka_consumed_release(one, 1);
        }
    }
    self->consumed_count = kept;
    return kept < before;
}

/* Takes the records of partitions that have gone out of a batch that is held. */
static void forget_records(sink_task *self)
{
    if (drop_gone(self)) {
        self->last_topic = NULL;
        sluice_status status = decode_all(self, self->trouble_error);
        note_trouble(self, status, "decode");
    }
}

static void revoked(void *context, const kafka_position *lost, size_t count,
                    bool are_lost)
{
    sink_task *self = context;
    if (count == 0) {
        return;
    }
    if (!are_lost && self->self != NULL) {
        sluice_error *err = sluice_error_new();
        if (flush_and_commit(self, err) != SLUICE_OK) {
            sluice_log(SLUICE_WARN, logger,
                       "flush of task %s-%d: %s; nothing is committed, the records "
                       "will come again",
                       self->runner.task.connector, self->runner.task.number,
                       sluice_error_text(err));
        }
        sluice_error_free(err);
    }
    if (self->ops->close != NULL && self->self != NULL) {
        sluice_offsets *offsets = offsets_of(lost, count);
        uint32_t before = runner_enter(&self->runner, CONTROL_CALL_CLOSE);
        note_trouble(self, self->ops->close(self->self, offsets, self->trouble_error),
                     "close");
        runner_enter(&self->runner, before);
        sluice_offsets_free(offsets);
    }
    for (size_t i = 0; i < count; i++) {
        positions_remove(&self->positions, lost[i].topic, lost[i].partition);
    }
    self->rebalanced = true;
    if (self->held) {
        forget_records(self);
    }
}

static const kafka_rebalance_ops rebalance_table = {.assigned = assigned,
                                                    .revoked = revoked};

/* --- The loop. --- */

static void set_silent(sink_task *self, bool silent)
{
    if (silent != self->silent) {
        self->silent = silent;
        if (silent) {
            kafka_consumer_pause(self->consumer);
        } else {
            kafka_consumer_resume(self->consumer);
        }
    }
}

/* Puts the batch. RETRY: it is held and comes again later. */
static sluice_status put(sink_task *self, sluice_error *err)
{
    sluice_status status = SLUICE_OK;
    if (sluice_batch_count(self->batch) > 0) {
        int64_t began = figures_clock_us();
        runner_enter(&self->runner, CONTROL_CALL_PUT);
        status = self->ops->put(self->self, self->batch, err);
        runner_enter(&self->runner, CONTROL_CALL_NONE);
        if (status == SLUICE_OK) {
            figures_note(&self->runner.figures, VALUE_PUT_MS,
                         (double)(figures_clock_us() - began) / 1000);
        }
    }
    if (status == SLUICE_OK) {
        self->held = false;
        runner_recovered(&self->runner, &self->put_backoff, "put");
        advance(self);
        drop_batch(self);
    } else if (status == SLUICE_RETRY) {
        self->held = true;
        set_silent(self, true);
        self->put_again_ms =
            clock_ms() + runner_note_retry(&self->runner, &self->put_backoff, "put",
                                           sluice_error_text(err));
        status = SLUICE_OK;
    }
    return status;
}

static void tell_lag(sink_task *self)
{
    int64_t now = clock_ms();
    if (now - self->lag_told_ms < lag_ms && self->consumed_count > 0) {
        return;
    }
    self->lag_told_ms = now;
    int64_t lag = 0, active = 0;
    size_t count = self->positions.count;
    figure_place *places = memory_zero((count + 1) * sizeof *places);
    for (size_t i = 0; i < count; i++) {
        const position *one = &self->positions.list[i];
        int64_t behind =
            kafka_consumer_lag(self->consumer, one->topic, one->partition,
                               one->next >= 0 ? one->next : one->committed);
        places[i] = (figure_place){memory_text(one->topic), one->partition, one->next,
                                   one->committed, behind};
        lag += behind > 0 ? behind : 0;
        active += one->next > one->committed ? one->next - one->committed : 0;
    }
    self->runner.lag = lag;
    figures_places(&self->runner.figures, places, count, active);
}

static sluice_status look_for_trouble(sink_task *self, sluice_error *err)
{
    if (self->trouble == SLUICE_OK) {
        return SLUICE_OK;
    }
    return sluice_fail(err, self->trouble, "%s",
                       sluice_error_text(self->trouble_error));
}

/* Takes what has arrived: records, if it may have any, and rebalances in any case. */
static sluice_status consume(sink_task *self, bool *ret_more, sluice_error *err)
{
    kafka_consumed stray[1]; /* Nothing comes while it is silent; but if. */
    kafka_consumed *into = self->held ? stray : self->consumed;
    size_t count, max = self->held ? 1 : self->consumed_max;
    runner_enter(&self->runner, CONTROL_CALL_CONSUME);
    sluice_status status = kafka_consumer_poll(self->consumer, into, max, &count, err);
    runner_enter(&self->runner, CONTROL_CALL_NONE);
    if (status == SLUICE_OK) {
        status = look_for_trouble(self, err);
    }
    *ret_more = count == max;
    if (self->held) {
        for (size_t i = 0; i < count; i++) {
            go_to(
                self,
                &(kafka_position){stray[i].topic, stray[i].partition, stray[i].offset},
                1, err);
        }
        kafka_consumed_release(stray, count);
        return status;
    }
    self->consumed_count = count;
    if (self->rebalanced) { /* What came before it, in the same go, is others' now. */
        self->rebalanced = false;
        drop_gone(self);
    }
    return status;
}

static sluice_status attend(sink_task *self, sluice_error *err)
{
    runner *task = &self->runner;
    bool paused = task->paused;
    if (paused == task->shown_paused) {
        return SLUICE_OK;
    }
    sluice_status status = paused ? commit_now(self, err) : SLUICE_OK;
    set_silent(self, paused || self->held);
    task->shown_paused = paused;
    runner_tell(task, paused ? "PAUSED" : "RUNNING", NULL);
    return status;
}

static void rest(sink_task *self)
{
    self->rest_ms = 0;
    if (!self->held) {
        sluice_batch_free(self->batch);
        self->batch = sluice_batch_new();
        sluice_arena_trim();
        malloc_trim(0);
    }
}

static int64_t sooner(int64_t end, bool when, int64_t other)
{
    return when && other < end ? other : end;
}

/* How long nothing has to be done by itself. */
static int patience(const sink_task *self)
{
    int64_t now = clock_ms(), end = now + self->poll_within_ms;
    end = sooner(end, self->rest_ms > 0, self->rest_ms);
    end = sooner(end, positions_moved(&self->positions), self->commit_ms);
    end = sooner(end, self->held && !self->runner.paused, self->put_again_ms);
    int64_t left = end - now;
    return left < 0 ? 0 : left > 60000 ? 60000 : (int)left;
}

static void note_batch(sink_task *self)
{
    size_t records = sluice_batch_count(self->batch);
    figures_add(&self->runner.figures, COUNT_READ, self->consumed_count);
    figures_add(&self->runner.figures, COUNT_SENT, records);
    figures_note(&self->runner.figures, VALUE_BATCH, (double)records);
}

/* Records that have come are put; a batch that is held is put again in its time. */
static sluice_status deliver(sink_task *self, sluice_error *err)
{
    sluice_status status = SLUICE_OK;
    if (self->held) {
        if (!self->runner.paused && clock_ms() >= self->put_again_ms) {
            status = put(self, err);
            set_silent(self, self->held || self->runner.paused);
        }
    } else if (self->consumed_count > 0) {
        if (!positions_moved(&self->positions)) {
            self->commit_ms = clock_ms() + self->runner.host->flush_interval_ms;
        }
        learn_starts(self);
        status = decode_all(self, err);
        if (status == SLUICE_OK) {
            note_batch(self);
            status = put(self, err);
        }
    }
    return status;
}

static bool is_commit_due(const sink_task *self)
{
    return self->commit_asked ||
           (positions_moved(&self->positions) && clock_ms() >= self->commit_ms);
}

static sluice_status loop(sink_task *self, sluice_error *err)
{
    runner *task = &self->runner;
    sluice_status status = SLUICE_OK;
    bool more = true;
    while (status == SLUICE_OK && !runner_is_stopping(task)) {
        if (!more && !self->commit_asked && sluice_offsets_count(self->rewinds) == 0) {
            sluice_task_wait(&task->task, kafka_consumer_fd(self->consumer), POLLIN,
                             patience(self));
            runner_clear_wake(task);
        }
        status = attend(self, err);
        if (status == SLUICE_OK && is_commit_due(self)) {
            status = commit_now(self, err);
        }
        if (self->rest_ms > 0 && clock_ms() >= self->rest_ms) {
            rest(self);
        }
        if (status == SLUICE_OK && sluice_offsets_count(self->rewinds) > 0) {
            apply_rewinds(self, err);
        }
        if (status == SLUICE_OK) {
            status = consume(self, &more, err);
        }
        bool got = self->consumed_count > 0;
        if (status == SLUICE_OK) {
            status = deliver(self, err);
        }
        if (status == SLUICE_OK && !more) {
            tell_lag(self);
        }
        if (got) {
            self->rest_ms = clock_ms() + rest_ms;
        }
    }
    return status;
}

/* --- The task's life. --- */

static sluice_props *settings_of(const sink_task *self)
{
    const runner *task = &self->runner;
    sluice_props *derived = sluice_props_new();
    char text[512];
    snprintf(text, sizeof text, "connect-%s", task->task.connector);
    sluice_props_set(derived, "group.id", text);
    snprintf(text, sizeof text, "connector-consumer-%s-%d", task->task.connector,
             task->task.number);
    sluice_props_set(derived, "client.id", text);
    sluice_props_set(derived, "auto.offset.reset", "earliest");
    /* As Java's consumer asks for; librdkafka's does not by itself. */
    sluice_props_set(derived, "allow.auto.create.topics", "true");
    if (task->common->topics_regex[0] != '\0') {
        /* How soon a topic that is made later is found; five minutes otherwise. */
        sluice_props_set(derived, "topic.metadata.refresh.interval.ms", "1000");
    }
    sluice_props *settings = client_settings_layers(CLIENT_CONSUMER, task->host->worker,
                                                    task->props, derived);
    sluice_props_free(derived);
    return settings;
}

static sluice_status open_consumer(sink_task *self, sluice_error *err)
{
    const common_config *common = self->runner.common;
    sluice_props *settings = settings_of(self);
    int64_t max =
        client_settings_number(settings, "max.poll.records", poll_records_default);
    self->consumed_max = (size_t)(max < 1                  ? 1
                                  : max > poll_records_max ? poll_records_max
                                                           : max);
    self->consumed = memory_zero(self->consumed_max * sizeof *self->consumed);
    self->poll_within_ms = client_settings_number(settings, "max.poll.interval.ms",
                                                  poll_interval_default_ms) /
                           3;
    sluice_status status =
        kafka_consumer_new(settings, &rebalance_table, self, &self->consumer, err);
    sluice_props_free(settings);
    if (status == SLUICE_OK) {
        status = kafka_consumer_subscribe(
            self->consumer, &common->topics,
            common->topics_regex[0] != '\0' ? common->topics_regex : NULL, err);
    }
    return status;
}

/* The consumer leaves the group, which flushes and commits; then the sink goes. */
static void wind_up(sink_task *self)
{
    if (self->consumer != NULL) {
        drop_batch(self);
        kafka_consumer_close(self->consumer);
        kafka_consumer_free(self->consumer);
        self->consumer = NULL;
    }
    if (self->self != NULL) {
        runner_enter(&self->runner, CONTROL_CALL_DESTROY);
        self->ops->destroy(self->self);
        self->self = NULL;
    }
}

static sluice_status run(runner *task, sluice_error *err)
{
    sink_task *self = of(task);
    sluice_status status = runner_prepare(task, err);
    if (status == SLUICE_OK) {
        status = runner_make(task, self->ops->create, &self->self, err);
    }
    if (status != SLUICE_OK || self->self == NULL) {
        return status;
    }
    status = open_consumer(self, err);
    if (status == SLUICE_OK) {
        status = loop(self, err);
    }
    wind_up(self);
    return status;
}

static void free_task(runner *task)
{
    sink_task *self = of(task);
    sluice_batch_free(self->batch);
    free(self->consumed);
    positions_done(&self->positions);
    sluice_offsets_free(self->rewinds);
    sluice_error_free(self->trouble_error);
    runner_done(task);
    free(self);
}

static const runner_ops runner_table = {.run = run, .free = free_task};
static const task_ops task_table = {.rewind = asked_rewind,
                                    .ask_commit = asked_commit,
                                    .ask_split = runner_ask_split,
                                    .dead_letter = dead_letter,
                                    .gauge = runner_gauge,
                                    .doing = runner_doing};

runner *sink_task_new(host *of_task, int number, sluice_props *props)
{
    sink_task *self = memory_zero(sizeof *self);
    runner_init(&self->runner, of_task, number, props, &runner_table, &task_table);
    self->ops = of_task->plugin->is.ops.sink;
    self->batch = sluice_batch_new();
    self->rewinds = sluice_offsets_new();
    self->trouble_error = sluice_error_new();
    return &self->runner;
}
