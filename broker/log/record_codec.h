/* broker/log/record_codec.h - the compressed part of a record batch, as a stream.
 *
 * Decompresses through a window of the caller, so that a batch which inflates to
 * gigabytes costs time up to a limit and no memory. Snappy alone knows no streams: a
 * block is decompressed whole, if it is not larger than the limit.
 *
 * Threads: a stream belongs to one thread at a time. */
#ifndef SLUICE_BROKER_LOG_RECORD_CODEC_H
#define SLUICE_BROKER_LOG_RECORD_CODEC_H

#include "broker/log/log_config.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct record_codec record_codec;

/* Starts on `size` compressed bytes, borrowed until record_codec_free(). More than
 * `output_max` bytes of output are an error. NULL: memory is out. */
record_codec *record_codec_new(compression_type type, const void *base, size_t size,
                               size_t output_max);
void record_codec_free(record_codec *self); /* NULL is accepted. */

/* Writes up to `room` bytes to `ret_bytes`; returns how many, 0 at the end, -1 when the
 * stream is broken or passes the limit. `room` is at least 1. */
ptrdiff_t record_codec_read(record_codec *self, void *ret_bytes, size_t room);

#endif
