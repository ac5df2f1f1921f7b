/* Answers what the worker asks about a sink's offsets. */
#include "worker/host/group_offsets.h"
#include "worker/config/secrets.h"
#include "worker/host/alter_offsets.h"
#include "worker/host/client_settings.h"
#include "worker/host/json_value.h"
#include "worker/host/kafka_groups.h"
#include <stdio.h>
#include <string.h>

static sluice_props *settings_of(const json_t *request)
{
    sluice_props *worker = props_of_json(json_object_get(request, "worker"));
    sluice_props *config = props_of_json(json_object_get(request, "config"));
    sluice_props *derived = sluice_props_new();
    sluice_props *settings =
        client_settings_layers(CLIENT_ADMIN, worker, config, derived);
    sluice_props_free(worker);
    sluice_props_free(config);
    sluice_props_free(derived);
    return settings;
}

static sluice_status carry_out(const json_t *request, json_t **ret_offsets,
                               char *ret_code, sluice_error *err)
{
    const char *action = json_string_value(json_object_get(request, "action"));
    const char *group = json_string_value(json_object_get(request, "group"));
    if (action == NULL || group == NULL) {
        return sluice_fail(err, SLUICE_FATAL, "the question has no action or no group");
    }
    sluice_props *settings = settings_of(request);
    sluice_status status;
    if (strcmp(action, "list") == 0) {
        status = kafka_groups_list(settings, group, ret_offsets, ret_code, err);
    } else if (strcmp(action, "alter") == 0) {
        status = kafka_groups_alter(settings, group,
                                    json_object_get(request, "offsets"), ret_code, err);
    } else {
        status = kafka_groups_delete(settings, group, ret_code, err);
    }
    sluice_props_free(settings);
    return status;
}

void group_offsets_answer(host *self, const json_t *request)
{
    json_t *offsets = NULL;
    bool external = false;
    char code[KAFKA_GROUPS_CODE_SIZE] = "";
    sluice_error *err = sluice_error_new();
    sluice_status status = SLUICE_OK;
    if (json_object_get(request, "offsets") != NULL) {
        status = alter_offsets_ask(self, request, &external, err);
        snprintf(code, sizeof code, "%s", status == SLUICE_OK ? "" : "REFUSED");
    }
    if (status == SLUICE_OK) {
        status = carry_out(request, &offsets, code, err);
    }
    json_t *answer = json_pack("{s:o, s:b, s:O}", "group_offsets",
                               offsets == NULL ? json_null() : offsets, "external",
                               external, "id", json_object_get(request, "id"));
    if (status != SLUICE_OK) {
        char *shown = secrets_hidden(sluice_error_text(err));
        json_object_set_new(answer, "error", json_string(shown));
        free(shown);
        json_object_set_new(answer, "code", json_string(code));
    }
    channel_send(&self->control, answer);
    sluice_error_free(err);
}
