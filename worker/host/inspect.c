/* A host without a connector: lists plugins, validates. */
#include "worker/host/inspect.h"
#include "base/memory.h"
#include "worker/config/secrets.h"
#include "worker/host/client_settings.h"
#include "worker/host/json_value.h"
#include "worker/host/kafka_client.h"
#include "worker/host/validate.h"
#include <stdlib.h>
#include <string.h>

enum { cluster_timeout_ms = 10 * 1000 };

void inspect_begin(host *self, const json_t *request)
{
    const char *path = json_string_value(
        json_object_get(json_object_get(request, "worker"), "plugin.path"));
    runner_slot_enter(self->page, CONTROL_CALL_LOAD);
    self->plugins = plugins_new(path);
    const json_t *catalog = plugins_catalog(self->plugins);
    runner_slot_enter(self->page, CONTROL_CALL_NONE);
    channel_send(&self->control, json_incref((json_t *)catalog));
}

/* Neither values nor faults show what a configuration refers to. */
static void hide_secrets(json_t *body, const sluice_props *written)
{
    size_t index, number;
    json_t *entry, *fault;
    json_array_foreach(json_object_get(body, "configs"), index, entry)
    {
        json_t *value = json_object_get(entry, "value");
        const char *name = json_string_value(json_object_get(value, "name"));
        const char *shown = json_string_value(json_object_get(value, "value"));
        const char *reference = sluice_props_get(written, name == NULL ? "" : name);
        if (shown != NULL && reference != NULL && strstr(reference, "${") != NULL &&
            strcmp(shown, "[hidden]") != 0) {
            json_object_set_new(value, "value", json_string(reference));
        }
        json_t *faults = json_object_get(value, "errors");
        json_array_foreach(faults, number, fault)
        {
            char *text = secrets_hidden(json_string_value(fault));
            json_array_set_new(faults, number, json_string(text));
            free(text);
        }
    }
}

static json_t *fault_of(const sluice_error *err)
{
    char *text = secrets_hidden(sluice_error_text(err));
    json_t *fault = json_string(text);
    free(text);
    return fault;
}

static void watch(plugin_set *plugins, const char *class_name,
                  const sluice_props *config)
{
    const plugin_feature *plugin;
    if (class_name != NULL &&
        plugins_find_connector(plugins, class_name, &plugin, NULL) == SLUICE_OK) {
        secrets_watch_keys(plugin->is.config, config);
    }
}

void inspect_validate(host *self, const json_t *request)
{
    const char *class_name = json_string_value(json_object_get(request, "class"));
    sluice_props *config = props_of_json(json_object_get(request, "config"));
    sluice_props *written = props_below(config, "");
    sluice_error *err = sluice_error_new();
    json_t *body = NULL;
    bool shows = json_object_get(request, "definitions") == NULL;
    runner_slot_enter(self->page, CONTROL_CALL_CHECK);
    sluice_props *worker = props_of_json(json_object_get(request, "worker"));
    sluice_status status = host_resolve(worker, config, err);
    watch(self->plugins, class_name, config);
    if (status == SLUICE_OK) {
        status = validate_connector(self->plugins, class_name == NULL ? "" : class_name,
                                    config, shows ? worker : NULL, &body, err);
    }
    sluice_props_free(worker);
    runner_slot_enter(self->page, CONTROL_CALL_NONE);
    hide_secrets(body, written);
    json_t *answer = json_object();
    json_object_set(answer, "id", json_object_get(request, "id"));
    json_object_set_new(answer, "validated", body == NULL ? json_null() : body);
    if (status != SLUICE_OK) {
        json_object_set_new(answer, "error", fault_of(err));
    }
    channel_send(&self->control, answer);
    sluice_error_free(err);
    sluice_props_free(config);
    sluice_props_free(written);
}

typedef struct cluster_question {
    channel *control;
    sluice_props *settings;
} cluster_question;

static void *ask_cluster(void *argument)
{
    cluster_question *question = argument;
    sluice_error *err = sluice_error_new();
    char *id = NULL;
    json_t *answer;
    if (kafka_cluster_id(question->settings, cluster_timeout_ms, &id, err) ==
        SLUICE_OK) {
        answer = json_pack("{s:s}", "id", id);
    } else {
        answer = json_pack("{s:o}", "error", fault_of(err));
    }
    channel_send(question->control, json_pack("{s:o}", "cluster", answer));
    free(id);
    sluice_error_free(err);
    sluice_props_free(question->settings);
    free(question);
    return NULL;
}

void inspect_cluster(host *self, const json_t *worker)
{
    sluice_props *none = sluice_props_new();
    sluice_props *properties = props_of_json(worker);
    cluster_question *question = memory_zero(sizeof *question);
    question->control = &self->control;
    question->settings = client_settings_layers(CLIENT_ADMIN, properties, none, none);
    sluice_props_free(properties);
    sluice_props_free(none);
    if (self->asking) {
        pthread_join(self->asker, NULL);
    }
    self->asking = pthread_create(&self->asker, NULL, ask_cluster, question) == 0;
    if (!self->asking) {
        sluice_props_free(question->settings);
        free(question);
    }
}
