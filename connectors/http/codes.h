/* connectors/http/codes.h - sets of HTTP statuses, as a configuration writes them:
 * `408,429,500-`, `200-299`. */
#ifndef HTTP_CODES_H
#define HTTP_CODES_H

#include <sluice/plugin.h>

enum { HTTP_CODE_MIN = 100, HTTP_CODE_MAX = 999 };

typedef struct http_codes {
    uint64_t bits[(HTTP_CODE_MAX + 64) / 64];
} http_codes;

/* The set of a list of statuses and ranges; a range without an end goes up to 599.
 * Returns the first item that is neither, or NULL when all are good. */
const char *http_codes_parse(const sluice_list *list, http_codes *ret_codes);

/* Whether `status` is in it; no status outside 100 to 999 is. */
bool http_codes_have(const http_codes *codes, int status);

#endif
