/* cli/command.h - the subcommands of `sluice`, one file each.
 *
 * A command is a constant in its file, named in the table of main.c. Called through a
 * symlink with one of its tool names (kafka-topics, kafka-topics.sh), the program is
 * that tool. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stddef.h>

#ifndef SLUICE_VERSION
#define SLUICE_VERSION "unknown"
#endif

/* Exit statuses of every command. */
enum {
    CLI_DONE = 0,
    CLI_FAILED = 1, /* It was tried, and did not go: standard error says why. */
    CLI_MISUSED =
        2, /* The command line is wrong: standard error says how it is right. */
};

typedef struct cli_command {
    const char *name;         /* "topics" */
    const char *summary;      /* A line for `sluice --help`. */
    const char *const *tools; /* Kafka's names for it, NULL-ended; or NULL. */
    /* Runs it. argv[0] is the command's name, or the tool's that it was called by.
     * Returns the exit status. */
    int (*run)(int argc, char **argv);
    /* 1: not listed by `sluice --help`, for what only Sluice itself starts. */
    int hidden;
} cli_command;

#endif
