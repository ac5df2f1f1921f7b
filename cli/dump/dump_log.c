/* A segment's batches, and the records in them, a line each. */
#include "base/memory.h"
#include "base/text.h"
#include "dump.h"
#include "log_file.h"
#include "protocol/wire.h"
#include <inttypes.h>
#include <sluice/text.h>
#include <stdlib.h>
#include <string.h>

/* What the records of one batch may inflate to. */
static const size_t inflated_bytes_max = (size_t)1 << 30;

typedef struct log_dump {
    dump *how;
    const char *path;
    sluice_arena *arena;
    size_t gaps_start;   /* In the summary's paragraph. */
    int64_t last_offset; /* -1: none yet. */
    sluice_error *err;
} log_dump;

static const char *timestamp_type(const record_batch_header *header)
{
    return (header->attributes & RECORD_BATCH_LOG_APPEND_TIME) != 0 ? "LogAppendTime"
                                                                    : "CreateTime";
}

static const char *truth(const record_batch_header *header, int flag)
{
    return (header->attributes & flag) != 0 ? "true" : "false";
}

/* Sequence numbers begin again at 0 behind the largest. */
static int32_t sequence_after(int32_t sequence, int64_t count)
{
    return sequence < 0 ? -1 : (int32_t)(((int64_t)sequence + count) & INT32_MAX);
}

static sluice_status print_batch(const log_dump *self, const log_file_batch *batch)
{
    static const char *const codecs[] = {"none", "gzip", "snappy", "lz4", "zstd"};
    const record_batch_header *header = &batch->header;
    FILE *out = self->how->out;
    char horizon[40] = "OptionalLong.empty";
    if ((header->attributes & RECORD_BATCH_DELETE_HORIZON) != 0) {
        snprintf(horizon, sizeof horizon, "OptionalLong[%" PRId64 "]",
                 header->base_timestamp);
    }
    fprintf(
        out,
        "baseOffset: %" PRId64 " lastOffset: %" PRId64 " count: %" PRId32
        " baseSequence: %" PRId32 " lastSequence: %" PRId32 " producerId: %" PRId64
        " producerEpoch: %d partitionLeaderEpoch: %" PRId32
        " isTransactional: %s isControl: %s deleteHorizonMs: %s",
        header->base_offset,
        (int64_t)((uint64_t)header->base_offset + (uint64_t)header->last_offset_delta),
        header->record_count, header->base_sequence,
        sequence_after(header->base_sequence, header->last_offset_delta),
        header->producer_id, header->producer_epoch, header->leader_epoch,
        truth(header, RECORD_BATCH_TRANSACTIONAL), truth(header, RECORD_BATCH_CONTROL),
        horizon);
    unsigned codec = header->attributes & RECORD_BATCH_CODEC_MASK;
    if (codec >= sizeof codecs / sizeof *codecs) {
        return sluice_fail(self->err, SLUICE_BAD_RECORD,
                           "Unknown compression type id: %u", codec);
    }
    bool valid = batch->size >= RECORD_BATCH_HEADER_SIZE &&
                 record_batch_crc_right(batch->base, batch->size);
    fprintf(out,
            " position: %" PRId64 " %s: %" PRId64
            " size: %zu magic: %d compresscodec: %s crc: %" PRIu32 " isvalid: %s\n",
            batch->position, timestamp_type(header), header->max_timestamp, batch->size,
            header->magic, codecs[codec], header->crc, valid ? "true" : "false");
    return SLUICE_OK;
}

static void print_text(const log_dump *self, sluice_bytes bytes)
{
    size_t len;
    const char *text = sluice_text_repair(self->arena, bytes.base, bytes.len, &len);
    fwrite(text, 1, len, self->how->out);
}

static sluice_status print_as(const log_dump *self, dump_class class,
                              sluice_bytes bytes)
{
    size_t needed = class == DUMP_CLASS_LONG ? 8 : class == DUMP_CLASS_INTEGER ? 4 : 0;
    if (bytes.len < needed) {
        return sluice_fail(
            self->err, SLUICE_BAD_RECORD,
            "%zu bytes are no number of %zu bytes: another decoder class "
            "may be right",
            bytes.len, needed);
    }
    switch (class) {
    case DUMP_CLASS_STRING:
        print_text(self, bytes);
        break;
    case DUMP_CLASS_INTEGER:
        fprintf(self->how->out, "%" PRId32, (int32_t)wire_get_32(bytes.base));
        break;
    case DUMP_CLASS_LONG:
        fprintf(self->how->out, "%" PRId64, (int64_t)wire_get_64(bytes.base));
        break;
    case DUMP_CLASS_BYTES:
        for (size_t i = 0; i < bytes.len; i++) {
            fprintf(self->how->out, "%02x", ((const uint8_t *)bytes.base)[i]);
        }
        break;
    }
    return SLUICE_OK;
}

static sluice_status print_plain(const log_dump *self, const log_record *record,
                                 const char *prefix)
{
    sluice_status status = SLUICE_OK;
    if (record->key.base != NULL) {
        fprintf(self->how->out, "%skey: ", prefix);
        status = print_as(self, self->how->key_class, record->key);
    }
    if (record->value.base != NULL && status == SLUICE_OK) {
        fputs(" payload: ", self->how->out);
        status = print_as(self, self->how->value_class, record->value);
    }
    return status;
}

static sluice_status print_decoded(const log_dump *self, const log_record *record,
                                   const char *prefix)
{
    buffer key = BUFFER_INIT, payload = BUFFER_INIT;
    sluice_status status =
        decode_record(self->how->decoder, record, &key, &payload, self->err);
    if (status == SLUICE_OK && key.len > 0) {
        fprintf(self->how->out, "%skey: %s", prefix, buffer_text(&key));
    }
    if (status == SLUICE_OK && payload.len > 0) {
        fprintf(self->how->out, " payload: %s", buffer_text(&payload));
    }
    buffer_done(&key);
    buffer_done(&payload);
    return status;
}

static sluice_status print_control(const log_dump *self, const log_record *record)
{
    buffer text = BUFFER_INIT;
    sluice_status status = decode_control(record, &text, self->err);
    if (status == SLUICE_OK) {
        fprintf(self->how->out, " %s", buffer_text(&text));
    }
    buffer_done(&text);
    return status;
}

static void print_metadata(const log_dump *self, const record_batch_header *header,
                           const log_record *record)
{
    FILE *out = self->how->out;
    fprintf(
        out,
        "| offset: %" PRId64 " %s: %" PRId64
        " keySize: %lld valueSize: %lld sequence: %" PRId32 " headerKeys: [",
        record->offset, timestamp_type(header), record->timestamp,
        record->key.base == NULL ? -1LL : (long long)record->key.len,
        record->value.base == NULL ? -1LL : (long long)record->value.len,
        sequence_after(header->base_sequence, record->offset - header->base_offset));
    sluice_bytes headers = record->headers, key, value;
    const char *separator = "";
    while (record_next_header(&headers, &key, &value)) {
        fputs(separator, out);
        print_text(self, key);
        separator = ",";
    }
    fputc(']', out);
}

static sluice_status print_record(const log_dump *self,
                                  const record_batch_header *header,
                                  const log_record *record)
{
    bool control = (header->attributes & RECORD_BATCH_CONTROL) != 0;
    const char *prefix = "| ";
    sluice_status status = SLUICE_OK;
    if (!self->how->skip_record_metadata) {
        print_metadata(self, header, record);
        prefix = " ";
        status = control ? print_control(self, record) : SLUICE_OK;
    }
    if (status == SLUICE_OK && self->how->print_data && !control) {
        status = self->how->decoder == DUMP_TEXT ? print_plain(self, record, prefix)
                                                 : print_decoded(self, record, prefix);
    }
    if (status == SLUICE_OK) {
        fputc('\n', self->how->out);
    }
    return status;
}

static void note_offset(log_dump *self, int64_t offset)
{
    if (self->last_offset != -1 && offset != self->last_offset + 1) {
        char *line = memory_print("  %" PRId64 " is followed by %" PRId64 "\n",
                                  self->last_offset, offset);
        if (self->how->gaps.len == self->gaps_start) {
            char *path = dump_absolute(self->path);
            buffer_print(&self->how->gaps, "Non-consecutive offsets in %s\n", path);
            free(path);
            self->gaps_start = self->how->gaps.len;
        }
        dump_put_first(&self->how->gaps, self->gaps_start, line);
        free(line);
    }
    self->last_offset = offset;
}

/* Makes the header of the copy one that our reader takes: Kafka's looks at the number
 * of records only, and takes a newer magic for 2. Offsets are then from 0 on. */
static void forgive_header(const log_file_batch *batch)
{
    record_batch_header header = batch->header;
    header.base_offset = 0;
    header.magic = 2;
    header.last_offset_delta = INT32_MAX - 1;
    header.batch_length = (int32_t)(batch->size - RECORD_BATCH_PREFIX_SIZE);
    record_batch_write_header(batch->base, &header);
}

/* Reads the records of the batch, and prints them as far as they are good. */
static sluice_status each_record(log_dump *self, const log_file_batch *batch,
                                 bool print)
{
    record_reader reader;
    bool done = false;
    sluice_status status = record_reader_init(
        &reader, batch->base, batch->size, self->arena, inflated_bytes_max, self->err);
    while (status == SLUICE_OK && !done) {
        log_record record;
        status = record_reader_next(&reader, &record, &done, self->err);
        if (status != SLUICE_OK || done) {
            break;
        }
        if (reader.read == reader.header.record_count && reader.at != reader.end) {
            return sluice_fail(self->err, SLUICE_BAD_RECORD,
                               "Incorrect declared batch size, records still remaining "
                               "in file");
        }
        if (print) {
            record.offset = (int64_t)((uint64_t)record.offset +
                                      (uint64_t)batch->header.base_offset);
            note_offset(self, record.offset);
            status = print_record(self, &batch->header, &record);
        }
    }
    return status;
}

/* Those of a compressed batch are all read before the first is printed, as Kafka does.
 */
static sluice_status dump_records(log_dump *self, const log_file_batch *batch)
{
    if (batch->header.record_count == 0) {
        return SLUICE_OK;
    }
    if (batch->size < RECORD_BATCH_HEADER_SIZE) {
        return sluice_fail(self->err, SLUICE_BAD_RECORD,
                           "the batch at position %" PRId64
                           " has %zu bytes: a header alone has 61",
                           batch->position, batch->size);
    }
    forgive_header(batch);
    sluice_status status = SLUICE_OK;
    if ((batch->header.attributes & RECORD_BATCH_CODEC_MASK) != 0) {
        status = each_record(self, batch, false);
        sluice_arena_reset(self->arena);
    }
    return status == SLUICE_OK ? each_record(self, batch, true) : status;
}

static sluice_status dump_batch(log_dump *self, const log_file_batch *batch)
{
    if (batch->header.magic < 2) {
        fprintf(self->how->out, "offset: %" PRId64, batch->header.base_offset);
        return sluice_fail(
            self->err, SLUICE_BAD_RECORD,
            "the batch at position %" PRId64
            " has the format %d, which brokers before 0.11 wrote: only 2 "
            "is read here",
            batch->position, batch->header.magic);
    }
    sluice_status status = print_batch(self, batch);
    if (status == SLUICE_OK && self->how->deep) {
        status = dump_records(self, batch);
        sluice_arena_reset(self->arena);
    }
    return status;
}

/* The line before the batches: of a log its first offset, of a snapshot of the metadata
 * its end. */
static sluice_status print_head(const dump *how, const char *path, sluice_error *err)
{
    int64_t offset, epoch = 0;
    const char *name = dump_name(path);
    if (!dump_base_offset(path, &offset)) {
        return sluice_fail(err, SLUICE_FATAL,
                           "the name of '%s' does not begin with an offset: 20 digits, "
                           "as in 00000000000000000000.log",
                           path);
    }
    if (strstr(name, ".checkpoint") != NULL) {
        const char *dash = strchr(name, '-');
        if (dash != NULL) {
            text_to_int64_of(dash + 1, strspn(dash + 1, "0123456789"), &epoch);
        }
        fprintf(how->out, "Snapshot end offset: %" PRId64 ", epoch: %" PRId64 "\n",
                offset, epoch);
    } else {
        fprintf(how->out, "Log starting offset: %" PRId64 "\n", offset);
    }
    return SLUICE_OK;
}

static sluice_status dump_batches(log_dump *self, log_file *file)
{
    bool done = false;
    sluice_status status = SLUICE_OK;
    while (status == SLUICE_OK && !done) {
        log_file_batch batch;
        status = log_file_next(file, &batch, &done, self->err);
        if (status == SLUICE_OK && !done) {
            status = dump_batch(self, &batch);
        }
    }
    return status;
}

sluice_status dump_log(dump *self, const char *path, sluice_error *err)
{
    log_file file = {.fd = -1};
    log_dump one = {self, path, sluice_arena_new(), self->gaps.len, -1, err};
    sluice_status status = print_head(self, path, err);
    if (status == SLUICE_OK) {
        status = log_file_init(&file, path, self->bytes_max, err);
    }
    if (status == SLUICE_OK) {
        status = dump_batches(&one, &file);
    }
    if (status == SLUICE_OK && file.position < file.end &&
        self->bytes_max == INT32_MAX) {
        fprintf(self->out, "Found %" PRId64 " invalid bytes at the end of %s\n",
                file.end - file.position, dump_name(path));
    }
    log_file_done(&file);
    sluice_arena_free(one.arena);
    return status;
}
