/* connectors/postgres/convert.c - the texts of PostgreSQL's types as values. */
#include "column.h"

#include <stdlib.h>
#include <string.h>

sluice_status convert_fail(sluice_error *err, const char *text, size_t len,
                           const char *what)
{
    return sluice_fail(err, SLUICE_BAD_RECORD, "'%.*s' is no %s",
                       len > 64 ? 64 : (int)len, text, what);
}

/* --- Numbers. --- */

/* Reads an optional '-' and 1 to 19 digits. */
static bool parse_int(const char *text, size_t len, int64_t *ret_number)
{
    bool negative = len > 0 && text[0] == '-';
    size_t i = negative;
    uint64_t number = 0;
    if (len == i || len - i > 19) {
        return false;
    }
    for (; i < len; i++) {
        unsigned digit = (unsigned)text[i] - '0';
        if (digit > 9) {
            return false;
        }
        number = number * 10 + digit; /* 19 digits fit 64 bits. */
    }
    if (number > (uint64_t)INT64_MAX + negative) {
        return false;
    }
    *ret_number = negative ? (int64_t)(0 - number) : (int64_t)number;
    return true;
}

sluice_status convert_boolean(const pg_column *self, sluice_arena *arena,
                              const char *text, size_t len,
                              const sluice_value **ret_value, sluice_error *err)
{
    if (len != 1 || (*text != 't' && *text != 'f')) {
        return convert_fail(err, text, len, "boolean");
    }
    *ret_value = sluice_boolean(*text == 't');
    return SLUICE_OK;
}

sluice_status convert_int16(const pg_column *self, sluice_arena *arena,
                            const char *text, size_t len,
                            const sluice_value **ret_value, sluice_error *err)
{
    int64_t number;
    if (!parse_int(text, len, &number) || number != (int16_t)number) {
        return convert_fail(err, text, len, "number of 16 bits");
    }
    *ret_value = sluice_int16(arena, (int16_t)number);
    return SLUICE_OK;
}

sluice_status convert_int32(const pg_column *self, sluice_arena *arena,
                            const char *text, size_t len,
                            const sluice_value **ret_value, sluice_error *err)
{
    int64_t number;
    if (!parse_int(text, len, &number) || number != (int32_t)number) {
        return convert_fail(err, text, len, "number of 32 bits");
    }
    *ret_value = sluice_int32(arena, (int32_t)number);
    return SLUICE_OK;
}

sluice_status convert_int64(const pg_column *self, sluice_arena *arena,
                            const char *text, size_t len,
                            const sluice_value **ret_value, sluice_error *err)
{
    int64_t number;
    if (!parse_int(text, len, &number)) {
        return convert_fail(err, text, len, "number of 64 bits");
    }
    *ret_value = sluice_int64(arena, number);
    return SLUICE_OK;
}

/* A NUL-ended copy for strtod(); numeric may be longer than any double needs. */
static const char *ended(sluice_arena *arena, const char *text, size_t len)
{
    return sluice_arena_copy(arena, text, len);
}

sluice_status convert_float32(const pg_column *self, sluice_arena *arena,
                              const char *text, size_t len,
                              const sluice_value **ret_value, sluice_error *err)
{
    const char *copy = ended(arena, text, len);
    char *end;
    float number = strtof(copy, &end);
    if (len == 0 || end != copy + len) {
        return convert_fail(err, text, len, "number");
    }
    *ret_value = sluice_float32(arena, number);
    return SLUICE_OK;
}

sluice_status convert_float64(const pg_column *self, sluice_arena *arena,
                              const char *text, size_t len,
                              const sluice_value **ret_value, sluice_error *err)
{
    const char *copy = ended(arena, text, len);
    char *end;
    double number = strtod(copy, &end);
    if (len == 0 || end != copy + len) {
        return convert_fail(err, text, len, "number");
    }
    *ret_value = sluice_float64(arena, number);
    return SLUICE_OK;
}

/* --- Texts and bytes. --- */

sluice_status convert_string(const pg_column *self, sluice_arena *arena,
                             const char *text, size_t len,
                             const sluice_value **ret_value, sluice_error *err)
{
    *ret_value = sluice_string_borrowed(arena, text, len);
    return SLUICE_OK;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

unsigned char *convert_digits(sluice_arena *arena, const char *text, size_t len,
                              size_t *ret_len)
{
    if (len % 2 != 0) {
        return NULL;
    }
    *ret_len = len / 2;
    unsigned char *bytes = sluice_arena_take(arena, *ret_len + 1);
    for (size_t i = 0; i < *ret_len; i++) {
        int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);
        if (high < 0 || low < 0) {
            return NULL;
        }
        bytes[i] = (unsigned char)(high << 4 | low);
    }
    return bytes;
}

static const sluice_value *base64(sluice_arena *arena, const unsigned char *bytes,
                                  size_t len, const char *last_two)
{
    char alphabet[65] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    memcpy(alphabet + 62, last_two, 3);
    size_t size = (len + 2) / 3 * 4;
    char *out = sluice_arena_take(arena, size), *at = out;
    for (size_t i = 0; i < len; i += 3, at += 4) {
        size_t left = len - i;
        uint32_t three = (uint32_t)bytes[i] << 16 |
                         (left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) |
                         (left > 2 ? bytes[i + 2] : 0);
        at[0] = alphabet[three >> 18];
        at[1] = alphabet[three >> 12 & 63];
        at[2] = left > 1 ? alphabet[three >> 6 & 63] : '=';
        at[3] = left > 2 ? alphabet[three & 63] : '=';
    }
    return sluice_string_borrowed(arena, out, size);
}

static const sluice_value *hex(sluice_arena *arena, const unsigned char *bytes,
                               size_t len)
{
    char *out = sluice_arena_take(arena, len * 2);
    for (size_t i = 0; i < len; i++) {
        out[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
        out[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
    }
    return sluice_string_borrowed(arena, out, len * 2);
}

/* Bytes as binary.handling.mode wants them. */
static const sluice_value *binary(const pg_column *self, sluice_arena *arena,
                                  const void *bytes, size_t len)
{
    switch ((binary_mode)self->config->binary_mode) {
    case BINARY_HEX:
        return hex(arena, bytes, len);
    case BINARY_BASE64:
        return base64(arena, bytes, len, "+/");
    case BINARY_BASE64_URL_SAFE:
        return base64(arena, bytes, len, "-_");
    case BINARY_BYTES:
        break;
    }
    return sluice_binary_borrowed(arena, bytes, len);
}

sluice_status convert_bytes_of_text(const pg_column *self, sluice_arena *arena,
                                    const char *text, size_t len,
                                    const sluice_value **ret_value, sluice_error *err)
{
    *ret_value = binary(self, arena, text, len);
    return SLUICE_OK;
}

sluice_status convert_bytea(const pg_column *self, sluice_arena *arena,
                            const char *text, size_t len,
                            const sluice_value **ret_value, sluice_error *err)
{
    size_t size;
    unsigned char *bytes = NULL;
    if (len >= 2 && text[0] == '\\' && text[1] == 'x') {
        bytes = convert_digits(arena, text + 2, len - 2, &size);
    }
    if (bytes == NULL) {
        return convert_fail(err, text, len, "bytea in hexadecimal digits");
    }
    *ret_value = binary(self, arena, bytes, size);
    return SLUICE_OK;
}

sluice_status convert_bit(const pg_column *self, sluice_arena *arena, const char *text,
                          size_t len, const sluice_value **ret_value, sluice_error *err)
{
    if (len > 1 || (len == 1 && *text != '0' && *text != '1')) {
        return convert_fail(err, text, len, "bit");
    }
    *ret_value = sluice_boolean(len == 1 && *text == '1');
    return SLUICE_OK;
}

/* The bits are a number, leftmost first; its bytes, little-endian, without the high
 * zeros. */
sluice_status convert_bits(const pg_column *self, sluice_arena *arena, const char *text,
                           size_t len, const sluice_value **ret_value,
                           sluice_error *err)
{
    size_t size = (len + 7) / 8;
    unsigned char *bytes = sluice_arena_take(arena, size + 1);
    memset(bytes, 0, size + 1);
    for (size_t i = 0; i < len; i++) {
        char bit = text[len - 1 - i];
        if (bit != '0' && bit != '1') {
            return convert_fail(err, text, len, "bit string");
        }
        bytes[i / 8] |= (unsigned char)((bit - '0') << i % 8);
    }
    while (size > 0 && bytes[size - 1] == 0) {
        size--;
    }
    *ret_value = sluice_binary_borrowed(arena, bytes, size);
    return SLUICE_OK;
}

/* --- Decimals. --- */

/* An unscaled value as Java's BigInteger writes it: big-endian two's complement, as
 * short as can be. */
static const sluice_value *unscaled(sluice_arena *arena, int64_t number)
{
    unsigned char bytes[8];
    uint64_t wire = __builtin_bswap64((uint64_t)number);
    memcpy(bytes, &wire, 8);
    unsigned char sign = number < 0 ? 0xff : 0;
    size_t skip = 0;
    while (skip < 7 && bytes[skip] == sign &&
           (bytes[skip + 1] & 0x80) == (sign & 0x80)) {
        skip++;
    }
    return sluice_binary(arena, bytes + skip, 8 - skip);
}

/* The digits of `text` without its point, where there are at most 18 and `scale` of
 * them are behind it: nearly all numbers. */
static bool parse_short(const char *text, size_t len, int scale, int64_t *ret_number)
{
    bool negative = len > 0 && text[0] == '-';
    size_t i = negative;
    uint64_t number = 0; /* Of 19 digits until it is clear that there is no point. */
    size_t point = len;
    if (len - i > 19 || len == i) {
        return false;
    }
    for (; i < len; i++) {
        unsigned digit = (unsigned)text[i] - '0';
        if (digit <= 9) {
            number = number * 10 + digit;
        } else if (text[i] == '.' && point == len) {
            point = i;
        } else {
            return false;
        }
    }
    size_t behind = point == len ? 0 : len - point - 1;
    if ((size_t)scale != behind || (point == len && len - negative > 18)) {
        return false;
    }
    *ret_number = negative ? -(int64_t)number : (int64_t)number;
    return true;
}

static bool is_special(const char *text, size_t len)
{
    return len > 0 && (text[0] == 'N' || text[0] == 'I' || (len > 1 && text[1] == 'I'));
}

static sluice_status no_decimal(sluice_error *err, const char *text, size_t len)
{
    return sluice_fail(
        err, SLUICE_BAD_RECORD,
        "'%.*s' cannot be a precise decimal: set decimal.handling.mode to "
        "double or string, or event.converting.failure.handling.mode to "
        "warn, which gives null",
        len > 64 ? 64 : (int)len, text);
}

sluice_status convert_decimal(const pg_column *self, sluice_arena *arena,
                              const char *text, size_t len,
                              const sluice_value **ret_value, sluice_error *err)
{
    int64_t number;
    if (parse_short(text, len, self->scale, &number)) {
        *ret_value = unscaled(arena, number);
        return SLUICE_OK;
    }
    if (is_special(text, len)) {
        return no_decimal(err, text, len);
    }
    sluice_value *value;
    sluice_status status =
        sluice_decimal_parse(arena, text, len, self->scale, &value, err);
    *ret_value = value;
    return status;
}

sluice_status convert_variable_decimal(const pg_column *self, sluice_arena *arena,
                                       const char *text, size_t len,
                                       const sluice_value **ret_value,
                                       sluice_error *err)
{
    if (is_special(text, len)) {
        return no_decimal(err, text, len);
    }
    const char *point = memchr(text, '.', len);
    while (point != NULL && (text[len - 1] == '0' || text[len - 1] == '.')) {
        len--;
        if (text + len == point) {
            point = NULL;
        }
    }
    int scale = point == NULL ? 0 : (int)(text + len - point - 1);
    pg_column fixed = {.scale = scale};
    const sluice_value *value;
    sluice_status status = convert_decimal(&fixed, arena, text, len, &value, err);
    if (status == SLUICE_OK) {
        sluice_value *both = sluice_struct_new(arena, self->schema);
        sluice_struct_set(both, 0, sluice_int32(arena, scale));
        sluice_struct_set(both, 1, value);
        *ret_value = both;
    }
    return status;
}

sluice_status convert_decimal_string(const pg_column *self, sluice_arena *arena,
                                     const char *text, size_t len,
                                     const sluice_value **ret_value, sluice_error *err)
{
    const char *special = NULL;
    if (is_special(text, len)) {
        special = text[0] == 'N'   ? "NAN"
                  : text[0] == '-' ? "NEGATIVE_INFINITY"
                                   : "POSITIVE_INFINITY";
    }
    *ret_value = special != NULL ? sluice_text(arena, special)
                                 : sluice_string_borrowed(arena, text, len);
    return SLUICE_OK;
}

/* money in locale C: "-$1,234.11"; the number without sign and separators. */
static size_t plain_money(const char *text, size_t len, char out[64])
{
    size_t size = 0;
    for (size_t i = 0; i < len && size < 63; i++) {
        if (text[i] == '-' || text[i] == '.' || (text[i] >= '0' && text[i] <= '9')) {
            out[size++] = text[i];
        }
    }
    out[size] = '\0';
    return size;
}

/* Rounds half up, away from zero, as BigDecimal's HALF_UP. */
static int64_t round_off(int64_t number, int digits)
{
    for (; digits > 1; digits--) {
        number /= 10;
    }
    return digits == 1 ? (number + (number < 0 ? -5 : 5)) / 10 : number;
}

sluice_status convert_money(const pg_column *self, sluice_arena *arena,
                            const char *text, size_t len,
                            const sluice_value **ret_value, sluice_error *err)
{
    char plain[64];
    size_t size = plain_money(text, len, plain);
    const char *copy = sluice_arena_copy(arena, plain, size);
    if (self->config->decimal_mode == DECIMAL_DOUBLE) {
        return convert_float64(self, arena, copy, size, ret_value, err);
    }
    if (self->config->decimal_mode == DECIMAL_STRING) {
        *ret_value = sluice_string_borrowed(arena, copy, size);
        return SLUICE_OK;
    }
    int64_t cents;
    if (self->scale < 2 && parse_short(copy, size, 2, &cents)) {
        *ret_value = unscaled(arena, round_off(cents, 2 - self->scale));
        return SLUICE_OK;
    }
    return convert_decimal(self, arena, copy, size, ret_value, err);
}

/* --- Arrays: {1,NULL,"a \"b\""}, {{1},{2}}, and with bounds [0:1]={1,2}. --- */

/* The next element, unescaped in place; `*ret_text` NULL is a null element. Returns
 * what follows it, or NULL where there is none, but an array for example. */
static char *next_element(char delimiter, char *at, char *end, char **ret_text,
                          size_t *ret_len)
{
    bool in_quotes = at < end && *at == '"';
    char *out = at + in_quotes, *start = out;
    for (at += in_quotes; at < end; at++) {
        if (in_quotes ? *at == '"' : (*at == delimiter || *at == '}')) {
            break;
        }
        if (*at == '{' && !in_quotes) {
            return NULL;
        }
        if (*at == '\\' && ++at == end) {
            return NULL;
        }
        *out++ = *at;
    }
    if (at == end) {
        return NULL;
    }
    *ret_len = (size_t)(out - start);
    bool is_null = !in_quotes && *ret_len == 4 && memcmp(start, "NULL", 4) == 0;
    *ret_text = is_null ? NULL : start;
    return at + in_quotes;
}

/* The next element that is an array itself, as it is. */
static char *next_array(char *at, char *end, char **ret_text, size_t *ret_len)
{
    char *start = at;
    int depth = 0;
    bool in_quotes = false;
    for (; at < end && (at == start || depth > 0); at++) {
        if (*at == '\\') {
            at++;
        } else if (*at == '"') {
            in_quotes = !in_quotes;
        } else if (!in_quotes) {
            depth += (*at == '{') - (*at == '}');
        }
    }
    *ret_text = start;
    *ret_len = (size_t)(at - start);
    return depth == 0 && at < end && *start == '{' ? at : NULL;
}

static sluice_status convert_elements(const pg_column *self, sluice_arena *arena,
                                      char *at, char *end, sluice_value *array,
                                      sluice_error *err)
{
    while (at < end && *at != '}') {
        char *text;
        size_t len;
        at = self->element->convert == convert_array
                 ? next_array(at, end, &text, &len)
                 : next_element(self->delimiter, at, end, &text, &len);
        if (at == NULL || at >= end || (*at != self->delimiter && *at != '}')) {
            return sluice_fail(err, SLUICE_BAD_RECORD,
                               "the array has another number of dimensions than the "
                               "column is declared with or had before: make them "
                               "alike, or set "
                               "event.converting.failure.handling.mode=warn, which "
                               "gives null");
        }
        const sluice_value *element = NULL;
        if (text != NULL) {
            sluice_status status =
                self->element->convert(self->element, arena, text, len, &element, err);
            if (status != SLUICE_OK) {
                return status;
            }
        }
        sluice_array_add(arena, array, element);
        at += *at == self->delimiter;
    }
    return SLUICE_OK;
}

/* "[0:1]={…}": what is behind the bounds. */
static const char *without_bounds(const char *text, size_t *io_len)
{
    const char *bounds =
        *io_len > 0 && *text == '[' ? memchr(text, '=', *io_len) : NULL;
    if (bounds == NULL) {
        return text;
    }
    *io_len -= (size_t)(bounds + 1 - text);
    return bounds + 1;
}

int convert_dimensions(const char *text, size_t len)
{
    text = without_bounds(text, &len);
    int count = 0;
    while ((size_t)count < len && text[count] == '{') {
        count++;
    }
    return (size_t)count < len && text[count] == '}' ? 0 : count;
}

sluice_status convert_array(const pg_column *self, sluice_arena *arena,
                            const char *text, size_t len,
                            const sluice_value **ret_value, sluice_error *err)
{
    text = without_bounds(text, &len);
    if (len < 2 || text[0] != '{' || text[len - 1] != '}') {
        return convert_fail(err, text, len, "array");
    }
    sluice_value *array = sluice_array_new(arena, 4);
    char *copy = sluice_arena_copy(arena, text, len);
    *ret_value = array;
    return convert_elements(self, arena, copy + 1, copy + len, array, err);
}
