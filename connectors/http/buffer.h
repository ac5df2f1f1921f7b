/* connectors/http/buffer.h - bytes that grow, up to what one request may say.
 *
 * Threads: its owner's. */
#ifndef HTTP_BUFFER_H
#define HTTP_BUFFER_H

#include <sluice/plugin.h>

enum { HTTP_BUFFER_MAX = 1 << 30 };

typedef struct http_buffer {
    char *base;
    size_t len, room;
} http_buffer;

void http_buffer_done(http_buffer *self);

/* Appends bytes as they are. SLUICE_BAD_RECORD beyond HTTP_BUFFER_MAX, SLUICE_FATAL
 * when memory is out; nothing is appended then. */
sluice_status http_buffer_add(http_buffer *self, const void *base, size_t len,
                              sluice_error *err);
sluice_status http_buffer_text(http_buffer *self, const char *text, sluice_error *err);

/* Room for `len` more bytes at its end, in place. Errors as above. */
sluice_status http_buffer_reserve(http_buffer *self, size_t len, sluice_error *err);

/* Appends `len` bytes in base64. */
sluice_status http_buffer_base64(http_buffer *self, const void *base, size_t len,
                                 sluice_error *err);

/* Appends a text as it stands in a form (application/x-www-form-urlencoded). */
sluice_status http_buffer_form(http_buffer *self, const char *text, sluice_error *err);

/* Appends `len` bytes with all but letters, digits and -._~ as %XX. */
sluice_status http_buffer_percent(http_buffer *self, const void *base, size_t len,
                                  sluice_error *err);

#endif
