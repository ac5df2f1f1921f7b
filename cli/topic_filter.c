/* Patterns and wildcards for names of topics. */
#include "topic_filter.h"
#include "base/buffer.h"
#include <fnmatch.h>
#include <string.h>

/* The pattern without blanks and quotes around, and '|' for ','. */
static void put_pattern(buffer *out, const char *pattern)
{
    size_t len = strlen(pattern);
    while (len > 0 && strchr("\"'", pattern[len - 1]) != NULL) {
        len--;
    }
    size_t at = strspn(pattern, "\"'");
    buffer_append_text(out, "^(");
    for (; at < len; at++) {
        if (pattern[at] != ' ') {
            buffer_append_byte(out, pattern[at] == ',' ? '|' : pattern[at]);
        }
    }
    buffer_append_text(out, ")$");
}

sluice_status topic_filter_init(topic_filter *self, const char *pattern,
                                const cli_texts *names, sluice_error *err)
{
    *self = (topic_filter){.names = names};
    if (pattern == NULL) {
        return SLUICE_OK;
    }
    buffer whole = BUFFER_INIT;
    put_pattern(&whole, pattern);
    int code = regcomp(&self->pattern, buffer_text(&whole), REG_EXTENDED | REG_NOSUB);
    buffer_done(&whole);
    self->has_pattern = code == 0;
    return code == 0 ? SLUICE_OK
                     : sluice_fail(err, SLUICE_BAD_CONFIG,
                                   "'%s' is not a regular expression", pattern);
}

void topic_filter_done(topic_filter *self)
{
    if (self->has_pattern) {
        regfree(&self->pattern);
    }
}

bool topic_filter_has(const topic_filter *self, const char *topic)
{
    if (self->has_pattern) {
        return regexec(&self->pattern, topic, 0, NULL, 0) == 0;
    }
    for (size_t i = 0; i < self->names->count; i++) {
        if (fnmatch(self->names->items[i], topic, 0) == 0) {
            return true;
        }
    }
    return self->names->count == 0;
}
