/* Keys: parsing a value by its type, in ConfigDef's way and words. */
#include "key.h"
#include "../base/buffer.h"
#include "../base/text.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool config_key(const sluice_config *table, size_t index, sluice_key *ret_key)
{
    if (table == NULL || table->keys == NULL) {
        return false;
    }
    const char *base = (const char *)table->keys + index * table->key_size;
    size_t known = sizeof *ret_key;
    memset(ret_key, 0, known);
    memcpy(ret_key, base, table->key_size < known ? table->key_size : known);
    return ret_key->name != NULL;
}

bool config_key_find(const sluice_config *table, const char *name, sluice_key *ret_key)
{
    for (size_t i = 0; config_key(table, i, ret_key); i++) {
        if (strcmp(ret_key->name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* Whether a part that is the user's own may have `c` in it. */
static bool is_allowed(const char *part, char c)
{
    bool digits = strncmp(part, "(d+)", 4) == 0, no_dots = part[1] == '[';
    return c != '\0' && (!digits || (c >= '0' && c <= '9')) && (!no_dots || c != '.');
}

bool key_family_has(const char *family, const char *name)
{
    const char *part = strchr(family, '(');
    if (part == NULL) {
        return strcmp(family, name) == 0;
    }
    const char *end = strchr(part, ')');
    size_t len = (size_t)(part - family);
    if (end == NULL || strncmp(family, name, len) != 0) {
        return false;
    }
    for (name += len; is_allowed(part, *name); name++) {
        if (key_family_has(end + 1, name + 1)) {
            return true;
        }
    }
    return false;
}

config_check config_check_of(const sluice_config *table)
{
    size_t end = offsetof(sluice_config, check) + sizeof table->check;
    return table == NULL || table->size < end ? NULL : table->check;
}

const char *key_type_name(const sluice_key *key)
{
    if (key->shown_type != NULL) {
        return key->shown_type;
    }
    switch (key->type) {
    case SLUICE_BOOL:
        return "BOOLEAN";
    case SLUICE_INT:
        return "INT";
    case SLUICE_LONG:
    case SLUICE_DURATION:
    case SLUICE_SIZE:
        return "LONG";
    case SLUICE_DOUBLE:
        return "DOUBLE";
    case SLUICE_STRING:
    case SLUICE_ENUM:
        return "STRING";
    case SLUICE_PASSWORD:
        return "PASSWORD";
    case SLUICE_CLASS:
        return "CLASS";
    case SLUICE_LIST:
        return "LIST";
    case SLUICE_FAMILY:
        break;
    }
    return "STRING";
}

const char *key_importance_name(const sluice_key *key)
{
    static const char *const names[] = {"HIGH", "MEDIUM", "LOW"};
    return (unsigned)key->importance <= SLUICE_LOW ? names[key->importance] : "LOW";
}

const char *key_width_name(const sluice_key *key)
{
    static const char *const names[] = {"NONE", "SHORT", "MEDIUM", "LONG"};
    return (unsigned)key->width <= SLUICE_WIDTH_LONG ? names[key->width] : "NONE";
}

const char *key_default(const sluice_key *key)
{
    bool is_null = key->fallback == NULL || strcmp(key->fallback, SLUICE_NULL) == 0;
    return is_null ? NULL : key->fallback;
}

bool key_is_required(const sluice_key *key)
{
    return key->fallback == NULL && key->unused == NULL;
}

size_t key_field_size(sluice_type type)
{
    switch (type) {
    case SLUICE_BOOL:
        return sizeof(bool);
    case SLUICE_INT:
    case SLUICE_ENUM:
        return sizeof(int32_t);
    case SLUICE_LONG:
    case SLUICE_DURATION:
    case SLUICE_SIZE:
        return sizeof(int64_t);
    case SLUICE_DOUBLE:
        return sizeof(double);
    case SLUICE_STRING:
    case SLUICE_PASSWORD:
    case SLUICE_CLASS:
        return sizeof(const char *);
    case SLUICE_LIST:
        return sizeof(sluice_list);
    case SLUICE_FAMILY:
        return sizeof(sluice_family);
    }
    return 0;
}

static sluice_status invalid(const sluice_key *key, const char *value,
                             const char *reason, sluice_error *err)
{
    return sluice_fail_key(err, key->name, "Invalid value %s for configuration %s: %s",
                           value, key->name, reason);
}

static bool has_range(const sluice_key *key)
{
    return key->min != 0 || key->max != 0;
}

/* ConfigDef goes on with null after a value that cannot be read, and a key with a range
 * then has a second fault. Clients count them. */
static sluice_status not_a_number(const sluice_key *key, const char *text,
                                  const char *allowed, sluice_error *err)
{
    sluice_fail_key(err, key->name,
                    "Invalid value %s for configuration %s: Not a number of type %s%s",
                    text, key->name, key_type_name(key), allowed);
    if (has_range(key)) {
        invalid(key, "null", "Value must be non-null", err);
    }
    return SLUICE_BAD_CONFIG;
}

/* `max` 0 with a positive `min` is no upper limit. */
static sluice_status check_limits(const sluice_key *key, const char *text, bool below,
                                  bool above, sluice_error *err)
{
    if (below) {
        return sluice_fail_key(err, key->name,
                               "Invalid value %s for configuration %s: "
                               "Value must be at least %lld",
                               text, key->name, (long long)key->min);
    }
    if (above) {
        return sluice_fail_key(err, key->name,
                               "Invalid value %s for configuration %s: "
                               "Value must be no more than %lld",
                               text, key->name, (long long)key->max);
    }
    return SLUICE_OK;
}

static bool has_max(const sluice_key *key)
{
    return key->max != 0 || key->min < 0;
}

static sluice_status check_range(const sluice_key *key, const char *text, int64_t value,
                                 sluice_error *err)
{
    return check_limits(key, text, has_range(key) && value < key->min,
                        has_range(key) && has_max(key) && value > key->max, err);
}

static sluice_status parse_bool(const sluice_key *key, const char *text, bool *ret,
                                sluice_error *err)
{
    if (!text_to_bool(text, ret)) {
        return invalid(key, text, "Expected value to be either true or false", err);
    }
    return SLUICE_OK;
}

static sluice_status parse_int(const sluice_key *key, const char *text, int32_t *ret,
                               sluice_error *err)
{
    if (!text_to_int32(text, ret)) {
        return not_a_number(key, text, "", err);
    }
    return check_range(key, text, *ret, err);
}

static sluice_status parse_long(const sluice_key *key, const char *text, int64_t *ret,
                                sluice_error *err)
{
    if (!text_to_int64(text, ret)) {
        return not_a_number(key, text, "", err);
    }
    return check_range(key, text, *ret, err);
}

static sluice_status parse_double(const sluice_key *key, const char *text, double *ret,
                                  sluice_error *err)
{
    if (!text_to_double(text, ret)) {
        return not_a_number(key, text, "", err);
    }
    return check_limits(key, text, has_range(key) && *ret < (double)key->min,
                        has_range(key) && has_max(key) && *ret > (double)key->max, err);
}

typedef struct unit {
    const char *name;
    int64_t factor;
} unit;

static const unit durations[] = {{"ms", 1},      {"s", 1000},     {"m", 60000},
                                 {"h", 3600000}, {"d", 86400000}, {NULL, 0}};
static const unit sizes[] = {
    {"k", 1 << 10}, {"m", 1 << 20}, {"g", 1 << 30}, {"t", INT64_C(1) << 40}, {NULL, 0}};

/* A whole number, and behind it nothing or the name of a unit. */
static bool to_units(const char *text, const unit *units, int64_t *ret)
{
    if (text_to_int64(text, ret)) {
        return true;
    }
    size_t len;
    const char *base = text_trim(text, &len);
    for (; units->name != NULL; units++) {
        size_t unit_len = strlen(units->name);
        int64_t count;
        if (len > unit_len &&
            strncasecmp(base + len - unit_len, units->name, unit_len) == 0 &&
            text_to_int64_of(base, len - unit_len, &count)) {
            return !__builtin_mul_overflow(count, units->factor, ret);
        }
    }
    return false;
}

static sluice_status parse_units(const sluice_key *key, const char *text, int64_t *ret,
                                 sluice_error *err)
{
    bool is_size = key->type == SLUICE_SIZE;
    if (!to_units(text, is_size ? sizes : durations, ret)) {
        return not_a_number(key, text,
                            is_size ? ", nor a size such as 64k, 10m or 1g"
                                    : ", nor a duration such as 500ms, 10s, 5m or 1d",
                            err);
    }
    return check_range(key, text, *ret, err);
}

/* The index of the choice, or -1. */
static int32_t choice_of(const sluice_key *key, const char *text)
{
    bool any_case = key->type == SLUICE_ENUM;
    for (int32_t i = 0; key->choices != NULL && key->choices[i] != NULL; i++) {
        if (any_case ? text_equal_nocase(text, key->choices[i])
                     : strcmp(text, key->choices[i]) == 0) {
            return i;
        }
    }
    return -1;
}

static sluice_status not_a_choice(const sluice_key *key, const char *text,
                                  sluice_error *err)
{
    buffer choices = BUFFER_INIT;
    for (size_t i = 0; key->choices != NULL && key->choices[i] != NULL; i++) {
        buffer_print(&choices, "%s%s", i == 0 ? "" : ", ", key->choices[i]);
    }
    sluice_status status = sluice_fail_key(
        err, key->name,
        "Invalid value %s for configuration %s: String must be one of%s: %s", text,
        key->name, key->type == SLUICE_ENUM ? " (case insensitive)" : "",
        buffer_text(&choices));
    buffer_done(&choices);
    return status;
}

static sluice_status parse_text(const sluice_key *key, const char *text,
                                sluice_arena *arena, const char **ret,
                                sluice_error *err)
{
    size_t len;
    const char *base = text_trim(text, &len);
    char *copy = sluice_arena_copy(arena, base, len);
    *ret = copy;
    if (key->type == SLUICE_PASSWORD) {
        return SLUICE_OK;
    }
    if (len == 0 && key->min > 0) {
        return sluice_fail_key(err, key->name,
                               "Invalid value %s for configuration %s: "
                               "String must be non-empty",
                               copy, key->name);
    }
    bool is_choice = key->choices == NULL || choice_of(key, copy) >= 0;
    return is_choice ? SLUICE_OK : not_a_choice(key, copy, err);
}

static sluice_status parse_enum(const sluice_key *key, const char *text,
                                sluice_arena *arena, int32_t *ret, sluice_error *err)
{
    size_t len;
    const char *base = text_trim(text, &len);
    const char *copy = sluice_arena_copy(arena, base, len);
    *ret = choice_of(key, copy);
    return *ret >= 0 ? SLUICE_OK : not_a_choice(key, copy, err);
}

static sluice_status parse_list(const sluice_key *key, const char *text,
                                sluice_arena *arena, sluice_list *ret,
                                sluice_error *err)
{
    size_t count;
    char **items = text_split(text, &count);
    const char **copies = sluice_arena_take(arena, (count + 1) * sizeof *copies);
    sluice_status status = SLUICE_OK;
    for (size_t i = 0; i < count; i++) {
        copies[i] = sluice_arena_copy(arena, items[i], strlen(items[i]));
        if (key->choices != NULL && choice_of(key, copies[i]) < 0) {
            status = not_a_choice(key, copies[i], err);
        }
    }
    copies[count] = NULL;
    free(items);
    *ret = (sluice_list){count, copies};
    if (count == 0 && key->min > 0) {
        status = invalid(key, "[]", "List must contain at least one element", err);
    }
    return status;
}

void key_refuse_null(const sluice_key *key, sluice_error *err)
{
    if (key->choices != NULL) {
        not_a_choice(key, "null", err);
    } else if (has_range(key) && key->type != SLUICE_LIST) {
        invalid(key, "null", "Value must be non-null", err);
    }
}

sluice_status key_parse(const sluice_key *key, const char *text, sluice_arena *arena,
                        void *field, sluice_error *err)
{
    switch (key->type) {
    case SLUICE_BOOL:
        return parse_bool(key, text, field, err);
    case SLUICE_INT:
        return parse_int(key, text, field, err);
    case SLUICE_LONG:
        return parse_long(key, text, field, err);
    case SLUICE_DOUBLE:
        return parse_double(key, text, field, err);
    case SLUICE_STRING:
    case SLUICE_PASSWORD:
    case SLUICE_CLASS:
        return parse_text(key, text, arena, field, err);
    case SLUICE_LIST:
        return parse_list(key, text, arena, field, err);
    case SLUICE_DURATION:
    case SLUICE_SIZE:
        return parse_units(key, text, field, err);
    case SLUICE_ENUM:
        return parse_enum(key, text, arena, field, err);
    case SLUICE_FAMILY:
        break; /* It has no text of its own: sluice_config_parse() gathers it. */
    }
    return sluice_fail_key(err, key->name, "'%s' has type %d, which is none", key->name,
                           (int)key->type);
}
