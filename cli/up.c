/* sluice up: a broker and a worker in one command, supervised, below one folder. */
#include "base/memory.h"
#include "command.h"
#include "options.h"
#include "supervisor.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct up_options {
    const char *data, *ready_file;
    int64_t broker_port, rest_port;
    cli_texts broker_pairs, worker_pairs;
} up_options;

static const cli_option options[] = {
    {"data", 0, CLI_TEXT, "DIR", "Where everything is kept. Default: ./sluice-data.", 0,
     0, CLI_AT(const char *, up_options, data)},
    {"broker-port", 0, CLI_NUMBER, "PORT",
     "The broker's port; 0: a free one. Default: 9092.", 0, 65535,
     CLI_AT(int64_t, up_options, broker_port)},
    {"rest-port", 0, CLI_NUMBER, "PORT",
     "The worker's REST port; 0: a free one. Default: 8083.", 0, 65535,
     CLI_AT(int64_t, up_options, rest_port)},
    {"broker-option", 0, CLI_TEXTS, "KEY=VALUE",
     "A setting of the broker; may be repeated.", 0, 0,
     CLI_AT(cli_texts, up_options, broker_pairs)},
    {"worker-option", 0, CLI_TEXTS, "KEY=VALUE",
     "A setting of the worker; may be repeated.", 0, 0,
     CLI_AT(cli_texts, up_options, worker_pairs)},
    {"ready-file", 0, CLI_TEXT, "FILE",
     "Is written with the addresses, as DIR/run/addresses is, when all is ready.", 0, 0,
     CLI_AT(const char *, up_options, ready_file)},
    {.name = NULL},
};

static const cli_usage usage = {
    .synopsis = "sluice up [CONNECTOR.properties|.json|FOLDER…] [OPTION…]",
    .doc =
        "Starts a broker and a worker on loopback, with all data below one folder, and "
        "keeps them running: one that dies is started again at the same address. "
        "Connectors from the files, those of folders too, and those made through REST "
        "are remembered: sluice connectors apply changes them by files later. "
        "DIR/run/addresses has a line 'broker=HOST:PORT' and one 'rest=URL'. "
        "SIGTERM or Ctrl-C stops everything cleanly.",
    .options = options,
    .examples = "  sluice up --data /tmp/sluice-data\n"
                "  sluice up connectors/\n"
                "  sluice up --broker-port 0 --rest-port 0 --ready-file addresses\n",
};

/* --- The folder. --- */

static bool make_folder(const char *path)
{
    if (mkdir(path, 0777) == 0 || errno == EEXIST) {
        return true;
    }
    fprintf(stderr, "folder '%s' cannot be made: %s\n", path, strerror(errno));
    return false;
}

/* Makes the folders and holds the lock until the process ends. */
static bool take_folder(const char *data)
{
    static const char *const inner[] = {"broker", "worker", "run"};
    bool made = make_folder(data);
    for (size_t i = 0; i < sizeof inner / sizeof inner[0] && made; i++) {
        char *path = memory_print("%s/%s", data, inner[i]);
        made = make_folder(path);
        free(path);
    }
    if (!made) {
        return false;
    }
    char *path = memory_print("%s/run/lock", data);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    bool taken = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0;
    if (!taken) {
        fprintf(stderr, "folder '%s' cannot be used: %s\n", data,
                errno == EWOULDBLOCK ? "another sluice up uses it" : strerror(errno));
    }
    free(path);
    return taken;
}

/* Writes `text` so that whoever sees the file sees it whole. */
static bool write_file(const char *path, const char *text)
{
    char *made = memory_print("%s.new", path);
    FILE *file = fopen(made, "we");
    bool written = file != NULL && fputs(text, file) >= 0;
    written = file != NULL && fclose(file) == 0 && written && rename(made, path) == 0;
    if (!written) {
        fprintf(stderr, "'%s' cannot be written: %s\n", path, strerror(errno));
    }
    free(made);
    return written;
}

/* A port that nobody has now; the children take the same one after every restart. */
static int64_t free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool bound = fd >= 0 && bind(fd, (struct sockaddr *)&address, len) == 0 &&
                 getsockname(fd, (struct sockaddr *)&address, &len) == 0;
    if (fd >= 0) {
        close(fd);
    }
    return bound ? ntohs(address.sin_port) : 0;
}

static char *pairs_text(const cli_texts *pairs)
{
    char *text = memory_text("");
    for (size_t i = 0; i < pairs->count; i++) {
        char *longer = memory_print("%s%s\n", text, pairs->items[i]);
        free(text);
        text = longer;
    }
    return text;
}

/* DIR/run/broker.properties; its path is the caller's, NULL: it cannot be written. */
static char *write_broker_file(const up_options *chosen, int64_t port)
{
    char *path = memory_print("%s/run/broker.properties", chosen->data);
    char *more = pairs_text(&chosen->broker_pairs);
    char *text = memory_print("listeners=PLAINTEXT://127.0.0.1:%lld\n"
                              "log.dirs=%s/broker\n%s",
                              (long long)port, chosen->data, more);
    bool written = write_file(path, text);
    free(text);
    free(more);
    if (!written) {
        free(path);
        return NULL;
    }
    return path;
}

static char *write_worker_file(const up_options *chosen, int64_t broker_port,
                               int64_t rest_port)
{
    char *path = memory_print("%s/run/worker.properties", chosen->data);
    char *more = pairs_text(&chosen->worker_pairs);
    char *text = memory_print(
        "bootstrap.servers=127.0.0.1:%lld\n"
        "listeners=http://127.0.0.1:%lld\n"
        "key.converter=org.apache.kafka.connect.json.JsonConverter\n"
        "value.converter=org.apache.kafka.connect.json.JsonConverter\n"
        "offset.storage.file.filename=%s/worker/state.sqlite\n"
        "config.storage.file.filename=%s/worker/state.sqlite\n"
        "offset.flush.interval.ms=10000\n%s",
        (long long)broker_port, (long long)rest_port, chosen->data, chosen->data, more);
    bool written = write_file(path, text);
    free(text);
    free(more);
    if (!written) {
        free(path);
        return NULL;
    }
    return path;
}

/* --- Running. --- */

static bool tell(const up_options *chosen, int64_t broker_port, int64_t rest_port)
{
    char *path = memory_print("%s/run/addresses", chosen->data);
    char *text =
        memory_print("broker=127.0.0.1:%lld\nrest=http://127.0.0.1:%lld\n"
                     "data=%s\n",
                     (long long)broker_port, (long long)rest_port, chosen->data);
    bool told = write_file(path, text) &&
                (chosen->ready_file == NULL || write_file(chosen->ready_file, text));
    if (told) {
        printf("broker at 127.0.0.1:%lld\nREST at http://127.0.0.1:%lld\ndata in %s\n",
               (long long)broker_port, (long long)rest_port, chosen->data);
        fflush(stdout);
    }
    free(path);
    free(text);
    return told;
}

/* The first start takes the connectors of the command line along; they are remembered,
 * so a later one does not, and leaves alone what was changed since. */
static int supervise(const up_options *chosen, const cli_texts *connectors,
                     const char *broker_file, const char *worker_file,
                     int64_t broker_port, int64_t rest_port)
{
    size_t count = 0;
    const char **first = calloc(connectors->count + 4, sizeof *first);
    const char *broker[] = {"broker", broker_file, NULL};
    const char *again[] = {"standalone", worker_file, NULL};
    if (first == NULL) {
        return CLI_FAILED;
    }
    first[count++] = "standalone";
    first[count++] = worker_file;
    for (size_t i = 0; i < connectors->count; i++) {
        first[count++] = connectors->items[i];
    }
    supervisor s;
    supervisor_init(&s);
    supervisor_child children[] = {
        {.name = "broker", .first = broker, .again = broker, .port = (int)broker_port},
        {.name = "worker", .first = first, .again = again, .port = (int)rest_port},
    };
    int code = CLI_FAILED;
    if (supervisor_start(&s, &children[0]) && supervisor_start(&s, &children[1]) &&
        tell(chosen, broker_port, rest_port)) {
        code = supervisor_run(&s) ? CLI_DONE : CLI_FAILED;
    }
    if (s.asked_to_stop) {
        code = CLI_DONE;
    }
    supervisor_stop(&s);
    free(first);
    return code;
}

static int up(const up_options *chosen, const cli_texts *connectors)
{
    if (!take_folder(chosen->data)) {
        return CLI_FAILED;
    }
    int64_t broker_port = chosen->broker_port, rest_port = chosen->rest_port;
    broker_port = broker_port == 0 ? free_port() : broker_port;
    rest_port = rest_port == 0 ? free_port() : rest_port;
    char *broker_file = write_broker_file(chosen, broker_port);
    char *worker_file = write_worker_file(chosen, broker_port, rest_port);
    char *addresses = memory_print("%s/run/addresses", chosen->data);
    int code = CLI_FAILED;
    remove(addresses);
    if (broker_file != NULL && worker_file != NULL) {
        code = supervise(chosen, connectors, broker_file, worker_file, broker_port,
                         rest_port);
    }
    remove(addresses);
    free(addresses);
    free(broker_file);
    free(worker_file);
    return code;
}

static int run(int argc, char **argv)
{
    up_options chosen = {.data = "sluice-data", .broker_port = 9092, .rest_port = 8083};
    cli_texts arguments;
    int code;
    if (!cli_begin(&usage, argc, argv, &chosen, &arguments, &code)) {
        return code;
    }
    code = up(&chosen, &arguments);
    cli_parse_done(&usage, &chosen, &arguments);
    return code;
}

const cli_command cli_up = {
    .name = "up",
    .summary = "runs a broker and a worker together, supervised",
    .run = run,
};
