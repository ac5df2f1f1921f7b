/* sluice/text.h - data as text: UTF-8, numbers and whole values as Java prints them.
 *
 * Configurations, logs and files written by Kafka Connect hold such texts: a struct in
 * a sink's file is "Struct{id=1,name=x}", a double is "1.0E10", an error names the
 * class "java.lang.String". These functions give the same, so that whoever moves over
 * sees no difference.
 *
 * Threads: any, each with its own arena. */
#ifndef SLUICE_TEXT_H
#define SLUICE_TEXT_H

#include <sluice/value.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --- UTF-8. --- */

/* Whether the bytes are valid UTF-8 (no surrogates, no overlong forms). */
SLUICE_API bool sluice_text_is_utf8(const void *base, size_t len);

/* The bytes as valid UTF-8, each malformed part replaced by U+FFFD as Java's decoder
 * does. In `arena`, with a NUL that is not counted; never NULL. */
SLUICE_API char *sluice_text_repair(sluice_arena *arena, const void *base, size_t len,
                                    size_t *ret_len);

/* --- Numbers. --- */

/* Enough for any number below, without a NUL. */
enum { SLUICE_NUMBER_TEXT = 32 };

/* The shortest text that reads back as the same number, in the form of Java's
 * Double.toString: "1.0", "1.0E21", "NaN", "-Infinity". Writes to `out` and returns the
 * length; no NUL. */
SLUICE_API size_t sluice_text_double(char *out, double value);
SLUICE_API size_t sluice_text_float(char *out, float value); /* Float.toString. */
SLUICE_API size_t sluice_text_int64(char *out, int64_t value);

/* A decimal in the form of Java's BigDecimal.toString: "1.56", "1E+3", "1E-10".
 * NUL-ended, in `arena`. */
SLUICE_API char *sluice_text_decimal(sluice_arena *arena, sluice_bytes unscaled,
                                     int scale, size_t *ret_len);

/* --- Values. --- */

/* The text of a value as Java's toString gives it: "Struct{a=1,b=x}", "{a=1, b=null}",
 * "[1, x]", "1.0E10", "null"; logical types as Java's classes print them. BYTES are
 * given in base64, where Java prints an address. `schema` may be NULL. NUL-ended, in
 * `arena`; the length goes to `ret_len`. A deeper nesting than 1000 is cut with "…". */
SLUICE_API char *sluice_text_of(sluice_arena *arena, const sluice_schema *schema,
                                const sluice_value *value, size_t *ret_len);

/* The Java class that holds such a value in Kafka Connect, for messages:
 * "java.lang.Long", "java.math.BigDecimal", "[B", "null". A constant. */
SLUICE_API const char *sluice_text_class(const sluice_schema *schema,
                                         const sluice_value *value);

#ifdef __cplusplus
}
#endif

#endif
