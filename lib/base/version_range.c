/* Which versions of a plugin a configuration accepts. */
#include "version_range.h"
#include "memory.h"
#include "text.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* --- Two versions. --- */

static bool is_separator(char c)
{
    return c == '.' || c == '-' || c == '_' || c == '+';
}

/* The part at `*at`, which moves behind it. */
static size_t take_part(const char **at, const char **ret_part)
{
    *ret_part = *at;
    while (**at != '\0' && !is_separator(**at)) {
        (*at)++;
    }
    size_t len = (size_t)(*at - *ret_part);
    *at += **at != '\0';
    return len;
}

static int compare_parts(const char *left, size_t left_len, const char *right,
                         size_t right_len)
{
    int64_t left_number = 0, right_number = 0;
    bool left_is = left_len == 0 || text_to_int64_of(left, left_len, &left_number);
    bool right_is = right_len == 0 || text_to_int64_of(right, right_len, &right_number);
    if (left_is && right_is) {
        return left_number < right_number ? -1 : left_number > right_number;
    }
    if (left_is || right_is) {
        return left_is ? 1 : -1;
    }
    size_t shorter = left_len < right_len ? left_len : right_len;
    int by_text = strncasecmp(left, right, shorter);
    return by_text != 0            ? by_text
           : left_len == right_len ? 0
           : left_len < right_len  ? -1
                                   : 1;
}

int version_compare(const char *left, const char *right)
{
    int order = 0;
    while (order == 0 && (*left != '\0' || *right != '\0')) {
        const char *left_part, *right_part;
        size_t left_len = take_part(&left, &left_part);
        size_t right_len = take_part(&right, &right_part);
        order = compare_parts(left_part, left_len, right_part, right_len);
    }
    return order;
}

/* --- A range. --- */

/* Whether `version` keeps to one end of a range, `len` bytes at `end`. */
static bool keeps_to(const char *version, const char *end, size_t len, bool is_lower,
                     bool inclusive)
{
    if (len == 0) {
        return true;
    }
    char *text = memory_copy(end, len);
    int order = version_compare(version, text);
    free(text);
    return (inclusive && order == 0) || (is_lower ? order > 0 : order < 0);
}

/* One "[a,b)" at `*at`, which moves behind it; false when there is none. */
static bool take_range(const char **at, const char *version, bool *ret_has)
{
    if (**at != '[' && **at != '(') {
        return false;
    }
    const char *from = *at + 1;
    size_t len = strcspn(from, "[]()");
    const char *comma = memchr(from, ',', len);
    char close = from[len];
    if (close != ']' && close != ')') {
        return false;
    }
    size_t lower_len = comma == NULL ? len : (size_t)(comma - from);
    const char *upper = comma == NULL ? from : comma + 1;
    size_t upper_len = comma == NULL ? len : len - lower_len - 1;
    *ret_has = keeps_to(version, from, lower_len, true, **at == '[') &&
               keeps_to(version, upper, upper_len, false, close == ']');
    *at = from + len + 1;
    return true;
}

static bool is_plain(const char *range)
{
    return range[0] != '[' && range[0] != '(';
}

bool version_range_has(const char *range, const char *version)
{
    char *trimmed = text_trimmed(range);
    const char *at = trimmed;
    bool has = false, in_one = false;
    if (strcmp(trimmed, "latest") == 0) {
        has = true;
    } else if (is_plain(trimmed)) {
        has = trimmed[0] != '\0' && strpbrk(trimmed, "[]()") == NULL &&
              version_compare(trimmed, version) == 0;
    } else {
        while (take_range(&at, version, &in_one)) {
            has = has || in_one;
            at += *at == ',';
        }
        has = has && *at == '\0';
    }
    free(trimmed);
    return has;
}

char *version_range_print(const char *range)
{
    char *trimmed = text_trimmed(range);
    char *printed = is_plain(trimmed) ? memory_print("[%s,%s]", trimmed, trimmed)
                                      : memory_text(trimmed);
    free(trimmed);
    return printed;
}
