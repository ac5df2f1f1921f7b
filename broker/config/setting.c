/* The parse of values by the table of their keys. */
#include "broker/config/setting.h"
#include "base/text.h"
#include <assert.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const setting *setting_find(const setting *table, const char *name)
{
    for (; table->name != NULL; table++) {
        if (strcmp(table->name, name) == 0) {
            return table;
        }
    }
    return NULL;
}

static void limits_of(const setting *key, int64_t *ret_min, int64_t *ret_max)
{
    *ret_min = key->min;
    *ret_max = key->max;
    if (key->min == 0 && key->max == 0) {
        *ret_min = key->type == CONFIG_INT     ? INT32_MIN
                   : key->type == CONFIG_SHORT ? INT16_MIN
                                               : INT64_MIN;
        *ret_max = key->type == CONFIG_INT     ? INT32_MAX
                   : key->type == CONFIG_SHORT ? INT16_MAX
                                               : INT64_MAX;
    }
}

static sluice_status check_number(const setting *key, const char *value,
                                  sluice_error *err)
{
    int64_t number, min, max;
    limits_of(key, &min, &max);
    if (text_to_int64(value, &number) && number >= min && number <= max) {
        return SLUICE_OK;
    }
    return sluice_fail_key(err, key->name,
                           "%s is '%s': must be a whole number from %" PRId64
                           " to %" PRId64,
                           key->name, value, min, max);
}

static bool is_choice(const char *item, const char *const *choices)
{
    for (; *choices != NULL; choices++) {
        if (strcmp(item, *choices) == 0) {
            return true;
        }
    }
    return false;
}

static sluice_status refuse_choice(const setting *key, const char *value,
                                   sluice_error *err)
{
    char allowed[256] = "";
    for (size_t i = 0, len = 0; key->choices[i] != NULL && len < sizeof allowed; i++) {
        len += (size_t)snprintf(allowed + len, sizeof allowed - len, "%s'%s'",
                                i == 0 ? "" : ", ", key->choices[i]);
    }
    return sluice_fail_key(err, key->name, "%s is '%s': must be %s%s", key->name, value,
                           key->type == CONFIG_LIST ? "of " : "one of ", allowed);
}

static sluice_status check_choices(const setting *key, const char *value,
                                   sluice_error *err)
{
    if (key->choices == NULL) {
        return SLUICE_OK;
    }
    if (key->type == CONFIG_STRING) {
        return is_choice(value, key->choices) ? SLUICE_OK
                                              : refuse_choice(key, value, err);
    }
    size_t count;
    char **items = text_split(value, &count);
    bool good = true;
    for (size_t i = 0; i < count; i++) {
        good = good && is_choice(items[i], key->choices);
    }
    free(items);
    return good ? SLUICE_OK : refuse_choice(key, value, err);
}

sluice_status setting_check(const setting *key, const char *value, sluice_error *err)
{
    bool flag;
    double fraction;
    switch (key->type) {
    case CONFIG_BOOLEAN:
        return text_to_bool(value, &flag)
                   ? SLUICE_OK
                   : sluice_fail_key(err, key->name,
                                     "%s is '%s': must be true or false", key->name,
                                     value);
    case CONFIG_INT:
    case CONFIG_SHORT:
    case CONFIG_LONG:
        return check_number(key, value, err);
    case CONFIG_DOUBLE:
        if (text_to_double(value, &fraction) && fraction >= (double)key->min &&
            fraction <= (double)key->max) {
            return SLUICE_OK;
        }
        return sluice_fail_key(
            err, key->name, "%s is '%s': must be a number from %" PRId64 " to %" PRId64,
            key->name, value, key->min, key->max);
    case CONFIG_STRING:
    case CONFIG_LIST:
        return check_choices(key, value, err);
    case CONFIG_CLASS:
    case CONFIG_PASSWORD:
        break;
    }
    return SLUICE_OK;
}

void setting_store(const setting *key, const char *value, void *base)
{
    void *field = (char *)base + key->offset;
    int64_t number = 0;
    bool good = true;
    if (key->offset < 0) {
        return;
    }
    switch (key->type) {
    case CONFIG_BOOLEAN:
        good = text_to_bool(value, field);
        break;
    case CONFIG_INT:
    case CONFIG_SHORT:
        good = text_to_int64(value, &number);
        *(int32_t *)field = (int32_t)number;
        break;
    case CONFIG_LONG:
        good = text_to_int64(value, field);
        break;
    case CONFIG_DOUBLE:
        good = text_to_double(value, field);
        break;
    case CONFIG_STRING:
    case CONFIG_LIST:
    case CONFIG_CLASS:
    case CONFIG_PASSWORD:
        break;
    }
    assert(good);
    (void)good;
}
