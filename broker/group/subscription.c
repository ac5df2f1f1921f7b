/* The topics in a consumer's metadata. */
#include "broker/group/subscription.h"
#include "base/map.h"
#include "broker/group/group.h"
#include "protocol/wire.h"
#include <string.h>

typedef struct topics {
    const uint8_t *at, *end;
    int32_t left;
} topics;

static bool topics_begin(topics *self, sluice_bytes metadata)
{
    if (metadata.len < 6) {
        return false;
    }
    self->at = (const uint8_t *)metadata.base + 6;
    self->end = (const uint8_t *)metadata.base + metadata.len;
    self->left = (int32_t)wire_get_32(self->at - 4);
    return self->left >= 0;
}

/* The next one; false when the bytes are broken. Called while `left` is above 0. */
static bool topics_next(topics *self, sluice_bytes *ret_name)
{
    if (self->end - self->at < 2) {
        return false;
    }
    *ret_name = (sluice_bytes){self->at + 2, wire_get_16(self->at)};
    if ((size_t)(self->end - self->at) - 2 < ret_name->len) {
        return false;
    }
    self->at += 2 + ret_name->len;
    self->left--;
    return true;
}

bool group_subscription_has(sluice_bytes metadata, sluice_bytes topic, bool *ret_known)
{
    topics list = {0};
    sluice_bytes name;
    *ret_known = topics_begin(&list, metadata);
    while (*ret_known && list.left > 0) {
        *ret_known = topics_next(&list, &name);
        if (*ret_known && group_bytes_equal(name, topic)) {
            return true;
        }
    }
    return false;
}

static bool topics_into(map *set, sluice_bytes metadata)
{
    topics list;
    sluice_bytes name;
    if (!topics_begin(&list, metadata)) {
        return false;
    }
    while (list.left > 0) {
        if (!topics_next(&list, &name)) {
            return false;
        }
        map_put(set, name.base, name.len, set);
    }
    return true;
}

static bool contains_all(const map *set, const map *others)
{
    const map_entry *entry;
    for (size_t at = 0; (entry = map_next(others, &at)) != NULL;) {
        if (map_get(set, entry->key, entry->key_len) == NULL) {
            return false;
        }
    }
    return true;
}

bool group_subscription_same(sluice_bytes a, sluice_bytes b)
{
    map of_a = MAP_INIT, of_b = MAP_INIT;
    bool known_a = topics_into(&of_a, a), known_b = topics_into(&of_b, b), same;
    if (known_a && known_b) {
        same = map_count(&of_a) == map_count(&of_b) && contains_all(&of_a, &of_b);
    } else {
        same = group_bytes_equal(a, b);
    }
    map_done(&of_a);
    map_done(&of_b);
    return same;
}
