/* sluice produce: lines of standard input become records; kafka-console-producer with
 * its options. */
#include "client.h"
#include "command.h"
#include "line_reader.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct produce_options {
    cli_connection connection;
    const char *topic;
    cli_texts property; /* Of the line reader: parse.key, key.separator … */
    const char *reader_config, *line_reader;
    const char *compression; /* "" is gzip. */
    const char *acks;
    bool sync;
    int64_t batch_size, partition_memory, linger_ms, retries, retry_backoff_ms,
        request_timeout_ms, metadata_expiry_ms, socket_buffer_size, memory,
        max_block_ms;
    bool kafkas;
} produce_options;

#define AT_NUMBER(field) CLI_AT(int64_t, produce_options, field)

static const cli_option options[] = {
    CLI_CONNECTION_OPTIONS(produce_options),
    {"producer-property", 0, CLI_TEXTS, "KEY=VALUE",
     "A setting for the producer; may be repeated.", 0, 0,
     CLI_AT(cli_texts, produce_options, connection.properties)},
    {"producer.config", 0, CLI_TEXT, "FILE", NULL, 0, 0,
     CLI_AT(const char *, produce_options, connection.command_config)},
    {"topic", 0, CLI_TEXT, "TOPIC", "The topic; the same as the first argument.", 0, 0,
     CLI_AT(const char *, produce_options, topic)},
    {"property", 0, CLI_TEXTS, "KEY=VALUE",
     "How lines are read; may be repeated. parse.key=true: a line is key, "
     "key.separator (a tab), value. parse.headers=true: before them stand headers, "
     "NAME:VALUE,… (headers.key.separator, headers.separator), and headers.delimiter "
     "(a tab). null.marker=TEXT: what is TEXT is none. ignore.error=true: a line where "
     "a separator is missing is a value.",
     0, 0, CLI_AT(cli_texts, produce_options, property)},
    {"reader-config", 0, CLI_TEXT, "FILE", "A file with such properties.", 0, 0,
     CLI_AT(const char *, produce_options, reader_config)},
    {"line-reader", 0, CLI_TEXT, "CLASS", NULL, 0, 0,
     CLI_AT(const char *, produce_options, line_reader)},
    {"compression-codec", 0, CLI_MAYBE, "CODEC",
     "none, gzip (also without a value), snappy, lz4 or zstd.", 0, 0,
     CLI_AT(const char *, produce_options, compression)},
    {"request-required-acks", 0, CLI_TEXT, "ACKS", "0, 1, or -1 (all), the default.", 0,
     0, CLI_AT(const char *, produce_options, acks)},
    {"sync", 0, CLI_FLAG, NULL, "Waits for each record before the next is read.", 0, 0,
     CLI_AT(bool, produce_options, sync)},
    {"batch-size", 0, CLI_NUMBER, "BYTES", "Most bytes of a batch.", 0, 0,
     AT_NUMBER(batch_size)},
    {"max-partition-memory-bytes", 0, CLI_NUMBER, "BYTES", NULL, 0, 0,
     AT_NUMBER(partition_memory)},
    {"timeout", 0, CLI_NUMBER, "MS", "How long a batch waits for more records.", 0, 0,
     AT_NUMBER(linger_ms)},
    {"message-send-max-retries", 0, CLI_NUMBER, "N", NULL, 0, 0, AT_NUMBER(retries)},
    {"retry-backoff-ms", 0, CLI_NUMBER, "MS", NULL, 0, 0, AT_NUMBER(retry_backoff_ms)},
    {"request-timeout-ms", 0, CLI_NUMBER, "MS", NULL, 0, 0,
     AT_NUMBER(request_timeout_ms)},
    {"metadata-expiry-ms", 0, CLI_NUMBER, "MS", NULL, 0, 0,
     AT_NUMBER(metadata_expiry_ms)},
    {"socket-buffer-size", 0, CLI_NUMBER, "BYTES", NULL, 0, 0,
     AT_NUMBER(socket_buffer_size)},
    {"max-memory-bytes", 0, CLI_NUMBER, "BYTES", NULL, 0, 0, AT_NUMBER(memory)},
    {"max-block-ms", 0, CLI_NUMBER, "MS", NULL, 0, 0, AT_NUMBER(max_block_ms)},
    {.name = NULL},
};

static const cli_usage usage = {
    .synopsis = "sluice produce TOPIC [OPTION…]",
    .doc = "Reads lines from standard input and produces each as a record. Called as "
           "kafka-console-producer it takes that tool's options.",
    .options = options,
    .examples =
        "  echo hello | sluice produce greetings\n"
        "  printf 'a:1\\nb:2\\n' | sluice produce pairs --property parse.key=true "
        "--property key.separator=:\n",
};

typedef struct production {
    rd_kafka_t *client;
    const char *topic;
    const produce_options *given;
    line_reader reader;
    line_record record;
    size_t line_number;
    size_t failed;
    char why[512]; /* Of the first record that failed. */
} production;

/* ---- Settings ----------------------------------------------------------------------
 */

/* Kafka's tool says the class of an exception before its text. */
static sluice_status name_class(const produce_options *given, sluice_status status,
                                const char *class, sluice_error *err)
{
    if (status != SLUICE_OK && given->kafkas) {
        sluice_prefix(err, "org.apache.kafka.common.%s", class);
    }
    return status;
}

/* Kafka's reader leaves names alone that it does not know. */
static sluice_status read_properties(const produce_options *given, properties *texts,
                                     line_reader *reader, sluice_error *err)
{
    sluice_status status =
        cli_texts_of(given->reader_config, &given->property, texts, err);
    for (size_t i = 0; i < properties_count(texts) && status == SLUICE_OK; i++) {
        const char *name = properties_key(texts, i);
        if (!line_reader_set(reader, name, properties_value(texts, i)) &&
            !given->kafkas) {
            status = sluice_fail(err, SLUICE_BAD_CONFIG,
                                 "--property is '%s=%s': --help lists what is allowed",
                                 name, properties_value(texts, i));
        }
    }
    return status == SLUICE_OK ? name_class(given, line_reader_check(reader, err),
                                            "KafkaException", err)
                               : status;
}

static bool is_one_of(const char *text, const char *const *words)
{
    while (*words != NULL && strcmp(*words, text) != 0) {
        words++;
    }
    return *words != NULL;
}

/* What librdkafka would refuse later, or in other words. */
static sluice_status check(const produce_options *given, sluice_error *err)
{
    static const char *const all_acks[] = {"all", "-1", "0", "1", NULL};
    static const char *const codecs[] = {"",    "none", "gzip", "snappy",
                                         "lz4", "zstd", NULL};
    static const char wrong[] =
        "Invalid value %s for configuration %s: String must be one of: %s";
    if (given->acks != NULL && !is_one_of(given->acks, all_acks)) {
        return sluice_fail(err, SLUICE_BAD_CONFIG, wrong, given->acks, "acks",
                           "all, -1, 0, 1");
    }
    if (given->compression != NULL && !is_one_of(given->compression, codecs)) {
        return sluice_fail(err, SLUICE_BAD_CONFIG, wrong, given->compression,
                           "compression.type", "none, gzip, snappy, lz4, zstd");
    }
    if (given->line_reader != NULL &&
        strstr(given->line_reader, "LineMessageReader") == NULL) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "line reader '%s' is not there: "
                           "org.apache.kafka.tools.LineMessageReader is",
                           given->line_reader);
    }
    return SLUICE_OK;
}

static const char *codec_of(const produce_options *given)
{
    return given->compression == NULL      ? "none"
           : given->compression[0] == '\0' ? "gzip"
                                           : given->compression;
}

/* ---- Records -----------------------------------------------------------------------
 */

static void delivered(rd_kafka_t *client, const rd_kafka_message_t *message,
                      void *opaque)
{
    production *self = message->_private;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR && self->failed++ == 0) {
        snprintf(self->why, sizeof self->why, "%s", rd_kafka_err2str(message->err));
    }
}

static rd_kafka_headers_t *make_headers(const line_record *record)
{
    if (record->header_count == 0) {
        return NULL;
    }
    rd_kafka_headers_t *headers = rd_kafka_headers_new(record->header_count);
    for (size_t i = 0; i < record->header_count; i++) {
        const line_header *each = &record->headers[i];
        rd_kafka_header_add(headers, each->name.base, (ssize_t)each->name.len,
                            each->value.base, (ssize_t)each->value.len);
    }
    return headers;
}

/* Hands the record over, waiting while the queue is full. */
static sluice_status send_record(production *self, sluice_error *err)
{
    const line_record *record = &self->record;
    rd_kafka_headers_t *headers = make_headers(record);
    rd_kafka_resp_err_t code;
    while ((code = rd_kafka_producev(
                self->client, RD_KAFKA_V_TOPIC(self->topic),
                RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                RD_KAFKA_V_KEY(record->key.base, record->key.len),
                RD_KAFKA_V_VALUE((void *)record->value.base, record->value.len),
                RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_OPAQUE(self),
                RD_KAFKA_V_END)) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
            if (headers != NULL) {
                rd_kafka_headers_destroy(headers);
            }
            return sluice_fail(err, SLUICE_FATAL, "line %zu: %s", self->line_number,
                               rd_kafka_err2str(code));
        }
        rd_kafka_poll(self->client, 1000);
    }
    rd_kafka_poll(self->client, 0);
    return SLUICE_OK;
}

static sluice_status send_lines(production *self, sluice_error *err)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t len;
    sluice_status status = SLUICE_OK;
    bool prompt = isatty(STDIN_FILENO);
    while (status == SLUICE_OK) {
        if (prompt) {
            printf(">");
            fflush(stdout);
        }
        if ((len = getline(&line, &room, stdin)) < 0) {
            break;
        }
        len -= len > 0 && line[len - 1] == '\n';
        len -= self->given->kafkas && len > 0 && line[len - 1] == '\r';
        self->line_number++;
        status = line_reader_parse(&self->reader, self->line_number, line, (size_t)len,
                                   &self->record, err);
        status = status == SLUICE_OK
                     ? send_record(self, err)
                     : name_class(self->given, status, "KafkaException", err);
        if (self->given->sync && status == SLUICE_OK) {
            rd_kafka_flush(self->client, CLI_TIMEOUT_MS);
        }
    }
    free(line);
    return status;
}

/* Waits until every record is acknowledged or has failed. */
static sluice_status finish(production *self, sluice_error *err)
{
    while (rd_kafka_outq_len(self->client) > 0) {
        rd_kafka_poll(self->client, 1000);
    }
    return self->failed == 0 ? SLUICE_OK
                             : sluice_fail(err, SLUICE_FATAL, "%zu records of %zu: %s",
                                           self->failed, self->line_number, self->why);
}

/* ---- Run ---------------------------------------------------------------------------
 */

enum { number_size = 24, number_count = 8, fixed_count = 3 };

/* The client, with those settings that have options of their own. */
static sluice_status open_client(const produce_options *given, rd_kafka_t **ret_client,
                                 sluice_error *err)
{
    const struct {
        const char *name;
        int64_t value;
    } numbers[number_count] = {
        {"batch.size",
         given->partition_memory >= 0 ? given->partition_memory : given->batch_size},
        {"linger.ms", given->linger_ms},
        {"retries", given->retries},
        {"retry.backoff.ms", given->retry_backoff_ms},
        {"request.timeout.ms", given->request_timeout_ms},
        {"metadata.max.age.ms", given->metadata_expiry_ms},
        {"socket.send.buffer.bytes", given->socket_buffer_size},
        {"queue.buffering.max.kbytes", given->memory < 0 ? -1 : given->memory / 1024},
    };
    char texts[number_count][number_size];
    const char *extra[2 * (fixed_count + number_count) + 1] = {
        "acks",
        given->acks != NULL ? given->acks : "all",
        "partitioner",
        "murmur2_random",
        "compression.codec",
        codec_of(given)};
    size_t count = 2 * fixed_count;
    for (size_t i = 0; i < number_count; i++) {
        if (numbers[i].value >= 0) {
            snprintf(texts[i], number_size, "%" PRId64, numbers[i].value);
            extra[count++] = numbers[i].name;
            extra[count++] = texts[i];
        }
    }
    return cli_client_new(&given->connection, RD_KAFKA_PRODUCER, extra, delivered,
                          ret_client, err);
}

static sluice_status send_all(production *self, sluice_error *err)
{
    sluice_status status = open_client(self->given, &self->client, err);
    if (status != SLUICE_OK) {
        return status;
    }
    status = send_lines(self, err);
    sluice_error *late = sluice_error_new();
    if (finish(self, late) != SLUICE_OK && status == SLUICE_OK) {
        status = sluice_fail(err, SLUICE_FATAL, "%s", sluice_error_text(late));
    }
    sluice_error_free(late);
    rd_kafka_destroy(self->client);
    return status;
}

static sluice_status produce(const void *options_given, const char *topic,
                             sluice_error *err)
{
    const produce_options *given = options_given;
    production self = {.given = given, .topic = topic, .reader = LINE_READER_INIT};
    properties *texts = properties_new();
    sluice_status status =
        name_class(given, check(given, err), "config.ConfigException", err);
    if (status == SLUICE_OK) {
        status = read_properties(given, texts, &self.reader, err);
    }
    if (status == SLUICE_OK) {
        status = send_all(&self, err);
    }
    line_record_done(&self.record);
    properties_free(texts);
    return status;
}

static int produce_run(int argc, char **argv)
{
    produce_options given = {.batch_size = -1,
                             .partition_memory = -1,
                             .linger_ms = -1,
                             .retries = -1,
                             .retry_backoff_ms = -1,
                             .request_timeout_ms = -1,
                             .metadata_expiry_ms = -1,
                             .socket_buffer_size = -1,
                             .memory = -1,
                             .kafkas = cli_is_kafkas(argv[0])};
    given.connection.lenient = given.kafkas;
    cli_texts arguments;
    int exit_status;
    if (!cli_begin(&usage, argc, argv, &given, &arguments, &exit_status)) {
        return exit_status;
    }
    const char *missing = !given.kafkas ? NULL
                          : given.topic == NULL
                              ? "Missing required argument \"[topic]\""
                          : given.connection.bootstrap_server == NULL
                              ? "Error while validating the bootstrap address"
                              : NULL;
    exit_status = missing != NULL ? cli_misused(&usage, argv[0], missing)
                                  : cli_on_topic(&usage, argv[0], &given, given.topic,
                                                 &arguments, produce);
    cli_parse_done(&usage, &given, &arguments);
    return exit_status;
}

static const char *const tools[] = {"kafka-console-producer", NULL};

const cli_command cli_produce = {
    .name = "produce",
    .summary = "produces the lines of standard input",
    .tools = tools,
    .run = produce_run,
};
