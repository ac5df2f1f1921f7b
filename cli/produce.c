/* sluice produce: lines of standard input become records; kafka-console-producer with
 * its options. */
#include "client.h"
#include "command.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct produce_options {
    cli_connection connection;
    const char *topic;
    cli_texts property; /* Of the line reader: parse.key, key.separator … */
    const char *compression;
    const char *acks;
    bool sync;
} produce_options;

static const cli_option options[] = {
    CLI_CONNECTION_OPTIONS(produce_options),
    {"producer-property", 0, CLI_TEXTS, "KEY=VALUE",
     "A setting for the producer; may be repeated.", 0, 0,
     CLI_AT(cli_texts, produce_options, connection.properties)},
    {"topic", 0, CLI_TEXT, "TOPIC", "The topic; the same as the first argument.", 0, 0,
     CLI_AT(const char *, produce_options, topic)},
    {"property", 0, CLI_TEXTS, "KEY=VALUE",
     "How lines are read; may be repeated. parse.key=true: a line is key, "
     "key.separator (a "
     "tab), value. null.marker=TEXT: a key or value that is TEXT is none.",
     0, 0, CLI_AT(cli_texts, produce_options, property)},
    {"compression-codec", 0, CLI_TEXT, "CODEC", "none, gzip, snappy, lz4 or zstd.", 0,
     0, CLI_AT(const char *, produce_options, compression)},
    {"request-required-acks", 0, CLI_TEXT, "ACKS", "0, 1, or -1 (all), the default.", 0,
     0, CLI_AT(const char *, produce_options, acks)},
    {"sync", 0, CLI_FLAG, NULL, "Waits for each record before the next is read.", 0, 0,
     CLI_AT(bool, produce_options, sync)},
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

typedef struct reader {
    bool parse_key;
    const char *key_separator;
    const char *null_marker;
} reader;

typedef struct production {
    rd_kafka_t *client;
    rd_kafka_topic_t *topic;
    reader reader;
    size_t line_number;
    size_t failed;
    char why[512]; /* Of the first record that failed. */
} production;

static sluice_status read_property(reader *self, const char *pair, sluice_error *err)
{
    const char *equals = strchr(pair, '=');
    size_t len = equals == NULL ? 0 : (size_t)(equals - pair);
    if (len == strlen("parse.key") && strncmp(pair, "parse.key", len) == 0) {
        self->parse_key = strcmp(equals + 1, "true") == 0;
    } else if (len == strlen("key.separator") &&
               strncmp(pair, "key.separator", len) == 0) {
        self->key_separator = equals + 1;
    } else if (len == strlen("null.marker") && strncmp(pair, "null.marker", len) == 0) {
        self->null_marker = equals + 1;
    } else {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "--property is '%s': must be parse.key=, key.separator= or "
                           "null.marker=",
                           pair);
    }
    return SLUICE_OK;
}

static void delivered(rd_kafka_t *client, const rd_kafka_message_t *message,
                      void *opaque)
{
    production *self = message->_private;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR && self->failed++ == 0) {
        snprintf(self->why, sizeof self->why, "%s", rd_kafka_err2str(message->err));
    }
}

static bool is_null(const reader *self, const char *base, size_t len)
{
    return self->null_marker != NULL && strlen(self->null_marker) == len &&
           memcmp(self->null_marker, base, len) == 0;
}

/* Hands one record over, waiting while the queue is full. */
static sluice_status send_record(production *self, char *key, size_t key_len,
                                 char *value, size_t value_len, sluice_error *err)
{
    while (rd_kafka_produce(self->topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY,
                            value, value_len, key, key_len, self) != 0) {
        rd_kafka_resp_err_t code = rd_kafka_last_error();
        if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
            return sluice_fail(err, SLUICE_FATAL, "line %zu: %s", self->line_number,
                               rd_kafka_err2str(code));
        }
        rd_kafka_poll(self->client, 1000);
    }
    rd_kafka_poll(self->client, 0);
    return SLUICE_OK;
}

static sluice_status send_line(production *self, char *line, size_t len,
                               sluice_error *err)
{
    char *key = NULL, *value = line;
    size_t key_len = 0, value_len = len;
    self->line_number++;
    if (self->reader.parse_key) {
        size_t separator_len = strlen(self->reader.key_separator);
        value = memmem(line, len, self->reader.key_separator, separator_len);
        if (value == NULL) {
            return sluice_fail(err, SLUICE_BAD_RECORD,
                               "No key separator found on line number %zu: '%.*s'",
                               self->line_number, (int)(len < 200 ? len : 200), line);
        }
        key = line;
        key_len = (size_t)(value - line);
        value += separator_len;
        value_len = len - key_len - separator_len;
    }
    if (key != NULL && is_null(&self->reader, key, key_len)) {
        key = NULL;
    }
    if (is_null(&self->reader, value, value_len)) {
        value = NULL;
        value_len = 0;
    }
    return send_record(self, key, key_len, value, value_len, err);
}

static sluice_status send_lines(production *self, bool sync, sluice_error *err)
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
        status = send_line(self, line, (size_t)len, err);
        if (sync && status == SLUICE_OK) {
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

static sluice_status produce(const void *options_given, const char *topic,
                             sluice_error *err)
{
    const produce_options *given = options_given;
    production self = {.reader = {.key_separator = "\t"}};
    for (size_t i = 0; i < given->property.count; i++) {
        sluice_status status =
            read_property(&self.reader, given->property.items[i], err);
        if (status != SLUICE_OK) {
            return status;
        }
    }
    const char *extra[] = {"acks",
                           given->acks != NULL ? given->acks : "all",
                           "partitioner",
                           "murmur2_random",
                           "compression.codec",
                           given->compression != NULL ? given->compression : "none",
                           NULL};
    sluice_status status = cli_client_new(&given->connection, RD_KAFKA_PRODUCER, extra,
                                          delivered, &self.client, err);
    if (status != SLUICE_OK) {
        return status;
    }
    self.topic = rd_kafka_topic_new(self.client, topic, NULL);
    status = send_lines(&self, given->sync, err);
    sluice_error *late = sluice_error_new();
    if (finish(&self, late) != SLUICE_OK && status == SLUICE_OK) {
        status = sluice_fail(err, SLUICE_FATAL, "%s", sluice_error_text(late));
    }
    sluice_error_free(late);
    rd_kafka_topic_destroy(self.topic);
    rd_kafka_destroy(self.client);
    return status;
}

static int produce_run(int argc, char **argv)
{
    produce_options given = {0};
    cli_texts arguments;
    int exit_status;
    if (!cli_begin(&usage, argc, argv, &given, &arguments, &exit_status)) {
        return exit_status;
    }
    exit_status = cli_on_topic(&usage, &given, given.topic, &arguments, produce);
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
