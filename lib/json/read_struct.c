/* A struct from JSON: members in any order, faults in the order of its schema. */
#include "json/reading.h"
#include <string.h>

/* The index of field `name`; `guess` is the one that is expected next. */
static int find_field(json_reading *self, const sluice_schema *schema,
                      sluice_bytes name, size_t guess)
{
    if (guess < sluice_schema_field_count(schema)) {
        const char *expected = sluice_schema_field_name(schema, guess);
        if (strncmp(expected, name.base, name.len) == 0 && expected[name.len] == '\0') {
            return (int)guess;
        }
    }
    if (memchr(name.base, '\0', name.len) != NULL) {
        return -1;
    }
    char small[64], *text = small;
    if (name.len >= sizeof small) {
        text = sluice_arena_copy(self->scanner->arena, name.base, name.len);
    } else {
        memcpy(small, name.base, name.len);
        small[name.len] = '\0';
    }
    return sluice_schema_field_find(schema, text);
}

/* A struct that is being read. Its faults are told in the order of its schema, and of a
 * name that comes twice the last value counts: so they are kept until its end. */
typedef struct struct_reading {
    const sluice_schema *schema;
    sluice_value *result;
    bool *seen;
    const char **faults; /* By field; NULL: there are none. */
} struct_reading;

/* Where a null is that is required, as Java says it: "element of array field: "a"".
 * NULL: nowhere. */
static const char *find_lost(sluice_arena *arena, const sluice_schema *schema,
                             const sluice_value *value, const char *where)
{
    if (value == NULL) {
        return sluice_schema_is_optional(schema)
                   ? NULL
                   : sluice_arena_print(
                         arena, NULL,
                         "Invalid value: null used for required %s, schema type: %s",
                         where, sluice_data_type_name(sluice_schema_type(schema)));
    }
    bool map = sluice_schema_type(schema) == SLUICE_TYPE_MAP;
    bool array = sluice_schema_type(schema) == SLUICE_TYPE_ARRAY;
    const char *found = NULL;
    const char *element = map ? "value of map" : "element of array";
    size_t count = map || array ? sluice_value_count(value) : 0;
    for (size_t i = 0; i < count && found == NULL; i++) {
        if (map) {
            found =
                find_lost(arena, sluice_schema_key(schema), sluice_map_key(value, i),
                          sluice_arena_print(arena, NULL, "key of map %s", where));
        }
        if (found == NULL) {
            found = find_lost(arena, sluice_schema_element(schema),
                              sluice_value_at(value, i),
                              sluice_arena_print(arena, NULL, "%s %s", element, where));
        }
    }
    return found;
}

/* Whether a field that was read has what it requires. */
static bool check_lost(json_reading *self, const struct_reading *into, size_t index,
                       const sluice_value *value)
{
    sluice_arena *arena = self->scanner->arena;
    const char *where = sluice_arena_print(
        arena, NULL, "field: \"%s\"", sluice_schema_field_name(into->schema, index));
    const char *lost =
        find_lost(arena, sluice_schema_field_schema(into->schema, index), value, where);
    self->has_lost = false;
    return lost == NULL || json_bad(self->scanner, lost, "");
}

static bool read_field(json_reading *self, const struct_reading *into, size_t index,
                       int depth)
{
    const sluice_value *value;
    if (!json_read_value(self, sluice_schema_field_schema(into->schema, index),
                         depth + 1, &value) ||
        (self->has_lost && !check_lost(self, into, index, value))) {
        return false;
    }
    into->seen[index] = true;
    sluice_struct_set(into->result, index, value);
    return true;
}

/* Keeps the fault of a field, and goes on behind its value. */
static bool keep_fault(json_reading *self, struct_reading *into, size_t index,
                       const char *from, int depth)
{
    json_scanner *scanner = self->scanner;
    size_t size = sluice_schema_field_count(into->schema) * sizeof *into->faults;
    if (scanner->err == NULL) {
        return false;
    }
    if (into->faults == NULL) {
        into->faults = sluice_arena_take(scanner->arena, size);
        memset(into->faults, 0, size);
    }
    into->faults[index] =
        sluice_arena_print(scanner->arena, NULL, "%s", sluice_error_text(scanner->err));
    sluice_error_clear(scanner->err);
    scanner->at = from;
    self->has_lost = false;
    return json_skip(scanner, depth + 1);
}

static bool read_member(json_reading *self, struct_reading *into, size_t index,
                        int depth)
{
    const char *from = self->scanner->at;
    if (into->faults != NULL) {
        into->faults[index] = NULL;
    }
    return read_field(self, into, index, depth) ||
           keep_fault(self, into, index, from, depth);
}

static bool read_members(json_reading *self, struct_reading *into, int depth)
{
    json_scanner *scanner = self->scanner;
    bool more;
    size_t guess = 0;
    sluice_bytes name;
    json_open(scanner, &more);
    while (more) {
        if (!json_take_name(scanner, &name)) {
            return false;
        }
        int index = find_field(self, into->schema, name, guess);
        if (index < 0) {
            if (!json_skip(scanner, depth + 1)) {
                return false;
            }
        } else {
            guess = (size_t)index + 1;
            if (!read_member(self, into, (size_t)index, depth)) {
                return false;
            }
        }
        if (!json_next(scanner, '}', &more)) {
            return false;
        }
    }
    return true;
}

bool json_read_struct(json_reading *self, const sluice_schema *schema, json_token token,
                      int depth, const sluice_value **ret_value)
{
    json_scanner *scanner = self->scanner;
    if (token != JSON_OBJECT) {
        return json_bad(scanner,
                        "Structs should be encoded as JSON objects, but found ",
                        json_token_name(token));
    }
    size_t count = sluice_schema_field_count(schema);
    struct_reading into = {schema, sluice_struct_new(scanner->arena, schema),
                           sluice_arena_take(scanner->arena, count), NULL};
    memset(into.seen, 0, count);
    if (!read_members(self, &into, depth)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        const sluice_value *missing;
        if (into.faults != NULL && into.faults[i] != NULL) {
            return json_bad(scanner, into.faults[i], "");
        }
        if (into.seen[i]) {
            continue;
        }
        if (!json_typed_null(scanner, sluice_schema_field_schema(schema, i),
                             self->default_for_null, &missing)) {
            return false;
        }
        sluice_struct_set(into.result, i, missing);
    }
    *ret_value = into.result;
    return true;
}
