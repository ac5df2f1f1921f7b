/* sluice delete-records: records before an offset are given up; kafka-delete-records.
 */
#include "admin.h"
#include "base/text.h"
#include "command.h"
#include "partition_file.h"
#include <string.h>

typedef struct delete_options {
    cli_connection connection;
    const char *file;
} delete_options;

static const cli_option options[] = {
    CLI_CONNECTION_OPTIONS(delete_options),
    {"offset-json-file", 0, CLI_TEXT, "FILE",
     "A file {\"partitions\": [{\"topic\": \"t\", \"partition\": 0, \"offset\": 3}], "
     "\"version\": 1}.",
     0, 0, CLI_AT(const char *, delete_options, file)},
    {.name = NULL},
};

static const cli_usage usage = {
    .synopsis = "sluice delete-records TOPIC:PARTITION:OFFSET… [OPTION…]",
    .doc = "Gives up the records of partitions that stand before an offset; -1 is the "
           "offset behind the last record. Called as kafka-delete-records it takes a "
           "file.",
    .options = options,
    .examples = "  sluice delete-records orders:0:1000\n"
                "  kafka-delete-records --bootstrap-server 127.0.0.1:9092 "
                "--offset-json-file offsets.json\n",
};

/* A partition, and what became of it. */
typedef struct deletion {
    partition_line line;
    int32_t leader; /* -1: not known. */
    int64_t low_watermark;
    int16_t code;
} deletion;

typedef struct delete_work {
    admin *client;
    deletion *items;
    size_t count;
} delete_work;

static sluice_status read_argument(admin *client, const char *text, partition_line *out,
                                   sluice_error *err)
{
    const char *second = strrchr(text, ':');
    const char *first =
        second == NULL ? NULL : memrchr(text, ':', (size_t)(second - text));
    int64_t partition = 0;
    if (first == NULL || first == text ||
        !text_to_int64_of(first + 1, (size_t)(second - first - 1), &partition) ||
        partition < 0 || partition > INT32_MAX ||
        !text_to_int64(second + 1, &out->offset)) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "'%s' must be TOPIC:PARTITION:OFFSET", text);
    }
    out->topic = sluice_arena_copy(admin_arena(client), text, (size_t)(first - text));
    out->partition = (int32_t)partition;
    return SLUICE_OK;
}

static sluice_status read_lines(delete_work *self, const delete_options *given,
                                const cli_texts *arguments, sluice_error *err)
{
    sluice_arena *arena = admin_arena(self->client);
    size_t count = arguments->count;
    partition_line *lines = sluice_arena_take(arena, (count + 1) * sizeof *lines);
    sluice_status status = SLUICE_OK;
    if (given->file != NULL) {
        status = partition_file_read(given->file, true, arena, &lines, &count, err);
    }
    for (size_t i = 0; given->file == NULL && status == SLUICE_OK && i < count; i++) {
        status = read_argument(self->client, arguments->items[i], &lines[i], err);
    }
    if (status != SLUICE_OK) {
        return status;
    }
    const partition_line *twice = partition_file_duplicate(lines, count);
    if (twice != NULL) {
        return sluice_fail(
            err, SLUICE_BAD_CONFIG,
            "Offset json file contains duplicate topic partitions: %s-%d", twice->topic,
            twice->partition);
    }
    self->items = sluice_arena_take(arena, (count + 1) * sizeof *self->items);
    self->count = count;
    for (size_t i = 0; i < count; i++) {
        self->items[i] = (deletion){.line = lines[i], .leader = -1};
    }
    return SLUICE_OK;
}

/* Fills the leaders in; what has none gets the code. */
static sluice_status find_leaders(delete_work *self, sluice_error *err)
{
    const metadata_response *metadata = NULL;
    sluice_status status = admin_metadata(self->client, true, &metadata, err);
    for (size_t i = 0; status == SLUICE_OK && i < self->count; i++) {
        deletion *one = &self->items[i];
        one->code = ERROR_UNKNOWN_TOPIC_OR_PARTITION;
        for (size_t t = 0; t < metadata->topics.count; t++) {
            const metadata_response_topic *topic = &metadata->topics.items[t];
            for (size_t p = 0; p < topic->partitions.count; p++) {
                const metadata_response_partition *at = &topic->partitions.items[p];
                if (message_text_is(topic->name, one->line.topic) &&
                    at->partition_index == one->line.partition) {
                    one->leader = at->leader_id;
                    one->code =
                        at->leader_id < 0 ? ERROR_LEADER_NOT_AVAILABLE : ERROR_NONE;
                }
            }
        }
    }
    return status;
}

static sluice_status delete_one(delete_work *self, deletion *one, sluice_error *err)
{
    delete_records_request_partition partition = {
        .partition_index = one->line.partition, .offset = one->line.offset};
    delete_records_request_topic topic = {.name = message_text_of(one->line.topic),
                                          .partitions = {&partition, 1}};
    delete_records_request request;
    delete_records_response response;
    delete_records_request_init(&request);
    request.topics.items = &topic;
    request.topics.count = 1;
    request.timeout_ms = admin_timeout_ms(self->client);
    sluice_status status = admin_call(self->client, one->leader, API_DELETE_RECORDS,
                                      &request, &response, err);
    if (status == SLUICE_OK && response.topics.count > 0 &&
        response.topics.items[0].partitions.count > 0) {
        one->code = response.topics.items[0].partitions.items[0].error_code;
        one->low_watermark = response.topics.items[0].partitions.items[0].low_watermark;
    }
    return status;
}

/* Returns whether all went. */
static bool print_outcome(const delete_work *self)
{
    bool good = true;
    printf("Records delete operation completed:\n");
    for (size_t i = 0; i < self->count; i++) {
        const deletion *one = &self->items[i];
        printf("partition: %s-%d\t", one->line.topic, one->line.partition);
        if (one->code == ERROR_NONE) {
            printf("low_watermark: %lld\n", (long long)one->low_watermark);
        } else {
            char class[ADMIN_CLASS_SIZE];
            admin_code_class(one->code, class);
            printf("error: %s: %s\n", class, admin_code_text(one->code));
            good = false;
        }
    }
    return good;
}

static sluice_status delete_all(delete_work *self, bool *ret_good, sluice_error *err)
{
    printf("Executing records delete operation\n");
    sluice_status status = find_leaders(self, err);
    for (size_t i = 0; status == SLUICE_OK && i < self->count; i++) {
        if (self->items[i].code == ERROR_NONE) {
            status = delete_one(self, &self->items[i], err);
        }
    }
    if (status == SLUICE_OK) {
        *ret_good = print_outcome(self);
    }
    return status;
}

/* Kafka's tool ends with 0 where partitions refused; ours does not. */
static int run_delete(const delete_options *given, const cli_texts *arguments,
                      bool kafkas)
{
    sluice_error *err = sluice_error_new();
    delete_work self = {0};
    bool good = false;
    sluice_status status = admin_open(&given->connection, &self.client, err);
    if (status == SLUICE_OK) {
        status = read_lines(&self, given, arguments, err);
    }
    if (status == SLUICE_OK) {
        status = delete_all(&self, &good, err);
    }
    if (status != SLUICE_OK) {
        fprintf(stderr, "%s\n", sluice_error_text(err));
    }
    admin_close(self.client);
    sluice_error_free(err);
    return status == SLUICE_OK && (good || kafkas) ? CLI_DONE : CLI_FAILED;
}

static int delete_run(int argc, char **argv)
{
    delete_options given = {0};
    cli_texts arguments;
    int exit_status;
    bool kafkas = cli_is_kafkas(argv[0]);
    if (!cli_begin(&usage, argc, argv, &given, &arguments, &exit_status)) {
        return exit_status;
    }
    const char *missing = kafkas && given.connection.bootstrap_server == NULL
                              ? "Missing required argument \"[bootstrap-server]\""
                          : kafkas && given.file == NULL
                              ? "Missing required argument \"[offset-json-file]\""
                          : given.file == NULL && arguments.count == 0
                              ? "no partition is named: give TOPIC:PARTITION:OFFSET"
                              : NULL;
    exit_status = missing != NULL ? cli_misused(&usage, argv[0], missing)
                                  : run_delete(&given, &arguments, kafkas);
    cli_parse_done(&usage, &given, &arguments);
    return exit_status;
}

static const char *const tools[] = {"kafka-delete-records", NULL};

const cli_command cli_delete_records = {
    .name = "delete-records",
    .summary = "gives up records before an offset",
    .tools = tools,
    .run = delete_run,
};
