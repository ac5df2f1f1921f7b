/* sluice log-dirs: what lies in the brokers' data directories; kafka-log-dirs. */
#include "admin.h"
#include "base/text.h"
#include "command.h"
#include <stdlib.h>
#include <string.h>

typedef struct log_dirs_options {
    cli_connection connection;
    bool describe;
    const char *topics, *brokers;
} log_dirs_options;

static const cli_option options[] = {
    CLI_CONNECTION_OPTIONS(log_dirs_options),
    {"describe", 0, CLI_FLAG, NULL, "Needed by kafka-log-dirs; the only action.", 0, 0,
     CLI_AT(bool, log_dirs_options, describe)},
    {"topic-list", 0, CLI_TEXT, "TOPIC,…", "Only these topics.", 0, 0,
     CLI_AT(const char *, log_dirs_options, topics)},
    {"broker-list", 0, CLI_TEXT, "ID,…", "Only these brokers.", 0, 0,
     CLI_AT(const char *, log_dirs_options, brokers)},
    {.name = NULL},
};

static const cli_usage usage = {
    .synopsis = "sluice log-dirs [OPTION…]",
    .doc = "Prints, as JSON, the size of every partition in every data directory of "
           "every broker. Called as kafka-log-dirs it is the same.",
    .options = options,
    .examples = "  sluice log-dirs --topic-list orders\n",
};

typedef struct log_dirs_work {
    admin *client;
    bool kafkas;
    char **topics; /* NULL: all. */
    size_t topic_count;
    int32_t *brokers;
    size_t broker_count;
} log_dirs_work;

static bool is_there(const metadata_response *metadata, int32_t id)
{
    for (size_t i = 0; i < metadata->brokers.count; i++) {
        if (metadata->brokers.items[i].node_id == id) {
            return true;
        }
    }
    return false;
}

static int compare_ids(const void *one, const void *other)
{
    int32_t a = *(const int32_t *)one, b = *(const int32_t *)other;
    return (a > b) - (a < b);
}

static void print_existing(buffer *out, const metadata_response *metadata)
{
    for (size_t i = 0; i < metadata->brokers.count; i++) {
        buffer_print(out, "%s%d", i > 0 ? "," : "", metadata->brokers.items[i].node_id);
    }
}

/* The brokers of --broker-list, all of which must be there. */
static sluice_status take_brokers(log_dirs_work *self, const char *list,
                                  const metadata_response *metadata, sluice_error *err)
{
    size_t count = 0;
    char **given = text_split(list, &count);
    buffer missing = BUFFER_INIT, existing = BUFFER_INIT;
    sluice_status status = SLUICE_OK;
    self->brokers = sluice_arena_take(admin_arena(self->client),
                                      (count + 1) * sizeof *self->brokers);
    for (size_t i = 0; i < count && status == SLUICE_OK; i++) {
        int32_t id;
        if (!text_to_int32(given[i], &id)) {
            status = sluice_fail(err, SLUICE_BAD_CONFIG, "For input string: \"%s\"",
                                 given[i]);
        } else if (!is_there(metadata, id)) {
            buffer_print(&missing, "%s%d", missing.len > 0 ? "," : "", id);
        } else {
            self->brokers[self->broker_count++] = id;
        }
    }
    if (missing.len > 0 && status == SLUICE_OK) {
        print_existing(&existing, metadata);
        status =
            sluice_fail(err, SLUICE_BAD_CONFIG,
                        "ERROR: The given brokers do not exist from --broker-list: "
                        "%s. Current existent brokers: %s",
                        buffer_text(&missing), buffer_text(&existing));
    }
    buffer_done(&missing);
    buffer_done(&existing);
    free(given);
    return status;
}

static sluice_status find_brokers(log_dirs_work *self, const char *list,
                                  sluice_error *err)
{
    const metadata_response *metadata = NULL;
    sluice_status status = admin_metadata(self->client, false, &metadata, err);
    if (status != SLUICE_OK) {
        return status;
    }
    if (list != NULL) {
        status = take_brokers(self, list, metadata, err);
    } else {
        self->broker_count = metadata->brokers.count;
        self->brokers =
            sluice_arena_take(admin_arena(self->client),
                              (self->broker_count + 1) * sizeof *self->brokers);
        for (size_t i = 0; i < self->broker_count; i++) {
            self->brokers[i] = metadata->brokers.items[i].node_id;
        }
    }
    qsort(self->brokers, self->broker_count, sizeof *self->brokers, compare_ids);
    return status;
}

static bool is_wanted(const log_dirs_work *self, message_text topic)
{
    for (size_t i = 0; i < self->topic_count; i++) {
        if (message_text_is(topic, self->topics[i])) {
            return true;
        }
    }
    return self->topics == NULL;
}

static void put_text(buffer *out, message_text text)
{
    buffer_append_byte(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.base[i];
        if (byte == '"' || byte == '\\') {
            buffer_append_byte(out, '\\');
        }
        if (byte < ' ') {
            buffer_print(out, "\\u%04X", byte);
        } else {
            buffer_append_byte(out, (char)byte);
        }
    }
    buffer_append_byte(out, '"');
}

static void put_dir(const log_dirs_work *self, buffer *out,
                    const describe_log_dirs_response_result *dir)
{
    const char *before = "";
    buffer_append_text(out, "{\"partitions\":[");
    for (size_t i = 0; i < dir->topics.count; i++) {
        const describe_log_dirs_response_topic *topic = &dir->topics.items[i];
        for (size_t j = 0; is_wanted(self, topic->name) && j < topic->partitions.count;
             j++) {
            const describe_log_dirs_response_partition *at =
                &topic->partitions.items[j];
            buffer_print(
                out,
                "%s{\"partition\":\"%.*s-%d\",\"size\":%lld,\"offsetLag\":%lld,"
                "\"isFuture\":%s}",
                before, (int)topic->name.len, topic->name.base, at->partition_index,
                (long long)at->partition_size, (long long)at->offset_lag,
                at->is_future_key ? "true" : "false");
            before = ",";
        }
    }
    buffer_append_text(out, "],\"error\":");
    if (dir->error_code == ERROR_NONE) {
        buffer_append_text(out, "null");
    } else {
        char class[ADMIN_CLASS_SIZE];
        admin_code_class(dir->error_code, class);
        buffer_print(out, "\"%s: %s\"", class, admin_code_text(dir->error_code));
    }
    buffer_append_text(out, ",\"logDir\":");
    put_text(out, dir->log_dir);
    buffer_append_text(out, "}");
}

static sluice_status put_broker(log_dirs_work *self, buffer *out, int32_t broker,
                                sluice_error *err)
{
    describe_log_dirs_request request;
    describe_log_dirs_response response;
    describe_log_dirs_request_init(&request);
    sluice_status status = admin_call(self->client, broker, API_DESCRIBE_LOG_DIRS,
                                      &request, &response, err);
    if (status == SLUICE_OK && response.error_code != ERROR_NONE) {
        status = admin_refused(err, response.error_code, (message_text){0});
    }
    if (status != SLUICE_OK) {
        return status;
    }
    buffer_print(out, "{\"broker\":%d,\"logDirs\":[", broker);
    for (size_t i = 0; i < response.results.count; i++) {
        buffer_append_text(out, i > 0 ? "," : "");
        put_dir(self, out, &response.results.items[i]);
    }
    buffer_append_text(out, "]}");
    return SLUICE_OK;
}

static sluice_status show(log_dirs_work *self, const log_dirs_options *given,
                          sluice_error *err)
{
    sluice_status status = find_brokers(self, given->brokers, err);
    buffer out = BUFFER_INIT;
    if (status == SLUICE_OK && self->kafkas) {
        printf("Querying brokers for log directories information\n");
    }
    buffer_append_text(&out, "{\"brokers\":[");
    for (size_t i = 0; status == SLUICE_OK && i < self->broker_count; i++) {
        buffer_append_text(&out, i > 0 ? "," : "");
        status = put_broker(self, &out, self->brokers[i], err);
    }
    if (status == SLUICE_OK && self->kafkas) {
        printf("Received log directory information from brokers ");
        for (size_t i = 0; i < self->broker_count; i++) {
            printf("%s%d", i > 0 ? "," : "", self->brokers[i]);
        }
        printf("\n");
    }
    if (status == SLUICE_OK) {
        printf("%s],\"version\":1}\n", buffer_text(&out));
    }
    buffer_done(&out);
    return status;
}

static int run_show(const log_dirs_options *given, bool kafkas)
{
    sluice_error *err = sluice_error_new();
    log_dirs_work self = {.kafkas = kafkas};
    if (given->topics != NULL) {
        self.topics = text_split(given->topics, &self.topic_count);
    }
    sluice_status status = admin_open(&given->connection, &self.client, err);
    if (status == SLUICE_OK) {
        status = show(&self, given, err);
    }
    free(self.topics);
    admin_close(self.client);
    return cli_ended(status, err);
}

static int log_dirs_run(int argc, char **argv)
{
    log_dirs_options given = {0};
    cli_texts arguments;
    int exit_status;
    bool kafkas = cli_is_kafkas(argv[0]);
    if (!cli_begin(&usage, argc, argv, &given, &arguments, &exit_status)) {
        return exit_status;
    }
    const char *missing = kafkas && given.connection.bootstrap_server == NULL
                              ? "Missing required argument \"[bootstrap-server]\""
                          : kafkas && !given.describe
                              ? "Missing required argument \"[describe]\""
                              : NULL;
    exit_status = missing != NULL ? cli_misused(&usage, argv[0], missing)
                                  : run_show(&given, kafkas);
    cli_parse_done(&usage, &given, &arguments);
    return exit_status;
}

static const char *const tools[] = {"kafka-log-dirs", NULL};

const cli_command cli_log_dirs = {
    .name = "log-dirs",
    .summary = "tells the sizes of partitions on the brokers' disks",
    .tools = tools,
    .run = log_dirs_run,
};
