/* lib/base/uuid.h - the 16 bytes that name a topic, a cluster, a directory, a member.
 *
 * The text form is Kafka's: base64url without padding, 22 characters.
 * Threads: any. */
#ifndef SLUICE_BASE_UUID_H
#define SLUICE_BASE_UUID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct uuid {
    uint8_t bytes[16];
} uuid;

#define UUID_TEXT_SIZE 23 /* 22 characters and the NUL. */

/* A random (version 4) one. As Kafka does, never one whose text starts with '-', which
 * a command line would take for an option, and never zero. */
uuid uuid_random(void);

/* All zero is Kafka's "none". */
bool uuid_is_zero(const uuid *self);
bool uuid_equal(const uuid *left, const uuid *right);

void uuid_print(const uuid *self, char ret_text[UUID_TEXT_SIZE]);

/* Returns whether `text` of `len` bytes is the text of one. */
bool uuid_parse(const char *text, size_t len, uuid *ret_uuid);

#endif
