/* A version, and what the protocol's codec makes of the rest. */
#include "broker/group/record.h"
#include "protocol/wire.h"
#include <assert.h>

sluice_bytes group_record_encode(const message_schema *schema, int version,
                                 const void *value, sluice_arena *arena)
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

sluice_status group_record_kind_of(sluice_bytes key, group_record_kind *ret_kind,
                                   sluice_error *err)
{
    int version = -1;
    sluice_status status = version_of(key, "key", &version, err);
    *ret_kind = version == 0 || version == 1 ? GROUP_RECORD_OFFSET
                : version == 2               ? GROUP_RECORD_GROUP
                                             : GROUP_RECORD_OTHER;
    return status;
}

sluice_status group_record_decode(const message_schema *schema, sluice_bytes bytes,
                                  sluice_arena *arena, void *ret_value,
                                  sluice_error *err)
{
    int version = -1;
    sluice_status status = version_of(bytes, schema->name, &version, err);
    if (status == SLUICE_OK) {
        status = message_decode(schema, version, (const uint8_t *)bytes.base + 2,
                                bytes.len - 2, arena, ret_value, err);
    }
    return status;
}
