/* connectors/postgres/convert_hstore.c - hstore's "a"=>"1", "b"=>NULL as JSON or as a
 * map. */
#include "column.h"

#include <string.h>

typedef struct hstore_reader {
    const char *at, *end;
    char *out; /* Where the next text goes; there is room for all. */
} hstore_reader;

static bool take(hstore_reader *self, const char *word)
{
    size_t len = strlen(word);
    if ((size_t)(self->end - self->at) < len || memcmp(self->at, word, len) != 0) {
        return false;
    }
    self->at += len;
    return true;
}

/* A text in quotes, where \ is before quotes and itself. NULL where it is none. */
static const sluice_value *take_text(hstore_reader *self, sluice_arena *arena)
{
    char *start = self->out;
    if (!take(self, "\"")) {
        return NULL;
    }
    while (self->at < self->end && *self->at != '"') {
        self->at += *self->at == '\\';
        if (self->at == self->end) {
            return NULL;
        }
        *self->out++ = *self->at++;
    }
    size_t len = (size_t)(self->out - start);
    return take(self, "\"") ? sluice_string_borrowed(arena, start, len) : NULL;
}

/* Reads all pairs into a map; NULL where the text is none. */
static sluice_value *read_pairs(sluice_arena *arena, const char *text, size_t len)
{
    hstore_reader in = {text, text + len, sluice_arena_take(arena, len + 1)};
    sluice_value *map = sluice_map_new(arena, 8);
    while (in.at < in.end) {
        const sluice_value *value = NULL, *key = take_text(&in, arena);
        if (key == NULL || !take(&in, "=>")) {
            return NULL;
        }
        if (!take(&in, "NULL") && (value = take_text(&in, arena)) == NULL) {
            return NULL;
        }
        sluice_map_add(arena, map, key, value);
        if (!take(&in, ", ") && in.at < in.end) {
            return NULL;
        }
    }
    return map;
}

static char *put_json(char *out, const sluice_value *value)
{
    if (value == NULL) {
        memcpy(out, "null", 4);
        return out + 4;
    }
    static const char named[] = "\"\\\b\f\n\r\t", names[] = "\"\\bfnrt";
    sluice_bytes bytes = sluice_value_bytes(value);
    const char *at = bytes.base;
    *out++ = '"';
    for (size_t i = 0; i < bytes.len; i++) {
        unsigned char c = (unsigned char)at[i];
        const char *known = c == '\0' ? NULL : strchr(named, c);
        if (known != NULL) {
            *out++ = '\\';
            *out++ = names[known - named];
        } else if (c < 0x20) {
            memcpy(out, "\\u00", 4);
            out[4] = (char)('0' + (c >> 4));
            out[5] = "0123456789ABCDEF"[c & 15];
            out += 6;
        } else {
            *out++ = (char)c;
        }
    }
    *out++ = '"';
    return out;
}

static const sluice_value *json_of(sluice_arena *arena, const sluice_value *map,
                                   size_t len)
{
    size_t count = sluice_value_count(map);
    char *text = sluice_arena_take(arena, 6 * len + 8 * count + 2), *at = text;
    *at++ = '{';
    for (size_t i = 0; i < count; i++) {
        if (i > 0) {
            *at++ = ',';
        }
        at = put_json(at, sluice_map_key(map, i));
        *at++ = ':';
        at = put_json(at, sluice_value_at(map, i));
    }
    *at++ = '}';
    return sluice_string_borrowed(arena, text, (size_t)(at - text));
}

sluice_status convert_hstore(const pg_column *self, sluice_arena *arena,
                             const char *text, size_t len,
                             const sluice_value **ret_value, sluice_error *err)
{
    sluice_value *map = read_pairs(arena, text, len);
    if (map == NULL) {
        return convert_fail(err, text, len, "hstore");
    }
    *ret_value =
        self->config->hstore_mode == HSTORE_MAP ? map : json_of(arena, map, len);
    return SLUICE_OK;
}

const sluice_value *convert_hstore_pair(const pg_column *self, sluice_arena *arena,
                                        sluice_bytes text)
{
    sluice_value *map = sluice_map_new(arena, 1);
    const sluice_value *one = sluice_string(arena, text.base, text.len);
    sluice_map_add(arena, map, one, one);
    return self->config->hstore_mode == HSTORE_MAP ? map
                                                   : json_of(arena, map, 2 * text.len);
}
