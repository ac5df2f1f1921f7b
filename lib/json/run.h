/* lib/json/run.h - a compiled schema applied to a value. */
#ifndef SLUICE_JSON_RUN_H
#define SLUICE_JSON_RUN_H

#include "json/program.h"
#include "json/writer.h"

/* Writes `value` as `node` says. SLUICE_BAD_RECORD as sluice_json_encode(). */
sluice_status json_run(json_writer *out, const json_node *node,
                       const sluice_json_options *options, const sluice_value *value,
                       sluice_error *err);

/* Writes a value without a schema. */
sluice_status json_run_schemaless(json_writer *out, const sluice_value *value,
                                  sluice_error *err);

/* Writes `schema` (NULL: `null`) as JsonConverter does; `field` is the name of the
 * field it belongs to, or NULL. */
sluice_status json_write_schema(json_writer *out, const sluice_schema *schema,
                                const char *field, const sluice_json_options *options,
                                sluice_error *err);

#endif
