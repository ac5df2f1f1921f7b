/* What is only looked at: lists, states, configurations, topics, plugins, loggers. */
#include "base/memory.h"
#include "base/text.h"
#include "connectors.h"
#include "worker/rest/url.h"
#include <stdlib.h>
#include <string.h>

/* --- Lists. --- */

static size_t tasks_in(const json_t *status, const char *state)
{
    size_t index, count = 0;
    json_t *task;
    json_array_foreach(json_object_get(status, "tasks"), index, task)
    {
        count += strcmp(text_of(task, "state"), state) == 0;
    }
    return count;
}

static bool is_wanted(const session *s, const json_t *status)
{
    const char *wanted = s->options->state;
    const char *state = text_of(json_object_get(status, "connector"), "state");
    return wanted == NULL || text_equal_nocase(state, wanted) ||
           tasks_in(status, wanted) > 0;
}

static void add_row(table *rows, const char *name, const json_t *entry)
{
    char tasks[64], failed[32] = "";
    const json_t *status = json_object_get(entry, "status");
    size_t failures = tasks_in(status, "FAILED");
    if (failures > 0) {
        snprintf(failed, sizeof failed, ", %zu FAILED", failures);
    }
    snprintf(tasks, sizeof tasks, "%zu/%zu RUNNING%s", tasks_in(status, "RUNNING"),
             json_array_size(json_object_get(status, "tasks")), failed);
    const json_t *info = json_object_get(entry, "info");
    table_add(rows, (const char *const[]){
                        name, text_of(status, "type"),
                        text_of(json_object_get(status, "connector"), "state"), tasks,
                        text_of(json_object_get(info, "config"), "connector.class")});
}

static void print_list(session *s, json_t *connectors)
{
    const char *name;
    json_t *entry;
    table *rows = table_new(
        (const char *const[]){"NAME", "TYPE", "STATE", "TASKS", "CLASS", NULL});
    json_object_foreach(connectors, name, entry)
    {
        if (!is_wanted(s, json_object_get(entry, "status"))) {
            continue;
        }
        if (s->options->names) {
            printf("%s\n", name);
        }
        add_row(rows, name, entry);
    }
    if (!s->options->names) {
        table_print(rows);
    }
    table_free(rows);
}

void do_list(session *s, const cli_texts *arguments)
{
    rest_answer answer;
    const char *name;
    json_t *entry;
    void *next;
    (void)arguments;
    if (ask(s, "GET", "/connectors?expand=status&expand=info", NULL, &answer)) {
        json_object_foreach_safe(answer.body, next, name, entry)
        {
            if (!is_wanted(s, json_object_get(entry, "status"))) {
                json_object_del(answer.body, name);
            }
        }
        if (s->options->json) {
            print_json(answer.body);
        } else {
            print_list(s, answer.body);
        }
    }
    rest_answer_done(&answer);
}

/* --- One by one. --- */

typedef void printer(session *s, const json_t *body);

/* Gets something about each name and shows it. */
static void show_each(session *s, const cli_texts *names, const char *rest,
                      printer *print)
{
    for (size_t i = 0; i < names->count; i++) {
        rest_answer answer;
        if (ask_about(s, "GET", names->items[i], rest, NULL, &answer)) {
            if (s->options->json) {
                print_json(answer.body);
            } else {
                print(s, answer.body);
            }
        }
        rest_answer_done(&answer);
    }
}

static void print_status(session *s, const json_t *status)
{
    size_t index;
    json_t *task;
    const json_t *connector = json_object_get(status, "connector");
    (void)s;
    printf("%s  %s  %s  on %s\n", text_of(status, "name"), text_of(status, "type"),
           text_of(connector, "state"), text_of(connector, "worker_id"));
    print_indented(text_of(connector, "trace"), "      ");
    json_array_foreach(json_object_get(status, "tasks"), index, task)
    {
        printf("  task %lld  %s\n",
               (long long)json_integer_value(json_object_get(task, "id")),
               text_of(task, "state"));
        print_indented(text_of(task, "trace"), "      ");
    }
}

void do_status(session *s, const cli_texts *arguments)
{
    show_each(s, arguments, "/status", print_status);
}

static void print_topics(session *s, const json_t *body)
{
    const char *name;
    json_t *entry, *topic;
    size_t index;
    (void)s;
    json_object_foreach((json_t *)body, name, entry)
    {
        json_array_foreach(json_object_get(entry, "topics"), index, topic)
        {
            printf("%s\n", json_string_value(topic));
        }
    }
}

void do_topics(session *s, const cli_texts *arguments)
{
    if (!s->options->reset) {
        show_each(s, arguments, "/topics", print_topics);
        return;
    }
    for (size_t i = 0; i < arguments->count; i++) {
        command(s, "PUT", arguments->items[i], "/topics/reset", NULL);
    }
}

/* --- Everything about one. --- */

static bool put_part(session *s, json_t *all, const char *name, const char *rest,
                     const char *part)
{
    rest_answer answer;
    bool done = ask_whether(s, name, rest, &answer);
    if (done) {
        json_object_set(all, part, answer.body);
    } else if (answer.status == 404) {
        complain(s, CLI_FAILED, "%s", text_of(answer.body, "message"));
    }
    rest_answer_done(&answer);
    return done;
}

static void print_config(session *s, const json_t *config)
{
    const char *key;
    json_t *value, *secrets = secret_keys(s, config);
    json_object_foreach((json_t *)config, key, value)
    {
        bool secret = json_object_get(secrets, key) != NULL;
        printf("    %s=%s\n", key, secret ? "****" : value_text(value));
    }
    json_decref(secrets);
}

static void print_all(session *s, const json_t *all, const char *name)
{
    size_t index;
    json_t *item;
    const json_t *info = json_object_get(all, "info");
    const json_t *topics = json_object_get(json_object_get(all, "topics"), name);
    print_status(s, json_object_get(all, "status"));
    printf("  topics\n");
    json_array_foreach(json_object_get(topics, "topics"), index, item)
    {
        printf("    %s\n", json_string_value(item));
    }
    printf("  offsets\n");
    json_array_foreach(json_object_get(json_object_get(all, "offsets"), "offsets"),
                       index, item)
    {
        char *text = json_dumps(item, JSON_COMPACT);
        printf("    %s\n", text == NULL ? "" : text);
        free(text);
    }
    printf("  configuration\n");
    print_config(s, json_object_get(info, "config"));
}

/* A worker may not have all of it: what it refuses is left out. */
static void put_optional(session *s, json_t *all, const char *name, const char *rest,
                         const char *part)
{
    rest_answer answer;
    sluice_error *err = sluice_error_new();
    char *encoded = url_encode(name);
    char *path = memory_print("/connectors/%s%s", encoded, rest);
    if (rest_call(&s->worker, "GET", path, NULL, &answer, err) == SLUICE_OK) {
        if (answer.status == 200) {
            json_object_set(all, part, answer.body);
        }
        rest_answer_done(&answer);
    }
    free(path);
    free(encoded);
    sluice_error_free(err);
}

void do_show(session *s, const cli_texts *arguments)
{
    for (size_t i = 0; i < arguments->count; i++) {
        const char *name = arguments->items[i];
        json_t *all = json_object();
        if (put_part(s, all, name, "", "info") &&
            put_part(s, all, name, "/status", "status")) {
            put_optional(s, all, name, "/topics", "topics");
            put_optional(s, all, name, "/offsets", "offsets");
            if (s->options->json) {
                print_json(all);
            } else {
                print_all(s, all, name);
            }
        }
        json_decref(all);
    }
}

/* --- The worker. --- */

static void print_plugins(const json_t *body)
{
    size_t index;
    json_t *plugin;
    table *rows = table_new((const char *const[]){"TYPE", "VERSION", "CLASS", NULL});
    json_array_foreach(body, index, plugin)
    {
        table_add(rows, (const char *const[]){text_of(plugin, "type"),
                                              text_of(plugin, "version"),
                                              text_of(plugin, "class")});
    }
    table_print(rows);
    table_free(rows);
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
        print_indented(text_of(key, "documentation"), "      ");
    }
}

void do_plugins(session *s, const cli_texts *arguments)
{
    rest_answer answer;
    char *encoded = arguments->count == 0 ? NULL : url_encode(arguments->items[0]);
    char *path = encoded == NULL
                     ? memory_text("/connector-plugins")
                     : memory_print("/connector-plugins/%s/config", encoded);
    if (ask(s, "GET", path, NULL, &answer)) {
        if (s->options->json) {
            print_json(answer.body);
        } else if (encoded == NULL) {
            print_plugins(answer.body);
        } else {
            print_keys(answer.body);
        }
    }
    rest_answer_done(&answer);
    free(encoded);
    free(path);
}

void do_info(session *s, const cli_texts *arguments)
{
    rest_answer answer;
    const char *key;
    json_t *value;
    (void)arguments;
    if (ask(s, "GET", "/", NULL, &answer)) {
        if (s->options->json) {
            print_json(answer.body);
        } else {
            json_object_foreach(answer.body, key, value)
            {
                printf("%s=%s\n", key, value_text(value));
            }
        }
    }
    rest_answer_done(&answer);
}

static void print_loggers(const json_t *loggers)
{
    const char *name;
    json_t *logger;
    table *rows = table_new((const char *const[]){"LOGGER", "LEVEL", NULL});
    json_object_foreach((json_t *)loggers, name, logger)
    {
        table_add(rows, (const char *const[]){name, text_of(logger, "level")});
    }
    table_print(rows);
    table_free(rows);
}

void do_loggers(session *s, const cli_texts *arguments)
{
    rest_answer answer;
    char *encoded = arguments->count == 0 ? NULL : url_encode(arguments->items[0]);
    char *path = encoded == NULL ? memory_text("/admin/loggers")
                                 : memory_print("/admin/loggers/%s", encoded);
    json_t *level =
        arguments->count < 2 ? NULL : json_pack("{s:s}", "level", arguments->items[1]);
    if (ask(s, level == NULL ? "GET" : "PUT", path, level, &answer)) {
        if (s->options->json) {
            print_json(answer.body);
        } else if (encoded == NULL) {
            print_loggers(answer.body);
        } else if (level == NULL) {
            printf("%s\n", text_of(answer.body, "level"));
        }
    }
    json_decref(level);
    rest_answer_done(&answer);
    free(encoded);
    free(path);
}
