/* Patterns and wildcards for names of topics. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "topic_filter.h"
#include "base/buffer.h"
#include <fnmatch.h>
#include <pcre2.h>
#include <string.h>

/* The pattern without blanks, without quotes around, and '|' for ','. */
static void put_pattern(buffer *out, const char *pattern)
{
    size_t len = strlen(pattern);
    while (len > 0 && strchr("\"'", pattern[len - 1]) != NULL) {
        len--;
    }
    size_t at = strspn(pattern, "\"'");
    for (; at < len; at++) {
        if (pattern[at] != ' ') {
            buffer_append_byte(out, pattern[at] == ',' ? '|' : pattern[at]);
        }
    }
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
    int fault;
    PCRE2_SIZE where;
    self->pattern = pcre2_compile((PCRE2_SPTR)buffer_text(&whole), whole.len,
                                  PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_UTF,
                                  &fault, &where, NULL);
    buffer_done(&whole);
    if (self->pattern != NULL) {
        return SLUICE_OK;
    }
    char text[128];
    pcre2_get_error_message(fault, (PCRE2_UCHAR *)text, sizeof text);
    return sluice_fail(err, SLUICE_BAD_CONFIG, "'%s' is not a regular expression: %s",
                       pattern, text);
}

void topic_filter_done(topic_filter *self)
{
    pcre2_code_free(self->pattern);
}

bool topic_filter_has(const topic_filter *self, const char *topic)
{
    if (self->pattern != NULL) {
        pcre2_match_data *found =
            pcre2_match_data_create_from_pattern(self->pattern, NULL);
        int count = pcre2_match(self->pattern, (PCRE2_SPTR)topic, strlen(topic), 0, 0,
                                found, NULL);
        pcre2_match_data_free(found);
        return count >= 0;
    }
    for (size_t i = 0; i < self->names->count; i++) {
        if (fnmatch(self->names->items[i], topic, 0) == 0) {
            return true;
        }
    }
    return self->names->count == 0;
}
