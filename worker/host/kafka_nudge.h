/* worker/host/kafka_nudge.h - makes a client look for room in its queue of records.
 *
 * Once that queue was full, librdkafka looks for room in it only when a request to that
 * broker is answered, or after a second: a sink that is quicker than the fetches would
 * get one queue a second, 16 MB. So while records are taken out in bulk, the client is
 * now and then asked something cheap, before the queue is empty, so that fetching and
 * putting overlap. The question waits for its answer, so a thread of its own asks; it
 * is there from the first time on.
 *
 * Since 2.2 there is fetch.queue.backoff.ms, and this is not needed.
 *
 * Threads: the consumer's. */
#ifndef SLUICE_WORKER_HOST_KAFKA_NUDGE_H
#define SLUICE_WORKER_HOST_KAFKA_NUDGE_H

#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

enum { nudge_topic_max = 256 };

typedef struct kafka_nudge {
    rd_kafka_t *client;
    pthread_t thread;
    bool started;
    pthread_mutex_t lock; /* Guards what follows. */
    pthread_cond_t news;
    bool asked, stopping;
    char topic[nudge_topic_max];
    int32_t partition;
} kafka_nudge;

/* The client is borrowed until done. */
void kafka_nudge_init(kafka_nudge *self, rd_kafka_t *client);
/* Waits for a question that is under way: a second at most. */
void kafka_nudge_done(kafka_nudge *self);

/* Asks the leader of this partition, soon; not once more while one is due. */
void kafka_nudge_ask(kafka_nudge *self, const char *topic, int32_t partition);

#endif
