/* sluice broker: the included broker in the foreground; kafka-server-start with its
 * arguments. */
#include "broker/broker.h"
#include "base/properties.h"
#include "command.h"
#include "keys.h"
#include "options.h"
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <sluice/log.h>
#include <string.h>
#include <unistd.h>

typedef struct broker_options {
    cli_texts settings;
    const char *port_file;
    bool keys;
} broker_options;

static const cli_option options[] = {
    {"option", 'o', CLI_TEXTS, "KEY=VALUE",
     "A key of the configuration, over what the file says; may be repeated.", 0, 0,
     CLI_AT(cli_texts, broker_options, settings)},
    {"override", 0, CLI_TEXTS, "KEY=VALUE", "The same, by Kafka's name.", 0, 0,
     CLI_AT(cli_texts, broker_options, settings)},
    {"port-file", 0, CLI_TEXT, "FILE",
     "Writes the address of the first listener, HOST:PORT, into FILE when ready.", 0, 0,
     CLI_AT(const char *, broker_options, port_file)},
    {"keys", 0, CLI_FLAG, NULL,
     "Prints what every key of the configuration means, as Markdown, and ends.", 0, 0,
     CLI_AT(bool, broker_options, keys)},
    {.name = NULL},
};

static const cli_usage usage = {
    .synopsis = "sluice broker [FILE] [-o KEY=VALUE]…",
    .doc =
        "Runs a broker that speaks the Kafka protocol. FILE is a server.properties "
        "with "
        "Kafka's keys (listeners, log.dirs, num.partitions, …). Without one it listens "
        "on 127.0.0.1:9092 and keeps its data in ./sluice-logs. Prints 'listening on "
        "HOST:PORT' when clients can come, and stops on SIGTERM or SIGINT.",
    .options = options,
    .examples =
        "  sluice broker -o log.dirs=/var/lib/sluice\n"
        "  sluice broker server.properties -o listeners=PLAINTEXT://127.0.0.1:0\n",
};

static sluice_status read_settings(const broker_options *chosen,
                                   const cli_texts *arguments, properties *ret_given,
                                   sluice_error *err)
{
    if (arguments->count > 1) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "'%s' is a second file: only one can be given",
                           arguments->items[1]);
    }
    sluice_status status = SLUICE_OK;
    if (arguments->count == 1) {
        status = properties_read(ret_given, arguments->items[0], err);
    }
    for (size_t i = 0; i < chosen->settings.count && status == SLUICE_OK; i++) {
        status = properties_set_pair(ret_given, chosen->settings.items[i], err);
    }
    return status;
}

/* Written beside it and moved there, so that whoever waits for it sees it whole. */
static sluice_status write_port_file(const char *path, const char *address,
                                     sluice_error *err)
{
    char temporary[4096];
    int len = snprintf(temporary, sizeof temporary, "%s.tmp", path);
    FILE *file = (size_t)len < sizeof temporary ? fopen(temporary, "w") : NULL;
    if (file == NULL || fprintf(file, "%s\n", address) < 0 || fclose(file) != 0 ||
        rename(temporary, path) != 0) {
        return sluice_fail(err, SLUICE_FATAL, "cannot write '%s': %s", path,
                           strerror(errno));
    }
    return SLUICE_OK;
}

static sluice_status announce(const broker *running, const broker_options *chosen,
                              sluice_error *err)
{
    for (size_t i = 0; i < broker_listener_count(running); i++) {
        printf("listening on %s\n", broker_address(running, i));
    }
    if (broker_metrics_url(running) != NULL) {
        printf("metrics at %s\n", broker_metrics_url(running));
    }
    fflush(stdout);
    return chosen->port_file == NULL
               ? SLUICE_OK
               : write_port_file(chosen->port_file, broker_address(running, 0), err);
}

/* The broker's threads inherit the mask: only this one sees the signals. */
static void block_signals(sigset_t *ret_signals)
{
    sigemptyset(ret_signals);
    sigaddset(ret_signals, SIGTERM);
    sigaddset(ret_signals, SIGINT);
    sigaddset(ret_signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, ret_signals, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static sluice_status serve(const broker_options *chosen, const properties *given,
                           sluice_error *err)
{
    sigset_t signals;
    block_signals(&signals);
    broker *running;
    sluice_status status = broker_start(given, &running, err);
    if (status != SLUICE_OK) {
        return status;
    }
    status = announce(running, chosen, err);
    if (status == SLUICE_OK) {
        int received = 0;
        sigwait(&signals, &received);
        sluice_log(SLUICE_INFO, "broker", "stopping signal=%s", strsignal(received));
    }
    broker_stop(running);
    return status;
}

static int run_broker(const broker_options *chosen, const cli_texts *arguments)
{
    sluice_error *err = sluice_error_new();
    properties *given = properties_new();
    sluice_status status = read_settings(chosen, arguments, given, err);
    if (status == SLUICE_OK) {
        status = serve(chosen, given, err);
    }
    for (size_t i = 0; i < sluice_error_count(err); i++) {
        fprintf(stderr, "%s\n", sluice_error_message(err, i));
    }
    properties_free(given);
    sluice_error_free(err);
    return status == SLUICE_OK           ? CLI_DONE
           : status == SLUICE_BAD_CONFIG ? CLI_MISUSED
                                         : CLI_FAILED;
}

static int run(int argc, char **argv)
{
    broker_options chosen = {0};
    cli_texts arguments;
    int exit_status;
    if (!cli_begin(&usage, argc, argv, &chosen, &arguments, &exit_status)) {
        return exit_status;
    }
    if (chosen.keys) {
        keys_print_broker();
        exit_status = CLI_DONE;
    } else {
        exit_status = run_broker(&chosen, &arguments);
    }
    cli_parse_done(&usage, &chosen, &arguments);
    return exit_status;
}

static const char *const tools[] = {"kafka-server-start", NULL};

const cli_command cli_broker = {
    .name = "broker",
    .summary = "runs the included broker",
    .tools = tools,
    .run = run,
};
