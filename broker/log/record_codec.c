/* broker/log/record_codec.c - gzip, snappy (bare, and in xerial's frame), lz4 and zstd
 * behind one function that reads. */
#include "broker/log/record_codec.h"
#include "protocol/wire.h"

#include <lz4frame.h>
#include <snappy-c.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

struct record_codec {
    compression_type type;
    const uint8_t *at, *end;
    size_t output_left;
    bool in_frame; /* Of lz4 or zstd: more of it must come. */
    union {
        z_stream gzip;
        LZ4F_dctx *lz4;
        ZSTD_DCtx *zstd;
        struct {
            bool framed, started;
            uint8_t *block;
            size_t room, size, read;
        } snappy;
    };
};

/* Xerial's frame: this, two 32-bit versions, then blocks behind their lengths. */
static const uint8_t xerial_magic[8] = {0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0};
enum { XERIAL_HEADER_SIZE = 16 };

/* Three bytes of snappy are 64 at most: no block may ask for more memory. */
enum { SNAPPY_RATIO_MAX = 22 };

/* What a reader in Java accepts at most: 128 MiB. */
enum { ZSTD_WINDOW_LOG = 27 };

static bool start(record_codec *self)
{
    switch (self->type) {
    case COMPRESSION_GZIP:
        self->gzip.next_in = (Bytef *)self->at;
        self->gzip.avail_in = (uInt)(self->end - self->at);
        return inflateInit2(&self->gzip, 15 + 16) == Z_OK;
    case COMPRESSION_LZ4:
        return !LZ4F_isError(LZ4F_createDecompressionContext(&self->lz4, LZ4F_VERSION));
    case COMPRESSION_ZSTD:
        self->zstd = ZSTD_createDCtx();
        return self->zstd != NULL &&
               !ZSTD_isError(ZSTD_DCtx_setParameter(self->zstd, ZSTD_d_windowLogMax,
                                                    ZSTD_WINDOW_LOG));
    case COMPRESSION_SNAPPY:
        if (self->end - self->at >= XERIAL_HEADER_SIZE &&
            memcmp(self->at, xerial_magic, sizeof(xerial_magic)) == 0) {
            self->snappy.framed = true;
            self->at += XERIAL_HEADER_SIZE;
        }
        return true;
    case COMPRESSION_NONE:
    case COMPRESSION_PRODUCER:
        break;
    }
    return true;
}

record_codec *record_codec_new(compression_type type, const void *base, size_t size,
                               size_t output_max)
{
    record_codec *self = calloc(1, sizeof(*self));
    if (self == NULL) {
        return NULL;
    }
    self->type = type;
    self->at = base;
    self->end = self->at + size;
    self->output_left = output_max;
    if (!start(self)) {
        record_codec_free(self);
        return NULL;
    }
    return self;
}

void record_codec_free(record_codec *self)
{
    if (self == NULL) {
        return;
    }
    switch (self->type) {
    case COMPRESSION_GZIP:
        inflateEnd(&self->gzip);
        break;
    case COMPRESSION_LZ4:
        LZ4F_freeDecompressionContext(self->lz4);
        break;
    case COMPRESSION_ZSTD:
        ZSTD_freeDCtx(self->zstd);
        break;
    case COMPRESSION_SNAPPY:
        free(self->snappy.block);
        break;
    case COMPRESSION_NONE:
    case COMPRESSION_PRODUCER:
        break;
    }
    free(self);
}

static ptrdiff_t read_gzip(record_codec *self, uint8_t *to, size_t room)
{
    z_stream *gzip = &self->gzip;
    gzip->next_out = to;
    gzip->avail_out = (uInt)room;
    while (gzip->avail_out == room) {
        if (gzip->avail_in == 0 && gzip->total_in == 0) {
            return 0; /* Before a member: the end. */
        }
        int outcome = inflate(gzip, Z_NO_FLUSH);
        if (outcome == Z_STREAM_END) {
            if (gzip->avail_in > 0) {
                inflateReset(gzip); /* Another member follows. */
                continue;
            }
            if (gzip->avail_out == room) {
                return 0;
            }
        } else if (outcome != Z_OK) {
            return -1;
        }
    }
    return (ptrdiff_t)(room - gzip->avail_out);
}

/* Lz4 and zstd begin a new frame when they are called after the end of one, so the end
 * of the input is only looked for between frames. */
static bool frames_over(const record_codec *self)
{
    return self->at == self->end && !self->in_frame;
}

static ptrdiff_t read_lz4(record_codec *self, uint8_t *to, size_t room)
{
    while (!frames_over(self)) {
        size_t got = room, used = (size_t)(self->end - self->at);
        size_t hint = LZ4F_decompress(self->lz4, to, &got, self->at, &used, NULL);
        if (LZ4F_isError(hint) || (got == 0 && used == 0)) {
            return -1;
        }
        self->at += used;
        self->in_frame = hint != 0;
        if (got > 0) {
            return (ptrdiff_t)got;
        }
    }
    return 0;
}

static ptrdiff_t read_zstd(record_codec *self, uint8_t *to, size_t room)
{
    while (!frames_over(self)) {
        ZSTD_inBuffer from = {self->at, (size_t)(self->end - self->at), 0};
        ZSTD_outBuffer out = {to, room, 0};
        size_t hint = ZSTD_decompressStream(self->zstd, &out, &from);
        if (ZSTD_isError(hint) || (out.pos == 0 && from.pos == 0)) {
            return -1;
        }
        self->at += from.pos;
        self->in_frame = hint != 0;
        if (out.pos > 0) {
            return (ptrdiff_t)out.pos;
        }
    }
    return 0;
}

/* The next snappy block of the frame, or the only one. Returns its size; 0: none. */
static ptrdiff_t next_snappy_block(record_codec *self, const uint8_t **ret_block)
{
    size_t left = (size_t)(self->end - self->at), size = left;
    if (left == 0 || (!self->snappy.framed && self->snappy.started)) {
        return 0;
    }
    if (self->snappy.framed) {
        if (left < 4) {
            return -1;
        }
        size = wire_get_32(self->at);
        self->at += 4;
        if (size > left - 4 || size == 0) {
            return -1;
        }
    }
    self->snappy.started = true;
    *ret_block = self->at;
    self->at += size;
    return (ptrdiff_t)size;
}

/* Decompresses the next block. Returns 1; 0 at the end; -1 when it is broken. */
static int open_snappy_block(record_codec *self)
{
    const uint8_t *block;
    ptrdiff_t size = next_snappy_block(self, &block);
    if (size <= 0) {
        return (int)size;
    }
    size_t inflated;
    if (snappy_uncompressed_length((const char *)block, (size_t)size, &inflated) !=
            SNAPPY_OK ||
        inflated > self->output_left ||
        inflated / SNAPPY_RATIO_MAX > (size_t)size) { /* It lies. */
        return -1;
    }
    if (inflated > self->snappy.room) {
        uint8_t *larger = realloc(self->snappy.block, inflated);
        if (larger == NULL) {
            return -1;
        }
        self->snappy.block = larger;
        self->snappy.room = inflated;
    }
    self->snappy.read = 0;
    self->snappy.size = inflated;
    if (inflated > 0 &&
        snappy_uncompress((const char *)block, (size_t)size, (char *)self->snappy.block,
                          &inflated) != SNAPPY_OK) {
        return -1;
    }
    return 1;
}

static ptrdiff_t read_snappy(record_codec *self, uint8_t *to, size_t room)
{
    while (self->snappy.read == self->snappy.size) {
        int outcome = open_snappy_block(self);
        if (outcome <= 0) {
            return outcome;
        }
    }
    size_t left = self->snappy.size - self->snappy.read;
    size_t take = left < room ? left : room;
    memcpy(to, self->snappy.block + self->snappy.read, take);
    self->snappy.read += take;
    return (ptrdiff_t)take;
}

static ptrdiff_t read_some(record_codec *self, uint8_t *to, size_t room)
{
    switch (self->type) {
    case COMPRESSION_GZIP:
        return read_gzip(self, to, room);
    case COMPRESSION_SNAPPY:
        return read_snappy(self, to, room);
    case COMPRESSION_LZ4:
        return read_lz4(self, to, room);
    case COMPRESSION_ZSTD:
        return read_zstd(self, to, room);
    case COMPRESSION_NONE:
    case COMPRESSION_PRODUCER:
        break;
    }
    return -1;
}

ptrdiff_t record_codec_read(record_codec *self, void *ret_bytes, size_t room)
{
    /* One call's output is small enough for every codec's counters. */
    size_t piece = room < 1 << 30 ? room : 1 << 30;
    ptrdiff_t got = read_some(self, ret_bytes, piece);
    if (got > 0) {
        if ((size_t)got > self->output_left) {
            return -1;
        }
        self->output_left -= (size_t)got;
    }
    return got;
}
