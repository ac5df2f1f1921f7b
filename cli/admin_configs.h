/* cli/admin_configs.h - the settings of topics, brokers and groups, read and changed.
 *
 * Threads: the main one. Memory: as admin.h says. */
#ifndef CLI_ADMIN_CONFIGS_H
#define CLI_ADMIN_CONFIGS_H

#include "admin.h"

/* What has settings, by its number in the protocol. */
enum {
    CONFIGS_OF_TOPIC = 2,
    CONFIGS_OF_BROKER = 4, /* The name is the broker's id; "" is what all have. */
    CONFIGS_OF_BROKER_LOGGER = 8,
    CONFIGS_OF_CLIENT_METRICS = 16,
    CONFIGS_OF_GROUP = 32,
};

/* Where a value comes from, by its number in the protocol. */
enum {
    CONFIG_FROM_TOPIC = 1,
    CONFIG_FROM_BROKER = 2,
    CONFIG_FROM_BROKER_DEFAULT = 3,
    CONFIG_FROM_FILE = 4,
    CONFIG_FROM_DEFAULT = 5,
    CONFIG_FROM_BROKER_LOGGER = 6,
    CONFIG_FROM_CLIENT_METRICS = 7,
    CONFIG_FROM_GROUP = 8,
};

/* "DYNAMIC_TOPIC_CONFIG"; "UNKNOWN" for a number without a name. A constant. */
const char *config_source_name(int8_t source);

typedef describe_configs_response_config config_entry;

typedef struct config_entries {
    config_entry *items; /* In the broker's order. */
    size_t count;
    int16_t error_code;
    message_text error_message;
} config_entries;

/* All settings of `type` `name`, with where their values come from. Asks the broker
 * that knows them. A code of the broker's is in `ret_entries`. */
sluice_status admin_describe_configs(admin *self, int8_t type, const char *name,
                                     config_entries *ret_entries, sluice_error *err);

/* The same for `count` topics at once: `ret_entries` has room for as many. */
sluice_status admin_describe_topic_configs(admin *self, const char *const *topics,
                                           size_t count, config_entries *ret_entries,
                                           sluice_error *err);

/* Puts the entries in the order of their names. */
void config_entries_sort(config_entries *self);

/* Puts entries in the broker's order in the order in which Java's HashMap, and so
 * kafka-topics, has them.
 */
void config_entries_scatter(config_entries *self);

typedef incremental_alter_configs_request_config config_change;
enum { CONFIG_SET = 0, CONFIG_DELETE = 1 };

/* Changes settings of `type` `name`, all or none. `ret_code` is the broker's code when
 * it refused, and `err` then has its text (SLUICE_FATAL). */
sluice_status admin_change_configs(admin *self, int8_t type, const char *name,
                                   config_change *changes, size_t count,
                                   int16_t *ret_code, sluice_error *err);

#endif
