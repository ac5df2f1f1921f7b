/* The list of what is to be done, filled by the verbs of state.h. */
#include "base/memory.h"
#include "metrics.h"
#include "state.h"
#include <stdarg.h>
#include <stdlib.h>

void herder_actions_clear(herder_actions *actions)
{
    for (size_t i = 0; i < actions->count; i++) {
        json_decref(actions->items[i].json);
        free(actions->items[i].text);
        herder_free(actions->items[i].snapshot);
    }
    actions->count = 0;
}

void herder_actions_done(herder_actions *actions)
{
    herder_actions_clear(actions);
    free(actions->items);
    *actions = (herder_actions){0};
}

static herder_action *act(herder *self, herder_action_type type, uint64_t id)
{
    herder_actions *list = self->actions;
    if (list->count == list->room) {
        list->room = list->room == 0 ? 8 : 2 * list->room;
        list->items = memory_resize(list->items, list->room * sizeof *list->items);
    }
    herder_action *action = &list->items[list->count++];
    *action = (herder_action){.type = type, .id = id};
    return action;
}

void act_fork(herder *self, uint64_t id, const char *title, const herder_limits *limits,
              bool is_inspector)
{
    herder_action *action = act(self, herder_fork, id);
    action->text = memory_text(title);
    action->limits = *limits;
    action->number = is_inspector;
}

void act_send(herder *self, uint64_t host, json_t *line_taken)
{
    act(self, herder_send, host)->json = line_taken;
}

void act_kill(herder *self, uint64_t host, int signal)
{
    act(self, herder_kill, host)->number = signal;
}

uint64_t act_store_offsets(herder *self, const char *name, json_t *pairs)
{
    herder_action *action = act(self, herder_store_offsets, ++self->last_id);
    action->text = memory_text(name);
    action->json = json_incref(pairs);
    return action->id;
}

uint64_t act_store_config(herder *self, const connector *c)
{
    static const char *const names[] = {"STARTED", "PAUSED", "STOPPED"};
    herder_action *action = act(self, herder_store_config, ++self->last_id);
    action->text = memory_text(c->name);
    action->json =
        json_pack("{s:O, s:s}", "config", c->config, "target", names[c->target]);
    return action->id;
}

uint64_t act_forget_config(herder *self, const char *name)
{
    herder_action *action = act(self, herder_store_config, ++self->last_id);
    action->text = memory_text(name);
    return action->id;
}

void act_answer(herder *self, uint64_t request, int status, json_t *body_taken)
{
    herder_action *action = act(self, herder_answer, request);
    action->number = status;
    action->json = body_taken;
}

void act_answer_metrics(herder *self, uint64_t request)
{
    herder *snapshot = metrics_snapshot(self);
    herder_action *action = act(self, herder_answer_metrics, request);
    action->number = 200;
    action->snapshot = snapshot;
}

void act_fault(herder *self, uint64_t request, int status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *message = memory_vprint(format, arguments);
    va_end(arguments);
    json_t *text = json_string(message);
    if (text == NULL) { /* Not UTF-8. */
        text = json_string("(a message that is not UTF-8)");
    }
    act_answer(self, request, status,
               json_pack("{s:i, s:o}", "error_code", status, "message", text));
    free(message);
}

void act_log(herder *self, sluice_level level, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    herder_action *action = act(self, herder_log, 0);
    action->number = (int)level;
    action->text = memory_vprint(format, arguments);
    va_end(arguments);
}

void act_log_of(herder *self, const connector *c, sluice_level level,
                const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    herder_action *action = act(self, herder_log, 0);
    action->number = (int)level;
    action->json = json_string(c->name);
    action->text = memory_vprint(format, arguments);
    va_end(arguments);
}

void act_answer_logs(herder *self, const herder_request *request)
{
    herder_action *action = act(self, herder_answer_logs, request->id);
    action->number = 200;
    action->text = memory_text(request->name);
    action->json = json_pack("{s:I, s:I}", "lines", (json_int_t)request->lines, "after",
                             (json_int_t)request->after);
}

void act_set_level(herder *self, const char *logger, sluice_level level)
{
    herder_action *action = act(self, herder_set_level, 0);
    action->number = (int)level;
    action->text = memory_text(logger);
}

void act_finished(herder *self)
{
    act(self, herder_finished, 0);
}
