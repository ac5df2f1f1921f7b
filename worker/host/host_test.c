/* A host with its tasks, between a worker that the test plays and a mock cluster. */
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

enum { patience_ms = 20000 };

/* --- The cluster. --- */

static rd_kafka_t *client;
static rd_kafka_mock_cluster_t *cluster;

static void cluster_begin(int partitions)
{
    char reason[200];
    client = rd_kafka_new(RD_KAFKA_PRODUCER, NULL, reason, sizeof reason);
    CHECK(client != NULL);
    cluster = rd_kafka_mock_cluster_new(client, 1);
    CHECK(cluster != NULL);
    rd_kafka_mock_topic_create(cluster, "t", partitions, 1);
}

static void cluster_end(void)
{
    rd_kafka_mock_cluster_destroy(cluster);
    rd_kafka_destroy(client);
}

/* Fills topic t with values, one each. */
static void produce(const char *const *values)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers",
                      rd_kafka_mock_cluster_bootstraps(cluster), NULL, 0);
    rd_kafka_t *producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, NULL, 0);
    for (; *values != NULL; values++) {
        CHECK(rd_kafka_producev(producer, RD_KAFKA_V_TOPIC("t"),
                                RD_KAFKA_V_PARTITION(0),
                                RD_KAFKA_V_VALUE((void *)*values, strlen(*values)),
                                RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                                RD_KAFKA_V_HEADER("h", "x", 1), RD_KAFKA_V_END) == 0);
    }
    CHECK(rd_kafka_flush(producer, patience_ms) == 0);
    rd_kafka_destroy(producer);
}

/* The values of topic t, "a,b,c", once there are `count` of them. */
static char topic_text[64 * 1024];

static const char *topic_values(int count)
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
static int64_t committed_offset(void)
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

static void *run_host(void *unused)
{
    host_code = host_main(host_fd, -1);
    return NULL;
}

static void host_begin(void)
{
    int pair[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    channel_init(&control, pair[0]);
    host_fd = pair[1];
    CHECK(pthread_create(&host_thread, NULL, run_host, NULL) == 0);
    memcpy(strrchr(tell_path, '-') + 1, "XXXXXX", 7);
    close(mkstemp(tell_path));
}

static int host_join(void)
{
    pthread_join(host_thread, NULL);
    channel_done(&control);
    json_decref(last_message);
    last_message = NULL;
    unlink(tell_path);
    return host_code;
}

static void say(const char *text)
{
    json_t *message = json_loads(text, 0, NULL);
    CHECK(message != NULL);
    channel_send(&control, message);
}

/* The next message; borrowed until the next call. */
static json_t *hear(void)
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
static json_t *hear_of(const char *name)
{
    for (;;) {
        json_t *message = hear();
        if (json_object_get(message, name) != NULL) {
            return json_object_get(message, name);
        }
    }
}

/* Waits until task 0 is in `state`; returns its trace. */
static const char *await_state(const char *state)
{
    for (;;) {
        hear_of("task");
        const char *now = json_string_value(json_object_get(last_message, "state"));
        if (strcmp(now, state) == 0) {
            return json_string_value(json_object_get(last_message, "trace"));
        }
    }
}

static void start_with(const char *connector_class, const char *more,
                       const char *offsets, const char *state)
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

static void start_source(const char *more)
{
    start_with("org.example.TestSourceConnector", more, "[]", "RUNNING");
}

static void start_sink(const char *more)
{
    start_with("TestSink", more, "[]", "RUNNING");
}

/* Answers an offsets message; its offset of partition 0. */
static json_int_t store(void)
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

static void store_until(json_int_t wanted)
{
    while (store() < wanted) {
    }
}

static int stop(void)
{
    say("{\"stop\":true}");
    return host_join();
}

/* --- What the plugin told. --- */

static char told_text[256 * 1024];

static const char *told(void)
{
    int fd = open(tell_path, O_RDONLY | O_CLOEXEC);
    ssize_t len = read(fd, told_text, sizeof told_text - 1);
    told_text[len < 0 ? 0 : len] = '\0';
    close(fd);
    return told_text;
}

/* Waits until the plugin has told `text`. Pings are the clock: each answer says that
 * the host has had a turn. */
static void await_told(const char *text)
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
static void await_figure(const char *name, json_int_t least)
{
    json_int_t now = -1;
    while (now < least) {
        say("{\"ping\":1}");
        hear_of("pong");
        const json_t *task = json_array_get(json_object_get(last_message, "tasks"), 0);
        now = json_integer_value(json_object_get(task, name));
    }
}

/* --- Sources. --- */

TEST(a_sources_records_come_to_the_log_in_order_and_then_its_offsets_are_stored)
{
    cluster_begin(1);
    host_begin();
    start_source(",\"test.topic\":\"t\",\"test.count\":\"12\"");
    json_t *connector = hear_of("connector");
    CHECK_TEXT(json_string_value(json_object_get(connector, "state")), "RUNNING");
    CHECK_TEXT(json_string_value(json_object_get(connector, "type")), "source");
    CHECK_TEXT(json_string_value(json_object_get(connector, "class")),
               "org.example.TestSourceConnector");
    json_t *tasks = hear_of("tasks");
    CHECK_INT(json_array_size(tasks), 1);
    CHECK_TEXT(
        json_string_value(json_object_get(json_array_get(tasks, 0), "task.class")),
        "org.example.TestSourceTask");
    await_state("RUNNING");
    store_until(12);
    CHECK_TEXT(topic_values(12),
               "record 0,record 1,record 2,record 3,record 4,record 5,record 6,record "
               "7,record 8,record 9,record 10,record 11");
    await_told("committed 12");
    CHECK_INT(stop(), 0);
    cluster_end();
}

TEST(a_source_begins_at_its_stored_offset)
{
    cluster_begin(1);
    host_begin();
    start_with("TestSource", ",\"test.topic\":\"t\"",
               "[[{\"partition\":0},{\"next\":8}]]", "RUNNING");
    store_until(10);
    CHECK_TEXT(topic_values(2), "record 8,record 9");
    CHECK_INT(stop(), 0);
    cluster_end();
}

TEST(offsets_are_not_stored_before_the_log_has_the_records)
{
    cluster_begin(1);
    rd_kafka_mock_broker_set_down(cluster, 1);
    host_begin();
    start_source(",\"test.topic\":\"t\"");
    await_state("RUNNING");
    await_told("create 0");
    for (int i = 0; i < 50; i++) { /* Nothing but answers comes. */
        say("{\"ping\":1}");
        CHECK(json_object_get(hear(), "offsets") == NULL);
    }
    rd_kafka_mock_broker_set_up(cluster, 1);
    store_until(10);
    CHECK_INT(stop(), 0);
    cluster_end();
}

TEST(a_source_that_is_stopped_stores_its_last_offsets)
{
    cluster_begin(1);
    host_begin();
    start_source(",\"test.topic\":\"t\"");
    await_figure("records", 10);
    say("{\"stop\":true}");
    json_int_t next = store();
    CHECK(next > 0);
    await_state("UNASSIGNED");
    char wanted[32];
    snprintf(wanted, sizeof wanted, "committed %d", (int)next);
    CHECK(strstr(told(), wanted) != NULL);
    CHECK_INT(host_join(), 0);
    cluster_end();
}

TEST(a_paused_source_polls_no_more_until_it_is_resumed)
{
    cluster_begin(1);
    host_begin();
    start_with("TestSource", ",\"test.topic\":\"t\"", "[]", "PAUSED");
    await_state("PAUSED");
    CHECK(strstr(told(), "create") == NULL);
    say("{\"resume\":true}");
    await_state("RUNNING");
    store_until(10);
    say("{\"pause\":true}");
    await_state("PAUSED");
    say("{\"resume\":true}");
    await_state("RUNNING");
    CHECK_INT(stop(), 0);
    cluster_end();
}

TEST(create_and_poll_that_say_retry_are_called_again)
{
    cluster_begin(1);
    host_begin();
    start_source(",\"test.topic\":\"t\",\"test.trouble\":\"create-retry\","
                 "\"test.times\":\"2\"");
    await_state("RUNNING");
    store_until(10);
    CHECK_INT(stop(), 0);
    host_begin();
    start_source(",\"test.topic\":\"t\",\"test.trouble\":\"poll-retry\","
                 "\"test.times\":\"2\"");
    await_state("RUNNING");
    store_until(10);
    CHECK_INT(stop(), 0);
    cluster_end();
}

TEST(a_task_that_fails_says_why_and_can_be_restarted)
{
    cluster_begin(1);
    host_begin();
    start_source(",\"test.topic\":\"t\",\"test.trouble\":\"poll-fatal\"");
    await_state("RUNNING");
    store_until(10); /* What it brought before is safe. */
    CHECK_TEXT(await_state("FAILED"), "the outside is broken");
    say("{\"restart_task\":0}");
    await_state("RUNNING");
    await_told("create 10");
    CHECK_TEXT(await_state("FAILED"), "the outside is broken");
    CHECK_INT(stop(), 0);
    cluster_end();
}

TEST(a_record_that_a_transformation_cannot_bear_fails_the_task)
{
    cluster_begin(1);
    host_begin();
    start_source(",\"test.topic\":\"t\",\"transforms\":\"x\","
                 "\"transforms.x.type\":\"test-transform\"");
    CHECK_TEXT(await_state("FAILED"),
               "Tolerance exceeded in error handler: stage TRANSFORMATION with "
               "'test-transform', record of topic 't', source offset {\"next\":4}: a "
               "text that ends in 3");
    CHECK_INT(stop(), 0);
    cluster_end();
}

TEST(what_is_tolerated_or_dropped_still_moves_the_offset)
{
    cluster_begin(1);
    host_begin();
    start_source(",\"test.topic\":\"t\",\"errors.tolerance\":\"all\",\"test.count\":"
                 "\"5\",\"transforms\":\"x\",\"transforms.x.type\":\"test-transform\"");
    await_state("RUNNING");
    store_until(5);
    CHECK_TEXT(topic_values(3), "record 0,record 1,record 2");
    say("{\"ping\":7}");
    json_t *figures =
        json_array_get(json_object_get((hear_of("pong"), last_message), "tasks"), 0);
    CHECK_INT(json_integer_value(json_object_get(figures, "records")), 3);
    CHECK_INT(json_integer_value(json_object_get(figures, "skipped")), 1);
    CHECK_INT(json_integer_value(
                  json_object_get(json_object_get(figures, "gauges"), "polls")),
              5);
    CHECK_INT(stop(), 0);
    cluster_end();
}

TEST(a_record_that_the_log_refuses_fails_the_task_and_its_offset_is_not_stored)
{
    cluster_begin(1);
    rd_kafka_mock_push_request_errors(cluster, 0 /* Produce */, 1,
                                      RD_KAFKA_RESP_ERR_INVALID_RECORD);
    host_begin();
    start_source(",\"test.topic\":\"t\",\"test.count\":\"5\"");
    const char *trace = await_state("FAILED");
    CHECK(strstr(trace, "topic 't' partition 0 does not take a record: ") == trace);
    say("{\"stop\":true}");
    CHECK(channel_read(&control, NULL) == SLUICE_OK);
    CHECK_INT(host_join(), 0);
    CHECK(strstr(told(), "committed") == NULL);
    cluster_end();
}

TEST(a_configuration_with_faults_fails_the_connector_with_all_of_them)
{
    cluster_begin(1);
    host_begin();
    start_source(",\"test.count\":\"many\",\"tasks.max\":\"0\"");
    json_t *connector = hear_of("connector");
    CHECK_TEXT(json_string_value(json_object_get(connector, "state")), "FAILED");
    const char *trace = json_string_value(json_object_get(connector, "trace"));
    CHECK(strstr(trace, "tasks.max") != NULL);
    CHECK(strstr(trace, "Invalid value many for configuration test.count: Not a number "
                        "of type LONG") != NULL);
    CHECK(strstr(trace, "Missing required configuration \"test.topic\"") != NULL);
    CHECK_INT(stop(), 0);
    cluster_end();
}

TEST(tasks_stop_and_the_host_exits_when_the_worker_is_gone)
{
    cluster_begin(1);
    host_begin();
    start_source(",\"test.topic\":\"t\"");
    await_state("RUNNING");
    shutdown(control.fd, SHUT_RDWR);
    CHECK_INT(host_join(), 0);
    cluster_end();
}

/* --- Sinks. --- */

TEST(a_sink_gets_records_in_order_and_its_offsets_are_committed_after_a_flush)
{
    cluster_begin(1);
    produce((const char *const[]){"a", "b", "c", NULL});
    host_begin();
    start_sink(",\"topics\":\"t\"");
    await_state("RUNNING");
    await_told("flush t-0@3");
    CHECK(strstr(told(),
                 "create\nopen t-0@0\nput t-0@0 a\nput t-0@1 b\nput t-0@2 c\nflush "
                 "t-0@3\n") != NULL);
    CHECK_INT(stop(), 0);
    CHECK_INT(committed_offset(), 3);
    cluster_end();
}

TEST(a_sink_that_is_stopped_flushes_and_commits)
{
    cluster_begin(1);
    produce((const char *const[]){"a", NULL});
    host_begin();
    start_sink(",\"topics.regex\":\"t|other\"");
    await_told("put t-0@0 a");
    say("{\"stop\":true}");
    await_state("UNASSIGNED");
    CHECK(strstr(told(), "flush t-0@1\nclose t-0@") != NULL);
    CHECK(strstr(told(), "destroy") != NULL);
    CHECK_INT(host_join(), 0);
    cluster_end();
}

TEST(after_retry_the_same_batch_comes_again)
{
    cluster_begin(1);
    produce((const char *const[]){"a", "b", NULL});
    host_begin();
    start_sink(",\"topics\":\"t\",\"test.trouble\":\"put-retry\",\"test.times\":\"3\"");
    await_told("put t-0@1 b");
    CHECK(
        strstr(told(), "refused 2\nrefused 2\nrefused 2\nput t-0@0 a\nput t-0@1 b\n") !=
        NULL);
    produce((const char *const[]){"c", NULL}); /* And it goes on. */
    await_told("put t-0@2 c");
    CHECK_INT(stop(), 0);
    cluster_end();
}

TEST(a_flush_that_fails_brings_the_records_again)
{
    cluster_begin(1);
    produce((const char *const[]){"a", NULL});
    host_begin();
    start_sink(
        ",\"topics\":\"t\",\"test.trouble\":\"flush-retry\",\"test.times\":\"1\"");
    await_told("flush t-0@1");
    CHECK(strstr(told(), "put t-0@0 a\nflush refused\nput t-0@0 a\nflush t-0@1\n") !=
          NULL);
    CHECK_INT(stop(), 0);
    cluster_end();
}

TEST(a_sink_may_lower_what_is_committed)
{
    cluster_begin(1);
    produce((const char *const[]){"a", "b", NULL});
    host_begin();
    start_sink(",\"topics\":\"t\",\"test.trouble\":\"lower\"");
    await_told("flush t-0@1");
    CHECK_INT(stop(), 0);
    CHECK_INT(committed_offset(), 1);
    cluster_end();
}

TEST(a_sink_may_go_back)
{
    cluster_begin(1);
    produce((const char *const[]){"a", "b", NULL});
    host_begin();
    start_sink(",\"topics\":\"t\",\"test.trouble\":\"rewind\",\"test.times\":\"1\"");
    await_told("put t-0@0 a\nput t-0@1 b\nput t-0@0 a\nput t-0@1 b\n");
    CHECK_INT(stop(), 0);
    cluster_end();
}

TEST(a_sink_may_give_records_up_where_that_is_tolerated)
{
    cluster_begin(1);
    produce((const char *const[]){"a", "bad", "c", NULL});
    host_begin();
    start_sink(",\"topics\":\"t\",\"test.trouble\":\"dead-letter\","
               "\"errors.tolerance\":\"all\"");
    await_told("put t-0@2 c");
    CHECK(strstr(told(), "put t-0@0 a\nput t-0@2 c\n") != NULL);
    CHECK_INT(stop(), 0);
    CHECK_INT(committed_offset(), 3);
    cluster_end();
}

TEST(a_sink_that_gives_records_up_fails_where_that_is_not_tolerated)
{
    cluster_begin(1);
    produce((const char *const[]){"bad", NULL});
    host_begin();
    start_sink(",\"topics\":\"t\",\"test.trouble\":\"dead-letter\"");
    const char *trace = await_state("FAILED");
    CHECK(strstr(trace, "record of topic 't' partition 0 offset 0: it is bad") != NULL);
    CHECK_INT(stop(), 0);
    CHECK(committed_offset() < 0);
    cluster_end();
}

TEST(a_sink_may_ask_for_a_commit)
{
    cluster_begin(1);
    produce((const char *const[]){"a", NULL});
    host_begin();
    start_sink(",\"topics\":\"t\",\"test.trouble\":\"ask-commit\"");
    await_told("flush t-0@1");
    CHECK_INT(stop(), 0);
    cluster_end();
}

TEST(a_paused_sink_commits_and_puts_nothing)
{
    cluster_begin(1);
    produce((const char *const[]){"a", NULL});
    host_begin();
    start_sink(",\"topics\":\"t\"");
    await_told("put t-0@0 a");
    say("{\"pause\":true}");
    await_state("PAUSED");
    CHECK(strstr(told(), "flush t-0@1") != NULL);
    produce((const char *const[]){"b", NULL});
    say("{\"resume\":true}");
    await_state("RUNNING");
    await_told("put t-0@1 b");
    CHECK_INT(stop(), 0);
    cluster_end();
}

TEST(two_sink_tasks_divide_the_partitions)
{
    cluster_begin(4);
    host_begin();
    start_sink(",\"topics\":\"t\",\"tasks.max\":\"2\"");
    CHECK_INT(json_array_size(hear_of("tasks")), 2);
    await_told("open t-0@0");
    await_told("open t-1@0");
    await_told("open t-2@0");
    await_told("open t-3@0");
    CHECK_INT(stop(), 0);
    cluster_end();
}

/* --- Inspection. --- */

TEST(an_inspecting_host_lists_plugins_and_validates)
{
    host_begin();
    say("{\"inspect\":true,\"worker\":{\"plugin.path\":\"" TEST_PLUGIN_PATH "\"}}");
    json_t *plugins = hear_of("plugins");
    CHECK(json_array_size(plugins) >= 4);
    say("{\"validate\":{\"id\":3,\"class\":\"TestSource\",\"config\":{\"name\":\"c\","
        "\"connector.class\":\"TestSource\",\"tasks.max\":\"x\",\"test.topik\":\"t\"}}"
        "}");
    json_t *body = hear_of("validated");
    CHECK_INT(json_integer_value(json_object_get(last_message, "id")), 3);
    CHECK_TEXT(json_string_value(json_object_get(body, "name")), "TestSource");
    char *text = json_dumps(body, JSON_COMPACT);
    CHECK(strstr(text, "Invalid value x for configuration tasks.max: Not a number of "
                       "type INT") != NULL);
    CHECK(strstr(text, "Missing required configuration \\\"test.topic\\\" which has no "
                       "default value.") != NULL);
    CHECK(strstr(text, "test.topik") != NULL);
    CHECK_INT(json_integer_value(json_object_get(body, "error_count")), 4);
    free(text);
    say("{\"validate\":{\"id\":4,\"class\":\"Nope\",\"config\":{}}}");
    body = hear_of("validated");
    CHECK(json_is_null(body));
    CHECK_TEXT(json_string_value(json_object_get(last_message, "error")),
               "Failed to find any class that implements Connector and which name "
               "matches Nope");
    CHECK_INT(stop(), 0);
}

TEST_MAIN
