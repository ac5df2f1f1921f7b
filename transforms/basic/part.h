/* transforms/basic/part.h - the key or the value of a record, whichever a transform is
 * for.
 *
 * Errors: SLUICE_BAD_RECORD with Kafka Connect's text.
 * Threads: whoever holds the record. */
#ifndef SLUICE_TRANSFORMS_BASIC_PART_H
#define SLUICE_TRANSFORMS_BASIC_PART_H

#include <sluice/record.h>

typedef enum part { PART_KEY, PART_VALUE } part;

const sluice_schema *part_schema(const sluice_record *record, part which);
const sluice_value *part_value(const sluice_record *record, part which);
void part_set(sluice_record *record, part which, const sluice_schema *schema,
              const sluice_value *value);

/* Whether `value` is a map, or null where `accepts_null`: what a transform without a
 * schema works on. `purpose` is "field insertion", for the message. */
sluice_status part_require_map(const sluice_value *value, bool accepts_null,
                               const char *purpose, sluice_error *err);

/* The same for structs, with the schema of the value for the message. */
sluice_status part_require_struct(const sluice_schema *schema,
                                  const sluice_value *value, bool accepts_null,
                                  const char *purpose, sluice_error *err);

/* Field `index` of a struct. A null field that has a default is read as the default,
 * where `replaces_null`. */
const sluice_value *part_field(const sluice_value *row, size_t index,
                               bool replaces_null);

#endif
