/* Messages to bytes: a walk over a message's table. */
#include "encode.h"
#include "wire.h"
#include <assert.h>

typedef struct writer {
    output *out;
    sluice_error *err;
    int version;
    bool flexible;
} writer;

static bool encode_struct(writer *self, const message_struct *type, const void *value);

static void put_uvarint(output *out, uint32_t value)
{
    out->bytes.len +=
        wire_put_uvarint(output_reserve(out, wire_uvarint_bytes_max), value);
}

/* A length or count; -1 is null. */
static bool put_len(writer *self, const message_field *field, bool narrow, int64_t len)
{
    if (len > (narrow && !self->flexible ? INT16_MAX : INT32_MAX - 1)) {
        sluice_fail(self->err, SLUICE_FATAL,
                    "field '%s' is %lld bytes or items long: version %d can't carry it",
                    field->name, (long long)len, self->version);
        return false;
    }
    if (self->flexible) {
        put_uvarint(self->out, (uint32_t)(len + 1));
    } else if (narrow) {
        wire_put_16(output_reserve(self->out, 2), (uint16_t)len);
        self->out->bytes.len += 2;
    } else {
        wire_put_32(output_reserve(self->out, 4), (uint32_t)len);
        self->out->bytes.len += 4;
    }
    return true;
}

static int64_t len_or_null(const writer *self, const message_field *field,
                           const void *base, size_t len)
{
    bool null = base == NULL && message_field_nullable(field, self->version);
    return null ? -1 : base == NULL ? 0 : (int64_t)len;
}

static bool encode_text(writer *self, const message_field *field,
                        const message_text *text)
{
    int64_t len = len_or_null(self, field, text->base, text->len);
    return put_len(self, field, true, len) &&
           (len <= 0 || buffer_append(&self->out->bytes, text->base, (size_t)len));
}

static bool encode_bytes(writer *self, const message_field *field,
                         const sluice_bytes *bytes)
{
    int64_t len = len_or_null(self, field, bytes->base, bytes->len);
    return put_len(self, field, false, len) &&
           (len <= 0 || buffer_append(&self->out->bytes, bytes->base, (size_t)len));
}

static bool encode_records(writer *self, const message_field *field,
                           const message_records *records)
{
    if (records->slice_count > 0) {
        if (!put_len(self, field, false, (int64_t)records->len)) {
            return false;
        }
        for (size_t i = 0; i < records->slice_count; i++) {
            output_add(self->out, &records->slices[i]);
        }
        return true;
    }
    int64_t len = len_or_null(self, field, records->base, records->len);
    if (!put_len(self, field, false, len)) {
        return false;
    }
    if (len > 0) {
        output_add(self->out,
                   &(message_slice){.base = records->base, .len = records->len});
    }
    return true;
}

static void encode_fixed(writer *self, const message_field *field, const void *value)
{
    uint8_t *to = output_reserve(self->out, sizeof(message_uuid));
    switch ((message_type)field->type) {
    case MESSAGE_BOOL:
        *to = *(const bool *)value;
        break;
    case MESSAGE_INT8:
        *to = *(const uint8_t *)value;
        break;
    case MESSAGE_INT16:
    case MESSAGE_UINT16:
        wire_put_16(to, *(const uint16_t *)value);
        break;
    case MESSAGE_INT32:
        wire_put_32(to, *(const uint32_t *)value);
        break;
    case MESSAGE_INT64:
        wire_put_64(to, *(const uint64_t *)value);
        break;
    case MESSAGE_FLOAT64: {
        uint64_t bits;
        memcpy(&bits, value, sizeof bits);
        wire_put_64(to, bits);
        break;
    }
    case MESSAGE_UUID:
        memcpy(to, value, sizeof(message_uuid));
        break;
    case MESSAGE_STRING:
    case MESSAGE_BYTES:
    case MESSAGE_RECORDS:
    case MESSAGE_STRUCT:
        return;
    }
    self->out->bytes.len += message_item_size(field);
}

static bool encode_item(writer *self, const message_field *field, const void *value)
{
    switch ((message_type)field->type) {
    case MESSAGE_STRUCT:
        return encode_struct(self, field->item, value);
    case MESSAGE_STRING:
        return encode_text(self, field, value);
    case MESSAGE_BYTES:
        return encode_bytes(self, field, value);
    case MESSAGE_RECORDS:
        return encode_records(self, field, value);
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
    encode_fixed(self, field, value);
    return true;
}

static bool encode_field(writer *self, const message_field *field, const void *value)
{
    if (!field->array) {
        return encode_item(self, field, value);
    }
    const message_array *array = value;
    int64_t count = len_or_null(self, field, array->items, array->count);
    assert(!field->optional || count == -1 || count == 1);
    if (field->optional) {
        *output_reserve(self->out, 1) = (uint8_t)(count < 0 ? -1 : 1);
        self->out->bytes.len++;
    } else if (!put_len(self, field, false, count)) {
        return false;
    }
    const char *item = array->items;
    size_t size = message_item_size(field);
    for (int64_t i = 0; i < count; i++, item += size) {
        if (!encode_item(self, field, item)) {
            return false;
        }
    }
    return true;
}

static bool span_at_default(const void *base, size_t len, const void *initial)
{
    return len == 0 && (base == NULL || initial != NULL);
}

static bool struct_at_default(const message_struct *type, const void *value);

bool message_field_at_default(const message_struct *type, const message_field *field,
                              const void *value)
{
    const void *initial = (const char *)type->defaults + field->offset;
    if (field->array) {
        const message_array *array = value;
        return span_at_default(array->items, array->count,
                               ((const message_array *)initial)->items);
    }
    switch ((message_type)field->type) {
    case MESSAGE_STRUCT:
        return struct_at_default(field->item, value);
    case MESSAGE_STRING:
        return span_at_default(((const message_text *)value)->base,
                               ((const message_text *)value)->len,
                               ((const message_text *)initial)->base);
    case MESSAGE_BYTES:
        return span_at_default(((const sluice_bytes *)value)->base,
                               ((const sluice_bytes *)value)->len,
                               ((const sluice_bytes *)initial)->base);
    case MESSAGE_RECORDS:
        return false;
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
    return memcmp(value, initial, message_item_size(field)) == 0;
}

static bool struct_at_default(const message_struct *type, const void *value)
{
    for (size_t i = 0; i < type->field_count; i++) {
        const message_field *field = &type->fields[i];
        if (!message_field_at_default(type, field,
                                      (const char *)value + field->offset)) {
            return false;
        }
    }
    return true;
}

static bool tag_wanted(const writer *self, const message_struct *type,
                       const message_field *field, const void *value)
{
    return field->tag >= 0 && message_field_in(field, self->version) &&
           !message_field_at_default(type, field, (const char *)value + field->offset);
}

/* Writes the payload, and then moves it up to put its size before it. */
static bool encode_tag(writer *self, const message_field *field, const void *value)
{
    buffer *bytes = &self->out->bytes;
    size_t parts = self->out->part_count;
    put_uvarint(self->out, (uint32_t)field->tag);
    size_t start = bytes->len;
    if (!encode_field(self, field, (const char *)value + field->offset)) {
        return false;
    }
    assert(self->out->part_count == parts);
    (void)parts;
    size_t size = bytes->len - start;
    uint8_t head[wire_uvarint_bytes_max];
    size_t head_size = wire_put_uvarint(head, (uint32_t)size);
    output_reserve(self->out, head_size);
    memmove(bytes->base + start + head_size, bytes->base + start, size);
    memcpy(bytes->base + start, head, head_size);
    bytes->len += head_size;
    return true;
}

/* The wanted field with the lowest tag above `tag`; NULL when there is none. */
static const message_field *next_tag(const writer *self, const message_struct *type,
                                     const void *value, int tag)
{
    const message_field *found = NULL;
    for (size_t i = 0; i < type->field_count; i++) {
        const message_field *field = &type->fields[i];
        if (field->tag > tag && (found == NULL || field->tag < found->tag) &&
            tag_wanted(self, type, field, value)) {
            found = field;
        }
    }
    return found;
}

/* Tags ascend on the wire, whatever the order of the fields. */
static bool encode_tags(writer *self, const message_struct *type, const void *value)
{
    uint32_t count = 0;
    for (size_t i = 0; i < type->field_count; i++) {
        count += tag_wanted(self, type, &type->fields[i], value);
    }
    put_uvarint(self->out, count);
    const message_field *field = NULL;
    while (count-- > 0) {
        field = next_tag(self, type, value, field == NULL ? -1 : field->tag);
        if (!encode_tag(self, field, value)) {
            return false;
        }
    }
    return true;
}

static bool encode_struct(writer *self, const message_struct *type, const void *value)
{
    for (size_t i = 0; i < type->field_count; i++) {
        const message_field *field = &type->fields[i];
        if (field->tag >= 0 || !message_field_in(field, self->version)) {
            continue;
        }
        if (!encode_field(self, field, (const char *)value + field->offset)) {
            return false;
        }
    }
    return !self->flexible || encode_tags(self, type, value);
}

sluice_status message_encode(const message_schema *schema, int version,
                             const void *value, output *out, sluice_error *err)
{
    assert(version >= schema->version_min && version <= schema->version_max);
    writer self = {out, err, version, version >= schema->flexible_min};
    if (!encode_struct(&self, schema->body, value)) {
        sluice_prefix(err, "%s version %d", schema->name, version);
        return SLUICE_FATAL;
    }
    return SLUICE_OK;
}
