/* sluice groups: consumer groups and their offsets, listed, described, reset and
 * deleted; kafka-consumer-groups with its options and its sentences. */
#include "groups.h"
#include "../command.h"
#include "base/memory.h"
#include <stdlib.h>
#include <string.h>

static const cli_option options[] = {
    CLI_CONNECTION_OPTIONS(groups_options),
    {"list", 0, CLI_FLAG, NULL, "Lists the groups, as `sluice groups list` does.", 0, 0,
     CLI_AT(bool, groups_options, list)},
    {"describe", 0, CLI_FLAG, NULL, "Describes groups.", 0, 0,
     CLI_AT(bool, groups_options, describe)},
    {"delete", 0, CLI_FLAG, NULL, "Deletes groups that have no members.", 0, 0,
     CLI_AT(bool, groups_options, delete)},
    {"reset-offsets", 0, CLI_FLAG, NULL, "Sets offsets of groups without members.", 0,
     0, CLI_AT(bool, groups_options, reset_offsets)},
    {"delete-offsets", 0, CLI_FLAG, NULL, "Deletes offsets of one group.", 0, 0,
     CLI_AT(bool, groups_options, delete_offsets)},
    {"validate-regex", 0, CLI_FLAG, NULL, NULL, 0, 0,
     CLI_AT(bool, groups_options, validate_regex)},
    {"group", 0, CLI_TEXTS, "GROUP", "The group; may be repeated.", 0, 0,
     CLI_AT(cli_texts, groups_options, group)},
    {"all-groups", 0, CLI_FLAG, NULL, "All groups.", 0, 0,
     CLI_AT(bool, groups_options, all_groups)},
    {"state", 0, CLI_MAYBE, "STATE,…",
     "With list: prints states, and only groups in one of these if there are any. With "
     "describe: prints the group's state.",
     0, 0, CLI_AT(const char *, groups_options, state)},
    {"type", 0, CLI_MAYBE, "TYPE,…",
     "With list: prints types (classic, consumer), and only groups of these.", 0, 0,
     CLI_AT(const char *, groups_options, type)},
    {"members", 0, CLI_FLAG, NULL, "With describe: prints the members.", 0, 0,
     CLI_AT(bool, groups_options, members)},
    {"offsets", 0, CLI_FLAG, NULL, "With describe: prints the offsets; the default.", 0,
     0, CLI_AT(bool, groups_options, offsets)},
    {"verbose", 0, CLI_FLAG, NULL, "With describe: prints more columns.", 0, 0,
     CLI_AT(bool, groups_options, verbose)},
    {"topic", 0, CLI_TEXTS, "TOPIC[:N,…]",
     "The topic, or partitions of it, whose offsets are reset or deleted; may be "
     "repeated.",
     0, 0, CLI_AT(cli_texts, groups_options, topic)},
    {"all-topics", 0, CLI_FLAG, NULL, "All topics for which the group has an offset.",
     0, 0, CLI_AT(bool, groups_options, all_topics)},
    {"to-earliest", 0, CLI_FLAG, NULL, "Resets to the first record.", 0, 0,
     CLI_AT(bool, groups_options, to_earliest)},
    {"to-latest", 0, CLI_FLAG, NULL, "Resets to the end.", 0, 0,
     CLI_AT(bool, groups_options, to_latest)},
    {"to-current", 0, CLI_FLAG, NULL, "Resets to what is committed.", 0, 0,
     CLI_AT(bool, groups_options, to_current)},
    {"to-offset", 0, CLI_NUMBER, "N", "Resets to offset N.", 0, 0,
     CLI_AT(int64_t, groups_options, to_offset)},
    {"shift-by", 0, CLI_NUMBER, "N", "Resets to N records later, or earlier.", 0, 0,
     CLI_AT(int64_t, groups_options, shift_by)},
    {"to-datetime", 0, CLI_TEXT, "TIME",
     "Resets to the first record at or after 2026-01-31T12:00:00.000 (UTC).", 0, 0,
     CLI_AT(const char *, groups_options, to_datetime)},
    {"by-duration", 0, CLI_TEXT, "DURATION",
     "Resets to the first record of the last P1DT2H3M4S.", 0, 0,
     CLI_AT(const char *, groups_options, by_duration)},
    {"from-file", 0, CLI_TEXT, "FILE",
     "Resets to what lines of topic,partition,offset say; with several groups their "
     "names stand before.",
     0, 0, CLI_AT(const char *, groups_options, from_file)},
    {"dry-run", 0, CLI_FLAG, NULL, "Prints what a reset would do; the default.", 0, 0,
     CLI_AT(bool, groups_options, dry_run)},
    {"execute", 0, CLI_FLAG, NULL, "Does it.", 0, 0,
     CLI_AT(bool, groups_options, execute)},
    {"export", 0, CLI_FLAG, NULL, "Prints a reset as lines for --from-file.", 0, 0,
     CLI_AT(bool, groups_options, export)},
    {"timeout", 0, CLI_NUMBER, "MS", NULL, 0, 0,
     CLI_AT(int64_t, groups_options, timeout_ms)},
    {"json", 0, CLI_FLAG, NULL, "Prints JSON.", 0, 0,
     CLI_AT(bool, groups_options, json)},
    {.name = NULL},
};

static const cli_usage usage = {
    .synopsis = "sluice groups list|describe|reset|delete|delete-offsets [GROUP…] "
                "[OPTION…]",
    .doc =
        "Lists, describes and deletes consumer groups, and sets their offsets. Called "
        "as kafka-consumer-groups it takes that tool's options.",
    .options = options,
    .examples =
        "  sluice groups list --state\n"
        "  sluice groups describe billing --json\n"
        "  sluice groups reset billing --topic orders --to-earliest --execute\n",
    .before_wrong_value = "\nError: Executing consumer group command failed due to ",
    .exit_at_wrong_value = CLI_DONE,
};

/* ---- What does not go together, in the sentences of Kafka's tool --------------------
 */

static size_t count_resets(const groups_options *given)
{
    return (size_t)given->to_earliest + given->to_latest + given->to_current +
           (given->to_offset != INT64_MIN) + (given->shift_by != INT64_MIN) +
           (given->to_datetime != NULL) + (given->by_duration != NULL) +
           (given->from_file != NULL);
}

static const char *check_describe(const groups_options *given)
{
    if (given->group.count == 0 && !given->all_groups) {
        return "Option [describe] takes one of these options: [all-groups], [group]";
    }
    if (given->members + given->offsets + (given->state != NULL) > 1) {
        return "Option [describe] takes at most one of these options: [members], "
               "[offsets], [state]";
    }
    if (given->state != NULL && given->state[0] != '\0') {
        return "Option [describe] does not take a value for [state]";
    }
    return given->group.count > 0 && given->all_groups
               ? "Option \"[group]\" can't be used with option \"[all-groups]\""
               : NULL;
}

static const char *check_delete(const groups_options *given)
{
    if (given->group.count == 0 && !given->all_groups) {
        return "Option [delete] takes one of these options: [all-groups], [group]";
    }
    return given->topic.count > 0 ? "The consumer does not support topic-specific "
                                    "offset deletion from a consumer group."
                                  : NULL;
}

static const char *check_reset(const groups_options *given)
{
    if (given->dry_run && given->execute) {
        return "Option [reset-offsets] only accepts one of [execute] and [dry-run]";
    }
    if (!given->dry_run && !given->execute && given->kafkas) {
        fprintf(stderr,
                "WARN: No action will be performed as the --execute option is missing. "
                "In a future major release, the default behavior of this command will "
                "be to prompt the user before executing the reset rather than doing a "
                "dry run. You should add the --dry-run option explicitly if you are "
                "scripting this command and want to keep the current default behavior "
                "without prompting.\n");
    }
    if (given->group.count == 0 && !given->all_groups) {
        return "Option [reset-offsets] takes one of these options: [all-groups], "
               "[group]";
    }
    if (count_resets(given) != 1) {
        return "Option '[reset-offsets]' requires one of the following scenarios: "
               "[[to-offset], [to-current], [to-datetime], [from-file], [by-duration], "
               "[to-earliest], [to-latest], [shift-by]]";
    }
    return given->topic.count == 0 && !given->all_topics && given->from_file == NULL
               ? "One of the reset scopes should be defined: --all-topics, --topic."
               : NULL;
}

/* The first mistake, or NULL. */
static const char *find_mistake(const groups_options *given)
{
    size_t actions = (size_t)given->list + given->describe + given->delete +
                     given->reset_offsets + given->delete_offsets;
    const char *mistake = NULL;
    if (actions == 0 || (actions > 1 && !given->describe)) {
        return "Command must include exactly one action: --list, --describe, --delete, "
               "--reset-offsets, --delete-offsets, --validate-regex";
    }
    if (given->describe) {
        mistake = check_describe(given);
    } else if (given->delete) {
        mistake = check_delete(given);
    } else if (given->delete_offsets &&
               (given->group.count != 1 || given->topic.count == 0)) {
        mistake =
            "Option [delete-offsets] takes the following options: [topic], [group]";
    } else if (given->reset_offsets) {
        mistake = check_reset(given);
    } else if (given->list && given->group.count > 0 && given->kafkas) {
        mistake = "Option \"[group]\" can't be used with option \"[list]\"";
    }
    if (mistake == NULL && actions > 1) {
        mistake =
            "Command must include exactly one action: --list, --describe, --delete, "
            "--reset-offsets, --delete-offsets, --validate-regex";
    }
    return mistake == NULL && given->topic.count > 0 && given->describe
               ? "Option \"[topic]\" can't be used with option \"[describe]\""
               : mistake;
}

/* ---- Run ---------------------------------------------------------------------------
 */

static sluice_status run_action(groups_work *self, sluice_error *err)
{
    const groups_options *given = self->given;
    sluice_status status = admin_metadata(self->client, true, &self->metadata, err);
    if (status != SLUICE_OK) {
        return status;
    }
    return given->list             ? groups_list(self, err)
           : given->describe       ? groups_describe(self, err)
           : given->delete         ? groups_delete(self, err)
           : given->delete_offsets ? groups_delete_offsets(self, err)
                                   : groups_reset(self, err);
}

/* Kafka's tool tells most failures on standard output, and ends with 0 all the same. */
static int end(const groups_options *given, const char *called, sluice_status status,
               const sluice_error *err, bool told)
{
    fflush(stdout);
    if (status == SLUICE_OK) {
        return CLI_DONE;
    }
    if (!given->kafkas) {
        fprintf(stderr, "%s\n", sluice_error_text(err));
        return CLI_FAILED;
    }
    if (status == SLUICE_BAD_CONFIG && given->list) {
        return cli_misused(&usage, called, sluice_error_text(err));
    }
    if (!told) {
        printf("\nError: Executing consumer group command failed due to %s\n",
               sluice_error_text(err));
    }
    return CLI_DONE;
}

static int run(const groups_options *given, const char *called)
{
    groups_work self = {.given = given};
    sluice_error *err = sluice_error_new();
    sluice_status status = admin_open(&given->connection, &self.client, err);
    bool opened = status == SLUICE_OK;
    if (opened) {
        status = run_action(&self, err);
    }
    /* What was refused of a deletion, and a group in use, stand in the output. */
    bool told =
        opened && status == SLUICE_FATAL &&
        (given->delete || given->delete_offsets ||
         (given->reset_offsets && strstr(sluice_error_text(err), "in use") != NULL));
    int exit_status = end(given, called, status, err, told);
    sluice_error_free(err);
    admin_close(self.client);
    return exit_status;
}

/* The verb and the groups behind it, in our dress. */
static bool read_verb(groups_options *given, const cli_texts *arguments)
{
    static const char *const verbs[] = {"list", "describe", "delete", "reset",
                                        "delete-offsets"};
    bool *flags[] = {&given->list, &given->describe, &given->delete,
                     &given->reset_offsets, &given->delete_offsets};
    if (arguments->count == 0) {
        return true;
    }
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        if (strcmp(arguments->items[0], verbs[i]) == 0) {
            *flags[i] = true;
            size_t more = arguments->count - 1, had = given->group.count;
            given->group.items = memory_resize(
                given->group.items, (had + more + 1) * sizeof *given->group.items);
            for (size_t k = 0; k < more; k++) {
                given->group.items[had + k] = arguments->items[1 + k];
            }
            given->group.count = had + more;
            return true;
        }
    }
    return false;
}

static int groups_run(int argc, char **argv)
{
    groups_options given = {.to_offset = INT64_MIN, .shift_by = INT64_MIN};
    cli_texts arguments;
    int exit_status;
    if (!cli_begin(&usage, argc, argv, &given, &arguments, &exit_status)) {
        return exit_status;
    }
    given.kafkas = cli_is_kafkas(argv[0]);
    if (given.validate_regex) {
        exit_status =
            cli_misused(&usage, argv[0],
                        "--validate-regex is not there: it is for groups of the "
                        "newer protocol; Kafka's own tool has it");
    } else if (!given.kafkas && !read_verb(&given, &arguments)) {
        exit_status =
            cli_misused(&usage, argv[0],
                        "the action is to be list, describe, reset, delete or "
                        "delete-offsets");
    } else {
        const char *mistake = find_mistake(&given);
        exit_status = mistake != NULL ? cli_misused(&usage, argv[0], mistake)
                                      : run(&given, argv[0]);
    }
    cli_parse_done(&usage, &given, &arguments);
    return exit_status;
}

static const char *const tools[] = {"kafka-consumer-groups", NULL};

const cli_command cli_groups = {
    .name = "groups",
    .summary = "lists, describes, resets and deletes consumer groups",
    .tools = tools,
    .run = groups_run,
};
