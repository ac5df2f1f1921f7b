/* protocol/json.h - a message as the JSON that Kafka's tools print of it.
 *
 * Names are Kafka's (`leaderEpoch` for `leader_epoch`), fields in the order of the
 * definition; a tagged field only when it is not at its default (a tagged struct that
 * can be null always, for Kafka writes its null); bytes in base64, a uuid in base64url,
 * on one line without spaces.
 *
 * Threads: any. */
#ifndef SLUICE_PROTOCOL_JSON_H
#define SLUICE_PROTOCOL_JSON_H

#include "base/buffer.h"
#include "message.h"

/* Prints a field otherwise; returns false for the usual form. `value` is the field's in
 * the C struct. */
typedef bool message_json_field(void *context, const message_struct *type,
                                const message_field *field, const void *value,
                                buffer *out);

/* Appends `value`, the C struct of `type` as decoded at `version`. `other` is NULL, or
 * is asked for each field first. */
void message_json(const message_struct *type, int version, const void *value,
                  message_json_field *other, void *context, buffer *out);

/* Appends a text in quotes, escaped; bytes that are not UTF-8 become U+FFFD. */
void message_json_text(buffer *out, const char *text, size_t len);

#endif
