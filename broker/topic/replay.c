/* Reading a partition of the broker's own from start to end. */
#include "broker/topic/replay.h"
#include "protocol/error_code.h"

enum {
    read_bytes = 1024 * 1024,
    inflated_bytes_max = 64 * 1024 * 1024,
};

typedef struct replay {
    replay_apply *apply;
    void *context;
    sluice_arena *arena;
    sluice_error *err;
} replay;

static sluice_status apply_batch(replay *self, const uint8_t *base, size_t size)
{
    record_reader reader;
    sluice_status status = record_reader_init(&reader, base, size, self->arena,
                                              inflated_bytes_max, self->err);
    bool over = false;
    while (status == SLUICE_OK && !over) {
        log_record one;
        status = record_reader_next(&reader, &one, &over, self->err);
        if (status == SLUICE_OK && !over) {
            status = self->apply(self->context, &one, self->arena, self->err);
        }
    }
    return status;
}

/* Applies whole batches and moves `offset` behind them. */
static sluice_status apply_batches(replay *self, const uint8_t *base, size_t size,
                                   int64_t *offset)
{
    sluice_status status = SLUICE_OK;
    for (size_t at = 0; status == SLUICE_OK && at + RECORD_BATCH_HEADER_SIZE <= size;) {
        record_batch_header header;
        record_batch_read_header(base + at, &header);
        size_t len = (size_t)record_batch_size(&header);
        if (len > size - at) {
            break;
        }
        bool control = (header.attributes & RECORD_BATCH_CONTROL) != 0;
        status = control ? SLUICE_OK : apply_batch(self, base + at, len);
        at += len;
        *offset = record_batch_last_offset(&header) + 1;
    }
    return status;
}

static sluice_status apply_data(replay *self, const partition_data *data,
                                int64_t *offset)
{
    if (data->error_code != ERROR_NONE) {
        return sluice_fail(self->err, SLUICE_FATAL, "cannot be read: %s",
                           error_code_name(data->error_code));
    }
    void *bytes = sluice_arena_take(self->arena, data->bytes);
    sluice_status status = partition_data_copy(data, bytes, self->err);
    int64_t before = *offset;
    if (status == SLUICE_OK) {
        status = apply_batches(self, bytes, data->bytes, offset);
    }
    if (status == SLUICE_OK && *offset == before) {
        status = sluice_fail(self->err, SLUICE_FATAL, "no batch is there");
    }
    return status;
}

sluice_status partition_replay(partition *self, replay_apply *apply, void *context,
                               sluice_error *err)
{
    replay one = {apply, context, sluice_arena_new(), err};
    int64_t offset = partition_log_start_offset(self);
    int64_t end = partition_log_end_offset(self);
    sluice_status status = SLUICE_OK;
    while (status == SLUICE_OK && offset < end) {
        int64_t at = offset;
        partition_data data;
        partition_read(self, offset, read_bytes, true, PARTITION_LOG_END, &data);
        status = apply_data(&one, &data, &offset);
        partition_data_done(&data);
        sluice_arena_reset(one.arena);
        if (status != SLUICE_OK) {
            sluice_prefix(err, "partition '%s-%d' from offset %lld on",
                          partition_topic(self), partition_number(self), (long long)at);
        }
    }
    sluice_arena_free(one.arena);
    return status;
}
