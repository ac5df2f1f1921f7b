/* broker/log/record_compress.c - gzip, snappy, lz4 and zstd behind one function that
 * writes, and the way of a batch through it. */
#include "broker/log/record_compress.h"
#include "broker/log/record_codec.h"
#include "protocol/error_code.h"
#include "protocol/wire.h"

#include <assert.h>
#include <lz4frame.h>
#include <lz4hc.h>
#include <snappy-c.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

/* A multiple of lz4's blocks; snappy's blocks are half of it. */
enum { WINDOW_SIZE = 65536, SNAPPY_BLOCK_SIZE = 32768 };

/* Kafka's default for lz4 stands for the fast compressor, not for a level of the slow
 * one. */
enum { LZ4_FAST_LEVEL = 9 };

typedef struct encoder {
    compression_type type;
    buffer *out;
    union {
        z_stream gzip;
        LZ4F_cctx *lz4;
        ZSTD_CCtx *zstd;
    };
} encoder;

/* ---- Each codec: begin, write a window, end -------------------------------------- */

static bool begin_lz4(encoder *self, int32_t level)
{
    LZ4F_preferences_t how = {
        .frameInfo = {.blockSizeID = LZ4F_max64KB, .blockMode = LZ4F_blockIndependent}};
    how.compressionLevel = level == LZ4_FAST_LEVEL    ? 0
                           : level < LZ4HC_CLEVEL_MIN ? LZ4HC_CLEVEL_MIN
                           : level > LZ4HC_CLEVEL_MAX ? LZ4HC_CLEVEL_MAX
                                                      : level;
    if (LZ4F_isError(LZ4F_createCompressionContext(&self->lz4, LZ4F_VERSION))) {
        self->lz4 = NULL;
        return false;
    }
    char *to = buffer_reserve(self->out, LZ4F_HEADER_SIZE_MAX);
    size_t len =
        to == NULL ? 0 : LZ4F_compressBegin(self->lz4, to, LZ4F_HEADER_SIZE_MAX, &how);
    if (to == NULL || LZ4F_isError(len)) {
        return false;
    }
    buffer_advance(self->out, len);
    return true;
}

static bool begin(encoder *self, int32_t level)
{
    static const uint8_t xerial[] = {0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0,
                                     0,    0,   0,   1,   0,   0,   0,   1};
    switch (self->type) {
    case COMPRESSION_GZIP:
        self->gzip = (z_stream){0};
        return deflateInit2(&self->gzip, level, Z_DEFLATED, 15 + 16, 8,
                            Z_DEFAULT_STRATEGY) == Z_OK;
    case COMPRESSION_SNAPPY:
        return buffer_append(self->out, xerial, sizeof xerial);
    case COMPRESSION_LZ4:
        return begin_lz4(self, level);
    case COMPRESSION_ZSTD:
        self->zstd = ZSTD_createCCtx();
        return self->zstd != NULL && !ZSTD_isError(ZSTD_CCtx_setParameter(
                                         self->zstd, ZSTD_c_compressionLevel, level));
    case COMPRESSION_NONE:
    case COMPRESSION_PRODUCER:
        break;
    }
    return true;
}

static void done(encoder *self)
{
    if (self->type == COMPRESSION_GZIP) {
        deflateEnd(&self->gzip);
    } else if (self->type == COMPRESSION_LZ4) {
        LZ4F_freeCompressionContext(self->lz4);
    } else if (self->type == COMPRESSION_ZSTD) {
        ZSTD_freeCCtx(self->zstd);
    }
}

static bool write_gzip(encoder *self, const uint8_t *base, size_t len, int flush)
{
    z_stream *gzip = &self->gzip;
    gzip->next_in = (Bytef *)base;
    gzip->avail_in = (uInt)len;
    for (int outcome = Z_OK; outcome != Z_STREAM_END;) {
        char *to = buffer_reserve(self->out, WINDOW_SIZE / 4);
        if (to == NULL) {
            return false;
        }
        gzip->next_out = (Bytef *)to;
        gzip->avail_out = WINDOW_SIZE / 4;
        outcome = deflate(gzip, flush);
        buffer_advance(self->out, WINDOW_SIZE / 4 - gzip->avail_out);
        if (flush == Z_NO_FLUSH && gzip->avail_in == 0 && gzip->avail_out > 0) {
            break;
        }
    }
    return true;
}

static bool write_snappy(encoder *self, const uint8_t *base, size_t len)
{
    for (size_t at = 0; at < len; at += SNAPPY_BLOCK_SIZE) {
        size_t piece = len - at < SNAPPY_BLOCK_SIZE ? len - at : SNAPPY_BLOCK_SIZE;
        size_t got = snappy_max_compressed_length(piece);
        char *to = buffer_reserve(self->out, 4 + got);
        if (to == NULL || snappy_compress((const char *)base + at, piece, to + 4,
                                          &got) != SNAPPY_OK) {
            return false;
        }
        wire_put_32((uint8_t *)to, (uint32_t)got);
        buffer_advance(self->out, 4 + got);
    }
    return true;
}

static bool write_lz4(encoder *self, const uint8_t *base, size_t len, bool last)
{
    size_t room = LZ4F_compressBound(len, NULL);
    char *to = buffer_reserve(self->out, room);
    if (to == NULL) {
        return false;
    }
    size_t got = last ? LZ4F_compressEnd(self->lz4, to, room, NULL)
                      : LZ4F_compressUpdate(self->lz4, to, room, base, len, NULL);
    if (LZ4F_isError(got)) {
        return false;
    }
    buffer_advance(self->out, got);
    return true;
}

static bool write_zstd(encoder *self, const uint8_t *base, size_t len, bool last)
{
    ZSTD_inBuffer from = {base, len, 0};
    for (size_t left = 1; from.pos < len || (last && left > 0);) {
        char *to = buffer_reserve(self->out, WINDOW_SIZE / 4);
        if (to == NULL) {
            return false;
        }
        ZSTD_outBuffer out = {to, WINDOW_SIZE / 4, 0};
        left = ZSTD_compressStream2(self->zstd, &out, &from,
                                    last ? ZSTD_e_end : ZSTD_e_continue);
        if (ZSTD_isError(left)) {
            return false;
        }
        buffer_advance(self->out, out.pos);
    }
    return true;
}

/* `last` comes once, after the last bytes and with none. */
static bool write_some(encoder *self, const uint8_t *base, size_t len, bool last)
{
    switch (self->type) {
    case COMPRESSION_GZIP:
        return write_gzip(self, base, len, last ? Z_FINISH : Z_NO_FLUSH);
    case COMPRESSION_SNAPPY:
        return write_snappy(self, base, len);
    case COMPRESSION_LZ4:
        return write_lz4(self, base, len, last);
    case COMPRESSION_ZSTD:
        return write_zstd(self, base, len, last);
    case COMPRESSION_NONE:
    case COMPRESSION_PRODUCER:
        break;
    }
    return buffer_append(self->out, base, len);
}

/* ---- A batch --------------------------------------------------------------------- */

static bool refuse(record_batch_fault *fault, int16_t error_code, const char *message)
{
    fault->error_code = error_code;
    fault->message = message;
    fault->record = -1;
    fault->record_count = 0;
    return false;
}

/* Fills the window as far as there are bytes. -1 when they are broken. */
static ptrdiff_t fill(record_codec *from, uint8_t *window)
{
    size_t have = 0;
    while (have < WINDOW_SIZE) {
        ptrdiff_t got = record_codec_read(from, window + have, WINDOW_SIZE - have);
        if (got <= 0) {
            return got < 0 ? -1 : (ptrdiff_t)have;
        }
        have += (size_t)got;
    }
    return (ptrdiff_t)have;
}

static bool move_records(record_codec *from, encoder *to, record_batch_fault *fault)
{
    uint8_t window[WINDOW_SIZE];
    for (;;) {
        ptrdiff_t len = fill(from, window);
        if (len < 0) {
            return refuse(fault, ERROR_INVALID_RECORD,
                          "the compressed records cannot be decompressed");
        }
        if (!write_some(to, window, (size_t)len, len == 0)) {
            return refuse(fault, ERROR_MESSAGE_TOO_LARGE,
                          "the batch, compressed as the topic's compression.type says, "
                          "is larger than max.message.bytes allows");
        }
        if (len == 0) {
            return true;
        }
    }
}

static bool move_plain(const uint8_t *records, size_t size, encoder *to,
                       record_batch_fault *fault)
{
    if (!write_some(to, records, size, false) || !write_some(to, NULL, 0, true)) {
        return refuse(fault, ERROR_MESSAGE_TOO_LARGE,
                      "the batch, compressed as the topic's compression.type says, is "
                      "larger than max.message.bytes allows");
    }
    return true;
}

static bool move_compressed(compression_type codec, const uint8_t *records, size_t size,
                            const log_config *config, encoder *to,
                            record_batch_fault *fault)
{
    int64_t limit = config->decompressed_bytes_max;
    record_codec *from =
        record_codec_new(codec, records, size, limit < 0 ? 0 : (size_t)limit);
    if (from == NULL) {
        return refuse(fault, ERROR_UNKNOWN_SERVER_ERROR,
                      "memory for decompression is out");
    }
    bool good = move_records(from, to, fault);
    record_codec_free(from);
    return good;
}

bool record_batch_recompress(const void *base, size_t size, const log_config *config,
                             buffer *ret_batch, record_batch_fault *ret_fault)
{
    record_batch_header header;
    assert(size >= RECORD_BATCH_HEADER_SIZE && ret_batch->len == 0);
    record_batch_read_header(base, &header);
    const uint8_t *records = (const uint8_t *)base + RECORD_BATCH_HEADER_SIZE;
    size_t records_size = size - RECORD_BATCH_HEADER_SIZE;
    compression_type from =
        (compression_type)(header.attributes & RECORD_BATCH_CODEC_MASK);
    encoder to = {.type = config->compression, .out = ret_batch};
    bool good = buffer_append(ret_batch, base, RECORD_BATCH_HEADER_SIZE);
    if (!good || !begin(&to, config->compression_level)) {
        good = refuse(ret_fault, ERROR_UNKNOWN_SERVER_ERROR,
                      "memory for compression is out");
    } else if (from == COMPRESSION_NONE) {
        good = move_plain(records, records_size, &to, ret_fault);
    } else {
        good = move_compressed(from, records, records_size, config, &to, ret_fault);
    }
    done(&to);
    if (!good) {
        return false;
    }
    header.attributes = (int16_t)((header.attributes & ~RECORD_BATCH_CODEC_MASK) |
                                  (int16_t)config->compression);
    header.batch_length = (int32_t)(ret_batch->len - RECORD_BATCH_PREFIX_SIZE);
    record_batch_write_header(ret_batch->base, &header);
    record_batch_set_crc(ret_batch->base, ret_batch->len);
    return true;
}
