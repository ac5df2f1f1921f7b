/* Headers as texts, where no plugin converts them. */
#include "worker/host/simple_header.h"
#include "base/text.h"
#include <math.h>
#include <string.h>

static sluice_bytes base64(sluice_arena *arena, sluice_bytes bytes)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *in = bytes.base;
    size_t len = (bytes.len + 2) / 3 * 4;
    char *out = sluice_arena_take(arena, len + 1), *at = out;
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t have = bytes.len - i < 3 ? bytes.len - i : 3;
        unsigned long group = (unsigned long)in[i] << 16 |
                              (have > 1 ? (unsigned long)in[i + 1] << 8 : 0) |
                              (have > 2 ? (unsigned long)in[i + 2] : 0);
        *at++ = digits[group >> 18];
        *at++ = digits[group >> 12 & 63];
        *at++ = have > 1 ? digits[group >> 6 & 63] : '=';
        *at++ = have > 2 ? digits[group & 63] : '=';
    }
    return (sluice_bytes){out, len};
}

/* The shortest text that reads back as the same number, with a point in it. */
static sluice_bytes decimal(sluice_arena *arena, double value, bool single)
{
    if (isnan(value) || isinf(value)) {
        const char *text = isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
        return (sluice_bytes){text, strlen(text)};
    }
    size_t len = 0;
    char *text = NULL;
    for (int digits = 1; digits <= 17; digits++) {
        text = sluice_arena_print(arena, &len, "%.*g", digits, value);
        double back;
        if (text_to_double(text, &back) &&
            (single ? (float)back == (float)value : back == value)) {
            break;
        }
    }
    if (strpbrk(text, ".e") == NULL) {
        text = sluice_arena_print(arena, &len, "%s.0", text);
    }
    return (sluice_bytes){text, len};
}

sluice_status simple_header_encode(const sluice_schema *schema,
                                   const sluice_value *value, sluice_arena *arena,
                                   sluice_bytes *ret_bytes, sluice_error *err)
{
    *ret_bytes = (sluice_bytes){NULL, 0};
    if (value == NULL) {
        return SLUICE_OK;
    }
    sluice_data_type type = sluice_value_type(value);
    switch (type) {
    case SLUICE_TYPE_STRING:
        *ret_bytes = sluice_value_bytes(value);
        return SLUICE_OK;
    case SLUICE_TYPE_INT8:
    case SLUICE_TYPE_INT16:
    case SLUICE_TYPE_INT32:
    case SLUICE_TYPE_INT64:
        ret_bytes->base = sluice_arena_print(arena, &ret_bytes->len, "%lld",
                                             (long long)sluice_value_integer(value));
        return SLUICE_OK;
    case SLUICE_TYPE_FLOAT32:
    case SLUICE_TYPE_FLOAT64:
        *ret_bytes =
            decimal(arena, sluice_value_float(value), type == SLUICE_TYPE_FLOAT32);
        return SLUICE_OK;
    case SLUICE_TYPE_BOOLEAN:
        ret_bytes->base = sluice_value_boolean(value) ? "true" : "false";
        ret_bytes->len = strlen(ret_bytes->base);
        return SLUICE_OK;
    case SLUICE_TYPE_BYTES:
        *ret_bytes = base64(arena, sluice_value_bytes(value));
        return SLUICE_OK;
    case SLUICE_TYPE_ARRAY:
    case SLUICE_TYPE_MAP:
    case SLUICE_TYPE_STRUCT:
        break;
    }
    return sluice_fail(err, SLUICE_BAD_RECORD,
                       "a header of type %s has no text form here: set "
                       "header.converter to another converter",
                       sluice_data_type_name(type));
}

sluice_status simple_header_decode(sluice_bytes bytes, sluice_arena *arena,
                                   const sluice_schema **ret_schema,
                                   const sluice_value **ret_value, sluice_error *err)
{
    if (bytes.base == NULL) {
        *ret_schema = NULL;
        *ret_value = NULL;
        return SLUICE_OK;
    }
    bool text = text_is_utf8(bytes.base, bytes.len);
    *ret_schema =
        sluice_schema_of(text ? SLUICE_TYPE_STRING : SLUICE_TYPE_BYTES, false);
    *ret_value = text ? sluice_string_borrowed(arena, bytes.base, bytes.len)
                      : sluice_binary_borrowed(arena, bytes.base, bytes.len);
    return SLUICE_OK;
}
