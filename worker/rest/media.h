/* media.h - media types as HTTP headers name them: "text/html, application/json;q=0.5".
 *
 * Threads: any. */
#ifndef SLUICE_REST_MEDIA_H
#define SLUICE_REST_MEDIA_H

#include <stdbool.h>

/* Whether one of the types or ranges between the commas of `list` covers `type`
 * ("application/json"); so does an empty list, or NULL. Parameters do not matter, a
 * q=0 neither: Kafka Connect's server takes no notice of it. */
bool media_covers(const char *list, const char *type);

/* Whether the first of `list` that is `type` itself asks for it in UTF-8. */
bool media_asks_utf8(const char *list, const char *type);

/* Whether `text`, without its parameters, is exactly `type`. */
bool media_is(const char *text, const char *type);

/* Whether it has the form "type/subtype". */
bool media_is_formed(const char *text);

#endif
