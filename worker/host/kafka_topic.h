/* worker/host/kafka_topic.h - a topic as one client sees it, and which of its
 * partitions a record goes to.
 *
 * The client asks choose() where a record without a partition goes, and so tells how
 * many partitions there are. Where there is one, the records behind the one that has
 * asked can be handed over all at once, which costs a third (0.04 instead of 0.13 us a
 * record, measured); but some go on asking, so that a partition more is noticed as soon
 * as the client knows of it.
 *
 * The rule is Java's: a key is hashed, records without one stay together for a while.
 *
 * Threads: any. */
#ifndef SLUICE_WORKER_HOST_KAFKA_TOPIC_H
#define SLUICE_WORKER_HOST_KAFKA_TOPIC_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct topic_side {
    rd_kafka_topic_t *object;
    bool ignores_keys;
    _Atomic int32_t partitions; /* When the client last asked; 0: never. */
    _Atomic int32_t sticky;     /* Where records without a key go … */
    _Atomic int64_t sticky_ms;  /* … since then. */
} topic_side;

/* `ignores_keys`: Java's RoundRobinPartitioner. The client is borrowed. */
topic_side *topic_side_new(rd_kafka_t *client, const char *name, bool ignores_keys);
/* No record of it is with the client any more, or the client is about to go: it may
 * still ask until then, so the memory must stay until the client is gone. */
void topic_side_leave(topic_side *self);

/* Where a record with partition `asked` (-1: any) and this key will go, as far as it is
 * known without asking; -1: ask. */
int32_t topic_side_known(const topic_side *self, int32_t asked);

#endif
