/* sluice consume: records become lines of standard output; kafka-console-consumer with
 * its options. */
#include "base/text.h"
#include "client.h"
#include "command.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>

typedef struct consume_options {
    cli_connection connection;
    const char *topic;
    const char *group;
    bool from_beginning;
    int64_t partition, max_messages, timeout_ms;
    const char *offset;
    cli_texts property; /* print.key, key.separator … */
} consume_options;

static const cli_option options[] = {
    CLI_CONNECTION_OPTIONS(consume_options),
    {"consumer-property", 0, CLI_TEXTS, "KEY=VALUE",
     "A setting for the consumer; may be repeated.", 0, 0,
     CLI_AT(cli_texts, consume_options, connection.properties)},
    {"topic", 0, CLI_TEXT, "TOPIC", "The topic; the same as the first argument.", 0, 0,
     CLI_AT(const char *, consume_options, topic)},
    {"group", 0, CLI_TEXT, "GROUP",
     "The consumer group, whose offsets are used and committed. Without it all "
     "partitions "
     "are read, and nothing is committed.",
     0, 0, CLI_AT(const char *, consume_options, group)},
    {"from-beginning", 0, CLI_FLAG, NULL,
     "Begins at the earliest record, not at the latest, where the group has no offset.",
     0, 0, CLI_AT(bool, consume_options, from_beginning)},
    {"partition", 0, CLI_NUMBER, "N", "Only this partition.", 0, INT32_MAX,
     CLI_AT(int64_t, consume_options, partition)},
    {"offset", 0, CLI_TEXT, "OFFSET",
     "earliest, latest or a number; needs --partition.", 0, 0,
     CLI_AT(const char *, consume_options, offset)},
    {"max-messages", 0, CLI_NUMBER, "N", "Ends after so many records.", 0, INT64_MAX,
     CLI_AT(int64_t, consume_options, max_messages)},
    {"timeout-ms", 0, CLI_NUMBER, "MS", "Ends when no record came for so long.", 0,
     INT32_MAX, CLI_AT(int64_t, consume_options, timeout_ms)},
    {"property", 0, CLI_TEXTS, "KEY=VALUE",
     "What is printed; may be repeated: print.timestamp, print.partition, "
     "print.offset, "
     "print.headers, print.key, print.value (true or false), key.separator, "
     "headers.separator, line.separator, null.literal.",
     0, 0, CLI_AT(cli_texts, consume_options, property)},
    {.name = NULL},
};

static const cli_usage usage = {
    .synopsis = "sluice consume TOPIC [OPTION…]",
    .doc = "Prints the values of records, a line each. Called as "
           "kafka-console-consumer it "
           "takes that tool's options.",
    .options = options,
    .examples = "  sluice consume greetings --from-beginning\n"
                "  sluice consume pairs --from-beginning --property print.key=true "
                "--max-messages 10\n",
};

typedef struct printer {
    bool timestamp, partition, offset, headers, key, value;
    const char *key_separator, *headers_separator, *line_separator, *null_literal;
} printer;

static volatile sig_atomic_t interrupted;

static void interrupt(int signal_number)
{
    interrupted = 1;
}

typedef struct printer_key {
    const char *name;
    bool *flag;
    const char **text;
} printer_key;

static sluice_status read_property(printer *self, const char *pair, sluice_error *err)
{
    const printer_key known[] = {
        {"print.timestamp=", &self->timestamp, NULL},
        {"print.partition=", &self->partition, NULL},
        {"print.offset=", &self->offset, NULL},
        {"print.headers=", &self->headers, NULL},
        {"print.key=", &self->key, NULL},
        {"print.value=", &self->value, NULL},
        {"key.separator=", NULL, &self->key_separator},
        {"headers.separator=", NULL, &self->headers_separator},
        {"line.separator=", NULL, &self->line_separator},
        {"null.literal=", NULL, &self->null_literal},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        size_t len = strlen(known[i].name);
        if (strncmp(pair, known[i].name, len) != 0) {
            continue;
        }
        if (known[i].flag != NULL) {
            *known[i].flag = strcmp(pair + len, "true") == 0;
        } else {
            *known[i].text = pair + len;
        }
        return SLUICE_OK;
    }
    return sluice_fail(err, SLUICE_BAD_CONFIG,
                       "--property is '%s': --help lists what is allowed", pair);
}

static void print_bytes(const printer *self, const void *base, size_t len)
{
    if (base == NULL) {
        fputs(self->null_literal, stdout);
    } else {
        fwrite(base, 1, len, stdout);
    }
}

static void print_headers(const printer *self, const rd_kafka_message_t *message)
{
    rd_kafka_headers_t *headers = NULL;
    const char *name;
    const void *value;
    size_t len, index = 0;
    if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        fputs("NO_HEADERS", stdout);
        return;
    }
    for (; rd_kafka_header_get_all(headers, index, &name, &value, &len) ==
           RD_KAFKA_RESP_ERR_NO_ERROR;
         index++) {
        printf("%s%s:", index > 0 ? self->headers_separator : "", name);
        print_bytes(self, value, len);
    }
}

static void print_timestamp(const rd_kafka_message_t *message)
{
    rd_kafka_timestamp_type_t type;
    int64_t timestamp_ms = rd_kafka_message_timestamp(message, &type);
    if (type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE) {
        fputs("NO_TIMESTAMP", stdout);
        return;
    }
    printf("%s:%lld",
           type == RD_KAFKA_TIMESTAMP_CREATE_TIME ? "CreateTime" : "LogAppendTime",
           (long long)timestamp_ms);
}

/* Kafka's order: timestamp, partition, offset, headers, key, value. */
static void print_record(const printer *self, const rd_kafka_message_t *message)
{
    const char *separator = "";
    if (self->timestamp) {
        print_timestamp(message);
        separator = self->key_separator;
    }
    if (self->partition) {
        printf("%sPartition:%d", separator, message->partition);
        separator = self->key_separator;
    }
    if (self->offset) {
        printf("%sOffset:%lld", separator, (long long)message->offset);
        separator = self->key_separator;
    }
    if (self->headers) {
        fputs(separator, stdout);
        print_headers(self, message);
        separator = self->key_separator;
    }
    if (self->key) {
        fputs(separator, stdout);
        print_bytes(self, message->key, message->key_len);
        separator = self->key_separator;
    }
    if (self->value) {
        fputs(separator, stdout);
        print_bytes(self, message->payload, message->len);
    }
    fputs(self->line_separator, stdout);
}

static int64_t start_offset(const consume_options *given)
{
    if (given->offset == NULL) {
        return given->from_beginning ? RD_KAFKA_OFFSET_BEGINNING : RD_KAFKA_OFFSET_END;
    }
    if (strcmp(given->offset, "earliest") == 0) {
        return RD_KAFKA_OFFSET_BEGINNING;
    }
    if (strcmp(given->offset, "latest") == 0) {
        return RD_KAFKA_OFFSET_END;
    }
    int64_t number;
    return text_to_int64(given->offset, &number) && number >= 0
               ? number
               : RD_KAFKA_OFFSET_INVALID;
}

static void assign_all(const consume_options *given,
                       const rd_kafka_metadata_topic_t *topic,
                       rd_kafka_topic_partition_list_t *partitions)
{
    for (int i = 0; i < topic->partition_cnt; i++) {
        int32_t id = topic->partitions[i].id;
        if (given->partition < 0 || given->partition == id) {
            rd_kafka_topic_partition_list_add(partitions, topic->topic, id)->offset =
                start_offset(given);
        }
    }
}

/* Without a group: all partitions, or the one that was asked for. */
static sluice_status assign(rd_kafka_t *client, const consume_options *given,
                            const char *topic, sluice_error *err)
{
    if (start_offset(given) == RD_KAFKA_OFFSET_INVALID) {
        return sluice_fail(
            err, SLUICE_BAD_CONFIG,
            "--offset is '%s': must be earliest, latest or a number from 0",
            given->offset);
    }
    const rd_kafka_metadata_t *metadata = NULL;
    sluice_status status = cli_metadata(client, topic, &metadata, err);
    if (status != SLUICE_OK) {
        return status;
    }
    rd_kafka_topic_partition_list_t *partitions = rd_kafka_topic_partition_list_new(1);
    if (metadata->topic_cnt > 0 &&
        metadata->topics[0].err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        assign_all(given, &metadata->topics[0], partitions);
    }
    if (partitions->cnt == 0) {
        status = sluice_fail(err, SLUICE_FATAL, "there is no such %s",
                             given->partition < 0 ? "topic" : "partition");
    } else {
        rd_kafka_assign(client, partitions);
    }
    rd_kafka_topic_partition_list_destroy(partitions);
    rd_kafka_metadata_destroy(metadata);
    return status;
}

static sluice_status subscribe(rd_kafka_t *client, const char *topic, sluice_error *err)
{
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, topic, RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t code = rd_kafka_subscribe(client, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR
               ? SLUICE_OK
               : sluice_fail(err, SLUICE_FATAL, "%s", rd_kafka_err2str(code));
}

static sluice_status print_records(rd_kafka_t *client, const consume_options *given,
                                   const printer *how, sluice_error *err)
{
    int64_t count = 0;
    int wait_ms = given->timeout_ms >= 0 ? (int)given->timeout_ms : 200;
    sluice_status status = SLUICE_OK;
    while (!interrupted && (given->max_messages < 0 || count < given->max_messages)) {
        rd_kafka_message_t *message =
            rd_kafka_consumer_poll(client, count == 0 ? wait_ms : 0);
        if (message == NULL) {
            fflush(stdout);
            message = rd_kafka_consumer_poll(client, wait_ms);
        }
        if (message == NULL && given->timeout_ms >= 0) {
            break;
        }
        if (message == NULL) {
            continue;
        }
        if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            print_record(how, message);
            count++;
        } else if (message->err != RD_KAFKA_RESP_ERR__TRANSPORT) {
            status =
                sluice_fail(err, SLUICE_FATAL, "%s", rd_kafka_message_errstr(message));
        }
        rd_kafka_message_destroy(message);
        if (status != SLUICE_OK) {
            break;
        }
    }
    fflush(stdout);
    fprintf(stderr, "Processed a total of %lld messages\n", (long long)count);
    return status;
}

static sluice_status consume(const void *options_given, const char *topic,
                             sluice_error *err)
{
    const consume_options *given = options_given;
    printer how = {.value = true,
                   .key_separator = "\t",
                   .headers_separator = ",",
                   .line_separator = "\n",
                   .null_literal = "null"};
    for (size_t i = 0; i < given->property.count; i++) {
        sluice_status status = read_property(&how, given->property.items[i], err);
        if (status != SLUICE_OK) {
            return status;
        }
    }
    const char *extra[] = {"group.id",
                           given->group != NULL ? given->group : "sluice-consume",
                           "enable.auto.commit",
                           given->group != NULL ? "true" : "false",
                           "auto.offset.reset",
                           given->from_beginning ? "earliest" : "latest",
                           NULL};
    rd_kafka_t *client = NULL;
    sluice_status status = cli_client_new(&given->connection, RD_KAFKA_CONSUMER, extra,
                                          NULL, &client, err);
    if (status != SLUICE_OK) {
        return status;
    }
    rd_kafka_poll_set_consumer(client);
    status = given->group != NULL ? subscribe(client, topic, err)
                                  : assign(client, given, topic, err);
    if (status == SLUICE_OK) {
        status = print_records(client, given, &how, err);
        rd_kafka_consumer_close(client);
    }
    rd_kafka_destroy(client);
    return status;
}

static int consume_run(int argc, char **argv)
{
    consume_options given = {.partition = -1, .max_messages = -1, .timeout_ms = -1};
    cli_texts arguments;
    int exit_status;
    if (!cli_begin(&usage, argc, argv, &given, &arguments, &exit_status)) {
        return exit_status;
    }
    struct sigaction action = {.sa_handler = interrupt};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    exit_status = cli_on_topic(&usage, &given, given.topic, &arguments, consume);
    cli_parse_done(&usage, &given, &arguments);
    return exit_status;
}

static const char *const tools[] = {"kafka-console-consumer", NULL};

const cli_command cli_consume = {
    .name = "consume",
    .summary = "prints the records of a topic",
    .tools = tools,
    .run = consume_run,
};
