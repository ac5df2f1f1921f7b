/* connectors/file/lines.h - splits bytes that arrive in pieces into whole lines.
 *
 *     read() ──► │ done │ line\n line\r\n line\r unfinis… │ room │
 *                       └ start                     └ end
 *
 * A line ends with "\n", "\r\n" or "\r", as for Java's readers: a "\r" that is the last
 * byte so far waits for what follows it. No byte is looked at twice, however slowly a
 * long line grows.
 *
 * Threads: one at a time. */
#ifndef SLUICE_CONNECTORS_FILE_LINES_H
#define SLUICE_CONNECTORS_FILE_LINES_H

#include <stdbool.h>
#include <stddef.h>

/* A line, as positions in the buffer's `base`: its first byte, its length without the
 * end of line, and where the next line starts. */
typedef struct line_span {
    size_t start, len, next;
} line_span;

typedef struct lines {
    char *base;
    size_t capacity, limit;
    size_t start;     /* The first byte not yet handed out. */
    size_t end;       /* Behind the last byte read. */
    size_t line_feed; /* The first "\n" at or behind `start`, or what was searched. */
    size_t carriage;  /* The same of "\r". */
} lines;

/* An empty buffer for lines of up to `line_bytes_max` bytes. */
void lines_init(lines *self, size_t line_bytes_max);
void lines_done(lines *self);

/* Forgets all bytes. */
void lines_clear(lines *self);

/* Room behind the last byte, at least 64 KiB; its size to `ret_len`. The bytes kept so
 * far may move. NULL: the unfinished line has reached its limit, or memory is out. */
char *lines_room(lines *self, size_t *ret_len);

/* `len` bytes were put into the room. */
void lines_add(lines *self, size_t len);

/* Takes up to `max` whole lines out; returns how many. Their positions are valid until
 * the next lines_room() or lines_clear(). */
size_t lines_take(lines *self, line_span *ret_lines, size_t max);

/* Takes the unfinished line out as if it were whole: nothing will follow it. Whether
 * there is one. */
bool lines_take_rest(lines *self, line_span *ret_line);

/* The bytes read and not taken. */
size_t lines_left(const lines *self);

#endif
