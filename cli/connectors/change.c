/* What changes connectors that are there: states, restarts, configurations, deletion.
 */
#include "base/memory.h"
#include "connectors.h"
#include <stdlib.h>
#include <string.h>

/* The same for each; with --wait each is waited for when all have been asked. */
static void each(session *s, const cli_texts *names, const char *method,
                 const char *rest, const char *wanted)
{
    bool *done = memory_zero((names->count + 1) * sizeof *done);
    for (size_t i = 0; i < names->count; i++) {
        done[i] = command(s, method, names->items[i], rest, NULL);
    }
    for (size_t i = 0; i < names->count && s->options->wait; i++) {
        if (done[i]) {
            await(s, names->items[i], wanted);
        }
    }
    free(done);
}

void do_pause(session *s, const cli_texts *arguments)
{
    each(s, arguments, "PUT", "/pause", "PAUSED");
}

void do_resume(session *s, const cli_texts *arguments)
{
    each(s, arguments, "PUT", "/resume", "RUNNING");
}

void do_stop(session *s, const cli_texts *arguments)
{
    each(s, arguments, "PUT", "/stop", "STOPPED");
}

void do_delete(session *s, const cli_texts *arguments)
{
    each(s, arguments, "DELETE", "", "");
}

void do_restart(session *s, const cli_texts *arguments)
{
    char *rest = s->options->task >= 0
                     ? memory_print("/tasks/%lld/restart", (long long)s->options->task)
                     : memory_print("/restart?includeTasks=%s&onlyFailed=%s",
                                    s->options->tasks ? "true" : "false",
                                    s->options->only_failed ? "true" : "false");
    each(s, arguments, "POST", rest, "RUNNING");
    free(rest);
}

void do_wait(session *s, const cli_texts *arguments)
{
    const char *state = s->options->state == NULL ? "RUNNING" : s->options->state;
    for (size_t i = 0; i < arguments->count; i++) {
        await(s, arguments->items[i], state);
    }
}

/* --- Configurations. --- */

static void await_change(session *s, const char *name, bool done)
{
    if (done && s->options->wait) {
        await(s, name, "RUNNING");
    }
}

static void get_config(session *s, const char *name, const cli_texts *keys)
{
    rest_answer answer;
    const char *key;
    json_t *value;
    if (ask_about(s, "GET", name, "/config", NULL, &answer) && s->options->json) {
        print_json(answer.body);
    } else if (answer.status == 200 && keys->count == 0) {
        json_object_foreach(answer.body, key, value)
        {
            printf("%s=%s\n", key, value_text(value));
        }
    }
    for (size_t i = 0; answer.status == 200 && !s->options->json && i < keys->count;
         i++) {
        value = json_object_get(answer.body, keys->items[i]);
        if (value == NULL) {
            complain(s, CLI_FAILED, "'%s' has no key '%s'", name, keys->items[i]);
        } else {
            printf("%s\n", value_text(value));
        }
    }
    rest_answer_done(&answer);
}

static bool add_pair(session *s, json_t *patch, const char *pair)
{
    const char *equals = strchr(pair, '=');
    if (equals == NULL) {
        complain(s, CLI_MISUSED, "'%s' has no '=': it must be KEY=VALUE", pair);
        return false;
    }
    char *key = memory_copy(pair, (size_t)(equals - pair));
    json_object_set_new(patch, key, json_string(equals + 1));
    free(key);
    return true;
}

static void patch_config(session *s, const char *name, const cli_texts *pairs)
{
    json_t *patch = json_object();
    bool good = true;
    for (size_t i = 0; i < pairs->count; i++) {
        good = add_pair(s, patch, pairs->items[i]) && good;
    }
    for (size_t i = 0; i < s->options->removed.count; i++) {
        json_object_set_new(patch, s->options->removed.items[i], json_null());
    }
    if (good) {
        await_change(s, name, command(s, "PATCH", name, "/config", patch));
    }
    json_decref(patch);
}

static void set_config(session *s, const char *name, const char *file)
{
    json_t *body = read_json(s, file);
    json_t *config = json_object_get(body, "config");
    if (!json_is_object(config)) {
        config = body;
    }
    if (body != NULL) {
        await_change(s, name, command(s, "PUT", name, "/config", config));
    }
    json_decref(body);
}

void do_config(session *s, const cli_texts *arguments)
{
    const char *verb = arguments->count < 2 ? "" : arguments->items[0];
    bool get = strcmp(verb, "get") == 0, set = strcmp(verb, "set") == 0;
    bool patch = strcmp(verb, "patch") == 0;
    size_t skipped = get || set || patch ? 2 : 1;
    const char *name = arguments->items[skipped - 1];
    cli_texts rest = {arguments->count - skipped, arguments->items + skipped};
    bool changes = rest.count > 0 || s->options->removed.count > 0;
    if (set && rest.count != 1) {
        complain(s, CLI_MISUSED, "sluice connectors config set takes NAME FILE");
    } else if (set) {
        set_config(s, name, rest.items[0]);
    } else if (patch || (!get && changes)) {
        patch_config(s, name, &rest);
    } else {
        get_config(s, name, &rest);
    }
}
