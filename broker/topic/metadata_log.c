/* The metadata log: records in frames, in batches, in a partition. */
#include "broker/topic/metadata_log.h"
#include "base/memory.h"
#include "broker/topic/replay.h"
#include "protocol/error_code.h"
#include "protocol/wire.h"
#include <errno.h>
#include <semaphore.h>
#include <stdlib.h>
#include <time.h>

enum { frame_version = 1 };

struct metadata_log {
    partition *log;
    record_batch_writer batch; /* In the making. */
    bool started;
    size_t added;        /* In the batch. */
    size_t record_count; /* In the log. */
};

/* A record type, its shape and the version that is written. */
typedef struct shape {
    record_type type;
    const message_schema *schema;
    int version;
} shape;

static const shape shapes[] = {
    {RECORD_TOPIC_RECORD, &topic_record_schema, 0},
    {RECORD_PARTITION_RECORD, &partition_record_schema, 0},
    {RECORD_CONFIG_RECORD, &config_record_schema, 0},
    {RECORD_REMOVE_TOPIC_RECORD, &remove_topic_record_schema, 0},
    {RECORD_PRODUCER_IDS_RECORD, &producer_ids_record_schema, 0},
};

static const shape *shape_of(uint32_t type)
{
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        if ((uint32_t)shapes[i].type == type) {
            return &shapes[i];
        }
    }
    return NULL;
}

static int64_t wall_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Nothing is deleted but what metadata_log_replace() leaves behind. */
static log_config config_of_log(void)
{
    log_config config = LOG_CONFIG_INIT;
    config.retention_ms = -1;
    config.sync_always = true;
    return config;
}

sluice_status metadata_log_open(log_dir *dir, metadata_log **ret_log, sluice_error *err)
{
    static const uuid id = {.bytes = {[15] = 1}}; /* Kafka's, for this topic. */
    log_config config = config_of_log();
    partition *log;
    sluice_status status =
        partition_open(dir, METADATA_TOPIC, 0, &id, &config, &log, err);
    if (status != SLUICE_OK) {
        return status;
    }
    *ret_log = memory_zero(sizeof **ret_log);
    (*ret_log)->log = log;
    return SLUICE_OK;
}

void metadata_log_close(metadata_log *self)
{
    if (self == NULL) {
        return;
    }
    if (self->started) {
        record_batch_writer_done(&self->batch);
    }
    partition_unref(self->log);
    free(self);
}

/* ---- Replay ---------------------------------------------------------------------- */

typedef struct replay {
    metadata_apply *apply;
    void *context;
    size_t count;
} replay;

/* A value is: frame version, record type, record version, record. */
static sluice_status apply_value(void *context, const log_record *one,
                                 sluice_arena *arena, sluice_error *err)
{
    replay *self = context;
    self->count++;
    sluice_bytes value = one->value;
    const uint8_t *base = value.base;
    uint32_t numbers[3];
    size_t at = 0;
    for (int i = 0; i < 3; i++) {
        size_t used = wire_get_uvarint(base + at, value.len - at, &numbers[i]);
        if (used == 0) {
            return sluice_fail(err, SLUICE_FATAL, "a record of %zu bytes has no header",
                               value.len);
        }
        at += used;
    }
    const shape *found = shape_of(numbers[1]);
    if (numbers[0] != frame_version || found == NULL) {
        return SLUICE_OK;
    }
    void *record = sluice_arena_take(arena, found->schema->body->size);
    sluice_status status = message_decode(found->schema, (int)numbers[2], base + at,
                                          value.len - at, arena, record, err);
    return status != SLUICE_OK ? SLUICE_FATAL
                               : self->apply(self->context, found->type, record, err);
}

sluice_status metadata_log_replay(metadata_log *self, metadata_apply *apply,
                                  void *context, sluice_error *err)
{
    replay one = {apply, context, 0};
    sluice_status status = partition_replay(self->log, apply_value, &one, err);
    self->record_count = one.count;
    return status;
}

/* ---- Append ---------------------------------------------------------------------- */

void metadata_log_add(metadata_log *self, record_type type, const void *record)
{
    const shape *found = shape_of((uint32_t)type);
    output out;
    output_init(&out);
    uint8_t *head = output_reserve(&out, 3 * wire_uvarint_bytes_max);
    size_t len = wire_put_uvarint(head, frame_version);
    len += wire_put_uvarint(head + len, (uint32_t)type);
    len += wire_put_uvarint(head + len, (uint32_t)found->version);
    out.bytes.len += len;
    message_encode(found->schema, found->version, record, &out, NULL);
    if (!self->started) {
        record_batch_writer_init(&self->batch, NULL);
        self->started = true;
    }
    record_batch_writer_add(&self->batch, wall_ms(), (sluice_bytes){NULL, 0},
                            (sluice_bytes){out.bytes.base, out.bytes.len});
    output_done(&out);
    self->added++;
}

size_t metadata_log_record_count(const metadata_log *self)
{
    return self->record_count;
}

typedef struct wait {
    partition_wait inner;
    sem_t over;
    int16_t error_code;
} wait;

static void on_durable(partition_wait *inner, int16_t error_code)
{
    wait *self = (wait *)inner;
    self->error_code = error_code;
    sem_post(&self->over);
}

static int16_t wait_durable(partition *log, int64_t offset)
{
    wait self = {.inner.done = on_durable};
    sem_init(&self.over, 0, 0);
    if (partition_wait_durable(log, &self.inner, offset)) {
        while (sem_wait(&self.over) != 0 && errno == EINTR) {
        }
    }
    sem_destroy(&self.over);
    return self.error_code;
}

sluice_status metadata_log_commit(metadata_log *self, sluice_error *err)
{
    record_batch_writer_finish(&self->batch);
    partition_append append = {.base = self->batch.base,
                               .len = self->batch.size,
                               .acks = -1,
                               .origin = PARTITION_COORDINATOR};
    partition_append_batches(self->log, &append, 1, wall_ms());
    int16_t error_code = append.error_code;
    if (error_code == ERROR_NONE) {
        error_code = wait_durable(self->log, append.next_offset);
    }
    record_batch_writer_done(&self->batch);
    self->started = false;
    self->record_count += error_code == ERROR_NONE ? self->added : 0;
    self->added = 0;
    if (error_code != ERROR_NONE) {
        return sluice_fail(err, SLUICE_FATAL, "cannot write the metadata log: %s",
                           error_code_name(error_code));
    }
    return SLUICE_OK;
}

/* A segment that may hold next to nothing is closed by the next batch, so that the new
 * one starts with it. If the process dies before the old ones are gone, the records
 * behind them say the same once more. */
sluice_status metadata_log_replace(metadata_log *self, sluice_error *err)
{
    log_config config = config_of_log();
    int64_t start = partition_log_end_offset(self->log), low;
    size_t count = self->added;
    config.segment_bytes = 1;
    partition_set_config(self->log, &config);
    sluice_status status = metadata_log_commit(self, err);
    config = config_of_log();
    partition_set_config(self->log, &config);
    if (status != SLUICE_OK) {
        return status;
    }
    int16_t code = partition_delete_records(self->log, start, &low);
    if (code != ERROR_NONE) {
        return sluice_fail(err, SLUICE_FATAL, "cannot shorten the metadata log: %s",
                           error_code_name(code));
    }
    partition_apply_retention(self->log, wall_ms());
    self->record_count = count;
    return SLUICE_OK;
}

int64_t metadata_log_end(const metadata_log *self, int32_t *ret_leader_epoch)
{
    *ret_leader_epoch = partition_leader_epoch(self->log);
    return partition_log_end_offset(self->log);
}
