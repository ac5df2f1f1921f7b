/* sluice connectors: what runs on a worker, and changing it, over REST. */
#include "base/memory.h"
#include "base/text.h"
#include "command.h"
#include "options.h"
#include "rest_client.h"
#include "worker/config/connector_file.h"
#include "worker/rest/url.h"
#include <stdlib.h>
#include <string.h>

typedef struct connectors_options {
    const char *url, *state;
    bool json, update, tasks, only_failed, reset;
    int64_t task;
    cli_texts removed;
} connectors_options;

static const cli_option options[] = {
    {"url", 0, CLI_TEXT, "URL", "The worker. Default: http://127.0.0.1:8083.", 0, 0,
     CLI_AT(const char *, connectors_options, url)},
    {"json", 0, CLI_FLAG, NULL, "Prints the worker's answers as they are.", 0, 0,
     CLI_AT(bool, connectors_options, json)},
    {"update", 0, CLI_FLAG, NULL,
     "With create: a connector of that name gets the configuration.", 0, 0,
     CLI_AT(bool, connectors_options, update)},
    {"state", 0, CLI_TEXT, "STATE",
     "With create: RUNNING, PAUSED or STOPPED to begin with.", 0, 0,
     CLI_AT(const char *, connectors_options, state)},
    {"remove", 0, CLI_TEXTS, "KEY", "With config: takes a key away; may be repeated.",
     0, 0, CLI_AT(cli_texts, connectors_options, removed)},
    {"tasks", 0, CLI_FLAG, NULL, "With restart: its tasks too.", 0, 0,
     CLI_AT(bool, connectors_options, tasks)},
    {"only-failed", 0, CLI_FLAG, NULL, "With restart: only what is FAILED.", 0, 0,
     CLI_AT(bool, connectors_options, only_failed)},
    {"task", 0, CLI_NUMBER, "N", "With restart: only this task.", 0, 1000000,
     CLI_AT(int64_t, connectors_options, task)},
    {"reset", 0, CLI_FLAG, NULL, "With offsets (of a STOPPED one) and topics: forgets.",
     0, 0, CLI_AT(bool, connectors_options, reset)},
    {.name = NULL},
};

static const cli_usage usage = {
    .synopsis = "sluice connectors ACTION [ARGUMENT…] [OPTION…]",
    .doc = "Asks a worker about its connectors, and changes them.\n\n"
           "  list                        all connectors with their states\n"
           "  create FILE…                makes connectors (.properties or .json)\n"
           "  status NAME…                the states, with the reason of a failure\n"
           "  config NAME [KEY=VALUE…]    shows the configuration, or changes keys\n"
           "  pause | resume | stop NAME…\n"
           "  restart NAME…               the connector; see --tasks, --only-failed, "
           "--task\n"
           "  delete NAME…\n"
           "  validate FILE…              checks configurations and changes nothing\n"
           "  offsets NAME                how far it has come\n"
           "  topics NAME                 the topics it has used\n"
           "  plugins [PLUGIN]            what connectors there are, or the keys of "
           "one\n\n"
           "Exit 0: done. Exit 1: the worker refused or cannot be reached, or a "
           "configuration is not valid. Exit 2: the command line is wrong.",
    .options = options,
    .examples = "  sluice connectors list\n"
                "  sluice connectors create orders.json --update\n"
                "  sluice connectors config orders tasks.max=4 --remove transforms\n"
                "  sluice connectors restart orders --tasks --only-failed\n",
};

/* --- Asking. --- */

typedef struct session {
    const connectors_options *options;
    const char *action;
} session;

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? "" : text;
}

static void print_json(const json_t *value)
{
    char *text = json_dumps(value, JSON_INDENT(2) | JSON_ENCODE_ANY);
    printf("%s\n", text == NULL ? "" : text);
    free(text);
}

/* Whether the worker did it; else standard error says why not. */
static bool call(const session *s, const char *method, const char *path,
                 const json_t *body, rest_answer *ret_answer)
{
    sluice_error *err = sluice_error_new();
    *ret_answer = (rest_answer){0};
    sluice_status status =
        rest_call(s->options->url, method, path, body, ret_answer, err);
    bool done = status == SLUICE_OK && ret_answer->status < 400;
    if (status != SLUICE_OK) {
        fprintf(stderr, "%s\n", sluice_error_text(err));
    } else if (!done) {
        const char *message = text_of(ret_answer->body, "message");
        fprintf(stderr, "%s\n", message[0] == '\0' ? ret_answer->text : message);
    }
    sluice_error_free(err);
    return done;
}

/* The same for a path below /connectors/NAME, whose answer is not looked at. */
static bool command(const session *s, const char *method, const char *name,
                    const char *rest)
{
    rest_answer answer;
    char *encoded = url_encode(name);
    char *path = memory_print("/connectors/%s%s", encoded, rest);
    bool done = call(s, method, path, NULL, &answer);
    if (done && s->options->json && answer.body != NULL) {
        print_json(answer.body);
    }
    rest_answer_done(&answer);
    free(encoded);
    free(path);
    return done;
}

static bool get(const session *s, const char *name, const char *rest,
                rest_answer *ret_answer)
{
    char *encoded = url_encode(name);
    char *path = memory_print("/connectors/%s%s", encoded, rest);
    bool done = call(s, "GET", path, NULL, ret_answer);
    free(encoded);
    free(path);
    return done;
}

/* --- Showing. --- */

static void print_row(const char *name, const json_t *status)
{
    size_t index, running = 0;
    json_t *task;
    const json_t *tasks = json_object_get(status, "tasks");
    json_array_foreach(tasks, index, task)
    {
        running += strcmp(text_of(task, "state"), "RUNNING") == 0;
    }
    const json_t *connector = json_object_get(status, "connector");
    printf("%-30s %-8s %-12s %zu/%zu running\n", name, text_of(status, "type"),
           text_of(connector, "state"), running, json_array_size(tasks));
}

static bool do_list(const session *s, const cli_texts *arguments)
{
    rest_answer answer;
    bool done = call(s, "GET", "/connectors?expand=status", NULL, &answer);
    const char *name;
    json_t *entry;
    (void)arguments;
    if (done && s->options->json) {
        print_json(answer.body);
    } else if (done) {
        json_object_foreach(answer.body, name, entry)
        {
            print_row(name, json_object_get(entry, "status"));
        }
    }
    rest_answer_done(&answer);
    return done;
}

static void print_trace(const char *trace)
{
    while (*trace != '\0') {
        size_t len = strcspn(trace, "\n");
        printf("      %.*s\n", (int)len, trace);
        trace += len;
        trace += *trace == '\n';
    }
}

static void print_status(const json_t *status)
{
    size_t index;
    json_t *task;
    const json_t *connector = json_object_get(status, "connector");
    printf("%s  %s  %s  on %s\n", text_of(status, "name"), text_of(status, "type"),
           text_of(connector, "state"), text_of(connector, "worker_id"));
    print_trace(text_of(connector, "trace"));
    json_array_foreach(json_object_get(status, "tasks"), index, task)
    {
        printf("  task %lld  %s\n",
               (long long)json_integer_value(json_object_get(task, "id")),
               text_of(task, "state"));
        print_trace(text_of(task, "trace"));
    }
}

static void print_map(const json_t *map)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)map, key, value)
    {
        printf("%s=%s\n", key, json_string_value(value));
    }
}

static void print_offsets(const json_t *body)
{
    size_t index;
    json_t *entry;
    json_array_foreach(json_object_get(body, "offsets"), index, entry)
    {
        char *partition = json_dumps(json_object_get(entry, "partition"), JSON_COMPACT);
        char *offset = json_dumps(json_object_get(entry, "offset"),
                                  JSON_COMPACT | JSON_ENCODE_ANY);
        printf("%s %s\n", partition, offset);
        free(partition);
        free(offset);
    }
}

static void print_topics(const json_t *body)
{
    const char *name;
    json_t *entry, *topic;
    size_t index;
    json_object_foreach((json_t *)body, name, entry)
    {
        json_array_foreach(json_object_get(entry, "topics"), index, topic)
        {
            printf("%s\n", json_string_value(topic));
        }
    }
}

/* Gets something about each name and shows it. */
static bool show_each(const session *s, const cli_texts *names, const char *rest,
                      void (*print)(const json_t *body))
{
    bool done = true;
    for (size_t i = 0; i < names->count; i++) {
        rest_answer answer;
        if (!get(s, names->items[i], rest, &answer)) {
            done = false;
        } else if (s->options->json) {
            print_json(answer.body);
        } else {
            print(answer.body);
        }
        rest_answer_done(&answer);
    }
    return done;
}

static bool do_status(const session *s, const cli_texts *arguments)
{
    return show_each(s, arguments, "/status", print_status);
}

/* --- Changing. --- */

static bool each(const session *s, const cli_texts *names, const char *method,
                 const char *rest)
{
    bool done = true;
    for (size_t i = 0; i < names->count; i++) {
        done &= command(s, method, names->items[i], rest);
    }
    return done;
}

static bool do_pause(const session *s, const cli_texts *arguments)
{
    return each(s, arguments, "PUT", "/pause");
}

static bool do_resume(const session *s, const cli_texts *arguments)
{
    return each(s, arguments, "PUT", "/resume");
}

static bool do_stop(const session *s, const cli_texts *arguments)
{
    return each(s, arguments, "PUT", "/stop");
}

static bool do_delete(const session *s, const cli_texts *arguments)
{
    return each(s, arguments, "DELETE", "");
}

static bool do_restart(const session *s, const cli_texts *arguments)
{
    char *rest = s->options->task >= 0
                     ? memory_print("/tasks/%lld/restart", (long long)s->options->task)
                     : memory_print("/restart?includeTasks=%s&onlyFailed=%s",
                                    s->options->tasks ? "true" : "false",
                                    s->options->only_failed ? "true" : "false");
    bool done = each(s, arguments, "POST", rest);
    free(rest);
    return done;
}

static bool do_offsets(const session *s, const cli_texts *arguments)
{
    return s->options->reset ? each(s, arguments, "DELETE", "/offsets")
                             : show_each(s, arguments, "/offsets", print_offsets);
}

static bool do_topics(const session *s, const cli_texts *arguments)
{
    return s->options->reset ? each(s, arguments, "PUT", "/topics/reset")
                             : show_each(s, arguments, "/topics", print_topics);
}

/* "KEY=VALUE" into the patch. */
static bool add_pair(json_t *patch, const char *pair)
{
    const char *equals = strchr(pair, '=');
    if (equals == NULL) {
        fprintf(stderr, "'%s' has no '=': it must be KEY=VALUE\n", pair);
        return false;
    }
    char *key = memory_copy(pair, (size_t)(equals - pair));
    json_object_set_new(patch, key, json_string(equals + 1));
    free(key);
    return true;
}

static bool patch_config(const session *s, const char *name, const json_t *patch)
{
    rest_answer answer;
    char *encoded = url_encode(name);
    char *path = memory_print("/connectors/%s/config", encoded);
    bool done = call(s, "PATCH", path, patch, &answer);
    if (done && s->options->json) {
        print_json(answer.body);
    }
    rest_answer_done(&answer);
    free(path);
    free(encoded);
    return done;
}

static bool do_config(const session *s, const cli_texts *arguments)
{
    cli_texts name = {1, arguments->items};
    if (arguments->count == 1 && s->options->removed.count == 0) {
        return show_each(s, &name, "/config", print_map);
    }
    json_t *patch = json_object();
    bool done = true;
    for (size_t i = 1; i < arguments->count; i++) {
        done &= add_pair(patch, arguments->items[i]);
    }
    for (size_t i = 0; i < s->options->removed.count; i++) {
        json_object_set_new(patch, s->options->removed.items[i], json_null());
    }
    done = done && patch_config(s, arguments->items[0], patch);
    json_decref(patch);
    return done;
}

/* --- Files. --- */

static json_t *read_file(const char *path)
{
    json_t *body = NULL;
    sluice_error *err = sluice_error_new();
    if (connector_file_read(path, &body, err) != SLUICE_OK) {
        fprintf(stderr, "%s\n", sluice_error_text(err));
        body = NULL;
    }
    sluice_error_free(err);
    return body;
}

static bool create_file(const session *s, const char *file)
{
    rest_answer answer;
    json_t *body = read_file(file);
    if (body == NULL) {
        return false;
    }
    if (s->options->state != NULL) {
        json_object_set_new(body, "initial_state", json_string(s->options->state));
    }
    char *encoded = url_encode(text_of(body, "name"));
    char *path = memory_print("/connectors/%s/config", encoded);
    bool done = s->options->update
                    ? call(s, "PUT", path, json_object_get(body, "config"), &answer)
                    : call(s, "POST", "/connectors", body, &answer);
    if (done && s->options->json) {
        print_json(answer.body);
    } else if (done) {
        printf("%s: %s\n", text_of(body, "name"),
               answer.status == 201 ? "created" : "updated");
    }
    rest_answer_done(&answer);
    free(path);
    free(encoded);
    json_decref(body);
    return done;
}

static bool do_create(const session *s, const cli_texts *arguments)
{
    bool done = true;
    for (size_t i = 0; i < arguments->count; i++) {
        done &= create_file(s, arguments->items[i]);
    }
    return done;
}

static void print_faults(const char *file, const json_t *body)
{
    size_t index, number;
    json_t *entry, *fault;
    json_array_foreach(json_object_get(body, "configs"), index, entry)
    {
        const json_t *value = json_object_get(entry, "value");
        json_array_foreach(json_object_get(value, "errors"), number, fault)
        {
            printf("%s: %s\n", file, json_string_value(fault));
        }
    }
}

static bool validate_file(const session *s, const char *file)
{
    rest_answer answer;
    json_t *body = read_file(file);
    if (body == NULL) {
        return false;
    }
    json_t *config = json_object_get(body, "config");
    if (json_object_get(config, "name") == NULL) {
        json_object_set(config, "name", json_object_get(body, "name"));
    }
    char *encoded = url_encode(text_of(config, "connector.class"));
    char *path = memory_print("/connector-plugins/%s/config/validate", encoded);
    bool done = call(s, "PUT", path, config, &answer);
    if (done) {
        json_int_t faults =
            json_integer_value(json_object_get(answer.body, "error_count"));
        if (s->options->json) {
            print_json(answer.body);
        } else if (faults == 0) {
            printf("%s: valid\n", file);
        } else {
            print_faults(file, answer.body);
        }
        done = faults == 0;
    }
    rest_answer_done(&answer);
    free(path);
    free(encoded);
    json_decref(body);
    return done;
}

static bool do_validate(const session *s, const cli_texts *arguments)
{
    bool done = true;
    for (size_t i = 0; i < arguments->count; i++) {
        done &= validate_file(s, arguments->items[i]);
    }
    return done;
}

/* --- Plugins. --- */

static void print_plugins(const json_t *body)
{
    size_t index;
    json_t *plugin;
    json_array_foreach(body, index, plugin)
    {
        printf("%-8s %-10s %s\n", text_of(plugin, "type"), text_of(plugin, "version"),
               text_of(plugin, "class"));
    }
}

static void print_keys(const json_t *body)
{
    size_t index;
    json_t *key;
    json_array_foreach(body, index, key)
    {
        bool required = json_is_true(json_object_get(key, "required"));
        printf("%s (%s%s%s)\n", text_of(key, "name"), text_of(key, "type"),
               required ? ", required" : ", default ",
               required ? "" : text_of(key, "default_value"));
        print_trace(text_of(key, "documentation"));
    }
}

static bool do_plugins(const session *s, const cli_texts *arguments)
{
    rest_answer answer;
    char *encoded = arguments->count == 0 ? NULL : url_encode(arguments->items[0]);
    char *path = encoded == NULL
                     ? memory_text("/connector-plugins")
                     : memory_print("/connector-plugins/%s/config", encoded);
    bool done = call(s, "GET", path, NULL, &answer);
    if (done && s->options->json) {
        print_json(answer.body);
    } else if (done && encoded == NULL) {
        print_plugins(answer.body);
    } else if (done) {
        print_keys(answer.body);
    }
    rest_answer_done(&answer);
    free(encoded);
    free(path);
    return done;
}

/* --- The actions. --- */

typedef struct action {
    const char *name;
    size_t min, max; /* Arguments. */
    bool (*run)(const session *s, const cli_texts *arguments);
} action;

enum { any_number = 1000000 };

static const action actions[] = {
    {"list", 0, 0, do_list},
    {"create", 1, any_number, do_create},
    {"status", 1, any_number, do_status},
    {"config", 1, any_number, do_config},
    {"pause", 1, any_number, do_pause},
    {"resume", 1, any_number, do_resume},
    {"stop", 1, any_number, do_stop},
    {"restart", 1, any_number, do_restart},
    {"delete", 1, any_number, do_delete},
    {"validate", 1, any_number, do_validate},
    {"offsets", 1, any_number, do_offsets},
    {"topics", 1, any_number, do_topics},
    {"plugins", 0, 1, do_plugins},
};

static const action *find_action(const cli_texts *arguments)
{
    const char *name = arguments->count == 0 ? "list" : arguments->items[0];
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
        if (strcmp(actions[i].name, name) == 0) {
            return &actions[i];
        }
    }
    fprintf(stderr,
            "'%s' is not an action of sluice connectors: --help lists those that are\n",
            name);
    return NULL;
}

static int act(const connectors_options *chosen, const cli_texts *arguments)
{
    const action *wanted = find_action(arguments);
    if (wanted == NULL) {
        return CLI_MISUSED;
    }
    size_t skipped = arguments->count == 0 ? 0 : 1;
    cli_texts rest = {arguments->count - skipped, arguments->items + skipped};
    if (rest.count < wanted->min || rest.count > wanted->max) {
        fprintf(stderr, "sluice connectors %s takes %s: --help tells more\n",
                wanted->name,
                wanted->max == 0   ? "no argument"
                : wanted->max == 1 ? "at most one argument"
                                   : "at least one argument");
        return CLI_MISUSED;
    }
    session s = {chosen, wanted->name};
    return wanted->run(&s, &rest) ? CLI_DONE : CLI_FAILED;
}

static int run(int argc, char **argv)
{
    connectors_options chosen = {.url = "http://127.0.0.1:8083", .task = -1};
    cli_texts arguments;
    int code;
    if (!cli_begin(&usage, argc, argv, &chosen, &arguments, &code)) {
        return code;
    }
    code = act(&chosen, &arguments);
    cli_parse_done(&usage, &chosen, &arguments);
    return code;
}

const cli_command cli_connectors = {
    .name = "connectors",
    .summary = "shows and changes the connectors of a worker",
    .run = run,
};
