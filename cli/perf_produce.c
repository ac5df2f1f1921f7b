/* sluice perf-produce: how fast records can be produced, and how long each takes;
 * kafka-producer-perf-test. */
#include "base/buffer.h"
#include "base/memory.h"
#include "base/text.h"
#include "client.h"
#include "command.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    report_ms = 5000,
    samples_max = 500000,
    payload_bytes_max = 64 * 1024 * 1024,
    flush_timeout_ms = 120000,
};

typedef struct perf_options {
    cli_connection connection;
    const char *topic, *payload_file, *payload_delimiter, *producer_config, *throughput;
    int64_t records, record_size; /* 0: not given. */
    bool monotonic, print_metrics;
} perf_options;

static const cli_option options[] = {
    CLI_CONNECTION_OPTIONS(perf_options),
    {"topic", 0, CLI_TEXT, "TOPIC", "The topic.", 0, 0,
     CLI_AT(const char *, perf_options, topic)},
    {"num-records", 0, CLI_NUMBER, "N", "How many records.", 0, 0,
     CLI_AT(int64_t, perf_options, records)},
    {"throughput", 0, CLI_TEXT, "N", "Records a second at most; -1: no limit.", 0, 0,
     CLI_AT(const char *, perf_options, throughput)},
    {"record-size", 0, CLI_NUMBER, "BYTES", "Random letters of this length.", 0, 0,
     CLI_AT(int64_t, perf_options, record_size)},
    {"payload-file", 0, CLI_TEXT, "FILE", "Values drawn from the lines of FILE.", 0, 0,
     CLI_AT(const char *, perf_options, payload_file)},
    {"payload-delimiter", 0, CLI_TEXT, "TEXT", "What ends a line. Default: \\n.", 0, 0,
     CLI_AT(const char *, perf_options, payload_delimiter)},
    {"payload-monotonic", 0, CLI_FLAG, NULL, "Values are 0, 1, 2 and so on.", 0, 0,
     CLI_AT(bool, perf_options, monotonic)},
    {"producer-props", 0, CLI_TEXTS, "KEY=VALUE",
     "A setting for the producer; more may follow as words.", 0, 0,
     CLI_AT(cli_texts, perf_options, connection.properties)},
    {"producer.config", 0, CLI_TEXT, "FILE", "Settings for the producer.", 0, 0,
     CLI_AT(const char *, perf_options, producer_config)},
    {"print-metrics", 0, CLI_FLAG, NULL, NULL, 0, 0,
     CLI_AT(bool, perf_options, print_metrics)},
    {.name = NULL},
};

static const cli_usage usage = {
    .synopsis = "sluice perf-produce --topic TOPIC --num-records N --throughput N "
                "--record-size BYTES [OPTION…]",
    .doc = "Produces records as fast as they go, or at a rate, and prints every five "
           "seconds and at the end how many went and how long they took to be "
           "acknowledged. Called as kafka-producer-perf-test it is the same.",
    .options = options,
    .examples = "  kafka-producer-perf-test --topic t --num-records 100000 "
                "--throughput -1 --record-size 100 --producer-props "
                "bootstrap.servers=127.0.0.1:9092 linger.ms=10\n",
};

/* Counts of a time: of the whole, and since the last report. */
typedef struct tally {
    int64_t count, bytes;
    double latency_ms;
    double latency_ms_max;
} tally;

typedef struct perf_work {
    rd_kafka_t *client;
    const perf_options *options;
    char *payloads; /* The file, or one value. */
    size_t *starts; /* Of the values; one more for the end. */
    size_t payload_count;
    double throughput; /* 0 or less: no limit. */
    int64_t start_us, report_us;
    tally whole, window;
    float *samples; /* Of latency, every `sample_step`th. */
    size_t sample_count, sample_room;
    int64_t sample_step;
    int64_t failed;
    rd_kafka_resp_err_t failure;
} perf_work;

static int64_t clock_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void add(tally *to, int64_t bytes, double latency_ms)
{
    to->count++;
    to->bytes += bytes;
    to->latency_ms += latency_ms;
    if (latency_ms > to->latency_ms_max) {
        to->latency_ms_max = latency_ms;
    }
}

static void print_rate(const tally *of, int64_t took_us, int digits)
{
    double seconds = (double)took_us / 1e6;
    printf("%lld records sent, %.1f records/sec (%.2f MB/sec), %.*f ms avg latency, "
           "%.*f ms max latency",
           (long long)of->count, (double)of->count / seconds,
           (double)of->bytes / seconds / 1024 / 1024, digits,
           of->count > 0 ? of->latency_ms / (double)of->count : 0.0, digits,
           of->latency_ms_max);
}

static void delivered(rd_kafka_t *client, const rd_kafka_message_t *message,
                      void *opaque)
{
    perf_work *self = rd_kafka_opaque(client);
    int64_t now = clock_us();
    double latency = (double)(now - (int64_t)(intptr_t)message->_private) / 1000;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        self->failed++;
        self->failure = message->err;
        return;
    }
    if (self->whole.count % self->sample_step == 0 &&
        self->sample_count < self->sample_room) {
        self->samples[self->sample_count++] = (float)latency;
    }
    add(&self->whole, (int64_t)message->len, latency);
    add(&self->window, (int64_t)message->len, latency);
    if (now - self->report_us >= report_ms * 1000) {
        print_rate(&self->window, now - self->report_us, 1);
        printf(".\n");
        fflush(stdout);
        self->window = (tally){0};
        self->report_us = now;
    }
}

static int compare_samples(const void *one, const void *other)
{
    float a = *(const float *)one, b = *(const float *)other;
    return (a > b) - (a < b);
}

static int percentile(const perf_work *self, double part)
{
    size_t at = (size_t)(part * (double)self->sample_count);
    return self->sample_count == 0
               ? 0
               : (int)self
                     ->samples[at < self->sample_count ? at : self->sample_count - 1];
}

static void print_total(perf_work *self)
{
    qsort(self->samples, self->sample_count, sizeof *self->samples, compare_samples);
    print_rate(&self->whole, clock_us() - self->start_us, 2);
    printf(", %d ms 50th, %d ms 95th, %d ms 99th, %d ms 99.9th.\n",
           percentile(self, 0.5), percentile(self, 0.95), percentile(self, 0.99),
           percentile(self, 0.999));
}

/* "\n" and "\t" as they are written on a command line. */
static char delimiter(const char *text)
{
    return text == NULL || strcmp(text, "\\n") == 0 ? '\n'
           : strcmp(text, "\\t") == 0               ? '\t'
                                                    : text[0];
}

static sluice_status read_payloads(perf_work *self, const char *path, sluice_error *err)
{
    char end = delimiter(self->options->payload_delimiter);
    FILE *file = fopen(path, "re");
    buffer all;
    char piece[65536];
    size_t got;
    if (file == NULL) {
        return sluice_fail(err, SLUICE_BAD_CONFIG, "'%s': %s", path, strerror(errno));
    }
    buffer_init(&all, payload_bytes_max);
    while ((got = fread(piece, 1, sizeof piece, file)) > 0) {
        buffer_append(&all, piece, got);
    }
    fclose(file);
    size_t len = 0;
    bool overflowed = all.overflowed;
    self->payloads = buffer_take(&all, &len);
    if (overflowed || len == 0) {
        return sluice_fail(err, SLUICE_BAD_CONFIG, "'%s': must have 1 to %d bytes",
                           path, payload_bytes_max);
    }
    size_t room = 2;
    for (size_t i = 0; i < len; i++) {
        room += self->payloads[i] == end;
    }
    self->starts = memory_take((room + 1) * sizeof *self->starts);
    self->starts[0] = 0;
    for (size_t i = 0; i < len; i++) {
        if (self->payloads[i] == end) {
            self->starts[++self->payload_count] = i + 1;
        }
    }
    if (self->starts[self->payload_count] < len) {
        self->starts[++self->payload_count] = len + 1;
    }
    return SLUICE_OK;
}

/* As Kafka's tool: letters of a fixed seed. */
static void make_payload(perf_work *self)
{
    size_t size = (size_t)self->options->record_size;
    uint32_t state = 1;
    self->payloads = memory_take(size + 1);
    self->starts = memory_take(2 * sizeof *self->starts);
    self->starts[0] = 0;
    self->starts[1] = size + 1;
    self->payload_count = 1;
    for (size_t i = 0; i < size; i++) {
        state = state * 1664525 + 1013904223;
        self->payloads[i] = (char)('A' + (state >> 16) % 26);
    }
}

static sluice_status send_one(perf_work *self, rd_kafka_topic_t *topic, int64_t number,
                              sluice_error *err)
{
    char digits[24];
    size_t which = (size_t)number % (self->payload_count > 0 ? self->payload_count : 1);
    const char *value = digits;
    size_t len = (size_t)snprintf(digits, sizeof digits, "%lld", (long long)number);
    if (!self->options->monotonic) {
        value = self->payloads + self->starts[which];
        len = self->starts[which + 1] - self->starts[which] - 1;
    }
    for (;;) {
        void *now = (void *)(intptr_t)clock_us();
        if (rd_kafka_produce(topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY,
                             (void *)value, len, NULL, 0, now) == 0) {
            return SLUICE_OK;
        }
        rd_kafka_resp_err_t code = rd_kafka_last_error();
        if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
            return sluice_fail(err, SLUICE_FATAL, "record %lld: %s", (long long)number,
                               rd_kafka_err2str(code));
        }
        rd_kafka_poll(self->client, 10);
    }
}

/* Serves deliveries until record `number` is due. */
static void keep_rate(perf_work *self, int64_t number)
{
    rd_kafka_poll(self->client, 0);
    if (self->throughput <= 0) {
        return;
    }
    int64_t due = self->start_us + (int64_t)((double)number * 1e6 / self->throughput);
    for (int64_t left = due - clock_us(); left > 0; left = due - clock_us()) {
        rd_kafka_poll(self->client, left > 1000 ? (int)(left / 1000) : 1);
    }
}

static sluice_status send_all(perf_work *self, sluice_error *err)
{
    rd_kafka_topic_t *topic =
        rd_kafka_topic_new(self->client, self->options->topic, NULL);
    sluice_status status = SLUICE_OK;
    self->start_us = self->report_us = clock_us();
    for (int64_t i = 0; i < self->options->records && status == SLUICE_OK; i++) {
        status = send_one(self, topic, i, err);
        keep_rate(self, i + 1);
    }
    rd_kafka_flush(self->client, flush_timeout_ms);
    rd_kafka_topic_destroy(topic);
    if (status == SLUICE_OK && self->failed > 0) {
        status = sluice_fail(err, SLUICE_FATAL, "%lld records were not produced: %s",
                             (long long)self->failed, rd_kafka_err2str(self->failure));
    }
    return status;
}

static sluice_status run_test(perf_work *self, sluice_error *err)
{
    static const char *const none[] = {NULL};
    const perf_options *given = self->options;
    cli_connection connection = given->connection;
    if (given->producer_config != NULL) {
        connection.command_config = given->producer_config;
    }
    sluice_status status = SLUICE_OK;
    if (given->payload_file != NULL) {
        status = read_payloads(self, given->payload_file, err);
    } else if (!given->monotonic) {
        make_payload(self);
    }
    int64_t samples = given->records < samples_max ? given->records : samples_max;
    self->sample_step = given->records / samples;
    self->sample_room = (size_t)samples;
    self->samples = memory_take(self->sample_room * sizeof *self->samples);
    if (status == SLUICE_OK) {
        status = cli_client_new_for(&connection, RD_KAFKA_PRODUCER, none, delivered,
                                    self, &self->client, err);
    }
    if (status == SLUICE_OK) {
        status = send_all(self, err);
        print_total(self);
        rd_kafka_destroy(self->client);
    }
    free(self->payloads);
    free(self->starts);
    free(self->samples);
    return status;
}

/* What is wrong with the options; NULL: nothing. */
static const char *fault(const perf_options *given, bool kafkas, double *ret_throughput)
{
    int chosen = (given->record_size != INT64_MIN) + (given->payload_file != NULL) +
                 given->monotonic;
    if (given->topic == NULL) {
        return "argument --topic is required";
    }
    if (given->records == INT64_MIN) {
        return "argument --num-records is required";
    }
    if (given->records < 1) {
        return "--num-records should be greater than zero";
    }
    if (given->throughput == NULL) {
        return "argument --throughput is required";
    }
    if (!text_to_double(given->throughput, ret_throughput)) {
        return "argument --throughput: must be a number";
    }
    if (chosen != 1) {
        return chosen == 0 ? "one of the arguments --record-size --payload-file "
                             "--payload-monotonic is required"
                           : "only one of --record-size, --payload-file and "
                             "--payload-monotonic is allowed";
    }
    if (given->record_size != INT64_MIN &&
        (given->record_size < 1 || given->record_size > payload_bytes_max)) {
        return "--record-size should be greater than zero";
    }
    if (kafkas && given->connection.properties.count == 0 &&
        given->producer_config == NULL) {
        return "Either --producer-props or --producer.config must be specified.";
    }
    return NULL;
}

/* --producer-props takes all the words behind it. */
static void take_words(perf_options *given, const cli_texts *words)
{
    cli_texts *texts = &given->connection.properties;
    if (words->count == 0) {
        return;
    }
    texts->items = memory_resize(texts->items,
                                 (texts->count + words->count) * sizeof *words->items);
    memcpy(texts->items + texts->count, words->items,
           words->count * sizeof *words->items);
    texts->count += words->count;
}

static int perf_run(int argc, char **argv)
{
    perf_options given = {.records = INT64_MIN, .record_size = INT64_MIN};
    cli_texts arguments;
    int exit_status;
    if (!cli_begin(&usage, argc, argv, &given, &arguments, &exit_status)) {
        return exit_status;
    }
    take_words(&given, &arguments);
    perf_work self = {.options = &given};
    const char *wrong = fault(&given, cli_is_kafkas(argv[0]), &self.throughput);
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

static const char *const tools[] = {"kafka-producer-perf-test", NULL};

const cli_command cli_perf_produce = {
    .name = "perf-produce",
    .summary = "measures how fast records are produced",
    .tools = tools,
    .run = perf_run,
};
