/* worker/host/json_value.h - maps without a schema, as they travel to the worker.
 *
 * Offsets are JSON objects there and in REST. Whole numbers are INT64 here, others
 * FLOAT64, objects maps with string keys.
 *
 * Threads: any. */
#ifndef SLUICE_WORKER_HOST_JSON_VALUE_H
#define SLUICE_WORKER_HOST_JSON_VALUE_H

#include <jansson.h>
#include <sluice/config.h>
#include <sluice/offsets.h>

/* The caller's. A value that JSON cannot hold (bytes, a key that is no string, a text
 * that is not UTF-8): BAD_RECORD. */
sluice_status json_of_value(const sluice_value *value, json_t **ret_json,
                            sluice_error *err);

/* A value in `arena`; JSON's null is NULL. */
sluice_value *value_of_json(sluice_arena *arena, const json_t *json);

/* [[partition, offset], …], the caller's. Entries that JSON cannot hold are left out;
 * the reason of the first goes to `err`, and the status is BAD_RECORD then. */
sluice_status json_of_offsets(const sluice_offsets *offsets, json_t **ret_json,
                              sluice_error *err);
/* The same back. What is no such list counts as an empty one. The caller's. */
sluice_offsets *offsets_of_json(const json_t *json);

/* Sets all entries of `from` in `into`. */
void offsets_merge(sluice_offsets *into, const sluice_offsets *from);

/* An object of texts; other values are taken as their JSON text. The caller's. */
sluice_props *props_of_json(const json_t *json);
json_t *json_of_props(const sluice_props *props);

#endif
