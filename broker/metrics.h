/* broker/metrics.h - the broker's metrics as a page in Prometheus' format.
 *
 * Names are those that Kafka's JMX metrics get from the exporter rules in use for it
 * (`kafka.server:type=BrokerTopicMetrics,name=MessagesInPerSec` is
 * kafka_server_brokertopicmetrics_messagesin_total), so that dashboards made for Kafka
 * show them; docs/broker-metrics.md lists all. Counters start with the process.
 *
 * Cost: what is shown is counted per network thread or below a lock that is held
 * anyway; the page itself takes each partition's lock for a moment.
 * Threads: metrics_topic_gone() and metrics_page() one, the background's. */
#ifndef SLUICE_BROKER_METRICS_H
#define SLUICE_BROKER_METRICS_H

#include "broker/request/handler.h"

typedef struct metrics metrics;

metrics *metrics_new(const broker_parts *parts); /* Borrowed. */
void metrics_free(metrics *self);                /* NULL is accepted. */

/* Keeps the traffic of a topic that was deleted in the sums over all. */
void metrics_topic_gone(metrics *self, const topic *gone);

/* The page, the caller's: free(). A scrape_page. */
char *metrics_page(void *self, size_t *ret_len);

#endif
