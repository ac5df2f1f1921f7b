/* Sets of HTTP statuses. */
#include "codes.h"

enum { range_end = 599 };

/* Three digits; moves `*at` behind them. -1 where there are none. */
static int parse_code(const char **at)
{
    int code = 0;
    for (int i = 0; i < 3; i++, (*at)++) {
        if (**at < '0' || **at > '9') {
            return -1;
        }
        code = code * 10 + (**at - '0');
    }
    return code >= HTTP_CODE_MIN ? code : -1;
}

static bool parse_range(const char *item, int *ret_first, int *ret_last)
{
    *ret_first = *ret_last = parse_code(&item);
    if (*ret_first > 0 && *item == '-') {
        item++;
        *ret_last = *item == '\0' ? range_end : parse_code(&item);
    }
    return *ret_first > 0 && *ret_last >= *ret_first && *item == '\0';
}

const char *http_codes_parse(const sluice_list *list, http_codes *ret_codes)
{
    *ret_codes = (http_codes){0};
    for (size_t i = 0; i < list->count; i++) {
        int first, last;
        if (!parse_range(list->items[i], &first, &last)) {
            return list->items[i];
        }
        for (int code = first; code <= last; code++) {
            ret_codes->bits[code / 64] |= UINT64_C(1) << (code % 64);
        }
    }
    return NULL;
}

bool http_codes_have(const http_codes *codes, int status)
{
    return status >= HTTP_CODE_MIN && status <= HTTP_CODE_MAX &&
           (codes->bits[status / 64] >> (status % 64) & 1) != 0;
}
