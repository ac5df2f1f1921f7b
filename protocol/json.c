/* protocol/json.c - a walk over a message's table that prints it. */
#include "json.h"
#include "encode.h"
#include <ctype.h>
#include <inttypes.h>
#include <sluice/text.h>

typedef struct printer {
    int version;
    message_json_field *other;
    void *context;
    buffer *out;
} printer;

static void print_struct(const printer *self, const message_struct *type,
                         const void *value);

static void print_escaped(buffer *out, unsigned char byte)
{
    static const char letters[] = "btn?fr";
    if (byte == '"' || byte == '\\') {
        buffer_print(out, "\\%c", byte);
    } else if (byte >= '\b' && byte <= '\r' && byte != '\v') {
        buffer_print(out, "\\%c", letters[byte - '\b']);
    } else if (byte < ' ') {
        buffer_print(out, "\\u%04X", byte);
    } else {
        buffer_append_byte(out, (char)byte);
    }
}

void message_json_text(buffer *out, const char *text, size_t len)
{
    sluice_arena *arena = sluice_arena_new();
    size_t repaired_len;
    const char *repaired = sluice_text_repair(arena, text, len, &repaired_len);
    buffer_append_byte(out, '"');
    for (size_t i = 0; i < repaired_len; i++) {
        print_escaped(out, (unsigned char)repaired[i]);
    }
    buffer_append_byte(out, '"');
    sluice_arena_free(arena);
}

static void print_base64(buffer *out, const uint8_t *base, size_t len,
                         const char *last_two, bool padded)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    buffer_append_byte(out, '"');
    for (size_t at = 0; at < len; at += 3) {
        size_t count = len - at < 3 ? len - at : 3;
        uint32_t bits = (uint32_t)base[at] << 16;
        bits |= count > 1 ? (uint32_t)base[at + 1] << 8 : 0;
        bits |= count > 2 ? base[at + 2] : 0;
        for (size_t i = 0; i < 4; i++) {
            uint32_t digit = bits >> (18 - 6 * i) & 63;
            if (i <= count) {
                buffer_append_byte(out,
                                   digit < 62 ? digits[digit] : last_two[digit - 62]);
            } else if (padded) {
                buffer_append_byte(out, '=');
            }
        }
    }
    buffer_append_byte(out, '"');
}

static void print_bytes(buffer *out, const void *base, size_t len)
{
    if (base == NULL) {
        buffer_append_text(out, "null");
    } else {
        print_base64(out, base, len, "+/", true);
    }
}

static void print_item(const printer *self, const message_field *field,
                       const void *value)
{
    buffer *out = self->out;
    switch ((message_type)field->type) {
    case MESSAGE_BOOL:
        buffer_append_text(out, *(const bool *)value ? "true" : "false");
        return;
    case MESSAGE_INT8:
        buffer_print(out, "%d", *(const int8_t *)value);
        return;
    case MESSAGE_INT16:
        buffer_print(out, "%d", *(const int16_t *)value);
        return;
    case MESSAGE_UINT16:
        buffer_print(out, "%d", *(const uint16_t *)value);
        return;
    case MESSAGE_INT32:
        buffer_print(out, "%" PRId32, *(const int32_t *)value);
        return;
    case MESSAGE_INT64:
        buffer_print(out, "%" PRId64, *(const int64_t *)value);
        return;
    case MESSAGE_FLOAT64: {
        char text[SLUICE_NUMBER_TEXT];
        buffer_append(out, text, sluice_text_double(text, *(const double *)value));
        return;
    }
    case MESSAGE_UUID:
        print_base64(out, value, sizeof(message_uuid), "-_", false);
        return;
    case MESSAGE_STRING: {
        const message_text *text = value;
        if (text->base == NULL) {
            buffer_append_text(out, "null");
        } else {
            message_json_text(out, text->base, text->len);
        }
        return;
    }
    case MESSAGE_BYTES:
        print_bytes(out, ((const sluice_bytes *)value)->base,
                    ((const sluice_bytes *)value)->len);
        return;
    case MESSAGE_RECORDS:
        print_bytes(out, ((const message_records *)value)->base,
                    ((const message_records *)value)->len);
        return;
    case MESSAGE_STRUCT:
        print_struct(self, field->item, value);
        return;
    }
}

static void print_field(const printer *self, const message_field *field,
                        const void *value)
{
    if (!field->array) {
        print_item(self, field, value);
        return;
    }
    const message_array *array = value;
    if (field->optional && array->count > 0) {
        print_item(self, field, array->items);
        return;
    }
    if (array->items == NULL && message_field_nullable(field, self->version)) {
        buffer_append_text(self->out, "null");
        return;
    }
    buffer_append_byte(self->out, '[');
    const char *item = array->items;
    for (size_t i = 0; i < array->count; i++, item += message_item_size(field)) {
        if (i > 0) {
            buffer_append_byte(self->out, ',');
        }
        print_item(self, field, item);
    }
    buffer_append_byte(self->out, ']');
}

static void print_name(buffer *out, const char *name)
{
    buffer_append_byte(out, '"');
    for (; *name != '\0'; name++) {
        bool capital = *name == '_' && name[1] != '\0';
        name += capital;
        buffer_append_byte(out, capital ? (char)toupper((unsigned char)*name) : *name);
    }
    buffer_append_text(out, "\":");
}

static void print_struct(const printer *self, const message_struct *type,
                         const void *value)
{
    buffer_append_byte(self->out, '{');
    bool first = true;
    for (size_t i = 0; i < type->field_count; i++) {
        const message_field *field = &type->fields[i];
        const void *at = (const char *)value + field->offset;
        if (!message_field_in(field, self->version) ||
            (field->tag >= 0 && !field->optional &&
             message_field_at_default(type, field, at))) {
            continue;
        }
        if (!first) {
            buffer_append_byte(self->out, ',');
        }
        first = false;
        print_name(self->out, field->name);
        if (self->other == NULL ||
            !self->other(self->context, type, field, at, self->out)) {
            print_field(self, field, at);
        }
    }
    buffer_append_byte(self->out, '}');
}

void message_json(const message_struct *type, int version, const void *value,
                  message_json_field *other, void *context, buffer *out)
{
    printer self = {version, other, context, out};
    print_struct(&self, type, value);
}
