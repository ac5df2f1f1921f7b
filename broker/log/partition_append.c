/* broker/log/partition_append.c - batches are checked, numbered and written.
 *
 * Checking (CRC, records) needs no lock. Under it each batch gets its offset, and those
 * that go into the same segment are written by one pwritev(). A write that does not
 * succeed leaves no trace: the file is cut back and the producers' state is put back.
 */
#include "base/memory.h"
#include "broker/log/partition_internal.h"
#include "broker/log/record_compress.h"
#include "protocol/error_code.h"

#include <errno.h>
#include <inttypes.h>
#include <sluice/log.h>
#include <stdlib.h>
#include <string.h>

/* A batch that was numbered and is to be written. */
typedef struct run_batch {
    partition_append *append;
    record_batch_header header;
    producer_entry before; /* Of its producer; `known` is whether there was one. */
    bool known;
} run_batch;

typedef struct append_run {
    run_batch *batches;
    struct iovec *pieces;
    size_t count;
    int64_t bytes;
} append_run;

static void refuse(partition_append *append, int16_t error_code, const char *message)
{
    append->error_code = error_code;
    append->error_message = message;
    append->error_record_count = 0;
    append->base_offset = append->next_offset = -1;
    append->log_append_time = append->log_start_offset = -1;
}

/* ---- Without the lock ------------------------------------------------------------ */

static void refuse_records(partition_append *append, const record_batch_fault *fault)
{
    refuse(append, fault->error_code, fault->message);
    append->error_record_count = fault->record_count;
    memcpy(append->error_records, fault->records,
           (size_t)fault->record_count * sizeof *fault->records);
}

static bool check_own(const partition_append *append, record_batch_fault *fault)
{
    record_batch_header header;
    fault->error_code = ERROR_CORRUPT_MESSAGE;
    fault->message = "no record batch";
    fault->record_count = 0;
    if (append->len < RECORD_BATCH_HEADER_SIZE) {
        return false;
    }
    record_batch_read_header(append->base, &header);
    return record_batch_header_possible(&header, (int64_t)append->len) &&
           record_batch_size(&header) == (int64_t)append->len;
}

static void stamp(partition_append *append, const log_config *config, int64_t now_ms,
                  int64_t max_timestamp)
{
    record_batch_header header;
    record_batch_read_header(append->written, &header);
    if (config->log_append_time) {
        record_batch_set_append_time(append->written, append->written_len, now_ms);
        append->log_append_time = now_ms;
    } else if (max_timestamp != header.max_timestamp) {
        record_batch_set_max_timestamp(append->written, append->written_len,
                                       max_timestamp);
    }
}

/* The compressors ask for room ahead of what they write. */
enum { COMPRESSOR_SLACK = 262144 };

/* Gives the batch the codec that the topic wants. */
static bool compress(partition_append *append, const log_config *config,
                     record_batch_fault *fault)
{
    record_batch_header header;
    record_batch_read_header(append->base, &header);
    if (config->compression == COMPRESSION_PRODUCER ||
        config->compression ==
            (compression_type)(header.attributes & RECORD_BATCH_CODEC_MASK)) {
        return true;
    }
    buffer_init(&append->remade, (size_t)config->max_message_bytes + COMPRESSOR_SLACK);
    if (!record_batch_recompress(append->base, append->len, config, &append->remade,
                                 fault)) {
        return false;
    }
    append->written = (uint8_t *)append->remade.base;
    append->written_len = append->remade.len;
    if (append->remade.len > (size_t)config->max_message_bytes) {
        fault->error_code = ERROR_MESSAGE_TOO_LARGE;
        fault->message = "the batch, compressed as the topic's compression.type says, "
                         "is larger than max.message.bytes allows";
        fault->record_count = 0;
        return false;
    }
    return true;
}

static void check(partition_append *append, const log_config *config, int64_t now_ms)
{
    record_batch_fault fault;
    int64_t max_timestamp = -1;
    append->error_code = ERROR_NONE;
    append->error_message = NULL;
    append->error_record_count = 0;
    append->duplicate = false;
    append->log_append_time = -1;
    append->written = append->base;
    append->written_len = append->len;
    buffer_init(&append->remade, 0);
    if (append->origin == PARTITION_COORDINATOR) {
        if (!check_own(append, &fault)) {
            refuse_records(append, &fault);
        }
    } else if (record_batch_check(append->base, append->len, config, now_ms,
                                  &max_timestamp, &fault) &&
               compress(append, config, &fault)) {
        stamp(append, config, now_ms, max_timestamp);
    } else {
        refuse_records(append, &fault);
    }
}

/* ---- Under the lock -------------------------------------------------------------- */

/* Whether the producer may write it; a duplicate is answered here. */
static bool check_producer(partition *self, partition_append *append,
                           const record_batch_header *header)
{
    producer_batch original;
    record_batch_fault fault;
    if (append->origin == PARTITION_COORDINATOR || header->producer_id < 0) {
        return true;
    }
    switch (producer_state_check(&self->producers, header, &original, &fault)) {
    case PRODUCER_APPEND:
        return true;
    case PRODUCER_DUPLICATE:
        append->duplicate = true;
        append->base_offset = original.last_offset - original.offset_delta;
        append->next_offset = original.last_offset + 1;
        append->log_append_time =
            self->config.log_append_time ? original.timestamp : -1;
        append->log_start_offset = self->log_start;
        return false;
    case PRODUCER_REFUSED:
        break;
    }
    refuse(append, fault.error_code, fault.message);
    append->log_start_offset = self->log_start;
    return false;
}

static bool is_index_full(const partition *self, const segment *active)
{
    int64_t size = self->config.segment_index_bytes;
    return (int64_t)active->index.offset_count >= size / OFFSET_ENTRY_SIZE ||
           (int64_t)active->index.time_count >= size / TIME_ENTRY_SIZE - 1;
}

/* Whether `header` must begin a new segment when `bytes` are to be written before it.
 */
static bool must_roll(const partition *self, const record_batch_header *header,
                      int64_t bytes)
{
    const segment *active = partition_active(self);
    if (active->size + bytes == 0) {
        return false;
    }
    int64_t last = self->log_end + header->last_offset_delta;
    return active->size + bytes + record_batch_size(header) >
               self->config.segment_bytes ||
           last - active->base_offset > INT32_MAX ||
           (active->first_timestamp >= 0 && header->max_timestamp >= 0 &&
            header->max_timestamp - active->first_timestamp >
                self->config.segment_ms) ||
           is_index_full(self, active);
}

/* The first append of a leadership begins its epoch. */
static void open_epoch(partition *self, int64_t start_offset)
{
    if (!epoch_cache_assign(&self->epochs, self->leader_epoch, start_offset)) {
        return;
    }
    sluice_error *err = sluice_error_new();
    if (partition_write_epochs(self, err) != SLUICE_OK) {
        sluice_log(SLUICE_WARN, "broker.log",
                   "%s; the epoch is read from the log at the next start",
                   sluice_error_text(err));
    }
    sluice_error_free(err);
}

/* Gives the batch its offset and puts it into the run. */
static void add_to_run(partition *self, append_run *run, partition_append *append,
                       record_batch_header *header)
{
    run_batch *batch = &run->batches[run->count];
    record_batch_set_offset(append->written, self->log_end, self->leader_epoch);
    header->base_offset = self->log_end;
    header->leader_epoch = self->leader_epoch;
    batch->append = append;
    batch->header = *header;
    const producer_entry *before =
        producer_state_get(&self->producers, header->producer_id);
    batch->known = before != NULL;
    if (before != NULL) {
        batch->before = *before;
    }
    producer_state_note(&self->producers, header);
    append->base_offset = self->log_end;
    append->next_offset = self->log_end = record_batch_last_offset(header) + 1;
    append->log_start_offset = self->log_start;
    run->pieces[run->count++] = (struct iovec){append->written, append->written_len};
    run->bytes += (int64_t)append->written_len;
}

static void undo_run(partition *self, append_run *run)
{
    for (size_t i = run->count; i-- > 0;) {
        run_batch *batch = &run->batches[i];
        if (batch->header.producer_id >= 0) {
            producer_state_undo(&self->producers, batch->header.producer_id,
                                batch->known ? &batch->before : NULL);
        }
        self->log_end = batch->header.base_offset;
        refuse(batch->append, ERROR_KAFKA_STORAGE_ERROR,
               "the broker's disk refused the write");
    }
}

/* Said once, and not again until a write has succeeded: producers try again and again.
 */
static void note_refusal(partition *self, const char *reason)
{
    if (!self->refusing) {
        sluice_log(SLUICE_ERROR, "broker.log",
                   "partition '%s-%d': %s; producers get KAFKA_STORAGE_ERROR until the "
                   "disk takes records again",
                   self->topic, self->number, reason);
    }
    self->refusing = true;
}

static void note_failed_write(partition *self, append_run *run, int fault)
{
    const segment *active = partition_active(self);
    char *what = memory_print("cannot write %" PRId64 " bytes to '%s.log': %s",
                              run->bytes, active->path, strerror(fault));
    note_refusal(self, what);
    free(what);
    undo_run(self, run);
    self->uncut = active->fd >= 0;
    partition_cut_remains(self, NULL);
}

static void note_acceptance(partition *self)
{
    if (self->refusing) {
        sluice_log(SLUICE_INFO, "broker.log", "partition '%s-%d' takes records again",
                   self->topic, self->number);
    }
    self->refusing = false;
}

/* Everything that follows from a written batch. */
static void note_written(partition *self, const run_batch *batch)
{
    segment *active = partition_active(self);
    int64_t position = active->size, size = record_batch_size(&batch->header);
    if (batch->append->acks == -1 && partition_syncs(self) && !self->pending.closed) {
        self->pending =
            (partition_gate){true, batch->header.base_offset, self->end_bytes,
                             active->base_offset, position};
    }
    segment_note(active, &batch->header, self->config.index_interval_bytes);
    self->recent[self->recent_count++ % PARTITION_RECENT] =
        (partition_recent){active->next_offset - 1, position, size};
    hot_tail_append(&self->hot, &self->dir->hot_bytes, active->base_offset, position,
                    batch->append->base, (size_t)size);
    self->end_bytes += size;
    self->unflushed_records += batch->header.record_count;
    self->traffic.appended_bytes += size;
    self->traffic.appended_records += batch->header.record_count;
}

/* 0 or an errno. */
static int write_pieces(partition *self, const append_run *run)
{
    segment *active = partition_active(self);
    errno = 0;
    if (partition_cut_remains(self, NULL) != SLUICE_OK ||
        segment_open(active, NULL) != SLUICE_OK) {
        return errno;
    }
    return self->dir->disk.write(active->fd, run->pieces, (int)run->count,
                                 active->size);
}

static void write_run(partition *self, append_run *run)
{
    if (run->count == 0) {
        return;
    }
    int fault = write_pieces(self, run);
    if (fault != 0) {
        note_failed_write(self, run, fault);
    } else {
        note_acceptance(self);
    }
    for (size_t i = 0; fault == 0 && i < run->count; i++) {
        note_written(self, &run->batches[i]);
    }
    run->count = 0;
    run->bytes = 0;
}

/* False when a new segment is needed and cannot be had. */
static bool make_place(partition *self, append_run *run,
                       const record_batch_header *header)
{
    if (!must_roll(self, header, run->bytes)) {
        return true;
    }
    write_run(self, run);
    if (self->failed || !must_roll(self, header, 0)) {
        return !self->failed;
    }
    sluice_error *err = sluice_error_new();
    bool rolled = partition_roll(self, err) == SLUICE_OK;
    if (!rolled) {
        note_refusal(self, sluice_error_text(err));
    }
    sluice_error_free(err);
    return rolled;
}

static void append_one(partition *self, append_run *run, partition_append *append)
{
    record_batch_header header;
    record_batch_read_header(append->written, &header);
    if (self->failed) {
        refuse(append, ERROR_KAFKA_STORAGE_ERROR, "the broker's disk failed");
    } else if (check_producer(self, append, &header)) {
        if (make_place(self, run, &header)) {
            add_to_run(self, run, append, &header);
        } else {
            refuse(append, ERROR_KAFKA_STORAGE_ERROR,
                   "the broker's disk refused a new segment");
        }
    }
}

static bool flush_wanted(const partition *self)
{
    return self->pending.closed ||
           self->unflushed_records >= self->config.flush_messages;
}

/* A batch and its repetition can come in one call: when the first was not written, the
 * second is no duplicate. */
static void refuse_lost_duplicates(const partition *self, partition_append *appends,
                                   size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (appends[i].duplicate && appends[i].next_offset > self->log_end) {
            appends[i].duplicate = false;
            refuse(&appends[i], ERROR_KAFKA_STORAGE_ERROR,
                   "the broker's disk refused the write");
        }
    }
}

/* Kafka says where the log starts when it has looked into the batch. */
static void note_refused(const partition *self, partition_append *append)
{
    if (append->error_code == ERROR_INVALID_RECORD ||
        append->error_code == ERROR_INVALID_TIMESTAMP) {
        append->log_start_offset = self->log_start;
    }
}

static void count_refused(partition *self, const partition_append *appends,
                          size_t count)
{
    self->traffic.appends += (int64_t)count;
    for (size_t i = 0; i < count; i++) {
        self->traffic.refused_appends += appends[i].error_code != ERROR_NONE;
    }
}

static void append_locked(partition *self, append_run *run, partition_append *appends,
                          size_t count)
{
    int64_t start = self->log_end;
    for (size_t i = 0; i < count; i++) {
        if (appends[i].error_code != ERROR_NONE) {
            note_refused(self, &appends[i]);
        } else if (self->deleted) {
            refuse(&appends[i], ERROR_NOT_LEADER_OR_FOLLOWER,
                   "the partition was deleted");
        } else {
            append_one(self, run, &appends[i]);
        }
    }
    write_run(self, run);
    refuse_lost_duplicates(self, appends, count);
    count_refused(self, appends, count);
    if (self->log_end > start) {
        open_epoch(self, start);
    }
    if (flush_wanted(self)) {
        partition_want_sync(self);
    }
}

void partition_append_batches(partition *self, partition_append *appends, size_t count,
                              int64_t now_ms)
{
    pthread_mutex_lock(&self->lock);
    log_config config = self->config;
    pthread_mutex_unlock(&self->lock);
    for (size_t i = 0; i < count; i++) {
        check(&appends[i], &config, now_ms);
    }
    run_batch one_batch;
    struct iovec one_piece;
    append_run run = {.batches = &one_batch, .pieces = &one_piece};
    if (count > 1) {
        run.batches = memory_take(count * sizeof(run_batch));
        run.pieces = memory_take(count * sizeof(struct iovec));
    }
    partition_gate before, after;
    pthread_mutex_lock(&self->lock);
    partition_watermark(self, &before);
    append_locked(self, &run, appends, count);
    partition_watermark(self, &after);
    pthread_mutex_unlock(&self->lock);
    for (size_t i = 0; i < count; i++) {
        buffer_done(&appends[i].remade);
    }
    if (count > 1) {
        free(run.batches);
        free(run.pieces);
    }
    if (after.bytes != before.bytes) {
        partition_wake(self, after.bytes, false);
    }
}
