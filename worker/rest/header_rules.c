/* response.http.headers.config: read as Jetty's header filter reads it. */
#include "worker/rest/header_rules.h"
#include "base/buffer.h"
#include "base/memory.h"
#include "base/text.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { rules_max = 256 };

static bool is_space(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r' || byte == '\f';
}

/* One item up to a comma or the end, without its quotes and the space around it; the
 * caller's. `*at` is then behind the comma. */
static char *next_item(const char **at)
{
    buffer out = BUFFER_INIT;
    const char *p = *at;
    size_t kept = 0;
    while (is_space(*p)) {
        p++;
    }
    if (*p == '"') {
        for (p++; *p != '\0' && *p != '"'; p++) {
            p += *p == '\\' && p[1] != '\0';
            buffer_append_byte(&out, *p);
        }
        kept = out.len;
        p += strcspn(p, ",");
    } else {
        for (; *p != '\0' && *p != ','; p++) {
            buffer_append_byte(&out, *p);
            kept = is_space(*p) ? kept : out.len;
        }
    }
    buffer_truncate(&out, kept);
    *at = p + (*p == ',');
    return buffer_take(&out, NULL);
}

static sluice_status read_action(const char *text, size_t len, header_rule *rule,
                                 sluice_error *err)
{
    static const char *const actions[] = {"set", "add", "setDate", "addDate"};
    for (size_t i = 0; i < 4; i++) {
        if (strlen(actions[i]) == len && strncasecmp(actions[i], text, len) == 0) {
            rule->replaces = i % 2 == 0;
            rule->is_date = i >= 2;
            return SLUICE_OK;
        }
    }
    return sluice_fail(err, SLUICE_BAD_CONFIG,
                       "Invalid header config action: '%.*s'. Expected one of [set, "
                       "add, setDate, addDate]",
                       (int)len, text);
}

static bool is_token(const char *name)
{
    for (const char *p = name; *p != '\0'; p++) {
        if ((unsigned char)*p >= 127 || *p <= ' ' ||
            strchr("()<>@,;:\\\"/[]?={}", *p)) {
            return false;
        }
    }
    return name[0] != '\0';
}

static bool is_value(const char *value)
{
    for (const char *p = value; *p != '\0'; p++) {
        if (((unsigned char)*p < ' ' && *p != '\t') || *p == 127) {
            return false;
        }
    }
    return true;
}

static sluice_status check_rule(header_rule *rule, sluice_error *err)
{
    if (rule->name[strcspn(rule->name, " \t\n\r\f")] != '\0' || rule->name[0] == '\0') {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "Invalid header name '%s'. The '[header name]' cannot "
                           "contain whitespace",
                           rule->name);
    }
    if (!is_token(rule->name) || !is_value(rule->value)) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "Invalid header '%s': its name or its value has a character "
                           "that no header may have",
                           rule->name);
    }
    if (rule->is_date && !text_to_int64(rule->value, &rule->after_ms)) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "Invalid date of header '%s': '%s' is not a number of "
                           "milliseconds from now",
                           rule->name, rule->value);
    }
    return SLUICE_OK;
}

/* "name:value" */
static sluice_status read_header(const char *text, header_rule *rule, sluice_error *err)
{
    const char *colon = strchr(text, ':');
    if (colon == NULL || colon[1] == '\0' || strchr(colon + 1, ':') != NULL) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "Invalid format of header name and header value pair '%s'. "
                           "Expected: '[header name]:[header value]'",
                           text);
    }
    char *name = memory_copy(text, (size_t)(colon - text));
    rule->name = text_trimmed(name);
    rule->value = text_trimmed(colon + 1);
    free(name);
    return check_rule(rule, err);
}

static sluice_status read_rule(const char *item, header_rule *rule, sluice_error *err)
{
    size_t len = 0;
    while (item[len] != '\0' && !is_space(item[len])) {
        len++;
    }
    const char *header = item + len;
    while (is_space(*header)) {
        header++;
    }
    if (*header == '\0') {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "Invalid format of header config '%s'. Expected: '[action] "
                           "[header name]:[header value]'",
                           item);
    }
    sluice_status status = read_action(item, len, rule, err);
    return status == SLUICE_OK ? read_header(header, rule, err) : status;
}

sluice_status header_rules_parse(const char *text, header_rules *ret_rules,
                                 sluice_error *err)
{
    header_rules rules = {0};
    sluice_status status = SLUICE_OK;
    text += strspn(text, " \t\n\r\f");
    while (*text != '\0' && status == SLUICE_OK) {
        char *item = next_item(&text);
        if (rules.count == rules_max) {
            status = sluice_fail(err, SLUICE_BAD_CONFIG, "it has more than %d rules",
                                 rules_max);
        } else {
            rules.items =
                memory_resize(rules.items, (rules.count + 1) * sizeof *rules.items);
            rules.items[rules.count] = (header_rule){0};
            status = read_rule(item, &rules.items[rules.count++], err);
        }
        free(item);
    }
    if (status != SLUICE_OK) {
        header_rules_done(&rules);
        return status;
    }
    *ret_rules = rules;
    return SLUICE_OK;
}

void header_rules_done(header_rules *self)
{
    for (size_t i = 0; i < self->count; i++) {
        free(self->items[i].name);
        free(self->items[i].value);
    }
    free(self->items);
    *self = (header_rules){0};
}

char *header_rule_value(const header_rule *rule, int64_t now_ms)
{
    int64_t at;
    struct tm parts;
    char date[64] = "";
    if (!rule->is_date) {
        return memory_text(rule->value);
    }
    if (__builtin_add_overflow(now_ms, rule->after_ms, &at)) {
        at = now_ms;
    }
    time_t seconds = (time_t)(at / 1000);
    if (gmtime_r(&seconds, &parts) == NULL ||
        strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &parts) == 0) {
        date[0] = '\0';
    }
    return memory_text(date);
}
