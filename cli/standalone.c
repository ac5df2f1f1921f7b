/* sluice standalone: a worker by itself, as connect-standalone. */
#include "worker/standalone.h"
#include "command.h"
#include "keys.h"
#include "options.h"
#include "worker/herder/metrics.h"
#include "worker/host/host.h"
#include <stdlib.h>

typedef struct standalone_options {
    const char *ready_file;
    cli_texts pairs;
    bool keys, metrics;
} standalone_options;

static const cli_option options[] = {
    {"override", 'o', CLI_TEXTS, "KEY=VALUE",
     "A worker setting that wins over the file's; may be repeated.", 0, 0,
     CLI_AT(cli_texts, standalone_options, pairs)},
    {"ready-file", 0, CLI_TEXT, "FILE",
     "Is written with 'rest=URL' for each listener when REST answers.", 0, 0,
     CLI_AT(const char *, standalone_options, ready_file)},
    {"keys", 0, CLI_FLAG, NULL,
     "Prints what every key of the configuration means, as Markdown, and ends.", 0, 0,
     CLI_AT(bool, standalone_options, keys)},
    {"metrics", 0, CLI_FLAG, NULL,
     "Prints what every metric of /metrics means, as Markdown, and ends.", 0, 0,
     CLI_AT(bool, standalone_options, metrics)},
    {.name = NULL},
};

static const cli_usage usage = {
    .synopsis =
        "sluice standalone WORKER.properties [CONNECTOR.properties|.json|FOLDER…]",
    .doc =
        "Runs a worker in one process tree, without a group: connectors come from the "
        "files, those of folders too, and through REST, offsets are kept in "
        "offset.storage.file.filename. "
        "The keys are Kafka Connect's. SIGTERM or Ctrl-C stops it cleanly; exit 0. "
        "Exit 1: it could not go on. Exit 2: a setting is wrong, or it cannot start. "
        "Exit 3: a connector of the command line cannot be made. One that was made and "
        "cannot start is FAILED, which ends nothing.",
    .options = options,
    .examples =
        "  sluice standalone config/connect-standalone.properties orders.json\n"
        "  sluice standalone worker.properties -o listeners=http://127.0.0.1:0\n",
};

static sluice_status read_worker(const char *path, const cli_texts *pairs,
                                 properties *worker, sluice_error *err)
{
    sluice_status status =
        path[0] == '\0' ? SLUICE_OK : properties_read(worker, path, err);
    for (size_t i = 0; i < pairs->count && status == SLUICE_OK; i++) {
        status = properties_set_pair(worker, pairs->items[i], err);
    }
    return status;
}

static int run_worker(const standalone_options *chosen, const cli_texts *arguments)
{
    properties *worker = properties_new();
    sluice_error *err = sluice_error_new();
    const char **files = calloc(arguments->count + 1, sizeof *files);
    int code = STANDALONE_REFUSED;
    for (size_t i = 1; files != NULL && i < arguments->count; i++) {
        files[i - 1] = arguments->items[i];
    }
    if (files == NULL ||
        read_worker(arguments->items[0], &chosen->pairs, worker, err) != SLUICE_OK) {
        fprintf(stderr, "%s\n", sluice_error_text(err));
    } else {
        standalone_settings settings = {.worker = worker,
                                        .connectors = files,
                                        .ready_file = chosen->ready_file,
                                        .java_options = getenv("KAFKA_OPTS"),
                                        .child = host_main};
        code = standalone_run(&settings);
    }
    free(files);
    sluice_error_free(err);
    properties_free(worker);
    return code;
}

static int run(int argc, char **argv)
{
    standalone_options chosen = {0};
    cli_texts arguments;
    int code;
    if (!cli_begin(&usage, argc, argv, &chosen, &arguments, &code)) {
        return code;
    }
    if (chosen.keys) {
        keys_print_worker();
        code = CLI_DONE;
    } else if (chosen.metrics) {
        metric_table_print();
        code = CLI_DONE;
    } else if (arguments.count == 0) { /* Kafka's exit code for it. */
        cli_help(&usage, stderr);
        code = STANDALONE_DIED;
    } else {
        code = run_worker(&chosen, &arguments);
    }
    cli_parse_done(&usage, &chosen, &arguments);
    return code;
}

static const char *const tools[] = {"connect-standalone", NULL};

const cli_command cli_standalone = {
    .name = "standalone",
    .summary = "runs a worker by itself (connect-standalone)",
    .tools = tools,
    .run = run,
};
