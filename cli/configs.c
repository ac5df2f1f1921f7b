/* sluice configs: shows and changes the settings of topics, brokers, groups and the
 * like; kafka-configs with its options and its sentences. */
#include "configs.h"
#include "base/buffer.h"
#include "base/text.h"
#include "command.h"
#include <string.h>

const config_kind config_kinds[] = {
    {"topics", "topic", CONFIGS_OF_TOPIC, CONFIG_FROM_TOPIC, false},
    {"clients", "client", 0, 0, true},
    {"users", "user", 0, 0, true},
    {"brokers", "broker", CONFIGS_OF_BROKER, CONFIG_FROM_BROKER, true},
    {"ips", "ip", 0, 0, true},
    {"client-metrics", "client-metric", CONFIGS_OF_CLIENT_METRICS,
     CONFIG_FROM_CLIENT_METRICS, false},
    {"groups", "group", CONFIGS_OF_GROUP, CONFIG_FROM_GROUP, false},
    {"broker-loggers", "broker-logger", CONFIGS_OF_BROKER_LOGGER,
     CONFIG_FROM_BROKER_LOGGER, false},
    {NULL, NULL, 0, 0, false},
};

static const cli_option options[] = {
    CLI_CONNECTION_OPTIONS(configs_options),
    {"bootstrap-controller", 0, CLI_TEXT, "HOST:PORT", NULL, 0, 0,
     CLI_AT(const char *, configs_options, bootstrap_controller)},
    {"describe", 0, CLI_FLAG, NULL, "Shows settings.", 0, 0,
     CLI_AT(bool, configs_options, describe)},
    {"alter", 0, CLI_FLAG, NULL, "Changes settings.", 0, 0,
     CLI_AT(bool, configs_options, alter)},
    {"all", 0, CLI_FLAG, NULL,
     "With describe: also what is not set for this one, with where it comes from.", 0,
     0, CLI_AT(bool, configs_options, all)},
    {"entity-type", 0, CLI_TEXTS, "TYPE",
     "topics, brokers, groups, users, clients, ips, client-metrics or broker-loggers.",
     0, 0, CLI_AT(cli_texts, configs_options, entity_types)},
    {"entity-name", 0, CLI_TEXTS, "NAME", "Which of them.", 0, 0,
     CLI_AT(cli_texts, configs_options, entity_names)},
    {"entity-default", 0, CLI_FLAG, NULL,
     "What all brokers, users, clients or addresses have.", 0, 0,
     CLI_AT(bool, configs_options, entity_default)},
    {"add-config", 0, CLI_TEXT, "KEY=VALUE,…",
     "Sets these; a value with commas stands in brackets, KEY=[A,B].", 0, 0,
     CLI_AT(const char *, configs_options, add_config)},
    {"add-config-file", 0, CLI_TEXT, "FILE", "Sets what a properties file says.", 0, 0,
     CLI_AT(const char *, configs_options, add_config_file)},
    {"delete-config", 0, CLI_TEXTS, "KEY,…", "Takes these back.", 0, 0,
     CLI_AT(cli_texts, configs_options, delete_config)},
    {"topic", 0, CLI_TEXT, "TOPIC", "The topic.", 0, 0,
     CLI_AT(const char *, configs_options, topic)},
    {"client", 0, CLI_TEXT, "CLIENT", "The client, by its client.id.", 0, 0,
     CLI_AT(const char *, configs_options, client)},
    {"client-defaults", 0, CLI_FLAG, NULL, "What all clients have.", 0, 0,
     CLI_AT(bool, configs_options, client_defaults)},
    {"user", 0, CLI_TEXT, "USER", "The user.", 0, 0,
     CLI_AT(const char *, configs_options, user)},
    {"user-defaults", 0, CLI_FLAG, NULL, "What all users have.", 0, 0,
     CLI_AT(bool, configs_options, user_defaults)},
    {"broker", 0, CLI_TEXT, "ID", "The broker.", 0, 0,
     CLI_AT(const char *, configs_options, broker)},
    {"broker-defaults", 0, CLI_FLAG, NULL, "What all brokers have.", 0, 0,
     CLI_AT(bool, configs_options, broker_defaults)},
    {"broker-logger", 0, CLI_TEXT, "ID", "The broker whose log levels are meant.", 0, 0,
     CLI_AT(const char *, configs_options, broker_logger)},
    {"ip", 0, CLI_TEXT, "ADDRESS", "The address of clients.", 0, 0,
     CLI_AT(const char *, configs_options, ip)},
    {"ip-defaults", 0, CLI_FLAG, NULL, "What all addresses have.", 0, 0,
     CLI_AT(bool, configs_options, ip_defaults)},
    {"client-metrics", 0, CLI_TEXT, "NAME", "The subscription to clients' metrics.", 0,
     0, CLI_AT(const char *, configs_options, metrics)},
    {"group", 0, CLI_TEXT, "GROUP", "The group.", 0, 0,
     CLI_AT(const char *, configs_options, group)},
    {"force", 0, CLI_FLAG, NULL, NULL, 0, 0, CLI_AT(bool, configs_options, force)},
    {"json", 0, CLI_FLAG, NULL, "Prints JSON, for describe.", 0, 0,
     CLI_AT(bool, configs_options, json)},
    {.name = NULL},
};

static const cli_usage usage = {
    .synopsis = "sluice configs describe|alter TYPE [NAME] [KEY=VALUE…] [OPTION…]",
    .doc = "Shows the settings of topics, brokers, groups, users, clients and "
           "addresses, or changes them. Called as kafka-configs it takes --describe or "
           "--alter, and what it is about as options.",
    .options = options,
    .examples =
        "  sluice configs describe topic orders --all\n"
        "  sluice configs alter topic orders retention.ms=60000\n"
        "  kafka-configs --bootstrap-server 127.0.0.1:9092 --alter --topic orders "
        "--delete-config retention.ms\n",
};

const config_kind *config_kind_find(const char *name, bool kafkas)
{
    for (const config_kind *kind = config_kinds; kind->plural != NULL; kind++) {
        if (strcmp(kind->plural, name) == 0 ||
            (!kafkas && strcmp(kind->singular, name) == 0)) {
            return kind;
        }
    }
    return NULL;
}

static sluice_status add_entity(configs_work *self, const config_kind *kind,
                                const char *name, sluice_error *err)
{
    for (size_t i = 0; i < self->entity_count; i++) {
        if (self->entities[i].kind == kind) {
            return sluice_fail(err, SLUICE_BAD_CONFIG,
                               "Duplicate entity type(s) specified: %s", kind->plural);
        }
    }
    if (self->entity_count > 0) {
        bool pair = kind->resource == 0 && kind->plural[0] != 'i' &&
                    self->entities[0].kind->resource == 0 &&
                    self->entities[0].kind->plural[0] != 'i';
        if (!pair || self->entity_count == configs_entities_max) {
            return sluice_fail(
                err, SLUICE_BAD_CONFIG,
                "Only 'users' and 'clients' entity types may be specified together");
        }
    }
    self->entities[self->entity_count++] = (config_entity){kind, name};
    return SLUICE_OK;
}

/* --entity-type with --entity-name or --entity-default. */
static sluice_status take_types(configs_work *self, sluice_error *err)
{
    const configs_options *given = self->options;
    for (size_t i = 0; i < given->entity_types.count; i++) {
        const char *type = given->entity_types.items[i];
        const config_kind *kind = config_kind_find(type, given->kafkas);
        if (kind == NULL) {
            return sluice_fail(
                err, SLUICE_BAD_CONFIG,
                "Invalid entity type %s, the entity type must be one of topics, "
                "clients, users, brokers, ips, client-metrics, groups, broker-loggers "
                "with a --bootstrap-server or --bootstrap-controller argument",
                type);
        }
        const char *name = i < given->entity_names.count ? given->entity_names.items[i]
                           : given->entity_default       ? ""
                                                         : NULL;
        sluice_status status = add_entity(self, kind, name, err);
        if (status != SLUICE_OK) {
            return status;
        }
    }
    return SLUICE_OK;
}

/* --topic, --broker and their like. */
static sluice_status take_shortcuts(configs_work *self, sluice_error *err)
{
    const configs_options *given = self->options;
    const struct {
        const char *kind, *name;
        bool is_default;
    } shortcuts[] = {
        {"topics", given->topic, false},
        {"clients", given->client, given->client_defaults},
        {"users", given->user, given->user_defaults},
        {"brokers", given->broker, given->broker_defaults},
        {"broker-loggers", given->broker_logger, false},
        {"ips", given->ip, given->ip_defaults},
        {"client-metrics", given->metrics, false},
        {"groups", given->group, false},
    };
    sluice_status status = SLUICE_OK;
    for (size_t i = 0; i < sizeof shortcuts / sizeof *shortcuts; i++) {
        if (status == SLUICE_OK &&
            (shortcuts[i].name != NULL || shortcuts[i].is_default)) {
            status = add_entity(self, config_kind_find(shortcuts[i].kind, true),
                                shortcuts[i].is_default ? "" : shortcuts[i].name, err);
        }
    }
    return status;
}

static sluice_status check_entity(const configs_work *self, const config_entity *entity,
                                  sluice_error *err)
{
    int32_t id;
    const char *action = self->options->alter ? "alter" : "describe";
    const config_kind *kind = entity->kind;
    bool broker = kind->resource == CONFIGS_OF_BROKER ||
                  kind->resource == CONFIGS_OF_BROKER_LOGGER;
    bool needed = self->options->alter || kind->resource == CONFIGS_OF_BROKER_LOGGER;
    if (self->options->entity_default && !kind->has_default) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "--entity-default must not be specified with --%s of %s",
                           action, kind->plural);
    }
    if (needed &&
        (entity->name == NULL || (entity->name[0] == '\0' && !kind->has_default))) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "An entity name must be specified with --%s of %s", action,
                           kind->plural);
    }
    if (broker && entity->name != NULL && entity->name[0] != '\0' &&
        !text_to_int32(entity->name, &id)) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "The entity name for %s must be a valid integer broker id, "
                           "but it is: %s",
                           kind->plural, entity->name);
    }
    return SLUICE_OK;
}

static sluice_status check_changes(const configs_work *self, sluice_error *err)
{
    const configs_options *given = self->options;
    if (given->add_config != NULL && given->add_config_file != NULL) {
        return sluice_fail(
            err, SLUICE_BAD_CONFIG,
            "Only one of --add-config or --add-config-file must be specified");
    }
    if (given->add_config == NULL && given->add_config_file == NULL &&
        given->delete_config.count == 0 && self->pairs->count == 0) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "At least one of --add-config, --add-config-file, or "
                           "--delete-config must be specified with --alter");
    }
    return SLUICE_OK;
}

static sluice_status take_entities(configs_work *self, sluice_error *err)
{
    const configs_options *given = self->options;
    if (given->kafkas && given->connection.bootstrap_server == NULL) {
        return sluice_fail(
            err, SLUICE_BAD_CONFIG,
            given->bootstrap_controller != NULL
                ? "--bootstrap-controller: this tool asks brokers, by "
                  "--bootstrap-server"
                : "Either --bootstrap-server or --bootstrap-controller must be "
                  "specified.");
    }
    sluice_status status = take_types(self, err);
    if (status == SLUICE_OK) {
        status = take_shortcuts(self, err);
    }
    if (status == SLUICE_OK && self->entity_count == 0) {
        status = sluice_fail(err, SLUICE_BAD_CONFIG,
                             "At least one entity type must be specified");
    }
    for (size_t i = 0; i < self->entity_count && status == SLUICE_OK; i++) {
        status = check_entity(self, &self->entities[i], err);
    }
    return status == SLUICE_OK && given->alter ? check_changes(self, err) : status;
}

/* Kafka's tool repeats its command line, then tells what was thrown. */
static void print_failure(const configs_work *self, int argc, char **argv,
                          const char *text)
{
    char class[ADMIN_CLASS_SIZE];
    fprintf(stderr, "Error while executing config command with args '");
    for (int i = 1; i < argc; i++) {
        fprintf(stderr, "%s%s", i > 1 ? " " : "", argv[i]);
    }
    fprintf(stderr, "'\n");
    if (self->refused != ERROR_NONE) {
        admin_code_class(self->refused, class);
        fprintf(stderr, "java.util.concurrent.ExecutionException: %s: ", class);
    }
    fprintf(stderr, "%s\n", text);
}

static int run_action(configs_work *self, int argc, char **argv)
{
    sluice_error *err = sluice_error_new();
    sluice_status status = take_entities(self, err);
    if (status == SLUICE_OK) {
        status = admin_open(&self->options->connection, &self->client, err);
    }
    if (status == SLUICE_OK) {
        status = self->options->describe ? configs_describe(self, err)
                                         : configs_alter(self, err);
    }
    if (status == SLUICE_BAD_CONFIG ||
        (status != SLUICE_OK && !self->options->kafkas)) {
        fprintf(stderr, "%s\n", sluice_error_text(err));
    } else if (status != SLUICE_OK) {
        print_failure(self, argc, argv, sluice_error_text(err));
    }
    admin_close(self->client);
    sluice_error_free(err);
    return status == SLUICE_OK                                     ? CLI_DONE
           : status == SLUICE_BAD_CONFIG && !self->options->kafkas ? CLI_MISUSED
                                                                   : CLI_FAILED;
}

static const char *take_word(cli_texts *arguments)
{
    if (arguments->count == 0) {
        return NULL;
    }
    const char *word = arguments->items[0];
    memmove(arguments->items, arguments->items + 1,
            --arguments->count * sizeof *arguments->items);
    return word;
}

/* In our dress: the verb, the type and the name are words. `ret_words` are those two as
 * options; they live as long as `given`. */
static void take_words(configs_options *given, cli_texts *arguments,
                       const char *ret_words[2])
{
    const char *verb = given->describe || given->alter ? NULL : take_word(arguments);
    given->describe |= verb != NULL && strcmp(verb, "describe") == 0;
    given->alter |= verb != NULL && strcmp(verb, "alter") == 0;
    if (given->entity_types.count == 0 && arguments->count > 0 &&
        config_kind_find(arguments->items[0], false) != NULL) {
        ret_words[0] = take_word(arguments);
        given->entity_types = (cli_texts){1, ret_words};
        if (given->entity_names.count == 0 && arguments->count > 0 &&
            strchr(arguments->items[0], '=') == NULL) {
            ret_words[1] = take_word(arguments);
            given->entity_names = (cli_texts){1, ret_words + 1};
        }
    }
}

static int configs_run(int argc, char **argv)
{
    configs_options given = {.kafkas = cli_is_kafkas(argv[0])};
    cli_texts arguments;
    const char *words[2];
    int exit_status;
    if (!cli_begin(&usage, argc, argv, &given, &arguments, &exit_status)) {
        return exit_status;
    }
    configs_options chosen = given;
    cli_texts none = {0};
    if (!given.kafkas) {
        take_words(&chosen, &arguments, words);
    }
    configs_work self = {.options = &chosen,
                         .pairs = given.kafkas ? &none : &arguments};
    const char *stray = chosen.describe && given.add_config != NULL ? "add-config"
                        : chosen.describe && given.delete_config.count > 0
                            ? "delete-config"
                            : NULL;
    char text[96];
    if (chosen.describe + chosen.alter != 1) {
        exit_status = cli_misused(
            &usage, argv[0],
            given.kafkas
                ? "Command must include exactly one action: --describe, --alter"
                : "Command must include exactly one action: describe, alter");
    } else if (stray != NULL) {
        snprintf(text, sizeof text,
                 "Option \"[describe]\" can't be used with option \"[%s]\"", stray);
        exit_status = cli_misused(&usage, argv[0], text);
    } else {
        exit_status = run_action(&self, argc, argv);
    }
    cli_parse_done(&usage, &given, &arguments);
    return exit_status;
}

static const char *const tools[] = {"kafka-configs", NULL};

const cli_command cli_configs = {
    .name = "configs",
    .summary = "shows and changes settings of topics, brokers and others",
    .tools = tools,
    .run = configs_run,
};
