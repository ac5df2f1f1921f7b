/* Filling a plugin's configuration struct from its table, with all faults at once. */
#include "../base/memory.h"
#include "key.h"
#include <stdlib.h>

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

/* The text that counts for a key: the one that was given, or the default. */
static sluice_status fill_key(const sluice_key *key, const sluice_props *props,
                              holder *made, sluice_error *err)
{
    const char *text = key_default(key);
    if (sluice_props_has(props, key->name)) {
        text = sluice_props_get(props, key->name);
        if (text == NULL) {
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
        }
    }
    config_check check = config_check_of(table);
    if (status == SLUICE_OK && check != NULL) {
        status = check(made->config, err);
    }
    if (status != SLUICE_OK) {
        sluice_config_free(table, made->config);
        return status;
    }
    *ret_config = made->config;
    return SLUICE_OK;
}
