/* sluice elect-leaders: partitions get the leader that they should have;
 * kafka-leader-election. */
#include "admin.h"
#include "base/text.h"
#include "command.h"
#include "partition_file.h"
#include <string.h>

typedef struct elect_options {
    cli_connection connection;
    const char *type, *topic, *file;
    int64_t partition; /* -1: not given. */
    bool all;
} elect_options;

static const cli_option options[] = {
    CLI_CONNECTION_OPTIONS(elect_options),
    {"admin.config", 0, CLI_TEXT, "FILE", NULL, 0, 0,
     CLI_AT(const char *, elect_options, connection.command_config)},
    {"election-type", 0, CLI_TEXT, "TYPE",
     "preferred: the first replica; unclean: any, if none is in sync.", 0, 0,
     CLI_AT(const char *, elect_options, type)},
    {"topic", 0, CLI_TEXT, "TOPIC", "The topic, with --partition.", 0, 0,
     CLI_AT(const char *, elect_options, topic)},
    {"partition", 0, CLI_NUMBER, "N", "The partition, with --topic.", 0, INT32_MAX,
     CLI_AT(int64_t, elect_options, partition)},
    {"all-topic-partitions", 0, CLI_FLAG, NULL, "All partitions of all topics.", 0, 0,
     CLI_AT(bool, elect_options, all)},
    {"path-to-json-file", 0, CLI_TEXT, "FILE",
     "The partitions in FILE: {\"partitions\": [{\"topic\": \"t\", \"partition\": "
     "0}]}.",
     0, 0, CLI_AT(const char *, elect_options, file)},
    {.name = NULL},
};

static const cli_usage usage = {
    .synopsis = "sluice elect-leaders [OPTION…]",
    .doc =
        "Asks the cluster to elect the leaders of partitions anew. On one node every "
        "partition has the leader that it can have. Called as "
        "kafka-leader-election it is the same.",
    .options = options,
    .examples = "  kafka-leader-election --bootstrap-server 127.0.0.1:9092 "
                "--election-type preferred --all-topic-partitions\n",
};

/* The type in the protocol, or -1. */
static int8_t type_of(const char *name)
{
    return text_equal_nocase(name, "preferred") ? 0
           : text_equal_nocase(name, "unclean") ? 1
                                                : -1;
}

/* What is wrong with the options, in Kafka's words; NULL: nothing. */
static const char *fault(const elect_options *given, bool kafkas)
{
    int chosen = (given->topic != NULL) + given->all + (given->file != NULL);
    if (kafkas && given->connection.bootstrap_server == NULL) {
        return given->type == NULL
                   ? "Missing required option(s): bootstrap-server, election-type"
                   : "Missing required option(s): bootstrap-server";
    }
    if (given->type == NULL) {
        return "Missing required option(s): election-type";
    }
    if (chosen != 1) {
        return "One and only one of the following options is required: topic, "
               "all-topic-partitions, path-to-json-file";
    }
    if (given->topic != NULL && given->partition < 0) {
        return "Missing required option(s): partition";
    }
    if (given->topic == NULL && given->partition >= 0) {
        return "Option partition is only allowed if topic is used";
    }
    return NULL;
}

static sluice_status read_partitions(admin *client, const elect_options *given,
                                     elect_leaders_request *request, sluice_error *err)
{
    sluice_arena *arena = admin_arena(client);
    partition_line one = {.topic = given->topic,
                          .partition = (int32_t)given->partition};
    partition_line *lines = &one;
    size_t count = given->topic != NULL;
    sluice_status status =
        given->file == NULL
            ? SLUICE_OK
            : partition_file_read(given->file, false, arena, &lines, &count, err);
    if (status != SLUICE_OK) {
        return status;
    }
    const partition_line *twice = partition_file_duplicate(lines, count);
    if (twice != NULL) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "Replica election data contains duplicate partitions: %s-%d",
                           twice->topic, twice->partition);
    }
    elect_leaders_request_topic_partition *asked =
        sluice_arena_take(arena, (count + 1) * sizeof *asked);
    int32_t *ids = sluice_arena_take(arena, (count + 1) * sizeof *ids);
    for (size_t i = 0; i < count; i++) {
        ids[i] = lines[i].partition;
        asked[i].topic = message_text_of(lines[i].topic);
        asked[i].partitions.items = &ids[i];
        asked[i].partitions.count = 1;
    }
    if (!given->all) {
        request->topic_partitions.items = asked;
        request->topic_partitions.count = count;
    }
    return SLUICE_OK;
}

typedef elect_leaders_response_partition_result partition_result;

/* Prints the partitions whose code is `code`, after `text`. Returns how many. */
static size_t print_group(const elect_leaders_response *response, int16_t code,
                          const char *text)
{
    size_t printed = 0;
    for (size_t i = 0; i < response->replica_election_results.count; i++) {
        const elect_leaders_response_replica_election_result *topic =
            &response->replica_election_results.items[i];
        for (size_t j = 0; j < topic->partition_result.count; j++) {
            const partition_result *at = &topic->partition_result.items[j];
            if (at->error_code == code) {
                printf("%s%.*s-%d", printed++ == 0 ? text : ", ", (int)topic->topic.len,
                       topic->topic.base, at->partition_id);
            }
        }
    }
    printf("%s", printed > 0 ? "\n" : "");
    return printed;
}

static size_t print_errors(const elect_leaders_response *response, const char *type)
{
    size_t printed = 0;
    for (size_t i = 0; i < response->replica_election_results.count; i++) {
        const elect_leaders_response_replica_election_result *topic =
            &response->replica_election_results.items[i];
        for (size_t j = 0; j < topic->partition_result.count; j++) {
            const partition_result *at = &topic->partition_result.items[j];
            char class[ADMIN_CLASS_SIZE];
            if (at->error_code == ERROR_NONE ||
                at->error_code == ERROR_ELECTION_NOT_NEEDED) {
                continue;
            }
            sluice_error *text = sluice_error_new();
            admin_refused(text, at->error_code, at->error_message);
            admin_code_class(at->error_code, class);
            printf("Error completing leader election (%s) for partition: %.*s-%d: %s: "
                   "%s\n",
                   type, (int)topic->topic.len, topic->topic.base, at->partition_id,
                   class, sluice_error_text(text));
            sluice_error_free(text);
            printed++;
        }
    }
    return printed;
}

static sluice_status elect(admin *client, const elect_options *given, sluice_error *err)
{
    elect_leaders_request request;
    elect_leaders_response response;
    elect_leaders_request_init(&request);
    request.election_type = type_of(given->type);
    request.timeout_ms = admin_timeout_ms(client);
    sluice_status status = read_partitions(client, given, &request, err);
    if (status == SLUICE_OK) {
        status = admin_call(client, ADMIN_CONTROLLER, API_ELECT_LEADERS, &request,
                            &response, err);
    }
    if (status == SLUICE_OK && response.error_code != ERROR_NONE) {
        status = admin_refused(err, response.error_code, (message_text){0});
    }
    if (status != SLUICE_OK) {
        return status;
    }
    const char *type = request.election_type == 0 ? "PREFERRED" : "UNCLEAN";
    char text[96];
    snprintf(text, sizeof text,
             "Successfully completed leader election (%s) for partitions ", type);
    print_group(&response, ERROR_NONE, text);
    if (!given->all) {
        print_group(&response, ERROR_ELECTION_NOT_NEEDED,
                    "Valid replica already elected for partitions ");
    }
    size_t failed = print_errors(&response, type);
    return failed == 0 ? SLUICE_OK
                       : sluice_fail(err, SLUICE_FATAL,
                                     "%zu replica(s) could not be elected", failed);
}

static int elect_run(int argc, char **argv)
{
    elect_options given = {.partition = -1};
    cli_texts arguments;
    int exit_status;
    if (!cli_begin(&usage, argc, argv, &given, &arguments, &exit_status)) {
        return exit_status;
    }
    char text[128];
    const char *wrong = fault(&given, cli_is_kafkas(argv[0]));
    if (wrong == NULL && type_of(given.type) < 0) {
        snprintf(text, sizeof text,
                 "Cannot parse argument '%.64s' of option election-type", given.type);
        wrong = text;
    }
    if (wrong != NULL) {
        exit_status = cli_misused(&usage, argv[0], wrong);
    } else {
        sluice_error *err = sluice_error_new();
        admin *client = NULL;
        sluice_status status = admin_open(&given.connection, &client, err);
        if (status == SLUICE_OK) {
            status = elect(client, &given, err);
        }
        admin_close(client);
        exit_status = cli_ended(status, err);
    }
    cli_parse_done(&usage, &given, &arguments);
    return exit_status;
}

static const char *const tools[] = {"kafka-leader-election", NULL};

const cli_command cli_elect_leaders = {
    .name = "elect-leaders",
    .summary = "has the leaders of partitions elected anew",
    .tools = tools,
    .run = elect_run,
};
