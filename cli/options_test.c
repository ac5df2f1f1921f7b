/* What command lines are understood, and which are refused with what sentence. */
#include "options.h"
#include "test.h"

typedef struct sample {
    bool loud;
    const char *name;
    int64_t count;
    cli_texts config;
} sample;

static const cli_option table[] = {
    {"loud", 'l', CLI_FLAG, NULL, "Loud.", 0, 0, CLI_AT(bool, sample, loud)},
    {"name", 0, CLI_TEXT, "NAME", "A name.", 0, 0, CLI_AT(const char *, sample, name)},
    {"number", 'n', CLI_NUMBER, "N", "A number.", 1, 9, CLI_AT(int64_t, sample, count)},
    {"config", 'o', CLI_TEXTS, "K=V", "Again.", 0, 0,
     CLI_AT(cli_texts, sample, config)},
    {.name = NULL},
};
static const cli_usage usage = {
    .synopsis = "test [OPTION…]", .doc = "For tests.", .options = table};

static const char *refusal(int argc, const char **argv)
{
    static char text[256];
    sample given = {0};
    cli_texts arguments;
    sluice_error *err = sluice_error_new();
    sluice_status status =
        cli_parse(&usage, argc, (char **)argv, &given, &arguments, err);
    snprintf(text, sizeof text, "%s",
             status == SLUICE_OK ? "ok" : sluice_error_text(err));
    cli_parse_done(&usage, &given, &arguments);
    sluice_error_free(err);
    return text;
}

TEST(values_stand_behind_a_space_or_an_equals_sign)
{
    const char *argv[] = {"test", "--name", "a",       "--number=7", "x",     "-l",
                          "-o",   "k=v",    "-ok2=v2", "--",         "--loud"};
    sample given = {0};
    cli_texts arguments;
    CHECK(cli_parse(&usage, 11, (char **)argv, &given, &arguments, NULL) == SLUICE_OK);
    CHECK_TEXT(given.name, "a");
    CHECK_INT(given.count, 7);
    CHECK(given.loud);
    CHECK_INT(given.config.count, 2);
    CHECK_TEXT(given.config.items[1], "k2=v2");
    CHECK_INT(arguments.count, 2);
    CHECK_TEXT(arguments.items[1], "--loud");
    cli_parse_done(&usage, &given, &arguments);
}

TEST(a_name_may_be_shortened_while_it_is_unambiguous)
{
    const char *short_argv[] = {"test", "--lo"};
    CHECK_TEXT(refusal(2, short_argv), "ok");
    const char *ambiguous[] = {"test", "--n", "x"};
    CHECK_TEXT(refusal(3, ambiguous),
               "option '--n' may be '--name' or '--number': write it out");
}

TEST(mistakes_are_refused_with_what_is_allowed)
{
    const char *unknown[] = {"test", "--nme"};
    CHECK_TEXT(refusal(2, unknown),
               "option '--nme' is not known here: --help lists those that are");
    const char *range[] = {"test", "--number", "10"};
    CHECK_TEXT(refusal(3, range), "--number is 10: must be 1 to 9");
    const char *no_number[] = {"test", "--number", "x"};
    CHECK_TEXT(refusal(3, no_number), "--number is 'x': must be a whole number");
    const char *missing[] = {"test", "--name"};
    CHECK_TEXT(refusal(2, missing), "--name needs a value: NAME");
    const char *surplus[] = {"test", "--loud=yes"};
    CHECK_TEXT(refusal(2, surplus), "--loud takes no value, but has 'yes'");
}

TEST(a_tool_of_kafkas_refuses_in_its_words)
{
    const char *unknown[] = {"kafka-test", "--nme"};
    CHECK_TEXT(refusal(2, unknown), "nme is not a recognized option");
    const char *missing[] = {"kafka-test.sh", "--name"};
    CHECK_TEXT(refusal(2, missing), "Option name requires an argument");
    const char *no_number[] = {"kafka-test", "--number", "x"};
    CHECK_TEXT(refusal(3, no_number), "Cannot parse argument 'x' of option number");
    const char *twice[] = {"kafka-test", "--name=a", "--name=b"};
    CHECK_TEXT(refusal(3, twice),
               "Found multiple arguments for option name, but you asked for only one");
    const char *again[] = {"kafka-test", "--config=a", "--config=b", "--loud",
                           "--loud"};
    CHECK_TEXT(refusal(5, again), "ok");
}

TEST_MAIN
