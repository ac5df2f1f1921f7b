/* Stories of a worker, told as events and actions: hosts that start, stop and die. */
#include "bench.h"

TEST(a_created_connector_is_answered_when_its_tasks_are_known)
{
    bench *b = begin();
    uint64_t request = ask(b, herder_create, NULL, file_source);
    CHECK(strstr(sent(b, b->inspector, "validate"), "\"file\":\"f\"") != NULL);
    says_valid(b, request);
    CHECK(strstr(sent(b, b->host, "start"), "\"offsets\":[]") != NULL);
    host_says(b, b->host,
              "{\"connector\":{\"state\":\"RUNNING\",\"type\":\"source\"}}");
    CHECK_INT(status_of(b, request), 0);
    host_says(b, b->host, "{\"tasks\":[{\"file\":\"f\"}]}");
    CHECK_INT(status_of(b, request), 201);
    CHECK_TEXT(
        body_of(b, request),
        "{\"name\":\"c\",\"config\":{\"connector.class\":\"FileStreamSource\","
        "\"file\":\"f\",\"name\":\"c\"},\"tasks\":[{\"connector\":\"c\",\"task\":0}],"
        "\"type\":\"source\"}");
}

TEST(a_check_that_takes_long_gives_way_when_another_waits)
{
    bench *b = begin();
    uint64_t first = ask(b, herder_create, NULL, file_source), before = b->inspector;
    wait_ms(b, 60000);
    CHECK(!did(b, herder_kill, before)); /* Nobody else wants to be checked. */
    uint64_t second =
        ask(b, herder_put_config, "d", "{\"connector.class\":\"FileStreamSource\"}");
    wait_ms(b, 1);
    CHECK(did(b, herder_kill, before));
    dies(b, before, SIGKILL, "in check");
    CHECK_INT(status_of(b, first), 500);
    CHECK(strstr(body_of(b, first), "took too long and was killed in check") != NULL);
    CHECK(b->inspector != before);
    says_valid(b, second);
    says_running(b);
    CHECK_INT(status_of(b, second), 201);
}

TEST(a_second_connector_of_the_same_name_is_refused)
{
    bench *b = begin_running();
    uint64_t request = ask(b, herder_create, NULL, file_source);
    says_valid(b, request);
    CHECK_INT(status_of(b, request), 409);
    CHECK(strstr(body_of(b, request), "Connector c already exists") != NULL);
}

TEST(a_connector_that_fails_in_its_start_is_answered_with_500_and_stays)
{
    bench *b = begin();
    uint64_t request = ask(b, herder_create, NULL, file_source);
    says_valid(b, request);
    host_says(b, b->host,
              "{\"connector\":{\"state\":\"FAILED\",\"trace\":\"no such file\"}}");
    CHECK_INT(status_of(b, request), 500);
    CHECK(strstr(body_of(b, request), "no such file") != NULL);
    CHECK(strstr(status_body(b), "\"state\":\"FAILED\"") != NULL);
}

TEST(a_host_that_is_killed_fails_its_connector_with_the_signal_and_is_restarted)
{
    bench *b = begin_running();
    uint64_t before = b->host;
    dies(b, b->host, SIGSEGV, "in poll of task 0");
    const char *status = status_body(b);
    CHECK(strstr(status,
                 "connector host of 'c' was killed by signal 11 (Segmentation "
                 "fault) in poll of task 0; last log lines:\\nlast words") != NULL);
    CHECK(strstr(status,
                 "last words\\nIt will be restarted 1000 ms after that (attempt 1 "
                 "of 3)\"") != NULL);
    CHECK(strstr(status, "\"id\":0,\"state\":\"FAILED\"") != NULL);
    CHECK_INT(herder_deadline(b->herder), b->now + 1000);
    wait_ms(b, 999);
    CHECK_INT(b->host, before);
    wait_ms(b, 1);
    CHECK(b->host != before);
    says_running(b);
    host_says(b, b->host, "{\"task\":0,\"state\":\"RUNNING\"}");
    CHECK(strstr(status_body(b), "FAILED") == NULL);
}

TEST(restarts_back_off_and_end_when_the_budget_is_used_up)
{
    bench *b = begin_running();
    int64_t waits[] = {1000, 2000, 4000};
    for (int i = 0; i < 3; i++) {
        dies(b, b->host, SIGKILL, NULL);
        CHECK_INT(herder_deadline(b->herder), b->now + waits[i]);
        wait_ms(b, waits[i]);
    }
    dies(b, b->host, SIGKILL, NULL);
    CHECK_INT(herder_deadline(b->herder), INT64_MAX);
    CHECK(strstr(status_body(b), "It was restarted 3 times in a row and stays so") !=
          NULL);
    uint64_t before = b->host;
    ask(b, herder_restart_connector, "c", NULL);
    CHECK(b->host != before);
}

TEST(a_long_life_gives_the_budget_back)
{
    bench *b = begin_running();
    dies(b, b->host, SIGKILL, NULL);
    wait_ms(b, 1000);
    b->now += 600000;
    dies(b, b->host, SIGKILL, NULL);
    CHECK_INT(herder_deadline(b->herder), b->now + 1000);
}

TEST(a_failed_task_stays_failed_unless_the_policy_says_otherwise)
{
    bench *b = begin_running();
    host_says(b, b->host, "{\"task\":0,\"state\":\"FAILED\",\"trace\":\"bad\"}");
    wait_ms(b, 60000);
    CHECK_TEXT(sent(b, b->host, "restart_task"), "");
    uint64_t put = ask(b, herder_put_config, "c",
                       "{\"connector.class\":\"FileStreamSource\","
                       "\"restart.policy\":\"on-failure\"}");
    says_valid(b, put);
    exits(b, b->host);
    says_running(b);
    host_says(b, b->host, "{\"task\":0,\"state\":\"FAILED\",\"trace\":\"bad\"}");
    wait_ms(b, 1000);
    CHECK_TEXT(sent(b, b->host, "restart_task"), "{\"restart_task\":0}");
}

TEST(a_host_is_not_started_again_while_offsets_of_the_old_one_are_on_their_way)
{
    bench *b = begin_running();
    uint64_t before = b->host;
    b->auto_store = false;
    host_says(b, b->host,
              "{\"offsets\":[[{\"file\":\"f\"},{\"position\":7}]],\"seq\":3}");
    uint64_t store = b->actions.items[0].id;
    dies(b, b->host, SIGKILL, NULL);
    wait_ms(b, 1000);
    CHECK_INT(b->host, before);
    step(b, (herder_event){.type = herder_event_stored, .store = store});
    CHECK(b->host != before);
    CHECK(strstr(sent(b, b->host, "start"), "[[{\"file\":\"f\"},{\"position\":7}]]") !=
          NULL);
}

TEST(a_deleted_connector_is_gone_at_once_and_answered_when_its_host_is)
{
    bench *b = begin_running();
    uint64_t request = ask(b, herder_delete, "c", NULL);
    CHECK_TEXT(sent(b, b->host, "stop"), "{\"stop\":true}");
    CHECK_INT(status_of(b, request), 0);
    CHECK_INT(status_of(b, ask(b, herder_status, "c", NULL)), 404);
    herder_event event = {.type = herder_event_exited, .host = b->host};
    step(b, event);
    CHECK_INT(status_of(b, request), 204);
}

TEST(a_deletion_waits_for_what_a_host_says_and_not_for_its_process)
{
    bench *b = begin_running();
    uint64_t before = b->host;
    uint64_t deletion = ask(b, herder_delete, "c", NULL);
    step(b, (herder_event){.type = herder_event_closed, .host = before});
    CHECK_INT(status_of(b, deletion), 204);
    uint64_t creation = ask(b, herder_create, NULL, file_source);
    says_valid(b, creation);
    CHECK_INT(b->host, before); /* A name has one host at a time. */
    uint64_t again = ask(b, herder_delete, "c", NULL);
    CHECK_INT(status_of(b, again), 0);
    step(b, (herder_event){.type = herder_event_exited, .host = before});
    CHECK_INT(status_of(b, again), 204);
    CHECK_INT(b->host, before);
}

TEST(a_stop_waits_for_the_process_and_a_channel_that_broke_ends_no_deletion)
{
    bench *b = begin_running();
    uint64_t stop = ask(b, herder_stop, "c", NULL);
    step(b, (herder_event){.type = herder_event_closed, .host = b->host});
    CHECK_INT(status_of(b, stop), 0);
    dies(b, b->host, 0, NULL);
    CHECK_INT(status_of(b, stop), 204);
    b = begin_running();
    uint64_t deletion = ask(b, herder_delete, "c", NULL);
    step(b, (herder_event){
                .type = herder_event_closed, .host = b->host, .log = "a bad line"});
    CHECK_INT(status_of(b, deletion), 0);
    dies(b, b->host, SIGKILL, NULL);
    CHECK_INT(status_of(b, deletion), 204);
}

TEST(a_connector_created_while_its_namesake_leaves_starts_after_it)
{
    bench *b = begin_running();
    uint64_t before = b->host;
    uint64_t deletion = ask(b, herder_delete, "c", NULL);
    uint64_t creation = ask(b, herder_create, NULL, file_source);
    says_valid(b, creation);
    CHECK_INT(b->host, before);
    step(b, (herder_event){.type = herder_event_exited, .host = before});
    CHECK_INT(status_of(b, deletion), 204);
    CHECK(b->host != before);
    says_running(b);
    CHECK(strstr(status_body(b), "UNASSIGNED") != NULL); /* its task */
}

TEST(a_host_that_does_not_stop_is_killed_after_its_grace_time)
{
    bench *b = begin_running();
    uint64_t request = ask(b, herder_stop, "c", NULL);
    wait_ms(b, 5999);
    CHECK(!did(b, herder_kill, b->host));
    wait_ms(b, 1);
    CHECK(did(b, herder_kill, b->host));
    dies(b, b->host, SIGKILL, NULL);
    CHECK_INT(status_of(b, request), 204);
    CHECK_TEXT(
        status_body(b),
        "{\"name\":\"c\",\"connector\":{\"state\":\"STOPPED\",\"worker_id\":"
        "\"127.0.0.1:8083\",\"version\":\"1\"},\"tasks\":[],\"type\":\"source\"}");
}

TEST(a_host_is_asked_seldom_while_nobody_looks)
{
    bench *b = begin_running();
    CHECK_INT(herder_deadline(b->herder), 5000); /* A third of what silence may last. */
    wait_ms(b, 4000);
    CHECK_TEXT(sent(b, b->host, "ping"), "{\"ping\":5000}");
    host_says(b, b->host, "{\"pong\":5000,\"tasks\":[]}");
    CHECK_INT(herder_deadline(b->herder), 10000);
    status_body(b);
    CHECK_INT(herder_deadline(b->herder), 6000);
}

TEST(a_host_that_closes_its_channel_and_goes_on_is_killed)
{
    bench *b = begin_running();
    step(b, (herder_event){.type = herder_event_closed, .host = b->host});
    CHECK(!did(b, herder_kill, b->host));
    wait_ms(b, 2000);
    CHECK(did(b, herder_kill, b->host));
    dies(b, b->host, SIGKILL, "in poll of task 0");
    CHECK(strstr(status_body(b), "closed its control channel and was killed in poll") !=
          NULL);
}

TEST(a_call_that_does_not_return_has_its_host_killed)
{
    bench *b = begin();
    says_valid(b, ask(b, herder_create, NULL,
                      "{\"name\":\"c\",\"config\":{\"connector.class\":"
                      "\"FileStreamSource\",\"host.call.timeout.ms\":\"900\"}}"));
    says_running(b);
    CHECK_INT(herder_deadline(b->herder), 1200); /* A third of it. */
    host_says(b, b->host,
              "{\"pong\":1,\"tasks\":[{\"id\":0,\"stuck\":900,\"call\":\"put\"}]}");
    CHECK(!did(b, herder_kill, b->host));
    host_says(b, b->host,
              "{\"pong\":1,\"tasks\":[{\"id\":0,\"stuck\":901,\"call\":\"put\"}]}");
    CHECK(did(b, herder_kill, b->host));
    dies(b, b->host, SIGKILL, "in put of task 0");
    CHECK(strstr(status_body(b),
                 "was killed because put of task 0 did not return within 900 ms "
                 "(host.call.timeout.ms) in put of task 0; last log lines") != NULL);
}

TEST(a_connectors_own_limits_go_to_its_host_and_into_its_obituary)
{
    bench *b = begin();
    uint64_t request =
        ask(b, herder_create, NULL,
            "{\"name\":\"c\",\"config\":{\"connector.class\":\"FileStreamSource\","
            "\"host.memory.max.bytes\":\"100\",\"host.open.files.max\":\"20\","
            "\"host.nice\":\"5\",\"host.cpu.max.percent\":\"50\"}}");
    says_valid(b, request);
    herder_limits limits = b->actions.items[0].limits;
    for (size_t i = 0; i < b->actions.count; i++) {
        limits = b->actions.items[i].type == herder_fork ? b->actions.items[i].limits
                                                         : limits;
    }
    CHECK_INT(limits.memory_bytes, 100);
    CHECK_INT(limits.files, 20);
    CHECK_INT(limits.nice, 5);
    CHECK_INT(limits.cpu_percent, 50);
    says_running(b);
    step(b, (herder_event){.type = herder_event_exited,
                           .host = b->host,
                           .exit_code = -1,
                           .exit_signal = SIGSEGV,
                           .data_bytes = 96});
    CHECK(strstr(status_body(b), "(Segmentation fault) with 96 of 100 bytes of "
                                 "host.memory.max.bytes allocated") != NULL);
}

/* Too many tasks, and a trace that no table could show. */
TEST(what_a_host_says_has_bounds)
{
    bench *b = begin_running();
    char *text = memory_zero(200000), *at = text;
    at = stpcpy(at, "{\"task\":0,\"state\":\"FAILED\",\"trace\":\"");
    memset(at, 'x', 100000);
    stpcpy(at + 100000, "\"}");
    host_says(b, b->host, text);
    CHECK(strstr(status_body(b), "xxx ... (100000 bytes)") != NULL);
    CHECK(strlen(status_body(b)) < 70000);
    at = stpcpy(text, "{\"tasks\":[{}");
    for (int i = 0; i < 10000; i++) {
        at = stpcpy(at, ",{}");
    }
    stpcpy(at, "]}");
    host_says(b, b->host, text);
    free(text);
    CHECK(did(b, herder_kill, b->host));
    dies(b, b->host, SIGKILL, "");
    CHECK(strstr(status_body(b),
                 "was killed: it has 10001 tasks: 10000 are possible") != NULL);
}

/* The page that says what it does may hold anything, and so may its last lines. */
TEST(what_is_no_text_is_told_as_far_as_it_is_one)
{
    bench *b = begin_running();
    step(b, (herder_event){.type = herder_event_exited,
                           .host = b->host,
                           .exit_code = 3,
                           .log = "K\xF6ln\nB\xC3\xBCro"});
    CHECK(strstr(status_body(b), "exited with code 3; last log lines:"
                                 "\\nK?ln\\nB\xC3\xBCro") != NULL);
}

TEST(a_host_that_does_not_answer_is_killed_and_says_so)
{
    bench *b = begin_running();
    status_body(b); /* Somebody looks, so it is asked each second. */
    for (int i = 0; i < 16; i++) {
        wait_ms(b, 1000);
        CHECK(strlen(sent(b, b->host, "ping")) > 0);
    }
    wait_ms(b, 1000);
    CHECK(did(b, herder_kill, b->host));
    dies(b, b->host, SIGKILL, "in put of task 0");
    CHECK(strstr(status_body(b), "did not answer for 16000 ms and was killed in put") !=
          NULL);
}

TEST(a_worker_that_was_held_up_asks_again_before_it_kills)
{
    bench *b = begin_running();
    status_body(b);
    wait_ms(b, 1000);
    CHECK(strlen(sent(b, b->host, "ping")) > 0);
    wait_ms(b, 60000); /* The answer has not been read. */
    CHECK(!did(b, herder_kill, b->host));
    CHECK(strlen(sent(b, b->host, "ping")) > 0);
    for (int i = 0; i < 4; i++) {
        wait_ms(b, 5000);
    }
    CHECK(did(b, herder_kill, b->host));
}

TEST(a_host_that_answers_lives)
{
    bench *b = begin_running();
    for (int i = 0; i < 60; i++) {
        wait_ms(b, 1000);
        host_says(
            b, b->host,
            "{\"pong\":1,\"tasks\":[{\"id\":0,\"records\":5,\"retry\":\"no db\"}]}");
    }
    CHECK(strstr(status_body(b), "\"trace\":\"retrying: no db\"") != NULL);
    uint64_t request = ask(b, herder_metrics, NULL, NULL);
    CHECK(strstr(metrics_of(b, request),
                 "sluice_task_records_total{connector=\"c\",task=\"0\"} 5\n") != NULL);
}

TEST(what_a_task_does_is_its_trace_while_it_runs_and_its_gauges_are_metrics)
{
    bench *b = begin_running();
    host_says(b, b->host,
              "{\"pong\":1,\"tasks\":[{\"id\":0,\"doing\":\"snapshot of t\","
              "\"gauges\":{\"lag.bytes\":7,\"x_Rows{context=\\\"a\\\"}\":1,"
              "\"x_Rows{context=\\\"b\\\"}\":2,\"x{\":3}}]}");
    CHECK(strstr(status_body(b), "\"trace\":\"snapshot of t\"") != NULL);
    const char *text = metrics_of(b, ask(b, herder_metrics, NULL, NULL));
    CHECK(strstr(text, "sluice_task_gauge{connector=\"c\",task=\"0\","
                       "name=\"lag.bytes\"} 7\n") != NULL);
    CHECK(strstr(text, "name=\"x{\"} 3\n") != NULL);
    CHECK(strstr(text, "# TYPE x_Rows gauge\n"
                       "x_Rows{connector=\"c\",task=\"0\",context=\"a\"} 1\n"
                       "x_Rows{connector=\"c\",task=\"0\",context=\"b\"} 2\n") != NULL);
    host_says(b, b->host, "{\"task\":0,\"state\":\"PAUSED\"}");
    CHECK(strstr(status_body(b), "snapshot of t") == NULL);
    host_says(b, b->host, "{\"pong\":2,\"tasks\":[{\"id\":0,\"doing\":null}]}");
}

TEST(a_plugin_cannot_break_the_metrics_by_names_of_its_own)
{
    static const char *const refused[] = {"kafka_connect_worker_task_count{a=\"1\"}",
                                          "sluice_task_gauge{a=\"1\"}",
                                          "x{connector=\"c\"}",
                                          "x{a=\"1\",a=\"2\"}",
                                          "x{a=\"1\"",
                                          "x{a=\"1\n\"}",
                                          "x{a=\"\\q\"}",
                                          "x{a=\"1\"} 5",
                                          "x{=\"1\"}",
                                          "1x{a=\"1\"}",
                                          "x{a=\"1\",}",
                                          "x{a=1}",
                                          "x{}",
                                          "\"",
                                          "x{a=\"1\"}y{b=\"2\"}"};
    enum { count = sizeof refused / sizeof refused[0] };
    bench *b = begin_running();
    json_t *gauges = json_object();
    for (size_t i = 0; i < count; i++) {
        json_object_set_new(gauges, refused[i], json_integer((json_int_t)i));
    }
    json_object_set_new(gauges, "x{b=\"2\",a=\"}\\\"\"}", json_integer(77));
    json_object_set_new(gauges, "x{a=\"}\\\"\",b=\"2\"}", json_integer(78));
    json_object_set_new(gauges, "text", json_string("no number"));
    json_t *pong = json_pack("{s:i, s:[{s:i, s:o}]}", "pong", 1, "tasks", "id", 0,
                             "gauges", gauges);
    char *line = json_dumps(pong, 0);
    host_says(b, b->host, line);
    const char *text = metrics_of(b, ask(b, herder_metrics, NULL, NULL));
    size_t found = 0;
    for (const char *at = text; (at = strstr(at, "\nsluice_task_gauge{")) != NULL;
         at++) {
        found++;
    }
    CHECK_INT(found, count + 1);
    const char *row = strstr(text, "\nx{");
    CHECK(row != NULL && strstr(row + 1, "\nx{") == NULL);
    CHECK(strncmp(row, "\nx{connector=\"c\",task=\"0\",a=\"}\\\"\",b=\"2\"} 78\n",
                  strlen("\nx{connector=\"c\",task=\"0\",a=\"}\\\"\",b=\"2\"} 78\n")) ==
          0);
    json_decref(pong);
    free(line);
}

TEST(nothing_ticks_when_nothing_runs)
{
    bench *b = begin();
    CHECK_INT(herder_deadline(b->herder), INT64_MAX);
    b = begin_running();
    status_body(b); /* Somebody looks. */
    CHECK_INT(herder_deadline(b->herder), b->now + 1000);
    ask(b, herder_stop, "c", NULL);
    exits(b, b->host);
    CHECK_INT(herder_deadline(b->herder), INT64_MAX);
}

TEST(pause_and_resume_reach_the_host)
{
    bench *b = begin_running();
    CHECK_INT(status_of(b, ask(b, herder_pause, "c", NULL)), 202);
    CHECK_TEXT(sent(b, b->host, "pause"), "{\"pause\":true}");
    host_says(b, b->host, "{\"connector\":{\"state\":\"PAUSED\"}}");
    CHECK(strstr(status_body(b), "\"state\":\"PAUSED\"") != NULL);
    ask(b, herder_resume, "c", NULL);
    CHECK_TEXT(sent(b, b->host, "resume"), "{\"resume\":true}");
}

TEST(a_paused_connector_takes_a_new_configuration_when_it_is_resumed)
{
    bench *b = begin_running();
    uint64_t before = b->host;
    ask(b, herder_pause, "c", NULL);
    host_says(b, b->host, "{\"connector\":{\"state\":\"PAUSED\"}}");
    uint64_t put = ask(b, herder_put_config, "c",
                       "{\"connector.class\":\"FileStreamSource\",\"file\":\"g\"}");
    says_valid(b, put);
    CHECK_INT(status_of(b, put), 200);
    CHECK_TEXT(sent(b, before, "stop"), "");
    CHECK(strstr(status_body(b), "\"state\":\"PAUSED\"") != NULL);
    ask(b, herder_resume, "c", NULL);
    CHECK_TEXT(sent(b, before, "stop"), "{\"stop\":true}");
    exits(b, before);
    CHECK(b->host != before);
    CHECK(strstr(sent(b, b->host, "start"), "\"file\":\"g\"") != NULL);
    says_running(b);
    ask(b, herder_pause, "c", NULL);
    ask(b, herder_resume, "c", NULL);
    CHECK_TEXT(sent(b, b->host, "resume"), "{\"resume\":true}");
}

TEST(a_stopped_connector_has_no_tasks_and_resumes_with_a_new_host)
{
    bench *b = begin_running();
    uint64_t before = b->host;
    ask(b, herder_stop, "c", NULL);
    exits(b, b->host);
    CHECK(strstr(status_body(b), "\"tasks\":[]") != NULL);
    ask(b, herder_resume, "c", NULL);
    CHECK(b->host != before);
}

TEST(a_restart_with_tasks_shows_its_plan_and_starts_a_new_host)
{
    bench *b = begin_running();
    uint64_t before = b->host;
    host_says(b, b->host, "{\"task\":0,\"state\":\"FAILED\",\"trace\":\"why\"}");
    uint64_t request = ask_with(b,
                                (herder_request){.operation = herder_restart_connector,
                                                 .name = "c",
                                                 .include_tasks = true},
                                NULL);
    CHECK_INT(status_of(b, request), 202);
    CHECK(strstr(body_of(b, request), "\"id\":0,\"state\":\"RESTARTING\"") != NULL);
    CHECK(strstr(body_of(b, request), "\"trace\":\"why\"") != NULL);
    exits(b, before);
    CHECK(b->host != before);
    CHECK(strstr(status_body(b), "RESTARTING") != NULL);
    says_running(b);
    host_says(b, b->host, "{\"task\":0,\"state\":\"RUNNING\"}");
    CHECK(strstr(status_body(b), "RESTARTING") == NULL);
}

TEST(only_failed_tasks_are_restarted_when_only_they_are_meant)
{
    bench *b = begin_running();
    host_says(b, b->host, "{\"tasks\":[{},{}]}");
    host_says(b, b->host, "{\"task\":0,\"state\":\"RUNNING\"}");
    host_says(b, b->host, "{\"task\":1,\"state\":\"FAILED\",\"trace\":\"t\"}");
    uint64_t request = ask_with(b,
                                (herder_request){.operation = herder_restart_connector,
                                                 .name = "c",
                                                 .include_tasks = true,
                                                 .only_failed = true},
                                NULL);
    CHECK_INT(status_of(b, request), 202);
    CHECK_TEXT(sent(b, b->host, "restart_task"), "{\"restart_task\":1}");
    CHECK(strstr(body_of(b, request), "\"id\":0,\"state\":\"RUNNING\"") != NULL);
    CHECK(strstr(body_of(b, request), "\"id\":1,\"state\":\"RESTARTING\"") != NULL);
}

TEST(the_same_configuration_again_restarts_nothing)
{
    bench *b = begin_running();
    uint64_t request =
        ask(b, herder_put_config, "c",
            "{\"connector.class\":\"FileStreamSource\",\"file\":\"f\",\"name\":\"c\"}");
    says_valid(b, request);
    CHECK_INT(status_of(b, request), 200);
    CHECK_TEXT(sent(b, b->host, "stop"), "");
}

TEST(a_start_that_takes_too_long_is_answered_with_what_is_awaited)
{
    bench *b = begin();
    uint64_t request = ask(b, herder_create, NULL, file_source);
    says_valid(b, request);
    for (int i = 0; i < 90 && status_of(b, request) == 0; i++) {
        wait_ms(b, 1000);
        if (status_of(b, request) == 0) {
            host_says(b, b->host, "{\"pong\":1,\"tasks\":[]}");
        }
    }
    CHECK_TEXT(
        body_of(b, request),
        "{\"error_code\":500,\"message\":\"Request timed out. The worker is currently "
        "starting the connector, which began at 1970-01-01T00:00:01.000Z.\"}");
}

TEST(a_stopping_worker_answers_what_waits_and_ends_after_its_last_host)
{
    bench *b = begin_running();
    uint64_t request = ask(b, herder_create, NULL, file_source);
    step(b, (herder_event){.type = herder_event_stop});
    CHECK_INT(status_of(b, request), 500);
    CHECK_TEXT(sent(b, b->host, "stop"), "{\"stop\":true}");
    CHECK_INT(status_of(b, ask(b, herder_list, NULL, NULL)), 500);
    exits(b, b->inspector);
    CHECK(!did(b, herder_finished, 0));
    exits(b, b->host);
    CHECK(did(b, herder_finished, 0));
}

TEST(a_restored_connector_is_started_with_its_offsets)
{
    bench *b = begin();
    json_t *offsets =
        json_loads("{\"name\":\"c\",\"offsets\":[[{\"f\":1},{\"p\":2}]]}", 0, 0);
    json_t *stored = json_loads("{\"name\":\"c\",\"config\":{\"connector.class\":"
                                "\"FileStreamSource\"},\"target\":\"STARTED\"}",
                                0, NULL);
    step(b, (herder_event){.type = herder_event_restore, .message = offsets});
    step(b, (herder_event){.type = herder_event_restore, .message = stored});
    CHECK(strstr(sent(b, b->host, "start"), "[[{\"f\":1},{\"p\":2}]]") != NULL);
    json_decref(offsets);
    json_decref(stored);
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
