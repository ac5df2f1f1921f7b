/* What is wrong with a value, in the words that Kafka's tools show. */
#include "base/text.h"
#include "broker/config/setting.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { reason_size = 256 };

static const char *type_name(config_type type)
{
    return type == CONFIG_INT     ? "INT"
           : type == CONFIG_SHORT ? "SHORT"
           : type == CONFIG_LONG  ? "LONG"
                                  : "DOUBLE";
}

/* A number of the right type is too small or too large. */
static void say_limits(const setting *key, bool too_small, char reason[reason_size])
{
    if (strcmp(key->name, "compression.gzip.level") == 0) {
        snprintf(reason, reason_size, "Value must be between 1 and 9 or equal to -1");
        return;
    }
    snprintf(reason, reason_size, "Value must be %s %" PRId64,
             too_small ? "at least" : "no more than", too_small ? key->min : key->max);
}

static void say_number(const setting *key, const char *value, char reason[reason_size])
{
    int64_t number, most = key->type == CONFIG_INT     ? INT32_MAX
                           : key->type == CONFIG_SHORT ? INT16_MAX
                                                       : INT64_MAX;
    if (!text_to_int64(value, &number) || number > most || number < -most - 1) {
        snprintf(reason, reason_size, "Not a number of type %s", type_name(key->type));
    } else {
        say_limits(key, number < key->min, reason);
    }
}

static void say_fraction(const setting *key, const char *value,
                         char reason[reason_size])
{
    double number;
    if (text_to_double(value, &number)) {
        say_limits(key, number < (double)key->min, reason);
    } else {
        snprintf(reason, reason_size, "Not a number of type DOUBLE");
    }
}

static void say_choices(const setting *key, char reason[reason_size])
{
    size_t len = (size_t)snprintf(reason, reason_size, "String must be one of:");
    for (size_t i = 0; key->choices[i] != NULL && len < reason_size; i++) {
        len += (size_t)snprintf(reason + len, reason_size - len, "%s %s",
                                i == 0 ? "" : ",", key->choices[i]);
    }
}

sluice_status setting_check_as_kafka(const setting *key, const char *value,
                                     sluice_error *err)
{
    char reason[reason_size] = "";
    if (setting_check(key, value, NULL) == SLUICE_OK) {
        return SLUICE_OK;
    }
    switch (key->type) {
    case CONFIG_BOOLEAN:
        snprintf(reason, sizeof reason, "Expected value to be either true or false");
        break;
    case CONFIG_INT:
    case CONFIG_SHORT:
    case CONFIG_LONG:
        say_number(key, value, reason);
        break;
    case CONFIG_DOUBLE:
        say_fraction(key, value, reason);
        break;
    case CONFIG_STRING:
    case CONFIG_LIST:
        say_choices(key, reason);
        break;
    case CONFIG_CLASS:
    case CONFIG_PASSWORD:
        break;
    }
    return sluice_fail_key(err, key->name, "Invalid value %s for configuration %s: %s",
                           value, key->name, reason);
}
