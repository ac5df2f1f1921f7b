/* The formats as tables for the protocol's codec, and the version before each. */
#include "broker/group/record.h"
#include "protocol/decode.h"
#include "protocol/encode.h"
#include "protocol/wire.h"
#include <assert.h>
#include <string.h>

#define TEXT(type, field, low, high, null_low, null_high)                              \
    {                                                                                  \
#field, NULL, offsetof(type, field), MESSAGE_STRING, false, -1, low, high,     \
            null_low, null_high                                                        \
    }
#define NUMBER(type, field, kind, low, high)                                           \
    {                                                                                  \
#field, NULL, offsetof(type, field), kind, false, -1, low, high, 1, 0          \
    }
#define BYTES(type, field, low, high)                                                  \
    {                                                                                  \
#field, NULL, offsetof(type, field), MESSAGE_BYTES, false, -1, low, high, 1, 0 \
    }
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* ---- Keys -------------------------------------------------------------------------
 */

static const group_record_key key_defaults;

static const message_field offset_key_fields[] = {
    TEXT(group_record_key, group_id, 0, 1, 1, 0),
    TEXT(group_record_key, topic, 0, 1, 1, 0),
    NUMBER(group_record_key, partition, MESSAGE_INT32, 0, 1),
};
static const uint16_t offset_key_minimum[] = {8, 8};
static const message_struct offset_key_struct = {
    "offset_key",
    offset_key_fields,
    COUNT(offset_key_fields),
    sizeof(group_record_key),
    &key_defaults,
    offset_key_minimum,
};
static const message_schema offset_key_schema = {"offset key", &offset_key_struct, 0, 1,
                                                 INT16_MAX};

static const message_field group_key_fields[] = {
    TEXT(group_record_key, group_id, 2, 2, 1, 0),
};
static const uint16_t group_key_minimum[] = {0, 0, 2};
static const message_struct group_key_struct = {
    "group_key",   group_key_fields,  COUNT(group_key_fields), sizeof(group_record_key),
    &key_defaults, group_key_minimum,
};
static const message_schema group_key_schema = {"group key", &group_key_struct, 2, 2,
                                                INT16_MAX};

/* ---- Values -----------------------------------------------------------------------
 */

static const group_record_offset offset_defaults = {
    .leader_epoch = -1, .metadata = {"", 0}, .expire_timestamp = -1};

static const message_field offset_fields[] = {
    NUMBER(group_record_offset, offset, MESSAGE_INT64, 0, 4),
    NUMBER(group_record_offset, leader_epoch, MESSAGE_INT32, 3, 4),
    TEXT(group_record_offset, metadata, 0, 4, 1, 0),
    NUMBER(group_record_offset, commit_timestamp, MESSAGE_INT64, 0, 4),
    NUMBER(group_record_offset, expire_timestamp, MESSAGE_INT64, 1, 1),
};
static const uint16_t offset_minimum[] = {18, 26, 18, 22, 22};
static const message_struct offset_struct = {
    "offset",         offset_fields,  COUNT(offset_fields), sizeof(group_record_offset),
    &offset_defaults, offset_minimum,
};
static const message_schema offset_schema = {"offset value", &offset_struct, 0, 4, 4};

/* Before version 1 the rebalance timeout was the session timeout. */
static const group_record_member member_defaults = {.rebalance_timeout_ms = -1,
                                                    .member_id = {"", 0},
                                                    .client_id = {"", 0},
                                                    .client_host = {"", 0},
                                                    .subscription = {"", 0},
                                                    .assignment = {"", 0}};

static const message_field member_fields[] = {
    TEXT(group_record_member, member_id, 0, 4, 1, 0),
    TEXT(group_record_member, instance_id, 3, 4, 3, 4),
    TEXT(group_record_member, client_id, 0, 4, 1, 0),
    TEXT(group_record_member, client_host, 0, 4, 1, 0),
    NUMBER(group_record_member, rebalance_timeout_ms, MESSAGE_INT32, 1, 4),
    NUMBER(group_record_member, session_timeout_ms, MESSAGE_INT32, 0, 4),
    BYTES(group_record_member, subscription, 0, 4),
    BYTES(group_record_member, assignment, 0, 4),
};
static const uint16_t member_minimum[] = {18, 22, 22, 24, 15};
static const message_struct member_struct = {
    "member",         member_fields,  COUNT(member_fields), sizeof(group_record_member),
    &member_defaults, member_minimum,
};

static const group_record_group group_defaults = {.protocol_type = {"", 0},
                                                  .state_timestamp = -1};

static const message_field group_fields[] = {
    TEXT(group_record_group, protocol_type, 0, 4, 1, 0),
    NUMBER(group_record_group, generation, MESSAGE_INT32, 0, 4),
    TEXT(group_record_group, protocol, 0, 4, 0, 4),
    TEXT(group_record_group, leader, 0, 4, 0, 4),
    NUMBER(group_record_group, state_timestamp, MESSAGE_INT64, 2, 4),
    {"members", &member_struct, offsetof(group_record_group, members), MESSAGE_STRUCT,
     true, -1, 0, 4, 1, 0},
};
static const uint16_t group_minimum[] = {14, 14, 22, 22, 17};
static const message_struct group_struct = {
    "group",         group_fields,  COUNT(group_fields), sizeof(group_record_group),
    &group_defaults, group_minimum,
};
static const message_schema group_schema = {"group value", &group_struct, 0, 4, 4};

/* ---- Both ways ---------------------------------------------------------------------
 */

static sluice_bytes encode(const message_schema *schema, int version, const void *value,
                           sluice_arena *arena)
{
    output out;
    output_init(&out);
    wire_put_16(output_reserve(&out, 2), (uint16_t)version);
    out.bytes.len += 2;
    sluice_status status = message_encode(schema, version, value, &out, NULL);
    assert(status == SLUICE_OK && out.part_count == 0);
    (void)status;
    sluice_bytes bytes = {sluice_arena_copy(arena, out.bytes.base, out.bytes.len),
                          out.bytes.len};
    output_done(&out);
    return bytes;
}

static sluice_status version_of(sluice_bytes bytes, const char *what, int *ret_version,
                                sluice_error *err)
{
    if (bytes.base == NULL || bytes.len < 2) {
        return sluice_fail(err, SLUICE_BAD_RECORD,
                           "the %s has %zu bytes: a version needs 2", what, bytes.len);
    }
    *ret_version = (int16_t)wire_get_16(bytes.base);
    return SLUICE_OK;
}

static sluice_status decode(const message_schema *schema, sluice_bytes bytes,
                            sluice_arena *arena, void *ret_value, sluice_error *err)
{
    int version = -1;
    sluice_status status = version_of(bytes, schema->name, &version, err);
    if (status == SLUICE_OK) {
        status = message_decode(schema, version, (const uint8_t *)bytes.base + 2,
                                bytes.len - 2, arena, ret_value, err);
    }
    return status;
}

sluice_bytes group_record_encode_key(group_record_kind kind,
                                     const group_record_key *key, sluice_arena *arena)
{
    assert(kind != GROUP_RECORD_OTHER);
    return kind == GROUP_RECORD_OFFSET ? encode(&offset_key_schema, 1, key, arena)
                                       : encode(&group_key_schema, 2, key, arena);
}

sluice_bytes group_record_encode_offset(const group_record_offset *value,
                                        sluice_arena *arena)
{
    /* Version 3 has no expiry of its own, version 1 no leader epoch. */
    return encode(&offset_schema, value->expire_timestamp < 0 ? 3 : 1, value, arena);
}

sluice_bytes group_record_encode_group(const group_record_group *value,
                                       sluice_arena *arena)
{
    return encode(&group_schema, 3, value, arena);
}

sluice_status group_record_decode_key(sluice_bytes bytes, sluice_arena *arena,
                                      group_record_kind *ret_kind,
                                      group_record_key *ret_key, sluice_error *err)
{
    int version = -1;
    sluice_status status = version_of(bytes, "key", &version, err);
    if (status != SLUICE_OK) {
        return status;
    }
    *ret_kind = version == 0 || version == 1 ? GROUP_RECORD_OFFSET
                : version == 2               ? GROUP_RECORD_GROUP
                                             : GROUP_RECORD_OTHER;
    if (*ret_kind == GROUP_RECORD_OTHER) {
        return SLUICE_OK;
    }
    const message_schema *schema =
        *ret_kind == GROUP_RECORD_OFFSET ? &offset_key_schema : &group_key_schema;
    return decode(schema, bytes, arena, ret_key, err);
}

sluice_status group_record_decode_offset(sluice_bytes bytes, sluice_arena *arena,
                                         group_record_offset *ret_value,
                                         sluice_error *err)
{
    return decode(&offset_schema, bytes, arena, ret_value, err);
}

sluice_status group_record_decode_group(sluice_bytes bytes, sluice_arena *arena,
                                        group_record_group *ret_value,
                                        sluice_error *err)
{
    sluice_status status = decode(&group_schema, bytes, arena, ret_value, err);
    for (size_t i = 0; status == SLUICE_OK && i < ret_value->members.count; i++) {
        group_record_member *member = &ret_value->members.items[i];
        if (member->rebalance_timeout_ms < 0) {
            member->rebalance_timeout_ms = member->session_timeout_ms;
        }
    }
    return status;
}
