/* sluice cluster: which cluster a broker belongs to, and what brokers there are;
 * kafka-cluster with its verbs. */
#include "admin.h"
#include "command.h"
#include <jansson.h>
#include <string.h>

typedef struct cluster_options {
    cli_connection connection;
    bool json, include_fenced;
} cluster_options;

static const cli_option options[] = {
    CLI_CONNECTION_OPTIONS(cluster_options),
    {"config", 0, CLI_TEXT, "FILE", NULL, 0, 0,
     CLI_AT(const char *, cluster_options, connection.command_config)},
    {"include-fenced-brokers", 0, CLI_FLAG, NULL,
     "With list-endpoints: brokers too that are there and not in use yet.", 0, 0,
     CLI_AT(bool, cluster_options, include_fenced)},
    {"json", 0, CLI_FLAG, NULL, "Prints JSON.", 0, 0,
     CLI_AT(bool, cluster_options, json)},
    {.name = NULL},
};

static const cli_usage usage = {
    .synopsis = "sluice cluster cluster-id|list-endpoints [OPTION…]",
    .doc = "Tells the id of the cluster that a broker belongs to, or the addresses of "
           "its brokers. Called as kafka-cluster it is the same.",
    .options = options,
    .examples = "  sluice cluster cluster-id\n"
                "  kafka-cluster cluster-id --bootstrap-server 127.0.0.1:9092\n",
};

/* The brokers, as a broker tells them: by DescribeCluster, or by Metadata where the
 * former is not spoken. */
static sluice_status describe(admin *self, bool include_fenced,
                              describe_cluster_response *ret_cluster, sluice_error *err)
{
    if (admin_version(self, ADMIN_ANY, API_DESCRIBE_CLUSTER) >= 0) {
        describe_cluster_request request;
        describe_cluster_request_init(&request);
        request.include_fenced_brokers = include_fenced;
        return admin_call(self, ADMIN_ANY, API_DESCRIBE_CLUSTER, &request, ret_cluster,
                          err);
    }
    const metadata_response *metadata = NULL;
    sluice_status status = admin_metadata(self, false, &metadata, err);
    if (status != SLUICE_OK) {
        return status;
    }
    describe_cluster_response_init(ret_cluster);
    size_t count = metadata->brokers.count;
    describe_cluster_response_broker *brokers =
        sluice_arena_take(admin_arena(self), (count + 1) * sizeof *brokers);
    for (size_t i = 0; i < count; i++) {
        const metadata_response_broker *broker = &metadata->brokers.items[i];
        brokers[i] = (describe_cluster_response_broker){.broker_id = broker->node_id,
                                                        .host = broker->host,
                                                        .port = broker->port,
                                                        .rack = broker->rack};
    }
    ret_cluster->cluster_id = metadata->cluster_id;
    ret_cluster->controller_id = metadata->controller_id;
    ret_cluster->brokers.items = brokers;
    ret_cluster->brokers.count = count;
    return SLUICE_OK;
}

static void print_id(admin *self, const describe_cluster_response *cluster, bool json)
{
    const char *id = admin_text(self, cluster->cluster_id);
    if (json) {
        printf("{\"cluster_id\":\"%s\"}\n", id);
    } else if (id[0] == '\0') {
        printf("No cluster ID found. The Kafka version is probably too old.\n");
    } else {
        printf("Cluster ID: %s\n", id);
    }
}

static void print_endpoints_json(admin *self, const describe_cluster_response *cluster)
{
    json_t *all = json_array();
    for (size_t i = 0; i < cluster->brokers.count; i++) {
        const describe_cluster_response_broker *broker = &cluster->brokers.items[i];
        json_array_append_new(all, json_pack("{s:i,s:s,s:i}", "id", broker->broker_id,
                                             "host", admin_text(self, broker->host),
                                             "port", broker->port));
    }
    json_dumpf(all, stdout, JSON_COMPACT);
    printf("\n");
    json_decref(all);
}

static void print_endpoints(admin *self, const describe_cluster_response *cluster)
{
    int width = 4;
    for (size_t i = 0; i < cluster->brokers.count; i++) {
        int len = (int)cluster->brokers.items[i].host.len;
        width = len > width ? len : width;
    }
    printf("%-10s %-*s %-10s %-10s %-10s %-15s\n", "ID", width, "HOST", "PORT", "RACK",
           "STATE", "ENDPOINT_TYPE");
    for (size_t i = 0; i < cluster->brokers.count; i++) {
        const describe_cluster_response_broker *broker = &cluster->brokers.items[i];
        printf("%-10d %-*s %-10d %-10s %-10s %-15s\n", broker->broker_id, width,
               admin_text(self, broker->host), broker->port,
               broker->rack.base == NULL ? "null" : admin_text(self, broker->rack),
               broker->is_fenced ? "fenced" : "unfenced", "broker");
    }
}

static sluice_status run_verb(const cluster_options *given, bool endpoints,
                              sluice_error *err)
{
    admin *client = NULL;
    describe_cluster_response cluster;
    sluice_status status = admin_open(&given->connection, &client, err);
    if (status == SLUICE_OK) {
        status = describe(client, given->include_fenced, &cluster, err);
    }
    if (status == SLUICE_OK && cluster.error_code != ERROR_NONE) {
        status = admin_refused(err, cluster.error_code, cluster.error_message);
    }
    if (status == SLUICE_OK && !endpoints) {
        print_id(client, &cluster, given->json);
    } else if (status == SLUICE_OK && given->json) {
        print_endpoints_json(client, &cluster);
    } else if (status == SLUICE_OK) {
        print_endpoints(client, &cluster);
    }
    admin_close(client);
    return status;
}

static int cluster_run(int argc, char **argv)
{
    cluster_options given = {0};
    cli_texts arguments;
    int exit_status;
    if (!cli_begin(&usage, argc, argv, &given, &arguments, &exit_status)) {
        return exit_status;
    }
    const char *verb = arguments.count == 1 ? arguments.items[0] : "";
    bool endpoints = strcmp(verb, "list-endpoints") == 0;
    if (!endpoints && strcmp(verb, "cluster-id") != 0) {
        exit_status = cli_misused(&usage, argv[0],
                                  "one action is to be given: cluster-id or "
                                  "list-endpoints");
    } else {
        sluice_error *err = sluice_error_new();
        sluice_status status = run_verb(&given, endpoints, err);
        exit_status = cli_ended(status, err);
    }
    cli_parse_done(&usage, &given, &arguments);
    return exit_status;
}

static const char *const tools[] = {"kafka-cluster", NULL};

const cli_command cli_cluster = {
    .name = "cluster",
    .summary = "tells a cluster's id and its brokers",
    .tools = tools,
    .run = cluster_run,
};
