/* bench.h - what tests of the herder speak to: a herder, the time, and what it asked
 * for last. */
#ifndef SLUICE_HERDER_BENCH_H
#define SLUICE_HERDER_BENCH_H

#include "base/memory.h"
#include "test.h"
#include "worker/herder/herder.h"
#include "worker/herder/metrics.h"
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

__attribute__((unused)) static const char *const plugin_list =
    "{\"plugins\":[{\"kind\":\"source\",\"name\":\"file-source\",\"class\":"
    "\"org.apache.kafka.connect.file.FileStreamSourceConnector\",\"aliases\":[],"
    "\"version\":\"1\",\"keys\":[{\"name\":\"file\"}]},"
    "{\"kind\":\"sink\",\"name\":\"file-sink\",\"class\":"
    "\"org.apache.kafka.connect.file.FileStreamSinkConnector\",\"aliases\":[],"
    "\"version\":\"1\",\"keys\":[]}],\"refused\":[]}";

static bench bench_now;

/* Keeps track of forks, and plays the store. */
__attribute__((unused)) static void follow(bench *b)
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

__attribute__((unused)) static void step(bench *b, herder_event event)
{
    herder_actions_clear(&b->actions);
    herder_step(b->herder, &event, b->now, &b->actions);
    follow(b);
}

__attribute__((unused)) static void host_says(bench *b, uint64_t host, const char *line)
{
    json_t *message = json_loads(line, 0, NULL);
    CHECK(message != NULL);
    step(b, (herder_event){
                .type = herder_event_message, .host = host, .message = message});
    json_decref(message);
}

__attribute__((unused)) static uint64_t ask_with(bench *b, herder_request request,
                                                 const char *body)
{
    request.id = ++b->next_request;
    request.body = body == NULL ? NULL : json_loads(body, 0, NULL);
    CHECK(body == NULL || request.body != NULL);
    step(b, (herder_event){.type = herder_event_request, .request = &request});
    json_decref(request.body);
    return request.id;
}

__attribute__((unused)) static uint64_t ask(bench *b, herder_operation operation,
                                            const char *name, const char *body)
{
    return ask_with(b, (herder_request){.operation = operation, .name = name}, body);
}

/* The answer to a request among the last actions, or NULL. */
__attribute__((unused)) static const herder_action *answer_to(const bench *b,
                                                              uint64_t id)
{
    for (size_t i = 0; i < b->actions.count; i++) {
        const herder_action *action = &b->actions.items[i];
        if ((action->type == herder_answer || action->type == herder_answer_metrics) &&
            action->id == id) {
            return action;
        }
    }
    return NULL;
}

__attribute__((unused)) static int status_of(const bench *b, uint64_t id)
{
    const herder_action *action = answer_to(b, id);
    return action == NULL ? 0 : action->number;
}

/* The answer's body as text: valid until the next call. */
__attribute__((unused)) static const char *body_of(const bench *b, uint64_t id)
{
    static char *text;
    const herder_action *action = answer_to(b, id);
    free(text);
    text = action == NULL || action->json == NULL
               ? memory_text("")
               : json_dumps(action->json, JSON_COMPACT);
    return text;
}

/* The metrics that were asked for: valid until the next call. */
__attribute__((unused)) static const char *metrics_of(const bench *b, uint64_t id)
{
    static buffer text = BUFFER_INIT;
    const herder_action *action = answer_to(b, id);
    CHECK(action != NULL && action->snapshot != NULL);
    buffer_clear(&text);
    metrics_put(action->snapshot, &text);
    return buffer_text(&text);
}

/* The first line sent to a host that has the key, as text; "" if there is none. */
__attribute__((unused)) static const char *sent(const bench *b, uint64_t host,
                                                const char *key)
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

__attribute__((unused)) static bool did(const bench *b, herder_action_type type,
                                        uint64_t id)
{
    for (size_t i = 0; i < b->actions.count; i++) {
        if (b->actions.items[i].type == type && b->actions.items[i].id == id) {
            return true;
        }
    }
    return false;
}

__attribute__((unused)) static void dies(bench *b, uint64_t host, int signal,
                                         const char *doing)
{
    step(b, (herder_event){.type = herder_event_exited,
                           .host = host,
                           .exit_code = signal == 0 ? 0 : -1,
                           .exit_signal = signal,
                           .doing = doing,
                           .log = signal == 0 ? NULL : "last words"});
}

__attribute__((unused)) static void exits(bench *b, uint64_t host)
{
    dies(b, host, 0, NULL);
}

__attribute__((unused)) static bench *begin(void)
{
    bench *b = &bench_now;
    herder_free(b->herder);
    herder_actions_done(&b->actions);
    json_t *worker = json_pack("{s:s}", "bootstrap.servers", "localhost:9092");
    herder_settings settings = {.worker_id = "127.0.0.1:8083",
                                .worker = worker,
                                .own = {{herder_on_crash, 1000, 60000, 3, 600000}, {0}},
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

__attribute__((unused)) static const char *const file_source =
    "{\"name\":\"c\",\"config\":{\"connector."
    "class\":\"FileStreamSource\",\"file\":\"f\"}}";

__attribute__((unused)) static void says_valid(bench *b, uint64_t request)
{
    char *line = memory_print("{\"validated\":{\"name\":\"x\",\"error_count\":0,"
                              "\"groups\":[],\"configs\":[]},\"id\":%d}",
                              (int)request);
    host_says(b, b->inspector, line);
    free(line);
}

__attribute__((unused)) static void says_running(bench *b)
{
    host_says(b, b->host,
              "{\"connector\":{\"state\":\"RUNNING\",\"type\":\"source\",\"version\":"
              "\"1\"}}");
    host_says(b, b->host, "{\"tasks\":[{\"file\":\"f\"}]}");
}

/* A worker whose connector 'c' has one running task. */
__attribute__((unused)) static bench *begin_running(void)
{
    bench *b = begin();
    says_valid(b, ask(b, herder_create, NULL, file_source));
    says_running(b);
    host_says(b, b->host, "{\"task\":0,\"state\":\"RUNNING\"}");
    return b;
}

__attribute__((unused)) static void wait_ms(bench *b, int64_t ms)
{
    b->now += ms;
    step(b, (herder_event){.type = herder_event_tick});
}

__attribute__((unused)) static const char *status_body(bench *b)
{
    return body_of(b, ask(b, herder_status, "c", NULL));
}

#endif
