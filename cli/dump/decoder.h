/* cli/dump/decoder.h - records of Kafka's own topics as JSON: committed offsets and
 * groups, transactions, the metadata log, the state of share groups; and control
 * records.
 *
 * Shared by kafka-dump-log and by the formatters of kafka-console-consumer.
 * Threads: any. Records come from disks and brokers: nothing here trusts them. */
#ifndef CLI_DUMP_DECODER_H
#define CLI_DUMP_DECODER_H

#include "base/buffer.h"
#include "broker/log/record_batch.h"

/* What keys and values of records are. */
typedef enum dump_decoder {
    DUMP_TEXT, /* Anybody's: each by its own class. */
    DUMP_OFFSETS,
    DUMP_TRANSACTIONS,
    DUMP_METADATA,
    DUMP_SHARE_STATE,
} dump_decoder;

/* Appends key and value of `record` of one of Kafka's own topics as text: JSON, or what
 * is wrong with them, as Kafka's tool tells it. Nothing is appended where the line has
 * no such text. SLUICE_BAD_RECORD: the record has no key, but needs one. */
sluice_status decode_record(dump_decoder decoder, const log_record *record,
                            buffer *ret_key, buffer *ret_payload, sluice_error *err);

/* The key of a record as `{"type":"1","data":{…}}`, and its type. False when the type
 * is not known or the bytes are no such key; `ret_type` is -1 when they have none. */
bool decode_key(dump_decoder decoder, sluice_bytes key, buffer *ret_json,
                int16_t *ret_type, sluice_error *err);

/* The value that belongs to a key of `type`: `{"version":"3","data":{…}}`. */
bool decode_value(dump_decoder decoder, int16_t type, sluice_bytes value,
                  buffer *ret_json, sluice_error *err);

/* Appends what a control record says: "endTxnMarker: COMMIT coordinatorEpoch: 0".
 * SLUICE_BAD_RECORD when it is none. */
sluice_status decode_control(const log_record *record, buffer *ret_text,
                             sluice_error *err);

#endif
