/* protocol/output.h - a frame in the making: bytes of ours, and records left where
 * they are.
 *
 * Record batches are not copied into a frame (small ones excepted, which are cheaper
 * to copy): `bytes` is cut at `parts`, and each part's slices go out there. The network
 * edge makes of it one writev() and, for slices of files, sendfile().
 *
 * Threads: an output belongs to one thread at a time.
 * Memory: slices are borrowed until the frame is written. */
#ifndef SLUICE_PROTOCOL_OUTPUT_H
#define SLUICE_PROTOCOL_OUTPUT_H

#include "base/buffer.h"
#include "message.h"

typedef struct output_part {
    size_t at; /* The slice goes out before this byte of `bytes`. */
    message_slice slice;
} output_part;

typedef struct output {
    buffer bytes;
    output_part *parts; /* By `at`. */
    size_t part_count, part_room;
    size_t part_bytes; /* The sum of the slices. */
} output;

void output_init(output *self);
void output_done(output *self);
void output_clear(output *self); /* Keeps the memory. */

/* Bytes of the whole: `bytes` and slices. */
size_t output_size(const output *self);

/* Puts a slice behind what is there, borrowed, or its bytes if they are few. */
void output_add(output *self, const message_slice *slice);

/* The whole as one run of bytes, for tests and for clients of ours: slices in memory
 * only. `ret_bytes` has room for output_size(). */
void output_copy(const output *self, void *ret_bytes);

/* Room for `len` more bytes: write there, then `self->bytes.len += len`. */
static inline uint8_t *output_reserve(output *self, size_t len)
{
    if (self->bytes.room - self->bytes.len > len) {
        return (uint8_t *)self->bytes.base + self->bytes.len;
    }
    return (uint8_t *)buffer_reserve(&self->bytes, len);
}

#endif
