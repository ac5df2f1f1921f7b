/* lib/json/number.h - what a JSON number is worth, as Java's numbers count it.
 *
 * Threads: any. */
#ifndef SLUICE_JSON_NUMBER_H
#define SLUICE_JSON_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The most digits of a number, which is Jackson's limit; and the most bytes: with two
 * signs, a point and an E. */
enum { JSON_DIGITS_MAX = 1000, JSON_NUMBER_MAX = JSON_DIGITS_MAX + 4 };

/* A number as it is written; its digits, point and exponent are where they belong. */
typedef struct json_number {
    bool whole;      /* Digits only: no point, no exponent. */
    int64_t integer; /* Where whole: the value, its low 64 bits where it is larger. */
    const char *text;
    size_t len; /* Up to JSON_NUMBER_MAX. */
} json_number;

/* As BigDecimal.doubleValue and floatValue: rounded once; a zero is positive. */
double json_number_double(const json_number *number);
float json_number_float(const json_number *number);

/* Without its fraction, its low 64 bits, as BigDecimal.longValue. */
int64_t json_number_long(const json_number *number);

#endif
