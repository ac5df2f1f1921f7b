/* connectors/file/lines.c - memchr() over each byte once, behind a moving window. */
#include "lines.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { LINES_ROOM = 512 * 1024, LINES_ROOM_MIN = 64 * 1024 };

void lines_init(lines *self, size_t line_bytes_max)
{
    *self = (lines){.limit = line_bytes_max};
}

void lines_done(lines *self)
{
    free(self->base);
    self->base = NULL;
}

void lines_clear(lines *self)
{
    self->start = self->end = self->line_feed = self->carriage = 0;
}

size_t lines_left(const lines *self)
{
    return self->end - self->start;
}

static void lines_move_to_front(lines *self)
{
    if (self->start == 0) {
        return;
    }
    memmove(self->base, self->base + self->start, lines_left(self));
    self->end -= self->start;
    self->line_feed -= self->start;
    self->carriage -= self->start;
    self->start = 0;
}

static bool lines_grow(lines *self)
{
    size_t wanted = self->capacity == 0 ? LINES_ROOM : 2 * self->capacity;
    char *base = realloc(self->base, wanted);
    if (base == NULL) {
        return false;
    }
    self->base = base;
    self->capacity = wanted;
    return true;
}

char *lines_room(lines *self, size_t *ret_len)
{
    lines_move_to_front(self);
    /* Two bytes more than the limit: a line of just that length has its end there. */
    if (self->end >= self->limit && self->end - self->limit >= 2) {
        return NULL;
    }
    if (self->capacity - self->end < LINES_ROOM_MIN && !lines_grow(self)) {
        return NULL;
    }
    *ret_len = self->capacity - self->end;
    return self->base + self->end;
}

void lines_add(lines *self, size_t len)
{
    self->end += len;
}

/* The next `byte` at or behind `from`; `self->end` where there is none yet. */
static size_t lines_find(const lines *self, size_t from, int byte)
{
    const char *found =
        from < self->end ? memchr(self->base + from, byte, self->end - from) : NULL;
    return found == NULL ? self->end : (size_t)(found - self->base);
}

static bool lines_is_at(const lines *self, size_t at, char byte)
{
    return at < self->end && self->base[at] == byte;
}

static bool lines_next(lines *self, line_span *ret_line)
{
    if (!lines_is_at(self, self->line_feed, '\n') || self->line_feed < self->start) {
        self->line_feed = lines_find(self, self->line_feed, '\n');
    }
    if (!lines_is_at(self, self->carriage, '\r') || self->carriage < self->start) {
        self->carriage = lines_find(self, self->carriage, '\r');
    }
    size_t at = self->carriage < self->line_feed ? self->carriage : self->line_feed;
    bool is_carriage = at == self->carriage;
    if (at == self->end || (is_carriage && at + 1 == self->end)) {
        return false;
    }
    bool is_pair = is_carriage && self->base[at + 1] == '\n';
    *ret_line = (line_span){
        .start = self->start, .len = at - self->start, .next = at + (is_pair ? 2 : 1)};
    self->start = ret_line->next;
    self->line_feed = self->line_feed < self->start ? self->start : self->line_feed;
    self->carriage = self->carriage < self->start ? self->start : self->carriage;
    return true;
}

size_t lines_take(lines *self, line_span *ret_lines, size_t max)
{
    size_t count = 0;
    while (count < max && lines_next(self, &ret_lines[count])) {
        count++;
    }
    return count;
}

bool lines_take_rest(lines *self, line_span *ret_line)
{
    if (self->start == self->end) {
        return false;
    }
    size_t len = lines_left(self);
    bool has_carriage = self->base[self->end - 1] == '\r';
    *ret_line = (line_span){
        .start = self->start, .len = has_carriage ? len - 1 : len, .next = self->end};
    self->start = self->line_feed = self->carriage = self->end;
    return true;
}
