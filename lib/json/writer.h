/* lib/json/writer.h - JSON text that grows in an arena.
 *
 * Threads: one. What is written is the newest piece of the arena until it is finished.
 */
#ifndef SLUICE_JSON_WRITER_H
#define SLUICE_JSON_WRITER_H

#include <sluice/value.h>
#include <stdint.h>
#include <string.h>

/* What was written last for a field with a value that repeats. */
typedef struct json_memo {
    const sluice_value *value; /* NULL: nothing yet. */
    const char *text;          /* In the arena. */
    size_t len;
} json_memo;

typedef struct json_writer {
    sluice_arena *arena;
    char *base, *at, *end;
    json_memo *memos; /* NULL: none are kept. */
} json_writer;

/* Begins with room for `size` bytes. */
void json_writer_init(json_writer *out, sluice_arena *arena, size_t size);

/* What was written; gives the room behind it back to the arena. */
sluice_bytes json_writer_finish(json_writer *out);

/* Makes room for `more` bytes behind `at`. */
void json_writer_grow(json_writer *out, size_t more);

static inline void json_reserve(json_writer *out, size_t more)
{
    if ((size_t)(out->end - out->at) < more) {
        json_writer_grow(out, more);
    }
}

static inline void json_raw(json_writer *out, const void *base, size_t len)
{
    json_reserve(out, len);
    memcpy(out->at, base, len);
    out->at += len;
}

static inline void json_char(json_writer *out, char byte)
{
    json_reserve(out, 1);
    *out->at++ = byte;
}

/* A text constant. */
#define json_literal(out, text) json_raw(out, text, sizeof(text) - 1)

void json_integer(json_writer *out, int64_t value);

/* As Java's Double.toString and Float.toString: 100.0, 1.0E21, "NaN" in quotes. */
void json_double(json_writer *out, double value);
void json_float(json_writer *out, float value);

/* A quoted text. False where it is not UTF-8; something was written then. */
bool json_text(json_writer *out, const char *text, size_t len);

/* Quoted base64 with padding. */
void json_base64(json_writer *out, const void *base, size_t len);

/* A decimal as Java's BigDecimal.toString: 1.50, 1E+3, 1E-10. */
void json_decimal(json_writer *out, sluice_bytes unscaled, int scale);

#endif
