/* A byte buffer that grows at the end, doubling, up to a maximum. */
#include "buffer.h"
#include "memory.h"
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buffer_init(buffer *self, size_t max)
{
    *self = (buffer){.max = max};
}

void buffer_done(buffer *self)
{
    free(self->base);
    buffer_init(self, self->max);
}

void buffer_clear(buffer *self)
{
    self->len = 0;
    self->overflowed = false;
    if (self->base != NULL) {
        self->base[0] = '\0';
    }
}

static char *refuse(buffer *self)
{
    self->overflowed = true;
    return NULL;
}

static bool grow(buffer *self, size_t wanted)
{
    size_t room = self->room * 2 > 64 ? self->room * 2 : 64;
    if (room < wanted) {
        room = wanted;
    }
    if (self->max == 0) {
        self->base = memory_resize(self->base, room);
    } else {
        char *grown = realloc(self->base, room);
        if (grown == NULL) {
            return false;
        }
        self->base = grown;
    }
    self->room = room;
    return true;
}

char *buffer_reserve(buffer *self, size_t len)
{
    size_t max = self->max > 0 ? self->max : SIZE_MAX / 4;
    if (self->len > max || len > max - self->len) {
        return refuse(self);
    }
    size_t wanted = self->len + len + 1;
    if (wanted > self->room && !grow(self, wanted)) {
        return refuse(self);
    }
    return self->base + self->len;
}

void buffer_advance(buffer *self, size_t len)
{
    assert(self->len + len < self->room);
    self->len += len;
    self->base[self->len] = '\0';
}

bool buffer_append(buffer *self, const void *base, size_t len)
{
    char *place = buffer_reserve(self, len);
    if (place == NULL) {
        return false;
    }
    if (len > 0) {
        memcpy(place, base, len);
    }
    buffer_advance(self, len);
    return true;
}

bool buffer_append_text(buffer *self, const char *text)
{
    return buffer_append(self, text, strlen(text));
}

bool buffer_append_byte(buffer *self, char byte)
{
    return buffer_append(self, &byte, 1);
}

bool buffer_append_utf8(buffer *self, uint32_t code_point)
{
    assert(code_point <= 0x10FFFF);
    if (code_point < 0x80) {
        return buffer_append_byte(self, (char)code_point);
    }
    char bytes[4];
    size_t more = code_point < 0x800 ? 1 : code_point < 0x10000 ? 2 : 3;
    static const unsigned char first[] = {0, 0xC0, 0xE0, 0xF0};
    bytes[0] = (char)(first[more] | (code_point >> (6 * more)));
    for (size_t i = 1; i <= more; i++) {
        bytes[i] = (char)(0x80 | ((code_point >> (6 * (more - i))) & 0x3F));
    }
    return buffer_append(self, bytes, more + 1);
}

bool buffer_vprint(buffer *self, const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    int len = vsnprintf(NULL, 0, format, again);
    va_end(again);
    char *place = len < 0 ? refuse(self) : buffer_reserve(self, (size_t)len);
    if (place == NULL) {
        return false;
    }
    vsnprintf(place, (size_t)len + 1, format, arguments);
    buffer_advance(self, (size_t)len);
    return true;
}

bool buffer_print(buffer *self, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    bool done = buffer_vprint(self, format, arguments);
    va_end(arguments);
    return done;
}

void buffer_consume(buffer *self, size_t len)
{
    if (len >= self->len) {
        buffer_truncate(self, 0);
    } else if (len > 0) {
        memmove(self->base, self->base + len, self->len - len + 1);
        self->len -= len;
    }
}

void buffer_truncate(buffer *self, size_t len)
{
    assert(len <= self->len);
    self->len = len;
    if (self->base != NULL) {
        self->base[len] = '\0';
    }
}

char *buffer_take(buffer *self, size_t *ret_len)
{
    char *content = self->base != NULL ? self->base : memory_copy("", 0);
    if (ret_len != NULL) {
        *ret_len = self->len;
    }
    buffer_init(self, self->max);
    return content;
}

const char *buffer_text(const buffer *self)
{
    return self->base != NULL ? self->base : "";
}
