/* The parser of command lines, and the help that its tables give. */
#include "options.h"
#include "base/memory.h"
#include "base/text.h"
#include "command.h"
#include <stdlib.h>
#include <string.h>

typedef struct parse {
    const cli_usage *usage;
    int argc;
    char **argv;
    int next; /* The index in argv of what comes next. */
    char *options;
    bool kafkas; /* Called by the name of a tool of Kafka's. */
    sluice_error *err;
    uint64_t given; /* A bit for each option that has had its one value. */
} parse;

static void texts_add(cli_texts *texts, const char *text)
{
    texts->items =
        memory_resize(texts->items, (texts->count + 1) * sizeof *texts->items);
    texts->items[texts->count++] = text;
}

bool cli_is_kafkas(const char *called)
{
    return text_starts(called, "kafka-");
}

/* The option that `name` (of `len` bytes) is, or is the only beginning of. */
static sluice_status find(const parse *self, const char *name, size_t len,
                          const cli_option **ret_option)
{
    const cli_option *found = NULL;
    sluice_error *err = self->err;
    const cli_option *option = self->usage->options;
    for (; option->name != NULL; option++) {
        if (strncmp(option->name, name, len) != 0) {
            continue;
        }
        if (option->name[len] == '\0') {
            *ret_option = option;
            return SLUICE_OK;
        }
        if (found != NULL) {
            return sluice_fail(err, SLUICE_BAD_CONFIG,
                               "option '--%.*s' may be '--%s' or '--%s': write it out",
                               (int)len, name, found->name, option->name);
        }
        found = option;
    }
    if (found == NULL) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           self->kafkas
                               ? "%.*s is not a recognized option"
                               : "option '--%.*s' is not known here: --help lists "
                                 "those that are",
                           (int)len, name);
    }
    *ret_option = found;
    return SLUICE_OK;
}

static sluice_status store_number(const parse *self, const cli_option *option,
                                  const char *value, int64_t *ret_number)
{
    int64_t number = 0;
    sluice_error *err = self->err;
    bool ranged = option->min != 0 || option->max != 0;
    if (!text_to_int64(value, &number)) {
        return self->kafkas ? sluice_fail_key(err, option->name,
                                              "Cannot parse argument '%s' of option %s",
                                              value, option->name)
                            : sluice_fail(err, SLUICE_BAD_CONFIG,
                                          "--%s is '%s': must be a whole number",
                                          option->name, value);
    }
    if (ranged && (number < option->min || number > option->max)) {
        return sluice_fail(err, SLUICE_BAD_CONFIG, "--%s is %s: must be %lld to %lld",
                           option->name, value, (long long)option->min,
                           (long long)option->max);
    }
    *ret_number = number;
    return SLUICE_OK;
}

/* Stores `value`, or takes the next word as the value where it is NULL. */
static sluice_status store(parse *self, const cli_option *option, const char *value)
{
    void *field = self->options + option->offset;
    if (option->type == CLI_FLAG) {
        if (value != NULL) {
            return sluice_fail(self->err, SLUICE_BAD_CONFIG,
                               "--%s takes no value, but has '%s'", option->name,
                               value);
        }
        *(bool *)field = true;
        return SLUICE_OK;
    }
    if (option->type == CLI_MAYBE && value == NULL &&
        (self->next >= self->argc || self->argv[self->next][0] == '-')) {
        value = "";
    }
    if (value == NULL && self->next >= self->argc) {
        return sluice_fail(self->err, SLUICE_BAD_CONFIG,
                           self->kafkas ? "Option %s requires an argument"
                                        : "--%s needs a value: %s",
                           option->name, option->value);
    }
    if (value == NULL) {
        value = self->argv[self->next++];
    }
    if (option->type == CLI_NUMBER) {
        return store_number(self, option, value, field);
    }
    if (option->type == CLI_TEXT || option->type == CLI_MAYBE) {
        *(const char **)field = value;
    } else {
        texts_add(field, value);
    }
    return SLUICE_OK;
}

/* Kafka's tools take no option twice that has one value; ours take the last. */
static sluice_status refuse_twice(parse *self, const cli_option *option)
{
    uint64_t bit = 1ULL << (option - self->usage->options) % 64;
    bool single = option->type != CLI_FLAG && option->type != CLI_TEXTS;
    if (self->kafkas && single && (self->given & bit) != 0) {
        return sluice_fail_key(self->err, option->name,
                               "Found multiple arguments for option %s, but you asked "
                               "for only one",
                               option->name);
    }
    self->given |= bit;
    return SLUICE_OK;
}

static sluice_status parse_long(parse *self, const char *word)
{
    const char *equals = strchr(word, '=');
    size_t len = equals == NULL ? strlen(word) : (size_t)(equals - word);
    const cli_option *option = NULL;
    sluice_status status = find(self, word, len, &option);
    if (status == SLUICE_OK) {
        status = refuse_twice(self, option);
    }
    return status == SLUICE_OK ? store(self, option, equals == NULL ? NULL : equals + 1)
                               : status;
}

static sluice_status parse_letter(parse *self, const char *word)
{
    for (const cli_option *option = self->usage->options; option->name != NULL;
         option++) {
        if (option->letter != 0 && option->letter == word[0]) {
            return store(self, option, word[1] == '\0' ? NULL : word + 1);
        }
    }
    return sluice_fail(self->err, SLUICE_BAD_CONFIG,
                       "option '-%s' is not known here: --help lists those that are",
                       word);
}

sluice_status cli_parse(const cli_usage *usage, int argc, char **argv,
                        void *ret_options, cli_texts *ret_arguments, sluice_error *err)
{
    parse self = {usage, argc, argv, 1, ret_options, cli_is_kafkas(argv[0]), err, 0};
    bool only_arguments = false;
    *ret_arguments = (cli_texts){0};
    while (self.next < argc) {
        const char *word = argv[self.next++];
        sluice_status status = SLUICE_OK;
        if (only_arguments || word[0] != '-' || word[1] == '\0') {
            texts_add(ret_arguments, word);
        } else if (strcmp(word, "--") == 0) {
            only_arguments = true;
        } else if (word[1] == '-') {
            status = parse_long(&self, word + 2);
        } else {
            status = parse_letter(&self, word + 1);
        }
        if (status != SLUICE_OK) {
            return status;
        }
    }
    return SLUICE_OK;
}

void cli_parse_done(const cli_usage *usage, void *options, cli_texts *arguments)
{
    for (const cli_option *option = usage->options; option->name != NULL; option++) {
        if (option->type == CLI_TEXTS) {
            cli_texts *texts = (cli_texts *)((char *)options + option->offset);
            free(texts->items);
            *texts = (cli_texts){0};
        }
    }
    free(arguments->items);
    *arguments = (cli_texts){0};
}

/* Prints `text` from column `indent` on, broken between words before column 80. */
static void print_wrapped(FILE *out, const char *text, int indent)
{
    int column = indent;
    while (*text != '\0') {
        int len = (int)strcspn(text, " \n");
        if (column > indent && column + 1 + len > 80) {
            fprintf(out, "\n%*s", indent, "");
            column = indent;
        }
        column += fprintf(out, "%s%.*s", column > indent ? " " : "", len, text);
        text += len;
        if (*text == '\n') {
            fprintf(out, "\n%*s", indent, "");
            column = indent;
        }
        text += *text != '\0';
    }
    fputc('\n', out);
}

static void print_option(FILE *out, const cli_option *option)
{
    char letter[8] = "    ";
    char name[64];
    if (option->letter != 0) {
        snprintf(letter, sizeof letter, "-%c, ", option->letter);
    }
    snprintf(name, sizeof name, "--%s%s%s", option->name,
             option->value != NULL ? " " : "",
             option->value != NULL ? option->value : "");
    if (strlen(name) > 25) {
        fprintf(out, "  %s%s\n%33s", letter, name, "");
    } else {
        fprintf(out, "  %s%-26s ", letter, name);
    }
    print_wrapped(out, option->doc, 33);
}

void cli_help(const cli_usage *usage, FILE *out)
{
    fprintf(out, "usage: %s\n\n", usage->synopsis);
    print_wrapped(out, usage->doc, 0);
    fprintf(out, "\noptions:\n");
    for (const cli_option *option = usage->options; option->name != NULL; option++) {
        if (option->doc != NULL) {
            print_option(out, option);
        }
    }
    fprintf(out, "  -h, --help                     Prints this.\n");
    if (usage->examples != NULL) {
        fprintf(out, "\nexamples:\n%s", usage->examples);
    }
}

static bool asks_for(int argc, char **argv, const char *name, const char *letter)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], name) == 0 || strcmp(argv[i], letter) == 0) {
            return true;
        }
    }
    return false;
}

int cli_misused(const cli_usage *usage, const char *called, const char *text)
{
    fprintf(stderr, "%s\nusage: %s\n", text, usage->synopsis);
    return cli_is_kafkas(called) ? CLI_FAILED : CLI_MISUSED;
}

int cli_ended(sluice_status status, sluice_error *err)
{
    if (status != SLUICE_OK) {
        fprintf(stderr, "%s\n", sluice_error_text(err));
    }
    sluice_error_free(err);
    return status == SLUICE_OK ? CLI_DONE : CLI_FAILED;
}

static int refuse(const cli_usage *usage, const char *called, const sluice_error *err)
{
    const char *before = usage->before_wrong_value;
    if (cli_is_kafkas(called) && before != NULL && sluice_error_key(err, 0) != NULL) {
        printf("%s%s\n", before, sluice_error_text(err));
        return usage->exit_at_wrong_value;
    }
    if (cli_is_kafkas(called) && usage->before_mistake != NULL) {
        fprintf(stderr, "%s", usage->before_mistake);
    }
    return cli_misused(usage, called, sluice_error_text(err));
}

bool cli_begin(const cli_usage *usage, int argc, char **argv, void *ret_options,
               cli_texts *ret_arguments, int *ret_exit)
{
    if (asks_for(argc, argv, "--help", "-h")) {
        cli_help(usage, stdout);
        *ret_exit = CLI_DONE;
        return false;
    }
    if (cli_is_kafkas(argv[0]) && asks_for(argc, argv, "--version", "--version")) {
        printf("sluice %s\n", SLUICE_VERSION);
        *ret_exit = CLI_DONE;
        return false;
    }
    sluice_error *err = sluice_error_new();
    bool good =
        cli_parse(usage, argc, argv, ret_options, ret_arguments, err) == SLUICE_OK;
    if (!good) {
        *ret_exit = refuse(usage, argv[0], err);
        cli_parse_done(usage, ret_options, ret_arguments);
    }
    sluice_error_free(err);
    return good;
}
