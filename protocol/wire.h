/* protocol/wire.h - Kafka's numbers in bytes: big-endian, and unsigned varints.
 *
 * The readers of fixed width expect that the bytes are there. */
#ifndef SLUICE_PROTOCOL_WIRE_H
#define SLUICE_PROTOCOL_WIRE_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { wire_uvarint_bytes_max = 5 };

static inline uint16_t wire_get_16(const uint8_t *base)
{
    uint16_t value;
    memcpy(&value, base, sizeof value);
    return be16toh(value);
}

static inline uint32_t wire_get_32(const uint8_t *base)
{
    uint32_t value;
    memcpy(&value, base, sizeof value);
    return be32toh(value);
}

static inline uint64_t wire_get_64(const uint8_t *base)
{
    uint64_t value;
    memcpy(&value, base, sizeof value);
    return be64toh(value);
}

static inline void wire_put_16(uint8_t *base, uint16_t value)
{
    value = htobe16(value);
    memcpy(base, &value, sizeof value);
}

static inline void wire_put_32(uint8_t *base, uint32_t value)
{
    value = htobe32(value);
    memcpy(base, &value, sizeof value);
}

static inline void wire_put_64(uint8_t *base, uint64_t value)
{
    value = htobe64(value);
    memcpy(base, &value, sizeof value);
}

/* Reads an unsigned varint of 32 bits. Returns the bytes used; 0: it is cut off, or
 * longer than one can be. */
static inline size_t wire_get_uvarint(const uint8_t *base, size_t size,
                                      uint32_t *ret_value)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size && i < wire_uvarint_bytes_max; i++) {
        value |= (uint64_t)(base[i] & 0x7f) << (7 * i);
        if ((base[i] & 0x80) == 0) {
            *ret_value = (uint32_t)value;
            return value > UINT32_MAX ? 0 : i + 1;
        }
    }
    return 0;
}

/* Writes at most wire_uvarint_bytes_max bytes and returns how many. */
static inline size_t wire_put_uvarint(uint8_t *base, uint32_t value)
{
    size_t len = 0;
    for (; value > 0x7f; value >>= 7) {
        base[len++] = (uint8_t)(value | 0x80);
    }
    base[len++] = (uint8_t)value;
    return len;
}

#endif
