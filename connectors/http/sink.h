/* connectors/http/sink.h - the operations of the HTTP sink. */
#ifndef HTTP_SINK_H
#define HTTP_SINK_H

#include <sluice/plugin.h>

extern const sluice_sink_ops http_sink_ops;

#endif
