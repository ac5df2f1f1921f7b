/* lib/base/crc32c_test.c - CRC-32C against the published vectors, both ways. */
#include "crc32c.h"
#include "test.h"

TEST(the_published_vectors_are_met)
{
    /* RFC 3720 B.4, and the check value of the catalogue of CRCs. */
    uint8_t bytes[32] = {0};
    CHECK_INT(crc32c(0, "123456789", 9), 0xe3069283);
    CHECK_INT(crc32c(0, bytes, 32), 0x8a9136aa);
    memset(bytes, 0xff, 32);
    CHECK_INT(crc32c(0, bytes, 32), 0x62a8ab43);
    for (uint8_t i = 0; i < 32; i++) {
        bytes[i] = i;
    }
    CHECK_INT(crc32c(0, bytes, 32), 0x46dd794e);
    CHECK_INT(crc32c(0, bytes, 0), 0);
}

TEST(tables_meet_the_published_vectors_too)
{
    uint8_t bytes[32] = {0};
    CHECK_INT(crc32c_portable(0, "123456789", 9), 0xe3069283);
    CHECK_INT(crc32c_portable(0, bytes, 32), 0x8a9136aa);
}

TEST(both_ways_agree_at_every_length_and_alignment)
{
    enum { SIZE = 40000 };
    uint8_t *bytes = malloc(SIZE);
    uint32_t seed = 1;
    for (int i = 0; i < SIZE; i++) {
        seed = seed * 1664525 + 1013904223;
        bytes[i] = (uint8_t)(seed >> 24);
    }
    uint32_t wrong = 0;
    for (size_t len = 0; len < 3000; len++) {
        const uint8_t *at = bytes + len % 9;
        wrong |= crc32c(7, at, len) ^ crc32c_portable(7, at, len);
    }
    for (size_t len = 3000; len < SIZE - 9; len += 997) {
        wrong |=
            crc32c(0, bytes + len % 9, len) ^ crc32c_portable(0, bytes + len % 9, len);
    }
    free(bytes);
    CHECK_INT(wrong, 0);
}

TEST(a_crc_can_be_continued)
{
    uint8_t bytes[5000];
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)(i * 7 + i / 256);
    }
    uint32_t whole = crc32c(0, bytes, sizeof(bytes));
    for (size_t cut = 0; cut < sizeof(bytes); cut += 113) {
        uint32_t first = crc32c(0, bytes, cut);
        CHECK_INT(crc32c(first, bytes + cut, sizeof(bytes) - cut), whole);
    }
}

TEST_MAIN
