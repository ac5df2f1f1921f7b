/* lib/base/crc32c.c - CRC-32C, by the CPU or by tables.
 *
 * A crc32 instruction takes three cycles and a new one can start in each, so a single
 * chain of them uses a third of the CPU. Three chains run over three neighbouring
 * blocks; the CRCs of the first and second are then moved over the length of what
 * follows them, as if that had been zeros, and added:
 *
 *     crc(A B C) = shift(shift(crc(A)) ^ crc(B)) ^ crc(C)
 *
 * Moving over n zero bytes is linear in the bits of the CRC, so it is four lookups in
 * tables made once for each block length. */
#include "crc32c.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#define POLYNOMIAL 0x82f63b78u /* Reflected. */

/* Block lengths: long ones for bulk, short ones so that 1 KB gains too. */
enum { BLOCK_LONG = 4096, BLOCK_SHORT = 256 };

static uint32_t step_table[8][256];

#ifdef __x86_64__
typedef uint32_t shift_table[4][256];

static shift_table shift_long, shift_short;
static bool cpu_has_crc;

static uint32_t apply(const uint32_t matrix[32], uint32_t vector)
{
    uint32_t sum = 0;
    for (int bit = 0; vector != 0; bit++, vector >>= 1) {
        if (vector & 1) {
            sum ^= matrix[bit];
        }
    }
    return sum;
}

/* The table that moves a CRC over `len` zero bytes; `len` is a power of two. */
static void fill_shift_table(shift_table table, size_t len)
{
    uint32_t matrix[32], square[32];
    for (int bit = 0; bit < 32; bit++) {
        uint32_t crc = 1u << bit;
        matrix[bit] = (crc >> 8) ^ step_table[0][crc & 0xff];
    }
    for (; len > 1; len /= 2) {
        for (int bit = 0; bit < 32; bit++) {
            square[bit] = apply(matrix, matrix[bit]);
        }
        memcpy(matrix, square, sizeof(matrix));
    }
    for (int byte = 0; byte < 4; byte++) {
        for (uint32_t value = 0; value < 256; value++) {
            table[byte][value] = apply(matrix, value << (8 * byte));
        }
    }
}

static inline uint32_t shift(shift_table table, uint32_t crc)
{
    return table[0][crc & 0xff] ^ table[1][(crc >> 8) & 0xff] ^
           table[2][(crc >> 16) & 0xff] ^ table[3][crc >> 24];
}
#endif

static void fill_step_tables(void)
{
    for (uint32_t value = 0; value < 256; value++) {
        uint32_t crc = value;
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc >> 1) ^ (crc & 1 ? POLYNOMIAL : 0);
        }
        step_table[0][value] = crc;
    }
    for (int byte = 1; byte < 8; byte++) {
        for (uint32_t value = 0; value < 256; value++) {
            uint32_t crc = step_table[byte - 1][value];
            step_table[byte][value] = (crc >> 8) ^ step_table[0][crc & 0xff];
        }
    }
}

static void fill_tables(void)
{
    fill_step_tables();
#ifdef __x86_64__
    fill_shift_table(shift_long, BLOCK_LONG);
    fill_shift_table(shift_short, BLOCK_SHORT);
    cpu_has_crc = __builtin_cpu_supports("sse4.2");
#endif
}

static void need_tables(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, fill_tables);
}

static inline uint64_t load64(const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof(word));
    return word;
}

static uint32_t run_tables(uint32_t crc, const uint8_t *at, size_t len)
{
    for (; len >= 8; at += 8, len -= 8) {
        uint32_t low = crc ^ ((uint32_t)at[0] | (uint32_t)at[1] << 8 |
                              (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24);
        crc = step_table[7][low & 0xff] ^ step_table[6][(low >> 8) & 0xff] ^
              step_table[5][(low >> 16) & 0xff] ^ step_table[4][low >> 24] ^
              step_table[3][at[4]] ^ step_table[2][at[5]] ^ step_table[1][at[6]] ^
              step_table[0][at[7]];
    }
    for (; len > 0; at++, len--) {
        crc = (crc >> 8) ^ step_table[0][(crc ^ *at) & 0xff];
    }
    return crc;
}

#ifdef __x86_64__
__attribute__((target("sse4.2"))) static uint32_t
run_three(uint32_t crc, const uint8_t *at, size_t block, shift_table table)
{
    uint64_t first = crc, second = 0, third = 0;
    for (const uint8_t *end = at + block; at < end; at += 8) {
        first = __builtin_ia32_crc32di(first, load64(at));
        second = __builtin_ia32_crc32di(second, load64(at + block));
        third = __builtin_ia32_crc32di(third, load64(at + 2 * block));
    }
    crc = shift(table, (uint32_t)first) ^ (uint32_t)second;
    return shift(table, crc) ^ (uint32_t)third;
}

__attribute__((target("sse4.2"))) static uint32_t run_cpu(uint32_t crc,
                                                          const uint8_t *at, size_t len)
{
    for (; len >= 3 * BLOCK_LONG; at += 3 * BLOCK_LONG, len -= 3 * BLOCK_LONG) {
        crc = run_three(crc, at, BLOCK_LONG, shift_long);
    }
    for (; len >= 3 * BLOCK_SHORT; at += 3 * BLOCK_SHORT, len -= 3 * BLOCK_SHORT) {
        crc = run_three(crc, at, BLOCK_SHORT, shift_short);
    }
    uint64_t wide = crc;
    for (; len >= 8; at += 8, len -= 8) {
        wide = __builtin_ia32_crc32di(wide, load64(at));
    }
    crc = (uint32_t)wide;
    for (; len > 0; at++, len--) {
        crc = __builtin_ia32_crc32qi(crc, *at);
    }
    return crc;
}
#endif

uint32_t crc32c(uint32_t crc, const void *base, size_t len)
{
    need_tables();
#ifdef __x86_64__
    if (cpu_has_crc) {
        return ~run_cpu(~crc, base, len);
    }
#endif
    return ~run_tables(~crc, base, len);
}

uint32_t crc32c_portable(uint32_t crc, const void *base, size_t len)
{
    need_tables();
    return ~run_tables(~crc, base, len);
}
