/* broker/group/record.h - the records of `__consumer_offsets`, byte for byte Kafka's.
 *
 *     key                              value
 *     1 | group, topic, partition      3 | offset, leader epoch, metadata, time
 *     2 | group                        3 | type, generation, protocol, leader, members
 *
 * Before each stands its version; a key's says what kind of record it is. The shapes
 * are in protocol/records/: OffsetCommitKey, OffsetCommitValue, GroupMetadataKey and
 * GroupMetadataValue. Written: the versions above (1 for an offset with an expiry of
 * its own). Read: all that Kafka ever wrote, 0 to 4.
 *
 * Threads: any; no state. */
#ifndef SLUICE_BROKER_GROUP_RECORD_H
#define SLUICE_BROKER_GROUP_RECORD_H

#include "protocol/messages.h"

typedef enum group_record_kind {
    GROUP_RECORD_OFFSET = 0,
    GROUP_RECORD_GROUP,
    GROUP_RECORD_OTHER, /* Of the newer protocols. */
} group_record_kind;

/* The version and `value`, the C struct of `schema`, from `arena`. All texts are at
 * most 32767 bytes long: asserted. */
sluice_bytes group_record_encode(const message_schema *schema, int version,
                                 const void *value, sluice_arena *arena);

/* What a key is. SLUICE_BAD_RECORD: it has no version. */
sluice_status group_record_kind_of(sluice_bytes key, group_record_kind *ret_kind,
                                   sluice_error *err);

/* Reads a key or value as `schema`, in the version that it says. Texts point into
 * `bytes`. SLUICE_BAD_RECORD: it is none, with the reason. */
sluice_status group_record_decode(const message_schema *schema, sluice_bytes bytes,
                                  sluice_arena *arena, void *ret_value,
                                  sluice_error *err);

#endif
