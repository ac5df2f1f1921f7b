/* /admin/loggers: which loggers have a level of their own. */
#include "base/memory.h"
#include "base/text.h"
#include "state.h"
#include <stdlib.h>
#include <string.h>

static json_t *logger_entry(const herder *self, const char *level)
{
    return json_pack("{s:s, s:I}", "level", level, "last_modified",
                     (json_int_t)(self->now + self->settings.wall_minus_mono));
}

static int compare_texts(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static json_t *sorted_copy(json_t *object)
{
    size_t count = 0;
    const char **names = memory_take((json_object_size(object) + 1) * sizeof *names);
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value)
    {
        names[count++] = name;
    }
    qsort(names, count, sizeof *names, compare_texts);
    json_t *copy = json_object();
    for (size_t i = 0; i < count; i++) {
        json_object_set(copy, names[i], json_object_get(object, names[i]));
    }
    free(names);
    return copy;
}

/* The root's name may be in any case. */
static const char *name_of(const herder_request *request)
{
    return text_equal_nocase(request->name, "root") ? "root" : request->name;
}

static void show_one(herder *self, const herder_request *request)
{
    json_t *own = json_object_get(self->loggers, name_of(request));
    if (own != NULL) {
        act_answer(self, request->id, 200, json_incref(own));
    } else {
        act_fault(self, request->id, 404, "Logger %s not found.", request->name);
    }
}

static void tell_host(herder *self, const host_slot *host, const char *logger,
                      const char *level)
{
    if (host->id != 0 && !host->stopping) {
        act_send(self, host->id,
                 json_pack("{s:{s:s, s:s}}", "logger", "name", logger, "level", level));
    }
}

static void apply(herder *self, const char *name, sluice_level level)
{
    const char *logger = strcmp(name, "root") == 0 ? "" : name;
    const map_entry *entry;
    act_set_level(self, logger, level);
    tell_host(self, &self->inspector, logger, sluice_level_name(level));
    for (size_t at = 0; (entry = map_next(&self->connectors, &at)) != NULL;) {
        const connector *c = entry->value;
        tell_host(self, &c->host, logger, sluice_level_name(level));
    }
}

/* As it is to be shown; NULL: it is none. Kafka's levels that are not ours act as the
 * next one below. */
static const char *parse_level(const char *name, sluice_level *ret_level)
{
    if (text_equal_nocase(name, "FATAL")) {
        *ret_level = SLUICE_ERROR;
        return "FATAL";
    }
    if (text_equal_nocase(name, "ALL")) {
        *ret_level = SLUICE_TRACE;
        return "ALL";
    }
    return sluice_level_parse(name, ret_level) ? sluice_level_name(*ret_level) : NULL;
}

/* What is OFF is turned off again each time, as in Kafka Connect. */
static bool is_at(const json_t *logger, const char *level)
{
    const char *now = json_string_value(json_object_get(logger, "level"));
    return now != NULL && strcmp(now, level) == 0 && strcmp(level, "OFF") != 0;
}

/* The named logger and all whose name begins with its name, as Kafka Connect does;
 * those that have the level already are not named in the answer. */
static void set_level(herder *self, const herder_request *request, const char *word,
                      sluice_level level)
{
    const char *name = name_of(request);
    bool root = strcmp(name, "root") == 0;
    json_t *changed = json_object();
    const char *known;
    json_t *logger;
    json_object_foreach(self->loggers, known, logger)
    {
        if ((root || text_starts(known, name)) && !is_at(logger, word)) {
            json_object_set_new(changed, known, json_null());
        }
    }
    if (!is_at(json_object_get(self->loggers, name), word)) {
        json_object_set_new(changed, name, json_null());
    }
    json_t *sorted = sorted_copy(changed), *names = json_array();
    json_object_foreach(sorted, known, logger)
    {
        json_array_append_new(names, json_string(known));
        json_object_set_new(self->loggers, known, logger_entry(self, word));
        apply(self, known, level);
    }
    json_decref(sorted);
    json_decref(changed);
    if (request->in_cluster) { /* The workers of a group do not say what they did. */
        json_decref(names);
        act_answer(self, request->id, 204, NULL);
    } else {
        act_answer(self, request->id, 200, names);
    }
}

void loggers_request(herder *self, const herder_request *request)
{
    sluice_level level;
    const char *word = json_string_value(json_object_get(request->body, "level"));
    char *trimmed = text_trimmed(word == NULL ? "" : word);
    const char *shown = parse_level(trimmed, &level);
    free(trimmed);
    if (request->operation == herder_loggers) {
        act_answer(self, request->id, 200, sorted_copy(self->loggers));
    } else if (request->operation == herder_logger) {
        show_one(self, request);
    } else if (word == NULL) {
        act_fault(self, request->id, 400,
                  "Desired 'level' parameter was not specified in request.");
    } else if (word[0] == '\0') {
        act_fault(self, request->id, 500, "Illegal null or empty Level name.");
    } else if (shown == NULL) {
        act_fault(self, request->id, 404, "invalid log level '%s'.", word);
    } else {
        set_level(self, request, shown, level);
    }
}
