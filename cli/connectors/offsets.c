/* How far connectors have come: shown, kept in a file, set, forgotten. */
#include "base/memory.h"
#include "base/text.h"
#include "connectors.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- Showing. --- */

/* A sink's in columns, a source's as the maps that they are. */
static void print_offsets(const json_t *body)
{
    size_t index;
    json_t *entry;
    table *rows = table_new((const char *const[]){"PARTITION", "OFFSET", NULL});
    json_array_foreach(json_object_get(body, "offsets"), index, entry)
    {
        const json_t *partition = json_object_get(entry, "partition");
        const json_t *offset = json_object_get(entry, "offset");
        const json_t *number = json_object_get(offset, "kafka_offset");
        const char *topic = text_of(partition, "kafka_topic");
        bool sinks = topic[0] != '\0' && json_is_integer(number);
        char *left = sinks ? memory_print("%s:%lld", topic,
                                          (long long)json_integer_value(json_object_get(
                                              partition, "kafka_partition")))
                           : json_dumps(partition, JSON_COMPACT | JSON_ENCODE_ANY);
        char *right = sinks
                          ? memory_print("%lld", (long long)json_integer_value(number))
                          : json_dumps(offset, JSON_COMPACT | JSON_ENCODE_ANY);
        table_add(rows, (const char *const[]){left, right});
        free(left);
        free(right);
    }
    table_print(rows);
    table_free(rows);
}

static void get_offsets(session *s, const char *name)
{
    rest_answer answer;
    const char *file = s->options->to;
    if (ask_about(s, "GET", name, "/offsets", NULL, &answer)) {
        if (file != NULL) {
            if (json_dump_file(answer.body, file, JSON_INDENT(2)) != 0) {
                complain(s, CLI_FAILED, "'%s' cannot be written: %s", file,
                         strerror(errno));
            }
        } else if (s->options->json) {
            print_json(answer.body);
        } else {
            print_offsets(answer.body);
        }
    }
    rest_answer_done(&answer);
}

/* --- Setting. --- */

/* "TOPIC:PARTITION=OFFSET" into `list`; "…=" forgets the partition's. */
static bool add_place(session *s, json_t *list, const char *text)
{
    int64_t partition = 0, offset = 0;
    const char *equals = strrchr(text, '=');
    const char *colon =
        equals == NULL ? NULL : memrchr(text, ':', (size_t)(equals - text));
    bool forget = equals != NULL && equals[1] == '\0';
    if (colon == NULL ||
        !text_to_int64_of(colon + 1, (size_t)(equals - colon - 1), &partition) ||
        (!forget && !text_to_int64(equals + 1, &offset))) {
        complain(s, CLI_MISUSED,
                 "'%s' is no offset: it must be TOPIC:PARTITION=OFFSET, or a file",
                 text);
        return false;
    }
    char *topic = memory_copy(text, (size_t)(colon - text));
    json_t *place = json_pack(
        "{s:{s:s, s:I}, s:o}", "partition", "kafka_topic", topic, "kafka_partition",
        (json_int_t)partition, "offset",
        forget ? json_null() : json_pack("{s:I}", "kafka_offset", (json_int_t)offset));
    json_array_append_new(list, place);
    free(topic);
    return true;
}

/* What is to be set, as the worker takes it, the caller's; NULL: complained. */
static json_t *wanted_offsets(session *s, const cli_texts *places)
{
    if (places->count == 1 && strchr(places->items[0], '=') == NULL) {
        return read_json(s, places->items[0]);
    }
    json_t *list = json_array();
    bool good = places->count > 0;
    if (!good) {
        complain(s, CLI_MISUSED,
                 "sluice connectors offsets set takes NAME and a file, or "
                 "TOPIC:PARTITION=OFFSET…");
    }
    for (size_t i = 0; i < places->count; i++) {
        good = add_place(s, list, places->items[i]) && good;
    }
    json_t *body = json_pack("{s:o}", "offsets", list);
    if (!good) {
        json_decref(body);
        body = NULL;
    }
    return body;
}

static void tell(session *s, const rest_answer *answer)
{
    if (s->options->json) {
        print_json(answer->body);
    } else {
        printf("%s\n", text_of(answer->body, "message"));
    }
}

/* Offsets can be changed while a connector is STOPPED: --stop makes it so, and lets it
 * go on as it did before. */
static void change_offsets(session *s, const char *method, const char *name,
                           const json_t *body)
{
    rest_answer status, answer = {0};
    if (!ask_about(s, "GET", name, "/status", NULL, &status)) {
        rest_answer_done(&status);
        return;
    }
    const char *state = text_of(json_object_get(status.body, "connector"), "state");
    bool stopped = strcmp(state, "STOPPED") == 0, paused = strcmp(state, "PAUSED") == 0;
    bool stop = s->options->stop && !stopped;
    if (!stop ||
        (command(s, "PUT", name, "/stop", NULL) && await(s, name, "STOPPED"))) {
        if (ask_about(s, method, name, "/offsets", body, &answer)) {
            tell(s, &answer);
        }
        rest_answer_done(&answer);
    }
    if (stop) {
        command(s, "PUT", name, paused ? "/pause" : "/resume", NULL);
    }
    rest_answer_done(&status);
}

void do_offsets(session *s, const cli_texts *arguments)
{
    const char *verb = arguments->count < 2 ? "" : arguments->items[0];
    bool get = strcmp(verb, "get") == 0, set = strcmp(verb, "set") == 0;
    bool reset = strcmp(verb, "reset") == 0;
    size_t skipped = get || set || reset ? 2 : 1;
    const char *name = arguments->items[skipped - 1];
    cli_texts rest = {arguments->count - skipped, arguments->items + skipped};
    if (!set && rest.count > 0) {
        complain(
            s, CLI_MISUSED,
            "'%s' is too much: sluice connectors offsets takes NAME, get NAME, set "
            "NAME … or reset NAME",
            rest.items[0]);
    } else if (set) {
        json_t *body = wanted_offsets(s, &rest);
        if (body != NULL) {
            change_offsets(s, "PATCH", name, body);
        }
        json_decref(body);
    } else if (reset || s->options->reset) {
        change_offsets(s, "DELETE", name, NULL);
    } else {
        get_offsets(s, name);
    }
}
