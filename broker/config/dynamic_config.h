/* broker/config/dynamic_config.h - broker configs that are changed while it runs.
 *
 * There are two layers, kept in the metadata log as Kafka keeps them: those of this
 * node, and below it those of all nodes (DescribeConfigs' DYNAMIC_BROKER_CONFIG and
 * DYNAMIC_DEFAULT_BROKER_CONFIG). Below both is what the broker was started with.
 *
 * Threads: any; a lock for the moment of a copy. */
#ifndef SLUICE_BROKER_CONFIG_DYNAMIC_CONFIG_H
#define SLUICE_BROKER_CONFIG_DYNAMIC_CONFIG_H

#include <sluice/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A key and its value, NUL-ended texts. */
typedef struct config_pair {
    char *name;
    char *value;
} config_pair;

typedef enum config_source { /* The numbers are those of DescribeConfigs. */
                             CONFIG_SOURCE_TOPIC = 1,
                             CONFIG_SOURCE_NODE = 2,
                             CONFIG_SOURCE_ALL_NODES = 3,
                             CONFIG_SOURCE_STATIC = 4,
                             CONFIG_SOURCE_DEFAULT = 5,
} config_source;

typedef struct dynamic_config dynamic_config;

dynamic_config *dynamic_config_new(void);
void dynamic_config_free(dynamic_config *self); /* NULL is accepted. */

/* The longest value of a key, with its NUL. */
enum { dynamic_value_size = 256 };

/* Copies the value of `layer` (NODE or ALL_NODES) to `room`; false when it has none. */
bool dynamic_config_get(const dynamic_config *self, config_source layer,
                        const char *name, char room[dynamic_value_size]);

/* All of a layer; the caller's: config_pairs_free(). */
config_pair *dynamic_config_list(const dynamic_config *self, config_source layer,
                                 size_t *ret_count);

/* Replaces a layer by copies of `pairs`. */
void dynamic_config_replace(dynamic_config *self, config_source layer,
                            const config_pair *pairs, size_t count);

/* Whether a broker's key may be changed while it runs, and to `value`.
 * SLUICE_BAD_CONFIG in Kafka's words. */
sluice_status dynamic_config_check(const char *name, const char *value,
                                   sluice_error *err);
bool dynamic_config_can(const char *name);

config_pair *config_pairs_copy(const config_pair *pairs, size_t count);
void config_pairs_free(config_pair *pairs, size_t count);

#endif
