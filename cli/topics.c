/* sluice topics: lists, describes, creates, grows and deletes topics; kafka-topics with
 * its options and its sentences. */
#include "topics.h"
#include "command.h"
#include <string.h>

static const cli_option options[] = {
    CLI_CONNECTION_OPTIONS(topics_options),
    {"list", 0, CLI_FLAG, NULL, "Lists the topics, as `sluice topics list` does.", 0, 0,
     CLI_AT(bool, topics_options, list)},
    {"describe", 0, CLI_FLAG, NULL, "Describes topics.", 0, 0,
     CLI_AT(bool, topics_options, describe)},
    {"create", 0, CLI_FLAG, NULL, "Creates a topic.", 0, 0,
     CLI_AT(bool, topics_options, create)},
    {"alter", 0, CLI_FLAG, NULL,
     "Gives topics more partitions. Settings are changed by `sluice configs`.", 0, 0,
     CLI_AT(bool, topics_options, alter)},
    {"delete", 0, CLI_FLAG, NULL, "Deletes topics.", 0, 0,
     CLI_AT(bool, topics_options, delete)},
    {"topic", 0, CLI_TEXT, "TOPIC",
     "The topic; but for create a regular expression for whole names.", 0, 0,
     CLI_AT(const char *, topics_options, topic)},
    {"topic-id", 0, CLI_TEXT, "ID", "With describe: the topic that has this id.", 0, 0,
     CLI_AT(const char *, topics_options, topic_id)},
    {"partitions", 0, CLI_NUMBER, "N",
     "How many partitions a created or altered topic gets.", 0, 0,
     CLI_AT(int64_t, topics_options, partitions)},
    {"replication-factor", 0, CLI_NUMBER, "N",
     "How many replicas a created topic gets.", 0, 0,
     CLI_AT(int64_t, topics_options, replication_factor)},
    {"replica-assignment", 0, CLI_TEXT, "ID:ID,…",
     "The brokers of each partition: partitions with commas between, their replicas "
     "with colons.",
     0, 0, CLI_AT(const char *, topics_options, replica_assignment)},
    {"config", 0, CLI_TEXTS, "KEY=VALUE",
     "A setting of a created topic; may be repeated.", 0, 0,
     CLI_AT(cli_texts, topics_options, config)},
    {"if-exists", 0, CLI_FLAG, NULL,
     "Altering, deleting or describing a topic that is not there is no failure.", 0, 0,
     CLI_AT(bool, topics_options, if_exists)},
    {"if-not-exists", 0, CLI_FLAG, NULL,
     "Creating a topic that is there is no failure.", 0, 0,
     CLI_AT(bool, topics_options, if_not_exists)},
    {"exclude-internal", 0, CLI_FLAG, NULL,
     "Leaves __consumer_offsets and the like out.", 0, 0,
     CLI_AT(bool, topics_options, exclude_internal)},
    {"topics-with-overrides", 0, CLI_FLAG, NULL,
     "With describe: only topics that have settings of their own, without partitions.",
     0, 0, CLI_AT(bool, topics_options, overrides)},
    {"under-replicated-partitions", 0, CLI_FLAG, NULL,
     "With describe: only partitions with a replica that is not in sync.", 0, 0,
     CLI_AT(bool, topics_options, under_replicated)},
    {"unavailable-partitions", 0, CLI_FLAG, NULL,
     "With describe: only partitions without a leader.", 0, 0,
     CLI_AT(bool, topics_options, unavailable)},
    {"under-min-isr-partitions", 0, CLI_FLAG, NULL,
     "With describe: only partitions with fewer replicas in sync than "
     "min.insync.replicas.",
     0, 0, CLI_AT(bool, topics_options, under_min_isr)},
    {"at-min-isr-partitions", 0, CLI_FLAG, NULL,
     "With describe: only partitions with just min.insync.replicas in sync.", 0, 0,
     CLI_AT(bool, topics_options, at_min_isr)},
    {"partition-size-limit-per-response", 0, CLI_NUMBER, "N",
     "With describe: how many partitions to ask for at a time. Default: 2000.", 1,
     INT32_MAX, CLI_AT(int64_t, topics_options, response_partitions_max)},
    {"offsets", 0, CLI_FLAG, NULL,
     "With list: the earliest and the latest offset of every partition.", 0, 0,
     CLI_AT(bool, topics_options, offsets)},
    {"json", 0, CLI_FLAG, NULL, "Prints JSON, for list and describe.", 0, 0,
     CLI_AT(bool, topics_options, json)},
    {.name = NULL},
};

static const cli_usage usage = {
    .synopsis = "sluice topics list|describe|create|alter|delete [TOPIC…] [OPTION…]",
    .doc =
        "Lists, describes, creates, grows and deletes topics. Names may have wildcards "
        "to list and describe. Called as kafka-topics it takes --list, --describe, "
        "--create, --alter or --delete instead of the first word, and --topic instead "
        "of the others.",
    .options = options,
    .examples =
        "  sluice topics list --offsets\n"
        "  sluice topics create orders --partitions 4 --config retention.ms=60000\n"
        "  kafka-topics --bootstrap-server 127.0.0.1:9092 --describe --topic orders\n",
    .before_wrong_value = "Error while executing topic command : ",
    .exit_at_wrong_value = CLI_FAILED,
};

/* Takes the first word as the action, in our dress, unless an option was it. */
static bool choose_action(topics_options *given, cli_texts *arguments)
{
    const struct {
        const char *word;
        bool *flag;
    } actions[] = {
        {"list", &given->list},     {"describe", &given->describe},
        {"create", &given->create}, {"alter", &given->alter},
        {"delete", &given->delete},
    };
    enum { action_count = sizeof actions / sizeof *actions };
    int chosen = 0;
    for (size_t i = 0; i < action_count; i++) {
        chosen += *actions[i].flag;
    }
    if (chosen > 0 || given->kafkas || arguments->count == 0) {
        return chosen == 1;
    }
    for (size_t i = 0; i < action_count; i++) {
        if (strcmp(arguments->items[0], actions[i].word) == 0) {
            *actions[i].flag = true;
            memmove(arguments->items, arguments->items + 1,
                    --arguments->count * sizeof *arguments->items);
            return true;
        }
    }
    return false;
}

/* An option that goes with some actions only. */
typedef struct pairing {
    const char *option;
    bool given, list, describe, create, alter, delete;
} pairing;

static const char *action_of(const topics_options *given)
{
    return given->list       ? "list"
           : given->describe ? "describe"
           : given->create   ? "create"
           : given->alter    ? "alter"
                             : "delete";
}

/* The first option that is not for the action; NULL: all are. */
static const char *misplaced(const topics_options *given)
{
    const pairing pairings[] = {
        {"partitions", given->partitions != INT64_MIN, 0, 0, 1, 1, 0},
        {"replication-factor", given->replication_factor != INT64_MIN, 0, 0, 1, 0, 0},
        {"replica-assignment", given->replica_assignment != NULL, 0, 0, 1, 1, 0},
        {"config", given->config.count > 0, 0, 0, 1, 0, 0},
        {"if-exists", given->if_exists, 0, 1, 0, 1, 1},
        {"if-not-exists", given->if_not_exists, 0, 0, 1, 0, 0},
        {"exclude-internal", given->exclude_internal, 1, 1, 0, 0, 0},
        {"topic-id", given->topic_id != NULL, 0, 1, 0, 0, 0},
        {"topics-with-overrides", given->overrides, 0, 1, 0, 0, 0},
        {"under-replicated-partitions", given->under_replicated, 0, 1, 0, 0, 0},
        {"unavailable-partitions", given->unavailable, 0, 1, 0, 0, 0},
        {"under-min-isr-partitions", given->under_min_isr, 0, 1, 0, 0, 0},
        {"at-min-isr-partitions", given->at_min_isr, 0, 1, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof pairings / sizeof *pairings; i++) {
        const pairing *at = &pairings[i];
        if (at->given &&
            ((given->list && !at->list) || (given->describe && !at->describe) ||
             (given->create && !at->create) || (given->alter && !at->alter) ||
             (given->delete &&!at->delete))) {
            return at->option;
        }
    }
    return NULL;
}

/* What is wrong with the options together, in `err`; SLUICE_OK: nothing. */
static sluice_status check(const topics_options *given, const cli_texts *names,
                           sluice_error *err)
{
    const char *wrong = misplaced(given);
    bool named = given->topic != NULL || names->count > 0;
    if (given->alter && given->config.count > 0) {
        return sluice_fail(
            err, SLUICE_BAD_CONFIG,
            "Option combination \"[[bootstrap-server], [config]]\" can't be used with "
            "option \"[alter]\" (To alter topic configurations, the kafka-configs tool "
            "can be used.)");
    }
    if (!named && !given->list && !given->describe) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           given->kafkas ? "Missing required argument \"[topic]\""
                                         : "no topic is named: give one");
    }
    if (given->alter && given->partitions == INT64_MIN) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "Missing required argument \"[partitions]\"");
    }
    if (wrong != NULL) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "Option \"[%s]\" can't be used with option \"[%s]\"", wrong,
                           action_of(given));
    }
    if (given->create && given->replica_assignment != NULL &&
        (given->partitions != INT64_MIN || given->replication_factor != INT64_MIN)) {
        return sluice_fail(
            err, SLUICE_BAD_CONFIG,
            "Option \"[replica-assignment]\" can't be used with option \"[%s]\"",
            given->partitions != INT64_MIN ? "partitions" : "replication-factor");
    }
    return SLUICE_OK;
}

static sluice_status act(topics_work *self, sluice_error *err)
{
    const topics_options *given = self->options;
    return given->list       ? topics_list(self, err)
           : given->describe ? topics_describe(self, err)
           : given->create   ? topics_create(self, err)
           : given->alter    ? topics_alter(self, err)
                             : topics_delete(self, err);
}

static int run_action(const topics_options *given, const cli_texts *names)
{
    static const cli_texts none = {0};
    sluice_error *err = sluice_error_new();
    topics_work self = {.options = given};
    sluice_status status =
        topic_filter_init(&self.filter, given->create ? NULL : given->topic,
                          given->kafkas ? &none : names, err);
    if (status == SLUICE_OK) {
        status = admin_open(&given->connection, &self.client, err);
    }
    if (status == SLUICE_OK) {
        status = act(&self, err);
    }
    if (status != SLUICE_OK && given->kafkas) {
        printf("Error while executing topic command : %s\n", sluice_error_text(err));
        admin_log_refusal("org.apache.kafka.tools.TopicCommand", self.refused,
                          sluice_error_text(err));
    } else if (status != SLUICE_OK) {
        fprintf(stderr, "%s\n", sluice_error_text(err));
    }
    topic_filter_done(&self.filter);
    admin_close(self.client);
    sluice_error_free(err);
    return status == SLUICE_OK ? CLI_DONE : CLI_FAILED;
}

static int topics_run(int argc, char **argv)
{
    topics_options given = {.partitions = INT64_MIN,
                            .replication_factor = INT64_MIN,
                            .response_partitions_max = 2000,
                            .kafkas = cli_is_kafkas(argv[0])};
    cli_texts arguments;
    int exit_status;
    if (!cli_begin(&usage, argc, argv, &given, &arguments, &exit_status)) {
        return exit_status;
    }
    sluice_error *err = sluice_error_new();
    if (!choose_action(&given, &arguments)) {
        sluice_fail(err, SLUICE_BAD_CONFIG,
                    given.kafkas
                        ? "Command must include exactly one action: --list, "
                          "--describe, --create, --alter or --delete"
                        : "Command must include exactly one action: list, describe, "
                          "create, alter or delete");
    } else if (given.kafkas && given.connection.bootstrap_server == NULL) {
        sluice_fail(err, SLUICE_BAD_CONFIG, "--bootstrap-server must be specified");
    } else {
        check(&given, &arguments, err);
    }
    exit_status = sluice_error_count(err) > 0
                      ? cli_misused(&usage, argv[0], sluice_error_text(err))
                      : run_action(&given, &arguments);
    sluice_error_free(err);
    cli_parse_done(&usage, &given, &arguments);
    return exit_status;
}

static const char *const tools[] = {"kafka-topics", NULL};

const cli_command cli_topics = {
    .name = "topics",
    .summary = "lists, describes, creates, grows and deletes topics",
    .tools = tools,
    .run = topics_run,
};
