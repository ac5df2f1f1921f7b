/* Stories of a worker: requests that wait for the inspector, the store, a group. */
#include "bench.h"

TEST(a_request_before_the_plugins_are_listed_waits_for_them)
{
    bench *b = begin();
    herder_settings settings = {.worker_id = "w", .request_ms = 90000};
    herder_free(b->herder);
    b->herder = herder_new(&settings);
    step(b, (herder_event){.type = herder_event_start});
    uint64_t request = ask(b, herder_plugins, NULL, NULL);
    CHECK_INT(status_of(b, request), 0);
    host_says(b, b->inspector, plugin_list);
    CHECK_TEXT(body_of(b, request),
               "[{\"class\":\"org.apache.kafka.connect.file.FileStreamSinkConnector\","
               "\"type\":\"sink\",\"version\":\"1\"},{\"class\":"
               "\"org.apache.kafka.connect.file.FileStreamSourceConnector\","
               "\"type\":\"source\",\"version\":\"1\"}]");
}

TEST(a_wrong_configuration_gets_all_its_messages_and_changes_nothing)
{
    bench *b = begin();
    uint64_t request = ask(b, herder_create, NULL, file_source);
    char *line = memory_print(
        "{\"validated\":{\"error_count\":2,\"configs\":[{\"value\":{\"name\":\"a\","
        "\"errors\":[\"one\"]}},{\"value\":{\"name\":\"b\",\"errors\":[\"two\"]}}]},"
        "\"id\":%d}",
        (int)request);
    host_says(b, b->inspector, line);
    free(line);
    CHECK_INT(status_of(b, request), 400);
    CHECK_TEXT(
        body_of(b, request),
        "{\"error_code\":400,\"message\":\"Connector configuration is invalid and "
        "contains the following 2 error(s):\\none\\ntwo\\nYou can also find the "
        "above list of errors at the endpoint "
        "`/connector-plugins/{connectorType}/config/validate`\"}");
    CHECK_TEXT(body_of(b, ask(b, herder_list, NULL, NULL)), "[]");
}

TEST(configurations_are_checked_one_after_the_other)
{
    bench *b = begin();
    uint64_t first = ask(b, herder_create, NULL, file_source);
    uint64_t second = ask(b, herder_create, NULL, file_source);
    CHECK_TEXT(sent(b, b->inspector, "validate"), "");
    says_valid(b, first);
    CHECK(strlen(sent(b, b->inspector, "validate")) > 0);
    says_valid(b, second);
    CHECK_INT(status_of(b, second), 409);
}

TEST(an_unknown_class_is_refused_with_those_that_there_are)
{
    bench *b = begin();
    uint64_t request =
        ask(b, herder_create, NULL,
            "{\"name\":\"c\",\"config\":{\"connector.class\":\"Nope\"}}");
    CHECK_INT(status_of(b, request), 400);
    CHECK(strstr(body_of(b, request), "which name matches Nope") != NULL);
    CHECK(strstr(body_of(b, request), "FileStreamSinkConnector") != NULL);
}

TEST(offsets_are_acknowledged_after_they_are_stored_and_not_before)
{
    bench *b = begin_running();
    b->auto_store = false;
    host_says(b, b->host,
              "{\"offsets\":[[{\"file\":\"f\"},{\"position\":7}]],\"seq\":3}");
    uint64_t store = b->actions.items[0].id;
    CHECK(did(b, herder_store_offsets, store));
    CHECK_TEXT(sent(b, b->host, "stored"), "");
    CHECK_TEXT(body_of(b, ask(b, herder_offsets, "c", NULL)), "{\"offsets\":[]}");
    step(b, (herder_event){.type = herder_event_stored, .store = store});
    CHECK_TEXT(sent(b, b->host, "stored"), "{\"stored\":3}");
    CHECK_TEXT(
        body_of(b, ask(b, herder_offsets, "c", NULL)),
        "{\"offsets\":[{\"partition\":{\"file\":\"f\"},\"offset\":{\"position\":7}}]}");
}

TEST(a_partition_is_the_same_whatever_the_order_of_its_keys)
{
    bench *b = begin_running();
    host_says(b, b->host, "{\"offsets\":[[{\"a\":1,\"b\":2},{\"p\":7}]],\"seq\":1}");
    host_says(b, b->host, "{\"offsets\":[[{\"b\":2,\"a\":1},{\"p\":8}]],\"seq\":2}");
    CHECK_TEXT(
        body_of(b, ask(b, herder_offsets, "c", NULL)),
        "{\"offsets\":[{\"partition\":{\"b\":2,\"a\":1},\"offset\":{\"p\":8}}]}");
}

static void says_of_offsets(bench *b, uint64_t request, const char *format)
{
    char *line = memory_print(format, (int)request);
    host_says(b, b->inspector, line);
    free(line);
}

TEST(a_connector_created_stopped_has_no_host_and_its_offsets_can_be_altered)
{
    bench *b = begin();
    uint64_t before = b->host;
    uint64_t request = ask(b, herder_create, NULL,
                           "{\"name\":\"c\",\"initial_state\":\"STOPPED\",\"config\":{"
                           "\"connector.class\":\"FileStreamSource\"}}");
    says_valid(b, request);
    CHECK_INT(status_of(b, request), 201);
    CHECK_INT(b->host, before);
    uint64_t alter =
        ask(b, herder_alter_offsets, "c",
            "{\"offsets\":[{\"partition\":{\"f\":1},\"offset\":{\"p\":2}}]}");
    CHECK(strstr(sent(b, b->inspector, "alter_offsets"), "[[{\"f\":1},{\"p\":2}]]") !=
          NULL);
    says_of_offsets(b, alter, "{\"alter_offsets\":{\"external\":false},\"id\":%d}");
    CHECK_INT(status_of(b, alter), 200);
    CHECK(strstr(body_of(b, alter), "framework-managed") != NULL);
    CHECK(strstr(body_of(b, ask(b, herder_offsets, "c", NULL)), "{\"p\":2}") != NULL);
    uint64_t reset = ask(b, herder_reset_offsets, "c", NULL);
    says_of_offsets(b, reset, "{\"alter_offsets\":{\"external\":true},\"id\":%d}");
    CHECK_TEXT(body_of(b, reset),
               "{\"message\":\"The offsets for this connector have been reset "
               "successfully\"}");
    CHECK_TEXT(body_of(b, ask(b, herder_offsets, "c", NULL)), "{\"offsets\":[]}");
}

TEST(what_a_connector_says_of_offsets_counts)
{
    bench *b = begin();
    uint64_t request = ask(b, herder_create, NULL,
                           "{\"name\":\"c\",\"initial_state\":\"STOPPED\",\"config\":{"
                           "\"connector.class\":\"FileStreamSource\"}}");
    says_valid(b, request);
    uint64_t alter =
        ask(b, herder_alter_offsets, "c",
            "{\"offsets\":[{\"partition\":{\"f\":1},\"offset\":{\"p\":-2}}]}");
    says_of_offsets(b, alter,
                    "{\"alter_offsets\":{\"external\":true},\"error\":\"too low\","
                    "\"id\":%d}");
    CHECK_INT(status_of(b, alter), 500);
    CHECK(strstr(body_of(b, alter), "too low") != NULL);
    CHECK_TEXT(body_of(b, ask(b, herder_offsets, "c", NULL)), "{\"offsets\":[]}");
}

TEST(offsets_that_are_asked_for_while_a_connector_resumes_stay_as_they_are)
{
    bench *b = begin();
    uint64_t request = ask(b, herder_create, NULL,
                           "{\"name\":\"c\",\"initial_state\":\"STOPPED\",\"config\":{"
                           "\"connector.class\":\"FileStreamSource\"}}");
    says_valid(b, request);
    uint64_t alter =
        ask(b, herder_alter_offsets, "c",
            "{\"offsets\":[{\"partition\":{\"f\":1},\"offset\":{\"p\":2}}]}");
    ask(b, herder_resume, "c", NULL);
    says_of_offsets(b, alter, "{\"alter_offsets\":{\"external\":true},\"id\":%d}");
    CHECK_INT(status_of(b, alter), 400);
    CHECK(strstr(body_of(b, alter), "STOPPED state") != NULL);
}

TEST(offsets_of_a_running_connector_cannot_be_altered)
{
    bench *b = begin_running();
    uint64_t request = ask(b, herder_alter_offsets, "c",
                           "{\"offsets\":[{\"partition\":{\"f\":1},\"offset\":null}]}");
    CHECK_INT(status_of(b, request), 400);
    CHECK_INT(status_of(b, ask(b, herder_alter_offsets, "c", "{}")), 400);
    CHECK_INT(status_of(b, ask(b, herder_reset_offsets, "nope", NULL)), 404);
}

/* A sink 'c' that was created stopped. */
static bench *begin_stopped_sink(void)
{
    bench *b = begin();
    uint64_t request = ask(b, herder_create, NULL,
                           "{\"name\":\"c\",\"initial_state\":\"STOPPED\",\"config\":{"
                           "\"connector.class\":\"FileStreamSink\"}}");
    says_valid(b, request);
    return b;
}

TEST(offsets_of_a_sink_are_those_of_its_group)
{
    bench *b = begin_stopped_sink();
    uint64_t request = ask(b, herder_offsets, "c", NULL);
    CHECK_INT(status_of(b, request), 0);
    CHECK(strstr(sent(b, b->inspector, "group_offsets"), "\"group\":\"connect-c\"") !=
          NULL);
    char *line = memory_print("{\"group_offsets\":[[{\"kafka_topic\":\"t\"},"
                              "{\"kafka_offset\":3}]],\"id\":%d}",
                              (int)request);
    host_says(b, b->inspector, line);
    free(line);
    CHECK_TEXT(body_of(b, request),
               "{\"offsets\":[{\"partition\":{\"kafka_topic\":\"t\"},"
               "\"offset\":{\"kafka_offset\":3}}]}");
}

TEST(offsets_of_a_sink_are_checked_before_they_are_altered)
{
    bench *b = begin_stopped_sink();
    static const char *const wrong[] = {
        "{}",
        "{\"partition\":{}}",
        "{\"partition\":{\"kafka_topic\":null,\"kafka_partition\":1}}",
        "{\"partition\":{\"kafka_topic\":\"t\",\"kafka_partition\":null}}",
        "{\"partition\":{\"kafka_topic\":\"t\",\"kafka_partition\":\"x\"}}",
        "{\"partition\":{\"kafka_topic\":\"t\",\"kafka_partition\":1},\"offset\":{}}",
        "{\"partition\":{\"kafka_topic\":\"t\",\"kafka_partition\":1},\"offset\":"
        "{\"kafka_offset\":-1}}",
        NULL};
    for (int i = 0; wrong[i] != NULL; i++) {
        char *body = memory_print("{\"offsets\":[%s]}", wrong[i]);
        CHECK_INT(status_of(b, ask(b, herder_alter_offsets, "c", body)), 400);
        free(body);
    }
}

TEST(a_group_with_members_is_told_as_such)
{
    bench *b = begin_stopped_sink();
    uint64_t request = ask(b, herder_reset_offsets, "c", NULL);
    char *line = memory_print("{\"group_offsets\":null,\"id\":%d,\"error\":\"no\","
                              "\"code\":\"NON_EMPTY_GROUP\"}",
                              (int)request);
    host_says(b, b->inspector, line);
    free(line);
    CHECK_INT(status_of(b, request), 500);
    CHECK(strstr(body_of(b, request), "zombie sink task") != NULL);
}

TEST(what_is_behind_a_reference_is_not_shown)
{
    bench *b = begin();
    uint64_t request = ask(b, herder_create, NULL,
                           "{\"name\":\"c\",\"config\":{\"connector.class\":"
                           "\"FileStreamSource\",\"file\":\"${env:SECRET}\"}}");
    says_valid(b, request);
    host_says(b, b->host, "{\"connector\":{\"state\":\"RUNNING\"}}");
    host_says(b, b->host, "{\"tasks\":[{\"file\":\"hidden\",\"x\":\"y\"}]}");
    CHECK(strstr(body_of(b, ask(b, herder_tasks, "c", NULL)),
                 "\"config\":{\"file\":\"${env:SECRET}\",\"x\":\"y\"}") != NULL);
}

TEST(restart_keys_are_checked_and_shown)
{
    bench *b = begin();
    uint64_t request = ask(b, herder_create, NULL,
                           "{\"name\":\"c\",\"config\":{\"connector.class\":"
                           "\"FileStreamSource\",\"restart.policy\":\"sometimes\","
                           "\"restart.backoff.max.ms\":\"0\","
                           "\"restart.max.attempts\":\"3\"}}");
    says_valid(b, request);
    CHECK_INT(status_of(b, request), 400);
    const char *body = body_of(b, request);
    CHECK(strstr(body,
                 "contains the following 2 error(s):\\nInvalid value sometimes for "
                 "configuration restart.policy: String must be one of: never, "
                 "on-crash, on-failure\\nInvalid value 0 for configuration "
                 "restart.backoff.max.ms: Value must be at least 1\\n") != NULL);
}

TEST(a_patch_adds_and_removes_keys)
{
    bench *b = begin_running();
    uint64_t request =
        ask(b, herder_patch_config, "c", "{\"file\":null,\"topic\":\"t\"}");
    says_valid(b, request);
    exits(b, b->host);
    says_running(b);
    CHECK_INT(status_of(b, request), 200);
    CHECK_TEXT(
        body_of(b, ask(b, herder_get_config, "c", NULL)),
        "{\"connector.class\":\"FileStreamSource\",\"name\":\"c\",\"topic\":\"t\"}");
    CHECK_INT(status_of(b, ask(b, herder_patch_config, "no", "{}")), 404);
}

TEST(a_death_of_the_inspector_answers_the_check_in_hand_and_goes_on_with_the_next)
{
    bench *b = begin();
    uint64_t first = ask(b, herder_create, NULL, file_source);
    uint64_t second = ask(b, herder_create, NULL, file_source);
    uint64_t before = b->inspector;
    dies(b, b->inspector, SIGABRT, "in check");
    CHECK_INT(status_of(b, first), 500);
    CHECK(strstr(body_of(b, first), "killed by signal 6 (Aborted) in check") != NULL);
    CHECK(b->inspector != before);
    says_valid(b, second);
    says_running(b);
    CHECK_INT(status_of(b, second), 201);
}

TEST(a_check_that_takes_too_long_is_answered_and_its_inspector_killed)
{
    bench *b = begin();
    uint64_t request = ask(b, herder_create, NULL, file_source);
    wait_ms(b, 90000);
    CHECK_INT(status_of(b, request), 500);
    CHECK(strstr(body_of(b, request), "Request timed out. The worker is currently "
                                      "performing multi-property validation") != NULL);
    CHECK(did(b, herder_kill, b->inspector));
}

TEST(topics_are_tracked_and_reset)
{
    bench *b = begin_running();
    host_says(b, b->host, "{\"topic\":\"t\"}");
    CHECK_TEXT(body_of(b, ask(b, herder_topics, "c", NULL)),
               "{\"c\":{\"topics\":[\"t\"]}}");
    ask(b, herder_reset_topics, "c", NULL);
    CHECK_TEXT(body_of(b, ask(b, herder_topics, "c", NULL)), "{\"c\":{\"topics\":[]}}");
}

TEST(a_level_reaches_the_worker_and_its_hosts)
{
    bench *b = begin_running();
    uint64_t request =
        ask(b, herder_set_logger, "connectors.file", "{\"level\":\"debug\"}");
    CHECK_TEXT(body_of(b, request), "[\"connectors.file\"]");
    CHECK_TEXT(sent(b, b->host, "logger"),
               "{\"logger\":{\"name\":\"connectors.file\",\"level\":\"DEBUG\"}}");
    request = ask(b, herder_set_logger, "connectors.file", "{\"level\":\"DEBUG\"}");
    CHECK_TEXT(body_of(b, request), "[]");
    CHECK_INT(status_of(b, ask(b, herder_set_logger, "x", "{\"level\":\"loud\"}")),
              404);
    CHECK_INT(status_of(b, ask(b, herder_set_logger, "x", "{}")), 400);
}

TEST(the_expanded_list_has_status_and_info)
{
    bench *b = begin_running();
    uint64_t request =
        ask_with(b,
                 (herder_request){
                     .operation = herder_list, .expand = true, .expand_status = true},
                 NULL);
    CHECK(strstr(body_of(b, request), "{\"c\":{\"status\":{\"name\":\"c\"") != NULL);
    request =
        ask_with(b, (herder_request){.operation = herder_list, .expand = true}, NULL);
    CHECK_TEXT(body_of(b, request), "{\"c\":{}}");
}

TEST(keys_of_a_connector_are_its_own_and_then_the_common_ones)
{
    bench *b = begin();
    uint64_t request = ask(b, herder_plugin_config, "FileStreamSource", NULL);
    char *line = memory_print(
        "{\"validated\":{\"configs\":[{\"definition\":{\"name\":\"name\"}},"
        "{\"definition\":{\"name\":\"file\",\"twice\":1}}]},\"id\":%d}",
        (int)request);
    host_says(b, b->inspector, line);
    free(line);
    CHECK_TEXT(body_of(b, request), "[{\"name\":\"file\"},{\"name\":\"name\"}]");
    CHECK_INT(status_of(b, ask(b, herder_plugin_config, "Nope", NULL)), 404);
}

TEST(the_bench_is_taken_down)
{
    bench *b = begin();
    herder_free(b->herder);
    herder_actions_done(&b->actions);
    *b = (bench){0};
    body_of(b, 0);
    CHECK(b->herder == NULL);
}

TEST_MAIN
