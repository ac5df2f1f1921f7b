/* broker/log/epoch_cache.c - leader epochs by offset. */
#include "broker/log/epoch_cache.h"
#include "base/memory.h"
#include "broker/log/checkpoint.h"

#include <stdlib.h>
#include <string.h>

void epoch_cache_done(epoch_cache *self)
{
    free(self->entries);
    *self = (epoch_cache){0};
}

int32_t epoch_cache_latest(const epoch_cache *self)
{
    return self->count == 0 ? -1 : self->entries[self->count - 1].epoch;
}

bool epoch_cache_assign(epoch_cache *self, int32_t epoch, int64_t start_offset)
{
    if (epoch < 0 || epoch <= epoch_cache_latest(self)) {
        return false;
    }
    epoch_cache_truncate_end(self, start_offset);
    if (self->count == self->room) {
        self->room = self->room == 0 ? 4 : 2 * self->room;
        self->entries =
            memory_resize(self->entries, self->room * sizeof(self->entries[0]));
    }
    self->entries[self->count++] = (epoch_entry){epoch, start_offset};
    return true;
}

void epoch_cache_truncate_end(epoch_cache *self, int64_t end_offset)
{
    while (self->count > 0 &&
           self->entries[self->count - 1].start_offset >= end_offset) {
        self->count--;
    }
}

void epoch_cache_truncate_start(epoch_cache *self, int64_t start_offset)
{
    size_t gone = 0;
    while (gone + 1 < self->count &&
           self->entries[gone + 1].start_offset <= start_offset) {
        gone++;
    }
    if (gone > 0) {
        self->count -= gone;
        memmove(self->entries, self->entries + gone,
                self->count * sizeof(self->entries[0]));
    }
    if (self->count > 0 && self->entries[0].start_offset < start_offset) {
        self->entries[0].start_offset = start_offset;
    }
}

void epoch_cache_end_of(const epoch_cache *self, int32_t epoch, int64_t log_end,
                        int32_t *ret_epoch, int64_t *ret_end_offset)
{
    *ret_epoch = epoch;
    *ret_end_offset = self->count > 0 ? self->entries[0].start_offset : log_end;
    for (size_t i = self->count; i-- > 0;) {
        if (self->entries[i].epoch <= epoch) {
            *ret_epoch = self->entries[i].epoch;
            *ret_end_offset =
                i + 1 < self->count ? self->entries[i + 1].start_offset : log_end;
            return;
        }
    }
}

int32_t epoch_cache_of_offset(const epoch_cache *self, int64_t offset)
{
    for (size_t i = self->count; i-- > 0;) {
        if (self->entries[i].start_offset <= offset) {
            return self->entries[i].epoch;
        }
    }
    return -1;
}

static bool take_entry(const char *line, size_t len, void *context)
{
    epoch_cache *self = context;
    int64_t numbers[2];
    return checkpoint_numbers(line, len, 2, numbers) && numbers[0] >= 0 &&
           numbers[0] <= INT32_MAX && numbers[1] >= 0 &&
           (self->count == 0 ||
            self->entries[self->count - 1].start_offset < numbers[1]) &&
           epoch_cache_assign(self, (int32_t)numbers[0], numbers[1]);
}

bool epoch_cache_parse(epoch_cache *self, const char *text, size_t len)
{
    self->count = 0;
    if (!checkpoint_parse(text, len, take_entry, self)) {
        self->count = 0;
        return false;
    }
    return true;
}

void epoch_cache_print(const epoch_cache *self, buffer *ret_text)
{
    buffer_print(ret_text, "0\n%zu\n", self->count);
    for (size_t i = 0; i < self->count; i++) {
        buffer_print(ret_text, "%d %lld\n", self->entries[i].epoch,
                     (long long)self->entries[i].start_offset);
    }
}
