/* sluice dump: what stands in the files of a partition; kafka-dump-log with its
 * options.
 */
#include "base/text.h"
#include "command.h"
#include "dump/dump.h"
#include "options.h"
#include <stdlib.h>
#include <string.h>

typedef struct dump_options {
    const char *files;
    bool print_data, deep, skip_record_metadata, verify_only, sanity_check;
    bool offsets, transactions, metadata, share_state, remote_metadata;
    const char *key_class, *value_class;
    int64_t bytes_max, message_size_max;
} dump_options;

static const cli_option options[] = {
    {"files", 0, CLI_TEXT, "FILE,…",
     "The files, with commas between; the same as arguments.", 0, 0,
     CLI_AT(const char *, dump_options, files)},
    {"print-data-log", 0, CLI_FLAG, NULL, "Prints keys and values of records, too.", 0,
     0, CLI_AT(bool, dump_options, print_data)},
    {"deep-iteration", 0, CLI_FLAG, NULL,
     "Looks into batches: a line for each record. The decoders and --print-data-log do "
     "so anyway.",
     0, 0, CLI_AT(bool, dump_options, deep)},
    {"skip-record-metadata", 0, CLI_FLAG, NULL,
     "Prints of a record only its key and value.", 0, 0,
     CLI_AT(bool, dump_options, skip_record_metadata)},
    {"key-decoder-class", 0, CLI_TEXT, "CLASS",
     "What keys are: StringDecoder, the default, IntegerDecoder, LongDecoder, or "
     "DefaultDecoder, which prints hexadecimal digits; with Kafka's package or "
     "without.",
     0, 0, CLI_AT(const char *, dump_options, key_class)},
    {"value-decoder-class", 0, CLI_TEXT, "CLASS", "The same of values.", 0, 0,
     CLI_AT(const char *, dump_options, value_class)},
    {"offsets-decoder", 0, CLI_FLAG, NULL,
     "The log is one of __consumer_offsets: prints groups and offsets.", 0, 0,
     CLI_AT(bool, dump_options, offsets)},
    {"transaction-log-decoder", 0, CLI_FLAG, NULL,
     "The log is one of __transaction_state: prints transactions.", 0, 0,
     CLI_AT(bool, dump_options, transactions)},
    {"cluster-metadata-decoder", 0, CLI_FLAG, NULL,
     "The log is __cluster_metadata: prints its records.", 0, 0,
     CLI_AT(bool, dump_options, metadata)},
    {"share-group-state-decoder", 0, CLI_FLAG, NULL,
     "The log is one of __share_group_state: prints the state of share groups.", 0, 0,
     CLI_AT(bool, dump_options, share_state)},
    {"remote-log-metadata-decoder", 0, CLI_FLAG, NULL, NULL, 0, 0,
     CLI_AT(bool, dump_options, remote_metadata)},
    {"index-sanity-check", 0, CLI_FLAG, NULL,
     "Checks an index as a broker does at start, and prints no entries.", 0, 0,
     CLI_AT(bool, dump_options, sanity_check)},
    {"verify-index-only", 0, CLI_FLAG, NULL,
     "Compares an index with the log, and prints no entries.", 0, 0,
     CLI_AT(bool, dump_options, verify_only)},
    {"max-bytes", 0, CLI_NUMBER, "BYTES", "Reads no more of a log.", 0, INT32_MAX,
     CLI_AT(int64_t, dump_options, bytes_max)},
    {"max-message-size", 0, CLI_NUMBER, "BYTES",
     "The largest batch that an index may point to. Default: 5242880.", 0, INT32_MAX,
     CLI_AT(int64_t, dump_options, message_size_max)},
    {.name = NULL},
};

static const cli_usage usage = {
    .synopsis = "sluice dump FILE… [OPTION…]",
    .doc = "Prints what stands in files of a partition: .log, .index, .timeindex, "
           ".txnindex, .snapshot and .checkpoint, of Sluice's broker and of Apache "
           "Kafka's. Nothing is written. Called as kafka-dump-log it takes that tool's "
           "options.",
    .options = options,
    .examples =
        "  sluice dump data/orders-0/00000000000000000000.log --print-data-log\n"
        "  kafka-dump-log --cluster-metadata-decoder --files "
        "data/__cluster_metadata-0/00000000000000000000.log\n",
};

/* The class's name may have any package in front. */
static sluice_status read_class(const char *option, const char *name,
                                dump_class *ret_class, sluice_error *err)
{
    static const struct {
        const char *name;
        dump_class class;
    } known[] = {{"StringDecoder", DUMP_CLASS_STRING},
                 {"IntegerDecoder", DUMP_CLASS_INTEGER},
                 {"LongDecoder", DUMP_CLASS_LONG},
                 {"DefaultDecoder", DUMP_CLASS_BYTES}};
    if (name == NULL) {
        *ret_class = DUMP_CLASS_STRING;
        return SLUICE_OK;
    }
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(dot == NULL ? name : dot + 1, known[i].name) == 0) {
            *ret_class = known[i].class;
            return SLUICE_OK;
        }
    }
    return sluice_fail(
        err, SLUICE_BAD_CONFIG,
        "--%s is '%s': must be StringDecoder, IntegerDecoder, LongDecoder "
        "or DefaultDecoder; classes of others need Kafka's own tool",
        option, name);
}

static dump_decoder which_decoder(const dump_options *given)
{
    return given->offsets        ? DUMP_OFFSETS
           : given->transactions ? DUMP_TRANSACTIONS
           : given->metadata     ? DUMP_METADATA
           : given->share_state  ? DUMP_SHARE_STATE
                                 : DUMP_TEXT;
}

static sluice_status prepare(const dump_options *given, dump *ret_dump,
                             sluice_error *err)
{
    if (given->remote_metadata) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "--remote-log-metadata-decoder is not there: no part of "
                           "Sluice writes tiered storage; Kafka's own tool reads it");
    }
    ret_dump->decoder = which_decoder(given);
    ret_dump->print_data = given->print_data || ret_dump->decoder != DUMP_TEXT;
    ret_dump->deep = given->deep || ret_dump->print_data;
    ret_dump->skip_record_metadata = given->skip_record_metadata;
    ret_dump->verify_only = given->verify_only;
    ret_dump->sanity_check = given->sanity_check;
    ret_dump->bytes_max = given->bytes_max;
    ret_dump->message_size_max = given->message_size_max;
    sluice_status status =
        read_class("key-decoder-class", given->key_class, &ret_dump->key_class, err);
    return status != SLUICE_OK ? status
                               : read_class("value-decoder-class", given->value_class,
                                            &ret_dump->value_class, err);
}

/* One file after the other; one that is broken ends it. */
static sluice_status dump_all(dump *self, const char *files, const cli_texts *arguments,
                              sluice_error *err)
{
    size_t count = 0;
    char **listed = text_split(files == NULL ? "" : files, &count);
    sluice_status status = SLUICE_OK;
    for (size_t i = 0; i < count && status == SLUICE_OK; i++) {
        status = dump_path(self, listed[i], err);
    }
    for (size_t i = 0; i < arguments->count && status == SLUICE_OK; i++) {
        status = dump_path(self, arguments->items[i], err);
    }
    free(listed);
    return status;
}

static int run_dump(const dump_options *given, const cli_texts *arguments)
{
    dump self = DUMP_INIT;
    sluice_error *err = sluice_error_new();
    sluice_status status = prepare(given, &self, err);
    if (status == SLUICE_OK) {
        status = dump_all(&self, given->files, arguments, err);
    }
    fflush(stdout);
    if (status == SLUICE_OK) {
        dump_summary(&self, stderr);
    } else {
        fprintf(stderr, "%s\n", sluice_error_text(err));
    }
    if (status == SLUICE_OK && ferror(stdout)) {
        fprintf(stderr, "standard output cannot be written\n");
        status = SLUICE_FATAL;
    }
    sluice_error_free(err);
    dump_done(&self);
    return status == SLUICE_OK ? CLI_DONE : CLI_FAILED;
}

static int dump_run(int argc, char **argv)
{
    dump_options given = {.bytes_max = INT32_MAX, .message_size_max = 5 * 1024 * 1024};
    cli_texts arguments;
    int exit_status;
    if (!cli_begin(&usage, argc, argv, &given, &arguments, &exit_status)) {
        return exit_status;
    }
    exit_status =
        given.files == NULL && arguments.count == 0
            ? cli_misused(&usage, argv[0], "Missing required argument \"[files]\"")
            : run_dump(&given, &arguments);
    cli_parse_done(&usage, &given, &arguments);
    return exit_status;
}

static const char *const tools[] = {"kafka-dump-log", NULL};

const cli_command cli_dump = {
    .name = "dump",
    .summary = "prints what stands in the files of a partition",
    .tools = tools,
    .run = dump_run,
};
