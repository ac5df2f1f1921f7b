/* worker/host/client_settings.h - the settings of a Kafka client, from Java's names.
 *
 * Configurations name the settings of producers and consumers as Java's clients do.
 * A table says for each what librdkafka calls it, or why it is of no use here. The
 * layers are Kafka Connect's, later ones win: what the worker derives, `producer.*` or
 * `consumer.*` of the worker, `producer.override.*` or `consumer.override.*` of the
 * connector. One thing is kinder: security.protocol, sasl.* and ssl.* of the worker
 * are inherited, where Kafka Connect wants them said again with a prefix.
 *
 * Threads: any; nothing is kept. */
#ifndef SLUICE_WORKER_HOST_CLIENT_SETTINGS_H
#define SLUICE_WORKER_HOST_CLIENT_SETTINGS_H

#include <librdkafka/rdkafka.h>
#include <sluice/config.h>

typedef enum client_kind { CLIENT_PRODUCER, CLIENT_CONSUMER, CLIENT_ADMIN } client_kind;

/* "producer", "consumer", "admin". */
const char *client_kind_name(client_kind kind);

/* All layers in Java's names. `derived` are settings that the host itself chooses and
 * that a configuration may change. The result is the caller's. */
sluice_props *client_settings_layers(client_kind kind, const sluice_props *worker,
                                     const sluice_props *connector,
                                     const sluice_props *derived);

/* Puts `settings` into `conf` under librdkafka's names. A setting that nobody knows is
 * named in the log. BAD_CONFIG, with all faults and Java's names, for values that
 * librdkafka refuses. */
sluice_status client_settings_apply(client_kind kind, const sluice_props *settings,
                                    rd_kafka_conf_t *conf, sluice_error *err);

/* A number among the settings, or `fallback` where it is absent or no number. */
int64_t client_settings_number(const sluice_props *settings, const char *name,
                               int64_t fallback);

#endif
