/* protocol/random_message.h - messages with random content, for tests.
 *
 * Numbers are any; nullable fields are null now and then; arrays have up to 3 items.
 * Plausible ones have small numbers and words that mean something half of the time. */
#ifndef SLUICE_PROTOCOL_RANDOM_MESSAGE_H
#define SLUICE_PROTOCOL_RANDOM_MESSAGE_H

#include "protocol/message.h"
#include <string.h>

enum { random_text_max = 12 };

typedef struct random_message {
    sluice_arena *arena;
    uint64_t random;
    int version;
    bool plausible;
} random_message;

static inline uint64_t random_next(random_message *self)
{
    self->random ^= self->random << 13;
    self->random ^= self->random >> 7;
    self->random ^= self->random << 17;
    return self->random;
}

static inline bool random_plausible(random_message *self)
{
    return self->plausible && random_next(self) % 2 == 0;
}

static void random_fill(random_message *self, const message_struct *type, void *value);

static const void *random_span(random_message *self, size_t *ret_len)
{
    static const char *const words[] = {"t",
                                        "u",
                                        "g",
                                        "m",
                                        "consumer",
                                        "range",
                                        "classic",
                                        "Stable",
                                        "1",
                                        "5000",
                                        "retention.ms",
                                        "cleanup.policy",
                                        "compact",
                                        "__consumer_offsets",
                                        "."};
    if (random_plausible(self)) {
        const char *word = words[random_next(self) % (sizeof words / sizeof *words)];
        *ret_len = strlen(word);
        return word;
    }
    *ret_len = random_next(self) % random_text_max;
    char *base = sluice_arena_take(self->arena, *ret_len + 1);
    for (size_t i = 0; i < *ret_len; i++) {
        base[i] = (char)random_next(self);
    }
    return base;
}

static void fill_item(random_message *self, const message_field *field, void *value)
{
    bool null = !field->array && message_field_nullable(field, self->version) &&
                random_next(self) % 4 == 0;
    size_t len = 0;
    const void *base = NULL;
    if (field->type == MESSAGE_STRUCT) {
        random_fill(self, field->item, value);
    } else if (field->type < MESSAGE_STRING && random_plausible(self)) {
        memset(value, 0, message_item_size(field));
        *(uint8_t *)value =
            (uint8_t)(random_next(self) % (field->type == MESSAGE_BOOL ? 2 : 4));
    } else if (field->type < MESSAGE_STRING) {
        for (size_t i = 0; i < message_item_size(field); i++) {
            ((uint8_t *)value)[i] = (uint8_t)random_next(self);
        }
        if (field->type == MESSAGE_BOOL) {
            *(uint8_t *)value &= 1;
        }
    } else {
        base = null ? NULL : random_span(self, &len);
    }
    if (field->type == MESSAGE_STRING) {
        *(message_text *)value = (message_text){base, len};
    } else if (field->type == MESSAGE_BYTES) {
        *(sluice_bytes *)value = (sluice_bytes){base, len};
    } else if (field->type == MESSAGE_RECORDS) {
        *(message_records *)value = (message_records){.base = base, .len = len};
    }
}

static void fill_array(random_message *self, const message_field *field,
                       message_array *value)
{
    if (message_field_nullable(field, self->version) && random_next(self) % 4 == 0) {
        return;
    }
    size_t count = field->optional ? 1 : random_next(self) % 4;
    size_t size = message_item_size(field);
    char *items = sluice_arena_take(self->arena, count * size);
    *value = (message_array){items, count};
    for (size_t i = 0; i < count; i++) {
        fill_item(self, field, items + i * size);
    }
}

static void random_fill(random_message *self, const message_struct *type, void *value)
{
    memcpy(value, type->defaults, type->size);
    for (size_t i = 0; i < type->field_count; i++) {
        const message_field *field = &type->fields[i];
        if (!message_field_in(field, self->version)) {
            continue;
        }
        char *at = (char *)value + field->offset;
        if (field->tag >= 0 && random_next(self) % 2 == 0) {
            continue;
        }
        if (field->array) {
            fill_array(self, field, (message_array *)at);
        } else {
            fill_item(self, field, at);
        }
    }
}

#endif
