/* Props: names and texts in order, found by name. */
#include "../base/map.h"
#include "../base/memory.h"
#include <assert.h>
#include <sluice/config.h>
#include <stdlib.h>

typedef struct prop {
    size_t place;
    char *name, *value;
} prop;

struct sluice_props {
    prop **props;
    size_t count, capacity;
    map index;
};

sluice_props *sluice_props_new(void)
{
    return memory_zero(sizeof(sluice_props));
}

static void prop_free(prop *dead)
{
    free(dead->name);
    free(dead->value);
    free(dead);
}

void sluice_props_free(sluice_props *props)
{
    if (props == NULL) {
        return;
    }
    for (size_t i = 0; i < props->count; i++) {
        prop_free(props->props[i]);
    }
    map_done(&props->index);
    free(props->props);
    free(props);
}

static prop *add(sluice_props *props, const char *name)
{
    if (props->count == props->capacity) {
        props->capacity = props->capacity * 2 + 16;
        props->props =
            memory_resize(props->props, props->capacity * sizeof *props->props);
    }
    prop *added = memory_zero(sizeof *added);
    added->name = memory_text(name);
    added->place = props->count;
    props->props[props->count++] = added;
    map_put_text(&props->index, name, added);
    return added;
}

void sluice_props_set(sluice_props *props, const char *name, const char *value)
{
    prop *one = map_get_text(&props->index, name);
    if (one == NULL) {
        one = add(props, name);
    }
    char *before = one->value; /* `value` may be this one. */
    one->value = memory_text(value);
    free(before);
}

const char *sluice_props_get(const sluice_props *props, const char *name)
{
    const prop *found = map_get_text(&props->index, name);
    return found == NULL ? NULL : found->value;
}

bool sluice_props_has(const sluice_props *props, const char *name)
{
    return map_get_text(&props->index, name) != NULL;
}

void sluice_props_remove(sluice_props *props, const char *name)
{
    prop *dead = map_remove_text(&props->index, name);
    if (dead == NULL) {
        return;
    }
    props->count--;
    for (size_t i = dead->place; i < props->count; i++) {
        props->props[i] = props->props[i + 1];
        props->props[i]->place = i;
    }
    prop_free(dead);
}

size_t sluice_props_count(const sluice_props *props)
{
    return props->count;
}

const char *sluice_props_name(const sluice_props *props, size_t index)
{
    assert(index < props->count);
    return props->props[index]->name;
}

const char *sluice_props_value(const sluice_props *props, size_t index)
{
    assert(index < props->count);
    return props->props[index]->value;
}
