/* Stories of a worker, told as events and actions: no process, no socket, no clock. */
#include "base/memory.h"
#include "test.h"
#include "worker/herder/herder.h"
#include <signal.h>

/* What the tests speak to: a herder, the time, and what it asked for last. */
typedef struct bench {
    herder *herder;
    herder_actions actions;
    int64_t now;
    uint64_t inspector, host; /* The last that were forked. */
    uint64_t next_request;
    bool auto_store; /* The store answers at once. */
} bench;

static const char *const plugin_list =
    "{\"plugins\":[{\"kind\":\"source\",\"name\":\"file-source\",\"class\":"
    "\"org.apache.kafka.connect.file.FileStreamSourceConnector\",\"aliases\":[],"
    "\"version\":\"1\",\"keys\":[{\"name\":\"file\"}]},"
    "{\"kind\":\"sink\",\"name\":\"file-sink\",\"class\":"
    "\"org.apache.kafka.connect.file.FileStreamSinkConnector\",\"aliases\":[],"
    "\"version\":\"1\",\"keys\":[]}],\"refused\":[]}";

static bench bench_now;

static void step(bench *b, herder_event event);

/* Keeps track of forks, and plays the store. */
static void follow(bench *b)
{
    uint64_t stored[64];
    size_t count = 0;
    for (size_t i = 0; i < b->actions.count; i++) {
        const herder_action *action = &b->actions.items[i];
        if (action->type == herder_fork && strcmp(action->text, "plugins") == 0) {
            b->inspector = action->id;
        } else if (action->type == herder_fork) {
            b->host = action->id;
        }
        if ((action->type == herder_store_config ||
             action->type == herder_store_offsets) &&
            b->auto_store && count < 64) {
            stored[count++] = action->id;
        }
    }
    for (size_t i = 0; i < count; i++) {
        herder_event event = {.type = herder_event_stored, .store = stored[i]};
        herder_step(b->herder, &event, b->now, &b->actions);
    }
}

static void step(bench *b, herder_event event)
{
    herder_actions_clear(&b->actions);
    herder_step(b->herder, &event, b->now, &b->actions);
    follow(b);
}

static void host_says(bench *b, uint64_t host, const char *line)
{
    json_t *message = json_loads(line, 0, NULL);
    CHECK(message != NULL);
    step(b, (herder_event){
                .type = herder_event_message, .host = host, .message = message});
    json_decref(message);
}

static uint64_t ask_with(bench *b, herder_request request, const char *body)
{
    request.id = ++b->next_request;
    request.body = body == NULL ? NULL : json_loads(body, 0, NULL);
    CHECK(body == NULL || request.body != NULL);
    step(b, (herder_event){.type = herder_event_request, .request = &request});
    json_decref(request.body);
    return request.id;
}

static uint64_t ask(bench *b, herder_operation operation, const char *name,
                    const char *body)
{
    return ask_with(b, (herder_request){.operation = operation, .name = name}, body);
}

/* The answer to a request among the last actions, or NULL. */
static const herder_action *answer_to(const bench *b, uint64_t id)
{
    for (size_t i = 0; i < b->actions.count; i++) {
        const herder_action *action = &b->actions.items[i];
        if ((action->type == herder_answer || action->type == herder_answer_text) &&
            action->id == id) {
            return action;
        }
    }
    return NULL;
}

static int status_of(const bench *b, uint64_t id)
{
    const herder_action *action = answer_to(b, id);
    return action == NULL ? 0 : action->number;
}

/* The answer's body as text: valid until the next call. */
static const char *body_of(const bench *b, uint64_t id)
{
    static char *text;
    const herder_action *action = answer_to(b, id);
    free(text);
    text = action == NULL || action->json == NULL
               ? memory_text("")
               : json_dumps(action->json, JSON_COMPACT);
    return text;
}

/* The first line sent to a host that has the key, as text; "" if there is none. */
static const char *sent(const bench *b, uint64_t host, const char *key)
{
    static char *text;
    free(text);
    text = NULL;
    for (size_t i = 0; i < b->actions.count && text == NULL; i++) {
        const herder_action *action = &b->actions.items[i];
        if (action->type == herder_send && action->id == host &&
            json_object_get(action->json, key) != NULL) {
            text = json_dumps(action->json, JSON_COMPACT);
        }
    }
    text = text == NULL ? memory_text("") : text;
    return text;
}

static bool did(const bench *b, herder_action_type type, uint64_t id)
{
    for (size_t i = 0; i < b->actions.count; i++) {
        if (b->actions.items[i].type == type && b->actions.items[i].id == id) {
            return true;
        }
    }
    return false;
}

static void dies(bench *b, uint64_t host, int signal, const char *doing)
{
    step(b, (herder_event){.type = herder_event_exited,
                           .host = host,
                           .exit_code = signal == 0 ? 0 : -1,
                           .exit_signal = signal,
                           .doing = doing,
                           .log = signal == 0 ? NULL : "last words"});
}

static void exits(bench *b, uint64_t host)
{
    dies(b, host, 0, NULL);
}

static bench *begin(void)
{
    bench *b = &bench_now;
    herder_free(b->herder);
    herder_actions_done(&b->actions);
    json_t *worker = json_pack("{s:s}", "bootstrap.servers", "localhost:9092");
    herder_settings settings = {.worker_id = "127.0.0.1:8083",
                                .worker = worker,
                                .restart = {herder_on_crash, 1000, 60000, 3, 600000},
                                .graceful_ms = 5000,
                                .liveness_ms = 15000,
                                .request_ms = 90000,
                                .topic_tracking = true,
                                .topic_tracking_reset = true};
    *b = (bench){.herder = herder_new(&settings),
                 .now = 1000,
                 .next_request = 100,
                 .auto_store = true};
    json_decref(worker);
    step(b, (herder_event){.type = herder_event_start});
    host_says(b, b->inspector, plugin_list);
    return b;
}

static const char *const file_source = "{\"name\":\"c\",\"config\":{\"connector."
                                       "class\":\"FileStreamSource\",\"file\":\"f\"}}";

static void says_valid(bench *b, uint64_t request)
{
    char *line = memory_print("{\"validated\":{\"name\":\"x\",\"error_count\":0,"
                              "\"groups\":[],\"configs\":[]},\"id\":%d}",
                              (int)request);
    host_says(b, b->inspector, line);
    free(line);
}

static void says_running(bench *b)
{
    host_says(b, b->host,
              "{\"connector\":{\"state\":\"RUNNING\",\"type\":\"source\",\"version\":"
              "\"1\"}}");
    host_says(b, b->host, "{\"tasks\":[{\"file\":\"f\"}]}");
}

/* A worker whose connector 'c' has one running task. */
static bench *begin_running(void)
{
    bench *b = begin();
    says_valid(b, ask(b, herder_create, NULL, file_source));
    says_running(b);
    host_says(b, b->host, "{\"task\":0,\"state\":\"RUNNING\"}");
    return b;
}

static void wait_ms(bench *b, int64_t ms)
{
    b->now += ms;
    step(b, (herder_event){.type = herder_event_tick});
}

static const char *status_body(bench *b)
{
    return body_of(b, ask(b, herder_status, "c", NULL));
}

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

TEST(a_second_connector_of_the_same_name_is_refused)
{
    bench *b = begin_running();
    uint64_t request = ask(b, herder_create, NULL, file_source);
    says_valid(b, request);
    CHECK_INT(status_of(b, request), 409);
    CHECK(strstr(body_of(b, request), "Connector c already exists") != NULL);
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

TEST(a_partition_is_the_same_whatever_the_order_of_its_keys)
{
    bench *b = begin_running();
    host_says(b, b->host, "{\"offsets\":[[{\"a\":1,\"b\":2},{\"p\":7}]],\"seq\":1}");
    host_says(b, b->host, "{\"offsets\":[[{\"b\":2,\"a\":1},{\"p\":8}]],\"seq\":2}");
    CHECK_TEXT(
        body_of(b, ask(b, herder_offsets, "c", NULL)),
        "{\"offsets\":[{\"partition\":{\"b\":2,\"a\":1},\"offset\":{\"p\":8}}]}");
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

TEST(a_host_that_does_not_answer_is_killed_and_says_so)
{
    bench *b = begin_running();
    for (int i = 0; i < 15; i++) {
        wait_ms(b, 1000);
        CHECK(strlen(sent(b, b->host, "ping")) > 0);
    }
    wait_ms(b, 1000);
    CHECK(did(b, herder_kill, b->host));
    dies(b, b->host, SIGKILL, "in put of task 0");
    CHECK(strstr(status_body(b), "did not answer for 16000 ms and was killed in put") !=
          NULL);
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
    CHECK(strstr(answer_to(b, request)->text,
                 "sluice_task_records_total{connector=\"c\",task=\"0\"} 5\n") != NULL);
}

TEST(nothing_ticks_when_nothing_runs)
{
    bench *b = begin();
    CHECK_INT(herder_deadline(b->herder), INT64_MAX);
    b = begin_running();
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
    CHECK_INT(status_of(b, alter), 200);
    CHECK(strstr(body_of(b, ask(b, herder_offsets, "c", NULL)), "{\"p\":2}") != NULL);
    CHECK_INT(status_of(b, ask(b, herder_reset_offsets, "c", NULL)), 200);
    CHECK_TEXT(body_of(b, ask(b, herder_offsets, "c", NULL)), "{\"offsets\":[]}");
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

TEST(a_restart_with_tasks_shows_its_plan_and_starts_a_new_host)
{
    bench *b = begin_running();
    uint64_t before = b->host;
    uint64_t request = ask_with(b,
                                (herder_request){.operation = herder_restart_connector,
                                                 .name = "c",
                                                 .include_tasks = true},
                                NULL);
    CHECK_INT(status_of(b, request), 202);
    CHECK(strstr(body_of(b, request), "\"id\":0,\"state\":\"RESTARTING\"") != NULL);
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
