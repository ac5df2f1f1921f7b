/* Offsets of sinks: those of their consumer group, asked for and altered through the
 * inspector. */
#include "base/memory.h"
#include "base/text.h"
#include "state.h"
#include <stdlib.h>
#include <string.h>

static const char *action_of(const pending *p)
{
    return p->operation == herder_offsets         ? "list"
           : p->operation == herder_alter_offsets ? "alter"
                                                  : "delete";
}

bool group_offsets_is(const pending *p)
{
    return p->operation == herder_offsets || p->operation == herder_alter_offsets ||
           p->operation == herder_reset_offsets;
}

void group_offsets_ask(herder *self, const pending *p)
{
    const connector *c = herder_connector_find(self, p->name);
    if (c != NULL && strcmp(c->type, "sink") != 0) {
        offsets_ask(self, p, c);
        return;
    }
    const char *class =
        c == NULL ? NULL : herder_connector_property(c, "connector.class");
    const char *own =
        c == NULL ? NULL : herder_connector_property(c, "consumer.override.group.id");
    char *group = own != NULL ? memory_text(own) : memory_print("connect-%s", p->name);
    json_t *question =
        json_pack("{s:I, s:s, s:s, s:s, s:O, s:o}", "id", (json_int_t)p->id, "action",
                  action_of(p), "group", group, "class", class == NULL ? "" : class,
                  "worker", self->settings.worker, "config",
                  c == NULL ? json_object() : json_incref(c->config));
    if (p->operation != herder_offsets) {
        json_object_set_new(question, "offsets",
                            p->body == NULL ? json_array() : json_incref(p->body));
    }
    act_send(self, self->inspector.id, json_pack("{s:o}", "group_offsets", question));
    free(group);
}

/* --- Checking what is to be set. --- */

/* A number, or a text that is one. */
static bool whole_number(const json_t *value, json_int_t *ret_number)
{
    int64_t number;
    const char *text = json_string_value(value);
    if (json_is_integer(value)) {
        *ret_number = json_integer_value(value);
        return true;
    }
    if (text != NULL && text_to_int64(text, &number)) {
        *ret_number = number;
        return true;
    }
    return false;
}

static char *shown(const json_t *value)
{
    const char *text = json_string_value(value);
    return text != NULL ? memory_text(text)
                        : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
}

static bool refuse(herder *self, const herder_request *request, const char *format,
                   const json_t *value)
{
    char *text = value == NULL ? NULL : shown(value);
    act_fault(self, request->id, 400, format, text == NULL ? "" : text);
    free(text);
    return false;
}

static bool take_partition(herder *self, const herder_request *request,
                           const json_t *where, json_t **ret_where)
{
    const json_t *topic = json_object_get(where, "kafka_topic");
    const json_t *partition = json_object_get(where, "kafka_partition");
    json_int_t number;
    if (!json_is_object(where)) {
        return refuse(self, request,
                      "The partition for a sink connector offset cannot be null or "
                      "missing%s",
                      NULL);
    }
    if (topic == NULL || partition == NULL) {
        return refuse(self, request,
                      "The partition for a sink connector offset must contain the keys "
                      "'kafka_topic' and 'kafka_partition'%s",
                      NULL);
    }
    if (!json_is_string(topic)) {
        return refuse(self, request,
                      "Kafka topic names must be valid strings and may not be null%s",
                      NULL);
    }
    if (json_is_null(partition)) {
        return refuse(self, request,
                      "Kafka partitions must be valid numbers and may not be null%s",
                      NULL);
    }
    if (!whole_number(partition, &number) || number < 0 || number > INT32_MAX) {
        return refuse(
            self, request,
            "Failed to parse the following Kafka partition value in the "
            "provided offsets: '%s'. Partition values for sink connectors need "
            "to be integers.",
            partition);
    }
    *ret_where =
        json_pack("{s:O, s:I}", "kafka_topic", topic, "kafka_partition", number);
    return true;
}

static bool take_offset(herder *self, const herder_request *request,
                        const json_t *offset, json_t **ret_offset)
{
    const json_t *value = json_object_get(offset, "kafka_offset");
    json_int_t number;
    if (offset == NULL || json_is_null(offset)) {
        *ret_offset = json_null();
        return true;
    }
    if (value == NULL) {
        return refuse(
            self, request,
            "The offset for a sink connector should either be null or contain "
            "the key 'kafka_offset'%s",
            NULL);
    }
    if (!whole_number(value, &number) || number < 0) {
        return refuse(
            self, request,
            "Failed to parse the following Kafka offset value in the provided "
            "offsets: '%s'. Offset values for sink connectors need to be "
            "integers.",
            value);
    }
    *ret_offset = json_pack("{s:I}", "kafka_offset", number);
    return true;
}

/* The pairs to set, the caller's; NULL: it has answered. */
static json_t *take_pairs(herder *self, const herder_request *request)
{
    json_t *pairs = json_array();
    size_t index;
    json_t *entry;
    json_array_foreach(json_object_get(request->body, "offsets"), index, entry)
    {
        json_t *where = NULL, *offset = NULL;
        if (!take_partition(self, request, json_object_get(entry, "partition"),
                            &where)) {
            json_decref(pairs);
            return NULL;
        }
        if (!take_offset(self, request, json_object_get(entry, "offset"), &offset)) {
            json_decref(where);
            json_decref(pairs);
            return NULL;
        }
        json_array_append_new(pairs, json_pack("[o, o]", where, offset));
    }
    return pairs;
}

void group_offsets_request(herder *self, const herder_request *request)
{
    json_t *pairs = NULL;
    if (request->operation == herder_alter_offsets) {
        pairs = take_pairs(self, request);
        if (pairs == NULL) {
            return;
        }
    }
    pending *p = pending_add(self, request, wait_validation);
    json_decref(p->body);
    p->body = pairs;
    inspector_next(self);
}

/* --- Answers. --- */

static bool is_in_use(const char *code)
{
    return strcmp(code, "NON_EMPTY_GROUP") == 0 ||
           strcmp(code, "UNKNOWN_MEMBER_ID") == 0 ||
           strcmp(code, "GROUP_SUBSCRIBED_TO_TOPIC") == 0;
}

/* Kafka Connect keeps the reason to its log. */
static void answer_fault(herder *self, const pending *p, const char *code,
                         const char *reason)
{
    const char *verb = p->operation == herder_alter_offsets ? "alter" : "reset";
    act_log(self, SLUICE_ERROR,
            "the consumer group offsets of connector '%s' cannot be %s: %s", p->name,
            p->operation == herder_offsets ? "read" : "changed", reason);
    if (strcmp(code, "REFUSED") == 0) {
        act_fault(self, p->id, 500, "%s", reason);
    } else if (p->operation == herder_offsets) {
        act_fault(self, p->id, 500,
                  "Failed to retrieve consumer group offsets for sink connector %s",
                  p->name);
    } else if (is_in_use(code)) {
        act_fault(
            self, p->id, 500,
            "Failed to %s consumer group offsets for connector %s either because its "
            "tasks haven't stopped completely yet or the connector was resumed "
            "before the request to %s its offsets could be successfully completed. "
            "If the connector is in a stopped state, this operation can be safely "
            "retried. If it doesn't eventually succeed, the Connect cluster may need "
            "to be restarted to get rid of the zombie sink tasks.",
            verb, p->name, verb);
    } else {
        act_fault(self, p->id, 500,
                  "Failed to %s consumer group offsets for %sconnector %s", verb,
                  p->operation == herder_reset_offsets ? "sink " : "", p->name);
    }
}

void group_offsets_answered(herder *self, pending *p, const json_t *message)
{
    p->external = json_is_true(json_object_get(message, "external"));
    const char *reason = json_string_value(json_object_get(message, "error"));
    const char *code = json_string_value(json_object_get(message, "code"));
    if (reason != NULL) {
        answer_fault(self, p, code == NULL ? "" : code, reason);
    } else if (p->operation == herder_offsets) {
        offsets_answer(self, p->id, json_object_get(message, "group_offsets"));
    } else {
        offsets_answer_changed(self, p);
    }
}
