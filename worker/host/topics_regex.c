/* Whether topics.regex is one, and leaves dead letters alone. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "worker/host/topics_regex.h"
#include "base/memory.h"
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

static const char key[] = "topics.regex";

/* In Java's words where it is a common fault. */
static sluice_status fail(const char *regex, int code, size_t at, sluice_error *err)
{
    PCRE2_UCHAR text[160];
    size_t len = strlen(regex);
    const char *reason = (const char *)text;
    pcre2_get_error_message(code, text, sizeof text);
    if (code == PCRE2_ERROR_MISSING_SQUARE_BRACKET) {
        reason = "Unclosed character class";
        at = len - 1;
    } else if (code == PCRE2_ERROR_MISSING_CLOSING_PARENTHESIS) {
        reason = "Unclosed group";
        at = len;
    } else if (code == PCRE2_ERROR_QUANTIFIER_INVALID) {
        reason = "Dangling meta character '*'";
        at = 0;
    }
    return sluice_fail_key(err, key,
                           "Invalid value %s for configuration %s: Invalid regex: %s "
                           "near index %zu\n%s\n%*s^",
                           regex, key, reason, at, regex, (int)at, "");
}

static bool matches(const pcre2_code *code, const char *text)
{
    pcre2_match_data *data = pcre2_match_data_create_from_pattern(code, NULL);
    int found = data == NULL ? -1
                             : pcre2_match(code, (PCRE2_SPTR)text, strlen(text), 0, 0,
                                           data, NULL);
    pcre2_match_data_free(data);
    return found > 0;
}

sluice_status topics_regex_check(const char *regex, const char *dead_letter_topic,
                                 sluice_error *err)
{
    int fault;
    PCRE2_SIZE at;
    sluice_status status = SLUICE_OK;
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)regex, PCRE2_ZERO_TERMINATED,
                                     PCRE2_UTF | PCRE2_ANCHORED | PCRE2_ENDANCHORED,
                                     &fault, &at, NULL);
    if (code == NULL) {
        return fail(regex, fault, at, err);
    }
    if (dead_letter_topic[0] != '\0' && matches(code, dead_letter_topic)) {
        status = sluice_fail_key(
            err, key,
            "The DLQ topic '%s' may not be matched by the regex for the topics "
            "('%s=%s') consumed by the connector",
            dead_letter_topic, key, regex);
    }
    pcre2_code_free(code);
    return status;
}
