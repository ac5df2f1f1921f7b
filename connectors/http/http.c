/* The manifest of the HTTP plugin. */
#include "config.h"
#include "sink.h"

static const char *const sink_aliases[] = {
    "io.aiven.kafka.connect.http.HttpSinkConnector", "HttpSinkConnector", "HttpSink",
    NULL};

static const sluice_feature sink = {
    .size = sizeof sink,
    .kind = SLUICE_SINK,
    .name = "http-sink",
    .summary = "Posts records to an HTTP server, one by one or in batches.",
    .doc = "Each record's value is posted to `http.url`: texts as they are, structured "
           "values as JSON. A request that is refused, times out, or is answered with "
           "status 408, 429 or 5xx is sent again `max.retries` times. Offsets are "
           "committed only after the server has answered, so nothing is lost; after a "
           "crash the last records may be posted again.",
    .aliases = sink_aliases,
    .config = &http_config_table,
    .ops.sink = &http_sink_ops,
};

static const sluice_feature *const features[] = {&sink, NULL};

SLUICE_PLUGIN(.name = "http", .version = "0.1.0", .license = "Apache-2.0",
              .features = features);
