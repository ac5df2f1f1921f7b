/* broker/log/producer_state.c - sequence numbers of producers, and their open
 * transactions. */
#include "broker/log/producer_state.h"
#include "base/crc32c.h"
#include "base/memory.h"
#include "protocol/error_code.h"
#include "protocol/wire.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void producer_state_done(producer_state *self)
{
    free(self->entries);
    free(self->ended);
    *self = (producer_state){0};
}

void producer_state_clear(producer_state *self)
{
    producer_state_done(self);
}

/* ---- The table ------------------------------------------------------------------- */

static size_t slot_of(int64_t producer_id, size_t room)
{
    /* Fibonacci hashing: producer ids are handed out one after the other. */
    return (size_t)(((uint64_t)producer_id * 0x9e3779b97f4a7c15u) >> 32) & (room - 1);
}

/* The slot that holds the producer, or the free one where it would go. */
static producer_entry *find(const producer_state *self, int64_t producer_id)
{
    size_t slot = slot_of(producer_id, self->room);
    while (self->entries[slot].producer_id != -1 &&
           self->entries[slot].producer_id != producer_id) {
        slot = (slot + 1) & (self->room - 1);
    }
    return &self->entries[slot];
}

const producer_entry *producer_state_get(const producer_state *self,
                                         int64_t producer_id)
{
    if (self->room == 0 || producer_id < 0) {
        return NULL;
    }
    const producer_entry *entry = find(self, producer_id);
    return entry->producer_id == -1 ? NULL : entry;
}

static void set_room(producer_state *self, size_t room)
{
    producer_state larger = *self;
    larger.room = room;
    larger.entries = memory_take(room * sizeof(producer_entry));
    for (size_t i = 0; i < room; i++) {
        larger.entries[i].producer_id = -1;
    }
    for (size_t i = 0; i < self->room; i++) {
        if (self->entries[i].producer_id != -1) {
            *find(&larger, self->entries[i].producer_id) = self->entries[i];
        }
    }
    free(self->entries);
    *self = larger;
}

static producer_entry *put(producer_state *self, int64_t producer_id)
{
    assert(producer_id >= 0);
    if (4 * (self->count + 1) > 3 * self->room) {
        set_room(self, self->room == 0 ? 4 : 2 * self->room);
    }
    producer_entry *entry = find(self, producer_id);
    if (entry->producer_id == -1) {
        *entry = (producer_entry){.producer_id = producer_id,
                                  .epoch = -1,
                                  .coordinator_epoch = -1,
                                  .transaction_start = -1,
                                  .last_timestamp = -1};
        self->count++;
    }
    return entry;
}

/* Open addressing without tombstones: those behind move up. */
static void take_out(producer_state *self, int64_t producer_id)
{
    producer_entry *entry = find(self, producer_id);
    if (entry->producer_id == -1) {
        return;
    }
    self->open_transactions -= entry->transaction_start >= 0;
    size_t hole = (size_t)(entry - self->entries), mask = self->room - 1;
    for (size_t i = (hole + 1) & mask; self->entries[i].producer_id != -1;
         i = (i + 1) & mask) {
        size_t home = slot_of(self->entries[i].producer_id, self->room);
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            self->entries[hole] = self->entries[i];
            hole = i;
        }
    }
    self->entries[hole].producer_id = -1;
    self->count--;
}

/* ---- Sequences ------------------------------------------------------------------- */

static int32_t advance(int32_t sequence, int32_t delta)
{
    return (int32_t)(((int64_t)sequence + delta) & INT32_MAX);
}

static producer_verdict refuse(record_batch_fault *fault, int16_t error_code,
                               const char *message)
{
    *fault = (record_batch_fault){
        .error_code = error_code, .message = message, .record = -1};
    return PRODUCER_REFUSED;
}

static const producer_batch *find_duplicate(const producer_entry *entry,
                                            const record_batch_header *header)
{
    int32_t last = advance(header->base_sequence, header->last_offset_delta);
    for (size_t i = 0; i < entry->batch_count; i++) {
        const producer_batch *batch = &entry->batches[i];
        if (batch->last_sequence == last &&
            batch->offset_delta == header->last_offset_delta) {
            return batch;
        }
    }
    return NULL;
}

static producer_verdict check_sequence(const producer_entry *entry,
                                       const record_batch_header *header,
                                       record_batch_fault *fault)
{
    if (header->producer_epoch != entry->epoch) {
        /* Kafka lets a marker's new epoch begin with any sequence too. */
        if (header->base_sequence != 0 && entry->epoch >= 0) {
            return refuse(fault, ERROR_OUT_OF_ORDER_SEQUENCE_NUMBER,
                          "a new producer epoch must begin with sequence 0");
        }
        return PRODUCER_APPEND;
    }
    if (entry->batch_count > 0 &&
        header->base_sequence !=
            advance(entry->batches[entry->batch_count - 1].last_sequence, 1)) {
        return refuse(fault, ERROR_OUT_OF_ORDER_SEQUENCE_NUMBER,
                      "the sequence does not follow the producer's last batch");
    }
    return PRODUCER_APPEND;
}

producer_verdict producer_state_check(const producer_state *self,
                                      const record_batch_header *header,
                                      producer_batch *ret_original,
                                      record_batch_fault *ret_fault)
{
    const producer_entry *entry = producer_state_get(self, header->producer_id);
    if (entry == NULL) {
        return PRODUCER_APPEND;
    }
    if (header->producer_epoch < entry->epoch) {
        return refuse(ret_fault, ERROR_INVALID_PRODUCER_EPOCH,
                      "a producer with the same id and a newer epoch has written");
    }
    if (header->producer_epoch == entry->epoch) {
        const producer_batch *original = find_duplicate(entry, header);
        if (original != NULL) {
            *ret_original = *original;
            return PRODUCER_DUPLICATE;
        }
    }
    if (entry->transaction_start >= 0 &&
        (header->attributes & RECORD_BATCH_TRANSACTIONAL) == 0) {
        return refuse(ret_fault, ERROR_INVALID_TXN_STATE,
                      "a transaction of this producer is open: its batches must be "
                      "transactional");
    }
    return check_sequence(entry, header, ret_fault);
}

static void set_transaction_start(producer_state *self, producer_entry *entry,
                                  int64_t offset)
{
    self->open_transactions += (offset >= 0) - (entry->transaction_start >= 0);
    entry->transaction_start = offset;
}

static void end_transaction(producer_state *self, producer_entry *entry,
                            int64_t marker_offset)
{
    if (entry->transaction_start < 0) {
        return;
    }
    if (self->ended_count == self->ended_room) {
        self->ended_room = self->ended_room == 0 ? 4 : 2 * self->ended_room;
        self->ended =
            memory_resize(self->ended, self->ended_room * sizeof(self->ended[0]));
    }
    self->ended[self->ended_count++] =
        (ended_transaction){entry->transaction_start, marker_offset};
    set_transaction_start(self, entry, -1);
}

static void note_batch(producer_entry *entry, const record_batch_header *header)
{
    if (entry->batch_count == PRODUCER_BATCHES) {
        memmove(entry->batches, entry->batches + 1,
                (PRODUCER_BATCHES - 1) * sizeof(entry->batches[0]));
        entry->batch_count--;
    }
    entry->batches[entry->batch_count++] = (producer_batch){
        .last_offset = record_batch_last_offset(header),
        .last_sequence = advance(header->base_sequence, header->last_offset_delta),
        .offset_delta = header->last_offset_delta,
        .timestamp = header->max_timestamp,
    };
}

void producer_state_note(producer_state *self, const record_batch_header *header)
{
    if (header->producer_id < 0) {
        return;
    }
    producer_entry *entry = put(self, header->producer_id);
    if (entry->epoch != header->producer_epoch) {
        entry->epoch = header->producer_epoch;
        entry->batch_count = 0;
    }
    entry->last_timestamp = header->max_timestamp;
    if (header->attributes & RECORD_BATCH_CONTROL) {
        end_transaction(self, entry, header->base_offset);
        return;
    }
    if (header->base_sequence >= 0) {
        note_batch(entry, header);
    }
    if ((header->attributes & RECORD_BATCH_TRANSACTIONAL) &&
        entry->transaction_start < 0) {
        set_transaction_start(self, entry, header->base_offset);
    }
}

void producer_state_undo(producer_state *self, int64_t producer_id,
                         const producer_entry *before)
{
    if (before == NULL) {
        take_out(self, producer_id);
        return;
    }
    producer_entry *entry = put(self, producer_id);
    if (before->transaction_start >= 0 && entry->transaction_start < 0) {
        self->ended_count--; /* The newest: notes are undone in reverse. */
    }
    self->open_transactions +=
        (before->transaction_start >= 0) - (entry->transaction_start >= 0);
    *entry = *before;
}

static void forget_ended(producer_state *self, int64_t watermark)
{
    size_t gone = 0;
    while (gone < self->ended_count && self->ended[gone].marker_offset < watermark) {
        gone++;
    }
    if (gone > 0) {
        self->ended_count -= gone;
        memmove(self->ended, self->ended + gone,
                self->ended_count * sizeof(self->ended[0]));
    }
}

int64_t producer_state_first_unstable(producer_state *self, int64_t watermark)
{
    int64_t first = INT64_MAX;
    forget_ended(self, watermark);
    for (size_t i = 0; i < self->ended_count; i++) {
        first =
            self->ended[i].first_offset < first ? self->ended[i].first_offset : first;
    }
    for (size_t i = 0; i < self->room && self->open_transactions > 0; i++) {
        const producer_entry *entry = &self->entries[i];
        if (entry->producer_id != -1 && entry->transaction_start >= 0 &&
            entry->transaction_start < first) {
            first = entry->transaction_start;
        }
    }
    return first;
}

/* ---- Expiration ------------------------------------------------------------------ */

static void expire_older(producer_state *self, int64_t oldest_ms)
{
    producer_state left = *self;
    left.entries = NULL;
    left.count = left.room = 0;
    for (size_t i = 0; i < self->room; i++) {
        const producer_entry *entry = &self->entries[i];
        if (entry->producer_id != -1 &&
            (entry->transaction_start >= 0 || entry->last_timestamp >= oldest_ms)) {
            *put(&left, entry->producer_id) = *entry;
        }
    }
    free(self->entries);
    *self = left;
}

static bool any_older(const producer_state *self, int64_t oldest_ms)
{
    for (size_t i = 0; i < self->room; i++) {
        if (self->entries[i].producer_id != -1 &&
            self->entries[i].transaction_start < 0 &&
            self->entries[i].last_timestamp < oldest_ms) {
            return true;
        }
    }
    return false;
}

static int compare_times(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

/* The time below which producers must go so that at most `count_max` stay. */
static int64_t time_of_rank(const producer_state *self, size_t count_max)
{
    int64_t *times = memory_take(self->count * sizeof(int64_t));
    size_t count = 0;
    for (size_t i = 0; i < self->room; i++) {
        if (self->entries[i].producer_id != -1) {
            times[count++] = self->entries[i].last_timestamp;
        }
    }
    qsort(times, count, sizeof(times[0]), compare_times);
    int64_t oldest = times[count - count_max];
    free(times);
    return oldest;
}

void producer_state_expire(producer_state *self, int64_t oldest_ms, size_t count_max)
{
    assert(count_max > 0);
    if (any_older(self, oldest_ms)) {
        expire_older(self, oldest_ms);
    }
    if (self->count > count_max) {
        expire_older(self, time_of_rank(self, count_max));
    }
}

/* ---- Snapshot -------------------------------------------------------------------- */

enum {
    SNAPSHOT_VERSION = 1,
    SNAPSHOT_HEADER_SIZE = 10, /* Version i16, CRC u32, count i32. */
    SNAPSHOT_CRC_AT = 2,
    SNAPSHOT_COVERED_AT = 6,
    SNAPSHOT_ENTRY_SIZE = 46,
};

static void print_entry(uint8_t *to, const producer_entry *entry)
{
    producer_batch last = {
        .last_offset = -1, .last_sequence = -1, .timestamp = entry->last_timestamp};
    if (entry->batch_count > 0) {
        last = entry->batches[entry->batch_count - 1];
    }
    wire_put_64(to, (uint64_t)entry->producer_id);
    wire_put_16(to + 8, (uint16_t)entry->epoch);
    wire_put_32(to + 10, (uint32_t)last.last_sequence);
    wire_put_64(to + 14, (uint64_t)last.last_offset);
    wire_put_32(to + 22, (uint32_t)last.offset_delta);
    wire_put_64(to + 26, (uint64_t)entry->last_timestamp);
    wire_put_32(to + 34, (uint32_t)entry->coordinator_epoch);
    wire_put_64(to + 38, (uint64_t)entry->transaction_start);
}

void producer_state_print(const producer_state *self, buffer *ret_bytes)
{
    size_t size = SNAPSHOT_HEADER_SIZE + self->count * SNAPSHOT_ENTRY_SIZE;
    uint8_t *base = (uint8_t *)buffer_reserve(ret_bytes, size);
    uint8_t *at = base + SNAPSHOT_HEADER_SIZE;
    for (size_t i = 0; i < self->room; i++) {
        if (self->entries[i].producer_id != -1) {
            print_entry(at, &self->entries[i]);
            at += SNAPSHOT_ENTRY_SIZE;
        }
    }
    wire_put_16(base, SNAPSHOT_VERSION);
    wire_put_32(base + SNAPSHOT_COVERED_AT, (uint32_t)self->count);
    wire_put_32(base + SNAPSHOT_CRC_AT,
                crc32c(0, base + SNAPSHOT_COVERED_AT, size - SNAPSHOT_COVERED_AT));
    buffer_advance(ret_bytes, size);
}

static void parse_entry(producer_state *self, const uint8_t *at)
{
    int64_t producer_id = (int64_t)wire_get_64(at);
    if (producer_id < 0) {
        return;
    }
    producer_entry *entry = put(self, producer_id);
    entry->epoch = (int16_t)wire_get_16(at + 8);
    entry->last_timestamp = (int64_t)wire_get_64(at + 26);
    entry->coordinator_epoch = (int32_t)wire_get_32(at + 34);
    set_transaction_start(self, entry, (int64_t)wire_get_64(at + 38));
    producer_batch last = {.last_sequence = (int32_t)wire_get_32(at + 10),
                           .last_offset = (int64_t)wire_get_64(at + 14),
                           .offset_delta = (int32_t)wire_get_32(at + 22),
                           .timestamp = entry->last_timestamp};
    if (last.last_sequence >= 0) {
        entry->batches[0] = last;
        entry->batch_count = 1;
    }
}

bool producer_state_parse(producer_state *self, const void *base, size_t len)
{
    const uint8_t *at = base;
    producer_state_clear(self);
    if (len < SNAPSHOT_HEADER_SIZE || wire_get_16(at) != SNAPSHOT_VERSION ||
        wire_get_32(at + SNAPSHOT_CRC_AT) !=
            crc32c(0, at + SNAPSHOT_COVERED_AT, len - SNAPSHOT_COVERED_AT)) {
        return false;
    }
    size_t count = wire_get_32(at + SNAPSHOT_COVERED_AT);
    if ((len - SNAPSHOT_HEADER_SIZE) / SNAPSHOT_ENTRY_SIZE != count ||
        (len - SNAPSHOT_HEADER_SIZE) % SNAPSHOT_ENTRY_SIZE != 0) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        parse_entry(self, at + SNAPSHOT_HEADER_SIZE + i * SNAPSHOT_ENTRY_SIZE);
    }
    return true;
}
