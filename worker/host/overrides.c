/* Which settings of its clients a connector may set itself. */
#include "worker/host/overrides.h"
#include "base/memory.h"
#include "base/text.h"
#include <stdlib.h>
#include <string.h>

static const char policy_key[] = "connector.client.config.override.policy";
static const char package[] = "org.apache.kafka.connect.connector.policy.";
static const char suffix[] = "ConnectorClientConfigOverridePolicy";

const char *overrides_policy(const char *name)
{
    static const char *const policies[] = {"All", "None", "Principal"};
    size_t skipped = text_starts(name, package) ? strlen(package) : 0;
    for (size_t i = 0; i < sizeof policies / sizeof policies[0]; i++) {
        size_t len = strlen(policies[i]);
        const char *rest = name + skipped + len;
        if (strncmp(name + skipped, policies[i], len) == 0 &&
            ((skipped == 0 && *rest == '\0') || strcmp(rest, suffix) == 0)) {
            return policies[i];
        }
    }
    return NULL;
}

static bool allows(const char *policy, const char *setting)
{
    return strcmp(policy, "All") == 0 || (strcmp(policy, "Principal") == 0 &&
                                          (strcmp(setting, "security.protocol") == 0 ||
                                           strcmp(setting, "sasl.jaas.config") == 0 ||
                                           strcmp(setting, "sasl.mechanism") == 0));
}

static bool is_secret(const char *setting)
{
    return text_ends(setting, "password") || strcmp(setting, "sasl.jaas.config") == 0 ||
           strcmp(setting, "ssl.keystore.key") == 0;
}

static void add(entries *self, const char *name, const char *setting, const char *value)
{
    json_t *shown = value == NULL        ? json_null()
                    : is_secret(setting) ? json_string("[hidden]")
                                         : json_string(value);
    entries_add_one(self, json_pack("{s:n, s:{s:s, s:o, s:[], s:[], s:b}}",
                                    "definition", "value", "name", name, "value", shown,
                                    "recommended_values", "errors", "visible", 1));
}

static void check_prefix(entries *self, const char *prefix, const char *policy)
{
    size_t len = strlen(prefix);
    for (size_t i = 0; i < sluice_props_count(self->config); i++) {
        const char *name = sluice_props_name(self->config, i);
        if (!text_starts(name, prefix) || name[len] == '\0') {
            continue;
        }
        add(self, name, name + len, sluice_props_value(self->config, i));
        if (!allows(policy, name + len)) {
            char *text = memory_print("The '%s' policy does not allow '%s' to be "
                                      "overridden in the connector configuration.",
                                      policy, name + len);
            entries_fault(self, name, text);
            free(text);
        }
    }
}

static bool has_dead_letters(const sluice_props *config)
{
    const char *topic = sluice_props_get(config, "errors.deadletterqueue.topic.name");
    return topic != NULL && topic[strspn(topic, " ")] != '\0';
}

static bool creates_topics(const sluice_props *config)
{
    for (size_t i = 0; i < sluice_props_count(config); i++) {
        if (text_starts(sluice_props_name(config, i), "topic.creation.")) {
            return true;
        }
    }
    return false;
}

void overrides_check(entries *self, const sluice_props *worker, bool is_source)
{
    const char *name = worker == NULL ? NULL : sluice_props_get(worker, policy_key);
    const char *policy = name == NULL ? "All" : overrides_policy(name);
    bool dead_letters = !is_source && has_dead_letters(self->config);
    policy = policy == NULL ? "None" : policy; /* The worker has refused such a name. */
    if (is_source || dead_letters) {
        check_prefix(self, "producer.override.", policy);
    }
    if (dead_letters || (is_source && creates_topics(self->config))) {
        check_prefix(self, "admin.override.", policy);
    }
    if (!is_source) {
        check_prefix(self, "consumer.override.", policy);
    }
}
