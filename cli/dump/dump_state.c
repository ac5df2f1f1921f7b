/* The small files of a partition: aborted transactions, and what is known of producers.
 */
#include "base/crc32c.h"
#include "broker/log/file.h"
#include "dump.h"
#include "protocol/wire.h"
#include <inttypes.h>

enum {
    ABORTED_SIZE = 34,
    SNAPSHOT_HEAD_SIZE = 10,
    SNAPSHOT_ENTRY_SIZE = 46,
    SNAPSHOT_VERSION = 1,
};

static const size_t file_bytes_max = (size_t)1 << 30;

static sluice_status load(const char *path, buffer *ret_bytes, sluice_error *err)
{
    bool there;
    sluice_status status = file_load(path, file_bytes_max, ret_bytes, &there, err);
    if (status == SLUICE_OK && !there) {
        status = sluice_fail(err, SLUICE_FATAL, "there is no '%s'", path);
    }
    return status;
}

static int64_t number_64(const uint8_t *at)
{
    return (int64_t)wire_get_64(at);
}

static int32_t number_32(const uint8_t *at)
{
    return (int32_t)wire_get_32(at);
}

sluice_status dump_transaction_index(dump *self, const char *path, sluice_error *err)
{
    buffer bytes = BUFFER_INIT;
    sluice_status status = load(path, &bytes, err);
    for (size_t i = 0; i < bytes.len / ABORTED_SIZE && status == SLUICE_OK; i++) {
        const uint8_t *at = (const uint8_t *)bytes.base + i * ABORTED_SIZE;
        if ((int8_t)at[0] > 0) {
            status = sluice_fail(err, SLUICE_BAD_RECORD,
                                 "Unexpected aborted transaction version %d in "
                                 "transaction index %s, current version is 0",
                                 (int8_t)at[0], path);
            break;
        }
        fprintf(self->out,
                "version: %d producerId: %" PRId64 " firstOffset: %" PRId64
                " lastOffset: %" PRId64 " lastStableOffset: %" PRId64 "\n",
                (int8_t)at[0], number_64(at + 2), number_64(at + 10),
                number_64(at + 18), number_64(at + 26));
    }
    buffer_done(&bytes);
    return status;
}

/* Sequence numbers begin again at 0 behind the largest. */
static int32_t sequence_before(int32_t sequence, int32_t count)
{
    return sequence < count ? (int32_t)(INT32_MAX - ((int64_t)count - sequence) + 1)
                            : sequence - count;
}

static void print_producer(const dump *self, const uint8_t *at)
{
    int32_t last_sequence = number_32(at + 10), offset_delta = number_32(at + 22);
    int64_t last_offset = number_64(at + 14), transaction = number_64(at + 38);
    fprintf(self->out,
            "producerId: %" PRId64 " producerEpoch: %d coordinatorEpoch: %" PRId32
            " currentTxnFirstOffset: ",
            number_64(at), (int16_t)wire_get_16(at + 8), number_32(at + 34));
    if (transaction >= 0) {
        fprintf(self->out, "OptionalLong[%" PRId64 "]", transaction);
    } else {
        fputs("OptionalLong.empty", self->out);
    }
    fprintf(self->out, " lastTimestamp: %" PRId64 " ", number_64(at + 26));
    if (last_offset >= 0) {
        fprintf(self->out,
                "firstSequence: %" PRId32 " lastSequence: %" PRId32
                " lastOffset: %" PRId64 " offsetDelta: %" PRId32 " timestamp: %" PRId64,
                sequence_before(last_sequence, offset_delta), last_sequence,
                last_offset, offset_delta, number_64(at + 26));
    }
    fputc('\n', self->out);
}

/* What is wrong with a snapshot is told, and other files follow. */
static bool snapshot_good(const buffer *bytes)
{
    const uint8_t *at = (const uint8_t *)bytes->base;
    if (bytes->len >= 2 && wire_get_16(at) != SNAPSHOT_VERSION) {
        fprintf(stderr,
                "Snapshot failed schema validation: Snapshot contained an unknown file "
                "version %d\n",
                (int16_t)wire_get_16(at));
        return false;
    }
    if (bytes->len < SNAPSHOT_HEAD_SIZE || number_32(at + 6) < 0 ||
        (size_t)number_32(at + 6) >
            (bytes->len - SNAPSHOT_HEAD_SIZE) / SNAPSHOT_ENTRY_SIZE) {
        fprintf(stderr, "Snapshot failed schema validation: null\n");
        return false;
    }
    uint32_t stored = wire_get_32(at + 2), computed = crc32c(0, at + 6, bytes->len - 6);
    if (stored != computed) {
        fprintf(stderr,
                "Snapshot is corrupt (CRC is no longer valid). Stored crc: %" PRIu32
                ". Computed crc: %" PRIu32 "\n",
                stored, computed);
        return false;
    }
    return true;
}

sluice_status dump_producer_snapshot(dump *self, const char *path, sluice_error *err)
{
    buffer bytes = BUFFER_INIT;
    sluice_status status = load(path, &bytes, err);
    fflush(self->out);
    if (status == SLUICE_OK && snapshot_good(&bytes)) {
        const uint8_t *at = (const uint8_t *)bytes.base + SNAPSHOT_HEAD_SIZE;
        int32_t count = number_32((const uint8_t *)bytes.base + 6);
        for (int32_t i = 0; i < count; i++) {
            print_producer(self, at + (size_t)i * SNAPSHOT_ENTRY_SIZE);
        }
    }
    buffer_done(&bytes);
    return status;
}
