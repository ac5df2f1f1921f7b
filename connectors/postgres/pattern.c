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

/* What a class of Java's is between brackets, where POSIX knows no backslash; NULL: the
 * character behind the backslash. */
static const char *in_brackets(char class)
{
    switch (class) {
    case 'd':
        return "0-9";
    case 'w':
        return "A-Za-z0-9_";
    case 's':
        return "[:space:]";
    default:
        return NULL;
    }
}

/* The end of "[…]" at `java`; whether it has a ']' or a '-' behind a backslash. */
static const char *scan_brackets(const char *java, bool *ret_end, bool *ret_dash)
{
    *ret_end = *ret_dash = false;
    for (java++; *java != '\0' && *java != ']'; java++) {
        if (*java == '\\' && java[1] != '\0') {
            java++;
            *ret_end |= *java == ']';
            *ret_dash |= *java == '-';
        }
    }
    return java;
}

/* Writes "[…]" at `java`, and returns its end. POSIX takes ']' for a character where it
 * comes first, and '-' where it comes last. */
static const char *translate_brackets(const char *java, char **io_out)
{
    bool has_end, has_dash;
    const char *end = scan_brackets(java, &has_end, &has_dash);
    char *out = *io_out;
    *out++ = *java++;
    if (*java == '^') {
        *out++ = *java++;
    }
    if (has_end) {
        *out++ = ']';
    }
    for (; java < end; java++) {
        const char *class = *java == '\\' ? in_brackets(java[1]) : NULL;
        java += *java == '\\' && java + 1 < end;
        if (class != NULL) {
            memcpy(out, class, strlen(class));
            out += strlen(class);
        } else if (java[-1] != '\\' || (*java != ']' && *java != '-')) {
            *out++ = *java;
        }
    }
    if (has_dash) {
        *out++ = '-';
    }
    *io_out = out;
    return end;
}

/* Writes `java` as a POSIX extended expression that matches whole texts, into `out`,
 * six times as long. False for what POSIX cannot say: lookahead and its kin. */
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
        } else if (*java == '[') {
            java = translate_brackets(java, &out);
            if (*java == '\0') {
                break; /* Which regcomp() tells. */
            }
            *out++ = *java;
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
    char *posix = pattern_take(strlen(java) * 6 + 8);
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

/* Whether a comma behind this would be the expression's own: "a{1\\,2}". */
static bool ends_escaping(const char *text, size_t len)
{
    size_t count = 0;
    while (count < len && text[len - 1 - count] == '\\') {
        count++;
    }
    return count % 2 == 1;
}

/* The expression that begins with item `*io_index`, which a comma behind a backslash
 * does not end; the backslash goes. */
static char *whole_item(const sluice_list *list, size_t *io_index)
{
    size_t size = 1, len = 0;
    for (size_t i = *io_index; i < list->count; i++) {
        size += strlen(list->items[i]) + 1;
    }
    char *whole = pattern_take(size);
    for (;; (*io_index)++) {
        const char *item = list->items[*io_index];
        memcpy(whole + len, item, strlen(item));
        len += strlen(item);
        if (!ends_escaping(item, strlen(item)) || *io_index + 1 == list->count) {
            return whole;
        }
        whole[len - 1] = ',';
    }
}

void pattern_list_init(pattern_list *self, const char *key, const sluice_list *list,
                       sluice_error *err)
{
    *self = (pattern_list){0, pattern_take(list->count * sizeof(regex_t))};
    for (size_t i = 0; i < list->count; i++) {
        char *java = whole_item(list, &i);
        if (pattern_compile(key, java, &self->items[self->count], err)) {
            self->count++;
        }
        free(java);
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
