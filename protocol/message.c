/* Finding APIs, and the few things that are done with single values. */
#include "message.h"
#include <string.h>

const message_api *message_api_find(int16_t key)
{
    size_t low = 0, high = message_api_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (message_apis[middle]->key < key) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    bool found = low < message_api_count && message_apis[low]->key == key;
    return found ? message_apis[low] : NULL;
}

message_text message_text_of(const char *text)
{
    return (message_text){text, text == NULL ? 0 : strlen(text)};
}

bool message_text_is(message_text text, const char *other)
{
    return text.base != NULL && strlen(other) == text.len &&
           memcmp(text.base, other, text.len) == 0;
}

bool message_text_equal(message_text text, message_text other)
{
    if (text.base == NULL || other.base == NULL) {
        return text.base == other.base;
    }
    return text.len == other.len && memcmp(text.base, other.base, text.len) == 0;
}

bool message_uuid_is_zero(const message_uuid *uuid)
{
    static const message_uuid zero;
    return memcmp(uuid, &zero, sizeof zero) == 0;
}

size_t message_item_size(const message_field *field)
{
    switch ((message_type)field->type) {
    case MESSAGE_BOOL:
        return sizeof(bool);
    case MESSAGE_INT8:
        return 1;
    case MESSAGE_INT16:
    case MESSAGE_UINT16:
        return 2;
    case MESSAGE_INT32:
        return 4;
    case MESSAGE_INT64:
    case MESSAGE_FLOAT64:
        return 8;
    case MESSAGE_UUID:
        return sizeof(message_uuid);
    case MESSAGE_STRING:
        return sizeof(message_text);
    case MESSAGE_BYTES:
        return sizeof(sluice_bytes);
    case MESSAGE_RECORDS:
        return sizeof(message_records);
    case MESSAGE_STRUCT:
        return field->item->size;
    }
    return 0;
}
