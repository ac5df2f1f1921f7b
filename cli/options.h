/* cli/options.h - one table per command: it parses the options and prints the help.
 *
 * Long options as `--name value`, `--name=value`, or shortened while unambiguous, as
 * Kafka's own tools take them; one letter where the table gives one. What is no option
 * is an argument. `--` ends the options.
 *
 * Threads: the main one, before others start. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <sluice/error.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef enum cli_option_type {
    CLI_FLAG,   /* bool */
    CLI_TEXT,   /* const char * */
    CLI_NUMBER, /* int64_t */
    CLI_TEXTS,  /* cli_texts: may be given again and again. */
    CLI_MAYBE,  /* const char *: the next word, unless that is an option; then "". */
} cli_option_type;

/* Texts in the order of the command line; borrowed from argv, the array from the parse.
 */
typedef struct cli_texts {
    size_t count;
    const char **items;
} cli_texts;

typedef struct cli_option {
    const char *name; /* Without dashes; NULL ends the table. */
    char letter;      /* 0: none. */
    cli_option_type type;
    const char *value; /* What its value is called in the help: "HOST:PORT". */
    const char *doc;   /* NULL: accepted, and left out of the help. */
    int64_t min, max;  /* For CLI_NUMBER; both 0: any. */
    size_t offset;     /* CLI_AT() */
} cli_option;

/* An offset that compiles only if the field has the C type of the option. */
#define CLI_AT(type, options, field)                                                   \
    _Generic(((options *)0)->field, type : offsetof(options, field))

typedef struct cli_usage {
    const char *synopsis; /* "sluice topics list [TOPIC…] [OPTION…]" */
    const char *doc;      /* Paragraphs. */
    const cli_option *options;
    const char *examples; /* Lines, or NULL. */
    /* What the tool of Kafka's says before what cli_begin() refuses, on standard error;
     * NULL: nothing. */
    const char *before_mistake;
    /* And before a wrong value of an option, on standard output: it reads these late.
     * NULL: as for other mistakes. */
    const char *before_wrong_value;
    int exit_at_wrong_value;
} cli_usage;

/* Fills the struct at `ret_options` (its defaults set by the caller) and
 * `ret_arguments`. SLUICE_BAD_CONFIG names the option, its value and what is allowed;
 * where argv[0] is a tool of Kafka's it is the text that the tool would print. */
sluice_status cli_parse(const cli_usage *usage, int argc, char **argv,
                        void *ret_options, cli_texts *ret_arguments, sluice_error *err);

/* Gives back what a parse took, also one that failed. */
void cli_parse_done(const cli_usage *usage, void *options, cli_texts *arguments);

void cli_help(const cli_usage *usage, FILE *out);

/* Whether a command that was called `called` (its argv[0]) is to speak as the tool of
 * Kafka's by whose name it goes: Kafka's texts, and CLI_FAILED for every mistake. */
bool cli_is_kafkas(const char *called);

/* Says what is wrong with a command line, and how it is right. Returns the exit
 * status: CLI_MISUSED, or what Kafka's tool would end with. */
int cli_misused(const cli_usage *usage, const char *called, const char *text);

/* The end of a command: tells on standard error what went wrong, if something did,
 * takes `err`, and returns CLI_DONE or CLI_FAILED. */
int cli_ended(sluice_status status, sluice_error *err);

/* The whole beginning of a command: answers --help and -h (CLI_DONE) and mistakes
 * (cli_misused()) in `ret_exit` and returns false, or parses and returns true. */
bool cli_begin(const cli_usage *usage, int argc, char **argv, void *ret_options,
               cli_texts *ret_arguments, int *ret_exit);

#endif
