/* A host with its tasks, between a worker that the test plays and a mock cluster. */
#include "worker/host/played_worker.h"
#include "worker/nursery.h"
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>

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
    json_t *report =
        json_array_get(json_object_get((hear_of("pong"), last_message), "tasks"), 0);
    CHECK_INT(json_integer_value(json_object_get(report, "records")), 3);
    CHECK_INT(
        json_integer_value(json_object_get(json_object_get(report, "gauges"), "polls")),
        5);
    const json_t *figures = json_object_get(report, "figures");
    static const struct {
        const char *name;
        int value;
    } wanted[] = {{"total-records-skipped", 1},      {"total-record-errors", 1},
                  {"source-record-poll-total", 5},   {"source-record-write-total", 3},
                  {"source-record-active-count", 0}, {"total-retries", 0}};
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        CHECK_INT(json_integer_value(json_object_get(figures, wanted[i].name)),
                  wanted[i].value);
    }
    CHECK_INT(json_integer_value(
                  json_object_get(json_object_get(report, "stages"), "TRANSFORMATION")),
              1);
    CHECK_INT(stop(), 0);
    cluster_end();
}

TEST(a_record_without_a_topic_only_moves_the_offset)
{
    cluster_begin(1);
    host_begin();
    start_source(",\"test.topic\":\"t\",\"test.trouble\":\"positions\","
                 "\"test.count\":\"5\",\"transforms\":\"x\","
                 "\"transforms.x.type\":\"test-transform\"");
    await_state("RUNNING");
    store_until(5);
    CHECK_TEXT(topic_values(3), "record 0,record 1,record 2");
    say("{\"ping\":7}");
    json_t *report =
        json_array_get(json_object_get((hear_of("pong"), last_message), "tasks"), 0);
    CHECK_INT(json_integer_value(json_object_get(report, "records")), 3);
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

/* --- Crashes. --- */

static nursery_event next_event(nursery *self)
{
    nursery_event event;
    struct pollfd readable = {.fd = nursery_fd(self), .events = POLLIN};
    CHECK(poll(&readable, 1, patience_ms) == 1);
    CHECK(nursery_next(self, &event));
    return event;
}

TEST(a_plugin_that_crashes_leaves_word_of_the_task_and_the_call)
{
    cluster_begin(1);
    nursery cradle;
    CHECK(nursery_start(&cradle, host_main, NULL) == SLUICE_OK);
    int doing = memfd_create("doing", MFD_CLOEXEC);
    CHECK(ftruncate(doing, CONTROL_DOING_BYTES) == 0);
    control_doing_page *page =
        mmap(NULL, CONTROL_DOING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, doing, 0);
    int pair[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    nursery_request request = {.id = 1,
                               .title = "c",
                               .control_fd = pair[1],
                               .stderr_fd = STDERR_FILENO,
                               .doing_fd = doing};
    CHECK(nursery_fork(&cradle, &request, NULL) == SLUICE_OK);
    close(pair[1]);
    channel_init(&control, pair[0], CONTROL_SAID_BYTES_MAX);
    start_source(",\"test.topic\":\"t\",\"test.trouble\":\"poll-crash\"");
    CHECK_INT(next_event(&cradle).kind, NURSERY_FORKED);
    nursery_event event = next_event(&cradle);
    CHECK_INT(event.kind, NURSERY_EXITED);
    CHECK_INT(event.signal, SIGABRT);
    char text[200];
    control_doing_text(page, text, sizeof text);
    CHECK_TEXT(text, "in poll of task 0 (nothing good)");
    channel_done(&control);
    nursery_done(&cradle);
    munmap(page, CONTROL_DOING_BYTES);
    close(doing);
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
