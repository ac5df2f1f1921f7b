/* cli/admin_offsets.h - the offsets of partitions by time, asked of their leaders.
 *
 * Threads: the main one. Memory: as admin.h says. */
#ifndef CLI_ADMIN_OFFSETS_H
#define CLI_ADMIN_OFFSETS_H

#include "admin.h"

/* Times that are none. */
enum {
    OFFSET_LATEST = -1,
    OFFSET_EARLIEST = -2,
    OFFSET_MAX_TIMESTAMP = -3,
    OFFSET_EARLIEST_LOCAL = -4,
    OFFSET_LATEST_TIERED = -5,
};

typedef struct partition_offset {
    const char *topic;
    int32_t partition;
    int32_t leader; /* -1: there is none, and the code is LEADER_NOT_AVAILABLE. */
    int64_t offset; /* -1: no record is that late. */
    int16_t error_code;
} partition_offset;

/* Fills `offset` and `error_code` of `count` partitions: the first offset at or after
 * `timestamp`, a time in milliseconds or one of the above. A status other than
 * SLUICE_OK is about a broker that could not be asked. */
sluice_status admin_list_offsets(admin *self, int64_t timestamp,
                                 partition_offset *partitions, size_t count,
                                 sluice_error *err);

/* The partitions of a topic, as metadata has them, for the above; in order. Returns
 * their number. */
size_t partition_offsets_of(admin *self, const metadata_response_topic *topic,
                            partition_offset **ret_partitions);

#endif
