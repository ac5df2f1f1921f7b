/* The program: finds the command that is meant, by its first word or by its own name.
 */
#include "command.h"
#include "lib/log_line.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COMMAND(name) extern const cli_command cli_##name;
#include "commands.inc"
#undef COMMAND

static const cli_command *const commands[] = {
#define COMMAND(name) &cli_##name,
#include "commands.inc"
#undef COMMAND
    NULL,
};

static void print_help(FILE *out)
{
    fprintf(out, "usage: sluice COMMAND [ARGUMENT…]\n\n"
                 "Moves data between systems and a Kafka-protocol log.\n\ncommands:\n");
    for (const cli_command *const *command = commands; *command != NULL; command++) {
        if (!(*command)->hidden) {
            fprintf(out, "  %-12s %s\n", (*command)->name, (*command)->summary);
        }
    }
    fprintf(
        out,
        "\nsluice COMMAND --help tells more. sluice --version prints the version.\n");
}

/* Whether `called` is `tool`, or `tool` with .sh behind it. */
static int is_tool(const char *called, const char *tool)
{
    size_t len = strlen(tool);
    return strncmp(called, tool, len) == 0 &&
           (called[len] == '\0' || strcmp(called + len, ".sh") == 0);
}

static const cli_command *find_tool(const char *called)
{
    for (const cli_command *const *command = commands; *command != NULL; command++) {
        const char *const *tool = (*command)->tools;
        for (; tool != NULL && *tool != NULL; tool++) {
            if (is_tool(called, *tool)) {
                return *command;
            }
        }
    }
    return NULL;
}

static const cli_command *find_command(const char *name)
{
    for (const cli_command *const *command = commands; *command != NULL; command++) {
        if (strcmp((*command)->name, name) == 0) {
            return *command;
        }
    }
    return NULL;
}

/* SLUICE_LOG_FORMAT=json: the broker's and the supervisor's lines too. */
static void choose_log_format(void)
{
    const char *format = getenv("SLUICE_LOG_FORMAT");
    if (format != NULL && strcmp(format, "json") == 0) {
        log_line_set_format(LOG_JSON);
    }
}

int main(int argc, char **argv)
{
    choose_log_format();
    const char *slash = strrchr(argv[0], '/');
    const char *called = slash == NULL ? argv[0] : slash + 1;
    const cli_command *command = find_tool(called);
    if (command != NULL) {
        argv[0] = (char *)called;
        return command->run(argc, argv);
    }
    if (argc < 2) {
        print_help(stderr);
        return CLI_MISUSED;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        print_help(stdout);
        return CLI_DONE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("sluice %s\n", SLUICE_VERSION);
        return CLI_DONE;
    }
    command = find_command(argv[1]);
    if (command == NULL) {
        fprintf(stderr,
                "'%s' is not a command of sluice: sluice --help lists those that are\n",
                argv[1]);
        return CLI_MISUSED;
    }
    return command->run(argc - 1, argv + 1);
}
