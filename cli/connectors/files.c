/* Connectors that are described in files: read, checked, made. */
#include "base/memory.h"
#include "base/text.h"
#include "connectors.h"
#include "worker/config/connector_file.h"
#include "worker/rest/url.h"
#include <stdlib.h>
#include <string.h>

/* --- Reading. --- */

json_t *read_json(session *s, const char *path)
{
    json_error_t fault;
    json_t *body = strcmp(path, "-") == 0 ? json_loadf(stdin, 0, &fault)
                                          : json_load_file(path, 0, &fault);
    if (body == NULL && fault.line > 0) {
        complain(s, CLI_MISUSED, "'%s' is not JSON: line %d, column %d: %s", path,
                 fault.line, fault.column, fault.text);
    } else if (body == NULL) {
        complain(s, CLI_MISUSED, "'%s' cannot be read: %s", path, fault.text);
    }
    return body;
}

/* A file that calls itself JSON and is not is told where, before it is taken for
 * properties. */
static bool is_sound(session *s, const char *path)
{
    json_error_t fault;
    if (!text_ends(path, ".json")) {
        return true;
    }
    json_t *body = json_load_file(path, JSON_DECODE_ANY, &fault);
    bool sound = body != NULL || fault.line <= 0;
    if (!sound) {
        complain(s, CLI_MISUSED, "'%s' is not JSON: line %d, column %d: %s", path,
                 fault.line, fault.column, fault.text);
    }
    json_decref(body);
    return sound;
}

json_t *read_connector(session *s, const char *path)
{
    json_t *body = NULL;
    sluice_error *err = sluice_error_new();
    if (is_sound(s, path) && connector_file_read(path, &body, err) != SLUICE_OK) {
        complain(s, CLI_MISUSED, "%s", sluice_error_text(err));
        body = NULL;
    }
    sluice_error_free(err);
    return body;
}

static bool add_file(session *s, json_t *all, json_t *paths, const char *path)
{
    json_t *body = read_connector(s, path);
    if (body == NULL) {
        return false;
    }
    const char *name = text_of(body, "name"), *other = text_of(paths, name);
    if (other[0] != '\0') {
        complain(s, CLI_MISUSED, "connector '%s' is in '%s' and in '%s'", name, other,
                 path);
        json_decref(body);
        return false;
    }
    json_object_set_new(paths, name, json_string(path));
    json_object_set_new(all, name, body);
    return true;
}

static bool add_path(session *s, json_t *all, json_t *seen, const char *path)
{
    size_t index;
    json_t *files = NULL, *file;
    sluice_error *err = sluice_error_new();
    bool good = connector_files(path, &files, err) == SLUICE_OK;
    if (!good) {
        complain(s, CLI_MISUSED, "%s", sluice_error_text(err));
    }
    json_array_foreach(files, index, file)
    {
        good = add_file(s, all, seen, json_string_value(file)) && good;
    }
    json_decref(files);
    sluice_error_free(err);
    return good;
}

json_t *read_connectors(session *s, const cli_texts *paths)
{
    json_t *all = json_object(), *seen = json_object();
    bool good = true;
    for (size_t i = 0; i < paths->count; i++) {
        good = add_path(s, all, seen, paths->items[i]) && good;
    }
    json_decref(seen);
    if (!good) {
        json_decref(all);
        all = NULL;
    }
    return all;
}

/* --- Checking. --- */

static void print_faults(session *s, const char *about, const json_t *body)
{
    size_t index, number;
    json_t *entry, *fault;
    json_array_foreach(json_object_get(body, "configs"), index, entry)
    {
        const json_t *value = json_object_get(entry, "value");
        json_array_foreach(json_object_get(value, "errors"), number, fault)
        {
            complain(s, CLI_FAILED, "%s: %s", about, value_text(fault));
        }
    }
}

bool is_valid(session *s, const char *about, const json_t *config, bool show)
{
    rest_answer answer;
    char *encoded = url_encode(text_of(config, "connector.class"));
    char *path = memory_print("/connector-plugins/%s/config/validate", encoded);
    bool valid = text_of(config, "connector.class")[0] != '\0';
    if (!valid) {
        complain(s, CLI_FAILED, "%s: there is no connector.class", about);
        answer = (rest_answer){0};
    } else if (!ask(s, "PUT", path, config, &answer)) {
        valid = false;
    } else {
        valid = json_integer_value(json_object_get(answer.body, "error_count")) == 0;
        if (show) {
            print_json(answer.body);
        }
        if (!valid) {
            print_faults(s, about, answer.body);
        }
    }
    rest_answer_done(&answer);
    free(path);
    free(encoded);
    return valid;
}

void do_validate(session *s, const cli_texts *arguments)
{
    json_t *all = read_connectors(s, arguments), *body;
    const char *name;
    json_object_foreach(all, name, body)
    {
        json_t *config = json_object_get(body, "config");
        json_object_set(config, "name", json_object_get(body, "name"));
        if (is_valid(s, name, config, s->options->json) && !s->options->json) {
            printf("%s: valid\n", name);
        }
    }
    json_decref(all);
}

/* --- Making. --- */

static const char *first_state(const session *s, const json_t *body)
{
    const char *state =
        s->options->state != NULL ? s->options->state : text_of(body, "initial_state");
    return state[0] == '\0' ? "RUNNING" : state;
}

static void create(session *s, json_t *body)
{
    rest_answer answer;
    const char *name = text_of(body, "name");
    if (s->options->state != NULL) {
        json_object_set_new(body, "initial_state", json_string(s->options->state));
    }
    bool done = s->options->update ? ask_about(s, "PUT", name, "/config",
                                               json_object_get(body, "config"), &answer)
                                   : ask(s, "POST", "/connectors", body, &answer);
    if (done && s->options->json) {
        print_json(answer.body);
    } else if (done) {
        printf("%s: %s\n", name, answer.status == 201 ? "created" : "updated");
    }
    if (done && s->options->wait) {
        await(s, name, answer.status == 201 ? first_state(s, body) : "RUNNING");
    }
    rest_answer_done(&answer);
}

void do_create(session *s, const cli_texts *arguments)
{
    json_t *all = read_connectors(s, arguments), *body;
    const char *name;
    json_object_foreach(all, name, body)
    {
        create(s, body);
    }
    json_decref(all);
}
