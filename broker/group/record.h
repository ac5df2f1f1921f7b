/* broker/group/record.h - the records of `__consumer_offsets`, byte for byte Kafka's.
 *
 *     key                              value
 *     1 | group, topic, partition      3 | offset, leader epoch, metadata, time
 *     2 | group                        3 | type, generation, protocol, leader, members
 *
 * Written: the versions above (1 for an offset with an expiry of its own). Read: all
 * that Kafka ever wrote, 0 to 4.
 *
 * Threads: any; no state. */
#ifndef SLUICE_BROKER_GROUP_RECORD_H
#define SLUICE_BROKER_GROUP_RECORD_H

#include "protocol/message.h"
#include <sluice/arena.h>

typedef enum group_record_kind {
    GROUP_RECORD_OFFSET = 0,
    GROUP_RECORD_GROUP,
    GROUP_RECORD_OTHER, /* Of the newer protocols. */
} group_record_kind;

typedef struct group_record_key {
    message_text group_id;
    message_text topic; /* GROUP_RECORD_OFFSET only. */
    int32_t partition;  /* GROUP_RECORD_OFFSET only. */
} group_record_key;

typedef struct group_record_offset {
    int64_t offset;
    int32_t leader_epoch;
    message_text metadata;
    int64_t commit_timestamp;
    int64_t expire_timestamp; /* -1: none of its own. */
} group_record_offset;

typedef struct group_record_member {
    message_text member_id;
    message_text instance_id;
    message_text client_id;
    message_text client_host;
    int32_t rebalance_timeout_ms;
    int32_t session_timeout_ms;
    sluice_bytes subscription;
    sluice_bytes assignment;
} group_record_member;

typedef struct group_record_group {
    message_text protocol_type;
    int32_t generation;
    message_text protocol;
    message_text leader;
    int64_t state_timestamp;
    struct {
        group_record_member *items;
        size_t count;
    } members;
} group_record_group;

/* Each takes the bytes from `arena`. All texts are at most 32767 bytes long: asserted.
 */
sluice_bytes group_record_encode_key(group_record_kind kind,
                                     const group_record_key *key, sluice_arena *arena);
sluice_bytes group_record_encode_offset(const group_record_offset *value,
                                        sluice_arena *arena);
sluice_bytes group_record_encode_group(const group_record_group *value,
                                       sluice_arena *arena);

/* Texts point into what is read. SLUICE_BAD_RECORD: it is none of these, with the
 * reason. A key of another kind is fine and leaves `ret_key` alone. */
sluice_status group_record_decode_key(sluice_bytes bytes, sluice_arena *arena,
                                      group_record_kind *ret_kind,
                                      group_record_key *ret_key, sluice_error *err);
sluice_status group_record_decode_offset(sluice_bytes bytes, sluice_arena *arena,
                                         group_record_offset *ret_value,
                                         sluice_error *err);
sluice_status group_record_decode_group(sluice_bytes bytes, sluice_arena *arena,
                                        group_record_group *ret_value,
                                        sluice_error *err);

#endif
