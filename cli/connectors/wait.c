/* Waiting until a connector is what it was asked to be. */
#include "base/memory.h"
#include "connectors.h"
#include <string.h>
#include <time.h>

enum { look_ms = 100 };

typedef enum sight { NOT_YET, THERE, BROKEN } sight;

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void rest(void)
{
    struct timespec pause = {.tv_nsec = look_ms * 1000000L};
    nanosleep(&pause, NULL);
}

static bool is_in(const json_t *part, const char *state)
{
    return strcmp(text_of(part, "state"), state) == 0;
}

/* A connector that runs has a task at least; one that is stopped has none. */
static sight judge(const json_t *status, const char *wanted)
{
    size_t index;
    json_t *task;
    const json_t *connector = json_object_get(status, "connector");
    const json_t *tasks = json_object_get(status, "tasks");
    bool there = is_in(connector, wanted) &&
                 (json_array_size(tasks) > 0 || strcmp(wanted, "RUNNING") != 0);
    bool broken = is_in(connector, "FAILED");
    json_array_foreach(tasks, index, task)
    {
        there = there && is_in(task, wanted);
        broken = broken || is_in(task, "FAILED");
    }
    return there ? THERE : broken ? BROKEN : NOT_YET;
}

static void print_traces(const char *name, const json_t *status)
{
    size_t index;
    json_t *task;
    const json_t *connector = json_object_get(status, "connector");
    fprintf(stderr, "%s: %s\n", name, text_of(connector, "trace"));
    json_array_foreach(json_object_get(status, "tasks"), index, task)
    {
        fprintf(stderr, "%s task %zu: %s %s\n", name, index, text_of(task, "state"),
                text_of(task, "trace"));
    }
}

/* One look; `ret_status` is the caller's, and what was seen. */
static sight look(session *s, const char *name, const char *wanted, json_t **ret_status)
{
    rest_answer answer;
    sight seen = NOT_YET;
    *ret_status = NULL;
    if (ask_whether(s, name, "/status", &answer)) {
        *ret_status = json_incref(answer.body);
        seen = wanted[0] == '\0' ? NOT_YET : judge(answer.body, wanted);
    } else if (answer.status == 404) {
        seen = wanted[0] == '\0' ? THERE : NOT_YET;
    } else {
        seen = BROKEN; /* It was complained about. */
    }
    rest_answer_done(&answer);
    return seen;
}

static void give_up(session *s, const char *name, const char *wanted,
                    const json_t *status, sight seen)
{
    if (seen == BROKEN && status == NULL) {
        return;
    }
    const char *state = text_of(json_object_get(status, "connector"), "state");
    if (seen == BROKEN) {
        complain(s, CONNECTORS_NOT_SO, "'%s' has failed before it was %s:", name,
                 wanted);
        print_traces(name, status);
    } else {
        complain(s, CONNECTORS_NOT_SO,
                 "'%s' is not %s after %lld s, but %s; --timeout gives it longer", name,
                 wanted[0] == '\0' ? "gone" : wanted, (long long)s->options->timeout,
                 state[0] == '\0' ? "not there" : state);
    }
}

bool await(session *s, const char *name, const char *state)
{
    int64_t end = now_ms() + s->options->timeout * 1000;
    json_t *status;
    sight seen;
    while ((seen = look(s, name, state, &status)) == NOT_YET && now_ms() < end) {
        json_decref(status);
        rest();
    }
    if (seen != THERE) {
        give_up(s, name, state, status, seen);
    } else if (!s->options->json) {
        size_t tasks = json_array_size(json_object_get(status, "tasks"));
        printf("%s: %s", name, state[0] == '\0' ? "gone" : state);
        if (tasks > 0) {
            printf(", %zu task%s", tasks, tasks == 1 ? "" : "s");
        }
        printf("\n");
    }
    json_decref(status);
    return seen == THERE;
}
