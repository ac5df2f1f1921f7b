/* A connector's word on offsets that somebody wants to set. */
#include "worker/host/alter_offsets.h"
#include "worker/config/secrets.h"
#include "worker/host/client_settings.h"
#include "worker/host/json_value.h"

typedef sluice_status alter(const void *config, const sluice_offsets *offsets,
                            sluice_error *err);

static sluice_status call(alter *function, const sluice_config *table,
                          const sluice_props *config, const json_t *pairs,
                          sluice_error *err)
{
    void *parsed = NULL;
    sluice_status status = sluice_config_parse(table, config, &parsed, err);
    if (status == SLUICE_OK) {
        sluice_offsets *offsets = offsets_of_json(pairs);
        status = function(parsed, offsets, err);
        sluice_offsets_free(offsets);
        sluice_config_free(table, parsed);
    }
    return status;
}

static sluice_status ask_plugin(const plugin_feature *plugin, const json_t *request,
                                bool *ret_external, sluice_error *err)
{
    alter *function = plugin->is.kind == SLUICE_SOURCE
                          ? plugin->is.ops.source->alter_offsets
                          : plugin->is.ops.sink->alter_offsets;
    *ret_external = function != NULL;
    if (function == NULL) {
        return SLUICE_OK;
    }
    sluice_props *worker = props_of_json(json_object_get(request, "worker"));
    sluice_props *config = props_of_json(json_object_get(request, "config"));
    sluice_status status = host_resolve(worker, config, err);
    if (status == SLUICE_OK) {
        status = call(function, plugin->is.config, config,
                      json_object_get(request, "offsets"), err);
    }
    sluice_props_free(config);
    sluice_props_free(worker);
    return status;
}

sluice_status alter_offsets_ask(host *self, const json_t *request, bool *ret_external,
                                sluice_error *err)
{
    const char *class_name = json_string_value(json_object_get(request, "class"));
    const plugin_feature *plugin = NULL;
    *ret_external = false;
    if (plugins_find_connector(self->plugins, class_name == NULL ? "" : class_name,
                               &plugin, NULL) != SLUICE_OK) {
        return SLUICE_OK; /* Offsets may be mended where the plugin is gone, too. */
    }
    runner_slot_enter(self->page, CONTROL_CALL_CHECK);
    sluice_status status = ask_plugin(plugin, request, ret_external, err);
    runner_slot_enter(self->page, CONTROL_CALL_NONE);
    return status;
}

void alter_offsets_answer(host *self, const json_t *request)
{
    bool external;
    sluice_error *err = sluice_error_new();
    sluice_status status = alter_offsets_ask(self, request, &external, err);
    json_t *answer = json_pack("{s:{s:b}, s:O}", "alter_offsets", "external", external,
                               "id", json_object_get(request, "id"));
    if (status != SLUICE_OK) {
        char *shown = secrets_hidden(sluice_error_text(err));
        json_object_set_new(answer, "error", json_string(shown));
        free(shown);
    }
    channel_send(&self->control, answer);
    sluice_error_free(err);
}
