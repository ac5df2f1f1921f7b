/* sluice topics: lists, describes, creates and deletes topics; kafka-topics with its
 * options. */
#include "client.h"
#include "command.h"
#include <fnmatch.h>
#include <jansson.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

typedef struct topics_options {
    cli_connection connection;
    bool list, describe, create, delete;
    const char *topic;
    int64_t partitions, replication_factor;
    cli_texts config;
    bool if_exists, if_not_exists, exclude_internal;
    bool offsets, json;
} topics_options;

static const cli_option options[] = {
    CLI_CONNECTION_OPTIONS(topics_options),
    {"list", 0, CLI_FLAG, NULL, "Lists the topics, as `sluice topics list` does.", 0, 0,
     CLI_AT(bool, topics_options, list)},
    {"describe", 0, CLI_FLAG, NULL, "Describes topics.", 0, 0,
     CLI_AT(bool, topics_options, describe)},
    {"create", 0, CLI_FLAG, NULL, "Creates a topic.", 0, 0,
     CLI_AT(bool, topics_options, create)},
    {"delete", 0, CLI_FLAG, NULL, "Deletes a topic.", 0, 0,
     CLI_AT(bool, topics_options, delete)},
    {"topic", 0, CLI_TEXT, "TOPIC",
     "The topic; for list and describe a regular expression.", 0, 0,
     CLI_AT(const char *, topics_options, topic)},
    {"partitions", 0, CLI_NUMBER, "N", "How many partitions a created topic gets.", 1,
     100000, CLI_AT(int64_t, topics_options, partitions)},
    {"replication-factor", 0, CLI_NUMBER, "N",
     "How many replicas a created topic gets.", 1, 100,
     CLI_AT(int64_t, topics_options, replication_factor)},
    {"config", 0, CLI_TEXTS, "KEY=VALUE",
     "A setting of a created topic; may be repeated.", 0, 0,
     CLI_AT(cli_texts, topics_options, config)},
    {"if-exists", 0, CLI_FLAG, NULL,
     "Deleting a topic that is not there is no failure.", 0, 0,
     CLI_AT(bool, topics_options, if_exists)},
    {"if-not-exists", 0, CLI_FLAG, NULL,
     "Creating a topic that is there is no failure.", 0, 0,
     CLI_AT(bool, topics_options, if_not_exists)},
    {"exclude-internal", 0, CLI_FLAG, NULL,
     "Leaves __consumer_offsets and the like out.", 0, 0,
     CLI_AT(bool, topics_options, exclude_internal)},
    {"offsets", 0, CLI_FLAG, NULL,
     "With list: the earliest and the latest offset of every partition.", 0, 0,
     CLI_AT(bool, topics_options, offsets)},
    {"json", 0, CLI_FLAG, NULL, "Prints JSON, for list and describe.", 0, 0,
     CLI_AT(bool, topics_options, json)},
    {.name = NULL},
};

static const cli_usage usage = {
    .synopsis = "sluice topics list|describe|create|delete [TOPIC…] [OPTION…]",
    .doc =
        "Lists, describes, creates and deletes topics. Called as kafka-topics it takes "
        "--list, --describe, --create or --delete instead of the first word, and "
        "--topic "
        "instead of the others.",
    .options = options,
    .examples =
        "  sluice topics list --offsets\n"
        "  sluice topics create orders --partitions 4 --config retention.ms=60000\n"
        "  kafka-topics --bootstrap-server 127.0.0.1:9092 --describe --topic orders\n",
};

typedef struct listing {
    rd_kafka_t *client;
    const topics_options *options;
    const cli_texts *names; /* Empty: all. */
    regex_t pattern;
    bool has_pattern;
} listing;

static bool is_internal(const char *topic)
{
    return strncmp(topic, "__", 2) == 0;
}

static bool wanted(const listing *self, const char *topic)
{
    if (self->options->exclude_internal && is_internal(topic)) {
        return false;
    }
    if (self->has_pattern) {
        return regexec(&self->pattern, topic, 0, NULL, 0) == 0;
    }
    for (size_t i = 0; i < self->names->count; i++) {
        if (fnmatch(self->names->items[i], topic, 0) == 0) {
            return true;
        }
    }
    return self->names->count == 0;
}

static int compare_topics(const void *one, const void *other)
{
    return strcmp(((const rd_kafka_metadata_topic_t *)one)->topic,
                  ((const rd_kafka_metadata_topic_t *)other)->topic);
}

static json_t *partition_json(const listing *self, const char *topic,
                              const rd_kafka_metadata_partition_t *partition)
{
    json_t *object =
        json_pack("{s:i,s:i}", "partition", partition->id, "leader", partition->leader);
    int64_t earliest = 0, latest = 0;
    if (self->options->offsets &&
        rd_kafka_query_watermark_offsets(self->client, topic, partition->id, &earliest,
                                         &latest, CLI_TIMEOUT_MS) ==
            RD_KAFKA_RESP_ERR_NO_ERROR) {
        json_object_set_new(object, "earliest", json_integer(earliest));
        json_object_set_new(object, "latest", json_integer(latest));
    }
    return object;
}

static json_t *topic_json(const listing *self, const rd_kafka_metadata_topic_t *topic)
{
    json_t *partitions = json_array();
    for (int i = 0; i < topic->partition_cnt; i++) {
        json_array_append_new(
            partitions, partition_json(self, topic->topic, &topic->partitions[i]));
    }
    return json_pack("{s:s,s:o}", "name", topic->topic, "partitions", partitions);
}

static void print_topic(const listing *self, const rd_kafka_metadata_topic_t *topic)
{
    printf("%s\n", topic->topic);
    for (int i = 0; self->options->offsets && i < topic->partition_cnt; i++) {
        int64_t earliest = -1, latest = -1;
        int32_t id = topic->partitions[i].id;
        rd_kafka_query_watermark_offsets(self->client, topic->topic, id, &earliest,
                                         &latest, CLI_TIMEOUT_MS);
        printf("  partition %d: %lld to %lld\n", id, (long long)earliest,
               (long long)latest);
    }
}

static void print_ids(const char *label, const int32_t *ids, int count)
{
    printf("\t%s: ", label);
    for (int i = 0; i < count; i++) {
        printf("%s%d", i > 0 ? "," : "", ids[i]);
    }
}

static rd_kafka_AdminOptions_t *admin_options(rd_kafka_t *client)
{
    rd_kafka_AdminOptions_t *admin =
        rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_ANY);
    char text[256];
    rd_kafka_AdminOptions_set_request_timeout(admin, CLI_TIMEOUT_MS, text, sizeof text);
    return admin;
}

/* What the topic or the broker's file says, as Kafka's tool shows it. */
static void print_entries(const rd_kafka_ConfigResource_t *resource)
{
    size_t count = 0, shown = 0;
    const rd_kafka_ConfigEntry_t **entries =
        rd_kafka_ConfigResource_configs(resource, &count);
    for (size_t i = 0; i < count; i++) {
        const char *value = rd_kafka_ConfigEntry_value(entries[i]);
        if (!rd_kafka_ConfigEntry_is_default(entries[i]) && value != NULL) {
            printf("%s%s=%s", shown++ > 0 ? "," : "",
                   rd_kafka_ConfigEntry_name(entries[i]), value);
        }
    }
}

static void print_configs(rd_kafka_t *client, const char *topic)
{
    rd_kafka_ConfigResource_t *asked =
        rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);
    rd_kafka_AdminOptions_t *admin = admin_options(client);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
    rd_kafka_DescribeConfigs(client, &asked, 1, admin, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, CLI_TIMEOUT_MS + 5000);
    const rd_kafka_DescribeConfigs_result_t *result =
        event == NULL ? NULL : rd_kafka_event_DescribeConfigs_result(event);
    size_t count = 0;
    const rd_kafka_ConfigResource_t **resources =
        result == NULL ? NULL
                       : rd_kafka_DescribeConfigs_result_resources(result, &count);
    if (count > 0) {
        print_entries(resources[0]);
    }
    rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_AdminOptions_destroy(admin);
    rd_kafka_ConfigResource_destroy(asked);
}

static void describe_topic(const listing *self, const rd_kafka_metadata_topic_t *topic)
{
    int replicas = topic->partition_cnt > 0 ? topic->partitions[0].replica_cnt : 0;
    printf("Topic: %s\tPartitionCount: %d\tReplicationFactor: %d\tConfigs: ",
           topic->topic, topic->partition_cnt, replicas);
    print_configs(self->client, topic->topic);
    printf("\n");
    for (int i = 0; i < topic->partition_cnt; i++) {
        const rd_kafka_metadata_partition_t *partition = &topic->partitions[i];
        printf("\tTopic: %s\tPartition: %d", topic->topic, partition->id);
        if (partition->leader < 0) {
            printf("\tLeader: none");
        } else {
            printf("\tLeader: %d", partition->leader);
        }
        print_ids("Replicas", partition->replicas, partition->replica_cnt);
        print_ids("Isr", partition->isrs, partition->isr_cnt);
        printf("\n");
    }
}

/* The topics that are there and wanted, in order. */
static sluice_status show(listing *self, bool describe, sluice_error *err)
{
    const rd_kafka_metadata_t *metadata = NULL;
    sluice_status status = cli_metadata(self->client, NULL, &metadata, err);
    if (status != SLUICE_OK) {
        return status;
    }
    qsort(metadata->topics, (size_t)metadata->topic_cnt, sizeof *metadata->topics,
          compare_topics);
    json_t *all = json_array();
    size_t shown = 0;
    for (int i = 0; i < metadata->topic_cnt; i++) {
        const rd_kafka_metadata_topic_t *topic = &metadata->topics[i];
        if (!wanted(self, topic->topic)) {
            continue;
        }
        shown++;
        if (self->options->json) {
            json_array_append_new(all, topic_json(self, topic));
        } else if (describe) {
            describe_topic(self, topic);
        } else {
            print_topic(self, topic);
        }
    }
    if (self->options->json) {
        json_dumpf(all, stdout, JSON_COMPACT);
        printf("\n");
    }
    json_decref(all);
    rd_kafka_metadata_destroy(metadata);
    const char *name = self->options->topic != NULL ? self->options->topic
                       : self->names->count > 0     ? self->names->items[0]
                                                    : NULL;
    if (describe && shown == 0 && name != NULL) {
        return sluice_fail(err, SLUICE_FATAL, "Topic '%s' does not exist as expected",
                           name);
    }
    return SLUICE_OK;
}

static sluice_status show_topics(rd_kafka_t *client, const topics_options *given,
                                 const cli_texts *names, bool describe,
                                 sluice_error *err)
{
    listing self = {.client = client, .options = given, .names = names};
    if (given->topic != NULL) {
        char *whole = NULL;
        if (asprintf(&whole, "^(%s)$", given->topic) < 0 ||
            regcomp(&self.pattern, whole, REG_EXTENDED | REG_NOSUB) != 0) {
            free(whole);
            return sluice_fail(err, SLUICE_BAD_CONFIG,
                               "--topic is '%s': not a regular expression",
                               given->topic);
        }
        free(whole);
        self.has_pattern = true;
    }
    sluice_status status = show(&self, describe, err);
    if (self.has_pattern) {
        regfree(&self.pattern);
    }
    return status;
}

/* Waits for the one result of an admin call. */
static sluice_status admin_result(rd_kafka_queue_t *queue, bool create, bool lenient,
                                  const char *topic, sluice_error *err)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, CLI_TIMEOUT_MS + 5000);
    if (event == NULL || rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        const char *why =
            event == NULL ? "no answer" : rd_kafka_event_error_string(event);
        sluice_fail(err, SLUICE_RETRY, "topic '%s': %s", topic, why);
        rd_kafka_event_destroy(event);
        return SLUICE_RETRY;
    }
    size_t count = 0;
    const rd_kafka_topic_result_t **results =
        create ? rd_kafka_CreateTopics_result_topics(
                     rd_kafka_event_CreateTopics_result(event), &count)
               : rd_kafka_DeleteTopics_result_topics(
                     rd_kafka_event_DeleteTopics_result(event), &count);
    rd_kafka_resp_err_t code = count > 0 ? rd_kafka_topic_result_error(results[0])
                                         : RD_KAFKA_RESP_ERR__BAD_MSG;
    rd_kafka_resp_err_t tolerated = create ? RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS
                                           : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    sluice_status status = SLUICE_OK;
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR && !(lenient && code == tolerated)) {
        const char *text =
            count > 0 ? rd_kafka_topic_result_error_string(results[0]) : NULL;
        status = sluice_fail(err, SLUICE_FATAL, "%s",
                             text != NULL ? text : rd_kafka_err2str(code));
    } else if (create && code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        printf("Created topic %s.\n", topic);
    }
    rd_kafka_event_destroy(event);
    return status;
}

static sluice_status set_configs(rd_kafka_NewTopic_t *topic, const cli_texts *configs,
                                 sluice_error *err)
{
    for (size_t i = 0; i < configs->count; i++) {
        const char *equals = strchr(configs->items[i], '=');
        char name[128];
        if (equals == NULL || (size_t)(equals - configs->items[i]) >= sizeof name) {
            return sluice_fail(err, SLUICE_BAD_CONFIG,
                               "--config is '%s': must be key=value",
                               configs->items[i]);
        }
        snprintf(name, sizeof name, "%.*s", (int)(equals - configs->items[i]),
                 configs->items[i]);
        rd_kafka_NewTopic_set_config(topic, name, equals + 1);
    }
    return SLUICE_OK;
}

static sluice_status create_topic(rd_kafka_t *client, const topics_options *given,
                                  const char *name, sluice_error *err)
{
    char text[512];
    rd_kafka_NewTopic_t *topic =
        rd_kafka_NewTopic_new(name, (int)given->partitions,
                              (int)given->replication_factor, text, sizeof text);
    if (topic == NULL) {
        return sluice_fail(err, SLUICE_BAD_CONFIG, "topic '%s': %s", name, text);
    }
    sluice_status status = set_configs(topic, &given->config, err);
    if (status == SLUICE_OK) {
        rd_kafka_AdminOptions_t *admin = admin_options(client);
        rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
        rd_kafka_CreateTopics(client, &topic, 1, admin, queue);
        status = admin_result(queue, true, given->if_not_exists, name, err);
        rd_kafka_queue_destroy(queue);
        rd_kafka_AdminOptions_destroy(admin);
    }
    rd_kafka_NewTopic_destroy(topic);
    return status;
}

static sluice_status delete_topic(rd_kafka_t *client, const topics_options *given,
                                  const char *name, sluice_error *err)
{
    rd_kafka_DeleteTopic_t *topic = rd_kafka_DeleteTopic_new(name);
    rd_kafka_AdminOptions_t *admin = admin_options(client);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
    rd_kafka_DeleteTopics(client, &topic, 1, admin, queue);
    sluice_status status = admin_result(queue, false, given->if_exists, name, err);
    rd_kafka_queue_destroy(queue);
    rd_kafka_AdminOptions_destroy(admin);
    rd_kafka_DeleteTopic_destroy(topic);
    return status;
}

static sluice_status change(rd_kafka_t *client, const topics_options *given,
                            const cli_texts *names, sluice_error *err)
{
    const char *const one[] = {given->topic};
    cli_texts all = *names;
    if (given->topic != NULL) {
        all = (cli_texts){1, (const char **)one};
    }
    if (all.count == 0) {
        return sluice_fail(err, SLUICE_BAD_CONFIG, "no topic is named: give one");
    }
    sluice_status status = SLUICE_OK;
    for (size_t i = 0; i < all.count && status == SLUICE_OK; i++) {
        status = given->create ? create_topic(client, given, all.items[i], err)
                               : delete_topic(client, given, all.items[i], err);
    }
    return status;
}

/* Takes the first word as the action, unless an option was it. */
static bool choose_action(topics_options *given, cli_texts *arguments)
{
    if (given->list + given->describe + given->create + given->delete > 0) {
        return given->list + given->describe + given->create + given->delete == 1;
    }
    if (arguments->count == 0) {
        return false;
    }
    const char *word = arguments->items[0];
    given->list = strcmp(word, "list") == 0;
    given->describe = strcmp(word, "describe") == 0;
    given->create = strcmp(word, "create") == 0;
    given->delete = strcmp(word, "delete") == 0;
    memmove(arguments->items, arguments->items + 1,
            --arguments->count * sizeof *arguments->items);
    return given->list || given->describe || given->create || given->delete;
}

static int run_action(const topics_options *given, const cli_texts *names)
{
    static const char *const none[] = {NULL};
    sluice_error *err = sluice_error_new();
    rd_kafka_t *client = NULL;
    sluice_status status =
        cli_client_new(&given->connection, RD_KAFKA_PRODUCER, none, NULL, &client, err);
    if (status == SLUICE_OK) {
        status = given->list || given->describe
                     ? show_topics(client, given, names, given->describe, err)
                     : change(client, given, names, err);
        rd_kafka_destroy(client);
    }
    if (status != SLUICE_OK) {
        fprintf(stderr, "Error while executing topic command : %s\n",
                sluice_error_text(err));
    }
    sluice_error_free(err);
    return status == SLUICE_OK ? CLI_DONE : CLI_FAILED;
}

static int topics_run(int argc, char **argv)
{
    topics_options given = {.partitions = -1, .replication_factor = -1};
    cli_texts arguments;
    int status;
    if (!cli_begin(&usage, argc, argv, &given, &arguments, &status)) {
        return status;
    }
    if (choose_action(&given, &arguments)) {
        status = run_action(&given, &arguments);
    } else {
        status = cli_misused(&usage, argv[0],
                             "Command must include exactly one action: list, describe, "
                             "create or delete");
    }
    cli_parse_done(&usage, &given, &arguments);
    return status;
}

static const char *const tools[] = {"kafka-topics", NULL};

const cli_command cli_topics = {
    .name = "topics",
    .summary = "lists, describes, creates and deletes topics",
    .tools = tools,
    .run = topics_run,
};
