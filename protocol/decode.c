/* Bytes to messages: a walk over a message's table. */
#include "decode.h"
#include "wire.h"

typedef struct reader {
    const uint8_t *next, *end;
    sluice_arena *arena;
    size_t taken; /* Of the arena. */
    sluice_error *err;
    int version;
    bool flexible;
} reader;

static bool decode_struct(reader *self, const message_struct *type, void *value);

static size_t left(const reader *self)
{
    return (size_t)(self->end - self->next);
}

static bool refuse_short(reader *self, const char *name, size_t wanted)
{
    sluice_fail(self->err, SLUICE_BAD_RECORD,
                "field '%s' needs %zu bytes: %zu are left", name, wanted, left(self));
    return false;
}

static bool get_uvarint(reader *self, const char *name, uint32_t *ret_value)
{
    size_t used = wire_get_uvarint(self->next, left(self), ret_value);
    if (used == 0) {
        sluice_fail(self->err, SLUICE_BAD_RECORD,
                    "field '%s' has no valid varint: %zu bytes are left", name,
                    left(self));
        return false;
    }
    self->next += used;
    return true;
}

/* A length or count: -1 is null. */
static bool get_len(reader *self, const message_field *field, bool narrow,
                    int64_t *ret_len)
{
    if (self->flexible) {
        uint32_t len;
        if (!get_uvarint(self, field->name, &len)) {
            return false;
        }
        *ret_len = (int64_t)len - 1;
    } else {
        size_t size = narrow ? 2 : 4;
        if (left(self) < size) {
            return refuse_short(self, field->name, size);
        }
        *ret_len = narrow ? (int16_t)wire_get_16(self->next)
                          : (int32_t)wire_get_32(self->next);
        self->next += size;
    }
    if (*ret_len < -1) {
        sluice_fail(self->err, SLUICE_BAD_RECORD, "field '%s' has the length %lld",
                    field->name, (long long)*ret_len);
        return false;
    }
    if (*ret_len == -1 && !message_field_nullable(field, self->version)) {
        sluice_fail(self->err, SLUICE_BAD_RECORD,
                    "field '%s' is null, which it can't be in version %d", field->name,
                    self->version);
        return false;
    }
    return true;
}

static bool get_span(reader *self, const message_field *field, const uint8_t **ret_base,
                     size_t *ret_len)
{
    int64_t len;
    if (!get_len(self, field, field->type == MESSAGE_STRING, &len)) {
        return false;
    }
    if (len < 0) {
        *ret_base = NULL;
        *ret_len = 0;
        return true;
    }
    if ((uint64_t)len > left(self)) {
        return refuse_short(self, field->name, (size_t)len);
    }
    *ret_base = self->next;
    *ret_len = (size_t)len;
    self->next += len;
    return true;
}

static bool decode_span(reader *self, const message_field *field, void *value)
{
    const uint8_t *base;
    size_t len;
    if (!get_span(self, field, &base, &len)) {
        return false;
    }
    if (field->type == MESSAGE_STRING) {
        *(message_text *)value = (message_text){(const char *)base, len};
    } else if (field->type == MESSAGE_BYTES) {
        *(sluice_bytes *)value = (sluice_bytes){base, len};
    } else {
        *(message_records *)value = (message_records){.base = base, .len = len};
    }
    return true;
}

static void decode_fixed(const message_field *field, const uint8_t *from, void *value)
{
    switch ((message_type)field->type) {
    case MESSAGE_BOOL:
        *(bool *)value = *from != 0;
        return;
    case MESSAGE_INT8:
        *(int8_t *)value = (int8_t)*from;
        return;
    case MESSAGE_INT16:
        *(int16_t *)value = (int16_t)wire_get_16(from);
        return;
    case MESSAGE_UINT16:
        *(uint16_t *)value = wire_get_16(from);
        return;
    case MESSAGE_INT32:
        *(int32_t *)value = (int32_t)wire_get_32(from);
        return;
    case MESSAGE_INT64:
        *(int64_t *)value = (int64_t)wire_get_64(from);
        return;
    case MESSAGE_FLOAT64: {
        uint64_t bits = wire_get_64(from);
        memcpy(value, &bits, sizeof bits);
        return;
    }
    case MESSAGE_UUID:
        memcpy(value, from, sizeof(message_uuid));
        return;
    case MESSAGE_STRING:
    case MESSAGE_BYTES:
    case MESSAGE_RECORDS:
    case MESSAGE_STRUCT:
        return;
    }
}

static bool decode_item(reader *self, const message_field *field, void *value)
{
    if (field->type == MESSAGE_STRUCT) {
        return decode_struct(self, field->item, value);
    }
    if (field->type >= MESSAGE_STRING) {
        return decode_span(self, field, value);
    }
    size_t size = message_item_size(field);
    if (left(self) < size) {
        return refuse_short(self, field->name, size);
    }
    decode_fixed(field, self->next, value);
    self->next += size;
    return true;
}

static size_t minimum_size(const reader *self, const message_field *field)
{
    switch ((message_type)field->type) {
    case MESSAGE_STRUCT:
        return field->item->minimum[self->version];
    case MESSAGE_STRING:
        return self->flexible ? 1 : 2;
    case MESSAGE_BYTES:
    case MESSAGE_RECORDS:
        return self->flexible ? 1 : 4;
    case MESSAGE_BOOL:
    case MESSAGE_INT8:
    case MESSAGE_INT16:
    case MESSAGE_UINT16:
    case MESSAGE_INT32:
    case MESSAGE_INT64:
    case MESSAGE_FLOAT64:
    case MESSAGE_UUID:
        break;
    }
    return message_item_size(field);
}

/* `count` items may be there, and fit into what a message may take. */
static bool check_count(reader *self, const message_field *field, size_t count)
{
    size_t least = minimum_size(self, field);
    if (count > left(self) / least) {
        sluice_fail(self->err, SLUICE_BAD_RECORD,
                    "field '%s' has %zu items of %zu bytes or more: %zu are left",
                    field->name, count, least, left(self));
        return false;
    }
    size_t size = count * message_item_size(field);
    if (size > message_arena_bytes_max - self->taken) {
        sluice_fail(self->err, SLUICE_BAD_RECORD,
                    "field '%s' has %zu items: they would take %zu bytes, above the "
                    "limit of %d for a message",
                    field->name, count, self->taken + size, message_arena_bytes_max);
        return false;
    }
    self->taken += size;
    return true;
}

/* One byte tells: 1 is there, -1 is null; 0, too, in a tagged field. */
static bool get_presence(reader *self, const message_field *field, int64_t *ret_count)
{
    if (left(self) < 1) {
        return refuse_short(self, field->name, 1);
    }
    int8_t byte = (int8_t)*self->next++;
    *ret_count = byte < 0 || (byte == 0 && field->tag >= 0) ? -1 : 1;
    return true;
}

static bool decode_array(reader *self, const message_field *field, message_array *value)
{
    int64_t count;
    bool good = field->optional ? get_presence(self, field, &count)
                                : get_len(self, field, false, &count);
    if (!good) {
        return false;
    }
    if (count < 0) {
        *value = (message_array){NULL, 0};
        return true;
    }
    if (!check_count(self, field, (size_t)count)) {
        return false;
    }
    size_t size = message_item_size(field);
    char *items = sluice_arena_take(self->arena, (size_t)count * size);
    *value = (message_array){items, (size_t)count};
    for (int64_t i = 0; i < count; i++, items += size) {
        if (!decode_item(self, field, items)) {
            return false;
        }
    }
    return true;
}

static bool decode_field(reader *self, const message_field *field, void *value)
{
    return field->array ? decode_array(self, field, value)
                        : decode_item(self, field, value);
}

static const message_field *tag_find(const message_struct *type, uint32_t tag,
                                     int version)
{
    for (size_t i = 0; i < type->field_count; i++) {
        const message_field *field = &type->fields[i];
        if (field->tag >= 0 && (uint32_t)field->tag == tag &&
            message_field_in(field, version)) {
            return field;
        }
    }
    return NULL;
}

static bool decode_tag(reader *self, const message_struct *type, uint32_t tag,
                       uint32_t size, void *value)
{
    const message_field *field = tag_find(type, tag, self->version);
    if (field == NULL) {
        self->next += size;
        return true;
    }
    const uint8_t *end = self->end;
    self->end = self->next + size;
    if (!decode_field(self, field, (char *)value + field->offset)) {
        return false;
    }
    if (self->next != self->end) {
        sluice_fail(self->err, SLUICE_BAD_RECORD,
                    "tagged field '%s' has %zu bytes more than it needs", field->name,
                    left(self));
        return false;
    }
    self->end = end;
    return true;
}

static bool decode_tags(reader *self, const message_struct *type, void *value)
{
    uint32_t count;
    if (!get_uvarint(self, "tagged fields", &count)) {
        return false;
    }
    int64_t previous = -1;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t tag, size;
        if (!get_uvarint(self, "tag", &tag) || !get_uvarint(self, "tag size", &size)) {
            return false;
        }
        if (tag <= previous) {
            sluice_fail(self->err, SLUICE_BAD_RECORD,
                        "tag %u comes behind tag %lld: tags must ascend", tag,
                        (long long)previous);
            return false;
        }
        if (size > left(self)) {
            return refuse_short(self, "tagged field", size);
        }
        if (!decode_tag(self, type, tag, size, value)) {
            return false;
        }
        previous = tag;
    }
    return true;
}

static bool decode_struct(reader *self, const message_struct *type, void *value)
{
    memcpy(value, type->defaults, type->size);
    for (size_t i = 0; i < type->field_count; i++) {
        const message_field *field = &type->fields[i];
        if (field->tag >= 0 || !message_field_in(field, self->version)) {
            continue;
        }
        if (!decode_field(self, field, (char *)value + field->offset)) {
            return false;
        }
    }
    return !self->flexible || decode_tags(self, type, value);
}

sluice_status message_decode(const message_schema *schema, int version,
                             const uint8_t *base, size_t size, sluice_arena *arena,
                             void *ret_value, sluice_error *err)
{
    if (version < schema->version_min || version > schema->version_max) {
        return sluice_fail(err, SLUICE_BAD_RECORD,
                           "%s version %d is not known: %d to %d are", schema->name,
                           version, schema->version_min, schema->version_max);
    }
    reader self = {.next = base,
                   .end = base + size,
                   .arena = arena,
                   .err = err,
                   .version = version,
                   .flexible = version >= schema->flexible_min};
    if (!decode_struct(&self, schema->body, ret_value)) {
        sluice_prefix(err, "%s version %d of %zu bytes", schema->name, version, size);
        return SLUICE_BAD_RECORD;
    }
    return SLUICE_OK;
}
