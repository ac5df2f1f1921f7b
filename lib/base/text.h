/* lib/base/text.h - numbers from text, near misses, hex, lists: strictly.
 *
 * Numbers, booleans and lists are read as Kafka's ConfigDef reads them: white space
 * around is dropped (all bytes up to ' ', as Java's trim), and what is left must be
 * the value from its first byte to its last.
 *
 * Threads: any. Memory: nothing is kept; results are as said. */
#ifndef SLUICE_BASE_TEXT_H
#define SLUICE_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether `text` is a decimal number within the limits of the type; only then `*ret`
 * is set. A '+' or a '-' may lead; no hex, no '_', no fraction. */
bool text_to_int64(const char *text, int64_t *ret);
bool text_to_uint64(const char *text, uint64_t *ret);
bool text_to_int32(const char *text, int32_t *ret);

/* As Java's Double.parseDouble, hexadecimal forms excepted: "1", ".5", "1e3", "-2.5d",
 * "NaN", "Infinity". Too large is infinite, as there. */
bool text_to_double(const char *text, double *ret);

/* "true" or "false" in any case. */
bool text_to_bool(const char *text, bool *ret);

/* The same for `len` bytes, untrimmed; a NUL in it is a wrong byte. */
bool text_to_int64_of(const char *base, size_t len, int64_t *ret);
bool text_to_uint64_of(const char *base, size_t len, uint64_t *ret);
bool text_to_double_of(const char *base, size_t len, double *ret);

/* The start of `text` without white space around; its length to `ret_len`. */
const char *text_trim(const char *text, size_t *ret_len);

/* A trimmed copy, the caller's: free(). */
char *text_trimmed(const char *text);

/* Splits as ConfigDef does: "" gives no item; otherwise at each comma, white space
 * around commas dropped, empty items kept. The list is one piece of memory, NULL-ended,
 * the caller's: free(). */
char **text_split(const char *text, size_t *ret_count);

bool text_starts(const char *text, const char *prefix);
bool text_ends(const char *text, const char *suffix);
bool text_equal_nocase(const char *a, const char *b); /* ASCII letters only. */

/* The number of edits (insert, delete, replace, swap of two neighbours) from `a` to
 * `b`; both count at most as their first 255 bytes. */
size_t text_distance(const char *a, const char *b);

/* Whether `word` looks like a slip of the pen for `known`: not the same, but the same
 * apart from letter case, or one edit away (from 4 bytes on), or two (from 10 on). */
bool text_is_near(const char *word, const char *known);

/* The one of `count` known words that is nearest to `word` and near to it, or NULL. */
const char *text_nearest(const char *word, const char *const *known, size_t count);

/* Two lower-case digits a byte, and a NUL: `out` has 2 * len + 1 bytes. */
void text_hex(char *out, const void *base, size_t len);

/* Reads exactly 2 * len digits of either case. Returns whether they are. */
bool text_unhex(void *out, size_t len, const char *digits, size_t digit_count);

/* Whether the bytes are valid UTF-8 (no surrogates, no overlong forms). */
bool text_is_utf8(const void *base, size_t len);

/* Makes `text` valid UTF-8 where it stands: each byte that is none becomes '?'. */
void text_make_utf8(char *text);

#endif
