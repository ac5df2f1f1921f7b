/* call.h - a request's way: taken in, looked at, the herder asked, answered.
 *
 * libmicrohttpd's callbacks. A request that waits for the herder sleeps, and holds up
 * no other.
 *
 * Threads: the site's. */
#ifndef SLUICE_REST_CALL_H
#define SLUICE_REST_CALL_H

#include "worker/rest/edge.h"

/* MHD_OPTION_URI_LOG_CALLBACK: the request's first line has come. */
void *call_begin(void *site, const char *uri, struct MHD_Connection *connection);

/* The MHD_AccessHandlerCallback. */
enum MHD_Result call_handle(void *site, struct MHD_Connection *connection,
                            const char *path, const char *method, const char *version,
                            const char *upload, size_t *upload_len, void **call_at);

/* MHD_OPTION_NOTIFY_COMPLETED: it is answered, or its connection is gone. */
void call_end(void *site, struct MHD_Connection *connection, void **call_at,
              enum MHD_RequestTerminationCode how);

#endif
