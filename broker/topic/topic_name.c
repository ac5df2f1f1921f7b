/* broker/topic/topic_name.c - which names topics may have. */
#include "broker/topic/topic_name.h"

#include <string.h>

static bool is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '.' || c == '_' || c == '-';
}

static bool has_name_bytes(const char *name, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (!is_name_byte(name[i])) {
            return false;
        }
    }
    return true;
}

static bool is_dots(const char *name, size_t len)
{
    return (len == 1 || len == 2) && memcmp(name, "..", len) == 0;
}

bool topic_name_is_legal(const char *name, size_t len)
{
    return len > 0 && len <= topic_name_max && !is_dots(name, len) &&
           has_name_bytes(name, len);
}

sluice_status topic_name_check(const char *name, size_t len, sluice_error *err)
{
    int shown = len < topic_name_max ? (int)len : topic_name_max;
    if (topic_name_is_legal(name, len)) {
        return SLUICE_OK;
    }
    if (len == 0) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "Topic name is invalid: the empty string is not allowed");
    }
    if (is_dots(name, len)) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "Topic name is invalid: '%.*s' is not allowed", shown, name);
    }
    if (len > topic_name_max) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "Topic name is invalid: the length of '%.*s' is longer than "
                           "the max allowed length %d",
                           shown, name, topic_name_max);
    }
    return sluice_fail(err, SLUICE_BAD_CONFIG,
                       "Topic name is invalid: '%.*s' contains one or more characters "
                       "other than ASCII alphanumerics, '.', '_' and '-'",
                       shown, name);
}

bool topic_names_collide(const char *a, size_t a_len, const char *b, size_t b_len)
{
    if (a_len != b_len) {
        return false;
    }
    for (size_t i = 0; i < a_len; i++) {
        char x = a[i] == '.' ? '_' : a[i], y = b[i] == '.' ? '_' : b[i];
        if (x != y) {
            return false;
        }
    }
    return true;
}
