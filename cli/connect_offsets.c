/* sluice connect-offsets: what source connectors of a Kafka Connect cluster have stored
 * in its offsets topic. */
#include "client.h"
#include "command.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

typedef struct connect_offsets_options {
    cli_connection connection;
    const char *topic;
} connect_offsets_options;

static const cli_option options[] = {
    CLI_CONNECTION_OPTIONS(connect_offsets_options),
    {"topic", 0, CLI_TEXT, "TOPIC",
     "The cluster's offset.storage.topic, or a connector's own "
     "(offsets.storage.topic). Default: connect-offsets.",
     0, 0, CLI_AT(const char *, connect_offsets_options, topic)},
    {.name = NULL},
};

static const cli_usage usage = {
    .synopsis = "sluice connect-offsets [CONNECTOR…] [OPTION…]",
    .doc =
        "Prints the offsets that source connectors have stored in the offsets topic of "
        "a "
        "Kafka Connect cluster, which need not run any more. Of one CONNECTOR they are "
        "as GET /connectors/CONNECTOR/offsets answers, and sluice connectors offsets "
        "set "
        "takes them, so that the connector can go on here; else those of all "
        "connectors, by name.\n\n"
        "Exit 0: done. Exit 1: a connector has none there, or the topic cannot be "
        "read. "
        "Exit 2: the command line is wrong.",
    .options = options,
    .examples = "  sluice connectors create shop.json --state STOPPED\n"
                "  sluice connect-offsets shop --bootstrap-server old:9092 |\n"
                "    sluice connectors offsets set shop -\n"
                "  sluice connectors resume shop\n",
};

/* --- Reading the topic. --- */

typedef struct reading {
    json_t *connectors; /* name -> {partition's text: {"partition", "offset"}} */
    int unread;         /* Partitions whose end has not come. */
    int64_t passed;     /* Records that are none of Kafka Connect. */
} reading;

static json_t *parsed(const void *base, size_t len)
{
    return json_loadb(base, len, JSON_DECODE_ANY, NULL);
}

/* A key is ["connector", {partition}], a value {offset}, or nothing: it was removed. */
static bool take_record(reading *self, const rd_kafka_message_t *message)
{
    json_t *key = message->key == NULL ? NULL : parsed(message->key, message->key_len);
    json_t *offset =
        message->payload == NULL ? json_null() : parsed(message->payload, message->len);
    const char *name = json_string_value(json_array_get(key, 0));
    json_t *partition = json_array_get(key, 1);
    bool is_one = name != NULL && json_array_size(key) == 2 && offset != NULL &&
                  (json_is_object(partition) || json_is_null(partition)) &&
                  (json_is_object(offset) || json_is_null(offset));
    if (is_one) {
        json_t *known = json_object_get(self->connectors, name);
        if (known == NULL) {
            known = json_object();
            json_object_set_new(self->connectors, name, known);
        }
        char *text =
            json_dumps(partition, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
        json_object_del(known, text);
        if (json_is_object(offset)) {
            json_object_set_new(
                known, text,
                json_pack("{s:O, s:O}", "partition", partition, "offset", offset));
        }
        free(text);
    }
    json_decref(key);
    json_decref(offset);
    return is_one;
}

static sluice_status take(reading *self, const rd_kafka_message_t *message,
                          sluice_error *err)
{
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        self->unread--;
    } else if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        self->passed += !take_record(self, message);
    } else if (message->err != RD_KAFKA_RESP_ERR__TRANSPORT) {
        return sluice_fail(err, SLUICE_FATAL, "%s", rd_kafka_message_errstr(message));
    }
    return SLUICE_OK;
}

static sluice_status assign_all(rd_kafka_t *client, const char *topic, reading *self,
                                sluice_error *err)
{
    const rd_kafka_metadata_t *metadata;
    sluice_status status = cli_metadata(client, topic, &metadata, err);
    if (status != SLUICE_OK) {
        return status;
    }
    const rd_kafka_metadata_topic_t *found = &metadata->topics[0];
    rd_kafka_topic_partition_list_t *all =
        rd_kafka_topic_partition_list_new(found->partition_cnt);
    for (int i = 0; i < found->partition_cnt; i++) {
        rd_kafka_topic_partition_list_add(all, topic, found->partitions[i].id)->offset =
            RD_KAFKA_OFFSET_BEGINNING;
    }
    self->unread = all->cnt;
    if (found->err != RD_KAFKA_RESP_ERR_NO_ERROR || all->cnt == 0) {
        status = sluice_fail(err, SLUICE_FATAL,
                             "topic '%s' cannot be read: %s; --topic names another",
                             topic, rd_kafka_err2str(found->err));
    } else {
        rd_kafka_assign(client, all);
    }
    rd_kafka_topic_partition_list_destroy(all);
    rd_kafka_metadata_destroy(metadata);
    return status;
}

static sluice_status read_all(rd_kafka_t *client, const char *topic, reading *self,
                              sluice_error *err)
{
    sluice_status status = assign_all(client, topic, self, err);
    while (status == SLUICE_OK && self->unread > 0) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(client, CLI_TIMEOUT_MS);
        if (message == NULL) {
            return sluice_fail(err, SLUICE_RETRY,
                               "topic '%s' does not end: nothing came for %d s", topic,
                               CLI_TIMEOUT_MS / 1000);
        }
        status = take(self, message, err);
        rd_kafka_message_destroy(message);
    }
    return status;
}

/* What workers with exactly-once sources have not committed does not count. */
static sluice_status read_topic(const connect_offsets_options *given, reading *self,
                                sluice_error *err)
{
    const char *extra[] = {"group.id",
                           "sluice-connect-offsets",
                           "enable.auto.commit",
                           "false",
                           "auto.offset.reset",
                           "earliest",
                           "enable.partition.eof",
                           "true",
                           "isolation.level",
                           "read_committed",
                           NULL};
    rd_kafka_t *client = NULL;
    sluice_status status = cli_client_new(&given->connection, RD_KAFKA_CONSUMER, extra,
                                          NULL, &client, err);
    if (status != SLUICE_OK) {
        return status;
    }
    rd_kafka_poll_set_consumer(client);
    status = read_all(client, given->topic, self, err);
    rd_kafka_consumer_close(client);
    rd_kafka_destroy(client);
    if (status == SLUICE_OK && self->passed > 0) {
        fprintf(stderr,
                "%lld records of topic '%s' are no offsets of source connectors, and "
                "were passed over\n",
                (long long)self->passed, given->topic);
    }
    return status;
}

/* --- What is done with them. --- */

/* {"offsets": [...]}, as REST has it. */
static json_t *body_of(const json_t *stored)
{
    json_t *list = json_array(), *pair;
    const char *text;
    json_object_foreach((json_t *)stored, text, pair)
    {
        json_array_append(list, pair);
    }
    return json_pack("{s:o}", "offsets", list);
}

/* The bodies of the connectors that are wanted, by name. */
static sluice_status choose(const reading *self, const char *topic,
                            const cli_texts *wanted, json_t **ret_bodies,
                            sluice_error *err)
{
    json_t *bodies = json_object(), *stored;
    const char *name;
    sluice_status status = SLUICE_OK;
    json_object_foreach(self->connectors, name, stored)
    {
        if (wanted->count == 0 && json_object_size(stored) > 0) {
            json_object_set_new(bodies, name, body_of(stored));
        }
    }
    for (size_t i = 0; i < wanted->count && status == SLUICE_OK; i++) {
        stored = json_object_get(self->connectors, wanted->items[i]);
        if (json_object_size(stored) > 0) {
            json_object_set_new(bodies, wanted->items[i], body_of(stored));
        } else {
            status = sluice_fail(err, SLUICE_FATAL,
                                 "topic '%s' has no offsets of connector '%s': without "
                                 "a name those of all connectors are shown",
                                 topic, wanted->items[i]);
        }
    }
    *ret_bodies = bodies;
    return status;
}

static void print_json(const json_t *value)
{
    char *text = json_dumps(value, JSON_INDENT(2) | JSON_SORT_KEYS);
    printf("%s\n", text);
    free(text);
}

static sluice_status show(const connect_offsets_options *given, const cli_texts *wanted,
                          sluice_error *err)
{
    reading self = {.connectors = json_object()};
    json_t *bodies = NULL;
    sluice_status status = read_topic(given, &self, err);
    if (status == SLUICE_OK) {
        status = choose(&self, given->topic, wanted, &bodies, err);
    }
    if (status == SLUICE_OK) {
        print_json(wanted->count == 1 ? json_object_get(bodies, wanted->items[0])
                                      : bodies);
    }
    json_decref(bodies);
    json_decref(self.connectors);
    return status;
}

static int run(int argc, char **argv)
{
    connect_offsets_options given = {.topic = "connect-offsets"};
    cli_texts wanted;
    int code;
    if (!cli_begin(&usage, argc, argv, &given, &wanted, &code)) {
        return code;
    }
    sluice_error *err = sluice_error_new();
    sluice_status status = show(&given, &wanted, err);
    cli_parse_done(&usage, &given, &wanted);
    return cli_ended(status, err);
}

const cli_command cli_connect_offsets = {
    .name = "connect-offsets",
    .summary = "what a Kafka Connect cluster has stored of its source connectors",
    .run = run,
};
