/* Offsets of sources: arrived, durable, known; and asked for or altered through REST.
 *
 * What is in the table is durable. A pair that a host sends enters the table when the
 * store has answered, and only then the host is told. */
#include "base/memory.h"
#include "state.h"
#include <stdlib.h>
#include <string.h>

/* Kafka Connect's maps have no order; a partition is found by its sorted text. */
static char *partition_key(const json_t *partition)
{
    char *text = json_dumps(partition, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    return text == NULL ? memory_text("") : text;
}

static json_t *table_of(herder *self, const char *name)
{
    json_t *table = map_get_text(&self->offsets, name);
    if (table == NULL) {
        table = json_object();
        map_put_text(&self->offsets, name, table);
    }
    return table;
}

static void apply(herder *self, const char *name, const json_t *pairs)
{
    json_t *table = table_of(self, name);
    size_t index;
    json_t *pair;
    if (pairs == NULL) {
        json_object_clear(table);
    }
    json_array_foreach(pairs, index, pair)
    {
        char *key = partition_key(json_array_get(pair, 0));
        if (json_is_null(json_array_get(pair, 1))) {
            json_object_del(table, key);
        } else {
            json_object_set(table, key, pair);
        }
        free(key);
    }
}

void offsets_restore(herder *self, const json_t *stored)
{
    apply(self, json_string_value(json_object_get(stored, "name")),
          json_object_get(stored, "offsets"));
}

json_t *offsets_pairs(const herder *self, const char *name)
{
    json_t *pairs = json_array();
    json_t *table = map_get_text(&self->offsets, name);
    const char *key;
    json_t *pair;
    json_object_foreach(table, key, pair)
    {
        json_array_append(pairs, pair);
    }
    return pairs;
}

static uint64_t store(herder *self, const char *name, json_t *pairs, uint64_t host,
                      json_int_t sequence)
{
    store_wait *wait = memory_zero(sizeof *wait);
    wait->id = act_store_offsets(self, name, pairs);
    wait->name = memory_text(name);
    wait->pairs = json_incref(pairs);
    wait->host = host;
    wait->sequence = sequence;
    *self->stores_end = wait;
    self->stores_end = &wait->next;
    return wait->id;
}

bool offsets_in_flight(const herder *self, const char *name)
{
    const store_wait *wait = self->stores;
    while (wait != NULL && strcmp(wait->name, name) != 0) {
        wait = wait->next;
    }
    return wait != NULL;
}

static bool well_formed(const json_t *pairs)
{
    size_t index;
    json_t *pair;
    json_array_foreach(pairs, index, pair)
    {
        if (json_array_size(pair) != 2) {
            return false;
        }
    }
    return json_is_array(pairs);
}

void offsets_arrived(herder *self, connector *c, uint64_t host, const json_t *message)
{
    json_t *pairs = json_object_get(message, "offsets");
    if (!well_formed(pairs)) {
        act_log(self, SLUICE_ERROR,
                "the host of connector '%s' sent offsets that are no list of pairs; "
                "they are not stored",
                c->name);
        return;
    }
    store(self, c->name, pairs, host,
          json_integer_value(json_object_get(message, "seq")));
}

static void store_free(store_wait *wait)
{
    free(wait->name);
    json_decref(wait->pairs);
    free(wait);
}

void offsets_stored(herder *self, uint64_t id)
{
    store_wait *wait = self->stores;
    if (wait == NULL || wait->id != id) {
        pending_stored(self, id); /* A configuration. */
        return;
    }
    self->stores = wait->next;
    if (self->stores == NULL) {
        self->stores_end = &self->stores;
    }
    apply(self, wait->name, wait->pairs);
    connector *c = map_get_text(&self->connectors, wait->name);
    if (c != NULL) {
        if (wait->host != 0 && c->host.id == wait->host) {
            act_send(self, wait->host, json_pack("{s:I}", "stored", wait->sequence));
        }
        if (c->rerun && c->host.id == 0) {
            herder_connector_start(self, c);
        }
    }
    pending_stored(self, id);
    store_free(wait);
}

void offsets_free(herder *self)
{
    const map_entry *entry;
    for (size_t at = 0; (entry = map_next(&self->offsets, &at)) != NULL;) {
        json_decref(entry->value);
    }
    map_done(&self->offsets);
    while (self->stores != NULL) {
        store_wait *wait = self->stores;
        self->stores = wait->next;
        store_free(wait);
    }
}

/* --- REST. --- */

void offsets_answer(herder *self, uint64_t request, const json_t *pairs)
{
    json_t *list = json_array();
    size_t index;
    json_t *pair;
    json_array_foreach(pairs, index, pair)
    {
        json_array_append_new(list, json_pack("{s:O, s:O}", "partition",
                                              json_array_get(pair, 0), "offset",
                                              json_array_get(pair, 1)));
    }
    act_answer(self, request, 200, json_pack("{s:o}", "offsets", list));
}

void offsets_answer_changed(herder *self, const pending *p)
{
    const char *verb = p->operation == herder_alter_offsets ? "altered" : "reset";
    if (p->external) {
        act_answer(self, p->id, 200,
                   json_pack("{s:o}", "message",
                             json_sprintf("The offsets for this connector have been %s "
                                          "successfully",
                                          verb)));
        return;
    }
    json_t *message = json_sprintf(
        "The Connect framework-managed offsets for this connector have been %s "
        "successfully. However, if this connector manages offsets externally, they "
        "will "
        "need to be manually %s in the system that the connector uses.",
        verb, verb);
    act_answer(self, p->id, 200, json_pack("{s:o}", "message", message));
}

static void answer_known(herder *self, const herder_request *request)
{
    json_t *pairs = offsets_pairs(self, request->name);
    offsets_answer(self, request->id, pairs);
    json_decref(pairs);
}

/* Every known partition with no offset: what "reset" writes. */
static json_t *reset_pairs(const herder *self, const char *name)
{
    json_t *pairs = offsets_pairs(self, name);
    json_t *nulls = json_array();
    size_t index;
    json_t *pair;
    json_array_foreach(pairs, index, pair)
    {
        json_array_append_new(nulls, json_pack("[O, n]", json_array_get(pair, 0)));
    }
    json_decref(pairs);
    return nulls;
}

/* Whether `given` has a value that is an array or an object; such cannot be compared by
 * those who look an offset up. */
static bool is_deep(const json_t *given, const char **ret_field, const char **ret_type)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)given, key, value)
    {
        if (json_is_array(value) || json_is_object(value)) {
            *ret_field = key;
            *ret_type = json_is_array(value) ? "ARRAY" : "MAP";
            return true;
        }
    }
    return false;
}

static bool are_flat(herder *self, const herder_request *request)
{
    size_t index;
    json_t *entry;
    const char *field, *type;
    json_array_foreach(json_object_get(request->body, "offsets"), index, entry)
    {
        if (is_deep(json_object_get(entry, "partition"), &field, &type) ||
            is_deep(json_object_get(entry, "offset"), &field, &type)) {
            act_fault(self, request->id, 500,
                      "Offsets may only contain primitive types as values, but field "
                      "%s contains %s",
                      field, type);
            return false;
        }
    }
    return true;
}

static json_t *altered_pairs(const json_t *body)
{
    json_t *pairs = json_array();
    size_t index;
    json_t *entry;
    json_array_foreach(json_object_get(body, "offsets"), index, entry)
    {
        json_t *partition = json_object_get(entry, "partition");
        json_t *offset = json_object_get(entry, "offset");
        json_array_append_new(
            pairs, json_pack("[o, o]",
                             partition == NULL ? json_null() : json_incref(partition),
                             offset == NULL ? json_null() : json_incref(offset)));
    }
    return pairs;
}

static void refuse_running(herder *self, uint64_t request, const char *name)
{
    act_fault(self, request, 400,
              "Connectors must be in the STOPPED state before their offsets can be "
              "modified. This can be done for the specified connector by issuing a "
              "'PUT' request to the '/connectors/%s/stop' endpoint",
              name);
}

static void change_offsets(herder *self, const herder_request *request, connector *c)
{
    json_t *pairs = request->operation == herder_reset_offsets
                        ? reset_pairs(self, c->name)
                        : altered_pairs(request->body);
    pending *p = pending_add(self, request, wait_validation);
    json_decref(p->body);
    p->body = pairs;
    inspector_next(self);
}

void offsets_ask(herder *self, const pending *p, const connector *c)
{
    const char *class = herder_connector_property(c, "connector.class");
    json_t *question =
        json_pack("{s:I, s:s, s:O, s:O, s:O}", "id", (json_int_t)p->id, "class",
                  class == NULL ? "" : class, "config", c->config, "worker",
                  self->settings.worker, "offsets", p->body);
    act_send(self, self->inspector.id, json_pack("{s:o}", "alter_offsets", question));
}

void offsets_asked(herder *self, pending *p, const json_t *message)
{
    const char *refusal = json_string_value(json_object_get(message, "error"));
    const json_t *answer = json_object_get(message, "alter_offsets");
    const connector *c = herder_connector_find(self, p->name);
    if (c == NULL) {
        act_fault(self, p->id, 404, "Connector %s not found", p->name);
    } else if (refusal != NULL) {
        act_fault(self, p->id, 500, "%s", refusal);
    } else if (c->target != target_stopped || c->host.id != 0) {
        refuse_running(self, p->id, c->name);
    } else {
        p->external = json_is_true(json_object_get(answer, "external"));
        pending_to(self, p, wait_store);
        p->store = store(self, c->name, p->body, 0, 0);
        return;
    }
    pending_remove(self, p);
}

void offsets_request(herder *self, const herder_request *request)
{
    connector *c = herder_connector_find(self, request->name);
    bool sink = c != NULL && strcmp(c->type, "sink") == 0;
    if (request->operation == herder_alter_offsets &&
        json_array_size(json_object_get(request->body, "offsets")) == 0) {
        act_fault(
            self, request->id, 400,
            "Partitions / offsets need to be provided for an alter offsets request");
    } else if (c == NULL) {
        act_fault(self, request->id, 404, "Connector %s not found", request->name);
    } else if (request->operation == herder_offsets) {
        if (sink) {
            group_offsets_request(self, request);
        } else {
            answer_known(self, request);
        }
    } else if (c->target != target_stopped || c->host.id != 0) {
        refuse_running(self, request->id, c->name);
    } else if (sink) {
        group_offsets_request(self, request);
    } else if (are_flat(self, request)) {
        change_offsets(self, request, c);
    }
}
