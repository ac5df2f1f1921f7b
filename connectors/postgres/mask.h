/* connectors/postgres/mask.h - what hides the values of a column: asterisks, a hash, or
 * a cut.
 *
 * The keys column.mask.with.N.chars, column.mask.hash.ALGORITHM.with.salt.SALT, its v2,
 * and column.truncate.to.N.chars, as Debezium understands them: values of text types
 * are masked (asterisks also instead of null), values of any type that are texts or
 * plain bytes here are cut. Record keys are never touched.
 *
 * Threads: a task's own; mask_apply() any. */
#ifndef SLUICE_POSTGRES_MASK_H
#define SLUICE_POSTGRES_MASK_H

#include "config.h"
#include <sluice/value.h>

typedef struct mask mask;
typedef struct masks masks;

/* Adds a message per key that is wrong. Always to be given back. */
masks *masks_new(const postgres_config *config, sluice_error *err);
void masks_free(masks *self); /* NULL is accepted. */

/* The one for a column by its "schema.table.column", or NULL. Of several that match a
 * cut comes first, then asterisks, a hash, a hash of version 2. Lives as long as
 * `self`. */
const mask *masks_find(const masks *self, const char *name);

/* Whether it is a cut, which is no secret kept. */
bool mask_only_cuts(const mask *self);

/* Whether all values look the same behind it. */
bool mask_tells_nothing(const mask *self);

/* What a column is to its mask. */
typedef struct mask_column {
    bool is_text;   /* Of a type that is masked. */
    bool is_plain;  /* Its values are texts, or bytes and no more. */
    int64_t length; /* The most characters of a value; 2^31 - 1: no limit. */
} mask_column;

/* Whether values of such a column are changed at all. */
bool mask_changes(const mask *self, const mask_column *column);

/* The parameter that the column's schema gets, "masked" or "truncateLength", in
 * `value`, of 16 bytes; NULL: none. */
const char *mask_parameter(const mask *self, const mask_column *column, char *value);

/* The value to show instead of `value`, which may be NULL. */
const sluice_value *mask_apply(const mask *self, const mask_column *column,
                               const sluice_value *value, sluice_arena *arena);

#endif
