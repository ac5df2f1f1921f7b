/* Near misses, unused, deprecated and unknown names of a configuration. */
#include "review.h"
#include "../base/memory.h"
#include "../base/text.h"
#include "key.h"
#include <stdlib.h>
#include <string.h>

static void note(sluice_props *notes, const char *name, char *sentence)
{
    if (notes != NULL) {
        sluice_props_set(notes, name, sentence);
    }
    free(sentence);
}

/* Whether a list names what follows it: with "tables" = "a, b", "tables.a". */
static bool is_listed(const char *list, const char *item)
{
    size_t len = strlen(item);
    for (const char *at = list; at != NULL; at = strchr(at, ',')) {
        at += strspn(at, ", \t");
        if (strncmp(at, item, len) == 0 && strchr(", \t", at[len]) != NULL) {
            return true;
        }
    }
    return false;
}

/* A key of a part that another key, a list, names, or one of a family. */
static bool is_of_another(const sluice_config *table, const char *name,
                          const sluice_props *props)
{
    sluice_key key;
    for (size_t i = 0; config_key(table, i, &key); i++) {
        size_t len = strlen(key.name);
        if (key.type == SLUICE_LIST && strncmp(name, key.name, len) == 0 &&
            name[len] == '.' &&
            is_listed(sluice_props_get(props, key.name), name + len + 1)) {
            return true;
        }
        if (key.type == SLUICE_FAMILY && key_family_has(key.name, name)) {
            return true;
        }
    }
    return false;
}

/* Whether the name needs no further look; a key of the table may have a note. */
static bool is_known(const config_names *known, const char *name,
                     const sluice_props *props, sluice_props *notes)
{
    sluice_key key;
    if (config_key_find(known->table, name, &key)) {
        if (key.unused != NULL) {
            note(notes, name, memory_print("'%s' has no effect: %s", name, key.unused));
        } else if (key.instead != NULL) {
            note(notes, name,
                 memory_print("'%s' is deprecated: use '%s' instead", name,
                              key.instead));
        }
        return true;
    }
    for (size_t i = 0; known->names != NULL && known->names[i] != NULL; i++) {
        if (strcmp(known->names[i], name) == 0) {
            return true;
        }
    }
    for (size_t i = 0; known->prefixes != NULL && known->prefixes[i] != NULL; i++) {
        if (text_starts(name, known->prefixes[i])) {
            return true;
        }
    }
    return is_of_another(known->table, name, props);
}

/* Every known name that is not set: one that is set was not misspelt. */
static const char **candidates(const config_names *known, const sluice_props *props,
                               size_t *ret_count)
{
    size_t count = 0, room = 0;
    sluice_key key;
    while (config_key(known->table, room, &key)) {
        room++;
    }
    size_t keys = room;
    for (size_t i = 0; known->names != NULL && known->names[i] != NULL; i++) {
        room++;
    }
    const char **names = memory_take((room + 1) * sizeof *names);
    for (size_t i = 0; i < room; i++) {
        const char *name = i < keys && config_key(known->table, i, &key)
                               ? key.name
                               : known->names[i - keys];
        if (!sluice_props_has(props, name)) {
            names[count++] = name;
        }
    }
    *ret_count = count;
    return names;
}

sluice_status config_review(const config_names *known, const sluice_props *props,
                            sluice_props *notes, sluice_error *err)
{
    size_t count;
    const char **names = candidates(known, props, &count);
    sluice_status status = SLUICE_OK;
    for (size_t i = 0; i < sluice_props_count(props); i++) {
        const char *name = sluice_props_name(props, i);
        if (is_known(known, name, props, notes)) {
            continue;
        }
        const char *near = text_nearest(name, names, count);
        if (near != NULL) {
            status = sluice_fail_key(err, name,
                                     "Unknown configuration '%s': did you mean '%s'?",
                                     name, near);
        } else {
            note(
                notes, name,
                memory_print("'%s' is not a known configuration: it is kept and has no "
                             "effect",
                             name));
        }
    }
    free(names);
    return status;
}
