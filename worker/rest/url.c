/* A request's target in its parts, decoded. */
#include "worker/rest/url.h"
#include "base/buffer.h"
#include "base/memory.h"
#include "base/text.h"
#include <stdlib.h>
#include <string.h>

/* The `len` bytes at `base` decoded, the caller's; NULL: they cannot be. */
static char *decode(const char *base, size_t len, bool plus_is_space)
{
    buffer out = BUFFER_INIT;
    size_t out_len;
    for (size_t at = 0; at < len; at++) {
        char byte = base[at];
        if (byte == '%') {
            if (len - at < 3 || !text_unhex(&byte, 1, base + at + 1, 2) ||
                byte == '\0') {
                buffer_done(&out);
                return NULL;
            }
            at += 2;
        } else if (byte == '+' && plus_is_space) {
            byte = ' ';
        }
        buffer_append_byte(&out, byte);
    }
    return buffer_take(&out, &out_len);
}

static const char *parse_segment(const char *base, size_t len, url *self)
{
    const char *parameters = memchr(base, ';', len);
    size_t plain_len = parameters == NULL ? len : (size_t)(parameters - base);
    if (len == 0) {
        return "Ambiguous URI empty segment";
    }
    if (plain_len == 0) {
        return NULL; /* Nothing but parameters: as if it ended before. */
    }
    if (self->segment_count == url_segments_max) {
        return NULL; /* It is no path of ours already. */
    }
    char *segment = decode(base, plain_len, false);
    if (segment == NULL) {
        return "The path cannot be decoded";
    }
    if (!text_is_utf8(segment, strlen(segment))) {
        free(segment);
        return "Bad UTF-8 encoding";
    }
    self->segments[self->segment_count++] = segment;
    return NULL;
}

static const char *parse_path(const char *base, size_t len, url *self)
{
    const char *fault = NULL, *end = base + len;
    while (fault == NULL && base + 1 < end) {
        base++; /* The slash. */
        const char *next = memchr(base, '/', (size_t)(end - base));
        next = next == NULL ? end : next;
        fault = parse_segment(base, (size_t)(next - base), self);
        base = next;
    }
    return fault;
}

static char *decode_parameter(const char *base, size_t len)
{
    char *text = decode(base, len, true);
    return text != NULL ? text : memory_copy(base, len);
}

static void parse_parameter(const char *base, size_t len, url *self)
{
    const char *equals = memchr(base, '=', len);
    size_t name_len = equals == NULL ? len : (size_t)(equals - base);
    size_t value_len = equals == NULL ? 0 : len - name_len - 1;
    if (self->parameter_count < url_parameters_max && len > 0) {
        self->parameters[self->parameter_count++] = (url_parameter){
            decode_parameter(base, name_len),
            decode_parameter(equals == NULL ? base : equals + 1, value_len)};
    }
}

const char *url_parse(const char *raw, url *ret_url)
{
    *ret_url = (url){0};
    size_t path_len = strcspn(raw, "?");
    const char *fault = raw[0] != '/' ? "The path does not begin with a slash"
                                      : parse_path(raw, path_len, ret_url);
    const char *at = raw + path_len;
    while (fault == NULL && *at != '\0') {
        at++; /* The '?' or '&'. */
        size_t len = strcspn(at, "&");
        parse_parameter(at, len, ret_url);
        at += len;
    }
    return fault;
}

void url_done(url *self)
{
    for (size_t i = 0; i < self->segment_count; i++) {
        free(self->segments[i]);
    }
    for (size_t i = 0; i < self->parameter_count; i++) {
        free(self->parameters[i].name);
        free(self->parameters[i].value);
    }
    *self = (url){0};
}

const char *url_parameter_value(const url *self, const char *name)
{
    for (size_t i = 0; i < self->parameter_count; i++) {
        if (strcmp(self->parameters[i].name, name) == 0) {
            return self->parameters[i].value;
        }
    }
    return NULL;
}

bool url_parameter_is(const url *self, const char *name, const char *value)
{
    for (size_t i = 0; i < self->parameter_count; i++) {
        if (strcmp(self->parameters[i].name, name) == 0 &&
            text_equal_nocase(self->parameters[i].value, value)) {
            return true;
        }
    }
    return false;
}

bool url_parameter_has(const url *self, const char *name, const char *value)
{
    for (size_t i = 0; i < self->parameter_count; i++) {
        if (strcmp(self->parameters[i].name, name) == 0 &&
            strcmp(self->parameters[i].value, value) == 0) {
            return true;
        }
    }
    return false;
}

char *url_encode(const char *text)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                "0123456789-._~!$&'()*+,=:@";
    static const char digits[] = "0123456789ABCDEF";
    buffer out = BUFFER_INIT;
    size_t len;
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        if (strchr(plain, byte) != NULL) {
            buffer_append_byte(&out, *text);
        } else {
            buffer_append_byte(&out, '%');
            buffer_append_byte(&out, digits[byte >> 4]);
            buffer_append_byte(&out, digits[byte & 15]);
        }
    }
    return buffer_take(&out, &len);
}
