/* converters/string/charset.h - Java's charsets by their names: UTF-8, Latin-1 and
 * ASCII at hand, any other by the C library's iconv().
 *
 * Threads: one at a time. */
#ifndef SLUICE_CONVERTERS_STRING_CHARSET_H
#define SLUICE_CONVERTERS_STRING_CHARSET_H

#include <sluice/value.h>

typedef struct charset charset;

/* By one of Java's names, of any case: "UTF-8", "windows-1252", "Cp1252", "UTF-16".
 * NULL: there is none of that name here. */
charset *charset_new(const char *name);
void charset_free(charset *self); /* NULL is accepted. */

/* `text`, which is UTF-8, in the charset; what that lacks is '?'. UTF-16 is big-endian
 * and has a mark in front. In `arena`, or `text` itself. */
sluice_bytes charset_encode(charset *self, sluice_bytes text, sluice_arena *arena);

/* Bytes as UTF-8; what is malformed is U+FFFD. In `arena`, or `bytes` itself. */
sluice_bytes charset_decode(charset *self, sluice_bytes bytes, sluice_arena *arena);

#endif
