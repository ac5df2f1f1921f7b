/* Makes a client look for room in its queue of records. */
#include "worker/host/kafka_nudge.h"
#include <stdio.h>

enum { answer_timeout_ms = 1000 };

void kafka_nudge_init(kafka_nudge *self, rd_kafka_t *client)
{
    *self = (kafka_nudge){.client = client};
    pthread_mutex_init(&self->lock, NULL);
    pthread_cond_init(&self->news, NULL);
}

static void *run(void *context)
{
    kafka_nudge *self = context;
    char topic[nudge_topic_max];
    pthread_mutex_lock(&self->lock);
    while (!self->stopping) {
        if (!self->asked) {
            pthread_cond_wait(&self->news, &self->lock);
            continue;
        }
        int32_t partition = self->partition;
        snprintf(topic, sizeof topic, "%s", self->topic);
        pthread_mutex_unlock(&self->lock);
        int64_t low, high;
        rd_kafka_query_watermark_offsets(self->client, topic, partition, &low, &high,
                                         answer_timeout_ms);
        pthread_mutex_lock(&self->lock);
        self->asked = false;
    }
    pthread_mutex_unlock(&self->lock);
    return NULL;
}

void kafka_nudge_ask(kafka_nudge *self, const char *topic, int32_t partition)
{
    pthread_mutex_lock(&self->lock);
    if (!self->asked && !self->stopping) {
        self->asked = true;
        self->partition = partition;
        snprintf(self->topic, sizeof self->topic, "%s", topic);
        if (!self->started) {
            self->started = pthread_create(&self->thread, NULL, run, self) == 0;
        }
        pthread_cond_signal(&self->news);
    }
    pthread_mutex_unlock(&self->lock);
}

void kafka_nudge_done(kafka_nudge *self)
{
    pthread_mutex_lock(&self->lock);
    self->stopping = true;
    pthread_cond_signal(&self->news);
    pthread_mutex_unlock(&self->lock);
    if (self->started) {
        pthread_join(self->thread, NULL);
        self->started = false;
    }
    pthread_mutex_destroy(&self->lock);
    pthread_cond_destroy(&self->news);
}
