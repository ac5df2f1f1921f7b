/* The fuzz target of the log: bytes from a producer, and files that a crash left.
 *
 * The first byte says what the others are: 'b' a produced batch, 'l' a segment's file,
 * 's' a producer snapshot, 'c' a checkpoint. With clang, -fsanitize=fuzzer makes it a
 * fuzzer: CC=clang meson setup build-fuzz -Dfuzz=true -Db_sanitize=address,undefined
 * -Db_lundef=false && ninja -C build-fuzz && build-fuzz/broker/log/log-fuzz
 * broker/log/corpus. Otherwise it is a test that runs over the corpus. */
#include "base/memory.h"
#include "broker/log/epoch_cache.h"
#include "broker/log/producer_state.h"
#include "broker/log/record_batch.h"
#include "broker/log/segment.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *base, size_t size);

enum { inflated_bytes_max = 1 << 20 };

static void demand(bool condition)
{
    if (!condition) {
        abort();
    }
}

/* Reads what there is, and returns how many records that were. */
static int32_t read_records(const uint8_t *base, size_t size, bool must_be_good)
{
    sluice_arena *arena = sluice_arena_new();
    record_reader reader;
    int32_t count = 0;
    bool done = false;
    sluice_status status =
        record_reader_init(&reader, base, size, arena, inflated_bytes_max, NULL);
    while (status == SLUICE_OK && !done) {
        log_record each;
        sluice_bytes key, value;
        status = record_reader_next(&reader, &each, &done, NULL);
        if (status == SLUICE_OK && !done) {
            demand(!must_be_good || each.offset == reader.header.base_offset + count);
            while (record_next_header(&each.headers, &key, &value)) {
            }
            count++;
        }
    }
    demand(!must_be_good || status == SLUICE_OK);
    sluice_arena_free(arena);
    return count;
}

/* What passes the check can be read to its last record. */
static void fuzz_batch(const uint8_t *base, size_t size)
{
    log_config config = LOG_CONFIG_INIT;
    config.decompressed_bytes_max = inflated_bytes_max;
    uint8_t *batch = (uint8_t *)memory_copy(base, size);
    if (size >= RECORD_BATCH_HEADER_SIZE) {
        record_batch_header header;
        record_batch_set_crc(batch, size);
        record_batch_read_header(batch, &header);
        int64_t max_timestamp = 0;
        record_batch_fault fault = {0};
        bool good = record_batch_check(batch, size, &config, 0, &max_timestamp, &fault);
        demand(good || (fault.error_code != 0 && fault.message != NULL));
        int32_t count = read_records(batch, size, good);
        demand(!good || count == header.record_count);
    }
    free(batch);
}

/* Recovery finds whole batches from the first on, and a second one finds the same. */
static void fuzz_segment(const uint8_t *base, size_t size)
{
    log_config config = LOG_CONFIG_INIT;
    config.index_interval_bytes = 100;
    segment *self = segment_new("/nowhere", 5, (int64_t)size);
    self->fd = memfd_create("fuzz", MFD_CLOEXEC);
    demand(self->fd >= 0 && pwrite(self->fd, base, size, 0) == (ssize_t)size);
    demand(segment_recover(self, &config, true, NULL, NULL, NULL) == SLUICE_OK);
    int64_t found = self->size, next = self->next_offset;
    demand(found <= (int64_t)size && next >= 5);
    demand(segment_recover(self, &config, true, NULL, NULL, NULL) == SLUICE_OK);
    demand(self->size == found && self->next_offset == next);
    segment_unref(self);
}

static void fuzz_snapshot(const uint8_t *base, size_t size)
{
    producer_state first = {0}, second = {0};
    buffer once = BUFFER_INIT, twice = BUFFER_INIT;
    if (producer_state_parse(&first, base, size)) {
        producer_state_print(&first, &once);
        demand(producer_state_parse(&second, once.base, once.len));
        producer_state_print(&second, &twice);
        demand(first.count == second.count && once.len == twice.len);
    }
    buffer_done(&once);
    buffer_done(&twice);
    producer_state_done(&first);
    producer_state_done(&second);
}

static void fuzz_checkpoint(const char *base, size_t size)
{
    epoch_cache first = {0}, second = {0};
    buffer text = BUFFER_INIT;
    if (epoch_cache_parse(&first, base, size)) {
        epoch_cache_print(&first, &text);
        demand(epoch_cache_parse(&second, text.base, text.len));
        demand(first.count == second.count);
    }
    buffer_done(&text);
    epoch_cache_done(&first);
    epoch_cache_done(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *base, size_t size)
{
    if (size < 2) {
        return 0;
    }
    switch (base[0]) {
    case 'b':
        fuzz_batch(base + 1, size - 1);
        break;
    case 'l':
        fuzz_segment(base + 1, size - 1);
        break;
    case 's':
        fuzz_snapshot(base + 1, size - 1);
        break;
    case 'c':
        fuzz_checkpoint((const char *)base + 1, size - 1);
        break;
    default:
        break;
    }
    return 0;
}

#ifdef FUZZ_CORPUS_MAIN
#include "tests/lib/corpus.h"
#endif
