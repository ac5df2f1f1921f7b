/* Bytes that grow, and the two ways in which a request writes bytes as text. */
#include "buffer.h"
#include <stdlib.h>
#include <string.h>

void http_buffer_done(http_buffer *self)
{
    free(self->base);
    *self = (http_buffer){0};
}

sluice_status http_buffer_reserve(http_buffer *self, size_t len, sluice_error *err)
{
    if (len > HTTP_BUFFER_MAX - self->len) {
        return sluice_fail(
            err, SLUICE_BAD_RECORD,
            "a request of more than %d MiB: a smaller batch.max.size helps",
            HTTP_BUFFER_MAX >> 20);
    }
    if (len > self->room - self->len) {
        size_t room = (self->len + len) * 2;
        char *grown = realloc(self->base, room);
        if (grown == NULL) {
            return sluice_fail(err, SLUICE_FATAL,
                               "no memory for a request of %zu bytes", self->len + len);
        }
        self->base = grown;
        self->room = room;
    }
    return SLUICE_OK;
}

sluice_status http_buffer_add(http_buffer *self, const void *base, size_t len,
                              sluice_error *err)
{
    sluice_status status = http_buffer_reserve(self, len, err);
    if (status == SLUICE_OK && len > 0) {
        memcpy(self->base + self->len, base, len);
        self->len += len;
    }
    return status;
}

sluice_status http_buffer_text(http_buffer *self, const char *text, sluice_error *err)
{
    return http_buffer_add(self, text, strlen(text), err);
}

sluice_status http_buffer_base64(http_buffer *self, const void *base, size_t len,
                                 sluice_error *err)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *bytes = base;
    sluice_status status = SLUICE_OK;
    for (size_t i = 0; i < len && status == SLUICE_OK; i += 3) {
        uint32_t three = (uint32_t)bytes[i] << 16;
        three |= i + 1 < len ? (uint32_t)bytes[i + 1] << 8 : 0;
        three |= i + 2 < len ? bytes[i + 2] : 0;
        char out[4] = {digits[three >> 18], digits[three >> 12 & 63],
                       i + 1 < len ? digits[three >> 6 & 63] : '=',
                       i + 2 < len ? digits[three & 63] : '='};
        status = http_buffer_add(self, out, sizeof out, err);
    }
    return status;
}

static bool is_one_of(unsigned char byte, const char *marks)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
           (byte >= 'A' && byte <= 'Z') || (byte != '\0' && strchr(marks, byte));
}

/* All but letters, digits and `marks` as %XX. */
static sluice_status add_escaped(http_buffer *self, const void *base, size_t len,
                                 const char *marks, sluice_error *err)
{
    static const char digits[] = "0123456789ABCDEF";
    const unsigned char *bytes = base;
    sluice_status status = SLUICE_OK;
    for (size_t i = 0; i < len && status == SLUICE_OK; i++) {
        char out[3] = {'%', digits[bytes[i] >> 4], digits[bytes[i] & 15]};
        status = is_one_of(bytes[i], marks) ? http_buffer_add(self, &bytes[i], 1, err)
                                            : http_buffer_add(self, out, 3, err);
    }
    return status;
}

sluice_status http_buffer_percent(http_buffer *self, const void *base, size_t len,
                                  sluice_error *err)
{
    return add_escaped(self, base, len, "-._~", err);
}

sluice_status http_buffer_form(http_buffer *self, const char *text, sluice_error *err)
{
    size_t begin = self->len;
    sluice_status status = add_escaped(self, text, strlen(text), "-._* ", err);
    for (size_t i = begin; i < self->len; i++) {
        self->base[i] = self->base[i] == ' ' ? '+' : self->base[i];
    }
    return status;
}
