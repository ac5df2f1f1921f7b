/* A topic as one client sees it, and which of its partitions a record goes to. */
#include "worker/host/kafka_topic.h"
#include "base/memory.h"
#include <time.h>

enum { sticky_ms = 10 }; /* librdkafka's default, whose own sticks to ignored keys. */

static int64_t coarse_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Records without a key go to one partition for a while, so that batches fill. */
static int32_t stick(topic_side *self, const rd_kafka_topic_t *topic, int32_t count)
{
    int64_t now = coarse_ms();
    int32_t sticky = self->sticky;
    if (now - self->sticky_ms >= sticky_ms || sticky >= count ||
        !rd_kafka_topic_partition_available(topic, sticky)) {
        sticky = rd_kafka_msg_partitioner_random(topic, NULL, 0, count, NULL, NULL);
        self->sticky = sticky;
        self->sticky_ms = now;
    }
    return sticky;
}

static int32_t choose(const rd_kafka_topic_t *topic, const void *key, size_t key_len,
                      int32_t count, void *topic_opaque, void *opaque)
{
    topic_side *self = topic_opaque;
    self->partitions = count;
    if (count == 1) {
        return 0;
    }
    if (key == NULL || self->ignores_keys) {
        return stick(self, topic, count);
    }
    return rd_kafka_msg_partitioner_murmur2(topic, key, key_len, count, NULL, opaque);
}

topic_side *topic_side_new(rd_kafka_t *client, const char *name, bool ignores_keys)
{
    topic_side *self = memory_zero(sizeof *self);
    self->ignores_keys = ignores_keys;
    rd_kafka_topic_conf_t *conf = rd_kafka_default_topic_conf_dup(client);
    rd_kafka_topic_conf_set_opaque(conf, self);
    rd_kafka_topic_conf_set_partitioner_cb(conf, choose);
    self->object = rd_kafka_topic_new(client, name, conf);
    return self;
}

void topic_side_leave(topic_side *self)
{
    rd_kafka_topic_destroy(self->object);
    self->object = NULL;
}

int32_t topic_side_known(const topic_side *self, int32_t asked)
{
    return asked >= 0 ? asked : self->partitions == 1 ? 0 : -1;
}
