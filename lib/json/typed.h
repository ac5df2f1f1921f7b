/* lib/json/typed.h - JSON text read by a schema, and schemas read from JSON. */
#ifndef SLUICE_JSON_TYPED_H
#define SLUICE_JSON_TYPED_H

#include "json/scanner.h"

/* The payload at the scanner's position as a value of `schema` (not NULL), coerced as
 * JsonConverter does. False: told in the scanner's `err`. */
bool json_typed_value(json_scanner *self, const sluice_schema *schema,
                      bool default_for_null, int depth, const sluice_value **ret_value);

/* A `default` of `schema`, which has none yet: what loses something that is required is
 * told, and each struct, as in Java. */
bool json_typed_default(json_scanner *self, const sluice_schema *schema,
                        const sluice_value **ret_value);

/* The value of something that is missing or null. */
bool json_typed_null(json_scanner *self, const sluice_schema *schema,
                     bool default_for_null, const sluice_value **ret_value);

/* The schema that the JSON text `bytes` describes, in `arena`; NULL for the text
 * `null`. */
sluice_status json_parse_schema(sluice_bytes bytes, sluice_arena *arena,
                                const sluice_schema **ret_schema, sluice_error *err);

#endif
