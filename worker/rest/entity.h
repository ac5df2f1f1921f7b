/* entity.h - the bodies of requests, checked for their shape.
 *
 * What does not fit is refused in words that tools know from Kafka Connect
 * ("Unrecognized field", "Cannot deserialize value of type").
 *
 * Threads: any. */
#ifndef SLUICE_REST_ENTITY_H
#define SLUICE_REST_ENTITY_H

#include "worker/rest/route.h"
#include <jansson.h>
#include <sluice/error.h>

/* Parses `len` bytes as `kind` into what herder_request wants, the caller's; NULL for
 * route_no_body. SLUICE_BAD_CONFIG, with the text for the answer: no such body. An
 * empty one is none of any kind, save offsets, where it is {}. */
sluice_status entity_parse(route_body kind, const char *base, size_t len,
                           json_t **ret_body, sluice_error *err);

#endif
