/* lib/data/value.h - how a value lies in memory.
 *
 * Sixteen bytes for everything: a scalar holds itself, texts and bytes point behind
 * the header (or to borrowed bytes), composites to their items. A struct's fields
 * follow its header; a map's items are key, value, key, value …
 *
 * Only the files of lib/data and lib/json include this. */
#ifndef SLUICE_DATA_VALUE_H
#define SLUICE_DATA_VALUE_H

#include <assert.h>
#include <sluice/value.h>

struct sluice_value {
    uint16_t type;    /* sluice_data_type */
    uint16_t repeats; /* sluice_value_repeats(): 1. */
    uint32_t count;   /* Bytes of a text, elements, entries or fields. */
    union {
        int64_t integer; /* BOOLEAN too. */
        double floating;
        const char *bytes;
        const sluice_value **items;  /* ARRAY, MAP */
        const sluice_schema *schema; /* STRUCT */
    } is;
};

/* ARRAY and MAP, which grow. */
typedef struct growing_value {
    sluice_value head;
    uint32_t capacity; /* Elements or entries. */
} growing_value;

typedef struct struct_value {
    sluice_value head;
    const sluice_value *fields[];
} struct_value;

_Static_assert(sizeof(sluice_value) == 16, "a scalar takes one arena unit");

/* How many pointers one element or entry is. */
static inline size_t value_width(const sluice_value *self)
{
    return self->type == SLUICE_TYPE_MAP ? 2 : 1;
}

/* The pointers to the items of a composite: elements, keys and values, or fields. */
static inline const sluice_value *const *value_items(const sluice_value *self)
{
    assert(self->type >= SLUICE_TYPE_ARRAY);
    return self->type == SLUICE_TYPE_STRUCT ? ((const struct_value *)self)->fields
                                            : self->is.items;
}

/* The bytes that a flat copy of `self` takes, in units of 16; 0 for NULL. */
size_t value_flat_size(const sluice_value *self);

/* Copies deeply to `*at`, which is aligned to 16 and has value_flat_size() bytes, and
 * moves `*at` behind it. */
sluice_value *value_flat_copy(char **at, const sluice_value *self);

#endif
