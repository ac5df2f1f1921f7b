/* lib/base/uuid.c - random uuids and their base64url text. */
#include "uuid.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static const char digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void fill_random(void *base, size_t len)
{
    uint8_t *at = base;
    while (len > 0) {
        ssize_t got = getrandom(at, len, 0);
        if (got < 0) { /* Only where the kernel has no such call. */
            perror("getrandom");
            abort();
        }
        at += got;
        len -= (size_t)got;
    }
}

uuid uuid_random(void)
{
    uuid self;
    do {
        fill_random(self.bytes, sizeof(self.bytes));
        self.bytes[6] = (uint8_t)((self.bytes[6] & 0x0f) | 0x40);
        self.bytes[8] = (uint8_t)((self.bytes[8] & 0x3f) | 0x80);
    } while (self.bytes[0] >> 2 == 62);
    return self;
}

bool uuid_is_zero(const uuid *self)
{
    static const uuid zero;
    return uuid_equal(self, &zero);
}

bool uuid_equal(const uuid *left, const uuid *right)
{
    return memcmp(left->bytes, right->bytes, sizeof(left->bytes)) == 0;
}

void uuid_print(const uuid *self, char ret_text[UUID_TEXT_SIZE])
{
    uint32_t bits = 0;
    unsigned bit_count = 0;
    char *to = ret_text;
    for (size_t i = 0; i < sizeof(self->bytes); i++) {
        bits = (bits << 8 | self->bytes[i]) & 0xffff;
        bit_count += 8;
        for (; bit_count >= 6; bit_count -= 6) {
            *to++ = digits[bits >> (bit_count - 6) & 63];
        }
    }
    *to++ = digits[bits << (6 - bit_count) & 63];
    *to = '\0';
}

bool uuid_parse(const char *text, size_t len, uuid *ret_uuid)
{
    if (len != UUID_TEXT_SIZE - 1) {
        return false;
    }
    uint32_t bits = 0;
    unsigned bit_count = 0;
    uint8_t *to = ret_uuid->bytes;
    for (size_t i = 0; i < len; i++) {
        const char *digit = memchr(digits, text[i], sizeof(digits) - 1);
        if (digit == NULL) {
            return false;
        }
        bits = (bits << 6 | (uint32_t)(digit - digits)) & 0xffff;
        bit_count += 6;
        if (bit_count >= 8) {
            bit_count -= 8;
            *to++ = (uint8_t)(bits >> bit_count);
        }
    }
    return true;
}
