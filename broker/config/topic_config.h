/* broker/config/topic_config.h - a topic's configuration: its own values over the
 * broker's over Kafka's defaults. */
#ifndef SLUICE_BROKER_CONFIG_TOPIC_CONFIG_H
#define SLUICE_BROKER_CONFIG_TOPIC_CONFIG_H

#include "broker/config/broker_config.h"
#include "broker/log/log_config.h"

typedef struct topic_config {
    log_config log;
    int32_t min_insync_replicas;
} topic_config;

/* Every key, ended by a NULL name; offsets are of a topic_config. */
extern const setting topic_config_keys[];

extern const char *const topic_compressions[], *const topic_policies[],
                                                   *const topic_timestamp_types[];

/* The broker's key that gives a topic key its default, or NULL. */
const char *topic_config_broker_key(const char *name);

/* Whether `name` can be set to `value`. SLUICE_BAD_CONFIG: no such key, or not with
 * this value. */
sluice_status topic_config_check(const char *name, const char *value,
                                 sluice_error *err);

/* Whether a broker's key gives a topic key its default. */
bool topic_config_is_default(const char *broker_key);

/* The value of a key for topics that do not set it, and where it is from: what was
 * changed while the broker runs, what it was started with, or Kafka's default. Memory:
 * `room`'s, or constant; NULL: null. */
enum { topic_config_text_size = dynamic_value_size };
const char *topic_config_default(const broker_config *broker, const setting *key,
                                 char room[topic_config_text_size],
                                 config_source *ret_source);

/* The same from `layer` alone, and by which of the broker's keys; false: it has none.
 */
bool topic_config_of_layer(const broker_config *broker, const setting *key,
                           config_source layer, char room[topic_config_text_size],
                           const char **ret_value, const char **ret_broker_key);

/* All values, parsed; `pairs` were checked. */
void topic_config_parse(const broker_config *broker, const config_pair *pairs,
                        size_t count, topic_config *ret_config);

#endif
