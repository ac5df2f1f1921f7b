/* connectors/postgres/pattern.c - Java's regular expressions as POSIX's. */
#include "pattern.h"

#include <stdlib.h>
#include <string.h>

void *pattern_take(size_t size)
{
    void *taken = calloc(1, size > 0 ? size : 1);
    if (taken == NULL) {
        abort();
    }
    return taken;
}

/* Writes `java` as a POSIX extended expression that matches whole texts, into `out`,
 * five times as long. False for what POSIX cannot say: lookahead and its kin. */
static bool translate(const char *java, char *out)
{
    memcpy(out, "^(", 2);
    out += 2;
    for (; *java != '\0'; java++) {
        if (strncmp(java, "(?:", 3) == 0) {
            *out++ = '(';
            java += 2;
        } else if (strncmp(java, "(?", 2) == 0) {
            return false;
        } else if (strncmp(java, "\\d", 2) == 0) {
            memcpy(out, "[0-9]", 5);
            out += 5;
            java++;
        } else if (*java == '\\' && java[1] != '\0') {
            *out++ = *java++;
            *out++ = *java;
        } else {
            *out++ = *java;
        }
    }
    memcpy(out, ")$", 3);
    return true;
}

bool pattern_compile(const char *key, const char *java, regex_t *ret_regex,
                     sluice_error *err)
{
    char *posix = pattern_take(strlen(java) * 5 + 8);
    bool possible = translate(java, posix);
    int code =
        possible ? regcomp(ret_regex, posix, REG_EXTENDED | REG_ICASE | REG_NOSUB) : 0;
    if (!possible) {
        sluice_fail_key(err, key,
                        "Invalid value %s for configuration %s: groups that begin with "
                        "'(?' other than '(?:' are not supported; write the expression "
                        "without them",
                        java, key);
    } else if (code != 0) {
        char reason[128];
        regerror(code, ret_regex, reason, sizeof reason);
        sluice_fail_key(err, key,
                        "Invalid value %s for configuration %s: no regular expression: "
                        "%s",
                        java, key, reason);
    }
    free(posix);
    return possible && code == 0;
}

bool pattern_matches(const regex_t *pattern, const char *name)
{
    return regexec(pattern, name, 0, NULL, 0) == 0;
}

void pattern_list_init(pattern_list *self, const char *key, const sluice_list *list,
                       sluice_error *err)
{
    *self = (pattern_list){0, pattern_take(list->count * sizeof(regex_t))};
    for (size_t i = 0; i < list->count; i++) {
        if (pattern_compile(key, list->items[i], &self->items[self->count], err)) {
            self->count++;
        }
    }
}

void pattern_list_done(pattern_list *self)
{
    for (size_t i = 0; i < self->count; i++) {
        regfree(&self->items[i]);
    }
    free(self->items);
}

bool pattern_list_has(const pattern_list *self, const char *name)
{
    for (size_t i = 0; i < self->count; i++) {
        if (pattern_matches(&self->items[i], name)) {
            return true;
        }
    }
    return false;
}
