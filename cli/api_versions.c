/* sluice api-versions: which requests brokers speak, in which versions;
 * kafka-broker-api-versions. */
#include "admin.h"
#include "command.h"
#include <jansson.h>

typedef struct versions_options {
    cli_connection connection;
    bool json;
} versions_options;

static const cli_option options[] = {
    CLI_CONNECTION_OPTIONS(versions_options),
    {"json", 0, CLI_FLAG, NULL, "Prints JSON.", 0, 0,
     CLI_AT(bool, versions_options, json)},
    {.name = NULL},
};

static const cli_usage usage = {
    .synopsis = "sluice api-versions [OPTION…]",
    .doc = "Tells for every broker which requests it speaks in which versions, and "
           "the newest version of each that Kafka 4.1's clients would use with it. "
           "Called as kafka-broker-api-versions it is the same.",
    .options = options,
    .examples = "  kafka-broker-api-versions --bootstrap-server 127.0.0.1:9092\n",
};

/* What Kafka's clients know. */
static const struct {
    const char *name;
    int16_t key, min, max;
} known[] = {
#define API_NAME(name, key, min, max) {#name, key, min, max},
#include "api_names.inc"
#undef API_NAME
};
enum { known_count = sizeof known / sizeof *known };

static const char *name_of(int16_t key)
{
    for (size_t i = 0; i < known_count; i++) {
        if (known[i].key == key) {
            return known[i].name;
        }
    }
    return NULL;
}

static const api_versions_response_api *find(const api_versions_response *versions,
                                             int16_t key)
{
    for (size_t i = 0; i < versions->api_keys.count; i++) {
        if (versions->api_keys.items[i].api_key == key) {
            return &versions->api_keys.items[i];
        }
    }
    return NULL;
}

static void print_range(const api_versions_response_api *api)
{
    if (api->min_version == api->max_version) {
        printf("%d", api->min_version);
    } else {
        printf("%d to %d", api->min_version, api->max_version);
    }
}

static void print_known(const api_versions_response *versions, size_t at)
{
    const api_versions_response_api *api = find(versions, known[at].key);
    printf("\t%s(%d): ", known[at].name, known[at].key);
    if (api == NULL) {
        printf("UNSUPPORTED");
        return;
    }
    print_range(api);
    int usable = api->max_version < known[at].max ? api->max_version : known[at].max;
    if (usable < api->min_version || usable < known[at].min) {
        printf(" [unusable: client's range is %d to %d]", known[at].min, known[at].max);
    } else {
        printf(" [usable: %d]", usable);
    }
}

static void print_versions(admin *self, const metadata_response_broker *broker,
                           const api_versions_response *versions)
{
    printf("%s:%d (id: %d rack: %s isFenced: false) -> (\n",
           admin_text(self, broker->host), broker->port, broker->node_id,
           broker->rack.base == NULL ? "null" : admin_text(self, broker->rack));
    for (size_t i = 0; i < known_count; i++) {
        printf("%s", i > 0 ? ",\n" : "");
        print_known(versions, i);
    }
    for (size_t i = 0; i < versions->api_keys.count; i++) {
        const api_versions_response_api *api = &versions->api_keys.items[i];
        if (name_of(api->api_key) == NULL) {
            printf(",\n\tUNKNOWN(%d): ", api->api_key);
            print_range(api);
        }
    }
    printf("\n)\n");
}

static json_t *versions_json(admin *self, const metadata_response_broker *broker,
                             const api_versions_response *versions)
{
    json_t *apis = json_array();
    for (size_t i = 0; i < versions->api_keys.count; i++) {
        const api_versions_response_api *api = &versions->api_keys.items[i];
        json_array_append_new(apis,
                              json_pack("{s:i,s:s*,s:i,s:i}", "key", api->api_key,
                                        "name", name_of(api->api_key), "min",
                                        api->min_version, "max", api->max_version));
    }
    return json_pack("{s:i,s:s,s:i,s:o}", "id", broker->node_id, "host",
                     admin_text(self, broker->host), "port", broker->port, "apis",
                     apis);
}

static sluice_status show(const versions_options *given, sluice_error *err)
{
    admin *client = NULL;
    const metadata_response *metadata = NULL;
    json_t *all = json_array();
    sluice_status status = admin_open(&given->connection, &client, err);
    if (status == SLUICE_OK) {
        status = admin_metadata(client, false, &metadata, err);
    }
    for (size_t i = 0; status == SLUICE_OK && i < metadata->brokers.count; i++) {
        const metadata_response_broker *broker = &metadata->brokers.items[i];
        const api_versions_response *versions = NULL;
        status = admin_api_versions(client, broker->node_id, &versions, err);
        if (status == SLUICE_OK && given->json) {
            json_array_append_new(all, versions_json(client, broker, versions));
        } else if (status == SLUICE_OK) {
            print_versions(client, broker, versions);
        }
    }
    if (status == SLUICE_OK && given->json) {
        json_dumpf(all, stdout, JSON_COMPACT);
        printf("\n");
    }
    json_decref(all);
    admin_close(client);
    return status;
}

static int versions_run(int argc, char **argv)
{
    versions_options given = {0};
    cli_texts arguments;
    int exit_status;
    if (!cli_begin(&usage, argc, argv, &given, &arguments, &exit_status)) {
        return exit_status;
    }
    if (cli_is_kafkas(argv[0]) && given.connection.bootstrap_server == NULL) {
        exit_status = cli_misused(&usage, argv[0],
                                  "Missing required argument \"[bootstrap-server]\"");
    } else {
        sluice_error *err = sluice_error_new();
        sluice_status status = show(&given, err);
        exit_status = cli_ended(status, err);
    }
    cli_parse_done(&usage, &given, &arguments);
    return exit_status;
}

static const char *const tools[] = {"kafka-broker-api-versions", NULL};

const cli_command cli_api_versions = {
    .name = "api-versions",
    .summary = "tells which requests a broker speaks",
    .tools = tools,
    .run = versions_run,
};
