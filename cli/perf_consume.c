/* sluice perf-consume: how fast records can be consumed; kafka-consumer-perf-test. */
#include "base/uuid.h"
#include "client.h"
#include "command.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { batch_records = 1000 };

typedef struct perf_options {
    cli_connection connection;
    const char *topic, *group, *consumer_config;
    int64_t messages, timeout_ms, interval_ms, fetch_size, socket_buffer;
    bool detailed, hide_header, from_latest, print_metrics;
} perf_options;

static const cli_option options[] = {
    CLI_CONNECTION_OPTIONS(perf_options),
    {"topic", 0, CLI_TEXT, "TOPIC", "The topic.", 0, 0,
     CLI_AT(const char *, perf_options, topic)},
    {"messages", 0, CLI_NUMBER, "N", "How many records.", 0, INT64_MAX,
     CLI_AT(int64_t, perf_options, messages)},
    {"group", 0, CLI_TEXT, "GROUP", "The group. Default: one of its own.", 0, 0,
     CLI_AT(const char *, perf_options, group)},
    {"timeout", 0, CLI_NUMBER, "MS",
     "Ends when no record came for so long. Default: 10000.", 1, INT32_MAX,
     CLI_AT(int64_t, perf_options, timeout_ms)},
    {"from-latest", 0, CLI_FLAG, NULL, "Begins behind the records that are there.", 0,
     0, CLI_AT(bool, perf_options, from_latest)},
    {"fetch-size", 0, CLI_NUMBER, "BYTES", "Of one partition at a time.", 1, 1000000000,
     CLI_AT(int64_t, perf_options, fetch_size)},
    {"socket-buffer-size", 0, CLI_NUMBER, "BYTES", NULL, 0, 100000000,
     CLI_AT(int64_t, perf_options, socket_buffer)},
    {"show-detailed-stats", 0, CLI_FLAG, NULL, "A line for every interval.", 0, 0,
     CLI_AT(bool, perf_options, detailed)},
    {"reporting-interval", 0, CLI_NUMBER, "MS", "Default: 5000.", 1, INT32_MAX,
     CLI_AT(int64_t, perf_options, interval_ms)},
    {"hide-header", 0, CLI_FLAG, NULL, "No line that tells what the columns are.", 0, 0,
     CLI_AT(bool, perf_options, hide_header)},
    {"consumer.config", 0, CLI_TEXT, "FILE", "Settings for the consumer.", 0, 0,
     CLI_AT(const char *, perf_options, consumer_config)},
    {"print-metrics", 0, CLI_FLAG, NULL, NULL, 0, 0,
     CLI_AT(bool, perf_options, print_metrics)},
    {.name = NULL},
};

static const cli_usage usage = {
    .synopsis = "sluice perf-consume --topic TOPIC --messages N [OPTION…]",
    .doc =
        "Consumes records as fast as they come, and prints a line of figures. Called "
        "as kafka-consumer-perf-test it is the same.",
    .options = options,
    .examples =
        "  kafka-consumer-perf-test --bootstrap-server 127.0.0.1:9092 --topic t "
        "--messages 100000\n",
};

typedef struct perf_work {
    const perf_options *options;
    rd_kafka_t *client;
    int64_t begin_ms, last_ms, report_ms, joined_ms;
    int64_t count, bytes;
    int64_t reported_count, reported_bytes, reported_join_ms;
    bool joined;
} perf_work;

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void print_time(int64_t ms)
{
    char text[32];
    struct tm parts;
    time_t seconds = (time_t)(ms / 1000);
    localtime_r(&seconds, &parts);
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
    printf("%s:%03d, ", text, (int)(ms % 1000));
}

static double megabytes(int64_t bytes)
{
    return (double)bytes / 1024 / 1024;
}

static double rate(double count, int64_t ms)
{
    return count * 1000 / (double)(ms > 0 ? ms : 1);
}

static void print_header(const perf_options *given)
{
    if (!given->hide_header) {
        printf("%s, data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec, "
               "rebalance.time.ms, fetch.time.ms, fetch.MB.sec, fetch.nMsg.sec\n",
               given->detailed ? "time, threadId" : "start.time, end.time");
    }
}

/* The rest of a line: what was consumed in `took_ms`, of which `join_ms` were spent on
 * joining the group. */
static void print_figures(const perf_work *self, int64_t bytes, int64_t count,
                          int64_t took_ms, int64_t join_ms)
{
    int64_t fetch_ms = took_ms - join_ms;
    printf("%.4f, %.4f, %lld, %.4f, %lld, %lld, %.4f, %.4f\n", megabytes(self->bytes),
           rate(megabytes(bytes), took_ms), (long long)self->count,
           rate((double)count, took_ms), (long long)join_ms, (long long)fetch_ms,
           rate(megabytes(bytes), fetch_ms), rate((double)count, fetch_ms));
}

static void report(perf_work *self)
{
    int64_t now = now_ms();
    if (!self->options->detailed ||
        now - self->report_ms < self->options->interval_ms) {
        return;
    }
    print_time(now);
    printf("0, ");
    print_figures(self, self->bytes - self->reported_bytes,
                  self->count - self->reported_count, now - self->report_ms,
                  self->joined_ms - self->reported_join_ms);
    self->reported_bytes = self->bytes;
    self->reported_count = self->count;
    self->reported_join_ms = self->joined_ms;
    self->report_ms = now;
}

static void notice_assignment(perf_work *self)
{
    rd_kafka_topic_partition_list_t *partitions = NULL;
    if (!self->joined &&
        rd_kafka_assignment(self->client, &partitions) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        self->joined = partitions->cnt > 0;
        self->joined_ms = now_ms() - self->begin_ms;
        rd_kafka_topic_partition_list_destroy(partitions);
    }
}

static sluice_status take_batch(perf_work *self, rd_kafka_message_t **batch,
                                ssize_t got, sluice_error *err)
{
    sluice_status status = SLUICE_OK;
    for (ssize_t i = 0; i < got; i++) {
        const rd_kafka_message_t *message = batch[i];
        if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            self->count++;
            self->bytes += (int64_t)(message->len + message->key_len);
            self->last_ms = now_ms();
        } else if (message->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
                   message->err == RD_KAFKA_RESP_ERR__FATAL) {
            status =
                sluice_fail(err, SLUICE_FATAL, "%s", rd_kafka_message_errstr(message));
        }
        rd_kafka_message_destroy(batch[i]);
    }
    return status;
}

static sluice_status consume(perf_work *self, sluice_error *err)
{
    rd_kafka_message_t *batch[batch_records];
    rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(self->client);
    sluice_status status = SLUICE_OK;
    const perf_options *given = self->options;
    while (status == SLUICE_OK && self->count < given->messages &&
           now_ms() - self->last_ms <= given->timeout_ms) {
        int64_t left = given->messages - self->count;
        ssize_t got = rd_kafka_consume_batch_queue(
            queue, 100, batch, left < batch_records ? (size_t)left : batch_records);
        notice_assignment(self);
        if (got > 0) {
            status = take_batch(self, batch, got, err);
        }
        report(self);
    }
    rd_kafka_queue_destroy(queue);
    return status;
}

static sluice_status subscribe(perf_work *self, sluice_error *err)
{
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, self->options->topic,
                                      RD_KAFKA_PARTITION_UA);
    rd_kafka_poll_set_consumer(self->client);
    rd_kafka_resp_err_t code = rd_kafka_subscribe(self->client, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR
               ? SLUICE_OK
               : sluice_fail(err, SLUICE_FATAL, "topic '%s': %s", self->options->topic,
                             rd_kafka_err2str(code));
}

static void print_result(const perf_work *self)
{
    int64_t end = now_ms();
    if (self->count < self->options->messages) {
        printf("WARNING: Exiting before consuming the expected number of messages: "
               "timeout (%lld ms) exceeded. You can use the --timeout option to "
               "increase the timeout.\n",
               (long long)self->options->timeout_ms);
    }
    if (!self->options->detailed) {
        print_time(self->begin_ms);
        print_time(end);
        print_figures(self, self->bytes, self->count, end - self->begin_ms,
                      self->joined_ms);
    }
}

static sluice_status run_test(perf_work *self, sluice_error *err)
{
    const perf_options *given = self->options;
    char group[48], fetch[24];
    uuid id = uuid_random();
    snprintf(group, sizeof group, "perf-consumer-%u", (id.bytes[0] << 8 | id.bytes[1]));
    snprintf(fetch, sizeof fetch, "%lld", (long long)given->fetch_size);
    const char *extra[] = {"group.id",
                           given->group != NULL ? given->group : group,
                           "auto.offset.reset",
                           given->from_latest ? "latest" : "earliest",
                           "max.partition.fetch.bytes",
                           fetch,
                           "check.crcs",
                           "false",
                           NULL};
    cli_connection connection = given->connection;
    if (given->consumer_config != NULL) {
        connection.command_config = given->consumer_config;
    }
    sluice_status status =
        cli_client_new(&connection, RD_KAFKA_CONSUMER, extra, NULL, &self->client, err);
    if (status != SLUICE_OK) {
        return status;
    }
    print_header(given);
    self->begin_ms = self->last_ms = self->report_ms = now_ms();
    status = subscribe(self, err);
    if (status == SLUICE_OK) {
        status = consume(self, err);
    }
    if (status == SLUICE_OK) {
        print_result(self);
    }
    rd_kafka_consumer_close(self->client);
    rd_kafka_destroy(self->client);
    return status;
}

static const char *fault(const perf_options *given, bool kafkas)
{
    return kafkas && given->connection.bootstrap_server == NULL
               ? "Missing required argument \"[bootstrap-server]\""
           : given->topic == NULL ? "Missing required argument \"[topic]\""
           : given->messages < 0  ? "Missing required argument \"[messages]\""
                                  : NULL;
}

static int perf_run(int argc, char **argv)
{
    perf_options given = {.messages = -1,
                          .timeout_ms = 10000,
                          .interval_ms = 5000,
                          .fetch_size = 1024 * 1024};
    cli_texts arguments;
    int exit_status;
    if (!cli_begin(&usage, argc, argv, &given, &arguments, &exit_status)) {
        return exit_status;
    }
    perf_work self = {.options = &given};
    const char *wrong = fault(&given, cli_is_kafkas(argv[0]));
    if (wrong != NULL) {
        exit_status = cli_misused(&usage, argv[0], wrong);
    } else {
        sluice_error *err = sluice_error_new();
        sluice_status status = run_test(&self, err);
        exit_status = cli_ended(status, err);
    }
    cli_parse_done(&usage, &given, &arguments);
    return exit_status;
}

static const char *const tools[] = {"kafka-consumer-perf-test", NULL};

const cli_command cli_perf_consume = {
    .name = "perf-consume",
    .summary = "measures how fast records are consumed",
    .tools = tools,
    .run = perf_run,
};
