/* A frame's bytes and the slices between them. */
#include "output.h"
#include "base/memory.h"
#include <stdlib.h>
#include <string.h>

enum { copied_bytes_max = 1024 };

void output_init(output *self)
{
    *self = (output){.bytes = BUFFER_INIT};
}

void output_done(output *self)
{
    buffer_done(&self->bytes);
    free(self->parts);
    output_init(self);
}

void output_clear(output *self)
{
    buffer_clear(&self->bytes);
    self->part_count = 0;
    self->part_bytes = 0;
}

size_t output_size(const output *self)
{
    return self->bytes.len + self->part_bytes;
}

void output_add(output *self, const message_slice *slice)
{
    if (slice->base != NULL && slice->len <= copied_bytes_max) {
        buffer_append(&self->bytes, slice->base, slice->len);
        return;
    }
    if (self->part_count == self->part_room) {
        self->part_room = self->part_room == 0 ? 4 : 2 * self->part_room;
        self->parts = memory_resize(self->parts, self->part_room * sizeof *self->parts);
    }
    self->parts[self->part_count++] = (output_part){self->bytes.len, *slice};
    self->part_bytes += slice->len;
}

void output_copy(const output *self, void *ret_bytes)
{
    char *next = ret_bytes;
    size_t from = 0;
    for (size_t i = 0; i < self->part_count; i++) {
        const output_part *part = &self->parts[i];
        next = mempcpy(next, self->bytes.base + from, part->at - from);
        next = mempcpy(next, part->slice.base, part->slice.len);
        from = part->at;
    }
    if (self->bytes.len > from) {
        memcpy(next, self->bytes.base + from, self->bytes.len - from);
    }
}
