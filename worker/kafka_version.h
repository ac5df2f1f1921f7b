/* worker/kafka_version.h - the Kafka Connect that this worker answers as.
 *
 * Tools compare it, and plugins of ours that stand for Kafka's have the same. */
#ifndef SLUICE_WORKER_KAFKA_VERSION_H
#define SLUICE_WORKER_KAFKA_VERSION_H

#define KAFKA_VERSION "4.1.0"

#endif
