/* sluice offsets: the offsets of partitions by time; kafka-get-offsets. */
#include "admin_offsets.h"
#include "base/text.h"
#include "command.h"
#include "topic_filter.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

typedef struct offsets_options {
    cli_connection connection;
    const char *topic, *partitions, *topic_partitions, *time;
    bool exclude_internal, json, kafkas;
} offsets_options;

static const cli_option options[] = {
    CLI_CONNECTION_OPTIONS(offsets_options),
    {"topic", 0, CLI_TEXT, "TOPIC", "Topics, as a regular expression for whole names.",
     0, 0, CLI_AT(const char *, offsets_options, topic)},
    {"partitions", 0, CLI_TEXT, "N,…", "Only these partitions.", 0, 0,
     CLI_AT(const char *, offsets_options, partitions)},
    {"topic-partitions", 0, CLI_TEXT, "RULE,…",
     "Topics with partitions, instead of the former two: TOPIC, TOPIC:N, TOPIC:N-M (M "
     "not included), TOPIC:N-, TOPIC:-M, :N.",
     0, 0, CLI_AT(const char *, offsets_options, topic_partitions)},
    {"time", 0, CLI_TEXT, "TIME",
     "latest (-1), earliest (-2), max-timestamp (-3), earliest-local (-4), "
     "latest-tiered (-5), or milliseconds since 1970: the first record from then on. "
     "Default: latest.",
     0, 0, CLI_AT(const char *, offsets_options, time)},
    {"exclude-internal-topics", 0, CLI_FLAG, NULL,
     "Leaves __consumer_offsets and the like out.", 0, 0,
     CLI_AT(bool, offsets_options, exclude_internal)},
    {"json", 0, CLI_FLAG, NULL, "Prints JSON.", 0, 0,
     CLI_AT(bool, offsets_options, json)},
    {.name = NULL},
};

static const cli_usage usage = {
    .synopsis = "sluice offsets [TOPIC…] [OPTION…]",
    .doc = "Prints TOPIC:PARTITION:OFFSET for the latest record of each partition, or "
           "the first from a time on. Called as kafka-get-offsets it takes no topics "
           "but in options.",
    .options = options,
    .examples =
        "  sluice offsets orders --time earliest\n"
        "  kafka-get-offsets --bootstrap-server 127.0.0.1:9092 --topic orders\n",
    .before_mistake = "Error occurred: ",
};

/* A rule of --topic-partitions: topics, and partitions from `first` to before `end`. */
typedef struct rule {
    topic_filter topics;
    int32_t first, end;
} rule;

typedef struct offsets_work {
    admin *client;
    const offsets_options *options;
    topic_filter filter;
    rule *rules;
    size_t rule_count;
    char **partitions; /* Of --partitions; NULL: all. */
    size_t partition_count;
} offsets_work;

static sluice_status read_time(const char *text, int64_t *ret_time, sluice_error *err)
{
    static const struct {
        const char *name;
        int64_t time;
    } times[] = {
        {"latest", OFFSET_LATEST},
        {"earliest", OFFSET_EARLIEST},
        {"max-timestamp", OFFSET_MAX_TIMESTAMP},
        {"earliest-local", OFFSET_EARLIEST_LOCAL},
        {"latest-tiered", OFFSET_LATEST_TIERED},
    };
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        if (text == NULL || strcmp(text, times[i].name) == 0) {
            *ret_time = times[i].time;
            return SLUICE_OK;
        }
    }
    if (text_to_int64(text, ret_time)) {
        return SLUICE_OK;
    }
    return sluice_fail(err, SLUICE_BAD_CONFIG,
                       "Malformed time argument %s. Please use -1 or latest / -2 or "
                       "earliest / -3 or max-timestamp / -4 or earliest-local / -5 or "
                       "latest-tiered, or a specified long format timestamp",
                       text);
}

/* "", "3", "3-", "-5" or "3-5". */
static bool read_range(const char *text, rule *out)
{
    const char *dash = strchr(text, '-');
    int64_t first = 0, end = INT32_MAX;
    bool good = true;
    if (dash == NULL && *text != '\0') {
        good = text_to_int64_of(text, strlen(text), &first);
        end = first + 1;
    } else if (dash != NULL) {
        good = dash == text || text_to_int64_of(text, (size_t)(dash - text), &first);
        good = good &&
               (dash[1] == '\0' || text_to_int64_of(dash + 1, strlen(dash + 1), &end));
    }
    if (!good || first < 0 || end < 0 || first > INT32_MAX ||
        end > (int64_t)INT32_MAX) {
        return false;
    }
    out->first = (int32_t)first;
    out->end = (int32_t)end;
    return true;
}

static sluice_status read_rules(offsets_work *self, sluice_error *err)
{
    static const cli_texts none = {0};
    size_t count = 0;
    char **parts = text_split(self->options->topic_partitions, &count);
    self->rules =
        sluice_arena_take(admin_arena(self->client), (count + 1) * sizeof *self->rules);
    sluice_status status = SLUICE_OK;
    for (size_t i = 0; i < count && status == SLUICE_OK; i++) {
        rule *one = &self->rules[i];
        char *colon = strrchr(parts[i], ':');
        if (!read_range(colon == NULL ? "" : colon + 1, one)) {
            status = sluice_fail(err, SLUICE_BAD_CONFIG,
                                 "org.apache.kafka.tools.TerseException: Invalid rule "
                                 "specification: %s",
                                 parts[i]);
            break;
        }
        if (colon != NULL) {
            *colon = '\0';
        }
        status = topic_filter_init(&one->topics, parts[i][0] == '\0' ? NULL : parts[i],
                                   &none, err);
        self->rule_count = i + 1;
    }
    free(parts);
    return status;
}

static sluice_status read_partitions(offsets_work *self, sluice_error *err)
{
    const char *given = self->options->partitions;
    self->partitions = text_split(given, &self->partition_count);
    for (size_t i = 0; i < self->partition_count; i++) {
        int32_t partition;
        if (!text_to_int32(self->partitions[i], &partition) || partition < 0) {
            return sluice_fail(err, SLUICE_BAD_CONFIG,
                               "--partitions expects a comma separated list of numeric "
                               "partition ids, but received: %s",
                               given);
        }
    }
    return SLUICE_OK;
}

static bool is_wanted(const offsets_work *self, const char *topic, int32_t partition)
{
    for (size_t i = 0; i < self->rule_count; i++) {
        const rule *one = &self->rules[i];
        if (partition >= one->first && partition < one->end &&
            topic_filter_has(&one->topics, topic)) {
            return true;
        }
    }
    if (self->rule_count > 0 || !topic_filter_has(&self->filter, topic)) {
        return false;
    }
    for (size_t i = 0; i < self->partition_count; i++) {
        int32_t wanted = -1;
        if (text_to_int32(self->partitions[i], &wanted) && wanted == partition) {
            return true;
        }
    }
    return self->partitions == NULL;
}

static int compare(const void *one, const void *other)
{
    const partition_offset *a = one, *b = other;
    int order = strcmp(a->topic, b->topic);
    return order != 0 ? order
                      : (a->partition > b->partition) - (a->partition < b->partition);
}

static sluice_status find_partitions(offsets_work *self, partition_offset **ret_found,
                                     size_t *ret_count, sluice_error *err)
{
    const metadata_response *metadata = NULL;
    sluice_status status = admin_metadata(self->client, true, &metadata, err);
    size_t room = 1, count = 0;
    for (size_t i = 0; status == SLUICE_OK && i < metadata->topics.count; i++) {
        room += metadata->topics.items[i].partitions.count;
    }
    partition_offset *found =
        sluice_arena_take(admin_arena(self->client), room * sizeof *found);
    for (size_t i = 0; status == SLUICE_OK && i < metadata->topics.count; i++) {
        const metadata_response_topic *topic = &metadata->topics.items[i];
        partition_offset *all;
        size_t all_count = partition_offsets_of(self->client, topic, &all);
        for (size_t j = 0; j < all_count; j++) {
            if (is_wanted(self, all[j].topic, all[j].partition) &&
                !(self->options->exclude_internal && topic->is_internal)) {
                found[count++] = all[j];
            }
        }
    }
    qsort(found, count, sizeof *found, compare);
    *ret_found = found;
    *ret_count = count;
    return status;
}

static void print_offsets(const partition_offset *found, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const partition_offset *at = &found[i];
        if (at->leader < 0) {
            fprintf(stderr,
                    "Skip getting offsets for topic-partition %s-%d due to: %s\n",
                    at->topic, at->partition, admin_code_text(at->error_code));
        } else if (at->error_code != ERROR_NONE) {
            fprintf(stderr,
                    "Skip getting offsets for topic-partition %s:%d due to: %s\n",
                    at->topic, at->partition, admin_code_text(at->error_code));
        } else if (at->offset >= 0) {
            printf("%s:%d:%lld\n", at->topic, at->partition, (long long)at->offset);
        }
    }
}

static void print_json(const partition_offset *found, size_t count)
{
    json_t *all = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *offset = found[i].error_code == ERROR_NONE && found[i].offset >= 0
                             ? json_integer(found[i].offset)
                             : json_null();
        json_array_append_new(all, json_pack("{s:s,s:i,s:o}", "topic", found[i].topic,
                                             "partition", found[i].partition, "offset",
                                             offset));
    }
    json_dumpf(all, stdout, JSON_COMPACT);
    printf("\n");
    json_decref(all);
}

static sluice_status show(offsets_work *self, sluice_error *err)
{
    const offsets_options *given = self->options;
    int64_t time = OFFSET_LATEST;
    partition_offset *found = NULL;
    size_t count = 0;
    sluice_status status = SLUICE_OK;
    if (given->topic_partitions != NULL &&
        (given->topic != NULL || given->partitions != NULL)) {
        status = sluice_fail(
            err, SLUICE_BAD_CONFIG,
            "--topic-partitions cannot be used with --topic or --partitions");
    }
    if (status == SLUICE_OK) {
        status = read_time(given->time, &time, err);
    }
    if (status == SLUICE_OK && given->topic_partitions != NULL) {
        status = read_rules(self, err);
    }
    if (status == SLUICE_OK && given->partitions != NULL) {
        status = read_partitions(self, err);
    }
    if (status == SLUICE_OK) {
        status = find_partitions(self, &found, &count, err);
    }
    if (status == SLUICE_OK && count == 0) {
        status = sluice_fail(
            err, SLUICE_FATAL,
            "Could not match any topic-partitions with the specified filters");
    }
    if (status == SLUICE_OK) {
        status = admin_list_offsets(self->client, time, found, count, err);
    }
    if (status == SLUICE_OK && given->json) {
        print_json(found, count);
    } else if (status == SLUICE_OK) {
        print_offsets(found, count);
    }
    return status;
}

static int run_show(const offsets_options *given, const cli_texts *names)
{
    static const cli_texts none = {0};
    sluice_error *err = sluice_error_new();
    offsets_work self = {.options = given};
    sluice_status status = topic_filter_init(&self.filter, given->topic,
                                             given->kafkas ? &none : names, err);
    if (status == SLUICE_OK) {
        status = admin_open(&given->connection, &self.client, err);
    }
    if (status == SLUICE_OK) {
        status = show(&self, err);
    }
    if (status != SLUICE_OK) {
        fprintf(stderr, "%s%s\n", given->kafkas ? "Error occurred: " : "",
                sluice_error_text(err));
    }
    for (size_t i = 0; i < self.rule_count; i++) {
        topic_filter_done(&self.rules[i].topics);
    }
    topic_filter_done(&self.filter);
    free(self.partitions);
    admin_close(self.client);
    sluice_error_free(err);
    return status == SLUICE_OK ? CLI_DONE : CLI_FAILED;
}

static int offsets_run(int argc, char **argv)
{
    offsets_options given = {.kafkas = cli_is_kafkas(argv[0])};
    cli_texts arguments;
    int exit_status;
    if (!cli_begin(&usage, argc, argv, &given, &arguments, &exit_status)) {
        return exit_status;
    }
    exit_status = given.kafkas && given.connection.bootstrap_server == NULL
                      ? cli_misused(&usage, argv[0],
                                    "Missing required argument \"[bootstrap-server]\"")
                      : run_show(&given, &arguments);
    cli_parse_done(&usage, &given, &arguments);
    return exit_status;
}

static const char *const tools[] = {"kafka-get-offsets", NULL};

const cli_command cli_offsets = {
    .name = "offsets",
    .summary = "prints the offsets of partitions, by time",
    .tools = tools,
    .run = offsets_run,
};
