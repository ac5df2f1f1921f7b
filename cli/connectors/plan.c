/* diff and apply: what files say, what the worker has, and what leads from the one to
 * the other.
 *
 * Configurations are compared as texts, as they stand in files and as REST gives them
 * back: what is the same is left alone, so that applying twice restarts nothing. All
 * that would be changed is checked before anything is. */
#include "base/memory.h"
#include "connectors.h"
#include <stdlib.h>
#include <string.h>

/* {"name": {"do": "create" | "update" | "delete" | "keep", "body": …,
 *           "changes": {"key": [before | null, after | null]}}} */
typedef json_t plan;

static json_t *with_name(const json_t *body)
{
    json_t *config = json_copy(json_object_get(body, "config"));
    json_object_set(config, "name", json_object_get(body, "name"));
    return config;
}

/* {"key": [before, after]} of all keys that differ. */
static json_t *compare(const json_t *before, const json_t *after)
{
    json_t *changes = json_object(), *value;
    const char *key;
    json_object_foreach((json_t *)after, key, value)
    {
        json_t *old = json_object_get(before, key);
        if (old == NULL || !json_equal(old, value)) {
            json_object_set_new(changes, key,
                                json_pack("[o, O]",
                                          old == NULL ? json_null() : json_incref(old),
                                          value));
        }
    }
    json_object_foreach((json_t *)before, key, value)
    {
        if (json_object_get(after, key) == NULL) {
            json_object_set_new(changes, key, json_pack("[O, n]", value));
        }
    }
    return changes;
}

static json_t *step_of(const json_t *body, const json_t *known)
{
    json_t *config = with_name(body);
    json_t *changes = compare(json_object_get(known, "config"), config);
    const char *verb = known == NULL                    ? "create"
                       : json_object_size(changes) == 0 ? "keep"
                                                        : "update";
    json_t *step = json_pack("{s:s, s:o, s:O, s:o}", "do", verb, "config", config,
                             "body", body, "changes", changes);
    return step;
}

/* Those of the worker that are in no file. */
static void add_deletions(plan *steps, json_t *known)
{
    const char *name;
    json_t *entry;
    json_object_foreach(known, name, entry)
    {
        if (json_object_get(steps, name) == NULL) {
            json_object_set_new(
                steps, name,
                json_pack("{s:s, s:O, s:{}}", "do", "delete", "config",
                          json_object_get(json_object_get(entry, "info"), "config"),
                          "changes"));
        }
    }
}

/* The caller's; NULL: complained. */
static plan *make_plan(session *s, const cli_texts *paths)
{
    rest_answer answer;
    const char *name;
    json_t *body, *wanted = read_connectors(s, paths);
    plan *steps = NULL;
    if (wanted == NULL) {
        return NULL;
    }
    if (ask(s, "GET", "/connectors?expand=info", NULL, &answer)) {
        steps = json_object();
        json_object_foreach(wanted, name, body)
        {
            const json_t *known = json_object_get(answer.body, name);
            json_object_set_new(steps, name,
                                step_of(body, json_object_get(known, "info")));
        }
        if (s->options->prune) {
            add_deletions(steps, answer.body);
        }
    } else { /* Trouble is no difference. */
        s->code = CONNECTORS_UNREACHABLE;
    }
    rest_answer_done(&answer);
    json_decref(wanted);
    return steps;
}

/* --- Showing. --- */

static void print_value(const char *sign, const char *key, const json_t *value,
                        bool secret)
{
    if (!json_is_null(value)) {
        printf("    %s %s=%s\n", sign, key, secret ? "****" : value_text(value));
    }
}

static void print_step(session *s, const char *name, const json_t *step)
{
    const char *verb = text_of(step, "do"), *key;
    json_t *pair;
    const char *sign = strcmp(verb, "create") == 0   ? "+"
                       : strcmp(verb, "delete") == 0 ? "-"
                                                     : "~";
    json_t *secrets = secret_keys(s, json_object_get(step, "config"));
    printf("%s %s\n", sign, name);
    json_object_foreach(json_object_get(step, "changes"), key, pair)
    {
        bool secret = json_object_get(secrets, key) != NULL;
        print_value("-", key, json_array_get(pair, 0), secret);
        print_value("+", key, json_array_get(pair, 1), secret);
    }
    json_decref(secrets);
}

/* {"create": [names], "update": {name: {key: [before, after]}}, "delete": [names],
 * "keep": [names]} */
static json_t *plan_json(session *s, plan *steps)
{
    const char *name, *key;
    json_t *step, *pair,
        *all =
            json_pack("{s:[], s:{}, s:[], s:[]}", "create", "update", "delete", "keep");
    json_object_foreach(steps, name, step)
    {
        const char *verb = text_of(step, "do");
        json_t *list = json_object_get(all, verb);
        if (json_is_array(list)) {
            json_array_append_new(list, json_string(name));
            continue;
        }
        json_t *secrets = secret_keys(s, json_object_get(step, "config"));
        json_t *changes = json_deep_copy(json_object_get(step, "changes"));
        json_object_foreach(changes, key, pair)
        {
            for (size_t i = 0; json_object_get(secrets, key) != NULL && i < 2; i++) {
                if (json_is_string(json_array_get(pair, i))) {
                    json_array_set_new(pair, i, json_string("****"));
                }
            }
        }
        json_object_set_new(list, name, changes);
        json_decref(secrets);
    }
    return all;
}

static bool is_change(const json_t *step)
{
    return strcmp(text_of(step, "do"), "keep") != 0;
}

/* Differences are what the exit status tells. */
static void show(session *s, plan *steps)
{
    const char *name;
    json_t *step;
    bool differs = false;
    json_object_foreach(steps, name, step)
    {
        differs = differs || is_change(step);
        if (is_change(step) && !s->options->json) {
            print_step(s, name, step);
        }
    }
    if (s->options->json) {
        json_t *all = plan_json(s, steps);
        print_json(all);
        json_decref(all);
    }
    if (differs && s->code == CLI_DONE) {
        s->code = CLI_FAILED;
    }
}

void do_diff(session *s, const cli_texts *arguments)
{
    plan *steps = make_plan(s, arguments);
    if (steps != NULL) {
        show(s, steps);
    }
    json_decref(steps);
}

/* --- Doing. --- */

/* Whether all that is to be made or changed is valid. */
static bool all_valid(session *s, plan *steps)
{
    const char *name;
    json_t *step;
    bool valid = true;
    json_object_foreach(steps, name, step)
    {
        if (is_change(step) && strcmp(text_of(step, "do"), "delete") != 0) {
            valid = is_valid(s, name, json_object_get(step, "config"), false) && valid;
        }
    }
    return valid;
}

/* A change of its configuration leaves a connector in the state that is wanted of it.
 */
static const char *state_now(session *s, const char *name)
{
    rest_answer answer;
    const char *state = "RUNNING";
    if (!s->options->wait) {
        return state;
    }
    if (ask_whether(s, name, "/status", &answer)) {
        const json_t *connector = json_object_get(answer.body, "connector");
        state = strcmp(text_of(connector, "state"), "PAUSED") == 0    ? "PAUSED"
                : strcmp(text_of(connector, "state"), "STOPPED") == 0 ? "STOPPED"
                                                                      : "RUNNING";
    }
    rest_answer_done(&answer);
    return state;
}

/* The state that it is to have, or NULL: there is nothing to wait for. */
static const char *carry_out(session *s, const char *name, const json_t *step)
{
    rest_answer answer = {0};
    const char *verb = text_of(step, "do");
    const json_t *body = json_object_get(step, "body");
    const char *first = text_of(body, "initial_state"), *said = "deleted", *state = "";
    bool done = true;
    if (strcmp(verb, "create") == 0) {
        done = ask(s, "POST", "/connectors", body, &answer);
        said = "created";
        state = first[0] == '\0' ? "RUNNING" : first;
    } else if (strcmp(verb, "update") == 0) {
        state = state_now(s, name);
        done = ask_about(s, "PUT", name, "/config", json_object_get(body, "config"),
                         &answer);
        said = "updated";
    } else if (strcmp(verb, "delete") == 0) {
        done = ask_about(s, "DELETE", name, "", NULL, &answer);
    } else {
        said = "unchanged";
    }
    if (done && !s->options->json) {
        printf("%s: %s\n", name, said);
    }
    rest_answer_done(&answer);
    return done && is_change(step) ? state : NULL;
}

static void apply(session *s, plan *steps)
{
    const char *name;
    json_t *step, *states = json_object();
    json_object_foreach(steps, name, step)
    {
        const char *state = carry_out(s, name, step);
        if (state != NULL) {
            json_object_set_new(states, name, json_string(state));
        }
    }
    json_object_foreach(states, name, step)
    {
        if (s->options->wait) {
            await(s, name, json_string_value(step));
        }
    }
    json_decref(states);
    if (s->options->json) {
        json_t *all = plan_json(s, steps);
        print_json(all);
        json_decref(all);
    }
}

void do_apply(session *s, const cli_texts *arguments)
{
    plan *steps = make_plan(s, arguments);
    if (steps != NULL && s->options->dry_run) {
        show(s, steps);
    } else if (steps != NULL && !all_valid(s, steps)) {
        complain(s, CLI_FAILED, "nothing was changed");
    } else if (steps != NULL) {
        apply(s, steps);
    }
    json_decref(steps);
}
