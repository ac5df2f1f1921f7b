/* connectors/http/template.h - texts with parts of the record in them.
 *
 *     /orders/${key}              the key, or a field of it: ${key.id}, ${key.a.b}
 *     ${value.op} ${topic} ${partition} ${offset} ${timestamp} ${header.NAME}
 *
 * Threads: the task's. */
#ifndef HTTP_TEMPLATE_H
#define HTTP_TEMPLATE_H

#include "buffer.h"
#include <sluice/plugin.h>

typedef struct http_template http_template;

/* How what a record says is written into the text. */
typedef enum http_escape {
    HTTP_ESCAPE_URL,  /* All but letters, digits and -._~ as %XX. */
    HTTP_ESCAPE_NONE, /* As it is; a control character makes the record a bad one. */
} http_escape;

/* Parses `text`, which is copied. SLUICE_BAD_CONFIG with a message for `key`. */
sluice_status http_template_new(const char *key, const char *text,
                                http_template **ret_template, sluice_error *err);
void http_template_free(http_template *self); /* NULL is accepted. */

/* Its text where no record changes it, else NULL. */
const char *http_template_fixed(const http_template *self);

/* Appends the text for `record`. SLUICE_BAD_RECORD where the record lacks a part, or
 * has one that is a struct, map or array. `scratch` is reset. */
sluice_status http_template_render(const http_template *self,
                                   const sluice_record *record, http_escape escape,
                                   sluice_arena *scratch, http_buffer *into,
                                   sluice_error *err);

#endif
