/* lib/base/buffer.h - bytes that grow at the end.
 *
 * A buffer that is fed from outside gets a maximum: what would pass it is refused and
 * leaves the buffer as it was. Without a maximum (0) it grows until memory is out,
 * which aborts, so then only sizes that we choose may go in.
 *
 * Threads: a buffer belongs to one thread at a time. */
#ifndef SLUICE_BASE_BUFFER_H
#define SLUICE_BASE_BUFFER_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct buffer {
    char *base; /* A NUL that is not counted follows; NULL while nothing was added. */
    size_t len;
    size_t room;
    size_t max;      /* 0: none. */
    bool overflowed; /* An addition was refused since init or clear. */
} buffer;

/* A buffer without a maximum; no call is needed to begin. */
#define BUFFER_INIT                                                                    \
    {                                                                                  \
        NULL, 0, 0, 0, false                                                           \
    }

void buffer_init(buffer *self, size_t max);

/* Frees the bytes; the buffer is then as after init, with the same maximum. */
void buffer_done(buffer *self);

/* Empties it and keeps the memory. */
void buffer_clear(buffer *self);

/* Each appends and returns true; or returns false, sets `overflowed` and appends
 * nothing, when the maximum would be passed or, with a maximum, memory is out. */
bool buffer_append(buffer *self, const void *base, size_t len);
bool buffer_append_text(buffer *self, const char *text);
bool buffer_append_byte(buffer *self, char byte);
bool buffer_append_utf8(buffer *self, uint32_t code_point); /* 0 to 0x10FFFF. */
bool buffer_print(buffer *self, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
bool buffer_vprint(buffer *self, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

/* Room for `len` more bytes, uninitialised and not yet counted; NULL as above. Write
 * there, then count them with buffer_advance(). */
char *buffer_reserve(buffer *self, size_t len);
void buffer_advance(buffer *self, size_t len);

/* Forgets the first `len` bytes (at most all) and moves the others to the front. */
void buffer_consume(buffer *self, size_t len);

/* Shortens it to `len` bytes, which must not be more than it has. */
void buffer_truncate(buffer *self, size_t len);

/* The content, NUL-ended, as the caller's: free(). Never NULL. The buffer is empty. */
char *buffer_take(buffer *self, size_t *ret_len);

/* The content as a NUL-ended text, "" when empty. Borrowed until the next change. */
const char *buffer_text(const buffer *self);

#endif
