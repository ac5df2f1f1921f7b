/* lib/text/shortest.h - the shortest decimal digits that stand for a floating-point
 * number.
 *
 * Threads: any. */
#ifndef SLUICE_LIB_TEXT_SHORTEST_H
#define SLUICE_LIB_TEXT_SHORTEST_H

#include <stdint.h>

/* digits * 10^exponent; digits has no zero at its end unless it is 0. */
typedef struct shortest {
    uint64_t digits;
    int exponent;
} shortest;

/* Of a finite number above zero. Of all decimals that read back as `value`, the one
 * with the fewest digits (counted as two at least), and of these the nearest: what
 * Java prints since version 19. */
shortest shortest_of_double(double value);
shortest shortest_of_float(float value);

#endif
