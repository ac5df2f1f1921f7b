/* broker/config/setting.h - a configuration key as data, and the parse of its value.
 *
 * Two tables are made of these: the broker's keys (broker_config.c) and the topic's
 * (topic_config.c). From them come the parse, what is refused, and DescribeConfigs. */
#ifndef SLUICE_BROKER_CONFIG_SETTING_H
#define SLUICE_BROKER_CONFIG_SETTING_H

#include <sluice/error.h>
#include <stddef.h>
#include <stdint.h>

/* The numbers are those of DescribeConfigs. */
typedef enum config_type {
    CONFIG_BOOLEAN = 1,
    CONFIG_STRING = 2,
    CONFIG_INT = 3,
    CONFIG_SHORT = 4,
    CONFIG_LONG = 5,
    CONFIG_DOUBLE = 6,
    CONFIG_LIST = 7,
    CONFIG_CLASS = 8,
    CONFIG_PASSWORD = 9,
} config_type;

typedef struct setting {
    const char *name;
    config_type type;
    const char *initial;        /* NULL: null. */
    int64_t min, max;           /* Of numbers; both 0: what the type holds. */
    const char *const *choices; /* Of a string or of a list's items; NULL: any. */
    int32_t offset;             /* Of its C field in the caller's struct; -1: none. */
    const char *ignored;        /* Why Sluice does nothing with it; NULL: it does. */
} setting;

/* Whether `value` can be one of `key`: SLUICE_BAD_CONFIG with "KEY is 'VALUE': must be
 * …". */
sluice_status setting_check(const setting *key, const char *value, sluice_error *err);

/* The same judgement, and "Invalid value VALUE for configuration KEY: …" as Apache
 * Kafka 4.1 says it to its tools. */
sluice_status setting_check_as_kafka(const setting *key, const char *value,
                                     sluice_error *err);

/* Writes a checked number or boolean to `base + key->offset`: bool for BOOLEAN, int32_t
 * for INT and SHORT, int64_t for LONG, double for DOUBLE; other types have no field. */
void setting_store(const setting *key, const char *value, void *base);

/* The key of a table that ends with a NULL name, or NULL. */
const setting *setting_find(const setting *table, const char *name);

#endif
