/* broker/log/record_compress.h - a batch with another codec, for topics whose
 * compression.type is not `producer`.
 *
 * Records go from the decompressor to the compressor through a window, so that memory
 * is what the result takes and a batch that inflates to gigabytes takes none.
 *
 * Threads: any; no state. */
#ifndef SLUICE_BROKER_LOG_RECORD_COMPRESS_H
#define SLUICE_BROKER_LOG_RECORD_COMPRESS_H

#include "base/buffer.h"
#include "broker/log/record_batch.h"

/* Appends to `ret_batch` the batch at `base`, which passed record_batch_check(), with
 * its records as config->compression and config->compression_level want them, header
 * and CRC written. Everything but codec, length and CRC stays as it is. Written are:
 * gzip with its header, snappy in xerial's frame with blocks of 32 KiB, lz4 frames with
 * independent blocks of 64 KiB, zstd frames with their size unknown.
 *
 * False when the result would pass `ret_batch->max` bytes, memory is out, or the
 * records cannot be decompressed; `ret_fault` says which. */
bool record_batch_recompress(const void *base, size_t size, const log_config *config,
                             buffer *ret_batch, record_batch_fault *ret_fault);

#endif
