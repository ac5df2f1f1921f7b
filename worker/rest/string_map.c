/* JSON as Kafka Connect reads configurations: every scalar is a text. */
#include "worker/rest/string_map.h"
#include "base/buffer.h"
#include <string.h>

/* The length of the JSON number at `base`, or 0. */
static size_t number_len(const char *base, size_t len)
{
    size_t at = 0, digits;
    at += at < len && base[at] == '-';
    for (digits = at; at < len && base[at] >= '0' && base[at] <= '9'; at++) {
    }
    if (at == digits || (base[digits] == '0' && at - digits > 1)) {
        return 0;
    }
    if (at < len && base[at] == '.') {
        for (digits = ++at; at < len && base[at] >= '0' && base[at] <= '9'; at++) {
        }
        if (at == digits) {
            return 0;
        }
    }
    if (at < len && (base[at] == 'e' || base[at] == 'E')) {
        at++;
        at += at < len && (base[at] == '+' || base[at] == '-');
        for (digits = at; at < len && base[at] >= '0' && base[at] <= '9'; at++) {
        }
        if (at == digits) {
            return 0;
        }
    }
    return at;
}

/* The length of what is to be quoted at `base`: a number, true or false; or 0. */
static size_t scalar_len(const char *base, size_t len)
{
    if (len >= 4 && memcmp(base, "true", 4) == 0) {
        return 4;
    }
    if (len >= 5 && memcmp(base, "false", 5) == 0) {
        return 5;
    }
    return number_len(base, len);
}

static size_t string_len(const char *base, size_t len)
{
    size_t at = 1;
    while (at < len && base[at] != '"') {
        at += base[at] == '\\' && at + 1 < len ? 2 : 1;
    }
    return at < len ? at + 1 : len;
}

static void quote_scalars(buffer *out, const char *base, size_t len)
{
    for (size_t at = 0; at < len;) {
        size_t piece = base[at] == '"' ? string_len(base + at, len - at) : 0;
        size_t scalar = piece > 0 ? 0 : scalar_len(base + at, len - at);
        if (scalar > 0) {
            buffer_append_byte(out, '"');
            buffer_append(out, base + at, scalar);
            buffer_append_byte(out, '"');
            at += scalar;
        } else {
            piece = piece == 0 ? 1 : piece;
            buffer_append(out, base + at, piece);
            at += piece;
        }
    }
}

json_t *string_map_load(const char *base, size_t len, bool alone,
                        json_error_t *ret_fault)
{
    buffer quoted = BUFFER_INIT;
    json_error_t fault;
    quote_scalars(&quoted, base, len);
    json_t *value =
        json_loadb(buffer_text(&quoted), quoted.len,
                   (alone ? 0 : JSON_DISABLE_EOF_CHECK) | JSON_DECODE_ANY, &fault);
    buffer_done(&quoted);
    if (ret_fault != NULL) {
        *ret_fault = fault;
    }
    return value;
}

bool string_map_is(const json_t *value)
{
    const char *key;
    json_t *member;
    json_object_foreach((json_t *)value, key, member)
    {
        if (!json_is_string(member) && !json_is_null(member)) {
            return false;
        }
    }
    return json_is_object(value);
}
