/* broker/topic/topic.h - a topic as it is at one moment: constant, and shared.
 *
 * A change (more partitions, another config) makes a new one; whoever holds the old one
 * goes on with it. Its partitions are the same objects in both.
 *
 * Threads: any. */
#ifndef SLUICE_BROKER_TOPIC_TOPIC_H
#define SLUICE_BROKER_TOPIC_TOPIC_H

#include "base/uuid.h"
#include "broker/config/topic_config.h"
#include "broker/log/partition.h"
#include <stdatomic.h>

typedef struct topic {
    atomic_size_t references;
    char *name;
    size_t name_len;
    uuid id;
    bool internal; /* `__consumer_offsets` and its like. */
    int32_t partition_count;
    partition **partitions;
    config_pair *configs; /* What the topic sets itself. */
    size_t config_count;
    topic_config config;
} topic;

topic *topic_ref(topic *self);
void topic_unref(topic *self); /* NULL is accepted. */

/* Partition `number`, borrowed from the topic, or NULL. */
static inline partition *topic_partition(const topic *self, int32_t number)
{
    return number >= 0 && number < self->partition_count ? self->partitions[number]
                                                         : NULL;
}

/* The topic's own value of a key, or NULL. */
const char *topic_config_own(const topic *self, const char *name);

#endif
