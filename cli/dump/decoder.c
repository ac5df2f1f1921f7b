/* Keys and values of Kafka's own topics, found by the type that they begin with. */
#include "decoder.h"
#include "protocol/json.h"
#include "protocol/messages.h"
#include "protocol/wire.h"

typedef struct record_kind {
    dump_decoder decoder;
    int16_t type;
    int16_t key_version;
    const message_schema *key, *value;
} record_kind;

#define KIND(decoder, type, name)                                                      \
    {                                                                                  \
        decoder, type, 0, &name##_key_schema, &name##_value_schema                     \
    }

static const record_kind kinds[] = {
    KIND(DUMP_OFFSETS, 0, legacy_offset_commit),
    {DUMP_OFFSETS, 1, 1, &offset_commit_key_schema, &offset_commit_value_schema},
    {DUMP_OFFSETS, 2, 2, &group_metadata_key_schema, &group_metadata_value_schema},
    KIND(DUMP_OFFSETS, 3, consumer_group_metadata),
    KIND(DUMP_OFFSETS, 4, consumer_group_partition_metadata),
    KIND(DUMP_OFFSETS, 5, consumer_group_member_metadata),
    KIND(DUMP_OFFSETS, 6, consumer_group_target_assignment_metadata),
    KIND(DUMP_OFFSETS, 7, consumer_group_target_assignment_member),
    KIND(DUMP_OFFSETS, 8, consumer_group_current_member_assignment),
    KIND(DUMP_OFFSETS, 10, share_group_member_metadata),
    KIND(DUMP_OFFSETS, 11, share_group_metadata),
    KIND(DUMP_OFFSETS, 12, share_group_target_assignment_metadata),
    KIND(DUMP_OFFSETS, 13, share_group_target_assignment_member),
    KIND(DUMP_OFFSETS, 14, share_group_current_member_assignment),
    KIND(DUMP_OFFSETS, 15, share_group_state_partition_metadata),
    KIND(DUMP_OFFSETS, 16, consumer_group_regular_expression),
    KIND(DUMP_TRANSACTIONS, 0, transaction_log),
    KIND(DUMP_SHARE_STATE, 0, share_snapshot),
    KIND(DUMP_SHARE_STATE, 1, share_update),
};

static const record_kind *find_kind(dump_decoder decoder, int16_t type)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (kinds[i].decoder == decoder && kinds[i].type == type) {
            return &kinds[i];
        }
    }
    return NULL;
}

static bool starts_with_number(sluice_bytes bytes, int16_t *ret_number)
{
    if (bytes.base == NULL || bytes.len < 2) {
        return false;
    }
    *ret_number = (int16_t)wire_get_16(bytes.base);
    return true;
}

/* What the consumers of a group said of themselves, in the consumer protocol's
 * versions; false when it is something else. */
static bool print_protocol(const message_schema *schema, sluice_bytes bytes,
                           buffer *out)
{
    int16_t version;
    bool subscription = schema == &consumer_protocol_subscription_schema;
    if (!starts_with_number(bytes, &version) || version < 0 ||
        (version > schema->version_max && !subscription)) {
        return false; /* Kafka's tool reads newer subscriptions only. */
    }
    int known = version < schema->version_max ? version : schema->version_max;
    sluice_arena *arena = sluice_arena_new();
    void *value = sluice_arena_take(arena, schema->body->size);
    bool good = message_decode(schema, known, (const uint8_t *)bytes.base + 2,
                               bytes.len - 2, arena, value, NULL) == SLUICE_OK;
    if (good) {
        message_json(schema->body, known, value, NULL, NULL, out);
    }
    sluice_arena_free(arena);
    return good;
}

/* Members of a group of consumers: subscription and assignment are messages, too. */
static bool print_member(void *context, const message_struct *type,
                         const message_field *field, const void *value, buffer *out)
{
    const group_metadata_value *group = context;
    if (!message_text_is(group->protocol_type, "consumer") ||
        type != group_metadata_value_schema.body->fields[5].item) {
        return false;
    }
    if (field->offset == offsetof(group_metadata_value_member, subscription)) {
        return print_protocol(&consumer_protocol_subscription_schema,
                              *(const sluice_bytes *)value, out);
    }
    if (field->offset == offsetof(group_metadata_value_member, assignment)) {
        return print_protocol(&consumer_protocol_assignment_schema,
                              *(const sluice_bytes *)value, out);
    }
    return false;
}

/* Decodes what follows the number at the start, and prints it behind `head`. */
static bool print_message(const message_schema *schema, int version, sluice_bytes bytes,
                          const char *head, int16_t number, buffer *out,
                          sluice_error *err)
{
    sluice_arena *arena = sluice_arena_new();
    void *value = sluice_arena_take(arena, schema->body->size);
    bool good = message_decode(schema, version, (const uint8_t *)bytes.base + 2,
                               bytes.len - 2, arena, value, err) == SLUICE_OK;
    if (good) {
        bool group = schema == &group_metadata_value_schema;
        buffer_print(out, "{\"%s\":\"%d\",\"data\":", head, number);
        message_json(schema->body, version, value, group ? print_member : NULL, value,
                     out);
        buffer_append_byte(out, '}');
    }
    sluice_arena_free(arena);
    return good;
}

bool decode_key(dump_decoder decoder, sluice_bytes key, buffer *ret_json,
                int16_t *ret_type, sluice_error *err)
{
    *ret_type = -1;
    if (!starts_with_number(key, ret_type)) {
        sluice_fail(err, SLUICE_BAD_RECORD,
                    "Could not read version from key's buffer.");
        return false;
    }
    const record_kind *kind = find_kind(decoder, *ret_type);
    if (kind == NULL) {
        sluice_fail(err, SLUICE_BAD_RECORD, "Unknown record type %d", *ret_type);
        return false;
    }
    if (!print_message(kind->key, kind->key_version, key, "type", *ret_type, ret_json,
                       err)) {
        sluice_prefix(err,
                      "Could not read record with version %d from key's buffer due to",
                      *ret_type);
        return false;
    }
    return true;
}

bool decode_value(dump_decoder decoder, int16_t type, sluice_bytes value,
                  buffer *ret_json, sluice_error *err)
{
    const record_kind *kind = find_kind(decoder, type);
    int16_t version = -1;
    if (!starts_with_number(value, &version)) {
        sluice_fail(err, SLUICE_BAD_RECORD,
                    "Could not read version from value's buffer.");
        return false;
    }
    if (kind == NULL || version < kind->value->version_min ||
        version > kind->value->version_max) {
        sluice_fail(err, SLUICE_BAD_RECORD,
                    "Found an unknown record version %d for %d type", version, type);
        return false;
    }
    if (!print_message(kind->value, version, value, "version", version, ret_json,
                       err)) {
        sluice_prefix(
            err, "Could not read record with version %d from value's buffer due to",
            version);
        return false;
    }
    return true;
}

/* A record with a typed key. */
static void decode_typed(dump_decoder decoder, const log_record *record,
                         buffer *ret_key, buffer *ret_payload, sluice_error *err)
{
    int16_t type;
    size_t before = ret_key->len;
    if (!decode_key(decoder, record->key, ret_key, &type, err)) {
        bool unknown = type >= 0 && find_kind(decoder, type) == NULL;
        const char *why = sluice_error_text(err);
        long long offset = (long long)record->offset;
        if (unknown) {
            buffer_print(ret_key, "%s at offset %lld, skipping.", why, offset);
        } else {
            buffer_print(ret_key, "Error at offset %lld, skipping. %s", offset, why);
        }
    } else if (record->value.base == NULL) {
        buffer_append_text(ret_payload, "<DELETE>");
    } else if (!decode_value(decoder, type, record->value, ret_payload, err)) {
        buffer_truncate(ret_key, before);
        buffer_print(ret_key, "Error at offset %lld, skipping. %s",
                     (long long)record->offset, sluice_error_text(err));
    }
}

/* ---- The metadata log --------------------------------------------------------------
 */

#define METADATA(name, NAME)                                                           \
    {                                                                                  \
        NAME, #NAME, &name##_schema                                                    \
    }

typedef struct metadata_kind {
    uint32_t type;
    const char *name; /* "RECORD_TOPIC_RECORD" */
    const message_schema *schema;
} metadata_kind;

static const metadata_kind metadata_kinds[] = {
    METADATA(register_broker_record, RECORD_REGISTER_BROKER_RECORD),
    METADATA(unregister_broker_record, RECORD_UNREGISTER_BROKER_RECORD),
    METADATA(topic_record, RECORD_TOPIC_RECORD),
    METADATA(partition_record, RECORD_PARTITION_RECORD),
    METADATA(config_record, RECORD_CONFIG_RECORD),
    METADATA(partition_change_record, RECORD_PARTITION_CHANGE_RECORD),
    METADATA(fence_broker_record, RECORD_FENCE_BROKER_RECORD),
    METADATA(unfence_broker_record, RECORD_UNFENCE_BROKER_RECORD),
    METADATA(remove_topic_record, RECORD_REMOVE_TOPIC_RECORD),
    METADATA(delegation_token_record, RECORD_DELEGATION_TOKEN_RECORD),
    METADATA(user_scram_credential_record, RECORD_USER_SCRAM_CREDENTIAL_RECORD),
    METADATA(feature_level_record, RECORD_FEATURE_LEVEL_RECORD),
    METADATA(client_quota_record, RECORD_CLIENT_QUOTA_RECORD),
    METADATA(producer_ids_record, RECORD_PRODUCER_IDS_RECORD),
    METADATA(broker_registration_change_record,
             RECORD_BROKER_REGISTRATION_CHANGE_RECORD),
    METADATA(access_control_entry_record, RECORD_ACCESS_CONTROL_ENTRY_RECORD),
    METADATA(remove_access_control_entry_record,
             RECORD_REMOVE_ACCESS_CONTROL_ENTRY_RECORD),
    METADATA(no_op_record, RECORD_NO_OP_RECORD),
    METADATA(zk_migration_state_record, RECORD_ZK_MIGRATION_STATE_RECORD),
    METADATA(remove_user_scram_credential_record,
             RECORD_REMOVE_USER_SCRAM_CREDENTIAL_RECORD),
    METADATA(begin_transaction_record, RECORD_BEGIN_TRANSACTION_RECORD),
    METADATA(end_transaction_record, RECORD_END_TRANSACTION_RECORD),
    METADATA(abort_transaction_record, RECORD_ABORT_TRANSACTION_RECORD),
    METADATA(remove_delegation_token_record, RECORD_REMOVE_DELEGATION_TOKEN_RECORD),
    METADATA(register_controller_record, RECORD_REGISTER_CONTROLLER_RECORD),
    METADATA(clear_elr_record, RECORD_CLEAR_ELR_RECORD),
};

static const metadata_kind *find_metadata(uint32_t type)
{
    for (size_t i = 0; i < sizeof metadata_kinds / sizeof *metadata_kinds; i++) {
        if (metadata_kinds[i].type == type) {
            return &metadata_kinds[i];
        }
    }
    return NULL;
}

static bool take_number(sluice_bytes *bytes, const char *what, uint32_t *ret_number,
                        sluice_error *err)
{
    size_t used =
        bytes->base == NULL ? 0 : wire_get_uvarint(bytes->base, bytes->len, ret_number);
    if (used == 0) {
        sluice_fail(err, SLUICE_BAD_RECORD, "Error while reading %s", what);
        return false;
    }
    *bytes = (sluice_bytes){(const uint8_t *)bytes->base + used, bytes->len - used};
    return true;
}

/* Bytes behind the message: those that it would not have if it were written. */
static size_t count_garbage(const message_schema *schema, int version,
                            const void *value, sluice_bytes bytes)
{
    output again;
    output_init(&again);
    size_t garbage = 0;
    if (message_encode(schema, version, value, &again, NULL) == SLUICE_OK &&
        again.bytes.len < bytes.len &&
        memcmp(again.bytes.base, bytes.base, again.bytes.len) == 0) {
        garbage = bytes.len - again.bytes.len;
    }
    output_done(&again);
    return garbage;
}

/* Prints the record behind the numbers that frame it. */
static bool print_metadata(const metadata_kind *kind, uint32_t version,
                           sluice_bytes bytes, buffer *out, sluice_error *err)
{
    int newest = kind->schema->version_max;
    int known = version > (uint32_t)newest ? newest : (int)version;
    sluice_arena *arena = sluice_arena_new();
    void *value = sluice_arena_take(arena, kind->schema->body->size);
    bool good = message_decode(kind->schema, known, bytes.base, bytes.len, arena, value,
                               NULL) == SLUICE_OK;
    size_t garbage = good ? count_garbage(kind->schema, known, value, bytes) : 0;
    if (!good) {
        sluice_fail(err, SLUICE_BAD_RECORD, "Failed to deserialize record with type %u",
                    kind->type);
    } else if (garbage > 0) {
        sluice_fail(err, SLUICE_BAD_RECORD, "Found %zu byte(s) of garbage after %u",
                    garbage, kind->type);
    } else {
        buffer_print(out, "{\"type\":\"%s\",\"version\":%u,\"data\":",
                     kind->name + strlen("RECORD_"), version);
        message_json(kind->schema->body, known, value, NULL, NULL, out);
        buffer_append_byte(out, '}');
    }
    sluice_arena_free(arena);
    return good && garbage == 0;
}

static bool decode_metadata(sluice_bytes value, buffer *out, sluice_error *err)
{
    uint32_t frame, type, version;
    if (!take_number(&value, "frame version", &frame, err)) {
        return false;
    }
    if (frame != 1) {
        sluice_fail(
            err, SLUICE_BAD_RECORD,
            "Could not deserialize metadata record due to unknown frame version "
            "%u(only frame version 1 is supported)",
            frame);
        return false;
    }
    if (!take_number(&value, "type", &type, err) ||
        !take_number(&value, "version", &version, err)) {
        return false;
    }
    const metadata_kind *kind = find_metadata(type);
    if (kind == NULL) {
        sluice_fail(err, SLUICE_BAD_RECORD,
                    "org.apache.kafka.common.errors.UnsupportedVersionException: "
                    "Unknown metadata id %u",
                    type);
        return false;
    }
    return print_metadata(kind, version, value, out, err);
}

sluice_status decode_record(dump_decoder decoder, const log_record *record,
                            buffer *ret_key, buffer *ret_payload, sluice_error *err)
{
    sluice_error *why = sluice_error_new();
    sluice_status status = SLUICE_OK;
    if (decoder == DUMP_METADATA) {
        if (!decode_metadata(record->value, ret_payload, why)) {
            buffer_print(ret_payload, "Error at %lld, skipping. %s",
                         (long long)record->offset, sluice_error_text(why));
        }
    } else if (record->key.base == NULL) {
        status = sluice_fail(err, SLUICE_BAD_RECORD,
                             "Failed to decode message at offset %lld using the "
                             "specified decoder (message had a missing key)",
                             (long long)record->offset);
    } else {
        decode_typed(decoder, record, ret_key, ret_payload, why);
    }
    sluice_error_free(why);
    return status;
}

/* ---- Control records ---------------------------------------------------------------
 */

typedef struct control_kind {
    int16_t type;
    const char *head;
    const message_schema *schema;
} control_kind;

enum { CONTROL_ABORT, CONTROL_COMMIT };

static const control_kind control_kinds[] = {
    {2, "LeaderChange: ", &leader_change_message_schema},
    {3, "SnapshotHeader ", &snapshot_header_record_schema},
    {4, "SnapshotFooter ", &snapshot_footer_record_schema},
    {5, "KRaftVersion ", &k_raft_version_record_schema},
    {6, "KRaftVoters ", &voters_record_schema},
};

/* Such a value has its version as its first field. */
static sluice_status print_control(const control_kind *kind, sluice_bytes value,
                                   buffer *out, sluice_error *err)
{
    int16_t version;
    const message_schema *schema = kind->schema;
    if (!starts_with_number(value, &version)) {
        return sluice_fail(err, SLUICE_BAD_RECORD, "%s has %zu bytes: too few",
                           schema->name, value.len);
    }
    int known = version < 0                     ? 0
                : version > schema->version_max ? schema->version_max
                                                : version;
    sluice_arena *arena = sluice_arena_new();
    void *message = sluice_arena_take(arena, schema->body->size);
    sluice_status status =
        message_decode(schema, known, value.base, value.len, arena, message, err);
    if (status == SLUICE_OK) {
        buffer_append_text(out, kind->head);
        message_json(schema->body, known, message, NULL, NULL, out);
    }
    sluice_arena_free(arena);
    return status;
}

static sluice_status print_marker(int16_t type, sluice_bytes value, buffer *out,
                                  sluice_error *err)
{
    if (value.base == NULL || value.len < 6) {
        return sluice_fail(err, SLUICE_BAD_RECORD,
                           "a transaction's marker has %zu bytes: it needs 6",
                           value.len);
    }
    buffer_print(out, "endTxnMarker: %s coordinatorEpoch: %d",
                 type == CONTROL_COMMIT ? "COMMIT" : "ABORT",
                 (int32_t)wire_get_32((const uint8_t *)value.base + 2));
    return SLUICE_OK;
}

sluice_status decode_control(const log_record *record, buffer *ret_text,
                             sluice_error *err)
{
    if (record->key.base == NULL || record->key.len < 4) {
        return sluice_fail(err, SLUICE_BAD_RECORD,
                           "Invalid value size found for end control record key. Must "
                           "have at least 4 bytes, but found only %zu",
                           record->key.len);
    }
    int16_t type = (int16_t)wire_get_16((const uint8_t *)record->key.base + 2);
    if (type == CONTROL_ABORT || type == CONTROL_COMMIT) {
        return print_marker(type, record->value, ret_text, err);
    }
    for (size_t i = 0; i < sizeof control_kinds / sizeof *control_kinds; i++) {
        if (control_kinds[i].type == type) {
            return print_control(&control_kinds[i], record->value, ret_text, err);
        }
    }
    buffer_print(ret_text, "controlType: UNKNOWN(%d)", type);
    return SLUICE_OK;
}
