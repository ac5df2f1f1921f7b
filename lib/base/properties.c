/* Java's .properties syntax: logical lines, then a key, a separator and a value. */
#include "properties.h"
#include "buffer.h"
#include "map.h"
#include "memory.h"
#include "text.h"
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { file_bytes_max = 16 * 1024 * 1024 };

typedef struct pair {
    char *key, *value, *origin;
} pair;

struct properties {
    pair *pairs;
    size_t count;
    map index; /* key -> its number + 1, as a pointer. */
};

properties *properties_new(void)
{
    return memory_zero(sizeof(properties));
}

void properties_free(properties *self)
{
    if (self == NULL) {
        return;
    }
    for (size_t i = 0; i < self->count; i++) {
        free(self->pairs[i].key);
        free(self->pairs[i].value);
        free(self->pairs[i].origin);
    }
    free(self->pairs);
    map_done(&self->index);
    free(self);
}

static pair *find(const properties *self, const char *key)
{
    uintptr_t number = (uintptr_t)map_get_text(&self->index, key);
    return number == 0 ? NULL : &self->pairs[number - 1];
}

static void put(properties *self, const char *key, const char *value, char *origin)
{
    pair *known = find(self, key);
    if (known == NULL) {
        size_t size = (self->count + 1) * sizeof *self->pairs;
        self->pairs = memory_resize(self->pairs, size);
        known = &self->pairs[self->count++];
        *known = (pair){.key = memory_text(key)};
        map_put_text(&self->index, key, (void *)(uintptr_t)self->count);
    }
    char *copy = memory_text(value);
    free(known->value);
    free(known->origin);
    known->value = copy;
    known->origin = origin;
}

void properties_set(properties *self, const char *key, const char *value)
{
    put(self, key, value, NULL);
}

sluice_status properties_set_pair(properties *self, const char *text, sluice_error *err)
{
    const char *equals = strchr(text, '=');
    if (equals == NULL || equals == text) {
        return sluice_fail(err, SLUICE_BAD_CONFIG, "'%s' is not of the form key=value",
                           text);
    }
    char *key = memory_copy(text, (size_t)(equals - text));
    put(self, key, equals + 1, NULL);
    free(key);
    return SLUICE_OK;
}

/* One place in the text that is being read. */
typedef struct reader {
    const char *at, *end;
    const char *origin;
    size_t line; /* Of `at`, from 1. */
    bool latin1;
    sluice_error *err;
} reader;

static sluice_status fail(const reader *in, size_t line, const char *reason)
{
    return sluice_fail(in->err, SLUICE_BAD_CONFIG, "%s:%zu: %s", in->origin, line,
                       reason);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\f';
}

static bool is_break(char c)
{
    return c == '\n' || c == '\r';
}

static void skip_spaces(reader *in)
{
    while (in->at < in->end && is_space(*in->at)) {
        in->at++;
    }
}

static void skip_break(reader *in)
{
    if (in->end - in->at >= 2 && in->at[0] == '\r' && in->at[1] == '\n') {
        in->at++;
    }
    if (in->at < in->end) {
        in->at++;
        in->line++;
    }
}

/* Takes one natural line. Returns whether it is continued by the next one. */
static bool take_natural(reader *in, buffer *out)
{
    bool escaped = false;
    for (; in->at < in->end && !is_break(*in->at); in->at++) {
        escaped = *in->at == '\\' && !escaped;
        buffer_append_byte(out, *in->at);
    }
    if (escaped) {
        buffer_truncate(out, out->len - 1);
    }
    bool ended = in->at == in->end;
    skip_break(in);
    return escaped && !ended;
}

/* Takes the next logical line that says something; false at the end. */
static bool take_logical(reader *in, buffer *out, size_t *ret_line)
{
    buffer_clear(out);
    bool continued = true;
    while (in->at < in->end && (continued || out->len == 0)) {
        skip_spaces(in);
        if (out->len == 0) {
            *ret_line = in->line;
        }
        if (out->len == 0 && in->at < in->end && strchr("#!", *in->at) != NULL) {
            while (in->at < in->end && !is_break(*in->at)) {
                in->at++;
            }
            skip_break(in);
            continue;
        }
        continued = take_natural(in, out);
    }
    return out->len > 0;
}

/* The four hex digits of \uXXXX, or -1. */
static int32_t unit_at(const char *at, const char *end)
{
    unsigned char bytes[2];
    if (end - at < 4 || !text_unhex(bytes, 2, at, 4)) {
        return -1;
    }
    return bytes[0] << 8 | bytes[1];
}

/* The character after "\u", two units if they are a surrogate pair. */
static sluice_status unescape_unicode(const reader *in, size_t line, const char **at,
                                      const char *end, buffer *out)
{
    int32_t unit = unit_at(*at, end);
    if (unit < 0) {
        return fail(in, line, "\\u is not followed by four hex digits");
    }
    if (unit == 0) {
        return fail(in, line, "\\u0000 cannot be part of a configuration");
    }
    *at += 4;
    bool high = unit >= 0xD800 && unit <= 0xDBFF;
    if (high && end - *at >= 6 && (*at)[0] == '\\' && (*at)[1] == 'u') {
        int32_t low = unit_at(*at + 2, end);
        if (low >= 0xDC00 && low <= 0xDFFF) {
            *at += 6;
            unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
        }
    }
    if (unit >= 0xD800 && unit <= 0xDFFF) {
        return fail(in, line,
                    "\\u is half of a surrogate pair, and the other is missing");
    }
    buffer_append_utf8(out, (uint32_t)unit);
    return SLUICE_OK;
}

static void append_plain(const reader *in, char c, buffer *out)
{
    if (in->latin1) {
        buffer_append_utf8(out, (unsigned char)c);
    } else {
        buffer_append_byte(out, c);
    }
}

/* Appends the bytes up to `end` with the escapes resolved. */
static sluice_status unescape(const reader *in, size_t line, const char *at,
                              const char *end, buffer *out)
{
    static const char names[] = "tnrf", values[] = "\t\n\r\f";
    buffer_clear(out);
    while (at < end) {
        char c = *at++;
        if (c != '\\' || at == end) {
            append_plain(in, c, out);
            continue;
        }
        c = *at++;
        const char *name = strchr(names, c);
        if (c == 'u') {
            sluice_status status = unescape_unicode(in, line, &at, end, out);
            if (status != SLUICE_OK) {
                return status;
            }
        } else {
            append_plain(in, name != NULL ? values[name - names] : c, out);
        }
    }
    return SLUICE_OK;
}

/* Where the key of a logical line ends: at a separator that is not escaped. */
static const char *key_end(const char *at, const char *end)
{
    while (at < end && *at != '=' && *at != ':' && !is_space(*at)) {
        at += *at == '\\' && end - at > 1 ? 2 : 1;
    }
    return at;
}

static const char *value_start(const char *at, const char *end)
{
    bool separated = false;
    while (at < end) {
        bool separator = !separated && (*at == '=' || *at == ':');
        if (!separator && !is_space(*at)) {
            break;
        }
        separated = separated || separator;
        at++;
    }
    return at;
}

static sluice_status take_pair(properties *self, const reader *in,
                               const buffer *logical, size_t line, buffer *key,
                               buffer *value)
{
    const char *end = logical->base + logical->len;
    const char *separator = key_end(logical->base, end);
    sluice_status status = unescape(in, line, logical->base, separator, key);
    if (status == SLUICE_OK) {
        status = unescape(in, line, value_start(separator, end), end, value);
    }
    if (status == SLUICE_OK) {
        put(self, buffer_text(key), buffer_text(value),
            memory_print("%s:%zu", in->origin, line));
    }
    return status;
}

static size_t line_of(const char *base, const char *at)
{
    size_t line = 1;
    for (; base < at; base++) {
        line += *base == '\n';
    }
    return line;
}

sluice_status properties_parse(properties *self, const char *base, size_t len,
                               const char *origin, sluice_error *err)
{
    reader in = {base, base + len, origin, 1, !text_is_utf8(base, len), err};
    const char *nul = len > 0 ? memchr(base, '\0', len) : NULL;
    if (nul != NULL) {
        return fail(&in, line_of(base, nul), "a NUL byte: this is not a text file");
    }
    buffer logical = BUFFER_INIT, key = BUFFER_INIT, value = BUFFER_INIT;
    sluice_status status = SLUICE_OK;
    size_t line = 1;
    while (status == SLUICE_OK && take_logical(&in, &logical, &line)) {
        status = take_pair(self, &in, &logical, line, &key, &value);
    }
    buffer_done(&logical);
    buffer_done(&key);
    buffer_done(&value);
    return status;
}

static sluice_status fail_errno(const char *path, sluice_error *err)
{
    return sluice_fail(err, SLUICE_BAD_CONFIG, "cannot read '%s': %s", path,
                       strerror(errno));
}

sluice_status properties_read(properties *self, const char *path, sluice_error *err)
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return fail_errno(path, err);
    }
    buffer content;
    buffer_init(&content, file_bytes_max);
    sluice_status status = SLUICE_OK;
    for (;;) {
        enum { step = 16 * 1024 };
        char piece[step];
        size_t got = fread(piece, 1, step, file);
        if (!buffer_append(&content, piece, got)) {
            status = sluice_fail(err, SLUICE_BAD_CONFIG,
                                 "'%s' is larger than the allowed 16 MiB", path);
            break;
        }
        if (got < step) {
            status = ferror(file) ? fail_errno(path, err) : SLUICE_OK;
            break;
        }
    }
    fclose(file);
    if (status == SLUICE_OK) {
        status = properties_parse(self, buffer_text(&content), content.len, path, err);
    }
    buffer_done(&content);
    return status;
}

const char *properties_get(const properties *self, const char *key)
{
    const pair *found = find(self, key);
    return found == NULL ? NULL : found->value;
}

size_t properties_count(const properties *self)
{
    return self->count;
}

const char *properties_key(const properties *self, size_t index)
{
    return self->pairs[index].key;
}

const char *properties_value(const properties *self, size_t index)
{
    return self->pairs[index].value;
}

const char *properties_origin(const properties *self, size_t index)
{
    const char *origin = self->pairs[index].origin;
    return origin == NULL ? "" : origin;
}
