/* sluice consume: records become lines of standard output; kafka-console-consumer with
 * its options. */
#include "base/buffer.h"
#include "base/text.h"
#include "client.h"
#include "command.h"
#include "record_printer.h"
#include "topic_filter.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>

typedef struct consume_options {
    cli_connection connection;
    const char *topic, *include;
    const char *group;
    bool from_beginning;
    int64_t partition, max_messages, timeout_ms;
    const char *offset;
    cli_texts property; /* print.key, key.separator … */
    const char *formatter, *formatter_config, *key_deserializer, *value_deserializer;
    const char *isolation_level;
    bool skip_message_on_error;
    bool kafkas;
    /* As settings for the consumer say it; copies of ours. */
    char *group_setting, *reset_setting;
} consume_options;

#define AT_TEXT(field) CLI_AT(const char *, consume_options, field)

static const cli_option options[] = {
    CLI_CONNECTION_OPTIONS(consume_options),
    {"consumer-property", 0, CLI_TEXTS, "KEY=VALUE",
     "A setting for the consumer; may be repeated.", 0, 0,
     CLI_AT(cli_texts, consume_options, connection.properties)},
    {"consumer.config", 0, CLI_TEXT, "FILE", NULL, 0, 0,
     AT_TEXT(connection.command_config)},
    {"topic", 0, CLI_TEXT, "TOPIC", "The topic; the same as the first argument.", 0, 0,
     AT_TEXT(topic)},
    {"include", 0, CLI_TEXT, "PATTERN",
     "All topics that a regular expression matches, instead of one.", 0, 0,
     AT_TEXT(include)},
    {"group", 0, CLI_TEXT, "GROUP",
     "The consumer group, whose offsets are used and committed. Without it all "
     "partitions are read, and nothing is committed.",
     0, 0, AT_TEXT(group)},
    {"from-beginning", 0, CLI_FLAG, NULL,
     "Begins at the earliest record, not at the latest, where the group has no offset.",
     0, 0, CLI_AT(bool, consume_options, from_beginning)},
    {"partition", 0, CLI_NUMBER, "N", "Only this partition.", 0, INT32_MAX,
     CLI_AT(int64_t, consume_options, partition)},
    {"offset", 0, CLI_TEXT, "OFFSET",
     "earliest, latest or a number; needs --partition.", 0, 0, AT_TEXT(offset)},
    {"max-messages", 0, CLI_NUMBER, "N", "Ends after so many records.", 0, INT64_MAX,
     CLI_AT(int64_t, consume_options, max_messages)},
    {"timeout-ms", 0, CLI_NUMBER, "MS", "Ends when no record came for so long.", 0,
     INT32_MAX, CLI_AT(int64_t, consume_options, timeout_ms)},
    {"property", 0, CLI_TEXTS, "KEY=VALUE",
     "What is printed; may be repeated: print.timestamp, print.partition, "
     "print.offset, print.headers, print.key, print.value (true or false), "
     "key.separator, headers.separator, line.separator, null.literal, "
     "key.deserializer, value.deserializer.",
     0, 0, CLI_AT(cli_texts, consume_options, property)},
    {"formatter", 0, CLI_TEXT, "CLASS",
     "DefaultMessageFormatter, or NoOpMessageFormatter, which prints nothing.", 0, 0,
     AT_TEXT(formatter)},
    {"formatter-config", 0, CLI_TEXT, "FILE", "A file with such properties.", 0, 0,
     AT_TEXT(formatter_config)},
    {"key-deserializer", 0, CLI_TEXT, "CLASS",
     "How keys are shown: IntegerDeserializer…", 0, 0, AT_TEXT(key_deserializer)},
    {"value-deserializer", 0, CLI_TEXT, "CLASS", "How values are shown.", 0, 0,
     AT_TEXT(value_deserializer)},
    {"skip-message-on-error", 0, CLI_FLAG, NULL,
     "Goes on behind a record that cannot be shown so.", 0, 0,
     CLI_AT(bool, consume_options, skip_message_on_error)},
    {"isolation-level", 0, CLI_TEXT, "LEVEL", "read_uncommitted or read_committed.", 0,
     0, AT_TEXT(isolation_level)},
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

static volatile sig_atomic_t interrupted;

static void interrupt(int signal_number)
{
    interrupted = 1;
}

/* ---- Which partitions, and from where
 * ------------------------------------------------ */

static int64_t start_offset(const consume_options *given)
{
    if (given->offset == NULL) {
        bool first =
            given->from_beginning || (given->reset_setting != NULL &&
                                      strcmp(given->reset_setting, "earliest") == 0);
        return first ? RD_KAFKA_OFFSET_BEGINNING : RD_KAFKA_OFFSET_END;
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

static const char *group_of(const consume_options *given)
{
    return given->group != NULL ? given->group : given->group_setting;
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

/* Without a group: all partitions of the topics, or the one that was asked for. */
static sluice_status assign(rd_kafka_t *client, const consume_options *given,
                            const char *topic, sluice_error *err)
{
    static const cli_texts none = {0};
    const rd_kafka_metadata_t *metadata = NULL;
    topic_filter filter;
    sluice_status status = topic_filter_init(&filter, given->include, &none, err);
    if (status == SLUICE_OK) {
        status =
            cli_metadata(client, given->include == NULL ? topic : NULL, &metadata, err);
    }
    if (status != SLUICE_OK) {
        topic_filter_done(&filter);
        return status;
    }
    rd_kafka_topic_partition_list_t *partitions = rd_kafka_topic_partition_list_new(1);
    for (int i = 0; i < metadata->topic_cnt; i++) {
        const rd_kafka_metadata_topic_t *each = &metadata->topics[i];
        bool internal = strncmp(each->topic, "__", 2) == 0;
        if (each->err == RD_KAFKA_RESP_ERR_NO_ERROR &&
            (given->include == NULL ||
             (!internal && topic_filter_has(&filter, each->topic)))) {
            assign_all(given, each, partitions);
        }
    }
    if (partitions->cnt == 0) {
        status = sluice_fail(err, SLUICE_FATAL, "there is no such %s",
                             given->partition < 0 ? "topic" : "partition");
    } else {
        rd_kafka_assign(client, partitions);
    }
    rd_kafka_topic_partition_list_destroy(partitions);
    rd_kafka_metadata_destroy(metadata);
    topic_filter_done(&filter);
    return status;
}

static sluice_status subscribe(rd_kafka_t *client, const consume_options *given,
                               const char *topic, sluice_error *err)
{
    buffer pattern = BUFFER_INIT;
    if (given->include != NULL) {
        buffer_print(&pattern, "^(%s)$", given->include);
        topic = buffer_text(&pattern);
    }
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, topic, RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t code = rd_kafka_subscribe(client, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    buffer_done(&pattern);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR
               ? SLUICE_OK
               : sluice_fail(err, SLUICE_FATAL, "%s", rd_kafka_err2str(code));
}

/* ---- Records -----------------------------------------------------------------------
 */

/* A record is printed; another event is passed over, or ends it all. */
static sluice_status take(const rd_kafka_message_t *message,
                          const consume_options *given, const record_printer *how,
                          int64_t *count, sluice_error *err)
{
    if (message->err == RD_KAFKA_RESP_ERR__TRANSPORT) {
        return SLUICE_OK;
    }
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return sluice_fail(err, SLUICE_FATAL, "%s", rd_kafka_message_errstr(message));
    }
    ++*count;
    sluice_status status = record_printer_print(how, message, stdout, err);
    if (status == SLUICE_BAD_RECORD && given->skip_message_on_error) {
        fprintf(stderr, "a record of partition '%s-%d' is skipped: %s\n",
                rd_kafka_topic_name(message->rkt), (int)message->partition,
                sluice_error_text(err));
        sluice_error_clear(err);
        return SLUICE_OK;
    }
    return status;
}

static sluice_status print_records(rd_kafka_t *client, const consume_options *given,
                                   const record_printer *how, sluice_error *err)
{
    int64_t count = 0;
    int wait_ms = given->timeout_ms >= 0 ? (int)given->timeout_ms : 200;
    sluice_status status = SLUICE_OK;
    while (!interrupted && status == SLUICE_OK &&
           (given->max_messages < 0 || count < given->max_messages)) {
        rd_kafka_message_t *message =
            rd_kafka_consumer_poll(client, count == 0 ? wait_ms : 0);
        if (message == NULL) {
            fflush(stdout);
            message = rd_kafka_consumer_poll(client, wait_ms);
        }
        if (message == NULL && given->timeout_ms >= 0) {
            break;
        }
        if (message != NULL) {
            status = take(message, given, how, &count, err);
            rd_kafka_message_destroy(message);
        }
    }
    fflush(stdout);
    fprintf(stderr, "Processed a total of %lld messages\n", (long long)count);
    return status;
}

/* ---- Run ---------------------------------------------------------------------------
 */

/* Kafka's formatter leaves names alone that it does not know. */
static sluice_status set_property(const consume_options *given, const char *name,
                                  const char *value, record_printer *how,
                                  sluice_error *err)
{
    bool known;
    sluice_status status = record_printer_set(how, name, value, &known, err);
    return known || given->kafkas
               ? status
               : sluice_fail(err, SLUICE_BAD_CONFIG,
                             "--property is '%s=%s': --help lists what is allowed",
                             name, value);
}

static sluice_status read_properties(const consume_options *given, properties *texts,
                                     record_printer *how, sluice_error *err)
{
    sluice_status status =
        cli_texts_of(given->formatter_config, &given->property, texts, err);
    if (given->key_deserializer != NULL) {
        properties_set(texts, "key.deserializer", given->key_deserializer);
    }
    if (given->value_deserializer != NULL) {
        properties_set(texts, "value.deserializer", given->value_deserializer);
    }
    for (size_t i = 0; i < properties_count(texts) && status == SLUICE_OK; i++) {
        status = set_property(given, properties_key(texts, i),
                              properties_value(texts, i), how, err);
    }
    return status == SLUICE_OK && given->formatter != NULL
               ? record_printer_choose(how, given->formatter, err)
               : status;
}

static sluice_status consume_as(const consume_options *given, const char *topic,
                                const record_printer *how, sluice_error *err)
{
    const char *group = group_of(given);
    const char *extra[] = {"group.id",
                           group != NULL ? group : "sluice-consume",
                           "enable.auto.commit",
                           group != NULL ? "true" : "false",
                           "auto.offset.reset",
                           given->from_beginning ? "earliest" : "latest",
                           "isolation.level",
                           given->isolation_level != NULL ? given->isolation_level
                                                          : "read_uncommitted",
                           NULL};
    rd_kafka_t *client = NULL;
    sluice_status status = cli_client_new(&given->connection, RD_KAFKA_CONSUMER, extra,
                                          NULL, &client, err);
    if (status != SLUICE_OK) {
        return status;
    }
    rd_kafka_poll_set_consumer(client);
    status = group != NULL ? subscribe(client, given, topic, err)
                           : assign(client, given, topic, err);
    if (status == SLUICE_OK) {
        status = print_records(client, given, how, err);
        rd_kafka_consumer_close(client);
    }
    rd_kafka_destroy(client);
    return status;
}

static sluice_status consume(const void *options_given, const char *topic,
                             sluice_error *err)
{
    const consume_options *given = options_given;
    record_printer how = RECORD_PRINTER_INIT;
    properties *texts = properties_new();
    sluice_status status = read_properties(given, texts, &how, err);
    if (status == SLUICE_OK) {
        status = consume_as(given, topic, &how, err);
    }
    properties_free(texts);
    return status;
}

/* What does not go together, in the sentences of Kafka's tool; NULL when all does. */
static const char *find_conflict(const consume_options *given)
{
    const char *group = group_of(given);
    if (given->partition >= 0 && given->include != NULL) {
        return "The topic is required when partition is specified.";
    }
    if (given->partition >= 0 && given->from_beginning && given->offset != NULL) {
        return "Options from-beginning and offset cannot be specified together.";
    }
    if (given->partition < 0 && given->offset != NULL) {
        return "The partition is required when offset is specified.";
    }
    if (given->from_beginning && given->reset_setting != NULL &&
        strcmp(given->reset_setting, "earliest") != 0) {
        return "Can't simultaneously specify --from-beginning and "
               "'auto.offset.reset=latest', please remove one option";
    }
    return group != NULL && given->partition >= 0
               ? "Options group and partition cannot be specified together."
               : NULL;
}

static sluice_status check(const consume_options *given, const cli_texts *arguments,
                           sluice_error *err)
{
    size_t topics = (given->topic != NULL) + (given->include != NULL) +
                    (given->kafkas ? 0 : arguments->count);
    const char *conflict = find_conflict(given);
    if (topics != 1) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           given->kafkas || topics > 0
                               ? "Exactly one of --include/--topic is required. "
                               : "no topic is named: give one");
    }
    if (given->kafkas && given->connection.bootstrap_server == NULL) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "Missing required argument \"[bootstrap-server]\"");
    }
    if (conflict != NULL) {
        return sluice_fail(err, SLUICE_BAD_CONFIG, "%s", conflict);
    }
    if (start_offset(given) == RD_KAFKA_OFFSET_INVALID) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "The provided offset value '%s' is incorrect. Valid values "
                           "are 'earliest', 'latest', or a non-negative long.",
                           given->offset);
    }
    return given->group != NULL && given->group_setting != NULL &&
                   strcmp(given->group, given->group_setting) != 0
               ? sluice_fail(err, SLUICE_BAD_CONFIG,
                             "The group ids provided in different places (directly "
                             "using '--group', via '--consumer-property', or via "
                             "'--consumer.config') do not match. Detected group ids: "
                             "'%s', '%s'",
                             given->group, given->group_setting)
               : SLUICE_OK;
}

static int run(consume_options *given, const char *called, const cli_texts *arguments)
{
    sluice_error *err = sluice_error_new();
    sluice_status status =
        cli_setting(&given->connection, "group.id", &given->group_setting, err);
    if (status == SLUICE_OK) {
        status = cli_setting(&given->connection, "auto.offset.reset",
                             &given->reset_setting, err);
    }
    if (status == SLUICE_OK) {
        status = check(given, arguments, err);
    }
    int exit_status =
        status != SLUICE_OK
            ? cli_misused(&usage, called, sluice_error_text(err))
            : cli_on_topic(&usage, called, given,
                           given->include != NULL ? given->include : given->topic,
                           arguments, consume);
    sluice_error_free(err);
    free(given->group_setting);
    free(given->reset_setting);
    return exit_status;
}

static int consume_run(int argc, char **argv)
{
    consume_options given = {.partition = -1,
                             .max_messages = -1,
                             .timeout_ms = -1,
                             .kafkas = cli_is_kafkas(argv[0])};
    given.connection.lenient = given.kafkas;
    cli_texts arguments;
    int exit_status;
    if (!cli_begin(&usage, argc, argv, &given, &arguments, &exit_status)) {
        return exit_status;
    }
    struct sigaction action = {.sa_handler = interrupt};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    exit_status = run(&given, argv[0], &arguments);
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
