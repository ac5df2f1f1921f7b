/* worker/host/played_worker.h - a worker that a test plays, around a host and a mock
 * cluster.
 *
 * For unit tests: everything is static. */
#ifndef SLUICE_WORKER_HOST_PLAYED_WORKER_H
#define SLUICE_WORKER_HOST_PLAYED_WORKER_H

#include "worker/control/channel.h"
#include "worker/control/control.h"
#include "worker/host/host.h"
#include <errno.h>
#include <fcntl.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <poll.h>
#include <sluice/log.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <test.h>
#include <unistd.h>

enum { patience_ms = 60000 };

/* --- The cluster. --- */

static rd_kafka_t *client;
static rd_kafka_mock_cluster_t *cluster;

__attribute__((unused)) static void cluster_begin(int partitions)
{
    char reason[200];
    client = rd_kafka_new(RD_KAFKA_PRODUCER, NULL, reason, sizeof reason);
    CHECK(client != NULL);
    cluster = rd_kafka_mock_cluster_new(client, 1);
    CHECK(cluster != NULL);
    rd_kafka_mock_topic_create(cluster, "t", partitions, 1);
}

__attribute__((unused)) static void cluster_end(void)
{
    rd_kafka_mock_cluster_destroy(cluster);
    rd_kafka_destroy(client);
}

/* Fills topic t with values, one each; all in one batch of records, so that a sink gets
 * them together. */
__attribute__((unused)) static void produce(const char *const *values)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers",
                      rd_kafka_mock_cluster_bootstraps(cluster), NULL, 0);
    rd_kafka_conf_set(conf, "linger.ms", "60000", NULL, 0); /* Till the flush. */
    rd_kafka_t *producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, NULL, 0);
    /* What is produced to a topic that is not known yet goes one by one later. */
    rd_kafka_topic_t *topic = rd_kafka_topic_new(producer, "t", NULL);
    const struct rd_kafka_metadata *known;
    CHECK(rd_kafka_metadata(producer, 0, topic, &known, patience_ms) == 0);
    rd_kafka_metadata_destroy(known);
    for (; *values != NULL; values++) {
        CHECK(rd_kafka_producev(producer, RD_KAFKA_V_TOPIC("t"),
                                RD_KAFKA_V_PARTITION(0),
                                RD_KAFKA_V_VALUE((void *)*values, strlen(*values)),
                                RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                                RD_KAFKA_V_HEADER("h", "x", 1), RD_KAFKA_V_END) == 0);
    }
    CHECK(rd_kafka_flush(producer, patience_ms) == 0);
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(producer);
}

/* The values of topic t, "a,b,c", once there are `count` of them. */
static char topic_text[64 * 1024];

__attribute__((unused)) static const char *topic_values(int count)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers",
                      rd_kafka_mock_cluster_bootstraps(cluster), NULL, 0);
    rd_kafka_conf_set(conf, "group.id", "reader", NULL, 0);
    rd_kafka_t *consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, NULL, 0);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, "t", 0)->offset = 0;
    rd_kafka_assign(consumer, list);
    rd_kafka_topic_partition_list_destroy(list);
    size_t len = 0;
    topic_text[0] = '\0';
    for (int got = 0; got < count;) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer, patience_ms);
        CHECK(message != NULL);
        if (message->err == 0) {
            len += (size_t)snprintf(topic_text + len, sizeof topic_text - len, "%s%.*s",
                                    got > 0 ? "," : "", (int)message->len,
                                    (const char *)message->payload);
            got++;
        }
        rd_kafka_message_destroy(message);
    }
    rd_kafka_consumer_close(consumer);
    rd_kafka_destroy(consumer);
    return topic_text;
}

/* What the group of sink c has committed for partition 0 of topic t. The mock lets
 * nobody join a group again that all had left, so a successor can't show it. */
__attribute__((unused)) static int64_t committed_offset(void)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers",
                      rd_kafka_mock_cluster_bootstraps(cluster), NULL, 0);
    rd_kafka_conf_set(conf, "group.id", "connect-c", NULL, 0);
    rd_kafka_t *consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, NULL, 0);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, "t", 0);
    CHECK(rd_kafka_committed(consumer, list, patience_ms) == 0);
    int64_t offset = list->elems[0].offset;
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(consumer);
    return offset;
}

/* --- The worker. --- */

static channel control;
static pthread_t host_thread;
static int host_fd, host_code;
static char tell_path[] = "/tmp/sluice-host-test-XXXXXX";
static json_t *last_message;

__attribute__((unused)) static void *run_host(void *unused)
{
    host_code = host_main(host_fd, -1);
    return NULL;
}

__attribute__((unused)) static void host_begin(void)
{
    int pair[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    channel_init(&control, pair[0], CONTROL_SAID_BYTES_MAX);
    host_fd = pair[1];
    CHECK(pthread_create(&host_thread, NULL, run_host, NULL) == 0);
    memcpy(strrchr(tell_path, '-') + 1, "XXXXXX", 7);
    close(mkstemp(tell_path));
}

__attribute__((unused)) static int host_join(void)
{
    pthread_join(host_thread, NULL);
    channel_done(&control);
    json_decref(last_message);
    last_message = NULL;
    unlink(tell_path);
    return host_code;
}

__attribute__((unused)) static void say(const char *text)
{
    json_t *message = json_loads(text, 0, NULL);
    CHECK(message != NULL);
    channel_send(&control, message);
}

/* The next message; borrowed until the next call. */
__attribute__((unused)) static json_t *hear(void)
{
    json_decref(last_message);
    last_message = NULL;
    for (;;) {
        CHECK(channel_next(&control, &last_message, NULL) == SLUICE_OK);
        if (last_message != NULL) {
            return last_message;
        }
        struct pollfd readable = {.fd = control.fd, .events = POLLIN};
        CHECK(poll(&readable, 1, patience_ms) == 1);
        CHECK(channel_read(&control, NULL) == SLUICE_OK);
    }
}

/* The next message that has `name`; what comes before is dropped. */
__attribute__((unused)) static json_t *hear_of(const char *name)
{
    for (;;) {
        json_t *message = hear();
        if (json_object_get(message, name) != NULL) {
            return json_object_get(message, name);
        }
    }
}

/* Waits until task 0 is in `state`; returns its trace. */
__attribute__((unused)) static const char *await_state(const char *state)
{
    for (;;) {
        hear_of("task");
        const char *now = json_string_value(json_object_get(last_message, "state"));
        if (strcmp(now, state) == 0) {
            return json_string_value(json_object_get(last_message, "trace"));
        }
    }
}

__attribute__((unused)) static void start_with(const char *connector_class,
                                               const char *more, const char *offsets,
                                               const char *state)
{
    const char *bootstrap = rd_kafka_mock_cluster_bootstraps(cluster);
    char text[4096];
    snprintf(text, sizeof text,
             "{\"start\":{\"name\":\"c\",\"state\":\"%s\",\"offsets\":%s,"
             "\"worker\":{\"bootstrap.servers\":\"%s\",\"plugin.path\":\"%s\","
             "\"key.converter\":\"org.apache.kafka.connect.storage.StringConverter\","
             "\"value.converter\":\"org.apache.kafka.connect.storage.StringConverter\","
             "\"offset.flush.interval.ms\":\"300\","
             "\"consumer.fetch.max.wait.ms\":\"20\",\"consumer.fetch.wait.max.ms\":"
             "\"20\"},"
             "\"config\":{\"name\":\"c\",\"connector.class\":\"%s\","
             "\"test.tell\":\"%s\"%s}}}",
             state, offsets, bootstrap, TEST_PLUGIN_PATH, connector_class, tell_path,
             more);
    say(text);
}

__attribute__((unused)) static void start_source(const char *more)
{
    start_with("org.example.TestSourceConnector", more, "[]", "RUNNING");
}

__attribute__((unused)) static void start_sink(const char *more)
{
    start_with("TestSink", more, "[]", "RUNNING");
}

/* Answers an offsets message; its offset of partition 0. */
__attribute__((unused)) static json_int_t store(void)
{
    json_t *offsets = hear_of("offsets");
    json_t *seq = json_object_get(last_message, "seq");
    json_int_t next = -1;
    if (json_array_size(offsets) > 0) {
        next = json_integer_value(
            json_object_get(json_array_get(json_array_get(offsets, 0), 1), "next"));
    }
    channel_send(&control, json_pack("{s:O}", "stored", seq));
    return next;
}

__attribute__((unused)) static void store_until(json_int_t wanted)
{
    while (store() < wanted) {
    }
}

__attribute__((unused)) static int stop(void)
{
    say("{\"stop\":true}");
    return host_join();
}

/* --- What the plugin told. --- */

static char told_text[256 * 1024];

__attribute__((unused)) static const char *told(void)
{
    int fd = open(tell_path, O_RDONLY | O_CLOEXEC);
    ssize_t len = read(fd, told_text, sizeof told_text - 1);
    told_text[len < 0 ? 0 : len] = '\0';
    close(fd);
    return told_text;
}

/* Waits until the plugin has told `text`. Pings are the clock: each answer says that
 * the host has had a turn. */
__attribute__((unused)) static void await_told(const char *text)
{
    for (int i = 0; strstr(told(), text) == NULL; i++) {
        if (i > patience_ms) {
            test_fail(__FILE__, __LINE__, "never told '%s', but\n%s", text, told());
        }
        say("{\"ping\":1}");
        hear_of("pong");
        struct timespec pace = {0, 1000 * 1000};
        pselect(0, NULL, NULL, NULL, &pace, NULL);
    }
}

/* Waits until a figure of task 0 has come to `least`. */
__attribute__((unused)) static void await_figure(const char *name, json_int_t least)
{
    json_int_t now = -1;
    while (now < least) {
        say("{\"ping\":1}");
        hear_of("pong");
        const json_t *task = json_array_get(json_object_get(last_message, "tasks"), 0);
        now = json_integer_value(json_object_get(task, name));
    }
}

#endif
