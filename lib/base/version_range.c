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

/* "[a,b)"; an empty end is none. */
typedef struct span {
    const char *lower, *upper;
    size_t lower_len, upper_len;
    bool has_lower, has_upper; /* The ends themselves. */
} span;

/* The one at `*at`, which moves behind it; false when there is none. */
static bool take_range(const char **at, span *ret_span)
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
    *ret_span = (span){.lower = from,
                       .lower_len = lower_len,
                       .upper = comma == NULL ? from : comma + 1,
                       .upper_len = comma == NULL ? len : len - lower_len - 1,
                       .has_lower = **at == '[',
                       .has_upper = close == ']'};
    *at = from + len + 1;
    return true;
}

static bool has(const span *self, const char *version)
{
    return keeps_to(version, self->lower, self->lower_len, true, self->has_lower) &&
           keeps_to(version, self->upper, self->upper_len, false, self->has_upper);
}

/* Whether it has any version from `first` to right before `end`. */
static bool reaches(const span *self, const char *first, const char *end)
{
    char *lower = memory_copy(self->lower, self->lower_len);
    bool ordered = self->upper_len == 0 ||
                   keeps_to(lower, self->upper, self->upper_len, false, true);
    bool reached =
        ordered && (self->lower_len == 0 || version_compare(lower, end) < 0) &&
        keeps_to(first, self->upper, self->upper_len, false, self->has_upper);
    free(lower);
    return reached;
}

static bool is_plain(const char *range)
{
    return range[0] != '[' && range[0] != '(';
}

/* Whether one of the ranges of `text` has `version`; or, with an `end`, any version
 * from there to right before `end`. */
static bool any_has(const char *text, const char *version, const char *end)
{
    char *trimmed = text_trimmed(text);
    const char *at = trimmed;
    span one;
    bool found = false;
    if (strcmp(trimmed, "latest") == 0) {
        found = true;
    } else if (is_plain(trimmed)) {
        one = (span){trimmed, trimmed, strlen(trimmed), strlen(trimmed), true, true};
        found = trimmed[0] != '\0' && strpbrk(trimmed, "[]()") == NULL &&
                (end == NULL ? has(&one, version) : reaches(&one, version, end));
    } else {
        while (take_range(&at, &one)) {
            found = found ||
                    (end == NULL ? has(&one, version) : reaches(&one, version, end));
            at += *at == ',';
        }
        found = found && *at == '\0';
    }
    free(trimmed);
    return found;
}

bool version_range_has(const char *range, const char *version)
{
    return any_has(range, version, NULL);
}

bool version_range_means(const char *range, const char *version, const char *stands_for)
{
    int64_t major;
    if (stands_for == NULL ||
        !text_to_int64_of(stands_for, strcspn(stands_for, "."), &major)) {
        return any_has(range, stands_for == NULL ? version : stands_for, NULL);
    }
    char *first = memory_print("%lld", (long long)major);
    char *end = memory_print("%lld", (long long)major + 1);
    bool means = any_has(range, first, end);
    free(end);
    free(first);
    return means;
}

char *version_range_print(const char *range)
{
    char *trimmed = text_trimmed(range);
    char *printed = is_plain(trimmed) ? memory_print("[%s,%s]", trimmed, trimmed)
                                      : memory_text(trimmed);
    free(trimmed);
    return printed;
}
