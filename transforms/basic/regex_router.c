/* transforms/basic/regex_router.c - a new topic by a regular expression on the
 * old one.
 *
 * Java tests whether the expression matches the whole topic, and then replaces the
 * first place where it is found, which may be less. Both are done here too. Expressions
 * are PCRE2's, whose syntax holds nearly all of Java's. */
#include "basic.h"
#include "replacement.h"
#include <stdlib.h>
#include <string.h>

/* Steps of one match: enough for any topic name (249 bytes), not for an expression that
 * tries everything. */
enum { STEPS_MAX = 1000000 };

typedef struct router_config {
    const char *regex;
    const char *replacement;
} router_config;

typedef struct router {
    const router_config *config;
    pcre2_code *whole, *found;
    pcre2_match_data *match;
    pcre2_match_context *limits;
    /* The last topic and what became of it: most records have the same. */
    sluice_arena *arena;
    char *topic;
    const char *routed;
} router;

/* --- Compiling. --- */

/* A fault of the expression in Java's words where it is a common one. */
static sluice_status fail_regex(const char *regex, int code, size_t at,
                                sluice_error *err)
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
    }
    return sluice_fail_key(
        err, "regex",
        "Invalid value %s for configuration regex: Invalid regex: %s "
        "near index %zu\n%s\n%*s^",
        regex, reason, at, regex, (int)at, "");
}

static sluice_status compile(const char *regex, uint32_t options, pcre2_code **ret_code,
                             sluice_error *err)
{
    int code;
    PCRE2_SIZE at;
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    if (context != NULL) {
        pcre2_set_newline(context, PCRE2_NEWLINE_ANY);
    }
    *ret_code = pcre2_compile((PCRE2_SPTR)regex, PCRE2_ZERO_TERMINATED,
                              options | PCRE2_UTF, &code, &at, context);
    pcre2_compile_context_free(context);
    if (*ret_code == NULL) {
        return fail_regex(regex, code, at, err);
    }
    pcre2_jit_compile(*ret_code, PCRE2_JIT_COMPLETE);
    return SLUICE_OK;
}

/* --- Begin and end. --- */

static void router_destroy(void *instance)
{
    router *self = instance;
    if (self == NULL) {
        return;
    }
    pcre2_code_free(self->whole);
    pcre2_code_free(self->found);
    pcre2_match_data_free(self->match);
    pcre2_match_context_free(self->limits);
    sluice_arena_free(self->arena);
    free(self);
}

static sluice_status router_create(const void *config, void **ret_self,
                                   sluice_error *err)
{
    router *self = calloc(1, sizeof *self);
    if (self == NULL) {
        return sluice_fail(err, SLUICE_FATAL, "memory is out");
    }
    self->config = config;
    self->arena = sluice_arena_new();
    sluice_status status = compile(
        self->config->regex, PCRE2_ANCHORED | PCRE2_ENDANCHORED, &self->whole, err);
    if (status == SLUICE_OK) {
        status = compile(self->config->regex, 0, &self->found, err);
    }
    if (status == SLUICE_OK) {
        self->match = pcre2_match_data_create_from_pattern(self->found, NULL);
        self->limits = pcre2_match_context_create(NULL);
        if (self->match == NULL || self->limits == NULL) {
            status = sluice_fail(err, SLUICE_FATAL, "memory is out");
        }
    }
    if (status != SLUICE_OK) {
        router_destroy(self);
        return status;
    }
    pcre2_set_match_limit(self->limits, STEPS_MAX);
    *ret_self = self;
    return SLUICE_OK;
}

/* --- Applying. --- */

/* Whether `code` matches; SLUICE_BAD_RECORD where that cannot be told. */
static sluice_status router_match(router *self, const pcre2_code *code,
                                  const char *topic, size_t len, bool *ret_match,
                                  sluice_error *err)
{
    int result =
        pcre2_match(code, (PCRE2_SPTR)topic, len, 0, 0, self->match, self->limits);
    *ret_match = result >= 0;
    if (result >= 0 || result == PCRE2_ERROR_NOMATCH) {
        return SLUICE_OK;
    }
    PCRE2_UCHAR reason[160];
    pcre2_get_error_message(result, reason, sizeof reason);
    return sluice_fail(err, SLUICE_BAD_RECORD, "cannot match topic '%s' with '%s': %s",
                       topic, self->config->regex, (const char *)reason);
}

static sluice_status router_route(router *self, const char *topic,
                                  const char **ret_topic, sluice_error *err)
{
    bool is_match;
    size_t len = strlen(topic);
    sluice_status status = router_match(self, self->whole, topic, len, &is_match, err);
    *ret_topic = topic;
    if (status != SLUICE_OK || !is_match) {
        return status;
    }
    status = router_match(self, self->found, topic, len, &is_match, err);
    if (status != SLUICE_OK || !is_match) {
        return status;
    }
    return replacement_apply(self->config->replacement, topic, len, self->found,
                             self->match, self->arena, ret_topic, err);
}

static sluice_status router_apply(void *instance, sluice_record *record, bool *ret_keep,
                                  sluice_error *err)
{
    router *self = instance;
    const char *topic = sluice_record_topic(record);
    if (topic == NULL) {
        return SLUICE_OK;
    }
    if (self->topic == NULL || strcmp(topic, self->topic) != 0) {
        sluice_arena_reset(self->arena);
        char *known = sluice_arena_copy(self->arena, topic, strlen(topic));
        self->topic = NULL;
        sluice_status status = router_route(self, known, &self->routed, err);
        if (status != SLUICE_OK) {
            return status;
        }
        self->topic = known;
    }
    if (self->routed != self->topic) {
        sluice_record_set_topic(record, self->routed);
    }
    return SLUICE_OK;
}

/* --- The feature. --- */

static sluice_status router_check(const void *parsed, sluice_error *err)
{
    const router_config *config = parsed;
    pcre2_code *code = NULL;
    sluice_status status = compile(config->regex, 0, &code, err);
    pcre2_code_free(code);
    return status;
}

static const sluice_key KEYS[] = {
    {.name = "regex",
     .doc = "Regular expression to use for matching.",
     .type = SLUICE_STRING,
     .importance = SLUICE_HIGH,
     .offset = SLUICE_AT(const char *, router_config, regex)},
    {.name = "replacement",
     .doc = "Replacement string.",
     .type = SLUICE_STRING,
     .importance = SLUICE_HIGH,
     .offset = SLUICE_AT(const char *, router_config, replacement)},
    {.name = NULL},
};

static const sluice_config CONFIG = {.size = sizeof(sluice_config),
                                     .key_size = sizeof(sluice_key),
                                     .struct_size = sizeof(router_config),
                                     .keys = KEYS,
                                     .check = router_check};

static const sluice_transform_ops OPS = {.size = sizeof(sluice_transform_ops),
                                         .create = router_create,
                                         .destroy = router_destroy,
                                         .apply = router_apply};

static const char *const ALIASES[] = {"org.apache.kafka.connect.transforms.RegexRouter",
                                      "RegexRouter", NULL};

const sluice_feature regex_router = {
    .size = sizeof(sluice_feature),
    .kind = SLUICE_TRANSFORM,
    .name = "regex-router",
    .summary = "Changes the topic by a regular expression.",
    .doc =
        "Where `regex` matches the whole topic, the first place where it is found is "
        "replaced by `replacement`, in which `$1` and `${name}` stand for groups and "
        "`\\$` for a dollar sign. Other topics stay as they are.",
    .aliases = ALIASES,
    .stands_for = "4.1.0",
    .config = &CONFIG,
    .ops.transform = &OPS};
