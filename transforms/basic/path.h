/* transforms/basic/path.h - the name of a field, or the way to a nested one.
 *
 * Version 1: the whole text is a name. Version 2 (KIP-821): names between dots; a name
 * that has dots itself stands between backticks, `a.b`.c
 *
 * Threads: one at a time. */
#ifndef SLUICE_TRANSFORMS_BASIC_PATH_H
#define SLUICE_TRANSFORMS_BASIC_PATH_H

#include <sluice/value.h>

typedef struct path {
    const char *text;   /* As configured, for messages. */
    const char **steps; /* In the arena it was parsed in. */
    size_t count;
} path;

/* Parses `text` (borrowed) into `arena`. SLUICE_BAD_CONFIG with Kafka Connect's text
 * for a backtick without its other one. */
sluice_status path_parse(path *self, sluice_arena *arena, const char *text,
                         bool is_nested, sluice_error *err);

/* The schema of the field in structs of `schema`; NULL where there is none. */
const sluice_schema *path_schema(const path *self, const sluice_schema *schema);

/* The field of a struct or, without a schema, of a map; NULL where it or a part of the
 * way is missing or null. */
sluice_status path_in_struct(const path *self, const sluice_value *row,
                             bool replaces_null, const sluice_value **ret_value,
                             sluice_error *err);
sluice_status path_in_map(const path *self, const sluice_value *map,
                          const sluice_value **ret_value, sluice_error *err);

#endif
