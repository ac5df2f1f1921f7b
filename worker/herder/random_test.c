/* A worker that lives through anything: random requests, reports, deaths, delays and
 * ticks, in an order that nobody chose. Prints its seed; SEED=N as the first argument
 * replays it.
 *
 * What must hold, whatever happens: a name has one host at a time; a dead host is sent
 * nothing; every request gets one answer, and none is left when the worker has stopped;
 * an answer to offsets goes to the host that sent them, after they were stored. Of
 * those who were told to stop some close their channel first and end later, as real
 * ones do. */
#include "base/memory.h"
#include "base/text.h"
#include "test.h"
#include "worker/herder/herder.h"
#include <signal.h>
#include <time.h>

enum { hosts_max = 4096, requests_max = 65536, stores_max = 65536, names = 4 };

typedef struct live_host {
    uint64_t id;
    char title[16];
    bool told_to_stop;
} live_host;

typedef struct world {
    herder *herder;
    herder_actions actions;
    uint64_t state; /* Of the random numbers. */
    int64_t now;
    live_host hosts[hosts_max];
    size_t host_count;
    bool answered[requests_max];
    uint64_t requests;
    uint64_t stores[stores_max]; /* A queue. */
    size_t stores_first, stores_end;
    json_int_t checking; /* What the inspector has in hand; 0: nothing. */
    char check_kind[16];
    bool finished;
} world;

static world w;
static uint64_t seed;

static uint64_t any(uint64_t below)
{
    w.state ^= w.state << 13;
    w.state ^= w.state >> 7;
    w.state ^= w.state << 17;
    return w.state % below;
}

static live_host *find_host(uint64_t id)
{
    for (size_t i = 0; i < w.host_count; i++) {
        if (w.hosts[i].id == id) {
            return &w.hosts[i];
        }
    }
    return NULL;
}

static void take_fork(const herder_action *action)
{
    for (size_t i = 0; i < w.host_count; i++) {
        CHECK(strcmp(w.hosts[i].title, action->text) != 0); /* One at a time. */
    }
    CHECK(w.host_count < hosts_max);
    live_host *host = &w.hosts[w.host_count++];
    *host = (live_host){.id = action->id};
    snprintf(host->title, sizeof host->title, "%s", action->text);
    if (strcmp(host->title, "plugins") == 0) {
        w.checking = 0;
    }
}

static void take_line(const herder_action *action)
{
    live_host *host = find_host(action->id);
    CHECK(host != NULL); /* A dead one is sent nothing. */
    static const char *const kinds[] = {"validate", "group_offsets", "alter_offsets"};
    for (size_t i = 0; i < 3; i++) {
        json_t *question = json_object_get(action->json, kinds[i]);
        if (question != NULL) {
            CHECK_INT(w.checking, 0);
            w.checking = json_integer_value(json_object_get(question, "id"));
            snprintf(w.check_kind, sizeof w.check_kind, "%s", kinds[i]);
        }
    }
    if (json_object_get(action->json, "stop") != NULL) {
        CHECK(!host->told_to_stop);
        host->told_to_stop = true;
    }
}

static void take_answer(const herder_action *action)
{
    CHECK(action->id > 0 && action->id <= w.requests);
    CHECK(!w.answered[action->id]); /* One answer. */
    w.answered[action->id] = true;
    CHECK(action->number >= 200 && action->number < 600);
}

static void follow(void)
{
    for (size_t i = 0; i < w.actions.count; i++) {
        const herder_action *action = &w.actions.items[i];
        switch ((int)action->type) {
        case herder_fork:
            take_fork(action);
            break;
        case herder_send:
            take_line(action);
            break;
        case herder_answer:
        case herder_answer_metrics:
        case herder_answer_logs:
            take_answer(action);
            break;
        case herder_store_offsets:
        case herder_store_config:
            CHECK(w.stores_end < stores_max);
            w.stores[w.stores_end++] = action->id;
            break;
        case herder_finished:
            CHECK(!w.finished && w.host_count == 0);
            w.finished = true;
            break;
        default:
            break;
        }
    }
    CHECK(herder_deadline(w.herder) > w.now - 2000000);
}

static void step(herder_event event)
{
    herder_actions_clear(&w.actions);
    herder_step(w.herder, &event, w.now, &w.actions);
    follow();
}

/* --- What happens. --- */

static const char *const bodies[] = {
    "{\"name\":\"a\",\"config\":{\"connector.class\":\"FileStreamSource\"}}",
    "{\"name\":\"b\",\"config\":{\"connector.class\":\"FileStreamSink\"},"
    "\"initial_state\":\"PAUSED\"}",
    "{\"name\":\"c\",\"config\":{\"connector.class\":\"FileStreamSource\","
    "\"restart.policy\":\"on-failure\"},\"initial_state\":\"STOPPED\"}",
    "{\"name\":\"d\",\"config\":{\"connector.class\":\"Nope\"}}",
};

static json_t *body_for(herder_operation operation)
{
    static const char *const offsets =
        "{\"offsets\":[{\"partition\":{\"kafka_topic\":\"t\",\"kafka_partition\":0},"
        "\"offset\":{\"kafka_offset\":1}}]}";
    static const char *const maps[] = {
        "{\"connector.class\":\"FileStreamSource\",\"file\":\"x\"}",
        "{\"connector.class\":\"FileStreamSource\",\"file\":\"y\"}", "{\"file\":null}",
        "{\"level\":\"DEBUG\"}"};
    if (operation == herder_create) {
        return json_loads(bodies[any(4)], 0, NULL);
    }
    return json_loads(operation == herder_alter_offsets ? offsets : maps[any(4)], 0,
                      NULL);
}

static void ask(void)
{
    static const char *const all[] = {"a", "b", "c", "d"};
    if (w.requests + 1 >= requests_max) {
        return;
    }
    herder_request request = {.id = ++w.requests,
                              .operation = (herder_operation)any(herder_ready + 1),
                              .name = all[any(names)],
                              .task = (int32_t)any(3) - 1,
                              .include_tasks = any(2) == 0,
                              .only_failed = any(2) == 0,
                              .expand = any(2) == 0,
                              .expand_status = any(2) == 0};
    request.body = body_for(request.operation);
    step((herder_event){.type = herder_event_request, .request = &request});
    json_decref(request.body);
}

static const char *const reports[] = {
    "{\"connector\":{\"state\":\"RUNNING\",\"type\":\"source\",\"version\":\"1\"}}",
    "{\"connector\":{\"state\":\"FAILED\",\"trace\":\"no\"}}",
    "{\"connector\":{\"state\":\"PAUSED\"}}",
    "{\"connector\":{\"state\":\"UPSIDE DOWN\"}}",
    "{\"connector\":5}",
    "{\"tasks\":[{\"x\":\"y\"}]}",
    "{\"tasks\":[{},{},{}]}",
    "{\"tasks\":[]}",
    "{\"pong\":1,\"tasks\":[{\"id\":0,\"stuck\":999999999,\"call\":\"put\"}]}",
    "{\"task\":0,\"state\":\"RUNNING\"}",
    "{\"task\":1,\"state\":\"FAILED\",\"trace\":\"bad\"}",
    "{\"task\":-1,\"state\":\"RUNNING\"}",
    "{\"task\":99,\"state\":\"RUNNING\"}",
    "{\"offsets\":[[{\"f\":1},{\"p\":1}]],\"seq\":1}",
    "{\"offsets\":[[1]],\"seq\":1}",
    "{\"offsets\":{},\"seq\":1}",
    "{\"topic\":\"t\"}",
    "{\"topic\":7}",
    "{\"pong\":1,\"tasks\":[{\"id\":0,\"records\":1,\"retry\":\"soon\"},{\"id\":7}]}",
    "{\"pong\":1,\"tasks\":3}",
    "{\"nonsense\":true}",
    "{\"plugins\":[]}",
    "{\"validated\":null,\"id\":1,\"error\":\"late\"}",
};

static void say(uint64_t host, const char *line)
{
    json_t *message = json_loads(line, 0, NULL);
    CHECK(message != NULL);
    step(
        (herder_event){.type = herder_event_message, .host = host, .message = message});
    json_decref(message);
}

static void inspector_says(uint64_t host)
{
    static const char *const list =
        "{\"plugins\":[{\"kind\":\"source\",\"name\":\"file-source\",\"class\":"
        "\"org.FileStreamSourceConnector\",\"aliases\":[],\"version\":\"1\",\"keys\":[]"
        "},"
        "{\"kind\":\"sink\",\"name\":\"file-sink\",\"class\":"
        "\"org.FileStreamSinkConnector\",\"aliases\":[],\"version\":\"1\",\"keys\":[]}]"
        "}";
    if (w.checking == 0 || any(4) == 0) {
        say(host, list);
        return;
    }
    char *line =
        strcmp(w.check_kind, "validate") == 0
            ? memory_print(
                  "{\"validated\":{\"configs\":[{\"value\":{\"errors\":[%s]}}]},"
                  "\"id\":%lld}",
                  any(4) == 0 ? "\"no\"" : "", (long long)w.checking)
        : strcmp(w.check_kind, "alter_offsets") == 0
            ? memory_print("{\"alter_offsets\":{\"external\":true},\"id\":%lld%s}",
                           (long long)w.checking,
                           any(3) == 0 ? ",\"error\":\"no\"" : "")
            : memory_print(
                  "{\"group_offsets\":[[{},{}]],\"id\":%lld%s}", (long long)w.checking,
                  any(3) == 0 ? ",\"error\":\"x\",\"code\":\"NON_EMPTY_GROUP\"" : "");
    w.checking = 0;
    say(host, line);
    free(line);
}

static void report(void)
{
    if (w.host_count == 0) {
        return;
    }
    const live_host *host = &w.hosts[any(w.host_count)];
    if (strcmp(host->title, "plugins") == 0) {
        inspector_says(host->id);
    } else {
        say(host->id, reports[any(sizeof reports / sizeof reports[0])]);
    }
}

static void end_host(size_t index, int code, int signal_number)
{
    live_host gone = w.hosts[index];
    w.hosts[index] = w.hosts[--w.host_count];
    if (strcmp(gone.title, "plugins") == 0) {
        w.checking = 0;
    }
    step((herder_event){.type = herder_event_exited,
                        .host = gone.id,
                        .exit_code = code,
                        .exit_signal = signal_number,
                        .doing = any(2) == 0 ? "in poll of task 0" : NULL,
                        .log = any(2) == 0 ? "last words" : NULL});
}

static void die(void)
{
    if (w.host_count > 0 && any(3) == 0) { /* First its channel, later itself. */
        step((herder_event){.type = herder_event_closed,
                            .host = w.hosts[any(w.host_count)].id});
    } else if (w.host_count > 0) {
        bool by_signal = any(2) == 0;
        end_host(any(w.host_count), by_signal ? -1 : (int)any(4),
                 by_signal ? SIGSEGV : 0);
    }
}

static void obey(void)
{
    for (size_t i = 0; i < w.host_count; i++) {
        if (!w.hosts[i].told_to_stop) {
            continue;
        }
        if (any(2) == 0) {
            step((herder_event){.type = herder_event_closed, .host = w.hosts[i].id});
        } else {
            end_host(i, 0, 0);
        }
        return;
    }
}

static void store_one(void)
{
    if (w.stores_first < w.stores_end) {
        step((herder_event){.type = herder_event_stored,
                            .store = w.stores[w.stores_first++]});
    }
}

static void tick(void)
{
    w.now += (int64_t)any(any(20) == 0 ? 100000 : 2000);
    step((herder_event){.type = herder_event_tick});
}

static void live(int steps)
{
    for (int i = 0; i < steps; i++) {
        switch (any(12)) {
        case 0:
        case 1:
        case 2:
            ask();
            break;
        case 3:
        case 4:
        case 5:
        case 6:
            report();
            break;
        case 7:
            die();
            break;
        case 8:
        case 9:
            obey();
            break;
        case 10:
            store_one();
            break;
        default:
            tick();
            break;
        }
    }
}

static void stop(void)
{
    step((herder_event){.type = herder_event_stop});
    for (int i = 0; i < 100 && !w.finished; i++) {
        store_one();
        ask();
        report();
        obey();
        tick();
        if (i > 50 && w.host_count > 0) {
            die();
        }
        while (i > 50 && w.stores_first < w.stores_end) {
            store_one();
        }
    }
    CHECK(w.finished);
    for (uint64_t i = 1; i <= w.requests; i++) {
        CHECK(w.answered[i]);
    }
}

TEST(whatever_happens_every_request_is_answered_and_no_host_runs_twice)
{
    for (int life = 0; life < 60; life++) {
        json_t *worker = json_object();
        herder_settings settings = {
            .worker_id = "w",
            .worker = worker,
            .own = {{herder_on_crash, 100, 1000, 3, 60000}, {.call_ms = 4000}},
            .graceful_ms = 500,
            .liveness_ms = 3000,
            .request_ms = 9000,
            .topic_tracking = true};
        memset(&w, 0, sizeof w);
        w.state = seed + (uint64_t)life * 7919 + 1;
        w.herder = herder_new(&settings);
        json_decref(worker);
        printf("# SEED=%llu, life %d\n", (unsigned long long)seed, life);
        step((herder_event){.type = herder_event_start});
        live(1500);
        stop();
        herder_free(w.herder);
        herder_actions_done(&w.actions);
    }
}

int main(int argc, char **argv)
{
    uint64_t given;
    seed = (uint64_t)time(NULL);
    if (argc > 1 && text_starts(argv[1], "SEED=") &&
        text_to_uint64(argv[1] + strlen("SEED="), &given)) {
        seed = given;
        argc = 1;
    }
    return test_all(argc, argv);
}
