/* Which settings of its clients a connector may set itself. */
#include "worker/host/overrides.h"
#include "base/memory.h"
#include "base/text.h"
#include "worker/host/client_definitions.h"
#include "worker/host/java_order.h"
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

typedef struct override_kind {
    const char *prefix;
    client_kind client;
} override_kind;

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

/* A setting that no client of Kafka's declares. */
static void add_unknown(entries *self, const char *name, const char *setting,
                        const char *value)
{
    json_t *shown = value == NULL        ? json_null()
                    : is_secret(setting) ? json_string("[hidden]")
                                         : json_string(value);
    entries_add_one(self, json_pack("{s:n, s:{s:s, s:o, s:[], s:[], s:b}}",
                                    "definition", "value", "name", name, "value", shown,
                                    "recommended_values", "errors", "visible", 1));
}

static void fault_type(entries *self, const char *name, const char *value)
{
    const json_t *type = json_object_get(entries_definition(self, name), "type");
    char *text =
        memory_print("Invalid value %s for configuration %s: Not a value of type %s",
                     value, name, json_string_value(type));
    entries_fault(self, name, text);
    free(text);
}

/* With a fault where the value is not of its type: Kafka Connect then fails as a whole.
 */
static void add_known(entries *self, const char *name, const override_kind *kind,
                      const sluice_key *key)
{
    enum { field_bytes_max = 32 };
    const sluice_key keys[] = {*key, {0}};
    const sluice_config table = {.size = sizeof table,
                                 .key_size = sizeof *keys,
                                 .struct_size = field_bytes_max,
                                 .keys = keys};
    const char *value = sluice_props_get(self->config, name);
    sluice_props *props = sluice_props_new();
    void *parsed = NULL;
    sluice_props_set(props, key->name, value);
    entries_add(self, &table, props, kind->prefix, NULL);
    if (value != NULL &&
        sluice_config_parse(&table, props, &parsed, NULL) != SLUICE_OK) {
        fault_type(self, name, value);
    }
    if (parsed != NULL) {
        sluice_config_free(&table, parsed);
    }
    sluice_props_free(props);
}

static void check_one(entries *self, const override_kind *kind, const char *setting,
                      const char *policy)
{
    char *name = memory_print("%s%s", kind->prefix, setting);
    const char *value = sluice_props_get(self->config, name);
    const sluice_key *key = client_definition_find(kind->client, setting);
    if (key == NULL) {
        add_unknown(self, name, setting, value);
    } else {
        add_known(self, name, kind, key);
    }
    if (value == NULL) {
        entries_fault(self, name, entries_null_text);
    }
    if (!allows(policy, setting)) {
        char *text = memory_print("The '%s' policy does not allow '%s' to be "
                                  "overridden in the connector configuration.",
                                  policy, setting);
        entries_fault(self, name, text);
        free(text);
    }
    free(name);
}

/* In the order of Kafka Connect, which goes through two maps. */
static void check_kind(entries *self, const override_kind *kind, const char *policy)
{
    size_t total = sluice_props_count(self->config), count = 0;
    size_t len = strlen(kind->prefix);
    const char **names = memory_take((total + 1) * sizeof *names);
    for (size_t i = 0; i < total; i++) {
        names[i] = sluice_props_name(self->config, i);
    }
    java_order(names, total, true);
    for (size_t i = 0; i < total; i++) {
        if (text_starts(names[i], kind->prefix) && names[i][len] != '\0') {
            names[count++] = names[i] + len;
        }
    }
    java_order(names, count, false);
    for (size_t i = 0; i < count; i++) {
        check_one(self, kind, names[i], policy);
    }
    free(names);
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
    static const override_kind producer = {"producer.override.", CLIENT_PRODUCER};
    static const override_kind consumer = {"consumer.override.", CLIENT_CONSUMER};
    static const override_kind admin = {"admin.override.", CLIENT_ADMIN};
    if (is_source || dead_letters) {
        check_kind(self, &producer, policy);
    }
    if (!is_source) {
        check_kind(self, &consumer, policy);
    }
    if (dead_letters || (is_source && creates_topics(self->config))) {
        check_kind(self, &admin, policy);
    }
}
