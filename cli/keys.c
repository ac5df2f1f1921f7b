/* The broker's and the worker's tables of keys as pages of the manual. */
#include "keys.h"
#include "base/buffer.h"
#include "broker/config/setting_doc.h"
#include "broker/config/topic_config.h"
#include "markdown.h"
#include "plugin/describe.h"
#include "worker/config/worker_config.h"
#include "worker/host/common_config.h"
#include "worker/rest/tls.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const char *type_name(config_type type)
{
    static const char *const names[] = {
        [CONFIG_BOOLEAN] = "BOOLEAN",  [CONFIG_STRING] = "STRING",
        [CONFIG_INT] = "INT",          [CONFIG_SHORT] = "SHORT",
        [CONFIG_LONG] = "LONG",        [CONFIG_DOUBLE] = "DOUBLE",
        [CONFIG_LIST] = "LIST",        [CONFIG_CLASS] = "CLASS",
        [CONFIG_PASSWORD] = "PASSWORD"};
    return names[type];
}

/* The caller's; "" where anything goes. */
static char *allowed_of(const setting *key)
{
    buffer text = BUFFER_INIT;
    int64_t highest = key->type == CONFIG_LONG ? INT64_MAX : INT32_MAX;
    for (size_t i = 0; key->choices != NULL && key->choices[i] != NULL; i++) {
        buffer_print(&text, "%s%s", i == 0 ? "" : ", ", key->choices[i]);
    }
    if (key->choices == NULL && key->max == highest) {
        buffer_print(&text, "at least %" PRId64, key->min);
    } else if (key->choices == NULL && (key->min != 0 || key->max != 0)) {
        buffer_print(&text, "%" PRId64 " to %" PRId64, key->min, key->max);
    }
    return buffer_take(&text, NULL);
}

static json_t *describe_setting(const setting *key, const char *group)
{
    const char *doc = setting_doc(key->name);
    return json_pack("{s:s, s:s, s:s?, s:s, s:s}", "name", key->name, "type",
                     type_name(key->type), "default_value", key->initial,
                     "documentation", doc == NULL ? "" : doc, "group", group);
}

/* A table of settings in the form of describe_table(). */
static json_t *describe_settings(const setting *table, const char *group)
{
    json_t *keys = json_array(), *allowed = json_object(), *unused = json_object();
    for (const setting *key = table; key->name != NULL; key++) {
        if (key->ignored != NULL) {
            json_object_set_new(unused, key->name, json_string(key->ignored));
            continue;
        }
        char *text = allowed_of(key);
        json_array_append_new(keys, describe_setting(key, group));
        json_object_set_new(allowed, key->name, json_string(text));
        free(text);
    }
    return json_pack("{s:o, s:o, s:o}", "keys", keys, "allowed", allowed, "unused",
                     unused);
}

static void print_settings(const setting *table, const char *group)
{
    json_t *described = describe_settings(table, group);
    markdown_keys(described);
    json_decref(described);
}

void keys_print_broker(void)
{
    printf(
        "# Configuration of the broker\n\n"
        "The keys of `sluice broker` are Kafka's, in a `server.properties` or as "
        "`-o KEY=VALUE`.\nTopics have keys of their own, which `sluice topics create "
        "--config` and Kafka's tools set;\nthey go before the broker's defaults. "
        "`sluice broker --keys` prints this page.\n");
    print_settings(broker_config_keys, "The broker's keys");
    print_settings(topic_config_keys, "A topic's keys");
}

static void print_table(const sluice_config *table)
{
    json_t *described = describe_table(table);
    markdown_keys(described);
    json_decref(described);
}

void keys_print_worker(void)
{
    printf(
        "# Configuration of the worker and of every connector\n\n"
        "The keys of a worker's `.properties` file are Kafka Connect's. Others go on "
        "to those who\nread them: `producer.`, `consumer.` and `admin.` to the "
        "clients, `key.converter.` and\n`value.converter.` to the converters. "
        "`sluice standalone --keys` prints this page.\n");
    print_table(&worker_config_table);
    printf(
        "\n# https:// listeners\n\nOf `listeners` as they are or, where there is any "
        "such key, behind `listeners.https.`;\nof `admin.listeners` behind "
        "`admin.listeners.https.`.\n");
    print_table(&tls_config_table);
    printf(
        "\n# Every source\n\nBesides the keys of its [plugin](plugins/README.md).\n");
    print_table(&source_common_table);
    printf("\n# Every sink\n\nBesides the keys of its [plugin](plugins/README.md).\n");
    print_table(&sink_common_table);
    printf(
        "\n# Every transformation\n\nBehind `transforms.ALIAS.`, besides its own.\n");
    print_table(&transform_common_table);
    printf("\n# Every predicate\n\nBehind `predicates.ALIAS.`, besides its own.\n");
    print_table(&predicate_common_table);
}
