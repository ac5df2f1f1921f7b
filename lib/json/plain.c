/* JSON text to values without a schema: objects are maps, whole numbers INT64. */
#include "base/map.h"
#include "data/value.h"
#include "json/scanner.h"
#include <string.h>

enum { few_entries = 16 };

/* The index of the entry with this key, or -1; `index` holds the keys once they are
 * many. */
static int64_t find_entry(const sluice_value *self, sluice_bytes key, const map *index)
{
    if (map_count(index) > 0) {
        const void *found = map_get(index, key.base, key.len);
        return found == NULL ? -1 : (int64_t)(uintptr_t)found - 1;
    }
    for (uint32_t i = 0; i < self->count; i++) {
        const sluice_value *other = self->is.items[2 * i];
        if (other->count == key.len &&
            memcmp(other->is.bytes, key.base, key.len) == 0) {
            return i;
        }
    }
    return -1;
}

static void index_entries(const sluice_value *self, map *index)
{
    for (uint32_t i = 0; i < self->count; i++) {
        const sluice_value *key = self->is.items[2 * i];
        map_put(index, key->is.bytes, key->count, (void *)((uintptr_t)i + 1));
    }
}

void json_put_entry(json_scanner *self, sluice_value *object, sluice_bytes name,
                    const sluice_value *value, map *index)
{
    int64_t found = find_entry(object, name, index);
    if (found >= 0) {
        object->is.items[2 * found + 1] = value;
        return;
    }
    sluice_map_add(self->arena, object,
                   sluice_string_borrowed(self->arena, name.base, name.len), value);
    if (map_count(index) > 0) {
        map_put(index, name.base, name.len, (void *)(uintptr_t)object->count);
    } else if (object->count == few_entries) {
        index_entries(object, index);
    }
}

/* A schema's default has another meaning by that schema, so its text is wanted again.
 */
static void note_default(json_scanner *self, sluice_bytes name, const char *from,
                         const sluice_value *value)
{
    static const char wanted[] = "default";
    if (value != NULL && name.len == sizeof wanted - 1 &&
        memcmp(name.base, wanted, name.len) == 0) {
        map_put(self->defaults, &value, sizeof value, (void *)from);
    }
}

/* A member's value, behind its name. */
static bool plain_member(json_scanner *self, sluice_bytes name, int depth,
                         const sluice_value **ret_value)
{
    const char *from = self->at;
    if (!json_plain_value(self, depth, ret_value)) {
        return false;
    }
    if (self->defaults != NULL) {
        note_default(self, name, from, *ret_value);
    }
    return true;
}

static bool plain_object(json_scanner *self, int depth, const sluice_value **ret_value)
{
    bool more, good = true;
    sluice_bytes name;
    const sluice_value *value;
    map index = MAP_INIT;
    sluice_value *object = sluice_map_new(self->arena, 8);
    json_open(self, &more);
    while (more && good) {
        good =
            json_take_name(self, &name) && plain_member(self, name, depth + 1, &value);
        if (good) {
            json_put_entry(self, object, name, value, &index);
            good = json_next(self, '}', &more);
        }
    }
    map_done(&index);
    *ret_value = object;
    return good;
}

static bool plain_array(json_scanner *self, int depth, const sluice_value **ret_value)
{
    bool more;
    const sluice_value *value;
    sluice_value *array = sluice_array_new(self->arena, 8);
    json_open(self, &more);
    while (more) {
        if (!json_plain_value(self, depth + 1, &value)) {
            return false;
        }
        sluice_array_add(self->arena, array, value);
        if (!json_next(self, ']', &more)) {
            return false;
        }
    }
    *ret_value = array;
    return true;
}

static bool plain_number(json_scanner *self, const sluice_value **ret_value)
{
    json_number number;
    if (!json_take_number(self, &number)) {
        return false;
    }
    *ret_value = number.whole
                     ? sluice_int64(self->arena, number.integer)
                     : sluice_float64(self->arena, json_number_double(&number));
    return true;
}

static bool plain_string(json_scanner *self, const sluice_value **ret_value)
{
    sluice_bytes text;
    if (!json_take_string(self, &text)) {
        return false;
    }
    *ret_value = sluice_string_borrowed(self->arena, text.base, text.len);
    return true;
}

bool json_plain_value(json_scanner *self, int depth, const sluice_value **ret_value)
{
    json_token token = json_peek(self);
    if (depth >= JSON_DEPTH_MAX && (token == JSON_ARRAY || token == JSON_OBJECT)) {
        return json_refuse(self, "nested deeper than 1000 levels");
    }
    switch (token) {
    case JSON_NULL:
        *ret_value = NULL;
        return json_take_literal(self, token);
    case JSON_TRUE:
    case JSON_FALSE:
        *ret_value = sluice_boolean(token == JSON_TRUE);
        return json_take_literal(self, token);
    case JSON_NUMBER:
        return plain_number(self, ret_value);
    case JSON_STRING:
        return plain_string(self, ret_value);
    case JSON_ARRAY:
        return plain_array(self, depth, ret_value);
    case JSON_OBJECT:
        return plain_object(self, depth, ret_value);
    case JSON_END:
        return json_skip(self, depth); /* Tells that the text has ended. */
    case JSON_BAD:
        break;
    }
    return false;
}
