/* lib/text/shortest.c - Raffaello Giulietti's Schubfach, in 128-bit integers.
 *
 * A number is c * 2^q. All decimals between the midpoints to its neighbours read back
 * as it. With k chosen so that 10^k is just below the width of that interval, the
 * interval scaled by 10^-k holds at least one whole number, and at most one multiple of
 * ten: that multiple, if there, is the shortest; else the nearest whole number is.
 *
 * The scaling needs a product with 128 bits of 10^-k only, rounded to odd: the lowest
 * bit says "and something more", which keeps every comparison below exact. */
#include "shortest.h"

#include <stdbool.h>
#include <string.h>

__extension__ typedef unsigned __int128 wide;

typedef struct power {
    uint64_t high, low;
} power;

enum { POWER_LOWEST = -292 };

static const power POWERS[] = {
#include "powers_of_ten.inc"
};

/* floor(log10(2^q)), floor(log10(3/4 * 2^q)) and floor(log2(10^e)): exact over the
 * exponents of a double. */
static int floor_log10_of_2(int q)
{
    return (q * 1262611) >> 22;
}

static int floor_log10_of_3_4(int q)
{
    return (q * 1262611 - 524031) >> 22;
}

static int floor_log2_of_10(int e)
{
    return (e * 1741647) >> 19;
}

static uint64_t round_to_odd(const power *g, uint64_t factor)
{
    uint64_t carried = (uint64_t)(((wide)g->low * factor) >> 64);
    wide sum = (wide)g->high * factor + carried;
    return (uint64_t)(sum >> 64) | ((uint64_t)sum > 1);
}

static shortest without_zeros(uint64_t digits, int exponent)
{
    while (digits >= 100000000 && digits % 100000000 == 0) {
        digits /= 100000000;
        exponent += 8;
    }
    while (digits % 10 == 0) {
        digits /= 10;
        exponent++;
    }
    return (shortest){digits, exponent};
}

/* `is_lowest`: the neighbour below is half as far away as the one above. */
static shortest shortest_of(uint64_t c, int q, bool is_lowest, int exponent_shift)
{
    int k = is_lowest ? floor_log10_of_3_4(q) : floor_log10_of_2(q);
    int h = q + floor_log2_of_10(-k) + 1;
    const power *g = &POWERS[-k - POWER_LOWEST];
    uint64_t is_odd = c & 1;
    uint64_t value = round_to_odd(g, (4 * c) << h);
    uint64_t lower = round_to_odd(g, (4 * c - 2 + is_lowest) << h) + is_odd;
    uint64_t upper = round_to_odd(g, (4 * c + 2) << h) - is_odd;

    uint64_t below = value / 4;
    if (below >= 100) {
        uint64_t tens = below / 10;
        bool under_fits = lower <= 40 * tens;
        bool over_fits = 40 * tens + 40 <= upper;
        if (under_fits != over_fits) {
            return without_zeros(tens + over_fits, k + 1 + exponent_shift);
        }
    }
    bool below_fits = lower <= 4 * below;
    bool above_fits = 4 * below + 4 <= upper;
    uint64_t middle = 4 * below + 2;
    bool is_above = below_fits != above_fits
                        ? above_fits
                        : value > middle || (value == middle && (below & 1) == 1);
    return without_zeros(below + is_above, k + exponent_shift);
}

shortest shortest_of_double(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint64_t fraction = bits & ((UINT64_C(1) << 52) - 1);
    int exponent = (int)(bits >> 52 & 0x7ff);
    if (value < 9007199254740992.0 && (double)(uint64_t)value == value) {
        return without_zeros((uint64_t)value, 0);
    }
    if (exponent == 0) {
        /* So small that one digit would do: ten times as fine, for two. */
        return fraction < 3 ? shortest_of(10 * fraction, -1074, false, -1)
                            : shortest_of(fraction, -1074, false, 0);
    }
    return shortest_of(fraction | UINT64_C(1) << 52, exponent - 1075,
                       fraction == 0 && exponent > 1, 0);
}

shortest shortest_of_float(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint64_t fraction = bits & ((UINT32_C(1) << 23) - 1);
    int exponent = (int)(bits >> 23 & 0xff);
    if (value < 16777216.0f && (float)(uint32_t)value == value) {
        return without_zeros((uint64_t)value, 0);
    }
    if (exponent == 0) {
        return fraction < 8 ? shortest_of(10 * fraction, -149, false, -1)
                            : shortest_of(fraction, -149, false, 0);
    }
    return shortest_of(fraction | UINT64_C(1) << 23, exponent - 150,
                       fraction == 0 && exponent > 1, 0);
}
