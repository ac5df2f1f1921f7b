/* connectors/http/sink.h - the operations of the HTTP sink. */
#ifndef HTTP_SINK_H
#define HTTP_SINK_H

#include <sluice/plugin.h>

extern const sluice_sink_ops http_sink_ops;

/* A Retry-After header's value in milliseconds: seconds, or an HTTP date compared with
 * `now_s` (seconds since the epoch); -1 where it is neither. At most a minute. */
int64_t http_retry_after_ms(const char *value, int64_t now_s);

#endif
