/* Maps without a schema as JSON and back. */
#include "worker/host/json_value.h"
#include <stdlib.h>

enum { depth_max = 64 };

static sluice_status convert(const sluice_value *value, int depth, json_t **ret_json,
                             sluice_error *err);

static sluice_status convert_list(const sluice_value *value, int depth,
                                  json_t **ret_json, sluice_error *err)
{
    *ret_json = json_array();
    for (size_t i = 0; i < sluice_value_count(value); i++) {
        json_t *element;
        sluice_status status =
            convert(sluice_value_at(value, i), depth + 1, &element, err);
        if (status != SLUICE_OK) {
            json_decref(*ret_json);
            return status;
        }
        json_array_append_new(*ret_json, element);
    }
    return SLUICE_OK;
}

static sluice_status convert_map(const sluice_value *value, int depth,
                                 json_t **ret_json, sluice_error *err)
{
    json_t *object = json_object();
    for (size_t i = 0; i < sluice_value_count(value); i++) {
        const sluice_value *key = sluice_map_key(value, i);
        json_t *member;
        sluice_status status;
        if (key == NULL || sluice_value_type(key) != SLUICE_TYPE_STRING) {
            status = sluice_fail(err, SLUICE_BAD_RECORD,
                                 "a map has a key that is not a string");
        } else {
            status = convert(sluice_value_at(value, i), depth + 1, &member, err);
        }
        if (status != SLUICE_OK) {
            json_decref(object);
            return status;
        }
        sluice_bytes name = sluice_value_bytes(key);
        if (json_object_setn_new(object, name.base, name.len, member) != 0) {
            json_decref(object);
            return sluice_fail(err, SLUICE_BAD_RECORD, "a map's key is not UTF-8");
        }
    }
    *ret_json = object;
    return SLUICE_OK;
}

static sluice_status convert_text(const sluice_value *value, json_t **ret_json,
                                  sluice_error *err)
{
    sluice_bytes text = sluice_value_bytes(value);
    *ret_json = json_stringn(text.base, text.len);
    return *ret_json != NULL
               ? SLUICE_OK
               : sluice_fail(err, SLUICE_BAD_RECORD, "a text is not UTF-8");
}

static sluice_status convert(const sluice_value *value, int depth, json_t **ret_json,
                             sluice_error *err)
{
    if (value == NULL) {
        *ret_json = json_null();
        return SLUICE_OK;
    }
    if (depth > depth_max) {
        return sluice_fail(err, SLUICE_BAD_RECORD, "it is nested more than %d deep",
                           depth_max);
    }
    sluice_data_type type = sluice_value_type(value);
    switch (type) {
    case SLUICE_TYPE_INT8:
    case SLUICE_TYPE_INT16:
    case SLUICE_TYPE_INT32:
    case SLUICE_TYPE_INT64:
        *ret_json = json_integer(sluice_value_integer(value));
        return SLUICE_OK;
    case SLUICE_TYPE_FLOAT32:
    case SLUICE_TYPE_FLOAT64:
        *ret_json = json_real(sluice_value_float(value));
        return *ret_json != NULL ? SLUICE_OK
                                 : sluice_fail(err, SLUICE_BAD_RECORD,
                                               "a number is infinite or none");
    case SLUICE_TYPE_BOOLEAN:
        *ret_json = json_boolean(sluice_value_boolean(value));
        return SLUICE_OK;
    case SLUICE_TYPE_STRING:
        return convert_text(value, ret_json, err);
    case SLUICE_TYPE_ARRAY:
        return convert_list(value, depth, ret_json, err);
    case SLUICE_TYPE_MAP:
        return convert_map(value, depth, ret_json, err);
    case SLUICE_TYPE_BYTES:
    case SLUICE_TYPE_STRUCT:
        break;
    }
    return sluice_fail(err, SLUICE_BAD_RECORD, "a value is of type %s",
                       sluice_data_type_name(type));
}

sluice_status json_of_value(const sluice_value *value, json_t **ret_json,
                            sluice_error *err)
{
    return convert(value, 0, ret_json, err);
}

static sluice_value *value_of_object(sluice_arena *arena, const json_t *json)
{
    sluice_value *map = sluice_map_new(arena, json_object_size(json));
    const char *name;
    json_t *member;
    json_object_foreach((json_t *)json, name, member)
    {
        sluice_map_add_text(arena, map, name, value_of_json(arena, member));
    }
    return map;
}

sluice_value *value_of_json(sluice_arena *arena, const json_t *json)
{
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        return value_of_object(arena, json);
    case JSON_ARRAY: {
        sluice_value *list = sluice_array_new(arena, json_array_size(json));
        for (size_t i = 0; i < json_array_size(json); i++) {
            sluice_array_add(arena, list,
                             value_of_json(arena, json_array_get(json, i)));
        }
        return list;
    }
    case JSON_STRING:
        return sluice_string(arena, json_string_value(json), json_string_length(json));
    case JSON_INTEGER:
        return sluice_int64(arena, json_integer_value(json));
    case JSON_REAL:
        return sluice_float64(arena, json_real_value(json));
    case JSON_TRUE:
    case JSON_FALSE:
        return (sluice_value *)sluice_boolean(json_is_true(json));
    case JSON_NULL:
        break;
    }
    return NULL;
}

static sluice_status convert_entry(const sluice_offsets *offsets, size_t index,
                                   json_t **ret_entry, sluice_error *err)
{
    json_t *partition, *offset;
    sluice_status status =
        json_of_value(sluice_offsets_partition(offsets, index), &partition, err);
    if (status != SLUICE_OK) {
        return status;
    }
    status = json_of_value(sluice_offsets_offset(offsets, index), &offset, err);
    if (status != SLUICE_OK) {
        json_decref(partition);
        return status;
    }
    *ret_entry = json_pack("[o,o]", partition, offset);
    return SLUICE_OK;
}

sluice_status json_of_offsets(const sluice_offsets *offsets, json_t **ret_json,
                              sluice_error *err)
{
    sluice_status first = SLUICE_OK;
    *ret_json = json_array();
    for (size_t i = 0; i < sluice_offsets_count(offsets); i++) {
        json_t *entry;
        sluice_status status =
            convert_entry(offsets, i, &entry, first == SLUICE_OK ? err : NULL);
        if (status == SLUICE_OK) {
            json_array_append_new(*ret_json, entry);
        } else {
            first = status;
        }
    }
    return first;
}

sluice_offsets *offsets_of_json(const json_t *json)
{
    sluice_offsets *offsets = sluice_offsets_new();
    sluice_arena *arena = sluice_arena_new();
    for (size_t i = 0; i < json_array_size(json); i++) {
        const json_t *pair = json_array_get(json, i);
        if (json_array_size(pair) == 2) {
            const json_t *partition = json_array_get(pair, 0);
            const json_t *offset = json_array_get(pair, 1);
            sluice_offsets_set(offsets, value_of_json(arena, partition),
                               value_of_json(arena, offset));
        }
    }
    sluice_arena_free(arena);
    return offsets;
}

void offsets_merge(sluice_offsets *into, const sluice_offsets *from)
{
    for (size_t i = 0; i < sluice_offsets_count(from); i++) {
        sluice_offsets_set(into, sluice_offsets_partition(from, i),
                           sluice_offsets_offset(from, i));
    }
}

sluice_props *props_of_json(const json_t *json)
{
    sluice_props *props = sluice_props_new();
    const char *name;
    json_t *member;
    json_object_foreach((json_t *)json, name, member)
    {
        if (json_is_string(member) || json_is_null(member)) {
            sluice_props_set(props, name, json_string_value(member));
        } else {
            char *text = json_dumps(member, JSON_COMPACT | JSON_ENCODE_ANY);
            sluice_props_set(props, name, text);
            free(text);
        }
    }
    return props;
}

json_t *json_of_props(const sluice_props *props)
{
    json_t *object = json_object();
    for (size_t i = 0; i < sluice_props_count(props); i++) {
        const char *value = sluice_props_value(props, i);
        json_object_set_new(object, sluice_props_name(props, i),
                            value == NULL ? json_null() : json_string(value));
    }
    return object;
}
