/* The bodies of requests, read and checked for their shape. */
#include "worker/rest/entity.h"
#include "base/memory.h"
#include "base/text.h"
#include "worker/rest/json_reader.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define ENTITIES "org.apache.kafka.connect.runtime.rest.entities."
#define CREATE   ENTITIES "CreateConnectorRequest"
#define MAP      "java.util.LinkedHashMap"
#define STRINGS  MAP "<java.lang.String,java.lang.String>"
#define OBJECTS  MAP "<java.lang.String,java.lang.Object>"

/* What Jackson makes of a value that is none of the expected: it has rules for maps and
 * lists, and others for classes that can be made from a single value. */
typedef enum target { target_map, target_list, target_class } target;

/* --- Faults. --- */

/* A fault at `place`, of what `chain` ("Class[\"field\"]", "": the whole body) leads
 * to. */
static sluice_status fail_at(json_place place, const char *chain, const char *message,
                             sluice_error *err)
{
    char *located = json_reader_located(place, message);
    sluice_status status =
        chain[0] == '\0'
            ? sluice_fail(err, SLUICE_BAD_CONFIG, "%s", located)
            : sluice_fail(err, SLUICE_BAD_CONFIG, "%s (through reference chain: %s)",
                          located, chain);
    free(located);
    return status;
}

/* The chain to a member of what `chain` leads to; the caller's. */
static char *chain_to(const char *chain, const char *class, const char *member)
{
    return memory_print("%s%s%s[\"%s\"]", chain, chain[0] == '\0' ? "" : "->", class,
                        member);
}

static const char *kind_of(json_token token)
{
    return token == token_array     ? "Array"
           : token == token_object  ? "Object"
           : token == token_text    ? "String"
           : token == token_integer ? "Integer"
           : token == token_float   ? "Floating-point"
           : token == token_null    ? "Null"
                                    : "Boolean";
}

/* "no int/Int-argument constructor … from Number value (5)" */
static char *no_constructor(const json_reader *r, const char *type)
{
    bool text = r->token == token_text;
    bool number = r->token == token_integer || r->token == token_float;
    return memory_print(
        "Cannot construct instance of `%s` (although at least one Creator exists): no "
        "%s-argument constructor/factory method to deserialize from %s value (%s%s%s)",
        type,
        text                        ? "String"
        : r->token == token_integer ? "int/Int"
        : r->token == token_float   ? "double/Double"
                                    : "boolean/Boolean",
        text     ? "String"
        : number ? "Number"
                 : "boolean",
        text ? "'" : "", buffer_text(&r->text), text ? "'" : "");
}

static bool is_blank(const char *text)
{
    return text[strspn(text, " \t\r\n")] == '\0';
}

/* The token in hand is no `type`. */
static sluice_status mismatch(const json_reader *r, target made, const char *type,
                              const char *chain, sluice_error *err)
{
    bool open =
        r->token == token_array || r->token == token_object || r->token == token_null;
    size_t bare = strcspn(type, "<");
    char *message;
    if (r->token == token_text && made != target_list &&
        is_blank(buffer_text(&r->text))) {
        message =
            memory_print("Cannot coerce empty String (\"\") to %s`%.*s`%s (but could "
                         "if coercion was enabled using `CoercionConfig`)",
                         made == target_map ? "element of " : "", (int)bare, type,
                         made == target_map ? "" : " value");
    } else if (!open && made == target_class) {
        message = no_constructor(r, type);
    } else if (r->token == token_text && made == target_map) {
        message = no_constructor(r, MAP);
    } else {
        message = memory_print("Cannot deserialize value of type `%s` from %s value "
                               "(token `JsonToken.%s`)",
                               type, kind_of(r->token), json_token_name(r->token));
    }
    sluice_status status = fail_at(r->start, chain, message, err);
    free(message);
    return status;
}

/* --- Values of any kind. --- */

static bool is_scalar(json_token token)
{
    return token == token_text || token == token_integer || token == token_float ||
           token == token_true || token == token_false;
}

static json_t *scalar_of(const json_reader *r)
{
    int64_t whole;
    double number = 0;
    const char *text = buffer_text(&r->text);
    switch ((int)r->token) {
    case token_text:
        return json_stringn(text, r->text.len);
    case token_integer:
        if (text_to_int64(text, &whole)) {
            return json_integer(whole);
        }
        text_to_double(text, &number);
        return json_real(number);
    case token_float:
        text_to_double(text, &number);
        return json_real(number);
    case token_true:
        return json_true();
    case token_false:
        return json_false();
    default:
        return json_null();
    }
}

/* The value whose first token is in hand, up to its last; NULL with `err` filled. */
static json_t *read_any(json_reader *r, sluice_error *err)
{
    json_token first = r->token;
    if (first != token_object && first != token_array) {
        json_t *scalar = scalar_of(r);
        return scalar == NULL ? json_null() : scalar; /* A number beyond all. */
    }
    json_t *value = first == token_object ? json_object() : json_array();
    while (json_reader_next(r, err) == SLUICE_OK) {
        char *name = NULL;
        if (r->token == token_object_end || r->token == token_array_end) {
            return value;
        }
        if (first == token_object) {
            name = memory_text(buffer_text(&r->text));
            if (json_reader_next(r, err) != SLUICE_OK) {
                free(name);
                break;
            }
        }
        json_t *member = read_any(r, err);
        if (member != NULL && first == token_object) {
            json_object_set_new(value, name, member);
        } else if (member != NULL) {
            json_array_append_new(value, member);
        }
        free(name);
        if (member == NULL) {
            break;
        }
    }
    json_decref(value);
    return NULL;
}

static sluice_status skip(json_reader *r, sluice_error *err)
{
    json_t *skipped = read_any(r, err);
    json_decref(skipped);
    return skipped == NULL ? SLUICE_BAD_CONFIG : SLUICE_OK;
}

/* --- Texts, and maps. --- */

/* A scalar as a text with its own digits, or null. */
static sluice_status read_text(json_reader *r, const char *chain, json_t **ret_text,
                               sluice_error *err)
{
    if (r->token == token_null) {
        *ret_text = json_null();
        return SLUICE_OK;
    }
    if (!is_scalar(r->token)) {
        return mismatch(r, target_class, "java.lang.String", chain, err);
    }
    *ret_text = json_stringn(buffer_text(&r->text), r->text.len);
    return SLUICE_OK;
}

static sluice_status read_entry(json_reader *r, const char *chain, bool texts,
                                json_t *into, sluice_error *err)
{
    char *name = memory_text(buffer_text(&r->text));
    json_t *value = NULL;
    sluice_status status = json_reader_next(r, err);
    if (status == SLUICE_OK && texts) {
        char *entry_chain = chain_to(chain, MAP, name);
        status = read_text(r, entry_chain, &value, err);
        free(entry_chain);
    } else if (status == SLUICE_OK) {
        value = read_any(r, err);
        status = value == NULL ? SLUICE_BAD_CONFIG : SLUICE_OK;
    }
    if (status == SLUICE_OK) {
        json_object_set_new(into, name, value);
    }
    free(name);
    return status;
}

/* A map of texts, or of anything; null is null where `may_be_null`. */
static sluice_status read_map(json_reader *r, const char *chain, bool texts,
                              json_t **ret_map, sluice_error *err)
{
    if (r->token == token_null && !texts) {
        *ret_map = json_null();
        return SLUICE_OK;
    }
    if (r->token != token_object) {
        return mismatch(r, target_map, texts ? STRINGS : OBJECTS, chain, err);
    }
    json_t *map = json_object();
    sluice_status status = json_reader_next(r, err);
    while (status == SLUICE_OK && r->token != token_object_end) {
        status = read_entry(r, chain, texts, map, err);
        if (status == SLUICE_OK) {
            status = json_reader_next(r, err);
        }
    }
    if (status == SLUICE_OK) {
        *ret_map = map;
    } else {
        json_decref(map);
    }
    return status;
}

/* --- Classes: objects whose members are known. --- */

typedef sluice_status reader(json_reader *r, const char *chain, json_t **ret_value,
                             sluice_error *err);

typedef struct field {
    const char *name;
    reader *read;
} field;

typedef struct class
{
    const char *name;
    const char *known;   /* As they are told to who names another. */
    const field *fields; /* NULL-ended. */
} class;

static const field *find_field(const class *of, const char *name)
{
    const field *one = of->fields;
    while (one->name != NULL && strcmp(one->name, name) != 0) {
        one++;
    }
    return one->name == NULL ? NULL : one;
}

static sluice_status fail_unknown(const json_reader *r, const class *of,
                                  const char *chain, const char *unknown,
                                  sluice_error *err)
{
    char *where = chain_to(chain, of->name, unknown);
    char *message = memory_print("Unrecognized field \"%s\" (class %s), not marked as "
                                 "ignorable (%s])",
                                 unknown, of->name, of->known);
    sluice_status status = fail_at(json_reader_place(r), where, message, err);
    free(message);
    free(where);
    return status;
}

/* The member whose name is in hand; the first unknown one is kept in `*unknown`. */
static sluice_status read_member(json_reader *r, const class *of, const char *chain,
                                 json_t *into, char **unknown, sluice_error *err)
{
    const field *known = find_field(of, buffer_text(&r->text));
    json_t *value = NULL;
    if (known == NULL && *unknown == NULL) {
        *unknown = memory_text(buffer_text(&r->text));
    }
    sluice_status status = json_reader_next(r, err);
    if (status == SLUICE_OK && known == NULL) {
        status = skip(r, err);
    } else if (status == SLUICE_OK) {
        char *where = chain_to(chain, of->name, known->name);
        status = known->read(r, where, &value, err);
        free(where);
    }
    if (status == SLUICE_OK && value != NULL) {
        json_object_set_new(into, known->name, value);
    }
    return status;
}

static sluice_status read_class(json_reader *r, const class *of, const char *chain,
                                json_t **ret_object, sluice_error *err)
{
    if (r->token != token_object) {
        return mismatch(r, target_class, of->name, chain, err);
    }
    char *unknown = NULL;
    json_t *object = json_object();
    sluice_status status = json_reader_next(r, err);
    while (status == SLUICE_OK && r->token != token_object_end) {
        status = read_member(r, of, chain, object, &unknown, err);
        if (status == SLUICE_OK) {
            status = json_reader_next(r, err);
        }
    }
    if (status == SLUICE_OK && unknown != NULL) {
        status = fail_unknown(r, of, chain, unknown, err);
    }
    free(unknown);
    if (status == SLUICE_OK) {
        *ret_object = object;
    } else {
        json_decref(object);
    }
    return status;
}

/* A list, each of whose items `read` reads. */
static sluice_status read_list(json_reader *r, const char *type, reader *read,
                               const char *chain, json_t **ret_list, sluice_error *err)
{
    if (r->token != token_array) {
        return mismatch(r, target_list, type, chain, err);
    }
    json_t *list = json_array();
    sluice_status status = json_reader_next(r, err);
    while (status == SLUICE_OK && r->token != token_array_end) {
        json_t *item = NULL;
        char *where = memory_print("%s%sjava.util.ArrayList[%zu]", chain,
                                   chain[0] == '\0' ? "" : "->", json_array_size(list));
        status = read(r, where, &item, err);
        free(where);
        if (status == SLUICE_OK) {
            json_array_append_new(list, item);
            status = json_reader_next(r, err);
        }
    }
    if (status == SLUICE_OK) {
        *ret_list = list;
    } else {
        json_decref(list);
    }
    return status;
}

/* --- The bodies. --- */

static sluice_status read_texts(json_reader *r, const char *chain, json_t **ret_value,
                                sluice_error *err)
{
    return read_map(r, chain, true, ret_value, err);
}

static sluice_status read_config(json_reader *r, const char *chain, json_t **ret_value,
                                 sluice_error *err)
{
    if (r->token == token_null) {
        return SLUICE_OK; /* As if it were not there. */
    }
    return read_map(r, chain, true, ret_value, err);
}

static sluice_status read_objects(json_reader *r, const char *chain, json_t **ret_value,
                                  sluice_error *err)
{
    return read_map(r, chain, false, ret_value, err);
}

static sluice_status read_state(json_reader *r, const char *chain, json_t **ret_value,
                                sluice_error *err)
{
    char *name = memory_text(buffer_text(&r->text)), *message;
    if (r->token == token_null ||
        (r->token == token_text &&
         (text_equal_nocase(name, "RUNNING") || text_equal_nocase(name, "PAUSED") ||
          text_equal_nocase(name, "STOPPED")))) {
        *ret_value = r->token == token_null ? json_null() : json_string(name);
        free(name);
        return SLUICE_OK;
    }
    for (char *at = name; *at != '\0'; at++) {
        *at = (char)toupper((unsigned char)*at);
    }
    message =
        is_scalar(r->token)
            ? memory_print("Cannot construct instance of `" CREATE "$InitialState`, "
                           "problem: No enum constant " CREATE ".InitialState.%s",
                           name)
            : memory_print("Input mismatch reading Enum `" CREATE "$InitialState`: "
                           "properties-based `@JsonCreator` ([method " CREATE
                           "$InitialState#forValue(java.lang.String)]) expects String "
                           "Value, got %s value (`JsonToken.%s`)",
                           kind_of(r->token), json_token_name(r->token));
    sluice_status status = fail_at(r->start, chain, message, err);
    free(message);
    free(name);
    return status;
}

static sluice_status read_create(json_reader *r, json_t **ret_body, sluice_error *err)
{
    static const field fields[] = {{"config", read_config},
                                   {"name", read_text},
                                   {"initial_state", read_state},
                                   {NULL, NULL}};
    static const class request = {
        CREATE, "3 known properties: \"config\", \"name\", \"initial_state\"", fields};
    return read_class(r, &request, "", ret_body, err);
}

static sluice_status read_offset(json_reader *r, const char *chain, json_t **ret_value,
                                 sluice_error *err)
{
    static const field fields[] = {
        {"partition", read_objects}, {"offset", read_objects}, {NULL, NULL}};
    static const class entry = {ENTITIES "ConnectorOffset",
                                "2 known properties: \"partition\", \"offset\"",
                                fields};
    return read_class(r, &entry, chain, ret_value, err);
}

static sluice_status read_offset_list(json_reader *r, const char *chain,
                                      json_t **ret_value, sluice_error *err)
{
    if (r->token == token_null) {
        *ret_value = json_null();
        return SLUICE_OK;
    }
    return read_list(r, "java.util.ArrayList<" ENTITIES "ConnectorOffset>", read_offset,
                     chain, ret_value, err);
}

static sluice_status read_offsets(json_reader *r, json_t **ret_body, sluice_error *err)
{
    static const field fields[] = {{"offsets", read_offset_list}, {NULL, NULL}};
    static const class offsets = {ENTITIES "ConnectorOffsets",
                                  "one known property: \"offsets\"", fields};
    if (r->token == token_null || r->token == token_end) {
        *ret_body = json_object();
        return SLUICE_OK;
    }
    return read_class(r, &offsets, "", ret_body, err);
}

static sluice_status read_body(route_body kind, json_reader *r, json_t **ret_body,
                               sluice_error *err)
{
    if (kind == route_offsets) {
        return read_offsets(r, ret_body, err);
    }
    bool none = r->token == token_end || r->token == token_null;
    if (none && kind == route_patch) {
        *ret_body = json_null();
        return SLUICE_OK;
    }
    if (none) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "No content to map due to end-of-input\n at [Source: "
                           "REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` "
                           "disabled); line: 1]");
    }
    if (kind == route_tasks) {
        return read_list(r,
                         "java.util.ArrayList<java.util.Map<java.lang.String,"
                         "java.lang.String>>",
                         read_texts, "", ret_body, err);
    }
    return kind == route_create ? read_create(r, ret_body, err)
                                : read_texts(r, "", ret_body, err);
}

/* Behind the body there is nothing more. */
static sluice_status check_end(route_body kind, json_reader *r, sluice_error *err)
{
    static const char *const names[] = {[route_create] = CREATE,
                                        [route_map] = "java.util.Map",
                                        [route_patch] = "java.util.Map",
                                        [route_tasks] = "java.util.List",
                                        [route_offsets] = ENTITIES "ConnectorOffsets"};
    sluice_status status = r->token == token_end ? SLUICE_OK : json_reader_next(r, err);
    if (status != SLUICE_OK || r->token == token_end) {
        return status;
    }
    char *message = memory_print("Trailing token (of type %s) found after value (bound "
                                 "as `%s`): not allowed as per "
                                 "`DeserializationFeature.FAIL_ON_TRAILING_TOKENS`",
                                 json_token_name(r->token), names[kind]);
    status = fail_at(r->start, "", message, err);
    free(message);
    return status;
}

static sluice_status check_config(const json_t *body, sluice_error *err)
{
    return json_is_object(json_object_get(body, "config"))
               ? SLUICE_OK
               : sluice_fail(err, SLUICE_BAD_CONFIG,
                             "the request has no 'config': it must be a map with the "
                             "keys of the connector");
}

sluice_status entity_parse(route_body kind, const char *base, size_t len,
                           json_t **ret_body, sluice_error *err)
{
    json_t *body = NULL;
    *ret_body = NULL;
    if (kind == route_no_body) {
        return SLUICE_OK;
    }
    json_reader *r = memory_take(sizeof *r);
    json_reader_init(r, base, len);
    sluice_status status = json_reader_next(r, err);
    if (status == SLUICE_OK) {
        status = read_body(kind, r, &body, err);
    }
    if (status == SLUICE_OK) {
        status = check_end(kind, r, err);
    }
    if (status == SLUICE_OK && kind == route_create) {
        status = check_config(body, err);
    }
    json_reader_done(r);
    free(r);
    if (status == SLUICE_OK) {
        *ret_body = body;
    } else {
        json_decref(body);
    }
    return status;
}
