/* protocol/encode.h - a message to bytes.
 *
 * Threads: any. */
#ifndef SLUICE_PROTOCOL_ENCODE_H
#define SLUICE_PROTOCOL_ENCODE_H

#include "message.h"
#include "output.h"

/* Appends `value`, the C struct of `schema->body`, as `version`, which must be one of
 * the schema's. Fields that the version lacks are left out; a tagged field is written
 * if it is not at its default. Records are borrowed until the output is written.
 * SLUICE_FATAL: a text is longer than the version can carry (32767 bytes before
 * flexible versions); what was appended is to be thrown away. */
sluice_status message_encode(const message_schema *schema, int version,
                             const void *value, output *out, sluice_error *err);

/* Whether the field at `value`, of a C struct of `type`, has its default. */
bool message_field_at_default(const message_struct *type, const message_field *field,
                              const void *value);

#endif
