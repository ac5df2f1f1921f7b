/* transforms/basic/path.c - steps are split once, and then walked. */
#include "path.h"

#include "part.h"
#include <string.h>

static const char PURPOSE[] = "nested field access";

/* A backtick ends a name where a dot or nothing follows. */
static bool ends_name(const char *at)
{
    return *at == '`' && (at[1] == '.' || at[1] == '\0');
}

/* Copies the name between backticks that begins at `from`; a backslash makes a backtick
 * that would end it a part of it. Returns the closing one, or NULL. */
static const char *copy_quoted(const char *from, char *to)
{
    const char *at = from;
    for (; *at != '\0' && !ends_name(at); at++) {
        if (*at == '\\' && ends_name(at + 1)) {
            at++;
        }
        *to++ = *at;
    }
    *to = '\0';
    return *at == '\0' ? NULL : at;
}

static const char *copy_plain(const char *from, char *to)
{
    size_t len = strcspn(from, ".");
    memcpy(to, from, len);
    to[len] = '\0';
    return from + len;
}

/* The most steps that a text can have. */
static size_t dots_and_one(const char *text)
{
    size_t count = 1;
    for (; *text != '\0'; text++) {
        count += *text == '.';
    }
    return count;
}

sluice_status path_parse(path *self, sluice_arena *arena, const char *text,
                         bool is_nested, sluice_error *err)
{
    size_t room = is_nested ? dots_and_one(text) : 1;
    *self = (path){.text = text};
    self->steps = sluice_arena_take(arena, room * sizeof *self->steps);
    if (!is_nested) {
        self->steps[self->count++] = text;
        return SLUICE_OK;
    }
    for (const char *at = text;;) {
        char *step = sluice_arena_take(arena, strlen(at) + 1);
        bool is_quoted = *at == '`';
        const char *end = is_quoted ? copy_quoted(at + 1, step) : copy_plain(at, step);
        if (end == NULL) {
            return sluice_fail(
                err, SLUICE_BAD_CONFIG,
                "Incomplete backtick pair in path: [%s], consider adding "
                "a backslash before backtick at position %zu to escape it",
                text, (size_t)(at - text));
        }
        self->steps[self->count++] = step;
        end += is_quoted;
        if (*end == '\0') {
            return SLUICE_OK;
        }
        at = end + 1;
    }
}

const sluice_schema *path_schema(const path *self, const sluice_schema *schema)
{
    for (size_t i = 0; i < self->count; i++) {
        int index = sluice_schema_type(schema) == SLUICE_TYPE_STRUCT
                        ? sluice_schema_field_find(schema, self->steps[i])
                        : -1;
        if (index < 0) {
            return NULL;
        }
        schema = sluice_schema_field_schema(schema, (size_t)index);
    }
    return schema;
}

sluice_status path_in_struct(const path *self, const sluice_value *row,
                             bool replaces_null, const sluice_value **ret_value,
                             sluice_error *err)
{
    *ret_value = NULL;
    for (size_t i = 0; i < self->count && row != NULL; i++) {
        sluice_status status = part_require_struct(NULL, row, true, PURPOSE, err);
        if (status != SLUICE_OK) {
            return status;
        }
        int index = sluice_schema_field_find(sluice_struct_schema(row), self->steps[i]);
        bool is_last = i + 1 == self->count;
        /* On the way Kafka Connect reads defaults whatever is configured. */
        row = index < 0 ? NULL
                        : part_field(row, (size_t)index, replaces_null || !is_last);
    }
    *ret_value = row;
    return SLUICE_OK;
}

sluice_status path_in_map(const path *self, const sluice_value *map,
                          const sluice_value **ret_value, sluice_error *err)
{
    *ret_value = NULL;
    for (size_t i = 0; i < self->count && map != NULL; i++) {
        sluice_status status = part_require_map(map, true, PURPOSE, err);
        if (status != SLUICE_OK) {
            return status;
        }
        map = sluice_map_find(map, self->steps[i], NULL);
    }
    *ret_value = map;
    return SLUICE_OK;
}
