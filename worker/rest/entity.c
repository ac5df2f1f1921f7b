/* The bodies of requests, checked for their shape. */
#include "worker/rest/entity.h"
#include "base/text.h"
#include "worker/rest/string_map.h"
#include <string.h>

#define ENTITIES "org.apache.kafka.connect.runtime.rest.entities."
#define STRINGS  "java.util.LinkedHashMap<java.lang.String,java.lang.String>"
#define OBJECTS  "java.util.LinkedHashMap<java.lang.String,java.lang.Object>"

static sluice_status mismatch(const char *type, const json_t *got, sluice_error *err)
{
    if (json_is_array(got) || json_is_object(got)) {
        const char *kind = json_is_array(got) ? "Array" : "Object";
        const char *token = json_is_array(got) ? "START_ARRAY" : "START_OBJECT";
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "Cannot deserialize value of type `%s` from %s value (token "
                           "`JsonToken.%s`)",
                           type, kind, token);
    }
    return sluice_fail(
        err, SLUICE_BAD_CONFIG,
        "Cannot construct instance of `%s` (although at least one Creator "
        "exists): no %s-argument constructor/factory method to "
        "deserialize from %s value",
        type, json_is_string(got) ? "String" : "int/Int",
        json_is_string(got) ? "String" : "Number");
}

static sluice_status not_json(const json_error_t *fault, size_t len, sluice_error *err)
{
    if (len == 0) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "No content to map due to end-of-input");
    }
    bool cut = json_error_code(fault) == json_error_premature_end_of_input;
    return sluice_fail(
        err, SLUICE_BAD_CONFIG,
        "%s: %s\n at [Source: REDACTED "
        "(`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: "
        "%d, column: %d]",
        cut ? "Unexpected end-of-input" : "Unexpected character", fault->text,
        fault->line, fault->column);
}

static sluice_status check_strings(const json_t *map, const char *chain,
                                   sluice_error *err)
{
    const char *key;
    json_t *value;
    if (!json_is_object(map)) {
        return mismatch(STRINGS, map, err);
    }
    json_object_foreach((json_t *)map, key, value)
    {
        if (!json_is_string(value) && !json_is_null(value)) {
            mismatch("java.lang.String", value, err);
            return sluice_fail(err, SLUICE_BAD_CONFIG,
                               "%s (through reference chain: %sjava.util.LinkedHashMap"
                               "[\"%s\"])",
                               sluice_error_text(err), chain, key);
        }
    }
    return SLUICE_OK;
}

/* Whether all members are among `known` ("name", "config"), NULL-ended. */
static sluice_status check_members(const json_t *object, const char *class,
                                   const char *const *known, const char *list,
                                   sluice_error *err)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value)
    {
        size_t i = 0;
        while (known[i] != NULL && strcmp(known[i], key) != 0) {
            i++;
        }
        if (known[i] == NULL) {
            return sluice_fail(err, SLUICE_BAD_CONFIG,
                               "Unrecognized field \"%s\" (class " ENTITIES
                               "%s), not marked as ignorable (%s])",
                               key, class, list);
        }
    }
    return SLUICE_OK;
}

static sluice_status check_state(const json_t *state, sluice_error *err)
{
    const char *name = json_string_value(state);
    if (state == NULL || json_is_null(state) ||
        (name != NULL &&
         (text_equal_nocase(name, "RUNNING") || text_equal_nocase(name, "PAUSED") ||
          text_equal_nocase(name, "STOPPED")))) {
        return SLUICE_OK;
    }
    return sluice_fail(
        err, SLUICE_BAD_CONFIG,
        "Cannot construct instance of `" ENTITIES
        "CreateConnectorRequest$InitialState`, problem: No enum constant " ENTITIES
        "CreateConnectorRequest.InitialState.%s",
        name == NULL ? "" : name);
}

static sluice_status check_create(const json_t *body, sluice_error *err)
{
    static const char *const known[] = {"name", "config", "initial_state", NULL};
    const json_t *config = json_object_get(body, "config");
    const json_t *name = json_object_get(body, "name");
    if (!json_is_object(body)) {
        return mismatch(ENTITIES "CreateConnectorRequest", body, err);
    }
    sluice_status status = check_members(
        body, "CreateConnectorRequest", known,
        "3 known properties: \"config\", \"name\", \"initial_state\"", err);
    if (status == SLUICE_OK && name != NULL && !json_is_string(name) &&
        !json_is_null(name)) {
        status = mismatch("java.lang.String", name, err);
    }
    if (status == SLUICE_OK && (config == NULL || json_is_null(config))) {
        status = sluice_fail(err, SLUICE_BAD_CONFIG,
                             "the request has no 'config': it must be a map with the "
                             "keys of the connector");
    }
    if (status == SLUICE_OK) {
        status =
            check_strings(config, ENTITIES "CreateConnectorRequest[\"config\"]->", err);
    }
    return status == SLUICE_OK
               ? check_state(json_object_get(body, "initial_state"), err)
               : status;
}

static sluice_status check_offset(const json_t *entry, sluice_error *err)
{
    static const char *const known[] = {"partition", "offset", NULL};
    if (!json_is_object(entry)) {
        return mismatch(ENTITIES "ConnectorOffset", entry, err);
    }
    sluice_status status =
        check_members(entry, "ConnectorOffset", known,
                      "2 known properties: \"partition\", \"offset\"", err);
    for (size_t i = 0; status == SLUICE_OK && known[i] != NULL; i++) {
        const json_t *map = json_object_get(entry, known[i]);
        if (map != NULL && !json_is_null(map) && !json_is_object(map)) {
            status = mismatch(OBJECTS, map, err);
        }
    }
    return status;
}

static sluice_status check_offsets(const json_t *body, sluice_error *err)
{
    static const char *const known[] = {"offsets", NULL};
    const json_t *list = json_object_get(body, "offsets");
    size_t index;
    json_t *entry;
    if (!json_is_object(body)) {
        return mismatch(ENTITIES "ConnectorOffsets", body, err);
    }
    sluice_status status = check_members(body, "ConnectorOffsets", known,
                                         "one known property: \"offsets\"", err);
    if (status == SLUICE_OK && list != NULL && !json_is_null(list) &&
        !json_is_array(list)) {
        status =
            mismatch("java.util.ArrayList<" ENTITIES "ConnectorOffset>", list, err);
    }
    json_array_foreach(list, index, entry)
    {
        if (status == SLUICE_OK) {
            status = check_offset(entry, err);
        }
    }
    return status;
}

static sluice_status check_tasks(const json_t *body, sluice_error *err)
{
    size_t index;
    json_t *map;
    sluice_status status = SLUICE_OK;
    if (!json_is_array(body)) {
        return mismatch("java.util.ArrayList<java.util.Map<java.lang.String,"
                        "java.lang.String>>",
                        body, err);
    }
    json_array_foreach(body, index, map)
    {
        if (status == SLUICE_OK) {
            status = check_strings(map, "java.util.ArrayList[0]->", err);
        }
    }
    return status;
}

static sluice_status check(route_body kind, const json_t *body, sluice_error *err)
{
    switch (kind) {
    case route_create:
        return check_create(body, err);
    case route_offsets:
        return check_offsets(body, err);
    case route_map:
        return check_strings(body, "", err);
    case route_tasks:
        return check_tasks(body, err);
    case route_no_body:
        break;
    }
    return SLUICE_OK;
}

sluice_status entity_parse(route_body kind, const char *base, size_t len,
                           json_t **ret_body, sluice_error *err)
{
    json_error_t fault;
    *ret_body = NULL;
    if (kind == route_no_body) {
        return SLUICE_OK;
    }
    json_t *body = kind == route_offsets && len > 0
                       ? json_loadb(base, len, JSON_DECODE_ANY, &fault)
                   : kind == route_offsets ? json_object()
                                           : string_map_load(base, len, true, &fault);
    if (body == NULL) {
        return not_json(&fault, len, err);
    }
    if (kind == route_offsets && json_is_null(body)) {
        body = json_object();
    }
    sluice_status status = check(kind, body, err);
    if (status == SLUICE_OK) {
        *ret_body = body;
    } else {
        json_decref(body);
    }
    return status;
}
