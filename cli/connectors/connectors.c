/* sluice connectors: what runs on a worker, and changing it, over REST. */
#include "connectors.h"
#include "base/memory.h"
#include "base/text.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static const cli_option options[] = {
    {"url", 0, CLI_TEXT, "URL",
     "The worker, http:// or https://. Default: CONNECT_REST_URL of the environment, "
     "or "
     "http://127.0.0.1:8083.",
     0, 0, CLI_AT(const char *, connectors_options, url)},
    {"user", 0, CLI_TEXT, "NAME:PASSWORD",
     "Who asks, for basic authentication. Default: CONNECT_REST_USER, which other "
     "users "
     "of the machine do not see.",
     0, 0, CLI_AT(const char *, connectors_options, user)},
    {"cacert", 0, CLI_TEXT, "FILE",
     "Who has signed the worker's certificate (PEM). Default: whom the system trusts.",
     0, 0, CLI_AT(const char *, connectors_options, ca_file)},
    {"cert", 0, CLI_TEXT, "FILE",
     "Our certificate with its key (PEM), where the worker asks for one.", 0, 0,
     CLI_AT(const char *, connectors_options, cert_file)},
    {"insecure", 0, CLI_FLAG, NULL, "Whatever certificate the worker has.", 0, 0,
     CLI_AT(bool, connectors_options, insecure)},
    {"json", 0, CLI_FLAG, NULL,
     "Prints JSON: the worker's answers as they are, one for each NAME.", 0, 0,
     CLI_AT(bool, connectors_options, json)},
    {"wait", 0, CLI_FLAG, NULL,
     "With what changes something: until the connector and its tasks are so. FAILED "
     "ends "
     "it, with the reason.",
     0, 0, CLI_AT(bool, connectors_options, wait)},
    {"timeout", 0, CLI_NUMBER, "SECONDS", "How long to wait at most. Default: 60.", 0,
     100000, CLI_AT(int64_t, connectors_options, timeout)},
    {"state", 0, CLI_TEXT, "STATE",
     "With create: RUNNING, PAUSED or STOPPED to begin with. With list: only what is "
     "in "
     "it, or has a task in it. With wait: what to wait for.",
     0, 0, CLI_AT(const char *, connectors_options, state)},
    {"names", 0, CLI_FLAG, NULL, "With list: the names only.", 0, 0,
     CLI_AT(bool, connectors_options, names)},
    {"update", 0, CLI_FLAG, NULL,
     "With create: a connector of that name gets the configuration.", 0, 0,
     CLI_AT(bool, connectors_options, update)},
    {"prune", 0, CLI_FLAG, NULL,
     "With diff and apply: connectors that no file describes are deleted.", 0, 0,
     CLI_AT(bool, connectors_options, prune)},
    {"dry-run", 0, CLI_FLAG, NULL, "With apply: as diff.", 0, 0,
     CLI_AT(bool, connectors_options, dry_run)},
    {"remove", 0, CLI_TEXTS, "KEY", "With config: takes a key away; may be repeated.",
     0, 0, CLI_AT(cli_texts, connectors_options, removed)},
    {"tasks", 0, CLI_FLAG, NULL, "With restart: its tasks too.", 0, 0,
     CLI_AT(bool, connectors_options, tasks)},
    {"only-failed", 0, CLI_FLAG, NULL, "With restart: only what is FAILED.", 0, 0,
     CLI_AT(bool, connectors_options, only_failed)},
    {"task", 0, CLI_NUMBER, "N", "With restart: only this task.", 0, 1000000,
     CLI_AT(int64_t, connectors_options, task)},
    {"reset", 0, CLI_FLAG, NULL, "With topics, and with offsets: forgets them.", 0, 0,
     CLI_AT(bool, connectors_options, reset)},
    {"to", 0, CLI_TEXT, "FILE", "With offsets get: into a file, for offsets set.", 0, 0,
     CLI_AT(const char *, connectors_options, to)},
    {"stop", 0, CLI_FLAG, NULL,
     "With offsets set and reset: stops the connector before, as it must be, and lets "
     "it go on behind.",
     0, 0, CLI_AT(bool, connectors_options, stop)},
    {"lines", 0, CLI_NUMBER, "N", "With logs: how many of the last. Default: 100.", 0,
     100000, CLI_AT(int64_t, connectors_options, lines)},
    {"follow", 'f', CLI_FLAG, NULL, "With logs: goes on with what comes.", 0, 0,
     CLI_AT(bool, connectors_options, follow)},
    {"actions", 0, CLI_FLAG, NULL, NULL, 0, 0,
     CLI_AT(bool, connectors_options, actions)},
    {.name = NULL},
};

static const cli_usage usage = {
    .synopsis = "sluice connectors ACTION [ARGUMENT…] [OPTION…]",
    .doc =
        "Asks a worker about its connectors, and changes them: ours, or one of Kafka "
        "Connect.\n\n"
        "list                     all connectors with their states\n"
        "show NAME…               everything about one\n"
        "status NAME…             the states, with the reason of a failure\n"
        "logs NAME                the last lines of the log about one\n"
        "create FILE…             makes connectors (.properties or .json)\n"
        "diff FILE|FOLDER…        what apply would do\n"
        "apply FILE|FOLDER…       makes and changes what files describe\n"
        "validate FILE|FOLDER…    checks configurations, changes nothing\n"
        "config [get] NAME [KEY…] the configuration, or values of it\n"
        "config [patch] NAME K=V… changes keys; see --remove\n"
        "config set NAME FILE     a whole new one, from JSON ('-': stdin)\n"
        "offsets [get] NAME       how far it has come\n"
        "offsets set NAME FILE    where it is to go on, from JSON ('-': stdin)\n"
        "offsets set NAME T:P=N…  the same of a sink: topic, partition, offset\n"
        "offsets reset NAME       from the beginning\n"
        "topics NAME…             the topics it has used\n"
        "pause NAME…, resume NAME…, stop NAME…, delete NAME…\n"
        "restart NAME…            see --tasks, --only-failed, --task\n"
        "wait NAME…               until it is RUNNING; see --state\n"
        "plugins [PLUGIN]         what connectors there are, or the keys of one\n"
        "loggers [NAME [LEVEL]]   levels of the worker's log, or sets one\n"
        "info                     the worker's version and cluster\n\n"
        "Exit 0: done; with diff: nothing differs. Exit 1: the worker refused, a "
        "configuration is not valid; with diff and --dry-run: something differs. Exit "
        "2: the command line or a file is wrong. Exit 3: the worker cannot be reached, "
        "or does not let us in. Exit 4: what was waited for has failed, or did not "
        "come in time.",
    .options = options,
    .examples = "  sluice connectors apply connectors/ --prune --wait\n"
                "  sluice connectors list --state FAILED\n"
                "  sluice connectors config orders tasks.max=4 --remove transforms\n"
                "  sluice connectors restart orders --tasks --only-failed --wait\n"
                "  sluice connectors offsets set orders-out orders:0=42 --stop\n",
};

typedef struct action {
    const char *name;
    size_t min, max; /* Arguments. */
    action_run *run;
} action;

enum { any_number = 1000000 };

static const action actions[] = {
    {"list", 0, 0, do_list},
    {"show", 1, any_number, do_show},
    {"describe", 1, any_number, do_show},
    {"status", 1, any_number, do_status},
    {"logs", 1, 1, do_logs},
    {"create", 1, any_number, do_create},
    {"diff", 1, any_number, do_diff},
    {"apply", 1, any_number, do_apply},
    {"validate", 1, any_number, do_validate},
    {"config", 1, any_number, do_config},
    {"offsets", 1, any_number, do_offsets},
    {"topics", 1, any_number, do_topics},
    {"pause", 1, any_number, do_pause},
    {"resume", 1, any_number, do_resume},
    {"stop", 1, any_number, do_stop},
    {"restart", 1, any_number, do_restart},
    {"delete", 1, any_number, do_delete},
    {"wait", 1, any_number, do_wait},
    {"plugins", 0, 1, do_plugins},
    {"loggers", 0, 2, do_loggers},
    {"info", 0, 0, do_info},
};

static const action *find_action(const cli_texts *arguments)
{
    const char *names[sizeof actions / sizeof actions[0]];
    const char *name = arguments->count == 0 ? "list" : arguments->items[0];
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
        names[i] = actions[i].name;
        if (strcmp(actions[i].name, name) == 0) {
            return &actions[i];
        }
    }
    const char *near = text_nearest(name, names, sizeof names / sizeof names[0]);
    fprintf(stderr,
            "'%s' is not an action of sluice connectors%s%s%s: --help lists those that "
            "are\n",
            name, near == NULL ? "" : ", but '", near == NULL ? "" : near,
            near == NULL ? "" : "' is");
    return NULL;
}

/* For completion. */
static int print_actions(void)
{
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
        printf("%s\n", actions[i].name);
    }
    return CLI_DONE;
}

static int act(session *s, const cli_texts *arguments)
{
    const action *wanted = find_action(arguments);
    if (wanted == NULL) {
        return CLI_MISUSED;
    }
    size_t skipped = arguments->count == 0 ? 0 : 1;
    cli_texts rest = {arguments->count - skipped, arguments->items + skipped};
    if (rest.count < wanted->min || rest.count > wanted->max) {
        fprintf(stderr, "sluice connectors %s takes %s: --help tells more\n",
                wanted->name,
                wanted->max == 0   ? "no argument"
                : wanted->min == 0 ? "fewer arguments"
                : wanted->max == 1 ? "one argument"
                                   : "at least one argument");
        return CLI_MISUSED;
    }
    wanted->run(s, &rest);
    return s->code;
}

static const char *from_environment(const char *given, const char *name,
                                    const char *fallback)
{
    const char *text = given != NULL ? given : getenv(name);
    return text == NULL || text[0] == '\0' ? fallback : text;
}

static int run(int argc, char **argv)
{
    connectors_options chosen = {.task = -1, .timeout = 60, .lines = 100};
    cli_texts arguments;
    int code;
    if (!cli_begin(&usage, argc, argv, &chosen, &arguments, &code)) {
        return code;
    }
    session s = {.options = &chosen,
                 .worker = {from_environment(chosen.url, "CONNECT_REST_URL",
                                             "http://127.0.0.1:8083"),
                            from_environment(chosen.user, "CONNECT_REST_USER", NULL),
                            chosen.ca_file, chosen.cert_file, chosen.insecure}};
    signal(SIGPIPE, SIG_IGN);
    code = chosen.actions ? print_actions() : act(&s, &arguments);
    cli_parse_done(&usage, &chosen, &arguments);
    return code;
}

const cli_command cli_connectors = {
    .name = "connectors",
    .summary = "shows and changes the connectors of a worker",
    .run = run,
};
