/* broker/topic/found_topics.h - topics that lie in the log directories, though the
 * metadata log does not know them: somebody has copied an Apache Kafka broker's folders
 * there.
 *
 * A folder "<topic>-<number>" with segments and a partition.metadata is a partition of
 * the topic whose id that file gives. */
#ifndef SLUICE_BROKER_TOPIC_FOUND_TOPICS_H
#define SLUICE_BROKER_TOPIC_FOUND_TOPICS_H

#include "base/uuid.h"
#include "broker/log/log_dir.h"
#include <sluice/error.h>

typedef struct found_topic {
    char *name;
    uuid id;
    int32_t partition_count; /* The highest number that was found, and one. */
} found_topic;

typedef struct found_topics {
    found_topic *items;
    size_t count;
} found_topics;

/* What is known of a folder's partition. */
typedef enum found_kind {
    FOUND_KNOWN,   /* Its topic is: nothing to do. */
    FOUND_REMOVED, /* Its topic was deleted, and the folder stayed: "…-stray". */
    FOUND_NEW,
} found_kind;

/* Asked about each folder. `id` is NULL at first, when only names are to be compared,
 * which spares reading the file: FOUND_KNOWN or FOUND_NEW. */
typedef found_kind found_ask(void *context, const char *name, int32_t number,
                             const uuid *id);

/* Looks through the directories. What cannot be taken over is left as it is, and the
 * log says why. By the thread that opens the broker. */
void found_topics_scan(log_dir **dirs, size_t dir_count, found_ask *ask, void *context,
                       found_topics *ret_found);
void found_topics_done(found_topics *self);

#endif
