/* worker/host/kafka_headers.h - header lists of librdkafka, used again and again.
 *
 * For each header librdkafka allocates, and twice for the list; the headers of change
 * capture are the same from record to record. So lists are taken back from messages
 * that are delivered, and given to the next with the same headers: 0.5 us a record
 * with three of them, measured.
 *
 * Threads: any. */
#ifndef SLUICE_WORKER_HOST_KAFKA_HEADERS_H
#define SLUICE_WORKER_HOST_KAFKA_HEADERS_H

#include "worker/host/kafka_client.h"
#include <librdkafka/rdkafka.h>
#include <pthread.h>

typedef struct kafka_headers {
    pthread_mutex_t lock;
    rd_kafka_headers_t **spare; /* NULL: none yet. */
    size_t count;
} kafka_headers;

void kafka_headers_init(kafka_headers *self);
void kafka_headers_done(kafka_headers *self);

/* A list with these headers, the caller's: a message takes it, or else put or destroy
 * it. */
rd_kafka_headers_t *kafka_headers_take(kafka_headers *self, const kafka_header *headers,
                                       size_t count);

/* Takes lists that no message has any more. */
void kafka_headers_put(kafka_headers *self, rd_kafka_headers_t **lists, size_t count);

/* Frees all that are spare. */
void kafka_headers_trim(kafka_headers *self);

#endif
