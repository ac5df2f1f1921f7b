/* Filling a plugin's configuration struct from its table, with all faults at once. */
#include "../base/memory.h"
#include "key.h"
#include <stdlib.h>
#include <string.h>

/* What lies before the struct that the plugin sees. */
typedef struct holder {
    sluice_arena *arena; /* Texts and lists. */
    _Alignas(16) char config[];
} holder;

static holder *holder_of(void *config)
{
    return (holder *)((char *)config - offsetof(holder, config));
}

void sluice_config_free(const sluice_config *table, void *config)
{
    if (config != NULL) {
        holder *dead = holder_of(config);
        sluice_arena_free(dead->arena);
        free(dead);
    }
}

static sluice_status fill_family(const sluice_key *key, const sluice_props *props,
                                 holder *made, sluice_error *err)
{
    size_t room = sluice_props_count(props) + 1;
    const char **names = sluice_arena_take(made->arena, room * sizeof *names);
    const char **values = sluice_arena_take(made->arena, room * sizeof *values);
    sluice_family family = {0, names, values};
    sluice_status status = SLUICE_OK;
    for (size_t i = 0; i + 1 < room; i++) {
        const char *name = sluice_props_name(props, i);
        const char *value = sluice_props_value(props, i);
        if (!key_family_has(key->name, name)) {
            continue;
        }
        if (value == NULL) {
            status = sluice_fail_key(
                err, name,
                "Null value can not be supplied as the configuration value.");
            continue;
        }
        names[family.count] = sluice_arena_copy(made->arena, name, strlen(name));
        values[family.count++] = sluice_arena_copy(made->arena, value, strlen(value));
    }
    *(sluice_family *)(void *)(made->config + key->offset) = family;
    return status;
}

/* The text that counts for a key: the one that was given, or the default. */
static sluice_status fill_key(const sluice_key *key, const sluice_props *props,
                              holder *made, sluice_error *err)
{
    if (key->type == SLUICE_FAMILY) {
        return fill_family(key, props, made, err);
    }
    const char *text = key_default(key);
    if (sluice_props_has(props, key->name)) {
        text = sluice_props_get(props, key->name);
        if (text == NULL) {
            key_refuse_null(key, err);
            return sluice_fail_key(
                err, key->name,
                "Null value can not be supplied as the configuration value.");
        }
    } else if (key->fallback == NULL) {
        return sluice_fail_key(
            err, key->name,
            "Missing required configuration \"%s\" which has no default value.",
            key->name);
    }
    if (text == NULL) {
        return SLUICE_OK;
    }
    return key_parse(key, text, made->arena, made->config + key->offset, err);
}

/* What a check sees instead of a value that is at fault: the default, or the least that
 * it may rely on. */
static void fill_stand_in(const sluice_key *key, holder *made)
{
    void *field = made->config + key->offset;
    int64_t least = key->min > 0 ? key->min : 0;
    memset(field, 0, key_field_size(key->type));
    if (key->fallback != NULL) {
        if (key_default(key) != NULL) {
            key_parse(key, key_default(key), made->arena, field, NULL);
        }
        return;
    }
    switch (key->type) {
    case SLUICE_STRING:
    case SLUICE_PASSWORD:
    case SLUICE_CLASS:
        *(const char **)field = "";
        break;
    case SLUICE_INT:
        *(int32_t *)field = (int32_t)least;
        break;
    case SLUICE_LONG:
    case SLUICE_DURATION:
    case SLUICE_SIZE:
        *(int64_t *)field = least;
        break;
    case SLUICE_DOUBLE:
        *(double *)field = (double)least;
        break;
    case SLUICE_BOOL:
    case SLUICE_LIST:
    case SLUICE_ENUM:
    case SLUICE_FAMILY:
        break;
    }
}

/* Whether one of the first `count` faults is about the key. */
static bool is_at_fault(const sluice_error *faults, size_t count, const char *key)
{
    for (size_t i = 0; i < count; i++) {
        const char *faulty = sluice_error_key(faults, i);
        if (key != NULL && faulty != NULL && strcmp(faulty, key) == 0) {
            return true;
        }
    }
    return false;
}

/* The rules between keys, where some keys are at fault already: what is said about
 * those is left out, since it is about a stand-in. */
static void check_rest(config_check check, const void *config, sluice_error *err)
{
    sluice_error *more = sluice_error_new();
    size_t count = sluice_error_count(err);
    check(config, more);
    for (size_t i = 0; err != NULL && i < sluice_error_count(more); i++) {
        const char *key = sluice_error_key(more, i);
        if (key != NULL && !is_at_fault(err, count, key)) {
            sluice_fail_key(err, key, "%s", sluice_error_message(more, i));
        }
    }
    sluice_error_free(more);
}

sluice_status sluice_config_parse(const sluice_config *table, const sluice_props *props,
                                  void **ret_config, sluice_error *err)
{
    holder *made = memory_zero(sizeof *made + table->struct_size);
    made->arena = sluice_arena_new();
    sluice_status status = SLUICE_OK;
    sluice_key key;
    for (size_t i = 0; config_key(table, i, &key); i++) {
        if (key.unused == NULL && fill_key(&key, props, made, err) != SLUICE_OK) {
            status = SLUICE_BAD_CONFIG;
            fill_stand_in(&key, made);
        }
    }
    config_check check = config_check_of(table);
    if (check != NULL && status == SLUICE_OK) {
        status = check(made->config, err);
    } else if (check != NULL) {
        check_rest(check, made->config, err);
    }
    if (status != SLUICE_OK) {
        sluice_config_free(table, made->config);
        return status;
    }
    *ret_config = made->config;
    return SLUICE_OK;
}
