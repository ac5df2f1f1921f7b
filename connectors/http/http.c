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
    .summary = "Sends records to an HTTP server, one by one or in batches.",
    .doc = "Each record's value is sent to `http.url`: texts as they are, structured "
           "values as JSON. A request that gets no answer, or a status of "
           "`retry.on.status.codes`, is sent again `max.retries` times. A record whose "
           "request is refused is a dead letter where `errors.tolerance=all`, else the "
           "task fails. Offsets are committed only after the server has answered, so "
           "nothing is lost; after a crash the last records may be sent again.",
    .aliases = sink_aliases,
    .stands_for = "0.9.0",
    .config = &http_config_table,
    .ops.sink = &http_sink_ops,
};

static const sluice_feature *const features[] = {&sink, NULL};

SLUICE_PLUGIN(.name = "http", .version = "0.1.0", .license = "Apache-2.0",
              .features = features);
