/* The coordinator's ops: appends to `__consumer_offsets`, answers, one timer. */
#include "broker/request/group_edge.h"
#include "base/memory.h"
#include "broker/topic/replay.h"
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <semaphore.h>
#include <sluice/log.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OFFSETS_TOPIC "__consumer_offsets"

struct group_edge {
    group_coordinator *coordinator;
    topic *log;
    atomic_size_t appending; /* Waits for the disk, and one until the stop. */
    sem_t appended;          /* Posted when the last is over. */
    loop *timers;
    loop_timer timer; /* The three below are for the thread of `timers`. */
    loop_task timer_task;
    atomic_bool timer_posted;
    atomic_llong wake_at_ms; /* The soonest that was asked for. */
};

/* ---- Appends --------------------------------------------------------------------- */

typedef struct append_wait {
    partition_wait inner;
    group_edge *edge;
    uint64_t token;
} append_wait;

static void append_over(group_edge *self)
{
    if (atomic_fetch_sub(&self->appending, 1) == 1) {
        sem_post(&self->appended);
    }
}

static void on_durable(partition_wait *inner, int16_t error_code)
{
    append_wait *wait = (append_wait *)inner;
    group_edge *self = wait->edge;
    group_coordinator_appended(self->coordinator, wait->token, error_code);
    free(wait);
    append_over(self);
}

static void wait_for_disk(group_edge *self, partition *log, int64_t offset,
                          uint64_t token)
{
    append_wait *wait = memory_zero(sizeof *wait);
    atomic_fetch_add(&self->appending, 1);
    *wait = (append_wait){.inner.done = on_durable, .edge = self, .token = token};
    if (!partition_wait_durable(log, &wait->inner, offset)) {
        on_durable(&wait->inner, ERROR_NONE);
    }
}

static void op_append(void *context, const group_append *append)
{
    group_edge *self = context;
    partition *log = topic_partition(self->log, append->partition);
    record_batch_writer writer;
    record_batch_writer_init(&writer, NULL);
    for (size_t i = 0; i < append->record_count; i++) {
        record_batch_writer_add(&writer, append->timestamp_ms, append->records[i].key,
                                append->records[i].value);
    }
    record_batch_writer_finish(&writer);
    partition_append one = {.base = writer.base,
                            .len = writer.size,
                            .acks = -1,
                            .origin = PARTITION_COORDINATOR};
    partition_append_batches(log, &one, 1, append->timestamp_ms);
    record_batch_writer_done(&writer);
    if (one.error_code != ERROR_NONE) {
        group_coordinator_appended(self->coordinator, append->token, one.error_code);
    } else {
        wait_for_disk(self, log, one.next_offset, append->token);
    }
}

/* ---- Answers --------------------------------------------------------------------- */

static void op_answer(void *context, const group_answer *answer)
{
    request *self = answer->request;
    switch (answer->type) {
    case GROUP_JOIN:
        group_answer_join_group(self, answer);
        break;
    case GROUP_SYNC:
        group_answer_sync_group(self, answer);
        break;
    case GROUP_HEARTBEAT:
        group_answer_heartbeat(self, answer);
        break;
    case GROUP_LEAVE:
        group_answer_leave_group(self, answer);
        break;
    case GROUP_COMMIT:
        group_answer_offset_commit(self, answer);
        break;
    case GROUP_DELETE:
        group_answer_delete_groups(self, answer);
        break;
    case GROUP_DELETE_OFFSETS:
        group_answer_offset_delete(self, answer);
        break;
    case GROUP_TOPIC_DELETED:
    case GROUP_APPENDED:
    case GROUP_WAKE:
        break;
    }
}

/* ---- The clock ------------------------------------------------------------------- */

static group_time op_now(void *context)
{
    return (group_time){loop_now_ms(), loop_wall_ms()};
}

static void on_timer(loop_timer *timer)
{
    group_edge *self = (group_edge *)((char *)timer - offsetof(group_edge, timer));
    atomic_store(&self->wake_at_ms, INT64_MAX);
    group_coordinator_wake(self->coordinator);
}

static void on_timer_task(loop_task *task)
{
    group_edge *self = (group_edge *)((char *)task - offsetof(group_edge, timer_task));
    atomic_store(&self->timer_posted, false);
    int64_t at_ms = atomic_load(&self->wake_at_ms);
    if (at_ms != INT64_MAX) {
        loop_timer_set(self->timers, &self->timer, at_ms);
    }
}

static void op_wake_at(void *context, int64_t at_ms)
{
    group_edge *self = context;
    atomic_store(&self->wake_at_ms, at_ms);
    if (!atomic_exchange(&self->timer_posted, true)) {
        loop_post(self->timers, &self->timer_task);
    }
}

static const group_coordinator_ops ops = {
    .append = op_append, .answer = op_answer, .wake_at = op_wake_at, .now = op_now};

/* ---- Life ------------------------------------------------------------------------ */

static sluice_status load_record(void *context, const log_record *one,
                                 sluice_arena *arena, sluice_error *err)
{
    group_edge *self = context;
    if (group_coordinator_load(self->coordinator, one->key, one->value, err) !=
        SLUICE_OK) {
        sluice_log(SLUICE_WARN, "broker.group",
                   "record at offset %" PRId64 " of '%s': %s; going on without it",
                   one->offset, OFFSETS_TOPIC, sluice_error_text(err));
    }
    return SLUICE_OK;
}

static sluice_status open_log(group_edge *self, const broker_config *config,
                              topic_set *topics, sluice_error *err)
{
    self->log = topic_set_find(topics, OFFSETS_TOPIC, strlen(OFFSETS_TOPIC));
    if (self->log != NULL) {
        return SLUICE_OK;
    }
    char segment_bytes[16];
    snprintf(segment_bytes, sizeof segment_bytes, "%" PRId32,
             config->offsets_segment_bytes);
    config_pair pairs[] = {{"cleanup.policy", "compact"},
                           {"compression.type", "producer"},
                           {"segment.bytes", segment_bytes}};
    topic_creation creation = {.name = OFFSETS_TOPIC,
                               .name_len = strlen(OFFSETS_TOPIC),
                               .partition_count = config->offsets_partition_count,
                               .replication_factor = 1,
                               .configs = pairs,
                               .config_count = 3,
                               .internal = true};
    int16_t code = topic_set_create(topics, &creation, &self->log, err);
    return code == ERROR_NONE ? SLUICE_OK : SLUICE_FATAL;
}

sluice_status group_edge_open(const broker_config *config, topic_set *topics,
                              loop *timers, group_edge **ret_edge, sluice_error *err)
{
    group_edge *self = memory_zero(sizeof *self);
    self->timers = timers;
    self->timer.run = on_timer;
    self->timer_task.run = on_timer_task;
    atomic_init(&self->wake_at_ms, INT64_MAX);
    atomic_init(&self->appending, 1);
    sem_init(&self->appended, 0, 0);
    sluice_status status = open_log(self, config, topics, err);
    if (status != SLUICE_OK) {
        free(self);
        return status;
    }
    group_config settings = {
        .session_timeout_ms_min = config->group_session_timeout_ms_min,
        .session_timeout_ms_max = config->group_session_timeout_ms_max,
        .initial_rebalance_delay_ms = config->group_initial_rebalance_delay_ms,
        .size_max = config->group_size_max,
        .offset_metadata_bytes_max = config->offset_metadata_bytes_max,
        .offsets_retention_ms = (int64_t)config->offsets_retention_minutes * 60000,
        .offsets_retention_check_interval_ms =
            config->offsets_retention_check_interval_ms,
        .offsets_partition_count = self->log->partition_count};
    self->coordinator = group_coordinator_new(&settings, &ops, self);
    for (int32_t i = 0; i < self->log->partition_count && status == SLUICE_OK; i++) {
        status = partition_replay(self->log->partitions[i], load_record, self, err);
    }
    if (status != SLUICE_OK) {
        group_edge_free(self);
        return status;
    }
    group_coordinator_loaded(self->coordinator);
    *ret_edge = self;
    return SLUICE_OK;
}

void group_edge_stop(group_edge *self)
{
    group_coordinator_stop(self->coordinator);
    append_over(self);
    while (sem_wait(&self->appended) != 0) {
        assert(errno == EINTR);
    }
}

void group_edge_free(group_edge *self)
{
    if (self == NULL) {
        return;
    }
    group_coordinator_free(self->coordinator);
    topic_unref(self->log);
    sem_destroy(&self->appended);
    free(self);
}

group_coordinator *group_edge_coordinator(group_edge *self)
{
    return self->coordinator;
}

void group_edge_submit(request *self, group_event *event)
{
    event->request = self;
    group_coordinator_submit(parts_of(self)->groups->coordinator, event);
}

void group_edge_topic_deleted(group_edge *self, const topic *gone)
{
    group_event event = {.type = GROUP_TOPIC_DELETED,
                         .topic_deleted = {gone->name, gone->name_len}};
    group_coordinator_submit(self->coordinator, &event);
}
