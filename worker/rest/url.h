/* url.h - a request's target in its parts, decoded:
 * /connectors/a%2Fb/config?expand=info.
 *
 * Threads: any. */
#ifndef SLUICE_REST_URL_H
#define SLUICE_REST_URL_H

#include <stdbool.h>
#include <stddef.h>

enum { url_segments_max = 8, url_parameters_max = 32 };

typedef struct url_parameter {
    char *name, *value;
} url_parameter;

typedef struct url {
    char *segments[url_segments_max]; /* Decoded; a slash at the end does not count. */
    size_t segment_count;
    url_parameter parameters[url_parameters_max]; /* Decoded; those beyond are left. */
    size_t parameter_count;
} url;

/* Takes `raw`, path and query as in the request line, apart; what a segment has behind
 * a ';' is left, and so are segments beyond those of any path of ours. A parameter that
 * cannot be decoded stays as it is. NULL, or why the path cannot be: an empty segment
 * inside, a percent sign without two hex digits, a byte 0. Either way url_done() is to
 * be called. */
const char *url_parse(const char *raw, url *ret_url);
void url_done(url *self);

/* The first value of a parameter, or NULL. */
const char *url_parameter_value(const url *self, const char *name);
/* Whether a parameter is there with this value, upper or lower case. */
bool url_parameter_is(const url *self, const char *name, const char *value);
/* The same, but letter by letter. */
bool url_parameter_has(const url *self, const char *name, const char *value);

/* `text` as one path segment, the caller's. */
char *url_encode(const char *text);

#endif
