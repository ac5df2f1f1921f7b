/* bench/capture_client.c - librdkafka with nothing of ours around it: how fast it can
 * produce, and when records reach a consumer that is not tuned.
 *
 *     bench-capture-client produce BOOTSTRAP TOPIC COUNT BYTES
 *     bench-capture-client stamps BOOTSTRAP TOPIC COUNT SECONDS
 *
 * `produce` sends COUNT records of BYTES, one partition, acks=all, idempotent, and
 * prints the seconds from the first to the last delivery. `stamps` waits for COUNT
 * records, each with T and its time in microseconds somewhere in its text, says `ready`
 * when it has found the end of the topic, and prints the percentiles of their age on
 * arrival. */
#include "base/memory.h"
#include "base/text.h"
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

static _Noreturn void die(const char *what, const char *why)
{
    fprintf(stderr, "bench-capture-client: %s: %s\n", what, why);
    exit(1);
}

static int64_t number_of(const char *text)
{
    int64_t number;
    if (!text_to_int64(text, &number) || number < 1) {
        die(text, "must be a number from 1");
    }
    return number;
}

/* `settings` are names and values, ended by NULL. */
static rd_kafka_t *client_new(rd_kafka_type_t type, const char *bootstrap,
                              const char *const *settings)
{
    char reason[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", bootstrap, NULL, 0);
    for (; *settings != NULL; settings += 2) {
        if (rd_kafka_conf_set(conf, settings[0], settings[1], reason, sizeof reason) !=
            RD_KAFKA_CONF_OK) {
            die(settings[0], reason);
        }
    }
    rd_kafka_t *client = rd_kafka_new(type, conf, reason, sizeof reason);
    if (client == NULL) {
        die(bootstrap, reason);
    }
    return client;
}

static double cpu_seconds(void)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static void produce(const char *bootstrap, const char *topic, int64_t count,
                    int64_t bytes)
{
    static const char *const settings[] = {"enable.idempotence",
                                           "true",
                                           "acks",
                                           "all",
                                           "queue.buffering.max.messages",
                                           "1000000",
                                           "queue.buffering.max.kbytes",
                                           "131072",
                                           NULL};
    rd_kafka_t *client = client_new(RD_KAFKA_PRODUCER, bootstrap, settings);
    rd_kafka_topic_t *to = rd_kafka_topic_new(client, topic, NULL);
    char *value = memory_take((size_t)bytes);
    for (int64_t i = 0; i < bytes; i++) {
        value[i] = (char)('a' + i * 7 % 26);
    }
    int64_t began = now_us();
    for (int64_t i = 0; i < count;) {
        if (rd_kafka_produce(to, 0, RD_KAFKA_MSG_F_COPY, value, (size_t)bytes, NULL, 0,
                             NULL) == 0) {
            i++;
        } else if (rd_kafka_last_error() == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
            rd_kafka_poll(client, 10);
        } else {
            die(topic, rd_kafka_err2str(rd_kafka_last_error()));
        }
    }
    while (rd_kafka_outq_len(client) > 0) {
        rd_kafka_poll(client, 100);
    }
    printf("{\"seconds\": %.6f, \"cpu\": %.3f}\n", (double)(now_us() - began) / 1e6,
           cpu_seconds());
    rd_kafka_topic_destroy(to);
    rd_kafka_destroy(client);
    free(value);
}

/* The number behind the first T that digits follow; 0: none. */
static int64_t stamp_in(const char *text, size_t len)
{
    for (size_t i = 0; i + 1 < len; i++) {
        int64_t number = 0;
        size_t at = i + 1;
        for (; text[i] == 'T' && at < len && text[at] >= '0' && text[at] <= '9'; at++) {
            number = number * 10 + text[at] - '0';
        }
        if (at > i + 10) {
            return number;
        }
    }
    return 0;
}

static int compare(const void *one, const void *other)
{
    int64_t left = *(const int64_t *)one, right = *(const int64_t *)other;
    return (left > right) - (left < right);
}

static void print_ages(int64_t *ages, size_t count)
{
    static const struct {
        const char *name;
        double part;
    } points[] = {
        {"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999}, {"max", 1}};
    qsort(ages, count, sizeof *ages, compare);
    printf("{\"count\": %zu", count);
    for (size_t i = 0; count > 0 && i < sizeof points / sizeof *points; i++) {
        size_t at = (size_t)((double)(count - 1) * points[i].part);
        printf(", \"%s\": %.3f", points[i].name, (double)ages[at] / 1000);
    }
    printf("}\n");
}

static void stamps(const char *bootstrap, const char *topic, int64_t count,
                   int64_t seconds)
{
    static const char *const settings[] = {"group.id", "bench", NULL};
    rd_kafka_t *client = client_new(RD_KAFKA_CONSUMER, bootstrap, settings);
    rd_kafka_poll_set_consumer(client);
    int64_t low, high;
    rd_kafka_resp_err_t error =
        rd_kafka_query_watermark_offsets(client, topic, 0, &low, &high, 10000);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        die(topic, rd_kafka_err2str(error));
    }
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, 0)->offset = high;
    rd_kafka_assign(client, list);
    printf("ready\n");
    fflush(stdout);
    int64_t *ages = memory_take((size_t)count * sizeof *ages);
    size_t have = 0;
    int64_t end = now_us() + seconds * 1000000;
    while (have < (size_t)count && now_us() < end) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(client, 100);
        if (message == NULL) {
            continue;
        }
        int64_t sent = message->err == RD_KAFKA_RESP_ERR_NO_ERROR
                           ? stamp_in(message->payload, message->len)
                           : 0;
        if (sent > 0) {
            ages[have++] = now_us() - sent;
        }
        rd_kafka_message_destroy(message);
    }
    print_ages(ages, have);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_consumer_close(client);
    rd_kafka_destroy(client);
    free(ages);
}

int main(int argc, char **argv)
{
    bool produces = argc == 6 && strcmp(argv[1], "produce") == 0;
    if (!produces && (argc != 6 || strcmp(argv[1], "stamps") != 0)) {
        die("usage", "produce|stamps BOOTSTRAP TOPIC COUNT BYTES|SECONDS");
    }
    (produces ? produce : stamps)(argv[2], argv[3], number_of(argv[4]),
                                  number_of(argv[5]));
    return 0;
}
