/* sluice/value.h - the data itself: Kafka Connect's values, with or without a schema.
 *
 * A value knows its physical type; what it means (a date, a decimal) is in its schema.
 * The null value is the NULL pointer, so a field, an element or a whole record value
 * may be NULL anywhere. Values of a record without a schema are the same values: JSON
 * objects are maps with string keys, whole numbers INT64, other numbers FLOAT64.
 *
 * A value is made, filled, and from then on shared as `const`: the same value may be
 * in several structs.
 *
 * Threads: whoever owns the arena. Memory: lives in the arena it was made in; texts
 * and bytes are copied into it unless the function says `borrowed`. */
#ifndef SLUICE_VALUE_H
#define SLUICE_VALUE_H

#include <sluice/schema.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --- Making scalars. --- */

SLUICE_API sluice_value *sluice_int8(sluice_arena *arena, int8_t value);
SLUICE_API sluice_value *sluice_int16(sluice_arena *arena, int16_t value);
SLUICE_API sluice_value *sluice_int32(sluice_arena *arena, int32_t value);
SLUICE_API sluice_value *sluice_int64(sluice_arena *arena, int64_t value);
SLUICE_API sluice_value *sluice_float32(sluice_arena *arena, float value);
SLUICE_API sluice_value *sluice_float64(sluice_arena *arena, double value);
SLUICE_API const sluice_value *sluice_boolean(bool value); /* A constant. */

/* `len` bytes of UTF-8. Converters check it, since it may come from outside. */
SLUICE_API sluice_value *sluice_string(sluice_arena *arena, const char *text,
                                       size_t len);
/* The same of a NUL-ended text; NULL gives the null value. */
SLUICE_API sluice_value *sluice_text(sluice_arena *arena, const char *text);
SLUICE_API sluice_value *sluice_binary(sluice_arena *arena, const void *base,
                                       size_t len);
/* Without a copy: the bytes must live as long as the arena. */
SLUICE_API sluice_value *sluice_string_borrowed(sluice_arena *arena, const char *text,
                                                size_t len);
SLUICE_API sluice_value *sluice_binary_borrowed(sluice_arena *arena, const void *base,
                                                size_t len);

/* Says that further records of the batch will have this very value, which lives as long
 * as they do and is not changed any more. A converter may then keep what it makes of it
 * and copy that: JSON does so for the fields of structs. */
SLUICE_API void sluice_value_repeats(sluice_value *self);

/* --- Making composites. --- */

/* A struct of `schema` (borrowed) with all fields null. */
SLUICE_API sluice_value *sluice_struct_new(sluice_arena *arena,
                                           const sluice_schema *schema);
/* Sets field `index` (below the schema's field count: asserted). The type of `value`
 * is checked by sluice_value_check(), not here. */
SLUICE_API void sluice_struct_set(sluice_value *self, size_t index,
                                  const sluice_value *value);

/* An array without elements, with room for `capacity`; it grows as needed. */
SLUICE_API sluice_value *sluice_array_new(sluice_arena *arena, size_t capacity);
SLUICE_API void sluice_array_add(sluice_arena *arena, sluice_value *self,
                                 const sluice_value *element);

/* A map without entries, with room for `capacity`; it grows as needed, keeps the order
 * in which entries were added, and does not look for a key that is there already. */
SLUICE_API sluice_value *sluice_map_new(sluice_arena *arena, size_t capacity);
SLUICE_API void sluice_map_add(sluice_arena *arena, sluice_value *self,
                               const sluice_value *key, const sluice_value *value);
/* The same with a text as the key; `key` is copied. */
SLUICE_API void sluice_map_add_text(sluice_arena *arena, sluice_value *self,
                                    const char *key, const sluice_value *value);

/* --- Reading. `self` is not NULL and of a type named here: asserted. --- */

SLUICE_API sluice_data_type sluice_value_type(const sluice_value *self);
/* INT8 to INT64, widened. */
SLUICE_API int64_t sluice_value_integer(const sluice_value *self);
/* FLOAT32, widened, and FLOAT64. */
SLUICE_API double sluice_value_float(const sluice_value *self);
SLUICE_API bool sluice_value_boolean(const sluice_value *self);
/* STRING and BYTES; `base` is never NULL. Borrowed from the value. */
SLUICE_API sluice_bytes sluice_value_bytes(const sluice_value *self);
/* Whether it is a STRING equal to the NUL-ended `text`; false for NULL too. */
SLUICE_API bool sluice_value_is_text(const sluice_value *self, const char *text);

/* Elements of an ARRAY, entries of a MAP, fields of a STRUCT. */
SLUICE_API size_t sluice_value_count(const sluice_value *self);
/* Element, map value or field value `index`, below the count: asserted. */
SLUICE_API const sluice_value *sluice_value_at(const sluice_value *self, size_t index);
/* The key of map entry `index`. */
SLUICE_API const sluice_value *sluice_map_key(const sluice_value *self, size_t index);
/* The value of the last entry of a MAP whose key is the STRING `key`. `ret_found`,
 * unless NULL, tells a null value from none. */
SLUICE_API const sluice_value *sluice_map_find(const sluice_value *self,
                                               const char *key, bool *ret_found);
/* The schema of a STRUCT. */
SLUICE_API const sluice_schema *sluice_struct_schema(const sluice_value *self);
/* The value of field `name` of a STRUCT, or NULL also where there is no such field. */
SLUICE_API const sluice_value *sluice_struct_find(const sluice_value *self,
                                                  const char *name);

/* --- Whole values. --- */

/* Whether `self` fits `schema` (NULL: anything does), deeply. SLUICE_BAD_RECORD with
 * Kafka Connect's text: 'Invalid value: null used for required field: "a", schema type:
 * INT32'. */
SLUICE_API sluice_status sluice_value_check(const sluice_value *self,
                                            const sluice_schema *schema,
                                            sluice_error *err);
/* Deep equality. Floats are equal when their bits are. */
SLUICE_API bool sluice_value_equal(const sluice_value *one, const sluice_value *other);
/* A deep copy in `arena`, bytes included; schemas of structs stay borrowed. */
SLUICE_API sluice_value *sluice_value_copy(sluice_arena *arena,
                                           const sluice_value *self);

/* --- Decimals: an unscaled value, two's complement, big-endian, as short as can be.
 * --- */

/* Parses "-12.50", "1e3" or "7" exactly into BYTES for a decimal of `scale` (digits
 * behind the point; may be negative). SLUICE_BAD_RECORD where it is no number (NaN
 * included), has digits that `scale` would cut off, or more than 200000 of them. */
SLUICE_API sluice_status sluice_decimal_parse(sluice_arena *arena, const char *text,
                                              size_t len, int scale,
                                              sluice_value **ret_value,
                                              sluice_error *err);
/* The scale that keeps all digits of `text`: 2 for "-12.50", 0 for "7", -3 for "1e3"; 0
 * for a zero whose exponent no scale has. Whether it is a number. */
SLUICE_API bool sluice_decimal_scale(const char *text, size_t len, int *ret_scale);
/* The number in plain notation, `scale` digits behind the point: "-12.50". Where scale
 * is negative, zeros are appended. NUL-ended, in `arena`. NULL where it would have more
 * than some 200000 digits, which no database can hold: check what comes from outside.
 */
SLUICE_API char *sluice_decimal_print(sluice_arena *arena, sluice_bytes unscaled,
                                      int scale, size_t *ret_len);

#ifdef __cplusplus
}
#endif

#endif
