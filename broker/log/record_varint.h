/* broker/log/record_varint.h - the zig-zag varints inside records. */
#ifndef SLUICE_BROKER_LOG_RECORD_VARINT_H
#define SLUICE_BROKER_LOG_RECORD_VARINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECORD_VARINT_SIZE_MAX 10

/* Reads one and moves `*at` behind it; false when it is cut off or longer than 64
 * bits. */
static inline bool record_varint_read(const uint8_t **at, const uint8_t *end,
                                      int64_t *ret_value)
{
    uint64_t value = 0;
    for (unsigned bits = 0; bits < 64 && *at < end; bits += 7) {
        uint8_t byte = *(*at)++;
        value |= (uint64_t)(byte & 0x7f) << bits;
        if (byte < 0x80) {
            *ret_value = (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
            return true;
        }
    }
    return false;
}

/* Writes one to `to`, at most RECORD_VARINT_SIZE_MAX bytes, and returns how many. */
static inline size_t record_varint_write(uint8_t *to, int64_t value)
{
    uint64_t bits = ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
    size_t len = 0;
    for (; bits > 0x7f; bits >>= 7) {
        to[len++] = (uint8_t)(bits | 0x80);
    }
    to[len++] = (uint8_t)bits;
    return len;
}

#endif
