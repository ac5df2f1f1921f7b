/* lib/plugin/describe.h - features, keys and values as JSON, the way REST shows them.
 *
 * Threads: any. Memory: results are new references, the caller's. */
#ifndef SLUICE_PLUGIN_DESCRIBE_H
#define SLUICE_PLUGIN_DESCRIBE_H

#include "plugin_files.h"
#include <jansson.h>

/* {"keys":[ConfigKeyInfo…],"allowed":{name:"1 to 10"},"deprecated":{name:instead},
 *  "unused":{name:why}}; the last three hold only the keys that have such a thing. */
json_t *describe_table(const sluice_config *table);

/* {"kind","name","class","aliases","plugin","version","shown_version",
 * "license","path","summary","doc"}
 * and what describe_table() gives; of a converter also "given": the keys that the
 * worker sets, whatever the plugin declares. */
json_t *describe_feature(const plugin_feature *feature);

/* The ConfigKeyInfo of converter.type, which every converter has in Kafka Connect. */
json_t *describe_converter_type(void);

/* Kafka Connect's ConfigKeyInfo of every key that has an effect, in order. */
json_t *describe_keys(const sluice_config *table);

/* [{"definition":ConfigKeyInfo,"value":ConfigValueInfo}…]: each key with the value that
 * `props` or the default gives it, and its faults, from `faults` (a filled error of
 * sluice_config_parse(); NULL: none). A PASSWORD reads [hidden]. */
json_t *describe_values(const sluice_config *table, const sluice_props *props,
                        const sluice_error *faults);

#endif
