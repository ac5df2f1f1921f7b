/* lib/base/crc32c.h - CRC-32C (Castagnoli), the checksum of record batches.
 *
 * Three interleaved streams of the CPU's crc32 instruction where it has one, tables of
 * eight bytes a step where it has none.
 * Threads: any. */
#ifndef SLUICE_BASE_CRC32C_H
#define SLUICE_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* The CRC of `len` bytes: crc32c(0, "123456789", 9) is 0xe3069283. To go on over more
 * bytes pass the CRC of those before as `crc`. */
uint32_t crc32c(uint32_t crc, const void *base, size_t len);

/* The same without the CPU's instruction: what other machines run, for the test. */
uint32_t crc32c_portable(uint32_t crc, const void *base, size_t len);

#endif
