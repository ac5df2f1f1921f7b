/* Settings are set and deleted. */
#include "base/properties.h"
#include "base/text.h"
#include "configs.h"
#include <string.h>

/* Settings to set and to delete. */
typedef struct change_list {
    config_pair *added;
    size_t added_count;
    const char **deleted;
    size_t deleted_count;
} change_list;

static char *trimmed(admin *client, const char *base, size_t len)
{
    while (len > 0 && (unsigned char)base[0] <= ' ') {
        base++;
        len--;
    }
    while (len > 0 && (unsigned char)base[len - 1] <= ' ') {
        len--;
    }
    return sluice_arena_copy(admin_arena(client), base, len);
}

/* The end of what stands before the next comma that is in no brackets. */
static const char *item_end(const char *text)
{
    int depth = 0;
    for (; *text != '\0'; text++) {
        depth += *text == '[';
        depth -= *text == ']';
        if (*text == ',' && depth <= 0) {
            return text;
        }
    }
    return text;
}

/* "key=value" or "key=[value,value]"; of `len` bytes. */
static sluice_status add_pair(configs_work *self, const char *base, size_t len,
                              change_list *out, sluice_error *err)
{
    const char *equals = memchr(base, '=', len);
    char *key = equals == NULL ? (char *)""
                               : trimmed(self->client, base, (size_t)(equals - base));
    if (key[0] == '\0') {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "requirement failed: Invalid entity config: all configs to "
                           "be added must be in the format \"key=val\" or  "
                           "\"key=[val1,val2]\" to group values which contain commas.");
    }
    char *value = trimmed(self->client, equals + 1, len - (size_t)(equals + 1 - base));
    size_t value_len = strlen(value);
    if (value[0] == '[' && value[value_len - 1] == ']') {
        value = trimmed(self->client, value + 1, value_len - 2);
    }
    out->added[out->added_count++] = (config_pair){key, value};
    return SLUICE_OK;
}

static size_t count_commas(const char *text)
{
    size_t count = 0;
    for (; text != NULL && *text != '\0'; text++) {
        count += *text == ',';
    }
    return count;
}

static sluice_status read_added(configs_work *self, change_list *out, sluice_error *err)
{
    const char *given = self->options->add_config;
    size_t room = count_commas(given) + self->pairs->count + 1;
    out->added =
        sluice_arena_take(admin_arena(self->client), room * sizeof *out->added);
    sluice_status status = SLUICE_OK;
    while (given != NULL && *given != '\0' && status == SLUICE_OK) {
        const char *end = item_end(given);
        status = add_pair(self, given, (size_t)(end - given), out, err);
        given = *end == ',' ? end + 1 : end;
    }
    for (size_t i = 0; i < self->pairs->count && status == SLUICE_OK; i++) {
        const char *pair = self->pairs->items[i];
        status = add_pair(self, pair, strlen(pair), out, err);
    }
    return status;
}

static sluice_status read_added_file(configs_work *self, change_list *out,
                                     sluice_error *err)
{
    properties *file = properties_new();
    sluice_status status = properties_read(file, self->options->add_config_file, err);
    if (status == SLUICE_OK) {
        sluice_arena *arena = admin_arena(self->client);
        out->added =
            sluice_arena_take(arena, (properties_count(file) + 1) * sizeof *out->added);
        for (size_t i = 0; i < properties_count(file); i++) {
            const char *key = properties_key(file, i);
            const char *value = properties_value(file, i);
            out->added[out->added_count++] =
                (config_pair){trimmed(self->client, key, strlen(key)),
                              trimmed(self->client, value, strlen(value))};
        }
    }
    properties_free(file);
    return status == SLUICE_BAD_CONFIG ? SLUICE_FATAL : status;
}

static void read_deleted(configs_work *self, change_list *out)
{
    const cli_texts *given = &self->options->delete_config;
    size_t room = 1;
    for (size_t i = 0; i < given->count; i++) {
        room += count_commas(given->items[i]) + 1;
    }
    out->deleted =
        sluice_arena_take(admin_arena(self->client), room * sizeof *out->deleted);
    for (size_t i = 0; i < given->count; i++) {
        for (const char *at = given->items[i]; *at != '\0';) {
            size_t len = strcspn(at, ",");
            out->deleted[out->deleted_count++] = trimmed(self->client, at, len);
            at += len + (at[len] == ',');
        }
    }
}

static bool has(const config_entries *entries, const char *name)
{
    for (size_t i = 0; i < entries->count; i++) {
        if (message_text_is(entries->items[i].name, name)) {
            return true;
        }
    }
    return false;
}

/* Fails unless all that is to be deleted is there. */
static sluice_status check_deleted(configs_work *self, const change_list *list,
                                   sluice_error *err)
{
    config_entries own;
    buffer missing = BUFFER_INIT;
    sluice_status status = configs_own(self, &self->entities[0], &own, err);
    for (size_t i = 0; status == SLUICE_OK && i < list->deleted_count; i++) {
        if (!has(&own, list->deleted[i])) {
            buffer_print(&missing, "%s%s", missing.len > 0 ? "," : "",
                         list->deleted[i]);
        }
    }
    if (missing.len > 0) {
        status = sluice_fail(err, SLUICE_BAD_CONFIG, "Invalid config(s): %s",
                             buffer_text(&missing));
    }
    buffer_done(&missing);
    return status;
}

static sluice_status check_loggers(configs_work *self, const change_list *list,
                                   sluice_error *err)
{
    config_entries own;
    sluice_status status = configs_own(self, &self->entities[0], &own, err);
    for (size_t i = 0; status == SLUICE_OK && i < list->added_count; i++) {
        if (!has(&own, list->added[i].key)) {
            status = sluice_fail(err, SLUICE_BAD_CONFIG, "Invalid broker logger(s): %s",
                                 list->added[i].key);
        }
    }
    return status;
}

static sluice_status change(configs_work *self, const change_list *list,
                            sluice_error *err)
{
    const config_entity *entity = &self->entities[0];
    size_t count = 0;
    config_change *changes = sluice_arena_take(
        admin_arena(self->client),
        (list->added_count + list->deleted_count + 1) * sizeof *changes);
    for (size_t i = 0; i < list->added_count; i++) {
        changes[count++] =
            (config_change){.name = message_text_of(list->added[i].key),
                            .config_operation = CONFIG_SET,
                            .value = message_text_of(list->added[i].value)};
    }
    for (size_t i = 0; i < list->deleted_count; i++) {
        changes[count++] = (config_change){.name = message_text_of(list->deleted[i]),
                                           .config_operation = CONFIG_DELETE};
    }
    return admin_change_configs(self->client, entity->kind->resource, entity->name,
                                changes, count, &self->refused, err);
}

void configs_say_changed(const configs_work *self)
{
    const config_entity *entity = &self->entities[0];
    if (!self->options->kafkas) {
        return;
    }
    if (entity->name[0] == '\0') {
        printf("Completed updating default config for %s in the cluster.\n",
               entity->kind->plural);
    } else {
        printf("Completed updating config for %s %s.\n", entity->kind->singular,
               entity->name);
    }
}

sluice_status configs_alter(configs_work *self, sluice_error *err)
{
    change_list list = {0};
    const config_kind *kind = self->entities[0].kind;
    sluice_status status = self->options->add_config_file != NULL
                               ? read_added_file(self, &list, err)
                               : read_added(self, &list, err);
    if (status != SLUICE_OK) {
        return status;
    }
    read_deleted(self, &list);
    if (kind->resource == 0) {
        return quotas_alter(self, list.added, list.added_count, list.deleted,
                            list.deleted_count, err);
    }
    if (list.deleted_count > 0) {
        status = check_deleted(self, &list, err);
    }
    if (status == SLUICE_OK && kind->resource == CONFIGS_OF_BROKER_LOGGER) {
        status = check_loggers(self, &list, err);
    }
    if (status == SLUICE_OK) {
        status = change(self, &list, err);
    }
    if (status == SLUICE_OK) {
        configs_say_changed(self);
    }
    return status;
}
