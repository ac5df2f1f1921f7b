/* Media types as HTTP headers name them. */
#include "worker/rest/media.h"
#include <string.h>
#include <strings.h>

/* The type at the beginning of `text`, without space around and without parameters. */
static const char *type_of(const char *text, size_t *ret_len)
{
    text += strspn(text, " \t");
    size_t len = strcspn(text, ";,");
    while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t')) {
        len--;
    }
    *ret_len = len;
    return text;
}

static bool equal(const char *text, size_t len, const char *type, size_t type_len)
{
    return len == type_len && strncasecmp(text, type, len) == 0;
}

bool media_covers(const char *list, const char *type)
{
    size_t len, before_slash = strcspn(type, "/") + 1;
    if (list == NULL || list[strspn(list, " \t,")] == '\0') {
        return true;
    }
    for (; *list != '\0'; list += *list == ',') {
        const char *range = type_of(list, &len);
        if (equal(range, len, type, strlen(type)) || equal(range, len, "*/*", 3) ||
            equal(range, len, "*", 1) ||
            (len == before_slash + 1 && range[len - 1] == '*' &&
             strncasecmp(range, type, before_slash) == 0)) {
            return true;
        }
        list += strcspn(list, ",");
    }
    return false;
}

static bool has_utf8(const char *parameters, size_t len)
{
    static const char wanted[] = "charset=utf-8";
    for (const char *end = parameters + len; parameters < end; parameters++) {
        const char *at = parameters + strspn(parameters, "; \t");
        size_t one = strcspn(at, ";, \t");
        if (equal(at, one, wanted, strlen(wanted))) {
            return true;
        }
        parameters = at + one;
    }
    return false;
}

bool media_asks_utf8(const char *list, const char *type)
{
    size_t len, item;
    for (; list != NULL && *list != '\0'; list += *list == ',') {
        const char *range = type_of(list, &len);
        item = strcspn(list, ",");
        if (equal(range, len, type, strlen(type))) {
            return has_utf8(range + len, (size_t)(list + item - (range + len)));
        }
        list += item;
    }
    return false;
}

bool media_is(const char *text, const char *type)
{
    size_t len;
    text = type_of(text, &len);
    return equal(text, len, type, strlen(type));
}

bool media_is_formed(const char *text)
{
    size_t len;
    text = type_of(text, &len);
    const char *slash = memchr(text, '/', len);
    return slash != NULL && slash > text && slash + 1 < text + len;
}
