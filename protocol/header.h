/* protocol/header.h - what stands before each request and response, and whole frames.
 *
 *     size i32 | api_key i16, api_version i16, correlation_id i32, client_id, (tags) |
 * body size i32 | correlation_id i32, (tags)                                          |
 * body
 *
 * The tags are there in flexible versions; the client id is never compact; and the
 * header of an ApiVersions response never has tags, because whoever reads it does not
 * know yet which versions the broker speaks.
 *
 * Threads: any. */
#ifndef SLUICE_PROTOCOL_HEADER_H
#define SLUICE_PROTOCOL_HEADER_H

#include "message.h"
#include "output.h"

enum { frame_size_bytes = 4, api_versions_key = 18 };

typedef struct request_header {
    const message_api *api; /* NULL: the key is not defined; no more than the four
                               numbers is known then. */
    int16_t api_key, api_version;
    int32_t correlation_id;
    message_text client_id; /* Borrowed; may be null. */
    size_t size;            /* Where the body starts. */
} request_header;

/* Reads the header of the frame `base`, which stands behind the frame's size. A version
 * that is not known is no error here: the caller decides by `api`.
 * SLUICE_BAD_RECORD: there is no whole header. */
sluice_status request_header_decode(const uint8_t *base, size_t size,
                                    request_header *ret_header, sluice_error *err);

/* Reads the header of the response to `api` at `version`. */
sluice_status response_header_decode(const uint8_t *base, size_t size,
                                     const message_api *api, int version,
                                     int32_t *ret_correlation_id, size_t *ret_size,
                                     sluice_error *err);

/* Append a whole frame, its size included; errors as message_encode(). `client_id` may
 * be null. */
sluice_status request_encode(const message_api *api, int version,
                             int32_t correlation_id, message_text client_id,
                             const void *value, output *out, sluice_error *err);
sluice_status response_encode(const message_api *api, int version,
                              int32_t correlation_id, const void *value, output *out,
                              sluice_error *err);

#endif
