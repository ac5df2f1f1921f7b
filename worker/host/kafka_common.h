/* worker/host/kafka_common.h - what the producer and the consumer share: theirs only.
 */
#ifndef SLUICE_WORKER_HOST_KAFKA_COMMON_H
#define SLUICE_WORKER_HOST_KAFKA_COMMON_H

#include "worker/host/client_settings.h"

/* A configuration with what every client is told: first `ours` (name, value, name, …,
 * NULL), then the settings. NULL and a text in `err` where they are refused. */
rd_kafka_conf_t *kafka_conf_new(client_kind kind, const char *const *ours,
                                const sluice_props *settings, sluice_error *err);

/* An eventfd, -1 when there is none to be had. It becomes readable when something
 * arrives in a queue that has joined it. */
int kafka_queue_fd(void);
void kafka_queue_join(rd_kafka_queue_t *queue, int fd);
void kafka_queue_fd_clear(int fd);

#endif
