/* broker/broker.h - a whole broker: started from a configuration, stopped.
 *
 * Threads: one that starts and stops it; the rest are its own. Several brokers can live
 * in one process. */
#ifndef SLUICE_BROKER_BROKER_H
#define SLUICE_BROKER_BROKER_H

#include "base/properties.h"
#include <sluice/error.h>
#include <stdint.h>

typedef struct broker broker;

/* Starts a broker with Kafka's keys in `given`, which is borrowed until broker_stop().
 * Returned: its listeners answer. SLUICE_BAD_CONFIG: a key is wrong, a port or a
 * directory is taken. SLUICE_FATAL: the disk or the kernel refuses. */
sluice_status broker_start(const properties *given, broker **ret_broker,
                           sluice_error *err);

/* Stops cleanly: everything that was acknowledged, and everything else that was
 * written, is on disk. NULL is accepted. */
void broker_stop(broker *self);

/* Listeners in the order of `listeners`. The text is borrowed: "127.0.0.1:9092". */
size_t broker_listener_count(const broker *self);
const char *broker_address(const broker *self, size_t listener);

/* Where the metrics are, "http://127.0.0.1:9404/metrics"; NULL without the key
 * metrics.listener. Borrowed. */
const char *broker_metrics_url(const broker *self);

#endif
