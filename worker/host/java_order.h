/* worker/host/java_order.h - the order in which a Java HashMap hands out its keys.
 *
 * Some of Kafka Connect's lists come from one. The order follows from the names alone,
 * so clients that compare such a list as a text find it stable.
 *
 * Threads: any. */
#ifndef SLUICE_WORKER_HOST_JAVA_ORDER_H
#define SLUICE_WORKER_HOST_JAVA_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Java's String.hashCode() of a text in ASCII. */
uint32_t java_hash(const char *text);

/* Puts `names` into that order: by bucket of a table that doubles from 16 when it is
 * more than three quarters full, and within a bucket as they were put in. A map that is
 * `copied` from another is large enough from the start, and doubles at three quarters.
 */
void java_order(const char **names, size_t count, bool copied);

#endif
