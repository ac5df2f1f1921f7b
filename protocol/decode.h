/* protocol/decode.h - bytes from a stranger to a message.
 *
 * No length is believed: a text must fit into what is left, an array's count into
 * what is left divided by the fewest bytes an item can have. What a message may take
 * of the arena is limited too, because an item of two bytes can be a struct of a
 * hundred. Unknown tagged fields are skipped. Bytes behind the message are ignored,
 * as Kafka does.
 *
 * Threads: any. */
#ifndef SLUICE_PROTOCOL_DECODE_H
#define SLUICE_PROTOCOL_DECODE_H

#include "message.h"

enum { message_arena_bytes_max = 64 * 1024 * 1024 };

/* Reads `size` bytes as `schema` at `version` into `ret_value`, the C struct of
 * `schema->body`. Arrays are taken from `arena`; texts, bytes and records point into
 * `base`, which must outlive them. Fields that the version lacks get their defaults.
 * SLUICE_BAD_RECORD: the bytes are no such message, or `version` is not one of the
 * schema's. */
sluice_status message_decode(const message_schema *schema, int version,
                             const uint8_t *base, size_t size, sluice_arena *arena,
                             void *ret_value, sluice_error *err);

#endif
