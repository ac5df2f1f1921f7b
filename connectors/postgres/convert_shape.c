/* connectors/postgres/convert_shape.c - points, and what PostGIS and pgvector add:
 * texts as structs and arrays of numbers. */
#include "column.h"

#include <stdlib.h>
#include <string.h>

/* A NUL-ended text that is read number by number. */
typedef struct number_reader {
    const char *at, *end;
} number_reader;

static number_reader reader_of(sluice_arena *arena, const char *text, size_t len)
{
    const char *copy = sluice_arena_copy(arena, text, len);
    return (number_reader){copy, copy + len};
}

static bool take(number_reader *self, char c)
{
    if (self->at < self->end && *self->at == c) {
        self->at++;
        return true;
    }
    return false;
}

static bool take_number(number_reader *self, double *ret_number)
{
    char *end;
    *ret_number = strtod(self->at, &end);
    bool some = end > self->at;
    self->at = end;
    return some;
}

static bool take_count(number_reader *self, int64_t *ret_count)
{
    const char *start = self->at;
    int64_t count = 0;
    while (*self->at >= '0' && *self->at <= '9' && count <= INT16_MAX) {
        count = count * 10 + (*self->at++ - '0');
    }
    *ret_count = count;
    return self->at > start && count <= INT16_MAX;
}

static bool at_end(const number_reader *self)
{
    return self->at == self->end;
}

static void put_double(unsigned char *out, double number)
{
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    for (int i = 0; i < 8; i++) {
        out[i] = (unsigned char)(bits >> (8 * i));
    }
}

/* "(1.5,-2)": both numbers, and the same as well-known binary. */
sluice_status convert_point(const pg_column *self, sluice_arena *arena,
                            const char *text, size_t len,
                            const sluice_value **ret_value, sluice_error *err)
{
    enum { SIZE = 1 + 4 + 8 + 8 };
    number_reader in = reader_of(arena, text, len);
    double x, y;
    if (!take(&in, '(') || !take_number(&in, &x) || !take(&in, ',') ||
        !take_number(&in, &y) || !take(&in, ')') || !at_end(&in)) {
        return convert_fail(err, text, len, "point");
    }
    unsigned char binary[SIZE] = {1, 1}; /* Little-endian, a point. */
    put_double(binary + 5, x);
    put_double(binary + 13, y);
    sluice_value *made = sluice_struct_new(arena, self->schema);
    sluice_struct_set(made, 0, sluice_float64(arena, x));
    sluice_struct_set(made, 1, sluice_float64(arena, y));
    sluice_struct_set(made, 2, sluice_binary(arena, binary, SIZE));
    *ret_value = made;
    return SLUICE_OK;
}

static uint32_t read_u32(const unsigned char *bytes, bool little)
{
    uint32_t number = 0;
    for (int i = 0; i < 4; i++) {
        number |= (uint32_t)bytes[i] << (little ? 8 * i : 24 - 8 * i);
    }
    return number;
}

/* PostGIS writes extended well-known binary in hexadecimal digits, which says in its
 * type whether the reference system follows. */
sluice_status convert_geometry(const pg_column *self, sluice_arena *arena,
                               const char *text, size_t len,
                               const sluice_value **ret_value, sluice_error *err)
{
    const uint32_t has_srid = 0x20000000;
    size_t size = 0;
    unsigned char *binary = convert_digits(arena, text, len, &size);
    if (binary == NULL || size < 5) {
        return convert_fail(err, text, len, "geometry in hexadecimal digits");
    }
    bool little = binary[0] == 1;
    sluice_value *made = sluice_struct_new(arena, self->schema);
    sluice_struct_set(made, 0, sluice_binary_borrowed(arena, binary, size));
    if (size >= 9 && (read_u32(binary + 1, little) & has_srid) != 0) {
        uint32_t srid = read_u32(binary + 5, little);
        sluice_struct_set(made, 1, sluice_int32(arena, (int32_t)srid));
    }
    *ret_value = made;
    return SLUICE_OK;
}

/* "[1,2.5]" */
static bool take_vector(number_reader *in, sluice_arena *arena, bool single,
                        sluice_value *array)
{
    double number;
    if (!take(in, '[')) {
        return false;
    }
    if (take(in, ']')) {
        return at_end(in);
    }
    do {
        if (!take_number(in, &number)) {
            return false;
        }
        sluice_array_add(arena, array,
                         single ? sluice_float32(arena, (float)number)
                                : sluice_float64(arena, number));
    } while (take(in, ','));
    return take(in, ']') && at_end(in);
}

static sluice_status convert_vector_of(sluice_arena *arena, const char *text,
                                       size_t len, bool single,
                                       const sluice_value **ret_value,
                                       sluice_error *err)
{
    number_reader in = reader_of(arena, text, len);
    sluice_value *array = sluice_array_new(arena, 16);
    if (!take_vector(&in, arena, single, array)) {
        return convert_fail(err, text, len, "vector");
    }
    *ret_value = array;
    return SLUICE_OK;
}

sluice_status convert_vector(const pg_column *self, sluice_arena *arena,
                             const char *text, size_t len,
                             const sluice_value **ret_value, sluice_error *err)
{
    return convert_vector_of(arena, text, len, false, ret_value, err);
}

sluice_status convert_halfvec(const pg_column *self, sluice_arena *arena,
                              const char *text, size_t len,
                              const sluice_value **ret_value, sluice_error *err)
{
    return convert_vector_of(arena, text, len, true, ret_value, err);
}

/* "{1:1,3:2.5}/5": the numbers that are not zero, and how many there are in all. */
sluice_status convert_sparsevec(const pg_column *self, sluice_arena *arena,
                                const char *text, size_t len,
                                const sluice_value **ret_value, sluice_error *err)
{
    number_reader in = reader_of(arena, text, len);
    sluice_value *map = sluice_map_new(arena, 16);
    int64_t index, dimensions;
    double number;
    bool good = take(&in, '{'), more = good && !take(&in, '}');
    while (more) {
        good = take_count(&in, &index) && take(&in, ':') && take_number(&in, &number);
        if (good) {
            sluice_map_add(arena, map, sluice_int16(arena, (int16_t)index),
                           sluice_float64(arena, number));
        }
        more = good && take(&in, ',');
        good = good && (more || take(&in, '}'));
    }
    if (!good || !take(&in, '/') || !take_count(&in, &dimensions) || !at_end(&in)) {
        return convert_fail(err, text, len,
                            "sparse vector of at most 32767 dimensions");
    }
    sluice_value *made = sluice_struct_new(arena, self->schema);
    sluice_struct_set(made, 0, sluice_int16(arena, (int16_t)dimensions));
    sluice_struct_set(made, 1, map);
    *ret_value = made;
    return SLUICE_OK;
}

/* int2vector and oidvector: "1 2 3". */
sluice_status convert_number_list(const pg_column *self, sluice_arena *arena,
                                  const char *text, size_t len,
                                  const sluice_value **ret_value, sluice_error *err)
{
    sluice_value *array = sluice_array_new(arena, 8);
    const char *end = text + len;
    while (text < end) {
        const char *space = memchr(text, ' ', (size_t)(end - text));
        size_t size = (size_t)((space == NULL ? end : space) - text);
        const sluice_value *element;
        sluice_status status =
            self->element->convert(self->element, arena, text, size, &element, err);
        if (status != SLUICE_OK) {
            return status;
        }
        sluice_array_add(arena, array, element);
        text += size + (space != NULL);
    }
    *ret_value = array;
    return SLUICE_OK;
}
