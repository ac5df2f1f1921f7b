/* broker/group/subscription.h - what a consumer's metadata says it reads.
 *
 *     version i16 | count i32 | topics, each: length i16, bytes | more that differs
 *
 * To a coordinator metadata are bytes, except where Kafka looks at the topics of
 * protocol type "consumer": to keep offsets that are in use.
 *
 * Threads: any. */
#ifndef SLUICE_BROKER_GROUP_SUBSCRIPTION_H
#define SLUICE_BROKER_GROUP_SUBSCRIPTION_H

#include <sluice/arena.h>
#include <stdbool.h>

/* Whether `topic` is among the topics. `ret_known` is false if the bytes cannot be
 * read, and then so is the result. */
bool group_subscription_has(sluice_bytes metadata, sluice_bytes topic, bool *ret_known);

/* Whether both have the same topics, in any order. Bytes that cannot be read are the
 * same as only themselves. */
bool group_subscription_same(sluice_bytes a, sluice_bytes b);

#endif
