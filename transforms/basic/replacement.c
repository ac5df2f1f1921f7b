/* transforms/basic/replacement.c - written piece by piece, as Java's
 * Matcher.appendReplacement does. */
#include "replacement.h"

#include <stdio.h>
#include <string.h>

typedef struct expansion {
    const char *at; /* In the replacement. */
    const char *subject;
    const pcre2_code *code;
    const PCRE2_SIZE *bounds;
    uint32_t groups;
    sluice_arena *arena;
    char *base;
    size_t used, room;
} expansion;

static void expansion_add(expansion *self, const char *text, size_t len)
{
    if (len == 0) {
        return;
    }
    if (self->room - self->used < len) {
        size_t room = 2 * self->room + len;
        self->base = sluice_arena_grow(self->arena, self->base, self->room, room);
        self->room = room;
    }
    memcpy(self->base + self->used, text, len);
    self->used += len;
}

static void expansion_add_group(expansion *self, uint32_t group)
{
    PCRE2_SIZE from = self->bounds[2 * group], to = self->bounds[2 * group + 1];
    if (from != PCRE2_UNSET) {
        expansion_add(self, self->subject + from, to - from);
    }
}

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

static bool is_name_byte(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           is_digit(byte);
}

/* "{name}", behind a dollar sign. */
static sluice_status expand_name(expansion *self, sluice_error *err)
{
    char name[64];
    const char *start = ++self->at;
    while (is_name_byte(*self->at)) {
        self->at++;
    }
    size_t len = (size_t)(self->at - start);
    if (len == 0 || *self->at != '}') {
        return sluice_fail(err, SLUICE_BAD_RECORD,
                           "named capturing group is missing trailing '}'");
    }
    self->at++;
    if (is_digit(*start)) {
        return sluice_fail(err, SLUICE_BAD_RECORD,
                           "capturing group name {%.*s} starts with digit character",
                           (int)len, start);
    }
    snprintf(name, sizeof name, "%.*s", (int)len, start);
    int group = pcre2_substring_number_from_name(self->code, (PCRE2_SPTR)name);
    if (group < 0) {
        return sluice_fail(err, SLUICE_BAD_RECORD, "No group with name {%s}", name);
    }
    expansion_add_group(self, (uint32_t)group);
    return SLUICE_OK;
}

/* Behind a dollar sign. */
static sluice_status expand_group(expansion *self, sluice_error *err)
{
    if (*self->at == '\0') {
        return sluice_fail(err, SLUICE_BAD_RECORD,
                           "Illegal group reference: group index is missing");
    }
    if (*self->at == '{') {
        return expand_name(self, err);
    }
    if (!is_digit(*self->at)) {
        return sluice_fail(err, SLUICE_BAD_RECORD, "Illegal group reference");
    }
    uint32_t group = (uint32_t)(*self->at++ - '0');
    if (group > self->groups) {
        return sluice_fail(err, SLUICE_BAD_RECORD, "No group %u", group);
    }
    while (is_digit(*self->at)) {
        uint32_t longer = group * 10 + (uint32_t)(*self->at - '0');
        if (longer > self->groups) {
            break;
        }
        group = longer;
        self->at++;
    }
    expansion_add_group(self, group);
    return SLUICE_OK;
}

static sluice_status expand(expansion *self, sluice_error *err)
{
    sluice_status status = SLUICE_OK;
    while (*self->at != '\0' && status == SLUICE_OK) {
        char byte = *self->at++;
        if (byte == '$') {
            status = expand_group(self, err);
            continue;
        }
        if (byte == '\\') {
            if (*self->at == '\0') {
                return sluice_fail(err, SLUICE_BAD_RECORD,
                                   "character to be escaped is missing");
            }
            byte = *self->at++;
        }
        expansion_add(self, &byte, 1);
    }
    return status;
}

sluice_status replacement_apply(const char *replacement, const char *subject,
                                size_t len, const pcre2_code *code,
                                pcre2_match_data *match, sluice_arena *arena,
                                const char **ret_text, sluice_error *err)
{
    expansion self = {.at = replacement,
                      .subject = subject,
                      .code = code,
                      .bounds = pcre2_get_ovector_pointer(match),
                      .arena = arena};
    pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &self.groups);
    expansion_add(&self, subject, self.bounds[0]);
    sluice_status status = expand(&self, err);
    if (status == SLUICE_OK) {
        expansion_add(&self, subject + self.bounds[1], len - self.bounds[1]);
        expansion_add(&self, "", 1);
        *ret_text = self.base;
    }
    return status;
}
